package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// generator makes random writes that the API server takes, and knows what exists.
type generator struct {
	*rand.Rand
	c       *cluster
	k       *kubernetes.Clientset
	log     *os.File // every write, for whoever has to understand a difference
	exists  map[string]map[string]bool
	count   map[string]int
	refused int
	minutes int64 // for Job names as the CronJob controller makes them
}

// Names that mean something to environments and built-in exemptions, and some that do not.
var namespaceNames = []string{
	"default", "shop-prod", "prod-api", "stage", "api-dev", "local-dev", "test-ns", "team-a", "monitoring",
	"istio-system", "metallb-system", "ingress-nginx", "uat",
}

func newGenerator(c *cluster, seed uint64) *generator {
	log, err := os.Create(filepath.Join(c.logs, "writes.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { log.Close() })
	return &generator{
		Rand: rand.New(rand.NewPCG(seed, 0)), c: c, k: c.admin, log: log, count: map[string]int{},
		exists: map[string]map[string]bool{"Namespace": {"default": true}}, minutes: time.Now().Unix() / 60,
	}
}

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }
func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// name gives a random namespace that exists and an object name out of few, so that names meet again.
func (g *generator) name(kind string) (ns, name string, exists bool) {
	for _, n := range g.Perm(len(namespaceNames)) {
		if ns = namespaceNames[n]; g.exists["Namespace"][ns] {
			break
		}
	}
	name = g.one("web", "api", "db", "cart")
	return ns, name, g.exists[kind][ns+"/"+name]
}

func (g *generator) note(kind, ns, name string, exists bool) {
	if g.exists[kind] == nil {
		g.exists[kind] = map[string]bool{}
	}
	g.exists[kind][ns+"/"+name] = exists
}

func (g *generator) write() {
	g.c.t.Helper()
	moves := []struct {
		weight int
		kind   string
		do     func() (string, error)
	}{
		{6, "Namespace", g.namespace}, {26, "Pod", g.pod}, {16, "Service", g.service}, {14, "Ingress", g.ingress},
		{3, "IngressClass", g.ingressClass}, {18, "NetworkPolicy", g.networkPolicy}, {6, "Deployment", g.deployment},
		{4, "StatefulSet", g.statefulSet}, {4, "DaemonSet", g.daemonSet}, {3, "CronJob", g.cronJob},
	}
	n := g.IntN(100)
	for _, m := range moves {
		if n -= m.weight; n >= 0 {
			continue
		}
		what, err := m.do()
		fmt.Fprintf(g.log, "%s %s: %v\n", m.kind, what, err)
		switch {
		case err == nil:
			g.count[m.kind]++
		case apierrors.IsInvalid(err) || apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err):
			// Two NodePorts that meet, or a field that may not change: as in life.
			g.refused++
		default:
			g.c.t.Fatalf("%s %s: %v", m.kind, what, err)
		}
		return
	}
}

// put creates, updates or deletes one namespaced object by the three calls given.
func (g *generator) put(kind, ns, name string, exists bool, create, update, remove func() error) (string, error) {
	what := ns + "/" + name
	switch {
	case !exists:
		err := create()
		if err == nil {
			g.note(kind, ns, name, true)
		}
		return what + " created", err
	case g.chance(30):
		err := remove()
		if err == nil {
			g.note(kind, ns, name, false)
		}
		return what + " deleted", err
	default:
		return what + " updated", update()
	}
}

func (g *generator) labels() map[string]string {
	l := map[string]string{}
	if g.chance(75) {
		l["app"] = g.one("web", "api", "db")
	}
	if g.chance(30) {
		l["tier"] = g.one("front", "back")
	}
	if g.chance(10) {
		l["app.kubernetes.io/name"] = "thing"
	}
	if g.chance(8) {
		l["network-policy.kubernetes.io/ingress"] = "unrestricted"
	}
	return l
}

func (g *generator) namespace() (string, error) {
	name := namespaceNames[1+g.IntN(len(namespaceNames)-1)]
	labels := map[string]string{}
	switch g.IntN(6) {
	case 0:
		labels["netauditd.io/environment"] = g.one("production", "staging", "dev", "Prod", "odd")
	case 1:
		labels["environment"] = g.one("prod", "uat", "local", "")
	case 2:
		labels["env"] = g.one("prd", "test", "STAGE")
	}
	annotations := map[string]string{}
	if g.chance(25) {
		annotations["network-policy.kubernetes.io/default-deny"] = g.one("true", "false")
	}
	api := g.k.CoreV1().Namespaces()
	switch {
	case !g.exists["Namespace"][name]:
		ns := namespaceOf(name, labels)
		ns.Annotations = annotations
		_, err := api.Create(ctx, ns, metav1.CreateOptions{})
		if err == nil {
			g.exists["Namespace"][name] = true
		}
		return name + " created", err
	case g.chance(25):
		err := deleteNamespace(g.k, name)
		if err == nil {
			delete(g.exists["Namespace"], name)
			for _, objects := range g.exists {
				for key := range objects {
					if len(key) > len(name) && key[:len(name)+1] == name+"/" {
						delete(objects, key)
					}
				}
			}
		}
		return name + " deleted", err
	default:
		ns, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			ns.Labels, ns.Annotations = labels, annotations
			_, err = api.Update(ctx, ns, metav1.UpdateOptions{})
		}
		return name + " labelled", err
	}
}

func (g *generator) template() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: g.labels()}, Spec: g.spec()}
}

