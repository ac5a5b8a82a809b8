/* restrict-egress-traffic: how far traffic leaves the cluster. The policy rule reads what is
 * written, the workload rules what all policies together really let out. */
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"
#include "rules/dns.h"
#include "rules/everyone.h"
#include "rules/policy_peers.h"
#include "rules/reach.h"
#include "rules/workload_field.h"

#define CATEGORY "Egress Control"

/* ---- require-egress-policy ---- */

static bool is_dns_name(const struct dns *d, const struct str *name)
{
    for (uint32_t i = 0; i < d->name_count; i++) {
        if (d->names[i] == name) {
            return true;
        }
    }
    return strcmp(name->text, "dns") == 0 || strcmp(name->text, "dns-tcp") == 0;
}

static bool only_dns_ports(struct port_table *t, const struct dns *d, const struct form_rule *r)
{
    for (uint32_t i = 0; i < r->port_count; i++) {
        if (r->ports[i].port_name != NULL && !is_dns_name(d, r->ports[i].port_name)) {
            return false;
        }
    }
    return port_set_minus(t, r->fixed, dns_port_set(d, t)) == PORTS_NONE;
}

struct without_effect { /* sections that mean nothing */
    const char *field, *message;
};

static struct without_effect idle_section(const struct network_policy *p)
{
    struct without_effect none = { NULL, NULL };

    if (p->has_egress_rules && !p->egress) {
        return (struct without_effect){
            "spec.egress",
            p->types_given
                ? "the egress section has no effect, since policyTypes do not name Egress; add it "
                  "or remove the section"
                : "an empty egress section without policyTypes has no effect; set policyTypes to "
                  "Egress to deny all egress"
        };
    }
    if (p->has_ingress_rules && !p->ingress) {
        return (struct without_effect){ "spec.ingress",
                                        "the ingress section has no effect, since policyTypes do "
                                        "not name Ingress; add it or remove the section" };
    }
    return none;
}

struct open_egress {
    const struct form_rule *any, *dns_only; /* the first that names no destination, by its ports */
};

static void find_open(const struct rule_input *in, const struct form_vec *forms,
                      struct open_egress *out)
{
    struct port_table *t = reach_book_ports(reach_ask_book(in));
    struct dns dns;

    dns_look(in, &dns);
    for (size_t i = 0; i < forms->v.len; i++) {
        const struct policy_form *f = &forms->v.items[i];
        for (uint32_t r = 0; r < f->rule_count[DIRECTION_EGRESS]; r++) {
            const struct form_rule *rule = &f->rules[DIRECTION_EGRESS][r];
            const struct form_rule **place =
                only_dns_ports(t, &dns, rule) ? &out->dns_only : &out->any;
            if (*place == NULL && (policy_rules_admit(&rule, 1) & ADMITS_OUTSIDE) != 0) {
                *place = rule;
            }
        }
    }
}

static void egress_policy(const struct rule_input *in, struct outcome *out)
{
    const struct network_policy *p = (const struct network_policy *)in->subject->policy;
    const struct without_effect idle = idle_section(p);
    struct open_egress open = { NULL, NULL };
    struct form_vec forms;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    find_open(in, &forms, &open);
    if (open.any != NULL) {
        finding_field(out, "%s", policy_rule_field(in->arena, open.any));
        finding_fail(out, "an egress rule names no destination, so that the pods reach everyone "
                          "outside; name whom they call");
    } else if (idle.message != NULL) {
        finding_field(out, "%s", idle.field);
        finding_warn(out, idle.message);
    } else if (open.dns_only != NULL) {
        finding_field(out, "%s", policy_rule_field(in->arena, open.dns_only));
        finding_warn(out, "an egress rule for DNS names no destination, so that DNS servers "
                          "anywhere are reached; name the cluster's DNS pods");
    } else if (!p->egress) {
        finding_pass_because(out, "the policy is about ingress only");
    } else {
        finding_pass(out);
    }
    vec_free(&forms.v);
}

/* ---- block-unrestricted-egress ---- */

