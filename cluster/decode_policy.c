/* NetworkPolicy. Two kinds of trouble: JSON of the wrong type is no NetworkPolicy at all (an
 * error); a policy that breaks the API's rules (SEMANTICS 2) is kept and called malformed, since it
 * is there and nobody knows what it does. What an older API server let pass (host bits, leading
 * zeros) is read masked. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/cidr.h"
#include "cluster/decode_policy.h"

enum { PORT_NAME_MAX = 15 };

void malformed_note(struct str **malformed, struct str *sentence)
{
    if (*malformed == NULL) {
        *malformed = sentence;
    } else {
        str_unref(sentence);
    }
}

void malformed_note_selector(struct str **malformed, const struct selector *s)
{
    if (s != NULL && s->malformed != NULL) {
        malformed_note(malformed, str_ref(s->malformed));
    }
}

void decode_digest(const cJSON *const *nodes, size_t count, uint8_t out[POLICY_DIGEST_BYTES])
{
    struct sha256 *h = sha256_create();

    for (size_t i = 0; i < count; i++) {
        char *text = nodes[i] != NULL ? cJSON_PrintUnformatted(nodes[i]) : NULL;
        sha256_field(h, text);
        cJSON_free(text);
    }
    sha256_finish(h, out);
}

/* An IANA service name: what a named port must look like. */
bool is_port_name(const char *text)
{
    size_t len = strlen(text);
    bool letter = false;

    if (len == 0 || len > PORT_NAME_MAX || text[0] == '-' || text[len - 1] == '-' ||
        strstr(text, "--") != NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_letter = text[i] >= 'a' && text[i] <= 'z';

        letter = letter || is_letter;
        if (!is_letter && text[i] != '-' && !(text[i] >= '0' && text[i] <= '9')) {
            return false;
        }
    }
    return letter;
}

static int decode_port_value(struct network_policy *np, const cJSON *node, const struct field *at,
                             struct policy_port *port, struct error *err)
{
    const struct field *port_at = FIELD(at, "port");
    const cJSON *value = tree_get(node, "port");
    int64_t number = 0;

    if (value == NULL) {
        return 0;
    }
    port->has_port = true;
    if (cJSON_IsString(value)) {
        port->port_name = str_intern(value->valuestring);
        if (!is_port_name(value->valuestring)) {
            malformed_note(&np->malformed, field_sentence(port_at, "is not a port name"));
        }
        return 0;
    }
    if (!tree_is_int(value, &number)) {
        return field_error(port_at, err, "must be a port name or a whole number from 1 to 65535");
    }
    if (number < 1 || number > 65535) {
        malformed_note(&np->malformed, field_sentence(port_at, "must be from 1 to 65535"));
        return 0;
    }
    port->port = (uint16_t)number;
    return 0;
}

static int decode_port(struct network_policy *np, const cJSON *node, const struct field *at,
                       struct policy_port *port, struct error *err)
{
    const struct field *end_at = FIELD(at, "endPort");
    const char *protocol;
    int64_t end;
    bool has_end;
    int rc;

    if (!cJSON_IsObject(node) && !cJSON_IsNull(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_text(node, at, "protocol", &protocol, err)) != 0 ||
        (rc = tree_int(node, at, "endPort", INT32_MIN, INT32_MAX, &has_end, &end, err)) != 0 ||
        (rc = decode_port_value(np, node, at, port, err)) != 0) {
        return rc;
    }
    port->has_protocol = protocol != NULL;
    port->protocol = protocol_parse(protocol);
    if (port->protocol == PROTOCOL_OTHER) {
        malformed_note(&np->malformed,
                       field_sentence(FIELD(at, "protocol"), "must be TCP, UDP or SCTP"));
    }
    port->end_port = port->port;
    if (!has_end) {
        return 0;
    }
    if (!port->has_port) {
        malformed_note(&np->malformed, field_sentence(end_at, "needs a port"));
    } else if (port->port_name != NULL) {
        malformed_note(&np->malformed, field_sentence(end_at, "cannot go with a named port"));
    } else if (end < port->port || end < 1 || end > 65535) {
        malformed_note(&np->malformed, field_sentence(end_at, "must be from the port to 65535"));
    } else {
        port->end_port = (uint16_t)end;
    }
    return 0;
}

