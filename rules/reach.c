/* Isolation by NetworkPolicy v1. A label set is open when no policy of the direction selects it;
 * else isolated, unless the allows together admit everyone. Malformed policies leave only what they
 * cannot change: who is admitted already stays admitted, all else is unknown. */
#include "rules/reach.h"

#include <string.h>

#include "rules/policy_index.h"
#include "rules/reach_private.h"

enum { ALONE_MAX_POLICIES = 64, EXCLUDED_MAX_SETS = 256 };

#define TOO_INTRICATE "the label selectors of the policies are too intricate to be judged"

const char *reach_name(enum reach r)
{
    static const char *const names[] = { [REACH_ISOLATED] = "isolated",
                                         [REACH_OPEN] = "open",
                                         [REACH_SELECTED_BUT_OPEN] = "selected-but-open",
                                         [REACH_NOT_ISOLATABLE] = "not-isolatable",
                                         [REACH_UNKNOWN] = "unknown" };

    return names[r];
}

void reach_space_deinit(struct reach_space *s)
{
    open_space_deinit(&s->open);
    vec_free(&s->selecting.v);
    label_cover_deinit(&s->cover);
}

static void decide(struct reach_answer *out, const struct network_policy *p)
{
    if (out->decider_count < REACH_DECIDERS_MAX) {
        out->deciders[out->decider_count] = &p->head;
    }
    out->decider_count++;
}

static void decide_all(struct reach_answer *out, const struct policy_vec *policies)
{
    for (size_t i = 0; i < policies->v.len; i++) {
        decide(out, policies->v.items[i]);
    }
}

static void unknown(struct reach_answer *out, const char *why)
{
    out->reach = REACH_UNKNOWN;
    out->why = why;
}

static enum openness ask_open(struct reach_space *s, const struct network_policy *const *policies,
                              size_t count, enum direction d, const struct pod_shape *shape)
{
    const struct open_question q = { .policies = policies,
                                     .count = count,
                                     .direction = d,
                                     .shape = d == DIRECTION_INGRESS ? shape : NULL };

    return policies_openness(&s->open, &q);
}

static bool has_rules(const struct network_policy *p, enum direction d)
{
    return (d == DIRECTION_INGRESS ? p->ingress_count : p->egress_count) > 0;
}

/* The policies that admit everyone, each alone; where none does, all that allow anything. */
static void decide_openers(struct reach_space *s, const struct policy_vec *selecting,
                           enum direction d, const struct pod_shape *shape,
                           struct reach_answer *out)
{
    for (size_t i = 0; i < selecting->v.len && i < ALONE_MAX_POLICIES; i++) {
        if (ask_open(s, &selecting->v.items[i], 1, d, shape) == OPENNESS_YES) {
            decide(out, selecting->v.items[i]);
        }
    }
    if (out->decider_count > 0) {
        return;
    }
    for (size_t i = 0; i < selecting->v.len; i++) {
        if (has_rules(selecting->v.items[i], d)) {
            decide(out, selecting->v.items[i]);
        }
    }
}

/* Nothing that the policies of the namespace allow in this direction, all of them together, admits
 * everyone: then no label set is open. Asked once for all pods. */
static enum openness upper_bound(struct reach_space *s, struct policy_index *x, enum direction d)
{
    if (!x->bound_known[d]) {
        const struct policy_vec *all = &x->isolating[d];
        const struct open_question q = { .policies = all->v.items,
                                         .count = all->v.len,
                                         .direction = d,
                                         .named_ports_admit_all = d == DIRECTION_INGRESS };
        x->bound[d] = policies_openness(&s->open, &q);
        x->bound_known[d] = true;
    }
    return x->bound[d];
}

static void judge_labels(struct reach_space *s, struct policy_index *x,
                         const struct label_view *labels, const struct pod_shape *shape,
                         enum direction d, struct reach_answer *out)
{
    const struct network_policy *unclear = policy_index_unclear(x, labels, d);
    enum openness open = OPENNESS_NO;

