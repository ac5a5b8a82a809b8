/* The rows that the rules/check_*.c files hold; rules/catalogue.c puts them into one sorted list.
 * Every kind of subject may have at most 64 rules, all together at most 128. */
#ifndef NETAUDITD_RULES_CHECKS_H
#define NETAUDITD_RULES_CHECKS_H

#include <stddef.h>

#include "rules/rule.h"

extern const struct rule network_policy_rules[]; /* check_network_policy.c */
extern const size_t network_policy_rule_count;
extern const struct rule ingress_class_rules[]; /* check_ingress_class.c */
extern const size_t ingress_class_rule_count;
extern const struct rule ingress_route_rules[]; /* check_ingress_route.c */
extern const size_t ingress_route_rule_count;
extern const struct rule ingress_tls_rules[]; /* check_ingress_tls.c */
extern const size_t ingress_tls_rule_count;
extern const struct rule service_rules[]; /* check_service.c */
extern const size_t service_rule_count;
extern const struct rule service_target_rules[]; /* check_service_target.c */
extern const size_t service_target_rule_count;

#endif
