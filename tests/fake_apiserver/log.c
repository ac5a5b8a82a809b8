#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX 20000
#define COUNT_MAX                                                                                  \
    2000 /* different rows of the table; what comes later is counted in the last one */

struct entry {
    uint64_t n, t_ms, conn, events, bytes;
    char *text; /* the constant members as JSON, without braces */
    int code;
    bool open;
    const char *end;
};

struct counter {
    char *kind, *user_agent;
    const char *verb, *rv;
    int code;
    uint64_t count;
};

struct request_log {
    struct entry ring[LOG_MAX];
    uint64_t first, next; /* numbers */
    struct counter counters[COUNT_MAX];
    size_t counter_count;
    uint64_t requests, t0;
    uint64_t base_accepted, base_sent, base_received, base_handshakes, base_failures;
};

void log_init(struct fake *f)
{
    f->log = xcalloc(1, sizeof(*f->log));
    f->log->first = f->log->next = 1;
    f->log->t0 = fake_now(f);
}

static void forget(struct request_log *l)
{
    for (; l->first < l->next; l->first++) {
        free(l->ring[l->first % LOG_MAX].text);
        l->ring[l->first % LOG_MAX] = (struct entry){ 0 };
    }
    for (size_t i = 0; i < l->counter_count; i++) {
        free(l->counters[i].kind);
        free(l->counters[i].user_agent);
    }
    l->counter_count = 0;
    l->requests = 0;
}

void log_deinit(struct fake *f)
{
    forget(f->log);
    free(f->log);
    f->log = NULL;
}

void log_reset(struct fake *f)
{
    struct request_log *l = f->log;

    forget(l);
    l->base_accepted = f->api.accepted;
    l->base_sent = f->api.bytes_sent;
    l->base_received = f->api.bytes_received;
    l->base_handshakes = f->api.handshakes;
    l->base_failures = f->api.handshake_failures;
    f->events_sent = 0;
    f->bookmarks_sent = 0;
}

static const char *verb_word(const struct exchange *x)
{
    if (x->route.verb == VERB_WATCH && strstr(x->req->query, "sendInitialEvents=") != NULL) {
        return "watchlist";
    }
    return verb_names[x->route.verb];
}

static const char *rv_class(const struct exchange *x)
{
    char *rv = http_query(x->req->query, "resourceVersion");
    char *match = http_query(x->req->query, "resourceVersionMatch");
    char *token = http_query(x->req->query, "continue");
    const char *word = "set";

    if (token != NULL && token[0] != '\0') {
        word = "continue";
    } else if (rv == NULL || rv[0] == '\0') {
        word = "unset";
    } else if (strcmp(rv, "0") == 0) {
        word = "0";
    } else if (match != NULL && strcmp(match, "Exact") == 0) {
        word = "exact";
    }
    free(rv);
    free(match);
    free(token);
    return word;
}

static struct entry *find(struct request_log *l, uint64_t n)
{
    return n >= l->first && n < l->next ? &l->ring[n % LOG_MAX] : NULL;
}

uint64_t log_request(struct fake *f, const struct exchange *x)
{
    struct request_log *l = f->log;
    struct buf b = { 0 };
    struct entry *e;

    if (l->next - l->first == LOG_MAX) {
        free(l->ring[l->first % LOG_MAX].text);
        l->first++;
    }
    buf_str(&b, "\"method\":");
    buf_json(&b, x->req->method);
    buf_str(&b, ",\"path\":");
    buf_json(&b, x->req->path);
    buf_fmt(&b, ",\"verb\":\"%s\",\"kind\":", verb_word(x));
    buf_json(&b, x->route.kind != NULL ? x->route.kind->resource : "");
    buf_str(&b, ",\"namespace\":");
    buf_json(&b, x->route.ns);
    buf_str(&b, ",\"name\":");
    buf_json(&b, x->route.name);
    buf_str(&b, ",\"query\":");
    buf_json(&b, x->req->query);
    buf_str(&b, ",\"user_agent\":");
    buf_json(&b, x->req->user_agent);
    e = &l->ring[l->next % LOG_MAX];
    *e = (struct entry){ .n = l->next,
                         .t_ms = fake_now(f) - l->t0,
                         .conn = http_conn_id(x->conn),
                         .text = xstrdup(buf_cstr(&b)),
                         .open = true,
                         .end = "" };
    buf_free(&b);
    l->requests++;
    return l->next++;
}

