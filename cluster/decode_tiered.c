/* ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1
 * (network-policy-api 0.2.0 and 0.1.x). What breaks the API's rules makes the policy malformed;
 * what is legal and not modelled is named. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/decode_policy.h"

enum {
    RULES_MAX_V1ALPHA1 = 100,
    ITEMS_MAX_V1ALPHA2 = 25,
    PRIORITY_MAX = 1000,
    PORT_MIN = 1,
    PORT_MAX = 65535
};

struct tiered {
    struct tiered_policy *p;
    bool cluster; /* ClusterNetworkPolicy */
    bool ingress; /* the section being read */
};

static void note(struct tiered *t, const struct field *at, const char *sentence)
{
    malformed_note(&t->p->malformed, field_sentence(at, "%s", sentence));
}

static int decode_selector(struct tiered *t, const cJSON *obj, const struct field *at,
                           const char *key, struct selector **out, struct error *err)
{
    int rc = selector_from_tree(tree_get(obj, key), FIELD(at, key), out, err);

    if (rc == 0) {
        malformed_note_selector(&t->p->malformed, *out);
    }
    return rc;
}

/* {namespaceSelector, podSelector}. */
static int decode_namespaced_pods(struct tiered *t, const cJSON *node, const struct field *at,
                                  struct selector **namespaces, struct selector **pods,
                                  struct error *err)
{
    int rc = decode_selector(t, node, at, "namespaceSelector", namespaces, err);

    return rc != 0 ? rc : decode_selector(t, node, at, "podSelector", pods, err);
}

static int decode_subject(struct tiered *t, const cJSON *spec, const struct field *spec_at,
                          struct error *err)
{
    const struct field *at = FIELD(spec_at, "subject");
    const cJSON *subject, *pods;
    int rc;

    if ((rc = tree_object(spec, spec_at, "subject", &subject, err)) != 0 ||
        (rc = tree_object(subject, at, "pods", &pods, err)) != 0 ||
        (rc = decode_selector(t, subject, at, "namespaces", &t->p->namespaces, err)) != 0) {
        return rc;
    }
    if ((t->p->namespaces != NULL) == (pods != NULL)) {
        note(t, at, "must hold exactly one of namespaces and pods");
    }
    if (pods == NULL) {
        return 0;
    }
    selector_destroy(t->p->namespaces);
    t->p->namespaces = NULL;
    return decode_namespaced_pods(t, pods, FIELD(at, "pods"), &t->p->namespaces, &t->p->pods, err);
}

/* ---- peers ---- */

static bool is_old_shape(const cJSON *namespaces)
{
    return cJSON_GetObjectItemCaseSensitive(namespaces, "namespaceSelector") != NULL ||
           cJSON_GetObjectItemCaseSensitive(namespaces, "sameLabels") != NULL ||
           cJSON_GetObjectItemCaseSensitive(namespaces, "notSameLabels") != NULL;
}

static bool is_new_shape(const cJSON *namespaces)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, namespaces)
    {
        if (strcmp(child->string, "matchLabels") != 0 &&
            strcmp(child->string, "matchExpressions") != 0) {
            return false;
        }
    }
    return true;
}

static int decode_old_namespaces(struct tiered *t, const cJSON *node, const struct field *at,
                                 struct tiered_peer *peer, struct error *err)
{
    const cJSON *same = tree_get(node, "sameLabels"), *not_same = tree_get(node, "notSameLabels");
    int rc = decode_selector(t, node, at, "namespaceSelector", &peer->namespaces, err);

    if (rc != 0) {
        return rc;
    }
    if ((peer->namespaces != NULL) + (same != NULL) + (not_same != NULL) != 1) {
        note(t, at, "must hold exactly one of namespaceSelector, sameLabels and notSameLabels");
    }
    peer->same_labels = same != NULL;
    peer->not_same_labels = same == NULL && not_same != NULL;
    if (same == NULL && not_same == NULL) {
        return 0;
    }
    return tree_strs(node, at, same != NULL ? "sameLabels" : "notSameLabels", &peer->keys,
                     &peer->key_count, err);
}

