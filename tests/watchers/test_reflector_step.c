/* The state machine as tables: one row per item of KUBE_CLIENT that concerns it. A row is a script
 * of lines "event -> order"; time stands still but for `+MS` and `wake`. Events:
 *
 *   start, stop, timer, +MS (time passes, then the timer), wake [LO,HI) (the timer when it was
 * asked for, which must be that many ms away), answer, bytes, end, list RV [TOKEN], event RV,
 * bookmark RV, endmark RV, error CODE [REASON], refuse CODE [retry=S] [starting] [toolarge]
 * [expired], fail unreach|cut|garbled|auth
 *
 * An order is its parts in the order in which they are carried out, e.g.
 *   "swap =synced watch(5)", "abort drop begin list(0,limit=500)", "! wait" (! failed, !! warned).
 */
#include "tests/check.h"

#include "base/error.h"
#include "base/xalloc.h"
#include "watchers/reflector_step.h"

struct rig {
    struct reflector_machine m;
    struct reflector_order o;
    uint64_t now_ms;
};

static void describe_request(const struct reflector_machine *m, char *out, size_t size)
{
    static const char *const names[] = { "", "list", "stream", "watch" };
    struct reflector_request q;
    size_t len;

    reflector_request(m, &q);
    len = (size_t)snprintf(out, size, "%s(%s", names[q.send],
                           q.resource_version != NULL ? q.resource_version : "-");
    if (q.not_older_than && q.send == SEND_LIST) {
        len += (size_t)snprintf(out + len, size - len, ",notolder");
    }
    if (q.limit > 0) {
        len += (size_t)snprintf(out + len, size - len, ",limit=%u", q.limit);
    }
    if (q.continue_token != NULL) {
        len += (size_t)snprintf(out + len, size - len, ",continue=%s", q.continue_token);
    }
    snprintf(out + len, size - len, ") ");
}

static void describe(const struct rig *rig, char *out, size_t size)
{
    static const char *const states[] = {
        "pending", "synced", "absent", "forbidden", "stale", "off"
    };
    const struct reflector_order *o = &rig->o;
    char request[256] = "";
    size_t len;

    if (o->send != SEND_NONE) {
        describe_request(&rig->m, request, sizeof(request));
    }
    snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s%s%s", o->failed ? (o->warn ? "!! " : "! ") : "",
             o->abort_request ? "abort " : "", o->abort_generation ? "drop " : "",
             o->swap ? "swap " : "", o->swap_empty ? "empty " : "",
             o->refresh_credentials ? "refresh " : "", o->recovered ? "recovered " : "",
             o->state_changed ? "=" : "", o->state_changed ? states[rig->m.state] : "",
             o->state_changed ? " " : "", o->begin_generation ? "begin " : "", request);
    len = strlen(out);
    if (rig->m.phase == REFLECTOR_WAITING && o->edge != EDGE_NONE) {
        len += (size_t)snprintf(out + len, size - len, "wait ");
    }
    if (len > 0) {
        out[len - 1] = '\0';
    }
}

static void feed(struct rig *rig, struct reflector_event *ev)
{
    ev->now_ms = rig->now_ms;
    reflector_step(&rig->m, ev, &rig->o);
}

static bool has(const char *line, const char *word)
{
    return strstr(line, word) != NULL;
}

