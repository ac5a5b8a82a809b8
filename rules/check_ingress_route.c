/* require-ingress-class: what an Ingress asks its controller to do: for which names it answers,
 * what it injects into the configuration, and where its backends lead. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/controller.h"
#include "rules/host.h"
#include "rules/rule.h"

#define CATEGORY "Ingress Class"
#define NSA      "NSA/CISA Kubernetes Hardening Guidance 1.2: Network separation and hardening"

static void has_hostname(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;

    if (ing->rule_count == 0) {
        if (!ing->has_default_backend) {
            finding_skip(out, "the Ingress has neither rules nor a default backend");
            return;
        }
        finding_field(out, "spec.defaultBackend");
        finding_fail(out, "the Ingress has only a default backend and answers for every host name; "
                          "add rules with hosts");
        return;
    }
    for (uint32_t i = 0; i < ing->rule_count; i++) {
        if (host_is_any(str_text(ing->rules[i].host))) {
            finding_field(out, "spec.rules[%u].host", i);
            finding_fail(out, "a rule names no host and answers for every host name; set its host");
            return;
        }
    }
    finding_pass(out);
}

/* The first annotation of `obj` that a glob of the list names. An empty one injects nothing. */
static const char *unsafe_annotation(const struct rule_input *in, const struct object *obj)
{
    const char *const *globs = param_list(in, "unsafe-annotations");

    for (uint32_t i = 0; obj->annotations != NULL && i < obj->annotations->count; i++) {
        const struct label *a = &obj->annotations->items[i];

        for (size_t k = 0; a->value->len > 0 && globs[k] != NULL; k++) {
            if (text_glob(globs[k], a->key->text)) {
                return a->key->text;
            }
        }
    }
    return NULL;
}

/* The i-th backend of an Ingress, rules first, the default backend last; NULL behind it. `field` is
 * its path. */
static const struct ingress_backend *backend_at(const struct ingress *ing, uint32_t i,
                                                struct arena *arena, const char **field)
{
    for (uint32_t r = 0; r < ing->rule_count; r++) {
        if (i < ing->rules[r].backend_count) {
            *field = arena_printf(arena, "spec.rules[%u].http.paths[%u].backend", r, i);
            return &ing->rules[r].backends[i];
        }
        i -= ing->rules[r].backend_count;
    }
    *field = "spec.defaultBackend";
    return i == 0 && ing->has_default_backend ? &ing->default_backend : NULL;
}

static const struct service *service_of(const struct rule_input *in,
                                        const struct ingress_backend *b)
{
    const struct ingress *ing = in->subject->ingress;

    return b->service == NULL
               ? NULL
               : (const struct service *)cluster_find(in->cluster, KIND_SERVICE,
                                                      str_text(ing->head.ns), b->service->text);
}

static void no_unsafe_annotation(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const char *key = unsafe_annotation(in, &ing->head), *field;
    const struct ingress_backend *b;
    bool names_service = false;

    if (key != NULL) {
        finding_field(out, "metadata.annotations.%s", key);
        evidence_value(out, "annotation", "%s", key);
        finding_fail(out,
                     "an annotation injects configuration into the ingress controller; remove it");
        return;
    }
    for (uint32_t i = 0; (b = backend_at(ing, i, in->arena, &field)) != NULL; i++) {
        const struct service *svc = service_of(in, b);

        names_service = names_service || b->service != NULL;
        key = svc != NULL ? unsafe_annotation(in, &svc->head) : NULL;
        if (key != NULL) {
            finding_field(out, "%s.service.name", field);
            evidence_object(out, "Service", &svc->head);
            evidence_value(out, "annotation", "%s", key);
            finding_fail(out, "an annotation of a Service behind the Ingress injects configuration "
                              "into the ingress "
                              "controller; remove it");
            return;
        }
    }
    if (!names_service || rule_relies_on(in, out, KIND_SERVICE)) {
        finding_pass(out);
    }
}

static bool service_has_port(const struct service *svc, const struct ingress_backend *b)
{
    if (b->port_name == NULL && (b->port_number == 0 || svc->type == SERVICE_EXTERNAL_NAME)) {
        return true;
    }
    for (uint32_t i = 0; i < svc->port_count; i++) {
        if (b->port_name != NULL ? svc->ports[i].name == b->port_name
                                 : svc->ports[i].port == b->port_number) {
            return true;
        }
    }
    return false;
}

/* NULL, or the sentence. */
static const char *backend_fault(const struct rule_input *in, struct outcome *out,
                                 const struct ingress_backend *b)
{
    const struct service *svc = service_of(in, b);

    if (svc == NULL) {
        evidence_value(out, "service", "%s", b->service->text);
        return "a backend names a Service that does not exist; create it or name an existing one";
    }
    if (service_has_port(svc, b)) {
        return NULL;
    }
    evidence_object(out, "Service", &svc->head);
    if (b->port_name != NULL) {
        evidence_value(out, "port", "%s", b->port_name->text);
    } else {
        evidence_value(out, "port", "%u", b->port_number);
    }
    return "a backend names a port that its Service does not have; name one of the Service's ports";
}

/* An ALB backend that stands for an action: no Service of that name is needed, the annotation is.
 */
static bool is_action(const struct ingress_backend *b)
{
    return b->port_name != NULL && strcmp(b->port_name->text, "use-annotation") == 0;
}

