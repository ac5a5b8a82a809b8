#include "rules/policy_form.h"

#include "rules/policy_form_private.h"

const char *policy_family_name(enum policy_family f)
{
    static const char *const names[FAMILY_COUNT] = { [FAMILY_NETWORK_POLICY] = "NetworkPolicy",
                                                     [FAMILY_CLUSTER_NETWORK_POLICY] =
                                                         "ClusterNetworkPolicy",
                                                     [FAMILY_ADMIN_NETWORK_POLICY] =
                                                         "AdminNetworkPolicy",
                                                     [FAMILY_CILIUM] = "Cilium" };

    return names[f];
}

struct form_peer form_block_peer(const struct form_maker *m, const struct ip_block *block,
                                 bool match_pods)
{
    struct form_block *range = arena_alloc(m->arena, sizeof(*range));
    struct cidr *except =
        arena_alloc(m->arena, ((size_t)block->except_count + 1) * sizeof(except[0]));

    *range = (struct form_block){ .except = except };
    if (!cidr_parse(str_text(block->cidr), &range->cidr)) {
        range->cidr.family = 0;
    }
    for (uint32_t i = 0; i < block->except_count; i++) {
        if (cidr_parse(str_text(block->except[i]), &except[range->except_count])) {
            range->except_count++;
        }
    }
    return (struct form_peer){
        .kind = FORM_PEER_BLOCK, .block = block, .range = range, .blocks_match_pods = match_pods
    };
}

void form_rule_sum(const struct form_maker *m, struct form_rule *rule)
{
    rule->fixed = PORTS_NONE;
    for (uint32_t i = 0; i < rule->port_count; i++) {
        const struct form_port *p = &rule->ports[i];
        rule->names_ports = rule->names_ports || p->port_name != NULL;
        for (int k = 0; p->port_name == NULL && k < PORT_PROTOCOLS; k++) {
            if (p->protocols & BIT(k)) {
                rule->fixed =
                    port_set_or(m->options->ports, rule->fixed,
                                port_set_range(m->options->ports, (enum protocol)k, p->lo, p->hi));
            }
        }
    }
}

struct policy_form form_begin(const struct form_maker *m, enum policy_family family,
                              enum form_stage stage)
{
    bool unenforced = !(m->options->enforced & BIT(family));

    return (struct policy_form){ .policy = m->policy,
                                 .family = family,
                                 .stage = stage,
                                 .ns = m->ns,
                                 .unenforced = unenforced,
                                 .doubt = unenforced ? DOUBT_UNENFORCED : NULL };
}

static bool has_effect(const struct policy_form *f, enum direction d)
{
    return f->isolates[d] || f->rule_count[d] > 0 || f->unclear[d] != NULL;
}

void form_end(const struct form_maker *m, const struct policy_form *f)
{
    if (has_effect(f, DIRECTION_INGRESS) || has_effect(f, DIRECTION_EGRESS)) {
        vec_push(&m->out->v, *f);
    }
}

void policy_form_add(struct form_vec *out, struct arena *arena, const struct object *policy,
                     const struct ns *ns, const struct form_options *options)
{
    const struct form_maker m = { out, arena, policy, ns, options };

    switch (policy->kind) {
    case KIND_NETWORK_POLICY:
        form_network_policy(&m);
        break;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        form_tiered(&m);
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        form_cilium(&m);
        break;
    default:
        break;
    }
}
