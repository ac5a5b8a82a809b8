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
        out[i] = form_block_peer(m, &blocks[i], m->options->blocks_match_pods);
    }
    return p->network_count;
}

static uint32_t make_peer(const struct form_maker *m, const struct tiered_peer *p,
                          struct form_peer *out)
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
    return 0; /* Accept matches nobody by it; the others: add_closed */
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

static struct form_rule begin_rule(const struct tiered_rule *r, enum form_action action,
                                   const char *section, uint32_t index)
{
    return (
        struct form_rule){ .action = action, .section = section, .index = index, .name = r->name };
}

/* A peer that cannot be understood fails closed (SEMANTICS 3.7): before the rule as far as it is
 * understood, perhaps all is denied. */
static void add_closed(const struct form_maker *m, const struct tiered_rule *r,
                       struct form_rule *out)
{
    struct form_peer *peer = arena_alloc(m->arena, sizeof(*peer));

    *peer = (struct form_peer){ .kind = FORM_PEER_MAYBE, .construct = EMPTY_PEER };
    out->peers = peer;
    out->peer_count = 1;
    make_ports(m, r, out);
}

static void add_peers(const struct form_maker *m, const struct tiered_rule *r,
                      struct form_rule *out)
{
    struct form_peer *peers = arena_alloc(m->arena, ((size_t)peers_of(r) + 1) * sizeof(peers[0]));
    uint32_t n = 0;

    for (uint32_t k = 0; k < r->peer_count; k++) {
        n += make_peer(m, &r->peers[k], &peers[n]);
    }
    out->peers = peers;
    out->peer_count = n;
    make_ports(m, r, out);
}

static void make_rules(const struct form_maker *m, const struct tiered_rule *rules, uint32_t count,
                       enum direction d, struct policy_form *f)
{
    static const enum form_action actions[] = {
        [POLICY_ACCEPT] = FORM_ALLOW, [POLICY_DENY] = FORM_DENY, [POLICY_PASS] = FORM_PASS
    };
    const char *section = d == DIRECTION_INGRESS ? "spec.ingress" : "spec.egress";
    struct form_rule *out = arena_alloc(m->arena, (2 * (size_t)count + 1) * sizeof(out[0]));
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (rules[i].action != POLICY_ACCEPT && has_empty_peer(&rules[i])) {
            out[n] = begin_rule(&rules[i], FORM_DENY, section, i);
            add_closed(m, &rules[i], &out[n++]);
        }
        out[n] = begin_rule(&rules[i], actions[rules[i].action], section, i);
        add_peers(m, &rules[i], &out[n++]);
    }
    f->rules[d] = out;
    f->rule_count[d] = n;
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
        make_rules(m, p->ingress_rules, p->ingress_count, DIRECTION_INGRESS, &f);
        make_rules(m, p->egress_rules, p->egress_count, DIRECTION_EGRESS, &f);
    }
    form_end(m, &f);
}
