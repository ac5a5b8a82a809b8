/* The DNS pods that are known are asked about one by one; when none is known, a pod is imagined as
 * kube-dns usually is, whose other labels may be anything. Pods' addresses are not looked up: a
 * block that may hold them is taken to do so. */
#include "rules/dns_path.h"

#include <string.h>

#include "base/vec.h"
#include "rules/lineup_private.h"

enum { DNS_PORT = 53, NODE_LOCAL_BITS = 16 };

/* What may be so, is taken to be so where it allows, and not where it denies: the finding is about
 * what is certainly missing. */
static enum form_match take_lightly(const struct policy_form *f, enum direction d,
                                    const struct form_peer *p)
{
    for (uint32_t r = 0; r < f->rule_count[d]; r++) {
        const struct form_rule *rule = &f->rules[d][r];
        if (p >= rule->peers && p < rule->peers + rule->peer_count) {
            return rule->action == FORM_ALLOW ? MATCH_YES : MATCH_NO;
        }
    }
    return MATCH_MAYBE;
}

/* May the block hold the address of a pod? */
static enum form_match match_block(const struct form_peer *p)
{
    struct cidr block;

    if (!p->blocks_match_pods || !cidr_parse(str_text(p->block->cidr), &block)) {
        return MATCH_NO;
    }
    return block.bits == 0 && block.family == 4 && p->block->except_count == 0 ? MATCH_YES
                                                                               : MATCH_MAYBE;
}

/* ---- a DNS pod that is not known ---- */

struct known_label {
    const char *key;
    const char *const *values; /* one of them; NULL-terminated */
};

static bool one_of(const struct selector_requirement *r, const char *value)
{
    for (uint32_t i = 0; i < r->value_count; i++) {
        if (strcmp(r->values[i]->text, value) == 0) {
            return true;
        }
    }
    return false;
}

static enum form_match match_known(const struct selector_requirement *r,
                                   const struct known_label *l)
{
    bool some = false, all = true;

    for (const char *const *v = l->values; *v != NULL; v++) {
        bool holds = r->op == SELECTOR_EXISTS || (r->op == SELECTOR_IN && one_of(r, *v)) ||
                     (r->op == SELECTOR_NOT_IN && !one_of(r, *v));
        some = some || holds;
        all = all && holds;
    }
    return !some ? MATCH_NO : all ? MATCH_YES : MATCH_MAYBE;
}

static enum form_match match_selector(const struct selector *s, const struct known_label *l)
{
    enum form_match all = MATCH_YES;

    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        enum form_match one = strcmp(r->key->text, l->key) == 0 ? match_known(r, l) : MATCH_MAYBE;
        all = one < all ? one : all;
    }
    return s != NULL && s->malformed != NULL ? MATCH_MAYBE : all;
}

enum { NAMESPACES_MAX = 8, NAME_BYTES = 256 };
struct imagined {
    char names[NAMESPACES_MAX][NAME_BYTES];
    const char *namespaces[NAMESPACES_MAX + 1];
};

static void imagine(const struct rule_input *in, struct imagined *out)
{
    const char *const *services = param_list(in, "dns-services");
    size_t n = 0;

    for (size_t i = 0; services[i] != NULL && n < NAMESPACES_MAX; i++) {
        size_t len = strcspn(services[i], "/");
        if (len < NAME_BYTES) {
            memcpy(out->names[n], services[i], len);
            out->names[n][len] = '\0';
            out->namespaces[n] = out->names[n];
            n++;
        }
    }
    out->namespaces[n] = NULL;
}

void dns_question_init(struct dns_question *q, const struct rule_input *in)
{
    struct imagined dns;

    q->in = in;
    dns_look(in, &q->dns);
    q->assumed = q->dns.class_count == 0;
    q->node_local = false;
    imagine(in, &dns);
    for (size_t i = 0; dns.namespaces[i] != NULL; i++) {
        q->node_local = q->node_local || cluster_workload(in->cluster, dns.namespaces[i], "apps",
                                                          "DaemonSet", "node-local-dns") != NULL;
    }
}

static enum form_match match_own(const struct imagined *dns, const struct ns *ns)
{
    for (size_t i = 0; dns->namespaces[i] != NULL; i++) {
        if (strcmp(dns->namespaces[i], ns->name->text) == 0) {
            return MATCH_YES;
        }
    }
    return MATCH_NO;
}

