package e2e

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// sameForBoth is the configuration under which the daemon and `scan --complete` must say the same. What is
// left out is what a file cannot say: how long something has been so, what Secrets there are when the daemon
// may not look, which APIs are served, and the guess at a provider that RULES and SEMANTICS.md 9 make for
// files only.
const sameForBoth = `watch: {timeout: 5s}
rules:
  restrict-service-types/validate-service-selector:
    parameters: {grace: 0s}
  network-policy-health/policy-selects-nothing:
    parameters: {grace: 0s}
  network-policy-health/peer-selects-nothing:
    parameters: {grace: 0s}
  require-ingress-tls/validate-tls-secret-exists:
    levels: {production: off, staging: off, development: off, standard: off}
  require-ingress-tls/require-cert-manager-annotation:
    levels: {production: off, staging: off, development: off, standard: off}
  restrict-service-types/require-loadbalancer-healthcheck:
    levels: {production: off, staging: off, development: off, standard: off}
`

// TestRandomWritesEqualScan makes 1,000 random writes over all kinds (E2E_SEED repeats a run, E2E_WRITES makes
// more or fewer) and compares what the daemon then has open with a scan of a dump of the cluster.
func TestRandomWritesEqualScan(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if v, err := strconv.ParseUint(os.Getenv("E2E_SEED"), 10, 64); err == nil {
		seed = v
	}
	writes, err := strconv.Atoi(envOr("E2E_WRITES", "1000"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("E2E_SEED=%d", seed)
	c := newCluster(t)
	d := startDaemon(t, c, daemonOptions{settings: sameForBoth})
	g := newGenerator(c, seed)
	for round := 1; round <= 4; round++ {
		start := time.Now()
		for range writes / 4 {
			g.write()
		}
		took := time.Since(start)
		path, objects := c.dump(fmt.Sprintf("dump-%d.json", round))
		want := d.scan(path)
		var got map[key]string
		start = time.Now()
		at, ok := d.await(10*time.Second, func() bool {
			got = d.open()
			return differences("daemon", got, "scan", want) == ""
		})
		if !ok {
			got = d.open()
			t.Fatalf("E2E_SEED=%d: after %d writes the daemon and the scan of %s differ:\n%s", seed, round*writes/4, path,
				differences("daemon", got, "scan", want))
		}
		t.Logf("after %4d writes (%.1f s, %d refused), %3d objects: %3d findings equal, %.0f ms after the scan",
			round*writes/4, took.Seconds(), g.refused, objects, len(got), max(0, at.Sub(start).Seconds()*1000))
	}
	t.Logf("writes by kind: %v", g.count)

	// A restart neither loses, repeats nor re-opens anything.
	mark := d.mark()
	open := d.open()
	d.stop()
	d.run()
	if !d.awaitLog(30*time.Second, "msg=synced") {
		t.Fatalf("the daemon does not sync again; %s", tail(d.logPath, 30))
	}
	if diff := differences("before the restart", open, "after", d.open()); diff != "" {
		t.Errorf("a restart changed what is open:\n%s", diff)
	}
	for _, tr := range d.since(mark) {
		t.Errorf("a restart caused a transition: %s is now %s (%s)", tr.key, tr.state, tr.reason)
	}
}

// TestGenerator makes the random writes with no daemon: they must be such as a server takes.
func TestGenerator(t *testing.T) {
	c := newCluster(t)
	g := newGenerator(c, 1)
	for range 300 {
		g.write()
	}
	if _, objects := c.dump("dump.json"); objects < 50 || g.refused > 15 {
		t.Errorf("%d objects after 300 writes, %d refused: %v", objects, g.refused, g.count)
	}
	for _, kind := range dumped {
		if g.count[kind.kind] == 0 {
			t.Errorf("no %s among 300 writes", kind.kind)
		}
	}
}
