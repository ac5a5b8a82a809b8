/* Which controller serves an Ingress, and what it makes of it: classes, ALB listeners and groups,
 * TLS that is proved by other means than spec.tls (SEMANTICS 10, 11). Pure. */
#ifndef NETAUDITD_RULES_CONTROLLER_H
#define NETAUDITD_RULES_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"

enum controller {
    CONTROLLER_UNKNOWN, /* nothing says which */
    CONTROLLER_OTHER,   /* an IngressClass names one that is not in our table */
    CONTROLLER_INGRESS_NGINX,
    CONTROLLER_NGINX_INC,
    CONTROLLER_HAPROXY_TECH,
    CONTROLLER_HAPROXY_INGRESS,
    CONTROLLER_ALB,
    CONTROLLER_AGIC,
    CONTROLLER_CONTOUR,
    CONTROLLER_KONG,
    CONTROLLER_GKE,
    CONTROLLER_TRAEFIK,
    CONTROLLER_ISTIO,
    CONTROLLER_COUNT
};
const char *controller_name(enum controller c); /* for evidence: "ingress-nginx" */

/* The value of an annotation, NULL when it is absent or empty. */
const char *annotation_text(const struct object *obj, const char *key);

/* The deprecated class annotation; NULL when absent or empty. */
const char *ingress_class_annotation(const struct ingress *ing);
/* GKE knows no other way than the annotation values gce and gce-internal. */
bool ingress_class_is_gke(const char *class_name);
/* The field, else the annotation; NULL when there is neither. */
const char *ingress_effective_class(const struct ingress *ing);
/* The IngressClass object of the effective class, or NULL. */
const struct ingress_class *ingress_class_object(const struct cluster *c,
                                                 const struct ingress *ing);

/* By the controller that the IngressClass names, else by well-known class names, else by the
 * annotations that only one controller reads. */
enum controller ingress_controller(const struct cluster *c, const struct ingress *ing);

/* `listen-ports` of an ALB Ingress, with the controller's default for none. */
struct alb_listeners {
    bool given;     /* by annotation */
    bool malformed; /* given, and no list of protocol and port: the controller refuses it */
    bool http, https;
};
void alb_listeners_of(const struct ingress *ing, struct alb_listeners *out);
/* Do both belong to one load balancer (the same group.name, in whatever namespace)? False for an
 * Ingress without a group. */
bool alb_same_group(const struct ingress *a, const struct ingress *b);
/* Is the annotation actions.<service> a redirect to HTTPS? */
bool alb_action_redirects(const struct ingress *ing, const char *service);

/* The first by namespace and name of the Ingresses that fit, whatever order the cache has them in;
 * NULL when none. */
const struct ingress *ingress_find(const struct cluster *c,
                                   bool (*fits)(const struct ingress *candidate, const void *ctx),
                                   const void *ctx);
/* The one of both that comes first so; `found` may be NULL. */
const struct ingress *ingress_first(const struct ingress *found, const struct ingress *candidate);

struct tls_proof {
    const char *how;             /* a sentence; NULL: nothing proves it */
    const char *key;             /* the annotation that does; else NULL */
    const struct ingress *other; /* the Ingress that holds TLS for the same hosts; else NULL */
};
/* TLS by other means than a complete spec.tls of its own. True when out->how is set. */
bool ingress_tls_proved(const struct cluster *c, const struct ingress *ing, struct tls_proof *out);

#endif
