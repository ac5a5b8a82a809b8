/* Does a form select a pod, does a peer match one? Selectors over the labels as the network plugin
 * sees them. */
#include <string.h>

#include "base/text.h"
#include "cluster/cidr.h"
#include "rules/lineup_private.h"

/* ---- labels ---- */

/* What Cilium's default label filter leaves out. */
bool reach_label_hidden(const struct reach_book *b, const struct str *key)
{
    static const char *const prefixes[] = { "kubernetes.io",
                                            "k8s.io",
                                            "io.kubernetes",
                                            "statefulset.kubernetes.io/pod-name",
                                            "apps.kubernetes.io/pod-index",
                                            "batch.kubernetes.io/job-completion-index",
                                            "batch.kubernetes.io/controller-uid",
                                            "pod-template-hash",
                                            "pod-template-generation",
                                            "controller-revision-hash",
                                            "controller-uid",
                                            "topology.kubernetes.io" };

    if (!b->hides_labels) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (text_starts(key->text, prefixes[i])) {
            return strcmp(key->text, "io.kubernetes.pod.namespace") != 0;
        }
    }
    return strstr(key->text, "beta.kubernetes.io") != NULL;
}

bool reach_names_hidden(const struct reach_book *b, const struct selector *s)
{
    for (uint32_t i = 0; b->hides_labels && s != NULL && i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        if ((r->op == SELECTOR_IN || r->op == SELECTOR_EXISTS) && reach_label_hidden(b, r->key)) {
            return true;
        }
    }
    return false;
}

struct seen_labels {
    const struct reach_book *book; /* NULL: nothing is hidden */
    const struct label_view *labels;
};

static const struct str *get_seen(void *ctx, const struct str *key)
{
    static const struct str unheard_of; /* equal to no interned string */
    const struct seen_labels *seen = ctx;
    const struct label_view *labels = seen->labels;

    if (seen->book != NULL && reach_label_hidden(seen->book, key)) {
        return NULL;
    }
    if (labels->set != NULL) {
        return label_set_get(labels->set, key);
    }
    if (labels->key == NULL || labels->key != key) {
        return NULL;
    }
    return labels->value != NULL ? labels->value : &unheard_of;
}

enum form_match reach_pods_match(const struct reach_book *b, const struct selector *s,
                                 const struct label_view *labels)
{
    struct seen_labels all = { NULL, labels }, seen = { b, labels };

    if (s == NULL) {
        return MATCH_YES;
    }
    if (!b->hides_labels) {
        bool matches = labels->set != NULL ? selector_matches(s, labels->set)
                                           : selector_matches_get(s, get_seen, &all);
        return matches ? MATCH_YES : MATCH_NO;
    }
    if (selector_matches_get(s, get_seen, &seen)) {
        return MATCH_YES;
    }
    return reach_names_hidden(b, s) && selector_matches_get(s, get_seen, &all) ? MATCH_MAYBE
                                                                               : MATCH_NO;
}

/* Every namespace carries its name as a label, also one whose object has not been seen. */
static const struct str *get_of_namespace(void *ctx, const struct str *key)
{
    const struct ns *ns = ctx;
    const struct str *value =
        ns->object != NULL ? label_set_get(ns->object->head.labels, key) : NULL;

    if (value == NULL && strcmp(key->text, "kubernetes.io/metadata.name") == 0) {
        return ns->name;
    }
    return value;
}

bool reach_namespace_matches(const struct selector *s, const struct ns *ns)
{
    return s == NULL || selector_matches_get(s, get_of_namespace, (void *)(uintptr_t)ns);
}

static const struct str *get_account(void *ctx, const struct str *key)
{
    static const struct str unheard_of;
    const struct str *account = ctx;

    (void)key;
    return account != NULL ? account : &unheard_of;
}

bool reach_account_matches(const struct selector *s, const struct str *account)
{
    return s == NULL || selector_matches_get(s, get_account, (void *)(uintptr_t)account);
}

/* ---- peers ---- */

/* sameLabels: all of the keys with the subject's values; notSameLabels: all of the keys, one at
 * least with another value. */
static bool relative_matches(const struct tiered_peer *p, const struct ns *own,
                             const struct ns *other)
{
    bool differs = false;

    for (uint32_t i = 0; i < p->key_count; i++) {
        const struct str *mine = get_of_namespace((void *)(uintptr_t)own, p->keys[i]);
        const struct str *theirs = get_of_namespace((void *)(uintptr_t)other, p->keys[i]);
        if (theirs == NULL || (p->same_labels && mine != theirs)) {
            return false;
        }
        differs = differs || mine != theirs;
    }
    return p->key_count > 0 && (p->same_labels || differs);
}

static enum form_match pods_match(const struct match_peer *m, const struct policy_form *f,
                                  const struct form_peer *p)
{
    const struct pod_class *pc = m->peer->pod_class;

    if (m->peer->kind != PEER_POD || pc == NULL || (p->own_namespace && pc->ns != f->ns) ||
        !reach_namespace_matches(p->namespaces, pc->ns) ||
        !reach_account_matches(p->service_account, pc->shape->service_account) ||
        (p->relative != NULL && !relative_matches(p->relative, m->own->ns, pc->ns))) {
        return MATCH_NO;
    }
    return reach_pods_match(m->book, p->pods, &(struct label_view){ .set = pc->labels });
}