/* One line's event. False when it cannot be read. */
static bool play(struct rig *rig, const char *row, const char *line)
{
    struct reflector_event ev = { 0 };
    struct kube_status status = { .retry_after_s = -1 };
    char verb[32] = "", a[64] = "", b[64] = "";
    unsigned long long lo, hi;

    sscanf(line, "%31s %63s %63s", verb, a, b);
    ev.resource_version = strcmp(a, "-") == 0 ? "" : a;
    if (sscanf(line, "wake [%llu,%llu)", &lo, &hi) == 2) {
        uint64_t in = rig->o.wake_ms - rig->now_ms;

        if (in < lo || in >= hi) {
            fprintf(stderr, "%s: wakes in %llu ms, not within [%llu,%llu)\n", row,
                    (unsigned long long)in, lo, hi);
            check_failed++;
        }
        rig->now_ms = rig->o.wake_ms;
        ev.type = RE_TIMER;
    } else if (verb[0] == '+') {
        rig->now_ms += strtoull(verb + 1, NULL, 10);
        ev.type = RE_TIMER;
    } else if (strcmp(verb, "timer") == 0) {
        ev.type = RE_TIMER;
    } else if (strcmp(verb, "probe") == 0) {
        ev.type = RE_PROBE;
    } else if (strcmp(verb, "start") == 0) {
        ev.type = RE_START;
    } else if (strcmp(verb, "stop") == 0) {
        ev.type = RE_STOP;
    } else if (strcmp(verb, "answer") == 0) {
        ev.type = RE_ANSWER;
    } else if (strcmp(verb, "bytes") == 0) {
        ev.type = RE_BYTES;
    } else if (strcmp(verb, "end") == 0) {
        ev.type = RE_END;
    } else if (strcmp(verb, "list") == 0) {
        ev.type = RE_LIST_END;
        ev.continue_token = b;
    } else if (strcmp(verb, "event") == 0) {
        ev.type = RE_EVENT;
    } else if (strcmp(verb, "bookmark") == 0 || strcmp(verb, "endmark") == 0) {
        ev.type = RE_BOOKMARK;
        ev.initial_events_end = verb[0] == 'e';
    } else if (strcmp(verb, "error") == 0 || strcmp(verb, "refuse") == 0) {
        const char *retry = strstr(line, "retry=");

        ev.type = verb[0] == 'e' ? RE_ERROR_EVENT : RE_REFUSED;
        status.code = atoi(a);
        status.expired = status.code == 410 || has(line, "expired");
        status.too_large = has(line, "toolarge");
        status.retry_after_s = retry != NULL ? atoi(retry + 6) : -1;
        ev.flow_schema_empty = has(line, "starting");
        ev.status = &status;
    } else if (strcmp(verb, "fail") == 0) {
        ev.type = RE_FAILED;
        ev.code = strcmp(a, "unreach") == 0 ? NA_EUNREACH
                  : strcmp(a, "cut") == 0   ? NA_EIO
                  : strcmp(a, "auth") == 0  ? NA_EAUTH
                                            : NA_EINVAL;
        ev.text = a;
    } else {
        return false;
    }
    feed(rig, &ev);
    return true;
}

#define LISTED                                                                                     \
    "start -> begin list(0,notolder,limit=500)\nanswer ->\nlist 10 -> swap =synced "               \
    "watch(10)\nanswer ->\n"
#define STREAMED "start -> begin stream()\nanswer ->\nevent 3 ->\nendmark 10 -> swap =synced\n"