/* Decode by shape (SEMANTICS 4.3): read as the new one, the old one would select everyone. */
static int decode_namespaces(struct tiered *t, const cJSON *node, const struct field *at,
                             struct tiered_peer *peer, struct error *err)
{
    if (!t->cluster && is_old_shape(node)) {
        return decode_old_namespaces(t, node, at, peer, err);
    }
    if (!t->cluster && !is_new_shape(node)) {
        peer->kind = TIERED_PEER_UNMODELLED;
        peer->unmodelled = str_intern("namespaces of neither shape of v1alpha1");
        return 0;
    }
    int rc = selector_from_tree(node, at, &peer->namespaces, err);
    if (rc == 0) {
        malformed_note_selector(&t->p->malformed, peer->namespaces);
    }
    return rc;
}

static int decode_pods(struct tiered *t, const cJSON *node, const struct field *at,
                       struct tiered_peer *peer, struct error *err)
{
    const cJSON *old = tree_get(node, "namespaces");
    int rc;

    if (t->cluster || old == NULL) {
        return decode_namespaced_pods(t, node, at, &peer->namespaces, &peer->pods, err);
    }
    if ((rc = tree_object(node, at, "namespaces", &old, err)) != 0 ||
        (rc = decode_old_namespaces(t, old, FIELD(at, "namespaces"), peer, err)) != 0) {
        return rc;
    }
    return decode_selector(t, node, at, "podSelector", &peer->pods, err);
}

static int decode_networks(struct tiered *t, const cJSON *node, const struct field *at,
                           struct tiered_peer *peer, struct error *err)
{
    const struct field *list_at = FIELD(at, "networks");
    int rc = tree_strs(node, at, "networks", &peer->networks, &peer->network_count, err);

    for (uint32_t i = 0; rc == 0 && i < peer->network_count; i++) {
        struct str *text = peer->networks[i];
        peer->networks[i] = decode_cidr(text->text, ELEMENT(list_at, i), &t->p->malformed);
        str_unref(text);
    }
    if (rc == 0 && peer->network_count == 0) {
        note(t, list_at, "must not be empty");
    }
    return rc;
}

static int decode_peer(struct tiered *t, const cJSON *node, const struct field *at,
                       struct tiered_peer *peer, struct error *err)
{
    static const char *const fields[] = { "namespaces", "pods", "networks", "nodes",
                                          "domainNames" };
    const cJSON *found = NULL;
    const char *key = NULL;
    unsigned known = 0;
    int rc;

    if (!cJSON_IsObject(node) && !cJSON_IsNull(node)) {
        return field_error(at, err, "must be an object");
    }
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const cJSON *value = tree_get(node, fields[i]);
        if (value != NULL && (!t->ingress || i < 2)) {
            known++;
            found = value;
            key = fields[i];
        }
    }
    if (known == 0) {
        peer->kind = TIERED_PEER_EMPTY;
        return 0;
    }
    if (known > 1) {
        note(t, at, "must name exactly one kind of peer");
    }
    if (strcmp(key, "networks") == 0) {
        peer->kind = TIERED_PEER_NETWORKS;
        return decode_networks(t, node, at, peer, err);
    }
    if (strcmp(key, "nodes") == 0 || strcmp(key, "domainNames") == 0) {
        peer->kind = TIERED_PEER_UNMODELLED;
        peer->unmodelled = str_intern(key);
        return 0;
    }
    peer->kind = TIERED_PEER_PODS;
    if ((rc = tree_object(node, at, key, &found, err)) != 0) {
        return rc;
    }
    return strcmp(key, "pods") == 0 ? decode_pods(t, found, FIELD(at, key), peer, err)
                                    : decode_namespaces(t, found, FIELD(at, key), peer, err);
}

static int decode_peers(struct tiered *t, const cJSON *node, const struct field *at,
                        struct tiered_rule *rule, struct error *err)
{
    const char *key = t->ingress ? "from" : "to";
    const struct field *list_at = FIELD(at, key);
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(node, at, key, &list, &count, err);

