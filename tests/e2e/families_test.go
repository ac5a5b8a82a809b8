package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	ruleDenyEgress = "require-network-policy/require-default-deny-egress"
	ruleIsolated   = "require-network-policy/workload-ingress-isolated"
	ruleMTLS       = "zero-trust/require-mtls"
)

// appearing is how soon a kind must be watched after its definition is established, and how soon a kind that
// went must be known to be gone: the interval of discovery (1 s here), and time to list on a busy machine.
const appearing = 8 * time.Second

// The namespaces that the families are tried on: nothing protects `shop`, a NetworkPolicy isolates `closed`.
const manifestShop = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: main, image: nginx}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: closed, labels: {team: closed}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: closed, labels: {app: web}}
spec: {containers: [{name: main, image: nginx}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: closed}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
`

var (
	shopHasPolicy    = key(ruleHasPolicy + " Namespace shop")
	shopPodHasPolicy = key(ruleHasPolicy + " Pod shop/web")
	shopIngress      = key(ruleDenyIngress + " Namespace shop")
	shopEgress       = key(ruleDenyEgress + " Namespace shop")
	shopPodIsolated  = key(ruleIsolated + " Pod shop/web")
	closedHasPolicy  = key(ruleHasPolicy + " Namespace closed")
	closedIngress    = key(ruleDenyIngress + " Namespace closed")
	closedEgress     = key(ruleDenyEgress + " Namespace closed")
	closedPod        = key(ruleIsolated + " Pod closed/web")
)

// atRest is what the two namespaces look like without any policy of another family. "" is not open.
var atRest = map[key]string{
	shopHasPolicy: "fail", shopPodHasPolicy: "fail", shopIngress: "fail", shopEgress: "warn", shopPodIsolated: "",
	closedHasPolicy: "", closedIngress: "", closedEgress: "", closedPod: "",
}

// notKnown is what a policy does of which nobody can say whom it selects: whatever it could change is an error.
var notKnown = map[key]string{
	shopHasPolicy: "error", shopPodHasPolicy: "error", shopIngress: "error", shopEgress: "error", shopPodIsolated: "error",
	closedIngress: "error", closedEgress: "error", closedPod: "error",
}

// move is one policy that the server accepts, and what becomes of the findings, beside atRest, while it is there.
type move struct {
	says   string
	policy string
	wrong  bool // netaudit scan must call it an input error
	want   map[key]string
}

type family struct {
	name  string
	kinds []string
	crds  crdSource
	moves []move
}

const cilium = "pkg/k8s/apis/cilium.io/client/crds/v2/"

var families = []family{
	{
		name:  "ClusterNetworkPolicy",
		kinds: []string{"ClusterNetworkPolicy"},
		crds: crdSource{module: "sigs.k8s.io/network-policy-api@v0.2.0", files: []string{
			"config/crd/standard/policy.networking.k8s.io_clusternetworkpolicies.yaml"}},
		moves: []move{
			{says: "a Baseline Deny isolates for egress, but for ingress only from pods", policy: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: baseline-deny}
spec:
  tier: Baseline
  priority: 10
  subject: {namespaces: {matchLabels: {team: shop}}}
  ingress: [{name: pods, action: Deny, from: [{namespaces: {}}]}]
  egress: [{name: everything, action: Deny, to: [{namespaces: {}}, {networks: [0.0.0.0/0, "::/0"]}]}]
`, want: map[key]string{shopHasPolicy: "", shopPodHasPolicy: "", shopEgress: "", shopPodIsolated: "warn"}},
			{says: "an Admin Accept of everybody overrides a NetworkPolicy", policy: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: admin-accept}
spec:
  tier: Admin
  priority: 10
  subject: {pods: {namespaceSelector: {matchLabels: {team: closed}}, podSelector: {}}}
  ingress: [{name: pods, action: Accept, from: [{namespaces: {}}]}]