    *out = (struct reach_answer){ .reach = REACH_ISOLATED };
    policy_index_select(x, labels, d, &s->selecting);
    if (s->selecting.v.len > 0 && upper_bound(s, x, d) != OPENNESS_NO) {
        open = ask_open(s, s->selecting.v.items, s->selecting.v.len, d, shape);
    }
    if (open == OPENNESS_YES) {
        out->reach = REACH_SELECTED_BUT_OPEN;
        decide_openers(s, &s->selecting, d, shape, out);
    } else if (unclear != NULL) {
        unknown(out, unclear->malformed->text);
        decide(out, unclear);
    } else if (open == OPENNESS_TOO_HARD) {
        unknown(out, TOO_INTRICATE);
        decide_all(out, &s->selecting);
    } else if (s->selecting.v.len == 0) {
        out->reach = REACH_OPEN;
    } else {
        decide_all(out, &s->selecting);
    }
}

void reach_class_in(struct reach_space *s, struct policy_index *x, const struct pod_class *pc,
                    enum direction d, struct reach_answer *out)
{
    const struct label_view labels = { .set = pc->labels };

    if (pc->shape->host_network) {
        *out = (struct reach_answer){ .reach = REACH_NOT_ISOLATABLE };
        return;
    }
    judge_labels(s, x, &labels, pc->shape, d, out);
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

/* Between equally bad answers the choice must not depend on the order of the classes. */
static int compare_answers(const struct reach_answer *a, const struct reach_answer *b)
{
    if (a->reach != b->reach) {
        return badness(a->reach) < badness(b->reach) ? -1 : 1;
    }
    for (uint32_t i = 0; i < REACH_DECIDERS_MAX; i++) {
        if (i >= a->decider_count || i >= b->decider_count) {
            break;
        }
        int c = strcmp(a->deciders[i]->name->text, b->deciders[i]->name->text);
        if (c != 0) {
            return c > 0 ? -1 : 1;
        }
    }
    return a->decider_count == b->decider_count ? 0 : a->decider_count < b->decider_count ? -1 : 1;
}

void reach_workload_in(struct reach_space *s, struct policy_index *x, const struct workload *w,
                       enum direction d, struct reach_answer *out)
{
    bool any = false;

    for (size_t i = 0; i < w->classes.len; i++) {
        struct reach_answer answer;
        if (!workload_class_counts(w, w->classes.items[i])) {
            continue;
        }
        reach_class_in(s, x, w->classes.items[i], d, &answer);
        if (!any || compare_answers(&answer, out) > 0) {
            *out = answer;
        }
        any = true;
    }
    if (!any) { /* neither a template nor a pod is known */
        const struct label_view labels = { .set = w->pod_labels };
        judge_labels(s, x, &labels, NULL, d, out);
    }
}

/* ---- namespaces ---- */

/* Keeps the worse of two answers about label sets that are not classes: isolated is as good as
 * nothing. */
static void keep_worse(struct reach_answer *worst, const struct reach_answer *answer)
{
    if (compare_answers(answer, worst) > 0) {
        *worst = *answer;
    }
}

/* Label sets that a NotIn or DoesNotExist leaves out: whoever carries them escapes that selector.
 */
static void try_excluded(struct reach_space *s, struct policy_index *x, enum direction d,
                         struct reach_answer *worst)
{
    unsigned tried = 0;

