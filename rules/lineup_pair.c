/* Both sides of a connection. What a node sends to its own pods always arrives, and whose node that
 * is is not known here: denied then means unknown. */
#include "rules/lineup_private.h"

static struct side_answer doubt_denial(struct side_answer a, struct reach_book *b)
{
    a.unknown = port_set_minus(b->ports, PORTS_ALL, a.allowed);
    return a;
}

static struct side_answer ask_egress(struct reach_book *b, const struct reach_peer *from,
                                     const struct reach_peer *to, const char **construct)
{
    struct side_answer all = { PORTS_ALL, PORTS_NONE };

    if (from->kind != PEER_POD) {
        return all;
    }
    struct side_answer a = lineup_ask(b, reach_lineup(b, from->pod_class, DIRECTION_EGRESS),
                                      DIRECTION_EGRESS, from->pod_class, to, construct);
    return to->kind == PEER_NODE ? doubt_denial(a, b) : a;
}

static struct side_answer ask_ingress(struct reach_book *b, const struct reach_peer *from,
                                      const struct reach_peer *to, const char **construct)
{
    struct side_answer all = { PORTS_ALL, PORTS_NONE };

    if (to->kind != PEER_POD) {
        return all;
    }
    struct side_answer a = lineup_ask(b, reach_lineup(b, to->pod_class, DIRECTION_INGRESS),
                                      DIRECTION_INGRESS, to->pod_class, from, construct);
    return from->kind == PEER_NODE ? doubt_denial(a, b) : a;
}

static struct side_answer pair_once(struct reach_book *b, const struct reach_peer *from,
                                    const struct reach_peer *to, const char **construct)
{
    const char *why = NULL;
    struct side_answer e = ask_egress(b, from, to, &why);
    struct side_answer i = ask_ingress(b, from, to, &why);
    struct side_answer both;

    both.allowed = port_set_and(b->ports, e.allowed, i.allowed);
    both.unknown =
        port_set_minus(b->ports,
                       port_set_and(b->ports, port_set_or(b->ports, e.allowed, e.unknown),
                                    port_set_or(b->ports, i.allowed, i.unknown)),
                       both.allowed);
    if (both.unknown != PORTS_NONE && *construct == NULL) {
        *construct = why != NULL ? why : REACH_OWN_NODE;
    }
    return both;
}

/* The addresses of one family; all of them when none is known. */
static struct reach_peer in_family(const struct reach_peer *p, int family,
                                   struct address_range *space, bool *has)
{
    struct reach_peer out = *p;

    *has = p->address_count == 0;
    out.addresses = space;
    out.address_count = 0;
    for (uint32_t i = 0; i < p->address_count && out.address_count < PEER_ADDRESSES_MAX; i++) {
        if (p->addresses[i].family == family) {
            space[out.address_count++] = p->addresses[i];
            *has = true;
        }
    }
    return out;
}

struct side_answer reach_pair(struct reach_book *b, const struct reach_peer *from,
                              const struct reach_peer *to, const char **construct)
{
    static const int families[] = { 4, 6 };
    struct side_answer all = { PORTS_NONE, PORTS_NONE };
    const char *ignored = NULL;
    bool any = false;

    construct = construct != NULL ? construct : &ignored;
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        struct address_range here[PEER_ADDRESSES_MAX], there[PEER_ADDRESSES_MAX];
        bool has_from, has_to;
        struct reach_peer a = in_family(from, families[f], here, &has_from);
        struct reach_peer z = in_family(to, families[f], there, &has_to);
        if (!has_from || !has_to || (any && from->address_count + to->address_count == 0)) {
            continue;
        }
        any = true;
        struct side_answer one = pair_once(b, &a, &z, construct);
        all.allowed = port_set_or(b->ports, all.allowed, one.allowed);
        all.unknown = port_set_or(b->ports, all.unknown, one.unknown);
    }
    all.unknown = port_set_minus(b->ports, all.unknown, all.allowed);
    return all;
}