func (g *generator) spec() corev1.PodSpec {
	s := podSpec()
	s.HostNetwork = g.chance(10)
	if g.chance(60) {
		port := corev1.ContainerPort{ContainerPort: 8080, Name: g.one("http", "web", ""), Protocol: corev1.Protocol(g.one("TCP", "UDP"))}
		s.Containers[0].Ports = []corev1.ContainerPort{port}
	}
	if g.chance(15) {
		always := corev1.ContainerRestartPolicyAlways
		s.InitContainers = []corev1.Container{{
			Name: "side", Image: "proxy", Ports: []corev1.ContainerPort{{ContainerPort: 9090, Name: "metrics"}},
		}}
		if g.chance(50) {
			s.InitContainers[0].RestartPolicy = &always
		}
	}
	return s
}

func (g *generator) pod() (string, error) {
	ns, base, _ := g.name("Pod")
	name := fmt.Sprintf("%s-%d", base, g.IntN(4))
	api := g.k.CoreV1().Pods(ns)
	create := func() error {
		p := podOf(ns, name, g.labels())
		p.Spec = g.spec()
		switch g.IntN(7) {
		case 0, 1:
			hash := "6d4cf56db6"
			p.Labels["pod-template-hash"] = hash
			ownedBy(p, "apps/v1", "ReplicaSet", base+"-"+hash)
		case 2:
			p.Labels["statefulset.kubernetes.io/pod-name"] = name
			p.Labels["apps.kubernetes.io/pod-index"] = name[len(name)-1:]
			ownedBy(p, "apps/v1", "StatefulSet", base)
		case 3:
			p.Labels["controller-revision-hash"] = "7c9f"
			ownedBy(p, "apps/v1", "DaemonSet", base)
		case 4:
			job := fmt.Sprintf("%s-%d", base, g.minutes)
			p.Labels["batch.kubernetes.io/job-name"], p.Labels["job-name"] = job, job
			ownedBy(p, "batch/v1", "Job", job)
		}
		_, err := api.Create(ctx, p, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		p, err := api.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if g.chance(50) {
			for _, k := range []string{"app", "tier", "app.kubernetes.io/name", "network-policy.kubernetes.io/ingress"} {
				delete(p.Labels, k)
			}
			for k, v := range g.labels() {
				if p.Labels == nil {
					p.Labels = map[string]string{}
				}
				p.Labels[k] = v
			}
			_, err = api.Update(ctx, p, metav1.UpdateOptions{})
			return err
		}
		p.Status.Phase = corev1.PodPhase(g.one("Running", "Running", "Succeeded", "Failed", "Pending"))
		p.Status.PodIP = fmt.Sprintf("10.1.%d.%d", g.IntN(250), 1+g.IntN(250))
		p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
		_, err = api.UpdateStatus(ctx, p, metav1.UpdateOptions{})
		return err
	}
	remove := func() error { return api.Delete(ctx, name, now0) }
	return g.put("Pod", ns, name, g.exists["Pod"][ns+"/"+name], create, update, remove)
}

// workloadTemplate carries a fixed label beside the random ones, since a selector may not change.
func (g *generator) workloadTemplate(name string) (corev1.PodTemplateSpec, *metav1.LabelSelector) {
	t := g.template()
	t.Labels["workload"] = name
	return t, &metav1.LabelSelector{MatchLabels: map[string]string{"workload": name}}
}

func (g *generator) deployment() (string, error) {
	ns, name, exists := g.name("Deployment")
	api := g.k.AppsV1().Deployments(ns)
	create := func() error {
		t, s := g.workloadTemplate(name)
		_, err := api.Create(ctx, &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: appsv1.DeploymentSpec{Selector: s, Template: t},
		}, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		w, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			w.Spec.Template, _ = g.workloadTemplate(name)
			_, err = api.Update(ctx, w, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("Deployment", ns, name, exists, create, update, remove)
}

func (g *generator) statefulSet() (string, error) {
	ns, name, exists := g.name("StatefulSet")
	api := g.k.AppsV1().StatefulSets(ns)
	create := func() error {
		t, s := g.workloadTemplate(name)
		_, err := api.Create(ctx, &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: appsv1.StatefulSetSpec{Selector: s, Template: t, ServiceName: name},
		}, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		w, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			w.Spec.Template, _ = g.workloadTemplate(name)
			_, err = api.Update(ctx, w, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("StatefulSet", ns, name, exists, create, update, remove)
}

func (g *generator) daemonSet() (string, error) {
	ns, name, exists := g.name("DaemonSet")
	api := g.k.AppsV1().DaemonSets(ns)
	create := func() error {
		t, s := g.workloadTemplate(name)
		_, err := api.Create(ctx, &appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: appsv1.DaemonSetSpec{Selector: s, Template: t},
		}, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		w, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			w.Spec.Template, _ = g.workloadTemplate(name)
			_, err = api.Update(ctx, w, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("DaemonSet", ns, name, exists, create, update, remove)
}

func (g *generator) cronJob() (string, error) {
	ns, name, exists := g.name("CronJob")
	api := g.k.BatchV1().CronJobs(ns)
	spec := func() batchv1.CronJobSpec {
		t := g.template()
		t.Spec.RestartPolicy = corev1.RestartPolicyNever
		return batchv1.CronJobSpec{Schedule: "0 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: t}}}
	}
	create := func() error {
		_, err := api.Create(ctx, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: spec()}, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		w, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			w.Spec = spec()
			_, err = api.Update(ctx, w, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("CronJob", ns, name, exists, create, update, remove)
}
