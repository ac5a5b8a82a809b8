/* network-policy-health: what is wrong with a policy whatever it protects: it selects nobody, it
 * admits everybody, or it names pods by address. Whether it cuts its pods off from DNS is in
 * check_policy_dns.c. */
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"
#include "rules/policy_peers.h"
#include "rules/rule.h"

#define CATEGORY "Policy Health"

static int64_t grace_of(const struct rule_input *in)
{
    return cluster_offline(in->cluster) ? 0 : param_int(in, "grace");
}

/* ---- policy-selects-nothing ---- */

struct subjects {
    bool any, on_host;
};

static bool note_subject(void *ctx, const struct pod_class *pc)
{
    struct subjects *s = ctx;

    s->on_host = s->on_host || pc->shape->host_network;
    s->any = s->any || !pc->shape->host_network;
    return !s->any;
}

static void say_selects_nothing(const struct rule_input *in, struct outcome *out,
                                const struct subjects *s)
{
    finding_grace(out, grace_of(in));
    finding_field(out,
                  in->subject->policy->kind == KIND_NETWORK_POLICY ? "spec.podSelector" : "spec");
    if (s->on_host) {
        finding_fail(out, "the policy selects only pods on the host network, which no policy can "
                          "isolate; remove it, or give the pods a network of their own");
    } else {
        finding_fail(out, "the policy selects no pod; mend its selector or the pods' labels, or "
                          "remove the policy");
    }
}

static void selects_nothing(const struct rule_input *in, struct outcome *out)
{
    struct subjects s = { false, false };
    struct form_vec forms;
    bool all = false;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    for (size_t i = 0; i < forms.v.len && !s.any; i++) {
        all = all || policy_selects_all(&forms.v.items[i]);
        policy_each_subject(in, &forms.v.items[i], note_subject, &s);
    }
    if (forms.v.len == 0) {
        finding_skip(out, "the policy is about no pods, or has no effect");
    } else if (s.any) {
        finding_pass(out);
    } else if (all && !s.on_host) {
        finding_pass_because(out, "the policy selects every pod, of which there is none yet");
    } else {
        say_selects_nothing(in, out, &s);
    }
    vec_free(&forms.v);
}

/* ---- peer-selects-nothing ---- */

enum { SELECTOR_TEXT_MAX = 400 };

static void peer_evidence(struct outcome *out, const struct form_rule *r, const struct form_peer *p)
{
    char namespaces[SELECTOR_TEXT_MAX] = "", pods[SELECTOR_TEXT_MAX] = "";

    if (p->namespaces != NULL) {
        selector_format(p->namespaces, namespaces, sizeof(namespaces));
    }
    if (p->pods != NULL) {
        selector_format(p->pods, pods, sizeof(pods));
    }
    evidence_value(out, "peer", "%s: %s%s%s%s", policy_rule_field(out->arena, r),
                   p->namespaces != NULL ? "namespaces " : "", namespaces,
                   p->namespaces == NULL ? "pods "
                   : p->pods != NULL     ? ", pods "
                                         : "",
                   pods);
}

struct peers_seen {
    const struct form_rule *rule; /* of the first that matches nothing */
    enum peer_found found;
    bool not_in_input;
};

static void look_at_rule(const struct rule_input *in, struct outcome *out,
                         const struct policy_form *f, const struct form_rule *r,
                         struct peers_seen *seen)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct form_peer *p = &r->peers[i];
        enum peer_found found;

        if (p->kind != FORM_PEER_PODS || p->relative != NULL) {
            continue;
        }
        found = policy_peer_find(in, f, p);
        if (found == PEER_NOT_IN_INPUT) {
            seen->not_in_input = true;
        } else if (found != PEER_FOUND) {
            peer_evidence(out, r, p);
            if (seen->rule == NULL) {
                seen->rule = r;
                seen->found = found;
            }
        }
    }
}

static const char *peer_sentence(enum peer_found found)
{
    switch (found) {
    case PEER_ON_HOST_ONLY:
        return "a peer matches only pods on the host network, which selectors do not reach; name "
               "their nodes' addresses instead, or remove the peer";
    case PEER_NO_NAMESPACE:
        return "the namespace selector of a peer matches no namespace; mend it or the namespaces' "
               "labels, or remove the peer";
    default:
        return "a peer matches no pod; mend its selectors or the pods' labels, or remove the peer";
    }
}

