/* The world outside, cut at the borders that policies name. */
#include "rules/lineup_private.h"

void form_cut(const struct policy_form *f, enum direction d, struct world *out)
{
    for (uint32_t r = 0; r < f->rule_count[d]; r++) {
        for (uint32_t k = 0; k < f->rules[d][r].peer_count; k++) {
            const struct form_peer *p = &f->rules[d][r].peers[k];
            if (p->kind != FORM_PEER_BLOCK || p->range->cidr.family == 0) {
                continue;
            }
            world_cut(out, &p->range->cidr);
            for (uint32_t e = 0; e < p->range->except_count; e++) {
                world_cut(out, &p->range->except[e]);
            }
        }
    }
}

void lineup_pieces(const struct lineup *l, enum direction d, struct world *out)
{
    world_cut_begin(out);
    for (size_t i = 0; l != NULL && i < l->count; i++) {
        form_cut(l->forms[i], d, out);
    }
    world_cut_end(out);
}

void lineup_outside(struct reach_book *b, const struct lineup *l, enum direction d,
                    const struct pod_class *own, lineup_outside_fn *fn, void *ctx)
{
    static const int families[] = { 4, 6 };
    struct world pieces = { 0 };

    lineup_pieces(l, d, &pieces);
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        struct world_ranges r = world_ranges(&pieces, families[f]);
        for (size_t i = 0; i < r.len; i++) {
            struct address_range range = { .family = (uint8_t)families[f] };
            const struct reach_peer peer = { PEER_OUTSIDE, NULL, &range, 1 };
            world_put_address(r.items[i].lo, families[f], range.lo);
            world_put_address(r.items[i].hi, families[f], range.hi);
            fn(ctx, &range, lineup_ask(b, l, d, own, &peer, NULL));
        }
    }
    world_deinit(&pieces);
}
