"""make bench: what the daemon and the client cost, measured from outside as anyone can. One JSON line per measure: name, the figures of every
run, their median, the unit, the goal of this version. RUNS=N sets how often each is run (3)."""
import calendar
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from lab import BUILD, Lab, LabError  # noqa: E402

RUNS = int(os.environ.get("RUNS", "3"))
POD_BYTES = 14400


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def report(name, values, unit, goal=None, **more):
    progress("")
    values = [round(v, 3) for v in values]
    line = {"bench": name, "median": round(statistics.median(values), 3), "min": min(values), "max": max(values), "unit": unit, "runs": values}
    if goal is not None:
        line["goal"] = goal
        line["met"] = line["median"] <= goal
    line.update(more)
    print(json.dumps(line), flush=True)


def memory(pid):
    """(Pss now, RSS at its highest) in KiB."""
    def field(path, name):
        with open("/proc/%d/%s" % (pid, path), encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(name))
    return field("smaps_rollup", "Pss:"), field("status", "VmHWM:")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_sync(pods):
    """From exec to the log line that says everything is judged and committed, over TLS."""
    seconds, cpu, resident, peak = [], [], [], []
    namespaces = max(10, pods // 100)
    for run in range(RUNS):
        progress("first sync of %d pods, run %d of %d" % (pods, run + 1, RUNS))
        lab = Lab("netauditd-bench-")
        try:
            lab.start_fake("--seed", "1", "--pods", str(pods), "--namespaces", str(namespaces), "--pod-bytes", str(POD_BYTES))
            lab.start_daemon(wait=120)
            seconds.append(float(lab.synced()["seconds"]))
            cpu.append(cpu_seconds(lab.daemon.pid))
            time.sleep(1)
            pss, high = memory(lab.daemon.pid)
            resident.append(pss / 1024)
            peak.append(high / 1024)
        finally:
            lab.end()
    report("first-sync-%d" % pods, seconds, "s", 15 if pods > 100000 else None, pods=pods, pod_bytes=POD_BYTES)
    report("first-sync-%d-cpu" % pods, cpu, "s")
    report("first-sync-%d-pss" % pods, resident, "MiB")
    report("first-sync-%d-peak-rss" % pods, peak, "MiB")
    return statistics.median(resident)


def sync_10k():
    first_sync(10000)


def sync_150k():
    """Marginal memory of a pod: the same namespaces with 150,000 pods and with 1,500."""
    large = first_sync(150000)
    values = []
    for run in range(RUNS):
        progress("memory without pods, run %d of %d" % (run + 1, RUNS))
        lab = Lab("netauditd-bench-")
        try:
            lab.start_fake("--seed", "1", "--pods", "1500", "--namespaces", "1500", "--pod-bytes", str(POD_BYTES))
            lab.start_daemon(wait=60)
            time.sleep(1)
            values.append((large * 1024 - memory(lab.daemon.pid)[0]) * 1024 / 148500)
        finally:
            lab.end()
    report("bytes-per-pod", values, "B", 1024)


def events(rate=200, run_seconds=10):
    """From the API server's commit of a write to the commit of the finding that it opens or resolves, as the daemon's own
    log and the store's transitions tell; both clocks are this machine's."""
    p50, p99, worst = [], [], []
    for run in range(RUNS):
        progress("%d events/s, run %d of %d" % (rate, run + 1, RUNS))
        lab = Lab("netauditd-bench-")
        try:
            lab.start_fake("--seed", "1", "--pods", "1000", "--namespaces", "20", "--pod-bytes", str(POD_BYTES))
            lab.load([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}}] + [
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb-%03d" % i, "namespace": "bench", "labels": {"bench": "1"}},
                 "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}} for i in range(200)])
            lab.start_daemon("--log-level", "debug")
            start_seq = lab.rows("SELECT COALESCE(MAX(seq), 0) FROM transition")[0][0]
            lab.control("POST", "/churn", {"kind": "services", "labelSelector": "bench=1", "rate": rate, "seconds": run_seconds, "mode": "patch", "log": True,
                                           "stamp": False, "patches": [{"metadata": {"labels": {"loadbalancer-approved": "true"}}},
                                                                       {"metadata": {"labels": {"loadbalancer-approved": None}}}]})
            time.sleep(run_seconds + 1.5)
            latencies = match(lab, start_seq)
            p50.append(quantile(latencies, 0.5))
            p99.append(quantile(latencies, 0.99))
            worst.append(latencies[-1])
        finally:
            lab.end()
    more = {"events": len(latencies), "rate": rate}
    report("event-to-commit-%d-p50" % rate, p50, "ms", **more)
    report("event-to-commit-%d-p99" % rate, p99, "ms", 25, **more)
    report("event-to-commit-%d-max" % rate, worst, "ms", **more)


def match(lab, start_seq):
    """Each write of the churn log against the transition with its resourceVersion as cause, and that against its commit line."""
    written = {}
    for line in lab.control("GET", "/churn/log").splitlines():
        row = json.loads(line)
        written[str(row["rv"])] = row["t_ns"] / 1e6
    commits = []
    for line in lab.log().splitlines():
        if "msg=committed" in line:
            fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
            at = time.strptime(fields["time"][:19], "%Y-%m-%dT%H:%M:%S")
            commits.append((int(fields["seq"]), calendar.timegm(at) * 1000 + int(fields["time"][20:23])))
    commits.sort()
    latencies, i = [], 0
    for seq, version in lab.rows("SELECT t.seq, c.resource_version FROM transition t JOIN cause c ON c.id = t.cause_id WHERE t.seq > ? ORDER BY t.seq", start_seq):
        while i < len(commits) and commits[i][0] < seq:
            i += 1
        if version in written and i < len(commits):
            latencies.append(commits[i][1] - written[version])
    if len(latencies) < 0.9 * len(written):
        raise LabError("only %d of %d writes became transitions" % (len(latencies), len(written)))
    return sorted(latencies)


def quantile(ordered, q):
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def manifests(folder, count):
    """`count` objects of the kinds that rules judge, in files of 100."""
    made = 0
    while made < count:
        with open(os.path.join(folder, "part-%04d.yaml" % (made // 100)), "w", encoding="ascii") as f:
            for _ in range(min(100, count - made)):
                n, kind = made // 5, made % 5
                ns = "team-%d" % (n % 50)
                f.write(OBJECTS[kind].format(n=n, ns=ns))
                made += 1


OBJECTS = [
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{n}, namespace: {ns}, labels: {{app: app-{n}}}}}\nspec:\n  replicas: 2\n"
    "  selector: {{matchLabels: {{app: app-{n}}}}}\n  template:\n    metadata: {{labels: {{app: app-{n}, tier: web}}}}\n    spec:\n"
    "      containers:\n      - name: main\n        image: registry.example/app:{n}\n        ports: [{{name: http, containerPort: 8080}}]\n",
    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: app-{n}, namespace: {ns}}}\nspec:\n  type: LoadBalancer\n  selector: {{app: app-{n}}}\n"
    "  ports: [{{name: http, port: 80, targetPort: http}}]\n",
    "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: app-{n}, namespace: {ns}}}\nspec:\n  ingressClassName: nginx\n"
    "  rules:\n  - host: app-{n}.example.com\n    http:\n      paths:\n      - {{path: /, pathType: Prefix, backend: {{service: {{name: app-{n}, port: {{name: http}}}}}}}}\n",
    "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: app-{n}, namespace: {ns}}}\nspec:\n"
    "  podSelector: {{matchLabels: {{app: app-{n}}}}}\n  policyTypes: [Ingress]\n  ingress:\n  - from: [{{podSelector: {{matchLabels: {{tier: web}}}}}}]\n",
    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: pod-{n}, namespace: {ns}, labels: {{app: app-{n}, tier: job}}}}\nspec:\n"
    "  containers: [{{name: main, image: registry.example/job:{n}}}]\n",
]


