/* A variant is what of a workload's pods can be told apart: a pod class and where its addresses lie
 * between the borders that policies name. One side of every connection of a variant is a row: for
 * each other variant and each range the number of an answer. Rows belong to line-ups, so that pods
 * that the same policies select share them; within a row most others get the answer of a pod that
 * no selector names, and only those that some peer of the line-up selects are asked about. */
#include "rules/reach_matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rules/lineup_private.h"
#include "rules/reach_private.h"

enum { ATOMS_PER_POD_MAX = POD_IPS_MAX, PAIR_TABLE_MAX = 1024 };

struct variant {
    const struct pod_class *pod_class;
    uint32_t peer; /* the workload's place */
    uint32_t atom_count;
    uint32_t atoms[ATOMS_PER_POD_MAX]; /* sorted */
    struct address_range addresses[ATOMS_PER_POD_MAX];
    const uint32_t *egress, *ingress; /* rows: number of an answer per variant, then per range */
};

struct row_key {
    const struct lineup *lineup;
    const struct pod_shape *shape;
    const struct ns *ns;
    enum direction direction;
};
struct row {
    struct row_key key;
    uint32_t *ids;
    UT_hash_handle hh;
};

struct ns_variants { /* the variants of one namespace stand together */
    const struct ns *ns;
    uint32_t first, count;
};

struct numbered {
    struct matrix_answer answer;
    UT_hash_handle hh;
    uint32_t id;
};

struct reach_matrix {
    const struct cluster *cluster;
    struct reach_book *book;
    struct port_table *ports;
    VEC(struct matrix_peer) peers;
    size_t workloads;             /* of the peers; ranges follow */
    VEC(struct variant) variants; /* sorted by namespace */
    VEC(struct ns_variants) namespaces;
    uint32_t *peer_variants,
        *peer_first;     /* the variants of a workload: list, and where it begins */
    VEC(uint32_t) nodes; /* variants on the host network */
    struct world atoms, pieces;
    bool by_address; /* some line-up looks at pods' addresses */
    struct row *rows;
    uint32_t *everything;              /* the row of who is bound by nothing */
    VEC(struct matrix_answer) answers; /* of one side, by number */
    struct numbered *numbers;
    struct matrix_answer *pairs; /* of two sides, by both numbers; NULL: too many, computed anew */
    uint32_t *stamps, stamp;     /* variants that have been asked about in this row */
};

/* ---- names ---- */

static void put_ip(const uint8_t *bytes, uint8_t family, char out[CIDR_TEXT_MAX])
{
    struct cidr c = { .family = family, .bits = family == 4 ? 32 : 128 };

    memcpy(c.addr, bytes, family == 4 ? 4 : 16);
    ip_format(&c, out);
}

void address_range_format(const struct address_range *r, char out[MATRIX_NAME_MAX])
{
    char lo[CIDR_TEXT_MAX], hi[CIDR_TEXT_MAX];

    put_ip(r->lo, r->family, lo);
    put_ip(r->hi, r->family, hi);
    snprintf(out, MATRIX_NAME_MAX, "%s-%s", lo, hi);
}

static struct address_range range_of_atom(const struct world_range *r, int family)
{
    struct address_range out = { .family = (uint8_t)family };

    world_put_address(r->lo, family, out.lo);
    world_put_address(r->hi, family, out.hi);
    return out;
}

/* ---- the world outside ---- */

static void cut_form(void *ctx, const struct policy_form *f)
{
    form_cut(f, DIRECTION_INGRESS, ctx);
    form_cut(f, DIRECTION_EGRESS, ctx);
}

static void find_atoms(struct reach_matrix *x)
{
    world_cut_begin(&x->atoms);
    for (uint32_t i = 0; i < cluster_ns_count(x->cluster); i++) {
        reach_each_form(x->book, cluster_ns_at(x->cluster, i), cut_form, &x->atoms);
    }
    world_cut_end(&x->atoms);
}

static size_t atom_count(const struct reach_matrix *x)
{
    return x->atoms.v4.len + x->atoms.v6.len;
}

