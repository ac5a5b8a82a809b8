/* CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (SEMANTICS 5). */
#include <stdio.h>
#include <string.h>

#include "rules/policy_form_private.h"

#define REPORTED_INVALID "its status says that it is not valid"

static const struct {
    enum cilium_entity entity;
    struct form_peer peer;
} entities[] = {
    { CILIUM_ENTITY_ALL, { .kind = FORM_PEER_EVERYONE } },
    { CILIUM_ENTITY_WORLD, { .kind = FORM_PEER_WORLD } },
    { CILIUM_ENTITY_WORLD_IPV4, { .kind = FORM_PEER_WORLD, .family = 4 } },
    { CILIUM_ENTITY_WORLD_IPV6, { .kind = FORM_PEER_WORLD, .family = 6 } },
    { CILIUM_ENTITY_CLUSTER, { .kind = FORM_PEER_CLUSTER } },
    { CILIUM_ENTITY_HOST, { .kind = FORM_PEER_NODES } },
    { CILIUM_ENTITY_REMOTE_NODE, { .kind = FORM_PEER_NODES } },
    { CILIUM_ENTITY_KUBE_APISERVER,
      { .kind = FORM_PEER_MAYBE, .construct = "entity kube-apiserver", .outside_only = true } },
};

/* What may stand for pods; everything else that is not modelled stands for addresses or nodes. */
static bool may_mean_pods(const char *construct)
{
    return strstr(construct, "Services") != NULL || strstr(construct, "Requires") != NULL;
}

static uint32_t add_entities(unsigned bits, struct form_peer *out)
{
    uint32_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        if (bits & BIT(entities[i].entity)) {
            out[n++] = entities[i].peer;
        }
    }
    return n;
}

static uint32_t add_endpoints(const struct cilium_endpoints *e, struct form_peer *out)
{
    if (e->unmodelled != NULL) {
        *out = (struct form_peer){ .kind = FORM_PEER_MAYBE, .construct = e->unmodelled->text };
        return 1;
    }
    if (e->entities != 0) {
        return add_entities(e->entities, out);
    }
    *out = (struct form_peer){ .kind = FORM_PEER_PODS,
                               .namespaces = e->namespaces,
                               .pods = e->pods,
                               .service_account = e->service_account };
    return 1;
}

static void make_peers(const struct form_maker *m, const struct cilium_entry *e,
                       struct form_rule *out)
{
    size_t most = (size_t)(e->endpoint_count + 1) * ARRAY_LEN(entities) + e->block_count + 2;
    struct form_peer *peers = arena_alloc(m->arena, most * sizeof(peers[0]));
    uint32_t n = 0;

    if (!e->has_peer && (e->has_ports || e->icmp_only)) {
        peers[n++] = (struct form_peer){ .kind = FORM_PEER_EVERYONE };
    }
    for (uint32_t i = 0; i < e->endpoint_count; i++) {
        n += add_endpoints(&e->endpoints[i], &peers[n]);
    }
    n += add_entities(e->entities, &peers[n]);
    for (uint32_t i = 0; i < e->block_count; i++) {
        peers[n++] = form_block_peer(m, &e->blocks[i], false);
    }
    if (e->unmodelled != NULL) {
        peers[n++] = (struct form_peer){ .kind = FORM_PEER_MAYBE,
                                         .construct = e->unmodelled->text,
                                         .outside_only = !may_mean_pods(e->unmodelled->text) };
    }
    out->peers = peers;
    out->peer_count = n;
}

static void make_ports(const struct form_maker *m, const struct cilium_entry *e,
                       struct form_rule *out)
{
    struct form_port *ports;

    if (!e->has_ports) {
        out->fixed = e->icmp_only ? PORTS_NONE : PORTS_ALL;
        return;
    }
    ports = arena_alloc(m->arena, (e->port_count + 1) * sizeof(ports[0]));
    for (uint32_t i = 0; i < e->port_count; i++) {
        ports[i] = (struct form_port){ .protocols = e->ports[i].protocols,
                                       .port_name = e->ports[i].port_name,
                                       .lo = e->ports[i].port,
                                       .hi = e->ports[i].end_port };
    }
    out->ports = ports;
    out->port_count = e->port_count;
    form_rule_sum(m, out);
}

static const char *section_name(const struct form_maker *m, const struct cilium_rule *r,
                                enum cilium_section section)
{
    static const char *const names[CILIUM_SECTION_COUNT] = { [CILIUM_INGRESS] = "ingress",
                                                             [CILIUM_INGRESS_DENY] = "ingressDeny",
                                                             [CILIUM_EGRESS] = "egress",
                                                             [CILIUM_EGRESS_DENY] = "egressDeny" };
    char text[64];

    if (r->spec_index < 0) {
        snprintf(text, sizeof(text), "spec.%s", names[section]);
    } else {
        snprintf(text, sizeof(text), "specs[%d].%s", (int)r->spec_index, names[section]);
    }
    return arena_strdup(m->arena, text);
}

static struct form_rule *add_section(const struct form_maker *m, const struct cilium_rule *r,
                                     enum cilium_section section, struct form_rule *out)
{
    const char *name = r->entry_count[section] > 0 ? section_name(m, r, section) : NULL;

    for (uint32_t i = 0; i < r->entry_count[section]; i++, out++) {
        const struct cilium_entry *e = &r->entries[section][i];
        *out = (struct form_rule){ .action = section == CILIUM_INGRESS_DENY ||
                                                     section == CILIUM_EGRESS_DENY
                                                 ? FORM_DENY
                                                 : FORM_ALLOW,
                                   .section = name,
                                   .index = i,
                                   .narrowed = e->narrowed };
        make_peers(m, e, out);
        make_ports(m, e, out);
    }
    return out;
}

static void make_direction(const struct form_maker *m, const struct cilium_rule *r,
                           enum direction d, struct policy_form *f)
{
    enum cilium_section allow = d == DIRECTION_INGRESS ? CILIUM_INGRESS : CILIUM_EGRESS;
    enum cilium_section deny = d == DIRECTION_INGRESS ? CILIUM_INGRESS_DENY : CILIUM_EGRESS_DENY;
    uint32_t n = r->entry_count[allow] + r->entry_count[deny];
    struct form_rule *rules = arena_alloc(m->arena, (n + 1) * sizeof(rules[0]));

    add_section(m, r, deny, add_section(m, r, allow, rules));
    f->rules[d] = rules;
    f->rule_count[d] = n;
    f->isolates[d] = n > 0 && r->default_deny[d];
}

void form_cilium(const struct form_maker *m)
{
    const struct cilium_policy *p = (const struct cilium_policy *)m->policy;

    /* What is malformed the agent refuses as a whole: it protects nothing. */
    for (uint32_t i = 0; p->malformed == NULL && i < p->rule_count; i++) {
        const struct cilium_rule *r = &p->rules[i];
        struct policy_form f = form_begin(m, FAMILY_CILIUM, STAGE_POLICY);
        if (r->subject == NULL || r->subject->entities != 0) {
            continue; /* hosts, never pods */
        }
        f.namespaces = r->subject->namespaces;
        f.pods = r->subject->pods;
        f.service_account = r->subject->service_account;
        if (p->reported_invalid && f.doubt == NULL) {
            f.doubt = REPORTED_INVALID;
        }
        for (int d = 0; d < 2; d++) {
            make_direction(m, r, (enum direction)d, &f);
            if (f.rule_count[d] > 0 && r->subject->unmodelled != NULL) {
                f.unclear[d] = r->subject->unmodelled->text;
            }
        }
        form_end(m, &f);
    }
}
