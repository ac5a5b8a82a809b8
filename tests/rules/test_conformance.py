#!/usr/bin/env python3
"""Every test that docs/CONFORMANCE.md names is there."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
from tap import check, finish  # noqa: E402


def facts_of(name):
    with open(os.path.join(ROOT, "tests/rules", name), encoding="utf-8") as f:
        text = f.read()
    return {re.sub(r'"\s*"', "", fact) for fact in re.findall(r'\{ ("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)', text)}


def main():
    with open(os.path.join(ROOT, "docs/CONFORMANCE.md"), encoding="utf-8") as f:
        rows = [line for line in f if line.startswith("| ") and not line.startswith("| Point")]
    known, named = {}, 0
    for row in rows:
        held = re.findall(r'(test_\w+\.c): "([^"]+)"', row)
        check("a test holds: " + row.split("|")[1].strip(), held, row)
        for name, fact in held:
            known.setdefault(name, facts_of(name))
            check('%s tests "%s"' % (name, fact), '"%s"' % fact in known[name])
            named += 1
    check("the table has rows", named > 40, named)
    finish()


if __name__ == "__main__":
    main()
