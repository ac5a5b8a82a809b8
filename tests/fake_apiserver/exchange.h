/* One request to the API port and its answer, from the routed request to the last byte. Lists and
 * watches begin with this struct and add to it; plain answers are this struct alone. */
#ifndef FAKE_EXCHANGE_H
#define FAKE_EXCHANGE_H

#include "fake.h"
#include "faults.h"
#include "status.h"

enum form_asked { ASK_PLAIN, ASK_METADATA, ASK_METADATA_LIST };

struct route {
    struct kind *kind; /* NULL: not a resource path */
    enum verb verb;
    char *ns, *name, *subresource; /* "" when absent */
    bool watch;
};

#define ATTACHED_MAX 16

struct attached {
    struct fault *fault;
    uint64_t base; /* events of the stream when it was attached */
};

struct exchange {
    struct body_source src; /* first: a source is an exchange */
    struct fake *fake;
    struct http_conn *conn;
    struct exchange *next, *prev;
    struct route route;
    const struct http_request *req; /* of the connection: good until the response ends */
    struct http_head head;
    struct buf extra; /* header lines */
    uint64_t log_n;
    struct attached attached[ATTACHED_MAX];
    size_t attached_count;
    uint64_t events, started_ms;
    bool live; /* a watch */
    bool pretty, started;
    enum form_asked asked;
    struct buf out; /* a plain answer */
    size_t out_at;
    const char *end_word; /* why it ended, for the log */
    void (*tick)(struct exchange *x, uint64_t now);
    void (*release)(struct exchange *x); /* frees what a list or watch added */
};

/* `size` of the struct that begins with the exchange. The route's strings are taken over. */
struct exchange *exchange_create(struct fake *f, size_t size, struct http_conn *c,
                                 const struct http_request *req, struct route *route);
void exchange_start(struct exchange *x, int status, const char *type, bool chunked,
                    uint64_t length);
/* Answer with a body; it is taken over. A newline is added to JSON. */
void exchange_reply(struct exchange *x, int status, const char *type, struct buf *body);
void exchange_status(struct exchange *x, const struct status *s);
/* Status with the details of the route's resource. */
void exchange_error(struct exchange *x, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void exchange_header(struct exchange *x, const char *line);
/* The first attached fault with this action that may still fire and was meant for requests; it
 * fires. NULL: none. */
struct fault *exchange_fault(struct exchange *x, enum action action);
/* The fill of an exchange whose whole body is in `out`. */
enum body_state exchange_fill_plain(struct body_source *src, struct buf *out, size_t want);
void exchange_attach(struct exchange *x, struct fault *f);
void route_free(struct route *r);

#endif