static bool action_exists(const struct rule_input *in, const struct ingress_backend *b)
{
    return annotation_text(&in->subject->ingress->head,
                           arena_printf(in->arena, "alb.ingress.kubernetes.io/actions.%s",
                                        b->service->text)) != NULL;
}

static void backends_exist(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const struct ingress_backend *b;
    const char *field, *fault;
    bool joined = false, judged = false;

    for (uint32_t i = 0; (b = backend_at(ing, i, in->arena, &field)) != NULL; i++) {
        if (b->service == NULL) {
            continue;
        }
        judged = true;
        if (is_action(b)) {
            if (!action_exists(in, b)) {
                finding_field(out, "%s.service.port.name", field);
                evidence_value(out, "action", "%s", b->service->text);
                finding_fail(out, "a backend uses an ALB action whose annotation does not exist; "
                                  "add the annotation "
                                  "alb.ingress.kubernetes.io/actions.<name>");
                return;
            }
            continue;
        }
        joined = true;
    }
    if (joined && !rule_relies_on(in, out, KIND_SERVICE)) {
        return;
    }
    for (uint32_t i = 0; (b = backend_at(ing, i, in->arena, &field)) != NULL; i++) {
        fault = b->service != NULL && !is_action(b) ? backend_fault(in, out, b) : NULL;
        if (fault != NULL) {
            finding_field(out, "%s.service", field);
            finding_fail(out, fault);
            return;
        }
    }
    if (judged) {
        finding_pass(out);
    } else {
        finding_skip(out, "no backend is a Service");
    }
}

static const struct depend on_self[] = { { KIND_INGRESS, DEPEND_SELF }, { 0, DEPEND_END } };
static const struct depend on_services[] = { { KIND_INGRESS, DEPEND_SELF },
                                             { KIND_SERVICE, DEPEND_REFERENCED },
                                             { 0, DEPEND_END } };

static const struct param unsafe_params[] = {
    { "unsafe-annotations", PARAM_LIST,
      "nginx.ingress.kubernetes.io/configuration-snippet,nginx.ingress.kubernetes.io/"
      "server-snippet,"
      "nginx.ingress.kubernetes.io/stream-snippet,nginx.ingress.kubernetes.io/auth-snippet,"
      "nginx.ingress.kubernetes.io/modsecurity-snippet,nginx.org/server-snippets,nginx.org/"
      "location-snippets,"
      "haproxy.org/backend-config-snippet,haproxy.com/backend-config-snippet,"
      "ingress.kubernetes.io/backend-config-snippet,haproxy-ingress.github.io/config-backend*",
      "annotation keys (globs) that inject configuration into a controller, on the Ingress or a "
      "Service behind it" },
    { NULL, PARAM_END, NULL, NULL }
};

const struct rule ingress_route_rules[] = {
    { .policy = "require-ingress-class",
      .rule = "require-ingress-hostname",
      .title = "Ingress that answers for every host name",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "A rule without host, or an Ingress with a default backend alone, takes every "
                     "request that no other rule "
                     "takes: requests by bare address, forged Host headers, other teams' names "
                     "that are not yet configured.",
      .remediation = "Name the hosts:\n\n"
                     "  spec:\n"
                     "    rules:\n"
                     "    - host: shop.example.com\n"
                     "      http: ...\n",
      .false_positives = "A deliberate catch-all page: exempt that one Ingress.",
      .references =
          (const char *const[]){ "Kubernetes documentation: Ingress, Hostname wildcards", NULL },
      .evaluate = has_hostname },
    { .policy = "require-ingress-class",
      .rule = "block-unsafe-ingress-annotations",
      .title = "Ingress that injects configuration into the controller",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_services,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = unsafe_params,
      .description = "Snippet annotations are copied into the configuration of a controller that "
                     "serves everybody. Whoever may "
                     "write an Ingress, or a Service behind one, can thereby read the controller's "
                     "token and with it every Secret "
                     "that the controller may read, or redirect other teams' traffic.",
      .remediation = "Remove the annotation and use the controller's typed annotations or its own "
                     "configuration instead. "
                     "For ingress-nginx keep allow-snippet-annotations at false.\n",
      .false_positives = "A controller that ignores snippets (ingress-nginx since 1.9 does by "
                         "default) is not harmed; the "
                         "annotation then does nothing and can go.",
      .references = (const char *const[]){ "CVE-2021-25742", NSA, NULL },
      .evaluate = no_unsafe_annotation },
    { .policy = "require-ingress-class",
      .rule = "validate-ingress-backend",
      .title = "Ingress backend that does not exist",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_services,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "A backend whose Service or Service port does not exist answers with an error "
                     "today, and with whatever "
                     "somebody creates under that name tomorrow. Resource backends are not looked "
                     "at; nor are the port numbers of "
                     "ExternalName Services, and for ALB actions (port use-annotation) the "
                     "annotation is looked for instead.",
      .remediation =
          "Create the Service, or point the backend at a Service and port that exist:\n\n"
          "  backend:\n"
          "    service:\n"
          "      name: web\n"
          "      port:\n"
          "        number: 80\n",
      .false_positives = "",
      .references =
          (const char *const[]){ "Kubernetes documentation: Ingress, The Ingress resource", NULL },
      .evaluate = backends_exist },
};
const size_t ingress_route_rule_count = ARRAY_LEN(ingress_route_rules);
