/* What is possible for the traffic with one peer. Four port sets go through the stages: undecided,
 * passed, allowed, denied; a port may be in several where something is not known, and each is exact
 * as long as the unknown things do not hang on each other. */
#include "rules/lineup_private.h"

struct possible {
    port_set undecided, passed, allowed, denied;
};

struct evaluation {
    struct reach_book *book;
    const struct lineup *lineup;
    const struct lineup_question *q;
    const char *construct;
};

#define OR(e, a, b)    port_set_or((e)->book->ports, (a), (b))
#define AND(e, a, b)   port_set_and((e)->book->ports, (a), (b))
#define MINUS(e, a, b) port_set_minus((e)->book->ports, (a), (b))

static void name_construct(struct evaluation *e, const char *construct)
{
    if (e->construct == NULL) {
        e->construct = construct;
    }
}

#define CONFLICT "policies of the same priority disagree"
#define ORDER    "the order of ClusterNetworkPolicy and AdminNetworkPolicy is not defined"
#define DIFFER   "implementations differ about Baseline rules beside a NetworkPolicy"

/* ---- tiers ---- */

static void apply_rule(struct evaluation *e, const struct policy_form *f,
                       const struct form_rule *rule, struct possible *p)
{
    struct rule_hit hit;
    port_set *action;

    if (p->undecided == PORTS_NONE || (rule->action == FORM_ALLOW && e->q->ignore_accepts)) {
        return;
    }
    hit = rule_hits(e->book, f, rule, e->q, &e->construct);
    if (hit.possible == PORTS_NONE) {
        return;
    }
    action = rule->action == FORM_ALLOW  ? &p->allowed
             : rule->action == FORM_DENY ? &p->denied
                                         : &p->passed;
    *action = OR(e, *action, AND(e, p->undecided, hit.possible));
    p->undecided = MINUS(e, p->undecided, hit.certain);
}

static struct possible apply_form(struct evaluation *e, const struct policy_form *f,
                                  port_set undecided)
{
    struct possible p = { .undecided = undecided };
    enum direction d = e->q->direction;

    if (f->unclear[d] != NULL) {
        name_construct(e, f->unclear[d]);
        return (struct possible){ undecided, undecided, undecided, undecided };
    }
    for (uint32_t i = 0; i < f->rule_count[d]; i++) {
        apply_rule(e, f, &f->rules[d][i], &p);
    }
    return p;
}

/* Two that come in no known order: either may be first, so that what each decides is possible, and
 * open is only what neither decides. */
static struct possible join_unordered(struct evaluation *e, struct possible a, struct possible b,
                                      const char *why)
{
    struct possible p = { .undecided = AND(e, a.undecided, b.undecided),
                          .passed = OR(e, a.passed, b.passed),
                          .allowed = OR(e, a.allowed, b.allowed),
                          .denied = OR(e, a.denied, b.denied) };

    if (AND(e, p.allowed, p.denied) != PORTS_NONE || AND(e, p.allowed, p.passed) != PORTS_NONE ||
        AND(e, p.denied, p.passed) != PORTS_NONE) {
        name_construct(e, why);
    }
    return p;
}

/* What one decided, then the next about what it left undecided. */
static struct possible then(struct evaluation *e, struct possible a, struct possible b)
{
    return (struct possible){ .undecided = b.undecided,
                              .passed = OR(e, a.passed, b.passed),
                              .allowed = OR(e, a.allowed, b.allowed),
                              .denied = OR(e, a.denied, b.denied) };
}

/* The forms [from, to) of one family and stage, in order of priority. */
static struct possible apply_family(struct evaluation *e, size_t from, size_t to, port_set open)
{
    struct possible all = { .undecided = open };

    for (size_t i = from; i < to;) {
        size_t k = i + 1;
        struct possible group = apply_form(e, e->lineup->forms[i], all.undecided);
        for (; k < to && e->lineup->forms[k]->priority == e->lineup->forms[i]->priority; k++) {
            group = join_unordered(e, group, apply_form(e, e->lineup->forms[k], all.undecided),
                                   CONFLICT);
        }
        all = then(e, all, group);
        i = k;
    }
    return all;
}