static void peer_selects_nothing(const struct rule_input *in, struct outcome *out)
{
    struct peers_seen seen = { .rule = NULL };
    struct form_vec forms;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    for (size_t i = 0; i < forms.v.len; i++) {
        const struct policy_form *f = &forms.v.items[i];
        for (int d = 0; d < 2; d++) {
            for (uint32_t r = 0; r < f->rule_count[d]; r++) {
                look_at_rule(in, out, f, &f->rules[d][r], &seen);
            }
        }
    }
    if (seen.rule != NULL) {
        finding_grace(out, grace_of(in));
        finding_field(out, "%s", policy_rule_field(in->arena, seen.rule));
        finding_fail(out, peer_sentence(seen.found));
    } else if (seen.not_in_input) {
        finding_skip(out, "not in the input: no pod of the namespaces that a peer selects");
    } else {
        finding_pass(out);
    }
    vec_free(&forms.v);
}

/* ---- allow-all-ingress ---- */

static bool every_port(const struct port_table *t, const struct form_rule *r)
{
    return !r->narrowed &&
           (port_set_full(t, r->fixed, PROTOCOL_TCP) || port_set_full(t, r->fixed, PROTOCOL_UDP));
}

static void say_admits(struct outcome *out, unsigned admits)
{
    if ((admits & ADMITS_ALL_PODS) != 0 && (admits & ADMITS_OUTSIDE) != 0) {
        evidence_value(out, "admits", "everyone");
        finding_fail(out, "an ingress rule admits everyone on every port; name the sources and the "
                          "ports that are needed");
    } else if ((admits & ADMITS_ALL_PODS) != 0) {
        evidence_value(out, "admits", "every pod");
        finding_fail(out, "an ingress rule admits every pod of every namespace on every port; name "
                          "the pods and the ports that are needed");
    } else {
        evidence_value(out, "admits", "everyone outside");
        finding_fail(out, "an ingress rule admits everyone outside the cluster on every port; name "
                          "the addresses and the ports that are needed");
    }
}

struct rule_refs {
    VEC(const struct form_rule *) v;
};

/* Allowing ingress rules: those on every port, or those that are not. */
static void collect(const struct form_vec *forms, const struct port_table *t, bool every,
                    struct rule_refs *out)
{
    for (size_t i = 0; i < forms->v.len; i++) {
        const struct policy_form *f = &forms->v.items[i];
        for (uint32_t r = 0; r < f->rule_count[DIRECTION_INGRESS]; r++) {
            const struct form_rule *rule = &f->rules[DIRECTION_INGRESS][r];
            bool some = rule->fixed != PORTS_NONE || rule->names_ports;
            if (rule->action == FORM_ALLOW && some && every_port(t, rule) == every) {
                vec_push(&out->v, rule);
            }
        }
    }
}

static void allow_all_ingress(const struct rule_input *in, struct outcome *out)
{
    struct rule_refs rules = { 0 };
    struct form_vec forms;
    unsigned admits = 0;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    collect(&forms, reach_book_ports(reach_ask_book(in)), true, &rules);
    for (size_t i = 0; i < rules.v.len && admits == 0; i++) {
        admits = policy_rules_admit(&rules.v.items[i], 1);
        if (admits != 0) {
            finding_field(out, "%s", policy_rule_field(in->arena, rules.v.items[i]));
        }
    }
    if (admits == 0 && rules.v.len > 1) { /* none alone, but together */
        admits = policy_rules_admit(rules.v.items, rules.v.len);
        finding_field(out, "%s", rules.v.items[0]->section);
    }
    if (admits != 0) {
        say_admits(out, admits);
    } else {
        finding_pass(out);
    }
    vec_free(&rules.v);
    vec_free(&forms.v);
}

/* ---- world-open-ingress ---- */

struct exposure {
    const struct rule_input *in;
    struct outcome *out;
    bool any, exposed;
};

static bool service_is_outside(const struct service *s)
{
    return s->type == SERVICE_LOAD_BALANCER || s->type == SERVICE_NODE_PORT ||
           s->external_ip_count > 0;
}

