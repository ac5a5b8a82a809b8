#!/usr/bin/env bash
# The arrows between the rooms and the borders of the libraries: who may include what. Prints TAP; the last tests plant
# bad includes in a copy and see them found.
set -u
cd "$(dirname "$0")/.."

rooms='base cluster rules store watchers front daemon cli'

# Reads `path:line:include` (with its quotes or angles) and prints what is not allowed.
judge() {
    awk '
    function room(path) { return substr(path, 1, index(path, "/") - 1) }
    function bad(why) { print place ": " what ": " why; }
    # One of the patterns of a list matches the whole path.
    function among(path, list,    n, i, parts) {
        n = split(list, parts, " ")
        for (i = 1; i <= n; i++) if (path ~ ("^" parts[i] "$")) return 1
        return 0
    }
    BEGIN {
        # Arrows point down only. A file of the left may include the paths of the right.
        may["base"] = "base/.*"
        may["cluster"] = "cluster/.* base/.*"
        may["rules"] = "rules/.* cluster/.* base/.*"
        may["store"] = "store/.* base/.* rules/verdict[.]h cluster/cause[.]h"
        may["watchers"] = "watchers/.* cluster/.* base/.*"
        may["front"] = "front/.* store/.* watchers/.* rules/.* cluster/.* base/.*"
        may["daemon"] = "daemon/.* " may["front"]
        may["cli"] = "cli/.* " may["front"]
        # Third parties: the header, and the files that may see it.
        only["curl/curl.h"] = "watchers/http_client[.]c"
        only["uv.h"] = "watchers/.* daemon/.* cli/.* store/writer[.][ch] store/store[.]h"
        only["cjson/cJSON.h"] = "cluster/(decode|manifest|schema|tree|yaml).* watchers/.* front/.* daemon/.* cli/.*"
        only["sqlite3.h"] = "store/db[.]c"
        only["openssl/*"] = "cluster/x509[.]c base/hash[.]c"
        only["microhttpd.h"] = "daemon/http_server[.]c"
        only["yaml.h"] = "cluster/yaml[.]c"
        only["uthash.h"] = "base/.* cluster/.* rules/.* store/.*"
        only["zlib.h"] = "daemon/.*"
        n = split("assert ctype dirent emmintrin errno fcntl grp inttypes limits math netdb poll pthread pwd sched setjmp " \
                  "signal stdarg stdatomic stdbool stddef stdint stdio stdlib string strings syslog termios time unistd",
                  names, " ")
        for (i = 1; i <= n; i++) plain[names[i] ".h"] = 1
    }
    {
        split($0, f, ":"); path = f[1]; place = path ":" f[2]; what = f[3]
        target = substr(what, 2, length(what) - 2)
        if (substr(what, 1, 1) == "\"") {
            includes[path] = includes[path] " " target
            if (!among(target, may[room(path)])) bad(room(path) "/ may not include it")
            next
        }
        if ((target in plain) || target ~ /^(sys|netinet|arpa|net)\//) next
        group = target; sub(/\/.*/, "/*", group)
        allowed = (target in only) ? only[target] : only[group]
        if (allowed == "") bad("not a library that DESIGN.md 2 names")
        else if (!among(path, allowed)) bad("belongs in " allowed)
        if (target != "uthash.h") third[path] = target
    }
    END {
        # rules/ knows no third party, not even through a header of another room.
        for (start in includes) {
            if (room(start) != "rules") continue
            split("", seen); queue = includes[start]; seen[start] = 1
            while (queue != "") {
                sub(/^ +/, "", queue)
                at = queue; sub(/ .*/, "", at); queue = substr(queue, length(at) + 1)
                if (at == "" || (at in seen)) continue
                seen[at] = 1
                if (at in third) print start ": rules/ sees <" third[at] "> through " at
                queue = queue " " includes[at]
            }
        }
    }'
}

# The includes of every source under $1.
list() {
    (cd "$1" && for room in $rooms; do
        grep -nHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*("[^"]+"|<[^>]+>)' "$room"/*.[ch] 2>/dev/null
    done) | sed -E 's/#[[:space:]]*include[[:space:]]*//; s/:[[:space:]]+/:/' | grep -v '"[^"/]*"$\|[.]inc"$'
}

number=0 status=0
report() { # NAME LINES: ok when there are no lines
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '%s\n' "$2" | sed 's/^/#   /'
        status=1
    fi
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "1..12"

sources=$(list . | wc -l)
report "the sources are found" "$([ "$sources" -gt 100 ] || echo "only $sources includes seen")"
report "arrows point down and libraries stay in their files" "$(list . | judge)"

# A room's own headers are named from the top, so that a reader sees the arrow.
report "an include names its room" \
    "$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"/]*"' $(printf '%s/*.[ch] ' $rooms) 2>/dev/null)"

plant() { # NAME FILE LINE
    rm -rf "$tmp/tree"
    mkdir -p "$tmp/tree"
    for room in $rooms; do
        mkdir "$tmp/tree/$room"
        cp "$room"/*.[ch] "$tmp/tree/$room/" 2>/dev/null
    done
    printf '%s\n' "$3" >>"$tmp/tree/$2"
    report "found: $1" "$([ -n "$(list "$tmp/tree" | judge)" ] || echo "$3 in $2 was not noticed")"
}
plant "the floor looks up" base/text.c '#include "cluster/str.h"'
plant "watchers and rules do not know each other" watchers/splitter.c '#include "rules/verdict.h"'
plant "rules and watchers do not know each other" rules/reach.c '#include "watchers/informer.h"'
plant "the store sees no more of rules than verdicts" store/life.h '#include "rules/engine.h"'
plant "daemon and client do not know each other" daemon/main.c '#include "cli/options.h"'
plant "curl outside its file" watchers/informer.h '#include <curl/curl.h>'
plant "SQLite outside its file" front/settings.c '  #  include <sqlite3.h>'
plant "a third party in rules through another room" rules/reach.c '#include "cluster/tree.h"'
plant "a library that nobody chose" base/text.c '#include <glib.h>'
exit $status