static void deciders(struct outcome *out, const struct reach_answer *a)
{
    evidence_value(out, "egress", "%s", reach_name(a->reach));
    for (uint32_t i = 0; i < a->decider_count && i < REACH_DECIDERS_MAX; i++) {
        evidence_object(out, kind_table[a->deciders[i]->kind].name, a->deciders[i]);
    }
}

/* The verdict names pods alone. NULL, or what may let everyone outside be reached all the same. */
static const char *maybe_outside(const struct rule_input *in, const struct workload *w)
{
    static const enum everyone_goal goals[] = { GOAL_ADMITTED_TCP, GOAL_ADMITTED_UDP };
    struct everyone_space space = { 0 };
    const char *why = NULL;

    for (size_t i = 0; i < w->classes.len && why == NULL; i++) {
        const struct pod_class *pc = w->classes.items[i];
        if (!workload_class_counts(w, pc) || pc->shape->host_network) {
            continue;
        }
        struct everyone_question q = { .book = reach_ask_book(in),
                                       .lineup =
                                           reach_lineup(reach_ask_book(in), pc, DIRECTION_EGRESS),
                                       .direction = DIRECTION_EGRESS,
                                       .ns = pc->ns,
                                       .families = cluster_pod_families(in->cluster) };
        for (size_t g = 0; g < ARRAY_LEN(goals) && why == NULL; g++) {
            q.goal = goals[g];
            for (int family = 4; family <= 6 && why == NULL; family += 2) {
                everyone_outside(&space, &q, family, &why);
            }
        }
    }
    everyone_space_deinit(&space);
    return why;
}

static void unrestricted_egress(const struct rule_input *in, struct outcome *out)
{
    const char *maybe;

    const struct workload *w = in->subject->workload;
    struct reach_answer a;

    reach_ask_workload(in, w, DIRECTION_EGRESS, &a);
    deciders(out, &a);
    switch (a.reach) {
    case REACH_ISOLATED:
        finding_pass(out);
        return;
    case REACH_OPEN:
        finding_field(out, "%s", workload_metadata_field(w, "labels"));
        finding_fail(out, "no policy isolates the workload for egress, so that it reaches "
                          "everything; let one with policy type Egress select its pods");
        return;
    case REACH_SELECTED_BUT_OPEN:
        if ((a.open_to & (OPEN_TO_OUTSIDE_IPV4 | OPEN_TO_OUTSIDE_IPV6)) == 0) {
            maybe = maybe_outside(in, w);
            if (maybe != NULL) {
                finding_error(out, maybe);
            } else {
                finding_pass_because(out, "egress is open to every pod, but not to everyone "
                                          "outside");
            }
            return;
        }
        finding_fail(out, "policies isolate the workload for egress and then let it reach everyone "
                          "outside on every port; narrow the rule that allows it");
        return;
    case REACH_NOT_ISOLATABLE:
        finding_skip(out, "the workload is on the host network, which is the finding of "
                          "host-network-workload");
        return;
    case REACH_UNKNOWN:
        finding_error(out, a.why);
        return;
    }
}

/* ---- require-dns-only-egress ---- */

struct beyond { /* what goes beyond the DNS ports */
    const struct rule_input *in;
    port_set dns;
    bool outside, pods, unknown;
};

static bool is_after(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 16) > 0;
}

/* The end of the block, as an address. */
static void last_of(const struct cidr *c, uint8_t out[16])
{
    memcpy(out, c->addr, 16);
    for (unsigned i = c->bits; i < (c->family == 4 ? 32U : 128U); i++) {
        out[i / 8] |= (uint8_t)(1U << (7 - i % 8));
    }
}

/* One further; false at the end of the family. */
static bool step(uint8_t *address, int family)
{
    for (int i = family == 4 ? 3 : 15; i >= 0; i--) {
        if (++address[i] != 0) {
            return true;
        }
    }
    return false;
}

struct walk { /* from `at` on: how far do the known ranges reach without a gap? */
    int family;
    uint8_t at[16], hi[16];
    bool moved, done;
};

