/* The controller of an Ingress decides what its annotations mean: an ALB certificate on an Ingress
 * that nginx serves proves nothing. Where nothing says which controller it is, its annotations are
 * believed. */
#include "rules/controller.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

static const struct controller_row {
    enum controller id;
    const char *name;
    const char *controllers[2]; /* globs over IngressClass spec.controller */
    const char *classes[3];     /* globs over well-known class names */
    const char *prefixes[2];    /* of annotations that it alone reads */
} rows[] = {
    { CONTROLLER_INGRESS_NGINX,
      "ingress-nginx",
      { "k8s.io/ingress-nginx*" },
      { "nginx", "nginx-*", "ingress-nginx*" },
      { "nginx.ingress.kubernetes.io/" } },
    { CONTROLLER_NGINX_INC,
      "NGINX Ingress Controller",
      { "nginx.org/ingress-controller*" },
      { "nginx-plus*", "nginx-inc*" },
      { "nginx.org/", "nginx.com/" } },
    { CONTROLLER_HAPROXY_TECH,
      "HAProxy Kubernetes Ingress Controller",
      { "haproxy.org/ingress-controller*", "haproxy.com/ingress-controller*" },
      { "haproxy", "haproxy-*" },
      { "haproxy.org/", "haproxy.com/" } },
    { CONTROLLER_HAPROXY_INGRESS,
      "haproxy-ingress",
      { "haproxy-ingress.github.io/controller*" },
      { "haproxy-ingress*" },
      { "haproxy-ingress.github.io/" } },
    { CONTROLLER_ALB,
      "AWS Load Balancer Controller",
      { "ingress.k8s.aws/alb" },
      { "alb", "alb-*" },
      { "alb.ingress.kubernetes.io/" } },
    { CONTROLLER_AGIC,
      "Application Gateway Ingress Controller",
      { "azure/application-gateway*" },
      { "azure/application-gateway", "azure-application-gateway*" },
      { "appgw.ingress.kubernetes.io/" } },
    { CONTROLLER_CONTOUR,
      "Contour",
      { "projectcontour.io/*" },
      { "contour", "contour-*" },
      { "projectcontour.io/" } },
    { CONTROLLER_KONG,
      "Kong",
      { "ingress-controllers.konghq.com/*" },
      { "kong", "kong-*" },
      { "konghq.com/" } },
    { CONTROLLER_GKE,
      "GKE Ingress",
      { "networking.gke.io/*" },
      { "gce", "gce-internal" },
      { "networking.gke.io/", "ingress.gcp.kubernetes.io/" } },
    { CONTROLLER_TRAEFIK,
      "Traefik",
      { "traefik.io/ingress-controller*" },
      { "traefik", "traefik-*" },
      { "traefik.ingress.kubernetes.io/" } },
    { CONTROLLER_ISTIO,
      "Istio",
      { "istio.io/ingress-controller*" },
      { "istio", "istio-*" },
      { NULL } },
};

const char *controller_name(enum controller c)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].id == c) {
            return rows[i].name;
        }
    }
    return c == CONTROLLER_OTHER ? "another controller" : "an unknown controller";
}

const char *annotation_text(const struct object *obj, const char *key)
{
    const char *value = label_set_text(obj->annotations, key);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *ingress_class_annotation(const struct ingress *ing)
{
    return annotation_text(&ing->head, CLASS_ANNOTATION);
}

bool ingress_class_is_gke(const char *class_name)
{
    return class_name != NULL &&
           (strcmp(class_name, "gce") == 0 || strcmp(class_name, "gce-internal") == 0);
}

const char *ingress_effective_class(const struct ingress *ing)
{
    return ing->class_name != NULL ? ing->class_name->text : ingress_class_annotation(ing);
}

const struct ingress_class *ingress_class_object(const struct cluster *c, const struct ingress *ing)
{
    const char *name = ingress_effective_class(ing);

    return name != NULL ? cluster_ingress_class(c, name) : NULL;
}

static bool globs_match(const char *const *globs, size_t count, const char *text)
{
    for (size_t i = 0; i < count && globs[i] != NULL; i++) {
        if (text_glob(globs[i], text)) {
            return true;
        }
    }
    return false;
}

static bool row_is_hinted(const struct controller_row *row, const struct ingress *ing)
{
    const struct label_set *set = ing->head.annotations;

    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(row->prefixes) && row->prefixes[k] != NULL; k++) {
            if (text_starts(set->items[i].key->text, row->prefixes[k])) {
                return true;
            }
        }
    }
    return false;
}

/* The annotations speak to exactly one controller. */
static enum controller hinted(const struct ingress *ing)
{
    enum controller found = CONTROLLER_UNKNOWN;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (row_is_hinted(&rows[i], ing)) {
            if (found != CONTROLLER_UNKNOWN) {
                return CONTROLLER_UNKNOWN;
            }
            found = rows[i].id;
        }
    }
    return found;
}

/* Two pairs of controllers answer to one class name by default. */
static enum controller told_apart(enum controller named, const struct ingress *ing)
{
    enum controller hint = hinted(ing);

    if ((named == CONTROLLER_INGRESS_NGINX && hint == CONTROLLER_NGINX_INC) ||
        (named == CONTROLLER_HAPROXY_TECH && hint == CONTROLLER_HAPROXY_INGRESS)) {
        return hint;
    }
    return named;
}

enum controller ingress_controller(const struct cluster *c, const struct ingress *ing)
{
    const struct ingress_class *ic = ingress_class_object(c, ing);
    const char *name = ingress_effective_class(ing);

    if (ic != NULL && ic->controller != NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            if (globs_match(rows[i].controllers, ARRAY_LEN(rows[i].controllers),
                            ic->controller->text)) {
                return rows[i].id;
            }
        }
        return CONTROLLER_OTHER;
    }
    /* From the end: "haproxy-ingress" before "haproxy-*", "nginx-plus" before "nginx-*". */
    for (size_t i = ARRAY_LEN(rows); name != NULL && i > 0; i--) {
        if (globs_match(rows[i - 1].classes, ARRAY_LEN(rows[i - 1].classes), name)) {
            return told_apart(rows[i - 1].id, ing);
        }
    }
    return hinted(ing);
}

static bool sorts_before(const struct ingress *a, const struct ingress *b)
{
    int c = strcmp(str_text(a->head.ns), str_text(b->head.ns));

    return c != 0 ? c < 0 : strcmp(a->head.name->text, b->head.name->text) < 0;
}

const struct ingress *ingress_first(const struct ingress *found, const struct ingress *candidate)
{
    return found == NULL || sorts_before(candidate, found) ? candidate : found;
}

const struct ingress *ingress_find(const struct cluster *c,
                                   bool (*fits)(const struct ingress *candidate, const void *ctx),
                                   const void *ctx)
{
    const struct ingress *found = NULL;

    for (uint32_t i = 0; i < cluster_ns_count(c); i++) {
        const struct ns *ns = cluster_ns_at(c, i);

        for (size_t k = 0; k < ns->ingresses.len; k++) {
            if (fits(ns->ingresses.items[k], ctx)) {
                found = ingress_first(found, ns->ingresses.items[k]);
            }
        }
    }
    return found;
}
