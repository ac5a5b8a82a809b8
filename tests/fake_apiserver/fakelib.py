"""Start a fake_apiserver and talk to it byte by byte: a deliberately plain HTTP/1.1 client, so that tests see what was
really sent (chunks, cuts, resets). Used by test_fake.py; other tests may use it too."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program():
    if "FAKE_APISERVER" in os.environ:
        return os.path.join(ROOT, os.environ["FAKE_APISERVER"])
    build = "build-asan" if os.environ.get("SAN") == "1" else "build"
    return os.path.join(ROOT, build, "tests", "fake_apiserver")


class Cut(Exception):
    """The connection ended before the body did; .data is what had come."""

    def __init__(self, data, reset):
        super().__init__("reset" if reset else "closed")
        self.data = data
        self.reset = reset


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Conn:
    """One connection, kept alive between requests. `target` is a URL."""

    def __init__(self, target, ca=None, cert=None, timeout=10):
        u = urllib.parse.urlsplit(target)
        self.sock = socket.create_connection((u.hostname, u.port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if u.scheme == "https":
            ctx = ssl.create_default_context(cafile=ca)
            if cert:
                ctx.load_cert_chain(*cert)
            self.sock = ctx.wrap_socket(self.sock, server_hostname=u.hostname)
        self.buf = b""
        self.host = u.netloc

    def close(self):
        self.sock.close()

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            raise Cut(b"", True)
        except ssl.SSLEOFError:
            raise Cut(b"", False)
        if not data:
            raise Cut(b"", False)
        self.buf += data

    def _until(self, mark):
        while mark not in self.buf:
            self._more()
        head, self.buf = self.buf.split(mark, 1)
        return head

    def _exactly(self, n):
        while len(self.buf) < n:
            self._more()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def send(self, method, path, body=None, headers=None):
        h = {"Host": self.host, "User-Agent": "test_fake/1"}
        if body is not None:
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
            h["Content-Type"] = "application/json"
            h["Content-Length"] = str(len(body))
        h.update(headers or {})
        text = "%s %s HTTP/1.1\r\n" % (method, path)
        text += "".join("%s: %s\r\n" % kv for kv in h.items()) + "\r\n"
        self.sock.sendall(text.encode() + (body or b""))

    def head(self):
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            k, v = line.split(": ", 1)
            headers[k.lower()] = v
        self.chunked = headers.get("transfer-encoding") == "chunked"
        self.length = int(headers.get("content-length", "0"))
        return int(lines[0].split()[1]), headers

    def chunk(self):
        """Next chunk, b"" at the end of the body."""
        n = int(self._until(b"\r\n"), 16)
        data = self._exactly(n)
        self._exactly(2)
        return data

    def body(self):
        if not self.chunked:
            return self._exactly(self.length)
        data = b""
        while True:
            try:
                piece = self.chunk()
            except Cut as c:
                raise Cut(data + self.buf, c.reset)
            if not piece:
                return data
            data += piece

    def request(self, method, path, body=None, headers=None):
        self.send(method, path, body, headers)
        status, headers = self.head()
        return Response(status, headers, self.body())


class Watch:
    """A watch on a connection of its own. next() gives (type, object); .end says how it ended."""

    def __init__(self, fake, path, headers=None, timeout=5, read=True):
        self.conn = fake.connect(timeout=timeout)
        self.conn.send("GET", path, headers=headers)
        self.data, self.raw, self.end = b"", [], None
        if read:
            self.open()

    def open(self):
        self.status, self.headers = self.conn.head()
        return self

    def line(self):
        while b"\n" not in self.data:
            try:
                piece = self.conn.chunk() if self.conn.chunked else b""
            except Cut as c:
                self.data += self.conn.buf  # half a chunk is still what was sent
                self.end = "reset" if c.reset else "cut"
                return None
            if not piece:
                self.end = "clean"
                return None
            self.data += piece
        line, self.data = self.data.split(b"\n", 1)
        self.raw.append(line)
        return line

    def next(self):
        line = self.line()
        if line is None:
            return None
        e = json.loads(line)
        return e["type"], e["object"]

    def until(self, what):
        """All events up to and with the first for which what(type, object) holds."""
        got = []
        while True:
            e = self.next()
            if e is None:
                return got
            got.append(e)
            if what(*e):
                return got

    def quiet(self, seconds=0.15):
        """True when nothing comes for so long."""
        if b"\n" in self.data:
            return False
        self.conn.sock.settimeout(seconds)
        try:
            self.conn._more()
            return False
        except (socket.timeout, TimeoutError):
            return True
        except Cut:
            return False
        finally:
            self.conn.sock.settimeout(5)

    def close(self):
        self.conn.close()


class Fake:
    def __init__(self, *args, stderr=None):
        self.proc = subprocess.Popen([program(), "--die-with-parent", *args], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=stderr)
        line = self.proc.stdout.readline().decode()
        if not line.startswith("api="):
            raise RuntimeError("fake_apiserver did not start: %r" % line)
        self.api, self.ctl = [w.split("=", 1)[1] for w in line.split()]
        self.ca = None
        self.headers = {}
        for i, a in enumerate(args):
            if a == "--ca-out":
                self.ca = args[i + 1]
            if a == "--token" and not self.headers:
                self.headers = {"Authorization": "Bearer " + args[i + 1].split("=")[0]}

    def connect(self, timeout=10, cert=None):
        return Conn(self.api, self.ca, cert, timeout)

    def request(self, method, path, body=None, headers=None, cert=None):
        c = self.connect(cert=cert)
        try:
            return c.request(method, path, body, {**self.headers, **(headers or {})})
        finally:
            c.close()

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def watch(self, path, headers=None, **kw):
        return Watch(self, path, {**self.headers, **(headers or {})}, **kw)

    def control(self, method, path, body=None, ok=True):
        c = Conn(self.ctl)
        try:
            r = c.request(method, path, body)
        finally:
            c.close()
        if ok and r.status != 200:
            raise AssertionError("control %s %s: %d %s" % (method, path, r.status, r.body[:300]))
        try:
            return r.json() if ok else (r.status, r.json())
        except ValueError:
            return r.body

    def fault(self, **spec):
        return self.control("POST", "/faults", spec)["ids"][0]

    def load(self, *objects):
        return self.control("POST", "/load", list(objects))

    def rv(self):
        return self.control("GET", "/info")["rv"]

    def wait(self, condition, seconds=5):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def stop(self):
        """Exit status after SIGTERM."""
        self.proc.terminate()
        try:
            rc = self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            rc = self.proc.wait()
        self.proc.stdout.close()
        self.proc.stdin.close()
        return rc


def pod(name, ns="default", labels=None, **spec):
    return {"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": ns, **({"labels": labels} if labels else {})},
            "spec": {"containers": [{"name": "c", "image": "nginx:1"}], **spec}}


def service(name, ns="default", **spec):
    return {"kind": "Service", "apiVersion": "v1", "metadata": {"name": name, "namespace": ns},
            "spec": {"ports": [{"port": 80}], **spec}}


def policy(name, ns="default", **spec):
    return {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
            "metadata": {"name": name, "namespace": ns}, "spec": {"podSelector": {}, **spec}}


# ---- the tests of the fake itself: test_fake.py, test_faults.py -----------------------------------

TESTS = []
PODS = "/api/v1/pods"
NSPODS = "/api/v1/namespaces/default/pods"
WATCHLIST = ("?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
             "&timeoutSeconds=60")


def test(fact, *args):
    def add(fn):
        TESTS.append((fact, args, fn))
        return fn
    return add


def eq(got, want, what=""):
    if got != want:
        raise AssertionError("%s got %r, want %r" % (what, got, want))


def true(cond, what=""):
    if not cond:
        raise AssertionError("does not hold: %s" % what)


def names(objs):
    return [o["metadata"]["name"] for o in objs]


def end_mark(t, o):
    return t == "BOOKMARK" and o["metadata"].get("annotations", {}).get("k8s.io/initial-events-end") == "true"


def run_one(fact, args, fn):
    args = list(args)
    with tempfile.TemporaryDirectory() as d:
        extra = []
        if "KUBECTL" in args or "TLS" in args:
            extra = ["--ca-out", d + "/ca.pem", "--kubeconfig-out", d + "/kubeconfig", "--token", "t=alice",
                     "--client-cert-out", d + "/c.pem", "--client-key-out", d + "/k.pem"]
        if "KUBECTL" in args and not shutil.which("kubectl"):
            return "SKIP no kubectl"
        args = [a for a in args if a not in ("KUBECTL", "TLS")] + extra
        with open(d + "/stderr", "wb+") as err:
            f = Fake(*args, stderr=err)
            f.kubeconfig, f.dir, f.cert = d + "/kubeconfig", d, (d + "/c.pem", d + "/k.pem")
            problem = None
            try:
                fn(f)
            except Exception:
                problem = traceback.format_exc()
            rc = f.stop()
            if rc != 0:
                err.seek(0)
                problem = (problem or "") + "\nserver ended with %d: %s" % (rc, err.read().decode(errors="replace")[:6000])
            return problem


def main():
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or any(w in t[0] for w in wanted)]
    print("1..%d" % len(tests))
    failed = 0
    for n, (fact, args, fn) in enumerate(tests, 1):
        problem = run_one(fact, args, fn)
        if problem and problem.startswith("SKIP"):
            print("ok %d - %s # SKIP%s" % (n, fact, problem[4:]))
        elif problem:
            failed += 1
            print("not ok %d - %s" % (n, fact))
            print("\n".join("# " + line for line in problem.splitlines()))
        else:
            print("ok %d - %s" % (n, fact))
        sys.stdout.flush()
    return 1 if failed else 0
