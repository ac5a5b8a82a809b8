#!/usr/bin/env python3
"""Judges every fixture tests/rules/<policy>/<rule>/<result>*.yaml by `netaudit scan` and compares.

The file's name begins with the result that the rule of its directory must give: pass, fail, warn, skip or error. Its
first comment lines may say more:

    # subject: Kind namespace/name    only this subject counts (may be repeated); a Namespace is "Namespace /name"
    # message: one sentence           the message must be exactly this
    # args: --environment production  arguments of scan instead of --complete

Without `# subject` every subject that the rule judges in the file must have the result. A file without any such
subject proves nothing and fails. Prints TAP. Arguments: paths of fixtures or directories, default all.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / os.environ.get("NETAUDIT_BUILD", "build-asan" if os.environ.get("SAN") == "1" else "build")
RESULTS = ("pass", "fail", "warn", "skip", "error")


def read_header(path):
    """What the comment lines before the first line of YAML say."""
    header = {"subject": [], "message": None, "args": ["--complete"]}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                break
            key, colon, value = line[1:].strip().partition(": ")
            if not colon:
                continue
            if key == "subject":
                header["subject"].append(value.strip())
            elif key == "message":
                header["message"] = value.strip()
            elif key == "args":
                header["args"] = value.split()
    return header


def subject_of(finding):
    return f"{finding['kind']} {finding['namespace']}/{finding['name']}"


def compare(findings, header, want):
    """A list of complaints."""
    wrong = []
    if header["subject"]:
        chosen = [f for f in findings if subject_of(f) in header["subject"]]
        missing = set(header["subject"]) - {subject_of(f) for f in chosen}
        wrong += [f"{m} was not judged" for m in sorted(missing)]
    else:
        chosen = findings
        if not chosen:
            wrong.append("no subject of this rule in the file")
    for f in chosen:
        if f["result"] != want:
            wrong.append(f"{subject_of(f)}: {f['result']} instead of {want}: {f['message']}")
        elif header["message"] is not None and f["message"] != header["message"]:
            wrong.append(f"{subject_of(f)}: says {f['message']!r} instead of {header['message']!r}")
    return wrong


def judge(path):
    policy, rule = path.parts[-3], path.parts[-2]
    want = next((r for r in RESULTS if path.name.startswith(r)), None)
    if want is None:
        return [f"the name must begin with one of {', '.join(RESULTS)}"]
    header = read_header(path)
    argv = [str(BUILD / "netaudit"), "scan", "-o", "json", "--all", *header["args"], str(path)]
    run = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    if run.returncode not in (0, 1):
        return [f"{' '.join(argv)}: ended with {run.returncode}", *run.stderr.splitlines()]
    try:
        findings = json.loads(run.stdout)
    except ValueError as e:
        return [f"the output is no JSON: {e}"]
    return compare([f for f in findings if f["policy"] == policy and f["rule"] == rule], header, want)


def rules_without(paths):
    """Every rule needs a fixture that passes and one that does not (RULES; CONTRIBUTING)."""
    run = subprocess.run([str(BUILD / "netaudit"), "rules", "-o", "json"], capture_output=True, text=True,
                         cwd=ROOT, timeout=60, check=False)
    if run.returncode != 0:
        return [f"netaudit rules: ended with {run.returncode}: {run.stderr.strip()}"]
    have = {(p.parts[-3], p.parts[-2], p.name.split("-")[0].split(".")[0]) for p in paths}
    wrong = []
    for row in json.loads(run.stdout):
        policy, rule = row["policy"], row["rule"]
        if (policy, rule, "pass") not in have:
            wrong.append(f"{policy}/{rule} has no fixture that passes")
        if not any((policy, rule, r) in have for r in ("fail", "warn")):
            wrong.append(f"{policy}/{rule} has no fixture that fails")
    known = {(row["policy"], row["rule"]) for row in json.loads(run.stdout)}
    wrong += [f"{p}/{r} is no rule" for p, r in sorted({(p, r) for p, r, _ in have} - known)]
    return wrong


def main(argv):
    roots = [Path(a).resolve() for a in argv] or [HERE]
    paths = sorted(p for root in roots for p in ([root] if root.is_file() else root.glob("**/*.yaml")))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(zip([str(p.relative_to(ROOT)) for p in paths], pool.map(judge, paths)))
    if not argv:
        results.append(("every rule has a fixture that passes and one that fails", rules_without(paths)))
    print(f"1..{len(results)}")
    for i, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {i} - {name}")
        for line in wrong:
            print(f"#   {line}")
    return 1 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
