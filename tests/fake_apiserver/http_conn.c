/* One connection: bytes in -> request -> handler -> response pulled from its source -> bytes out.
 * At most one write is in flight; what TLS says meanwhile gathers in `wire`. Whatever ends the
 * exchange (the source, the client, a fault) passes through close_source, so a source hears of its
 * end once. */
#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_parse.h"
#include "tls.h"

#define BATCH      (256u * 1024) /* body bytes asked for at a time */
#define BATCH_SLOW (16u * 1024)  /* while faults are laid on the response */
#define CHUNK_HEAD 10            /* eight digits and CRLF */
#define FX_MAX     16
#define RST_WAIT_MS                                                                                \
    50 /* a reset throws away what the peer has not read: give it time to read the cut frame */
#define READ_SIZE (64u * 1024)

enum phase { PHASE_READING, PHASE_HANDLING, PHASE_SENDING };

struct effect {
    enum transport how;
    uint64_t offset, arg;
};

struct http_conn {
    uv_tcp_t tcp;
    uv_write_t write;
    struct http_server *server;
    struct http_conn *next, *prev;
    uint64_t id;
    SSL *ssl;
    BIO *rbio;
    char client_cn[128];
    bool client_cert_bad, handshaken;
    struct buf in, plain, wire, flight, staged;
    enum phase phase;
    struct parsed parsed;
    struct http_head head;
    char *head_type, *head_extra;
    struct body_source *src;
    bool head_sent, src_done, head_only, close_after, continued;
    bool writing, closing, frozen, ending, in_pump, pump_again, input_ended;
    enum transport ending_how;
    uint64_t body_sent, start_at, pause_until, end_at, rate, rate_since, rate_sent;
    struct effect fx[FX_MAX];
    size_t nfx;
};

static void pump(struct http_conn *c);

static uint64_t now_ms(const struct http_conn *c)
{
    return uv_now(c->server->loop);
}

static void close_source(struct http_conn *c, enum body_end how)
{
    struct body_source *src = c->src;

    c->src = NULL;
    if (src != NULL) {
        src->closed(src, how);
    }
}

static void on_closed(uv_handle_t *h)
{
    struct http_conn *c = h->data;

    SSL_free(c->ssl);
    buf_free(&c->in);
    buf_free(&c->plain);
    buf_free(&c->wire);
    buf_free(&c->flight);
    buf_free(&c->staged);
    parsed_free(&c->parsed);
    free(c->head_type);
    free(c->head_extra);
    free(c);
}

static void conn_close(struct http_conn *c, enum body_end why, bool reset)
{
    if (c->closing) {
        return;
    }
    c->closing = true;
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        c->server->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    c->server->open--;
    close_source(c, why);
    if (!reset || uv_tcp_close_reset(&c->tcp, on_closed) != 0) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    }
}

static int wire_write(BIO *bio, const char *data, int n)
{
    struct http_conn *c = BIO_get_data(bio);

    buf_add(&c->wire, data, (size_t)n);
    return n;
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
            close_source(c, END_FAULT);
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

static void produce(struct http_conn *c)
{
    if (now_ms(c) < c->start_at || now_ms(c) < c->pause_until || c->frozen || c->ending) {
        return;
    }
    if (!c->head_sent) {
        build_head(c);
        if (c->head_only) {
            c->src_done = true;
            close_source(c, END_DONE);
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
        close_source(c, END_DONE);
    }
}

static bool encrypt(struct http_conn *c)
{
    size_t done = 0;

    ERR_clear_error();
    if (c->plain.len > 0 && SSL_write_ex(c->ssl, c->plain.data, c->plain.len, &done) != 1) {
        return false;
    }
    c->plain.len = 0;
    return true;
}

static void trim(struct buf *b)
{
    if (b->len == 0 && b->cap > 4 * READ_SIZE) {
        buf_free(b);
    }
}

static void next_request(struct http_conn *c);

static void on_written(uv_write_t *w, int status)
{
    struct http_conn *c = w->data;

    c->writing = false;
    c->server->bytes_sent += c->flight.len;
    c->flight.len = 0;
    if (c->closing) {
        return;
    }
    if (status != 0) {
        conn_close(c, END_CLIENT, false);
        return;
    }
    pump(c);
}

static void flush(struct http_conn *c)
{
    struct buf swap = c->flight;
    uv_buf_t b;

    c->flight = c->wire;
    c->wire = swap;
    b = uv_buf_init(c->flight.data, (unsigned)c->flight.len);
    c->write.data = c;
    c->writing = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) != 0) {
        c->writing = false;
        conn_close(c, END_CLIENT, false);
    }
}

