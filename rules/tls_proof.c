/* TLS that spec.tls of the Ingress does not show. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/controller.h"
#include "rules/host.h"

static bool may_be(enum controller served_by, enum controller c)
{
    return served_by == c || served_by == CONTROLLER_UNKNOWN;
}

/* Annotations whose presence alone proves it. ALB has its own function: listeners count there. */
static const struct {
    enum controller controller;
    const char *key, *value; /* value NULL: any but empty */
    const char *how;
} by_annotation[] = {
    { CONTROLLER_GKE, "networking.gke.io/managed-certificates", NULL,
      "TLS comes from a Google-managed certificate" },
    { CONTROLLER_GKE, "ingress.gcp.kubernetes.io/pre-shared-cert", NULL,
      "TLS comes from a pre-shared Google certificate" },
    { CONTROLLER_AGIC, "appgw.ingress.kubernetes.io/appgw-ssl-certificate", NULL,
      "TLS comes from a certificate of the Application Gateway" },
    { CONTROLLER_TRAEFIK, "traefik.ingress.kubernetes.io/router.tls", "true",
      "TLS is switched on for the Traefik router" },
};

static bool proved_by_alb(const struct ingress *ing, struct tls_proof *out)
{
    struct alb_listeners listeners;

    alb_listeners_of(ing, &listeners);
    if (!listeners.https) {
        return false;
    }
    if (annotation_text(&ing->head, "alb.ingress.kubernetes.io/certificate-arn") != NULL) {
        out->how = "TLS comes from an AWS certificate";
        out->key = "alb.ingress.kubernetes.io/certificate-arn";
    } else {
        out->how =
            "TLS comes from a certificate that the AWS controller discovers for its HTTPS listener";
        out->key = "alb.ingress.kubernetes.io/listen-ports";
    }
    return true;
}

static bool holds_tls_for(const struct ingress *ing, const char *host,
                          bool (*fits)(const char *tls_host, const char *host))
{
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        for (uint32_t k = 0; ing->tls[i].secret != NULL && k < ing->tls[i].host_count; k++) {
            if (fits(ing->tls[i].hosts[k]->text, host)) {
                return true;
            }
        }
    }
    return false;
}

/* Ingresses of one class share their hosts' certificates. */
static const struct ingress *other_with_tls(const struct cluster *c, const struct ingress *ing,
                                            const char *host)
{
    const char *name = ingress_effective_class(ing);
    const struct ingress_vec *same = name != NULL ? cluster_ingresses_of_class(c, name) : NULL;
    const struct ingress *found = NULL;

    for (size_t i = 0; same != NULL && i < same->v.len; i++) {
        const struct ingress *other = same->v.items[i];

        if (other != ing && strcmp(ingress_effective_class(other), name) == 0 &&
            holds_tls_for(other, host, host_same)) {
            found = ingress_first(found, other);
        }
    }
    return found;
}

/* Every host that lacks a certificate here has one there: hosts of rules, and of entries without a
 * Secret. */
static bool proved_by_others(const struct cluster *c, const struct ingress *ing,
                             struct tls_proof *out)
{
    const struct ingress *other = NULL;

    if (ing->rule_count == 0 || ing->has_default_backend) {
        return false; /* answers for names that nobody listed */
    }
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        const char *host = str_text(ing->rules[i].host);

        if (host_is_any(host)) {
            return false;
        }
        if (holds_tls_for(ing, host, host_covers)) {
            continue;
        }
        other = other_with_tls(c, ing, host);
        if (other == NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < ing->tls_count; i++) {
        for (uint32_t k = 0; ing->tls[i].secret == NULL && k < ing->tls[i].host_count; k++) {
            const char *host = ing->tls[i].hosts[k]->text;

            if (!holds_tls_for(ing, host, host_covers) &&
                (other = other_with_tls(c, ing, host)) == NULL) {
                return false;
            }
        }
    }
    if (other == NULL) {
        return false;
    }
    out->how = "TLS for the same hosts is set in another Ingress of the class";
    out->other = other;
    return true;
}

bool ingress_tls_proved(const struct cluster *c, const struct ingress *ing, struct tls_proof *out)
{
    enum controller served_by = ingress_controller(c, ing);

    *out = (struct tls_proof){ 0 };
    if (may_be(served_by, CONTROLLER_ALB) && proved_by_alb(ing, out)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_annotation); i++) {
        const char *value = annotation_text(&ing->head, by_annotation[i].key);

        if (value != NULL && may_be(served_by, by_annotation[i].controller) &&
            (by_annotation[i].value == NULL || strcmp(value, by_annotation[i].value) == 0)) {
            out->how = by_annotation[i].how;
            out->key = by_annotation[i].key;
            return true;
        }
    }
    return proved_by_others(c, ing, out);
}
