package e2e

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// shortWatches makes every watch end within ten seconds, so that what a running watch outlives shows soon.
const shortWatches = "watch: {timeout: 5s}\n"

// reconnect is the longest a daemon may take to find an API server that is back: the backoff's cap, 30 s,
// doubled by jitter, and the sync (TESTS.md R12).
const reconnect = 65 * time.Second

// TestRightTakenAwayAndGivenBack: the daemon may no longer read Ingresses, then may again.
func TestRightTakenAwayAndGivenBack(t *testing.T) {
	t.Parallel() // mostly waiting
	c := newCluster(t)
	for _, name := range []string{"stays", "mended", "deleted"} {
		must(c.admin.NetworkingV1().Ingresses("default").Create(ctx, plainIngress("default", name, name+".example.com"), metav1.CreateOptions{}))(c)
	}
	d := startDaemon(t, c, daemonOptions{settings: shortWatches})
	stays := key(ruleClass + " Ingress default/stays")
	mended := key(ruleClass + " Ingress default/mended")
	deleted := key(ruleClass + " Ingress default/deleted")
	fresh := key(ruleClass + " Ingress default/fresh")
	kindError := []key{
		keyOf("require-ingress-class", "validate-ingressclass-exists", "APIResource", "", "ingresses.networking.k8s.io"),
		keyOf("require-ingress-tls", "validate-tls-configuration", "APIResource", "", "ingresses.networking.k8s.io"),
	}
	before := d.open()
	for _, k := range []key{stays, mended, deleted} {
		if before[k] != "fail" {
			t.Fatalf("not open after the sync: %s; open are %v", k, sortedKeys(before))
		}
	}
	mark := d.mark()

	less := auditedKinds()
	delete(less, "ingresses")
	c.grant(less)
	start := time.Now()
	at, ok := d.await(20*time.Second, func() bool {
		open := d.open()
		for _, k := range kindError {
			if open[k] != "error" {
				return false
			}
		}
		return true
	})
	if !ok {
		t.Fatalf("no error finding on the kind; status says %+v; open are %v", d.status().kind("Ingress"), sortedKeys(d.open()))
	}
	t.Logf("the kind is an error finding %.1f s after the right was taken (watches end after 5 to 10 s)", at.Sub(start).Seconds())
	if !eventually(3*time.Second, func() bool { return d.status().kind("Ingress").State == "forbidden" }) {
		t.Errorf("status says of Ingress: %+v", d.status().kind("Ingress"))
	}

	// While it is blind there: all the rest is judged as before, and what was open stays open.
	must(c.admin.NetworkingV1().Ingresses("default").Create(ctx, plainIngress("default", "fresh", "fresh.example.com"), metav1.CreateOptions{}))(c)
	if err := c.admin.NetworkingV1().Ingresses("default").Delete(ctx, "deleted", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ing := must(c.admin.NetworkingV1().Ingresses("default").Get(ctx, "mended", metav1.GetOptions{}))(c)
	class := "any"
	must(c.admin.NetworkingV1().IngressClasses().Create(ctx, ingressClassOf(class, "example.com/any"), metav1.CreateOptions{}))(c)
	ing.Spec.IngressClassName = &class
	must(c.admin.NetworkingV1().Ingresses("default").Update(ctx, ing, metav1.UpdateOptions{}))(c)
	must(c.admin.CoreV1().Services("default").Create(ctx, loadBalancer("default", "lb"), metav1.CreateOptions{}))(c)
	d.opens(time.Now(), "fail", key(ruleLB+" Service default/lb"))
	blind := time.Now()
	after := d.open()
	for k, result := range before {
		if after[k] != result {
			t.Errorf("was open, now %q: %s", after[k], k)
		}
	}
	if after[fresh] != "" {
		t.Errorf("known although it may not be read: %s", fresh)
	}

	c.grant(auditedKinds())
	start = time.Now()
	at, ok = d.await(125*time.Second, func() bool {
		open := d.open()
		for _, k := range append(kindError, mended, deleted) {
			if open[k] != "" {
				return false
			}
		}
		return open[stays] == "fail" && open[fresh] == "fail"
	})
	if !ok {
		t.Fatalf("not mended after the right was given back; status says %+v; open are %v", d.status().kind("Ingress"), sortedKeys(d.open()))
	}
	t.Logf("all is right %.1f s after the right was given back (probed every 60 s, jittered)", at.Sub(start).Seconds())
	for k := range d.open() {
		if kind := subjectKind(k); kind == "APIResource" {
			t.Errorf("still open: %s", k)
		}
	}
	if !eventually(3*time.Second, func() bool { return d.gapFor("ingresses.networking.k8s.io", "forbidden", blind) }) {
		t.Errorf("the blind time is no recorded gap; there are %v", d.gaps())
	}
	reasons := map[key]string{}
	for _, tr := range d.since(mark) {
		if tr.key == stays {
			t.Errorf("%s went to %s (%s) meanwhile", tr.key, tr.state, tr.reason)
		}
		reasons[tr.key] = tr.reason
	}
	if reasons[deleted] != "object-gone" || reasons[mended] != "fixed" {
		t.Errorf("deleted ended as %q, mended as %q", reasons[deleted], reasons[mended])
	}
}

// outage is a small cluster in which one thing of each sort will change while the API server is away.
func outage(t *testing.T) (*cluster, *daemon) {
	c := newCluster(t)
	for _, ns := range []string{"stays", "mended", "deleted"} {
		must(c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf(ns, nil), metav1.CreateOptions{}))(c)
		must(c.admin.CoreV1().Pods(ns).Create(ctx, podOf(ns, "web", map[string]string{"app": "web"}), metav1.CreateOptions{}))(c)
		must(c.admin.NetworkingV1().Ingresses(ns).Create(ctx, plainIngress(ns, "web", ns+".example.com"), metav1.CreateOptions{}))(c)
		must(c.admin.CoreV1().Services(ns).Create(ctx, loadBalancer(ns, "web"), metav1.CreateOptions{}))(c)
	}
	d := startDaemon(t, c, daemonOptions{})
	open := d.open()
	for _, ns := range []string{"stays", "mended", "deleted"} {
		for _, k := range []string{ruleHasPolicy + " Pod " + ns + "/web", ruleHasPolicy + " Namespace " + ns, ruleTLS + " Ingress " + ns + "/web", ruleLB + " Service " + ns + "/web"} {
			if open[key(k)] != "fail" {
				t.Fatalf("not open after the sync: %s; open are %v", k, sortedKeys(open))
			}
		}
	}
	return c, d
}

