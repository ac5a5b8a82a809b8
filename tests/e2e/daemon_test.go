package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// promise is how soon after the API server's answer a change must be committed (RULES.md 9).
const promise = time.Second

// daemon is one netauditd with its database in a directory of its own.
type daemon struct {
	*reader
	t          testing.TB
	proc       *proc
	dir        string
	db         string
	config     string
	kubeconfig string
	logPath    string

	mu    sync.Mutex
	lines []string // of stderr so far
	eof   chan struct{}
}

// daemonOptions: what differs between tests. Zero is the daemon's user by its static token, no extra settings.
type daemonOptions struct {
	user     *clientcmdapi.AuthInfo
	settings string // YAML, appended to the configuration
}

// startDaemon starts netauditd on the cluster and returns when it says `msg=synced`. When the test ends it
// is stopped, and must then end well.
func startDaemon(t testing.TB, c *cluster, o daemonOptions) *daemon {
	t.Helper()
	for _, f := range []string{daemonBin, clientBin} {
		if _, err := os.Stat(f); err != nil {
			t.Fatalf("%v: build it with `make all`", err)
		}
	}
	dir := tempDir(t)
	user := clientcmdapi.AuthInfo{Token: daemonToken}
	if o.user != nil {
		user = *o.user
	}
	d := &daemon{
		t: t, dir: dir, db: filepath.Join(dir, "netauditd.db"), config: filepath.Join(dir, "netauditd.yaml"),
		kubeconfig: c.kubeconfig(daemonUser, user), logPath: filepath.Join(c.logs, "netauditd.log"),
	}
	settings := "apiVersion: netauditd/v1\nkind: Config\n" + o.settings
	if err := os.WriteFile(d.config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	d.run()
	if !d.awaitLog(30*time.Second, "msg=synced") {
		t.Fatalf("the daemon does not sync; %s", tail(d.logPath, 30))
	}
	t.Logf("netauditd synced in %d ms", time.Since(started).Milliseconds())
	d.reader = openReader(t, d.db)
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) run() {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.lines, d.eof = nil, make(chan struct{})
	d.mu.Unlock()
	d.proc, err = startProc("netauditd", filepath.Join(filepath.Dir(d.logPath), "netauditd.stdout"), w,
		[]string{"HOME=" + d.dir, "PATH=/usr/bin:/bin", "ASAN_OPTIONS=" + os.Getenv("ASAN_OPTIONS")},
		daemonBin, "--config", d.config, "--kubeconfig", d.kubeconfig, "--db", d.db,
		"--listen", "127.0.0.1:0", "--log-format", "logfmt", "--log-level", envOr("E2E_LOG_LEVEL", "info"))
	w.Close()
	if err != nil {
		r.Close()
		d.t.Fatal(err)
	}
	log, err := os.OpenFile(d.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	go func() {
		defer close(d.eof)
		defer r.Close()
		defer log.Close()
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadString('\n')
			if line != "" {
				fmt.Fprint(log, line)
				d.mu.Lock()
				d.lines = append(d.lines, strings.TrimRight(line, "\n"))
				d.mu.Unlock()
			}
			if err != nil {
				return
			}
		}
	}()
}

// logged gives the lines of stderr so far that hold all the words.
func (d *daemon) logged(words ...string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []string
next:
	for _, line := range d.lines {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

func (d *daemon) awaitLog(limit time.Duration, words ...string) bool {
	d.t.Helper()
	return eventually(limit, func() bool {
		return len(d.logged(words...)) > 0 || d.proc.ended(0)
	}) && len(d.logged(words...)) > 0
}

// stop ends the daemon as systemd would, and checks that it goes well.
func (d *daemon) stop() {
	d.t.Helper()
	if d.proc.ended(0) {
		d.t.Errorf("netauditd has ended by itself: %s; %s", d.proc.exit(), tail(d.logPath, 30))
		return
	}
	d.proc.signal(syscall.SIGTERM)
	if !d.proc.ended(10 * time.Second) {
		d.t.Errorf("netauditd does not end within 10 s of SIGTERM; %s", tail(d.logPath, 30))
		d.proc.kill()
		return
	}
	<-d.eof
	if exit := d.proc.exit(); exit != "exit status 0" {
		d.t.Errorf("netauditd ended with %s after SIGTERM; %s", exit, tail(d.logPath, 30))
	}
	if len(d.logged("msg=stopped")) == 0 {
		d.t.Errorf("netauditd did not log msg=stopped; %s", tail(d.logPath, 30))
	}
	if d.t.Failed() {
		d.t.Log(tail(d.logPath, 40))
	}
}

// opens waits until the store shows all of the findings as open, and fails when that is more than one second
// after the API server's answer.
func (d *daemon) opens(answer time.Time, result string, want ...key) {
	d.t.Helper()
	if took, ok := d.opened(answer, result, want); ok {
		d.say(took, "open", want)
	}
}

// resolves waits likewise until all of the findings are in state resolved.
func (d *daemon) resolves(answer time.Time, want ...key) {
	d.t.Helper()
	if took, ok := d.resolved(answer, want); ok {
		d.say(took, "resolved", want)
	}
}

// opensAll and resolvesAll are for many findings, named by their number.
func (d *daemon) opensAll(answer time.Time, want []key) {
	d.t.Helper()
	if took, ok := d.opened(answer, "fail", want); ok {
		d.t.Logf("%5d ms open     all %d findings", took.Milliseconds(), len(want))
	}
}

func (d *daemon) resolvesAll(answer time.Time, want []key) {
	d.t.Helper()
	if took, ok := d.resolved(answer, want); ok {
		d.t.Logf("%5d ms resolved all %d findings", took.Milliseconds(), len(want))
	}
}

func (d *daemon) say(took time.Duration, word string, keys []key) {
	d.t.Helper()
	for _, k := range keys {
		d.t.Logf("%5d ms %-8s %s", took.Milliseconds(), word, k)
	}
}

func (d *daemon) opened(answer time.Time, result string, want []key) (time.Duration, bool) {
	d.t.Helper()
	return d.within(answer, "open", want, d.open, result)
}

func (d *daemon) resolved(answer time.Time, want []key) (time.Duration, bool) {
	d.t.Helper()
	return d.within(answer, "resolved", want, d.states, "resolved")
}

// within waits until look says value of every key, and how long after the answer that was.
func (d *daemon) within(answer time.Time, word string, want []key, look func() map[key]string, value string) (time.Duration, bool) {
	d.t.Helper()
	var missing []key
	at, ok := d.await(10*time.Second, func() bool {
		seen := look()
		missing = nil
		for _, k := range want {
			if seen[k] != value {
				missing = append(missing, k)
			}
		}
		return len(missing) == 0
	})
	took := at.Sub(answer)
	few := missing
	if ok {
		few = want
	}
	few = few[:min(len(few), 10)]
	switch {
	case !ok:
		d.t.Errorf("%d of %d not %s after 10 s: %v ...", len(missing), len(want), word, few)
	case took > promise:
		d.t.Errorf("%s only after %d ms: %v ...", word, took.Milliseconds(), few)
	}
	return took, ok
}

// client runs netaudit and gives its stdout and exit status.
func (d *daemon) client(args ...string) ([]byte, int) {
	d.t.Helper()
	cmd := exec.Command(clientBin, args...)
	cmd.Env = []string{"HOME=" + d.dir, "PATH=/usr/bin:/bin"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	exit := cmd.ProcessState.ExitCode()
	if exit != 0 && exit != 1 {
		d.t.Errorf("netaudit %s ended with %d: %s", strings.Join(args, " "), exit, stderr.String())
	}
	return out, exit
}

// only fails the test when a transition since the mark concerns another subject than these ("Kind namespace/name").
func (d *daemon) only(mark int64, subjects ...string) {
	d.t.Helper()
	for _, tr := range d.since(mark) {
		if !slices.Contains(subjects, subject(tr.key)) {
			d.t.Errorf("unexpected transition: %s is now %s (%s)", tr.key, tr.state, tr.reason)
		}
	}
}