/* One tier: the families in it are sorted one behind the other. */
static struct possible apply_tier(struct evaluation *e, enum form_stage stage, port_set open)
{
    const struct lineup *l = e->lineup;
    struct possible all = { .undecided = open };
    size_t from = 0;
    bool first = true;

    while (from < l->count && l->forms[from]->stage != stage) {
        from++;
    }
    while (from < l->count && l->forms[from]->stage == stage) {
        size_t to = from;
        while (to < l->count && l->forms[to]->stage == stage &&
               l->forms[to]->family == l->forms[from]->family) {
            to++;
        }
        struct possible family = apply_family(e, from, to, open);
        all = first ? family : join_unordered(e, all, family, ORDER);
        first = false;
        from = to;
    }
    return all;
}

/* ---- the stage of NetworkPolicy and Cilium ---- */

struct united { /* what the policies of the stage say together */
    port_set allow, may_allow, deny, may_deny;
    bool isolates, may_isolate;
    bool by_network_policy; /* it is a NetworkPolicy that isolates */
};

static void unite_rule(struct evaluation *e, const struct policy_form *f,
                       const struct form_rule *rule, struct united *u)
{
    struct rule_hit hit = rule_hits(e->book, f, rule, e->q, &e->construct);

    if (rule->action == FORM_ALLOW) {
        u->may_allow = OR(e, u->may_allow, hit.possible);
        u->allow = OR(e, u->allow, hit.certain);
    } else {
        u->may_deny = OR(e, u->may_deny, hit.possible);
        u->deny = OR(e, u->deny, hit.certain);
    }
}

static void unite_form(struct evaluation *e, const struct policy_form *f, struct united *u)
{
    enum direction d = e->q->direction;

    if (f->unclear[d] != NULL) { /* it might isolate, and allow anything; Cilium's deny as well */
        name_construct(e, f->unclear[d]);
        u->may_isolate = true;
        u->may_allow = PORTS_ALL;
        u->may_deny = f->family == FAMILY_CILIUM ? PORTS_ALL : u->may_deny;
        return;
    }
    if (f->doubt != NULL && f->isolates[d]) {
        name_construct(e, f->doubt);
    }
    u->may_isolate = u->may_isolate || f->isolates[d];
    u->isolates = u->isolates || (f->isolates[d] && f->doubt == NULL);
    u->by_network_policy =
        u->by_network_policy || (f->isolates[d] && f->family == FAMILY_NETWORK_POLICY);
    for (uint32_t i = 0; i < f->rule_count[d]; i++) {
        unite_rule(e, f, &f->rules[d][i], u);
    }
}

/* SEMANTICS 3.8: what a NetworkPolicy does not allow, a Baseline Accept might. */
static port_set baseline_accepts(struct evaluation *e, port_set open)
{
    return open == PORTS_NONE || !e->lineup->has_cluster_baseline
               ? PORTS_NONE
               : apply_tier(e, STAGE_BASELINE, open).allowed;
}

static struct possible apply_policies(struct evaluation *e, port_set open)
{
    const struct lineup *l = e->lineup;
    struct united u = { .isolates = e->book->always_isolates };
    struct possible p = { 0 };

    u.may_isolate = u.isolates;
    for (size_t i = 0; i < l->count; i++) {
        if (l->forms[i]->stage == STAGE_POLICY) {
            unite_form(e, l->forms[i], &u);
        }
    }
    if (e->q->ignore_accepts) {
        u.allow = u.may_allow = PORTS_NONE;
    }
    p.denied = AND(e, open, u.may_deny);
    if (u.may_isolate) {
        port_set not_allowed = MINUS(e, open, u.allow);
        port_set accepted = u.by_network_policy && !e->q->ignore_accepts
                                ? baseline_accepts(e, not_allowed)
                                : PORTS_NONE;
        p.denied = OR(e, p.denied, not_allowed);
        p.allowed = MINUS(e, AND(e, open, u.may_allow), u.deny);
        if (accepted != PORTS_NONE) {
            name_construct(e, DIFFER);
            p.allowed = OR(e, p.allowed, MINUS(e, accepted, u.deny));
        }
    }
    if (!u.isolates) {
        p.undecided = MINUS(e, open, u.deny);
    }
    return p;
}

