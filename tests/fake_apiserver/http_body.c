/* From a source to bytes of HTTP: head, chunks, and the transport faults laid on a response. */
#include "http_conn.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH      (256u * 1024) /* body bytes asked for at a time */
#define BATCH_SLOW (16u * 1024)  /* while faults are laid on the response */
#define CHUNK_HEAD 10            /* eight digits and CRLF */
#define RST_WAIT_MS                                                                                \
    50 /* a reset throws away what the peer has not read: give it time to read the cut frame */

static uint64_t now_ms(const struct http_conn *c)
{
    return uv_now(c->server->loop);
}

static void add_chunk(struct http_conn *c, const char *data, size_t n)
{
    if (c->head.chunked) {
        buf_fmt(&c->plain, "%zx\r\n", n);
    }
    buf_add(&c->plain, data, n);
    if (c->head.chunked) {
        buf_add(&c->plain, "\r\n", 2);
    }
    c->body_sent += n;
}

static void build_head(struct http_conn *c)
{
    const struct http_head *h = &c->head;
    time_t date = time(NULL) + (time_t)(h->date_skew_ms / 1000);
    struct tm tm;
    char text[64];

    gmtime_r(&date, &tm);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    buf_fmt(&c->plain, "HTTP/1.1 %d %s\r\n", h->status, http_reason(h->status));
    if (c->head_extra != NULL) {
        buf_str(&c->plain, c->head_extra);
    }
    if (c->head_type != NULL) {
        buf_fmt(&c->plain, "Content-Type: %s\r\n", c->head_type);
    }
    buf_fmt(&c->plain, "Date: %s\r\n", text);
    if (c->close_after) {
        buf_str(&c->plain, "Connection: close\r\n");
    }
    if (h->chunked) {
        buf_str(&c->plain, "Transfer-Encoding: chunked\r\n");
    } else {
        buf_fmt(&c->plain, "Content-Length: %llu\r\n", (unsigned long long)h->length);
    }
    buf_str(&c->plain, "\r\n");
    c->head_sent = true;
    c->start_at = 0;
}

static void end_now(struct http_conn *c, enum transport how)
{
    c->ending = true;
    c->ending_how = how;
    c->end_at = how == TRANSPORT_RST ? now_ms(c) + RST_WAIT_MS : 0;
}

/* Ask the source; its bytes go straight behind a chunk head when nothing has to be cut. */
static void fill_fast(struct http_conn *c)
{
    size_t start = c->plain.len;
    size_t head = c->head.chunked ? CHUNK_HEAD : 0;
    enum body_state state;
    size_t n;

    buf_reserve(&c->plain, head + BATCH);
    c->plain.len += head;
    state = c->src->fill(c->src, &c->plain, BATCH);
    n = c->plain.len - start - head;
    if (c->nfx > 0) {
        /* The source laid a fault while it was filling: cut these bytes the slow way. */
        buf_add(&c->staged, c->plain.data + start + head, n);
        n = 0;
    }
    if (n == 0) {
        c->plain.len = start;
    } else if (head > 0) {
        static const char hex[] = "0123456789abcdef";
        char *at = c->plain.data + start;

        for (unsigned i = 0; i < 8; i++) {
            at[i] = hex[(n >> (28 - 4 * i)) & 15];
        }
        at[8] = '\r';
        at[9] = '\n';
        buf_add(&c->plain, "\r\n", 2);
    }
    c->body_sent += n;
    c->src_done = state == BODY_END || state == BODY_ABORT;
    if (state == BODY_ABORT) {
        http_fault(c, TRANSPORT_CLOSE, c->body_sent + c->staged.len, 0);
    }
}

static void fill_staged(struct http_conn *c)
{
    enum body_state state = c->src->fill(c->src, &c->staged, BATCH_SLOW);

    c->src_done = state == BODY_END || state == BODY_ABORT;
    if (state == BODY_ABORT) {
        http_fault(c, TRANSPORT_CLOSE, c->body_sent + c->staged.len, 0);
    }
}

static void finish_body(struct http_conn *c)
{
    if (c->head.chunked) {
        buf_str(&c->plain, "0\r\n\r\n");
    } else if (c->body_sent != c->head.length) {
        c->close_after = true; /* a lie about the length would shift the next response */
    }
    c->src_done = true;
    c->staged.len = 0;
    c->nfx = 0;
}