static bool range_in(const struct address_range *r, const struct cidr *c)
{
    unsigned bytes = c->bits / 8, rest = c->bits % 8;

    return c->family == r->family && memcmp(c->addr, r->lo, bytes) == 0 &&
           (rest == 0 || ((c->addr[bytes] ^ r->lo[bytes]) >> (8 - rest)) == 0);
}

/* No border cuts a range, so that its first address speaks for it. */
static bool block_matches(const struct match_peer *m, const struct form_peer *p)
{
    bool pods = m->peer->kind != PEER_OUTSIDE;

    if (m->peer->address_count == 0 || (pods && !p->blocks_match_pods) ||
        !range_in(&m->peer->addresses[0], &p->range->cidr)) {
        return false;
    }
    for (uint32_t i = 0; i < p->range->except_count; i++) {
        if (range_in(&m->peer->addresses[0], &p->range->except[i])) {
            return false;
        }
    }
    return true;
}

enum form_match reach_match_peer(void *ctx, const struct policy_form *f, const struct form_peer *p)
{
    const struct match_peer *m = ctx;
    enum peer_kind kind = m->peer->kind;

    switch (p->kind) {
    case FORM_PEER_EVERYONE:
        return MATCH_YES;
    case FORM_PEER_PODS:
        return pods_match(m, f, p);
    case FORM_PEER_BLOCK:
        return block_matches(m, p) ? MATCH_YES : MATCH_NO;
    case FORM_PEER_WORLD:
        return kind == PEER_OUTSIDE && (p->family == 0 || p->family == m->peer->addresses[0].family)
                   ? MATCH_YES
                   : MATCH_NO;
    case FORM_PEER_CLUSTER:
        return kind != PEER_OUTSIDE ? MATCH_YES : MATCH_NO;
    case FORM_PEER_NODES:
        return kind == PEER_NODE ? MATCH_MAYBE : MATCH_NO;
    case FORM_PEER_MAYBE:
        break;
    }
    return p->outside_only && kind == PEER_POD ? MATCH_NO : MATCH_MAYBE;
}

/* ---- rules ---- */

static port_set named_ports(struct reach_book *b, const struct form_rule *rule,
                            const struct pod_shape *shape)
{
    port_set s = PORTS_NONE;

    for (uint32_t i = 0; rule->names_ports && shape != NULL && i < rule->port_count; i++) {
        const struct form_port *p = &rule->ports[i];
        for (uint32_t k = 0; p->port_name != NULL && k < shape->port_count; k++) {
            const struct named_port *n = &shape->ports[k];
            if (n->name == p->port_name && n->protocol != PROTOCOL_OTHER &&
                (p->protocols & BIT(n->protocol))) {
                s = port_set_or(b->ports, s,
                                port_set_range(b->ports, n->protocol, n->port, n->port));
            }
        }
    }
    return s;
}

static const char *construct_of(const struct form_peer *p)
{
    return p->kind == FORM_PEER_NODES  ? "nodes"
           : p->kind == FORM_PEER_PODS ? HIDDEN_LABEL
                                       : p->construct;
}

struct peers_match { /* the best that a peer of a rule says */
    enum form_match any;
    enum form_match by_name; /* among those that know the destination as more than an address */
};

static struct peers_match match_peers(const struct policy_form *f, const struct form_rule *rule,
                                      const struct lineup_question *q, const char **construct)
{
    struct peers_match best = { MATCH_NO, MATCH_NO };

    for (uint32_t i = 0; i < rule->peer_count; i++) {
        const struct form_peer *p = &rule->peers[i];
        enum form_match one = q->match(q->ctx, f, p);
        bool nameless = q->direction == DIRECTION_EGRESS && p->kind == FORM_PEER_BLOCK;
        if (one == MATCH_MAYBE && *construct == NULL) {
            *construct = construct_of(p);
        }
        best.any = one > best.any ? one : best.any;
        best.by_name = one > best.by_name && !nameless ? one : best.by_name;
        if (best.any == MATCH_YES && (best.by_name == MATCH_YES || !rule->names_ports)) {
            break;
        }
    }
    return best;
}

struct rule_hit rule_hits(struct reach_book *b, const struct policy_form *f,
                          const struct form_rule *rule, const struct lineup_question *q,
                          const char **construct)
{
    struct rule_hit hit = { PORTS_NONE, PORTS_NONE };
    struct peers_match best = match_peers(f, rule, q, construct);

    if (best.any == MATCH_NO) {
        return hit;
    }
    hit.possible = rule->fixed;
    hit.certain = best.any == MATCH_YES ? rule->fixed : PORTS_NONE;
    if (rule->names_ports && best.by_name != MATCH_NO) {
        port_set named = named_ports(b, rule, q->shape);
        hit.possible = port_set_or(b->ports, hit.possible, named);
        hit.certain =
            best.by_name == MATCH_YES ? port_set_or(b->ports, hit.certain, named) : hit.certain;
    }
    if (f->doubt != NULL) {
        hit.certain = PORTS_NONE;
        *construct = *construct != NULL ? *construct : f->doubt;
    }
    return hit;
}
