/* What an API server and its defaulting would have added once everything is there. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cluster/decode.h"
#include "cluster/manifest_private.h"

#define NAME_LABEL       "kubernetes.io/metadata.name"
#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

/* Policies before pods: which labels tell pods apart depends on the selectors that are there.
 * Owners before what they own. */
static const enum kind order[] = {
    KIND_NAMESPACE,
    KIND_INGRESS_CLASS,
    KIND_SECRET,
    KIND_SERVICE,
    KIND_NETWORK_POLICY,
    KIND_CLUSTER_NETWORK_POLICY,
    KIND_ADMIN_NETWORK_POLICY,
    KIND_BASELINE_ADMIN_NETWORK_POLICY,
    KIND_CILIUM_NETWORK_POLICY,
    KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY,
    KIND_PEER_AUTHENTICATION,
    KIND_CRON_JOB,
    KIND_DEPLOYMENT,
    KIND_STATEFUL_SET,
    KIND_DAEMON_SET,
    KIND_REPLICATION_CONTROLLER,
    KIND_REPLICA_SET,
    KIND_JOB,
    KIND_POD,
    KIND_INGRESS,
};

/* The newest of the default classes; of equally old ones the first by name, as the admission plugin
 * chooses. NULL: none. */
static const struct ingress_class *default_class(const struct manifest_loader *l)
{
    const struct ingress_class *best = NULL;

    for (size_t i = 0; i < l->items.len; i++) {
        const struct object *obj = l->items.items[i]->obj;
        const struct ingress_class *ic = (const struct ingress_class *)obj;

        if (obj->kind != KIND_INGRESS_CLASS || !ic->is_default) {
            continue;
        }
        if (best == NULL || obj->created_ms > best->head.created_ms ||
            (obj->created_ms == best->head.created_ms &&
             strcmp(obj->name->text, best->head.name->text) < 0)) {
            best = ic;
        }
    }
    return best;
}

/* An Ingress with a creation time comes from a server: what it lacks there, it was created without.
 */
static void set_default_class(struct manifest_loader *l)
{
    const struct ingress_class *ic = default_class(l);

    for (size_t i = 0; ic != NULL && i < l->items.len; i++) {
        struct ingress *ing = (struct ingress *)l->items.items[i]->obj;

        if (ing->head.kind == KIND_INGRESS && ing->head.created_ms == 0 &&
            ing->class_name == NULL &&
            label_set_text(ing->head.annotations, CLASS_ANNOTATION) == NULL) {
            ing->class_name = str_ref(ic->head.name);
            ing->class_by_default_only = true;
        }
    }
}

/* The server sets this label, whatever the text says. */
static void set_name_label(struct object *ns)
{
    uint32_t count = ns->labels != NULL ? ns->labels->count : 0;
    struct label *labels = xcalloc((size_t)count + 1, sizeof(*labels));
    struct label_set *set;

    for (uint32_t i = 0; i < count; i++) {
        labels[i] = ns->labels->items[i];
    }
    labels[count].key = str_intern(NAME_LABEL);
    labels[count].value = str_ref(ns->name);
    set = label_set_intern(labels, count + 1);
    str_unref(labels[count].key);
    str_unref(labels[count].value);
    label_set_unref(ns->labels);
    ns->labels = set;
    free(labels);
}

static uint32_t str_hash(const void *item)
{
    return ((const struct str *)item)->hash;
}

static bool str_same(const void *item, const void *key)
{
    return item == key;
}

static void imply(struct manifest_loader *l, struct str *name, struct table *known)
{
    struct object *ns;
    struct manifest_item *item;

    if (name == NULL || table_find(known, name->hash, name, str_same) != NULL) {
        return;
    }
    ns = object_create(KIND_NAMESPACE);
    ns->name = str_ref(name);
    ns->annotations = label_set_intern(NULL, 0);
    ((struct namespace_object *)ns)->implied = true;
    item = arena_alloc(&l->arena, sizeof(*item));
    item->obj = ns;
    vec_push(&l->items, item);
    table_add(known, name, str_hash);
}

static bool is_there(const struct manifest_loader *l, const struct str *ns)
{
    const struct ns *n = ns != NULL ? cluster_ns(l->cluster, ns->text) : NULL;

    return n != NULL && n->object != NULL;
}

static void set_namespaces(struct manifest_loader *l)
{
    struct table known = { 0 };
    size_t count = l->items.len;

    for (size_t i = 0; i < count; i++) {
        struct object *obj = l->items.items[i]->obj;

        if (obj->kind == KIND_NAMESPACE) {
            table_add(&known, obj->name, str_hash);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_there(l, l->items.items[i]->obj->ns)) {
            imply(l, l->items.items[i]->obj->ns, &known);
        }
    }
    for (size_t i = 0; i < l->items.len; i++) {
        if (l->items.items[i]->obj->kind == KIND_NAMESPACE) {
            set_name_label(l->items.items[i]->obj);
            l->kinds_present |= BIT(KIND_NAMESPACE);
        }
    }
    table_deinit(&known);
}

static void hand_over(struct manifest_loader *l, int64_t now_ms)
{
    for (size_t k = 0; k < ARRAY_LEN(order); k++) {
        for (size_t i = 0; i < l->items.len; i++) {
            struct object *obj = l->items.items[i]->obj;

            if (obj != NULL && obj->kind == order[k]) {
                l->items.items[i]->obj = NULL;
                cluster_apply(l->cluster, obj, now_ms);
            }
        }
    }
}

void manifest_apply(struct manifest_loader *l)
{
    manifest_find_ties(l);
    set_default_class(l);
    set_namespaces(l);
    hand_over(l, clock_wall_ms());
    table_deinit(&l->by_name);
}

void manifest_finish(struct manifest_loader *l, bool complete)
{
    int64_t now_ms = clock_wall_ms();

    manifest_find_ties(l);
    set_default_class(l);
    set_namespaces(l);
    cluster_set_offline(l->cluster, l->kinds_present, complete);
    hand_over(l, now_ms);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        cluster_set_kind_state(l->cluster, (enum kind)kind, KIND_STATE_SYNCED, "", now_ms);
    }
    table_deinit(&l->by_name); /* its items hold no objects any more */
}
