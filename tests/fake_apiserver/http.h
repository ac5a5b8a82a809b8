/* HTTP/1.1 server on libuv, in clear or over TLS, made to misbehave. Bodies are pulled: a response
 * names a source, which is asked for bytes whenever the socket can take some, so a slow reader
 * costs no memory. Transport faults are laid on a response by offset in its body. Loop thread only.
 */
#ifndef FAKE_HTTP_H
#define FAKE_HTTP_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <uv.h>

#include "buf.h"

struct http_conn;

struct http_request {
    char *method, *path, *query; /* path and query as sent, query without `?`, "" when absent */
    char *authorization, *accept, *accept_encoding, *user_agent, *content_type; /* "" when absent */
    const char *body;
    size_t body_len;
    const char *client_cn; /* of a client certificate that verified, "" for none */
    bool client_cert_bad;
};

enum body_state { BODY_MORE, BODY_WAIT, BODY_END, BODY_ABORT };
enum body_end { END_DONE, END_CLIENT, END_FAULT, END_RESTART };

struct body_source {
    /* Append about `want` bytes. BODY_WAIT: nothing more now, http_kick when there is. BODY_END:
     * that was all. BODY_ABORT: cut the connection behind what was appended. */
    enum body_state (*fill)(struct body_source *src, struct buf *out, size_t want);
    /* Exactly once; the source is not used again. */
    void (*closed)(struct body_source *src, enum body_end how);
};

struct http_head {
    int status;
    const char *content_type; /* NULL: none */
    const char *extra;        /* further lines, each with CRLF, or NULL */
    bool chunked;
    uint64_t length; /* when not chunked */
    uint64_t delay_ms;
    int64_t date_skew_ms;
};

enum transport {
    TRANSPORT_CLOSE,
    TRANSPORT_RST,
    TRANSPORT_END,
    TRANSPORT_HALF_OPEN,
    TRANSPORT_STALL,
    TRANSPORT_DRIP
};

struct http_server {
    uv_tcp_t listener;
    uv_loop_t *loop;
    SSL_CTX *tls; /* NULL: clear; may be swapped between handshakes */
    void (*request)(struct http_conn *c, const struct http_request *req, void *ctx);
    void *ctx;
    struct http_conn *conns;
    char host[64];
    int port;
    bool listening;
    uint64_t accepted, open, bytes_sent, bytes_received, handshakes, handshake_failures, next_id;
};

/* Start listening on host:port (0: chosen, and kept for later http_listen calls). Negative libuv
 * code on failure. */
int http_listen(struct http_server *s, uv_loop_t *loop, const char *host, int port);
/* Refuse new connections until http_listen is called again. */
void http_unlisten(struct http_server *s);
void http_close_all(struct http_server *s, enum transport how, enum body_end why);
/* To be called every few milliseconds: delays, stalls and drips live from it. */
void http_tick(struct http_server *s);

/* The answer to the request in hand comes later: from now on the source hears of the end of the
 * connection. */
void http_hold(struct http_conn *c, struct body_source *src);
/* Begin the response to the request in hand. Nothing is sent, and the source is neither asked nor
 * closed, before the caller has returned to the loop. The source is closed in time whatever
 * happens. */
void http_start(struct http_conn *c, const struct http_head *head, struct body_source *src);
/* Instead of the response just started: close, reset, or silence. Also takes effect after the
 * caller has returned. */
void http_refuse(struct http_conn *c, enum transport how);
/* The source has something to say again. */
void http_kick(struct http_conn *c);
/* Lay a fault at `offset` bytes of the body (in the past: now). `arg`: ms of a stall, bytes/s of a
 * drip. */
void http_fault(struct http_conn *c, enum transport how, uint64_t offset, uint64_t arg);
/* Offset of the next body byte that the source will append. */
uint64_t http_offset(const struct http_conn *c);
void http_kill(struct http_conn *c, enum transport how, enum body_end why);
uint64_t http_conn_id(const struct http_conn *c);
bool http_conn_idle(const struct http_conn *c);
struct http_conn *http_next(const struct http_conn *c);
/* Bytes that wait in the process for the socket. */
size_t http_unsent(const struct http_conn *c);

const char *http_reason(int status);
/* %XX and, in queries, `+` decoded; the caller frees it. NULL when it holds a NUL or a broken
 * escape. */
char *http_unescape(const char *s, size_t n, bool plus);
/* Value of a query parameter, decoded, NULL when absent (the caller frees it). */
char *http_query(const char *query, const char *key);

#endif
