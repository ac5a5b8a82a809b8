/* Who is there to be judged. A subject is known by name, not by pointer, so that it survives every
 * exchange of the objects behind it; the cluster is asked again when it is judged. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "rules/engine_private.h"

struct key {
    enum subject_kind kind;
    const struct str *ns, *name, *group, *workload_kind;
};

static uint32_t hash_key(const struct key *k)
{
    uint64_t h = hash_mix(k->ns->hash, k->name->hash);

    h = hash_mix(h, (uint64_t)k->kind);
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

    return t->kind == k->kind && t->ns == k->ns && t->name == k->name && t->group == k->group &&
           t->workload_kind == k->workload_kind;
}

struct tracked *tracked_find(const struct engine *e, enum subject_kind kind, const struct str *ns,
                             const struct str *name, const struct str *group,
                             const struct str *workload_kind)
{
    const struct key key = { kind, ns, name, group, workload_kind };

    return table_find(&e->subjects, hash_key(&key), &key, same_key);
}

struct tracked *tracked_of_workload(const struct engine *e, const struct workload *w)
{
    return tracked_find(e, SUBJECT_WORKLOAD, w->ns->name, w->name, w->group, w->kind);
}

static struct tracked *add(struct engine *e, const struct key *key)
{
    struct tracked *t = xcalloc(1, sizeof(*t));

    t->kind = key->kind;
    t->hash = hash_key(key);
    t->place = (uint32_t)e->by_kind[t->kind].len;
    vec_push(&e->by_kind[t->kind], t);
    return t;
}

struct tracked *track(struct engine *e, enum subject_kind kind, struct str *ns, struct str *name)
{
    struct tracked *t = tracked_find(e, kind, ns, name, NULL, NULL);

    if (t == NULL) {
        t = add(e, &(struct key){ kind, ns, name, NULL, NULL });
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
        t = add(e, &(struct key){ SUBJECT_WORKLOAD, w->ns->name, w->name, w->group, w->kind });
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
    free(t->said);
    free(t->deadlines);
    free(t);
}

void untrack(struct engine *e, struct tracked *t)
{
    struct tracked *mover = e->by_kind[t->kind].items[e->by_kind[t->kind].len - 1];

    queue_remove(e, t);
    deadline_set(e, t, 0);
    table_remove(&e->subjects, t, tracked_hash);
    vec_remove_swap(&e->by_kind[t->kind], t->place);
    mover->place = t->place;
    tracked_free(t);
}

bool tracked_subject(const struct engine *e, const struct tracked *t, struct subject *out)
{
    const struct object *obj;

    *out = (struct subject){ .kind = t->kind, .ns = cluster_ns(e->cluster, t->ns->text) };
    if (out->ns == NULL) {
        return false;
    }
    switch (t->kind) {
    case SUBJECT_NAMESPACE:
        return out->ns->object != NULL;
    case SUBJECT_WORKLOAD:
        out->workload = cluster_workload(e->cluster, t->ns->text, t->group->text,
                                         t->workload_kind->text, t->name->text);
        return out->workload != NULL;
    case SUBJECT_SERVICE:
    case SUBJECT_INGRESS:
    case SUBJECT_NETWORK_POLICY:
        break;
    case SUBJECT_KIND_COUNT:
        return false;
    }
    obj = cluster_find(e->cluster, subject_own_kind(t->kind), t->ns->text, t->name->text);
    if (t->kind == SUBJECT_SERVICE) {
        out->service = (const struct service *)obj;
    } else if (t->kind == SUBJECT_INGRESS) {
        out->ingress = (const struct ingress *)obj;
    } else {
        out->policy = (const struct network_policy *)obj;
    }
    return obj != NULL;
}

void tracked_ref(const struct tracked *t, struct subject_ref *out)
{
    const struct kind_row *row = &kind_table[subject_own_kind(t->kind)];
    bool workload = t->kind == SUBJECT_WORKLOAD;

    *out = (struct subject_ref){ .group = workload ? str_text(t->group) : row->group,
                                 .version = workload ? str_text(t->version) : row->version,
                                 .kind = workload ? str_text(t->workload_kind) : row->name,
                                 .ns = t->kind == SUBJECT_NAMESPACE ? "" : t->ns->text,
                                 .name = t->name->text,
                                 .uid = str_text(t->uid) };
}

void track_all(struct engine *e)
{
    for (uint32_t i = 0; i < cluster_ns_count(e->cluster); i++) {
        const struct ns *ns = cluster_ns_at(e->cluster, i);
        if (ns->object != NULL) {
            track(e, SUBJECT_NAMESPACE, ns->name, ns->name);
        }
        for (size_t k = 0; k < ns->policies.len; k++) {
            track(e, SUBJECT_NETWORK_POLICY, ns->name, ns->policies.items[k]->head.name);
        }
        for (size_t k = 0; k < ns->services.len; k++) {
            track(e, SUBJECT_SERVICE, ns->name, ns->services.items[k]->head.name);
        }
        for (size_t k = 0; k < ns->ingresses.len; k++) {
            track(e, SUBJECT_INGRESS, ns->name, ns->ingresses.items[k]->head.name);
        }
        for (size_t k = 0; k < ns->workloads.len; k++) {
            track_workload(e, ns->workloads.items[k]);
        }
    }
}
