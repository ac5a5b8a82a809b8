/* A search through the labels and addresses that a pod might have. A line-up is evaluated with what
 * is assigned so far; a peer that a requirement on an unassigned label may or may not match is a
 * maybe. Where the maybes leave the goal open, the first such label is given its values in turn,
 * those that nobody names first: mostly the pod without labels decides at once. Steps are bounded.
 */
#include "rules/everyone.h"

#include <string.h>

#include "cluster/cidr.h"
#include "rules/everyone_private.h"
#include "rules/lineup_private.h"

enum { SEARCH_MAX_STEPS = 50000, SEARCH_MAX_DEPTH = 64 };

#define NAME_KEY "kubernetes.io/metadata.name"

/* The pod's address is a variable as well; this is its number. */
enum { ADDRESS_OPEN = -1, VARIABLE_NONE = -1, VARIABLE_ADDRESS = -2 };

struct frame {
    int variable;
    size_t candidate;
};

struct search {
    struct everyone_space *space;
    const struct everyone_question *q;
    int address;   /* index, or ADDRESS_OPEN */
    int undecided; /* the first variable that left a match open, or VARIABLE_NONE */
    struct str *name_key;
    uint32_t steps;
};

void everyone_space_deinit(struct everyone_space *s)
{
    for (size_t i = 0; i < s->variables.len; i++) {
        label_variable_deinit(&s->variables.items[i]);
    }
    vec_free(&s->variables);
    vec_free(&s->addresses);
    world_deinit(&s->pieces);
}

/* ---- what may be assigned ---- */

static size_t variable_of(struct everyone_space *s, enum label_space space, const struct str *key)
{
    for (size_t i = 0; i < s->variables.len; i++) {
        if (s->variables.items[i].space == space && s->variables.items[i].key == key) {
            return i;
        }
    }
    vec_push(&s->variables,
             ((struct label_variable){
                 .space = space, .key = key, .always = label_is_namespace_name(space, key) }));
    return s->variables.len - 1;
}

static void name_values(struct everyone_space *s, enum label_space space,
                        const struct selector *sel)
{
    for (uint32_t i = 0; sel != NULL && i < sel->count; i++) {
        const struct selector_requirement *r = &sel->requirements[i];
        size_t v = variable_of(s, space, r->key);
        for (uint32_t k = 0; k < r->value_count; k++) {
            vec_push(&s->variables.items[v].named, r->values[k]);
        }
    }
}

static void name_relative(struct search *s, const struct tiered_peer *p)
{
    for (uint32_t i = 0; i < p->key_count; i++) {
        const struct str *own = s->q->ns->object != NULL
                                    ? label_set_get(s->q->ns->object->head.labels, p->keys[i])
                                    : NULL;
        size_t v = variable_of(s->space, LABELS_OF_NAMESPACE, p->keys[i]);
        if (own != NULL) {
            vec_push(&s->space->variables.items[v].named, own);
        }
    }
}

