#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "log.h"

void route_free(struct route *r)
{
    free(r->ns);
    free(r->name);
    free(r->subresource);
    *r = (struct route){ 0 };
}

enum body_state exchange_fill_plain(struct body_source *src, struct buf *out, size_t want)
{
    struct exchange *x = (struct exchange *)src;
    size_t n = x->out.len - x->out_at;

    n = n < want ? n : want;
    buf_add(out, x->out.data + x->out_at, n);
    x->out_at += n;
    return x->out_at == x->out.len ? BODY_END : BODY_MORE;
}

static void on_closed(struct body_source *src, enum body_end how)
{
    static const char *const words[] = { "done", "client", "fault", "restart" };
    struct exchange *x = (struct exchange *)src;
    struct fake *f = x->fake;

    log_end(f, x, x->end_word != NULL && how == END_DONE ? x->end_word : words[how]);
    if (x->prev != NULL) {
        x->prev->next = x->next;
    } else {
        f->exchanges = x->next;
    }
    if (x->next != NULL) {
        x->next->prev = x->prev;
    }
    if (x->release != NULL) {
        x->release(x);
    }
    for (size_t i = 0; i < x->attached_count; i++) {
        fault_unref(x->attached[i].fault);
    }
    route_free(&x->route);
    buf_free(&x->extra);
    buf_free(&x->out);
    free(x);
}

static bool wants_pretty(const struct http_request *req)
{
    static const char *const humans[] = { "curl", "Wget", "Mozilla/5.0" };
    char *pretty = http_query(req->query, "pretty");
    bool yes = false;

    if (pretty != NULL) {
        yes = strcmp(pretty, "true") == 0 || strcmp(pretty, "1") == 0;
    } else {
        for (size_t i = 0; i < ARRAY_LEN(humans); i++) {
            yes = yes || strncmp(req->user_agent, humans[i], strlen(humans[i])) == 0;
        }
    }
    free(pretty);
    return yes;
}

struct exchange *exchange_create(struct fake *f, size_t size, struct http_conn *c,
                                 const struct http_request *req, struct route *route)
{
    struct exchange *x = xcalloc(1, size);
    static uint64_t audits;
    char id[37];

    x->src = (struct body_source){ exchange_fill_plain, on_closed };
    x->fake = f;
    x->conn = c;
    x->req = req;
    x->route = *route;
    *route = (struct route){ 0 };
    x->started_ms = fake_now(f);
    x->pretty = wants_pretty(req);
    x->next = f->exchanges;
    if (f->exchanges != NULL) {
        f->exchanges->prev = x;
    }
    f->exchanges = x;
    seeded_uuid(f->api.next_id, ++audits, id);
    buf_fmt(&x->extra, "Audit-Id: %s\r\nCache-Control: no-cache, private\r\n", id);
    x->log_n = log_request(f, x);
    faults_meet(f, x);
    return x;
}

void exchange_header(struct exchange *x, const char *line)
{
    buf_fmt(&x->extra, "%s\r\n", line);
}

static enum transport transport_of(enum action a)
{
    switch (a) {
    case ACT_CLOSE:
        return TRANSPORT_CLOSE;
    case ACT_RST:
        return TRANSPORT_RST;
    case ACT_END:
        return TRANSPORT_END;
    case ACT_HALF_OPEN:
        return TRANSPORT_HALF_OPEN;
    case ACT_DRIP:
        return TRANSPORT_DRIP;
    default:
        return TRANSPORT_STALL;
    }
}

static uint64_t transport_arg(const struct fault *t)
{
    return (uint64_t)(t->action == ACT_DRIP ? jnum(t->spec, "bytes_per_s", 1)
                                            : jnum(t->spec, "ms", 1000));
}

