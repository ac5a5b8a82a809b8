/* require-ingress-class: which controller takes an Ingress (what it is asked to do:
 * check_ingress_route.c). Both the field and the deprecated annotation count where both are set,
 * since controllers differ in which one they follow. */
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"
#include "rules/controller.h"
#include "rules/rule.h"

#define CATEGORY         "Ingress Class"
#define CLASS_ANNOTATION "kubernetes.io/ingress.class"
#define SCHEME           "alb.ingress.kubernetes.io/scheme"

static void annotation_field(struct outcome *out, const char *key)
{
    finding_field(out, "metadata.annotations.%s", key);
}

/* Files: the class was not written there but is what the API server would have filled in. */
static const char *by_default(const struct ingress *ing, const char *plain,
                              const char *by_default_only)
{
    return ing->class_by_default_only ? by_default_only : plain;
}

static void class_evidence(struct outcome *out, const struct ingress *ing)
{
    if (ing->class_name != NULL) {
        evidence_value(out, "ingressClassName", "%s", ing->class_name->text);
    }
    if (ingress_class_annotation(ing) != NULL) {
        evidence_value(out, CLASS_ANNOTATION, "%s", ingress_class_annotation(ing));
    }
    if (ing->class_by_default_only) {
        evidence_value(out, "set by", "default only");
    }
}

static void class_exists(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const char *annotation = ingress_class_annotation(ing);
    const struct ingress_class *ic;

    class_evidence(out, ing);
    finding_field(out, "spec.ingressClassName");
    if (ing->class_name == NULL) {
        if (ingress_class_is_gke(annotation)) {
            finding_pass_because(out,
                                 "the class is set by annotation, which is the only way on GKE");
            return;
        }
        finding_fail(out, annotation != NULL ? "the class is named only by the deprecated "
                                               "annotation; set spec.ingressClassName to an "
                                               "IngressClass that exists"
                                             : "no ingress class is set; set spec.ingressClassName "
                                               "to an IngressClass that exists");
        return;
    }
    if (!rule_relies_on(in, out, KIND_INGRESS_CLASS)) {
        return;
    }
    ic = cluster_ingress_class(in->cluster, ing->class_name->text);
    if (ic == NULL) {
        finding_fail(
            out,
            "spec.ingressClassName names an IngressClass that does not exist; create it or name an "
            "existing one");
        return;
    }
    evidence_object(out, "IngressClass", &ic->head);
    if (ing->class_by_default_only) {
        finding_pass_because(out, "the class is set by default only");
    } else {
        finding_pass(out);
    }
}

static bool list_matches(const struct rule_input *in, const char *param, const char *value)
{
    return value == NULL || param_list_has(in, param, value);
}

/* The controller behind a class name, when it is to be looked at and is there. */
static bool controller_approved(const struct rule_input *in, struct outcome *out,
                                const char *class_name)
{
    const struct ingress_class *ic =
        class_name != NULL ? cluster_ingress_class(in->cluster, class_name) : NULL;

    if (ic == NULL) {
        return true; /* its absence is validate-ingressclass-exists' finding */
    }
    evidence_object(out, "IngressClass", &ic->head);
    evidence_value(out, "controller", "%s", str_text(ic->controller));
    return param_list_has(in, "approved-controllers", str_text(ic->controller));
}

static void class_approved(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const char *field = ing->class_name != NULL ? ing->class_name->text : NULL;
    const char *annotation = ingress_class_annotation(ing);

    if (field == NULL && annotation == NULL) {
        finding_skip(out, "no class is set, which is the finding of validate-ingressclass-exists");
        return;
    }
    class_evidence(out, ing);
    if (!list_matches(in, "approved-ingressclasses", field)) {
        finding_field(out, "spec.ingressClassName");
        finding_fail(
            out,
            by_default(
                ing,
                "the ingress class is not approved; use an approved class or have this one "
                "approved",
                "the ingress class, set by default only, is not approved; use an approved class or "
                "have this one approved"));
        return;
    }
    if (!list_matches(in, "approved-ingressclasses", annotation)) {
        annotation_field(out, CLASS_ANNOTATION);
        finding_fail(out, "the ingress class of the deprecated annotation is not approved; remove "
                          "the annotation or name "
                          "an approved class");
        return;
    }
    if (param_list(in, "approved-controllers")[0] != NULL) {
        if (!rule_relies_on(in, out, KIND_INGRESS_CLASS)) {
            return;
        }
        if (!controller_approved(in, out, field) || !controller_approved(in, out, annotation)) {
            finding_field(out, "spec.ingressClassName");
            finding_fail(
                out,
                by_default(
                    ing,
                    "the IngressClass names a controller that is not approved; use a class of an "
                    "approved controller",
                    "the IngressClass, set by default only, names a controller that is not "
                    "approved; use a class of an approved controller"));
            return;
        }
    }
    if (ing->class_by_default_only) {
        finding_pass_because(out, "the class is set by default only");
    } else {
        finding_pass(out);
    }
}

