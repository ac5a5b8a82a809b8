/* Most controllers have an annotation that switches the redirect, an older name or two of it, one
 * that forces it, and a default: those are rows. ALB, Kong and GKE have functions of their own.
 *
 * Contour redirects an Ingress only by force-ssl-redirect, as its source says (1.30,
 * ingress_processor.go: HTTPSUpgrade = TLSRequired); what redirects by default there is HTTPProxy.
 */
#include "rules/redirect.h"

#include <string.h>

#include "base/text.h"
#include "base/vec.h"

enum redirect_default { DEFAULT_OFF, DEFAULT_ON, DEFAULT_ON_WITH_SPEC_TLS };

static const struct redirect_row {
    enum controller controller;
    const char *keys[3];  /* the first that is present and understood decides */
    const char *force[1]; /* true switches it on whatever the others say */
    bool exact;           /* only the word "true" counts; else Go's ParseBool */
    enum redirect_default otherwise;
    const char *mend;
} rows[] = {
    { CONTROLLER_INGRESS_NGINX,
      { "nginx.ingress.kubernetes.io/ssl-redirect" },
      { "nginx.ingress.kubernetes.io/force-ssl-redirect" },
      false,
      DEFAULT_ON,
      "the redirect from HTTP to HTTPS is switched off; remove the ssl-redirect annotation or set "
      "it to true" },
    { CONTROLLER_NGINX_INC,
      { "nginx.org/ssl-redirect", "ingress.kubernetes.io/ssl-redirect" },
      { "nginx.org/redirect-to-https" },
      false,
      DEFAULT_ON,
      "the redirect from HTTP to HTTPS is switched off; remove the ssl-redirect annotation or set "
      "it to true" },
    { CONTROLLER_HAPROXY_TECH,
      { "haproxy.org/ssl-redirect", "haproxy.com/ssl-redirect",
        "ingress.kubernetes.io/ssl-redirect" },
      { NULL },
      false,
      DEFAULT_ON_WITH_SPEC_TLS,
      "HTTP is not redirected to HTTPS; set the ssl-redirect annotation to true, or spec.tls and "
      "no such annotation" },
    { CONTROLLER_HAPROXY_INGRESS,
      { "haproxy-ingress.github.io/ssl-redirect" },
      { NULL },
      false,
      DEFAULT_ON,
      "the redirect from HTTP to HTTPS is switched off; remove the ssl-redirect annotation or set "
      "it to true" },
    { CONTROLLER_AGIC,
      { "appgw.ingress.kubernetes.io/ssl-redirect" },
      { NULL },
      true,
      DEFAULT_OFF,
      "HTTP is not redirected to HTTPS; set annotation appgw.ingress.kubernetes.io/ssl-redirect to "
      "true" },
    { CONTROLLER_CONTOUR,
      { NULL },
      { "ingress.kubernetes.io/force-ssl-redirect" },
      true,
      DEFAULT_OFF,
      "HTTP is not redirected to HTTPS; set annotation ingress.kubernetes.io/force-ssl-redirect to "
      "true" },
};

static bool is_true(const char *value, bool exact)
{
    bool parsed = false;

    return exact ? strcmp(value, "true") == 0 : text_parse_bool(value, &parsed) && parsed;
}

static bool is_understood(const char *value, bool exact)
{
    bool parsed;

    return exact || text_parse_bool(value, &parsed);
}

