#!/usr/bin/env python3
"""Judges the fixtures in tests/rules/<policy>/<rule>/ with `netaudit scan` and prints TAP. A file's name begins with the result that
its rule must have. Comment lines at its top may narrow that: `# subject: Kind ns/name` (else every subject of the rule
in the file), `# message: text` (equality), `# args: ...` (instead of --complete)."""
import glob
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from lab import BUILD  # noqa: E402
from tap import check, finish  # noqa: E402

RESULTS = ("pass", "fail", "warn", "skip", "error")


def header(path):
    """The `# key: value` lines before the first other line."""
    values = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                break
            key, colon, value = line[1:].partition(":")
            if colon:
                values[key.strip()] = value.strip()
    return values


def judge(path, wanted):
    """'' when the fixture is as its name says, else what is there instead."""
    policy, rule = path.split(os.sep)[-3:-1]
    args = shlex.split(wanted.get("args", "--complete"))
    done = subprocess.run([os.path.join(BUILD, "netaudit"), "scan", "-o", "json", "--all", *args, path], capture_output=True, text=True, timeout=30)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return "no JSON, status %d: %s" % (done.returncode, done.stderr)
    if done.returncode == 2:
        return "malformed: " + done.stderr
    rows = [f for f in found if (f["policy"], f["rule"]) == (policy, rule)]
    if "subject" in wanted:
        kind, _, name = wanted["subject"].partition(" ")
        rows = [f for f in rows if f["kind"] == kind and name in (f["name"], "%s/%s" % (f["namespace"], f["name"]))]
    if not rows:
        return "no verdict of this rule"
    result = os.path.basename(path).split("-")[0]
    wrong = ["%s %s/%s is %s: %s" % (f["kind"], f["namespace"], f["name"], f["result"], f["message"]) for f in rows if f["result"] != result]
    if "message" in wanted:
        wrong += ["message is: " + f["message"] for f in rows if f["message"] != wanted["message"]]
    return "\n".join(wrong)


def main():
    rules = {(r["policy"], r["rule"]) for r in json.loads(subprocess.run([os.path.join(BUILD, "netaudit"), "rules", "-o", "json"], capture_output=True, check=True).stdout)}
    seen = {}
    for path in sorted(glob.glob(os.path.join(HERE, "*/*/*.yaml"))):
        policy, rule, name = path.split(os.sep)[-3:]
        result = name.split("-")[0]
        fact = "%s/%s/%s" % (policy, rule, name)
        if result not in RESULTS or (policy, rule) not in rules:
            check(fact, False, "neither a known result nor a known rule")
            continue
        seen.setdefault((policy, rule), set()).add(result)
        complaint = judge(path, header(path))
        check(fact, not complaint, complaint)
    for policy, rule in sorted(rules):
        have = seen.get((policy, rule), set())
        check("%s/%s has fixtures that pass and that do not" % (policy, rule), "pass" in have and have & {"fail", "warn"}, "has " + ", ".join(sorted(have)))
    finish()


main()
