/* The happy path: START sends a list (streaming where it may); its end swaps the generation in and
 * goes on as, or sends, a watch; every event and bookmark moves the version forward; the server
 * ends the watch after some minutes and the next begins at that version.
 *
 * Failures keep two things apart. The *cache* stays what it was until a new generation is complete.
 * The *version* decides how we go on: as long as the server still has the history after it, a watch
 * is resumed there, however the last one ended; only 410 (history gone), a version of the future
 * (the server was restored from a backup) and watches that keep failing without progress lead to a
 * relist. A relist asks for nothing older than what we have, and for the latest only when that was
 * refused, so that a replica lagging behind never takes the cache back in time. */
#include "watchers/reflector_step.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const unsigned may_move_to[REFLECTOR_PHASE_COUNT] = {
    [REFLECTOR_IDLE] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) | BIT(REFLECTOR_STOPPED),
    /* itself: the next page, or the list begun anew */
    [REFLECTOR_LISTING] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) |
                          BIT(REFLECTOR_WATCHING) | BIT(REFLECTOR_WAITING) |
                          BIT(REFLECTOR_FORBIDDEN) | BIT(REFLECTOR_ABSENT) | BIT(REFLECTOR_STOPPED),
    /* LISTING: the fallbacks */
    [REFLECTOR_STREAMING] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) |
                            BIT(REFLECTOR_WATCHING) | BIT(REFLECTOR_WAITING) |
                            BIT(REFLECTOR_FORBIDDEN) | BIT(REFLECTOR_ABSENT) |
                            BIT(REFLECTOR_STOPPED),
    /* itself: resumed; LISTING and STREAMING: relist */
    [REFLECTOR_WATCHING] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) |
                           BIT(REFLECTOR_WATCHING) | BIT(REFLECTOR_WAITING) |
                           BIT(REFLECTOR_FORBIDDEN) | BIT(REFLECTOR_STOPPED),
    [REFLECTOR_WAITING] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) |
                          BIT(REFLECTOR_WATCHING) | BIT(REFLECTOR_STOPPED),
    [REFLECTOR_FORBIDDEN] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) |
                            BIT(REFLECTOR_WATCHING) | BIT(REFLECTOR_STOPPED),
    [REFLECTOR_ABSENT] = BIT(REFLECTOR_LISTING) | BIT(REFLECTOR_STREAMING) | BIT(REFLECTOR_STOPPED),
    [REFLECTOR_STOPPED] = 0,
};

static const char *const phase_names[REFLECTOR_PHASE_COUNT] = {
    [REFLECTOR_IDLE] = "idle",           [REFLECTOR_LISTING] = "listing",
    [REFLECTOR_STREAMING] = "streaming", [REFLECTOR_WATCHING] = "watching",
    [REFLECTOR_WAITING] = "waiting",     [REFLECTOR_FORBIDDEN] = "forbidden",
    [REFLECTOR_ABSENT] = "absent",       [REFLECTOR_STOPPED] = "stopped",
};

static const char *const edge_names[EDGE_COUNT] = {
    [EDGE_NONE] = "none",
    [EDGE_START] = "start",
    [EDGE_RESUMED] = "resumed",
    [EDGE_PAGE] = "page",
    [EDGE_LISTED] = "listed",
    [EDGE_STREAMED] = "streamed",
    [EDGE_ENDED] = "ended",
    [EDGE_SHORT] = "very-short-watch",
    [EDGE_CUT] = "cut",
    [EDGE_GARBLED] = "garbled",
    [EDGE_SILENT] = "silent",
    [EDGE_OVERDUE] = "overdue",
    [EDGE_UNREACHABLE] = "unreachable",
    [EDGE_THROTTLED] = "throttled",
    [EDGE_SERVER_ERROR] = "server-error",
    [EDGE_REFUSED] = "refused",
    [EDGE_UNAUTHORIZED] = "unauthorized",
    [EDGE_FORBIDDEN] = "forbidden",
    [EDGE_ABSENT] = "absent",
    [EDGE_EXPIRED] = "expired",
    [EDGE_TOO_LARGE] = "too-large-version",
    [EDGE_PAGE_EXPIRED] = "page-expired",
    [EDGE_BAD_LIST] = "bad-list",
    [EDGE_STREAM_REFUSED] = "stream-refused",
    [EDGE_STREAM_STUCK] = "stream-stuck",
    [EDGE_FRUITLESS] = "fruitless",
    [EDGE_DOUBT] = "doubt",
    [EDGE_STOP] = "stop",
};

const char *reflector_phase_name(enum reflector_phase phase)
{
    return phase_names[phase];
}