void exchange_attach(struct exchange *x, struct fault *t)
{
    if (x->attached_count == ATTACHED_MAX || !fault_armed(x->fake, t)) {
        return;
    }
    if (x->started && fault_is_transport(t->action) && t->at != AT_EVENT) {
        fault_fire(t);
        http_fault(x->conn, transport_of(t->action),
                   http_offset(x->conn) + (t->at == AT_BYTE ? t->at_n : 0), transport_arg(t));
        http_kick(x->conn);
        return;
    }
    t->refs++;
    x->attached[x->attached_count++] = (struct attached){ t, x->events };
    if (x->started) {
        http_kick(x->conn);
    }
}

struct fault *exchange_fault(struct exchange *x, enum action action)
{
    for (size_t i = 0; i < x->attached_count; i++) {
        struct fault *t = x->attached[i].fault;

        if (t->action == action && fault_armed(x->fake, t)) {
            fault_fire(t);
            return t;
        }
    }
    return NULL;
}

/* Transport faults that do not wait for an event: by offset, or before the head. */
static void lay_transport(struct exchange *x, bool *kill, enum transport *how)
{
    for (size_t i = 0; i < x->attached_count; i++) {
        struct fault *t = x->attached[i].fault;

        if (!fault_is_transport(t->action) || t->at == AT_EVENT || !fault_armed(x->fake, t)) {
            continue;
        }
        fault_fire(t);
        if (t->action == ACT_DELAY || (t->action == ACT_STALL && t->at != AT_BYTE)) {
            x->head.delay_ms += transport_arg(t);
        } else if (t->at == AT_BYTE || t->action == ACT_DRIP || t->action == ACT_END) {
            http_fault(x->conn, transport_of(t->action), t->at == AT_BYTE ? t->at_n : 0,
                       transport_arg(t));
        } else {
            *kill = true;
            *how = transport_of(t->action);
        }
    }
}

void exchange_start(struct exchange *x, int status, const char *type, bool chunked, uint64_t length)
{
    struct http_conn *c = x->conn;
    struct fault *t;
    bool kill = false;
    enum transport how = TRANSPORT_CLOSE;

    x->head.status = status;
    x->head.content_type = type;
    x->head.chunked = chunked;
    x->head.length = length;
    if ((t = exchange_fault(x, ACT_DATE_SKEW)) != NULL) {
        x->head.date_skew_ms = (int64_t)jnum(t->spec, "ms", 0);
    }
    if ((t = exchange_fault(x, ACT_CONTENT_TYPE)) != NULL) {
        x->head.content_type = jstr(t->spec, "value", "text/plain");
    }
    lay_transport(x, &kill, &how);
    x->head.extra = buf_cstr(&x->extra);
    x->started = true;
    log_status(x->fake, x, status);
    http_start(c, &x->head, &x->src);
    if (kill) {
        http_refuse(c, how);
    }
}

void exchange_reply(struct exchange *x, int status, const char *type, struct buf *body)
{
    struct fault *t;
    uint64_t length;

    if (x->pretty && type != NULL && strcmp(type, "application/json") == 0) {
        json_indent(body->data, body->len, &x->out);
        buf_free(body);
    } else {
        x->out = *body;
        *body = (struct buf){ 0 };
        if (type != NULL && strcmp(type, "application/json") == 0) {
            buf_add(&x->out, "\n", 1);
        }
    }
    length = x->out.len;
    if ((t = exchange_fault(x, ACT_CONTENT_LENGTH)) != NULL) {
        length = (uint64_t)((double)length + jnum(t->spec, "delta", 10));
    }
    exchange_start(x, status, type, false, length);
}

void exchange_status(struct exchange *x, const struct status *s)
{
    struct buf b = { 0 };

    if (s->retry_after_seconds > 0) {
        buf_fmt(&x->extra, "Retry-After: %d\r\n", s->retry_after_seconds);
    }
    if (s->code == 406) {
        x->pretty = true;
    }
    status_json(s, &b);
    exchange_reply(x, s->code, "application/json", &b);
}

void exchange_error(struct exchange *x, int code, const char *fmt, ...)
{
    char text[4096];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    exchange_status(
        x, &(struct status){ .code = code, .reason = status_reason(code), .message = text });
}