`, want: map[key]string{closedIngress: "fail", closedPod: "warn"}},
			{says: "a Pass leaves all to the NetworkPolicy", policy: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: admin-pass}
spec:
  tier: Admin
  priority: 1000
  subject: {namespaces: {matchLabels: {team: closed}}}
  ingress: [{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {}}}], protocols: [{tcp: {destinationPort: {range: {start: 80, end: 90}}}}, {udp: {destinationPort: {number: 53}}}, {destinationNamedPort: http}]}]
`, want: map[key]string{}},
			{says: "a selector with an operator that is none may select anybody", wrong: true, policy: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: wrong}
spec:
  tier: Baseline
  priority: 10
  subject: {namespaces: {matchExpressions: [{key: team, operator: Is, values: [shop]}]}}
  ingress: [{action: Deny, from: [{namespaces: {}}]}]
`, want: notKnown},
		},
	},
	{
		name:  "AdminNetworkPolicy",
		kinds: []string{"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"},
		crds: crdSource{module: "sigs.k8s.io/network-policy-api@v0.1.1", files: []string{
			"config/crd/policy.networking.k8s.io_adminnetworkpolicies.yaml",
			"config/crd/policy.networking.k8s.io_baselineadminnetworkpolicies.yaml"}},
		moves: []move{
			{says: "a baseline Deny is a policy, yet closes to pods alone", policy: `apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {matchLabels: {team: shop}}}
  ingress: [{name: pods, action: Deny, from: [{namespaces: {namespaceSelector: {}}}]}]
  egress: [{name: pods, action: Deny, to: [{namespaces: {namespaceSelector: {}}}]}]
`, want: map[key]string{shopHasPolicy: "", shopPodHasPolicy: "", shopPodIsolated: "warn"}},
			{says: "an Allow of everybody overrides a NetworkPolicy", policy: `apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: admin-allow}
spec:
  priority: 10
  subject: {pods: {namespaceSelector: {matchLabels: {team: closed}}, podSelector: {}}}
  ingress: [{name: pods, action: Allow, from: [{namespaces: {namespaceSelector: {}}}]}]
`, want: map[key]string{closedIngress: "fail", closedPod: "warn"}},
			{says: "an Allow of one port, by the subject's own label, opens nothing", policy: `apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: admin-port}
spec:
  priority: 10
  subject: {namespaces: {matchLabels: {team: closed}}}
  ingress: [{action: Allow, from: [{pods: {namespaces: {sameLabels: [team]}, podSelector: {}}}], ports: [{portNumber: {protocol: TCP, port: 80}}, {portRange: {start: 8000, end: 8080}}]}]
`, want: map[key]string{}},
			{says: "a selector with an operator that is none may select anybody", wrong: true, policy: `apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: wrong}
spec:
  priority: 10
  subject: {namespaces: {matchExpressions: [{key: team, operator: Is, values: [shop]}]}}
  ingress: [{action: Deny, from: [{namespaces: {namespaceSelector: {}}}]}]
`, want: notKnown},
		},
	},
	{
		name:  "Cilium",
		kinds: []string{"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"},
		crds: crdSource{module: "github.com/cilium/cilium@v1.20.2", files: []string{
			cilium + "ciliumnetworkpolicies.yaml", cilium + "ciliumclusterwidenetworkpolicies.yaml"}},
		moves: []move{
			{says: "one entry with an empty rule isolates", policy: `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec:
  endpointSelector: {}
  ingress: [{}]
  egress: [{}]
`, want: map[key]string{shopHasPolicy: "", shopPodHasPolicy: "", shopIngress: "", shopEgress: ""}},
			{says: "a clusterwide policy of the own namespace isolates", policy: `apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: lock}
spec:
  description: by the namespace's label
  endpointSelector: {matchLabels: {k8s:io.kubernetes.pod.namespace: shop}}
  ingress: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: shop}}], toPorts: [{ports: [{port: "80", protocol: TCP}, {port: "8000", endPort: 8080, protocol: TCP}]}]}]
`, want: map[key]string{shopHasPolicy: "", shopPodHasPolicy: "", shopIngress: ""}},
			{says: "without enableDefaultDeny it isolates nobody", policy: `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: soft, namespace: shop}
