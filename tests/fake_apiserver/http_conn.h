/* What http_conn.c (bytes and lives of connections) and http_body.c (responses and their faults)
 * share. */
#ifndef FAKE_HTTP_CONN_H
#define FAKE_HTTP_CONN_H

#include "http.h"
#include "http_parse.h"

#define FX_MAX 16

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

/* Append what may be sent now of the response to c->plain, and lay the faults that are due. */
void conn_produce(struct http_conn *c);
/* Send and ask for more until something has to be waited for. */
void conn_pump(struct http_conn *c);
void conn_close_source(struct http_conn *c, enum body_end how);

#endif
