#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"

struct workload_key {
    const struct str *ns, *group, *kind, *name;
};

static uint32_t hash_key(const struct workload_key *k)
{
    uint64_t h = hash_mix((uint64_t)k->ns->hash << 32 | k->name->hash,
                          (uint64_t)k->kind->hash << 32 | k->group->hash);

    return (uint32_t)(h ^ h >> 32);
}

static uint32_t workload_hash(const void *item)
{
    const struct workload *w = &((const struct workload_entry *)item)->pub;

    return hash_key(&(struct workload_key){ w->ns->name, w->group, w->kind, w->name });
}

static bool workload_same(const void *item, const void *key)
{
    const struct workload *w = &((const struct workload_entry *)item)->pub;
    const struct workload_key *k = key;

    return w->name == k->name && w->ns->name == k->ns && w->kind == k->kind && w->group == k->group;
}

struct workload_entry *workload_lookup(const struct cluster *c, const struct str *ns,
                                       const struct str *group, const struct str *kind,
                                       const struct str *name)
{
    struct workload_key key = { ns, group, kind, name };

    return table_find(&c->workloads, hash_key(&key), &key, workload_same);
}

struct workload_entry *workload_get(struct cluster *c, struct ns_entry *e,
                                    const struct identity *id)
{
    struct workload_entry *w = workload_lookup(c, e->pub.name, id->group, id->kind, id->name);

    if (w != NULL) {
        return w;
    }
    w = xcalloc(1, sizeof(*w));
    w->pub.ns = &e->pub;
    w->pub.group = str_ref(id->group);
    w->pub.version = str_ref(id->version);
    w->pub.kind = str_ref(id->kind);
    w->pub.name = str_ref(id->name);
    w->pub.uid = str_ref(id->uid);
    w->pub.pod_labels = label_set_ref(c->no_labels);
    w->pub.pod_annotations = label_set_ref(c->no_labels);
    w->pub.ns_index = (uint32_t)e->pub.workloads.len;
    vec_push(&e->pub.workloads, &w->pub);
    table_add(&c->workloads, w, workload_hash);
    touch_workload(c, w, false);
    return w;
}

void workload_unlink(struct cluster *c, struct workload_entry *w)
{
    struct ns *ns = w->pub.ns;

    table_remove(&c->workloads, w, workload_hash);
    vec_remove_swap(&ns->workloads, w->pub.ns_index);
    if (w->pub.ns_index < ns->workloads.len) {
        ns->workloads.items[w->pub.ns_index]->ns_index = w->pub.ns_index;
    }
}

void workload_free(struct workload_entry *w)
{
    str_unref(w->pub.group);
    str_unref(w->pub.version);
    str_unref(w->pub.kind);
    str_unref(w->pub.name);
    str_unref(w->pub.uid);
    str_unref(w->pub.resource_version);
    label_set_unref(w->pub.pod_labels);
    label_set_unref(w->pub.pod_annotations);
    vec_free(&w->pub.classes);
    free(w);
}

static void set_str(struct str **slot, struct str *value)
{
    str_ref(value);
    str_unref(*slot);
    *slot = value;
}

static void set_labels(struct label_set **slot, struct label_set *value)
{
    label_set_ref(value);
    label_set_unref(*slot);
    *slot = value;
}

void workload_set_template(struct cluster *c, struct workload_entry *w)
{
    const struct workload_object *obj = w->pub.object;
    struct class_entry *old = (struct class_entry *)w->pub.template_class, *fresh = NULL;

    if (obj != NULL && obj->shape != NULL) {
        struct ns_entry *e = (struct ns_entry *)w->pub.ns;
        struct label_set *labels = ns_visible_labels(c, e, obj->template_labels);

        fresh = class_get(c, e, w, labels, obj->template_annotations, obj->shape);
        label_set_unref(labels);
    }
    if (fresh == old) {
        return;
    }
    if (old != NULL) {
        touch_class(c, old, true);
        old->pub.is_template = false;
    }
    if (fresh != NULL) {
        touch_class(c, fresh, true);
        fresh->pub.is_template = true;
    }
    w->pub.template_class = fresh != NULL ? &fresh->pub : NULL;
}

