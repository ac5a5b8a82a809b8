/* The verdict follows from two questions about a line-up: does it deny by default, and does it let
 * everyone through all the same? What is admitted stays admitted whatever is not known; all else
 * that hangs on something not known is unknown. */
#include "rules/reach.h"

#include <string.h>

#include "rules/reach_private.h"

enum { ALONE_MAX_FORMS = 64 };

const char *reach_name(enum reach r)
{
    static const char *const names[] = { [REACH_ISOLATED] = "isolated",
                                         [REACH_OPEN] = "open",
                                         [REACH_SELECTED_BUT_OPEN] = "selected-but-open",
                                         [REACH_NOT_ISOLATABLE] = "not-isolatable",
                                         [REACH_UNKNOWN] = "unknown" };

    return names[r];
}

/* ---- who decided ---- */

static int by_name(const struct object *a, const struct object *b)
{
    int c = strcmp(a->name->text, b->name->text);

    c = c != 0 ? c : strcmp(str_text(a->ns), str_text(b->ns));
    return c != 0 ? c : (int)a->kind - (int)b->kind;
}

/* Keeps the first by name; the rest is counted. */
void reach_decide(struct reach_answer *out, const struct object *policy)
{
    if (policy == NULL) {
        return; /* of a family that is not modelled */
    }
    uint32_t kept =
        out->decider_count < REACH_DECIDERS_MAX ? out->decider_count : REACH_DECIDERS_MAX;
    uint32_t at = kept;

    while (at > 0 && by_name(out->deciders[at - 1], policy) > 0) {
        at--;
    }
    if (at > 0 && out->deciders[at - 1] == policy) {
        return; /* another of its rules */
    }
    for (uint32_t i = kept < REACH_DECIDERS_MAX ? kept : REACH_DECIDERS_MAX - 1; i > at; i--) {
        out->deciders[i] = out->deciders[i - 1];
    }
    if (at < REACH_DECIDERS_MAX) {
        out->deciders[at] = policy;
    }
    out->decider_count++;
}

static bool has_action(const struct policy_form *f, enum direction d, enum form_action action)
{
    for (uint32_t i = 0; i < f->rule_count[d]; i++) {
        if (f->rules[d][i].action == action) {
            return true;
        }
    }
    return false;
}

static bool denies_by_default(const struct policy_form *f, enum direction d)
{
    return (f->stage == STAGE_POLICY && f->isolates[d]) || has_action(f, d, FORM_DENY);
}

static bool is_unclear(const struct policy_form *f, enum direction d)
{
    if (f->unclear[d] != NULL || f->doubt != NULL) {
        return true;
    }
    for (uint32_t i = 0; i < f->rule_count[d]; i++) {
        for (uint32_t k = 0; k < f->rules[d][i].peer_count; k++) {
            if (f->rules[d][i].peers[k].kind == FORM_PEER_MAYBE) {
                return true;
            }
        }
    }
    return false;
}

enum decider_role { ROLE_DENIES, ROLE_ALLOWS, ROLE_UNCLEAR, ROLE_ANY };

static bool has_role(const struct policy_form *f, enum direction d, enum decider_role role)
{
    switch (role) {
    case ROLE_DENIES:
        return denies_by_default(f, d);
    case ROLE_ALLOWS:
        return has_action(f, d, FORM_ALLOW);
    case ROLE_UNCLEAR:
        return is_unclear(f, d);
    case ROLE_ANY:
        break;
    }
    return true;
}

static void decide_all(const struct lineup *l, enum direction d, enum decider_role role,
                       struct reach_answer *out)
{
    for (size_t i = 0; i < lineup_count(l); i++) {
        if (has_role(lineup_at(l, i), d, role)) {
            reach_decide(out, lineup_at(l, i)->policy);
        }
    }
}

/* ---- the two questions ---- */

struct denial { /* of everyone, by default */
    enum everyone pods, outside;
    unsigned open_families; /* outside: bits of enum open_to where it is not denied */
    unsigned unused;        /* of families not in use where it is not denied: nobody's to admit */
    const char *why;
};

/* The policy stage alone denies all or nothing, unless something of it denies by name. */
static bool denies_in_part(const struct lineup *l, enum direction d)
{
    for (size_t i = 0; i < lineup_count(l); i++) {
        if (lineup_at(l, i)->stage != STAGE_POLICY ||
            (!lineup_isolates(l) && has_action(lineup_at(l, i), d, FORM_DENY))) {
            return true;
        }
    }
    return false;
}

