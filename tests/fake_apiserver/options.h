/* List options: read from the query, refused exactly where apimachinery refuses them. */
#ifndef FAKE_OPTIONS_H
#define FAKE_OPTIONS_H

#include "exchange.h"
#include "selector.h"

struct list_options {
    bool watch, bookmarks, send_initial, send_initial_set;
    bool rv_set, exact, not_older;
    uint64_t rv; /* 0 with rv_set: "any" */
    uint64_t limit, timeout_s;
    bool timeout_set;
    char *continue_token; /* "" when absent */
    struct selector labels, fields;
};

/* False: an answer with the error has been started. */
bool options_parse(struct exchange *x, struct list_options *o);
void options_free(struct list_options *o);

/* Tokens for the next page: base64url of {"v":"meta.k8s.io/v1","rv":N,"start":"key"}. rv -1 =
 * inconsistent. */
void token_write(struct buf *out, int64_t rv, const char *start);
bool token_read(const char *token, int64_t *rv, char **start);
/* Which form of the object the Accept header asks for; false: 406 has been answered. */
bool accept_parse(struct exchange *x);

#endif
