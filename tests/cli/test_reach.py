#!/usr/bin/env python3
"""netaudit reach, exposure, diff and what-if from outside: answers, reasons, exit status, bad use; the pictures; a live cluster listed once."""
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from lab import BUILD, Lab  # noqa: E402
from tap import check, equal, finish  # noqa: E402

CLIENT = os.path.abspath(os.path.join(BUILD, "netaudit"))
FOLDER = tempfile.TemporaryDirectory(prefix="netaudit-reach-")
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("NETAUDIT") and k not in ("NO_COLOR", "KUBECONFIG")}


def run(*args, stdin="", **env):
    done = subprocess.run([CLIENT, *args], input=stdin.encode(), capture_output=True, timeout=60, env={**CLEAN, **env}, cwd=FOLDER.name)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(name, text):
    with open(os.path.join(FOLDER.name, name), "w", encoding="utf-8") as f:
        f.write(text)
    return name


def workload(kind, ns, name, ports=""):
    return """apiVersion: apps/v1
kind: %s
metadata: {name: %s, namespace: %s}
spec:
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec: {containers: [{name: c, image: x%s}]}
""" % (kind, name, ns, name, name, ports and ", ports: [%s]" % ports)


SHOP = "---\n".join((
    workload("Deployment", "shop", "web", "{name: http, containerPort: 8080}"),
    workload("StatefulSet", "shop", "db", "{name: pg, containerPort: 5432}"),
    workload("Deployment", "shop", "twin"),
    workload("StatefulSet", "shop", "twin"),
    """apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: ops, labels: {app: probe}}
spec: {containers: [{name: c, image: x}]}
status: {phase: Running, podIP: 10.0.0.9, podIPs: [{ip: 10.0.0.9}]}
""",
    """apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: ops}
spec: {hostNetwork: true, containers: [{name: c, image: x}]}
status: {phase: Running, podIP: 10.9.0.1, podIPs: [{ip: 10.9.0.1}]}
""",
    """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: pg}]
  - from: [{ipBlock: {cidr: 192.168.0.0/16}}]
    ports: [{port: 5432}]
""",
    """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
""",
    """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
""",
    """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
"""))
write("shop.yaml", SHOP)
write("allow.yaml", """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: http}]}]
""")

