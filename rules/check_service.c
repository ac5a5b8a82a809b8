/* restrict-service-types: what a Service opens to whom (whether it leads anywhere:
 * check_service_target.c). Judged by effect: a mark that the provider does not read, or an address
 * that has no effect, counts as such.
 */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/lb_providers.h"
#include "rules/public_address.h"
#include "rules/rule.h"

#define CATEGORY "Service Exposure"

static void lb_approved(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;

    if (svc->type != SERVICE_LOAD_BALANCER ||
        label_set_has(svc->head.labels, param_text(in, "approval-label"), "true")) {
        finding_pass(out);
        return;
    }
    finding_field(out, "spec.type");
    finding_fail(out, "the Service is a load balancer without approval; use another type or set "
                      "the approval label");
}

static void node_port_range(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;
    bool bears = svc->type == SERVICE_NODE_PORT || svc->type == SERVICE_LOAD_BALANCER,
         fails = false;
    int64_t lo, hi;

    param_range(in, "nodeport-range", &lo, &hi);
    for (uint32_t i = 0; bears && i < svc->port_count; i++) {
        const struct service_port *p = &svc->ports[i];

        if (!p->has_node_port || (p->node_port >= lo && p->node_port <= hi)) {
            continue;
        }
        if (!fails) {
            finding_field(out, "spec.ports[%u].nodePort", i);
        }
        fails = true;
        evidence_value(out, "nodePort", "%u", p->node_port);
    }
    if (fails) {
        finding_fail(out, "a nodePort lies outside the permitted range; choose one inside it or "
                          "leave it to the cluster");
    } else {
        finding_pass(out);
    }
}

static void no_node_port(const struct rule_input *in, struct outcome *out)
{
    if (in->subject->service->type != SERVICE_NODE_PORT) {
        finding_pass(out);
        return;
    }
    finding_field(out, "spec.type");
    finding_fail(out, "the Service is of type NodePort, which opens a port on every node; use "
                      "ClusterIP behind an Ingress "
                      "or set the exception label");
}

static void no_external_name(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;

    if (svc->type != SERVICE_EXTERNAL_NAME ||
        label_set_has(svc->head.labels, "external-dns-approved", "true")) {
        finding_pass(out);
        return;
    }
    finding_field(out, "spec.type");
    evidence_value(out, "externalName", "%s", str_text(svc->external_name));
    finding_fail(
        out,
        "the Service redirects clients to an outside name without approval; remove it or set label "
        "external-dns-approved to true");
}

/* An annotation of the configured map is there with its value. */
static const char *configured_mark(const struct rule_input *in, const struct service *svc)
{
    for (const struct label_pair *p = param_map(in, "internal-lb-annotations"); p->key != NULL;
         p++) {
        if (label_set_has(svc->head.annotations, p->key, p->value)) {
            return p->key;
        }
    }
    return NULL;
}

static const char *public_lb_address(const struct service *svc)
{
    for (uint32_t i = 0; i < svc->lb_ip_count; i++) {
        if (address_is_public(svc->lb_ips[i]->text)) {
            return svc->lb_ips[i]->text;
        }
    }
    return NULL;
}

static bool class_is_internal(const struct rule_input *in, const struct service *svc)
{
    return svc->load_balancer_class != NULL &&
           param_list_has(in, "internal-loadbalancer-classes", svc->load_balancer_class->text);
}

