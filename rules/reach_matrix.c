/* One side of every connection of a variant is a row: for each other variant and each range the
 * number of an answer. Rows belong to line-ups, so that pods that the same policies select share
 * them; within a row most others get the answer of a pod that no selector names, and only those
 * that some peer of the line-up selects are asked about. */
#include "rules/reach_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rules/reach_matrix_private.h"

enum { PAIR_TABLE_MAX = 1024, COLUMNS_MAX = 64 << 20, TILE = 64 };

/* ---- answers ---- */

static const char not_yet[] = "not computed yet"; /* marks an entry of the table of pairs */

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

static bool is_empty(const struct selector *s)
{
    return s == NULL || (s->count == 0 && s->malformed == NULL);
}

/* Picks out every pod there is. */
static bool is_every_pod(const struct form_peer *p)
{
    return p->kind == FORM_PEER_PODS && !p->own_namespace && is_empty(p->namespaces) &&
           is_empty(p->pods) && p->service_account == NULL && p->relative == NULL;
}

static void ask_peer(struct asking *a, const struct policy_form *f, const struct form_peer *p)
{
    struct reach_matrix *x = a->x;

    if (p->kind != FORM_PEER_PODS || is_every_pod(p)) {
        return;
    }
    for (size_t i = 0; i < x->namespaces.len; i++) {
        const struct ns_variants *n = &x->namespaces.items[i];
        if (p->own_namespace ? n->ns == f->ns : reach_namespace_matches(p->namespaces, n->ns)) {
            ask_selected(a, n, p);
        }
    }
}

/* Whom no selector of the line-up picks out: `ctx` is a pod of which only addresses are known. */
static enum form_match match_unselected(void *ctx, const struct policy_form *f,
                                        const struct form_peer *p)
{
    if (p->kind == FORM_PEER_PODS) {
        return is_every_pod(p) ? MATCH_YES : MATCH_NO;
    }
    return reach_match_peer(ctx, f, p);
}

static struct matrix_answer ask_address(struct asking *a, const struct variant *v, uint32_t address)
{
    const struct reach_peer peer = { PEER_POD, NULL, &v->addresses[address],
                                     address < v->atom_count ? 1 : 0 };
    struct match_peer m = { .book = a->x->book, .own = a->own, .peer = &peer };
    const struct lineup_question q = { .direction = a->direction,
                                       .shape = a->direction == DIRECTION_INGRESS
                                                    ? a->own->shape
                                                    : v->pod_class->shape,
                                       .match = match_unselected,
                                       .ctx = &m };
    struct lineup_outcome o;

    lineup_evaluate(a->x->book, a->lineup, &q, &o);
    return (struct matrix_answer){ port_set_minus(a->x->ports, o.allowed, o.denied),
                                   port_set_and(a->x->ports, o.allowed, o.denied), o.construct };
}

/* Of several addresses the best, as in lineup_ask. */
static uint32_t ask_look(struct asking *a, const struct variant *v)
{
    struct matrix_answer all = ask_address(a, v, 0);

    for (uint32_t i = 1; i < v->atom_count && a->lineup->has_blocks; i++) {
        struct matrix_answer one = ask_address(a, v, i);
        all.allowed = port_set_or(a->x->ports, all.allowed, one.allowed);
        all.unknown = port_set_or(a->x->ports, all.unknown, one.unknown);
        all.construct = all.construct != NULL ? all.construct : one.construct;
    }
    all.unknown = port_set_minus(a->x->ports, all.unknown, all.allowed);
    return number_of(a->x, all);
}

/* Addresses matter where there are blocks, the other side's ports where rules name some. */
static void fill_unselected(struct asking *a)
{
    struct reach_matrix *x = a->x;
    bool by_ports = a->direction == DIRECTION_EGRESS && a->lineup->names_ports;
    struct looks *looks = &x->looks[by_ports ? 1 : 0];

    if (x->variants.len == 0) {
        return;
    }
    if (!by_ports && !a->lineup->has_blocks) {
        uint32_t id = ask_look(a, &x->variants.items[0]);
        for (size_t i = 0; i < x->variants.len; i++) {
            a->ids[i] = id;
        }
        return;
    }
    for (size_t i = 0; i < looks->variants.len; i++) {
        looks->answers[i] = ask_look(a, &x->variants.items[looks->variants.items[i]]);
    }
    for (size_t i = 0; i < x->variants.len; i++) {
        a->ids[i] = looks->answers[x->variants.items[i].look[by_ports ? 1 : 0]];
    }
}

static void fill_variants(struct asking *a)
{
    struct reach_matrix *x = a->x;

    x->stamp++;
    fill_unselected(a);
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
            struct address_range range = matrix_range_of(&pieces.items[i], families[f]);
            const struct reach_peer peer = { PEER_OUTSIDE, NULL, &range, 1 };
            uint32_t id = ask(a, &peer);
            for (; at < atoms.len && atoms.items[at].lo <= pieces.items[i].hi; at++) {
                *ids++ = id;
            }
        }
    }
}