# ---- bad use
for fact, args, status, words in (
        ("no question", ["reach", "shop.yaml"], 2, "--matrix"),
        ("two questions", ["reach", "--matrix", "--from", "shop/web", "--to", "shop/db", "shop.yaml"], 2, "--matrix"),
        ("half a question", ["reach", "--from", "shop/web", "shop.yaml"], 2, "--to"),
        ("--explain of a matrix", ["reach", "--matrix", "--explain", "shop.yaml"], 2, "--explain"),
        ("no path asks for one, status 3", ["reach", "--matrix"], 3, "--live"),
        ("no path, exposure", ["exposure"], 3, "--live"),
        ("no path, what-if", ["what-if", "-f", "allow.yaml"], 3, "--live"),
        ("a path and --live", ["reach", "--matrix", "--live", "shop.yaml"], 2, "--live"),
        ("an unreadable file", ["reach", "--matrix", "absent.yaml"], 2, "absent.yaml: No such file or directory"),
        ("an unknown workload", ["reach", "--from", "shop/wbe", "--to", "shop/db", "shop.yaml"], 2, "--from 'shop/wbe'"),
        ("an unknown namespace", ["reach", "--from", "shop/web", "--to", "shpo/db", "shop.yaml"], 2, "no namespace shpo"),
        ("no namespace", ["reach", "--from", "web", "--to", "shop/db", "shop.yaml"], 2, "namespace/"),
        ("an ambiguous name", ["reach", "--from", "shop/twin", "--to", "shop/db", "shop.yaml"], 2, "[Kind]"),
        ("both ends outside", ["reach", "--from", "192.0.2.1", "--to", "192.0.2.2", "shop.yaml"], 2, "outside"),
        ("port 0", ["reach", "--from", "shop/web", "--to", "shop/db", "--port", "0", "shop.yaml"], 2, "1 to 65535"),
        ("port 65536", ["reach", "--from", "shop/web", "--to", "shop/db", "--port", "65536", "shop.yaml"], 2, "1 to 65535"),
        ("a port that nobody has", ["reach", "--from", "shop/web", "--to", "shop/db", "--port", "http", "shop.yaml"], 2, "--port 'http'"),
        ("a named port of another protocol", ["reach", "--from", "shop/web", "--to", "shop/db", "--port", "pg", "--proto", "UDP", "shop.yaml"],
         2, "--port 'pg'"),
        ("a protocol that is none", ["reach", "--from", "shop/web", "--to", "shop/db", "--proto", "ICMP", "shop.yaml"], 2, "TCP, UDP or SCTP"),
        ("a word that is no answer", ["reach", "--from", "shop/web", "--to", "shop/db", "--expect", "open", "shop.yaml"], 2, "--expect 'open'"),
        ("a selector that is none", ["reach", "--matrix", "-l", "app in", "shop.yaml"], 2, "-l 'app in'"),
        ("-n of one question", ["reach", "-n", "shop", "--from", "shop/web", "--to", "shop/db", "shop.yaml"], 2, "-n and -l"),
        ("an unknown form", ["reach", "--matrix", "-o", "svg", "shop.yaml"], 2, "-o 'svg'"),
        ("exposure of nobody", ["exposure", "shop/nobody", "shop.yaml"], 2, "shop/nobody"),
        ("diff of one state", ["diff", "shop.yaml"], 2, "two"),
        ("what-if without a change", ["what-if", "shop.yaml"], 2, "-f"),
        ("delete of an unknown kind", ["what-if", "--delete", "Gadget/shop/web", "shop.yaml"], 2, "--delete 'Gadget/shop/web'"),
        ("delete of what is not there", ["what-if", "--delete", "NetworkPolicy/shop/nothing", "shop.yaml"], 2, "there is no such object"),
        ("delete without namespace", ["what-if", "--delete", "NetworkPolicy/deny", "shop.yaml"], 2, "kind/namespace/name"),
):
    got, out, err = run(*args)
    check("bad use: " + fact, got == status and words in err and err.startswith(("netaudit: " + args[0], "absent.yaml")), "%s\n%s%s" % (got, out, err))

# ---- one question
for fact, ends, more, answer in (
        ("the named port that a rule allows", ("shop/web", "shop/db"), ["--port", "pg"], "allowed"),
        ("the same by number", ("shop/web", "shop/db"), ["--port", "5432"], "allowed"),
        ("by kind", ("shop/web[Deployment]", "shop/db[StatefulSet]"), ["--port", "5432", "--proto", "TCP"], "allowed"),
        ("another port", ("shop/web", "shop/db"), ["--port", "80"], "denied"),
        ("the same port of another protocol", ("shop/web", "shop/db"), ["--port", "5432", "--proto", "UDP"], "denied"),
        ("any port: there is one", ("shop/web", "shop/db"), [], "allowed"),
        ("any port of UDP: there is none", ("shop/web", "shop/db"), ["--proto", "UDP"], "denied"),
        ("a pod that no rule names", ("ops/probe", "shop/db"), [], "denied"),
        ("the same pod by address", ("10.0.0.9", "shop/db"), [], "denied"),
        ("an address in the block", ("192.168.3.4", "shop/db"), ["--port", "5432"], "allowed"),
        ("an address outside the block", ("192.169.0.0", "shop/db"), [], "denied"),
        ("an IPv6 address", ("2001:db8::1", "shop/db"), [], "denied"),
        ("no policy at all", ("shop/web", "ops/probe"), ["--port", "22"], "allowed"),
        ("a pod reaches itself", ("ops/probe", "ops/probe"), [], "allowed"),
        ("a workload's replicas are not itself", ("shop/web", "shop/web"), [], "denied"),
        ("from the host network: perhaps the own node", ("ops/agent", "shop/db"), ["--port", "80"], "unknown"),
        ("to the host network", ("shop/web", "ops/agent"), [], "allowed"),
):
    got, out, err = run("reach", "--from", ends[0], "--to", ends[1], *more, "shop.yaml")
    check("reach: " + fact, (got, out.split(":")[0], err) == (0, answer, ""), "%s\n%s%s" % (got, out, err))
    got, out, err = run("reach", "--json", "--from", ends[0], "--to", ends[1], *more, "shop.yaml")
    check("reach: %s, as JSON" % fact, got == 0 and json.loads(out)["answer"] == answer, out + err)
    if answer != "unknown":
        other = "denied" if answer == "allowed" else "allowed"
        equal("reach: %s, as expected" % fact, run("reach", "--from", ends[0], "--to", ends[1], *more, "--expect", answer, "shop.yaml")[0], 0)
        equal("reach: %s, not as expected" % fact, run("reach", "--from", ends[0], "--to", ends[1], *more, "--expect", other, "shop.yaml")[0], 1)

