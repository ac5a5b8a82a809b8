package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDaemonRestarted: a daemon that ends, by SIGTERM or by SIGKILL, and starts again on its database neither
// loses, repeats nor re-opens anything; what was done while it was away is found.
func TestDaemonRestarted(t *testing.T) {
	c := newCluster(t)
	for _, ns := range []string{"one", "two", "three"} {
		must(c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf(ns, nil), metav1.CreateOptions{}))(c)
		must(c.admin.CoreV1().Pods(ns).Create(ctx, podOf(ns, "web", map[string]string{"app": "web"}), metav1.CreateOptions{}))(c)
		must(c.admin.NetworkingV1().Ingresses(ns).Create(ctx, plainIngress(ns, "web", ns+".example.com"), metav1.CreateOptions{}))(c)
	}
	d := startDaemon(t, c, daemonOptions{})
	again := func(n int) {
		t.Helper()
		if n%2 == 0 {
			d.stop()
		} else {
			d.proc.kill()
			<-d.eof
		}
		d.run()
		if !d.awaitLog(30*time.Second, "msg=synced") {
			t.Fatalf("restart %d: the daemon does not sync again; %s", n, tail(d.logPath, 30))
		}
	}

	open, mark := d.open(), d.mark()
	if len(open) < 9 {
		t.Fatalf("only %d findings are open", len(open))
	}
	asked := len(c.asked())
	for n := range 20 {
		again(n)
	}
	if diff := differences("before the restarts", open, "after", d.open()); diff != "" {
		t.Errorf("restarts changed what is open:\n%s", diff)
	}
	for _, tr := range d.since(mark) {
		t.Errorf("a restart caused a transition: %s is now %s (%s)", tr.key, tr.state, tr.reason)
	}

	// With a database, the first question is never for the past (CONTRACTS.md 4).
	first := map[string]bool{}
	for _, uri := range c.asked()[asked:] {
		u, err := url.Parse(uri)
		if err != nil || !strings.Contains(u.Path, "/v1/") {
			continue
		}
		if q := u.Query(); !first[u.Path] {
			first[u.Path] = true
			if v := q.Get("resourceVersion"); v == "" || v == "0" || q.Get("resourceVersionMatch") != "NotOlderThan" {
				t.Errorf("the first question after a restart does not ask for NotOlderThan the version known: %s", uri)
			}
		}
	}
	if len(first) != len(auditedKinds()) {
		t.Errorf("asked for %d kinds after a restart, not %d: %v", len(first), len(auditedKinds()), first)
	}

	// Away, and things happen.
	d.stop()
	must(c.admin.NetworkingV1().NetworkPolicies("one").Create(ctx, defaultDeny("one"), metav1.CreateOptions{}))(c)
	if err := deleteNamespace(c.admin, "two"); err != nil {
		t.Fatal(err)
	}
	must(c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf("four", nil), metav1.CreateOptions{}))(c)
	mark = d.mark()
	d.run()
	if !d.awaitLog(30*time.Second, "msg=synced") {
		t.Fatalf("the daemon does not sync again; %s", tail(d.logPath, 30))
	}
	d.only(mark, "Namespace one", "Pod one/web", "Namespace two", "Pod two/web", "Ingress two/web", "Namespace four",
		"NetworkPolicy one/default-deny") // it denies DNS as well
	ends := map[key]string{}
	for _, tr := range d.since(mark) {
		ends[tr.key] = tr.state + " " + tr.reason
	}
	for k, want := range map[key]string{
		ruleHasPolicy + " Namespace one": "resolved fixed", ruleHasPolicy + " Pod one/web": "resolved fixed",
		ruleHasPolicy + " Namespace two": "resolved object-gone", ruleTLS + " Ingress two/web": "resolved object-gone",
		ruleHasPolicy + " Namespace four": "open ",
	} {
		if ends[k] != want {
			t.Errorf("%s is %q after the absence, not %q", k, ends[k], want)
		}
	}
}
