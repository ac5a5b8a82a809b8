/* From scratch: every subject in order, every rule about it. */
#include <stdlib.h>
#include <string.h>

#include "rules/engine_private.h"

struct entry {
    struct subject subject;
    struct subject_ref ref;
};
struct entry_vec {
    VEC(struct entry) v;
};

static void add(struct entry_vec *all, const struct subject *s)
{
    struct entry entry = { .subject = *s };

    subject_ref_of(s, &entry.ref);
    vec_push(&all->v, entry);
}

static void list_namespace(struct entry_vec *all, const struct ns *ns)
{
    struct subject s = { .ns = ns, .kind = SUBJECT_NAMESPACE };

    if (ns->object != NULL) {
        add(all, &s);
    }
    s.kind = SUBJECT_WORKLOAD;
    for (size_t i = 0; i < ns->workloads.len; i++) {
        s.workload = ns->workloads.items[i];
        add(all, &s);
    }
    s.kind = SUBJECT_SERVICE;
    for (size_t i = 0; i < ns->services.len; i++) {
        s.service = ns->services.items[i];
        add(all, &s);
    }
    s.kind = SUBJECT_INGRESS;
    for (size_t i = 0; i < ns->ingresses.len; i++) {
        s.ingress = ns->ingresses.items[i];
        add(all, &s);
    }
    s.kind = SUBJECT_POLICY;
    for (size_t i = 0; i < ns->policies.len; i++) {
        s.policy = &ns->policies.items[i]->head;
        add(all, &s);
    }
    for (size_t i = 0; i < ns->cilium_policies.len; i++) {
        s.policy = &ns->cilium_policies.items[i]->head;
        add(all, &s);
    }
}

static void list_cluster_scoped(struct entry_vec *all, const struct cluster *cluster)
{
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        const struct object_vec *objects;
        if ((POLICY_KINDS & BIT(k)) == 0 || kind_table[k].namespaced) {
            continue;
        }
        objects = cluster_objects(cluster, (enum kind)k);
        for (size_t i = 0; i < objects->v.len; i++) {
            add(all, &(struct subject){ .kind = SUBJECT_POLICY, .policy = objects->v.items[i] });
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct subject_ref *x = &((const struct entry *)a)->ref;
    const struct subject_ref *y = &((const struct entry *)b)->ref;
    int c = strcmp(x->ns, y->ns);

    c = c != 0 ? c : strcmp(x->kind, y->kind);
    c = c != 0 ? c : strcmp(x->name, y->name);
    return c != 0 ? c : strcmp(x->group, y->group);
}

static void judge_entry(struct judge *j, const struct entry *entry, int64_t now_ms,
                        engine_verdict_fn *fn, void *ctx)
{
    judge_turn(j, &entry->subject, now_ms);
    for (size_t r = 0; r < rule_count(); r++) {
        struct judge_kinds kinds;
        struct verdict v;
        if (!rule_is_about(rule_at(r), entry->subject.kind, subject_own_kind(&entry->subject))) {
            continue;
        }
        judge_rule(j, rule_at(r), &v, &kinds);
        if (!v.off) {
            judge_fingerprint(j, &v);
            fn(ctx, &v);
        }
    }
}

/* Whom each kind keeps from being judged is known only after everybody has been. */
static void judge_kinds(struct judge *j, const struct entry_vec *all, int64_t now_ms,
                        engine_verdict_fn *fn, void *ctx)
{
    unsigned told = 0;
    unsigned *hit;

    for (unsigned k = 0; k < KIND_COUNT; k++) {
        told |= kind_finding_state(j->cluster, (enum kind)k) != 0 ? BIT(k) : 0U;
    }
    if (told == 0) {
        return;
    }
    hit = xcalloc(rule_count() + 1, sizeof(*hit));
    for (size_t r = 0; r < rule_count(); r++) {
        hit[r] = rule_is_on(j->ruleset, rule_at(r)) ? rule_hard_kinds(rule_at(r)) : 0U;
    }
    for (size_t i = 0; i < all->v.len; i++) {
        const struct subject *s = &all->v.items[i].subject;
        judge_turn(j, s, now_ms);
        for (size_t r = 0; r < rule_count(); r++) {
            struct judge_kinds kinds;
            struct verdict v;
            if (!rule_is_about(rule_at(r), s->kind, subject_own_kind(s))) {
                continue;
            }
            judge_rule(j, rule_at(r), &v, &kinds);
            hit[r] |= kinds.unavailable != KIND_COUNT ? BIT(kinds.unavailable) : 0U;
        }
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        for (size_t r = 0; r < rule_count(); r++) {
            struct verdict v;
            if ((hit[r] & told & BIT(k)) == 0) {
                continue;
            }
            judge_kind(j, rule_at(r), (enum kind)k, true, &v);
            judge_fingerprint(j, &v);
            fn(ctx, &v);
        }
    }
    free(hit);
}

void engine_judge_all(const struct cluster *cluster, const struct ruleset *ruleset,
                      const char *cluster_id, int64_t now_ms, engine_verdict_fn *fn, void *ctx)
{
    struct entry_vec all = { 0 };
    struct judge j;

    judge_init(&j, cluster, ruleset, cluster_id);
    for (uint32_t i = 0; i < cluster_ns_count(cluster); i++) {
        list_namespace(&all, cluster_ns_at(cluster, i));
    }
    list_cluster_scoped(&all, cluster);
    if (all.v.len > 1) {
        qsort(all.v.items, all.v.len, sizeof(all.v.items[0]), by_place);
    }
    judge_kinds(&j, &all, now_ms, fn, ctx);
    for (size_t i = 0; i < all.v.len; i++) {
        judge_entry(&j, &all.v.items[i], now_ms, fn, ctx);
    }
    vec_free(&all.v);
    judge_deinit(&j);
}