/* The next block of the same size; false after the last. */
static bool next_block(struct cidr *c)
{
    unsigned carry = 1U << ((8 - c->bits % 8) % 8);

    for (int i = (c->bits - 1) / 8; i >= 0 && carry > 0; i--) {
        unsigned sum = c->addr[i] + carry;
        c->addr[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    return carry == 0;
}

static void add_address(struct search *s, struct cidr c)
{
    c.bits = c.family == 4 ? 32 : 128;
    vec_push(&s->space->addresses, c);
}

/* The first address in the block and the first behind it: with the lowest of the family, each part
 * into which blocks cut the addresses is then met once at least. */
static void name_address(struct search *s, const struct str *text)
{
    struct cidr c;

    if (cidr_parse(text->text, &c) && c.bits > 0 &&
        (s->q->families & (c.family == 4 ? FAMILY_IPV4_BIT : FAMILY_IPV6_BIT))) {
        add_address(s, c);
        if (next_block(&c)) {
            add_address(s, c);
        }
    }
}

static void name_peer(struct search *s, const struct policy_form *f, const struct form_peer *p)
{
    if (p->kind == FORM_PEER_BLOCK && p->blocks_match_pods) {
        name_address(s, p->block->cidr);
        for (uint32_t i = 0; i < p->block->except_count; i++) {
            name_address(s, p->block->except[i]);
        }
    }
    if (p->kind != FORM_PEER_PODS) {
        return;
    }
    if (p->own_namespace) {
        size_t v = variable_of(s->space, LABELS_OF_NAMESPACE, s->name_key);
        vec_push(&s->space->variables.items[v].named, f->ns->name);
    }
    name_values(s->space, LABELS_OF_NAMESPACE, p->namespaces);
    name_values(s->space, LABELS_OF_POD, p->pods);
    name_values(s->space, LABELS_OF_SERVICE_ACCOUNT, p->service_account);
    if (p->relative != NULL) {
        name_relative(s, p->relative);
    }
}

/* The words of the line-up, and one address of every part that its blocks tell apart. */
static void name_everything(struct search *s)
{
    struct everyone_space *space = s->space;
    const struct lineup *l = s->q->lineup;

    for (size_t i = 0; i < space->variables.len; i++) {
        label_variable_deinit(&space->variables.items[i]);
    }
    space->variables.len = 0;
    space->addresses.len = 0;
    if (s->q->families & FAMILY_IPV4_BIT) {
        add_address(s, (struct cidr){ .family = 4 });
    }
    if (s->q->families & FAMILY_IPV6_BIT) {
        add_address(s, (struct cidr){ .family = 6 });
    }
    for (size_t i = 0; i < lineup_count(l); i++) {
        const struct policy_form *f = lineup_at(l, i);
        for (uint32_t r = 0; r < f->rule_count[s->q->direction]; r++) {
            const struct form_rule *rule = &f->rules[s->q->direction][r];
            for (uint32_t k = 0; k < rule->peer_count; k++) {
                name_peer(s, f, &rule->peers[k]);
            }
        }
    }
}

/* ---- matching what is assigned so far ---- */

/* Joins the answer about one requirement of a conjunction. False: it cannot match any more. */
static bool join(enum form_match *all, enum form_match one)
{
    *all = one == MATCH_NO ? MATCH_NO : one == MATCH_MAYBE ? MATCH_MAYBE : *all;
    return *all != MATCH_NO;
}

static enum form_match match_values(struct search *s, enum label_space space, const struct str *key,
                                    enum selector_op op, struct str *const *values, uint32_t count)
{
    static const struct label_value absent = { LABEL_ABSENT, NULL };
    size_t v;
    const struct label_value *value;

    s->steps++;
    if (space == LABELS_OF_POD && reach_label_hidden(s->q->book, key)) {
        return label_value_satisfies(&absent, op, values, count) ? MATCH_YES : MATCH_NO;
    }
    v = variable_of(s->space, space, key);
    value = &s->space->variables.items[v].value;
    if (value->state != LABEL_OPEN) {
        return label_value_satisfies(value, op, values, count) ? MATCH_YES : MATCH_NO;
    }
    if (s->undecided == VARIABLE_NONE) {
        s->undecided = (int)v;
    }
    return MATCH_MAYBE;
}

static bool match_selector(struct search *s, enum label_space space, const struct selector *sel,
                           enum form_match *all)
{
    bool possible = true;

    for (uint32_t i = 0; sel != NULL && i < sel->count && possible; i++) {
        const struct selector_requirement *r = &sel->requirements[i];
        possible = join(all, match_values(s, space, r->key, r->op, r->values, r->value_count));
    }
    return possible;
}

/* sameLabels: all of the keys with the subject's values. notSameLabels: all of them, one at least
 * with another value. */
static enum form_match match_relative(struct search *s, const struct tiered_peer *p)
{
    enum form_match all = MATCH_YES, other = MATCH_NO;

    if (p->key_count == 0) {
        return MATCH_NO;
    }
    for (uint32_t i = 0; i < p->key_count; i++) {
        struct str *own =
            s->q->ns->object != NULL
                ? (struct str *)(uintptr_t)label_set_get(s->q->ns->object->head.labels, p->keys[i])
                : NULL;
        enum form_match has =
            match_values(s, LABELS_OF_NAMESPACE, p->keys[i], SELECTOR_EXISTS, NULL, 0);
        enum form_match same = match_values(s, LABELS_OF_NAMESPACE, p->keys[i], SELECTOR_IN, &own,
                                            own != NULL ? 1 : 0);
        if (!join(&all, has) || (p->same_labels && !join(&all, same))) {
            return MATCH_NO;
        }
        other = same == MATCH_NO    ? MATCH_YES
                : same == MATCH_YES ? other
                : other == MATCH_NO ? MATCH_MAYBE
                                    : other;
    }
    if (p->not_same_labels) {
        join(&all, other);
    }
    return all;
}

static enum form_match match_pods(struct search *s, const struct policy_form *f,
                                  const struct form_peer *p)
{
    enum form_match all = MATCH_YES;

    if (p->own_namespace) {
        struct str *name = f->ns->name;
        if (!join(&all, match_values(s, LABELS_OF_NAMESPACE, s->name_key, SELECTOR_IN, &name, 1))) {
            return MATCH_NO;
        }
    }
    if (!match_selector(s, LABELS_OF_NAMESPACE, p->namespaces, &all) ||
        !match_selector(s, LABELS_OF_POD, p->pods, &all) ||
        !match_selector(s, LABELS_OF_SERVICE_ACCOUNT, p->service_account, &all)) {
        return MATCH_NO;
    }
    if (p->relative != NULL) {
        join(&all, match_relative(s, p->relative));
    }
    return all;
}

static enum form_match match_address(struct search *s, const struct ip_block *block)
{
    struct cidr c, except;

    s->steps++;
    if (!cidr_parse(block->cidr->text, &c)) {
        return MATCH_NO;
    }
    if (s->address == ADDRESS_OPEN) {
        if (s->undecided == VARIABLE_NONE) {
            s->undecided = VARIABLE_ADDRESS;
        }
        return MATCH_MAYBE;
    }
    const struct cidr *own = &s->space->addresses.items[s->address];
    if (!cidr_contains(&c, own)) {
        return MATCH_NO;
    }
    for (uint32_t i = 0; i < block->except_count; i++) {
        if (cidr_parse(block->except[i]->text, &except) && cidr_contains(&except, own)) {
            return MATCH_NO;
        }
    }
    return MATCH_YES;
}

static enum form_match match_pod(void *ctx, const struct policy_form *f,
                                 const struct form_peer *peer)
{
    struct search *s = ctx;

    switch (peer->kind) {
    case FORM_PEER_EVERYONE:
    case FORM_PEER_CLUSTER:
        return MATCH_YES;
    case FORM_PEER_PODS:
        return match_pods(s, f, peer);
    case FORM_PEER_BLOCK:
        return peer->blocks_match_pods ? match_address(s, peer->block) : MATCH_NO;
    case FORM_PEER_WORLD:
    case FORM_PEER_NODES:
        return MATCH_NO;
    case FORM_PEER_MAYBE:
        break;
    }
    return peer->outside_only ? MATCH_NO : MATCH_MAYBE;
}

/* ---- goals ---- */

enum goal_state goal_reached(const struct everyone_question *q, const struct lineup_outcome *o)
{
    struct port_table *t = reach_book_ports(q->book);
    port_set every = PORTS_ALL, missed;

    if (q->goal == GOAL_DENIED_BY_DEFAULT) {
        if (o->unmatched == PORTS_NONE) {
            return GOAL_REACHED;
        }
        return port_set_minus(t, o->unmatched, o->denied) != PORTS_NONE ? GOAL_MISSED
                                                                        : GOAL_UNDECIDED;
    }
    every = port_set_range(t, q->goal == GOAL_ADMITTED_TCP ? PROTOCOL_TCP : PROTOCOL_UDP,
                           PORT_FIRST, PORT_LAST);
    missed = port_set_minus(t, every, o->allowed);
    if (missed != PORTS_NONE) {
        return GOAL_MISSED;
    }
    return port_set_and(t, every, o->denied) == PORTS_NONE ? GOAL_REACHED : GOAL_UNDECIDED;
}

void everyone_evaluate(const struct everyone_question *q, form_match_fn *match, void *ctx,
                       struct lineup_outcome *out)
{
    const struct lineup_question lq = { .direction = q->direction,
                                        .shape =
                                            q->direction == DIRECTION_INGRESS ? q->shape : NULL,
                                        .ignore_accepts = q->goal == GOAL_DENIED_BY_DEFAULT,
                                        .match = match,
                                        .ctx = ctx };
    lineup_evaluate(q->book, q->lineup, &lq, out);
}

/* ---- the search ---- */

/* Gives the frame's variable its next value; false when there is none left. */
static bool advance(struct search *s, struct frame *f)
{
    if (f->variable == VARIABLE_ADDRESS) {
        bool more = f->candidate < s->space->addresses.len;
        s->address = more ? (int)f->candidate++ : ADDRESS_OPEN;
        return more;
    }
    struct label_variable *v = &s->space->variables.items[f->variable];
    struct label_value value;
    if (!label_variable_candidate(v, f->candidate++, &value)) {
        v->value.state = LABEL_OPEN;
        return false;
    }
    v->value = value;
    return true;
}

static enum everyone search_pods(struct search *s, const char **why)
{
    struct frame frames[SEARCH_MAX_DEPTH];
    size_t depth = 0;
    bool unknown = false, forward = true;

    for (;;) {
        if (forward) {
            struct lineup_outcome o;
            s->undecided = VARIABLE_NONE;
            everyone_evaluate(s->q, match_pod, s, &o);
            enum goal_state state = goal_reached(s->q, &o);
            if (state == GOAL_MISSED) {
                return EVERYONE_NO;
            }
            if (state == GOAL_UNDECIDED && s->undecided == VARIABLE_NONE) {
                unknown = true;
                *why = o.construct;
            }
            if (s->steps > SEARCH_MAX_STEPS || depth == SEARCH_MAX_DEPTH) {
                *why = EVERYONE_TOO_INTRICATE;
                return EVERYONE_UNKNOWN;
            }
            if (state == GOAL_UNDECIDED && s->undecided != VARIABLE_NONE) {
                frames[depth++] = (struct frame){ s->undecided, 0 };
            }
        }
        if (depth == 0) {
            break;
        }
        forward = advance(s, &frames[depth - 1]);
        depth -= forward ? 0 : 1;
    }
    return unknown ? EVERYONE_UNKNOWN : EVERYONE_YES;
}

enum everyone everyone_pods(struct everyone_space *space, const struct everyone_question *q,
                            const char **why)
{
    struct search s = {
        .space = space, .q = q, .address = ADDRESS_OPEN, .name_key = str_intern(NAME_KEY)
    };

    name_everything(&s);
    if (space->addresses.len == 0) {
        add_address(&s, (struct cidr){ .family = 4 });
    }
    enum everyone answer = search_pods(&s, why);
    str_unref(s.name_key);
    return answer;
}
