#!/usr/bin/env bash
# run_tests.sh PROGRAM...: runs TAP programs one after another and closes with `N passed, N failed, N skipped`.
# A program that dies without naming a failed test counts as one failure. The output of what failed is shown;
# VERBOSE=1 shows all of it. With TALLY=FILE the three numbers are added to that file for the summary of a larger run.
set -u
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for prog in "$@"; do
    start=$SECONDS
    timeout "${TEST_TIMEOUT:-600}" "$prog" >"$out" 2>&1 </dev/null
    rc=$?
    s=$(grep -cE '^ok .*# (SKIP|skip)' "$out")
    p=$(($(grep -cE '^ok ' "$out") - s))
    f=$(grep -cE '^not ok ' "$out")
    if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        echo "not ok - $prog ended with status $rc" >>"$out"
    fi
    if [ $((p + f + s)) -eq 0 ]; then
        f=1
        echo "not ok - $prog ran no test" >>"$out"
    fi
    if [ "$f" -gt 0 ] || [ "${VERBOSE:-0}" = 1 ]; then
        echo "--- $prog"
        cat "$out"
    fi
    printf '%-48s %4d passed %3d failed %3d skipped  %4ds\n' "${prog#*build/}" "$p" "$f" "$s" $((SECONDS - start))
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ -z "${TALLY:-}" ] || echo "$passed $failed $skipped" >>"$TALLY"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
