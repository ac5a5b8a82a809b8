/* First the rules that admit something on every port are taken together; that decides nearly
 * always. Only when all rules together would admit everyone and cover every port, but not these,
 * the port space is cut at the borders that the rules name and each piece is looked at. */
#include "rules/reach_open.h"

#include <stdlib.h>

enum { PORT_FIRST = 1, PORT_LAST = 65535, PIECES_MAX_WORK = 200000 };

/* Who is admitted: every pod, everyone outside by family. */
enum { WHO_PODS = 1, WHO_V4 = 2, WHO_V6 = 4, WHO_ALL = 7 };

void open_space_deinit(struct open_space *s)
{
    label_cover_deinit(&s->cover);
    world_deinit(&s->world);
    vec_free(&s->all.v);
    vec_free(&s->some.v);
    vec_free(&s->borders);
}

/* ---- ports ---- */

struct port_range {
    uint32_t lo, hi; /* lo > hi: nothing */
};

static struct port_range named_port(const struct open_question *q, const struct policy_port *p,
                                    enum protocol protocol)
{
    struct port_range none = { 1, 0 };

    if (q->named_ports_admit_all) {
        return (struct port_range){ PORT_FIRST, PORT_LAST };
    }
    for (uint32_t i = 0; q->shape != NULL && i < q->shape->port_count; i++) {
        const struct named_port *n = &q->shape->ports[i];
        if (n->name == p->port_name && n->protocol == protocol) {
            return (struct port_range){ n->port, n->port };
        }
    }
    return none;
}

static struct port_range range_of(const struct open_question *q, const struct policy_port *p,
                                  enum protocol protocol)
{
    if (p->protocol != protocol) {
        return (struct port_range){ 1, 0 };
    }
    if (!p->has_port) {
        return (struct port_range){ PORT_FIRST, PORT_LAST };
    }
    return p->port_name != NULL ? named_port(q, p, protocol)
                                : (struct port_range){ p->port, p->end_port };
}

static bool admits_port(const struct open_question *q, const struct policy_rule *r,
                        enum protocol protocol, uint32_t port)
{
    for (uint32_t i = 0; i < r->port_count; i++) {
        struct port_range range = range_of(q, &r->ports[i], protocol);
        if (range.lo <= port && port <= range.hi) {
            return true;
        }
    }
    return r->port_count == 0;
}

/* One item of the rule covers every port, which is how people write it. */
static bool admits_every_port(const struct open_question *q, const struct policy_rule *r,
                              enum protocol protocol)
{
    for (uint32_t i = 0; i < r->port_count; i++) {
        struct port_range range = range_of(q, &r->ports[i], protocol);
        if (range.lo <= PORT_FIRST && range.hi >= PORT_LAST) {
            return true;
        }
    }
    return r->port_count == 0;
}

/* ---- peers ---- */

static void add_pod_peer(struct label_cover *c, const struct policy_peer *p, struct str *const *ns)
{
    label_cover_begin(c);
    if (p->namespaces != NULL) {
        label_cover_and(c, LABELS_OF_NAMESPACE, p->namespaces);
    } else {
        label_cover_and_namespace(c, ns);
    }
    label_cover_and(c, LABELS_OF_POD, p->pods);
}

/* Whom these rules admit together, each taken as if on every port. */
static unsigned who_is_admitted(struct open_space *s, const struct open_question *q,
                                const struct rule_vec *rules, bool *too_hard)
{
    unsigned who = 0;

    label_cover_reset(&s->cover);
    world_reset(&s->world);
    for (size_t i = 0; i < rules->v.len; i++) {
        const struct policy_rule *r = rules->v.items[i];
        if (r->peer_count == 0) {
            return WHO_ALL;
        }
        for (uint32_t k = 0; k < r->peer_count; k++) {
            if (r->peers[k].ip_block != NULL) {
                world_add(&s->world, r->peers[k].ip_block);
            } else {
                add_pod_peer(&s->cover, &r->peers[k], &q->policies[0]->head.ns);
            }
        }
    }
    switch (label_cover_ask(&s->cover)) {
    case COVER_ALL:
        who |= WHO_PODS;
        break;
    case COVER_TOO_HARD:
        *too_hard = true;
        break;
    case COVER_NOT_ALL:
        break;
    }
    who |= world_covered(&s->world, 4) ? WHO_V4 : 0U;
    who |= world_covered(&s->world, 6) ? WHO_V6 : 0U;
    return who;
}