/* Nothing left to write: what was to follow the last byte follows now. */
static void settled(struct http_conn *c)
{
    trim(&c->plain);
    trim(&c->wire);
    trim(&c->flight);
    if (c->ending) {
        if (c->end_at <= now_ms(c)) {
            conn_close(c, END_FAULT, c->ending_how == TRANSPORT_RST);
        }
    } else if (c->phase == PHASE_SENDING && c->src_done && c->src == NULL && c->staged.len == 0) {
        if (c->close_after) {
            conn_close(c, END_DONE, false);
        } else {
            c->phase = PHASE_READING;
            next_request(c);
        }
    }
}

static void pump(struct http_conn *c)
{
    if (c->in_pump) {
        c->pump_again = true;
        return;
    }
    c->in_pump = true;
    do {
        c->pump_again = false;
        if (c->writing || c->closing) {
            break;
        }
        if (c->phase == PHASE_SENDING && (c->ssl == NULL || c->handshaken)) {
            produce(c);
        }
        if (c->closing) {
            break;
        }
        if (c->ssl != NULL && c->handshaken) {
            if (!encrypt(c)) {
                conn_close(c, END_CLIENT, false);
                break;
            }
        } else if (c->ssl == NULL && c->plain.len > 0) {
            struct buf swap = c->wire;

            c->wire = c->plain;
            c->plain = swap;
            c->plain.len = 0;
        }
        if (c->wire.len > 0) {
            flush(c);
        } else {
            settled(c);
        }
    } while (c->pump_again);
    c->in_pump = false;
}

static enum body_state refusal_fill(struct body_source *src, struct buf *out, size_t want)
{
    (void)src;
    (void)out;
    (void)want;
    return BODY_END;
}

static void refusal_closed(struct body_source *src, enum body_end how)
{
    (void)src;
    (void)how;
}

static void next_request(struct http_conn *c)
{
    static struct body_source refusal = { refusal_fill, refusal_closed };
    int rc;

    if (c->phase != PHASE_READING || c->closing) {
        return;
    }
    parsed_free(&c->parsed);
    c->nfx = 0;
    c->rate = 0;
    c->pause_until = 0;
    c->frozen = false;
    rc = http_parse(c->in.data, c->in.len, &c->parsed);
    if (rc == 1) {
        if (c->parsed.wants_continue && !c->continued) {
            c->continued = true;
            buf_str(&c->plain, "HTTP/1.1 100 Continue\r\n\r\n");
            pump(c);
        }
        if (c->input_ended) {
            conn_close(c, END_CLIENT, false);
        }
        return;
    }
    c->phase = PHASE_HANDLING;
    c->continued = false;
    c->head_only = c->parsed.head_only;
    if (rc != 0) {
        c->close_after = true;
        http_start(c, &(struct http_head){ .status = rc }, &refusal);
        pump(c);
        return;
    }
    c->close_after = !c->parsed.keep_alive;
    c->parsed.req.client_cn = c->client_cn;
    c->parsed.req.client_cert_bad = c->client_cert_bad;
    /* The body points into c->in, which grows no more before the handler returns. */
    c->server->request(c, &c->parsed.req, c->server->ctx);
    c->parsed.req.body = NULL;
    buf_drop(&c->in, c->parsed.consumed);
    if (c->in.len == 0 && c->in.cap > 4 * READ_SIZE) {
        buf_free(&c->in);
    }
    pump(c);
}

static void note_client_cert(struct http_conn *c)
{
    X509 *cert = SSL_get1_peer_certificate(c->ssl);

    if (cert == NULL) {
        return;
    }
    if (SSL_get_verify_result(c->ssl) == X509_V_OK) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, c->client_cn,
                                  sizeof(c->client_cn));
    } else {
        c->client_cert_bad = true;
    }
    X509_free(cert);
}

