package e2e

import (
	"errors"
	"fmt"
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

// TestTwoThousandPods: 2,000 pods of 100 Deployments in a namespace without policy and one with default-deny,
// created as fast as the server takes them while the daemon watches.
func TestTwoThousandPods(t *testing.T) {
	const workloads, replicas = 100, 20
	c := newCluster(t)
	d := startDaemon(t, c, daemonOptions{})
	for _, ns := range []string{"flat", "closed"} {
		must(c.admin.CoreV1().Namespaces().Create(ctx, namespaceOf(ns, nil), metav1.CreateOptions{}))(c)
	}
	must(c.admin.NetworkingV1().NetworkPolicies("closed").Create(ctx, defaultDeny("closed"), metav1.CreateOptions{}))(c)

	listed := d.status().kind("Pod").Relists
	var jobs []func() error
	for w := range workloads {
		ns := []string{"flat", "closed"}[w%2]
		name := fmt.Sprintf("web-%02d", w)
		labels := map[string]string{"app": name}
		jobs = append(jobs, func() error {
			_, err := c.admin.AppsV1().Deployments(ns).Create(ctx, deploymentOf(ns, name, labels), metav1.CreateOptions{})
			return err
		})
		for r := range replicas {
			hash := "5d4f8c7b9d"
			p := podOf(ns, fmt.Sprintf("%s-%s-%05d", name, hash, r), map[string]string{"app": name, "pod-template-hash": hash})
			ownedBy(p, "apps/v1", "ReplicaSet", name+"-"+hash)
			jobs = append(jobs, func() error {
				_, err := c.admin.CoreV1().Pods(ns).Create(ctx, p, metav1.CreateOptions{})
				return err
			})
		}
	}
	start := time.Now()
	if err := inParallel(8, jobs); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pods created in %.1f s", workloads*replicas, time.Since(start).Seconds())
	answer := time.Now()

	var open []key
	for w := 0; w < workloads; w += 2 {
		open = append(open, key(fmt.Sprintf("%s Deployment flat/web-%02d", ruleHasPolicy, w)))
	}
	d.opens(answer, "fail", open...)
	var pods kindStatus
	if !eventually(5*time.Second, func() bool { pods = d.status().kind("Pod"); return pods.Objects == workloads*replicas }) {
		t.Errorf("status counts %d pods, not %d", pods.Objects, workloads*replicas)
	}
	if pods.Relists != listed {
		t.Errorf("pods were listed anew %d times while watching (%s)", pods.Relists, pods.Reason)
	}

	// A workload is one subject, whatever its number of pods; and what is closed has no such finding.
	count := 0
	for k := range d.open() {
		kind := subjectKind(k)
		if kind == "Pod" || kind == "ReplicaSet" {
			t.Errorf("a pod or ReplicaSet stands for itself: %s", k)
		}
		if kind == "Deployment" && len(k) > len(ruleHasPolicy) && string(k[:len(ruleHasPolicy)]) == ruleHasPolicy {
			count++
		}
	}
	if count != workloads/2 {
		t.Errorf("%d Deployments have no policy, not %d", count, workloads/2)
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
	for _, ns := range []string{"flat", "closed"} {
		if err := deleteNamespace(c.admin, ns); err != nil {
			t.Fatal(err)
		}
	}
	d.resolves(time.Now(), open...)
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
