/* KUBE_CLIENT 3, as a property: for any schedule of faults, no state is ever shown that was never
 * true on the server, there is at most one request in flight, and once the faults stop the cache
 * equals the server's state. The state machine runs against a small model of an API server, in
 * virtual time: hours pass in microseconds.
 *
 *   WATCHER_SCHEDULES=n   how many (2,000; with LONG=1 100,000)
 *   WATCHER_SEED=s        the first seed; a failure prints the one to replay */
#include "tests/check.h"

#include <time.h>

#include "base/error.h"
#include "base/xalloc.h"
#include "watchers/reflector_step.h"

enum {
    KEYS = 8,
    LOG_MAX = 6000,
    FAULT_MS = 20 * 60 * 1000, /* how long things go wrong */
    CALM_MS = 15 * 60 * 1000,  /* and how long after it everything must be right again */
    QUIET_MS = 2 * 60 * 1000   /* without writes, at the very end */
};

/* ---- the server ---- */

struct entry {
    uint64_t rv;
    unsigned key;
    bool deleted;
};

struct state {
    uint64_t rv[KEYS]; /* of the object with that key; 0: none */
};

enum flight { NOTHING, CONNECTING, STREAMING_ITEMS, LISTING_ITEMS, FOLLOWING, HANGING };
enum stream_support { STREAM_ON, STREAM_REFUSED, STREAM_IGNORED };

struct sim {
    uint64_t seed, random, now_ms;
    struct reflector_machine m;
    struct reflector_order o;
    /* server */
    struct entry log[LOG_MAX];
    size_t log_len, window; /* entries before `window` are history */
    uint64_t rv;
    enum stream_support stream;
    bool faults, bookmarks, restored;
    uint64_t forbidden_until, absent_until, down_until, next_write_ms, next_bookmark_ms;
    /* the request in flight */
    enum flight flight;
    enum reflector_send kind;
    uint64_t act_ms, follow_rv, end_ms;
    struct state snapshot;
    uint64_t snapshot_rv;
    unsigned snapshot_key;
    struct state token; /* of the continue token given last */
    uint64_t token_rv;
    unsigned token_key;
    bool paged;
    /* client */
    struct state cache, shadow;
    bool shadow_open;
    const char *broken; /* the invariant that did not hold */
};

