// Package e2e drives a real kube-apiserver on a real etcd, and the real netauditd watching them.
//
// The tests read what any operator could read: the log lines of CONTRACTS.md 5, the SQLite file through a
// read-only connection, the exit status. Nothing is mocked. No controllers run, so the tests play the parts
// they need: pods are given their status by hand, a deleted namespace is emptied and finalized.
package e2e

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// Where the programs under test and the real servers are.
var (
	repoRoot   string // of this repository
	logRoot    string // logs of all processes, one directory per test; kept until the next run
	etcdBin    string
	serverBin  string
	kubectlBin string // "" = no kubectl: its calls are made with client-go
	daemonBin  string
	clientBin  string
)

func TestMain(m *testing.M) {
	if err := locate(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	// Ctrl-C: end what was started, then die of the same signal. A panic or SIGKILL of this program is
	// covered by the parent-death signal that every child carries (proc_test.go).
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := <-caught
		killAll()
		removeTempDirs()
		signal.Reset(sig)
		_ = syscall.Kill(os.Getpid(), sig.(syscall.Signal))
	}()
	code := m.Run()
	killAll()
	os.Exit(code)
}

func locate() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	repoRoot = filepath.Dir(filepath.Dir(wd))
	build := filepath.Join(repoRoot, envOr("E2E_BUILD", "build"))
	bin := envOr("KUBEBUILDER_ASSETS", filepath.Join(repoRoot, "build", "e2e"))
	etcdBin = filepath.Join(bin, "etcd")
	serverBin = filepath.Join(bin, "kube-apiserver")
	daemonBin = filepath.Join(build, "netauditd")
	clientBin = filepath.Join(build, "netaudit")
	for _, f := range []string{etcdBin, serverBin} {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("%w (build it with `make e2e`, or set KUBEBUILDER_ASSETS)", err)
		}
	}
	kubectlBin = findKubectl(bin)
	logRoot = filepath.Join(repoRoot, "build", "e2e", "logs")
	return os.MkdirAll(logRoot, 0o755)
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