static void walk_over(void *ctx, const struct cidr *range)
{
    struct walk *w = ctx;
    uint8_t last[16];

    last_of(range, last);
    if (w->done || range->family != w->family || is_after(range->addr, w->at) ||
        is_after(w->at, last)) {
        return;
    }
    w->moved = true;
    memcpy(w->at, last, sizeof(w->at));
    w->done = !is_after(w->hi, w->at) || !step(w->at, w->family);
}

/* The range lies in the pods' own, or in those that the parameter allows, of these together. */
static bool is_allowed(const struct rule_input *in, const struct address_range *range)
{
    const char *const *allowed = param_list(in, "allowed-external-cidrs");
    struct walk w = { .family = range->family };
    size_t bytes = range->family == 4 ? 4 : 16;
    struct cidr c;

    memcpy(w.at, range->lo, bytes);
    memcpy(w.hi, range->hi, bytes);
    do {
        w.moved = false;
        cluster_pod_ranges(in->cluster, walk_over, &w);
        for (size_t i = 0; allowed[i] != NULL; i++) {
            if (cidr_parse(allowed[i], &c)) {
                walk_over(&w, &c);
            }
        }
    } while (w.moved && !w.done);
    return w.done;
}

static void look_outside(void *ctx, const struct address_range *range, struct side_answer a)
{
    struct beyond *b = ctx;
    struct port_table *t = reach_book_ports(reach_ask_book(b->in));
    bool allowed = port_set_minus(t, a.allowed, b->dns) != PORTS_NONE;
    bool unknown = port_set_minus(t, a.unknown, b->dns) != PORTS_NONE;

    if ((allowed || unknown) && !is_allowed(b->in, range)) {
        b->outside = b->outside || allowed;
        b->unknown = b->unknown || unknown;
    }
}

/* Some pod, there or not. */
static enum form_match match_pods(void *ctx, const struct policy_form *f, const struct form_peer *p)
{
    (void)ctx;
    (void)f;
    switch (p->kind) {
    case FORM_PEER_EVERYONE:
    case FORM_PEER_CLUSTER:
        return MATCH_YES;
    case FORM_PEER_PODS:
        return MATCH_MAYBE;
    case FORM_PEER_BLOCK:
        return p->blocks_match_pods ? MATCH_MAYBE : MATCH_NO;
    case FORM_PEER_WORLD:
    case FORM_PEER_NODES:
        return MATCH_NO;
    case FORM_PEER_MAYBE:
        break;
    }
    return p->outside_only ? MATCH_NO : MATCH_MAYBE;
}

static void look_at_pods(struct beyond *b, const struct lineup *l)
{
    struct reach_book *book = reach_ask_book(b->in);
    const struct lineup_question q = { .direction = DIRECTION_EGRESS, .match = match_pods };
    struct lineup_outcome o = { .allowed = PORTS_ALL };

    if (lineup_count(l) > 0) {
        lineup_evaluate(book, l, &q, &o);
    }
    b->pods = b->pods || port_set_minus(reach_book_ports(book), o.allowed, b->dns) != PORTS_NONE;
}

static void look_at_lineup(struct beyond *b, const struct pod_class *pc, const struct lineup *l)
{
    lineup_outside(reach_ask_book(b->in), l, DIRECTION_EGRESS, pc, look_outside, b);
    if (strcmp(param_text(b->in, "scope"), "all") == 0) {
        look_at_pods(b, l);
    }
}

/* Neighbours mostly share a line-up, and whose pods they are makes no difference here. */
static void look_at_class(struct beyond *all, const struct pod_class *pc)
{
    const struct lineup *l = reach_lineup(reach_ask_book(all->in), pc, DIRECTION_EGRESS);
    struct beyond b = { .in = all->in, .dns = all->dns };
    struct dns_memo *memo = all->in->dns;

    if (memo != NULL && l != NULL && memo->lineup == l) {
        b.outside = memo->outside;
        b.pods = memo->pods;
        b.unknown = memo->unknown;
    } else {
        look_at_lineup(&b, pc, l);
    }
    if (memo != NULL) {
        memo->lineup = l;
        memo->outside = b.outside;
        memo->pods = b.pods;
        memo->unknown = b.unknown;
    }
    all->outside = all->outside || b.outside;
    all->pods = all->pods || b.pods;
    all->unknown = all->unknown || b.unknown;
}

