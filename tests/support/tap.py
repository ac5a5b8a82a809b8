"""TAP for script tests: `check(fact, condition, detail)` for each fact, `finish()` at the end."""
import sys

_count = 0
_failed = 0


def check(fact, holds, detail=""):
    global _count, _failed
    _count += 1
    print("%s %d - %s" % ("ok" if holds else "not ok", _count, fact), flush=True)
    if not holds:
        _failed += 1
        for line in str(detail).splitlines():
            print("# " + line, flush=True)
    return holds


def equal(fact, got, want):
    return check(fact, got == want, "got  %r\nwant %r" % (got, want))


def skip(fact, why):
    global _count
    _count += 1
    print("ok %d - %s # SKIP %s" % (_count, fact, why), flush=True)


def finish():
    print("1..%d" % _count)
    sys.exit(1 if _failed else 0)