    for (size_t i = 0; i < x->isolating[d].v.len; i++) {
        const struct selector *sel = x->isolating[d].v.items[i]->pods;
        for (uint32_t r = 0; r < sel->count; r++) {
            const struct selector_requirement *req = &sel->requirements[r];
            uint32_t n = req->op == SELECTOR_NOT_IN           ? req->value_count
                         : req->op == SELECTOR_DOES_NOT_EXIST ? 1
                                                              : 0;
            for (uint32_t v = 0; v < n && tried < EXCLUDED_MAX_SETS; v++, tried++) {
                const struct label_view labels = {
                    .key = req->key, .value = req->op == SELECTOR_NOT_IN ? req->values[v] : NULL
                };
                struct reach_answer answer;
                judge_labels(s, x, &labels, NULL, d, &answer);
                keep_worse(worst, &answer);
            }
        }
    }
}

static void try_classes(struct reach_space *s, struct policy_index *x, enum direction d,
                        struct reach_answer *worst)
{
    for (size_t i = 0; i < x->ns->classes.len; i++) {
        const struct pod_class *pc = x->ns->classes.items[i];
        struct reach_answer answer;
        if (pc->shape->host_network || !workload_class_counts(pc->workload, pc)) {
            continue;
        }
        reach_class_in(s, x, pc, d, &answer);
        keep_worse(worst, &answer);
        if (worst->reach == REACH_OPEN) {
            return; /* nothing is worse, and it has no deciders to choose between */
        }
    }
}

static enum cover_answer selectors_cover(struct reach_space *s, const struct policy_vec *policies)
{
    label_cover_reset(&s->cover);
    for (size_t i = 0; i < policies->v.len; i++) {
        label_cover_begin(&s->cover);
        label_cover_and(&s->cover, LABELS_OF_POD, policies->v.items[i]->pods);
    }
    return label_cover_ask(&s->cover);
}

static const struct network_policy *any_unclear(const struct policy_index *x, enum direction d)
{
    for (size_t i = 0; i < x->malformed.v.len; i++) {
        if (policy_might_touch(x->malformed.v.items[i], d)) {
            return x->malformed.v.items[i];
        }
    }
    return NULL;
}

void reach_namespace_in(struct reach_space *s, struct policy_index *x, enum direction d,
                        struct reach_answer *out)
{
    const struct label_view blank = { .set = NULL };
    const struct network_policy *unclear = any_unclear(x, d);
    enum cover_answer cover = selectors_cover(s, &x->isolating[d]);

    if (cover == COVER_NOT_ALL) {
        *out = (struct reach_answer){ .reach = REACH_OPEN };
        if (unclear != NULL) { /* it might be the one that selects every pod */
            unknown(out, unclear->malformed->text);
            decide(out, unclear);
        }
        return;
    }
    judge_labels(s, x, &blank, NULL, d, out);
    if (upper_bound(s, x, d) != OPENNESS_NO || cover == COVER_TOO_HARD) {
        try_excluded(s, x, d, out);
        try_classes(s, x, d, out);
    }
    if (cover == COVER_TOO_HARD && out->reach == REACH_ISOLATED) {
        unknown(out, TOO_INTRICATE);
    }
    if (unclear != NULL && (out->reach == REACH_ISOLATED || out->reach == REACH_OPEN)) {
        *out = (struct reach_answer){ .reach = REACH_UNKNOWN, .why = unclear->malformed->text };
        decide(out, unclear);
    }
}

/* ---- without memory ---- */

void reach_class(const struct cluster *c, const struct pod_class *pc, enum direction d,
                 struct reach_answer *out)
{
    struct reach_space s = { 0 };
    struct policy_index x;

    (void)c;
    policy_index_init(&x, pc->ns);
    reach_class_in(&s, &x, pc, d, out);
    policy_index_deinit(&x);
    reach_space_deinit(&s);
}

void reach_workload(const struct cluster *c, const struct workload *w, enum direction d,
                    struct reach_answer *out)
{
    struct reach_space s = { 0 };
    struct policy_index x;

    (void)c;
    policy_index_init(&x, w->ns);
    reach_workload_in(&s, &x, w, d, out);
    policy_index_deinit(&x);
    reach_space_deinit(&s);
}

void reach_namespace_default(const struct cluster *c, const struct ns *ns, enum direction d,
                             struct reach_answer *out)
{
    struct reach_space s = { 0 };
    struct policy_index x;

    (void)c;
    policy_index_init(&x, ns);
    reach_namespace_in(&s, &x, d, out);
    policy_index_deinit(&x);
    reach_space_deinit(&s);
}
