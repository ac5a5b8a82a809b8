/* Would every pod of a namespace be isolated, whatever its labels? The selectors of what denies by
 * default must together match every label set. Whether some label set is let through all the same
 * is tried: without labels, with those of every class, with those that a selector leaves out. */
#include <string.h>

#include "rules/reach_private.h"

enum { EXCLUDED_MAX_SETS = 256 };

struct form_list {
    VEC(const struct policy_form *) v;
};

struct bearing { /* the forms that bear on a namespace in a direction */
    struct reach_memo *memo;
    const struct ns *ns;
    enum direction direction;
    struct form_list all, every_pod /* those whose subject is every pod of it */;
    const struct policy_form *unclear;
};

static bool selects_every_pod(const struct policy_form *f)
{
    return (f->pods == NULL || f->pods->count == 0) && f->service_account == NULL;
}

static void take_form(void *ctx, const struct policy_form *f)
{
    struct bearing *b = ctx;

    if (!form_bears(f, b->direction)) {
        return;
    }
    if (f->unclear[b->direction] != NULL || f->doubt != NULL) {
        b->unclear = b->unclear == NULL ? f : b->unclear;
        return;
    }
    vec_push(&b->all.v, f);
    if (selects_every_pod(f)) {
        vec_push(&b->every_pod.v, f);
    }
}

static bool denies_alone(const struct bearing *b, const struct policy_form *const *forms,
                         size_t count)
{
    struct reach_answer answer;

    if (count == 0) {
        return false;
    }
    if (count == 1 && forms[0]->stage == STAGE_POLICY) {
        return forms[0]->isolates[b->direction];
    }
    reach_recall_verdict(b->memo, reach_lineup_from(b->memo->book, forms, count, b->direction),
                         b->ns, NULL, b->direction, &answer);
    return answer.reach == REACH_ISOLATED || answer.reach == REACH_SELECTED_BUT_OPEN;
}

static enum cover_answer selectors_cover(const struct bearing *b)
{
    struct label_cover *c = &b->memo->cover;

    if (denies_alone(b, b->every_pod.v.items, b->every_pod.v.len)) {
        return COVER_ALL;
    }
    label_cover_reset(c);
    for (size_t i = 0; i < b->all.v.len; i++) {
        const struct policy_form *f = b->all.v.items[i];
        if (denies_alone(b, &f, 1)) {
            label_cover_begin(c);
            label_cover_and(c, LABELS_OF_POD, f->pods);
            label_cover_and(c, LABELS_OF_SERVICE_ACCOUNT, f->service_account);
        }
    }
    return label_cover_ask(c);
}

static void judge_view(const struct bearing *b, const struct label_view *labels,
                       struct reach_answer *out)
{
    reach_recall_verdict(b->memo, reach_lineup_of(b->memo->book, b->ns, labels, b->direction),
                         b->ns, NULL, b->direction, out);
}

static void keep_worse(struct reach_answer *worst, const struct reach_answer *answer)
{
    unsigned open_to = worst->open_to | answer->open_to;

    if (reach_compare(answer, worst) > 0) {
        *worst = *answer;
    }
    worst->open_to = open_to;
}

/* Label sets that a NotIn or DoesNotExist leaves out: whoever carries them escapes that selector.
 */
static void try_excluded(const struct bearing *b, struct reach_answer *worst)
{
    unsigned tried = 0;

    for (size_t i = 0; i < b->all.v.len; i++) {
        const struct selector *sel = b->all.v.items[i]->pods;
        for (uint32_t r = 0; sel != NULL && r < sel->count; r++) {
            const struct selector_requirement *req = &sel->requirements[r];
            uint32_t n = req->op == SELECTOR_NOT_IN           ? req->value_count
                         : req->op == SELECTOR_DOES_NOT_EXIST ? 1
                                                              : 0;
            for (uint32_t v = 0; v < n && tried < EXCLUDED_MAX_SETS; v++, tried++) {
                const struct label_view labels = {
                    .key = req->key, .value = req->op == SELECTOR_NOT_IN ? req->values[v] : NULL
                };
                struct reach_answer answer;
                judge_view(b, &labels, &answer);
                keep_worse(worst, &answer);
            }
        }
    }
}

static void try_classes(const struct bearing *b, struct reach_answer *worst)
{
    for (size_t i = 0; i < b->ns->classes.len; i++) {
        const struct pod_class *pc = b->ns->classes.items[i];
        struct reach_answer answer;
        if (pc->shape->host_network || !workload_class_counts(pc->workload, pc)) {
            continue;
        }
        reach_class(b->memo, pc, b->direction, &answer);
        keep_worse(worst, &answer);
        if (worst->reach == REACH_OPEN) {
            return; /* nothing is worse, and it has no deciders to choose between */
        }
    }
}

static void unclear(const struct bearing *b, struct reach_answer *out)
{
    *out = (struct reach_answer){ .reach = REACH_UNKNOWN,
                                  .why = b->unclear->unclear[b->direction] != NULL
                                             ? b->unclear->unclear[b->direction]
                                             : b->unclear->doubt };
    reach_decide(out, b->unclear->policy);
}

static void judge(struct bearing *b, struct reach_answer *out)
{
    const struct label_view blank = { .set = NULL };
    enum cover_answer cover = selectors_cover(b);

    if (cover == COVER_NOT_ALL) {
        *out = (struct reach_answer){ .reach = REACH_OPEN };
        if (b->unclear != NULL) { /* it might be the one that selects every pod */
            unclear(b, out);
        }
        return;
    }
    judge_view(b, &blank, out);
    try_excluded(b, out);
    try_classes(b, out);
    if (cover == COVER_TOO_HARD && out->reach == REACH_ISOLATED) {
        out->reach = REACH_UNKNOWN;
        out->why = EVERYONE_TOO_INTRICATE;
    }
    if (b->unclear != NULL && (out->reach == REACH_ISOLATED || out->reach == REACH_OPEN)) {
        unclear(b, out);
    }
}

void reach_namespace_unremembered(struct reach_memo *m, const struct ns *ns, enum direction d,
                                  struct reach_answer *out)
{
    struct bearing b = { .memo = m, .ns = ns, .direction = d };

    reach_each_form(m->book, ns, take_form, &b);
    judge(&b, out);
    vec_free(&b.all.v);
    vec_free(&b.every_pod.v);
}
