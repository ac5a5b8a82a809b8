/* require-network-policy: is a namespace closed by default, and is each workload in it? What
 * isolates what is rules/reach.h's to say; here are the questions. */
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"
#include "rules/reach.h"
#include "rules/rule.h"

#define CATEGORY     "Network Segmentation"
#define DEFAULT_DENY "network-policy.kubernetes.io/default-deny"

static bool value_allowed(const struct selector *s, const struct str *key, const struct str *value)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        bool in = false;

        if (r->key != key) {
            continue;
        }
        for (uint32_t k = 0; k < r->value_count && !in; k++) {
            in = r->values[k] == value;
        }
        if (r->op == SELECTOR_DOES_NOT_EXIST || (r->op == SELECTOR_IN && !in) ||
            (r->op == SELECTOR_NOT_IN && in)) {
            return false;
        }
    }
    return true;
}

/* Some label set matches: a selector that contradicts itself would select no pod ever. Keys do not
 * touch each other; a key that must exist contradicts only one that must not, or values that are
 * all ruled out. */
static bool could_select(const struct selector *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        bool possible = r->op != SELECTOR_IN;

        for (uint32_t k = 0; r->op == SELECTOR_IN && k < r->value_count && !possible; k++) {
            possible = value_allowed(s, r->key, r->values[k]);
        }
        for (uint32_t k = 0; r->op == SELECTOR_EXISTS && k < s->count && possible; k++) {
            possible = s->requirements[k].key != r->key ||
                       s->requirements[k].op != SELECTOR_DOES_NOT_EXIST;
        }
        if (!possible) {
            return false;
        }
    }
    return true;
}

struct policy_count {
    int64_t enforced; /* would select pods of the namespace, in a direction */
    int64_t unclear;  /* cannot be relied on: may or may not */
};

struct counting {
    struct policy_count n;
    struct outcome *out;       /* NULL: no evidence */
    const struct object *last; /* one policy may have several forms, one behind the other */
    bool last_enforced;
};

static void count_form(void *ctx, const struct policy_form *f)
{
    struct counting *c = ctx;
    bool unclear = f->doubt != NULL || f->unclear[DIRECTION_INGRESS] != NULL ||
                   f->unclear[DIRECTION_EGRESS] != NULL;
    bool same = f->policy != NULL && f->policy == c->last;

    if (!unclear && f->pods != NULL && !could_select(f->pods)) {
        return;
    }
    if (same && (unclear || c->last_enforced)) {
        return;
    }
    c->n.unclear += unclear ? 1 : same ? -1 : 0;
    c->n.enforced += unclear ? 0 : 1;
    c->last = f->policy;
    c->last_enforced = !unclear;
    if (c->out != NULL && f->policy != NULL && !same) {
        evidence_object(c->out, kind_table[f->policy->kind].name, f->policy);
    }
}

static struct policy_count count_policies(const struct rule_input *in, struct outcome *out)
{
    struct counting c = { .out = out };

    reach_each_form(reach_ask_book(in), in->subject->ns, count_form, &c);
    return c.n;
}

static void namespace_has_policy(const struct rule_input *in, struct outcome *out)
{
    struct policy_count n = count_policies(in, out);
    int64_t minimum = param_int(in, "minimum-networkpolicies");

    evidence_value(out, "policies", "%lld", (long long)n.enforced);
    evidence_value(out, "minimum", "%lld", (long long)minimum);
    if (n.enforced >= minimum) {
        finding_pass(out);
    } else if (n.enforced + n.unclear >= minimum) {
        finding_error(out, "a network policy of the namespace is malformed, so that its effect is "
                           "not known; correct it");
    } else if (n.enforced > 0) {
        finding_fail(
            out, "the namespace has fewer network policies than required; add the missing ones");
    } else {
        finding_fail(
            out,
            "no network policy selects pods of the namespace; create one, best a default-deny");
    }
}

static void deciders_evidence(struct outcome *out, const struct reach_answer *answer)
{
    for (uint32_t i = 0; i < answer->decider_count && i < REACH_DECIDERS_MAX; i++) {
        const struct object *o = answer->deciders[i];
        evidence_object(out, kind_table[o->kind].name, o);
    }
}

struct deny_words {
    enum direction direction;
    const char *open, *open_annotated, *but_open, *but_open_annotated;
};