got, out, err = run("reach", "--from", "shop/web", "--to", "shop/db", "--explain", "shop.yaml")
line = 1 + SHOP.split("\n").index("  - from: [{podSelector: {matchLabels: {app: web}}}]")
check("the reason names policy, rule and line", "NetworkPolicy shop/db (shop.yaml:%d): spec.ingress[0] allows it" % line in out, out)
check("the reason of the other side", "egress of shop/web[Deployment]: allowed\n    no policy selects it" in out, out)
got, out, err = run("reach", "--from", "ops/probe", "--to", "shop/db", "--explain", "shop.yaml")
check("why it is denied, and what would allow it", "ingress of shop/db[StatefulSet]: denied" in out and "add an ingress rule" in out, out)
check("each policy that selects it is named", "NetworkPolicy shop/db" in out and "NetworkPolicy shop/deny" in out, out)
got, out, err = run("reach", "--from", "192.0.2.7", "--to", "shop/db", "--explain", "shop.yaml")
check("outside there is nobody to ask", "egress of 192.0.2.7: outside the cluster" in out, out)
got, out, err = run("reach", "--matrix", "--json", "shop.yaml", "-")
check("standard input is no manifest: complained about, the rest answered", got == 0 and json.loads(out)["peers"], err)
got, out, err = run("reach", "--matrix", "--json", "shop.yaml", "-", stdin="apiVersion: v1\nkind: Pod\nmetadata: {name: -x}\nspec: {containers: []}\n")
check("bad input is an error, the rest is answered", got == 2 and "<stdin>:" in err and "shop/web[Deployment]" in out, err)

# ---- the matrix
got, out, err = run("reach", "--matrix", "--json", "shop.yaml")
matrix = json.loads(out)
pairs = {(c["from"], c["to"]): c for c in matrix["connections"]}
equal("the shape of the matrix", (sorted(matrix), sorted(matrix["connections"][0])),
      (["connections", "peers"], ["allowed", "from", "reasons", "to", "unknown"]))
equal("peers: workloads by name, then ranges", [p for p in matrix["peers"] if "External" not in p],
      ["ops/agent[Pod]", "ops/probe[Pod]", "shop/db[StatefulSet]", "shop/twin[Deployment]", "shop/twin[StatefulSet]", "shop/web[Deployment]"])
equal("ranges lie between borders that policies name", [p for p in matrix["peers"] if "External" in p],
      ["0.0.0.0-192.167.255.255[External]", "192.168.0.0-192.168.255.255[External]", "192.169.0.0-255.255.255.255[External]",
       "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]"])
