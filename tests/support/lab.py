"""A fake API server and a daemon in one temporary folder: what scenarios, benchmarks and the demo share. Stdlib only."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BUILD = os.path.abspath(os.environ.get("NETAUDIT_BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")))


class LabError(Exception):
    """Something that should have worked did not; the text says what."""


class Lab:
    def __init__(self, prefix):
        self.folder = tempfile.mkdtemp(prefix=prefix)
        self.fake = self.daemon = self.control_url = self.api_url = None
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        self.db_path = os.path.join(self.folder, "netauditd.db")
        self.log_path = os.path.join(self.folder, "netauditd.log")
        self.log_from = 0
        self.db = None

    # ---- the fake API server
    def start_fake(self, *flags):
        self.fake = subprocess.Popen([os.path.join(BUILD, "tests/fake_apiserver"), "--listen", "127.0.0.1:0", "--tls", "--token", "lab-token",
                                      "--kubeconfig-out", self.kubeconfig, "--die-with-parent", *flags],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.fake.stdout.readline().split()
        if len(line) != 2:
            raise LabError("the fake API server did not start")
        self.api_url, self.control_url = (part.split("=", 1)[1] for part in line)

    def control(self, method, path, body=None):
        """One call of the control port; the answer's text."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise LabError("%s %s: %s" % (method, path, error.read().decode())) from error

    def load(self, items):
        return self.control("POST", "/load", {"apiVersion": "v1", "kind": "List", "items": items})

    # ---- the daemon
    def start_daemon(self, *flags, wait=20):
        """Starts it; with `wait` seconds, until it has synced. The fields of the line that says so, or None."""
        command = [os.path.join(BUILD, "netauditd"), "--kubeconfig", self.kubeconfig, "--db", self.db_path, "--log-format", "logfmt", *flags]
        self.log_from = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + wait
        while wait:
            line = self.synced()
            if line:
                return line
            if time.monotonic() > until:
                raise LabError("the daemon did not sync within %s s" % wait)
            time.sleep(0.005)
        return None

    def log(self):
        """What the daemon has logged since its last start."""
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            f.seek(self.log_from)
            return f.read()

    def synced(self):
        if self.daemon.poll() is not None:
            raise LabError("the daemon ended with status %d" % self.daemon.returncode)
        for line in self.log().splitlines():
            if "msg=synced" in line:
                return dict(part.split("=", 1) for part in line.split() if "=" in part)
        return None

    def stop_daemon(self, how=signal.SIGTERM):
        if self.daemon is None or self.daemon.poll() is not None:
            raise LabError("the daemon does not run")
        self.daemon.send_signal(how)
        status = self.daemon.wait(timeout=30)
        if how == signal.SIGTERM and status != 0:
            raise LabError("the daemon stopped with status %d" % status)

    def rows(self, sql, *values):
        """Reads the database as any reader would; nothing while there is none."""
        if self.db is None:
            if not os.path.exists(self.db_path):
                return []
            self.db = sqlite3.connect("file:%s?mode=ro" % self.db_path, uri=True, timeout=5)
        return self.db.execute(sql, values).fetchall()

    def end(self, keep=False):
        if self.db is not None:
            self.db.close()
        for child in (self.daemon, self.fake):
            if child is not None and child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(timeout=25)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
