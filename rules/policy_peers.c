#include "rules/policy_peers.h"

#include <string.h>

#include "rules/label_cover.h"
#include "rules/lineup_private.h"
#include "rules/world.h"

static const char *policy_trouble(const struct object *policy)
{
    const struct str *malformed = NULL;

    switch (policy->kind) {
    case KIND_NETWORK_POLICY:
        malformed = ((const struct network_policy *)policy)->malformed;
        break;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        malformed = ((const struct tiered_policy *)policy)->malformed;
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        malformed = ((const struct cilium_policy *)policy)->malformed;
        break;
    default:
        break;
    }
    return malformed != NULL ? malformed->text : NULL;
}

bool policy_forms(const struct rule_input *in, struct outcome *out_come, struct form_vec *out)
{
    struct reach_book *b = reach_ask_book(in);
    const struct form_options options = { .ports = reach_book_ports(b),
                                          .blocks_match_pods = true,
                                          .enforced = BIT(FAMILY_COUNT) - 1 };
    const struct object *policy = in->subject->policy;
    const char *wrong = policy_trouble(policy);

    reach_book_read(b);
    memset(out, 0, sizeof(*out));
    if (wrong != NULL) {
        evidence_value(out_come, "malformed", "%s", wrong);
        finding_error(out_come, "the policy is malformed, so that its effect is not known; "
                                "correct it");
        return false;
    }
    policy_form_add(out, in->arena, policy, in->subject->ns, &options);
    return true;
}

/* ---- subjects ---- */

static bool is_subject(const struct reach_book *b, const struct policy_form *f,
                       const struct pod_class *pc)
{
    const struct label_view labels = { .set = pc->labels };

    return workload_class_counts(pc->workload, pc) && reach_pods_match(b, f->pods, &labels) &&
           reach_account_matches(f->service_account, pc->shape->service_account);
}

static bool each_in(const struct reach_book *b, const struct policy_form *f, const struct ns *ns,
                    policy_class_fn *fn, void *ctx)
{
    if (!reach_namespace_matches(f->namespaces, ns)) {
        return true;
    }
    for (size_t i = 0; i < ns->classes.len; i++) {
        if (is_subject(b, f, ns->classes.items[i]) && !fn(ctx, ns->classes.items[i])) {
            return false;
        }
    }
    return true;
}

void policy_each_subject(const struct rule_input *in, const struct policy_form *f,
                         policy_class_fn *fn, void *ctx)
{
    const struct reach_book *b = reach_ask_book(in);

    if (f->ns != NULL) {
        each_in(b, f, f->ns, fn, ctx);
        return;
    }
    for (uint32_t i = 0; i < cluster_ns_count(in->cluster); i++) {
        if (!each_in(b, f, cluster_ns_at(in->cluster, i), fn, ctx)) {
            return;
        }
    }
}

void policy_each_subject_in(const struct rule_input *in, const struct policy_form *f,
                            const struct ns *ns, policy_class_fn *fn, void *ctx)
{
    each_in(reach_ask_book(in), f, ns, fn, ctx);
}

static bool selects_any(const struct selector *s)
{
    return s == NULL || (s->count == 0 && s->malformed == NULL);
}

bool policy_selects_all(const struct policy_form *f)
{
    return selects_any(f->pods) && selects_any(f->service_account) &&
           (f->ns != NULL || selects_any(f->namespaces));
}

/* ---- peers ---- */

struct search {
    const struct reach_book *book;
    const struct form_peer *peer;
    bool namespace_only; /* any pod of the namespaces will do, even none */
    bool namespaces, pods_there, on_host, found;
};