equal("a rule's port", pairs[("shop/web[Deployment]", "shop/db[StatefulSet]")]["allowed"], {"TCP": [[5432, 5432]]})
equal("open", pairs[("shop/web[Deployment]", "ops/probe[Pod]")]["allowed"], {p: [[1, 65535]] for p in ("TCP", "UDP", "SCTP")})
check("nothing allowed is no entry", ("ops/probe[Pod]", "shop/db[StatefulSet]") not in pairs)
check("no self pairs, nothing from outside to outside", not [p for p in pairs if p[0] == p[1] or all("External" in e for e in p)])
agent = pairs[("ops/agent[Pod]", "shop/web[Deployment]")]
equal("unknown keeps what is certain, and names the reason", (agent["allowed"], agent["unknown"], len(agent["reasons"])), ({}, True, 1))
got, out, err = run("reach", "--matrix", "--json", "-n", "ops", "shop.yaml")
check("-n keeps connections with an end there", json.loads(out)["connections"] == [c for c in matrix["connections"] if "ops/" in c["from"] + c["to"]], out)
check("-n keeps peers of those", "shop/web[Deployment]" in json.loads(out)["peers"], out)
got, out, err = run("reach", "--matrix", "--json", "-l", "app=db", "shop.yaml")
check("-l keeps connections with such pods at an end", json.loads(out)["connections"] == [c for c in matrix["connections"] if "shop/db[" in c["from"] + c["to"]], out)
equal("-n of nowhere: nobody", json.loads(run("reach", "--matrix", "--json", "-n", "nowhere", "shop.yaml")[1]), {"peers": [], "connections": []})
got, out, err = run("reach", "--matrix", "shop.yaml")
check("the table", re.search(r"^shop/web\[Deployment\] +shop/db\[StatefulSet\] +TCP 5432", out, re.M), out)
check("the table without headers", not run("reach", "--matrix", "--no-headers", "shop.yaml")[1].startswith("FROM"))

# ---- pictures
VOID = {"meta", "input", "br", "hr", "link", "img"}


class Page(html.parser.HTMLParser):
    """Well-formed enough: every element that opens closes, in order; which elements and attributes there are."""

    def __init__(self, text):
        super().__init__()
        self.open, self.bad, self.seen, self.attributes = [], [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(tag)


def page(fact, text):
    p = Page(text)
    check("html, %s: every element closes" % fact, not p.open and not p.bad, "%s %s" % (p.open, p.bad))
    check("html, %s: nothing is fetched from anywhere" % fact,
          not re.search(r"https?:|//[a-z]|@import|url\(", text) and not {"link", "img", "iframe", "object", "base"} & set(p.seen)
          and not [a for a in p.attributes if a[0] in ("src", "href", "action")], p.seen)
    check("html, %s: the page forbids it, too" % fact, "default-src 'none'" in text)
    return p


got, text, err = run("reach", "--matrix", "-o", "html", "shop.yaml")
page("small", text)
check("html: a peer, its ports, its reason", "shop/db[StatefulSet]" in text and "TCP 5432" in text and agent["reasons"][0].replace("'", "&#39;") in text)
check("html: dark and light", "prefers-color-scheme" in text)
many = [workload(("Deployment", "StatefulSet")[i % 2], "team-%02d" % (i % 12), "app-%03d" % i, "{containerPort: %d}" % (8000 + i)) for i in range(200)]
many += ["""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: team-%02d}
spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: team-%02d}}}], ports: [{port: %d}]}]}
""" % (k, (k + 1) % 12, 8000 + k) for k in range(11)]
write("many.yaml", "---\n".join(many))
got, text, err = run("reach", "--matrix", "-o", "html", "many.yaml")
page("200 workloads", text)
check("html: 200 workloads stay below 4 MiB", got == 0 and len(text) < 4 << 20, len(text))

# What a hostile owner reference can bring: kinds and names of owners are not the API server's to check.
EVIL = "<script>alert(1)</script>\\\"'`&\\x1b[31m\\u202e|];"
write("evil.yaml", """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop",
 "ownerReferences": [{"apiVersion": "x/v1", "kind": "%s", "name": "o", "uid": "u", "controller": true}]},
 "spec": {"containers": []}, "status": {"podIPs": [{"ip": "10.0.0.1"}]}}
""" % EVIL.replace("\\x1b", "\\u001b"))
got, text, err = run("reach", "--matrix", "-o", "html", "evil.yaml")
p = page("hostile names", text)
check("html: a hostile name is text", got == 0 and "<script>alert" not in text and not re.search("[\x1b\u202e]", text) and p.seen.get("script", 0) <= 2, err)
for form in ("dot", "mermaid", "table"):
    got, text, err = run("reach", "--matrix", "-o", form, "evil.yaml")
    check("%s: no control characters" % form, got == 0 and text and not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), repr(text))
