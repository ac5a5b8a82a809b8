/* Namespaces, and which per-pod labels their classes show. A StatefulSet's pods are one class until
 * some selector names a label that tells them apart; then they are a class each, and collapse again
 * when that selector goes. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cluster/cluster_private.h"
#include "cluster/policy_object.h"

static uint32_t ns_hash(const void *item)
{
    return ((const struct ns_entry *)item)->pub.name->hash;
}

static bool ns_same(const void *item, const void *key)
{
    return ((const struct ns_entry *)item)->pub.name == key;
}

struct ns_entry *ns_find(const struct cluster *c, const struct str *name)
{
    return name != NULL ? table_find(&c->namespaces, name->hash, name, ns_same) : NULL;
}

static uint16_t wanted_mask(const struct cluster *c, const struct ns_entry *e)
{
    uint16_t mask = 0;

    for (unsigned i = 0; i < PER_POD_KEYS; i++) {
        if (c->named[i] > 0 || e->named[i] > 0) {
            mask = (uint16_t)(mask | BIT(i));
        }
    }
    return mask;
}

struct ns_entry *ns_get(struct cluster *c, struct str *name)
{
    struct ns_entry *e = ns_find(c, name);

    if (e != NULL) {
        return e;
    }
    e = xcalloc(1, sizeof(*e));
    e->pub.name = str_ref(name);
    e->pub.index = (uint32_t)c->ns_list.len;
    e->mask = wanted_mask(c, e);
    vec_push(&c->ns_list, e);
    table_add(&c->namespaces, e, ns_hash);
    touch_ns(c, e, false);
    return e;
}

bool ns_is_empty(const struct ns_entry *e)
{
    return e->pub.object == NULL && e->pub.policies.len == 0 && e->pub.cilium_policies.len == 0 &&
           e->pub.peer_authentications.len == 0 && e->pub.services.len == 0 &&
           e->pub.ingresses.len == 0 && e->pub.secrets.len == 0 && e->pub.workloads.len == 0 &&
           e->middles.len == 0 && e->pods.count == 0;
}

void ns_unlink(struct cluster *c, struct ns_entry *e)
{
    table_remove(&c->namespaces, e, ns_hash);
    vec_remove_swap(&c->ns_list, e->pub.index);
    if (e->pub.index < c->ns_list.len) {
        c->ns_list.items[e->pub.index]->pub.index = e->pub.index;
    }
}

void ns_free(struct ns_entry *e)
{
    str_unref(e->pub.name);
    vec_free(&e->pub.policies);
    vec_free(&e->pub.cilium_policies);
    vec_free(&e->pub.peer_authentications);
    vec_free(&e->pub.services);
    vec_free(&e->pub.ingresses);
    vec_free(&e->pub.secrets);
    vec_free(&e->pub.workloads);
    vec_free(&e->pub.classes);
    vec_free(&e->middles);
    table_deinit(&e->pods);
    free(e);
}

/* ---- which keys selectors name --------------------------------------------------------------- */

static void note_mask(struct cluster *c, struct ns_entry *e)
{
    if (!e->mask_noted && wanted_mask(c, e) != e->mask) {
        e->mask_noted = true;
        vec_push(&c->txn.noted_masks, ((struct noted_mask){ e, c->txn.note }));
    }
}

static bool count_selector(const struct cluster *c, const struct selector *s, uint32_t *named,
                           int by)
{
    bool any = false;

    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        for (unsigned k = 0; k < PER_POD_KEYS; k++) {
            if (s->requirements[i].key == c->per_pod_keys[k]) {
                named[k] += (uint32_t)by;
                any = true;
            }
        }
    }
    return any;
}

static bool count_rules(struct cluster *c, struct ns_entry *e, const struct policy_rule *rules,
                        uint32_t count, int by)
{
    bool far = false;

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < rules[i].peer_count; j++) {
            const struct policy_peer *peer = &rules[i].peers[j];

            if (peer->namespaces == NULL) {
                count_selector(c, peer->pods, e->named, by);
            } else if (count_selector(c, peer->pods, c->named, by)) {
                far = true;
            }
        }
    }
    return far;
}

struct far_count {
    struct cluster *c;
    int by;
};

static bool count_far(void *ctx, const struct selector *s)
{
    const struct far_count *f = ctx;

    return count_selector(f->c, s, f->c->named, f->by);
}

void ns_count_keys(struct cluster *c, struct ns_entry *e, const struct object *obj, int by)
{
    bool far = false;

    if (obj->kind == KIND_SERVICE) {
        count_selector(c, ((const struct service *)obj)->selector, e->named, by);
    } else if (obj->kind == KIND_NETWORK_POLICY) {
        const struct network_policy *np = (const struct network_policy *)obj;

        count_selector(c, np->pods, e->named, by);
        far = count_rules(c, e, np->ingress_rules, np->ingress_count, by);
        far = count_rules(c, e, np->egress_rules, np->egress_count, by) || far;
    } else {
        far = policy_object_each_pod_selector(obj, count_far, &(struct far_count){ c, by });
    }
    if (e != NULL) {
        note_mask(c, e);
    }
    for (size_t i = 0; far && i < c->ns_list.len; i++) {
        note_mask(c, c->ns_list.items[i]);
    }
}

struct label_set *ns_visible_labels(const struct cluster *c, const struct ns_entry *e,
                                    struct label_set *labels)
{
    enum { FEW = 16 };
    struct label few[FEW], *kept = few;
    struct label_set *out;
    uint32_t n = 0;

    if (labels->count > FEW) {
        kept = xcalloc(labels->count, sizeof(*kept));
    }
    for (uint32_t i = 0; i < labels->count; i++) {
        bool hidden = false;

        for (unsigned k = 0; k < PER_POD_KEYS; k++) {
            hidden =
                hidden || (labels->items[i].key == c->per_pod_keys[k] && (e->mask & BIT(k)) == 0);
        }
        if (!hidden) {
            kept[n++] = labels->items[i];
        }
    }
    out = n == labels->count ? label_set_ref(labels) : label_set_intern(kept, n);
    if (kept != few) {
        free(kept);
    }
    return out;
}

static void settle_mask(struct cluster *c, struct ns_entry *e)
{
    uint16_t mask = wanted_mask(c, e);

    e->mask_noted = false;
    if (mask == e->mask) {
        return;
    }
    TABLE_EACH(&e->pods, struct pod, leaving)
    {
        pod_detach(c, e, leaving);
    }
    e->mask = mask;
    TABLE_EACH(&e->pods, struct pod, coming)
    {
        pod_attach(c, e, coming);
    }
    for (size_t i = 0; i < e->pub.workloads.len; i++) {
        workload_set_template(c, (struct workload_entry *)e->pub.workloads.items[i]);
    }
}

void ns_settle_masks(struct cluster *c)
{
    for (size_t i = 0; i < c->txn.noted_masks.len; i++) {
        c->txn.note = c->txn.noted_masks.items[i].note;
        settle_mask(c, c->txn.noted_masks.items[i].e);
    }
    c->txn.noted_masks.len = 0;
}
