/* ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy (SEMANTICS 3, 4). */
#include <string.h>

#include "rules/policy_form_private.h"

#define EMPTY_PEER "a peer without any known field"

static uint32_t peers_of(const struct tiered_rule *r)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->peer_count; i++) {
        n += r->peers[i].kind == TIERED_PEER_NETWORKS ? r->peers[i].network_count : 1;
    }
    return n;
}

static uint32_t make_networks(const struct form_maker *m, const struct tiered_peer *p,
                              struct form_peer *out)
{
    struct ip_block *blocks = arena_alloc(m->arena, (p->network_count + 1) * sizeof(blocks[0]));

    for (uint32_t i = 0; i < p->network_count; i++) {
        blocks[i] = (struct ip_block){ .cidr = p->networks[i] };
        out[i] = (struct form_peer){ .kind = FORM_PEER_BLOCK,
                                     .block = &blocks[i],
                                     .blocks_match_pods = m->options->blocks_match_pods };
    }
    return p->network_count;
}

static uint32_t make_peer(const struct form_maker *m, const struct tiered_rule *r,
                          const struct tiered_peer *p, struct form_peer *out)
{
    switch (p->kind) {
    case TIERED_PEER_PODS:
        *out = (struct form_peer){ .kind = FORM_PEER_PODS,
                                   .namespaces = p->namespaces,
                                   .pods = p->pods,
                                   .relative = p->same_labels || p->not_same_labels ? p : NULL };
        return 1;
    case TIERED_PEER_NETWORKS:
        return make_networks(m, p, out);
    case TIERED_PEER_UNMODELLED:
        *out = (struct form_peer){ .kind = FORM_PEER_MAYBE,
                                   .construct = str_text(p->unmodelled),
                                   .outside_only =
                                       strcmp(str_text(p->unmodelled), "nodes") == 0 ||
                                       strcmp(str_text(p->unmodelled), "domainNames") == 0 };
        return 1;
    case TIERED_PEER_EMPTY:
        break;
    }
    if (r->action == POLICY_ACCEPT) {
        return 0; /* matches nothing */
    }
    *out = (struct form_peer){ .kind = FORM_PEER_MAYBE, .construct = EMPTY_PEER };
    return 1;
}

static bool has_empty_peer(const struct tiered_rule *r)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (r->peers[i].kind == TIERED_PEER_EMPTY) {
            return true;
        }
    }
    return false;
}

static void make_ports(const struct form_maker *m, const struct tiered_rule *r,
                       struct form_rule *out)
{
    struct form_port *ports;

    if (r->port_count == 0) {
        out->fixed = PORTS_ALL;
        return;
    }
    ports = arena_alloc(m->arena, r->port_count * sizeof(ports[0]));
    for (uint32_t i = 0; i < r->port_count; i++) {
        const struct tiered_port *p = &r->ports[i];
        ports[i] = (struct form_port){
            .protocols = p->any_protocol                 ? BIT(PORT_PROTOCOLS) - 1
                         : p->protocol != PROTOCOL_OTHER ? BIT(p->protocol)
                                                         : 0,
            .port_name = p->port_name,
            .lo = p->port,
            .hi = p->end_port,
        };
    }
    out->ports = ports;
    out->port_count = r->port_count;
    form_rule_sum(m, out);
}

static const struct form_rule *make_rules(const struct form_maker *m,
                                          const struct tiered_rule *rules, uint32_t count,
                                          const char *section)
{
    static const enum form_action actions[] = {
        [POLICY_ACCEPT] = FORM_ALLOW, [POLICY_DENY] = FORM_DENY, [POLICY_PASS] = FORM_PASS
    };
    struct form_rule *out = arena_alloc(m->arena, (count + 1) * sizeof(out[0]));

    for (uint32_t i = 0; i < count; i++) {
        const struct tiered_rule *r = &rules[i];
        struct form_peer *peers = arena_alloc(m->arena, (peers_of(r) + 1) * sizeof(peers[0]));
        uint32_t n = 0;
        for (uint32_t k = 0; k < r->peer_count; k++) {
            n += make_peer(m, r, &r->peers[k], &peers[n]);
        }
        out[i] = (struct form_rule){ .action = actions[r->action],
                                     .section = section,
                                     .index = i,
                                     .name = r->name,
                                     .peers = peers,
                                     .peer_count = n };
        if (r->action == POLICY_PASS && has_empty_peer(r)) {
            out[i].action = FORM_DENY; /* what cannot be understood fails closed (SEMANTICS 3.7) */
        }
        make_ports(m, r, &out[i]);
    }
    return out;
}

void form_tiered(const struct form_maker *m)
{
    const struct tiered_policy *p = (const struct tiered_policy *)m->policy;
    struct policy_form f =
        form_begin(m,
                   p->head.kind == KIND_CLUSTER_NETWORK_POLICY ? FAMILY_CLUSTER_NETWORK_POLICY
                                                               : FAMILY_ADMIN_NETWORK_POLICY,
                   p->tier == POLICY_TIER_ADMIN ? STAGE_ADMIN : STAGE_BASELINE);

    f.priority = p->priority;
    f.namespaces = p->namespaces;
    f.pods = p->pods;
    if (p->malformed != NULL) {
        f.unclear[DIRECTION_INGRESS] = p->malformed->text;
        f.unclear[DIRECTION_EGRESS] = p->malformed->text;
    } else {
        f.rules[DIRECTION_INGRESS] =
            make_rules(m, p->ingress_rules, p->ingress_count, "spec.ingress");
        f.rule_count[DIRECTION_INGRESS] = p->ingress_count;
        f.rules[DIRECTION_EGRESS] = make_rules(m, p->egress_rules, p->egress_count, "spec.egress");
        f.rule_count[DIRECTION_EGRESS] = p->egress_count;
    }
    form_end(m, &f);
}