got, text, err = run("reach", "--from", "shop/p", "--to", "192.0.2.1", "--explain", "evil.yaml")
check("answer: no control characters", got == 0 and not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), repr(text))
got, text, err = run("exposure", "evil.yaml")
check("exposure: no control characters", got == 0 and not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), repr(text))
equal("JSON: the name as it is", "\x1b[31m\u202e" in json.loads(run("reach", "--matrix", "--json", "evil.yaml")[1])["peers"][0], True)

for name in ("shop.yaml", "evil.yaml"):
    got, text, err = run("reach", "--matrix", "-o", "dot", name)
    statement = re.compile(r'^\s*(digraph [a-z]+ \{|subgraph [a-z_0-9]+ \{|\}|[a-z]+ ?=.*;|(node|edge|graph) \[.*\];|'
                           r'label="(?:[^"\\]|\\.)*";|p\d+( -> p\d+)? \[label="(?:[^"\\]|\\.)*"(, [a-z]+=[a-z]+)*\];)$')
    bad = [line for line in text.splitlines() if line.strip() and not statement.match(line)]
    check("dot, %s: every line is a statement, strings are closed" % name, not bad and text.count("{\n") == len(re.findall(r"^\s*}$", text, re.M)),
          "\n".join(bad))
got, text, err = run("reach", "--matrix", "-o", "mermaid", "shop.yaml")
check("mermaid: a flow chart with the connection", text.startswith("flowchart") and "TCP 5432" in text and "shop/db" in text, text)

# ---- exposure
got, out, err = run("exposure", "shop/web", "shop.yaml")
check("exposure: the ways in", got == 0 and "Service web: LoadBalancer" in out and "Ingress web" in out and "shop.example" in out, out)
check("exposure: what is not looked at", "not looked at" in out, out)
check("exposure: of one kind of a name", run("exposure", "shop/twin[Deployment]", "shop.yaml")[1].count("who can reach it") == 1)
got, out, err = run("exposure", "--json", "-n", "shop", "shop.yaml")
listed = {e["workload"]: e for e in json.loads(out)}
equal("exposure: one per workload of the namespace", sorted(listed), [p for p in matrix["peers"] if p.startswith("shop/")])
check("exposure: who reaches the database", {c["from"] for c in pairs.values() if c["to"] == "shop/db[StatefulSet]"}
      == {c.get("peer", c.get("from")) for c in listed["shop/db[StatefulSet]"]["from"]}, out)

# ---- diff and what-if
EMPTY = {"connections": {"added": [], "removed": [], "changed": []}, "findings": {"opened": [], "resolved": [], "changed": []}}
got, out, err = run("diff", "--json", "shop.yaml", "shop.yaml")
equal("diff: the same is no difference", (got, json.loads(out)), (0, EMPTY))
got, out, err = run("what-if", "--json", "-f", "allow.yaml", "shop.yaml")
added = json.loads(out)["connections"]["added"]
check("what-if: everyone may then reach the port", got == 1 and {c["to"] for c in added} == {"shop/web[Deployment]"}
      and all(c["allowed"] == {"TCP": [[8080, 8080]]} for c in added if not c["unknown"]) and len(added) > 4, out)
write("both.yaml", SHOP + "---\n" + open(os.path.join(FOLDER.name, "allow.yaml"), encoding="utf-8").read())
equal("what-if says what diff says", json.loads(run("diff", "--json", "shop.yaml", "both.yaml")[1])["connections"], json.loads(out)["connections"])
back = json.loads(run("diff", "--json", "both.yaml", "shop.yaml")[1])["connections"]
equal("backwards: what was added is removed", [(c["from"], c["to"]) for c in back["removed"]], [(c["from"], c["to"]) for c in added])
got, out, err = run("what-if", "--json", "--delete", "networkpolicies/shop/deny", "shop.yaml")
change = json.loads(out)
check("what-if: without the default-deny the rest opens, and a finding opens", got == 1 and change["connections"]["added"] and
      any(f["rule"] == "require-default-deny-ingress" for f in change["findings"]["opened"]), out)