static void search_in(struct search *s, const struct ns *ns)
{
    if (!reach_namespace_matches(s->peer->namespaces, ns)) {
        return;
    }
    if (ns->object != NULL || s->peer->own_namespace) { /* else it is only spoken of */
        s->namespaces = true;
        s->found = s->found || s->namespace_only;
    }
    for (size_t i = 0; i < ns->classes.len && !s->found; i++) {
        const struct pod_class *pc = ns->classes.items[i];
        const struct label_view labels = { .set = pc->labels };
        s->pods_there = true;
        if (!workload_class_counts(pc->workload, pc) ||
            !reach_pods_match(s->book, s->peer->pods, &labels) ||
            !reach_account_matches(s->peer->service_account, pc->shape->service_account)) {
            continue;
        }
        s->on_host = s->on_host || pc->shape->host_network;
        s->found = !pc->shape->host_network;
    }
}

enum peer_found policy_peer_find(const struct rule_input *in, const struct policy_form *f,
                                 const struct form_peer *peer)
{
    struct search s = { .book = reach_ask_book(in), .peer = peer };
    bool own = peer->own_namespace && f->ns != NULL;

    s.namespace_only = selects_any(peer->pods) && selects_any(peer->service_account);
    if (own) {
        search_in(&s, f->ns);
    }
    for (uint32_t i = 0; !own && !s.found && i < cluster_ns_count(in->cluster); i++) {
        search_in(&s, cluster_ns_at(in->cluster, i));
    }
    if (s.found) {
        return PEER_FOUND;
    }
    if (!own && !s.pods_there && !cluster_complete(in->cluster)) {
        return PEER_NOT_IN_INPUT;
    }
    return s.on_host ? PEER_ON_HOST_ONLY : s.namespaces ? PEER_NO_POD : PEER_NO_NAMESPACE;
}

/* ---- everyone ---- */

static void cover_peer(struct label_cover *pods, struct world *outside, const struct form_peer *p,
                       unsigned *admits)
{
    switch (p->kind) {
    case FORM_PEER_EVERYONE:
        *admits |= ADMITS_ALL_PODS | ADMITS_OUTSIDE;
        return;
    case FORM_PEER_CLUSTER:
        *admits |= ADMITS_ALL_PODS;
        return;
    case FORM_PEER_WORLD:
        *admits |= p->family == 4   ? ADMITS_OUTSIDE_IPV4
                   : p->family == 6 ? ADMITS_OUTSIDE_IPV6
                                    : ADMITS_OUTSIDE;
        return;
    case FORM_PEER_BLOCK:
        world_add(outside, p->block);
        return;
    case FORM_PEER_PODS:
        if (p->own_namespace || p->relative != NULL || !selects_any(p->service_account)) {
            return;
        }
        label_cover_begin(pods);
        if (p->namespaces != NULL) {
            label_cover_and(pods, LABELS_OF_NAMESPACE, p->namespaces);
        }
        if (p->pods != NULL) {
            label_cover_and(pods, LABELS_OF_POD, p->pods);
        }
        return;
    case FORM_PEER_NODES:
    case FORM_PEER_MAYBE:
        return;
    }
}

unsigned policy_rules_admit(const struct form_rule *const *rules, size_t count)
{
    struct label_cover pods = { 0 };
    struct world outside = { 0 };
    unsigned admits = 0;

    for (size_t r = 0; r < count; r++) {
        for (uint32_t i = 0; i < rules[r]->peer_count; i++) {
            cover_peer(&pods, &outside, &rules[r]->peers[i], &admits);
        }
    }
    if (pods.clauses.len > 0 && label_cover_ask(&pods) == COVER_ALL) {
        admits |= ADMITS_ALL_PODS;
    }
    admits |= world_covered(&outside, 4) ? ADMITS_OUTSIDE_IPV4 : 0U;
    admits |= world_covered(&outside, 6) ? ADMITS_OUTSIDE_IPV6 : 0U;
    label_cover_deinit(&pods);
    world_deinit(&outside);
    return admits;
}

const char *policy_rule_field(struct arena *arena, const struct form_rule *r)
{
    return arena_printf(arena, "%s[%u]", r->section, r->index);
}