static const struct world_range *atom_at(const struct reach_matrix *x, size_t i, int *family)
{
    *family = i < x->atoms.v4.len ? 4 : 6;
    return i < x->atoms.v4.len ? &x->atoms.v4.items[i] : &x->atoms.v6.items[i - x->atoms.v4.len];
}

/* The atom that holds an address. */
static uint32_t atom_of(const struct reach_matrix *x, const struct cidr *ip)
{
    const struct world_range address = world_range_of(ip);
    const struct world_range *r = ip->family == 4 ? x->atoms.v4.items : x->atoms.v6.items;
    size_t lo = 0, hi = ip->family == 4 ? x->atoms.v4.len : x->atoms.v6.len;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (r[mid].lo <= address.lo) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return (uint32_t)(ip->family == 4 ? lo : lo + x->atoms.v4.len);
}

/* ---- variants ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

static int compare_variants(const struct variant *a, const struct variant *b)
{
    if (a->pod_class != b->pod_class) {
        uintptr_t x = (uintptr_t)a->pod_class->ns, y = (uintptr_t)b->pod_class->ns;
        if (x != y) {
            return x < y ? -1 : 1;
        }
        return (uintptr_t)a->pod_class < (uintptr_t)b->pod_class ? -1 : 1;
    }
    if (a->atom_count != b->atom_count) {
        return a->atom_count < b->atom_count ? -1 : 1;
    }
    return memcmp(a->atoms, b->atoms, a->atom_count * sizeof(a->atoms[0]));
}

static int by_variant(const void *a, const void *b)
{
    return compare_variants(a, b);
}

static void take_pod(void *ctx, const struct pod_view *p)
{
    struct reach_matrix *x = ctx;
    struct variant v = { .pod_class = p->pod_class };

    if (p->finished || p->pod_class == NULL) {
        return;
    }
    for (uint8_t i = 0; i < p->ip_count; i++) {
        v.atoms[v.atom_count++] = atom_of(x, &p->ips[i]);
    }
    qsort(v.atoms, v.atom_count, sizeof(v.atoms[0]), by_number);
    vec_push(&x->variants, v);
}

static void take_templates(struct reach_matrix *x, const struct ns *ns)
{
    for (size_t i = 0; i < ns->workloads.len; i++) {
        const struct workload *w = ns->workloads.items[i];
        if (w->pods == 0 && w->template_class != NULL) {
            vec_push(&x->variants, ((struct variant){ .pod_class = w->template_class }));
        }
    }
}

static void find_variants(struct reach_matrix *x)
{
    size_t n = 0;

    cluster_each_pod(x->cluster, NULL, take_pod, x);
    for (uint32_t i = 0; i < cluster_ns_count(x->cluster); i++) {
        take_templates(x, cluster_ns_at(x->cluster, i));
    }
    if (x->variants.len > 1) {
        qsort(x->variants.items, x->variants.len, sizeof(x->variants.items[0]), by_variant);
    }
    for (size_t i = 0; i < x->variants.len; i++) {
        if (n == 0 || compare_variants(&x->variants.items[i], &x->variants.items[n - 1]) != 0) {
            x->variants.items[n++] = x->variants.items[i];
        }
    }
    x->variants.len = n;
    for (size_t i = 0; i < n; i++) {
        struct variant *v = &x->variants.items[i];
        for (uint32_t k = 0; k < v->atom_count; k++) {
            int family;
            const struct world_range *r = atom_at(x, v->atoms[k], &family);
            v->addresses[k] = range_of_atom(r, family);
        }
        if (x->namespaces.len == 0 ||
            x->namespaces.items[x->namespaces.len - 1].ns != v->pod_class->ns) {
            vec_push(&x->namespaces, ((struct ns_variants){ v->pod_class->ns, (uint32_t)i, 0 }));
        }
        x->namespaces.items[x->namespaces.len - 1].count++;
        if (v->pod_class->shape->host_network) {
            vec_push(&x->nodes, (uint32_t)i);
        }
    }
}

static int by_peer_name(const void *a, const void *b)
{
    return strcmp(((const struct matrix_peer *)a)->name, ((const struct matrix_peer *)b)->name);
}

static char *workload_name(const struct workload *w)
{
    return xasprintf("%s/%s[%s]", w->ns->name->text, w->name->text, w->kind->text);
}

static int by_workload(const void *a, const void *b)
{
    const struct workload *x = *(const struct workload *const *)a;
    const struct workload *y = *(const struct workload *const *)b;

    return (uintptr_t)x < (uintptr_t)y ? -1 : (uintptr_t)x > (uintptr_t)y ? 1 : 0;
}

struct placed { /* to find a workload's place */
    const struct workload *workload;
    uint32_t peer;
};

