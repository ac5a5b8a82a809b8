package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// crdSource says where the definitions of a family's kinds are published: files of a module at a version.
type crdSource struct {
	module string
	files  []string
	only   []string // names of the definitions wanted; nil: all of the files
}

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// moduleDir asks the go command for a module, outside any go.mod: two versions of one module are needed.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = tempDir(t)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "PWD="+cmd.Dir)
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &answer); err != nil || jsonErr != nil || answer.Dir == "" {
		t.Skipf("module %s, which holds the definitions, cannot be had: %v %s", module, err, answer.Error)
	}
	return answer.Dir
}

// documents reads every YAML document of a text.
func documents(t testing.TB, text []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for in := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := in.Decode(&o.Object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%v in %.200s", err, text)
		}
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}

func (s crdSource) read(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	dir := moduleDir(t, s.module)
	for _, f := range s.files {
		text, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range documents(t, text) {
			if s.only == nil || slices.Contains(s.only, o.GetName()) {
				all = append(all, o)
			}
		}
	}
	return all
}

func (c *cluster) dynamic() dynamic.Interface {
	c.t.Helper()
	k, err := dynamic.NewForConfig(c.restConfig(c.port, adminToken))
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

// install creates the definitions and returns when the server has established them, with that moment.
func (c *cluster) install(crds []*unstructured.Unstructured) time.Time {
	c.t.Helper()
	k := c.dynamic().Resource(crdResource)
	for _, o := range crds {
		if _, err := k.Create(ctx, o, metav1.CreateOptions{}); err != nil {
			c.t.Fatalf("%s: %v", o.GetName(), err)
		}
	}
	for _, o := range crds {
		if !eventually(20*time.Second, func() bool {
			now, err := k.Get(ctx, o.GetName(), metav1.GetOptions{})
			return err == nil && established(now)
		}) {
			c.t.Fatalf("%s is not established", o.GetName())
		}
	}
	return time.Now()
}

func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, v := range conditions {
		m, ok := v.(map[string]any)
		if ok && m["type"] == "Established" && m["status"] == "True" {
			return true
		}
	}
	return false
}

// uninstall deletes the definitions, and with them every object of their kinds.
func (c *cluster) uninstall(crds []*unstructured.Unstructured) time.Time {
	c.t.Helper()
	k := c.dynamic().Resource(crdResource)
	for _, o := range crds {
		if err := k.Delete(ctx, o.GetName(), metav1.DeleteOptions{}); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, o := range crds {
		if !eventually(20*time.Second, func() bool {
			_, err := k.Get(ctx, o.GetName(), metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		}) {
			c.t.Fatalf("%s does not go", o.GetName())
		}
	}
	return time.Now()
}

// resource is the client for the kind of an object, by the plural of the policy kinds.
func (c *cluster) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	c.t.Helper()
	gv, err := schema.ParseGroupVersion(o.GetAPIVersion())
	if err != nil {
		c.t.Fatal(err)
	}
	k := c.dynamic().Resource(gv.WithResource(pluralOf(o.GetKind())))
	if o.GetNamespace() == "" {
		return k
	}
	return k.Namespace(o.GetNamespace())
}

func pluralOf(kind string) string {
	kind = strings.ToLower(kind)
	if stem, ok := strings.CutSuffix(kind, "y"); ok {
		return stem + "ies"
	}
	return kind + "s"
}

// apply creates the object, or replaces the one of its name. The server refuses fields that it does not know.
func (c *cluster) apply(text string) time.Time {
	c.t.Helper()
	for _, o := range documents(c.t, []byte(text)) {
		k := c.resource(o)
		_, err := k.Create(ctx, o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		if apierrors.IsAlreadyExists(err) {
			var old *unstructured.Unstructured
			if old, err = k.Get(ctx, o.GetName(), metav1.GetOptions{}); err == nil {
				o.SetResourceVersion(old.GetResourceVersion())
				_, err = k.Update(ctx, o, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
			}
		}
		if err != nil {
			c.t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	return time.Now()
}

func (c *cluster) remove(text string) time.Time {
	c.t.Helper()
	for _, o := range documents(c.t, []byte(text)) {
		if err := c.resource(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{}); err != nil {
			c.t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	return time.Now()
}
