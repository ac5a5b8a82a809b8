/* One connection: bytes in -> request -> handler -> response pulled from its source -> bytes out.
 * At most one write is in flight; what TLS says meanwhile gathers in `wire`. Whatever ends the
 * exchange (the source, the client, a fault) passes through conn_close_source, so a source hears of
 * its end once. */
#include "http_conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls.h"

#define READ_SIZE (64u * 1024)

static uint64_t now_ms(const struct http_conn *c)
{
    return uv_now(c->server->loop);
}

void conn_close_source(struct http_conn *c, enum body_end how)
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
    conn_close_source(c, why);
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
    conn_pump(c);
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

void conn_pump(struct http_conn *c)
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
            conn_produce(c);
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
            conn_pump(c);
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
        conn_pump(c);
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
    conn_pump(c);
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
                conn_pump(c);
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
    conn_pump(c);
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
        conn_pump(c);
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
            conn_pump(c);
        }
    }
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
