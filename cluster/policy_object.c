#include "cluster/policy_object.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/decode.h"

/* ---- freeing ---- */

static void free_tiered_rules(struct tiered_rule *rules, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < rules[i].peer_count; k++) {
            struct tiered_peer *p = &rules[i].peers[k];
            selector_destroy(p->namespaces);
            selector_destroy(p->pods);
            strs_free(p->keys, p->key_count);
            strs_free(p->networks, p->network_count);
            str_unref(p->unmodelled);
        }
        for (uint32_t k = 0; k < rules[i].port_count; k++) {
            str_unref(rules[i].ports[k].port_name);
        }
        free(rules[i].peers);
        free(rules[i].ports);
        str_unref(rules[i].name);
    }
    free(rules);
}

static void free_tiered(struct tiered_policy *p)
{
    selector_destroy(p->namespaces);
    selector_destroy(p->pods);
    free_tiered_rules(p->ingress_rules, p->ingress_count);
    free_tiered_rules(p->egress_rules, p->egress_count);
    str_unref(p->malformed);
}

static void deinit_endpoints(struct cilium_endpoints *e)
{
    selector_destroy(e->pods);
    selector_destroy(e->namespaces);
    selector_destroy(e->service_account);
    str_unref(e->unmodelled);
}

static void deinit_entry(struct cilium_entry *e)
{
    for (uint32_t i = 0; i < e->endpoint_count; i++) {
        deinit_endpoints(&e->endpoints[i]);
    }
    for (uint32_t i = 0; i < e->block_count; i++) {
        str_unref(e->blocks[i].cidr);
        strs_free(e->blocks[i].except, e->blocks[i].except_count);
    }
    for (uint32_t i = 0; i < e->port_count; i++) {
        str_unref(e->ports[i].port_name);
    }
    free(e->endpoints);
    free(e->blocks);
    free(e->ports);
    str_unref(e->unmodelled);
}

static void free_cilium(struct cilium_policy *p)
{
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct cilium_rule *r = &p->rules[i];
        if (r->subject != NULL) {
            deinit_endpoints(r->subject);
            free(r->subject);
        }
        for (int s = 0; s < CILIUM_SECTION_COUNT; s++) {
            for (uint32_t k = 0; k < r->entry_count[s]; k++) {
                deinit_entry(&r->entries[s][k]);
            }
            free(r->entries[s]);
        }
    }
    free(p->rules);
    str_unref(p->malformed);
}

void policy_object_free_body(struct object *obj)
{
    switch (obj->kind) {
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        free_tiered((struct tiered_policy *)obj);
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        free_cilium((struct cilium_policy *)obj);
        break;
    case KIND_PEER_AUTHENTICATION: {
        struct peer_authentication *p = (struct peer_authentication *)obj;
        selector_destroy(p->selector);
        free(p->ports);
        str_unref(p->malformed);
        break;
    }
    default:
        break;
    }
}

/* ---- comparing ---- */

static const uint8_t *digest_of(const struct object *obj)
{
    switch (obj->kind) {
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        return ((const struct cilium_policy *)obj)->digest;
    case KIND_PEER_AUTHENTICATION:
        return ((const struct peer_authentication *)obj)->digest;
    default:
        return ((const struct tiered_policy *)obj)->digest;
    }
}

bool policy_object_same(const struct object *a, const struct object *b)
{
    return memcmp(digest_of(a), digest_of(b), POLICY_DIGEST_BYTES) == 0;
}

/* ---- selectors over pods' labels ---- */

struct selector_visit {
    bool (*fn)(void *ctx, const struct selector *s);
    void *ctx;
    bool any;
};

static void visit(struct selector_visit *v, const struct selector *s)
{
    if (s != NULL && v->fn(v->ctx, s)) {
        v->any = true;
    }
}

static void visit_tiered_rules(struct selector_visit *v, const struct tiered_rule *rules,
                               uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < rules[i].peer_count; k++) {
            visit(v, rules[i].peers[k].pods);
        }
    }
}

static void visit_cilium_rule(struct selector_visit *v, const struct cilium_rule *r)
{
    visit(v, r->subject != NULL ? r->subject->pods : NULL);
    for (int s = 0; s < CILIUM_SECTION_COUNT; s++) {
        for (uint32_t i = 0; i < r->entry_count[s]; i++) {
            for (uint32_t k = 0; k < r->entries[s][i].endpoint_count; k++) {
                visit(v, r->entries[s][i].endpoints[k].pods);
            }
        }
    }
}

bool policy_object_each_pod_selector(const struct object *obj,
                                     bool (*fn)(void *ctx, const struct selector *s), void *ctx)
{
    struct selector_visit v = { fn, ctx, false };

    if (obj->kind == KIND_CILIUM_NETWORK_POLICY ||
        obj->kind == KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY) {
        const struct cilium_policy *p = (const struct cilium_policy *)obj;
        for (uint32_t i = 0; i < p->rule_count; i++) {
            visit_cilium_rule(&v, &p->rules[i]);
        }
    } else {
        const struct tiered_policy *p = (const struct tiered_policy *)obj;
        visit(&v, p->pods);
        visit_tiered_rules(&v, p->ingress_rules, p->ingress_count);
        visit_tiered_rules(&v, p->egress_rules, p->egress_count);
    }
    return v.any;
}
