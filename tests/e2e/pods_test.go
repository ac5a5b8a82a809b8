package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ownedBy makes the pod look like what the controllers would have created.
func ownedBy(p *corev1.Pod, apiVersion, kind, name string) *corev1.Pod {
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID("uid-of-" + kind + "-" + name), Controller: &yes,
	}}
	return p
}

// TestTwoThousandPods: 1,000 pods of 50 Deployments and 1,000 that stand for themselves, half of all in
// namespaces with default-deny, created as fast as the server takes them while the daemon watches.
func TestTwoThousandPods(t *testing.T) {
	const workloads, replicas, bareNamespaces, barePods = 50, 20, 100, 10
	const all = workloads*replicas + bareNamespaces*barePods
	c := newCluster(t)
	d := startDaemon(t, c, daemonOptions{})
	namespaces := []string{"flat", "closed"}
	for n := range bareNamespaces {
		namespaces = append(namespaces, fmt.Sprintf("%s-%02d", []string{"flat", "closed"}[n%2], n))
	}
	var jobs []func() error
	for n, ns := range namespaces {
		jobs = append(jobs, func() error {
			_, err := c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf(ns, nil), metav1.CreateOptions{})
			if err == nil && n%2 == 1 {
				_, err = c.admin.NetworkingV1().NetworkPolicies(ns).Create(ctx, defaultDeny(ns), metav1.CreateOptions{})
			}
			return err
		})
	}
	if err := inParallel(8, jobs); err != nil {
		t.Fatal(err)
	}

	listed := d.status().kind("Pod").Relists
	jobs = nil
	var open []key
	pod := func(p *corev1.Pod) {
		jobs = append(jobs, func() error {
			_, err := c.admin.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{})
			return err
		})
	}
	for w := range workloads {
		ns := namespaces[w%2]
		name := fmt.Sprintf("web-%02d", w)
		labels := map[string]string{"app": name}
		if w%2 == 0 {
			open = append(open, keyOf("require-network-policy", "check-namespace-has-networkpolicy", "Deployment", ns, name))
		}
		jobs = append(jobs, func() error {
			_, err := c.admin.AppsV1().Deployments(ns).Create(ctx, deploymentOf(ns, name, labels), metav1.CreateOptions{})
			return err
		})
		for r := range replicas {
			hash := "5d4f8c7b9d"
			p := podOf(ns, fmt.Sprintf("%s-%s-%05d", name, hash, r), map[string]string{"app": name, "pod-template-hash": hash})
			pod(ownedBy(p, "apps/v1", "ReplicaSet", name+"-"+hash))
		}
	}
	for n, ns := range namespaces[2:] {
		for b := range barePods {
			name := fmt.Sprintf("bare-%d", b)
			if n%2 == 0 {
				open = append(open, keyOf("require-network-policy", "check-namespace-has-networkpolicy", "Pod", ns, name))
			}
			pod(podOf(ns, name, map[string]string{"app": "bare"}))
		}
	}
	start := time.Now()
	if err := inParallel(8, jobs); err != nil {
		t.Fatal(err)
	}
	answer := time.Now()
	t.Logf("%d pods created in %.1f s", all, answer.Sub(start).Seconds())
	d.opensAll(answer, open)
	var pods kindStatus
	if !eventually(5*time.Second, func() bool { pods = d.status().kind("Pod"); return pods.Objects == all }) {
		t.Errorf("status counts %d pods, not %d", pods.Objects, all)
	}
	if pods.Relists != listed {
		t.Errorf("pods were listed anew %d times while watching (%s)", pods.Relists, pods.Reason)
	}

	// A workload is one subject, whatever its number of pods; and what is closed has no such finding.
	expected := map[key]string{}
	for _, k := range open {
		expected[k] = "fail"
	}
	found := map[key]string{}
	for k, result := range d.open() {
		if strings.HasPrefix(string(k), ruleHasPolicy+" ") && subjectKind(k) != "Namespace" {
			found[k] = result
		}
	}
	if diff := differences("expected", expected, "daemon", found); diff != "" {
		t.Errorf("workloads without policy:\n%s", diff)
	}

	// Restarted with so much to judge and nothing to write, it is in step again at once.
	before, mark := d.open(), d.mark()
	for n := range 4 {
		d.stop()
		d.run()
		if !d.awaitLog(10*time.Second, "msg=synced") {
			t.Errorf("restart %d: not synced after 10 s; %s", n, tail(d.logPath, 10))
		}
	}
	if diff := differences("before the restarts", before, "after", d.open()); diff != "" {
		t.Errorf("restarts changed what is open:\n%s", diff)
	}
	for _, tr := range d.since(mark) {
		t.Errorf("a restart caused a transition: %s is now %s (%s)", tr.key, tr.state, tr.reason)
	}

	// And all of them gone again.
	jobs = nil
	for _, ns := range namespaces {
		jobs = append(jobs, func() error { return deleteNamespace(c.admin, ns) })
	}
	if err := inParallel(8, jobs); err != nil {
		t.Fatal(err)
	}
	d.resolvesAll(time.Now(), open)
	if !eventually(5*time.Second, func() bool { pods = d.status().kind("Pod"); return pods.Objects == 0 }) {
		t.Errorf("status counts %d pods after all were deleted", pods.Objects)
	}
}

// inParallel runs the jobs on some goroutines and gives all their errors.
func inParallel(width int, jobs []func() error) error {
	queue := make(chan func() error)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range width {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for job := range queue {
				if err := job(); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		}()
	}
	for _, job := range jobs {
		queue <- job
	}
	close(queue)
	wg.Wait()
	return errors.Join(errs...)
}