write("db2.yaml", """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5433}]}]}
""")
got, out, err = run("what-if", "--json", "-f", "db2.yaml", "shop.yaml")
change = json.loads(out)["connections"]
equal("what-if: an applied object takes the place of the old one",
      ([(c["from"], c["before"]["allowed"], c["after"]["allowed"]) for c in change["changed"] if c["from"].startswith("shop/")], err),
      ([("shop/web[Deployment]", {"TCP": [[5432, 5432]]}, {"TCP": [[5433, 5433]]})], ""))
got, out, err = run("what-if", "-f", "-", "shop.yaml", stdin=open(os.path.join(FOLDER.name, "db2.yaml"), encoding="utf-8").read())
check("what-if from standard input, for people", got == 1 and "TCP 5433" in out, out + err)
got, out, err = run("what-if", "-f", "absent.yaml", "shop.yaml")
check("what-if: a change that cannot be read", got == 2 and "absent.yaml: No such file" in err, err)

# ---- many pods: asked by the matrix, and the same answer
pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s-%d" % (name, i), "namespace": "shop", "labels": {"app": name},
                                                         "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name, "uid": name, "controller": True}]},
         "spec": {"containers": [{"name": "c", "image": "x"}]}, "status": {"podIPs": [{"ip": "10.%d.%d.%d" % (k, i // 200, i % 200)}]}}
        for k, name in enumerate(("left", "right")) for i in range(1500)]
pods.append({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "shop"},
             "spec": {"podSelector": {"matchLabels": {"app": "right"}}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.7.99/32"}}], "ports": [{"port": 80}]}]}})
write("pods.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
for more, answer in (([], "allowed"), (["--port", "80"], "allowed"), (["--port", "81"], "denied")):
    got, out, err = run("reach", "--from", "shop/left", "--to", "shop/right", "--explain", *more, "pods.json")
    check("2,250,000 pairs, %s: one of them decides" % " ".join(more), got == 0 and out.startswith(answer), out + err)
    check("2,250,000 pairs, %s: the pod that shows it" % " ".join(more), answer == "denied" or "from pod left-1499" in out, out)

# ---- a live cluster, listed once
lab = Lab("netaudit-reach-live-")
try:
    lab.start_fake()
    import yaml
    lab.load([o for o in yaml.safe_load_all(SHOP)] + [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in ("shop", "ops")])
    got, out, err = run("reach", "--live", "--kubeconfig", lab.kubeconfig, "--from", "ops/probe", "--to", "shop/db", "--explain")
    check("live: an answer with resourceVersions", got == 0 and out.startswith("denied") and "resourceVersion" in out, out + err)
    got, out, err = run("reach", "--live", "--kubeconfig", lab.kubeconfig, "--matrix", "--json")
    live = json.loads(out)
    check("live: the same connections as from files", got == 0 and {(c["from"], c["to"]) for c in live["connections"] if "ops/probe" in c["to"]} ==
          {p for p in pairs if "ops/probe" in p[1]}, out + err)
    lab.control("POST", "/forbid", {"kind": "Service", "verbs": ["list", "watch"]})
    got, out, err = run("reach", "--live", "--kubeconfig", lab.kubeconfig, "--from", "ops/probe", "--to", "shop/db")
    check("live: what may not be listed and does not decide is a warning", got == 0 and out.startswith("denied") and "warning: may not list services" in err, out + err)
    lab.control("POST", "/forbid", {"kind": "NetworkPolicy", "verbs": ["list", "watch"]})
    got, out, err = run("reach", "--live", "--kubeconfig", lab.kubeconfig, "--from", "ops/probe", "--to", "shop/db")
    check("live: policies that may not be listed are not absent: status 3", got == 3 and not out and "may not list networkpolicies" in err, out + err)
finally:
    lab.end()
got, out, err = run("reach", "--live", "--kubeconfig", "absent", "--matrix")
check("live: no kubeconfig, status 3", got == 3 and "absent" in err and not out, err)

finish()
