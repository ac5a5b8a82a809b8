/* network-policy-health/default-deny-without-dns: a policy that isolates pods for egress and leaves
 * them no way to the cluster's DNS. It is judged by the line-up of all policies that select the
 * pods; the finding is on those that isolate and do not themselves allow it. */
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"
#include "rules/dns_path.h"
#include "rules/dns_places.h"
#include "rules/policy_peers.h"

enum { OWN_FORMS_MAX = 64, SEEN_MAX = 64 };

struct seen { /* a line-up that was asked about, for pods that the DNS pods cannot tell apart */
    const struct lineup *lineup;
    const struct ns *ns;
    const struct label_set *labels;
    const struct str *service_account;
    struct dns_answer answer;
};

struct look_out {
    const struct rule_input *in;
    struct dns_question question;
    struct dns_worst worst;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
};

static bool denies(const struct policy_form *f)
{
    for (uint32_t r = 0; r < f->rule_count[DIRECTION_EGRESS]; r++) {
        if (f->rules[DIRECTION_EGRESS][r].action == FORM_DENY) {
            return true;
        }
    }
    return f->isolates[DIRECTION_EGRESS];
}

static bool uses_cluster_dns(const struct pod_class *pc)
{
    const char *policy = pc->shape->dns_policy->text;

    return !pc->shape->host_network && strcmp(policy, "Default") != 0 &&
           strcmp(policy, "None") != 0;
}

/* The forms of the subject in the line-up, by themselves: would they leave a way? */
static bool is_the_cause(const struct look_out *o, const struct pod_class *pc,
                         const struct lineup *l)
{
    struct reach_book *b = reach_ask_book(o->in);
    const struct policy_form *own[OWN_FORMS_MAX];
    size_t n = 0;
    bool isolates = false;
    struct dns_answer a;

    for (size_t i = 0; i < lineup_count(l) && n < OWN_FORMS_MAX; i++) {
        const struct policy_form *f = lineup_at(l, i);
        if (f->policy == o->in->subject->policy) {
            own[n++] = f;
            isolates = isolates || f->isolates[DIRECTION_EGRESS];
        }
    }
    if (n == 0) {
        return false;
    }
    dns_path_ask(&o->question, pc, reach_lineup_from(b, own, n, DIRECTION_EGRESS), !isolates, &a);
    return a.path != DNS_PATH_YES;
}

static struct dns_answer ask(struct look_out *o, const struct pod_class *pc, const struct lineup *l)
{
    struct dns_answer a;

    for (size_t i = 0; i < o->seen_count; i++) {
        const struct seen *s = &o->seen[i];
        if (s->lineup == l && s->ns == pc->ns && s->labels == pc->labels &&
            s->service_account == pc->shape->service_account) {
            return s->answer;
        }
    }
    dns_path_ask(&o->question, pc, l, false, &a);
    if (a.path != DNS_PATH_YES && !is_the_cause(o, pc, l)) {
        a = (struct dns_answer){ .path = DNS_PATH_YES };
    }
    if (o->seen_count < SEEN_MAX) {
        o->seen[o->seen_count++] =
            (struct seen){ l, pc->ns, pc->labels, pc->shape->service_account, a };
    }
    return a;
}

static int by_name(const struct workload *a, const struct workload *b)
{
    int c = strcmp(a->ns->name->text, b->ns->name->text);

    c = c != 0 ? c : strcmp(a->kind->text, b->kind->text);
    return c != 0 ? c : strcmp(a->name->text, b->name->text);
}

static void keep_worse(struct dns_worst *all, const struct dns_worst *one)
{
    const struct dns_answer *a = &all->answer, *b = &one->answer;
    bool same = a->path == b->path && a->tcp_missing == b->tcp_missing;

    if (!one->any) {
        return;
    }
    if (!all->any || b->path > a->path ||
        (b->path == a->path && b->tcp_missing && !a->tcp_missing) ||
        (same && by_name(one->where, all->where) < 0)) {
        *all = *one;
    }
}

static bool look_at(void *ctx, const struct pod_class *pc)
{
    struct look_out *o = ctx;
    struct dns_worst one = { .any = uses_cluster_dns(pc), .where = pc->workload };

    if (one.any) {
        const struct lineup *l = reach_lineup(reach_ask_book(o->in), pc, DIRECTION_EGRESS);
        one.answer = l != NULL ? ask(o, pc, l) : (struct dns_answer){ .path = DNS_PATH_YES };
    }
    keep_worse(&o->worst, &one);
    return true;
}

static void look_in(struct look_out *o, const struct form_vec *forms, const struct ns *ns)
{
    for (size_t i = 0; i < forms->v.len; i++) {
        if (denies(&forms->v.items[i])) {
            policy_each_subject_in(o->in, &forms->v.items[i], ns, look_at, o);
        }
    }
}

/* A cluster-scoped policy, namespace by namespace: mostly only one has changed. */
static void look_everywhere(struct look_out *o, const struct form_vec *forms)
{
    struct dns_places *places = o->in->dns != NULL ? o->in->dns->places : NULL;
    struct dns_worst all = { .any = false };

    for (uint32_t i = 0; i < cluster_ns_count(o->in->cluster); i++) {
        const struct ns *ns = cluster_ns_at(o->in->cluster, i);
        const struct object *policy = o->in->subject->policy;
        const struct dns_worst *known = places != NULL ? dns_places_find(places, policy, ns) : NULL;
        if (known == NULL) {
            o->worst = (struct dns_worst){ .any = false };
            look_in(o, forms, ns);
            if (places != NULL) {
                dns_places_put(places, policy, ns, &o->worst);
            }
            known = &o->worst;
        }
        keep_worse(&all, known);
    }
    o->worst = all;
}