void workload_set_object(struct cluster *c, struct ns_entry *e, const struct workload_object *obj)
{
    const struct kind_row *row = &kind_table[obj->head.kind];
    struct identity id = { str_intern(row->group), str_intern(row->version), str_intern(row->name),
                           str_ref(obj->head.name), str_ref(obj->head.uid) };
    struct workload_entry *w = workload_get(c, e, &id);

    touch_workload(c, w, true)->object_changed = true;
    w->pub.object = obj;
    set_str(&w->pub.uid, id.uid);
    set_str(&w->pub.version, id.version);
    set_str(&w->pub.resource_version, obj->head.resource_version);
    w->pub.deleting = obj->head.deleting;
    w->pub.origin = obj->head.origin;
    workload_set_template(c, w);
    identity_deinit(&id);
}

void workload_drop_object(struct cluster *c, const struct workload_object *obj)
{
    const struct kind_row *row = &kind_table[obj->head.kind];
    struct str *group = str_find(row->group), *kind = str_find(row->name);
    struct workload_entry *w;

    if (group == NULL || kind == NULL) {
        return;
    }
    w = workload_lookup(c, obj->head.ns, group, kind, obj->head.name);
    if (w == NULL || w->pub.object != obj) {
        return;
    }
    touch_workload(c, w, true)->object_changed = true;
    w->pub.object = NULL;
    w->pub.deleting = false;
    w->pub.origin = NULL;
    set_str(&w->pub.resource_version, NULL);
    if (obj->head.kind == KIND_DEPLOYMENT || obj->head.kind == KIND_CRON_JOB) {
        set_str(&w->pub.uid, NULL); /* its pods tell its name only */
    }
    workload_set_template(c, w);
}

void workload_lend_object(struct cluster *c, struct ns_entry *e, const struct identity *id,
                          const struct workload_object *lent)
{
    struct workload_entry *w = lent != NULL
                                   ? workload_get(c, e, id)
                                   : workload_lookup(c, e->pub.name, id->group, id->kind, id->name);

    if (w == NULL || w->pub.object == lent) {
        return;
    }
    touch_workload(c, w, true)->object_changed = true;
    w->pub.object = lent;
    w->pub.deleting = false; /* the owner's, of which nothing is known */
    w->pub.origin = lent != NULL ? lent->head.origin : NULL;
    set_str(&w->pub.uid, NULL);
    set_str(&w->pub.version, id->version);
    set_str(&w->pub.resource_version, NULL);
    workload_set_template(c, w);
}

static bool is_acme_solver(const struct workload *w)
{
    return strcmp(w->group->text, "acme.cert-manager.io") == 0 &&
           strcmp(w->kind->text, "Challenge") == 0 &&
           label_set_has(w->pod_labels, "acme.cert-manager.io/http01-solver", "true");
}

static struct class_entry *least_class(const struct workload *w)
{
    struct class_entry *least = NULL;

    for (size_t i = 0; i < w->classes.len; i++) {
        struct class_entry *other = (struct class_entry *)w->classes.items[i];

        least = least == NULL || class_compare(other, least) < 0 ? other : least;
    }
    return least;
}

void workload_settle(struct cluster *c, struct workload_entry *w)
{
    const struct workload_object *obj = w->pub.object;

    if (obj != NULL && obj->shape != NULL) {
        w->lead = NULL;
        set_labels(&w->pub.pod_labels, obj->template_labels);
        set_labels(&w->pub.pod_annotations, obj->template_annotations);
    } else {
        if (w->lead == NULL) {
            w->lead = least_class(&w->pub);
        }
        set_labels(&w->pub.pod_labels, w->lead != NULL ? w->lead->pub.labels : c->no_labels);
        set_labels(&w->pub.pod_annotations,
                   w->lead != NULL ? w->lead->pub.annotations : c->no_labels);
    }
    w->pub.acme_solver = is_acme_solver(&w->pub);
}