static bool ingress_names(const struct ingress *ing, const struct str *service)
{
    for (uint32_t r = 0; r < ing->rule_count; r++) {
        for (uint32_t b = 0; b < ing->rules[r].backend_count; b++) {
            if (ing->rules[r].backends[b].service == service) {
                return true;
            }
        }
    }
    return ing->has_default_backend && ing->default_backend.service == service;
}

/* By name, so that what is said does not hang on the order of the cache. */
static void keep_first(const struct object **best, const struct object *o)
{
    if (*best == NULL || strcmp(o->name->text, (*best)->name->text) < 0) {
        *best = o;
    }
}

static void look_at_service(const struct ns *ns, const struct service *s,
                            const struct object **service, const struct object **ingress)
{
    if (service_is_outside(s)) {
        keep_first(service, &s->head);
    }
    for (size_t i = 0; i < ns->ingresses.len; i++) {
        if (ingress_names(ns->ingresses.items[i], s->head.name)) {
            keep_first(ingress, &ns->ingresses.items[i]->head);
        }
    }
}

static bool find_way_in(void *ctx, const struct pod_class *pc)
{
    struct exposure *e = ctx;
    const struct object *service = NULL, *ingress = NULL;

    if (pc->shape->host_network) {
        return true; /* not touched by the policy */
    }
    e->any = true;
    for (size_t i = 0; i < pc->ns->services.len; i++) {
        const struct service *s = pc->ns->services.items[i];
        if (s->selector != NULL && s->selector->count > 0 &&
            selector_matches(s->selector, pc->labels)) {
            look_at_service(pc->ns, s, &service, &ingress);
        }
    }
    e->exposed = pc->shape->has_host_port || service != NULL || ingress != NULL;
    return !e->exposed;
}

static const struct form_rule *world_rule(const struct rule_refs *rules)
{
    for (size_t i = 0; i < rules->v.len; i++) {
        if ((policy_rules_admit(&rules->v.items[i], 1) & ADMITS_OUTSIDE) != 0) {
            return rules->v.items[i];
        }
    }
    return NULL;
}

static void judge_ways_in(const struct rule_input *in, struct outcome *out,
                          const struct form_vec *forms, const struct form_rule *rule)
{
    struct exposure e = { .in = in, .out = out };

    for (size_t i = 0; i < forms->v.len && !e.exposed; i++) {
        policy_each_subject(in, &forms->v.items[i], find_way_in, &e);
    }
    if (e.exposed) {
        finding_pass_because(out, "a Service, an Ingress or a hostPort leads to the pods from "
                                  "outside");
    } else if (!e.any) {
        finding_skip(out, "no pod is selected, which is the finding of policy-selects-nothing");
    } else if (rule_relies_on(in, out, KIND_SERVICE) && rule_relies_on(in, out, KIND_INGRESS)) {
        finding_field(out, "%s", policy_rule_field(in->arena, rule));
        finding_fail(out, "an ingress rule admits everyone outside the cluster, but nothing leads "
                          "from there to the pods; admit only who calls them");
    }
}

static void world_open_ingress(const struct rule_input *in, struct outcome *out)
{
    struct rule_refs rules = { 0 };
    struct form_vec forms;
    const struct form_rule *rule;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    collect(&forms, reach_book_ports(reach_ask_book(in)), false, &rules);
    rule = world_rule(&rules);
    if (rule != NULL) {
        judge_ways_in(in, out, &forms, rule);
    } else {
        finding_pass(out);
    }
    vec_free(&rules.v);
    vec_free(&forms.v);
}

/* ---- ip-allow-list-for-pods ---- */

struct block_search {
    struct cidr block;
    bool any, inside;
};

static void look_at_range(void *ctx, const struct cidr *range)
{
    struct block_search *s = ctx;

    s->any = true;
    s->inside = s->inside || cidr_contains(range, &s->block);
}

struct blocks_seen {
    const struct form_rule *rule; /* with the first block inside the pods' addresses */
    bool any, addresses;
};

static void look_at_blocks(const struct rule_input *in, struct outcome *out,
                           const struct form_rule *r, struct blocks_seen *seen)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        struct block_search s = { .any = false };
        const struct form_peer *p = &r->peers[i];

        if (p->kind != FORM_PEER_BLOCK || !cidr_parse(str_text(p->block->cidr), &s.block)) {
            continue;
        }
        seen->any = true;
        cluster_pod_ranges(in->cluster, look_at_range, &s);
        seen->addresses = s.any;
        if (s.inside) {
            evidence_value(out, "block", "%s", p->block->cidr->text);
            seen->rule = seen->rule != NULL ? seen->rule : r;
        }
    }
}