/* False: no class of it can be judged. */
static bool look_at_workload(struct beyond *b, const struct workload *w)
{
    bool any = false;

    for (size_t i = 0; i < w->classes.len; i++) {
        const struct pod_class *pc = w->classes.items[i];
        if (!workload_class_counts(w, pc) || pc->shape->host_network) {
            continue;
        }
        any = true;
        look_at_class(b, pc);
    }
    return any;
}

static void dns_only_egress(const struct rule_input *in, struct outcome *out)
{
    const struct workload *w = in->subject->workload;
    struct beyond b = { .in = in };
    bool annotated = label_set_has(w->pod_annotations, "egress-destinations", "dns-only");
    struct dns dns;

    if (!cluster_offline(in->cluster) && !rule_relies_on(in, out, KIND_SERVICE)) {
        return;
    }
    dns_look(in, &dns);
    b.dns = dns_port_set(&dns, reach_book_ports(reach_ask_book(in)));
    if (!look_at_workload(&b, w)) {
        finding_skip(out, "the workload has no pods of its own network");
        return;
    }
    if (b.outside || b.pods) {
        finding_field(out, "%s", workload_metadata_field(w, annotated ? "annotations" : "labels"));
    }
    if (b.outside && annotated) {
        finding_fail(out, "the pods are annotated egress-destinations: dns-only, yet they reach "
                          "addresses outside the cluster on other ports than DNS; limit their "
                          "egress");
    } else if (b.outside) {
        finding_fail(out, "the workload reaches addresses outside the cluster on other ports than "
                          "DNS; limit its egress, or label its pods network-egress: external");
    } else if (b.pods) {
        finding_fail(out, "the workload may reach pods on other ports than DNS; limit its egress, "
                          "or label its pods network-egress: external");
    } else if (b.unknown) {
        finding_error(out, "whether egress goes beyond DNS is not known, since a policy holds a "
                           "construct that is not understood");
    } else {
        finding_pass(out);
    }
}

/* ---- the rows ---- */

static const struct depend on_itself[] = { { KIND_SERVICE, DEPEND_DNS },
                                           { KIND_POD, DEPEND_DNS },
                                           { 0, DEPEND_END } };
static const struct depend on_policies[] = { DEPENDS_ON_POLICIES,
                                             { KIND_POD, DEPEND_SELF },
                                             { 0, DEPEND_END } };
static const struct depend on_policies_and_dns[] = {
    DEPENDS_ON_POLICIES,      { KIND_POD, DEPEND_SELF },      { KIND_SERVICE, DEPEND_DNS },
    { KIND_POD, DEPEND_DNS }, { KIND_POD, DEPEND_ADDRESSES }, { 0, DEPEND_END }
};

static const struct param policy_params[] = { DNS_SERVICES_PARAM, { NULL, PARAM_END, NULL, NULL } };
static const struct param dns_only_params[] = {
    { "allowed-external-cidrs", PARAM_LIST, "",
      "addresses outside the cluster that may be reached on any port" },
    { "scope", PARAM_TEXT, "external",
      "external: only addresses outside the cluster count; all: pods as well" },
    DNS_SERVICES_PARAM,
    { NULL, PARAM_END, NULL, NULL }
};

#define CIS "CIS Kubernetes Benchmark 5.3.2"
#define NSA "NSA/CISA Kubernetes Hardening Guidance 1.2: Network policies"
#define PCI "PCI DSS 4.0 1.3.2"