static uint64_t dice(struct sim *s, uint64_t n)
{
    uint64_t z = (s->random += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (z ^ (z >> 31)) % n;
}

static bool chance(struct sim *s, unsigned percent)
{
    return dice(s, 100) < percent;
}

static struct state state_at(const struct sim *s, uint64_t rv)
{
    struct state out = { { 0 } };

    for (size_t i = 0; i < s->log_len && s->log[i].rv <= rv; i++) {
        out.rv[s->log[i].key] = s->log[i].deleted ? 0 : s->log[i].rv;
    }
    return out;
}

static void write_something(struct sim *s)
{
    struct state now = state_at(s, s->rv);
    unsigned key = (unsigned)dice(s, KEYS);

    if (s->log_len == LOG_MAX) {
        return;
    }
    s->rv += 1 + dice(s, 3); /* other kinds write too */
    s->log[s->log_len++] =
        (struct entry){ .rv = s->rv, .key = key, .deleted = now.rv[key] != 0 && chance(s, 40) };
}

/* The cache shows a state that the server had at some time. */
static bool ever_true(const struct sim *s, const struct state *shown)
{
    struct state then = { { 0 } };

    if (s->restored) {
        return true; /* of that history only the end is kept here */
    }
    if (memcmp(&then, shown, sizeof(then)) == 0) {
        return true;
    }
    for (size_t i = 0; i < s->log_len; i++) {
        then.rv[s->log[i].key] = s->log[i].deleted ? 0 : s->log[i].rv;
        if (memcmp(&then, shown, sizeof(then)) == 0) {
            return true;
        }
    }
    return false;
}

static void must(struct sim *s, bool holds, const char *what)
{
    if (!holds && s->broken == NULL) {
        s->broken = what;
    }
}

/* ---- the client ---- */

static void feed(struct sim *s, struct reflector_event *ev)
{
    ev->now_ms = s->now_ms;
    reflector_step(&s->m, ev, &s->o);
    if (s->o.abort_request) {
        must(s, s->flight != NOTHING, "only what is in flight is taken back");
        s->flight = NOTHING;
    }
    if (s->o.abort_generation) {
        must(s, s->shadow_open, "only an open generation is dropped");
        s->shadow_open = false;
    }
    if (s->o.swap) {
        must(s, s->shadow_open, "only an open generation is swapped");
        s->shadow_open = false;
        s->cache = s->shadow;
        must(s, ever_true(s, &s->cache), "what is swapped in was true at some time");
    }
    if (s->o.swap_empty) {
        memset(&s->cache, 0, sizeof(s->cache));
    }
    if (s->o.begin_generation) {
        must(s, !s->shadow_open, "one generation at a time");
        s->shadow_open = true;
        memset(&s->shadow, 0, sizeof(s->shadow));
    }
    if (s->o.send != SEND_NONE) {
        must(s, s->flight == NOTHING, "one request at a time");
        s->flight = CONNECTING;
        s->kind = s->o.send;
        s->act_ms = s->now_ms + 1 + dice(s, 20);
    }
    must(s, s->flight != NOTHING || s->o.wake_ms != UINT64_MAX || s->m.phase == REFLECTOR_STOPPED,
         "nothing in flight and no timer is the end");
}

static const char *text_of(uint64_t rv)
{
    static char text[4][24];
    static unsigned next;
    char *out = text[next++ % 4];

    snprintf(out, 24, "%llu", (unsigned long long)rv);
    return out;
}

static void upsert(struct state *at, unsigned key, uint64_t rv, bool deleted)
{
    at->rv[key] = deleted ? 0 : rv;
}

/* ---- requests ---- */

static void say(struct sim *s, enum reflector_event_type type)
{
    feed(s, &(struct reflector_event){ .type = type });
}

static void lose(struct sim *s, int code)
{
    s->flight = NOTHING;
    feed(s, &(struct reflector_event){ .type = RE_FAILED, .code = code, .text = "lost" });
}

static void refuse(struct sim *s, int code, bool too_large)
{
    struct kube_status status = { .code = code,
                                  .retry_after_s = chance(s, 20) ? (int64_t)dice(s, 5) : -1,
                                  .expired = code == 410,
                                  .too_large = too_large };

    s->flight = NOTHING;
    feed(s, &(struct reflector_event){
                .type = RE_REFUSED, .status = &status, .flow_schema_empty = chance(s, 10) });
}

static void error_event(struct sim *s, int code)
{
    struct kube_status status = { .code = code, .retry_after_s = -1, .expired = code == 410 };

    feed(s, &(struct reflector_event){ .type = RE_ERROR_EVENT, .status = &status });
    if (s->flight == FOLLOWING || s->flight == STREAMING_ITEMS) {
        must(s, false, "an ERROR event takes the request back");
    }
}

/* A fault instead of an answer. */
static bool goes_wrong(struct sim *s)
{
    static const int codes[] = { 429, 429, 500, 503, 401, 422, 403, 410 };

    if (s->now_ms < s->down_until) {
        lose(s, NA_EUNREACH);
    } else if (s->now_ms < s->absent_until) {
        refuse(s, 404, false);
    } else if (s->now_ms < s->forbidden_until) {
        refuse(s, 403, false);
    } else if (!s->faults || chance(s, 60)) {
        return false;
    } else if (chance(s, 10)) {
        s->flight = HANGING;
    } else if (chance(s, 20)) {
        lose(s, chance(s, 50) ? NA_EUNREACH : NA_EIO);
    } else if (chance(s, 10)) {
        lose(s, NA_EINVAL);
    } else {
        refuse(s, codes[dice(s, ARRAY_LEN(codes))], false);
    }
    return true;
}

static void begin_follow(struct sim *s, uint64_t rv, uint64_t timeout_s)
{
    s->flight = FOLLOWING;
    s->follow_rv = rv;
    s->end_ms = s->now_ms + timeout_s * 1000;
    s->act_ms = s->now_ms + 1;
    s->next_bookmark_ms = s->now_ms + 60000;
}

static void answer_watch(struct sim *s, const struct reflector_request *q)
{
    uint64_t rv = strtoull(q->resource_version, NULL, 10);
    uint64_t oldest = s->window > 0 ? s->log[s->window - 1].rv : 0;

    if (rv < oldest && chance(s, 30)) {
        refuse(s, 410, false);
        return;
    }
    say(s, RE_ANSWER);
    if (s->o.abort_request) {
        return; /* after so long a list is wanted instead */
    }
    if (rv < oldest) {
        error_event(s, 410);
        return;
    }
    begin_follow(s, rv, q->timeout_s); /* also from the future: 200 and silence */
}

/* What a server answers from that may lag a little behind the others. */
static uint64_t some_version(struct sim *s, uint64_t least)
{
    enum { LAG = 12 };

    least = s->rv > LAG && least < s->rv - LAG ? s->rv - LAG : least;
    return least + dice(s, s->rv - least + 1);
}

static void answer_list(struct sim *s, const struct reflector_request *q)
{
    uint64_t least = q->resource_version != NULL ? strtoull(q->resource_version, NULL, 10) : s->rv;

    if (q->continue_token != NULL) {
        must(s, strcmp(q->continue_token, text_of(s->token_rv * 100 + s->token_key)) == 0,
             "the token given last comes back");
        if (s->faults && chance(s, 20)) {
            refuse(s, 410, false);
            return;
        }
        s->snapshot = s->token;
        s->snapshot_rv = s->token_rv;
        s->snapshot_key = s->token_key;
    } else {
        if (least > s->rv) {
            refuse(s, 504, true);
            return;
        }
        s->snapshot_rv = some_version(s, least);
        s->snapshot = state_at(s, s->snapshot_rv);
        s->snapshot_key = 0;
    }
    s->paged = q->limit > 0 && (q->continue_token != NULL || chance(s, 50));
    say(s, RE_ANSWER);
    s->flight = LISTING_ITEMS;
    s->act_ms = s->now_ms + 1;
}

static void answer_stream(struct sim *s, const struct reflector_request *q)
{
    uint64_t least =
        q->resource_version[0] != '\0' ? strtoull(q->resource_version, NULL, 10) : s->rv;

    if (s->stream == STREAM_REFUSED) {
        refuse(s, 422, false);
    } else if (least > s->rv) {
        refuse(s, 504, true);
    } else {
        s->snapshot_rv = some_version(s, least);
        s->snapshot = state_at(s, s->snapshot_rv);
        s->snapshot_key = 0;
        s->end_ms = s->now_ms + q->timeout_s * 1000;
        say(s, RE_ANSWER);
        s->flight = STREAMING_ITEMS;
        s->act_ms = s->now_ms + 1;
    }
}

static void connect_now(struct sim *s)
{
    struct reflector_request q;

    reflector_request(&s->m, &q);
    if (goes_wrong(s)) {
        return;
    }
    if (q.send == SEND_WATCH) {
        answer_watch(s, &q);
    } else if (q.send == SEND_LIST) {
        answer_list(s, &q);
    } else {
        answer_stream(s, &q);
    }
}

/* Something breaks in the midst of a body; true when it did. */
static bool breaks(struct sim *s, unsigned percent)
{
    if (!s->faults || !chance(s, percent)) {
        return false;
    }
    switch (dice(s, s->flight == LISTING_ITEMS ? 3 : 6)) {
    case 0:
        lose(s, NA_EIO);
        break;
    case 1:
        s->flight = HANGING;
        break;
    case 2:
        lose(s, NA_EINVAL);
        break;
    case 3:
        s->flight = NOTHING;
        say(s, RE_END);
        break;
    case 4:
        error_event(s, 410);
        break;
    default:
        error_event(s, chance(s, 50) ? 500 : 429);
        break;
    }
    return true;
}

static void list_some(struct sim *s)
{
    unsigned end = s->paged ? s->snapshot_key + 3 : KEYS;

    say(s, RE_BYTES);
    if (breaks(s, 15)) {
        return;
    }
    end = end < KEYS ? end : KEYS;
    for (unsigned k = s->snapshot_key; k < end; k++) {
        if (s->snapshot.rv[k] != 0) {
            upsert(&s->shadow, k, s->snapshot.rv[k], false);
        }
    }
    if (breaks(s, 10)) {
        return; /* cut after its items: the page comes again, or the list begins anew */
    }
    s->flight = NOTHING;
    if (end < KEYS) {
        s->token = s->snapshot;
        s->token_rv = s->snapshot_rv;
        s->token_key = end;
        feed(s, &(struct reflector_event){ .type = RE_LIST_END,
                                           .resource_version = text_of(s->snapshot_rv),
                                           .continue_token = text_of(s->token_rv * 100 + end) });
        return;
    }
    feed(s, &(struct reflector_event){
                .type = RE_LIST_END,
                .resource_version = s->faults && chance(s, 3) ? "" : text_of(s->snapshot_rv) });
}

static void stream_some(struct sim *s)
{
    say(s, RE_BYTES);
    if (breaks(s, 8)) {
        return;
    }
    while (s->snapshot_key < KEYS && s->snapshot.rv[s->snapshot_key] == 0) {
        s->snapshot_key++;
    }
    if (s->snapshot_key < KEYS) {
        unsigned k = s->snapshot_key++;

        upsert(&s->shadow, k, s->snapshot.rv[k], false);
        feed(s, &(struct reflector_event){ .type = RE_EVENT,
                                           .resource_version = text_of(s->snapshot.rv[k]) });
        s->act_ms = s->now_ms + 1;
        return;
    }
    if (s->stream == STREAM_IGNORED) {
        s->flight = HANGING; /* quiet for ever */
        return;
    }
    feed(s, &(struct reflector_event){ .type = RE_BOOKMARK,
                                       .resource_version = text_of(s->snapshot_rv),
                                       .initial_events_end = true });
    if (s->m.phase == REFLECTOR_WATCHING) {
        s->flight = FOLLOWING;
        s->follow_rv = s->snapshot_rv;
        s->act_ms = s->now_ms + 1;
        s->next_bookmark_ms = s->now_ms + 60000;
    }
}

static void follow_some(struct sim *s)
{
    const struct entry *next = NULL;

    for (size_t i = s->log_len; i > 0 && s->log[i - 1].rv > s->follow_rv; i--) {
        next = &s->log[i - 1];
    }
    s->act_ms = s->now_ms + 50;
    if (s->now_ms >= s->end_ms) {
        s->flight = NOTHING;
        say(s, RE_END);
        return;
    }
    if (next != NULL) {
        if (breaks(s, 10)) {
            return;
        }
        say(s, RE_BYTES);
        s->follow_rv = next->rv;
        upsert(&s->cache, next->key, next->rv, next->deleted);
        must(s, ever_true(s, &s->cache), "every event leads to a state that was true");
        feed(s,
             &(struct reflector_event){ .type = RE_EVENT, .resource_version = text_of(next->rv) });
        s->act_ms = s->now_ms + 1;
    } else if (s->bookmarks && s->now_ms >= s->next_bookmark_ms && s->follow_rv <= s->rv) {
        s->next_bookmark_ms = s->now_ms + 60000;
        s->follow_rv = s->rv;
        say(s, RE_BYTES);
        feed(s,
             &(struct reflector_event){ .type = RE_BOOKMARK, .resource_version = text_of(s->rv) });
    } else {
        breaks(s, 1);
    }
}

/* ---- what happens to the server ---- */

/* etcd is restored from a backup: the counter goes back, and connections are lost. Far enough back
 * that new writes do not catch up with what we know before silence has made us doubt it: when they
 * do, no client can tell without comparing whole lists. What was shown before is true no more. */
static void restore(struct sim *s)
{
    if (s->log_len < 100) {
        return;
    }
    s->log_len -= 60;
    s->rv = s->log[s->log_len - 1].rv;
    s->window = s->log_len;
    s->restored = true;
    if (s->flight != NOTHING) {
        lose(s, NA_EIO);
    }
}

static void misfortune(struct sim *s, bool restores)
{
    switch (dice(s, 60)) {
    case 0:
        s->window = s->log_len; /* history is gone */
        break;
    case 1:
        s->down_until = s->now_ms + dice(s, 180000);
        if (s->flight != NOTHING) {
            lose(s, NA_EIO);
        }
        break;
    case 2:
        s->forbidden_until = s->now_ms + dice(s, 200000);
        break;
    case 3:
        s->absent_until = s->now_ms + dice(s, 3000);
        break;
    case 4:
        if (restores) {
            restore(s);
        }
        break;
    case 5:
        s->stream = (enum stream_support)dice(s, 3);
        break;
    default:
        break;
    }
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void act(struct sim *s)
{
    switch (s->flight) {
    case CONNECTING:
        connect_now(s);
        break;
    case LISTING_ITEMS:
        list_some(s);
        break;
    case STREAMING_ITEMS:
        stream_some(s);
        break;
    case FOLLOWING:
        follow_some(s);
        break;
    default:
        break;
    }
}

static const char *run_schedule(uint64_t seed)
{
    static struct sim s;
    uint64_t calm_at, end_at, fate_ms, begin;
    bool restores, busy;

    memset(&s, 0, sizeof(s));
    s.seed = s.random = seed;
    s.now_ms = begin = 1000;
    s.rv = 100;
    s.faults = true;
    s.bookmarks = chance(&s, 80);
    s.stream = (enum stream_support)dice(&s, 3);
    restores = chance(&s, 20);
    busy = !restores && chance(&s, 50);
    for (unsigned i = 0; i < 150; i++) {
        write_something(&s);
    }
    const struct reflector_settings settings = { .seed = seed * 31,
                                                 .stream = chance(&s, 60),
                                                 .watch_timeout_ms = chance(&s, 30) ? 5000 : 300000,
                                                 .stale_after_ms = 600000,
                                                 .known_version = chance(&s, 20) ? "105" : NULL };
    calm_at = begin + FAULT_MS;
    end_at = calm_at + CALM_MS;
    fate_ms = begin + 5000;
    s.next_write_ms = begin + 100;
    reflector_machine_init(&s.m, &settings);
    say(&s, RE_START);
    while (s.now_ms < end_at && s.broken == NULL) {
        uint64_t next = earliest(s.o.wake_ms, end_at);

        if (s.flight != NOTHING && s.flight != HANGING) {
            next = earliest(next, s.act_ms);
        }
        next = earliest(next, s.next_write_ms);
        next = earliest(next, s.faults ? fate_ms : end_at);
        s.now_ms = next > s.now_ms ? next : s.now_ms;
        if (s.now_ms >= s.next_write_ms) {
            write_something(&s);
            s.next_write_ms = s.now_ms > end_at - QUIET_MS
                                  ? UINT64_MAX
                                  : s.now_ms + 1 + dice(&s, busy ? 4000 : 120000);
        }
        if (s.faults && s.now_ms >= fate_ms) {
            fate_ms = s.now_ms + 5000;
            misfortune(&s, restores);
            if (s.now_ms >= calm_at) {
                s.faults = false;
                s.down_until = s.forbidden_until = s.absent_until = 0;
            }
        }
        if (s.flight != NOTHING && s.flight != HANGING && s.now_ms >= s.act_ms) {
            act(&s);
        }
        if (s.now_ms >= s.o.wake_ms) {
            say(&s, RE_TIMER);
        }
    }
    if (s.broken == NULL) {
        struct state truth = state_at(&s, s.rv);

        must(&s, memcmp(&truth, &s.cache, sizeof(truth)) == 0, "in the end the cache is the truth");
        must(&s, s.m.state == KIND_STATE_SYNCED, "and says so");
        must(&s, s.m.phase == REFLECTOR_WATCHING, "and a watch is open");
    }
    if (s.broken != NULL && getenv("VERBOSE") != NULL) {
        fprintf(stderr, "at %llu ms: phase %s state %d version %s server %llu last failure %s\n",
                (unsigned long long)s.now_ms, reflector_phase_name(s.m.phase), (int)s.m.state,
                s.m.resource_version, (unsigned long long)s.rv, s.m.last_failure);
    }
    reflector_machine_deinit(&s.m);
    return s.broken;
}

static unsigned long long option(const char *name, unsigned long long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

TEST(any_schedule_of_faults_ends_in_the_truth)
{
    unsigned long long count = option("WATCHER_SCHEDULES", getenv("LONG") != NULL ? 100000 : 2000);
    unsigned long long first = option("WATCHER_SEED", (unsigned long long)time(NULL));
    unsigned failures = 0;

    printf("# %llu schedules from seed %llu\n", count, first);
    for (unsigned long long i = 0; i < count && failures < 5; i++) {
        const char *broken = run_schedule(first + i);

        if (broken != NULL) {
            fprintf(stderr, "WATCHER_SEED=%llu WATCHER_SCHEDULES=1 does not hold: %s\n", first + i,
                    broken);
            failures++;
        }
    }
    CHECK_INT("every schedule", failures, 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(any_schedule_of_faults_ends_in_the_truth));
}