spec:
  endpointSelector: {}
  enableDefaultDeny: {ingress: false, egress: false}
  ingress: [{fromEndpoints: [{}]}]
`, want: map[key]string{shopHasPolicy: "", shopPodHasPolicy: "", shopPodIsolated: "warn"}},
			{says: "an allow of all entities opens what a NetworkPolicy isolates", policy: `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: allow-all, namespace: closed}
specs:
- {endpointSelector: {}, ingress: [{fromEntities: [all]}]}
- {endpointSelector: {}, egress: [{toEntities: [all]}]}
`, want: map[key]string{closedIngress: "fail", closedEgress: "warn", closedPod: "warn"}},
			{says: "two kinds of peer in one entry void the whole policy", wrong: true, policy: `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: wrong, namespace: shop}
spec:
  endpointSelector: {}
  ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}]
`, want: map[key]string{}},
		},
	},
}

// grantMore lets the daemon read the kinds beside those that it always audits. newCluster has settled the rest.
func (c *cluster) grantMore(more map[string]string) {
	c.t.Helper()
	all := auditedKinds()
	for resource, group := range more {
		all[resource] = group
	}
	c.grant(all)
}

func familyKinds() map[string]string {
	return map[string]string{
		"clusternetworkpolicies": "policy.networking.k8s.io", "adminnetworkpolicies": "policy.networking.k8s.io",
		"baselineadminnetworkpolicies": "policy.networking.k8s.io", "ciliumnetworkpolicies": "cilium.io",
		"ciliumclusterwidenetworkpolicies": "cilium.io", "peerauthentications": "security.istio.io",
	}
}

// becomes waits until the findings are as wanted ("" = not open), and fails when that is later than limit.
func (d *daemon) becomes(answer time.Time, limit time.Duration, want map[key]string) {
	d.t.Helper()
	var diff string
	at, ok := d.await(max(limit, 10*time.Second), func() bool {
		open := d.open()
		seen := map[key]string{}
		for k := range want {
			seen[k] = open[k]
		}
		diff = differences("wanted", want, "daemon", seen)
		return diff == ""
	})
	switch took := at.Sub(answer); {
	case !ok:
		d.t.Errorf("the findings are not as wanted:\n%s", diff)
	case took > limit:
		d.t.Errorf("only after %d ms are the findings as wanted", took.Milliseconds())
	default:
		d.t.Logf("%5d ms", took.Milliseconds())
	}
}

// kindsBecome waits for the state of kinds in the status.
func (d *daemon) kindsBecome(since time.Time, state string, kinds ...string) {
	d.t.Helper()
	for _, kind := range kinds {
		var now kindStatus
		if !eventually(time.Until(since.Add(appearing)), func() bool { now = d.status().kind(kind); return now.State == state }) {
			d.t.Errorf("%s is %q, not %s (%s)", kind, now.State, state, now.Reason)
		}
	}
	d.t.Logf("%5d ms until %s is %s", time.Since(since).Milliseconds(), strings.Join(kinds, ", "), state)
}

func with(base, more map[key]string) map[key]string {
	all := map[key]string{}
	for _, m := range []map[key]string{base, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// scans gives the same text to `netaudit scan`, which must find it in order, or wrong.
func (d *daemon) scans(text string, wrong bool) {
	d.t.Helper()
	file := filepath.Join(d.dir, "scanned.yaml")
	if err := os.WriteFile(file, []byte(manifestShop+"---\n"+text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(clientBin, "scan", file)
	cmd.Env = []string{"HOME=" + d.dir, "PATH=/usr/bin:/bin"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run()
	exit := cmd.ProcessState.ExitCode()
	if (exit == 2) != wrong || exit < 0 || exit > 2 {
		d.t.Errorf("netaudit scan ends with %d: %s", exit, stderr.String())
	} else if wrong {
		d.t.Logf("netaudit scan: %s", strings.TrimSpace(strings.ReplaceAll(stderr.String(), d.dir+"/", "")))
	}
}

// TestFamilies: the kinds of each family appear in a running cluster, their policies decide, and they go again.
func TestFamilies(t *testing.T) {
	c := newCluster(t)
	c.grantMore(familyKinds())
	c.apply(manifestShop)
	d := startDaemon(t, c, daemonOptions{settings: `watch: {discovery: 1s}