static void find_peers(struct reach_matrix *x)
{
    VEC(const struct workload *) list = { 0 };
    VEC(struct placed) places = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < x->variants.len; i++) {
        vec_push(&list, x->variants.items[i].pod_class->workload);
    }
    if (list.len > 1) {
        qsort(list.items, list.len, sizeof(list.items[0]), by_workload);
    }
    for (size_t i = 0; i < list.len; i++) {
        if (n == 0 || list.items[n - 1] != list.items[i]) {
            list.items[n++] = list.items[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        vec_push(&x->peers, ((struct matrix_peer){ .workload = list.items[i],
                                                   .name = workload_name(list.items[i]) }));
    }
    if (n > 1) {
        qsort(x->peers.items, n, sizeof(x->peers.items[0]), by_peer_name);
    }
    x->workloads = n;
    for (size_t i = 0; i < n; i++) {
        vec_push(&places, ((struct placed){ x->peers.items[i].workload, (uint32_t)i }));
    }
    if (n > 1) {
        qsort(places.items, n, sizeof(places.items[0]), by_workload);
    }
    for (size_t i = 0; i < x->variants.len; i++) {
        const struct workload *w = x->variants.items[i].pod_class->workload;
        const struct placed *p = bsearch(&w, places.items, n, sizeof(places.items[0]), by_workload);
        x->variants.items[i].peer = p->peer;
    }
    vec_free(&list);
    vec_free(&places);
}

static int by_address(const void *a, const void *b)
{
    const struct cidr *x = a, *y = b;

    if (x->family != y->family) {
        return x->family < y->family ? -1 : 1;
    }
    return memcmp(x->addr, y->addr, sizeof(x->addr));
}

struct ip_vec {
    VEC(struct cidr) v;
};

static void take_ips(void *ctx, const struct pod_view *p)
{
    struct ip_vec *ips = ctx;

    for (uint8_t i = 0; !p->finished && i < p->ip_count; i++) {
        vec_push(&ips->v, p->ips[i]);
    }
}

/* A range whose every address is a pod's has nobody outside. */
static void find_ranges(struct reach_matrix *x)
{
    world_address *taken = xcalloc(atom_count(x) + 1, sizeof(taken[0]));
    struct ip_vec ips = { 0 };

    cluster_each_pod(x->cluster, NULL, take_ips, &ips);
    if (ips.v.len > 1) {
        qsort(ips.v.items, ips.v.len, sizeof(ips.v.items[0]), by_address);
    }
    for (size_t i = 0; i < ips.v.len; i++) {
        if (i == 0 || by_address(&ips.v.items[i], &ips.v.items[i - 1]) != 0) {
            taken[atom_of(x, &ips.v.items[i])]++;
        }
    }
    for (size_t i = 0; i < atom_count(x); i++) {
        int family;
        const struct world_range *r = atom_at(x, i, &family);
        struct matrix_peer peer = { .range = range_of_atom(r, family) };
        char text[MATRIX_NAME_MAX];
        if (taken[i] > 0 && taken[i] - 1 == r->hi - r->lo) {
            continue;
        }
        address_range_format(&peer.range, text);
        peer.name = xasprintf("%s[External]", text);
        peer.atom = (uint32_t)i;
        vec_push(&x->peers, peer);
    }
    vec_free(&ips.v);
    free(taken);
}

/* Which variants belong to a workload. */
static void list_variants(struct reach_matrix *x)
{
    uint32_t *at = xcalloc(x->workloads + 2, sizeof(at[0]));

    x->peer_variants = xcalloc(x->variants.len + 1, sizeof(x->peer_variants[0]));
    for (size_t i = 0; i < x->variants.len; i++) {
        at[x->variants.items[i].peer + 1]++;
    }
    for (size_t i = 0; i < x->workloads; i++) {
        at[i + 1] += at[i];
    }
    x->peer_first = xcalloc(x->workloads + 2, sizeof(at[0]));
    memcpy(x->peer_first, at, (x->workloads + 1) * sizeof(at[0]));
    for (size_t i = 0; i < x->variants.len; i++) {
        x->peer_variants[at[x->variants.items[i].peer]++] = (uint32_t)i;
    }
    free(at);
}

/* ---- answers ---- */

static uint32_t number_of(struct reach_matrix *x, struct matrix_answer a)
{
    struct matrix_answer key;
    struct numbered *n;

    memset(&key, 0, sizeof(key)); /* the padding is hashed, too */
    key.allowed = a.allowed;
    key.unknown = a.unknown;
    key.construct = a.unknown != PORTS_NONE ? a.construct : NULL;
    HASH_FIND(hh, x->numbers, &key, sizeof(key), n);
    if (n == NULL) {
        n = xcalloc(1, sizeof(*n));
        n->answer = key;
        n->id = (uint32_t)x->answers.len;
        vec_push(&x->answers, key);
        HASH_ADD(hh, x->numbers, answer, sizeof(n->answer), n);
    }
    return n->id;
}

static struct reach_peer peer_of(const struct variant *v)
{
    return (struct reach_peer){ .kind = v->pod_class->shape->host_network ? PEER_NODE : PEER_POD,
                                .pod_class = v->pod_class,
                                .addresses = v->addresses,
                                .address_count = v->atom_count };
}

struct asking { /* one row being filled */
    struct reach_matrix *x;
    const struct lineup *lineup;
    const struct pod_class *own;
    enum direction direction;
    uint32_t *ids;
};

static uint32_t ask(struct asking *a, const struct reach_peer *peer)
{
    struct matrix_answer m = { .construct = NULL };
    struct side_answer s =
        lineup_ask(a->x->book, a->lineup, a->direction, a->own, peer, &m.construct);

    m.allowed = s.allowed;
    m.unknown = s.unknown;
    if (peer->kind == PEER_NODE) { /* denied, unless the node is the pod's own */
        m.unknown = port_set_minus(a->x->ports, PORTS_ALL, m.allowed);
        m.construct = m.construct != NULL ? m.construct : REACH_OWN_NODE;
    }
    return number_of(a->x, m);
}

static void ask_variant(struct asking *a, size_t i)
{
    struct reach_matrix *x = a->x;

    if (x->stamps[i] != x->stamp) {
        struct reach_peer peer = peer_of(&x->variants.items[i]);
        x->stamps[i] = x->stamp;
        a->ids[i] = ask(a, &peer);
    }
}

static void ask_selected(struct asking *a, const struct ns_variants *n, const struct form_peer *p)
{
    for (uint32_t i = n->first; i < n->first + n->count; i++) {
        const struct label_view labels = { .set = a->x->variants.items[i].pod_class->labels };
        if (reach_pods_match(a->x->book, p->pods, &labels)) {
            ask_variant(a, i);
        }
    }
}

static void ask_peer(struct asking *a, const struct policy_form *f, const struct form_peer *p)
{
    struct reach_matrix *x = a->x;

    for (size_t i = 0; p->kind == FORM_PEER_PODS && i < x->namespaces.len; i++) {
        const struct ns_variants *n = &x->namespaces.items[i];
        if (p->own_namespace ? n->ns == f->ns : reach_namespace_matches(p->namespaces, n->ns)) {
            ask_selected(a, n, p);
        }
    }
}

/* Everyone is asked about where an address or a port of the other side matters. */
static bool asks_everyone(const struct asking *a)
{
    return a->lineup->has_blocks || (a->direction == DIRECTION_EGRESS && a->lineup->names_ports);
}

/* Whom no selector of the line-up picks out. */
static enum form_match match_unselected(void *ctx, const struct policy_form *f,
                                        const struct form_peer *p)
{
    (void)ctx;
    (void)f;
    switch (p->kind) {
    case FORM_PEER_EVERYONE:
    case FORM_PEER_CLUSTER:
        return MATCH_YES;
    case FORM_PEER_MAYBE:
        return p->outside_only ? MATCH_NO : MATCH_MAYBE;
    case FORM_PEER_PODS:
    case FORM_PEER_BLOCK:
    case FORM_PEER_WORLD:
    case FORM_PEER_NODES:
        break;
    }
    return MATCH_NO;
}

static uint32_t ask_unselected(struct asking *a)
{
    const struct lineup_question q = { .direction = a->direction,
                                       .shape =
                                           a->direction == DIRECTION_INGRESS ? a->own->shape : NULL,
                                       .match = match_unselected };
    struct lineup_outcome o;

    lineup_evaluate(a->x->book, a->lineup, &q, &o);
    return number_of(a->x, (struct matrix_answer){ port_set_minus(a->x->ports, o.allowed, o.denied),
                                                   port_set_and(a->x->ports, o.allowed, o.denied),
                                                   o.construct });
}

static void fill_variants(struct asking *a)
{
    struct reach_matrix *x = a->x;

    x->stamp++;
    if (asks_everyone(a)) {
        for (size_t i = 0; i < x->variants.len; i++) {
            ask_variant(a, i);
        }
        return;
    }
    uint32_t id = ask_unselected(a);
    for (size_t i = 0; i < x->variants.len; i++) {
        a->ids[i] = id;
    }
    for (size_t i = 0; i < a->lineup->count; i++) {
        const struct policy_form *f = a->lineup->forms[i];
        for (uint32_t r = 0; r < f->rule_count[a->direction]; r++) {
            for (uint32_t k = 0; k < f->rules[a->direction][r].peer_count; k++) {
                ask_peer(a, f, &f->rules[a->direction][r].peers[k]);
            }
        }
    }
    for (size_t i = 0; i < x->nodes.len; i++) {
        ask_variant(a, x->nodes.items[i]);
    }
}

/* The line-up's own pieces are wider than the matrix's: each is asked about once. */
static void fill_outside(struct asking *a)
{
    static const int families[] = { 4, 6 };
    struct reach_matrix *x = a->x;
    uint32_t *ids = a->ids + x->variants.len;

    lineup_pieces(a->lineup, a->direction, &x->pieces);
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        struct world_ranges pieces = world_ranges(&x->pieces, families[f]);
        struct world_ranges atoms = world_ranges(&x->atoms, families[f]);
        size_t at = 0;
        for (size_t i = 0; i < pieces.len; i++) {
            struct address_range range = range_of_atom(&pieces.items[i], families[f]);
            const struct reach_peer peer = { PEER_OUTSIDE, NULL, &range, 1 };
            uint32_t id = ask(a, &peer);
            for (; at < atoms.len && atoms.items[at].lo <= pieces.items[i].hi; at++) {
                *ids++ = id;
            }
        }
    }
}

