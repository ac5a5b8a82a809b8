package e2e

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// What the other tests stand on: rights as granted, one etcd behind all doors, and 410 after a compaction.
func TestServerIsReal(t *testing.T) {
	c := newCluster(t)
	version := must(c.admin.Discovery().ServerVersion())(c)
	t.Logf("kube-apiserver %s", version.GitVersion)
	if kubectlBin != "" {
		c.kubectl("", "create", "namespace", "by-kubectl")
		must(c.admin.CoreV1().Namespaces().Get(ctx, "by-kubectl", metav1.GetOptions{}))(c)
	}
	daemon := c.clientFor(c.port, daemonToken)
	list := must(daemon.CoreV1().Namespaces().List(ctx, metav1.ListOptions{}))(c)
	if _, err := daemon.CoreV1().Secrets("").List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the daemon's user may list Secrets: %v", err)
	}
	c.killServer()
	c.throughSideDoor(func(admin *kubernetes.Clientset) {
		must(admin.CoreV1().Namespaces().Create(ctx, namespaceOf("by-side-door", nil), metav1.CreateOptions{}))(c)
		if err := deleteNamespace(admin, "by-side-door"); err != nil {
			t.Error(err)
		}
	})
	c.compactEtcd()
	c.restartServer()
	if _, err := c.admin.CoreV1().Namespaces().Get(ctx, "by-side-door", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a finalized namespace is still there: %v", err)
	}
	w, err := daemon.CoreV1().Namespaces().Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err == nil {
		event := <-w.ResultChan()
		err = apierrors.FromObject(event.Object)
		w.Stop()
	}
	if !apierrors.IsResourceExpired(err) || !strings.Contains(err.Error(), "too old resource version") {
		t.Errorf("a watch from before the compaction got %v, not 410", err)
	}
}
