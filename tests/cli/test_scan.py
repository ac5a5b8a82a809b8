#!/usr/bin/env python3
"""netaudit scan, rules, explain, findings and status from outside: exit status, exact complaints, shape of what is printed."""
import json
import os
import pty
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from lab import BUILD  # noqa: E402
from tap import check, equal, finish  # noqa: E402

CLIENT = os.path.abspath(os.path.join(BUILD, "netaudit"))
SAMPLES = os.path.join(HERE, "../manifests")
FOLDER = tempfile.TemporaryDirectory(prefix="netaudit-test-")
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("NETAUDIT") and k != "NO_COLOR"}


def run(*args, stdin="", cwd=FOLDER.name, **env):
    done = subprocess.run([CLIENT, *args], input=stdin.encode(), capture_output=True, timeout=60, env={**CLEAN, **env}, cwd=cwd)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(name, text):
    path = os.path.join(FOLDER.name, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return name


def scan(*args, **more):
    """Status, the parsed findings, stderr."""
    status, out, err = run("scan", "-o", "json", *args, **more)
    return status, json.loads(out), err


def ids(findings):
    return [(f["kind"], f["namespace"], f["name"], f["policy"] + "/" + f["rule"], f["result"]) for f in findings]


def on_terminal(*args, **env):
    """stdout when it is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([CLIENT, *args], stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL,
                               env={**CLEAN, "TERM": "xterm", **env}, cwd=SAMPLES)
    os.close(follower)
    out = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(leader)
    process.wait(timeout=60)
    return out.decode()


# ---- use
status, out, err = run()
check("without a verb the help goes to stderr, status 2", status == 2 and not out and "Usage: netaudit VERB" in err, out + err)
for words in (["--help"], ["-h"], ["help"]):
    status, out, err = run(*words)
    check("%s lists the verbs" % words[0], status == 0 and not err and "  scan " in out and "  status " in out, out + err)
for verb in ("scan", "findings", "status", "rules", "explain", "version"):
    status, out, err = run(verb, "--help")
    check("%s --help answers on stdout" % verb, status == 0 and not err and "Usage: netaudit %s" % verb in out, out + err)
    equal("help %s is the same" % verb, run("help", verb)[1], out)
check("version names the program", run("version")[1].startswith("netaudit "), run("version"))

for fact, args, sentence in (
        ("an unknown verb names the nearest", ["scna"], "netaudit: unknown verb 'scna'; did you mean 'scan'?; see netaudit --help\n"),
        ("an unknown option names the nearest", ["scan", "--compleet", "."],
         "netaudit: scan: unknown option --compleet; did you mean --complete?; see netaudit scan --help\n"),
        ("an unknown letter", ["scan", "-x", "."], "netaudit: scan: unknown option -x; see netaudit scan --help\n"),
        ("an option of another verb", ["rules", "--complete"], "netaudit: rules: unknown option --complete; see netaudit rules --help\n"),
        ("an option without its value", ["scan", "--baseline"], "netaudit: scan: --baseline needs a value: FILE\n"),
        ("a switch with a value", ["scan", "--all=yes"], "netaudit: scan: --all takes no value\n"),
        ("no path", ["scan"], "netaudit: scan: what is to be judged? name files, directories, or - for standard input\n"),
        ("an unknown format", ["scan", "-o", "xml", "."], "netaudit: scan: -o 'xml': must be table, wide, json or yaml\n"),
        ("an unknown severity", ["scan", "--fail-on", "awful", "."],
         "netaudit: scan: --fail-on 'awful': must be critical, high, medium, low or none\n"),
        ("an unknown environment", ["scan", "--environment", "prod", "."],
         "netaudit: scan: --environment 'prod': must be production, staging, development or standard\n"),
        ("-n with -A", ["scan", "-n", "a", "-A", "."], "netaudit: scan: -n and -A exclude each other\n"),
        ("a configuration that is absent", ["scan", "--config", "absent.yaml", "."],
         "netaudit: scan: open 'absent.yaml': No such file or directory\n"),
        ("a control character is escaped", ["\x1b[31m"], "netaudit: unknown verb '\\x1b[31m'; see netaudit --help\n"),
        ("no database", ["findings"], "netaudit: findings: which database? --db FILE or NETAUDIT_DB\n"),
        ("a bad limit", ["findings", "--db", "x", "--limit", "0"], "netaudit: findings: --limit '0': must be a positive number\n"),
        ("a bad state", ["findings", "--db", "x", "--state", "closed"],
         "netaudit: findings: --state 'closed': must be of open, suppressed, resolved, all\n"),
        ("a bad time", ["findings", "--db", "x", "--since", "yesterday"],
         "netaudit: findings: --since 'yesterday': must be an RFC 3339 time or a duration such as 7d\n"),
        ("explain without a rule", ["explain"],
         "netaudit: explain: needs one rule, such as restrict-service-types/restrict-nodeport-range\n"),
        ("an unknown rule names the nearest", ["explain", "restrict-nodeport-rnge"],
         "netaudit: explain: unknown rule 'restrict-nodeport-rnge' (did you mean restrict-nodeport-range?); netaudit rules lists them\n"),
):
    status, out, err = run(*args)
    equal(fact, (status, out, err), (2, "", sentence))

# ---- judging
status, found, err = scan("shop", cwd=SAMPLES)
equal("findings make status 1, and JSON keeps stderr silent", (status, err), (1, ""))
equal("the order of the fields is the contract's", list(found[0]),
      ["policy", "rule", "kind", "namespace", "name", "result", "severity", "category", "environment", "message", "evidence", "remediation",
       "fingerprint", "file", "line"])
keys = [(f["namespace"], f["kind"], f["name"], f["policy"], f["rule"]) for f in found]
equal("sorted by namespace, kind, name, policy, rule", keys, sorted(keys))
check("by default only fail, warn and error", {f["result"] for f in found} <= {"fail", "warn", "error"}, found)
check("a Namespace has no namespace", any(f["kind"] == "Namespace" and f["namespace"] == "" for f in found), ids(found))
approval = [f for f in found if f["rule"] == "block-loadbalancer-without-approval"]
equal("the load balancer is found", ids(approval),
      [("Service", "shop-prod", "web", "restrict-service-types/block-loadbalancer-without-approval", "fail")])
equal("in its file, on the deciding line", (approval[0]["file"], approval[0]["line"]), ("shop/shop.yaml", 41))
check("evidence is an object, the fingerprint 64 digits", isinstance(approval[0]["evidence"], dict) and len(approval[0]["fingerprint"]) == 64,
      approval)
check("the namespace with a default-deny has no finding", not [f for f in found if f["name"] == "billing" or f["namespace"] == "billing"], ids(found))
owned = [f for f in scan("--all", "owners", cwd=SAMPLES)[1] if f["kind"] not in ("Namespace", "Service", "Ingress", "NetworkPolicy")]
equal("a Deployment and a CronJob stand for what names them, though the input lacks both; a Job without owner for itself",
      sorted({(f["kind"], f["name"]) for f in owned}), [("CronJob", "nightly"), ("Deployment", "web"), ("Job", "migrate")])
equal("found where the youngest template stands, that lends itself",
      sorted({(f["name"], f["file"]) for f in owned}), [(n, "owners/dump.yaml") for n in ("migrate", "nightly", "web")])
equal("--json is -o json", run("scan", "--json", "shop", cwd=SAMPLES), run("scan", "-ojson", "shop", cwd=SAMPLES))
status, every, err = scan("--all", "shop", cwd=SAMPLES)
check("--all adds pass and skip", {"pass", "skip"} <= {f["result"] for f in every} and len(every) > len(found), ids(every))

status, out, err = run("scan", "shop", cwd=SAMPLES)
check("the table has a line of headers and one a finding", out.splitlines()[0].split() == ["NAMESPACE", "KIND", "NAME", "SEVERITY", "RESULT", "RULE", "FILE"]
      and len(out.splitlines()) == len(found) + 1, out)
check("the summary is on stderr", err.startswith("5 objects in 2 files: ") and "1 object of other kinds skipped" in err and err.count("\n") == 1, err)
equal("--no-headers leaves them out", [line.split() for line in run("scan", "--no-headers", "shop", cwd=SAMPLES)[1].splitlines()],
      [line.split() for line in out.splitlines()[1:]])
check("no trailing blanks, no colour", not [line for line in out.splitlines() if line != line.rstrip()] and "\x1b" not in out, out)
wide = run("scan", "-o", "wide", "shop", cwd=SAMPLES)[1]
check("wide shows message and place", "MESSAGE" in wide and approval[0]["message"] in wide and "shop/shop.yaml:41" in wide, wide)
text = run("scan", "-o", "yaml", "shop", cwd=SAMPLES)[1]
check("YAML has the same findings", text.count("\n- policy: ") + text.startswith("- policy: ") == len(found), text)

status, found_env, err = scan("--environment", "development", "shop/shop.yaml", cwd=SAMPLES)
equal("--environment overrides every namespace", {f["environment"] for f in found_env}, {"development"})
check("and the levels with it", ("Namespace", "", "shop-prod", "require-network-policy/require-default-deny-ingress", "warn") in ids(found_env), ids(found_env))

equal("-n keeps the namespace and itself", {(f["namespace"], f["name"]) for f in scan("-n", "shop-prod", "shop", cwd=SAMPLES)[1]},
      {("", "shop-prod"), ("shop-prod", "web")})
equal("another one has nothing", scan("-n", "elsewhere", "shop", cwd=SAMPLES)[:2], (0, []))
equal("-l keeps what carries the label", {f["kind"] for f in scan("-l", "app=web", "shop", cwd=SAMPLES)[1]}, {"Deployment", "Service"})
equal("-l may say no", {f["kind"] for f in scan("-l", "app notin (web)", "shop", cwd=SAMPLES)[1]}, {"Namespace"})

# ---- exit status
LB = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns%s}\nspec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}\n"
lb = write("lb.yaml", LB % "")
for fact, args, want in (
        ("high at medium", [], 1), ("high at high", ["--fail-on", "high"], 1), ("high at critical", ["--fail-on", "critical"], 0),
        ("nothing at none", ["--fail-on", "none"], 0), ("-n that hides it", ["-n", "other"], 0)):
    equal("exit status: " + fact, run("scan", *args, lb)[0], want)
warn = write("warn.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n-dev}\n")
equal("warnings alone are clean", run("scan", warn)[0], 0)
equal("unless --fail-on-warn", run("scan", "--fail-on-warn", warn)[0], 1)
equal("an empty input is clean", run("scan", "-")[0], 0)
equal("bad input beats findings", run("scan", lb, "absent.yaml")[0], 2)

# ---- bad input
status, out, err = run("scan", "-o", "json", "malformed", cwd=SAMPLES)
equal("malformed objects: status 2", status, 2)
equal("each fault with file, line, object, field", err,
      "malformed/policy.yaml:10: NetworkPolicy shop/form-instead-of-from: spec.ingress[0].form: unknown field; did you mean 'from'?\n"
      "malformed/policy.yaml:26: NetworkPolicy shop/quoted-port: spec.ingress[0].ports[0].port: "
      "is a number in quotes, which would be a port name; unquote it\n"
      "malformed/policy.yaml:24: NetworkPolicy shop/quoted-port: spec.ingress[0].from[0].ipBlock.cidr: "
      "has bits set beyond its prefix length; is 10.0.0.0/8 meant?\n"
      "malformed/policy.yaml:37: Ingress shop/old: apiVersion: Ingress of networking.k8s.io/v1beta1 is not read; "
      "write it as networking.k8s.io/v1\n")
equal("the rest is judged: the good policy closes the implied namespace", json.loads(out), [])
# Every other family: one bad policy, between one good object of its kind and a finding that must not be lost.
BAD_KINDS = (
    ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", "p", "{tier: Admin, priority: 1001, subject: {namespaces: {}}}", "spec.priority",
     "must be from 0 to 1000"),
    ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", "p",
     "{tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [010.0.0.0/8]}]}]}",
     "spec.egress[0].to[0].networks[0]", "must not have leading zeros; is 10.0.0.0/8 meant?"),
    ("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "p",
     "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}", "spec.ingress[0].action",
     "must be Allow, Deny or Pass"),
    ("BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "p", "{subject: {namespaces: {}}}", "metadata.name", "must be 'default'"),
    ("CiliumNetworkPolicy", "cilium.io/v2", "shop/p", "{endpointSelector: {}, ingress: [{fromEntities: [moon]}]}",
     "spec.ingress[0].fromEntities[0]", "is no entity"),
    ("CiliumClusterwideNetworkPolicy", "cilium.io/v2", "p", "{endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.0/33]}]}",
     "spec.ingress[0].fromCIDR[0]", "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64"),
    ("PeerAuthentication", "security.istio.io/v1", "shop/p", "{mtls: {mode: strict}}", "spec.mtls.mode",
     "must be UNSET, DISABLE, PERMISSIVE or STRICT"),
    ("PeerAuthentication", "security.istio.io/v1beta1", "shop/p", "{mtls: {mod: STRICT}}", "spec.mtls.mod",
     "unknown field; did you mean 'mode'?"),
)
for kind, version, name, spec, field, sentence in BAD_KINDS:
    ns = "namespace: shop, " if "/" in name else ""
    line = 3 if field == "metadata.name" else 4
    text = ("apiVersion: %s\nkind: %s\nmetadata: {%sname: p}\nspec: %s\n---\n" % (version, kind, ns, spec) +
            "apiVersion: v1\nkind: Service\nmetadata: {name: open, namespace: shop}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n")
    status, found, err = scan(write("bad-kind.yaml", text))
    fact = "a bad %s at %s" % (kind, field)
    equal(fact + ": status 2", status, 2)
    equal(fact + ": is told", err, "bad-kind.yaml:%d: %s %s: %s: %s\n" % (line, kind, name, field, sentence))
    check(fact + ": the rest is judged", any(f["kind"] == "Service" and f["result"] == "fail" for f in found), found)
tie = "".join("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: %s}\n"
              "spec:\n  tier: Admin\n  priority: 5\n  subject: {namespaces: {}}\n---\n" % name for name in "ab")
status, found, err = scan(write("tie.yaml", tie))
equal("policies of one priority: clean", status, 0)
equal("policies of one priority: a warning", err, "tie.yaml:14: warning: ClusterNetworkPolicy b: spec.priority: 5 is the priority of a too "
      "(tie.yaml:6); where both apply, their order is not defined\n")

for fact, name, text, want in (
        ("a file that is absent", "absent.yaml", None, "absent.yaml: No such file or directory\n"),
        ("YAML that is none", "syntax.yaml", "a: [\n", "syntax.yaml:2: did not find expected node content while parsing a flow node\n"),
        ("a file that is no manifest", "values.yaml", "replicas: 3\n",
         "values.yaml:1: is no Kubernetes manifest: apiVersion and kind are required\n"),
        ("a duplicate key", "twice.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  name: b\n",
         "twice.yaml:5: key 'name' is already set on line 4\n"),
        ("JSON that ends", "cut.json", '{"apiVersion": "v1", "kind"', "cut.json:1: the text ends where ':' should be\n"),
        ("a chart's template", "chart.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ .Release.Name }}\n",
         "chart.yaml:4: a key must be a single word or text, not a mapping; it holds template directives ('{{'): "
         "render it first, for example with helm template\n"),
):
    if text is not None:
        write(name, text)
    equal("bad input: " + fact, run("scan", "-o", "json", name), (2, "[]\n", want))
equal("bad input: an object without name is told by its kind",
      run("scan", "-o", "json", write("nameless.yaml", "apiVersion: v1\nkind: Service\nmetadata: {namespace: ns}\nspec: {ports: [{port: 80}]}\n")),
      (2, "[]\n", "nameless.yaml:3: Service: metadata.name: is required\n"))
write("walked/values.yaml", "replicas: 3\n")
write("walked/lb.yaml", LB % "")
status, found, err = scan("walked")
equal("found by walking it is a warning", (status, err),
      (1, "walked/values.yaml: warning: is no Kubernetes manifest (no apiVersion and kind); skipped\n"))
other = write("other.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns}\nspec: {ports: [{port: 81}]}\n")
equal("the same object with other content names both places", run("scan", "-o", "json", "-n", "none", lb, other),
      (2, "[]\n", "other.yaml:1: Service ns/s: is given again with other content; the first is at lb.yaml:1\n"))
equal("identical copies are merged", scan(lb, "walked/lb.yaml", "-")[1], scan(lb)[1])
status, out, err = run("scan", "-o", "json", "-", stdin=LB % "")
check("standard input", status == 1 and json.loads(out)[-1]["file"] == "<stdin>", out + err)

implied = [f for f in scan(lb)[1] if f["kind"] == "Namespace"]
check("an implied namespace is a subject without file and line", implied and all(f["file"] is None and f["line"] is None for f in implied), implied)
pods = "".join("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: ns%s}\nspec: {containers: [{name: c, image: i}]}\n---\n" % pod for pod in (
    ("alone", ""), ("db-0", ", ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: u, controller: true}]")))
equal("a bare pod, and a workload known by its pods alone, has the place of its manifest",
      {(f["kind"], f["name"], f["file"], f["line"]) for f in scan(write("pods.yaml", pods))[1]
       if f["kind"] != "Namespace" and f["rule"] == "check-namespace-has-networkpolicy"},
      {("Pod", "alone", "pods.yaml", 1), ("StatefulSet", "db", "pods.yaml", 6)})
default = scan("-", stdin="apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n")[1]
equal("an absent namespace is default", {f["namespace"] for f in default if f["kind"] == "Service"}, {"default"})

# ---- absence
ingress = write("ingress.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: ns}\n"
                "spec:\n  ingressClassName: nginx\n  rules: [{host: a.example.com}]\n")


def verdict(rule, *args):
    return [f["result"] for f in scan("--all", *args)[1] if f["rule"] == rule and f["kind"] == "Ingress"]


equal("a class of which the input knows nothing is skipped", verdict("validate-ingressclass-exists", ingress), ["skip"])
equal("with --complete it does not exist", verdict("validate-ingressclass-exists", "--complete", ingress), ["fail"])
ic = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: %s}\nspec: {controller: k8s.io/ingress-nginx}\n"
equal("with another class too", verdict("validate-ingressclass-exists", ingress, write("ic.yaml", ic % "traefik")), ["fail"])
equal("with the class it passes", verdict("validate-ingressclass-exists", ingress, write("ic.yaml", ic % "nginx")), ["pass"])

# ---- configuration and baseline
config = write("config.yaml", "apiVersion: netauditd/v1\nkind: Config\nrules:\n  restrict-service-types/*:\n"
               "    levels: {standard: off}\n")
check("--config sets levels", not [f for f in scan("--config", config, lb)[1] if f["policy"] == "restrict-service-types"], "")
exempt = write("exempt.yaml", "apiVersion: netauditd/v1\nkind: Config\nexemptions:\n"
               "- {rule: 'restrict-service-types/*', namespace: ns, reason: migration}\n")
skipped = [f for f in scan("--all", "--config", exempt, lb)[1] if f["rule"] == "block-loadbalancer-without-approval"]
check("exemptions are skips with their reason", [f["result"] for f in skipped] == ["skip"] and "migration" in skipped[0].get("exemption", ""), skipped)
bad = write("bad.yaml", "apiVersion: netauditd/v1\nkind: Config\nruels: {}\n")
equal("a bad configuration judges nothing", run("scan", "--config", bad, lb),
      (2, "", "netaudit: scan: bad.yaml:3:1: ruels: unknown key; did you mean 'rules'?\n"))
for fact, text, want in (
    ("a rule that does not exist", "rules:\n  nothing/*: {levels: {standard: off}}\n", "4:3: rules: 'nothing/*' matches no rule"),
    ("a wrong parameter", "rules:\n  restrict-service-types/restrict-nodeport-range: {parameters: {range: 1-2}}\n",
     "4:3: rules: 'restrict-service-types/restrict-nodeport-range': no parameter 'range'"),
    ("an exemption's selector", "exemptions:\n- {rule: '*', reason: r, selector: 'a in (b'}\n",
     "4:3: exemptions: selector 'a in (b': ',' or ')' expected at its end"),
    ("broken YAML", "rules: [\n", "4:1: did not find expected node content while parsing a flow node"),
):
    equal("the place in the configuration: " + fact,
          run("scan", "--config", write("bad.yaml", "apiVersion: netauditd/v1\nkind: Config\n" + text), lb),
          (2, "", f"netaudit: scan: bad.yaml:{want}\n"))

old = write("old.json", run("scan", "-o", "json", lb)[1])
status, found, err = scan("--baseline", old, lb)
check("what the baseline knows does not count, and is marked", status == 0 and found and not any(f["new"] for f in found), (status, found))
two = write("two.yaml", LB % "" + "---\n" + LB % "2")
status, found, err = scan("--baseline", old, two)
equal("what is new does", (status, {f["namespace"] or f["name"] for f in found if f["new"]}), (1, {"ns2"}))
check("the table marks the known", "fail (baseline)" in run("scan", "--baseline", old, two)[1], "")
approved = write("approved.yaml", (LB % "").replace("namespace: ns", "namespace: ns, labels: {loadbalancer-approved: 'true'}"))
passed = write("passed.json", run("scan", "--all", "-o", "json", approved)[1])
found = [f for f in scan("--baseline", passed, lb)[1] if f["kind"] == "Service"]
check("what passed then is new now", found and all(f["new"] for f in found), found)
equal("a baseline that is none", run("scan", "--baseline", lb, lb),
      (2, "", "netaudit: scan: baseline 'lb.yaml': is not the JSON array that netaudit scan -o json prints\n"))
equal("a baseline of something else", run("scan", "--baseline", write("x.json", "[{}]"), lb),
      (2, "", "netaudit: scan: baseline 'x.json': element 0 has no fingerprint\n"))

# ---- hostile names, colours
evil = write("a\x1b[31m.yaml", LB % "" + "nonsense: 1\n---\n" + LB % "3")
status, out, err = run("scan", "-o", "json", evil)
check("control characters of a file name are escaped in JSON and complaints",
      "\x1b" not in out + err and "a\\x1b[31m.yaml:5: Service ns/s: nonsense: unknown field" in err and json.loads(out)[-1]["file"] == evil, out + err)
for form in ("table", "wide", "yaml"):
    check("and in " + form, "\x1b" not in "".join(run("scan", "-o", form, evil)[1:]), "")
check("a terminal gets colours", "\x1b[" in on_terminal("scan", "shop"), "")
check("not with --no-color", "\x1b[" not in on_terminal("scan", "--no-color", "shop"), "")
check("not with NO_COLOR", "\x1b[" not in on_terminal("scan", "shop", NO_COLOR="1"), "")
check("not with TERM=dumb", "\x1b[" not in on_terminal("scan", "shop", TERM="dumb"), "")

# ---- the catalogue
rules = json.loads(run("rules", "-o", "json")[1])
names = [r["policy"] + "/" + r["rule"] for r in rules]
check("the catalogue is sorted and has every policy of this version", names == sorted(names) and len(set(names)) == len(names) and
      {"require-network-policy", "require-ingress-class", "require-ingress-tls", "restrict-service-types"} <= {r["policy"] for r in rules}, names)
check("every rule says what, why and how to mend it", all(r["description"] and r["remediation"] and r["title"] for r in rules), "")
equal("the table has a line for each", len(run("rules", "--no-headers")[1].splitlines()), len(rules))
for name in names:
    status, out, err = run("explain", name)
    check("explain " + name, status == 0 and not err and name in out, out + err)
    ragged = [line for line in out.splitlines() if line != line.rstrip() or len(line) > 102 and not line.startswith("    ")]
    check("its page has neither trailing blanks nor prose beyond the width of a page", not ragged, ragged)
equal("an alias is explained as its rule", run("explain", "restrict-egress-traffic/block-external-ips"), run("explain", "block-service-externalips"))
equal("rules RULE is the same page", run("rules", names[0]), run("explain", names[0]))

# ---- the database
equal("a database that is absent cannot be reached", run("findings", "--db", "absent.db"),
      (3, "", "netaudit: findings: database 'absent.db': No such file or directory\n"))
equal("another file is no database", run("status", "--db", lb), (2, "", "netaudit: status: 'lb.yaml' is not a netauditd database\n"))
sqlite3.connect(os.path.join(FOLDER.name, "else.db")).executescript("CREATE TABLE t (x);")
equal("nor is another program's", run("findings", NETAUDIT_DB="else.db"), (2, "", "netaudit: findings: 'else.db' is not a netauditd database\n"))

FOLDER.cleanup()
for verb in (["rules"], ["explain", "restrict-service-types/restrict-nodeport-range"], ["version"]):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CLIENT, *verb], stdout=full, stderr=subprocess.PIPE, timeout=60, env=CLEAN, check=False)
    equal("output that is lost is an error: " + verb[0], (done.returncode, done.stderr.decode()),
          (2, "netaudit: %s: cannot write to standard output\n" % verb[0]))

finish()