/* Why the policy stage may isolate, where nothing says for certain that it does. */
static const char *unclear_of(const struct lineup *l, enum direction d)
{
    for (size_t i = 0; i < lineup_count(l); i++) {
        const struct policy_form *f = lineup_at(l, i);
        if (f->unclear[d] != NULL || (f->doubt != NULL && f->isolates[d])) {
            return f->unclear[d] != NULL ? f->unclear[d] : f->doubt;
        }
    }
    return NULL;
}

static void ask_outside_denial(struct reach_memo *m, const struct everyone_question *q,
                               struct denial *out)
{
    static const struct {
        unsigned bit, open;
        int family;
    } families[] = { { FAMILY_IPV4_BIT, OPEN_TO_OUTSIDE_IPV4, 4 },
                     { FAMILY_IPV6_BIT, OPEN_TO_OUTSIDE_IPV6, 6 } };
    const char *ignored = NULL;

    out->outside = EVERYONE_YES;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        bool used = q->families & families[i].bit;
        const char **why = used ? &out->why : &ignored;
        enum everyone denied = everyone_outside(&m->space, q, families[i].family, why);
        if (!used) {
            out->unused |= denied == EVERYONE_NO ? families[i].open : 0;
            continue;
        }
        if (denied == EVERYONE_NO) {
            out->outside = EVERYONE_NO;
            out->open_families |= families[i].open;
        } else if (denied == EVERYONE_UNKNOWN && out->outside == EVERYONE_YES) {
            out->outside = EVERYONE_UNKNOWN;
        }
    }
}

static struct denial ask_denial(struct reach_memo *m, struct everyone_question *q)
{
    struct denial d = { .pods = EVERYONE_NO, .outside = EVERYONE_NO };

    q->goal = GOAL_DENIED_BY_DEFAULT;
    if (!denies_in_part(q->lineup, q->direction)) {
        d.why = unclear_of(q->lineup, q->direction);
        d.pods = lineup_isolates(q->lineup) ? EVERYONE_YES
                 : d.why != NULL            ? EVERYONE_UNKNOWN
                                            : EVERYONE_NO;
        d.outside = d.pods;
        return d;
    }
    q->families = reach_families(m);
    d.pods = everyone_pods(&m->space, q, &d.why);
    ask_outside_denial(m, q, &d);
    return d;
}

struct admission {
    unsigned open_to;
    bool unknown;
    const char *why;
};

static void add_admission(struct admission *a, enum everyone answer, unsigned bit, const char *why)
{
    if (answer == EVERYONE_YES) {
        a->open_to |= bit;
    } else if (answer == EVERYONE_UNKNOWN) {
        a->unknown = true;
        a->why = why;
    }
}

/* `unused`: as in struct denial. */
static struct admission ask_admission(struct reach_memo *m, struct everyone_question *q,
                                      unsigned unused)
{
    static const enum everyone_goal goals[] = { GOAL_ADMITTED_TCP, GOAL_ADMITTED_UDP };
    struct admission a = { 0 };
    const char *why = NULL;

    q->families = reach_families(m);
    for (size_t i = 0; i < ARRAY_LEN(goals); i++) {
        q->goal = goals[i];
        add_admission(&a, everyone_pods(&m->space, q, &why), OPEN_TO_PODS, why);
        if (!(unused & OPEN_TO_OUTSIDE_IPV4)) {
            add_admission(&a, everyone_outside(&m->space, q, 4, &why), OPEN_TO_OUTSIDE_IPV4, why);
        }
        if (!(unused & OPEN_TO_OUTSIDE_IPV6)) {
            add_admission(&a, everyone_outside(&m->space, q, 6, &why), OPEN_TO_OUTSIDE_IPV6, why);
        }
    }
    return a;
}

/* ---- the verdict ---- */

/* The policies that admit everyone, each alone; where none does, all that allow anything. */
static void decide_openers(struct reach_memo *m, const struct everyone_question *q,
                           struct reach_answer *out)
{
    size_t n = lineup_count(q->lineup);

    for (size_t i = 0; i < n && i < ALONE_MAX_FORMS; i++) {
        const struct policy_form *f = lineup_at(q->lineup, i);
        struct everyone_question alone = *q;
        if (!has_action(f, q->direction, FORM_ALLOW)) {
            continue;
        }
        alone.lineup = n == 1 ? q->lineup : reach_lineup_from(m->book, &f, 1, q->direction);
        if (ask_admission(m, &alone, 0).open_to != 0) {
            reach_decide(out, f->policy);
        }
    }
    if (out->decider_count == 0) {
        decide_all(q->lineup, q->direction, ROLE_ALLOWS, out);
    }
    if (out->decider_count == 0) { /* tiers that deny pods alone */
        decide_all(q->lineup, q->direction, ROLE_ANY, out);
    }
}

