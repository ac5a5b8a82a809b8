/* Between the makers of policy forms. */
#ifndef NETAUDITD_RULES_POLICY_FORM_PRIVATE_H
#define NETAUDITD_RULES_POLICY_FORM_PRIVATE_H

#include "rules/policy_form.h"

struct form_maker {
    struct form_vec *out;
    struct arena *arena;
    const struct object *policy;
    const struct ns *ns;
    const struct form_options *options;
};

#define DOUBT_UNENFORCED "its family is not known to be enforced (enforcement.families)"

/* A peer that is a block; what is no CIDR matches nothing. */
struct form_peer form_block_peer(const struct form_maker *m, const struct ip_block *block,
                                 bool match_pods);
/* The sum of the ports that are ranges, and whether some are names. */
void form_rule_sum(const struct form_maker *m, struct form_rule *rule);
struct policy_form form_begin(const struct form_maker *m, enum policy_family family,
                              enum form_stage stage);
void form_end(const struct form_maker *m, const struct policy_form *f);

void form_network_policy(const struct form_maker *m);
void form_tiered(const struct form_maker *m);
void form_cilium(const struct form_maker *m);

#endif