    if (rc != 0) {
        return rc;
    }
    if (count == 0) {
        note(t, list_at, "must hold at least one peer");
        return 0;
    }
    if (count > (t->cluster ? ITEMS_MAX_V1ALPHA2 : RULES_MAX_V1ALPHA1)) {
        note(t, list_at, "holds more peers than the API allows");
    }
    rule->peers = xcalloc(count, sizeof(rule->peers[0]));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->peer_count++;
        if ((rc = decode_peer(t, child, ELEMENT(list_at, i), &rule->peers[i], err)) != 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- ports ---- */

static bool in_ports(int64_t n)
{
    return n >= PORT_MIN && n <= PORT_MAX;
}

static int decode_range(struct tiered *t, const cJSON *node, const struct field *at,
                        struct tiered_port *port, struct error *err)
{
    bool has_start, has_end;
    int64_t start, end;
    int rc = tree_int(node, at, "start", INT32_MIN, INT32_MAX, &has_start, &start, err);

    rc = rc != 0 ? rc : tree_int(node, at, "end", INT32_MIN, INT32_MAX, &has_end, &end, err);
    if (rc != 0) {
        return rc;
    }
    /* v1alpha1 asks for no more in its schema than that both are ports. */
    if (!in_ports(start) || !in_ports(end) || start > end || (t->cluster && start == end)) {
        note(t, at, "must go from a start of 1 or more to a larger end of at most 65535");
        return 0;
    }
    port->port = (uint16_t)start;
    port->end_port = (uint16_t)end;
    return 0;
}

static int decode_number(struct tiered *t, const cJSON *node, const struct field *at,
                         const char *key, struct tiered_port *port, struct error *err)
{
    bool given;
    int64_t number;
    int rc = tree_int(node, at, key, INT32_MIN, INT32_MAX, &given, &number, err);

    if (rc != 0) {
        return rc;
    }
    if (!in_ports(number)) {
        note(t, FIELD(at, key), "must be from 1 to 65535");
        return 0;
    }
    port->port = (uint16_t)number;
    port->end_port = (uint16_t)number;
    return 0;
}

static int decode_name(struct tiered *t, const cJSON *node, const struct field *at, const char *key,
                       struct tiered_port *port, struct error *err)
{
    int rc = tree_str(node, at, key, &port->port_name, err);

    if (rc == 0 && !is_port_name(str_text(port->port_name))) {
        note(t, FIELD(at, key), "is not a port name");
    }
    port->any_protocol = true;
    return rc;
}

/* {tcp: {destinationPort: {number | range}}} and its like, or {destinationNamedPort}. */
static int decode_protocol(struct tiered *t, const cJSON *node, const struct field *at,
                           struct tiered_port *port, struct error *err)
{
    static const struct {
        const char *key;
        enum protocol protocol;
    } protocols[] = { { "tcp", PROTOCOL_TCP }, { "udp", PROTOCOL_UDP }, { "sctp", PROTOCOL_SCTP } };
    const cJSON *inner = NULL, *destination;
    const struct field *inner_at, *port_at;
    const char *key = "destinationNamedPort";
    unsigned known = tree_get(node, "destinationNamedPort") != NULL ? 1 : 0;
    int rc = 0;

    port->port = PORT_MIN;
    port->end_port = PORT_MAX;
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        if (tree_get(node, protocols[i].key) != NULL) {
            known++;
            port->protocol = protocols[i].protocol;
            key = protocols[i].key;
            rc = tree_object(node, at, key, &inner, err);
        }
    }
    if (rc != 0) {
        return rc;
    }
    if (known != 1) {
        note(t, at, "must hold exactly one of tcp, udp, sctp and destinationNamedPort");
        return 0;
    }
    if (inner == NULL) {
        return decode_name(t, node, at, key, port, err);
    }
    inner_at = FIELD(at, key);
    port_at = FIELD(inner_at, "destinationPort");
    if ((rc = tree_object(inner, inner_at, "destinationPort", &destination, err)) != 0 ||
        destination == NULL) {
        return rc;
    }
    const cJSON *range = tree_get(destination, "range");
    if ((range != NULL) == (tree_get(destination, "number") != NULL)) {
        note(t, port_at, "must hold exactly one of number and range");
        return 0;
    }
    if (range == NULL) {
        return decode_number(t, destination, port_at, "number", port, err);
    }
    if ((rc = tree_object(destination, port_at, "range", &range, err)) != 0) {
        return rc;
    }
    return decode_range(t, range, FIELD(port_at, "range"), port, err);
}

/* {portNumber: {protocol, port}}, {portRange: {protocol, start, end}} or {namedPort}. */
static int decode_port(struct tiered *t, const cJSON *node, const struct field *at,
                       struct tiered_port *port, struct error *err)
{
    const cJSON *number = tree_get(node, "portNumber"), *range = tree_get(node, "portRange");
    const cJSON *name = tree_get(node, "namedPort"), *inner;
    const char *key = number != NULL ? "portNumber" : "portRange", *protocol;
    const struct field *inner_at = FIELD(at, key);
    int rc;

