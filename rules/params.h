/* Values of rule parameters: text forms read once, when a ruleset is made. */
#ifndef NETAUDITD_RULES_PARAMS_H
#define NETAUDITD_RULES_PARAMS_H

#include "base/arena.h"
#include "base/error.h"
#include "rules/rule.h"

struct param_value {
    int64_t number; /* INT, DURATION in ms, BOOL */
    int64_t lo, hi; /* RANGE */
    const char *text;
    const char *const *list;      /* NULL-terminated */
    const struct label_pair *map; /* ends with key NULL */
};

struct rule_params {
    const struct param *rows;   /* the rule's; NULL when it has none */
    struct param_value *values; /* one for each row */
};

/* Reads `text` as the row's type into `arena`. NA_EINVAL with a sentence that begins with the
 * value; *out is then untouched. */
int param_read(struct param_value *out, const struct param *row, const char *text,
               struct arena *arena, struct error *err);
/* The place of the parameter among the rows, -1 when there is none of that name. */
int param_place(const struct param *rows, const char *name);
/* The parameters at their initial values. Aborts when a row's own text is wrong. */
struct rule_params *params_initial(const struct rule *r, struct arena *arena);

#endif
