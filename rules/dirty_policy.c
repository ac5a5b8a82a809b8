/* Which policies a change of pods or namespaces touches. A policy sees the pods of its own
 * namespace; whom it selects beyond that, by namespace selectors of its subject or peers, is kept
 * beside it as pairs of selectors, so that the question costs a few comparisons a policy and not a
 * walk through its rules. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rules/dirty.h"
#include "rules/policy_look.h"

/* After so many between two runs all policies are marked, rather than looked at one by one. */
enum { MANY_CLASSES = 256 };

struct look_vec {
    VEC(struct look) v;
};

static void take_look(void *ctx, const struct selector *namespaces, const struct selector *pods,
                      bool relative)
{
    struct look_vec *all = ctx;

    vec_push(&all->v, ((struct look){ namespaces, pods, relative }));
}

#define PLACE_TAKE(vec, t, place)                                                                  \
    do {                                                                                           \
        (t)->place = (uint32_t)(vec)->len;                                                         \
        vec_push((vec), (t));                                                                      \
    } while (0)
#define PLACE_LEAVE(vec, t, place)                                                                 \
    do {                                                                                           \
        (vec)->items[(vec)->len - 1]->place = (t)->place;                                          \
        vec_remove_swap((vec), (t)->place);                                                        \
    } while (0)

void policy_seen(struct engine *e, struct tracked *t, const struct object *obj)
{
    struct look_vec looks = { 0 };

    if (t->looks != NULL) {
        PLACE_LEAVE(&e->lookers, t, looker_place);
        free(t->looks);
        t->looks = NULL;
        t->look_count = 0;
    }
    if (t->wide != (obj != NULL && obj->ns == NULL)) {
        if (t->wide) {
            PLACE_LEAVE(&e->wide, t, wide_place);
        } else {
            PLACE_TAKE(&e->wide, t, wide_place);
        }
        t->wide = !t->wide;
    }
    if (obj == NULL) {
        return;
    }
    policy_each_look(obj, take_look, &looks);
    if (looks.v.len > 0) {
        t->look_count = (uint32_t)looks.v.len;
        t->looks = xcalloc(looks.v.len, sizeof(t->looks[0]));
        memcpy(t->looks, looks.v.items, looks.v.len * sizeof(t->looks[0]));
        PLACE_TAKE(&e->lookers, t, looker_place);
    }
    vec_free(&looks.v);
}

void mark_policies_in(struct change *c, const struct ns *ns, uint64_t rules)
{
    for (size_t i = 0; rules != 0 && i < ns->policies.len; i++) {
        mark_named(c, KIND_NETWORK_POLICY, ns->name, ns->policies.items[i]->head.name, rules);
    }
    for (size_t i = 0; rules != 0 && i < ns->cilium_policies.len; i++) {
        mark_named(c, KIND_CILIUM_NETWORK_POLICY, ns->name, ns->cilium_policies.items[i]->head.name,
                   rules);
    }
    for (size_t i = 0; rules != 0 && i < c->e->wide.len; i++) {
        mark_one(c, c->e->wide.items[i], rules);
    }
}

/* Every bit is set already: then nothing needs to be found out. */
static bool is_marked(const struct tracked *t, uint64_t rules)
{
    return (rules & ~t->marks.rules) == 0 && t->marks.next == NULL;
}

/* On Cilium some labels are not there for selectors (SEMANTICS 5.5), so that a selector may match
 * where it does not seem to. */
static bool may_match(const struct selector *s, const struct label_set *labels, bool hides_labels)
{
    return s == NULL || s->malformed != NULL || hides_labels || selector_matches(s, labels);
}

/* Every namespace carries its name as a label, whatever its object says. */
static const struct str *get_of_namespace(void *ctx, const struct str *key)
{
    const struct object *ns = ctx;
    const struct str *value = label_set_get(ns->labels, key);

    return value == NULL && strcmp(key->text, "kubernetes.io/metadata.name") == 0 ? ns->name
                                                                                  : value;
}

/* A namespace that is only spoken of may have any label. */
static bool namespace_matches(const struct selector *s, const struct object *ns)
{
    return s == NULL || s->malformed != NULL || ns == NULL ||
           selector_matches_get(s, get_of_namespace, (void *)(uintptr_t)ns);
}

static bool looks_at_class(const struct look *look, const struct pod_class *pc, bool hides_labels)
{
    const struct object *ns = pc->ns->object != NULL ? &pc->ns->object->head : NULL;

    return (look->relative || namespace_matches(look->namespaces, ns)) &&
           may_match(look->pods, pc->labels, hides_labels);
}

static bool may_hide_labels(const struct engine *e)
{
    return (ruleset_reach_options(e->ruleset)->families & BIT(FAMILY_CILIUM)) != 0 ||
           cluster_kind_served(e->cluster, KIND_CILIUM_NETWORK_POLICY) ||
           cluster_kind_served(e->cluster, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY);
}

void mark_policies_of_class(struct change *c, const struct pod_class *pc, uint64_t rules)
{
    bool hides_labels;

    if (rules == 0 || !c->e->judged || c->e->classes_changed > MANY_CLASSES) {
        return;
    }
    if (++c->e->classes_changed > MANY_CLASSES) {
        mark_kind(c, SUBJECT_POLICY, rules);
        return;
    }
    hides_labels = may_hide_labels(c->e);
    mark_policies_in(c, pc->ns, rules);
    for (size_t i = 0; i < c->e->lookers.len; i++) {
        struct tracked *t = c->e->lookers.items[i];
        for (uint32_t k = 0; k < t->look_count && !is_marked(t, rules); k++) {
            if (looks_at_class(&t->looks[k], pc, hides_labels)) {
                mark_one(c, t, rules);
                break;
            }
        }
    }
}

void mark_policies_looking_at(struct change *c, const struct delta *d, uint64_t rules)
{
    if (!c->e->judged) {
        return;
    }
    for (size_t i = 0; i < c->e->lookers.len; i++) {
        struct tracked *t = c->e->lookers.items[i];
        for (uint32_t k = 0; k < t->look_count; k++) {
            const struct look *look = &t->looks[k];
            if (look->relative || d->before == NULL || d->after == NULL ||
                namespace_matches(look->namespaces, d->before) !=
                    namespace_matches(look->namespaces, d->after)) {
                mark_one(c, t, rules);
                break;
            }
        }
    }
}