#define ALLOW_EGRESS                                                                               \
    "  apiVersion: networking.k8s.io/v1\n"                                                         \
    "  kind: NetworkPolicy\n"                                                                      \
    "  metadata:\n"                                                                                \
    "    name: web-egress\n"                                                                       \
    "    namespace: NAMESPACE\n"                                                                   \
    "  spec:\n"                                                                                    \
    "    podSelector:\n"                                                                           \
    "      matchLabels: {app: web}\n"                                                              \
    "    policyTypes: [Egress]\n"                                                                  \
    "    egress:\n"                                                                                \
    "    - to:\n"                                                                                  \
    "      - namespaceSelector:\n"                                                                 \
    "          matchLabels: {kubernetes.io/metadata.name: kube-system}\n"                          \
    "        podSelector:\n"                                                                       \
    "          matchLabels: {k8s-app: kube-dns}\n"                                                 \
    "      ports:\n"                                                                               \
    "      - {protocol: UDP, port: 53}\n"                                                          \
    "      - {protocol: TCP, port: 53}\n"

const struct rule egress_rules[] = {
    { .policy = "restrict-egress-traffic",
      .rule = "require-egress-policy",
      .title = "Egress rule without destination",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_POLICY),
      .policy_kinds = BIT(KIND_NETWORK_POLICY),
      .depends = on_itself,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_FAIL },
      .params = policy_params,
      .description =
          "An egress rule without `to`, with an empty one, or with blocks that together amount to "
          "everyone outside takes back what the policy's isolation gives. For DNS ports alone it "
          "is a warning: names can carry data out to any server. Sections that have no effect are "
          "a warning as well: one whose direction policyTypes do not name, and `egress: []` "
          "without policyTypes, which looks like a default-deny and is none.",
      .remediation = "Name whom the pods call, DNS for instance like this:\n\n" ALLOW_EGRESS,
      .false_positives = "Policies of proxies whose task it is to reach the whole Internet.",
      .references = (const char *const[]){ CIS, NSA, PCI, NULL },
      .evaluate = egress_policy },
    { .policy = "restrict-egress-traffic",
      .rule = "block-unrestricted-egress",
      .title = "Workload with unrestricted egress",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_policies,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_OFF, LEVEL_WARN },
      .exempt_namespaces = (const char *const[]){ "istio-system", NULL },
      .exempt_labels =
          (const struct label_pair[]){ { "network-policy.kubernetes.io/egress", "unrestricted" },
                                       { NULL, NULL } },
      .description =
          "A workload that no policy isolates for egress, or whose policies together let it reach "
          "everyone outside on every port of TCP or UDP, is the way tools come in and data goes "
          "out after a break-in. All policies that select its pods are judged together.",
      .remediation = "Isolate its pods for egress and allow what they need:\n\n" ALLOW_EGRESS
                     "\nA workload that must reach everything carries label "
                     "network-policy.kubernetes.io/egress: unrestricted in its pod template.\n",
      .false_positives = "Clusters whose egress passes a firewall that the cluster does not know.",
      .references = (const char *const[]){ CIS, NSA, "NIST SP 800-190 4.3.3", PCI, NULL },
      .evaluate = unrestricted_egress },
    { .policy = "restrict-egress-traffic",
      .rule = "require-dns-only-egress",
      .title = "Workload that reaches beyond DNS",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_WORKLOAD),
      .depends = on_policies_and_dns,
      .needs = POLICY_KINDS,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_OFF },
      .params = dns_only_params,
      .exempt_labels =
          (const struct label_pair[]){ { "network-egress", "external" }, { NULL, NULL } },
      .description =
          "Most workloads call nobody outside the cluster, so that those which do should say so "
          "with label network-egress: external. Judged by what the policies allow: any port but "
          "those of DNS to any address that is no pod's. The annotation egress-destinations: "
          "dns-only proves nothing; a workload that carries it and reaches further is told so. "
          "With scope all, pods count like addresses outside.",
      .remediation = "Allow DNS and nothing else outside:\n\n" ALLOW_EGRESS
                     "\nor say in the pod template that the workload calls out:\n\n"
                     "  metadata:\n"
                     "    labels:\n"
                     "      network-egress: external\n",
      .false_positives = "Addresses that belong to the own network: name them in "
                         "allowed-external-cidrs.",
      .references = (const char *const[]){ NSA, PCI, NULL },
      .evaluate = dns_only_egress },
};
const size_t egress_rule_count = ARRAY_LEN(egress_rules);
