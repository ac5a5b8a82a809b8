/* The policies of a cluster in one form, found by the labels that they select. Most selectors name
 * a label with one value: such a form is found by that label, so that a pod is compared with the
 * few that can select it and not with the thousand of its namespace. */
#include <stdlib.h>
#include <string.h>

#include "rules/lineup_private.h"

enum { PORT_SETS_MAX = 65536 }; /* begun anew beyond: memory, not truth */

struct reach_book *reach_book_create(const struct cluster *c, const struct reach_options *options)
{
    struct reach_book *b = xcalloc(1, sizeof(*b));

    b->cluster = c;
    if (options != NULL) {
        b->options = *options;
    }
    b->ports = port_table_create();
    arena_init(&b->arena);
    return b;
}

void reach_book_forget(struct reach_book *b)
{
    HASH_CLEAR(hh, b->namespaces); /* the tables only; the entries are the arena's */
    HASH_CLEAR(hh, b->lineups);
    arena_reset(&b->arena);
    b->wide.v.len = 0;
    b->read = false;
    if (port_table_size(b->ports) > PORT_SETS_MAX) {
        port_table_destroy(b->ports);
        b->ports = port_table_create();
    }
}

void reach_book_destroy(struct reach_book *b)
{
    if (b != NULL) {
        reach_book_forget(b);
        arena_deinit(&b->arena);
        vec_free(&b->wide.v);
        vec_free(&b->draft.own.v);
        vec_free(&b->draft.anchored);
        vec_free(&b->draft.loose.v);
        vec_free(&b->draft.wide.v);
        vec_free(&b->scratch.v);
        vec_free(&b->objects.v);
        port_table_destroy(b->ports);
        free(b);
    }
}

struct port_table *reach_book_ports(struct reach_book *b)
{
    return b->ports;
}

/* ---- reading ---- */

static const struct {
    enum kind kind;
    enum policy_family family;
    bool by_name_only; /* live: enforced only where the configuration names it */
} wide_kinds[] = {
    { KIND_CLUSTER_NETWORK_POLICY, FAMILY_CLUSTER_NETWORK_POLICY, true },
    { KIND_ADMIN_NETWORK_POLICY, FAMILY_ADMIN_NETWORK_POLICY, true },
    { KIND_BASELINE_ADMIN_NETWORK_POLICY, FAMILY_ADMIN_NETWORK_POLICY, true },
    { KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, FAMILY_CILIUM, false },
};

/* SEMANTICS 1: what is enforced. */
static unsigned enforced_families(const struct reach_book *b)
{
    unsigned families = BIT(FAMILY_NETWORK_POLICY);

    if (b->options.families != 0) {
        return b->options.families;
    }
    for (size_t i = 0; i < ARRAY_LEN(wide_kinds); i++) {
        if (cluster_kind_served(b->cluster, wide_kinds[i].kind) &&
            (cluster_offline(b->cluster) || !wide_kinds[i].by_name_only)) {
            families |= BIT(wide_kinds[i].family);
        }
    }
    if (cluster_kind_served(b->cluster, KIND_CILIUM_NETWORK_POLICY)) {
        families |= BIT(FAMILY_CILIUM);
    }
    return families;
}

static struct form_options form_options_of(const struct reach_book *b)
{
    bool cilium = (b->enforced & BIT(FAMILY_CILIUM)) != 0;

    return (struct form_options){ .ports = b->ports,
                                  .enforced = b->enforced,
                                  .blocks_match_pods =
                                      b->options.ipblock_matches == BLOCKS_MATCH_PODS ||
                                      (b->options.ipblock_matches == BLOCKS_BY_FAMILY && !cilium) };
}

static int by_name(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a;
    const struct object *y = *(const struct object *const *)b;
    int c = strcmp(x->name->text, y->name->text);

    return c != 0 ? c : (int)x->kind - (int)y->kind;
}

/* Where the network plugin does not see a label unless it is told to, a form that asks for one may
 * select pods or not. */
static void add_doubtful(struct reach_book *b, struct policy_form *f)
{
    if (f->doubt == NULL && reach_names_hidden(b, f->pods)) {
        struct policy_form *twin = arena_alloc(&b->arena, sizeof(*twin));
        *twin = *f;
        twin->doubt = HIDDEN_LABEL;
        f->doubtful = twin;
    }
}