static const uint32_t *row_of(struct reach_matrix *x, const struct variant *v, enum direction d,
                              uint32_t *number)
{
    const struct lineup *l = reach_lineup(x->book, v->pod_class, d);
    struct row_key key;
    struct row *row;

    *number = 0;
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
        row->ids = xcalloc(x->variants.len + matrix_atom_count(x), sizeof(row->ids[0]));
        HASH_ADD(hh, x->rows, key, sizeof(row->key), row);
        struct asking a = { x, l, v->pod_class, d, row->ids };
        x->by_address = x->by_address || l->has_blocks;
        fill_variants(&a);
        fill_outside(&a);
        if (d == DIRECTION_INGRESS) {
            row->number = (uint32_t)x->ingress_rows.len;
            vec_push(&x->ingress_rows, row->ids);
        }
    }
    *number = row->number;
    return row->ids;
}

/* ---- looks ---- */

static uint32_t look_of(struct looks *looks, const struct variant *v, uint32_t variant,
                        const struct pod_shape *shape)
{
    struct look_key key;
    struct look *l;

    memset(&key, 0, sizeof(key)); /* the padding is hashed, too */
    key.shape = shape;
    key.atom_count = v->atom_count;
    memcpy(key.atoms, v->atoms, v->atom_count * sizeof(v->atoms[0]));
    HASH_FIND(hh, looks->by_key, &key, sizeof(key), l);
    if (l == NULL) {
        l = xcalloc(1, sizeof(*l));
        l->key = key;
        l->id = (uint32_t)looks->variants.len;
        vec_push(&looks->variants, variant);
        HASH_ADD(hh, looks->by_key, key, sizeof(l->key), l);
    }
    return l->id;
}

static void free_looks(struct looks *looks)
{
    struct look *l = looks->by_key;

    HASH_CLEAR(hh, looks->by_key); /* the table only; the entries stay linked */
    while (l != NULL) {
        struct look *next = l->hh.next;
        free(l);
        l = next;
    }
    vec_free(&looks->variants);
    free(looks->answers);
}

static void find_looks(struct reach_matrix *x)
{
    for (uint32_t i = 0; i < x->variants.len; i++) {
        struct variant *v = &x->variants.items[i];
        unsigned families = v->atom_count == 0 ? 3 : 0;
        for (uint32_t k = 0; k < v->atom_count; k++) {
            families |= v->addresses[k].family == 4 ? 1 : 2;
        }
        v->families = (uint8_t)families;
        v->two_families = v->atom_count > 1 && families == 3;
        v->look[0] = look_of(&x->looks[0], v, i, NULL);
        v->look[1] = look_of(&x->looks[1], v, i, v->pod_class->shape);
    }
    for (size_t i = 0; i < ARRAY_LEN(x->looks); i++) {
        x->looks[i].answers = xcalloc(x->looks[i].variants.len + 1, sizeof(uint32_t));
    }
}

/* For one sender the receivers' rows are far from each other; turned over, its numbers stand side
 * by side. In tiles, so that both sides of the copy stay in the cache. */
static void turn_over(struct reach_matrix *x)
{
    size_t rows = x->ingress_rows.len, n = x->variants.len;

    if (n == 0 || rows > COLUMNS_MAX / n) {
        return;
    }
    x->columns = xcalloc(n * rows + 1, sizeof(x->columns[0]));
    for (size_t at = 0; at < n; at += TILE) {
        size_t end = at + TILE < n ? at + TILE : n;
        for (size_t r = 0; r < rows; r++) {
            for (size_t i = at; i < end; i++) {
                x->columns[i * rows + r] = x->ingress_rows.items[r][i];
            }
        }
    }
}

