/* Between the files of reach: the same questions over a namespace's index of policies, with working
 * space that is reused. */
#ifndef NETAUDITD_RULES_REACH_PRIVATE_H
#define NETAUDITD_RULES_REACH_PRIVATE_H

#include "rules/policy_index.h"

struct reach_space { /* zero-initialise */
    struct open_space open;
    struct policy_vec selecting;
    struct label_cover cover;
};
void reach_space_deinit(struct reach_space *s);

void reach_class_in(struct reach_space *s, struct policy_index *x, const struct pod_class *pc,
                    enum direction d, struct reach_answer *out);
void reach_workload_in(struct reach_space *s, struct policy_index *x, const struct workload *w,
                       enum direction d, struct reach_answer *out);
void reach_namespace_in(struct reach_space *s, struct policy_index *x, enum direction d,
                        struct reach_answer *out);

#endif
