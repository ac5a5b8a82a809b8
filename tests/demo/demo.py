#!/usr/bin/env python3
"""make demo: a sample cluster on a fake API server, the real daemon watching it, and a short story of changes whose
findings are printed as the daemon commits them. Stays up until Ctrl-C; DEMO_SECONDS=N ends it after N seconds (0: at the
end of the story). Everything lives in one temporary directory that goes at the end."""
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../support")]
import cluster  # noqa: E402
from lab import BUILD, Lab, LabError  # noqa: E402

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "36"}


def paint(text, *styles):
    if not COLOUR:
        return text
    return "\033[%sm%s\033[0m" % (";".join(CODES[s] for s in styles), text)


def say(text=""):
    print(text, flush=True)


class Demo(Lab):
    def __init__(self):
        super().__init__("netauditd-demo-")
        self.seq = 0

    def transitions(self):
        rows = self.rows("SELECT t.seq, t.to_state, t.reason, t.severity, f.policy, f.rule, f.subject_kind, f.namespace, f.name, t.message "
                         "FROM transition t JOIN finding f ON f.id = t.finding_id WHERE t.seq > ? ORDER BY t.seq", self.seq)
        if rows:
            self.seq = rows[-1][0]
        return rows

    def watch(self, since, seconds, least=1):
        """Prints transitions until none has come for a moment; `since` is when the change was answered."""
        seen, quiet_until = 0, since + seconds
        while time.monotonic() < quiet_until:
            for row in self.transitions():
                print_transition(row, (time.monotonic() - since) * 1000)
                seen += 1
                quiet_until = time.monotonic() + 0.25
            time.sleep(0.002)
        if seen < least:
            say(paint("    (nothing changed)", "dim"))

    def step(self, title, command, *changes):
        say()
        say(paint(title, "bold"))
        say("  $ " + paint(command, "blue"))
        for path, body in changes:
            self.control("POST", path, body)
        self.watch(time.monotonic(), 1.5)


STATE = {"open": ("+ open    ", "red"), "resolved": ("- resolved", "green"), "suppressed": ("~ exempt  ", "yellow")}


def print_transition(row, ms):
    _, state, reason, severity, policy, rule, kind, namespace, name, message = row
    word, colour = STATE.get(state, (state, "dim"))
    where = "%s %s" % (kind, "%s/%s" % (namespace, name) if namespace else name)
    tail = " (%s)" % reason if reason else ""
    say("    %s %-8s %s  %s%s  %s" % (paint(word, colour, "bold"), severity, where, policy + "/" + rule, tail,
                                    paint("%.0f ms" % ms, "dim")))
    if state == "open":
        say(paint("      " + message, "dim"))


def summary(demo, synced):
    say("%s objects of %s kinds read, judged and committed in %s s." % (synced["objects"], synced["kinds"], synced["seconds"]))
    say()
    rows = demo.rows("SELECT COALESCE(resource_namespace, resource_name), SUM(severity = 'critical'), SUM(severity = 'high'), "
                     "SUM(severity = 'medium'), SUM(severity = 'low') FROM policy_report_result WHERE result IN ('fail', 'warn') "
                     "GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 4 DESC, 5 DESC, 1")
    say(paint("  %-18s %8s %6s %8s %5s" % ("NAMESPACE", "CRITICAL", "HIGH", "MEDIUM", "LOW"), "bold"))
    for namespace, *counts in rows:
        cells = [str(c) if c else "." for c in counts]
        line = "  %-18s %8s %6s %8s %5s" % (namespace, *cells)
        say(paint(line, "red") if counts[0] else line)
    demo.seq = demo.rows("SELECT COALESCE(MAX(seq), 0) FROM transition")[0][0]


def story(demo):
    net = cluster.NET
    demo.step("A new namespace is flat until a policy stands in it.", "kubectl create namespace test-ns",
              ("/load", cluster.namespace("test-ns")))
    demo.step("So is every pod in it.", "kubectl run test-pod --image=nginx -n test-ns",
              ("/load", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test-pod", "namespace": "test-ns", "labels": {"run": "test-pod"}},
                         "spec": {"containers": [{"name": "test-pod", "image": "nginx"}]}, "status": {"phase": "Running"}}))
    bare = cluster.ingress("test-ns", "test-ingress", "test.example.com", "test-app", cls=None, tls=False)
    demo.step("An Ingress without TLS and without a class.", "kubectl apply -f test-ingress.yaml", ("/load", bare))
    demo.step("A load balancer that nobody approved.", "kubectl expose deployment test-app --type=LoadBalancer --port=80 -n test-ns",
              ("/load", cluster.service("test-ns", "test-app", "LoadBalancer", target=80)))
    demo.step("A default-deny policy mends the namespace and the pod.", "kubectl apply -n test-ns -f default-deny.yaml",
              ("/load", cluster.default_deny("test-ns")))
    demo.step("Approval is a label.", "kubectl label service test-app -n test-ns loadbalancer-approved=true",
              ("/patch", {"kind": "services", "namespace": "test-ns", "name": "test-app", "patch": {"metadata": {"labels": {"loadbalancer-approved": "true"}}}}))
    demo.step("TLS and a class mend the Ingress.", "kubectl apply -f test-ingress-tls.yaml",
              ("/patch", {"kind": "ingresses", "namespace": "test-ns", "name": "test-ingress", "patch": {
                  "metadata": {"annotations": cluster.CERT},
                  "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["test.example.com"], "secretName": "test-tls"}]}}}))
    demo.step("A regression in production: the default-deny of payments goes.", "kubectl delete networkpolicy default-deny -n payments-prod",
              ("/delete", {"kind": "networkpolicies", "namespace": "payments-prod", "name": "default-deny"}))
    demo.step("It is put back; the same findings resolve.", "kubectl apply -n payments-prod -f default-deny.yaml",
              ("/load", cluster.default_deny("payments-prod")))
    demo.step("The namespace goes, and with it what was still open there.", "kubectl delete namespace test-ns",
              ("/delete", {"kind": "namespaces", "name": "test-ns"}))


def stay(demo, seconds):
    db, build = demo.db_path, os.path.relpath(BUILD)
    say()
    say(paint("Ask for more, from another terminal:", "bold"))
    for command in ("%s/netaudit findings --db %s" % (build, db), "%s/netaudit findings --db %s -n shop-prod -o wide" % (build, db),
                    "%s/netaudit status --db %s" % (build, db), "%s/netaudit explain restrict-service-types/block-service-externalips" % build,
                    "sqlite3 -readonly %s 'select * from policy_report_result'" % db,
                    "kubectl --kubeconfig %s get networkpolicies -A" % demo.kubeconfig):
        say("  " + paint(command, "blue"))
    if seconds is None:
        say("Changes that you make are shown here. Ctrl-C ends the demo and removes everything.")
    until = None if seconds is None else time.monotonic() + seconds
    while until is None or time.monotonic() < until:
        for row in demo.transitions():
            print_transition(row, 0)
        time.sleep(0.1)


def main():
    raw = os.environ.get("DEMO_SECONDS")
    demo = Demo()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        say(paint("netauditd demo", "bold") + ": a sample cluster on a fake API server, the real daemon, a short story.")
        demo.start_fake()
        demo.load(cluster.cluster())
        summary(demo, demo.start_daemon())
        story(demo)
        stay(demo, float(raw) if raw else None)
    except KeyboardInterrupt:
        say()
    except LabError as error:
        sys.exit("demo: %s\n%s" % (error, demo.log()))
    finally:
        demo.end()


if __name__ == "__main__":
    main()