enforcement: {families: [NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy, Cilium]}
`})
	d.becomes(time.Now(), promise, atRest)
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			d.t, c.t = t, t
			defer func(was testing.TB) { d.t, c.t = was, was }(d.t)
			tryFamily(t, c, d, f)
		})
	}
}

func tryFamily(t *testing.T, c *cluster, d *daemon, f family) {
	crds := f.crds.read(t)
	if len(crds) != len(f.kinds) {
		t.Fatalf("%s holds %d definitions, not %d", f.crds.module, len(crds), len(f.kinds))
	}
	d.kindsBecome(time.Now(), "absent", f.kinds...)
	mark := d.mark()

	// The first policy is there before the daemon knows of its kind.
	first := f.moves[0]
	if len(crds) > 1 { // the second kind of the group comes when the first is there
		since := c.install(crds[:1])
		d.kindsBecome(since, "synced", f.kinds[0])
		d.kindsBecome(since, "absent", f.kinds[1:]...)
	}
	since := c.install(crds[max(len(crds)-1, 0):])
	c.apply(first.policy)
	t.Log(first.says)
	d.becomes(since, appearing, with(atRest, first.want))
	d.kindsBecome(since, "synced", f.kinds...)
	d.becomes(c.remove(first.policy), promise, atRest)
	for _, tr := range d.since(mark) {
		if s := subject(tr.key); !strings.Contains(s, "shop") && !strings.Contains(s, "closed") && !slices.Contains(f.kinds, subjectKind(tr.key)) {
			t.Errorf("unexpected transition: %s is now %s (%s)", tr.key, tr.state, tr.reason)
		}
	}

	// From now on each is committed within the promise.
	for _, m := range f.moves {
		t.Log(m.says)
		d.becomes(c.apply(m.policy), promise, with(atRest, m.want))
		d.scans(m.policy, m.wrong)
		d.becomes(c.remove(m.policy), promise, atRest)
	}

	// With the definition all policies go, and the kind with them.
	d.becomes(c.apply(first.policy), promise, with(atRest, first.want))
	since = c.uninstall(crds)
	d.becomes(since, appearing, atRest)
	d.kindsBecome(since, "absent", f.kinds...)
}

const manifestMesh = `apiVersion: v1
kind: Namespace
metadata: {name: mesh, labels: {environment: production}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: mesh, labels: {app: web}}
spec: {containers: [{name: main, image: nginx}, {name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: outside, namespace: mesh, labels: {app: outside}}
spec: {containers: [{name: main, image: nginx}]}
`

func peerAuthentication(spec string) string {
	return `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: mesh}
spec: {` + spec + "}\n"
}

// TestFamiliesMesh: PeerAuthentication appears, and then says whether a workload of the mesh takes plain text.
func TestFamiliesMesh(t *testing.T) {
	c := newCluster(t)
	c.grantMore(familyKinds())
	c.apply(manifestMesh)
	d := startDaemon(t, c, daemonOptions{settings: "watch: {discovery: 1s}\n"})
	crds := crdSource{module: "istio.io/api@v1.31.4", files: []string{"kubernetes/customresourcedefinitions.gen.yaml"},
		only: []string{"peerauthentications.security.istio.io"}}.read(t)
	web, outside := key(ruleMTLS+" Pod mesh/web"), key(ruleMTLS+" Pod mesh/outside")
	d.becomes(time.Now(), promise, map[key]string{web: "", outside: ""})

	since := c.install(crds)
	d.becomes(since, appearing, map[key]string{web: "warn", outside: "warn"})
	d.kindsBecome(since, "synced", "PeerAuthentication")
	for _, m := range []struct{ spec, result string }{
		{"mtls: {mode: STRICT}", ""},
		{"mtls: {mode: PERMISSIVE}", "warn"},
		{"selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}", ""},
		{"selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}", "warn"},
		{"selector: {matchLabels: {app: elsewhere}}, mtls: {mode: STRICT}", "warn"},
		{"mtls: {mode: STRICT}", ""},
		{"mtls: {mode: UNSET}", "warn"},
		{"mtls: {mode: STRICT}", ""},
	} {
		t.Log(m.spec)
		text := peerAuthentication(m.spec)
		d.becomes(c.apply(text), promise, map[key]string{web: m.result, outside: "warn"})
		d.scans(manifestMesh+"---\n"+text, false)
	}
	d.becomes(c.remove(peerAuthentication("")), promise, map[key]string{web: "warn", outside: "warn"})

	since = c.uninstall(crds)
	d.becomes(since, appearing, map[key]string{web: "", outside: ""})
	d.kindsBecome(since, "absent", "PeerAuthentication")
}

// TestFamiliesByDefault: without configuration Cilium is taken as enforced once it is served, what rests on the other
// families alone is not known; and a kind that is served and may not be read is an error, never a pass.
func TestFamiliesByDefault(t *testing.T) {
	c := newCluster(t)
	c.grantMore(map[string]string{"clusternetworkpolicies": "policy.networking.k8s.io"})
	c.apply(manifestShop)
	d := startDaemon(t, c, daemonOptions{settings: "watch: {discovery: 1s}\n"})
	d.becomes(time.Now(), promise, atRest)

	tiers, cilium := families[0], families[2]
	since := c.install(tiers.crds.read(t))
	d.kindsBecome(since, "synced", tiers.kinds...)
	d.becomes(since, appearing, atRest)
	deny := tiers.moves[0].policy
	d.becomes(c.apply(deny), promise, with(atRest, map[key]string{
		shopHasPolicy: "error", shopPodHasPolicy: "error", shopIngress: "error", shopEgress: "error", shopPodIsolated: "warn",
	}))
	d.becomes(c.remove(deny), promise, atRest)

	crds := cilium.crds.read(t)
	since = c.install(crds)
	c.apply(cilium.moves[0].policy)
	d.kindsBecome(since, "forbidden", cilium.kinds...)
	kindErrors := map[key]string{
		key(ruleHasPolicy + " APIResource ciliumnetworkpolicies.cilium.io"):              "error",
		key(ruleHasPolicy + " APIResource ciliumclusterwidenetworkpolicies.cilium.io"):   "error",
		key(ruleDenyIngress + " APIResource ciliumnetworkpolicies.cilium.io"):            "error",
		key(ruleDenyIngress + " APIResource ciliumclusterwidenetworkpolicies.cilium.io"): "error",
	}
	d.becomes(since, appearing, with(atRest, kindErrors))
	// What cannot be judged is neither mended nor found.
	answer := c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: unjudged}\n")
	c.apply("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n")
	c.apply("apiVersion: v1\nkind: Service\nmetadata: {name: seen, namespace: shop}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n")
	seen := key(ruleLB + " Service shop/seen") // judged after them
	d.becomes(answer, 2*promise, map[key]string{seen: "fail"})
	for _, k := range []key{shopHasPolicy, shopIngress} {
		if got := d.open()[k]; got != "fail" {
			t.Errorf("%s is %q although a kind that it rests on may not be read", k, got)
		}
	}
	unjudged := key(ruleHasPolicy + " Namespace unjudged")
	if state, ok := d.states()[unjudged]; ok {
		t.Errorf("%s is %s although a kind that it rests on may not be read", unjudged, state)
	}

	c.grantMore(familyKinds())
	d.stop()
	d.run()
	since = time.Now()
	if !d.awaitLog(30*time.Second, "msg=synced") {
		t.Fatal("the daemon does not sync again")
	}
	d.kindsBecome(since, "synced", cilium.kinds...)
	for k := range kindErrors {
		kindErrors[k] = ""
	}
	d.becomes(since, appearing, with(with(atRest, cilium.moves[0].want), with(kindErrors, map[key]string{unjudged: "fail"})))
}