/* The forms of b->objects, by name, so that no answer depends on the order in which they came. */
static void make_forms(struct reach_book *b, struct form_vec *out, const struct ns *ns)
{
    const struct form_options options = form_options_of(b);

    if (b->objects.v.len > 1) {
        qsort(b->objects.v.items, b->objects.v.len, sizeof(b->objects.v.items[0]), by_name);
    }
    for (size_t i = 0; i < b->objects.v.len; i++) {
        policy_form_add(out, &b->arena, b->objects.v.items[i], ns, &options);
    }
    for (size_t i = 0; b->hides_labels && i < out->v.len; i++) {
        add_doubtful(b, &out->v.items[i]);
    }
}

/* Families that are not modelled and hold objects: any pod may be touched. */
static void add_unmodelled(struct reach_book *b)
{
    const char *const *names = cluster_unmodelled(b->cluster);

    for (size_t i = 0; names[i] != NULL; i++) {
        struct policy_form f = { .policy = NULL,
                                 .family = FAMILY_CILIUM, /* it may deny as well as allow */
                                 .stage = STAGE_POLICY };
        f.unclear[DIRECTION_INGRESS] = f.unclear[DIRECTION_EGRESS] =
            arena_printf(&b->arena, "%s is not modelled", names[i]);
        vec_push(&b->wide.v, f);
    }
}

void reach_book_read(struct reach_book *b)
{
    if (b->read) {
        return;
    }
    b->read = true;
    b->enforced = enforced_families(b);
    b->hides_labels = (b->enforced & BIT(FAMILY_CILIUM)) != 0;
    b->always_isolates = b->hides_labels && b->options.cilium_policy == CILIUM_ALWAYS;
    b->objects.v.len = 0;
    for (size_t i = 0; i < ARRAY_LEN(wide_kinds); i++) {
        const struct object_vec *objects = cluster_objects(b->cluster, wide_kinds[i].kind);
        for (size_t k = 0; k < objects->v.len; k++) {
            vec_push(&b->objects.v, objects->v.items[k]);
        }
    }
    make_forms(b, &b->wide, NULL);
    add_unmodelled(b);
}

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
    const struct form_anchor *x = a, *y = b;

    return by_label(x->key, x->value, y->key, y->value);
}

static const struct selector_requirement *anchor_of(const struct reach_book *b,
                                                    const struct policy_form *f)
{
    for (uint32_t i = 0; f->pods != NULL && f->pods->malformed == NULL && i < f->pods->count; i++) {
        const struct selector_requirement *r = &f->pods->requirements[i];
        if (r->op == SELECTOR_IN && r->value_count == 1 && !reach_label_hidden(b, r->key)) {
            return r;
        }
    }
    return NULL;
}

/* What a scratch array holds, as long as the arena lives. */
#define KEEP(b, to, from)                                                                          \
    do {                                                                                           \
        (to)->len = (to)->cap = (from)->len;                                                       \
        (to)->items = arena_alloc(&(b)->arena, ((from)->len + 1) * sizeof((to)->items[0]));        \
        if ((from)->len > 0) {                                                                     \
            memcpy((to)->items, (from)->items, (from)->len * sizeof((to)->items[0]));              \
        }                                                                                          \
        (from)->len = 0;                                                                           \
    } while (0)

static void read_own(struct reach_book *b, struct ns_forms *n)
{
    b->objects.v.len = 0;
    for (size_t i = 0; i < n->ns->policies.len; i++) {
        vec_push(&b->objects.v, &n->ns->policies.items[i]->head);
    }
    for (size_t i = 0; i < n->ns->cilium_policies.len; i++) {
        vec_push(&b->objects.v, &n->ns->cilium_policies.items[i]->head);
    }
    make_forms(b, &b->draft.own, n->ns);
    KEEP(b, &n->own.v, &b->draft.own.v);
}

/* A malformed selector: whom it selects is not known. */
static bool may_select_in(const struct policy_form *f, const struct ns *ns)
{
    return (f->namespaces != NULL && f->namespaces->malformed != NULL) ||
           reach_namespace_matches(f->namespaces, ns);
}

static void read_namespace(struct reach_book *b, struct ns_forms *n)
{
    struct ns_forms *draft = &b->draft;

    read_own(b, n);
    for (size_t i = 0; i < n->own.v.len; i++) {
        const struct policy_form *f = &n->own.v.items[i];
        const struct selector_requirement *anchor = anchor_of(b, f);
        if (!may_select_in(f, n->ns)) {
            continue; /* a Cilium policy that asks for labels that its namespace lacks */
        }
        if (anchor != NULL) {
            vec_push(&draft->anchored, ((struct form_anchor){ anchor->key, anchor->values[0], f }));
        } else {
            vec_push(&draft->loose.v, f);
        }
    }
    for (size_t i = 0; i < b->wide.v.len; i++) {
        if (may_select_in(&b->wide.v.items[i], n->ns)) {
            vec_push(&draft->wide.v, &b->wide.v.items[i]);
        }
    }
    KEEP(b, &n->anchored, &draft->anchored);
    KEEP(b, &n->loose.v, &draft->loose.v);
    KEEP(b, &n->wide.v, &draft->wide.v);
    if (n->anchored.len > 1) {
        qsort(n->anchored.items, n->anchored.len, sizeof(n->anchored.items[0]), by_anchor);
    }
}