static const struct deny_words ingress_words = {
    DIRECTION_INGRESS,
    "not every pod of the namespace is isolated for ingress; create a default-deny policy with an "
    "empty podSelector and "
    "policy type Ingress",
    "the namespace is annotated as default-deny but not every pod of it is isolated for ingress; "
    "create a default-deny "
    "policy with an empty podSelector and policy type Ingress",
    "network policies isolate the namespace for ingress and then admit everyone; remove the rule "
    "that admits everyone",
    "the namespace is annotated as default-deny but a policy opens its ingress to everyone; remove "
    "the rule that admits "
    "everyone",
};
static const struct deny_words egress_words = {
    DIRECTION_EGRESS,
    "not every pod of the namespace is isolated for egress; create a default-deny policy with an "
    "empty podSelector and "
    "policy type Egress",
    "the namespace is annotated as default-deny but not every pod of it is isolated for egress; "
    "create a default-deny "
    "policy with an empty podSelector and policy type Egress",
    "network policies isolate the namespace for egress and then admit everyone; remove the rule "
    "that admits everyone",
    "the namespace is annotated as default-deny but a policy opens its egress to everyone; remove "
    "the rule that admits "
    "everyone",
};

static void default_deny(const struct rule_input *in, struct outcome *out,
                         const struct deny_words *words)
{
    const struct ns *ns = in->subject->ns;
    bool annotated =
        ns->object != NULL && label_set_has(ns->object->head.annotations, DEFAULT_DENY, "true");
    struct reach_answer answer;

    reach_ask_namespace(in, ns, words->direction, &answer);
    evidence_value(out, words->direction == DIRECTION_INGRESS ? "ingress" : "egress", "%s",
                   reach_name(answer.reach));
    deciders_evidence(out, &answer);
    if (annotated) {
        evidence_value(out, DEFAULT_DENY, "true");
    }
    switch (answer.reach) {
    case REACH_ISOLATED:
        finding_pass(out);
        return;
    case REACH_SELECTED_BUT_OPEN:
        finding_fail(out, annotated ? words->but_open_annotated : words->but_open);
        return;
    case REACH_UNKNOWN:
        finding_error(out, answer.why);
        return;
    case REACH_OPEN:
    case REACH_NOT_ISOLATABLE:
        finding_fail(out, annotated ? words->open_annotated : words->open);
        return;
    }
}

static void default_deny_ingress(const struct rule_input *in, struct outcome *out)
{
    default_deny(in, out, &ingress_words);
}

static void default_deny_egress(const struct rule_input *in, struct outcome *out)
{
    default_deny(in, out, &egress_words);
}

static const char *pod_labels_field(const struct workload *w)
{
    if (strcmp(w->kind->text, "Pod") == 0) {
        return "metadata.labels";
    }
    return strcmp(w->kind->text, "CronJob") == 0 ? "spec.jobTemplate.spec.template.metadata.labels"
                                                 : "spec.template.metadata.labels";
}

static void pod_labels(const struct rule_input *in, struct outcome *out)
{
    const struct workload *w = in->subject->workload;
    const char *const *keys = param_list(in, "required-pod-labels");

    if (keys[0] == NULL) {
        finding_pass_because(out, "no label is required");
        return;
    }
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (label_set_text(w->pod_labels, keys[i]) != NULL) {
            finding_pass(out);
            return;
        }
        evidence_value(out, "any of", "%s", keys[i]);
    }
    finding_field(out, "%s", pod_labels_field(w));
    finding_fail(out, "the pods carry none of the labels that network policies select by; add one "
                      "to the pod template");
}