static void say(const struct look_out *o, struct outcome *out)
{
    const struct workload *w = o->worst.where;

    if (o->worst.answer.path == DNS_PATH_YES) {
        if (o->worst.answer.tcp_missing) {
            finding_pass_because(out, "DNS is reached over UDP, but not over TCP, which long "
                                      "answers need");
        } else {
            finding_pass(out);
        }
        return;
    }
    finding_field(out, "spec");
    evidence_value(out, "workload", "%s %s/%s", w->kind->text, w->ns->name->text, w->name->text);
    if (o->question.assumed) {
        evidence_value(out, "assumed",
                       "DNS pods are labelled k8s-app: kube-dns in the namespace of the DNS "
                       "Service");
    }
    for (uint32_t i = 0; i < o->question.dns.class_count; i++) {
        const struct workload *dns = o->question.dns.classes[i]->workload;
        if (dns->object != NULL) {
            evidence_object(out, dns->kind->text, &dns->object->head);
        }
    }
    switch (o->worst.answer.path) {
    case DNS_PATH_NO_EGRESS:
        finding_fail(out, "pods that the policy isolates for egress have no way to the cluster's "
                          "DNS over UDP; allow them egress to it");
        return;
    case DNS_PATH_NOT_ADMITTED:
        finding_fail(out, "pods that the policy isolates for egress are not admitted by the "
                          "policies of the cluster's DNS pods over UDP; admit them there");
        return;
    case DNS_PATH_UNKNOWN:
    case DNS_PATH_YES:
        break;
    }
    finding_error(out, o->worst.answer.construct != NULL ? o->worst.answer.construct
                                                         : "what a policy allows is not known");
}

static void without_dns(const struct rule_input *in, struct outcome *out)
{
    struct look_out o = { .in = in };
    struct form_vec forms;
    bool any = false;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    for (size_t i = 0; i < forms.v.len; i++) {
        any = any || denies(&forms.v.items[i]);
    }
    if (!any) {
        finding_skip(out, "the policy does not isolate for egress");
    } else if (cluster_offline(in->cluster) || rule_relies_on(in, out, KIND_SERVICE)) {
        dns_question_init(&o.question, in);
        if (in->subject->ns != NULL) {
            look_in(&o, &forms, in->subject->ns);
        } else {
            look_everywhere(&o, &forms);
        }
        if (o.worst.any) {
            say(&o, out);
        } else {
            finding_skip(out, "no pod that asks the cluster's DNS is selected");
        }
    }
    vec_free(&forms.v);
}

static const struct depend on_dns[] = { DEPENDS_ON_POLICIES,
                                        { KIND_POD, DEPEND_SELECTED },
                                        { KIND_NAMESPACE, DEPEND_SELECTED },
                                        { KIND_POD, DEPEND_DNS },
                                        { KIND_SERVICE, DEPEND_DNS },
                                        { KIND_NAMESPACE, DEPEND_DNS },
                                        { KIND_NETWORK_POLICY, DEPEND_DNS },
                                        { KIND_CILIUM_NETWORK_POLICY, DEPEND_DNS },
                                        { 0, DEPEND_END } };

static const struct param dns_params[] = { DNS_SERVICES_PARAM,
                                           DNS_NODE_LOCAL_PARAM,
                                           { NULL, PARAM_END, NULL, NULL } };

const struct rule policy_dns_rules[] = {
    { .policy = "network-policy-health",
      .rule = "default-deny-without-dns",
      .title = "Egress isolation without DNS",
      .category = "Policy Health",
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_dns,
      .needs = BIT(KIND_POD) | POLICY_KINDS,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_WARN, LEVEL_WARN },
      .params = dns_params,
      .description =
          "Pods that are isolated for egress and have no way to the cluster's DNS cannot find "
          "anything by name: the usual outage after a default-deny. All policies that select the "
          "pods count together, and the DNS pods' own policies as well. What counts is UDP on the "
          "ports that the DNS Services lead to (53 when they are not known), or port 53 of a "
          "node-local cache. Where the DNS pods are not known, as in most files, they are taken to "
          "be labelled k8s-app: kube-dns, in the namespace of a DNS Service. Pods on the host "
          "network and with dnsPolicy Default or None do not count.",
      .remediation = "Allow DNS beside the default-deny:\n\n"
                     "  apiVersion: networking.k8s.io/v1\n"
                     "  kind: NetworkPolicy\n"
                     "  metadata:\n"
                     "    name: allow-dns\n"
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
      .false_positives = "Pods that need no names at all, and DNS Services of other names: name "
                         "those in dns-services.",
      .references =
          (const char *const[]){ "Kubernetes documentation: Network Policies",
                                 "Kubernetes documentation: DNS for Services and Pods", NULL },
      .evaluate = without_dns },
};
const size_t policy_dns_rule_count = ARRAY_LEN(policy_dns_rules);