void reach_lineup_verdict(struct reach_memo *m, const struct lineup *l, const struct ns *ns,
                          const struct pod_shape *shape, enum direction d, struct reach_answer *out)
{
    struct everyone_question q = {
        .book = m->book, .lineup = l, .direction = d, .shape = shape, .ns = ns
    };

    *out = (struct reach_answer){ .reach = REACH_OPEN,
                                  .open_to =
                                      OPEN_TO_PODS | OPEN_TO_OUTSIDE_IPV4 | OPEN_TO_OUTSIDE_IPV6 };
    if (lineup_count(l) == 0 && !lineup_isolates(l)) {
        return;
    }
    struct denial denial = ask_denial(m, &q);
    if (denial.pods == EVERYONE_NO && denial.outside == EVERYONE_NO) {
        return;
    }
    struct admission admission = ask_admission(m, &q, denial.unused);
    out->open_to = admission.open_to | denial.open_families;
    if (denial.pods == EVERYONE_NO) {
        out->open_to |= OPEN_TO_PODS;
    }
    if (out->open_to != 0) {
        out->reach = REACH_SELECTED_BUT_OPEN;
        decide_openers(m, &q, out);
        return;
    }
    if (denial.pods == EVERYONE_UNKNOWN || denial.outside == EVERYONE_UNKNOWN ||
        admission.unknown) {
        out->reach = REACH_UNKNOWN;
        out->why = denial.why != NULL ? denial.why : admission.why;
        decide_all(l, d, ROLE_UNCLEAR, out);
        if (out->decider_count == 0) {
            decide_all(l, d, ROLE_ANY, out);
        }
        return;
    }
    out->reach = REACH_ISOLATED;
    decide_all(l, d, ROLE_DENIES, out);
}

void reach_class(struct reach_memo *m, const struct pod_class *pc, enum direction d,
                 struct reach_answer *out)
{
    if (pc->shape->host_network) {
        *out = (struct reach_answer){ .reach = REACH_NOT_ISOLATABLE };
        return;
    }
    reach_recall_verdict(m, reach_lineup(m->book, pc, d), pc->ns, pc->shape, d, out);
}

/* ---- workloads ---- */

static int badness(enum reach r)
{
    static const int order[] = { [REACH_ISOLATED] = 0,
                                 [REACH_NOT_ISOLATABLE] = 1,
                                 [REACH_UNKNOWN] = 2,
                                 [REACH_SELECTED_BUT_OPEN] = 3,
                                 [REACH_OPEN] = 4 };

    return order[r];
}

int reach_compare(const struct reach_answer *a, const struct reach_answer *b)
{
    if (a->reach != b->reach) {
        return badness(a->reach) < badness(b->reach) ? -1 : 1;
    }
    for (uint32_t i = 0; i < REACH_DECIDERS_MAX; i++) {
        if (i >= a->decider_count || i >= b->decider_count) {
            break;
        }
        int c = by_name(a->deciders[i], b->deciders[i]);
        if (c != 0) {
            return c > 0 ? -1 : 1;
        }
    }
    if (a->decider_count != b->decider_count) {
        return a->decider_count < b->decider_count ? -1 : 1;
    }
    return a->open_to == b->open_to ? 0 : a->open_to < b->open_to ? -1 : 1;
}

void reach_workload_unremembered(struct reach_memo *m, const struct workload *w, enum direction d,
                                 struct reach_answer *out)
{
    unsigned open_to = 0;
    bool any = false;

    for (size_t i = 0; i < w->classes.len; i++) {
        struct reach_answer answer;
        if (!workload_class_counts(w, w->classes.items[i])) {
            continue;
        }
        reach_class(m, w->classes.items[i], d, &answer);
        open_to |= answer.open_to;
        if (!any || reach_compare(&answer, out) > 0) {
            *out = answer;
        }
        any = true;
    }
    if (!any) { /* neither a template nor a pod is known */
        const struct label_view labels = { .set = w->pod_labels };
        reach_recall_verdict(m, reach_lineup_of(m->book, w->ns, &labels, d), w->ns, NULL, d, out);
        return;
    }
    out->open_to = open_to;
}