void lineup_evaluate(struct reach_book *b, const struct lineup *l, const struct lineup_question *q,
                     struct lineup_outcome *out)
{
    struct evaluation e = { .book = b, .lineup = l, .q = q };
    struct possible admin = apply_tier(&e, STAGE_ADMIN, PORTS_ALL);
    struct possible policies = apply_policies(&e, OR(&e, admin.undecided, admin.passed));
    struct possible baseline = apply_tier(&e, STAGE_BASELINE, policies.undecided);

    if (l->elsewhere_only && baseline.denied != PORTS_NONE) { /* SEMANTICS 3.8 */
        name_construct(&e, DIFFER);
        baseline.undecided = OR(&e, baseline.undecided, baseline.denied);
    }
    out->unmatched = OR(&e, baseline.undecided, baseline.passed);
    out->allowed =
        OR(&e, OR(&e, admin.allowed, policies.allowed), OR(&e, baseline.allowed, out->unmatched));
    out->denied = OR(&e, OR(&e, admin.denied, policies.denied), baseline.denied);
    out->construct = AND(&e, out->allowed, out->denied) != PORTS_NONE ? e.construct : NULL;
}

/* ---- questions about peers that are there ---- */

/* A host-network pod is no pod to policies: no port of it has a name. */
struct lineup_question lineup_question_of(enum direction d, struct match_peer *m)
{
    const struct pod_class *destination = d == DIRECTION_INGRESS      ? m->own
                                          : m->peer->kind == PEER_POD ? m->peer->pod_class
                                                                      : NULL;

    return (struct lineup_question){ .direction = d,
                                     .shape = destination != NULL ? destination->shape : NULL,
                                     .match = reach_match_peer,
                                     .ctx = m };
}

static struct side_answer ask_once(struct reach_book *b, const struct lineup *l, enum direction d,
                                   const struct pod_class *own, const struct reach_peer *peer,
                                   const char **construct)
{
    struct match_peer m = { .book = b, .own = own, .peer = peer };
    const struct lineup_question q = lineup_question_of(d, &m);
    struct lineup_outcome o;
    struct side_answer a;

    lineup_evaluate(b, l, &q, &o);
    a.allowed = port_set_minus(b->ports, o.allowed, o.denied);
    a.unknown = port_set_and(b->ports, o.allowed, o.denied);
    if (a.unknown != PORTS_NONE && *construct == NULL) {
        *construct = o.construct;
    }
    return a;
}

struct side_answer lineup_ask(struct reach_book *b, const struct lineup *l, enum direction d,
                              const struct pod_class *own, const struct reach_peer *peer,
                              const char **construct)
{
    const char *ignored = NULL;
    struct side_answer all = { PORTS_NONE, PORTS_NONE };

    construct = construct != NULL ? construct : &ignored;
    if (l == NULL || (l->count == 0 && !l->isolates)) {
        return (struct side_answer){ PORTS_ALL, PORTS_NONE };
    }
    if (!l->has_blocks || peer->address_count < 2) {
        return ask_once(b, l, d, own, peer, construct);
    }
    for (uint32_t i = 0; i < peer->address_count; i++) {
        struct reach_peer one = *peer;
        one.addresses = &peer->addresses[i];
        one.address_count = 1;
        struct side_answer a = ask_once(b, l, d, own, &one, construct);
        all.allowed = port_set_or(b->ports, all.allowed, a.allowed);
        all.unknown = port_set_or(b->ports, all.unknown, a.unknown);
    }
    all.unknown = port_set_minus(b->ports, all.unknown, all.allowed);
    return all;
}
