/* The policies of one namespace, ready for the question which of them select a label set. Valid
 * while the cluster does not change. Between the files of reach. */
#ifndef NETAUDITD_RULES_POLICY_INDEX_H
#define NETAUDITD_RULES_POLICY_INDEX_H

#include "rules/reach.h"
#include "rules/reach_open.h"

struct policy_vec {
    VEC(const struct network_policy *) v;
};

struct policy_anchor { /* a label without which the policy selects nothing */
    const struct str *key, *value;
    const struct network_policy *policy;
};

struct policy_index {
    const struct ns *ns;
    VEC(struct policy_anchor) anchored; /* sorted by key and value */
    struct policy_vec loose;            /* well-formed ones without an anchor */
    struct policy_vec malformed;        /* by name */
    struct policy_vec isolating[2];     /* by direction, all well-formed ones, by name */
    bool bound_known[2];
    enum openness bound[2]; /* by direction: an upper bound for any label set */
};

void policy_index_init(struct policy_index *x, const struct ns *ns);
void policy_index_deinit(struct policy_index *x);

/* A label set: an interned one, or at most one label for the sets that nobody has (yet). */
struct label_view {
    const struct label_set *set;
    const struct str *key,
        *value; /* set NULL: this label, or none when key is NULL; value NULL: one unheard of */
};
bool view_matches(const struct selector *s, const struct label_view *labels);

/* The well-formed policies that select and isolate in the direction, by name. `out` is emptied
 * first. */
void policy_index_select(const struct policy_index *x, const struct label_view *labels,
                         enum direction d, struct policy_vec *out);
/* The first malformed policy that might touch such pods in the direction; NULL when there is none.
 */
const struct network_policy *policy_index_unclear(const struct policy_index *x,
                                                  const struct label_view *labels,
                                                  enum direction d);
/* A malformed policy: is the direction among those that it may be about? */
bool policy_might_touch(const struct network_policy *p, enum direction d);

#endif
