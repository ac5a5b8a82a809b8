package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// dumped are the kinds of a dump, as `kubectl get -A -o json` would give them.
var dumped = []struct{ path, apiVersion, kind string }{
	{"/api/v1/namespaces", "v1", "Namespace"},
	{"/api/v1/pods", "v1", "Pod"},
	{"/api/v1/services", "v1", "Service"},
	{"/apis/networking.k8s.io/v1/ingresses", "networking.k8s.io/v1", "Ingress"},
	{"/apis/networking.k8s.io/v1/ingressclasses", "networking.k8s.io/v1", "IngressClass"},
	{"/apis/networking.k8s.io/v1/networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"},
	{"/apis/apps/v1/deployments", "apps/v1", "Deployment"},
	{"/apis/apps/v1/statefulsets", "apps/v1", "StatefulSet"},
	{"/apis/apps/v1/daemonsets", "apps/v1", "DaemonSet"},
	{"/apis/batch/v1/cronjobs", "batch/v1", "CronJob"},
}

// dump writes every object of the audited kinds to one List file, as the server sent it.
func (c *cluster) dump(name string) (path string, objects int) {
	c.t.Helper()
	items := []map[string]json.RawMessage{}
	for _, k := range dumped {
		raw, err := c.admin.RESTClient().Get().AbsPath(k.path).DoRaw(ctx)
		if err != nil {
			c.t.Fatal(err)
		}
		var list struct{ Items []map[string]json.RawMessage }
		if err := json.Unmarshal(raw, &list); err != nil {
			c.t.Fatal(err)
		}
		for _, item := range list.Items {
			item["apiVersion"] = json.RawMessage(fmt.Sprintf("%q", k.apiVersion))
			item["kind"] = json.RawMessage(fmt.Sprintf("%q", k.kind))
			items = append(items, item)
		}
	}
	text, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": items}, "", " ")
	if err != nil {
		c.t.Fatal(err)
	}
	path = filepath.Join(c.logs, name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		c.t.Fatal(err)
	}
	return path, len(items)
}

// scan judges a dump as the whole cluster, under the daemon's own configuration.
func (d *daemon) scan(dump string) map[key]string {
	d.t.Helper()
	out, exit := d.client("scan", "--complete", "--config", d.config, "-o", "json", dump)
	var got []struct{ Policy, Rule, Kind, Namespace, Name, Result string }
	if err := json.Unmarshal(out, &got); err != nil {
		d.t.Fatalf("netaudit scan ended with %d: %v", exit, err)
	}
	found := map[key]string{}
	for _, f := range got {
		found[keyOf(f.Policy, f.Rule, f.Kind, f.Namespace, f.Name)] = f.Result
	}
	return found
}