    port->port = PORT_MIN;
    port->end_port = PORT_MAX;
    if ((number != NULL) + (range != NULL) + (name != NULL) != 1) {
        note(t, at, "must hold exactly one of portNumber, portRange and namedPort");
        return 0;
    }
    if (name != NULL) {
        return decode_name(t, node, at, "namedPort", port, err);
    }
    if ((rc = tree_object(node, at, key, &inner, err)) != 0 ||
        (rc = tree_text(inner, inner_at, "protocol", &protocol, err)) != 0) {
        return rc;
    }
    port->protocol = protocol_parse(protocol);
    if (port->protocol == PROTOCOL_OTHER) {
        note(t, FIELD(inner_at, "protocol"), "must be TCP, UDP or SCTP");
    }
    return number != NULL ? decode_number(t, inner, inner_at, "port", port, err)
                          : decode_range(t, inner, inner_at, port, err);
}

static bool forbids_named_ports(const struct tiered_rule *rule)
{
    for (uint32_t i = 0; i < rule->peer_count; i++) {
        if (rule->peers[i].kind == TIERED_PEER_NETWORKS ||
            rule->peers[i].kind == TIERED_PEER_UNMODELLED) {
            return true;
        }
    }
    return false;
}

static int decode_ports(struct tiered *t, const cJSON *node, const struct field *at,
                        struct tiered_rule *rule, struct error *err)
{
    const char *key = t->cluster ? "protocols" : "ports";
    const struct field *list_at = FIELD(at, key);
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(node, at, key, &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    if (count > (t->cluster ? ITEMS_MAX_V1ALPHA2 : RULES_MAX_V1ALPHA1)) {
        note(t, list_at, "holds more items than the API allows");
    }
    rule->ports = xcalloc(count, sizeof(rule->ports[0]));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->port_count++;
        const struct field *port_at = ELEMENT(list_at, i);
        if (!cJSON_IsObject(child)) {
            return field_error(port_at, err, "must be an object");
        }
        rc = t->cluster ? decode_protocol(t, child, port_at, &rule->ports[i], err)
                        : decode_port(t, child, port_at, &rule->ports[i], err);
        if (rc != 0) {
            return rc;
        }
        if (t->cluster && rule->ports[i].port_name != NULL && forbids_named_ports(rule)) {
            note(t, port_at, "a named port cannot go with networks, nodes or domainNames");
        }
    }
    return 0;
}

/* ---- rules ---- */

static int decode_action(struct tiered *t, const cJSON *node, const struct field *at,
                         struct tiered_rule *rule, struct error *err)
{
    const char *text;
    int rc = tree_text(node, at, "action", &text, err);

