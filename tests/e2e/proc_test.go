package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// proc is one child process. Its stdout and stderr go to a log file.
type proc struct {
	name    string
	logPath string
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has been waited for
}

var (
	// The kernel sends the parent-death signal when the *thread* that forked ends, so all children are
	// forked by one thread that lives as long as the program.
	forks = make(chan func())

	procMu sync.Mutex
	procs  = map[*proc]struct{}{}
	dirs   = map[string]struct{}{}
)

func init() {
	go func() {
		runtime.LockOSThread()
		for f := range forks {
			f()
		}
	}()
}

// startProc starts args[0] with its output in logPath (appended) and only the given environment. A non-nil
// stderr gets the error stream instead of the log.
func startProc(name, logPath string, stderr *os.File, env []string, args ...string) (*proc, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	cmd.Dir = filepath.Dir(logPath)
	cmd.Stdout, cmd.Stderr = log, log
	if stderr != nil {
		cmd.Stderr = stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	forks <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	p := &proc{name: name, logPath: logPath, cmd: cmd, done: make(chan struct{})}
	procMu.Lock()
	procs[p] = struct{}{}
	procMu.Unlock()
	go func() {
		_ = cmd.Wait()
		procMu.Lock()
		delete(procs, p)
		procMu.Unlock()
		close(p.done)
	}()
	return p, nil
}

func (p *proc) signal(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig)
}

// ended waits at most limit for the process to end.
func (p *proc) ended(limit time.Duration) bool {
	select {
	case <-p.done: // first, and alone: with two cases ready one is chosen at random
		return true
	default:
	}
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}

func (p *proc) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// exit describes how an ended process ended: "exit status 0", "signal: killed".
func (p *proc) exit() string {
	if s := p.cmd.ProcessState; s.Success() {
		return "exit status 0"
	} else {
		return s.String()
	}
}

func killAll() {
	procMu.Lock()
	var all []*proc
	for p := range procs {
		all = append(all, p)
	}
	procMu.Unlock()
	for _, p := range all {
		p.kill()
	}
}

func removeTempDirs() {
	procMu.Lock()
	defer procMu.Unlock()
	for d := range dirs {
		_ = os.RemoveAll(d)
	}
}

// tempDir makes a directory of mode 0700 that goes away with the test, also on Ctrl-C.
func tempDir(t testing.TB) string {
	t.Helper()
	d, err := os.MkdirTemp("", "netauditd-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	procMu.Lock()
	dirs[d] = struct{}{}
	procMu.Unlock()
	t.Cleanup(func() {
		_ = os.RemoveAll(d)
		procMu.Lock()
		delete(dirs, d)
		procMu.Unlock()
	})
	return d
}

// logDir makes an empty directory for the logs of one test.
func logDir(t testing.TB) string {
	t.Helper()
	d := filepath.Join(logRoot, strings.ReplaceAll(t.Name(), "/", "_"))
	if err := errors.Join(os.RemoveAll(d), os.MkdirAll(d, 0o755)); err != nil {
		t.Fatal(err)
	}
	return d
}

// freePorts asks the kernel for n different unused loopback ports.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// tail gives the last lines of a log, for the message of a failed test.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return fmt.Sprintf("last lines of %s:\n%s", path, strings.Join(all[max(0, len(all)-lines):], "\n"))
}

// eventually calls ok every few milliseconds until it says yes; false after limit.
func eventually(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); ; {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(3 * time.Millisecond)
	}
}
