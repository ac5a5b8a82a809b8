/* The control port: README.md is its contract. */
#ifndef FAKE_CONTROL_H
#define FAKE_CONTROL_H

#include "fake.h"

/* The handler of the control server; ctx is the struct fake. */
void control_request(struct http_conn *c, const struct http_request *req, void *ctx);

/* One call: `body` is the parsed body (an object or array, never NULL for POST), `query` the raw
 * query. The answer or the sentence of an error goes to `out`; the HTTP status is returned. */
struct control_call {
    struct fake *f;
    const struct http_request *req;
    cJSON *body;
    const char *tail; /* of the path behind the registered prefix */
    struct buf *out;
};
struct control_route {
    const char *method, *path; /* a path that ends in `/` takes a tail */
    int (*handle)(struct control_call *c);
    const char *keys; /* that the body may have; NULL: not checked */
};

extern const struct control_route control_state_routes[], control_fault_routes[];

int control_ok(struct control_call *c);
int control_fail(struct control_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* NULL kind with true for `*`; false: the error has been written. */
bool control_kind(struct control_call *c, bool star, struct kind **out);
/* Bits of verbs named in the body, all when absent. */
bool control_verbs(struct control_call *c, unsigned *bits);

#endif