static const uint32_t *row_of(struct reach_matrix *x, const struct variant *v, enum direction d)
{
    const struct lineup *l = reach_lineup(x->book, v->pod_class, d);
    struct row_key key;
    struct row *row;

    if (l == NULL || (l->count == 0 && !l->isolates)) {
        return x->everything;
    }
    memset(&key, 0, sizeof(key)); /* the padding is hashed, too */
    key.lineup = l;
    key.shape = d == DIRECTION_INGRESS && l->names_ports ? v->pod_class->shape : NULL;
    key.ns = l->relative ? v->pod_class->ns : NULL;
    key.direction = d;
    HASH_FIND(hh, x->rows, &key, sizeof(key), row);
    if (row == NULL) {
        row = xcalloc(1, sizeof(*row));
        row->key = key;
        row->ids = xcalloc(x->variants.len + atom_count(x), sizeof(row->ids[0]));
        HASH_ADD(hh, x->rows, key, sizeof(row->key), row);
        struct asking a = { x, l, v->pod_class, d, row->ids };
        x->by_address = x->by_address || l->has_blocks;
        fill_variants(&a);
        fill_outside(&a);
    }
    return row->ids;
}

static void fill_rows(struct reach_matrix *x)
{
    x->everything = xcalloc(x->variants.len + atom_count(x) + 1, sizeof(x->everything[0]));
    number_of(x, (struct matrix_answer){ .allowed = PORTS_ALL }); /* number 0 */
    x->stamps = xcalloc(x->variants.len + 1, sizeof(x->stamps[0]));
    for (size_t i = 0; i < x->variants.len; i++) {
        x->variants.items[i].ingress = row_of(x, &x->variants.items[i], DIRECTION_INGRESS);
        x->variants.items[i].egress = row_of(x, &x->variants.items[i], DIRECTION_EGRESS);
    }
    if (x->answers.len <= PAIR_TABLE_MAX) {
        x->pairs = xcalloc(x->answers.len * x->answers.len, sizeof(x->pairs[0]));
    }
}

