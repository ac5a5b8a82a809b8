#!/usr/bin/env python3
"""netaudit findings and status from a database that was written here by hand: the file is read without a daemon."""
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from lab import BUILD  # noqa: E402
from tap import check, equal, finish  # noqa: E402

CLIENT = os.path.abspath(os.path.join(BUILD, "netaudit"))
FOLDER = tempfile.TemporaryDirectory(prefix="netaudit-test-")
DB = os.path.join(FOLDER.name, "netauditd.db")
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("NETAUDIT") and k != "NO_COLOR"}
NOW = int(time.time() * 1000)
HOUR = 3600 * 1000
PENDING, OPEN, SUPPRESSED, RESOLVED = range(4)
FAIL, WARN = 1, 2
MEDIUM, HIGH = 2, 3


def run(*args, **env):
    done = subprocess.run([CLIENT, *args], capture_output=True, timeout=60, env={**CLEAN, **env}, cwd=FOLDER.name)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def build():
    with open(os.path.join(HERE, "../../store/schema.sql"), encoding="utf-8") as f:
        migrations = re.split(r"^-- migration \d+\n", f.read(), flags=re.M)[1:]
    db = sqlite3.connect(DB)
    db.executescript("PRAGMA application_id = %d; PRAGMA user_version = %d; PRAGMA journal_mode = WAL;" % (0x4E617564, len(migrations)))
    for text in migrations:
        db.executescript(text)
    db.execute("INSERT INTO rule VALUES (1, 'require-network-policy', 'require-default-deny-ingress', 'Network Segmentation')")
    db.execute("INSERT INTO rule VALUES (2, 'restrict-service-types', 'block-loadbalancer-without-approval', 'Service Exposure')")
    subjects = [("", "Namespace", "", "shop"), ("", "Service", "shop", "web"), ("", "Service", "shop", "old"), ("", "Service", "bank", "\x1b[31mred"),
                ("apps", "Deployment", "shop", "web")]
    for i, (group, kind, ns, name) in enumerate(subjects, 1):
        db.execute("INSERT INTO subject VALUES (?, ?, ?, ?, ?, ?, 1)", (i, i, group, kind, ns, name))
    rows = [(1, 1, OPEN, FAIL, HIGH), (2, 2, OPEN, WARN, MEDIUM), (2, 3, RESOLVED, FAIL, HIGH), (2, 4, OPEN, FAIL, HIGH), (2, 5, SUPPRESSED, FAIL, HIGH),
            (1, 5, PENDING, FAIL, HIGH)]
    for i, (rule, subject, state, result, severity) in enumerate(rows, 1):
        row = {"id": i, "fp": bytes([i]) * 8, "fp_rest": bytes([i]) * 24, "rule": rule, "subject": subject, "version": "v1", "uid": "u%d" % i,
               "state": state, "result": result, "severity": severity, "environment": 0, "reason": 1 if state == RESOLVED else 0, "reopened": 0,
               "cycle_seq": i, "last_seq": i, "first_seen_ms": NOW - 5 * HOUR, "first_opened_ms": NOW - 5 * HOUR, "opened_ms": NOW - 3 * HOUR,
               "resolved_ms": NOW - HOUR if state == RESOLVED else None, "state_ms": NOW - 3 * HOUR, "judged_ms": NOW, "due_ms": None,
               "message": "something is open", "evidence": '{"seen":"%d"}' % i, "remediation": "", "owner": "team-%d" % (i % 2),
               "exemption": "built in: label" if state == SUPPRESSED else None}
        db.execute("INSERT INTO finding_row (%s) VALUES (%s)" % (", ".join(row), ", ".join("?" * len(row))), list(row.values()))
    db.execute("INSERT INTO status VALUES (1, ?)", (json.dumps({
        "version": "0.1.0", "pid": 7, "written": "2026-11-24T06:00:00Z", "cluster": {"id": "c-1", "server": "https://api.example.com"}, "synced": True,
        "kinds": [{"kind": "Pod", "group": "", "state": "synced", "objects": 12, "resource_version": "99", "age_seconds": 3, "relists": 0, "reason": ""},
                  {"kind": "Ingress", "group": "networking.k8s.io", "state": "forbidden", "objects": 0, "resource_version": "", "age_seconds": 9,
                   "relists": 1, "reason": "no list\x1b[31m"}],
        "rules_not_judged": [{"rule": "require-ingress-tls/validate-tls-secret-exists", "because": "secrets", "setting": "secrets: metadata"}],
        "not_audited": 0}),))
    db.commit()
    db.close()


build()
status, out, err = run("findings", "--db", DB, "-o", "json")
found = json.loads(out)
equal("open findings, sorted; a fail of high severity makes status 1", (status, err, [(f["namespace"], f["kind"], f["name"]) for f in found]),
      (1, "", [("", "Namespace", "shop"), ("bank", "Service", "\x1b[31mred"), ("shop", "Service", "web")]))
