/* The rows that the rules/check_*.c files hold; rules/catalogue.c puts them into one sorted list.
 * Every kind of subject may have at most 64 rules, all together at most 128. */
#ifndef NETAUDITD_RULES_CHECKS_H
#define NETAUDITD_RULES_CHECKS_H

#include <stddef.h>

#include "rules/rule.h"

/* For `depends` of what the policies of all families decide about a subject and its namespace. */
#define DEPENDS_ON_POLICIES                                                                        \
    { KIND_NETWORK_POLICY, DEPEND_NAMESPACE }, { KIND_CILIUM_NETWORK_POLICY, DEPEND_NAMESPACE },   \
        { KIND_CLUSTER_NETWORK_POLICY, DEPEND_CLUSTER },                                           \
        { KIND_ADMIN_NETWORK_POLICY, DEPEND_CLUSTER },                                             \
        { KIND_BASELINE_ADMIN_NETWORK_POLICY, DEPEND_CLUSTER },                                    \
    {                                                                                              \
        KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, DEPEND_CLUSTER                                     \
    }

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
extern const struct rule egress_rules[]; /* check_egress.c */
extern const size_t egress_rule_count;
extern const struct rule policy_health_rules[]; /* check_policy_health.c */
extern const size_t policy_health_rule_count;
extern const struct rule policy_dns_rules[]; /* check_policy_dns.c */
extern const size_t policy_dns_rule_count;
extern const struct rule zero_trust_rules[]; /* check_zero_trust.c */
extern const size_t zero_trust_rule_count;

#endif
