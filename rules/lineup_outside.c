/* The world outside, cut at the borders that policies name. */
#include <stdlib.h>
#include <string.h>

#include "cluster/cidr.h"
#include "rules/lineup_private.h"

static int by_start(const void *a, const void *b)
{
    const struct world_range *x = a, *y = b;

    return x->lo < y->lo ? -1 : x->lo > y->lo ? 1 : 0;
}

struct cutting {
    struct world *out;
    int family;
    struct world_range whole;
};

static void add_border(struct cutting *c, world_address at)
{
    const struct world_range r = { at, at };

    if (c->family == 4) {
        vec_push(&c->out->v4, r);
    } else {
        vec_push(&c->out->v6, r);
    }
}

static void cut(struct cutting *c, const struct cidr *block)
{
    if (block->family != c->family) {
        return;
    }
    struct world_range r = world_range_of(block);
    add_border(c, r.lo);
    if (r.hi < c->whole.hi) {
        add_border(c, r.hi + 1);
    }
}

static void cut_rule(struct cutting *c, const struct form_rule *rule)
{
    for (uint32_t k = 0; k < rule->peer_count; k++) {
        const struct form_block *block = rule->peers[k].range;
        if (rule->peers[k].kind != FORM_PEER_BLOCK) {
            continue;
        }
        cut(c, &block->cidr);
        for (uint32_t e = 0; e < block->except_count; e++) {
            cut(c, &block->except[e]);
        }
    }
}

/* From borders to the ranges between them; returns how many. */
static size_t close_ranges(struct world_range *r, size_t count, world_address last)
{
    size_t n = 0;

    qsort(r, count, sizeof(r[0]), by_start);
    for (size_t i = 0; i < count; i++) {
        if (n == 0 || r[i].lo != r[n - 1].lo) {
            r[n++] = r[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        r[i].hi = i + 1 < n ? r[i + 1].lo - 1 : last;
    }
    return n;
}

void lineup_pieces(const struct lineup *l, enum direction d, int family, struct world *out)
{
    const struct cidr all = { .family = (uint8_t)family };
    struct cutting c = { out, family, world_range_of(&all) };

    world_reset(out);
    add_border(&c, c.whole.lo);
    for (size_t i = 0; l != NULL && i < l->count; i++) {
        for (uint32_t r = 0; r < l->forms[i]->rule_count[d]; r++) {
            cut_rule(&c, &l->forms[i]->rules[d][r]);
        }
    }
    if (family == 4) {
        out->v4.len = close_ranges(out->v4.items, out->v4.len, c.whole.hi);
    } else {
        out->v6.len = close_ranges(out->v6.items, out->v6.len, c.whole.hi);
    }
}

static void put_address(world_address a, int family, uint8_t out[16])
{
    unsigned bytes = family == 4 ? 4 : 16;

    for (unsigned i = 0; i < bytes; i++) {
        out[bytes - 1 - i] = (uint8_t)(a >> (8 * i));
    }
}

void lineup_outside(struct reach_book *b, const struct lineup *l, enum direction d,
                    const struct pod_class *own, lineup_outside_fn *fn, void *ctx)
{
    static const int families[] = { 4, 6 };
    struct world pieces = { 0 };

    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        lineup_pieces(l, d, families[f], &pieces);
        const struct world_range *items = families[f] == 4 ? pieces.v4.items : pieces.v6.items;
        size_t count = families[f] == 4 ? pieces.v4.len : pieces.v6.len;
        for (size_t i = 0; i < count; i++) {
            struct address_range range = { .family = (uint8_t)families[f] };
            const struct reach_peer peer = { PEER_OUTSIDE, NULL, &range, 1 };
            put_address(items[i].lo, families[f], range.lo);
            put_address(items[i].hi, families[f], range.hi);
            fn(ctx, &range, lineup_ask(b, l, d, own, &peer, NULL));
        }
    }
    world_deinit(&pieces);
}