static bool publishes_group(const struct ingress *candidate, const void *ctx)
{
    const char *scheme = annotation_text(&candidate->head, SCHEME);

    return alb_same_group(candidate, ctx) && scheme != NULL && strcmp(scheme, "internal") != 0;
}

/* The scheme of the load balancer: the Ingress's own, else that of a member of its group, else
 * internal. Members that differ are refused by the controller; the more public one counts here. */
static bool alb_is_internal(const struct cluster *c, const struct ingress *ing, struct outcome *out)
{
    const char *scheme = annotation_text(&ing->head, SCHEME);
    const struct ingress *member = scheme == NULL ? ingress_find(c, publishes_group, ing) : NULL;

    if (member != NULL) {
        scheme = annotation_text(&member->head, SCHEME);
        evidence_object(out, "Ingress", &member->head);
    }
    evidence_value(out, SCHEME, "%s", scheme != NULL ? scheme : "internal by default");
    return scheme == NULL || strcmp(scheme, "internal") == 0;
}

/* Internal by what the controller does, whatever the class is called. */
static bool controller_makes_internal(const struct rule_input *in, struct outcome *out,
                                      bool *hidden)
{
    const struct ingress *ing = in->subject->ingress;
    const struct ingress_class *ic = ingress_class_object(in->cluster, ing);
    const char *private_ip =
        annotation_text(&ing->head, "appgw.ingress.kubernetes.io/use-private-ip");

    *hidden = false;
    switch (ingress_controller(in->cluster, ing)) {
    case CONTROLLER_ALB:
        *hidden = ic != NULL && ic->has_parameters;
        return !*hidden && alb_is_internal(in->cluster, ing, out);
    case CONTROLLER_AGIC:
        return private_ip != NULL && strcmp(private_ip, "true") == 0;
    default:
        return false;
    }
}

static bool name_is_internal(const struct rule_input *in, const char *class_name)
{
    return class_name == NULL || strcmp(class_name, "gce-internal") == 0 ||
           param_list_has(in, "internal-ingressclasses", class_name);
}

static void class_internal(const struct rule_input *in, struct outcome *out)
{
    const struct ingress *ing = in->subject->ingress;
    const char *field = ing->class_name != NULL ? ing->class_name->text : NULL;
    const char *annotation = ingress_class_annotation(ing);
    bool hidden = false, second_fails;

    if (!label_set_has(ing->head.labels, "visibility", "private")) {
        finding_pass(out);
        return;
    }
    class_evidence(out, ing);
    if ((field != NULL || annotation != NULL) && name_is_internal(in, field) &&
        name_is_internal(in, annotation)) {
        finding_pass(out);
        return;
    }
    second_fails = field != NULL && annotation != NULL && strcmp(field, annotation) != 0 &&
                   !name_is_internal(in, annotation);
    if (!second_fails && controller_makes_internal(in, out, &hidden)) {
        finding_pass_because(out, "the controller gives this Ingress an internal address");
        return;
    }
    if (!second_fails && hidden) {
        finding_skip(out, "the scheme may be decided by IngressClassParams, which are not read");
        return;
    }
    if (annotation != NULL && (field == NULL || name_is_internal(in, field))) {
        annotation_field(out, CLASS_ANNOTATION);
    } else {
        finding_field(out, "spec.ingressClassName");
    }
    finding_fail(
        out,
        by_default(
            ing,
            "the Ingress is labelled private but its class is not internal; use an internal class",
            "the Ingress is labelled private but its class, set by default only, is not internal; "
            "use an internal class"));
}

static void no_class_annotation(const struct rule_input *in, struct outcome *out)
{
    const char *annotation = ingress_class_annotation(in->subject->ingress);

    if (annotation == NULL) {
        finding_pass(out);
        return;
    }
    class_evidence(out, in->subject->ingress);
    if (ingress_class_is_gke(annotation)) {
        finding_pass_because(out, "GKE knows no other way to set the class");
        return;
    }
    annotation_field(out, CLASS_ANNOTATION);
    finding_fail(out,
                 "the class is set by the deprecated annotation kubernetes.io/ingress.class; use "
                 "spec.ingressClassName instead");
}

static const struct depend on_self[] = { { KIND_INGRESS, DEPEND_SELF }, { 0, DEPEND_END } };
static const struct depend on_class[] = { { KIND_INGRESS, DEPEND_SELF },
                                          { KIND_INGRESS_CLASS, DEPEND_REFERENCED },
                                          { 0, DEPEND_END } };
/* Other members of an ALB group set its scheme, from any namespace. */
static const struct depend on_class_and_group[] = { { KIND_INGRESS, DEPEND_SELF },
                                                    { KIND_INGRESS, DEPEND_RELATED },
                                                    { KIND_INGRESS_CLASS, DEPEND_REFERENCED },
                                                    { 0, DEPEND_END } };