/* The canonical, masked form; the text itself when it is none. */
static struct str *canonical_cidr(const char *text, struct cidr *out, bool *ok)
{
    char canonical[CIDR_TEXT_MAX];

    *ok = cidr_parse(text, out);
    if (!*ok) {
        return str_intern(text);
    }
    cidr_format(out, canonical);
    return str_intern(canonical);
}

struct str *decode_cidr(const char *text, const struct field *at, struct str **malformed)
{
    struct cidr c;
    bool ok;
    struct str *s = canonical_cidr(text, &c, &ok);

    if (!ok) {
        malformed_note(malformed, field_sentence(at, "is not a CIDR"));
    }
    return s;
}

static int decode_ip_block(struct network_policy *np, const cJSON *node, const struct field *at,
                           struct ip_block *block, struct error *err)
{
    const struct field *except_at = FIELD(at, "except");
    struct cidr outer, inner;
    const char *text;
    bool ok, inner_ok;
    int rc;

    if ((rc = tree_text(node, at, "cidr", &text, err)) != 0 ||
        (rc = tree_strs(node, at, "except", &block->except, &block->except_count, err)) != 0) {
        return rc;
    }
    block->cidr = canonical_cidr(text != NULL ? text : "", &outer, &ok);
    if (!ok) {
        malformed_note(&np->malformed, field_sentence(FIELD(at, "cidr"), "is not a CIDR"));
    }
    for (uint32_t i = 0; i < block->except_count; i++) {
        struct str *as_given = block->except[i];

        block->except[i] = canonical_cidr(as_given->text, &inner, &inner_ok);
        str_unref(as_given);
        if (!inner_ok) {
            malformed_note(&np->malformed, field_sentence(ELEMENT(except_at, i), "is not a CIDR"));
        } else if (ok && (inner.bits <= outer.bits || !cidr_contains(&outer, &inner))) {
            malformed_note(&np->malformed,
                           field_sentence(ELEMENT(except_at, i), "must be a part of the cidr"));
        }
    }
    return 0;
}

static int decode_peer(struct network_policy *np, const cJSON *node, const struct field *at,
                       struct policy_peer *peer, struct error *err)
{
    const cJSON *block;
    int rc;

    if (!cJSON_IsObject(node) && !cJSON_IsNull(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = selector_from_tree(tree_get(node, "podSelector"), FIELD(at, "podSelector"),
                                 &peer->pods, err)) != 0 ||
        (rc = selector_from_tree(tree_get(node, "namespaceSelector"),
                                 FIELD(at, "namespaceSelector"), &peer->namespaces, err)) != 0 ||
        (rc = tree_object(node, at, "ipBlock", &block, err)) != 0) {
        return rc;
    }
    malformed_note_selector(&np->malformed, peer->pods);
    malformed_note_selector(&np->malformed, peer->namespaces);
    if (block == NULL) {
        if (peer->pods == NULL && peer->namespaces == NULL) {
            malformed_note(&np->malformed, field_sentence(at, "names no peer"));
        }
        return 0;
    }
    if (peer->pods != NULL || peer->namespaces != NULL) {
        malformed_note(&np->malformed, field_sentence(at, "has an ipBlock beside a selector"));
    }
    peer->ip_block = xcalloc(1, sizeof(*peer->ip_block));
    return decode_ip_block(np, block, FIELD(at, "ipBlock"), peer->ip_block, err);
}