static void lb_is_internal(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;
    const char *address = public_lb_address(svc), *mark = configured_mark(in, svc);
    struct lb_internal_answer answer;

    if (svc->type != SERVICE_LOAD_BALANCER ||
        !label_set_has(svc->head.labels, "visibility", "private")) {
        finding_pass(out);
        return;
    }
    lb_internal(svc, param_text(in, "load-balancer-provider"), &answer);
    if (answer.provider != NULL) {
        evidence_value(out, "provider", "%s", answer.provider);
    }
    if (svc->load_balancer_class != NULL) {
        evidence_value(out, "loadBalancerClass", "%s", svc->load_balancer_class->text);
    }
    if (address != NULL) {
        finding_field(out, "status.loadBalancer.ingress");
        evidence_value(out, "address", "%s", address);
        finding_fail(out, "the load balancer is labelled private but has a public address; create "
                          "it anew as an internal "
                          "one");
        return;
    }
    if (class_is_internal(in, svc) || mark != NULL || answer.state == LB_INTERNAL) {
        mark = mark != NULL ? mark : answer.key;
        if (mark != NULL) {
            evidence_value(out, "annotation", "%s", mark);
        }
        finding_pass(out);
        return;
    }
    if (answer.key != NULL) {
        evidence_value(out, answer.key, "%s", label_set_text(svc->head.annotations, answer.key));
        finding_field(out, "metadata.annotations.%s", answer.key);
    } else {
        finding_field(out, "metadata.annotations");
    }
    finding_fail(out, answer.state == LB_CLASS_FOREIGN
                          ? "the load balancer is labelled private but its class is not known as "
                            "internal; use an internal "
                            "class or name this one in the rule's parameters"
                          : "the load balancer is labelled private but is not internal; set the "
                            "provider's annotation for "
                            "an internal load balancer");
}

static const char *configured_health(const struct rule_input *in, const struct service *svc)
{
    const char *const *globs = param_list(in, "healthcheck-annotations");
    const struct label_set *set = svc->head.annotations;

    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        for (size_t k = 0; globs[k] != NULL; k++) {
            if (set->items[i].value->len > 0 && text_glob(globs[k], set->items[i].key->text)) {
                return set->items[i].key->text;
            }
        }
    }
    return NULL;
}

static void lb_has_health_check(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;
    const char *mark = configured_health(in, svc);
    struct lb_health_answer answer;

    if (svc->type != SERVICE_LOAD_BALANCER) {
        finding_pass(out);
        return;
    }
    if (svc->traffic_local) {
        finding_pass_because(out,
                             "externalTrafficPolicy Local comes with a health check of its own");
        return;
    }
    if (mark != NULL) {
        evidence_value(out, "annotation", "%s", mark);
        finding_pass(out);
        return;
    }
    lb_health(svc, param_text(in, "load-balancer-provider"), &answer);
    if (answer.provider != NULL) {
        evidence_value(out, "provider", "%s", answer.provider);
    }
    finding_field(out, "metadata.annotations");
    switch (answer.state) {
    case LB_HEALTH_SET:
        evidence_value(out, "annotation", "%s", answer.key);
        finding_pass(out);
        return;
    case LB_HEALTH_OFF:
        finding_field(out, "metadata.annotations.%s", answer.key);
        evidence_value(out, "annotation", "%s", answer.key);
        finding_fail(out, "the load balancer's health check is switched off; remove that "
                          "annotation and configure a check");
        return;
    case LB_HEALTH_MISSING:
        finding_fail(out, "the load balancer has no health check of its own; set its provider's "
                          "health-check annotations "
                          "or externalTrafficPolicy Local");
        return;
    case LB_HEALTH_NONE_KNOWN:
        finding_skip(out, "the provider has no health-check annotations");
        return;
    case LB_HEALTH_UNRECOGNISED:
        if (cluster_offline(in->cluster)) {
            finding_warn(out, "the load balancer has no health check and its provider cannot be "
                              "told; set its provider's "
                              "health-check annotations or externalTrafficPolicy Local");
        } else {
            finding_skip(out, "the load balancer's provider cannot be told");
        }
        return;
    }
}

/* kube-proxy programs no external address for either. */
static bool external_ips_have_effect(const struct service *svc)
{
    bool headless = svc->cluster_ip != NULL && strcmp(svc->cluster_ip->text, "None") == 0;

    return svc->external_ip_count > 0 && svc->type != SERVICE_EXTERNAL_NAME && !headless;
}

