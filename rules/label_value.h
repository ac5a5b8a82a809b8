/* What a label of a pod or namespace that is not there might be: absent, a value that nobody
 * names, or one that somebody names. Searches over hypothetical label sets assign these. */
#ifndef NETAUDITD_RULES_LABEL_VALUE_H
#define NETAUDITD_RULES_LABEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "cluster/selector.h"

enum label_space { LABELS_OF_POD, LABELS_OF_NAMESPACE, LABELS_OF_SERVICE_ACCOUNT };

enum label_state { LABEL_OPEN, LABEL_ABSENT, LABEL_OTHER, LABEL_NAMED };
struct label_value {
    enum label_state state;
    const struct str *named;
};

struct label_variable {
    enum label_space space;
    const struct str *key;
    bool always;                   /* cannot be absent */
    VEC(const struct str *) named; /* the values that selectors name; borrowed */
    struct label_value value;
};
void label_variable_deinit(struct label_variable *v);

/* Every namespace has its name as this label. */
bool label_is_namespace_name(enum label_space space, const struct str *key);

/* Does a requirement hold for a value that is not LABEL_OPEN? */
bool label_value_satisfies(const struct label_value *v, enum selector_op op,
                           struct str *const *values, uint32_t count);
/* The candidate-th value that a variable may take; false behind the last. First those that nobody
 * names, which escape most requirements. */
bool label_variable_candidate(const struct label_variable *v, size_t candidate,
                              struct label_value *out);

#endif
