/* How the machine moves: the table of what may follow what, back-off, and the requests that are
 * wanted next. Which of them, and when, is decided in reflector_step.c and reflector_refused.c. */
#include "watchers/reflector_private.h"

#include <stdio.h>
#include <string.h>

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

/* ---- small things ---- */

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
bool machine_version_usable(const char *text)
{
    return text != NULL && text[0] != '\0' && strcmp(text, "0") != 0 &&
           strlen(text) <= REFLECTOR_RV_MAX;
}

uint64_t machine_random(struct reflector_machine *m)
{
    uint64_t z = (m->random += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/* From [d, 2d). */
static uint64_t jittered(struct reflector_machine *m, uint64_t d)
{
    return d + (d > 0 ? machine_random(m) % d : 0);
}

bool machine_in_flight(const struct reflector_machine *m)
{
    return m->phase == REFLECTOR_LISTING || m->phase == REFLECTOR_STREAMING ||
           m->phase == REFLECTOR_WATCHING;
}

void machine_move(struct reflector_machine *m, enum reflector_phase to, struct reflector_order *o,
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

void machine_set_state(struct reflector_machine *m, enum kind_state state, const char *reason,
                       struct reflector_order *o)
{
    if (m->state == state && strcmp(m->reason, reason) == 0) {
        return;
    }
    m->state = state;
    snprintf(m->reason, sizeof(m->reason), "%s", reason);
    o->state_changed = true;
}

void machine_failed(struct reflector_machine *m, uint64_t now_ms, const char *text,
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
        machine_set_state(m, KIND_STATE_PENDING, text, o);
    }
}

void machine_succeeded(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o)
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

/* ---- requests ---- */

void machine_drop_generation(struct reflector_machine *m, struct reflector_order *o)
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
void machine_send(struct reflector_machine *m, uint64_t now_ms, struct reflector_order *o,
                  enum reflector_edge edge)
{
    static const enum reflector_phase phases[] = { [SEND_LIST] = REFLECTOR_LISTING,
                                                   [SEND_STREAM] = REFLECTOR_STREAMING,
                                                   [SEND_WATCH] = REFLECTOR_WATCHING };

    if (m->want == SEND_STREAM || (m->want == SEND_LIST && m->page == 0)) {
        machine_drop_generation(m, o);
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
    machine_move(m, phases[m->want], o, edge);
}

/* A list from its beginning is wanted. */
void machine_want_list(struct reflector_machine *m, uint64_t now_ms, enum reflector_from from)
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

void machine_wait(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                  struct reflector_order *o, enum reflector_edge edge)
{
    uint64_t delay = backoff(m, now_ms);

    least_ms = least_ms < REFLECTOR_RETRY_AFTER_MAX_MS ? least_ms : REFLECTOR_RETRY_AFTER_MAX_MS;
    m->until_ms = now_ms + (delay > least_ms ? delay : least_ms);
    machine_move(m, REFLECTOR_WAITING, o, edge);
}

/* The request failed and is to be made again after a pause. A first page and a streaming list begin
 * anew; a later page of the same token shows the same snapshot, so the list goes on with it. */
void machine_retry(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                   const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    machine_failed(m, now_ms, text, o);
    if (m->want == SEND_LIST && m->page > 0 && ++m->page_tries < REFLECTOR_PAGE_TRIES) {
        machine_wait(m, now_ms, least_ms, o, edge);
        return;
    }
    machine_drop_generation(m, o);
    if (m->want != SEND_WATCH) {
        machine_want_list(m, now_ms, m->from);
    }
    machine_wait(m, now_ms, least_ms, o, edge);
}

/* A watch failed in a way that going back to the same version may not mend. */
void machine_retry_watch(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                         const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (++m->fruitless >= REFLECTOR_FRUITLESS_MAX) {
        m->fruitless = 0;
        m->edges[edge]++;
        machine_want_list(m, now_ms, FROM_VERSION);
        edge = EDGE_FRUITLESS;
    }
    machine_retry(m, now_ms, least_ms, text, o, edge);
}

static void stream_off(struct reflector_machine *m, uint64_t now_ms)
{
    m->stream_off_until_ms = now_ms + REFLECTOR_STREAM_RETRY_MS;
    m->stream_failures = 0;
}

/* The streaming list does not work here: the same by LIST, at once. */
void machine_fall_back(struct reflector_machine *m, uint64_t now_ms, const char *text,
                       struct reflector_order *o, enum reflector_edge edge)
{
    machine_failed(m, now_ms, text, o);
    stream_off(m, now_ms);
    machine_drop_generation(m, o);
    machine_want_list(m, now_ms, m->from);
    machine_send(m, now_ms, o, edge);
}

void machine_retry_stream(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                          const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (++m->stream_failures >= REFLECTOR_STREAM_TRIES) {
        stream_off(m, now_ms); /* the next try is a LIST */
    }
    machine_retry(m, now_ms, least_ms, text, o, edge);
}

/* By what was in flight. */
void machine_retry_any(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                       const char *text, struct reflector_order *o, enum reflector_edge edge)
{
    if (m->want == SEND_WATCH) {
        machine_retry_watch(m, now_ms, least_ms, text, o, edge);
    } else if (m->want == SEND_STREAM) {
        machine_retry_stream(m, now_ms, least_ms, text, o, edge);
    } else {
        machine_retry(m, now_ms, least_ms, text, o, edge);
    }
}
