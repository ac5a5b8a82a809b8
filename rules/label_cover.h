/* Do some selectors together match every label set there could be? Each is a conjunction of
 * requirements over the labels of a pod and of its namespace; the question is whether a label set
 * exists that escapes them all. */
#ifndef NETAUDITD_RULES_LABEL_COVER_H
#define NETAUDITD_RULES_LABEL_COVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "rules/label_value.h"

struct cover_literal {
    enum label_space space;
    enum selector_op op;
    const struct str *key;
    struct str *const *values;
    uint32_t value_count;
    uint32_t variable; /* which (space, key) */
};
struct cover_clause {
    size_t first, count; /* its literals */
};

struct label_cover {
    VEC(struct cover_literal) literals;
    VEC(struct cover_clause) clauses;
};

enum cover_answer {
    COVER_ALL,     /* nothing escapes */
    COVER_NOT_ALL, /* some label set does */
    COVER_TOO_HARD /* not found out within the steps that an evaluation may take */
};

/* Zero-initialise. Selectors are borrowed until label_cover_deinit. */
void label_cover_deinit(struct label_cover *c);
void label_cover_reset(struct label_cover *c);
/* Begins the next conjunction; without anything added to it, it matches everything. */
void label_cover_begin(struct label_cover *c);
void label_cover_and(struct label_cover *c, enum label_space space, const struct selector *s);
enum cover_answer label_cover_ask(struct label_cover *c);

#endif