void log_status(struct fake *f, const struct exchange *x, int code)
{
    struct request_log *l = f->log;
    struct entry *e = find(l, x->log_n);
    const char *kind = x->route.kind != NULL ? x->route.kind->resource : "";
    const char *verb = verb_word(x);
    const char *rv = rv_class(x);
    size_t i = 0;

    if (e != NULL) {
        e->code = code;
    }
    if (f->settings.verbose) {
        fprintf(stderr, "%s %s?%s %d\n", x->req->method, x->req->path, x->req->query, code);
    }
    while (i < l->counter_count &&
           (l->counters[i].code != code || strcmp(l->counters[i].verb, verb) != 0 ||
            strcmp(l->counters[i].rv, rv) != 0 || strcmp(l->counters[i].kind, kind) != 0 ||
            strcmp(l->counters[i].user_agent, x->req->user_agent) != 0)) {
        i++;
    }
    if (i == l->counter_count && i < COUNT_MAX) {
        l->counters[i] = (struct counter){ .kind = xstrdup(kind),
                                           .user_agent = xstrdup(x->req->user_agent),
                                           .verb = verb,
                                           .rv = rv,
                                           .code = code };
        l->counter_count++;
    }
    l->counters[i < COUNT_MAX ? i : COUNT_MAX - 1].count++;
}

void log_end(struct fake *f, const struct exchange *x, const char *end)
{
    struct entry *e = find(f->log, x->log_n);

    if (e != NULL) {
        e->open = false;
        e->end = end;
        e->events = x->events;
        e->bytes = http_offset(x->conn);
    }
}

static unsigned long long ull(uint64_t v)
{
    return (unsigned long long)v;
}

void log_stats_json(struct fake *f, struct buf *out)
{
    struct request_log *l = f->log;
    uint64_t watches = 0;

    for (struct exchange *x = f->exchanges; x != NULL; x = x->next) {
        watches += x->live;
    }
    buf_fmt(out,
            "{\"rv\":\"%llu\",\"accepted\":%llu,\"open_connections\":%llu,\"open_watches\":%llu,"
            "\"requests\":%llu,\"bytes_sent\":%llu,\"bytes_received\":%llu,\"events_sent\":%llu,"
            "\"bookmarks_sent\":%llu,\"tls_handshakes\":%llu,\"tls_failures\":%llu,\"by\":[",
            ull(f->store.rv), ull(f->api.accepted - l->base_accepted), ull(f->api.open),
            ull(watches), ull(l->requests), ull(f->api.bytes_sent - l->base_sent),
            ull(f->api.bytes_received - l->base_received), ull(f->events_sent),
            ull(f->bookmarks_sent), ull(f->api.handshakes - l->base_handshakes),
            ull(f->api.handshake_failures - l->base_failures));
    for (size_t i = 0; i < l->counter_count; i++) {
        struct counter *c = &l->counters[i];

        buf_fmt(out, "%s{\"verb\":\"%s\",\"kind\":\"%s\",\"rv\":\"%s\",\"code\":%d,\"user_agent\":",
                i > 0 ? "," : "", c->verb, c->kind, c->rv, c->code);
        buf_json(out, c->user_agent);
        buf_fmt(out, ",\"count\":%llu}", ull(c->count));
    }
    buf_str(out, "]}");
}

void log_requests_json(struct fake *f, uint64_t since, struct buf *out)
{
    struct request_log *l = f->log;
    bool first = true;

    for (struct exchange *x = f->exchanges; x != NULL; x = x->next) {
        struct entry *e = find(l, x->log_n);

        if (e != NULL) {
            e->events = x->events;
            e->bytes = http_offset(x->conn);
        }
    }
    buf_fmt(out, "{\"next\":%llu,\"requests\":[", ull(l->next));
    for (uint64_t n = since > l->first ? since : l->first; n < l->next; n++) {
        struct entry *e = find(l, n);

        buf_fmt(out,
                "%s{\"n\":%llu,\"t_ms\":%llu,%s,\"code\":%d,\"events\":%llu,\"bytes\":%llu,"
                "\"open\":%s,\"end\":\"%s\",\"conn\":%llu}",
                first ? "" : ",", ull(e->n), ull(e->t_ms), e->text, e->code, ull(e->events),
                ull(e->bytes), e->open ? "true" : "false", e->end, ull(e->conn));
        first = false;
    }
    buf_str(out, "]}");
}
