#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"
#include "cluster/decode.h"

static uint32_t hash_parts(const struct workload *w, const struct label_set *labels,
                           const struct label_set *annotations, const struct pod_shape *shape)
{
    uint64_t h = hash_mix((uint64_t)(uintptr_t)w, (uint64_t)labels->hash << 32 | annotations->hash);

    h = hash_mix(h, shape->hash);
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t class_hash(const void *item)
{
    const struct pod_class *pc = &((const struct class_entry *)item)->pub;

    return hash_parts(pc->workload, pc->labels, pc->annotations, pc->shape);
}

static bool class_same(const void *item, const void *key)
{
    const struct pod_class *a = &((const struct class_entry *)item)->pub, *b = key;

    return a->workload == b->workload && a->labels == b->labels &&
           a->annotations == b->annotations && a->shape == b->shape;
}

struct class_entry *class_get(struct cluster *c, struct ns_entry *e, struct workload_entry *w,
                              struct label_set *labels, struct label_set *annotations,
                              struct pod_shape *shape)
{
    struct pod_class key = {
        .workload = &w->pub, .labels = labels, .annotations = annotations, .shape = shape
    };
    struct class_entry *cls =
        table_find(&c->classes, hash_parts(&w->pub, labels, annotations, shape), &key, class_same);

    if (cls != NULL) {
        return cls;
    }
    cls = xcalloc(1, sizeof(*cls));
    cls->pub.ns = &e->pub;
    cls->pub.workload = &w->pub;
    cls->pub.labels = label_set_ref(labels);
    cls->pub.annotations = label_set_ref(annotations);
    cls->pub.shape = pod_shape_ref(shape);
    cls->pub.ns_index = (uint32_t)e->pub.classes.len;
    vec_push(&e->pub.classes, &cls->pub);
    cls->pub.workload_index = (uint32_t)w->pub.classes.len;
    vec_reserve(&w->pub.classes, 1); /* most have one */
    vec_push(&w->pub.classes, &cls->pub);
    table_add(&c->classes, cls, class_hash);
    touch_class(c, cls, false);
    return cls;
}

void class_unlink(struct cluster *c, struct class_entry *cls)
{
    struct pod_class *pc = &cls->pub;
    struct workload_entry *w = (struct workload_entry *)pc->workload;

    table_remove(&c->classes, cls, class_hash);
    vec_remove_swap(&pc->ns->classes, pc->ns_index);
    if (pc->ns_index < pc->ns->classes.len) {
        pc->ns->classes.items[pc->ns_index]->ns_index = pc->ns_index;
    }
    vec_remove_swap(&w->pub.classes, pc->workload_index);
    if (pc->workload_index < w->pub.classes.len) {
        w->pub.classes.items[pc->workload_index]->workload_index = pc->workload_index;
    }
    if (w->lead == cls) {
        w->lead = NULL;
    }
}

void class_free(struct class_entry *cls)
{
    label_set_unref(cls->pub.labels);
    label_set_unref(cls->pub.annotations);
    pod_shape_unref(cls->pub.shape);
    free(cls);
}

static int compare_sets(const struct label_set *a, const struct label_set *b)
{
    if (a == b) {
        return 0;
    }
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = a->items[i].key != b->items[i].key
                        ? strcmp(a->items[i].key->text, b->items[i].key->text)
                    : a->items[i].value != b->items[i].value
                        ? strcmp(a->items[i].value->text, b->items[i].value->text)
                        : 0;

        if (order != 0) {
            return order;
        }
    }
    return a->count == b->count ? 0 : a->count < b->count ? -1 : 1;
}

int class_compare(const struct class_entry *a, const struct class_entry *b)
{
    int order = compare_sets(a->pub.labels, b->pub.labels);

    return order != 0 ? order : compare_sets(a->pub.annotations, b->pub.annotations);
}

bool workload_class_counts(const struct workload *w, const struct pod_class *pc)
{
    return pc->pods > 0 || (w->pods == 0 && pc == w->template_class);
}
