package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// TestTokenRotatedAndRevoked: the daemon's service-account token lies in a file and is bound to a Secret.
// Three times it is replaced and the old one revoked by deleting its Secret, while the cluster keeps
// changing. No change may be missed, and no watch may have to start over with a list.
func TestTokenRotatedAndRevoked(t *testing.T) {
	t.Parallel() // mostly waiting
	c := newCluster(t)
	accounts := c.admin.CoreV1().ServiceAccounts("default")
	must(accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "netauditd"}}, metav1.CreateOptions{}))(c)
	c.bind("ServiceAccount", "default", "netauditd")
	issue := func(n int) (secret, token string) {
		secret = fmt.Sprintf("token-%d", n)
		s := must(c.admin.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secret}}, metav1.CreateOptions{}))(c)
		ref := &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: s.Name, UID: s.UID}
		r := must(accounts.CreateToken(ctx, "netauditd", &authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: ref},
		}, metav1.CreateOptions{}))(c)
		return secret, r.Status.Token
	}

	// Written as the kubelet does it: never half a token to be read.
	file := filepath.Join(tempDir(t), "token")
	write := func(token string) {
		if err := os.WriteFile(file+".new", []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	secret, token := issue(0)
	write(token)
	d := startDaemon(t, c, daemonOptions{user: &clientcmdapi.AuthInfo{TokenFile: file}, settings: shortWatches})
	before := d.status()

	// A namespace four times a second, each a finding. Names and times of the answers in order.
	type write1 struct {
		name   string
		answer time.Time
	}
	var mu sync.Mutex
	var writes []write1
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(250 * time.Millisecond):
			}
			name := fmt.Sprintf("rotating-%03d", n)
			if _, err := c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf(name, nil), metav1.CreateOptions{}); err != nil {
				stopped <- err
				return
			}
			mu.Lock()
			writes = append(writes, write1{name, time.Now()})
			mu.Unlock()
		}
	}()

	hc := c.httpClient(c.port)
	for n := 1; n <= 3; n++ {
		newSecret, newToken := issue(n)
		write(newToken)
		if err := c.admin.CoreV1().Secrets("default").Delete(ctx, secret, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		// The server remembers a good token for ten seconds.
		revoked := time.Now()
		if !eventually(20*time.Second, func() bool { return !httpOK(hc, c.url()+"/api/v1/namespaces?limit=1", token) }) {
			t.Fatal("the server still takes a token whose Secret is gone")
		}
		t.Logf("rotation %d: the old token is refused %.1f s after its Secret was deleted", n, time.Since(revoked).Seconds())
		secret, token = newSecret, newToken
		time.Sleep(2 * time.Second)
	}
	// Every watch has ended and begun anew at least once with the last token.
	time.Sleep(11 * time.Second)
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}

	mu.Lock()
	defer mu.Unlock()
	var missed []string
	_, ok := d.await(5*time.Second, func() bool {
		open := d.open()
		missed = nil
		for _, w := range writes {
			if open[key(ruleHasPolicy+" Namespace "+w.name)] != "fail" {
				missed = append(missed, w.name)
			}
		}
		return len(missed) == 0
	})
	if !ok {
		t.Errorf("missed %d of %d changes: %v", len(missed), len(writes), missed)
	} else {
		t.Logf("all %d changes found, over 3 rotations", len(writes))
	}
	after := d.status()
	for _, k := range after.Kinds {
		if was := before.kind(k.Kind); k.Relists != was.Relists {
			t.Errorf("%s was listed anew %d times (%s)", k.Kind, k.Relists-was.Relists, k.Reason)
		}
		if k.State == "forbidden" || k.State == "stale" {
			t.Errorf("%s is %s at the end", k.Kind, k.State)
		}
	}
	if gaps := d.gaps(); len(gaps) > 0 {
		t.Errorf("gaps were recorded: %v", gaps)
	}
	for k := range d.open() {
		if subjectKind(k) == "APIResource" {
			t.Errorf("open at the end: %s", k)
		}
	}
}
