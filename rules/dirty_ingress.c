/* Which Ingresses a change touches. */
#include "rules/controller.h"
#include "rules/dirty.h"
#include "rules/host.h"

enum { RELATED_MAX_HOSTS = 64 };

static void mark_ingresses(struct change *c, const struct ingress_vec *ingresses, uint64_t rules)
{
    for (size_t i = 0; ingresses != NULL && i < ingresses->v.len; i++) {
        const struct object *head = &ingresses->v.items[i]->head;
        mark_named(c, KIND_INGRESS, head->ns, head->name, rules);
    }
}

/* Ingresses without a class hang on which IngressClass is the default. */
static void mark_classless(struct change *c, uint64_t rules)
{
    for (size_t i = 0; rules != 0 && i < c->e->by_kind[SUBJECT_INGRESS].len; i++) {
        struct tracked *t = c->e->by_kind[SUBJECT_INGRESS].items[i];
        struct subject s;
        if (tracked_subject(c->e, t, &s) && ingress_effective_class(s.ingress) == NULL) {
            mark_one(c, t, rules);
        }
    }
}

static bool is_default_class(const struct object *obj)
{
    return obj != NULL && ((const struct ingress_class *)obj)->is_default;
}

void mark_backends(struct change *c, const struct object *ingress, uint64_t rules)
{
    const struct ingress *ing = (const struct ingress *)ingress;

    if (ingress == NULL || rules == 0) {
        return;
    }
    for (uint32_t r = 0; r < ing->rule_count; r++) {
        for (uint32_t b = 0; b < ing->rules[r].backend_count; b++) {
            const struct str *service = ing->rules[r].backends[b].service;
            if (service != NULL) {
                mark_named(c, KIND_SERVICE, ingress->ns, service, rules);
            }
        }
    }
    if (ing->has_default_backend && ing->default_backend.service != NULL) {
        mark_named(c, KIND_SERVICE, ingress->ns, ing->default_backend.service, rules);
    }
}

bool mark_referring_ingresses(struct change *c, const struct delta *d, uint64_t rules)
{
    const struct object *obj = d->after != NULL ? d->after : d->before;
    const struct cluster *cluster = c->e->cluster;

    switch (d->kind) {
    case KIND_SERVICE:
        mark_ingresses(c, cluster_ingresses_of_service(cluster, obj->ns->text, obj->name->text),
                       rules);
        return true;
    case KIND_SECRET:
        mark_ingresses(c, cluster_ingresses_of_secret(cluster, obj->ns->text, obj->name->text),
                       rules);
        return true;
    case KIND_INGRESS_CLASS:
        mark_ingresses(c, cluster_ingresses_of_class(cluster, obj->name->text), rules);
        if (is_default_class(d->before) || is_default_class(d->after)) {
            mark_classless(c, rules);
        }
        return true;
    default:
        return false;
    }
}

static void mark_group(struct change *c, const struct ingress *ing, uint64_t rules)
{
    const struct cluster *cluster = c->e->cluster;

    if (!alb_same_group(ing, ing)) {
        return; /* in none */
    }
    for (uint32_t i = 0; i < cluster_ns_count(cluster); i++) {
        const struct ns *ns = cluster_ns_at(cluster, i);
        for (size_t k = 0; k < ns->ingresses.len; k++) {
            if (alb_same_group(ing, ns->ingresses.items[k])) {
                mark_named(c, KIND_INGRESS, ns->name, ns->ingresses.items[k]->head.name, rules);
            }
        }
    }
}

static bool has_host(const struct ingress *ing, const char *host)
{
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        if (ing->rules[i].host != NULL && host_same(ing->rules[i].host->text, host)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        for (uint32_t k = 0; k < ing->tls[i].host_count; k++) {
            if (host_same(ing->tls[i].hosts[k]->text, host)) {
                return true;
            }
        }
    }
    return false;
}

/* `holder` has TLS for a host of the other. Of very many hosts one is taken to be in common. */
static bool holds_tls_of(const struct ingress *holder, const struct ingress *other)
{
    uint32_t compared = 0;

    for (uint32_t i = 0; i < holder->tls_count; i++) {
        for (uint32_t k = 0; k < holder->tls[i].host_count; k++) {
            if (++compared > RELATED_MAX_HOSTS || has_host(other, holder->tls[i].hosts[k]->text)) {
                return true;
            }
        }
    }
    return false;
}

/* Those who may lean on this Ingress, as it was or as it is. */
void mark_related_ingresses(struct change *c, const struct object *ingress, uint64_t rules)
{
    const struct ingress *ing = (const struct ingress *)ingress;

    if (ingress == NULL || rules == 0) {
        return;
    }
    mark_group(c, ing, rules);
    const char *name = ingress_effective_class(ing);
    const struct ingress_vec *same =
        name != NULL && ing->tls_count > 0 ? cluster_ingresses_of_class(c->e->cluster, name) : NULL;
    for (size_t i = 0; same != NULL && i < same->v.len; i++) {
        const struct ingress *other = same->v.items[i];
        if (holds_tls_of(ing, other)) {
            mark_named(c, KIND_INGRESS, other->head.ns, other->head.name, rules);
        }
    }
}