/* ---- both sides ---- */

static struct matrix_answer compute_pair(const struct reach_matrix *x, uint32_t egress,
                                         uint32_t ingress)
{
    const struct matrix_answer *e = &x->answers.items[egress], *i = &x->answers.items[ingress];
    struct matrix_answer both = { .allowed = port_set_and(x->ports, e->allowed, i->allowed) };

    both.unknown =
        port_set_minus(x->ports,
                       port_set_and(x->ports, port_set_or(x->ports, e->allowed, e->unknown),
                                    port_set_or(x->ports, i->allowed, i->unknown)),
                       both.allowed);
    if (both.unknown != PORTS_NONE) {
        both.construct = e->construct != NULL ? e->construct : i->construct;
    }
    return both;
}

static struct matrix_answer pair_of(const struct reach_matrix *x, uint32_t egress, uint32_t ingress)
{
    struct matrix_answer *kept;

    if (egress == 0 && ingress == 0) {
        return (struct matrix_answer){ .allowed = PORTS_ALL };
    }
    if (x->pairs == NULL) {
        return compute_pair(x, egress, ingress);
    }
    kept = &x->pairs[egress * x->answers.len + ingress];
    if (kept->allowed == PORTS_NONE && kept->unknown == PORTS_NONE) {
        *kept = compute_pair(x, egress, ingress);
    }
    return *kept;
}

