/* The catalogue of rules and the page of one, printed from the row (rules/rule.h). */
#ifndef NETAUDITD_FRONT_RULE_PRINT_H
#define NETAUDITD_FRONT_RULE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "rules/rule.h"

/* The caller deletes the tree. */
cJSON *rule_tree(const struct rule *r);
/* The whole catalogue as one array. */
cJSON *rule_catalogue_tree(void);
void rule_catalogue_table(FILE *out, bool wide, bool headers, bool colour);
void rule_page(const struct rule *r, FILE *out, bool colour);

#endif