const char *reflector_edge_name(enum reflector_edge edge)
{
    return edge_names[edge];
}

/* ---- small things ------------------------------------------------------------------------------
 */

static bool is_number(const char *text)
{
    return text[0] >= '1' && text[0] <= '9' && strspn(text, "0123456789") == strlen(text);
}

int resource_version_compare(const char *a, const char *b, bool *comparable)
{
    size_t len_a = strlen(a), len_b = strlen(b);
    int order;

    *comparable = is_number(a) && is_number(b);
    if (!*comparable) {
        return strcmp(a, b) != 0;
    }
    if (len_a != len_b) {
        return len_a < len_b ? -1 : 1;
    }
    order = strcmp(a, b);
    return (order > 0) - (order < 0);
}

/* Something a watch can begin at. */
static bool version_usable(const char *text)
{
    return text != NULL && text[0] != '\0' && strcmp(text, "0") != 0 &&
           strlen(text) <= REFLECTOR_RV_MAX;
}

static uint64_t next_random(struct reflector_machine *m)
{
    uint64_t z = (m->random += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/* From [d, 2d). */
static uint64_t jittered(struct reflector_machine *m, uint64_t d)
{
    return d + (d > 0 ? next_random(m) % d : 0);
}

static bool in_flight(const struct reflector_machine *m)
{
    return m->phase == REFLECTOR_LISTING || m->phase == REFLECTOR_STREAMING ||
           m->phase == REFLECTOR_WATCHING;
}

static void move(struct reflector_machine *m, enum reflector_phase to, struct reflector_order *o,
                 enum reflector_edge edge)
{
    if (!(may_move_to[m->phase] & BIT(to))) {
        fprintf(stderr, "reflector: no way from %s to %s by %s\n", phase_names[m->phase],
                phase_names[to], edge_names[edge]);
        __builtin_trap(); /* a bug of this file: no event may lead here */
    }
    m->phase = to;
    m->edges[edge]++;
    o->edge = edge;
}

static void set_state(struct reflector_machine *m, enum kind_state state, const char *reason,
                      struct reflector_order *o)
{
    if (m->state == state && strcmp(m->reason, reason) == 0) {
        return;
    }
    m->state = state;
    snprintf(m->reason, sizeof(m->reason), "%s", reason);
    o->state_changed = true;
}

static void note_failure(struct reflector_machine *m, uint64_t now_ms, const char *text,
                         struct reflector_order *o)
{
    snprintf(m->last_failure, sizeof(m->last_failure), "%s", text);
    o->failed = true;
    if (!m->failing) {
        m->failing = true;
        m->failing_since_ms = now_ms;
        /* One that comes and goes is not told every time. */
        if (now_ms - m->last_episode_ms >= REFLECTOR_CALM_MS) {
            m->warn_gap_ms = 0;
        }
        m->last_episode_ms = now_ms;
        m->warned = m->warn_gap_ms == 0 || now_ms - m->last_warn_ms >= m->warn_gap_ms;
        if (m->warned) {
            m->last_warn_ms = now_ms;
            m->warn_gap_ms = m->warn_gap_ms == 0 ? REFLECTOR_WARN_GAP_MS : m->warn_gap_ms * 2;
            o->warn = true;
        }
    }
    if (m->state == KIND_STATE_PENDING) {
        set_state(m, KIND_STATE_PENDING, text, o);
    }
}

static void note_success(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    if (m->failing) {
        m->failing = false;
        o->recovered = m->warned;
        o->outage_ms = now_ms - m->failing_since_ms;
    }
}

static uint64_t backoff(struct reflector_machine *m, uint64_t now_ms)
{
    uint64_t delay;

    if (m->last_failure_ms != 0 && now_ms - m->last_failure_ms > REFLECTOR_BACKOFF_RESET_MS) {
        m->backoff_ms = REFLECTOR_BACKOFF_MS;
    }
    delay = m->backoff_ms;
    m->last_failure_ms = now_ms;
    m->backoff_ms = delay * 2 < REFLECTOR_BACKOFF_MAX_MS ? delay * 2 : REFLECTOR_BACKOFF_MAX_MS;
    return jittered(m, delay);
}

/* ---- requests
 * ------------------------------------------------------------------------------------ */

static void drop_generation(struct reflector_machine *m, struct reflector_order *o)
{
    if (m->generation_open) {
        m->generation_open = false;
        o->abort_generation = true;
    }
}

static uint64_t draw_timeout_s(struct reflector_machine *m)
{
    uint64_t seconds = jittered(m, m->settings.watch_timeout_ms) / 1000;

    return seconds > 0 ? seconds : 1;
}

/* Sends what is wanted. */
static void send_now(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o,
                     enum reflector_edge edge)
{
    static const enum reflector_phase phases[] = { [SEND_LIST] = REFLECTOR_LISTING,
                                                   [SEND_STREAM] = REFLECTOR_STREAMING,
                                                   [SEND_WATCH] = REFLECTOR_WATCHING };

    if (m->want == SEND_STREAM || (m->want == SEND_LIST && m->page == 0)) {
        drop_generation(m, o);
        m->generation_open = true;
        o->begin_generation = true;
        m->last_list_ms = now_ms;
        if (m->synced) {
            m->relists++;
            m->relist_reasons[m->relist_reason]++;
        }
    }
    m->timeout_s = m->want == SEND_LIST ? 0 : draw_timeout_s(m);
    m->answered = false;
    m->stream_warned = false;
    m->frames = 0;
    m->sent_ms = m->byte_ms = now_ms;
    m->sent[m->want]++;
    o->send = m->want;
    move(m, phases[m->want], o, edge);
}

/* A list from its beginning is wanted. */
static void want_list(struct reflector_machine *m, uint64_t now_ms, enum reflector_from from)
{
    bool stream = m->settings.stream && now_ms >= m->stream_off_until_ms;

    m->want = stream ? SEND_STREAM : SEND_LIST;
    m->from = from;
    if (from == FROM_VERSION && m->resource_version[0] == '\0' && m->known_version[0] == '\0') {
        m->from = FROM_CACHE;
    }
    m->page = 0;
    m->page_tries = 0;
    m->unpaged = false;
    buf_reset(&m->continue_token);
}

static void wait_then(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                      struct reflector_order *o, enum reflector_edge edge)
{
    uint64_t delay = backoff(m, now_ms);

    least_ms = least_ms < REFLECTOR_RETRY_AFTER_MAX_MS ? least_ms : REFLECTOR_RETRY_AFTER_MAX_MS;
    m->until_ms = now_ms + (delay > least_ms ? delay : least_ms);
    move(m, REFLECTOR_WAITING, o, edge);
}

/* The request failed and is to be made again after a pause. A first page and a streaming list begin
 * anew; a later page of the same token shows the same snapshot, so the list goes on with it. */
static void retry(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms, const char *text,
                  struct reflector_order *o, enum reflector_edge edge)
{
    note_failure(m, now_ms, text, o);
    if (m->want == SEND_LIST && m->page > 0 && ++m->page_tries < REFLECTOR_PAGE_TRIES) {
        wait_then(m, now_ms, least_ms, o, edge);
        return;
    }
    drop_generation(m, o);
    if (m->want != SEND_WATCH) {
        want_list(m, now_ms, m->from);
    }
    wait_then(m, now_ms, least_ms, o, edge);
}

/* A watch failed in a way that going back to the same version may not mend. */
static void retry_watch(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                        const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (++m->fruitless >= REFLECTOR_FRUITLESS_MAX) {
        m->fruitless = 0;
        m->edges[edge]++;
        want_list(m, now_ms, FROM_VERSION);
        edge = EDGE_FRUITLESS;
    }
    retry(m, now_ms, least_ms, text, o, edge);
}

static void stream_off(struct reflector_machine *m, uint64_t now_ms)
{
    m->stream_off_until_ms = now_ms + REFLECTOR_STREAM_RETRY_MS;
    m->stream_failures = 0;
}

/* The streaming list does not work here: the same by LIST, at once. */
static void fall_back(struct reflector_machine *m, uint64_t now_ms, const char *text,
                      struct reflector_order *o, enum reflector_edge edge)
{
    note_failure(m, now_ms, text, o);
    stream_off(m, now_ms);
    drop_generation(m, o);
    want_list(m, now_ms, m->from);
    send_now(m, now_ms, o, edge);
}

static void retry_stream(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                         const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (++m->stream_failures >= REFLECTOR_STREAM_TRIES) {
        stream_off(m, now_ms); /* the next try is a LIST */
    }
    retry(m, now_ms, least_ms, text, o, edge);
}

/* By what was in flight. */
static void retry_any(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                      const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (m->want == SEND_WATCH) {
        retry_watch(m, now_ms, least_ms, text, o, edge);
    } else if (m->want == SEND_STREAM) {
        retry_stream(m, now_ms, least_ms, text, o, edge);
    } else {
        retry(m, now_ms, least_ms, text, o, edge);
    }
}

/* ---- refusals
 * ------------------------------------------------------------------------------------ */

static void on_expired(struct reflector_machine *m, uint64_t now_ms, const char *text,
                       struct reflector_order *o)
{
    bool again = m->last_list_ms != 0 && now_ms - m->last_list_ms < 10 * REFLECTOR_SHORT_MS;

    if (m->want == SEND_LIST && m->page > 0) {
        /* Not by the inconsistent token that comes with it: that would mix two snapshots. */
        bool unpaged = m->unpaged;

        note_failure(m, now_ms, text, o);
        drop_generation(m, o);
        m->page = 0;
        m->page_tries = 0;
        m->unpaged = true;
        buf_reset(&m->continue_token);
        if (unpaged) {
            wait_then(m, now_ms, 0, o, EDGE_PAGE_EXPIRED);
        } else {
            send_now(m, now_ms, o, EDGE_PAGE_EXPIRED);
        }
        return;
    }
    if (m->want == SEND_WATCH) {
        m->relist_reason = RELIST_EXPIRED;
        want_list(m, now_ms, FROM_VERSION);
    } else if (m->from != FROM_LATEST) {
        want_list(m, now_ms, FROM_LATEST);
        again = false;
    } else {
        again = true;
    }
    if (again) {
        retry(m, now_ms, 0, text, o, EDGE_EXPIRED);
    } else {
        note_failure(m, now_ms, text, o);
        drop_generation(m, o);
        send_now(m, now_ms, o, EDGE_EXPIRED);
    }
}

/* Our version is ahead of the server's: a replica that lags (it catches up), or a restored etcd. */
static void on_too_large(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                         const char *text, struct reflector_order *o)
{
    if (m->want != SEND_WATCH && m->from != FROM_VERSION) {
        retry_any(m, now_ms, least_ms, text, o, EDGE_SERVER_ERROR);
        return;
    }
    if (m->too_large_tries++ == 0) {
        retry(m, now_ms, least_ms > REFLECTOR_SHORT_MS ? least_ms : REFLECTOR_SHORT_MS, text, o,
              EDGE_TOO_LARGE);
        return;
    }
    m->too_large_tries = 0;
    note_failure(m, now_ms, text, o);
    drop_generation(m, o);
    m->relist_reason = m->want == SEND_WATCH ? RELIST_TOO_LARGE : m->relist_reason;
    want_list(m, now_ms, FROM_LATEST);
    send_now(m, now_ms, o, EDGE_TOO_LARGE);
}

static void on_unauthorized(struct reflector_machine *m, uint64_t now_ms, const char *text,
                            struct reflector_order *o)
{
    o->refresh_credentials = true;
    if (m->auth_retried) {
        retry(m, now_ms, 0, text, o, EDGE_UNAUTHORIZED);
        return;
    }
    m->auth_retried = true;
    send_now(m, now_ms, o, EDGE_UNAUTHORIZED);
}

static uint64_t probe_delay(struct reflector_machine *m)
{
    enum { SPREAD_MS = 10000 };

    return REFLECTOR_PROBE_MS - SPREAD_MS + next_random(m) % (2 * SPREAD_MS);
}

static void on_forbidden(struct reflector_machine *m, uint64_t now_ms, bool starting,
                         const char *text, struct reflector_order *o)
{
    if (starting && m->starting_tries++ < REFLECTOR_STARTING_TRIES) {
        retry(m, now_ms, 0, text, o, EDGE_SERVER_ERROR);
        return;
    }
    note_failure(m, now_ms, text, o);
    drop_generation(m, o);
    if (m->want != SEND_WATCH) {
        want_list(m, now_ms, m->from);
    }
    set_state(m, KIND_STATE_FORBIDDEN, text, o);
    m->until_ms = now_ms + probe_delay(m);
    move(m, REFLECTOR_FORBIDDEN, o, EDGE_FORBIDDEN);
}

/* A kind that was there and now is not empties the cache: that is believed only when it is said
 * again, by the list as well. */
static void on_absent(struct reflector_machine *m, uint64_t now_ms, const char *text,
                      struct reflector_order *o)
{
    if (m->synced && ++m->absent_tries < REFLECTOR_ABSENT_TRIES) {
        want_list(m, now_ms, FROM_VERSION);
        retry(m, now_ms, 0, text, o, EDGE_ABSENT);
        return;
    }
    note_failure(m, now_ms, text, o);
    drop_generation(m, o);
    o->swap_empty = m->synced;
    m->synced = false;
    m->absent_tries = 0;
    m->resource_version[0] = '\0';
    m->known_version[0] = '\0'; /* its versions mean nothing to what may come under this name */
    want_list(m, now_ms, FROM_LATEST);
    set_state(m, KIND_STATE_ABSENT, text, o);
    m->until_ms = now_ms + probe_delay(m);
    move(m, REFLECTOR_ABSENT, o, EDGE_ABSENT);
}

static void on_other_refusal(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                             const char *text, struct reflector_order *o)
{
    if (m->want == SEND_STREAM) {
        fall_back(m, now_ms, text, o, EDGE_STREAM_REFUSED);
        return;
    }
    retry_any(m, now_ms, least_ms, text, o, EDGE_REFUSED);
}

static void refused(struct reflector_machine *m, const struct reflector_event *ev,
                    struct reflector_order *o)
{
    const struct kube_status *st = ev->status;
    uint64_t least_ms = st->retry_after_s > 0 ? (uint64_t)st->retry_after_s * 1000 : 0;
    uint64_t now = ev->now_ms;
    char text[REFLECTOR_TEXT_MAX];

    snprintf(text, sizeof(text), "%d %s%s%s", st->code,
             st->reason[0] != '\0' ? st->reason : (st->message[0] != '\0' ? "" : "answer"),
             st->reason[0] != '\0' && st->message[0] != '\0' ? ": " : "", st->message);
    if (st->too_large) {
        on_too_large(m, now, least_ms, text, o);
    } else if (st->expired) {
        on_expired(m, now, text, o);
    } else if (st->code == 401) {
        on_unauthorized(m, now, text, o);
    } else if (st->code == 403) {
        on_forbidden(m, now, ev->flow_schema_empty, text, o);
    } else if (st->code == 404) {
        on_absent(m, now, text, o);
    } else if (st->code == 429) {
        retry(m, now, least_ms, text, o, EDGE_THROTTLED);
    } else if (st->code >= 500) {
        /* An invalid version is a 500 too: a list that keeps failing forgets it. */
        if (m->want != SEND_WATCH && m->from == FROM_VERSION && st->code == 500 &&
            ++m->list_failures >= REFLECTOR_STREAM_TRIES) {
            m->list_failures = 0;
            m->from = FROM_LATEST;
        }
        retry_any(m, now, least_ms, text, o, EDGE_SERVER_ERROR);
    } else {
        if (m->want == SEND_LIST && m->from == FROM_VERSION &&
            ++m->list_failures >= REFLECTOR_STREAM_TRIES) {
            m->list_failures = 0;
            m->from = FROM_LATEST;
        }
        on_other_refusal(m, now, least_ms, text, o);
    }
}

/* ---- answers
 * ------------------------------------------------------------------------------------- */

/* Nothing was heard for so long that a list must tell whether our version still means anything. */
static void doubt(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    want_list(m, now_ms, FROM_VERSION);
    send_now(m, now_ms, o, EDGE_DOUBT);
}

static bool in_doubt(const struct reflector_machine *m, uint64_t now_ms)
{
    return now_ms - m->heard_ms >= m->silent_limit_ms;
}

static void answered(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    m->answered = true;
    m->answered_ms = m->byte_ms = now_ms;
    m->auth_retried = false;
    m->starting_tries = 0;
    if (m->phase == REFLECTOR_WATCHING && in_doubt(m, now_ms)) {
        /* After a long outage: a restored server counts on from an older version, and by the time
         * it has caught up with ours nobody can tell that we remember another history. */
        o->abort_request = true;
        doubt(m, now_ms, o);
    } else if (m->phase == REFLECTOR_WATCHING) {
        m->alive_ms = now_ms;
        m->absent_tries = m->too_large_tries = 0;
        note_success(m, now_ms, o);
        set_state(m, KIND_STATE_SYNCED, "", o);
    }
}

static void got_bytes(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    m->byte_ms = now_ms;
    m->stream_warned = false;
    if (m->phase == REFLECTOR_WATCHING) {
        m->alive_ms = m->heard_ms = now_ms;
        m->silent_limit_ms = REFLECTOR_SILENT_RELIST_MS;
        if (m->state == KIND_STATE_STALE) {
            set_state(m, KIND_STATE_SYNCED, "", o);
        }
    }
}

static void advance(struct reflector_machine *m, const char *version)
{
    bool comparable;
    int order;

    if (!version_usable(version)) {
        return;
    }
    order = resource_version_compare(version, m->resource_version, &comparable);
    if (order > 0) { /* newer, or another where that cannot be told */
        snprintf(m->resource_version, sizeof(m->resource_version), "%s", version);
    }
}

static void swapped(struct reflector_machine *m, uint64_t now_ms, const char *version,
                    struct reflector_order *o)
{
    snprintf(m->resource_version, sizeof(m->resource_version), "%s", version);
    m->known_version[0] = '\0';
    m->generation_open = false;
    m->synced = true;
    m->alive_ms = m->heard_ms = m->complete_ms = now_ms;
    m->relist_reason = RELIST_OTHER;
    m->fruitless = m->list_failures = m->stream_failures = 0;
    m->too_large_tries = m->absent_tries = 0;
    o->swap = true;
    note_success(m, now_ms, o);
    set_state(m, KIND_STATE_SYNCED, "", o);
}

static void bad_list(struct reflector_machine *m, uint64_t now_ms, const char *text,
                     struct reflector_order *o)
{
    m->page_tries = REFLECTOR_PAGE_TRIES; /* begins anew */
    retry(m, now_ms, 0, text, o, EDGE_BAD_LIST);
}

static void list_ended(struct reflector_machine *m, const struct reflector_event *ev,
                       struct reflector_order *o)
{
    const char *token = ev->continue_token != NULL ? ev->continue_token : "";

    if (token[0] != '\0') {
        if (strcmp(token, buf_text(&m->continue_token)) == 0 || m->page >= REFLECTOR_MAX_PAGES) {
            bad_list(m, ev->now_ms, "the pages of the list do not end", o);
            return;
        }
        buf_reset(&m->continue_token);
        if (buf_adds(&m->continue_token, token) != 0) {
            bad_list(m, ev->now_ms, "the continue token of the list is too long", o);
            return;
        }
        m->page++;
        m->page_tries = 0;
        send_now(m, ev->now_ms, o, EDGE_PAGE);
        return;
    }
    if (!version_usable(ev->resource_version)) {
        bad_list(m, ev->now_ms, "the list has no usable resourceVersion", o);
        return;
    }
    swapped(m, ev->now_ms, ev->resource_version, o);
    buf_deinit(&m->continue_token);
    m->want = SEND_WATCH;
    send_now(m, ev->now_ms, o, EDGE_LISTED);
}

static void bookmark(struct reflector_machine *m, const struct reflector_event *ev,
                     struct reflector_order *o)
{
    m->frames++;
    if (m->phase == REFLECTOR_WATCHING) {
        m->fruitless = 0;
        m->complete_ms = ev->now_ms;
        advance(m, ev->resource_version);
    } else if (m->phase == REFLECTOR_STREAMING && ev->initial_events_end) {
        if (!version_usable(ev->resource_version)) {
            o->abort_request = true;
            retry_stream(m, ev->now_ms, 0, "the streaming list has no usable resourceVersion", o,
                         EDGE_BAD_LIST);
            return;
        }
        swapped(m, ev->now_ms, ev->resource_version, o);
        m->want = SEND_WATCH;
        move(m, REFLECTOR_WATCHING, o, EDGE_STREAMED);
    }
}

/* ---- ends
 * ---------------------------------------------------------------------------------------- */

/* A watch is over and the next is due at once, unless that would spin, or silence has lasted so
 * long that nobody knows whether anything is there: a watch at a version of the future is answered
 * with 200 and stays silent for ever. */
static void rewatch(struct reflector_machine *m, uint64_t now_ms, const char *text,
                    struct reflector_order *o, enum reflector_edge edge)
{
    uint64_t lived_ms = m->answered ? now_ms - m->answered_ms : 0;
    bool is_short = lived_ms < REFLECTOR_SHORT_MS;
    bool spins = is_short && m->last_was_short;

    m->last_was_short = is_short;
    if (is_short && m->frames == 0) {
        retry_watch(m, now_ms, 0, text, o, edge == EDGE_ENDED ? EDGE_SHORT : edge);
        return;
    }
    if (in_doubt(m, now_ms)) {
        /* A server that sends no bookmarks is doubted less and less often. */
        m->silent_limit_ms *=
            m->silent_limit_ms < 16 * (uint64_t)REFLECTOR_SILENT_RELIST_MS ? 2 : 1;
        m->edges[edge]++;
        doubt(m, now_ms, o);
    } else if (spins) {
        wait_then(m, now_ms, 0, o, edge);
    } else {
        send_now(m, now_ms, o, edge);
    }
}

static void ended(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    if (m->phase == REFLECTOR_STREAMING) {
        retry_stream(m, now_ms, 0, "the streaming list ended before its end mark", o, EDGE_CUT);
    } else if (m->phase == REFLECTOR_WATCHING) {
        m->complete_ms = m->frames > 0 ? now_ms : m->complete_ms;
        rewatch(m, now_ms, "the watch ended at once with nothing in it", o, EDGE_ENDED);
    }
}

static void cut(struct reflector_machine *m, const struct reflector_event *ev,
                struct reflector_order *o)
{
    if (m->phase == REFLECTOR_WATCHING && m->answered) {
        rewatch(m, ev->now_ms, ev->text, o, EDGE_CUT);
    } else if (m->phase == REFLECTOR_STREAMING) {
        retry_stream(m, ev->now_ms, 0, ev->text, o, EDGE_CUT);
    } else {
        retry(m, ev->now_ms, 0, ev->text, o, EDGE_CUT);
    }
}

static void failed(struct reflector_machine *m, const struct reflector_event *ev,
                   struct reflector_order *o)
{
    switch (ev->code) {
    case NA_EUNREACH:
        retry(m, ev->now_ms, 0, ev->text, o, EDGE_UNREACHABLE);
        break;
    case NA_EAUTH:
        retry(m, ev->now_ms, 0, ev->text, o, EDGE_UNAUTHORIZED);
        break;
    case NA_EIO:
    case NA_ETIMEOUT:
        cut(m, ev, o);
        break;
    default:
        retry_any(m, ev->now_ms, 0, ev->text, o, EDGE_GARBLED);
        break;
    }
}

/* ---- time
 * ---------------------------------------------------------------------------------------- */

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t idle_limit(const struct reflector_machine *m)
{
    if (!m->answered) {
        return REFLECTOR_HEAD_MS;
    }
    switch (m->phase) {
    case REFLECTOR_LISTING:
        return REFLECTOR_LIST_IDLE_MS;
    case REFLECTOR_STREAMING:
        return REFLECTOR_STREAM_IDLE_MS;
    default:
        return REFLECTOR_WATCH_IDLE_MS;
    }
}

static uint64_t wall_limit(const struct reflector_machine *m)
{
    return m->phase == REFLECTOR_LISTING ? REFLECTOR_LIST_WALL_MS
                                         : m->timeout_s * 1000 + REFLECTOR_WALL_MARGIN_MS;
}

static bool can_get_stale(const struct reflector_machine *m)
{
    return m->state == KIND_STATE_SYNCED && m->phase != REFLECTOR_STOPPED;
}

static uint64_t wake_time(const struct reflector_machine *m)
{
    uint64_t wake = UINT64_MAX;

    if (m->phase == REFLECTOR_WAITING || m->phase == REFLECTOR_FORBIDDEN ||
        m->phase == REFLECTOR_ABSENT) {
        wake = m->until_ms;
    } else if (in_flight(m)) {
        wake = at_most(m->byte_ms + idle_limit(m), m->sent_ms + wall_limit(m));
        if (m->phase == REFLECTOR_STREAMING && m->answered && !m->stream_warned) {
            wake = at_most(wake, m->byte_ms + REFLECTOR_STREAM_WARN_MS);
        }
    }
    if (can_get_stale(m)) {
        wake = at_most(wake, m->alive_ms + m->settings.stale_after_ms);
    }
    return wake;
}

static void in_flight_too_long(struct reflector_machine *m, uint64_t now_ms, bool silent,
                               struct reflector_order *o)
{
    enum reflector_edge edge = silent ? EDGE_SILENT : EDGE_OVERDUE;

    o->abort_request = true;
    if (m->phase == REFLECTOR_STREAMING && m->answered) {
        fall_back(m, now_ms, "the streaming list has no end", o, EDGE_STREAM_STUCK);
    } else if (m->phase == REFLECTOR_WATCHING && m->answered) {
        rewatch(m, now_ms, "the watch is silent", o, edge);
    } else {
        retry(m, now_ms, 0,
              m->answered ? "the list does not come to its end" : "the server does not answer", o,
              edge);
    }
}

static void time_passed(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    if (m->phase == REFLECTOR_WAITING || m->phase == REFLECTOR_FORBIDDEN ||
        m->phase == REFLECTOR_ABSENT) {
        if (now_ms >= m->until_ms) {
            send_now(m, now_ms, o, EDGE_RESUMED);
        }
    } else if (in_flight(m)) {
        bool silent = now_ms - m->byte_ms >= idle_limit(m);

        if (silent || now_ms - m->sent_ms >= wall_limit(m)) {
            in_flight_too_long(m, now_ms, silent, o);
        } else if (m->phase == REFLECTOR_STREAMING && m->answered && !m->stream_warned &&
                   now_ms - m->byte_ms >= REFLECTOR_STREAM_WARN_MS) {
            m->stream_warned = true;
            note_failure(m, now_ms, "the streaming list is silent before its end mark", o);
        }
    }
    if (can_get_stale(m) && now_ms - m->alive_ms >= m->settings.stale_after_ms) {
        char text[REFLECTOR_TEXT_MAX];

        snprintf(text, sizeof(text), "nothing heard for %llu s%s%.200s",
                 (unsigned long long)((now_ms - m->alive_ms) / 1000), m->failing ? ": " : "",
                 m->failing ? m->last_failure : "");
        set_state(m, KIND_STATE_STALE, text, o);
    }
}

/* ---- what others call
 * ---------------------------------------------------------------------------- */

void reflector_machine_init(struct reflector_machine *m, const struct reflector_settings *settings)
{
    memset(m, 0, sizeof(*m));
    m->settings = *settings;
    m->settings.known_version = NULL;
    if (version_usable(settings->known_version)) {
        snprintf(m->known_version, sizeof(m->known_version), "%s", settings->known_version);
    }
    m->random = settings->seed;
    m->backoff_ms = REFLECTOR_BACKOFF_MS;
    m->silent_limit_ms = REFLECTOR_SILENT_RELIST_MS;
    m->state = KIND_STATE_PENDING;
    m->relist_reason = RELIST_OTHER;
    buf_init(&m->continue_token, REFLECTOR_TOKEN_MAX);
}

void reflector_machine_deinit(struct reflector_machine *m)
{
    buf_deinit(&m->continue_token);
}

static void stop(struct reflector_machine *m, struct reflector_order *o)
{
    if (m->phase == REFLECTOR_STOPPED) {
        return;
    }
    o->abort_request = in_flight(m);
    drop_generation(m, o);
    move(m, REFLECTOR_STOPPED, o, EDGE_STOP);
}

void reflector_step(struct reflector_machine *m, const struct reflector_event *ev,
                    struct reflector_order *out)
{
    memset(out, 0, sizeof(*out));
    if (ev->type == RE_STOP) {
        stop(m, out);
    } else if (ev->type == RE_START && m->phase == REFLECTOR_IDLE) {
        want_list(m, ev->now_ms, m->known_version[0] != '\0' ? FROM_VERSION : FROM_CACHE);
        send_now(m, ev->now_ms, out, EDGE_START);
    } else if (ev->type == RE_TIMER) {
        time_passed(m, ev->now_ms, out);
    } else if (in_flight(m)) {
        switch (ev->type) {
        case RE_ANSWER:
            answered(m, ev->now_ms, out);
            break;
        case RE_BYTES:
            got_bytes(m, ev->now_ms, out);
            break;
        case RE_LIST_END:
            if (m->phase == REFLECTOR_LISTING) {
                list_ended(m, ev, out);
            }
            break;
        case RE_EVENT:
            m->frames++;
            if (m->phase == REFLECTOR_WATCHING) {
                m->fruitless = 0;
                m->too_large_tries = 0;
                m->complete_ms = ev->now_ms;
                advance(m, ev->resource_version);
            }
            break;
        case RE_BOOKMARK:
            bookmark(m, ev, out);
            break;
        case RE_ERROR_EVENT:
            out->abort_request = true;
            refused(m, ev, out);
            break;
        case RE_REFUSED:
            refused(m, ev, out);
            break;
        case RE_END:
            ended(m, ev->now_ms, out);
            break;
        case RE_FAILED:
            failed(m, ev, out);
            break;
        default:
            break;
        }
    }
    out->wake_ms = wake_time(m);
}

void reflector_request(const struct reflector_machine *m, struct reflector_request *out)
{
    const char *version = m->resource_version[0] != '\0' ? m->resource_version : m->known_version;

    memset(out, 0, sizeof(*out));
    out->send = m->want;
    out->timeout_s = m->timeout_s;
    if (m->want == SEND_WATCH) {
        out->resource_version = m->resource_version;
        return;
    }
    if (m->want == SEND_STREAM) {
        out->resource_version = m->from == FROM_VERSION ? version : "";
        out->not_older_than = true;
        return;
    }
    if (m->page > 0) {
        out->limit = REFLECTOR_PAGE_ITEMS;
        out->continue_token = buf_text(&m->continue_token);
        return;
    }
    /* Paging a list of a given version is served from etcd by older servers: then in one piece. */
    out->limit = m->from == FROM_VERSION || m->unpaged ? 0 : REFLECTOR_PAGE_ITEMS;
    if (m->from != FROM_LATEST) {
        out->resource_version = m->from == FROM_VERSION ? version : "0";
        out->not_older_than = true;
    }
}