/* False: the connection is beyond use. */
static bool decrypt(struct http_conn *c, const char *data, size_t n)
{
    size_t got;

    if (BIO_write(c->rbio, data, (int)n) != (int)n) {
        return false;
    }
    ERR_clear_error();
    if (!c->handshaken) {
        int rc = SSL_do_handshake(c->ssl);

        if (rc != 1) {
            if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ) {
                c->server->handshake_failures++;
                return false;
            }
            return true;
        }
        c->handshaken = true;
        c->server->handshakes++;
        note_client_cert(c);
    }
    for (;;) {
        if (SSL_read_ex(c->ssl, buf_reserve(&c->in, READ_SIZE), READ_SIZE, &got) != 1) {
            int why = SSL_get_error(c->ssl, 0);

            if (why == SSL_ERROR_ZERO_RETURN) {
                c->input_ended = true;
            }
            return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN;
        }
        c->in.len += got;
    }
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
    static char shared[READ_SIZE];

    (void)h;
    (void)want;
    *b = uv_buf_init(shared, sizeof(shared));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct http_conn *c = stream->data;

    if (n == 0) {
        return;
    }
    if (n < 0) {
        /* A client that shuts its sending side down has no more use for a watch either. */
        conn_close(c, END_CLIENT, false);
        return;
    }
    c->server->bytes_received += (uint64_t)n;
    if (c->frozen) {
        return;
    }
    if (c->ssl != NULL) {
        if (!decrypt(c, b->base, (size_t)n)) {
            if (c->wire.len > 0 && !c->writing) {
                c->ending = true; /* let the alert out first */
                c->ending_how = TRANSPORT_CLOSE;
                pump(c);
            } else {
                conn_close(c, END_CLIENT, false);
            }
            return;
        }
    } else {
        buf_add(&c->in, b->base, (size_t)n);
    }
    if (c->input_ended || c->in.len > HTTP_HEAD_MAX + HTTP_BODY_MAX) {
        conn_close(c, END_CLIENT, false);
        return;
    }
    next_request(c);
    pump(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct http_server *s = listener->data;
    struct http_conn *c;

    if (status != 0) {
        return;
    }
    c = xcalloc(1, sizeof(*c));
    c->server = s;
    c->id = ++s->next_id;
    uv_tcp_init(s->loop, &c->tcp);
    c->tcp.data = c;
    c->next = s->conns;
    if (s->conns != NULL) {
        s->conns->prev = c;
    }
    s->conns = c;
    s->open++;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        conn_close(c, END_CLIENT, false);
        return;
    }
    s->accepted++;
    uv_tcp_nodelay(&c->tcp, 1);
    if (s->tls != NULL) {
        c->ssl = SSL_new(s->tls);
        c->rbio = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(c->rbio, -1);
        SSL_set_bio(c->ssl, c->rbio, tls_wire_bio(wire_write, c));
        SSL_set_accept_state(c->ssl);
    }
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

int http_listen(struct http_server *s, uv_loop_t *loop, const char *host, int port)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    int rc = strchr(host, ':') != NULL ? uv_ip6_addr(host, port, (struct sockaddr_in6 *)&addr)
                                       : uv_ip4_addr(host, port, (struct sockaddr_in *)&addr);

    s->loop = loop;
    if (rc != 0) {
        return rc;
    }
    uv_tcp_init(loop, &s->listener);
    s->listener.data = s;
    s->listening = true;
    rc = uv_tcp_bind(&s->listener, (struct sockaddr *)&addr, 0);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&s->listener, 1024, on_connection);
    }
    if (rc == 0) {
        rc = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&addr, &len);
    }
    if (rc != 0) {
        http_unlisten(s);
        return rc;
    }
    if (s->host != host) {
        strncpy(s->host, host, sizeof(s->host) - 1);
    }
    s->port = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                               : ((struct sockaddr_in *)&addr)->sin_port);
    return 0;
}

void http_unlisten(struct http_server *s)
{
    if (s->listening) {
        s->listening = false;
        uv_close((uv_handle_t *)&s->listener, NULL);
    }
}

void http_kill(struct http_conn *c, enum transport how, enum body_end why)
{
    if (how == TRANSPORT_CLOSE || how == TRANSPORT_RST) {
        conn_close(c, why, how == TRANSPORT_RST);
    } else if (how == TRANSPORT_HALF_OPEN) {
        c->frozen = true;
    } else if (c->phase == PHASE_SENDING && c->src != NULL) {
        http_fault(c, how, c->body_sent, 0);
        pump(c);
    }
}

void http_close_all(struct http_server *s, enum transport how, enum body_end why)
{
    struct http_conn *next;

    for (struct http_conn *c = s->conns; c != NULL; c = next) {
        next = c->next;
        http_kill(c, how, why);
    }
}

void http_tick(struct http_server *s)
{
    struct http_conn *next;

    for (struct http_conn *c = s->conns; c != NULL; c = next) {
        next = c->next;
        bool waits = c->phase == PHASE_SENDING && !c->head_sent;

        if (!c->writing && (waits || c->pause_until != 0 || c->rate > 0 || c->ending ||
                            (c->nfx > 0 && c->fx[0].offset <= c->body_sent))) {
            pump(c);
        }
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
    pump(c);
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

uint64_t http_conn_id(const struct http_conn *c)
{
    return c->id;
}

bool http_conn_idle(const struct http_conn *c)
{
    return c->phase == PHASE_READING;
}

struct http_conn *http_next(const struct http_conn *c)
{
    return c->next;
}

size_t http_unsent(const struct http_conn *c)
{
    return c->plain.len + c->wire.len + c->flight.len + c->staged.len;
}
