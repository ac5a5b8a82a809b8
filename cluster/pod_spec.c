/* What the pods of one ReplicaSet have in common is kept once. Labels that a pod's own name tells
 * (those of StatefulSet pods) are left out as long as no selector asks for them; otherwise each
 * such pod would need a label set of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"
#include "cluster/decode.h"

static uint32_t spec_hash(const void *item)
{
    return ((const struct pod_spec *)item)->hash;
}

static bool spec_same(const void *item, const void *key)
{
    const struct pod_spec *a = item, *b = key;

    return a->hash == b->hash && a->ns == b->ns && a->labels == b->labels &&
           a->annotations == b->annotations && a->shape == b->shape &&
           a->explicit_keys == b->explicit_keys && a->cron_suffix == b->cron_suffix &&
           a->owner.api_version == b->owner.api_version && a->owner.kind == b->owner.kind &&
           a->owner.name == b->owner.name && a->owner.uid == b->owner.uid &&
           a->owner.controller == b->owner.controller;
}

static uint32_t str_hash_of(const struct str *s)
{
    return s != NULL ? s->hash : 0;
}

static uint32_t compute_hash(const struct pod_spec *s)
{
    uint64_t h = hash_mix((uint64_t)s->ns->hash << 32 | s->labels->hash,
                          (uint64_t)s->shape->hash << 32 | s->annotations->hash);

    h = hash_mix(h, (uint64_t)str_hash_of(s->owner.name) << 32 | str_hash_of(s->owner.uid));
    return (uint32_t)(h ^ h >> 32);
}

static void free_parts(struct pod_spec *s)
{
    str_unref(s->ns);
    label_set_unref(s->labels);
    label_set_unref(s->annotations);
    pod_shape_unref(s->shape);
    owner_deinit(&s->owner);
}

/* Takes the parts of `s` in every case. */
static struct pod_spec *intern(struct cluster *c, struct pod_spec *s)
{
    struct pod_spec *found;

    s->hash = compute_hash(s);
    found = table_find(&c->specs, s->hash, s, spec_same);
    if (found != NULL) {
        free_parts(s);
        found->refs++;
        return found;
    }
    found = xmalloc(sizeof(*found));
    *found = *s;
    found->refs = 1;
    found->live = 0;
    found->cls = NULL;
    table_add(&c->specs, found, spec_hash);
    return found;
}

void spec_unref(struct cluster *c, struct pod_spec *spec)
{
    if (spec != NULL && --spec->refs == 0) {
        table_remove(&c->specs, spec, spec_hash);
        free_parts(spec);
        free(spec);
    }
}

/* The digits after the last '-', as the StatefulSet controller writes the index; NULL when there
 * are none. */
static const char *name_index(const char *name)
{
    const char *dash = strrchr(name, '-');

    if (dash == NULL || dash[1] == '\0' || strspn(dash + 1, "0123456789") != strlen(dash + 1)) {
        return NULL;
    }
    return dash + 1;
}

static bool tells(const struct cluster *c, const struct label *label, const char *name,
                  enum per_pod_key key)
{
    const char *index;

    if (label->key != c->per_pod_keys[key]) {
        return false;
    }
    if (key == PER_POD_NAME) {
        return strcmp(label->value->text, name) == 0;
    }
    index = name_index(name);
    return index != NULL && strcmp(label->value->text, index) == 0;
}

static uint16_t flag_of(enum per_pod_key key)
{
    return key == PER_POD_NAME ? POD_HAS_NAME_LABEL : POD_HAS_INDEX_LABEL;
}