static void workload_isolated(const struct rule_input *in, struct outcome *out)
{
    struct policy_count n = count_policies(in, NULL);
    struct reach_answer answer;

    if (n.enforced + n.unclear == 0) {
        finding_skip(out, "the namespace has no network policy, which is the finding of "
                          "check-namespace-has-networkpolicy");
        return;
    }
    reach_ask_workload(in, in->subject->workload, DIRECTION_INGRESS, &answer);
    evidence_value(out, "ingress", "%s", reach_name(answer.reach));
    deciders_evidence(out, &answer);
    switch (answer.reach) {
    case REACH_ISOLATED:
        finding_pass(out);
        return;
    case REACH_OPEN:
        finding_field(out, "%s", pod_labels_field(in->subject->workload));
        finding_fail(out, "no network policy isolates the workload for ingress although the "
                          "namespace has policies; let "
                          "one with policy type Ingress select its pods");
        return;
    case REACH_SELECTED_BUT_OPEN:
        finding_fail(out, "the workload is selected by network policies that still admit everyone; "
                          "narrow the rule that "
                          "admits everyone");
        return;
    case REACH_NOT_ISOLATABLE:
        finding_warn(out, "the workload is on the host network, where no network policy isolates "
                          "it; give it a network of "
                          "its own or close the port on the node");
        return;
    case REACH_UNKNOWN:
        finding_error(out, answer.why);
        return;
    }
}

/* Which label sets of a namespace are tried, and who "everyone" is among pods, the classes and
 * namespaces decide. */
static const struct depend on_policies[] = { { KIND_NAMESPACE, DEPEND_SELF },
                                             { KIND_POD, DEPEND_SELF },
                                             DEPENDS_ON_POLICIES,
                                             { 0, DEPEND_END } };
static const struct depend on_namespace[] = { { KIND_NAMESPACE, DEPEND_SELF },
                                              { KIND_POD, DEPEND_NAMESPACE },
                                              DEPENDS_ON_POLICIES,
                                              { 0, DEPEND_END } };
static const struct depend on_workload[] = { { KIND_POD, DEPEND_SELF }, { 0, DEPEND_END } };

static const struct param minimum_params[] = {
    { "minimum-networkpolicies", PARAM_INT, "1",
      "how many enforced policies a namespace must have" },
    { NULL, PARAM_END, NULL, NULL }
};
static const struct param label_params[] = {
    { "required-pod-labels", PARAM_LIST, "app,app.kubernetes.io/name,k8s-app",
      "label keys of which a pod template must carry at least one" },
    { NULL, PARAM_END, NULL, NULL }
};

#define CIS  "CIS Kubernetes Benchmark 5.3.2"
#define NSA  "NSA/CISA Kubernetes Hardening Guidance 1.2: Network policies"
#define NIST "NIST SP 800-190 4.3.3"