static void ip_allow_list(const struct rule_input *in, struct outcome *out)
{
    struct blocks_seen seen = { .rule = NULL };
    struct form_vec forms;

    if (!policy_forms(in, out, &forms)) {
        return;
    }
    for (size_t i = 0; i < forms.v.len; i++) {
        const struct policy_form *f = &forms.v.items[i];
        for (int d = 0; d < 2; d++) {
            for (uint32_t r = 0; r < f->rule_count[d]; r++) {
                look_at_blocks(in, out, &f->rules[d][r], &seen);
            }
        }
    }
    if (seen.rule != NULL) {
        finding_field(out, "%s", policy_rule_field(in->arena, seen.rule));
        finding_fail(out, "a rule names this cluster's own pods by their addresses, which pass to "
                          "others; select the pods by labels");
    } else if (seen.any && !seen.addresses) {
        finding_skip(out, "no address of a pod is known");
    } else {
        finding_pass(out);
    }
    vec_free(&forms.v);
}

/* ---- the rows ---- */

/* Where Cilium is served, some labels are not there for any selector (SEMANTICS 5.5). */
#define DEPENDS_ON_SELECTORS                                                                       \
    { KIND_POD, DEPEND_SELECTED }, { KIND_NAMESPACE, DEPEND_SELECTED },                            \
        { KIND_CILIUM_NETWORK_POLICY, DEPEND_SELF },                                               \
    {                                                                                              \
        KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, DEPEND_SELF                                        \
    }

static const struct depend on_subjects[] = { DEPENDS_ON_SELECTORS, { 0, DEPEND_END } };
static const struct depend on_itself[] = { { 0, DEPEND_END } };
static const struct depend on_ways_in[] = { DEPENDS_ON_SELECTORS,
                                            { KIND_SERVICE, DEPEND_NAMESPACE },
                                            { KIND_INGRESS, DEPEND_NAMESPACE },
                                            { 0, DEPEND_END } };
static const struct depend on_addresses[] = { { KIND_POD, DEPEND_ADDRESSES }, { 0, DEPEND_END } };

static const struct param grace_params[] = {
    { "grace", PARAM_DURATION, "5m", "how long a selector may match nothing on a live cluster" },
    { NULL, PARAM_END, NULL, NULL }
};

#define NSA "NSA/CISA Kubernetes Hardening Guidance 1.2: Network policies"
#define DOC "Kubernetes documentation: Network Policies"

