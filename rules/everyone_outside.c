/* The world of one family is cut where the line-up's blocks begin and end, and one address of each
 * piece is asked about. What is missed may be at most a small part of the public addresses. */
#include "cluster/cidr.h"
#include "rules/everyone_private.h"
#include "rules/lineup_private.h"

enum { OUTSIDE_MAX_STEPS = 200000 };

struct outside {
    const struct everyone_question *q;
    int family;
    world_address address; /* asked about */
    uint32_t steps;
};

static bool has_address(struct outside *o, const struct str *cidr)
{
    struct cidr c;

    o->steps++;
    if (!cidr_parse(str_text(cidr), &c) || c.family != o->family) {
        return false;
    }
    struct world_range r = world_range_of(&c);
    return r.lo <= o->address && o->address <= r.hi;
}

static bool in_block(struct outside *o, const struct ip_block *block)
{
    if (!has_address(o, block->cidr)) {
        return false;
    }
    for (uint32_t i = 0; i < block->except_count; i++) {
        if (has_address(o, block->except[i])) {
            return false;
        }
    }
    return true;
}

static enum form_match match_outside(void *ctx, const struct policy_form *f,
                                     const struct form_peer *peer)
{
    struct outside *o = ctx;

    (void)f;
    switch (peer->kind) {
    case FORM_PEER_EVERYONE:
        return MATCH_YES;
    case FORM_PEER_WORLD:
        return peer->family == 0 || peer->family == o->family ? MATCH_YES : MATCH_NO;
    case FORM_PEER_BLOCK:
        return in_block(o, peer->block) ? MATCH_YES : MATCH_NO;
    case FORM_PEER_PODS:
    case FORM_PEER_CLUSTER:
    case FORM_PEER_NODES:
        return MATCH_NO;
    case FORM_PEER_MAYBE:
        break;
    }
    return MATCH_MAYBE;
}

/* ---- an upper bound, which settles most questions ---- */

/* May what is allowed to outside addresses, everything together, be everyone? Only where nothing is
 * let through without a rule. */
static bool may_admit(const struct everyone_question *q, int family)
{
    struct world w = { 0 };
    bool may = !lineup_isolates(q->lineup);

    for (size_t i = 0; i < lineup_count(q->lineup) && !may; i++) {
        const struct policy_form *f = lineup_at(q->lineup, i);
        may = f->unclear[q->direction] != NULL;
        for (uint32_t r = 0; r < f->rule_count[q->direction] && !may; r++) {
            const struct form_rule *rule = &f->rules[q->direction][r];
            for (uint32_t k = 0; rule->action == FORM_ALLOW && k < rule->peer_count && !may; k++) {
                const struct form_peer *p = &rule->peers[k];
                may = p->kind == FORM_PEER_EVERYONE || p->kind == FORM_PEER_WORLD ||
                      p->kind == FORM_PEER_MAYBE;
                if (p->kind == FORM_PEER_BLOCK) {
                    world_add(&w, p->block);
                }
            }
        }
    }
    may = may || world_covered(&w, family);
    world_deinit(&w);
    return may;
}

/* ---- piece by piece ---- */

enum everyone everyone_outside(struct everyone_space *s, const struct everyone_question *q,
                               int family, const char **why)
{
    struct outside o = { .q = q, .family = family };
    world_address missed = 0, unknown = 0;
    const char *construct = NULL;

    if (q->goal != GOAL_DENIED_BY_DEFAULT && !may_admit(q, family)) {
        return EVERYONE_NO;
    }
    lineup_pieces(q->lineup, q->direction, &s->pieces);
    const struct world_ranges pieces = world_ranges(&s->pieces, family);
    for (size_t i = 0; i < pieces.len; i++) {
        world_address weight = world_public(family, pieces.items[i]);
        struct lineup_outcome outcome;
        if (weight == 0) {
            continue;
        }
        o.address = pieces.items[i].lo;
        everyone_evaluate(q, match_outside, &o, &outcome);
        switch (goal_reached(q, &outcome)) {
        case GOAL_REACHED:
            break;
        case GOAL_MISSED:
            missed += weight;
            break;
        case GOAL_UNDECIDED:
            unknown += weight;
            construct = outcome.construct;
            break;
        }
        if (!world_tolerates(family, missed)) {
            return EVERYONE_NO;
        }
        if (o.steps > OUTSIDE_MAX_STEPS) {
            *why = EVERYONE_TOO_INTRICATE;
            return EVERYONE_UNKNOWN;
        }
    }
    if (world_tolerates(family, missed + unknown)) {
        return EVERYONE_YES;
    }
    *why = construct;
    return EVERYONE_UNKNOWN;
}