static struct ns_forms *forms_of(struct reach_book *b, const struct ns *ns)
{
    struct ns_forms *n;

    reach_book_read(b);
    HASH_FIND(hh, b->namespaces, &ns, sizeof(ns), n);
    if (n == NULL) {
        n = arena_alloc(&b->arena, sizeof(*n));
        memset(n, 0, sizeof(*n));
        n->ns = ns;
        read_namespace(b, n);
        HASH_ADD(hh, b->namespaces, ns, sizeof(n->ns), n);
    }
    return n;
}

/* ---- line-ups ---- */

static int by_decision(const void *a, const void *b)
{
    const struct policy_form *x = *(const struct policy_form *const *)a;
    const struct policy_form *y = *(const struct policy_form *const *)b;

    if (x->stage != y->stage) {
        return x->stage < y->stage ? -1 : 1;
    }
    if (x->family != y->family) {
        return x->family < y->family ? -1 : 1;
    }
    if (x->priority != y->priority) {
        return x->priority < y->priority ? -1 : 1;
    }
    int c = x->policy != NULL && y->policy != NULL
                ? strcmp(x->policy->name->text, y->policy->name->text)
                : 0;
    return c != 0 ? c : x < y ? -1 : x > y ? 1 : 0; /* the rules of one policy stand in order */
}

bool form_bears(const struct policy_form *f, enum direction d)
{
    return f->isolates[d] || f->rule_count[d] > 0 || f->unclear[d] != NULL;
}

/* The flags that follow from the forms. */
static void describe(struct lineup *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct policy_form *f = l->forms[i];
        l->isolates = l->isolates || (f->isolates[l->direction] && f->doubt == NULL &&
                                      f->unclear[l->direction] == NULL);
        l->has_cluster_baseline =
            l->has_cluster_baseline ||
            (f->stage == STAGE_BASELINE && f->family == FAMILY_CLUSTER_NETWORK_POLICY);
        for (uint32_t r = 0; r < f->rule_count[l->direction]; r++) {
            const struct form_rule *rule = &f->rules[l->direction][r];
            l->names_ports = l->names_ports || rule->names_ports;
            for (uint32_t k = 0; k < rule->peer_count; k++) {
                l->relative = l->relative || rule->peers[k].relative != NULL;
                l->has_blocks = l->has_blocks || (rule->peers[k].kind == FORM_PEER_BLOCK &&
                                                  rule->peers[k].blocks_match_pods);
            }
        }
    }
}

/* The line-up of the forms in b->scratch, which bear in the direction. */
static const struct lineup *intern(struct reach_book *b, enum direction d, bool elsewhere_only)
{
    size_t n = b->scratch.v.len, bytes;
    struct lineup *l;

    if (n > 1) {
        qsort(b->scratch.v.items, n, sizeof(b->scratch.v.items[0]), by_decision);
    }
    /* The key: direction and flag as one more pointer, behind the forms. */
    uintptr_t flags = (uintptr_t)d * 2 + (elsewhere_only ? 1U : 0U);
    vec_push(&b->scratch.v, (const struct policy_form *)flags);
    bytes = (n + 1) * sizeof(b->scratch.v.items[0]);
    HASH_FIND(hh, b->lineups, b->scratch.v.items, bytes, l);
    if (l == NULL) {
        l = arena_alloc(&b->arena, sizeof(*l) + bytes);
        memset(l, 0, sizeof(*l));
        l->direction = d;
        l->elsewhere_only = elsewhere_only;
        l->count = n;
        memcpy(l->forms, b->scratch.v.items, bytes);
        describe(l);
        l->isolates = l->isolates || b->always_isolates;
        HASH_ADD_KEYPTR(hh, b->lineups, l->forms, bytes, l);
    }
    return l;
}

struct gathering { /* the forms that select some pods */
    struct reach_book *book;
    const struct label_view *labels;
    const struct str *account; /* NULL: one that no selector names */
    enum direction direction;
    bool isolated, elsewhere; /* by a NetworkPolicy, in the direction or in the other */
};