// changeMeanwhile is done behind the daemon's back; checkMeanwhile looks at what the daemon made of it.
func changeMeanwhile(c *cluster) func(*kubernetes.Clientset) {
	return func(k *kubernetes.Clientset) {
		c.t.Helper()
		must(k.CoreV1().Namespaces().Create(ctx, namespaceOf("fresh", nil), metav1.CreateOptions{}))(c)
		must(k.CoreV1().Pods("fresh").Create(ctx, podOf("fresh", "web", map[string]string{"app": "web"}), metav1.CreateOptions{}))(c)
		must(k.NetworkingV1().NetworkPolicies("mended").Create(ctx, defaultDeny("mended"), metav1.CreateOptions{}))(c)
		if err := deleteNamespace(k, "deleted"); err != nil {
			c.t.Fatal(err)
		}
		if err := k.CoreV1().Services("stays").Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
			c.t.Fatal(err)
		}
	}
}

func checkMeanwhile(t *testing.T, d *daemon, mark int64) {
	t.Helper()
	start := time.Now()
	opened := []key{ruleHasPolicy + " Namespace fresh", ruleHasPolicy + " Pod fresh/web"}
	fixed := []key{ruleHasPolicy + " Namespace mended", ruleHasPolicy + " Pod mended/web", ruleDenyIngress + " Namespace mended"}
	gone := []key{
		ruleHasPolicy + " Namespace deleted", ruleHasPolicy + " Pod deleted/web", ruleDenyIngress + " Namespace deleted",
		ruleTLS + " Ingress deleted/web", ruleLB + " Service deleted/web", ruleLB + " Service stays/web",
	}
	var missing []key
	at, ok := d.await(reconnect, func() bool {
		open, states := d.open(), d.states()
		missing = nil
		for _, k := range opened {
			if open[k] != "fail" {
				missing = append(missing, k)
			}
		}
		for _, k := range append(append([]key{}, fixed...), gone...) {
			if states[k] != "resolved" {
				missing = append(missing, k)
			}
		}
		return len(missing) == 0
	})
	if !ok {
		t.Errorf("%.0f s after the server is back, not yet found: %v", reconnect.Seconds(), missing)
		return
	}
	t.Logf("all changes found %.1f s after the server was back", at.Sub(start).Seconds())

	// Long enough for whatever else might come of the new connections.
	time.Sleep(2 * time.Second)
	d.only(mark, "Namespace fresh", "Pod fresh/web", "Namespace mended", "Pod mended/web",
		"Namespace deleted", "Pod deleted/web", "Ingress deleted/web", "Service deleted/web", "Service stays/web",
		"Ingress stays/web", // its backend is the Service that went
		"NetworkPolicy mended/default-deny") // it denies DNS as well
	opens := map[key]int{}
	for _, tr := range d.since(mark) {
		if tr.state == "open" {
			opens[tr.key]++
		}
		if tr.state != "resolved" {
			continue
		}
		for _, k := range gone {
			if tr.key == k && tr.reason != "object-gone" {
				t.Errorf("%s ended as %q, not object-gone", k, tr.reason)
			}
		}
		for _, k := range fixed {
			if tr.key == k && tr.reason != "fixed" {
				t.Errorf("%s ended as %q, not fixed", k, tr.reason)
			}
		}
	}
	for k, n := range opens {
		if n > 1 {
			t.Errorf("opened %d times: %s", n, k)
		}
	}
}