static enum form_match match_pods(const struct imagined *dns, const struct policy_form *f,
                                  const struct form_peer *p)
{
    static const char *const apps[] = { "kube-dns", NULL };
    const struct known_label app = { "k8s-app", apps };
    const struct known_label name = { "kubernetes.io/metadata.name", dns->namespaces };
    enum form_match ns = p->own_namespace && f->ns != NULL ? match_own(dns, f->ns)
                                                           : match_selector(p->namespaces, &name);
    enum form_match pods = match_selector(p->pods, &app);
    enum form_match worst = pods < ns ? pods : ns;

    if (worst == MATCH_YES && (p->relative != NULL || p->service_account != NULL)) {
        return MATCH_MAYBE;
    }
    return worst;
}

static enum form_match match_imagined_plainly(void *ctx, const struct policy_form *f,
                                              const struct form_peer *p)
{
    switch (p->kind) {
    case FORM_PEER_EVERYONE:
    case FORM_PEER_CLUSTER:
        return MATCH_YES;
    case FORM_PEER_PODS:
        return match_pods(ctx, f, p);
    case FORM_PEER_BLOCK:
        return match_block(p);
    case FORM_PEER_WORLD:
    case FORM_PEER_NODES:
        return MATCH_NO;
    case FORM_PEER_MAYBE:
        break;
    }
    return p->outside_only ? MATCH_NO : MATCH_MAYBE;
}

static enum form_match match_imagined(void *ctx, const struct policy_form *f,
                                      const struct form_peer *p)
{
    enum form_match m = match_imagined_plainly(ctx, f, p);

    return m == MATCH_MAYBE && p->kind != FORM_PEER_MAYBE ? take_lightly(f, DIRECTION_EGRESS, p)
                                                          : m;
}

/* ---- pods that are known, and the node-local cache ---- */

struct side { /* of a connection to pods that are there */
    struct match_peer m;
    enum direction direction;
};

static enum form_match match_there(void *ctx, const struct policy_form *f,
                                   const struct form_peer *p)
{
    struct side *side = ctx;

    if (p->kind == FORM_PEER_BLOCK && side->m.peer->kind == PEER_POD) {
        enum form_match block = match_block(p);
        return block == MATCH_MAYBE ? take_lightly(f, side->direction, p) : block;
    }
    return reach_match_peer(&side->m, f, p);
}

/* A rule that allows and names the cache's address, by a block that is narrow enough to be meant
 * for it. */
