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
#include "watchers/reflector_private.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* ---- answers ---- */

/* Nothing was heard for so long that a list must tell whether our version still means anything. */
static void doubt(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    machine_want_list(m, now_ms, FROM_VERSION);
    machine_send(m, now_ms, o, EDGE_DOUBT);
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
        machine_succeeded(m, now_ms, o);
        machine_set_state(m, KIND_STATE_SYNCED, "", o);
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
            machine_set_state(m, KIND_STATE_SYNCED, "", o);
        }
    }
}

static void advance(struct reflector_machine *m, const char *version)
{
    bool comparable;
    int order;

    if (!machine_version_usable(version)) {
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
    machine_succeeded(m, now_ms, o);
    machine_set_state(m, KIND_STATE_SYNCED, "", o);
}

static void bad_list(struct reflector_machine *m, uint64_t now_ms, const char *text,
                     struct reflector_order *o)
{
    m->page_tries = REFLECTOR_PAGE_TRIES; /* begins anew */
    machine_retry(m, now_ms, 0, text, o, EDGE_BAD_LIST);
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
        machine_send(m, ev->now_ms, o, EDGE_PAGE);
        return;
    }
    if (!machine_version_usable(ev->resource_version)) {
        bad_list(m, ev->now_ms, "the list has no usable resourceVersion", o);
        return;
    }
    swapped(m, ev->now_ms, ev->resource_version, o);
    buf_deinit(&m->continue_token);
    m->want = SEND_WATCH;
    machine_send(m, ev->now_ms, o, EDGE_LISTED);
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
        if (!machine_version_usable(ev->resource_version)) {
            o->abort_request = true;
            machine_retry_stream(m, ev->now_ms, 0,
                                 "the streaming list has no usable resourceVersion", o,
                                 EDGE_BAD_LIST);
            return;
        }
        swapped(m, ev->now_ms, ev->resource_version, o);
        m->want = SEND_WATCH;
        machine_move(m, REFLECTOR_WATCHING, o, EDGE_STREAMED);
    }
}

/* ---- ends ---- */

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
        machine_retry_watch(m, now_ms, 0, text, o, edge == EDGE_ENDED ? EDGE_SHORT : edge);
        return;
    }
    if (in_doubt(m, now_ms)) {
        /* A server that sends no bookmarks is doubted less and less often. */
        m->silent_limit_ms *=
            m->silent_limit_ms < 16 * (uint64_t)REFLECTOR_SILENT_RELIST_MS ? 2 : 1;
        m->edges[edge]++;
        doubt(m, now_ms, o);
    } else if (spins) {
        machine_wait(m, now_ms, 0, o, edge);
    } else {
        machine_send(m, now_ms, o, edge);
    }
}

static void ended(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    if (m->phase == REFLECTOR_STREAMING) {
        machine_retry_stream(m, now_ms, 0, "the streaming list ended before its end mark", o,
                             EDGE_CUT);
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
        machine_retry_stream(m, ev->now_ms, 0, ev->text, o, EDGE_CUT);
    } else {
        machine_retry(m, ev->now_ms, 0, ev->text, o, EDGE_CUT);
    }
}

static void failed(struct reflector_machine *m, const struct reflector_event *ev,
                   struct reflector_order *o)
{
    switch (ev->code) {
    case NA_EUNREACH:
        machine_retry(m, ev->now_ms, 0, ev->text, o, EDGE_UNREACHABLE);
        break;
    case NA_EAUTH:
        machine_retry(m, ev->now_ms, 0, ev->text, o, EDGE_UNAUTHORIZED);
        break;
    case NA_EIO:
    case NA_ETIMEOUT:
        cut(m, ev, o);
        break;
    default:
        machine_retry_any(m, ev->now_ms, 0, ev->text, o, EDGE_GARBLED);
        break;
    }
}

/* ---- time ---- */

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
    } else if (machine_in_flight(m)) {
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
        machine_fall_back(m, now_ms, "the streaming list has no end", o, EDGE_STREAM_STUCK);
    } else if (m->phase == REFLECTOR_WATCHING && m->answered) {
        rewatch(m, now_ms, "the watch is silent", o, edge);
    } else {
        machine_retry(m, now_ms, 0,
                      m->answered ? "the list does not come to its end"
                                  : "the server does not answer",
                      o, edge);
    }
}

static void time_passed(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
{
    if (m->phase == REFLECTOR_WAITING || m->phase == REFLECTOR_FORBIDDEN ||
        m->phase == REFLECTOR_ABSENT) {
        if (now_ms >= m->until_ms) {
            machine_send(m, now_ms, o, EDGE_RESUMED);
        }
    } else if (machine_in_flight(m)) {
        bool silent = now_ms - m->byte_ms >= idle_limit(m);

        if (silent || now_ms - m->sent_ms >= wall_limit(m)) {
            in_flight_too_long(m, now_ms, silent, o);
        } else if (m->phase == REFLECTOR_STREAMING && m->answered && !m->stream_warned &&
                   now_ms - m->byte_ms >= REFLECTOR_STREAM_WARN_MS) {
            m->stream_warned = true;
            machine_failed(m, now_ms, "the streaming list is silent before its end mark", o);
        }
    }
    if (can_get_stale(m) && now_ms - m->alive_ms >= m->settings.stale_after_ms) {
        char text[REFLECTOR_TEXT_MAX];

        snprintf(text, sizeof(text), "nothing heard for %llu s%s%.200s",
                 (unsigned long long)((now_ms - m->alive_ms) / 1000), m->failing ? ": " : "",
                 m->failing ? m->last_failure : "");
        machine_set_state(m, KIND_STATE_STALE, text, o);
    }
}

/* ---- what others call ---- */

void reflector_machine_init(struct reflector_machine *m, const struct reflector_settings *settings)
{
    memset(m, 0, sizeof(*m));
    m->settings = *settings;
    m->settings.known_version = NULL;
    if (machine_version_usable(settings->known_version)) {
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
    o->abort_request = machine_in_flight(m);
    machine_drop_generation(m, o);
    machine_move(m, REFLECTOR_STOPPED, o, EDGE_STOP);
}

void reflector_step(struct reflector_machine *m, const struct reflector_event *ev,
                    struct reflector_order *out)
{
    memset(out, 0, sizeof(*out));
    if (ev->type == RE_STOP) {
        stop(m, out);
    } else if (ev->type == RE_START && m->phase == REFLECTOR_IDLE) {
        machine_want_list(m, ev->now_ms, m->known_version[0] != '\0' ? FROM_VERSION : FROM_CACHE);
        machine_send(m, ev->now_ms, out, EDGE_START);
    } else if (ev->type == RE_TIMER) {
        time_passed(m, ev->now_ms, out);
    } else if (ev->type == RE_PROBE && m->phase == REFLECTOR_ABSENT) {
        machine_send(m, ev->now_ms, out, EDGE_RESUMED);
    } else if (machine_in_flight(m)) {
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
            machine_refused(m, ev, out);
            break;
        case RE_REFUSED:
            machine_refused(m, ev, out);
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
