/* Who is there to be judged. A subject is known by name, not by pointer, so that it survives every
 * exchange of the objects behind it; the cluster is asked again when it is judged. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "rules/engine_private.h"

struct key {
    enum subject_kind kind;
    enum kind own;
    const struct str *ns, *name, *group, *workload_kind;
};

enum subject_kind subject_of_kind(enum kind kind)
{
    switch (kind) {
    case KIND_NAMESPACE:
        return SUBJECT_NAMESPACE;
    case KIND_SERVICE:
        return SUBJECT_SERVICE;
    case KIND_INGRESS:
        return SUBJECT_INGRESS;
    default:
        return (POLICY_KINDS & BIT(kind)) != 0 ? SUBJECT_POLICY : SUBJECT_KIND_COUNT;
    }
}

static uint32_t hash_of(const struct str *s)
{
    return s != NULL ? s->hash : 0;
}

static uint32_t hash_key(const struct key *k)
{
    uint64_t h = hash_mix(hash_of(k->ns), hash_of(k->name));

    h = hash_mix(h, (uint64_t)k->own);
    if (k->kind == SUBJECT_WORKLOAD) {
        h = hash_mix(h, hash_mix(k->group->hash, k->workload_kind->hash));
    }
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t tracked_hash(const void *item)
{
    return ((const struct tracked *)item)->hash;
}

static bool same_key(const void *item, const void *key)
{
    const struct tracked *t = item;
    const struct key *k = key;

    return t->own == k->own && t->ns == k->ns && t->name == k->name && t->group == k->group &&
           t->workload_kind == k->workload_kind;
}

static struct tracked *find(const struct engine *e, const struct key *key)
{
    return table_find(&e->subjects, hash_key(key), key, same_key);
}

struct tracked *tracked_find(const struct engine *e, enum kind kind, const struct str *ns,
                             const struct str *name)
{
    return find(e, &(struct key){ subject_of_kind(kind), kind, ns, name, NULL, NULL });
}

struct tracked *tracked_of_workload(const struct engine *e, const struct workload *w)
{
    return find(
        e, &(struct key){ SUBJECT_WORKLOAD, KIND_POD, w->ns->name, w->name, w->group, w->kind });
}

static struct tracked *add(struct engine *e, const struct key *key)
{
    struct tracked *t = xcalloc(1, sizeof(*t));

    t->kind = key->kind;
    t->own = key->own;
    t->hash = hash_key(key);
    t->place = (uint32_t)e->by_kind[t->kind].len;
    vec_push(&e->by_kind[t->kind], t);
    return t;
}

struct tracked *track(struct engine *e, enum kind kind, struct str *ns, struct str *name)
{
    struct tracked *t = tracked_find(e, kind, ns, name);

    if (t == NULL) {
        t = add(e, &(struct key){ subject_of_kind(kind), kind, ns, name, NULL, NULL });
        t->ns = str_ref(ns);
        t->name = str_ref(name);
        table_add(&e->subjects, t, tracked_hash);
    }
    return t;
}

struct tracked *track_workload(struct engine *e, const struct workload *w)
{
    struct tracked *t = tracked_of_workload(e, w);

    if (t == NULL) {
        t = add(e, &(struct key){ SUBJECT_WORKLOAD, KIND_POD, w->ns->name, w->name, w->group,
                                  w->kind });
        t->ns = str_ref(w->ns->name);
        t->name = str_ref(w->name);
        t->group = str_ref(w->group);
        t->workload_kind = str_ref(w->kind);
        table_add(&e->subjects, t, tracked_hash);
    }
    return t;
}

void tracked_free(struct tracked *t)
{
    marks_clear(t);
    cause_unref(t->gone);
    str_unref(t->ns);
    str_unref(t->name);
    str_unref(t->group);
    str_unref(t->version);
    str_unref(t->workload_kind);
    str_unref(t->uid);
    free(t->looks);
    free(t->said);
    free(t->deadlines);
    free(t);
}

void untrack(struct engine *e, struct tracked *t)
{
    struct tracked *mover = e->by_kind[t->kind].items[e->by_kind[t->kind].len - 1];

    queue_remove(e, t);
    deadline_set(e, t, 0);
    if (t->kind == SUBJECT_POLICY) {
        policy_seen(e, t, NULL);
    }
    table_remove(&e->subjects, t, tracked_hash);
    vec_remove_swap(&e->by_kind[t->kind], t->place);
    mover->place = t->place;
    tracked_free(t);
}

bool tracked_subject(const struct engine *e, const struct tracked *t, struct subject *out)
{
    const struct object *obj;

    *out = (struct subject){ .kind = t->kind,
                             .ns = t->ns != NULL ? cluster_ns(e->cluster, t->ns->text) : NULL };
    if (out->ns == NULL && t->ns != NULL) {
        return false;
    }
    if (t->kind == SUBJECT_NAMESPACE) {
        return out->ns != NULL && out->ns->object != NULL;
    }
    if (t->kind == SUBJECT_WORKLOAD) {
        out->workload = cluster_workload(e->cluster, t->ns->text, t->group->text,
                                         t->workload_kind->text, t->name->text);
        return out->workload != NULL;
    }
    obj = cluster_find(e->cluster, t->own, t->ns != NULL ? t->ns->text : NULL, t->name->text);
    if (t->kind == SUBJECT_SERVICE) {
        out->service = (const struct service *)obj;
    } else if (t->kind == SUBJECT_INGRESS) {
        out->ingress = (const struct ingress *)obj;
    } else {
        out->policy = obj;
    }
    return obj != NULL;
}

void tracked_ref(const struct tracked *t, struct subject_ref *out)
{
    const struct kind_row *row = &kind_table[t->own];
    bool workload = t->kind == SUBJECT_WORKLOAD;

    *out = (struct subject_ref){ .group = workload ? str_text(t->group) : row->group,
                                 .version = workload ? str_text(t->version) : row->version,
                                 .kind = workload ? str_text(t->workload_kind) : row->name,
                                 .ns = t->kind == SUBJECT_NAMESPACE ? "" : str_text(t->ns),
                                 .name = t->name->text,
                                 .uid = str_text(t->uid) };
}

static void track_object(struct engine *e, const struct object *obj)
{
    struct tracked *t =
        track(e, obj->kind, obj->kind == KIND_NAMESPACE ? obj->name : obj->ns, obj->name);

    if (t->kind == SUBJECT_POLICY) {
        policy_seen(e, t, obj);
    }
}

static void track_namespace(struct engine *e, const struct ns *ns)
{
    if (ns->object != NULL) {
        track_object(e, &ns->object->head);
    }
    for (size_t k = 0; k < ns->policies.len; k++) {
        track_object(e, &ns->policies.items[k]->head);
    }
    for (size_t k = 0; k < ns->cilium_policies.len; k++) {
        track_object(e, &ns->cilium_policies.items[k]->head);
    }
    for (size_t k = 0; k < ns->services.len; k++) {
        track_object(e, &ns->services.items[k]->head);
    }
    for (size_t k = 0; k < ns->ingresses.len; k++) {
        track_object(e, &ns->ingresses.items[k]->head);
    }
    for (size_t k = 0; k < ns->workloads.len; k++) {
        track_workload(e, ns->workloads.items[k]);
    }
}

static void track_wide(struct engine *e)
{
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        const struct object_vec *objects;
        if ((POLICY_KINDS & BIT(k)) == 0 || kind_table[k].namespaced) {
            continue;
        }
        objects = cluster_objects(e->cluster, (enum kind)k);
        for (size_t i = 0; i < objects->v.len; i++) {
            track_object(e, objects->v.items[i]);
        }
    }
}

static void mark_from(struct engine *e, const size_t from[SUBJECT_KIND_COUNT])
{
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        for (size_t i = from[k]; i < e->by_kind[k].len; i++) {
            mark(e, e->by_kind[k].items[i], e->lists[k].all, e->no_cause);
        }
    }
}

/* Those who have come with a change meanwhile are marked already. */
bool track_some(struct engine *e)
{
    size_t from[SUBJECT_KIND_COUNT];

    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        from[k] = e->by_kind[k].len;
    }
    if (e->seeded < cluster_ns_count(e->cluster)) {
        track_namespace(e, cluster_ns_at(e->cluster, e->seeded++));
    } else {
        track_wide(e);
        e->seeding = false;
    }
    mark_from(e, from);
    return e->seeding;
}
