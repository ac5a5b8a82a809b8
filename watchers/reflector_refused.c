/* What a refusal means, whether it came as an HTTP status or as an ERROR event within a watch. */
#include "watchers/reflector_private.h"

#include <stdio.h>

static void on_expired(struct reflector_machine *m, uint64_t now_ms, const char *text,
                       struct reflector_order *o)
{
    bool again = m->last_list_ms != 0 && now_ms - m->last_list_ms < 10 * REFLECTOR_SHORT_MS;

    if (m->want == SEND_LIST && m->page > 0) {
        /* Not by the inconsistent token that comes with it: that would mix two snapshots. */
        bool unpaged = m->unpaged;

        machine_failed(m, now_ms, text, o);
        machine_drop_generation(m, o);
        m->page = 0;
        m->page_tries = 0;
        m->unpaged = true;
        buf_reset(&m->continue_token);
        if (unpaged) {
            machine_wait(m, now_ms, 0, o, EDGE_PAGE_EXPIRED);
        } else {
            machine_send(m, now_ms, o, EDGE_PAGE_EXPIRED);
        }
        return;
    }
    if (m->want == SEND_WATCH) {
        m->relist_reason = RELIST_EXPIRED;
        machine_want_list(m, now_ms, FROM_VERSION);
    } else if (m->from != FROM_LATEST) {
        machine_want_list(m, now_ms, FROM_LATEST);
        again = false;
    } else {
        again = true;
    }
    if (again) {
        machine_retry(m, now_ms, 0, text, o, EDGE_EXPIRED);
    } else {
        machine_failed(m, now_ms, text, o);
        machine_drop_generation(m, o);
        machine_send(m, now_ms, o, EDGE_EXPIRED);
    }
}

/* Our version is ahead of the server's: a replica that lags (it catches up), or a restored etcd. */
static void on_too_large(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                         const char *text, struct reflector_order *o)
{
    if (m->want != SEND_WATCH && m->from != FROM_VERSION) {
        machine_retry_any(m, now_ms, least_ms, text, o, EDGE_SERVER_ERROR);
        return;
    }
    if (m->too_large_tries++ == 0) {
        machine_retry(m, now_ms, least_ms > REFLECTOR_SHORT_MS ? least_ms : REFLECTOR_SHORT_MS,
                      text, o, EDGE_TOO_LARGE);
        return;
    }
    m->too_large_tries = 0;
    machine_failed(m, now_ms, text, o);
    machine_drop_generation(m, o);
    m->relist_reason = m->want == SEND_WATCH ? RELIST_TOO_LARGE : m->relist_reason;
    machine_want_list(m, now_ms, FROM_LATEST);
    machine_send(m, now_ms, o, EDGE_TOO_LARGE);
}

static void on_unauthorized(struct reflector_machine *m, uint64_t now_ms, const char *text,
                            struct reflector_order *o)
{
    o->refresh_credentials = true;
    if (m->auth_retried) {
        machine_retry(m, now_ms, 0, text, o, EDGE_UNAUTHORIZED);
        return;
    }
    m->auth_retried = true;
    machine_send(m, now_ms, o, EDGE_UNAUTHORIZED);
}

static uint64_t probe_delay(struct reflector_machine *m)
{
    enum { SPREAD_MS = 10000 };

    return REFLECTOR_PROBE_MS - SPREAD_MS + machine_random(m) % (2 * SPREAD_MS);
}

static void on_forbidden(struct reflector_machine *m, uint64_t now_ms, bool starting,
                         const char *text, struct reflector_order *o)
{
    if (starting && m->starting_tries++ < REFLECTOR_STARTING_TRIES) {
        machine_retry(m, now_ms, 0, text, o, EDGE_SERVER_ERROR);
        return;
    }
    machine_failed(m, now_ms, text, o);
    machine_drop_generation(m, o);
    if (m->want != SEND_WATCH) {
        machine_want_list(m, now_ms, m->from);
    }
    machine_set_state(m, KIND_STATE_FORBIDDEN, text, o);
    m->until_ms = now_ms + probe_delay(m);
    machine_move(m, REFLECTOR_FORBIDDEN, o, EDGE_FORBIDDEN);
}

/* A kind that was there and now is not empties the cache: that is believed only when it is said
 * again, by the list as well. */
static void on_absent(struct reflector_machine *m, uint64_t now_ms, const char *text,
                      struct reflector_order *o)
{
    if (m->synced && ++m->absent_tries < REFLECTOR_ABSENT_TRIES) {
        machine_want_list(m, now_ms, FROM_VERSION);
        machine_retry(m, now_ms, 0, text, o, EDGE_ABSENT);
        return;
    }
    machine_failed(m, now_ms, text, o);
    machine_drop_generation(m, o);
    o->swap_empty = m->synced;
    m->synced = false;
    m->absent_tries = 0;
    m->resource_version[0] = '\0';
    m->known_version[0] = '\0'; /* its versions mean nothing to what may come under this name */
    machine_want_list(m, now_ms, FROM_LATEST);
    machine_set_state(m, KIND_STATE_ABSENT, text, o);
    m->until_ms = now_ms + probe_delay(m);
    machine_move(m, REFLECTOR_ABSENT, o, EDGE_ABSENT);
}

/* A wrong path in the server's URL, or a proxy that has lost its way: nothing is known of the
 * cluster, least of all that it is empty. */
static void on_no_api_server(struct reflector_machine *m, uint64_t now_ms, const char *text,
                             struct reflector_order *o)
{
    char said[REFLECTOR_TEXT_MAX + 64];

    snprintf(said, sizeof(said), "%.*s; what answers there is no API server, is the URL right?",
             REFLECTOR_TEXT_MAX - 64, text);
    machine_retry_any(m, now_ms, 0, said, o, EDGE_REFUSED);
}

static void on_other_refusal(struct reflector_machine *m, uint64_t now_ms, uint64_t least_ms,
                             const char *text, struct reflector_order *o)
{
    if (m->want == SEND_STREAM) {
        machine_fall_back(m, now_ms, text, o, EDGE_STREAM_REFUSED);
        return;
    }
    machine_retry_any(m, now_ms, least_ms, text, o, EDGE_REFUSED);
}

void machine_refused(struct reflector_machine *m, const struct reflector_event *ev,
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
    } else if (st->code == 404 && m->settings.always_served) {
        on_no_api_server(m, now, text, o);
    } else if (st->code == 404) {
        on_absent(m, now, text, o);
    } else if (st->code == 429) {
        machine_retry(m, now, least_ms, text, o, EDGE_THROTTLED);
    } else if (st->code >= 500) {
        /* An invalid version is a 500 too: a list that keeps failing forgets it. */
        if (m->want != SEND_WATCH && m->from == FROM_VERSION && st->code == 500 &&
            ++m->list_failures >= REFLECTOR_STREAM_TRIES) {
            m->list_failures = 0;
            m->from = FROM_LATEST;
        }
        machine_retry_any(m, now, least_ms, text, o, EDGE_SERVER_ERROR);
    } else {
        if (m->want == SEND_LIST && m->from == FROM_VERSION &&
            ++m->list_failures >= REFLECTOR_STREAM_TRIES) {
            m->list_failures = 0;
            m->from = FROM_LATEST;
        }
        on_other_refusal(m, now, least_ms, text, o);
    }
}
