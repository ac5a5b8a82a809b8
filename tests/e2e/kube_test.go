package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ctx of all calls; each is bounded by the timeout of its client.
var ctx = context.Background()

// ---- kubectl ------------------------------------------------------------------------------------

// findKubectl: E2E_KUBECTL=none makes the calls with client-go although there is a kubectl.
func findKubectl(assets string) string {
	if os.Getenv("E2E_KUBECTL") == "none" {
		return ""
	}
	own := filepath.Join(assets, "kubectl")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	path, err := exec.LookPath("kubectl")
	if err != nil {
		return ""
	}
	return path
}

// kubectl -v=6 says when each answer came: `I1124 06:35:01.123456 ... POST https://... 201 Created`, from
// 1.33 on `I1124 06:35:01.123456 ... "Response" verb="POST" ... status="201 Created"`.
var kubectlAnswer = regexp.MustCompile(`(?m)^I(\d{4} \d\d:\d\d:\d\d\.\d{6}).*\b(?:POST|PUT|PATCH|DELETE)\b.* 2\d\d `)
var kubectlAnswer133 = regexp.MustCompile(`(?m)^I(\d{4} \d\d:\d\d:\d\d\.\d{6}).*"Response" verb="(?:POST|PUT|PATCH|DELETE)".*status="2\d\d`)

// kubectl runs one command as the cluster's administrator and returns the moment at which the server
// answered its last write.
func (c *cluster) kubectl(stdin string, args ...string) time.Time {
	c.t.Helper()
	config := filepath.Join(c.dir, "admin.kubeconfig")
	if _, err := os.Stat(config); err != nil {
		c.kubeconfig("admin", clientcmdapi.AuthInfo{Token: adminToken})
	}
	cmd := exec.Command(kubectlBin, append([]string{"-v=6"}, args...)...)
	cmd.Env = []string{"HOME=" + c.dir, "KUBECONFIG=" + config, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	ended := time.Now()
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	answer := ended
	for _, re := range []*regexp.Regexp{kubectlAnswer, kubectlAnswer133} {
		for _, m := range re.FindAllStringSubmatch(string(out), -1) {
			if at, err := time.ParseInLocation("20060102 15:04:05.000000", ended.Format("2006")+m[1], time.Local); err == nil {
				answer = at
			}
		}
	}
	c.t.Logf("$ kubectl %s   (ended %d ms after the answer)", strings.Join(args, " "), ended.Sub(answer).Milliseconds())
	return answer
}

// ---- objects ------------------------------------------------------------------------------------

// must is for set-up calls whose failure leaves nothing to test.
func must[T any](v T, err error) func(c *cluster) T {
	return func(c *cluster) T {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
		return v
	}
}

func namespaceOf(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

func podSpec() corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}}
}

func podOf(ns, name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Labels: labels}, Spec: podSpec()}
}

func deploymentOf(ns, name string, labels map[string]string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()},
		},
	}
}

// defaultDeny isolates every pod of the namespace in both directions.
func defaultDeny(ns string) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "default-deny"},
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		},
	}
}

// plainIngress has a host and nothing else: no TLS, no class.
func plainIngress(ns, name, host string) *networkingv1.Ingress {
	prefix := networkingv1.PathTypePrefix
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
			Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}},
				}}},
			}},
		}}},
	}
}

func ingressClassOf(name, controller string) *networkingv1.IngressClass {
	return &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressClassSpec{Controller: controller},
	}
}

func loadBalancer(ns, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"app": name},
			Ports: []corev1.ServicePort{{Port: 80}},
		},
	}
}

var now0 = metav1.DeleteOptions{GracePeriodSeconds: new(int64)}

// deleteNamespace does what the namespace controller would do: empty it, then finalize it.
func deleteNamespace(k *kubernetes.Clientset, name string) error {
	all := metav1.ListOptions{}
	if err := k.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	services, err := k.CoreV1().Services(name).List(ctx, all)
	if err != nil {
		return err
	}
	for i := range services.Items {
		if err := k.CoreV1().Services(name).Delete(ctx, services.Items[i].Name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	for _, empty := range []func() error{
		func() error { return k.AppsV1().Deployments(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.AppsV1().StatefulSets(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.AppsV1().DaemonSets(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.BatchV1().CronJobs(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.CoreV1().Pods(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.NetworkingV1().Ingresses(name).DeleteCollection(ctx, now0, all) },
		func() error { return k.NetworkingV1().NetworkPolicies(name).DeleteCollection(ctx, now0, all) },
	} {
		if err := empty(); err != nil {
			return err
		}
	}
	ns, err := k.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	ns.Spec.Finalizers = nil
	_, err = k.CoreV1().Namespaces().Finalize(ctx, ns, metav1.UpdateOptions{})
	if err != nil {
		return fmt.Errorf("finalize %s: %w", name, err)
	}
	return nil
}
