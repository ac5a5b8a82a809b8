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

struct seen_labels {
    const struct reach_book *book;
    const struct label_view *labels;
};

static const struct str *get_seen(void *ctx, const struct str *key)
{
    static const struct str unheard_of; /* equal to no interned string */
    const struct seen_labels *seen = ctx;
    const struct label_view *labels = seen->labels;

    if (reach_label_hidden(seen->book, key)) {
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

bool reach_pods_match(const struct reach_book *b, const struct selector *s,
                      const struct label_view *labels)
{
    struct seen_labels seen = { b, labels };

    if (s == NULL) {
        return true;
    }
    return labels->set != NULL && !b->hides_labels ? selector_matches(s, labels->set)
                                                   : selector_matches_get(s, get_seen, &seen);
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

static bool pods_match(const struct match_peer *m, const struct policy_form *f,
                       const struct form_peer *p)
{
    const struct pod_class *pc = m->peer->pod_class;

    if (m->peer->kind != PEER_POD || (p->own_namespace && pc->ns != f->ns)) {
        return false;
    }
    const struct label_view labels = { .set = pc->labels };
    return reach_namespace_matches(p->namespaces, pc->ns) &&
           reach_pods_match(m->book, p->pods, &labels) &&
           reach_account_matches(p->service_account, pc->shape->service_account) &&
           (p->relative == NULL || relative_matches(p->relative, m->own->ns, pc->ns));
}

static bool range_in(const struct address_range *r, const struct str *text)
{
    struct cidr c;
    unsigned bits, bytes;

    if (!cidr_parse(str_text(text), &c) || c.family != r->family) {
        return false;
    }
    bits = c.bits;
    bytes = bits / 8;
    if (memcmp(c.addr, r->lo, bytes) != 0) {
        return false;
    }
    return bits % 8 == 0 || ((c.addr[bytes] ^ r->lo[bytes]) >> (8 - bits % 8)) == 0;
}

/* No border cuts a range, so that its first address speaks for it. */
static bool block_matches(const struct match_peer *m, const struct form_peer *p)
{
    bool pods = m->peer->kind != PEER_OUTSIDE;

    if (m->peer->address_count == 0 || (pods && !p->blocks_match_pods)) {
        return false;
    }
    const struct address_range *r = &m->peer->addresses[0];
    if (!range_in(r, p->block->cidr)) {
        return false;
    }
    for (uint32_t i = 0; i < p->block->except_count; i++) {
        if (range_in(r, p->block->except[i])) {
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
        return pods_match(m, f, p) ? MATCH_YES : MATCH_NO;
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

enum form_match rule_matches(const struct policy_form *f, const struct form_rule *rule,
                             const struct lineup_question *q, const char **construct)
{
    enum form_match best = MATCH_NO;

    for (uint32_t i = 0; i < rule->peer_count && best != MATCH_YES; i++) {
        enum form_match one = q->match(q->ctx, f, &rule->peers[i]);
        if (one == MATCH_MAYBE && *construct == NULL) {
            *construct =
                rule->peers[i].kind == FORM_PEER_NODES ? "nodes" : rule->peers[i].construct;
        }
        best = one > best ? one : best;
    }
    return best == MATCH_YES && f->unenforced ? MATCH_MAYBE : best;
}

port_set rule_ports(struct reach_book *b, const struct form_rule *rule,
                    const struct pod_shape *shape)
{
    port_set s = rule->fixed;

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
