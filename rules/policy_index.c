/* Most selectors name a label with one value. Such a policy is found by that label, so that a pod
 * is compared with the few policies that can select it and not with the thousand of its namespace.
 */
#include "rules/policy_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int by_label(const struct str *ak, const struct str *av, const struct str *bk,
                    const struct str *bv)
{
    if (ak != bk) {
        return (uintptr_t)ak < (uintptr_t)bk ? -1 : 1;
    }
    return av == bv ? 0 : (uintptr_t)av < (uintptr_t)bv ? -1 : 1;
}

static int by_anchor(const void *a, const void *b)
{
    const struct policy_anchor *x = a, *y = b;

    return by_label(x->key, x->value, y->key, y->value);
}

static int by_name(const void *a, const void *b)
{
    const struct network_policy *x = *(const struct network_policy *const *)a;
    const struct network_policy *y = *(const struct network_policy *const *)b;

    return strcmp(str_text(x->head.name), str_text(y->head.name));
}

static void sort_by_name(struct policy_vec *p)
{
    if (p->v.len > 1) {
        qsort(p->v.items, p->v.len, sizeof(p->v.items[0]), by_name);
    }
}

static const struct selector_requirement *anchor_of(const struct selector *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->requirements[i].op == SELECTOR_IN && s->requirements[i].value_count == 1) {
            return &s->requirements[i];
        }
    }
    return NULL;
}

void policy_index_init(struct policy_index *x, const struct ns *ns)
{
    memset(x, 0, sizeof(*x));
    x->ns = ns;
    for (size_t i = 0; i < ns->policies.len; i++) {
        const struct network_policy *p = ns->policies.items[i];
        if (p->malformed != NULL) {
            vec_push(&x->malformed.v, p);
            continue;
        }
        const struct selector_requirement *anchor = anchor_of(p->pods);
        if (anchor != NULL) {
            vec_push(&x->anchored, ((struct policy_anchor){ anchor->key, anchor->values[0], p }));
        } else {
            vec_push(&x->loose.v, p);
        }
        if (p->ingress) {
            vec_push(&x->isolating[DIRECTION_INGRESS].v, p);
        }
        if (p->egress) {
            vec_push(&x->isolating[DIRECTION_EGRESS].v, p);
        }
    }
    if (x->anchored.len > 1) {
        qsort(x->anchored.items, x->anchored.len, sizeof(x->anchored.items[0]), by_anchor);
    }
    sort_by_name(&x->malformed);
    sort_by_name(&x->isolating[DIRECTION_INGRESS]);
    sort_by_name(&x->isolating[DIRECTION_EGRESS]);
}

void policy_index_deinit(struct policy_index *x)
{
    vec_free(&x->anchored);
    vec_free(&x->loose.v);
    vec_free(&x->malformed.v);
    vec_free(&x->isolating[DIRECTION_INGRESS].v);
    vec_free(&x->isolating[DIRECTION_EGRESS].v);
}

/* ---- selecting ---- */

static const struct str *get_from_view(void *ctx, const struct str *key)
{
    static const struct str unheard_of; /* equal to no interned string */
    const struct label_view *labels = ctx;

    if (labels->set != NULL) {
        return label_set_get(labels->set, key);
    }
    if (labels->key == NULL || labels->key != key) {
        return NULL;
    }
    return labels->value != NULL ? labels->value : &unheard_of;
}

bool view_matches(const struct selector *s, const struct label_view *labels)
{
    return labels->set != NULL ? selector_matches(s, labels->set)
                               : selector_matches_get(s, get_from_view, (void *)(uintptr_t)labels);
}

static bool isolates(const struct network_policy *p, enum direction d)
{
    return d == DIRECTION_INGRESS ? p->ingress : p->egress;
}

static void take_anchored(const struct policy_index *x, const struct str *key,
                          const struct str *value, const struct label_view *labels,
                          enum direction d, struct policy_vec *out)
{
    size_t lo = 0, hi = x->anchored.len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct policy_anchor *a = &x->anchored.items[mid];
        if (by_label(a->key, a->value, key, value) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < x->anchored.len; lo++) {
        const struct policy_anchor *a = &x->anchored.items[lo];
        if (a->key != key || a->value != value) {
            break;
        }
        if (isolates(a->policy, d) && view_matches(a->policy->pods, labels)) {
            vec_push(&out->v, a->policy);
        }
    }
}

void policy_index_select(const struct policy_index *x, const struct label_view *labels,
                         enum direction d, struct policy_vec *out)
{
    out->v.len = 0;
    for (size_t i = 0; i < x->loose.v.len; i++) {
        const struct network_policy *p = x->loose.v.items[i];
        if (isolates(p, d) && view_matches(p->pods, labels)) {
            vec_push(&out->v, p);
        }
    }
    if (labels->set == NULL) {
        if (labels->key != NULL && labels->value != NULL) {
            take_anchored(x, labels->key, labels->value, labels, d, out);
        }
    } else {
        for (uint32_t i = 0; i < labels->set->count; i++) {
            take_anchored(x, labels->set->items[i].key, labels->set->items[i].value, labels, d,
                          out);
        }
    }
    sort_by_name(out);
}

/* Only its first fault is known, so that nothing of a malformed policy counts, but for the
 * directions that it is about. */
bool policy_might_touch(const struct network_policy *p, enum direction d)
{
    return isolates(p, d) || text_starts(p->malformed->text, "spec.policyTypes");
}

const struct network_policy *policy_index_unclear(const struct policy_index *x,
                                                  const struct label_view *labels, enum direction d)
{
    for (size_t i = 0; i < x->malformed.v.len; i++) {
        const struct network_policy *p = x->malformed.v.items[i];
        if (policy_might_touch(p, d) &&
            (p->pods == NULL || p->pods->malformed != NULL || view_matches(p->pods, labels))) {
            return p;
        }
    }
    return NULL;
}