static void no_external_ips(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;

    for (uint32_t i = 0; i < svc->external_ip_count; i++) {
        evidence_value(out, "externalIPs", "%s", svc->external_ips[i]->text);
    }
    if (external_ips_have_effect(svc)) {
        finding_field(out, "spec.externalIPs");
        finding_fail(out, "the Service takes over traffic to outside addresses by externalIPs; "
                          "remove them and use a load "
                          "balancer or an Ingress");
    } else if (svc->external_ip_count > 0) {
        finding_pass_because(out,
                             "externalIPs have no effect on an ExternalName or headless Service");
    } else {
        finding_pass(out);
    }
}

static void outside_is_annotated(const struct rule_input *in, struct outcome *out)
{
    const struct service *svc = in->subject->service;
    const char *const *required = param_list(in, "required-annotations");
    bool outside = svc->type == SERVICE_LOAD_BALANCER || svc->type == SERVICE_NODE_PORT ||
                   external_ips_have_effect(svc);
    bool missing = false;

    for (size_t i = 0; outside && required[i] != NULL; i++) {
        if (label_set_text(svc->head.annotations, required[i]) == NULL) {
            evidence_value(out, "missing", "%s", required[i]);
            missing = true;
        }
    }
    if (!missing) {
        finding_pass(out);
        return;
    }
    finding_field(out, "metadata.annotations");
    finding_fail(out,
                 "the Service is reachable from outside and lacks a required annotation; add it");
}

static const struct depend on_self[] = { { KIND_SERVICE, DEPEND_SELF }, { 0, DEPEND_END } };

#define PARAMS_END                                                                                 \
    {                                                                                              \
        NULL, PARAM_END, NULL, NULL                                                                \
    }
#define PROVIDER_PARAM                                                                             \
    {                                                                                              \
        "load-balancer-provider", PARAM_TEXT, "",                                                  \
            "whose load balancers these are: aws, gke, azure, oci, ibm, alibaba, openstack, "      \
            "tencent, "                                                                            \
            "baidu, metallb; empty = told by class and annotations"                                \
    }

static const struct param approval_params[] = {
    { "approval-label", PARAM_TEXT, "loadbalancer-approved",
      "label whose value true approves a load balancer" },
    PARAMS_END
};
static const struct param range_params[] = {
    { "nodeport-range", PARAM_RANGE, "30000-32767", "node ports that may be asked for" }, PARAMS_END
};
static const struct param internal_params[] = {
    { "internal-lb-annotations", PARAM_MAP, "",
      "further annotations and values that make a load balancer internal, beside those of the "
      "known providers" },
    { "internal-loadbalancer-classes", PARAM_LIST, "",
      "further values of spec.loadBalancerClass that make a load balancer internal" },
    PROVIDER_PARAM,
    PARAMS_END
};
static const struct param health_params[] = {
    { "healthcheck-annotations", PARAM_LIST, "",
      "further annotation keys (globs) that configure a health check, beside those of the known "
      "providers" },
    PROVIDER_PARAM,
    PARAMS_END
};
static const struct param annotation_params[] = {
    { "required-annotations", PARAM_LIST, "",
      "annotation keys that a Service reachable from outside must carry" },
    PARAMS_END
};

#define NSA "NSA/CISA Kubernetes Hardening Guidance 1.2: Network separation and hardening"

