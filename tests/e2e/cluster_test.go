package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Users of the token file. The daemon gets no more than what the tests grant to the ClusterRole of its name.
const (
	adminToken  = "e2e-admin-token"
	daemonUser  = "netauditd"
	daemonToken = "e2e-netauditd-token"
)

// auditPolicy writes down what the daemon asks, and nothing else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseComplete, Panic]
rules:
- {level: Metadata, users: [netauditd]}
- {level: None}
`

// cluster is one etcd and one kube-apiserver on loopback ports of their own. Both ports and the data stay
// the same over any number of restarts of the server.
type cluster struct {
	t       testing.TB
	dir     string // data and keys, temporary
	logs    string // kept after the test
	pki     *pki
	tokens  string
	etcdURL string
	port    int
	etcd    *proc
	server  *proc
	admin   *kubernetes.Clientset // system:masters at the server's own port, no rate limit
}

// newCluster starts both and returns when the server is ready, its own namespaces exist, and the daemon's
// user may list and watch every kind that it audits, and nothing else.
func newCluster(t testing.TB) *cluster {
	t.Helper()
	start := time.Now()
	c := &cluster{t: t, dir: tempDir(t), logs: logDir(t)}
	var err error
	if c.pki, err = newPKI(c.dir); err != nil {
		t.Fatal(err)
	}
	c.tokens = filepath.Join(c.dir, "tokens.csv")
	users := fmt.Sprintf("%s,admin,1,system:masters\n%s,%s,2\n", adminToken, daemonToken, daemonUser)
	if err := os.WriteFile(c.tokens, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "audit.yaml"), []byte(auditPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.startEtcd(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.etcd.kill() })
	// The port is free when it is chosen; if another program takes it before the server does, choose again.
	for try := 1; ; try++ {
		ports, err := freePorts(1)
		if err != nil {
			t.Fatal(err)
		}
		c.port = ports[0]
		c.server, err = c.startServer(c.port)
		if err == nil {
			break
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { c.server.kill() })
	c.admin = c.clientFor(c.port, adminToken)
	c.waitSystemNamespaces()
	c.grant(auditedKinds())
	t.Logf("kube-apiserver on port %d ready in %d ms", c.port, time.Since(start).Milliseconds())
	return c
}

func (c *cluster) startEtcd() error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	c.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	c.etcd, err = startProc("etcd", filepath.Join(c.logs, "etcd.log"), nil, []string{"HOME=" + c.dir},
		etcdBin, "--name=e2e", "--data-dir="+filepath.Join(c.dir, "etcd"),
		"--listen-client-urls="+c.etcdURL, "--advertise-client-urls="+c.etcdURL,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=e2e="+peer,
		"--unsafe-no-fsync", "--logger=zap", "--log-level=warn")
	if err != nil {
		return err
	}
	healthy := eventually(20*time.Second, func() bool {
		return httpOK(http.DefaultClient, c.etcdURL+"/health", "") || c.etcd.ended(0)
	})
	if !healthy || c.etcd.ended(0) {
		return fmt.Errorf("etcd does not answer; %s", tail(c.etcd.logPath, 15))
	}
	return nil
}

// startServer starts a kube-apiserver on the port and waits until /readyz says ok.
func (c *cluster) startServer(port int) (*proc, error) {
	server, err := startProc("kube-apiserver", filepath.Join(c.logs, fmt.Sprintf("kube-apiserver-%d.log", port)), nil,
		[]string{"HOME=" + c.dir}, serverBin,
		"--etcd-servers="+c.etcdURL,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file="+c.pki.certFile, "--tls-private-key-file="+c.pki.keyFile, "--cert-dir="+c.dir,
		"--authorization-mode=RBAC", "--token-auth-file="+c.tokens,
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.pki.saKey, "--service-account-signing-key-file="+c.pki.saKey,
		"--disable-admission-plugins=ServiceAccount",
		"--audit-policy-file="+filepath.Join(c.dir, "audit.yaml"), "--audit-log-path="+filepath.Join(c.logs, "audit.log"),
		"--endpoint-reconciler-type=none", "--profiling=false")
	if err != nil {
		return nil, err
	}
	hc := c.httpClient(port)
	ready := eventually(60*time.Second, func() bool {
		return httpOK(hc, fmt.Sprintf("https://127.0.0.1:%d/readyz", port), adminToken) || server.ended(0)
	})
	if !ready || server.ended(0) {
		server.kill()
		return nil, fmt.Errorf("kube-apiserver does not become ready; %s", tail(server.logPath, 20))
	}
	return server, nil
}

// killServer ends the server with SIGKILL: every open watch breaks off in the middle.
func (c *cluster) killServer() {
	c.server.kill()
}

func (c *cluster) restartServer() {
	c.t.Helper()
	server, err := c.startServer(c.port)
	if err != nil {
		c.t.Fatal(err)
	}
	c.server = server
}

// throughSideDoor changes the cluster while the server that the daemon knows is away: a second server, on
// another port over the same etcd, serves the calls of change and ends before this returns.
func (c *cluster) throughSideDoor(change func(admin *kubernetes.Clientset)) {
	c.t.Helper()
	ports, err := freePorts(1)
	if err != nil {
		c.t.Fatal(err)
	}
	server, err := c.startServer(ports[0])
	if err != nil {
		c.t.Fatal(err)
	}
	defer server.kill()
	change(c.clientFor(ports[0], adminToken))
}

// compactEtcd forgets all history up to now, and returns the revision of now.
func (c *cluster) compactEtcd() int64 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{c.etcdURL}, DialTimeout: 5 * time.Second, Context: ctx})
	if err != nil {
		c.t.Fatal(err)
	}
	defer etcd.Close()
	now, err := etcd.Get(ctx, "/")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := etcd.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		c.t.Fatal(err)
	}
	return now.Header.Revision
}

func (c *cluster) url() string { return fmt.Sprintf("https://127.0.0.1:%d", c.port) }

func (c *cluster) restConfig(port int, token string) *rest.Config {
	return &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", port), BearerToken: token, QPS: -1, Timeout: 30 * time.Second,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.pki.caPEM}, UserAgent: "netauditd-e2e",
		WarningHandler: rest.NoWarnings{},
	}
}

func (c *cluster) clientFor(port int, token string) *kubernetes.Clientset {
	c.t.Helper()
	k, err := kubernetes.NewForConfig(c.restConfig(port, token))
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

// httpClient never reuses a connection: it is asked across restarts.
func (c *cluster) httpClient(port int) *http.Client {
	cfg := c.restConfig(port, "")
	tlsConfig, err := rest.TLSConfigFor(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: tlsConfig, DisableKeepAlives: true}}
}

func httpOK(hc *http.Client, url, token string) bool {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := hc.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// kubeconfig writes a kubeconfig file for one user of this cluster and returns its path.
func (c *cluster) kubeconfig(name string, user clientcmdapi.AuthInfo) string {
	c.t.Helper()
	k := clientcmdapi.NewConfig()
	k.Clusters["e2e"] = &clientcmdapi.Cluster{Server: c.url(), CertificateAuthorityData: c.pki.caPEM}
	k.AuthInfos[name] = &user
	k.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: name}
	k.CurrentContext = "e2e"
	path := filepath.Join(c.dir, name+".kubeconfig")
	if err := clientcmd.WriteToFile(*k, path); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *cluster) waitSystemNamespaces() {
	c.t.Helper()
	var missing string
	found := eventually(20*time.Second, func() bool {
		for _, ns := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
			if _, err := c.admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); err != nil {
				missing = ns
				return false
			}
		}
		// The first Service of every cluster: wait for it, or it appears in the middle of a test.
		missing = "Service default/kubernetes"
		_, err := c.admin.CoreV1().Services("default").Get(ctx, "kubernetes", metav1.GetOptions{})
		return err == nil
	})
	if !found {
		c.t.Fatalf("%s does not appear", missing)
	}
}

// auditedKinds is the least that the daemon needs (KUBE_CLIENT.md, DESIGN.md 4): resource name -> API group.
func auditedKinds() map[string]string {
	return map[string]string{
		"namespaces": "", "pods": "", "services": "",
		"ingresses": "networking.k8s.io", "ingressclasses": "networking.k8s.io", "networkpolicies": "networking.k8s.io",
		"deployments": "apps", "statefulsets": "apps", "daemonsets": "apps", "cronjobs": "batch",
	}
}

// grant makes these kinds, and only these, what the daemon's user may get, list and watch. It returns when
// the server's authorizer says so.
func (c *cluster) grant(kinds map[string]string) {
	c.t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: daemonUser}}
	for resource, group := range kinds {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{
			APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{"get", "list", "watch"},
		})
	}
	roles := c.admin.RbacV1().ClusterRoles()
	if _, err := roles.Create(ctx, role, metav1.CreateOptions{}); err != nil {
		if _, err := roles.Update(ctx, role, metav1.UpdateOptions{}); err != nil {
			c.t.Fatal(err)
		}
	} else {
		c.bind("User", "", daemonUser)
	}
	hc := c.httpClient(c.port)
	for resource, group := range auditedKinds() {
		path := "/apis/" + group + "/v1/"
		if group == "" {
			path = "/api/v1/"
		}
		_, allowed := kinds[resource]
		if !eventually(10*time.Second, func() bool {
			return httpOK(hc, c.url()+path+resource+"?limit=1", daemonToken) == allowed
		}) {
			c.t.Fatalf("the right to list %s does not become %v", resource, allowed)
		}
	}
}

// bind gives the daemon's ClusterRole to a user or service account.
func (c *cluster) bind(kind, namespace, name string) {
	c.t.Helper()
	subject := rbacv1.Subject{Kind: kind, Namespace: namespace, Name: name}
	if kind == "User" {
		subject.APIGroup = rbacv1.GroupName
	}
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ToLower(kind) + "-" + name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: daemonUser},
		Subjects:   []rbacv1.Subject{subject},
	}
	if _, err := c.admin.RbacV1().ClusterRoleBindings().Create(ctx, b, metav1.CreateOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// asked gives the requests that the daemon's user has made, oldest first.
func (c *cluster) asked() []string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.logs, "audit.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	var uris []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var event struct{ RequestURI, Stage string }
		if json.Unmarshal([]byte(line), &event) == nil && event.Stage == "RequestReceived" {
			uris = append(uris, event.RequestURI)
		}
	}
	return uris
}
