#!/usr/bin/env bash
# check_layers.sh [FOLDER]: fails when a room includes what stands above or beside it, or a library outside its room (the
# table in ARCHITECTURE.md). Prints TAP. With no FOLDER it also checks itself on a house with planted mistakes.
set -u
top=${1:-$(cd "$(dirname "$0")/.." && pwd)}
n=0 failed=0
# Rooms that each room may include beside itself.
declare -A below=(
    [base]=""
    [cluster]="base"
    [rules]="base cluster"
    [store]="base"
    [watchers]="base cluster"
    [front]="base cluster rules store watchers"
    [daemon]="base cluster rules store watchers front"
    [cli]="base cluster rules store watchers front"
)
# A library's header, and the files that may include it.
libraries='
curl/            ^watchers/http_client\.[ch]$
sqlite3\.h       ^store/db\.[ch]$
openssl/         ^(base/hash\.c|cluster/x509\.c)$
yaml\.h          ^cluster/yaml\.c$
zlib\.h          ^(daemon|watchers)/
uv\.h            ^(watchers|daemon|cli)/|^store/(writer\.[ch]|store\.[ch])$
cjson/           ^(cluster|watchers|front|daemon|cli)/
uthash\.h        ^(base|cluster|rules|store)/
microhttpd\.h    ^daemon/http_server\.c$
'

report() { # FACT COMPLAINTS
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
        failed=$((failed + 1))
    fi
}

# Every include of the house once: "file line header".
all=$(cd "$top" && grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "${!below[@]}" 2>/dev/null |
    sed -E 's/^([^:]+):([0-9]+):[^<"]*[<"]([^>"]+)[>"].*/\1 \2 \3/')

check_room() {
    local room=$1 file line header target complaints=""
    while read -r file line header; do
        target=${header%%/*}
        [[ $file == "$room"/* && -n ${below[$target]+x} && $target != "$header" && $target != "$room" ]] || continue
        # The store knows one header of the rules (ARCHITECTURE.md).
        [ "$room/$header" = store/rules/verdict.h ] && continue
        [[ " ${below[$room]} " == *" $target "* ]] || complaints+="$file:$line: $room/ may not include $header"$'\n'
    done <<<"$all"
    report "$room/ includes only the rooms below it" "${complaints%$'\n'}"
}

check_library() {
    local header=$1 allowed=$2 file line name complaints=""
    while read -r file line name; do
        [[ $name =~ ^$header && ! $file =~ $allowed ]] && complaints+="$file:$line: <$name> is not for this file"$'\n'
    done <<<"$all"
    report "${header//\\/} only in its place" "${complaints%$'\n'}"
}

for room in base cluster rules store watchers front daemon cli; do check_room "$room"; done
while read -r header allowed; do [ -z "$header" ] || check_library "$header" "$allowed"; done <<<"$libraries"

if [ $# -eq 0 ]; then
    house=$(mktemp -d)
    trap 'rm -rf "$house"' EXIT
    mkdir -p "$house"/{base,cluster,rules,store,watchers,front,daemon,cli}
    echo '#include "watchers/informer.h"' >"$house/rules/bad.c"
    echo '#include <sqlite3.h>' >"$house/cli/bad.c"
    echo '#include "daemon/status.h"' >"$house/cli/worse.c"
    echo '#include "rules/rule.h"' >"$house/store/bad.c"
    echo '#include "rules/verdict.h"' >"$house/store/good.c"
    found=$("$0" "$house" | grep -E '^# ' | sort)
    want='# cli/bad.c:1: <sqlite3.h> is not for this file
# cli/worse.c:1: cli/ may not include daemon/status.h
# rules/bad.c:1: rules/ may not include watchers/informer.h
# store/bad.c:1: store/ may not include rules/rule.h'
    [ "$found" = "$want" ] && report "planted mistakes are found" "" || report "planted mistakes are found" "got
$found"
fi
echo "1..$n"
[ $failed -eq 0 ]
