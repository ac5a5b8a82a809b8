/* From a Service, Secret or IngressClass back to the Ingresses that name it. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

enum target { TARGET_SERVICE, TARGET_SECRET, TARGET_CLASS };

struct reference {
    struct ingress_vec ingresses;
    enum target target;
    struct str *ns, *name; /* ns NULL for a class */
};

struct reference_key {
    enum target target;
    const struct str *ns, *name;
};

static uint32_t hash_key(enum target target, const struct str *ns, const struct str *name)
{
    uint64_t h =
        hash_mix((uint64_t)(ns != NULL ? ns->hash : 0) << 32 | name->hash, (uint64_t)target);

    return (uint32_t)(h ^ h >> 32);
}

static uint32_t reference_hash(const void *item)
{
    const struct reference *r = item;

    return hash_key(r->target, r->ns, r->name);
}

static bool reference_same(const void *item, const void *key)
{
    const struct reference *r = item;
    const struct reference_key *k = key;

    return r->target == k->target && r->ns == k->ns && r->name == k->name;
}

static struct reference *find(const struct cluster *c, enum target target, const struct str *ns,
                              const struct str *name)
{
    struct reference_key key = { target, ns, name };

    return table_find(&c->references, hash_key(target, ns, name), &key, reference_same);
}

static void add(struct cluster *c, const struct ingress *ing, enum target target, struct str *ns,
                struct str *name)
{
    struct reference *r;

    if (name == NULL) {
        return;
    }
    r = find(c, target, ns, name);
    if (r == NULL) {
        r = xcalloc(1, sizeof(*r));
        r->target = target;
        r->ns = str_ref(ns);
        r->name = str_ref(name);
        table_add(&c->references, r, reference_hash);
    }
    /* One Ingress names the same thing in a row of its own entries. */
    if (r->ingresses.v.len == 0 || r->ingresses.v.items[r->ingresses.v.len - 1] != ing) {
        vec_push(&r->ingresses.v, ing);
    }
}

static void drop(struct cluster *c, const struct ingress *ing, enum target target, struct str *ns,
                 struct str *name)
{
    struct reference *r = name != NULL ? find(c, target, ns, name) : NULL;

    if (r == NULL) {
        return;
    }
    for (size_t i = r->ingresses.v.len; i > 0; i--) {
        if (r->ingresses.v.items[i - 1] == ing) {
            vec_remove_swap(&r->ingresses.v, i - 1);
            break;
        }
    }
    if (r->ingresses.v.len == 0) {
        table_remove(&c->references, r, reference_hash);
        vec_free(&r->ingresses.v);
        str_unref(r->ns);
        str_unref(r->name);
        free(r);
    }
}

static void each(struct cluster *c, const struct ingress *ing,
                 void (*visit)(struct cluster *, const struct ingress *, enum target, struct str *,
                               struct str *))
{
    struct str *ns = ing->head.ns;
    const char *annotation = label_set_text(ing->head.annotations, CLASS_ANNOTATION);
    struct str *old_class =
        annotation != NULL && annotation[0] != '\0' ? str_intern(annotation) : NULL;

    visit(c, ing, TARGET_CLASS, NULL, ing->class_name);
    if (old_class != ing->class_name) {
        visit(c, ing, TARGET_CLASS, NULL, old_class);
    }
    str_unref(old_class);
    visit(c, ing, TARGET_SERVICE, ns, ing->default_backend.service);
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        for (uint32_t j = 0; j < ing->rules[i].backend_count; j++) {
            visit(c, ing, TARGET_SERVICE, ns, ing->rules[i].backends[j].service);
        }
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        visit(c, ing, TARGET_SECRET, ns, ing->tls[i].secret);
    }
}

void references_add(struct cluster *c, const struct ingress *ing)
{
    each(c, ing, add);
}

void references_remove(struct cluster *c, const struct ingress *ing)
{
    each(c, ing, drop);
}

void references_free(struct cluster *c)
{
    TABLE_EACH(&c->references, struct reference, r)
    {
        vec_free(&r->ingresses.v);
        str_unref(r->ns);
        str_unref(r->name);
        free(r);
    }
    table_deinit(&c->references);
}

static const struct ingress_vec *lookup(const struct cluster *c, enum target target, bool has_ns,
                                        const char *ns, const char *name)
{
    const struct str *ns_str = has_ns ? str_find(ns) : NULL, *name_str = str_find(name);
    const struct reference *r;

    if ((has_ns && ns_str == NULL) || name_str == NULL) {
        return NULL;
    }
    r = find(c, target, ns_str, name_str);
    return r != NULL ? &r->ingresses : NULL;
}

const struct ingress_vec *cluster_ingresses_of_service(const struct cluster *c, const char *ns,
                                                       const char *service)
{
    return lookup(c, TARGET_SERVICE, true, ns, service);
}

const struct ingress_vec *cluster_ingresses_of_secret(const struct cluster *c, const char *ns,
                                                      const char *secret)
{
    return lookup(c, TARGET_SECRET, true, ns, secret);
}

const struct ingress_vec *cluster_ingresses_of_class(const struct cluster *c,
                                                     const char *ingress_class)
{
    return lookup(c, TARGET_CLASS, false, NULL, ingress_class);
}