check("control characters are escaped in JSON", "\x1b" not in out, out)
first = found[0]
equal("a finding has the contract's fields, and no file", list(first),
      ["policy", "rule", "kind", "namespace", "name", "result", "severity", "category", "environment", "message", "evidence", "remediation", "fingerprint",
       "id", "state", "first_opened", "opened", "resolved", "reopened", "judged_at", "owner", "resource"])
equal("its id is the fingerprint", (first["id"], first["id"]), (first["fingerprint"], "01" * 32))
equal("times are RFC 3339 in UTC, an absent one is null", (bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["opened"])), first["resolved"]),
      (True, None))
equal("the resource", first["resource"], {"apiVersion": "v1", "kind": "Namespace", "namespace": "", "name": "shop", "uid": "u1"})
equal("evidence is an object", first["evidence"], {"seen": "1"})


def names(*args):
    return sorted(f["kind"] + " " + f["name"].strip("\x1b") for f in json.loads(run("findings", "--db", DB, "--json", *args)[1]))


for fact, args, want in (
        ("a namespace, itself included", ["-n", "shop"], ["Namespace shop", "Service web"]),
        ("a kind", ["--kind", "Namespace"], ["Namespace shop"]),
        ("a severity", ["--severity", "medium"], ["Service web"]),
        ("a result", ["--result", "warn,error"], ["Service web"]),
        ("a policy", ["--policy", "require-network-policy"], ["Namespace shop"]),
        ("a rule", ["--rule", "block-loadbalancer-without-approval", "-n", "shop"], ["Service web"]),
        ("rules by their ids", ["--rule", "require-network-policy/require-default-deny-ingress,restrict-service-types/block-nodeport-in-production"],
         ["Namespace shop"]),
        ("an alias of another rule", ["--rule", "restrict-egress-traffic/block-external-ips"], []),
        ("resolved ones", ["--state", "resolved"], ["Service old"]),
        ("suppressed ones", ["--state", "suppressed"], ["Deployment web"]),
        ("a limit", ["--limit", "1"], ["Namespace shop"]),
        ("an owner", ["--owner", "team-0", "--name", "web"], ["Service web"]),
        ("since an hour", ["--since", "1h"], []),
        ("since a day", ["--since", "1d", "--kind", "Namespace"], ["Namespace shop"]),
        ("nothing", ["-n", "none"], []),
):
    equal("filter: " + fact, names(*args), want)
equal("a rule that does not exist is not answered by an empty list", run("findings", "--db", DB, "--rule", "block-nodeport-in-prod"),
      (2, "", "netaudit: findings: unknown rule 'block-nodeport-in-prod' (did you mean block-nodeport-in-production?); netaudit rules lists them\n"))
equal("without findings the status is 0", run("findings", "--db", DB, "-n", "none", "-o", "json"), (0, "[]\n", ""))
suppressed = json.loads(run("findings", "--db", DB, "--json", "--state", "suppressed")[1])[0]
equal("suppressed leaves as skip, with its reason", (suppressed["result"], suppressed["exemption"]), ("skip", "built in: label"))
equal("--fail-on critical", run("findings", "--db", DB, "--fail-on", "critical")[0], 0)
equal("a warning alone", (run("findings", "--db", DB, "--result", "warn")[0], run("findings", "--db", DB, "--result", "warn", "--fail-on-warn")[0]), (0, 1))

status, out, err = run("findings", NETAUDIT_DB=DB)
lines = out.splitlines()
equal("the table's columns", lines[0].split(), ["NAMESPACE", "KIND", "NAME", "SEVERITY", "RESULT", "RULE", "STATE", "AGE", "ID"])
check("age and a short id, no control character", len(lines) == 4 and lines[1].split()[-2:] == ["3h", "010101010101"] and "\x1b" not in out + err, out)
equal("the summary", err, "3 findings: 0 critical, 2 high, 1 medium, 0 low\n")
check("wide adds message and owner", "something is open" in run("findings", "--db", DB, "-o", "wide")[1], "")

status, out, err = run("status", "--db", DB)
check("status shows the kinds, what is not judged, and nothing raw", status == 0 and not err and "forbidden" in out and "no list\\x1b[31m" in out
      and "secrets: metadata" in out and "https://api.example.com" in out and "\x1b" not in out, out + err)
check("and no line of it ends in blanks", not [line for line in out.splitlines() if line != line.rstrip()], out)
equal("as JSON it is the row", json.loads(run("status", "--db", DB, "-o", "json")[1])["kinds"][0]["objects"], 12)
check("as YAML too", "objects: 12" in run("status", "--db", DB, "-o", "yaml")[1], run("status", "--db", DB, "-o", "yaml"))

raw = sqlite3.connect(DB)
raw.executescript("DELETE FROM status;")
status, out, err = run("status", "--db", DB)
check("before the daemon has written it: cannot reach", (status, out) == (3, "") and err.startswith("netaudit: status: "), (status, out, err))
raw.executescript("PRAGMA user_version = 99;")
status, out, err = run("findings", "--db", DB)
check("a newer schema is refused with a sentence", (status, out) == (2, "") and "schema version 99" in err, (status, out, err))
raw.close()
FOLDER.cleanup()
finish()