static const struct param approved_params[] = {
    { "approved-ingressclasses", PARAM_LIST,
      "nginx,nginx-internal,traefik,traefik-internal,istio,istio-internal",
      "names of the classes that may be used" },
    { "approved-controllers", PARAM_LIST, "",
      "spec.controller of the IngressClasses that may be used; none named = any" },
    { NULL, PARAM_END, NULL, NULL }
};
static const struct param internal_params[] = {
    { "internal-ingressclasses", PARAM_LIST, "nginx-internal,traefik-internal,istio-internal",
      "names of the classes that are reachable from inside only" },
    { NULL, PARAM_END, NULL, NULL }
};
static const char *const local_dev[] = { "local-dev", NULL };

#define K8S_INGRESS_CLASS "Kubernetes documentation: Ingress, Ingress class"
#define NSA               "NSA/CISA Kubernetes Hardening Guidance 1.2: Network separation and hardening"

const struct rule ingress_class_rules[] = {
    { .policy = "require-ingress-class",
      .rule = "validate-ingressclass-exists",
      .title = "Ingress without an existing class",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_class,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "An Ingress without spec.ingressClassName is taken by whichever controller "
                     "feels responsible: none, or one "
                     "that was never meant to publish it. A class that does not exist leaves it "
                     "unserved, or served by a controller "
                     "that does not check. On GKE the annotation values gce and gce-internal are "
                     "the only way and count as a class.",
      .remediation = "Name an existing class:\n\n"
                     "  spec:\n"
                     "    ingressClassName: nginx\n\n"
                     "`kubectl get ingressclasses` lists what there is. A class marked as default "
                     "only fills in Ingresses "
                     "that are created after it.\n",
      .false_positives = "A controller that is told to serve Ingresses without class serves this "
                         "one all the same; the "
                         "finding stays, because the Ingress itself does not say so.",
      .references = (const char *const[]){ K8S_INGRESS_CLASS, NULL },
      .evaluate = class_exists },
    { .policy = "require-ingress-class",
      .rule = "validate-approved-ingressclass",
      .title = "Ingress class that is not approved",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_class,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = approved_params,
      .exempt_namespaces = local_dev,
      .description = "The class decides which gate to the cluster an Ingress opens. Only classes "
                     "whose controllers are hardened, "
                     "logged and patched should be used. Where both spec.ingressClassName and the "
                     "deprecated annotation are set, "
                     "both must be approved, because controllers differ in which one they follow.",
      .remediation =
          "Use an approved class in spec.ingressClassName, or add the class to the parameter:\n\n"
          "  rules:\n"
          "    require-ingress-class/validate-approved-ingressclass:\n"
          "      parameters:\n"
          "        approved-ingressclasses: [nginx, nginx-internal, my-class]\n",
      .false_positives = "",
      .references = (const char *const[]){ K8S_INGRESS_CLASS, NSA, "PCI DSS 4.0 1.2.5", NULL },
      .evaluate = class_approved },
    { .policy = "require-ingress-class",
      .rule = "enforce-internal-ingressclass-for-private",
      .title = "Private Ingress on a public class",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_class_and_group,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = internal_params,
      .description = "An Ingress that is labelled `visibility: private` is meant for the inside "
                     "only. On a class that is not "
                     "internal it is published to everyone who reaches the controller. An ALB of "
                     "internal scheme (its default), an "
                     "Application Gateway with use-private-ip and the GKE class gce-internal count "
                     "as internal.",
      .remediation =
          "Use an internal class, or take the label away if the Ingress is meant to be public:\n\n"
          "  metadata:\n"
          "    labels:\n"
          "      visibility: private\n"
          "  spec:\n"
          "    ingressClassName: nginx-internal\n",
      .false_positives =
          "A class that is internal under another name: add it to internal-ingressclasses.",
      .references = (const char *const[]){ NSA, "PCI DSS 4.0 1.4.2", "PCI DSS 4.0 1.4.4", NULL },
      .evaluate = class_internal },
    { .policy = "require-ingress-class",
      .rule = "block-deprecated-ingress-annotations",
      .title = "Deprecated class annotation",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_INGRESS),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "The annotation kubernetes.io/ingress.class has been deprecated since "
                     "Kubernetes 1.18. It is not checked "
                     "against any IngressClass, and a controller may follow it although "
                     "spec.ingressClassName says something else.",
      .remediation = "Move the class to the field:\n\n"
                     "  metadata:\n"
                     "    annotations: {}   # without kubernetes.io/ingress.class\n"
                     "  spec:\n"
                     "    ingressClassName: nginx\n",
      .false_positives = "",
      .references =
          (const char *const[]){ "Kubernetes documentation: Ingress, Deprecated annotation", NULL },
      .evaluate = no_class_annotation },
};
const size_t ingress_class_rule_count = ARRAY_LEN(ingress_class_rules);
