/* metav1.LabelSelector and the plain map of a Service. A selector that is malformed is kept as
 * such: it matches nothing, and `malformed` says why, so that whoever judges can answer "unknown".
 */
#ifndef NETAUDITD_CLUSTER_SELECTOR_H
#define NETAUDITD_CLUSTER_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/label_set.h"

enum selector_op { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };

struct selector_requirement { /* matchLabels become SELECTOR_IN with one value */
    enum selector_op op;
    struct str *key;
    struct str **values;
    uint32_t value_count;
};

struct selector {
    struct selector_requirement *requirements;
    uint32_t count;
    struct str *malformed; /* NULL: well-formed */
};

/* An absent selector is a NULL pointer; what it means is the field's business (NetworkPolicy
 * spec.podSelector: all pods; a peer's selectors: not given). An empty one (count 0) matches
 * everything. */
bool selector_matches(const struct selector *s, const struct label_set *labels);
/* The same over labels that are not interned as a set: `get` answers the value of a key or NULL. */
bool selector_matches_get(const struct selector *s,
                          const struct str *(*get)(void *ctx, const struct str *key), void *ctx);
bool selector_equal(const struct selector *a, const struct selector *b);
/* "app in (a,b),!tier" as kubectl writes it, into `out`, cut with "..." when short. "<all>" when
 * empty. */
void selector_format(const struct selector *s, char *out, size_t size);
void selector_destroy(struct selector *s); /* NULL is fine */

#endif