static const struct {
    const char *fact;
    bool stream;
    const char *known;
    const char *script;
} rows[] = {
    /* A. List */
    { "A1: first list from the cache, then a watch at the list's version", false, NULL, LISTED },
    { "A1: a relist asks for nothing older than what it has", false, NULL,
      LISTED
      "event 12 ->\nerror 410 -> !! abort wait\nwake [800,1600) -> begin list(12,notolder)\n" },
    { "A1, B6: only when that is refused too, for the latest", false, NULL,
      LISTED "+20000 ->\nevent 12 ->\nerror 410 -> !! abort begin list(12,notolder)\nrefuse 410 -> "
             "! drop begin "
             "list(-,limit=500)\nanswer ->\nlist 90 -> swap recovered watch(90)\n" },
    { "CONTRACTS 4: with a version from the store the first list reads nothing older", false, "77",
      "start -> begin list(77,notolder)\nanswer ->\nlist 80 -> swap =synced watch(80)\n" },
    { "CONTRACTS 4: that version is of the future: once more, then the latest", false, "77",
      "start -> begin list(77,notolder)\nrefuse 504 toolarge retry=1 -> !! drop =pending "
      "wait\nwake [1000,2000) -> "
      "begin list(77,notolder)\nrefuse 504 toolarge retry=1 -> ! drop begin "
      "list(-,limit=500)\nlist 5 -> swap recovered "
      "=synced watch(5)\n" },
    { "A4, A9: pages: limit and token, no version", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nanswer ->\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nanswer ->\nlist 10 "
      "t2 -> list(-,limit=500,continue=t2)\nanswer ->\nlist 10 -> swap =synced watch(10)\n" },
    { "A7: an expired token: in one piece, at the version first asked for", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nrefuse 410 -> !! drop =pending begin "
      "list(0,notolder)\nlist 11 -> swap recovered =synced watch(11)\n" },
    { "A7: expiring every time does not spin", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nrefuse 410 -> !! drop =pending begin "
      "list(0,notolder)\nlist 10 t2 -> list(-,limit=500,continue=t2)\nrefuse 410 -> ! drop "
      "wait\nwake [800,1600) -> begin "
      "list(0,notolder)\n" },
    { "a later page is tried again on the same token", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nrefuse 429 retry=3 -> !! =pending "
      "wait\nwake [3000,3001) -> list(-,limit=500,continue=t1)\nfail cut -> ! =pending wait\nwake "
      "[1600,3200) -> "
      "list(-,limit=500,continue=t1)\nlist 10 -> swap recovered =synced watch(10)\n" },
    { "pages that do not end are no list", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nlist 10 t1 -> !! drop =pending wait\n" },
    { "A13: a list without a version is an error", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nanswer ->\nlist - -> !! drop =pending wait\nwake "
      "[800,1600) -> begin "
      "list(0,notolder,limit=500)\nlist 0 -> ! drop wait\n" },
    { "A11: a list that stalls is taken back", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nanswer ->\n+30000 ->\nbytes ->\n+59999 ->\n+1 -> "
      "!! abort drop =pending wait\n" },
    { "A11: a list that drips for ever is taken back", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nanswer ->\n+50000 ->\nbytes ->\n+50000 ->\nbytes "
      "->\n+50000 ->\nbytes ->\n+50000 "
      "->\nbytes ->\n+50000 ->\nbytes ->\n+50000 ->\nbytes ->\n+50000 ->\nbytes ->\n+50000 "
      "->\nbytes ->\n+50000 ->\nbytes "
      "->\n+50000 ->\nbytes ->\n+50000 ->\nbytes ->\n+50000 -> !! abort drop =pending wait\n" },

    /* B. Watch */
    { "B2: a watch that the server ends is resumed at once, no relist", false, NULL,
      LISTED "+150000 -> abort watch(10)\nanswer ->\nbytes ->\nevent 11 ->\n+100000 ->\nend -> "
             "watch(11)\n" },
    { "B3: closed at once with nothing in it: back-off", false, NULL,
      LISTED "end -> !! wait\nwake [800,1600) -> watch(10)\nanswer -> recovered\nend -> ! "
             "wait\nwake [1600,3200) -> watch(10)\n" },
    { "B3: closed at once with an event: at once, but only once", false, NULL,
      LISTED "event 11 ->\nend -> watch(11)\nanswer ->\nevent 12 ->\nend -> wait\nwake [800,1600) "
             "-> watch(12)\n" },
    { "B4: the version moves with events and bookmarks", false, NULL,
      LISTED "event 11 ->\nbookmark 15 ->\n+5000 ->\nend -> watch(15)\n" },
    { "B4: an event without a version leaves it", false, NULL,
      LISTED "event 11 ->\nevent - ->\nevent 0 ->\n+5000 ->\nend -> watch(11)\n" },
    { "B6: 410 in the stream after a while: relist at the last version, at once", false, NULL,
      LISTED "event 11 ->\n+60000 ->\nerror 410 -> !! abort begin list(11,notolder)\nlist 20 -> "
             "swap recovered watch(20)\n" },
    { "B6: reason Expired with another code is the same", false, NULL,
      LISTED "+60000 ->\nerror 500 expired -> !! abort begin list(10,notolder)\n" },
    { "B7: 410 on the request is the same", false, NULL,
      LISTED "+60000 ->\nend -> watch(10)\nrefuse 410 -> !! begin list(10,notolder)\n" },
    { "B8: a version of the future: once more at it, then the latest", false, NULL,
      LISTED "+60000 ->\nend -> watch(10)\nrefuse 504 toolarge retry=1 -> !! wait\nwake "
             "[1000,2000) -> watch(10)\nrefuse 504 "
             "toolarge -> ! begin list(-,limit=500)\nlist 5 -> swap recovered watch(5)\n" },
    { "section 6: watches silent for ever are doubted: a list tells", false, NULL,
      LISTED "+150000 -> abort watch(10)\nanswer ->\n+150000 -> abort begin "
             "list(10,notolder)\nrefuse 504 toolarge -> !! drop "
             "wait\nwake [1000,2000) -> begin list(10,notolder)\nrefuse 504 toolarge -> ! drop "
             "begin list(-,limit=500)\nlist 3 -> "
             "swap recovered watch(3)\n" },
    { "section 6: the same when the watches are short", false, NULL,
      LISTED "+100000 ->\nend -> watch(10)\nanswer ->\n+100000 ->\nend -> watch(10)\nanswer "
             "->\n+100000 ->\nend -> begin "
             "list(10,notolder)\n" },
    { "a byte ends the doubt", false, NULL,
      LISTED "+150000 -> abort watch(10)\nanswer ->\n+149999 ->\nbytes ->\n+149999 ->\nend -> "
             "watch(10)\nanswer ->\n+150000 -> abort watch(10)\n" },
    { "B12: versions of any length move forward only", false, NULL,
      LISTED "event 123456789012345678901234567890 ->\nevent 99 ->\n+5000 ->\nend -> "
             "watch(123456789012345678901234567890)\n" },
    { "B12: versions that are no numbers are taken as they come", false, NULL,
      LISTED "event abc ->\n+5000 ->\nend -> watch(abc)\n" },
    { "B14: a garbled stream: back-off, then on at the same version", false, NULL,
      LISTED "event 11 ->\nfail garbled -> !! wait\nwake [800,1600) -> watch(11)\n" },

    /* C. Streaming list */
    { "C1, C2: the end mark swaps, and the same stream goes on", true, NULL,
      STREAMED "event 12 ->\n+9000 ->\nend -> watch(12)\n" },
    { "C3: a bookmark without the mark does not end it", true, NULL,
      "start -> begin stream()\nanswer ->\nbookmark 9 ->\nendmark 10 -> swap =synced\n" },
    { "C2: cut before the mark: nothing is swapped", true, NULL,
      "start -> begin stream()\nanswer ->\nevent 3 ->\nfail cut -> !! drop =pending wait\nwake "
      "[800,1600) -> begin stream()\n" },
    { "C7: versions within the initial events do not count", true, NULL,
      STREAMED "error 410 -> !! abort wait\nwake [800,1600) -> begin stream(10)\nanswer ->\nevent "
               "11 ->\nfail cut -> ! drop wait\nwake "
               "[1600,3200) -> begin stream(10)\n" },
    { "C4: refused: LIST at once, and from then on", true, NULL,
      "start -> begin stream()\nrefuse 422 -> !! drop =pending begin "
      "list(0,notolder,limit=500)\nlist 10 -> swap recovered =synced "
      "watch(10)\nanswer ->\n+60000 ->\nerror 410 -> ! abort begin list(10,notolder)\n" },
    { "C4: and a day later tried again", true, NULL,
      "start -> begin stream()\nrefuse 400 -> !! drop =pending begin "
      "list(0,notolder,limit=500)\nlist 10 -> swap recovered =synced "
      "watch(10)\nanswer ->\nbytes ->\n+86400000 -> abort =stale begin stream(10)\n" },
    { "C4: 429, refused connections and 5xx do not count against it", true, NULL,
      "start -> begin stream()\nrefuse 429 -> !! drop =pending wait\nwake [800,1600) -> begin "
      "stream()\nfail unreach -> ! drop =pending wait\nwake "
      "[1600,3200) -> begin stream()\nrefuse 503 -> ! drop =pending wait\nwake [3200,6400) -> "
      "begin stream()\n" },
    { "C4: cut three times in a row: LIST", true, NULL,
      "start -> begin stream()\nend -> !! drop =pending wait\nwake [800,1600) -> begin "
      "stream()\nend -> ! drop wait\nwake [1600,3200) -> begin "
      "stream()\nend -> ! drop wait\nwake [3200,6400) -> begin list(0,notolder,limit=500)\n" },
    { "C5: no end mark: a warning after 10 s of silence, LIST after 60 s", true, NULL,
      "start -> begin stream()\nanswer ->\nevent 3 ->\nwake [10000,10001) -> !! =pending\nwake "
      "[50000,50001) -> ! abort drop "
      "=pending begin list(0,notolder,limit=500)\nlist 4 -> swap recovered =synced watch(4)\n" },
    { "410 of a streaming list: the latest, then patience", true, "5",
      "start -> begin stream(5)\nrefuse 410 -> !! drop =pending begin stream()\nerror 410 -> ! "
      "abort drop wait\n" },

    /* D. Errors */
    { "D1: the pauses double from 0.8 s to 30 s, each up to twice as long", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nfail unreach -> !! drop =pending wait\nwake "
      "[800,1600) -> begin list(0,notolder,limit=500)\nfail "
      "unreach -> ! drop wait\nwake [1600,3200) -> begin list(0,notolder,limit=500)\nfail unreach "
      "-> ! drop wait\nwake [3200,6400) -> begin "
      "list(0,notolder,limit=500)\nfail unreach -> ! drop wait\nwake [6400,12800) -> begin "
      "list(0,notolder,limit=500)\nfail unreach -> ! drop "
      "wait\nwake [12800,25600) -> begin list(0,notolder,limit=500)\nfail unreach -> ! drop "
      "wait\nwake [25600,51200) -> begin "
      "list(0,notolder,limit=500)\nfail unreach -> ! drop wait\nwake [30000,60000) -> begin "
      "list(0,notolder,limit=500)\nfail unreach -> ! drop "
      "wait\nwake [30000,60000) -> begin list(0,notolder,limit=500)\n" },
    { "D1: two minutes without a failure begin it anew", false, NULL,
      LISTED "fail garbled -> !! wait\nwake [800,1600) -> watch(10)\nanswer -> recovered\nfail "
             "garbled -> ! wait\nwake [1600,3200) -> "
             "watch(10)\nanswer ->\n+120001 ->\nbytes ->\nfail garbled -> !! wait\nwake [800,1600) "
             "-> watch(10)\n" },
    { "D2: refused connections: the same version, no relist, however long", false, NULL,
      LISTED
      "+5000 ->\nfail cut -> watch(10)\nfail unreach -> !! wait\nwake [800,1600) -> "
      "watch(10)\nfail unreach -> ! wait\nwake "
      "[1600,3200) -> watch(10)\nfail unreach -> ! wait\nwake [3200,6400) -> watch(10)\nfail "
      "unreach -> ! wait\nwake [6400,12800) -> "
      "watch(10)\nfail unreach -> ! wait\nwake [12800,25600) -> watch(10)\nfail unreach -> ! "
      "wait\nwake [25600,51200) -> "
      "watch(10)\nfail unreach -> ! wait\nwake [30000,60000) -> watch(10)\nfail unreach -> ! "
      "wait\nwake [30000,60000) -> "
      "watch(10)\nfail unreach -> ! wait\nwake [30000,60000) -> watch(10)\nanswer -> recovered\n" },
    { "D2, D9: 429 on the watch: the same version, no relist, however often", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 429 retry=1 -> !! wait\nwake [1000,1600) -> "
             "watch(10)\nrefuse 429 retry=1 -> ! wait\nwake "
             "[1600,3200) -> watch(10)\nrefuse 429 retry=1 -> ! wait\nwake [3200,6400) -> "
             "watch(10)\nrefuse 429 -> ! wait\nwake "
             "[6400,12800) -> watch(10)\nrefuse 429 -> ! wait\nwake [12800,25600) -> "
             "watch(10)\nrefuse 429 -> ! wait\nwake [25600,51200) "
             "-> watch(10)\nrefuse 429 -> ! wait\nwake [30000,60000) -> watch(10)\nrefuse 429 -> ! "
             "wait\nwake [30000,60000) -> "
             "watch(10)\nrefuse 429 -> ! wait\nwake [30000,60000) -> watch(10)\n" },
    { "D3: Retry-After is the least, and has a limit", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nrefuse 503 retry=30 -> !! drop =pending "
      "wait\nwake [30000,30001) -> begin "
      "list(0,notolder,limit=500)\nrefuse 503 retry=2000000000 -> ! drop wait\nwake "
      "[300000,300001) -> begin "
      "list(0,notolder,limit=500)\nrefuse 503 retry=0 -> ! drop wait\nwake [800,1600) -> begin "
      "list(0,notolder,limit=500)\n" },
    { "D5: 500 on and on: in place for a while, then a relist", false, NULL,
      LISTED "+5000 ->\nerror 500 -> !! abort wait\nwake [800,1600) -> watch(10)\nrefuse 500 -> ! "
             "wait\nwake [1600,3200) -> "
             "watch(10)\nrefuse 500 -> ! wait\nwake [3200,6400) -> watch(10)\nrefuse 500 -> ! "
             "wait\nwake [6400,12800) -> watch(10)\nrefuse "
             "500 -> ! wait\nwake [12800,25600) -> watch(10)\nrefuse 500 -> ! wait\nwake "
             "[25600,51200) -> watch(10)\nrefuse 500 -> ! "
             "wait\nwake [30000,60000) -> watch(10)\nrefuse 500 -> ! wait\nwake [30000,60000) -> "
             "begin list(10,notolder)\n" },
    { "D6: 401: credentials are read again, one more try at once, then back-off", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 401 -> refresh watch(10)\nanswer ->\n+5000 "
             "->\nend -> watch(10)\nrefuse 401 -> refresh "
             "watch(10)\nrefuse 401 -> !! refresh wait\nwake [800,1600) -> watch(10)\nrefuse 401 "
             "-> ! refresh wait\nwake [1600,3200) -> "
             "watch(10)\nanswer -> recovered\n" },
    { "D6: 401 within a paged list goes on with the page", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nlist 10 t1 -> "
      "list(-,limit=500,continue=t1)\nrefuse 401 -> refresh "
      "list(-,limit=500,continue=t1)\nlist 10 -> swap =synced watch(10)\n" },
    { "D7: 403: forbidden, asked again every minute or so", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nrefuse 403 -> !! drop =forbidden\nwake "
      "[50000,70000) -> begin "
      "list(0,notolder,limit=500)\nlist 10 -> swap recovered =synced watch(10)\n" },
    { "D7: a running kind that may no longer be watched keeps its cache, and is resumed", false,
      NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 403 -> !! =forbidden\nwake [50000,70000) -> "
             "watch(10)\nrefuse 403 -> !\nwake "
             "[50000,70000) -> watch(10)\nanswer -> recovered =synced\n" },
    { "section 6: 403 of a server that is starting is not believed at once", false, NULL,
      LISTED "+5000 ->\nfail cut -> watch(10)\nrefuse 403 starting -> !! wait\nwake [800,1600) -> "
             "watch(10)\nanswer -> recovered\n" },
    { "D8: 404: absent, asked again; when it comes it is a new sync", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nrefuse 404 -> !! drop =absent\nwake "
      "[50000,70000) -> begin list(-,limit=500)\nrefuse 404 -> ! drop\nwake "
      "[50000,70000) -> begin list(-,limit=500)\nlist 3 -> swap recovered =synced watch(3)\n" },
    { "D8: an absent kind is asked for at once when it may have come", false, NULL,
      "probe ->\nstart -> begin list(0,notolder,limit=500)\nprobe ->\nrefuse 404 -> !! drop "
      "=absent\n+1000 ->\nprobe -> begin list(-,limit=500)\nprobe ->\nrefuse 404 -> ! drop\nprobe "
      "-> begin list(-,limit=500)\nlist 3 -> swap recovered =synced watch(3)\nprobe ->\n" },
    { "D8: a kind that was there is gone only after three 404s", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 404 -> !! wait\nwake [800,1600) -> begin "
             "list(10,notolder)\nrefuse 404 -> ! drop wait\nwake "
             "[1600,3200) -> begin list(10,notolder)\nrefuse 404 -> ! drop empty =absent\nwake "
             "[50000,70000) -> begin list(-,limit=500)\n" },
    { "D8: one 404 in between is nothing", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 404 -> !! wait\nwake [800,1600) -> begin "
             "list(10,notolder)\nlist 12 -> swap recovered watch(12)\n" },
    { "D10, D11: trouble that comes and goes is told ever more seldom", false, NULL,
      LISTED "fail garbled -> !! wait\nwake [800,1600) -> watch(10)\nanswer -> recovered\n+60000 "
             "->\nfail garbled -> ! wait\n+60000 -> "
             "watch(10)\nanswer ->\n+60000 ->\nfail garbled -> !! wait\n+60000 -> "
             "watch(10)\nanswer -> recovered\n+120000 ->\nfail garbled -> ! "
             "wait\n" },

    /* E. Connection */
    { "E1b: silent for 150 s: re-watch, not relist", false, NULL,
      LISTED "bytes ->\nevent 11 ->\nwake [150000,150001) -> abort watch(11)\n" },
    { "E8: cut at any time is a cut, and the watch goes on where it stood", false, NULL,
      LISTED "event 11 ->\n+2000 ->\nfail cut -> watch(11)\n" },
    { "a server that takes the connection and never answers", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nwake [70000,70001) -> !! abort wait\n" },

    /* H, CONTRACTS 1 */
    { "stale after the time configured; after so long a list has to tell, then fresh", false, NULL,
      LISTED "+5000 ->\nfail cut -> watch(10)\nfail unreach -> !! wait\n+600000 -> =stale "
             "watch(10)\nanswer -> abort begin list(10,notolder)\nlist 12 -> swap recovered "
             "=synced watch(12)\n" },
    { "forbidden is not stale", false, NULL,
      LISTED "+5000 ->\nend -> watch(10)\nrefuse 403 -> !! =forbidden\n+3000000 -> "
             "watch(10)\nrefuse 403 -> !\n" },
    { "stopping takes everything back", false, NULL,
      "start -> begin list(0,notolder,limit=500)\nstop -> abort drop\nanswer ->\nlist 10 "
      "->\n+1000000 ->\n" },
    { "what makes no sense changes nothing", false, NULL,
      LISTED "list 99 ->\nstart ->\nendmark 12 ->\n+5000 ->\nend -> watch(12)\n" },
};

static void run_script(const char *fact, const struct reflector_settings *settings,
                       const char *text)
{
    struct rig rig = { .now_ms = 1000000 };
    char *script = xstrdup(text), *save = NULL;

    reflector_machine_init(&rig.m, settings);
    for (char *line = strtok_r(script, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *arrow = strstr(line, "->"), got[512], where[400];
        const char *want = arrow + 2 + strspn(arrow + 2, " ");

        *arrow = '\0';
        snprintf(where, sizeof(where), "%s  [%s]", fact, line);
        REQUIRE("the script can be read", play(&rig, where, line));
        describe(&rig, got, sizeof(got));
        CHECK_STR(where, got, want);
    }
    reflector_machine_deinit(&rig.m);
    free(script);
}

TEST(every_row_of_the_checklist)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct reflector_settings settings = { .seed = 7 + i,
                                                     .stream = rows[i].stream,
                                                     .watch_timeout_ms = 300000,
                                                     .stale_after_ms = 600000,
                                                     .known_version = rows[i].known };

        run_script(rows[i].fact, &settings, rows[i].script);
    }
}

TEST(a_kind_that_every_api_server_has_is_never_absent)
{
    const struct reflector_settings settings = {
        .seed = 3, .watch_timeout_ms = 300000, .stale_after_ms = 600000, .always_served = true
    };

    run_script("at the start nothing is known", &settings,
               "start -> begin list(0,notolder,limit=500)\nrefuse 404 -> !! drop =pending "
               "wait\nwake [800,1600) -> begin list(0,notolder,limit=500)\nrefuse 404 -> ! drop "
               "wait\nwake [1600,3200) -> begin list(0,notolder,limit=500)\nrefuse 404 -> ! drop "
               "wait\n");
    run_script("later what was there stays, and goes stale", &settings,
               LISTED "+5000 ->\nend -> watch(10)\nrefuse 404 -> !! wait\nwake [800,1600) -> "
                      "watch(10)\nrefuse 404 -> ! wait\nwake [1600,3200) -> watch(10)\nrefuse 404 "
                      "-> ! wait\nwake [3200,6400) -> watch(10)\nrefuse 404 -> ! wait\n+600000 -> "
                      "=stale watch(10)\n");
}

TEST(B1_timeouts_are_spread_over_five_to_ten_minutes)
{
    struct rig rig = { .now_ms = 1 };
    const struct reflector_settings settings = { .seed = 3,
                                                 .watch_timeout_ms = 300000,
                                                 .stale_after_ms = 600000 };
    unsigned bins[10] = { 0 };

    reflector_machine_init(&rig.m, &settings);
    play(&rig, "", "start");
    play(&rig, "", "list 5");
    for (unsigned i = 0; i < 10000; i++) {
        struct reflector_request q;

        reflector_request(&rig.m, &q);
        REQUIRE("within [300, 600)", q.timeout_s >= 300 && q.timeout_s < 600);
        bins[(q.timeout_s - 300) / 30]++;
        play(&rig, "", "answer");
        play(&rig, "", "bytes");
        rig.now_ms += 2000;
        play(&rig, "", "end");
    }
    for (unsigned i = 0; i < 10; i++) {
        CHECK("evenly", bins[i] > 800 && bins[i] < 1200);
    }
    reflector_machine_deinit(&rig.m);
}

TEST(E1c_a_watch_that_outlives_its_timeout_by_five_seconds_is_taken_back)
{
    struct rig rig = { .now_ms = 1 };
    const struct reflector_settings settings = { .seed = 4,
                                                 .watch_timeout_ms = 300000,
                                                 .stale_after_ms = 600000 };
    struct reflector_request q;

    reflector_machine_init(&rig.m, &settings);
    play(&rig, "", "start");
    play(&rig, "", "list 5");
    play(&rig, "", "answer");
    reflector_request(&rig.m, &q);
    for (uint64_t t = 0; t + 1000 < q.timeout_s * 1000 + 5000; t += 1000) {
        play(&rig, "", "+1000");
        play(&rig, "", "bytes");
        REQUIRE("until then it lives", !rig.o.abort_request && rig.m.phase == REFLECTOR_WATCHING);
    }
    play(&rig, "", "+1000");
    CHECK("then it is taken back", rig.o.abort_request);
    CHECK("and resumed at once", rig.o.send == SEND_WATCH);
    CHECK_INT("because of its age", rig.o.edge, EDGE_OVERDUE);
    reflector_machine_deinit(&rig.m);
}

TEST(B3_a_server_that_closes_at_once_is_not_hammered)
{
    struct rig rig = { .now_ms = 1 };
    const struct reflector_settings settings = { .seed = 9,
                                                 .watch_timeout_ms = 300000,
                                                 .stale_after_ms = 600000 };
    uint64_t begin, requests;

    reflector_machine_init(&rig.m, &settings);
    play(&rig, "", "start");
    play(&rig, "", "list 5");
    begin = rig.now_ms;
    for (unsigned i = 0; i < 1000; i++) {
        if (rig.m.phase == REFLECTOR_LISTING) {
            play(&rig, "", "list 5");
        }
        play(&rig, "", "answer");
        if (rig.m.phase == REFLECTOR_LISTING) { /* after so long without a byte */
            play(&rig, "", "list 5");
            play(&rig, "", "answer");
        }
        play(&rig, "", "end");
        rig.now_ms = rig.o.wake_ms > rig.now_ms ? rig.o.wake_ms : rig.now_ms;
        play(&rig, "", "timer");
    }
    requests = rig.m.sent[SEND_WATCH];
    CHECK("at most one in 30 s in the long run", (rig.now_ms - begin) / requests >= 29000);
    CHECK("a relist at most every four minutes",
          rig.m.relists > 100 && rig.m.relists <= (rig.now_ms - begin) / 240000 + 1);
    reflector_machine_deinit(&rig.m);
}

/* 1000 clients lose their server at the same moment. */
TEST(D1_a_thousand_clients_come_back_spread_out)
{
    enum { CLIENTS = 1000 };
    unsigned per_second[120] = { 0 }, most = 0;

    for (unsigned c = 0; c < CLIENTS; c++) {
        struct rig rig = { .now_ms = 1 };
        const struct reflector_settings settings = { .seed = c,
                                                     .watch_timeout_ms = 300000,
                                                     .stale_after_ms = 600000 };

        reflector_machine_init(&rig.m, &settings);
        play(&rig, "", "start");
        while (rig.now_ms < 100000) {
            play(&rig, "", "fail unreach");
            rig.now_ms = rig.o.wake_ms;
            play(&rig, "", "timer");
            if (rig.now_ms < 120000) {
                per_second[rig.now_ms / 1000]++;
            }
        }
        reflector_machine_deinit(&rig.m);
    }
    for (unsigned i = 50; i < 100; i++) {
        most = per_second[i] > most ? per_second[i] : most;
    }
    CHECK("after 50 s no second sees more than one in sixteen of them", most < CLIENTS / 16);
}

TEST(versions_compare_as_numbers_of_any_length)
{
    static const struct {
        const char *a, *b;
        int order;
        bool comparable;
    } cases[] = {
        { "9", "10", -1, true },
        { "10", "9", 1, true },
        { "10", "10", 0, true },
        { "123456789012345678901234567890", "123456789012345678901234567891", -1, true },
        { "0", "1", 1, false },
        { "abc", "abc", 0, false },
        { "abc", "abd", 1, false },
        { "007", "8", 1, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool comparable;

        CHECK_INT(cases[i].a, resource_version_compare(cases[i].a, cases[i].b, &comparable),
                  cases[i].order);
        CHECK(cases[i].a, comparable == cases[i].comparable);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(every_row_of_the_checklist),
              cmocka_unit_test(a_kind_that_every_api_server_has_is_never_absent),
              cmocka_unit_test(B1_timeouts_are_spread_over_five_to_ten_minutes),
              cmocka_unit_test(E1c_a_watch_that_outlives_its_timeout_by_five_seconds_is_taken_back),
              cmocka_unit_test(B3_a_server_that_closes_at_once_is_not_hammered),
              cmocka_unit_test(D1_a_thousand_clients_come_back_spread_out),
              cmocka_unit_test(versions_compare_as_numbers_of_any_length));
}
