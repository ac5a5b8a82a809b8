package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	ruleHasPolicy   = "require-network-policy/check-namespace-has-networkpolicy"
	ruleDenyIngress = "require-network-policy/require-default-deny-ingress"
	ruleTLS         = "require-ingress-tls/validate-tls-configuration"
	ruleClass       = "require-ingress-class/validate-ingressclass-exists"
	ruleLB          = "restrict-service-types/block-loadbalancer-without-approval"
)

const manifestIngress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: test-ingress, namespace: test-ns}
spec:
  rules:
  - host: test.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: test-app, port: {number: 80}}}}]}
`

const manifestIngressMended = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: test-ingress, namespace: test-ns}
spec:
  ingressClassName: nginx
  tls: [{hosts: [test.example.com], secretName: test-tls}]
  rules:
  - host: test.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: test-app, port: {number: 80}}}}]}
`

const manifestIngressClass = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
`

const manifestPolicy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: test-ns}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
`

// step is one move of the story: a kubectl command, and the same with client-go where there is no kubectl.
type step struct {
	command string
	stdin   string
	call    func() error
	opens   []key
	ends    []key
	reason  string // why what ends has ended
}

// TestTemplatesOwnTest is RULES.md 9 on a real API server, then its end by mending, its return, and its end
// by deletion. Every finding must be committed within one second of the API server's answer.
func TestTemplatesOwnTest(t *testing.T) {
	c := newCluster(t)
	d := startDaemon(t, c, daemonOptions{})
	k := c.admin
	if kubectlBin == "" {
		t.Log("no kubectl on PATH: the same calls are made with client-go")
	}

	ns := key(ruleHasPolicy + " Namespace test-ns")
	pod := key(ruleHasPolicy + " Pod test-ns/test-pod")
	deployment := key(ruleHasPolicy + " Deployment test-ns/test-app")
	tls := key(ruleTLS + " Ingress test-ns/test-ingress")
	class := key(ruleClass + " Ingress test-ns/test-ingress")
	lb := key(ruleLB + " Service test-ns/test-app")

	created, updated, deleted := metav1.CreateOptions{}, metav1.UpdateOptions{}, metav1.DeleteOptions{}
	mended := plainIngress("test-ns", "test-ingress", "test.example.com")
	mended.Spec.IngressClassName = new(string)
	*mended.Spec.IngressClassName = "nginx"
	mended.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"test.example.com"}, SecretName: "test-tls"}}
	label := func(value string) func() error {
		return func() error {
			patch := fmt.Sprintf(`{"metadata":{"labels":{"loadbalancer-approved":%s}}}`, value)
			_, err := k.CoreV1().Services("test-ns").Patch(ctx, "test-app", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
			return err
		}
	}

	story := []step{
		// As the templates say it.
		{command: "create namespace test-ns", opens: []key{ns}, call: func() error {
			_, err := k.CoreV1().Namespaces().Create(ctx, namespaceOf("test-ns", nil), created)
			return err
		}},
		{command: "run test-pod --image=nginx -n test-ns", opens: []key{pod}, call: func() error {
			_, err := k.CoreV1().Pods("test-ns").Create(ctx, podOf("test-ns", "test-pod", map[string]string{"run": "test-pod"}), created)
			return err
		}},
		{command: "apply -f -", stdin: manifestIngress, opens: []key{tls, class}, call: func() error {
			_, err := k.NetworkingV1().Ingresses("test-ns").Create(ctx, plainIngress("test-ns", "test-ingress", "test.example.com"), created)
			return err
		}},
		{command: "create deployment test-app --image=nginx -n test-ns", opens: []key{deployment}, call: func() error {
			_, err := k.AppsV1().Deployments("test-ns").Create(ctx, deploymentOf("test-ns", "test-app", map[string]string{"app": "test-app"}), created)
			return err
		}},
		{command: "expose deployment test-app --type=LoadBalancer --port=80 -n test-ns", opens: []key{lb}, call: func() error {
			s := loadBalancer("test-ns", "test-app")
			s.Spec.Ports[0].TargetPort = intstr.FromInt32(80)
			_, err := k.CoreV1().Services("test-ns").Create(ctx, s, created)
			return err
		}},

		// Each cause mended.
		{command: "apply -f -", stdin: manifestPolicy, ends: []key{ns, pod, deployment}, reason: "fixed", call: func() error {
			_, err := k.NetworkingV1().NetworkPolicies("test-ns").Create(ctx, defaultDeny("test-ns"), created)
			return err
		}},
		{command: "apply -f -", stdin: manifestIngressClass, call: func() error {
			_, err := k.NetworkingV1().IngressClasses().Create(ctx, ingressClassOf("nginx", "k8s.io/ingress-nginx"), created)
			return err
		}},
		{command: "apply -f -", stdin: manifestIngressMended, ends: []key{tls, class}, reason: "fixed", call: func() error {
			_, err := k.NetworkingV1().Ingresses("test-ns").Update(ctx, mended, updated)
			return err
		}},
		{command: "label service test-app loadbalancer-approved=true -n test-ns", ends: []key{lb}, reason: "fixed", call: label(`"true"`)},

		// And broken again.
		{command: "delete networkpolicy default-deny -n test-ns --wait=false", opens: []key{ns, pod, deployment}, call: func() error {
			return k.NetworkingV1().NetworkPolicies("test-ns").Delete(ctx, "default-deny", deleted)
		}},
		{command: "delete ingressclass nginx --wait=false", opens: []key{class}, call: func() error {
			return k.NetworkingV1().IngressClasses().Delete(ctx, "nginx", deleted)
		}},
		{command: "apply -f -", stdin: manifestIngress, opens: []key{tls, class}, call: func() error {
			_, err := k.NetworkingV1().Ingresses("test-ns").Update(ctx, plainIngress("test-ns", "test-ingress", "test.example.com"), updated)
			return err
		}},
		{command: "label service test-app loadbalancer-approved- -n test-ns", opens: []key{lb}, call: label("null")},

		// The objects deleted.
		{command: "delete service test-app -n test-ns --wait=false", ends: []key{lb}, reason: "object-gone", call: func() error {
			return k.CoreV1().Services("test-ns").Delete(ctx, "test-app", deleted)
		}},
		{command: "delete deployment test-app -n test-ns --wait=false", ends: []key{deployment}, reason: "object-gone", call: func() error {
			return k.AppsV1().Deployments("test-ns").Delete(ctx, "test-app", deleted)
		}},
		{command: "delete ingress test-ingress -n test-ns --wait=false", ends: []key{tls, class}, reason: "object-gone", call: func() error {
			return k.NetworkingV1().Ingresses("test-ns").Delete(ctx, "test-ingress", deleted)
		}},
		{command: "delete pod test-pod -n test-ns --wait=false", ends: []key{pod}, reason: "object-gone", call: func() error {
			return k.CoreV1().Pods("test-ns").Delete(ctx, "test-pod", now0)
		}},
		{command: "delete namespace test-ns --wait=false", call: func() error {
			return k.CoreV1().Namespaces().Delete(ctx, "test-ns", deleted)
		}},
		{command: "replace --raw /api/v1/namespaces/test-ns/finalize -f -", ends: []key{ns}, reason: "object-gone",
			stdin: `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"test-ns"},"spec":{"finalizers":[]}}`,
			call: func() error {
				_, err := k.CoreV1().Namespaces().Finalize(ctx, namespaceOf("test-ns", nil), updated)
				return err
			}},
	}
	for _, s := range story {
		mark := d.mark()
		var answer time.Time
		if kubectlBin != "" {
			answer = c.kubectl(s.stdin, strings.Fields(s.command)...)
		} else {
			if err := s.call(); err != nil {
				t.Fatalf("%s: %v", s.command, err)
			}
			answer = time.Now()
			t.Logf("as by kubectl %s", s.command)
		}
		if len(s.opens) > 0 {
			d.opens(answer, "fail", s.opens...)
		}
		if len(s.ends) > 0 {
			d.resolves(answer, s.ends...)
		}
		reasons := map[key]string{}
		for _, tr := range d.since(mark) {
			if tr.state == "resolved" {
				reasons[tr.key] = tr.reason
			}
		}
		for _, k := range s.ends {
			if reasons[k] != s.reason {
				t.Errorf("%s ended as %q, not %q", k, reasons[k], s.reason)
			}
		}
	}
	for k, result := range d.open() {
		if strings.Contains(string(k), "test-ns") {
			t.Errorf("still open at the end: %s = %s", k, result)
		}
	}
	checkFindingsVerb(t, d)
}

// checkFindingsVerb: the client reads the same from the file, without the daemon's help.
func checkFindingsVerb(t *testing.T, d *daemon) {
	t.Helper()
	out, exit := d.client("findings", "--db", d.db, "-o", "json")
	var got []struct{ Policy, Rule, Kind, Namespace, Name, Result string }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Errorf("netaudit findings -o json: %v in %s", err, out)
		return
	}
	seen := map[key]string{}
	for _, f := range got {
		seen[keyOf(f.Policy, f.Rule, f.Kind, f.Namespace, f.Name)] = f.Result
	}
	if diff := differences("view", d.open(), "netaudit findings", seen); diff != "" {
		t.Errorf("netaudit findings and the view differ:\n%s", diff)
	}
	if exit != 0 && exit != 1 {
		t.Errorf("netaudit findings ended with %d", exit)
	}
}
