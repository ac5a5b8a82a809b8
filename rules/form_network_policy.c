/* NetworkPolicy v1 (SEMANTICS 2). */
#include "base/text.h"
#include "rules/policy_form_private.h"

static void make_peer(const struct form_maker *m, const struct policy_peer *p,
                      struct form_peer *out)
{
    if (p->ip_block != NULL) {
        *out = form_block_peer(m, p->ip_block, m->options->blocks_match_pods);
        return;
    }
    *out = (struct form_peer){ .kind = FORM_PEER_PODS,
                               .own_namespace = p->namespaces == NULL,
                               .namespaces = p->namespaces,
                               .pods = p->pods };
}

static void make_ports(const struct form_maker *m, const struct policy_rule *r,
                       struct form_rule *out)
{
    struct form_port *ports;

    if (r->port_count == 0) {
        out->fixed = PORTS_ALL;
        return;
    }
    ports = arena_alloc(m->arena, r->port_count * sizeof(ports[0]));
    for (uint32_t i = 0; i < r->port_count; i++) {
        const struct policy_port *p = &r->ports[i];
        ports[i] = (struct form_port){
            .protocols = p->protocol != PROTOCOL_OTHER ? BIT(p->protocol) : 0,
            .port_name = p->port_name,
            .lo = p->has_port ? p->port : PORT_FIRST,
            .hi = p->has_port ? p->end_port : PORT_LAST,
        };
    }
    out->ports = ports;
    out->port_count = r->port_count;
    form_rule_sum(m, out);
}

static const struct form_rule *make_rules(const struct form_maker *m,
                                          const struct policy_rule *rules, uint32_t count,
                                          const char *section)
{
    struct form_rule *out = arena_alloc(m->arena, (count + 1) * sizeof(out[0]));

    for (uint32_t i = 0; i < count; i++) {
        uint32_t peers = rules[i].peer_count;
        struct form_peer *p = arena_alloc(m->arena, (peers + 1) * sizeof(p[0]));
        for (uint32_t k = 0; k < peers; k++) {
            make_peer(m, &rules[i].peers[k], &p[k]);
        }
        if (peers == 0) {
            p[peers++] = (struct form_peer){ .kind = FORM_PEER_EVERYONE };
        }
        out[i] = (struct form_rule){
            .action = FORM_ALLOW, .section = section, .index = i, .peers = p, .peer_count = peers
        };
        make_ports(m, &rules[i], &out[i]);
    }
    return out;
}

/* Only the first fault of a malformed policy is known, so that nothing of it counts, but for the
 * directions that it is about. */
static void make_malformed(const struct form_maker *m, const struct network_policy *p)
{
    struct policy_form f = form_begin(m, FAMILY_NETWORK_POLICY, STAGE_POLICY);
    bool types = text_starts(p->malformed->text, "spec.policyTypes");

    f.pods = p->pods;
    f.unclear[DIRECTION_INGRESS] = p->ingress || types ? p->malformed->text : NULL;
    f.unclear[DIRECTION_EGRESS] = p->egress || types ? p->malformed->text : NULL;
    form_end(m, &f);
}

void form_network_policy(const struct form_maker *m)
{
    const struct network_policy *p = (const struct network_policy *)m->policy;
    struct policy_form f = form_begin(m, FAMILY_NETWORK_POLICY, STAGE_POLICY);

    if (p->malformed != NULL) {
        make_malformed(m, p);
        return;
    }
    f.pods = p->pods;
    if (p->ingress) {
        f.isolates[DIRECTION_INGRESS] = true;
        f.rules[DIRECTION_INGRESS] =
            make_rules(m, p->ingress_rules, p->ingress_count, "spec.ingress");
        f.rule_count[DIRECTION_INGRESS] = p->ingress_count;
    }
    if (p->egress) {
        f.isolates[DIRECTION_EGRESS] = true;
        f.rules[DIRECTION_EGRESS] = make_rules(m, p->egress_rules, p->egress_count, "spec.egress");
        f.rule_count[DIRECTION_EGRESS] = p->egress_count;
    }
    form_end(m, &f);
}