static bool names_cache(const struct lineup *l, const struct cidr *cache)
{
    for (size_t i = 0; i < lineup_count(l); i++) {
        const struct policy_form *f = lineup_at(l, i);
        for (uint32_t r = 0; r < f->rule_count[DIRECTION_EGRESS]; r++) {
            const struct form_rule *rule = &f->rules[DIRECTION_EGRESS][r];
            for (uint32_t k = 0; rule->action == FORM_ALLOW && k < rule->peer_count; k++) {
                struct cidr block;
                if (rule->peers[k].kind == FORM_PEER_BLOCK &&
                    cidr_parse(str_text(rule->peers[k].block->cidr), &block) &&
                    block.bits >= NODE_LOCAL_BITS && cidr_contains(&block, cache)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- asking ---- */

struct port_list {
    const uint16_t *ports;
    uint32_t count;
};

static enum form_match let_through(struct reach_book *b, const struct lineup_outcome *o,
                                   enum protocol protocol, struct port_list list)
{
    const struct port_table *t = reach_book_ports(b);
    enum form_match best = MATCH_NO;

    for (uint32_t i = 0; i < list.count; i++) {
        if (port_set_has(t, o->allowed, protocol, list.ports[i])) {
            if (!port_set_has(t, o->denied, protocol, list.ports[i])) {
                return MATCH_YES;
            }
            best = MATCH_MAYBE;
        }
    }
    return best;
}

/* What one side says. */
static void ask_side(struct reach_book *b, const struct lineup *l, const struct lineup_question *q,
                     struct port_list list, enum dns_path denied, struct dns_answer *out)
{
    struct lineup_outcome o;

    *out = (struct dns_answer){ .path = DNS_PATH_YES };
    if (l == NULL || lineup_count(l) == 0) {
        return;
    }
    lineup_evaluate(b, l, q, &o);
    switch (let_through(b, &o, PROTOCOL_UDP, list)) {
    case MATCH_NO:
        out->path = denied;
        return;
    case MATCH_MAYBE:
        out->path = DNS_PATH_UNKNOWN;
        out->construct = o.construct;
        return;
    case MATCH_YES:
        out->tcp_missing = let_through(b, &o, PROTOCOL_TCP, list) == MATCH_NO;
        return;
    }
}

static void keep_better(struct dns_answer *best, const struct dns_answer *a)
{
    if (a->path < best->path || (a->path == best->path && best->tcp_missing && !a->tcp_missing)) {
        *best = *a;
    }
}

static void ask_pods(const struct dns_question *q, const struct pod_class *pc,
                     const struct lineup *l, const struct pod_class *dns, bool egress_only,
                     struct dns_answer *out)
{
    struct reach_book *b = reach_ask_book(q->in);
    enum peer_kind kind = dns->shape->host_network ? PEER_NODE : PEER_POD;
    const struct reach_peer to = { .kind = kind, .pod_class = dns };
    const struct reach_peer from = { .kind = PEER_POD, .pod_class = pc };
    struct side there = { { .book = b, .own = pc, .peer = &to }, DIRECTION_EGRESS };
    struct side back = { { .book = b, .own = dns, .peer = &from }, DIRECTION_INGRESS };
    const struct lineup_question egress = {
        .direction = DIRECTION_EGRESS, .shape = dns->shape, .match = match_there, .ctx = &there
    };
    const struct lineup_question ingress = {
        .direction = DIRECTION_INGRESS, .shape = dns->shape, .match = match_there, .ctx = &back
    };
    struct dns_answer a;

    ask_side(b, l, &egress, (struct port_list){ q->dns.ports, q->dns.port_count },
             DNS_PATH_NO_EGRESS, out);
    if (egress_only || kind == PEER_NODE || out->path == DNS_PATH_NO_EGRESS) {
        return;
    }
    ask_side(b, reach_lineup(b, dns, DIRECTION_INGRESS), &ingress,
             (struct port_list){ q->dns.ports, q->dns.port_count }, DNS_PATH_NOT_ADMITTED, &a);
    out->tcp_missing = out->tcp_missing || a.tcp_missing;
    if (a.path > out->path) {
        *out = a;
    }
}

static void ask_imagined(const struct dns_question *q, const struct lineup *l,
                         struct dns_answer *out)
{
    struct named_port ports[] = {
        { .name = str_find("dns"), .port = q->dns.ports[0], .protocol = PROTOCOL_UDP },
        { .name = str_find("dns-tcp"), .port = q->dns.ports[0], .protocol = PROTOCOL_TCP },
    };
    const struct pod_shape shape = { .ports = ports, .port_count = ARRAY_LEN(ports) };
    struct imagined dns;
    const struct lineup_question egress = {
        .direction = DIRECTION_EGRESS, .shape = &shape, .match = match_imagined, .ctx = &dns
    };

    imagine(q->in, &dns);
    ask_side(reach_ask_book(q->in), l, &egress,
             (struct port_list){ q->dns.ports, q->dns.port_count }, DNS_PATH_NO_EGRESS, out);
}

static void ask_node_local(const struct dns_question *q, const struct pod_class *pc,
                           const struct lineup *l, struct dns_answer *out)
{
    static const uint16_t port = DNS_PORT;
    struct reach_book *b = reach_ask_book(q->in);
    struct address_range address = { .family = 0 };
    struct cidr ip;

    *out = (struct dns_answer){ .path = DNS_PATH_NO_EGRESS };
    if (!ip_parse(param_text(q->in, "node-local-dns"), &ip) ||
        (!q->node_local && !names_cache(l, &ip))) {
        return;
    }
    address.family = ip.family;
    memcpy(address.lo, ip.addr, sizeof(address.lo));
    memcpy(address.hi, ip.addr, sizeof(address.hi));
    const struct reach_peer to = { .kind = PEER_OUTSIDE,
                                   .addresses = &address,
                                   .address_count = 1 };
    struct match_peer m = { .book = b, .own = pc, .peer = &to };
    const struct lineup_question egress = { .direction = DIRECTION_EGRESS,
                                            .match = reach_match_peer,
                                            .ctx = &m };
    ask_side(b, l, &egress, (struct port_list){ &port, 1 }, DNS_PATH_NO_EGRESS, out);
    if (out->path != DNS_PATH_YES) {
        out->path = DNS_PATH_NO_EGRESS; /* a cache that may be is no way */
    }
}

void dns_path_ask(const struct dns_question *q, const struct pod_class *pc, const struct lineup *l,
                  bool egress_only, struct dns_answer *out)
{
    struct dns_answer a;

    *out = (struct dns_answer){ .path = DNS_PATH_NO_EGRESS };
    if (q->assumed) {
        ask_imagined(q, l, out);
    }
    for (uint32_t i = 0; i < q->dns.class_count; i++) {
        ask_pods(q, pc, l, q->dns.classes[i], egress_only, &a);
        keep_better(out, &a);
    }
    if (out->path != DNS_PATH_YES || out->tcp_missing) {
        ask_node_local(q, pc, l, &a);
        keep_better(out, &a);
    }
}