static void unite(const struct reach_matrix *x, struct matrix_answer *all, struct matrix_answer one)
{
    all->allowed = port_set_or(x->ports, all->allowed, one.allowed);
    all->unknown = port_set_or(x->ports, all->unknown, one.unknown);
    all->construct = all->construct != NULL ? all->construct : one.construct;
}

/* No address family that both have: no way between them. An address that is not known may be of
 * either. */
static bool share_family(const struct variant *a, const struct variant *b)
{
    bool share = a->atom_count == 0 || b->atom_count == 0;

    for (uint32_t i = 0; i < a->atom_count && !share; i++) {
        for (uint32_t k = 0; k < b->atom_count && !share; k++) {
            share = a->addresses[i].family == b->addresses[k].family;
        }
    }
    return share;
}

static bool has_family(const struct variant *v, uint8_t family)
{
    for (uint32_t i = 0; i < v->atom_count; i++) {
        if (v->addresses[i].family == family) {
            return true;
        }
    }
    return v->atom_count == 0;
}

static bool two_families(const struct variant *v)
{
    return v->atom_count > 1 && v->addresses[0].family != v->addresses[v->atom_count - 1].family;
}

static struct matrix_answer between(const struct reach_matrix *x, uint32_t from, uint32_t to)
{
    const struct variant *a = &x->variants.items[from], *b = &x->variants.items[to];

