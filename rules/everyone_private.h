/* Between the files of everyone. */
#ifndef NETAUDITD_RULES_EVERYONE_PRIVATE_H
#define NETAUDITD_RULES_EVERYONE_PRIVATE_H

#include "rules/everyone.h"

enum goal_state { GOAL_REACHED, GOAL_MISSED, GOAL_UNDECIDED };
/* Of peers for whom the outcome holds. */
enum goal_state goal_reached(const struct everyone_question *q, const struct lineup_outcome *o);
void everyone_evaluate(const struct everyone_question *q, form_match_fn *match, void *ctx,
                       struct lineup_outcome *out);

#endif