const struct rule policy_health_rules[] = {
    { .policy = "network-policy-health",
      .rule = "policy-selects-nothing",
      .title = "Policy that selects no pod",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_subjects,
      .needs = BIT(KIND_POD),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .params = grace_params,
      .description =
          "A policy whose selector matches no pod protects nobody: a spelling mistake in a label, "
          "or a left-over of a workload that is gone. A workload scaled to zero counts by its pod "
          "template, and pods on the host network do not count, since no policy touches them. A "
          "policy for every pod of its namespace passes also while there is none yet: that is what "
          "a default-deny is for.",
      .remediation = "Compare the selector with the labels of the pods:\n\n"
                     "  kubectl get networkpolicy NAME -o jsonpath='{.spec.podSelector}'\n"
                     "  kubectl get pods --show-labels\n",
      .false_positives = "Policies for pods that come later than the grace time, such as those of "
                         "jobs that are created by hand.",
      .references = (const char *const[]){ DOC, NSA, NULL },
      .evaluate = selects_nothing },
    { .policy = "network-policy-health",
      .rule = "peer-selects-nothing",
      .title = "Policy with a peer that is nobody",
      .category = CATEGORY,
      .severity = SEVERITY_LOW,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_subjects,
      .needs = BIT(KIND_POD) | BIT(KIND_NAMESPACE),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .params = grace_params,
      .description =
          "A peer that matches no pod or no namespace allows nothing today, and tomorrow whatever "
          "comes with those labels. Mostly it is a misspelt label, and the connection that it was "
          "meant for is denied. A peer by namespaceSelector alone matches when there is such a "
          "namespace. Blocks of addresses never count. In files, unless they are said to be "
          "complete, peers in namespaces of which the files hold no workload are not judged.",
      .remediation = "Compare the selectors with the labels of namespaces and pods:\n\n"
                     "  kubectl get namespaces --show-labels\n"
                     "  kubectl get pods --all-namespaces --show-labels\n\n"
                     "Every namespace carries its own name as a label:\n\n"
                     "  from:\n"
                     "  - namespaceSelector:\n"
                     "      matchLabels: {kubernetes.io/metadata.name: frontend}\n"
                     "    podSelector:\n"
                     "      matchLabels: {app: web}\n",
      .false_positives = "Peers that are only there now and then, such as the pods of a CronJob "
                         "whose owner is not watched.",
      .references = (const char *const[]){ DOC, NULL },
      .evaluate = peer_selects_nothing },
    { .policy = "network-policy-health",
      .rule = "allow-all-ingress",
      .title = "Policy that admits everyone",
      .category = CATEGORY,
      .severity = SEVERITY_HIGH,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_itself,
      .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_WARN, LEVEL_WARN },
      .description =
          "Allows add up: one rule that admits every pod of every namespace, or everyone "
          "outside, on every port undoes each default-deny for the pods that it "
          "selects. Rules that only together admit everyone count as well, as does an "
          "Accept of an admin policy, which no NetworkPolicy can take back.",
      .remediation = "Name who calls and on which port:\n\n"
                     "  ingress:\n"
                     "  - from:\n"
                     "    - podSelector:\n"
                     "        matchLabels: {app: frontend}\n"
                     "    ports:\n"
                     "    - {protocol: TCP, port: 8080}\n",
      .false_positives = "",
      .references =
          (const char *const[]){ "CIS Kubernetes Benchmark 5.3.2", NSA, "PCI DSS 4.0 1.3.1", NULL },
      .evaluate = allow_all_ingress },
    { .policy = "network-policy-health",
      .rule = "world-open-ingress",
      .title = "Policy that admits the Internet for nothing",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_ways_in,
      .needs = BIT(KIND_POD),
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description = "An ingress rule admits everyone outside on some ports, while nothing leads "
                     "from outside to the pods that it selects: no LoadBalancer, NodePort or "
                     "externalIPs Service, no Ingress and no hostPort. Whoever calls these pods is "
                     "inside the cluster and can be named.",
      .remediation = "Replace the open source by those who call:\n\n"
                     "  ingress:\n"
                     "  - from:\n"
                     "    - namespaceSelector:\n"
                     "        matchLabels: {kubernetes.io/metadata.name: ingress-nginx}\n"
                     "    ports:\n"
                     "    - {protocol: TCP, port: 8080}\n",
      .false_positives =
          "Ways in that are not looked at: Gateway API routes, routes of a mesh, and "
          "networks where pods' addresses are routed from outside.",
      .references = (const char *const[]){ NSA, "PCI DSS 4.0 1.3.1", NULL },
      .evaluate = world_open_ingress },
    { .policy = "network-policy-health",
      .rule = "ip-allow-list-for-pods",
      .title = "Policy that names pods by address",
      .category = CATEGORY,
      .severity = SEVERITY_MEDIUM,
      .subjects = BIT(SUBJECT_POLICY),
      .depends = on_addresses,
      .levels = { LEVEL_WARN, LEVEL_WARN, LEVEL_OFF, LEVEL_WARN },
      .description =
          "An address of a pod belongs to whoever gets it next. A block that lies inside the "
          "smallest ranges that hold this cluster's pod addresses can only mean pods, which "
          "selectors name by what they are. The ranges are taken per /16 of IPv4 and /48 of IPv6 "
          "from the addresses that pods have now; wider blocks never count. With Cilium such a "
          "block does not match pods at all.",
      .remediation = "Select the pods instead of their addresses:\n\n"
                     "  from:\n"
                     "  - namespaceSelector:\n"
                     "      matchLabels: {kubernetes.io/metadata.name: frontend}\n"
                     "    podSelector:\n"
                     "      matchLabels: {app: web}\n",
      .false_positives = "Networks where pods share a range with machines outside the cluster.",
      .references = (const char *const[]){ "NIST SP 800-207 2.1: Tenets of Zero Trust", DOC, NULL },
      .evaluate = ip_allow_list },
};
const size_t policy_health_rule_count = ARRAY_LEN(policy_health_rules);