    if (rc != 0) {
        return rc;
    }
    text = text != NULL ? text : "";
    if (strcmp(text, t->cluster ? "Accept" : "Allow") == 0) {
        rule->action = POLICY_ACCEPT;
    } else if (strcmp(text, "Deny") == 0) {
        rule->action = POLICY_DENY;
    } else if (strcmp(text, "Pass") == 0 && (t->cluster || t->p->tier == POLICY_TIER_ADMIN)) {
        rule->action = POLICY_PASS;
    } else {
        note(t, FIELD(at, "action"),
             t->cluster                        ? "must be Accept, Deny or Pass"
             : t->p->tier == POLICY_TIER_ADMIN ? "must be Allow, Deny or Pass"
                                               : "must be Allow or Deny");
    }
    return 0;
}

static int decode_rules(struct tiered *t, const cJSON *spec, const struct field *spec_at,
                        struct error *err)
{
    const char *key = t->ingress ? "ingress" : "egress";
    uint32_t *used = t->ingress ? &t->p->ingress_count : &t->p->egress_count;
    const struct field *list_at = FIELD(spec_at, key);
    const cJSON *list, *child;
    struct tiered_rule *rules;
    uint32_t count;
    int rc = tree_array(spec, spec_at, key, &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    if (count > (t->cluster ? ITEMS_MAX_V1ALPHA2 : RULES_MAX_V1ALPHA1)) {
        note(t, list_at, "holds more rules than the API allows");
    }
    rules = xcalloc(count, sizeof(rules[0]));
    *(t->ingress ? &t->p->ingress_rules : &t->p->egress_rules) = rules;
    cJSON_ArrayForEach(child, list)
    {
        struct tiered_rule *rule = &rules[*used];
        const struct field *at = ELEMENT(list_at, (*used)++);
        if (!cJSON_IsObject(child)) {
            return field_error(at, err, "must be an object");
        }
        if ((rc = tree_str_nonempty(child, at, "name", &rule->name, err)) != 0 ||
            (rc = decode_action(t, child, at, rule, err)) != 0 ||
            (rc = decode_peers(t, child, at, rule, err)) != 0 ||
            (rc = decode_ports(t, child, at, rule, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

static int decode_tier(struct tiered *t, const cJSON *spec, const struct field *at,
                       struct error *err)
{
    enum kind kind = t->p->head.kind;
    const char *text;
    int rc;

    t->p->tier =
        kind == KIND_BASELINE_ADMIN_NETWORK_POLICY ? POLICY_TIER_BASELINE : POLICY_TIER_ADMIN;
    if (!t->cluster) {
        if (t->p->tier == POLICY_TIER_BASELINE && strcmp(t->p->head.name->text, "default") != 0) {
            note(t, FIELD(FIELD(NULL, "metadata"), "name"), "must be 'default'");
        }
        return 0;
    }
    if ((rc = tree_text(spec, at, "tier", &text, err)) != 0) {
        return rc;
    }
    if (text != NULL && strcmp(text, "Baseline") == 0) {
        t->p->tier = POLICY_TIER_BASELINE;
    } else if (text == NULL || strcmp(text, "Admin") != 0) {
        note(t, FIELD(at, "tier"), "must be Admin or Baseline");
    }
    return 0;
}

static int decode_priority(struct tiered *t, const cJSON *spec, const struct field *at,
                           struct error *err)
{
    bool given;
    int64_t priority;
    int rc;

    if (t->p->head.kind == KIND_BASELINE_ADMIN_NETWORK_POLICY) {
        return 0;
    }
    rc = tree_int(spec, at, "priority", INT32_MIN, INT32_MAX, &given, &priority, err);
    if (rc == 0 && (!given || priority < 0 || priority > PRIORITY_MAX)) {
        note(t, FIELD(at, "priority"), "must be from 0 to 1000");
    }
    t->p->priority = rc == 0 ? (int32_t)priority : 0;
    return rc;
}

int decode_tiered_policy(const cJSON *tree, struct object *obj, struct error *err)
{
    struct tiered t = { .p = (struct tiered_policy *)obj,
                        .cluster = obj->kind == KIND_CLUSTER_NETWORK_POLICY };
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0) {
        return rc;
    }
    decode_digest((const cJSON *const[]){ spec }, 1, t.p->digest);
    if ((rc = decode_tier(&t, spec, at, err)) != 0 ||
        (rc = decode_priority(&t, spec, at, err)) != 0 ||
        (rc = decode_subject(&t, spec, at, err)) != 0) {
        return rc;
    }
    t.ingress = true;
    if ((rc = decode_rules(&t, spec, at, err)) != 0) {
        return rc;
    }
    t.ingress = false;
    return decode_rules(&t, spec, at, err);
}
