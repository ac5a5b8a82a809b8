#include "rules/policy_look.h"

static void look_network_policy(const struct network_policy *p, policy_look_fn *fn, void *ctx)
{
    const struct {
        const struct policy_rule *rules;
        uint32_t count;
    } sides[] = { { p->ingress_rules, p->ingress_count }, { p->egress_rules, p->egress_count } };

    for (size_t d = 0; d < 2; d++) {
        for (uint32_t r = 0; r < sides[d].count; r++) {
            for (uint32_t i = 0; i < sides[d].rules[r].peer_count; i++) {
                const struct policy_peer *peer = &sides[d].rules[r].peers[i];
                if (peer->namespaces != NULL) {
                    fn(ctx, peer->namespaces, peer->pods, false);
                }
            }
        }
    }
}

static void look_tiered(const struct tiered_policy *p, policy_look_fn *fn, void *ctx)
{
    const struct {
        const struct tiered_rule *rules;
        uint32_t count;
    } sides[] = { { p->ingress_rules, p->ingress_count }, { p->egress_rules, p->egress_count } };

    fn(ctx, p->namespaces, p->pods, false);
    for (size_t d = 0; d < 2; d++) {
        for (uint32_t r = 0; r < sides[d].count; r++) {
            for (uint32_t i = 0; i < sides[d].rules[r].peer_count; i++) {
                const struct tiered_peer *peer = &sides[d].rules[r].peers[i];
                if (peer->kind == TIERED_PEER_PODS) {
                    fn(ctx, peer->namespaces, peer->pods,
                       peer->same_labels || peer->not_same_labels);
                }
            }
        }
    }
}

/* A CiliumNetworkPolicy's own namespace stands in the selectors, like any other. */
static void look_cilium(const struct cilium_policy *p, policy_look_fn *fn, void *ctx)
{
    for (uint32_t r = 0; r < p->rule_count; r++) {
        const struct cilium_rule *rule = &p->rules[r];
        if (rule->subject != NULL && p->head.ns == NULL) {
            fn(ctx, rule->subject->namespaces, rule->subject->pods, false);
        }
        for (int s = 0; s < CILIUM_SECTION_COUNT; s++) {
            for (uint32_t i = 0; i < rule->entry_count[s]; i++) {
                const struct cilium_entry *entry = &rule->entries[s][i];
                for (uint32_t k = 0; k < entry->endpoint_count; k++) {
                    fn(ctx, entry->endpoints[k].namespaces, entry->endpoints[k].pods, false);
                }
            }
        }
    }
}

void policy_each_look(const struct object *policy, policy_look_fn *fn, void *ctx)
{
    switch (policy->kind) {
    case KIND_NETWORK_POLICY:
        look_network_policy((const struct network_policy *)policy, fn, ctx);
        return;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        look_tiered((const struct tiered_policy *)policy, fn, ctx);
        return;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        look_cilium((const struct cilium_policy *)policy, fn, ctx);
        return;
    default:
        return;
    }
}