// TestServerKilledAndRestarted: nothing is re-opened, and what changed meanwhile is found.
func TestServerKilledAndRestarted(t *testing.T) {
	c, d := outage(t)
	mark := d.mark()
	c.killServer()
	c.throughSideDoor(changeMeanwhile(c))
	c.restartServer()
	checkMeanwhile(t, d, mark)

	// Connected again, it is as prompt as before.
	answer := time.Now()
	must(c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf("prompt", nil), metav1.CreateOptions{}))(c)
	d.opens(answer, "fail", key(ruleHasPolicy+" Namespace prompt"))
}

// TestHistoryCompactedMeanwhile: as above, but etcd has forgotten what happened; the watches get 410.
func TestHistoryCompactedMeanwhile(t *testing.T) {
	c, d := outage(t)
	mark := d.mark()
	before := d.status()
	c.killServer()
	away := time.Now()
	c.throughSideDoor(func(k *kubernetes.Clientset) {
		changeMeanwhile(c)(k)
		t.Logf("etcd compacted at revision %d", c.compactEtcd())
	})
	c.restartServer()
	checkMeanwhile(t, d, mark)

	// It must be the 410 that this test is about: the daemon says so by a recorded gap and a new list.
	after := d.status()
	for resource, kind := range map[string]string{
		"namespaces": "Namespace", "pods": "Pod", "services": "Service",
		"ingresses.networking.k8s.io": "Ingress", "networkpolicies.networking.k8s.io": "NetworkPolicy",
	} {
		if !eventually(3*time.Second, func() bool { return d.gapFor(resource, "410", away) }) {
			t.Errorf("no gap \"410\" of %s covers the outage; there are %v", resource, d.gaps())
		}
		if b, a := before.kind(kind), after.kind(kind); a.Relists <= b.Relists {
			t.Errorf("%s: %d relists before, %d after: its watch was not told 410", kind, b.Relists, a.Relists)
		}
	}
}