def scan():
    wall, peak = [], []
    with tempfile.TemporaryDirectory(prefix="netauditd-bench-") as folder:
        manifests(folder, 3000)
        for run in range(RUNS + 1):
            progress("scan of 3,000 objects, run %d of %d" % (run, RUNS))
            started = time.monotonic()
            out = subprocess.run([os.path.join(BUILD, "netaudit"), "scan", "--complete", "-o", "json", folder], stdout=subprocess.PIPE, check=False)
            if out.returncode != 1 or not json.loads(out.stdout):
                raise LabError("scan ended with status %d" % out.returncode)
            if run > 0:
                wall.append(time.monotonic() - started)
        peak.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    report("scan-3000", wall, "s", 0.5, findings=len(json.loads(out.stdout)))
    report("scan-3000-peak-rss", peak, "MiB")


def idle():
    """One minute of nothing: requests and CPU."""
    progress("one idle minute")
    lab = Lab("netauditd-bench-")
    try:
        lab.start_fake("--seed", "1", "--pods", "10000", "--namespaces", "500", "--pod-bytes", str(POD_BYTES))
        lab.start_daemon(wait=60)
        time.sleep(3)
        lab.control("POST", "/stats/reset", {})
        before = cpu_seconds(lab.daemon.pid)
        time.sleep(60)
        stats = json.loads(lab.control("GET", "/stats"))
        report("idle-cpu", [(cpu_seconds(lab.daemon.pid) - before) / 60 * 100], "% of a core", 0.1)
        report("idle-requests", [stats["requests"] / 60], "1/s", 0.05)
        report("idle-lists", [sum(r["count"] for r in stats["by"] if r["verb"] in ("list", "watchlist"))], "requests", 0)
    finally:
        lab.end()


def program(name, about):
    """A measure whose own program prints the lines."""
    def run():
        progress(about)
        done = subprocess.run([os.path.join(BUILD, "tests/bench", name)], stdout=subprocess.PIPE, text=True, check=False)
        progress("")
        print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            raise LabError("%s ended with status %d" % (name, done.returncode))
    return run


BENCHES = {"sync-10k": sync_10k, "sync-150k": sync_150k, "events": events, "scan": scan, "idle": idle,
           "store": program("store_bench", "the store alone"), "meaning": program("meaning_bench", "what policies mean"), "matrix": program("matrix_bench", "who can reach whom")}


def main():
    for name in sys.argv[1:] or BENCHES:
        if name not in BENCHES:
            sys.exit("bench: no measure named %s: %s" % (name, ", ".join(BENCHES)))
        try:
            BENCHES[name]()
        except LabError as error:
            sys.exit("bench: %s: %s" % (name, error))


if __name__ == "__main__":
    main()
