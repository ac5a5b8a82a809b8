#!/usr/bin/env bash
# run.sh: the end-to-end tests against a real kube-apiserver and etcd. `make e2e` calls it when the programs are built.
#
# The servers are built from their Go modules into build/e2e/ (about 4 minutes on 2 cores the first time, from the
# Go caches afterwards, not at all while nothing changed); KUBEBUILDER_ASSETS=DIR is used instead when set.
# Progress goes to stdout, logs of every process to build/e2e/logs/. The last line is `N passed, N failed, N skipped`;
# with TALLY=FILE the three numbers are added to that file. E2E_RUN=REGEXP runs some tests only, E2E_SEED=N repeats
# a random one, E2E_LOG_LEVEL=debug lets the daemon say more, E2E_BUILD=build-asan takes the programs from there.
set -u
cd "$(dirname "$0")"
bin=$(cd ../.. && pwd)/build/e2e

finish() { # finish PASSED FAILED SKIPPED
    [ -z "${TALLY:-}" ] || echo "$1 $2 $3" >>"$TALLY"
    echo "$1 passed, $2 failed, $3 skipped"
    [ "$2" -eq 0 ]
    exit
}

# A Go that is at least as new as go.mod asks. GOTOOLCHAIN=local: never fetch another one.
export GOTOOLCHAIN=local
wanted=$(sed -n 's/^go //p' go.mod)
go='' seen=''
for candidate in "$(command -v go)" /usr/local/go/bin/go /usr/lib/go/bin/go; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    has=$(cd / && "$candidate" version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
    seen="$seen $candidate is ${has:-unknown};"
    if [ -n "$has" ] && [ "$(printf '%s\n%s\n' "$wanted" "$has" | sort -V | head -1)" = "$wanted" ]; then
        go=$candidate
        break
    fi
done
if [ -z "$go" ]; then
    echo "e2e: skipped: the tests are a Go module that needs Go $wanted or newer (${seen:- no go found})"
    finish 0 0 1
fi

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    echo "e2e: kube-apiserver and etcd from KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS"
    for f in kube-apiserver etcd; do
        if [ ! -x "$KUBEBUILDER_ASSETS/$f" ]; then
            echo "e2e: $KUBEBUILDER_ASSETS/$f is not an executable file"
            finish 0 1 0
        fi
    done
else
    stamp=$(cat go.mod go.sum cmd/*/*.go run.sh | sha256sum)
    if [ "$(cat "$bin/.stamp" 2>/dev/null)" != "$stamp" ] || [ ! -x "$bin/kube-apiserver" ] || [ ! -x "$bin/etcd" ]; then
        echo "e2e: building kube-apiserver and etcd (minutes when the Go cache is cold)"
        start=$SECONDS
        version=$(sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\)$|\1|p' go.mod)
        x=k8s.io/component-base/version
        major=${version%%.*} minor=${version#*.}
        mkdir -p "$bin"
        rm -f "$bin/.stamp"
        # The version is what a release build says; without it the server calls itself v0.0.0 and clients
        # that look at it (also ours) would treat it as an ancient one.
        if ! nice -n 10 "$go" build -o "$bin/" -ldflags "-s -w -X $x.gitVersion=$version -X $x.gitMajor=${major#v} \
-X $x.gitMinor=${minor%%.*}" ./cmd/kube-apiserver ./cmd/etcd; then
            echo "e2e: the servers cannot be built"
            finish 0 1 0
        fi
        echo "$stamp" >"$bin/.stamp"
        echo "e2e: built in $((SECONDS - start)) s"
    fi
fi

# The tests read the store with the system's SQLite, the one that the daemon links.
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$go" test -tags libsqlite3 -count=1 -timeout "${E2E_TIMEOUT:-900s}" -v -run "${E2E_RUN:-.}" . 2>&1 | tee "$out"
rc=${PIPESTATUS[0]}
# Parents of subtests are not counted, unless they failed by themselves.
read -r passed failed skipped < <(awk '
    / *--- (PASS|FAIL|SKIP): / { result[$3] = substr($2, 1, 4); order[++n] = $3 }
    END {
        for (i = 1; i <= n; i++) {
            name = order[i]
            if (!match(name, /\/[^\/]*$/)) continue
            parent = substr(name, 1, RSTART - 1)
            has[parent] = 1
            if (result[name] == "FAIL") excused[parent] = 1
        }
        for (i = 1; i <= n; i++)
            if (!has[order[i]] || (result[order[i]] == "FAIL" && !excused[order[i]])) count[result[order[i]]]++
        print count["PASS"] + 0, count["FAIL"] + 0, count["SKIP"] + 0
    }' "$out")
if [ "$rc" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "e2e: go test ended with status $rc without naming a failed test"
    failed=1
fi
finish "$passed" "$failed" "$skipped"