static void gather(struct gathering *g, const struct policy_form *f)
{
    enum direction other = g->direction == DIRECTION_INGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS;
    /* A malformed selector: whom it selects is not known. */
    enum form_match match = f->pods != NULL && f->pods->malformed != NULL
                                ? MATCH_YES
                                : reach_pods_match(g->book, f->pods, g->labels);

    if (match == MATCH_NO || !reach_account_matches(f->service_account, g->account)) {
        return;
    }
    f = match == MATCH_MAYBE && f->doubtful != NULL ? f->doubtful : f;
    if (f->family == FAMILY_NETWORK_POLICY && f->stage == STAGE_POLICY) {
        g->isolated = g->isolated || (f->isolates[g->direction] && f->doubt == NULL);
        g->elsewhere = g->elsewhere || f->isolates[other];
    }
    if (form_bears(f, g->direction)) {
        vec_push(&g->book->scratch.v, f);
    }
}

static void gather_anchored(struct gathering *g, const struct ns_forms *n, const struct str *key,
                            const struct str *value)
{
    size_t lo = 0, hi = n->anchored.len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct form_anchor *a = &n->anchored.items[mid];
        if (by_label(a->key, a->value, key, value) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < n->anchored.len; lo++) {
        const struct form_anchor *a = &n->anchored.items[lo];
        if (a->key != key || a->value != value) {
            break;
        }
        gather(g, a->form);
    }
}

static bool has_cluster_baseline(const struct reach_book *b)
{
    for (size_t i = 0; i < b->scratch.v.len; i++) {
        if (b->scratch.v.items[i]->stage == STAGE_BASELINE &&
            b->scratch.v.items[i]->family == FAMILY_CLUSTER_NETWORK_POLICY) {
            return true;
        }
    }
    return false;
}

static const struct lineup *gather_all(struct reach_book *b, const struct ns *ns,
                                       const struct label_view *labels, const struct str *account,
                                       enum direction d)
{
    const struct ns_forms *n = forms_of(b, ns);
    struct gathering g = { .book = b, .labels = labels, .account = account, .direction = d };

    b->scratch.v.len = 0;
    if (b->options.cilium_policy == CILIUM_NEVER && b->hides_labels) {
        return intern(b, d, false);
    }
    for (size_t i = 0; i < n->loose.v.len; i++) {
        gather(&g, n->loose.v.items[i]);
    }
    if (labels->set == NULL && labels->key != NULL && labels->value != NULL) {
        gather_anchored(&g, n, labels->key, labels->value);
    }
    for (uint32_t i = 0; labels->set != NULL && i < labels->set->count; i++) {
        gather_anchored(&g, n, labels->set->items[i].key, labels->set->items[i].value);
    }
    for (size_t i = 0; i < n->wide.v.len; i++) {
        gather(&g, n->wide.v.items[i]);
    }
    return intern(b, d, g.elsewhere && !g.isolated && has_cluster_baseline(b));
}

const struct lineup *reach_lineup(struct reach_book *b, const struct pod_class *pc,
                                  enum direction d)
{
    const struct label_view labels = { .set = pc->labels };

    return pc->shape->host_network ? NULL
                                   : gather_all(b, pc->ns, &labels, pc->shape->service_account, d);
}

const struct lineup *reach_lineup_of(struct reach_book *b, const struct ns *ns,
                                     const struct label_view *labels, enum direction d)
{
    return gather_all(b, ns, labels, NULL, d);
}

void reach_each_form(struct reach_book *b, const struct ns *ns, reach_form_fn *fn, void *ctx)
{
    const struct ns_forms *n = forms_of(b, ns);

    for (size_t i = 0; i < n->own.v.len; i++) {
        fn(ctx, &n->own.v.items[i]);
    }
    for (size_t i = 0; i < n->wide.v.len; i++) {
        fn(ctx, n->wide.v.items[i]);
    }
}

const struct lineup *reach_lineup_from(struct reach_book *b, const struct policy_form *const *forms,
                                       size_t count, enum direction d)
{
    b->scratch.v.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (form_bears(forms[i], d)) {
            vec_push(&b->scratch.v, forms[i]);
        }
    }
    return intern(b, d, false);
}

size_t lineup_count(const struct lineup *l)
{
    return l->count;
}

const struct policy_form *lineup_at(const struct lineup *l, size_t i)
{
    return l->forms[i];
}

bool lineup_isolates(const struct lineup *l)
{
    return l->isolates;
}

bool lineup_names_ports(const struct lineup *l)
{
    return l->names_ports;
}