static bool by_row(const struct redirect_row *row, const struct ingress *ing, const char **key)
{
    const char *value;

    for (size_t i = 0; i < ARRAY_LEN(row->force) && row->force[i] != NULL; i++) {
        value = annotation_text(&ing->head, row->force[i]);
        if (value != NULL && is_true(value, row->exact)) {
            *key = row->force[i];
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(row->keys) && row->keys[i] != NULL; i++) {
        value = annotation_text(&ing->head, row->keys[i]);
        if (value != NULL && is_understood(value, row->exact)) {
            *key = row->keys[i];
            return is_true(value, row->exact);
        }
    }
    return row->otherwise == DEFAULT_ON ||
           (row->otherwise == DEFAULT_ON_WITH_SPEC_TLS && ing->tls_count > 0);
}

static void decide(struct redirect_answer *out, bool on, const char *mend)
{
    out->state = on ? REDIRECT_ON : REDIRECT_OFF;
    out->mend = on ? NULL : mend;
}

static bool http_is_closed(const struct ingress *ing)
{
    const char *allow = annotation_text(&ing->head, "kubernetes.io/ingress.allow-http");

    return allow != NULL && strcmp(allow, "false") == 0;
}

static void hide(struct redirect_answer *out, const char *why)
{
    out->state = REDIRECT_NOT_VISIBLE;
    out->why = why;
}

/* Kong answers 426 to plain HTTP on a route of https alone, which ends nobody's redirect: the
 * status code is asked for. */
static void kong(const struct ingress *ing, struct redirect_answer *out)
{
    static const char *const codes[] = { "301", "302", "307", "308" };
    const char *force = annotation_text(&ing->head, "ingress.kubernetes.io/force-ssl-redirect");
    const char *protocols = annotation_text(&ing->head, "konghq.com/protocols");
    const char *code = annotation_text(&ing->head, "konghq.com/https-redirect-status-code");
    bool on = false;

    if (force != NULL && strcmp(force, "true") == 0) {
        out->key = "ingress.kubernetes.io/force-ssl-redirect";
        decide(out, true, NULL);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        on = on || (code != NULL && strcmp(code, codes[i]) == 0);
    }
    on = on && protocols != NULL && strcmp(protocols, "https") == 0;
    out->key = protocols != NULL ? "konghq.com/protocols" : NULL;
    decide(out, on,
           "HTTP is not redirected to HTTPS; set annotations konghq.com/protocols to https and "
           "konghq.com/https-redirect-status-code to a redirect code");
}

static void gke(const struct ingress *ing, struct redirect_answer *out)
{
    if (http_is_closed(ing)) {
        out->key = "kubernetes.io/ingress.allow-http";
        decide(out, true, NULL);
    } else if (annotation_text(&ing->head, "networking.gke.io/v1beta1.FrontendConfig") != NULL) {
        hide(out, "the redirect is decided by a FrontendConfig, which is not read");
    } else {
        decide(out, false,
               "the load balancer answers plain HTTP; set annotation "
               "kubernetes.io/ingress.allow-http to false or "
               "redirect by a FrontendConfig");
    }
}

static bool covers_root(const struct str *path)
{
    return path == NULL || strcmp(path->text, "/") == 0 || strcmp(path->text, "/*") == 0;
}

static bool redirects_root(const struct ingress *ing, const struct ingress_rule *rule)
{
    for (uint32_t i = 0; i < rule->backend_count; i++) {
        const struct ingress_backend *b = &rule->backends[i];

        if (b->service != NULL && b->port_name != NULL &&
            strcmp(b->port_name->text, "use-annotation") == 0 && covers_root(rule->paths[i]) &&
            alb_action_redirects(ing, b->service->text)) {
            return true;
        }
    }
    return false;
}

/* A rule without host redirects for every name; else each rule must. */
static bool redirected_by_actions(const struct ingress *ing)
{
    bool all = ing->rule_count > 0;

    for (uint32_t i = 0; i < ing->rule_count; i++) {
        bool redirects = redirects_root(ing, &ing->rules[i]);

        if (redirects && ing->rules[i].host == NULL) {
            return true;
        }
        all = all && redirects;
    }
    return all;
}

static bool redirects_group(const struct ingress *candidate, const void *ctx)
{
    return annotation_text(&candidate->head, "alb.ingress.kubernetes.io/ssl-redirect") != NULL &&
           (candidate == ctx || alb_same_group(candidate, ctx));
}

static void alb(const struct cluster *c, const struct ingress *ing, struct redirect_answer *out)
{
    const struct ingress_class *ic = ingress_class_object(c, ing);
    struct alb_listeners listeners;
    bool own;

    alb_listeners_of(ing, &listeners);
    if (ic != NULL && ic->has_parameters) {
        hide(out, "the redirect may be decided by IngressClassParams, which are not read");
        return;
    }
    if (listeners.malformed) {
        hide(out, "annotation listen-ports cannot be understood");
        return;
    }
    if (!listeners.http) {
        out->key = listeners.given ? "alb.ingress.kubernetes.io/listen-ports"
                                   : "alb.ingress.kubernetes.io/certificate-arn";
        decide(out, true, NULL);
        return;
    }
    own = redirects_group(ing, ing);
    out->by = own ? NULL : ingress_find(c, redirects_group, ing);
    if (own || out->by != NULL) {
        out->key = "alb.ingress.kubernetes.io/ssl-redirect";
        decide(out, true, NULL);
        return;
    }
    decide(out, redirected_by_actions(ing),
           "the load balancer serves plain HTTP beside HTTPS; set annotation "
           "alb.ingress.kubernetes.io/ssl-redirect or "
           "listen on HTTPS alone");
}

void redirect_of(const struct cluster *c, const struct ingress *ing, struct redirect_answer *out)
{
    *out = (struct redirect_answer){ .controller = ingress_controller(c, ing) };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].controller != out->controller) {
            continue;
        }
        decide(out, by_row(&rows[i], ing, &out->key), rows[i].mend);
        if (out->controller == CONTROLLER_CONTOUR && out->state == REDIRECT_OFF &&
            http_is_closed(ing)) {
            out->key = "kubernetes.io/ingress.allow-http";
            decide(out, true, NULL);
        }
        return;
    }
    switch (out->controller) {
    case CONTROLLER_ALB:
        alb(c, ing, out);
        return;
    case CONTROLLER_KONG:
        kong(ing, out);
        return;
    case CONTROLLER_GKE:
        gke(ing, out);
        return;
    case CONTROLLER_TRAEFIK:
    case CONTROLLER_ISTIO:
        hide(out, "the redirect of this controller is not set on the Ingress");
        return;
    case CONTROLLER_OTHER:
        hide(out, "the redirect of this controller is not known");
        return;
    default:
        hide(out, "nothing says which controller serves the Ingress");
    }
}