const struct rule service_rules[] = {
    { .policy = "restrict-service-types",
      .rule = "block-loadbalancer-without-approval",
      .title = "Load balancer without approval",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL },
      .params = approval_params,
      .exempt_namespaces = (const char *const[]){ "istio-system", "ingress-nginx", NULL },
      .description = "A Service of type LoadBalancer gets an address of its own, on most clouds a "
                     "public one, past every Ingress, "
                     "its TLS and its logs. It should be a decision that somebody made.",
      .remediation = "Use ClusterIP behind an Ingress, or have it approved and say so:\n\n"
                     "  metadata:\n"
                     "    labels:\n"
                     "      loadbalancer-approved: \"true\"\n",
      .false_positives = "",
      .references = (const char *const[]){ NSA, "PCI DSS 4.0 1.2.5", "PCI DSS 4.0 1.4.2", NULL },
      .evaluate = lb_approved },
    { .policy = "restrict-service-types",
      .rule = "restrict-nodeport-range",
      .title = "nodePort outside the permitted range",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = range_params,
      .exempt_namespaces = (const char *const[]){ "monitoring", NULL },
      .description =
          "Firewalls in front of the nodes are set for a range of node ports. A port outside it is "
          "either unreachable or "
          "open where nobody looks. Ports that the cluster chooses itself are not judged.",
      .remediation = "Leave nodePort out, or choose one inside the range:\n\n"
                     "  spec:\n"
                     "    ports:\n"
                     "    - port: 80\n"
                     "      nodePort: 30080\n",
      .false_positives =
          "An API server started with another --service-node-port-range: set nodeport-range.",
      .references = (const char *const[]){ "Kubernetes documentation: Service, type NodePort",
                                           "PCI DSS 4.0 1.2.5", NULL },
      .evaluate = node_port_range },
    { .policy = "restrict-service-types",
      .rule = "block-nodeport-in-production",
      .title = "NodePort Service",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_WARN, LEVEL_OFF, LEVEL_OFF },
      .exempt_namespaces = (const char *const[]){ "monitoring", NULL },
      .exempt_labels =
          (const struct label_pair[]){ { "nodeport-exception", "true" }, { NULL, NULL } },
      .description = "A NodePort opens the same port on every node, past Ingress, TLS and, through "
                     "address rewriting, past policies "
                     "that look at the client's address.",
      .remediation = "Use ClusterIP behind an Ingress:\n\n"
                     "  spec:\n"
                     "    type: ClusterIP\n\n"
                     "or mark the exception with label `nodeport-exception: \"true\"`.\n",
      .false_positives = "Nodes whose ports a firewall closes.",
      .references = (const char *const[]){ NSA, "PCI DSS 4.0 1.4.2", NULL },
      .evaluate = no_node_port },
    { .policy = "restrict-service-types",
      .rule = "restrict-externalname-services",
      .title = "ExternalName Service without approval",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "An ExternalName Service is a DNS alias: clients believe they talk to "
                     "something in the cluster and are sent "
                     "to whatever the outside name resolves to. Behind an Ingress it also lets the "
                     "controller reach inside names.",
      .remediation = "Remove it and let clients name the outside host, under an egress policy; or "
                     "have it approved:\n\n"
                     "  metadata:\n"
                     "    labels:\n"
                     "      external-dns-approved: \"true\"\n",
      .false_positives = "",
      .references = (const char *const[]){ "Kubernetes documentation: Service, type ExternalName",
                                           "PCI DSS 4.0 1.3.2", NULL },
      .evaluate = no_external_name },
    { .policy = "restrict-service-types",
      .rule = "enforce-internal-loadbalancer-annotation",
      .title = "Private load balancer that is not internal",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = internal_params,
      .description =
          "A load balancer that is labelled `visibility: private` is meant for the inside. Clouds "
          "make it public unless "
          "told otherwise, each by a word of its own, and some ignore the word for one of their "
          "controllers. Judged by "
          "what the provider does with class and annotations; a Service that speaks to several "
          "providers must be "
          "internal for each. A public address in its status fails whatever the annotations say.",
      .remediation =
          "Set what your provider reads, before the load balancer is created (marks added later "
          "often change nothing):\n\n"
          "  AWS controller  service.beta.kubernetes.io/aws-load-balancer-scheme: internal\n"
          "  AWS in-tree     service.beta.kubernetes.io/aws-load-balancer-internal: \"true\"\n"
          "  GKE             networking.gke.io/load-balancer-type: Internal\n"
          "  Azure           service.beta.kubernetes.io/azure-load-balancer-internal: \"true\"\n"
          "  OCI             service.beta.kubernetes.io/oci-load-balancer-internal: \"true\"\n"
          "  OCI NLB         oci-network-load-balancer.oraclecloud.com/internal: \"true\"\n"
          "  IBM             service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: "
          "private\n"
          "  Alibaba         service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: "
          "intranet\n"
          "  OpenStack       service.beta.kubernetes.io/openstack-internal-load-balancer: "
          "\"true\"\n"
          "  Tencent         service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: "
          "<subnet>\n"
          "  Baidu           service.beta.kubernetes.io/cce-load-balancer-internal-vpc: \"true\"\n",
      .false_positives = "An implementation that is internal anyway (MetalLB with a private pool, "
                         "others): name its class "
                         "or annotation in the parameters.",
      .references =
          (const char *const[]){ "Kubernetes documentation: Service, Internal load balancer",
                                 "PCI DSS 4.0 1.4.2", "PCI DSS 4.0 1.4.4", NULL },
      .evaluate = lb_is_internal },
    { .policy = "restrict-service-types",
      .rule = "require-loadbalancer-healthcheck",
      .title = "Load balancer without health check",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .params = health_params,
      .description = "Without a health check that is set for it, a load balancer only asks whether "
                     "a node's port is open, which any "
                     "node answers, and sends traffic to nodes and pods that cannot serve it. "
                     "externalTrafficPolicy Local comes with "
                     "a check of its own. Providers without such annotations are skipped.",
      .remediation =
          "Set your provider's annotations, for example:\n\n"
          "  service.beta.kubernetes.io/aws-load-balancer-healthcheck-path: /healthz\n"
          "  service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path: /healthz\n"
          "  service.beta.kubernetes.io/oci-load-balancer-health-check-interval: \"10000\"\n"
          "  loadbalancer.openstack.org/enable-health-monitor: \"true\"\n\n"
          "or use externalTrafficPolicy: Local.\n",
      .false_positives = "A provider whose default check is good enough.",
      .references =
          (const char *const[]){ "Kubernetes documentation: Service, External traffic policy",
                                 NULL },
      .evaluate = lb_has_health_check },
    { .policy = "restrict-service-types",
      .rule = "block-service-externalips",
      .title = "Service with externalIPs",
      .category = CATEGORY,
      .severity = SEVERITY_CRITICAL,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL },
      .exempt_namespaces = (const char *const[]){ "metallb-system", "istio-system", NULL },
      .exempt_labels =
          (const struct label_pair[]){ { "external-ip-approved", "true" }, { NULL, NULL } },
      .description = "Every node sends traffic for an address in externalIPs to the Service. "
                     "Whoever may write Services can so take "
                     "over connections of the whole cluster to any address, another Service's or "
                     "an outside one "
                     "(CVE-2020-8554). The field is deprecated since Kubernetes 1.36.",
      .remediation =
          "Remove spec.externalIPs and use a load balancer or an Ingress. Close the door for good "
          "with the "
          "admission plugin DenyServiceExternalIPs. A bare-metal setup that needs it carries label "
          "`external-ip-approved: \"true\"`.\n",
      .false_positives = "",
      .references =
          (const char *const[]){ "CVE-2020-8554", "Kubernetes documentation: Service, External IPs",
                                 "PCI DSS 4.0 1.4.2", NULL },
      .evaluate = no_external_ips },
    { .policy = "restrict-service-types",
      .rule = "require-external-service-annotation",
      .title = "Outside Service without a required annotation",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_SERVICE),
      .depends = on_self,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_OFF },
      .params = annotation_params,
      .description = "What is reachable from outside (LoadBalancer, NodePort, externalIPs) should "
                     "say whose it is and why. Which "
                     "annotations are required is configuration; by default none is.",
      .remediation = "Add the annotations that evidence lists as missing:\n\n"
                     "  metadata:\n"
                     "    annotations:\n"
                     "      example.com/owner: team-shop\n",
      .false_positives = "",
      .references = (const char *const[]){ "PCI DSS 4.0 1.2.5", NULL },
      .evaluate = outside_is_annotated },
};
const size_t service_rule_count = ARRAY_LEN(service_rules);
