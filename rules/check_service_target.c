/* restrict-service-types: whether a Service leads anywhere. A name that leads to no pod waits for
 * whoever creates one with the right labels. */
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/rule.h"
#include "rules/service_target.h"

#define CATEGORY "Service Exposure"

/* False: the outcome says why these rules do not apply to the Service. */
static bool leads_to_pods(const struct service *svc, struct outcome *out)
{
    if (svc->type == SERVICE_EXTERNAL_NAME) {
        finding_skip(out, "an ExternalName Service selects no pods");
        return false;
    }
    if (svc->selector == NULL || svc->selector->count == 0) {
        finding_skip(out, "the Service has no selector");
        return false;
    }
    return true;
}

static void selects_pods(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;

    if (!leads_to_pods(svc, out) || !rule_relies_on(in, out, KIND_POD)) {
        return;
    }
    if (service_targets(in->cluster, in->subject->ns, svc, NULL)) {
        finding_pass(out);
        return;
    }
    finding_field(out, "spec.selector");
    finding_grace(out, cluster_offline(in->cluster) ? 0 : param_int(in, "grace"));
    finding_fail(out, "the selector matches no pod of the namespace; mend the selector or the "
                      "pods' labels, or remove the "
                      "Service");
}

static void ports_are_declared(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;
    bool named = false;

    if (!leads_to_pods(svc, out)) {
        return;
    }
    for (uint32_t i = 0; i < svc->port_count; i++) {
        named = named || svc->ports[i].target_name != NULL;
    }
    if (!named) {
        finding_pass_because(out, "no targetPort is a name");
        return;
    }
    if (!rule_relies_on(in, out, KIND_POD)) {
        return;
    }
    if (!service_targets(in->cluster, in->subject->ns, svc, NULL)) {
        finding_skip(out, "no pod is selected, which is the finding of validate-service-selector");
        return;
    }
    for (uint32_t i = 0; i < svc->port_count; i++) {
        const struct service_port *p = &svc->ports[i];

        if (p->target_name != NULL && !service_targets(in->cluster, in->subject->ns, svc, p)) {
            finding_field(out, "spec.ports[%u].targetPort", i);
            evidence_value(out, "targetPort", "%s", p->target_name->text);
            evidence_value(out, "protocol", "%s", protocol_name(p->protocol));
            finding_fail(out, "a named targetPort is declared by no selected pod for its protocol; "
                              "name a port that the "
                              "containers declare or use its number");
            return;
        }
    }
    finding_pass(out);
}

static const struct depend on_pods[] = { { KIND_SERVICE, DEPEND_SELF },
                                         { KIND_POD, DEPEND_SELECTED },
                                         { 0, DEPEND_END } };

static const struct param grace_params[] = {
    { "grace", PARAM_DURATION, "5m", "how long a selector may match nothing on a live cluster" },
    { NULL, PARAM_END, NULL, NULL }
};

const struct rule service_target_rules[] = {
    { .policy = "restrict-service-types",
      .rule = "validate-service-selector",
      .title = "Service that selects no pod",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_pods,
      .needs = BIT(KIND_POD),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .params = grace_params,
      .description = "A selector that matches nothing is a spelling mistake or a left-over. The "
                     "name and the address stay, and "
                     "whoever creates a pod with those labels gets the traffic. A workload scaled "
                     "to zero still counts by its pod "
                     "template.",
      .remediation = "Compare the selector with the labels of the pods:\n\n"
                     "  kubectl get service NAME -o jsonpath='{.spec.selector}'\n"
                     "  kubectl get pods --show-labels\n",
      .false_positives = "Pods that another system creates later than the grace time, such as "
                         "scale-from-zero without a "
                         "workload.",
      .references =
          (const char *const[]){ "Kubernetes documentation: Service, Defining a Service", NULL },
      .evaluate = selects_pods },
    { .policy = "restrict-service-types",
      .rule = "validate-service-ports",
      .title = "Service port that leads nowhere",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_pods,
      .needs = BIT(KIND_POD),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description =
          "A named targetPort is looked up among the ports that the selected pods declare, by name "
          "and protocol. Where "
          "none declares it the port has no endpoints, and policies that name it allow nothing.",
      .remediation = "Declare the port in the pod template, or use its number:\n\n"
                     "  ports:\n"
                     "  - name: http\n"
                     "    containerPort: 8080\n",
      .false_positives = "",
      .references =
          (const char *const[]){ "Kubernetes documentation: Service, Port definitions", NULL },
      .evaluate = ports_are_declared },
};
const size_t service_target_rule_count = ARRAY_LEN(service_target_rules);