static int decode_peers(struct network_policy *np, const cJSON *node, const struct field *at,
                        const char *key, struct policy_rule *rule, struct error *err)
{
    const struct field *list_at = FIELD(at, key);
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(node, at, key, &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    rule->peers = xcalloc(count, sizeof(*rule->peers));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->peer_count++;

        rc = decode_peer(np, child, ELEMENT(list_at, i), &rule->peers[i], err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int decode_ports(struct network_policy *np, const cJSON *node, const struct field *at,
                        struct policy_rule *rule, struct error *err)
{
    const struct field *list_at = FIELD(at, "ports");
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(node, at, "ports", &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    rule->ports = xcalloc(count, sizeof(*rule->ports));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->port_count++;

        rc = decode_port(np, child, ELEMENT(list_at, i), &rule->ports[i], err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int decode_rules(struct network_policy *np, const cJSON *spec, bool ingress,
                        struct error *err)
{
    const char *key = ingress ? "ingress" : "egress";
    const struct field *at = FIELD(NULL, "spec"), *list_at = FIELD(at, key);
    uint32_t *used = ingress ? &np->ingress_count : &np->egress_count;
    const cJSON *list, *child;
    struct policy_rule *rules;
    uint32_t count;
    int rc = tree_array(spec, at, key, &list, &count, err);

    if (rc != 0) {
        return rc;
    }
    *(ingress ? &np->has_ingress_rules : &np->has_egress_rules) = list != NULL;
    if (count == 0) {
        return 0;
    }
    rules = xcalloc(count, sizeof(*rules));
    *(ingress ? &np->ingress_rules : &np->egress_rules) = rules;
    cJSON_ArrayForEach(child, list)
    {
        struct policy_rule *rule = &rules[*used];
        const struct field *rule_at = ELEMENT(list_at, *used);

        (*used)++;
        if (!cJSON_IsObject(child) && !cJSON_IsNull(child)) {
            return field_error(rule_at, err, "must be an object");
        }
        if ((rc = decode_peers(np, child, rule_at, ingress ? "from" : "to", rule, err)) != 0 ||
            (rc = decode_ports(np, child, rule_at, rule, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

/* Defaulted only when absent or empty: Ingress, plus Egress when there is an egress rule. */
static int decode_types(struct network_policy *np, const cJSON *spec, struct error *err)
{
    const struct field *at = FIELD(NULL, "spec"), *list_at = FIELD(at, "policyTypes");
    struct str **types;
    uint32_t count;
    int rc = tree_strs(spec, at, "policyTypes", &types, &count, err);

    if (rc != 0) {
        return rc;
    }
    np->types_given = count > 0;
    np->ingress = count == 0;
    np->egress = count == 0 && np->egress_count > 0;
    if (count > 2) {
        malformed_note(&np->malformed, field_sentence(list_at, "has more than two entries"));
    }
    for (uint32_t i = 0; i < count; i++) {
        bool ingress = strcmp(types[i]->text, "Ingress") == 0;
        bool egress = strcmp(types[i]->text, "Egress") == 0;

        np->ingress = np->ingress || ingress;
        np->egress = np->egress || egress;
        if (!ingress && !egress) {
            malformed_note(&np->malformed,
                           field_sentence(ELEMENT(list_at, i), "must be Ingress or Egress"));
        }
    }
    strs_free(types, count);
    return 0;
}

int decode_network_policy(const cJSON *tree, struct object *obj, struct error *err)
{
    struct network_policy *np = (struct network_policy *)obj;
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = selector_from_tree(tree_get(spec, "podSelector"), FIELD(at, "podSelector"), &np->pods,
                                 err)) != 0) {
        return rc;
    }
    if (np->pods == NULL) {
        np->pods = xcalloc(1, sizeof(*np->pods)); /* absent selects all */
    }
    malformed_note_selector(&np->malformed, np->pods);
    if ((rc = decode_rules(np, spec, true, err)) != 0 ||
        (rc = decode_rules(np, spec, false, err)) != 0) {
        return rc;
    }
    return decode_types(np, spec, err);
}
