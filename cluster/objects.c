/* Objects other than pods: the tables by key, the lists of their namespace, and what hangs on them
 * (workloads, reverse references, the keys that selectors name). */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"

static uint32_t hash_key(const struct str *ns, const struct str *name)
{
    uint64_t h = hash_mix(ns != NULL ? ns->hash : 0, name->hash);

    return (uint32_t)(h ^ h >> 32);
}

uint32_t object_hash(const void *item)
{
    const struct object *obj = item;

    return hash_key(obj->ns, obj->name);
}

bool object_same_key(const void *item, const void *key)
{
    const struct object *obj = item;
    const struct object_key *k = key;

    return obj->ns == k->ns && obj->name == k->name;
}

struct object *objects_find(const struct cluster *c, enum kind kind, const struct str *ns,
                            const struct str *name)
{
    struct object_key key = { ns, name };

    return table_find(&c->objects[kind], hash_key(ns, name), &key, object_same_key);
}

static bool is_decimal(const char *text)
{
    if (text[0] < '1' || text[0] > '9') {
        return false; /* no leading zero, and 0 is no version */
    }
    return text[strspn(text, "0123456789")] == '\0';
}

int version_compare(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    int order;

    if (!is_decimal(a) || !is_decimal(b)) {
        return 0;
    }
    if (a_len != b_len) {
        return a_len < b_len ? -1 : 1;
    }
    order = strcmp(a, b);
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

bool objects_is_older(const struct object *fresh, const struct object *old)
{
    return fresh->resource_version != NULL && old->resource_version != NULL &&
           version_compare(fresh->resource_version->text, old->resource_version->text) < 0;
}

void objects_note_version(struct cluster *c, struct object *old, struct object *fresh)
{
    struct str *swap = old->resource_version;
    struct workload_entry *w;

    old->resource_version = fresh->resource_version;
    fresh->resource_version = swap;
    if (kind_table[old->kind].workload) {
        const struct kind_row *row = &kind_table[old->kind];
        struct str *group = str_find(row->group), *kind = str_find(row->name);

        w = group != NULL && kind != NULL ? workload_lookup(c, old->ns, group, kind, old->name)
                                          : NULL;
        if (w != NULL && (const struct object *)w->pub.object == old) {
            str_ref(old->resource_version);
            str_unref(w->pub.resource_version);
            w->pub.resource_version = old->resource_version;
        }
    }
}

/* ---- lists of the namespace ------------------------------------------------------------------ */

/* One list of pointers to objects that know their place in it. */
struct list {
    const struct object ***items;
    size_t *len, *cap;
};

#define LIST_OF(vec)                                                                               \
    ((struct list){ (const struct object ***)(void *)&(vec)->items, &(vec)->len, &(vec)->cap })

static bool list_of_namespace(struct ns_entry *e, enum kind kind, struct list *out)
{
    switch (kind) {
    case KIND_NETWORK_POLICY:
        *out = LIST_OF(&e->pub.policies);
        return true;
    case KIND_SERVICE:
        *out = LIST_OF(&e->pub.services);
        return true;
    case KIND_INGRESS:
        *out = LIST_OF(&e->pub.ingresses);
        return true;
    case KIND_SECRET:
        *out = LIST_OF(&e->pub.secrets);
        return true;
    case KIND_CILIUM_NETWORK_POLICY:
        *out = LIST_OF(&e->pub.cilium_policies);
        return true;
    case KIND_PEER_AUTHENTICATION:
        *out = LIST_OF(&e->pub.peer_authentications);
        return true;
    default:
        if (is_middle_kind(kind)) {
            *out = LIST_OF(&e->middles);
            return true;
        }
        return false;
    }
}

static bool list_of_cluster(struct cluster *c, enum kind kind, struct list *out)
{
    switch (kind) {
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        *out = LIST_OF(&c->wide[kind].v);
        return true;
    default:
        return false;
    }
}

static bool list_of(struct cluster *c, struct ns_entry *e, enum kind kind, struct list *out)
{
    return e != NULL ? list_of_namespace(e, kind, out) : list_of_cluster(c, kind, out);
}

static void list_add(struct list l, struct object *obj)
{
    if (*l.len == *l.cap) {
        *l.cap = *l.cap > 0 ? *l.cap + *l.cap / 2 + 1 : 4;
        *l.items = xrealloc(*l.items, *l.cap * sizeof(**l.items));
    }
    obj->slot = (uint32_t)*l.len;
    (*l.items)[(*l.len)++] = obj;
}

static void list_remove(struct list l, const struct object *obj)
{
    struct object *last = (struct object *)(uintptr_t)(*l.items)[--*l.len];

    if (last != obj) {
        (*l.items)[obj->slot] = last;
        last->slot = obj->slot;
    }
}

/* ---- workloads of files -----------------------------------------------------------------------
 */

/* Among the ReplicaSets or Jobs of one owner: which lends it its template. By content, so that the
 * order of the input does not matter. */
static bool lends_before(const struct workload_object *a, const struct workload_object *b)
{
    if (a->head.created_ms != b->head.created_ms) {
        return a->head.created_ms > b->head.created_ms;
    }
    if (a->head.kind != b->head.kind) {
        return a->head.kind < b->head.kind;
    }
    /* the Jobs of a CronJob end in their minute */
    return strcmp(a->head.name->text, b->head.name->text) > 0;
}

static bool same_owner(const struct workload_object *m, const struct identity *id)
{
    struct identity other = { .group = NULL };
    bool same = owner_named_by_middle(m, &other) && other.kind == id->kind &&
                other.group == id->group && other.name == id->name;

    identity_deinit(&other);
    return same;
}

/* `m` came or went, and its owner `id` is not in the input. */
static void lend_middle(struct cluster *c, struct ns_entry *e, const struct identity *id,
                        const struct workload_object *m, bool exists)
{
    const struct workload_entry *w = workload_lookup(c, e->pub.name, id->group, id->kind, id->name);
    const struct workload_object *lent = w != NULL ? w->pub.object : NULL;

    if (exists) {
        lent = lent == NULL || lends_before(m, lent) ? m : lent;
    } else if (lent == m) {
        lent = NULL;
        for (size_t i = 0; i < e->middles.len; i++) {
            const struct workload_object *other = e->middles.items[i];

            if (other != m && other->owner.name == id->name &&
                (lent == NULL || lends_before(other, lent)) && same_owner(other, id)) {
                lent = other;
            }
        }
    }
    workload_lend_object(c, e, id, lent);
}

/* A ReplicaSet or Job of the input came, went or changed its owner: its pods, and whether it stands
 * for itself or lends its template to an owner that is not there. */
static void resolve_middle(struct cluster *c, struct ns_entry *e, const struct workload_object *m,
                           bool exists)
{
    const struct str *name = m->head.name;
    struct identity owner = { .group = NULL };
    VEC(struct pod *) pods = { .items = NULL };

    if (owner_of_middle(c, m) != NULL) {
        workload_drop_object(c, m);
    } else if (owner_named_by_middle(m, &owner)) {
        lend_middle(c, e, &owner, m, exists);
    } else if (exists) {
        workload_set_object(c, e, m);
    } else {
        workload_drop_object(c, m);
    }
    identity_deinit(&owner);
    TABLE_EACH(&e->pods, struct pod, pod)
    {
        if (pod->spec->owner.name == name && pod->spec->owner.controller) {
            vec_push(&pods, pod);
        }
    }
    for (size_t i = 0; i < pods.len; i++) {
        pod_detach(c, e, pods.items[i]);
    }
    for (size_t i = 0; i < pods.len; i++) {
        pod_attach(c, e, pods.items[i]);
    }
    vec_free(&pods);
}

/* A top workload came or went: the ReplicaSets and Jobs of the input that name it. */
static void resolve_middles_of(struct cluster *c, struct ns_entry *e, const struct object *top)
{
    for (size_t i = 0; i < e->middles.len; i++) {
        struct workload_object *m = e->middles.items[i];

        if (m->owner.name == top->name && m->owner.kind != NULL &&
            strcmp(m->owner.kind->text, kind_table[top->kind].name) == 0) {
            resolve_middle(c, e, m, true);
        }
    }
}

/* ---- putting and dropping ----------------------------------------------------------------------
 */

static struct ns_entry *home_of(struct cluster *c, struct object *obj)
{
    return obj->kind == KIND_NAMESPACE ? ns_get(c, obj->name)
           : obj->ns != NULL           ? ns_get(c, obj->ns)
                                       : NULL;
}

/* Its selectors may name labels that differ from pod to pod. */
static bool names_pod_labels(enum kind kind)
{
    return kind == KIND_SERVICE || kind == KIND_NETWORK_POLICY || kind_is_policy(kind);
}

static void index_in_namespace(struct cluster *c, struct ns_entry *e, struct object *obj)
{
    if (obj->kind == KIND_NAMESPACE) {
        e->pub.object = (struct namespace_object *)obj;
    } else if (obj->kind == KIND_INGRESS) {
        references_add(c, (struct ingress *)obj);
    } else if (is_middle_kind(obj->kind)) {
        resolve_middle(c, e, (struct workload_object *)obj, true);
    } else if (kind_table[obj->kind].workload) {
        workload_set_object(c, e, (struct workload_object *)obj);
    }
}

static void unindex_in_namespace(struct cluster *c, struct ns_entry *e, struct object *obj)
{
    if (obj->kind == KIND_NAMESPACE) {
        e->pub.object = NULL;
    } else if (obj->kind == KIND_INGRESS) {
        references_remove(c, (struct ingress *)obj);
    } else if (is_middle_kind(obj->kind)) {
        resolve_middle(c, e, (struct workload_object *)obj, false);
    } else if (kind_table[obj->kind].workload) {
        workload_drop_object(c, (struct workload_object *)obj);
    }
}

/* `e` is NULL for what lives in no namespace. */
static void index_object(struct cluster *c, struct ns_entry *e, struct object *obj)
{
    struct list list;

    if (list_of(c, e, obj->kind, &list)) {
        list_add(list, obj);
    }
    if (names_pod_labels(obj->kind)) {
        ns_count_keys(c, e, obj, 1);
    }
    if (e != NULL) {
        index_in_namespace(c, e, obj);
    }
}

static void unindex_object(struct cluster *c, struct ns_entry *e, struct object *obj)
{
    struct list list;

    if (list_of(c, e, obj->kind, &list)) {
        list_remove(list, obj);
    }
    if (names_pod_labels(obj->kind)) {
        ns_count_keys(c, e, obj, -1);
    }
    if (e != NULL) {
        unindex_in_namespace(c, e, obj);
    }
}

static bool same_uid(const struct object *a, const struct object *b)
{
    return a->uid == b->uid;
}

static void mark_recreated(struct cluster *c, const struct object *obj)
{
    const struct kind_row *row = &kind_table[obj->kind];
    struct str *group = str_find(row->group), *kind = str_find(row->name);
    struct workload_entry *w = NULL;

    if (row->workload && group != NULL && kind != NULL) {
        w = workload_lookup(c, obj->ns, group, kind, obj->name);
    }
    if (w != NULL && (const struct object *)w->pub.object == obj) {
        touch_workload(c, w, true)->recreated = true;
    }
}

void objects_put(struct cluster *c, struct object *before, struct object *obj)
{
    struct object_change change = {
        .kind = obj->kind, .before = before, .after = obj, .note = c->txn.note
    };
    struct ns_entry *e = home_of(c, obj);

    if (e != NULL) {
        change.ns = &e->pub;
        touch_ns(c, e, true);
    }
    if (before != NULL) {
        change.recreated = !same_uid(before, obj);
        change.gone = (struct note){ c->txn.note.verb == CHANGE_FOUND ? CHANGE_GONE : CHANGE_DELETE,
                                     before, NULL };
        table_swap(&c->objects[obj->kind], before, obj, object_hash);
        obj->generation = before->generation;
        unindex_object(c, e, before);
        vec_push(&c->txn.dead_objects, before);
    } else {
        table_add(&c->objects[obj->kind], obj, object_hash);
        c->kinds[obj->kind].objects++;
    }
    index_object(c, e, obj);
    if (change.recreated) {
        mark_recreated(c, obj);
    }
    if (e != NULL && before == NULL) {
        resolve_middles_of(c, e, obj);
    }
    vec_push(&c->txn.changes, change);
}

void objects_drop(struct cluster *c, struct object *before)
{
    struct object_change change = { .kind = before->kind, .before = before, .note = c->txn.note };
    struct ns_entry *e = home_of(c, before);

    if (e != NULL) {
        change.ns = &e->pub;
        touch_ns(c, e, true);
    }
    table_remove(&c->objects[before->kind], before, object_hash);
    c->kinds[before->kind].objects--;
    unindex_object(c, e, before);
    if (e != NULL) {
        resolve_middles_of(c, e, before);
    }
    vec_push(&c->txn.dead_objects, before);
    vec_push(&c->txn.changes, change);
}