/* `labels` without the derivable ones, less those in `explicit_keys`; one reference. */
static struct label_set *strip(const struct cluster *c, struct label_set *labels, const char *name,
                               uint16_t explicit_keys, uint16_t *flags)
{
    struct label *kept;
    struct label_set *out;
    uint32_t n = 0;
    bool any = false;

    for (uint32_t i = 0; i < labels->count && !any; i++) {
        any = tells(c, &labels->items[i], name, PER_POD_NAME) ||
              tells(c, &labels->items[i], name, PER_POD_INDEX);
    }
    if (!any) {
        return label_set_ref(labels);
    }
    kept = xcalloc(labels->count, sizeof(*kept));
    for (uint32_t i = 0; i < labels->count; i++) {
        bool drop = false;

        for (enum per_pod_key key = PER_POD_NAME; key <= PER_POD_INDEX; key++) {
            if (tells(c, &labels->items[i], name, key)) {
                *flags |= flag_of(key);
                drop = (explicit_keys & BIT(key)) == 0;
            }
        }
        if (!drop) {
            kept[n++] = labels->items[i];
        }
    }
    out = label_set_intern(kept, n);
    free(kept);
    return out;
}

struct pod_spec *spec_intern(struct cluster *c, const struct pod_object *obj,
                             uint16_t explicit_keys, uint16_t *flags)
{
    const struct owner_ref *owner = &obj->owner;
    struct pod_spec s = { .ns = str_ref(obj->head.ns),
                          .annotations = label_set_ref(obj->head.annotations),
                          .shape = pod_shape_ref(obj->shape),
                          .origin = obj->head.origin };

    s.labels = strip(c, obj->head.labels, obj->head.name->text, explicit_keys, flags);
    if ((*flags & POD_HAS_NAME_LABEL) != 0) {
        s.explicit_keys |= (uint16_t)(explicit_keys & BIT(PER_POD_NAME));
    }
    if ((*flags & POD_HAS_INDEX_LABEL) != 0) {
        s.explicit_keys |= (uint16_t)(explicit_keys & BIT(PER_POD_INDEX));
    }
    if (owner->kind != NULL && !obj->mirror) {
        s.owner = (struct owner_ref){ str_ref(owner->api_version), str_ref(owner->kind),
                                      str_ref(owner->name), NULL, true };
        s.cron_suffix = strcmp(owner->kind->text, "Job") == 0 &&
                        owner_cron_suffix(owner->name->text, obj->head.created_ms);
        if (!owner_is_named_only(c, &s)) {
            s.owner.uid = str_ref(owner->uid);
        }
    } else { /* bare, or the static pod of a node: stands for itself */
        s.owner = (struct owner_ref){ str_intern("v1"), str_intern("Pod"), str_ref(obj->head.name),
                                      str_ref(obj->head.uid), false };
    }
    return intern(c, &s);
}

struct pod_spec *spec_with_keys(struct cluster *c, const struct pod *pod, uint16_t explicit_keys)
{
    const struct pod_spec *old = pod->spec;
    struct label_set *with_all, *labels = old->labels;
    struct label *items = xcalloc((size_t)labels->count + 2, sizeof(*items));
    const char *index = name_index(pod->name);
    uint32_t n = labels->count;
    uint16_t flags = 0;
    struct pod_spec s = *old;

    if (n > 0) {
        memcpy(items, labels->items, n * sizeof(*items));
    }
    if ((pod->flags & POD_HAS_NAME_LABEL) != 0) {
        items[n++] = (struct label){ c->per_pod_keys[PER_POD_NAME], str_intern(pod->name) };
    }
    if ((pod->flags & POD_HAS_INDEX_LABEL) != 0 && index != NULL) {
        items[n++] = (struct label){ c->per_pod_keys[PER_POD_INDEX], str_intern(index) };
    }
    with_all = label_set_intern(items, n);
    while (n > labels->count) {
        str_unref(items[--n].value);
    }
    free(items);

    s.labels = strip(c, with_all, pod->name, explicit_keys, &flags);
    label_set_unref(with_all);
    s.explicit_keys = explicit_keys;
    str_ref(s.ns);
    label_set_ref(s.annotations);
    pod_shape_ref(s.shape);
    str_ref(s.owner.api_version);
    str_ref(s.owner.kind);
    str_ref(s.owner.name);
    str_ref(s.owner.uid);
    return intern(c, &s);
}