static void fill_rows(struct reach_matrix *x)
{
    x->everything = xcalloc(x->variants.len + matrix_atom_count(x) + 1, sizeof(x->everything[0]));
    vec_push(&x->ingress_rows, x->everything);                    /* row 0 */
    number_of(x, (struct matrix_answer){ .allowed = PORTS_ALL }); /* number 0 */
    x->stamps = xcalloc(x->variants.len + 1, sizeof(x->stamps[0]));
    find_looks(x);
    for (size_t i = 0; i < x->variants.len; i++) {
        struct variant *v = &x->variants.items[i];
        uint32_t ignored;
        v->ingress = row_of(x, v, DIRECTION_INGRESS, &v->ingress_row);
        v->egress = row_of(x, v, DIRECTION_EGRESS, &ignored);
    }
    turn_over(x);
    if (x->answers.len <= PAIR_TABLE_MAX) {
        size_t n = x->answers.len * x->answers.len;
        x->pairs = xcalloc(n, sizeof(x->pairs[0]));
        for (size_t i = 0; i < n; i++) {
            x->pairs[i].construct = not_yet;
        }
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
    if (kept->construct == not_yet) {
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

static bool has_family(const struct variant *v, uint8_t family)
{
    return (v->families & (family == 4 ? 1 : 2)) != 0;
}

static struct matrix_answer between(const struct reach_matrix *x, uint32_t from, uint32_t to)
{
    const struct variant *a = &x->variants.items[from], *b = &x->variants.items[to];

    /* No address family that both have: no way between them. An address that is not known may be of
     * either. */
    if ((a->families & b->families) == 0) {
        return (struct matrix_answer){ .allowed = PORTS_NONE };
    }
    /* Where an address decides, each family by itself. */
    if (x->by_address && (a->two_families || b->two_families)) {
        struct reach_peer pa = peer_of(a), pb = peer_of(b);
        struct matrix_answer m = { .construct = NULL };
        struct side_answer s = reach_pair(x->book, &pa, &pb, &m.construct);
        m.allowed = s.allowed;
        m.unknown = s.unknown;
        m.construct = s.unknown != PORTS_NONE ? m.construct : NULL;
        return m;
    }
    return pair_of(x, a->egress[to],
                   x->columns != NULL ? x->columns[from * x->ingress_rows.len + b->ingress_row]
                                      : b->ingress[from]);
}

struct matrix_answer reach_matrix_at(const struct reach_matrix *x, size_t from, size_t to)
{
    struct matrix_answer all = { .allowed = PORTS_NONE };

    if (x->picked != NULL && !x->picked[from] && !x->picked[to]) {
        return all;
    }
    if (from < x->workloads && to < x->workloads && from != to &&
        x->peer_first[from + 1] - x->peer_first[from] == 1 &&
        x->peer_first[to + 1] - x->peer_first[to] == 1) { /* nearly always */
        return between(x, x->peer_variants[x->peer_first[from]],
                       x->peer_variants[x->peer_first[to]]);
    }
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

/* ---- a part ---- */

static bool has_connection(const struct reach_matrix *x, size_t peer)
{
    for (size_t k = 0; k < x->peers.len; k++) {
        struct matrix_answer to = reach_matrix_at(x, peer, k), from = reach_matrix_at(x, k, peer);
        if (to.allowed != PORTS_NONE || to.unknown != PORTS_NONE || from.allowed != PORTS_NONE ||
            from.unknown != PORTS_NONE) {
            return true;
        }
    }
    return false;
}

/* Closes the gaps in everything that goes by a peer's place. */
static void drop_peers(struct reach_matrix *x, const bool *keep)
{
    size_t workloads = 0, n = 0;
    uint32_t at = 0;

    for (size_t i = 0; i < x->peers.len; i++) {
        uint32_t first = i < x->workloads ? x->peer_first[i] : 0;
        uint32_t end = i < x->workloads ? x->peer_first[i + 1] : 0;
        if (!keep[i]) {
            free(x->peers.items[i].name);
            continue;
        }
        if (i < x->workloads) { /* the list only shrinks: what is read has not been written yet */
            x->peer_first[workloads++] = at;
            for (uint32_t k = first; k < end; k++) {
                x->peer_variants[at++] = x->peer_variants[k];
            }
        }
        x->picked[n] = x->picked[i];
        x->peers.items[n++] = x->peers.items[i];
    }
    x->peer_first[workloads] = at;
    x->workloads = workloads;
    x->peers.len = n;
}

void reach_matrix_only(struct reach_matrix *x, const char *ns, const struct selector *labels)
{
    bool *keep = xcalloc(x->peers.len + 1, sizeof(keep[0]));

    free(x->picked);
    x->picked = xcalloc(x->peers.len + 1, sizeof(x->picked[0]));
    for (size_t i = 0; i < x->workloads; i++) {
        const struct workload *w = x->peers.items[i].workload;
        x->picked[i] = (ns == NULL || strcmp(w->ns->name->text, ns) == 0) &&
                       (labels == NULL || selector_matches(labels, w->pod_labels));
    }
    for (size_t i = 0; i < x->peers.len; i++) {
        keep[i] = x->picked[i] || has_connection(x, i);
    }
    drop_peers(x, keep);
    free(keep);
}

/* ---- the whole ---- */

struct reach_matrix *reach_matrix_create(const struct cluster *c, struct reach_memo *m,
                                         const struct world *also)
{
    struct reach_matrix *x = xcalloc(1, sizeof(*x));

    x->cluster = c;
    x->book = reach_memo_book(m);
    x->ports = reach_book_ports(x->book);
    matrix_find_peers(x, also);
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
    vec_free(&x->ingress_rows);
    free_looks(&x->looks[0]);
    free_looks(&x->looks[1]);
    free(x->columns);
    free(x->picked);
    free(x->peer_variants);
    free(x->peer_first);
    free(x->everything);
    free(x->stamps);
    free(x->pairs);
    world_deinit(&x->atoms);
    world_deinit(&x->pieces);
    free(x);
}

const struct world *reach_matrix_world(const struct reach_matrix *x)
{
    return &x->atoms;
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
