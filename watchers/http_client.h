/* HTTP/1.1 requests on libcurl's multi interface and libuv: the only file that knows curl. One
 * client is one set of connections; what must not delay watches (writes) takes a client of its own.
 * Loop thread only. */
#ifndef NETAUDITD_WATCHERS_HTTP_CLIENT_H
#define NETAUDITD_WATCHERS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/error.h"
#include "watchers/credentials.h"

enum {
    HTTP_MAX_HEADER_BYTES = 64 * 1024, /* of one answer, all headers */
    HTTP_CONNECT_TIMEOUT_MS = 30000,
    HTTP_MAX_EXPANSION = 200 /* decompressed bytes per byte received, beyond the first 16 MiB */
};

struct http_client;
struct http_transfer;

/* The caller's struct, zero-initialised; it must stay where it is from http_send to done or cancel.
 * What the request consists of is copied by http_send, `body` is borrowed. */
struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    const char *accept, *content_type, *bearer; /* NULL: header not sent */
    const void *body;                           /* NULL: none */
    size_t body_len;
    const struct http_tls *tls; /* NULL: the system's trust, no certificate */
    const char *proxy_url;      /* NULL: as the environment says */
    uint64_t timeout_ms;        /* for the whole request; 0: none (watches) */
    uint64_t max_bytes; /* of the body, decompressed; more is NA_ELIMIT. 0: the caller counts */
    bool gzip;          /* compressed answers are welcome */

    /* Any may be NULL. The head is complete: status and headers below are set. */
    void (*on_head)(struct http_request *req);
    /* A piece of the body, valid during the call. Non-zero ends the request with that code; the
     * callee says why in req->error. */
    int (*on_body)(struct http_request *req, const char *data, size_t len);
    /* Exactly once, never before http_send returns, never after http_cancel. 0: an answer, of any
     * status, was read to its end. Else req->error tells: NA_EUNREACH no connection or no trust,
     * NA_EAUTH our certificate is unusable, NA_ETIMEOUT, NA_EIO cut, NA_ELIMIT too large. */
    void (*done)(struct http_request *req, int status);
    void *data;

    int http_status;         /* 0: no answer yet */
    char answer_type[96];    /* Content-Type, without parameters */
    int64_t retry_after_s;   /* -1: none, or no number of seconds */
    bool flow_schema_empty;  /* X-Kubernetes-Pf-Flowschema-Uid is there and empty */
    uint64_t received_bytes; /* of the body, decompressed */
    struct error error;
    struct http_transfer *transfer; /* the client's; NULL when nothing is in flight */
};

struct http_settings {
    const char *user_agent;
    /* Each Warning: header of an answer, its text only. May be NULL. */
    void (*on_warning)(void *ctx, const char *text);
    void *ctx;
};

int http_client_create(struct http_client **out, uv_loop_t *loop,
                       const struct http_settings *settings, struct error *err);
/* Takes back what is in flight without calling anybody; memory follows when libuv has closed the
 * handles. NULL is fine. */
void http_client_destroy(struct http_client *client);

/* May be called from any callback. Every failure comes through `done`. */
void http_send(struct http_client *client, struct http_request *req);
/* May be called from any callback, also of the same request. Nothing happens when it is not in
 * flight. */
void http_cancel(struct http_client *client, struct http_request *req);

#endif