    if (!share_family(a, b)) {
        return (struct matrix_answer){ .allowed = PORTS_NONE };
    }
    /* Where an address decides, each family by itself. */
    if (x->by_address && (two_families(a) || two_families(b))) {
        struct reach_peer pa = peer_of(a), pb = peer_of(b);
        struct matrix_answer m = { .construct = NULL };
        struct side_answer s = reach_pair(x->book, &pa, &pb, &m.construct);
        m.allowed = s.allowed;
        m.unknown = s.unknown;
        return m;
    }
    return pair_of(x, a->egress[to], b->ingress[from]);
}

struct matrix_answer reach_matrix_at(const struct reach_matrix *x, size_t from, size_t to)
{
    struct matrix_answer all = { .allowed = PORTS_NONE };

    if (from == to || (from >= x->workloads && to >= x->workloads)) {
        return all;
    }
    if (from >= x->workloads) {
        size_t range = x->variants.len + x->peers.items[from].atom;
        for (uint32_t i = x->peer_first[to]; i < x->peer_first[to + 1]; i++) {
            const struct variant *v = &x->variants.items[x->peer_variants[i]];
            if (has_family(v, x->peers.items[from].range.family)) {
                unite(x, &all, pair_of(x, 0, v->ingress[range]));
            }
        }
    } else if (to >= x->workloads) {
        size_t range = x->variants.len + x->peers.items[to].atom;
        for (uint32_t i = x->peer_first[from]; i < x->peer_first[from + 1]; i++) {
            const struct variant *v = &x->variants.items[x->peer_variants[i]];
            if (has_family(v, x->peers.items[to].range.family)) {
                unite(x, &all, pair_of(x, v->egress[range], 0));
            }
        }
    } else {
        for (uint32_t i = x->peer_first[from]; i < x->peer_first[from + 1]; i++) {
            for (uint32_t k = x->peer_first[to]; k < x->peer_first[to + 1]; k++) {
                unite(x, &all, between(x, x->peer_variants[i], x->peer_variants[k]));
            }
        }
    }
    all.unknown = port_set_minus(x->ports, all.unknown, all.allowed);
    all.construct = all.unknown != PORTS_NONE ? all.construct : NULL;
    return all;
}

/* ---- the whole ---- */

struct reach_matrix *reach_matrix_create(const struct cluster *c, struct reach_memo *m)
{
    struct reach_matrix *x = xcalloc(1, sizeof(*x));

    x->cluster = c;
    x->book = reach_memo_book(m);
    x->ports = reach_book_ports(x->book);
    find_atoms(x);
    find_variants(x);
    find_peers(x);
    find_ranges(x);
    list_variants(x);
    fill_rows(x);
    return x;
}

void reach_matrix_destroy(struct reach_matrix *x)
{
    if (x == NULL) {
        return;
    }
    struct row *row = x->rows;
    HASH_CLEAR(hh, x->rows); /* the tables only; the entries stay linked */
    while (row != NULL) {
        struct row *next = row->hh.next;
        free(row->ids);
        free(row);
        row = next;
    }
    struct numbered *n = x->numbers;
    HASH_CLEAR(hh, x->numbers);
    while (n != NULL) {
        struct numbered *next = n->hh.next;
        free(n);
        n = next;
    }
    for (size_t i = 0; i < x->peers.len; i++) {
        free(x->peers.items[i].name);
    }
    vec_free(&x->peers);
    vec_free(&x->variants);
    vec_free(&x->namespaces);
    vec_free(&x->nodes);
    vec_free(&x->answers);
    free(x->peer_variants);
    free(x->peer_first);
    free(x->everything);
    free(x->stamps);
    free(x->pairs);
    world_deinit(&x->atoms);
    world_deinit(&x->pieces);
    free(x);
}

size_t reach_matrix_count(const struct reach_matrix *x)
{
    return x->peers.len;
}

const struct matrix_peer *reach_matrix_peer(const struct reach_matrix *x, size_t i)
{
    return &x->peers.items[i];
}

struct port_table *reach_matrix_ports(const struct reach_matrix *x)
{
    return x->ports;
}