static void apply_effects(struct http_conn *c)
{
    while (c->nfx > 0 && c->fx[0].offset <= c->body_sent && !c->frozen && !c->ending &&
           c->pause_until <= now_ms(c)) {
        struct effect e = c->fx[0];

        memmove(c->fx, c->fx + 1, --c->nfx * sizeof(e));
        switch (e.how) {
        case TRANSPORT_CLOSE:
        case TRANSPORT_RST:
            end_now(c, e.how);
            break;
        case TRANSPORT_END:
            finish_body(c);
            conn_close_source(c, END_FAULT);
            return;
        case TRANSPORT_HALF_OPEN:
            c->frozen = true;
            break;
        case TRANSPORT_STALL:
            c->pause_until = now_ms(c) + e.arg;
            break;
        case TRANSPORT_DRIP:
            c->rate = e.arg > 0 ? e.arg : 1;
            c->rate_since = now_ms(c);
            c->rate_sent = 0;
            break;
        }
    }
}

static void emit_staged(struct http_conn *c)
{
    size_t n = c->staged.len;

    if (c->nfx > 0 && c->fx[0].offset - c->body_sent < n) {
        n = (size_t)(c->fx[0].offset - c->body_sent);
    }
    if (c->rate > 0) {
        uint64_t due = (now_ms(c) - c->rate_since) * c->rate / 1000 + 1;
        uint64_t may = due > c->rate_sent ? due - c->rate_sent : 0;

        n = may < n ? (size_t)may : n;
        c->rate_sent += n;
    }
    if (n > 0) {
        add_chunk(c, c->staged.data, n);
        buf_drop(&c->staged, n);
    }
}

void conn_produce(struct http_conn *c)
{
    if (now_ms(c) < c->start_at || now_ms(c) < c->pause_until || c->frozen || c->ending) {
        return;
    }
    if (!c->head_sent) {
        build_head(c);
        if (c->head_only) {
            c->src_done = true;
            conn_close_source(c, END_DONE);
            return;
        }
    }
    apply_effects(c);
    if (c->src_done && c->staged.len == 0) {
        return;
    }
    if (c->frozen || c->ending || now_ms(c) < c->pause_until) {
        return;
    }
    if (c->nfx == 0 && c->rate == 0 && c->staged.len == 0) {
        fill_fast(c);
    }
    if (c->nfx > 0 || c->rate > 0 || c->staged.len > 0) {
        if (!c->src_done && c->staged.len < BATCH_SLOW) {
            fill_staged(c);
        }
        emit_staged(c);
        apply_effects(c);
    }
    if (c->src != NULL && c->src_done && c->staged.len == 0 && !c->ending && !c->frozen &&
        (c->nfx == 0 || c->fx[0].offset > c->body_sent)) {
        finish_body(c);
        conn_close_source(c, END_DONE);
    }
}

void http_hold(struct http_conn *c, struct body_source *src)
{
    c->src = src;
}

void http_start(struct http_conn *c, const struct http_head *head, struct body_source *src)
{
    c->head = *head;
    free(c->head_type);
    free(c->head_extra);
    c->head_type = head->content_type != NULL ? xstrdup(head->content_type) : NULL;
    c->head_extra = head->extra != NULL ? xstrdup(head->extra) : NULL;
    c->src = src;
    c->src_done = false;
    c->head_sent = false;
    c->body_sent = 0;
    c->staged.len = 0;
    c->start_at = head->delay_ms > 0 ? now_ms(c) + head->delay_ms : 0;
    c->phase = PHASE_SENDING;
}

void http_refuse(struct http_conn *c, enum transport how)
{
    if (how == TRANSPORT_HALF_OPEN) {
        c->frozen = true;
    } else {
        end_now(c, how);
    }
}

void http_kick(struct http_conn *c)
{
    conn_pump(c);
}

void http_fault(struct http_conn *c, enum transport how, uint64_t offset, uint64_t arg)
{
    size_t at = 0;

    if (c->nfx == FX_MAX) {
        return;
    }
    while (at < c->nfx && c->fx[at].offset <= offset) {
        at++;
    }
    memmove(c->fx + at + 1, c->fx + at, (c->nfx - at) * sizeof(c->fx[0]));
    c->fx[at] = (struct effect){ how, offset, arg };
    c->nfx++;
}

uint64_t http_offset(const struct http_conn *c)
{
    return c->body_sent + c->staged.len;
}