const struct rule network_policy_rules[] = {
    { .policy = "require-network-policy",
      .rule = "check-namespace-has-networkpolicy",
      .title = "Namespace without network policy",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_NAMESPACE) | BIT(SUBJECT_WORKLOAD),
      .depends = on_policies,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = minimum_params,
      .description =
          "Without any network policy every pod of the cluster can reach every pod of the "
          "namespace, and its pods can "
          "reach everything. The namespace is judged even when it is empty, and so is each "
          "workload in it, so that a team "
          "sees what its own workloads are exposed to. Policies without effect do not count.",
      .remediation = "Start with a default-deny and then allow what is needed:\n\n"
                     "  apiVersion: networking.k8s.io/v1\n"
                     "  kind: NetworkPolicy\n"
                     "  metadata:\n"
                     "    name: default-deny\n"
                     "    namespace: NAMESPACE\n"
                     "  spec:\n"
                     "    podSelector: {}\n"
                     "    policyTypes: [Ingress, Egress]\n",
      .false_positives =
          "A network plugin that enforces policies of a kind of its own; that the plugin enforces "
          "NetworkPolicy at all is assumed.",
      .references =
          (const char *const[]){ CIS, NSA, NIST, "PCI DSS 4.0 1.3.1", "PCI DSS 4.0 1.3.2", NULL },
      .evaluate = namespace_has_policy },
    { .policy = "require-network-policy",
      .rule = "require-default-deny-ingress",
      .title = "Namespace not closed to ingress by default",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_NAMESPACE),
      .depends = on_namespace,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .description = "A pod that no policy selects accepts everything. Only when every pod, "
                     "whatever its labels, is isolated does a "
                     "new or mislabelled pod start closed. The policies of the namespace are "
                     "judged together and by their effect: "
                     "a default-deny beside a rule that admits everyone is none. The annotation "
                     "network-policy.kubernetes.io/default-deny proves nothing.",
      .remediation = "Create a policy that selects every pod and allows nothing:\n\n"
                     "  apiVersion: networking.k8s.io/v1\n"
                     "  kind: NetworkPolicy\n"
                     "  metadata:\n"
                     "    name: default-deny-ingress\n"
                     "    namespace: NAMESPACE\n"
                     "  spec:\n"
                     "    podSelector: {}\n"
                     "    policyTypes: [Ingress]\n",
      .false_positives = "A network plugin that closes namespaces by a policy kind of its own.",
      .references = (const char *const[]){ CIS, NSA, NIST, "PCI DSS 4.0 1.3.1", NULL },
      .evaluate = default_deny_ingress },
    { .policy = "require-network-policy",
      .rule = "require-default-deny-egress",
      .title = "Namespace not closed to egress by default",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_NAMESPACE),
      .depends = on_namespace,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_FAIL, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description = "Where egress is open by default, a pod that has been broken into can reach "
                     "every other pod, the cloud's "
                     "metadata address and the Internet: the way tools come in and data goes out.",
      .remediation = "Close egress for every pod, and allow DNS along with what is needed:\n\n"
                     "  apiVersion: networking.k8s.io/v1\n"
                     "  kind: NetworkPolicy\n"
                     "  metadata:\n"
                     "    name: default-deny-egress\n"
                     "    namespace: NAMESPACE\n"
                     "  spec:\n"
                     "    podSelector: {}\n"
                     "    policyTypes: [Egress]\n"
                     "    egress:\n"
                     "    - to:\n"
                     "      - namespaceSelector:\n"
                     "          matchLabels: {kubernetes.io/metadata.name: kube-system}\n"
                     "        podSelector:\n"
                     "          matchLabels: {k8s-app: kube-dns}\n"
                     "      ports:\n"
                     "      - {protocol: UDP, port: 53}\n"
                     "      - {protocol: TCP, port: 53}\n",
      .false_positives = "A network plugin that closes namespaces by a policy kind of its own.",
      .references = (const char *const[]){ CIS, NSA, NIST, "PCI DSS 4.0 1.3.2", NULL },
      .evaluate = default_deny_egress },
    { .policy = "require-network-policy",
      .rule = "validate-pod-network-policy-labels",
      .title = "Workload without labels to select by",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_workload,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .params = label_params,
      .description = "Policies find pods by labels. A pod template without any of the usual ones "
                     "can only be reached by policies "
                     "for the whole namespace, never by one for this workload.",
      .remediation = "Label the pods (for controllers: in the pod template):\n\n"
                     "  spec:\n"
                     "    template:\n"
                     "      metadata:\n"
                     "        labels:\n"
                     "          app.kubernetes.io/name: web\n",
      .false_positives = "Policies that select by other labels: name those in required-pod-labels.",
      .references =
          (const char *const[]){ NSA, "Kubernetes documentation: Recommended Labels", NULL },
      .evaluate = pod_labels },
    { .policy = "require-network-policy",
      .rule = "workload-ingress-isolated",
      .title = "Workload open to ingress",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_policies,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_WARN },
      .exempt_labels =
          (const struct label_pair[]){ { "network-policy.kubernetes.io/ingress", "unrestricted" },
                                       { NULL, NULL } },
      .description = "The namespace has policies, but this workload escapes them: none isolates it "
                     "for ingress, or those that do "
                     "admit every pod or everyone outside on every port. Pods on the host network "
                     "cannot be isolated at all.",
      .remediation =
          "Select its pods by a policy and allow only who needs it:\n\n"
          "  apiVersion: networking.k8s.io/v1\n"
          "  kind: NetworkPolicy\n"
          "  metadata:\n"
          "    name: web\n"
          "    namespace: NAMESPACE\n"
          "  spec:\n"
          "    podSelector:\n"
          "      matchLabels: {app: web}\n"
          "    policyTypes: [Ingress]\n"
          "    ingress:\n"
          "    - from:\n"
          "      - podSelector:\n"
          "          matchLabels: {app: frontend}\n"
          "      ports:\n"
          "      - {protocol: TCP, port: 8080}\n\n"
          "A workload that is meant to be open carries label network-policy.kubernetes.io/ingress: "
          "unrestricted in its pod template.\n",
      .false_positives = "",
      .references = (const char *const[]){ CIS, NSA, NIST, "PCI DSS 4.0 1.3.1", NULL },
      .evaluate = workload_isolated },
};
const size_t network_policy_rule_count = ARRAY_LEN(network_policy_rules);