/* ---- both ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

/* Where what is admitted may change: the first port, each range's first and the one behind its
 * last. */
static void find_borders(struct open_space *s, const struct open_question *q,
                         enum protocol protocol)
{
    size_t n = 0;

    s->borders.len = 0;
    vec_push(&s->borders, (uint32_t)PORT_FIRST);
    for (size_t i = 0; i < s->all.v.len; i++) {
        const struct policy_rule *r = s->all.v.items[i];
        for (uint32_t k = 0; k < r->port_count; k++) {
            struct port_range range = range_of(q, &r->ports[k], protocol);
            if (range.lo <= range.hi && range.lo > PORT_FIRST) {
                vec_push(&s->borders, range.lo);
            }
            if (range.lo <= range.hi && range.hi < PORT_LAST) {
                vec_push(&s->borders, range.hi + 1);
            }
        }
    }
    qsort(s->borders.items, s->borders.len, sizeof(s->borders.items[0]), by_number);
    for (size_t i = 0; i < s->borders.len; i++) {
        if (n == 0 || s->borders.items[i] != s->borders.items[n - 1]) {
            s->borders.items[n++] = s->borders.items[i];
        }
    }
    s->borders.len = n;
}

static unsigned who_on_every_piece(struct open_space *s, const struct open_question *q,
                                   enum protocol protocol, unsigned who, bool *too_hard)
{
    find_borders(s, q, protocol);
    if (s->borders.len * s->all.v.len > PIECES_MAX_WORK) {
        *too_hard = true;
        return 0;
    }
    for (size_t b = 0; b < s->borders.len && who != 0; b++) {
        s->some.v.len = 0;
        for (size_t i = 0; i < s->all.v.len; i++) {
            if (admits_port(q, s->all.v.items[i], protocol, s->borders.items[b])) {
                vec_push(&s->some.v, s->all.v.items[i]);
            }
        }
        who &= s->some.v.len > 0 ? who_is_admitted(s, q, &s->some, too_hard) : 0U;
    }
    return who;
}

static unsigned who_on_every_port(struct open_space *s, const struct open_question *q,
                                  enum protocol protocol, bool *too_hard)
{
    s->some.v.len = 0;
    for (size_t i = 0; i < s->all.v.len; i++) {
        if (admits_every_port(q, s->all.v.items[i], protocol)) {
            vec_push(&s->some.v, s->all.v.items[i]);
        }
    }
    unsigned who = s->some.v.len > 0 ? who_is_admitted(s, q, &s->some, too_hard) : 0U;
    if (who != 0 || s->some.v.len == s->all.v.len) {
        return who;
    }
    who = who_is_admitted(s, q, &s->all, too_hard);
    return who != 0 ? who_on_every_piece(s, q, protocol, who, too_hard) : 0U;
}

enum openness policies_openness(struct open_space *s, const struct open_question *q)
{
    bool too_hard = false;

    s->all.v.len = 0;
    for (size_t i = 0; i < q->count; i++) {
        const struct network_policy *p = q->policies[i];
        uint32_t n = q->direction == DIRECTION_INGRESS ? p->ingress_count : p->egress_count;
        const struct policy_rule *rules =
            q->direction == DIRECTION_INGRESS ? p->ingress_rules : p->egress_rules;
        for (uint32_t r = 0; r < n; r++) {
            vec_push(&s->all.v, &rules[r]);
        }
    }
    if (s->all.v.len == 0) {
        return OPENNESS_NO;
    }
    if (who_on_every_port(s, q, PROTOCOL_TCP, &too_hard) != 0 ||
        who_on_every_port(s, q, PROTOCOL_UDP, &too_hard) != 0) {
        return OPENNESS_YES;
    }
    return too_hard ? OPENNESS_TOO_HARD : OPENNESS_NO;
}
