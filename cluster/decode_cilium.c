/* CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy v2 (Cilium 1.20, pkg/policy/api). What the
 * agent refuses makes the whole object malformed; what is legal and not modelled is named. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/cidr.h"
#include "cluster/decode_policy.h"
#include "cluster/decode_cilium.h"

enum { PORTS_MAX_PER_RULE = 40, PORT_NAME_SIZE = 16 };

/* ---- peers ---- */

enum peer_form { PEERS_ENDPOINTS, PEERS_CIDRS, PEERS_CIDR_SETS, PEERS_ENTITIES, PEERS_UNMODELLED };

/* The name after "from" or "to". */
static const struct {
    const char *name;
    enum peer_form form;
} peer_fields[] = {
    { "Endpoints", PEERS_ENDPOINTS }, { "CIDR", PEERS_CIDRS },
    { "CIDRSet", PEERS_CIDR_SETS },   { "Entities", PEERS_ENTITIES },
    { "Requires", PEERS_UNMODELLED }, { "Groups", PEERS_UNMODELLED },
    { "Nodes", PEERS_UNMODELLED },    { "Services", PEERS_UNMODELLED },
    { "FQDNs", PEERS_UNMODELLED },
};

static int decode_endpoint_list(struct cilium *c, const cJSON *list, uint32_t count,
                                const struct field *at, struct cilium_entry *e, struct error *err)
{
    const cJSON *child;
    int rc = 0;

    e->endpoints = xcalloc(count + 1, sizeof(e->endpoints[0]));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = e->endpoint_count++;
        if ((rc = decode_cilium_endpoints(c, child, ELEMENT(at, i), CILIUM_OF_PEER,
                                          &e->endpoints[i], err)) != 0) {
            break;
        }
    }
    return rc;
}

static struct ip_block *add_block(struct cilium_entry *e)
{
    e->blocks = xrealloc(e->blocks, (e->block_count + 1) * sizeof(e->blocks[0]));
    e->blocks[e->block_count] = (struct ip_block){ .cidr = NULL };
    return &e->blocks[e->block_count++];
}

/* The agent reads more strictly than an older API server: no leading zeros. */
static struct str *agent_cidr(struct cilium *c, const char *text, const struct field *at)
{
    struct cidr block;

    if (cidr_parse(text, &block) && block.leading_zeros) {
        cilium_note(c, at, "must not have leading zeros");
    }
    return decode_cidr(text, at, &c->p->malformed);
}

/* A bare address is a block of its own here; in a CIDR set the agent refuses it. */
static struct str *cidr_or_address(struct cilium *c, const char *text, const struct field *at)
{
    struct cidr address;
    char canonical[CIDR_TEXT_MAX];

    if (strchr(text, '/') == NULL && ip_parse(text, &address) && !address.leading_zeros) {
        cidr_format(&address, canonical);
        return str_intern(canonical);
    }
    return agent_cidr(c, text, at);
}

static int decode_cidrs(struct cilium *c, const cJSON *list, const struct field *at,
                        struct cilium_entry *e, struct error *err)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, list)
    {
        const struct field *item_at = ELEMENT(at, i++);
        if (!cJSON_IsString(child)) {
            return field_error(item_at, err, "must be a CIDR");
        }
        add_block(e)->cidr = cidr_or_address(c, child->valuestring, item_at);
    }
    return 0;
}

static int decode_cidr_set(struct cilium *c, const cJSON *node, const struct field *at,
                           struct cilium_entry *e, struct error *err)
{
    const struct field *except_at = FIELD(at, "except");
    struct str **except = NULL;
    struct cidr outer, inner;
    uint32_t count = 0;
    const char *text, *group;
    bool has_text, has_group;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_text(node, at, "cidr", &text, err)) != 0 ||
        (rc = tree_text(node, at, "cidrGroupRef", &group, err)) != 0) {
        return rc;
    }
    has_text = text != NULL && text[0] != '\0';
    has_group = group != NULL && group[0] != '\0';
    if (has_text + has_group + (tree_get(node, "cidrGroupSelector") != NULL) != 1) {
        cilium_note(c, at, "must hold exactly one of cidr, cidrGroupRef and cidrGroupSelector");
    }
    if (!has_text) {
        cilium_unmodelled(&e->unmodelled, "CIDR groups");
        return 0;
    }
    if ((rc = tree_strs(node, at, "except", &except, &count, err)) != 0) {
        return rc;
    }
    struct ip_block *block = add_block(e);
    block->except = except;
    block->except_count = count;
    block->cidr = agent_cidr(c, text, FIELD(at, "cidr"));
    for (uint32_t i = 0; i < count; i++) {
        struct str *given = except[i];
        except[i] = agent_cidr(c, given->text, ELEMENT(except_at, i));
        str_unref(given);
        if (cidr_parse(block->cidr->text, &outer) && cidr_parse(except[i]->text, &inner) &&
            !cidr_contains(&outer, &inner)) {
            cilium_note(c, ELEMENT(except_at, i), "must lie in the cidr");
        }
    }
    return 0;
}

static int decode_entities(struct cilium *c, const cJSON *list, const struct field *at,
                           struct cilium_entry *e, struct error *err)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, list)
    {
        const struct field *item_at = ELEMENT(at, i++);
        enum cilium_entity entity;
        if (!cJSON_IsString(child)) {
            return field_error(item_at, err, "must be the name of an entity");
        }
        if (strcmp(child->valuestring, "cluster-mesh") == 0) {
            cilium_unmodelled(&e->unmodelled, "entity cluster-mesh");
        } else if (cilium_entity_parse(child->valuestring, &entity)) {
            e->entities |= BIT(entity);
        } else {
            cilium_note(c, item_at, "is no entity");
        }
    }
    return 0;
}

static int decode_peer_field(struct cilium *c, const cJSON *node, const struct field *at,
                             const char *key, enum peer_form form, struct cilium_entry *e,
                             struct error *err)
{
    const struct field *list_at = FIELD(at, key);
    const cJSON *list, *child;
    uint32_t count, i = 0;
    int rc = tree_array(node, at, key, &list, &count, err);

    if (rc != 0) {
        return rc;
    }
    switch (form) {
    case PEERS_ENDPOINTS:
        return decode_endpoint_list(c, list, count, list_at, e, err);
    case PEERS_CIDRS:
        return decode_cidrs(c, list, list_at, e, err);
    case PEERS_ENTITIES:
        return decode_entities(c, list, list_at, e, err);
    case PEERS_CIDR_SETS:
        cJSON_ArrayForEach(child, list)
        {
            if ((rc = decode_cidr_set(c, child, ELEMENT(list_at, i++), e, err)) != 0) {
                return rc;
            }
        }
        return 0;
    case PEERS_UNMODELLED:
        break;
    }
    if (count > 0) {
        cilium_unmodelled(&e->unmodelled, key);
    }
    if (strcmp(key, "toFQDNs") == 0) {
        cilium_check_names(c, list, list_at);
    }
    return 0;
}

static int decode_peers(struct cilium *c, const cJSON *node, const struct field *at, bool ingress,
                        struct cilium_entry *e, struct error *err)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < ARRAY_LEN(peer_fields); i++) {
        char key[32];
        snprintf(key, sizeof(key), "%s%s", ingress ? "from" : "to", peer_fields[i].name);
        const cJSON *value = tree_get(node, key);
        if (value == NULL) {
            continue;
        }
        e->has_peer = true;
        /* Releases that know Requires let it stand beside another kind. */
        kinds += cJSON_GetArraySize(value) > 0 && strcmp(peer_fields[i].name, "Requires") != 0;
        int rc = decode_peer_field(c, node, at, key, peer_fields[i].form, e, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (kinds > 1) {
        cilium_note(c, at, "names more than one kind of peer");
    }
    return 0;
}

/* ---- ports ---- */

static bool parse_protocol(const char *text, unsigned *out)
{
    static const struct {
        const char *word;
        unsigned bits;
    } words[] = { { "ANY", BIT(PROTOCOL_TCP) | BIT(PROTOCOL_UDP) | BIT(PROTOCOL_SCTP) },
                  { "", BIT(PROTOCOL_TCP) | BIT(PROTOCOL_UDP) | BIT(PROTOCOL_SCTP) },
                  { "TCP", BIT(PROTOCOL_TCP) },
                  { "UDP", BIT(PROTOCOL_UDP) },
                  { "SCTP", BIT(PROTOCOL_SCTP) },
                  { "VRRP", 0 },
                  { "IGMP", 0 },
                  { "GRE", 0 },
                  { "IPIP", 0 },
                  { "IPV6", 0 },
                  { "ESP", 0 },
                  { "AH", 0 } };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i].word, text) == 0) {
            *out = words[i].bits;
            return true;
        }
    }
    return false;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* As Go's ParseUint with base 0 reads what holds digits only: a leading zero means octal. -1: no
 * port. */
static int32_t parse_port(const char *text)
{
    int32_t base = text[0] == '0' ? 8 : 10, value = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p - '0' >= base) {
            return -1;
        }
        value = value * base + (*p - '0');
        if (value > 65535) {
            return -1;
        }
    }
    return value;
}

/* An end below the port makes no range for the agent, and no fault either. */
static void decode_port_number(struct cilium *c, const char *text, int64_t end,
                               const struct field *at, struct cilium_port *out)
{
    int32_t number = parse_port(text);

    if (number < 0) {
        cilium_note(c, FIELD(at, "port"), "must be a port name or a number up to 65535");
        return;
    }
    if (number > 0 && out->protocols == 0) {
        cilium_note(c, FIELD(at, "port"), "must be 0 with a protocol that has no ports");
    }
    out->port = number == 0 ? 1 : (uint16_t)number;
    out->end_port = number == 0 ? 65535 : (uint16_t)number;
    if (number > 0 && end > 65535) {
        cilium_note(c, FIELD(at, "endPort"), "must be from the port to 65535");
    } else if (number > 0 && end > number) {
        out->end_port = (uint16_t)end;
    }
}

/* In lower case, which is how the agent compares them. */
static struct str *port_name(const char *text)
{
    char lower[PORT_NAME_SIZE];
    size_t len = strlen(text);

    if (len >= sizeof(lower)) {
        return NULL;
    }
    for (size_t i = 0; i <= len; i++) {
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    return is_port_name(lower) ? str_intern(lower) : NULL;
}

static int decode_port(struct cilium *c, const cJSON *node, const struct field *at,
                       struct cilium_port *out, struct error *err)
{
    const char *text, *protocol;
    int64_t end;
    bool has_end;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_text(node, at, "port", &text, err)) != 0 ||
        (rc = tree_text(node, at, "protocol", &protocol, err)) != 0 ||
        (rc = tree_int(node, at, "endPort", INT32_MIN, INT32_MAX, &has_end, &end, err)) != 0) {
        return rc;
    }
    if (!parse_protocol(protocol != NULL ? protocol : "", &out->protocols)) {
        cilium_note(c, FIELD(at, "protocol"), "must be TCP, UDP, SCTP or ANY");
    }
    if (text != NULL && is_number(text)) {
        decode_port_number(c, text, has_end ? end : 0, at, out);
        return 0;
    }
    out->port_name = text != NULL ? port_name(text) : NULL;
    if (out->port_name == NULL) {
        cilium_note(c, FIELD(at, "port"), "must be a port name or a number up to 65535");
    }
    return 0; /* beside a name an end means nothing */
}

static int decode_port_rule(struct cilium *c, const cJSON *node, const struct field *at,
                            struct cilium_entry *e, struct error *err)
{
    static const char *const narrowing[] = { "rules", "serverNames", "terminatingTLS",
                                             "originatingTLS", "listener" };
    const struct field *list_at = FIELD(at, "ports");
    const cJSON *list, *child;
    uint32_t count, i = 0;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_array(node, at, "ports", &list, &count, err)) != 0) {
        return rc;
    }
    if (count > PORTS_MAX_PER_RULE) {
        cilium_note(c, list_at, "must hold at most 40 ports");
    }
    for (size_t k = 0; k < ARRAY_LEN(narrowing); k++) {
        e->narrowed = e->narrowed || tree_get(node, narrowing[k]) != NULL;
    }
    cilium_check_layer7(c, node, at);
    if (count > 0) {
        e->ports = xrealloc(e->ports, (e->port_count + count) * sizeof(e->ports[0]));
    }
    cJSON_ArrayForEach(child, list)
    {
        e->ports[e->port_count] = (struct cilium_port){ .port = 1, .end_port = 0 };
        rc = decode_port(c, child, ELEMENT(list_at, i++), &e->ports[e->port_count], err);
        if (rc != 0) {
            return rc;
        }
        e->port_count++;
    }
    return 0;
}

static int decode_ports(struct cilium *c, const cJSON *node, const struct field *at,
                        struct cilium_entry *e, struct error *err)
{
    const struct field *list_at = FIELD(at, "toPorts");
    const cJSON *list, *icmps, *child, *authentication;
    uint32_t count, icmp_count, i = 0;
    int rc;

    if ((rc = tree_array(node, at, "toPorts", &list, &count, err)) != 0 ||
        (rc = tree_array(node, at, "icmps", &icmps, &icmp_count, err)) != 0 ||
        (rc = tree_object(node, at, "authentication", &authentication, err)) != 0) {
        return rc;
    }
    if (count > 0 && icmp_count > 0) {
        cilium_note(c, at, "has icmps beside toPorts");
    }
    cilium_check_icmps(c, icmps, FIELD(at, "icmps"));
    e->has_ports = count > 0;
    e->icmp_only = count == 0 && icmp_count > 0;
    e->narrowed = authentication != NULL;
    cJSON_ArrayForEach(child, list)
    {
        if ((rc = decode_port_rule(c, child, ELEMENT(list_at, i++), e, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- rules ---- */

static const char *const section_names[CILIUM_SECTION_COUNT] = { [CILIUM_INGRESS] = "ingress",
                                                                 [CILIUM_INGRESS_DENY] =
                                                                     "ingressDeny",
                                                                 [CILIUM_EGRESS] = "egress",
                                                                 [CILIUM_EGRESS_DENY] =
                                                                     "egressDeny" };

static int decode_section(struct cilium *c, const cJSON *node, const struct field *at,
                          enum cilium_section section, struct cilium_rule *rule, struct error *err)
{
    const struct field *list_at = FIELD(at, section_names[section]);
    bool ingress = section == CILIUM_INGRESS || section == CILIUM_INGRESS_DENY;
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(node, at, section_names[section], &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    c->ingress = ingress;
    rule->entries[section] = xcalloc(count, sizeof(rule->entries[section][0]));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->entry_count[section]++;
        struct cilium_entry *e = &rule->entries[section][i];
        const struct field *entry_at = ELEMENT(list_at, i);
        if (!cJSON_IsObject(child)) {
            return field_error(entry_at, err, "must be an object");
        }
        if ((rc = decode_peers(c, child, entry_at, ingress, e, err)) != 0 ||
            (rc = decode_ports(c, child, entry_at, e, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

static int decode_default_deny(const cJSON *node, const struct field *at, struct cilium_rule *rule,
                               struct error *err)
{
    static const char *const names[] = { "ingress", "egress" };
    const struct field *deny_at = FIELD(at, "enableDefaultDeny");
    const cJSON *deny;
    int rc = tree_object(node, at, "enableDefaultDeny", &deny, err);

    for (size_t d = 0; rc == 0 && d < ARRAY_LEN(names); d++) {
        bool value = true;
        if (tree_get(deny, names[d]) != NULL) {
            rc = tree_bool(deny, deny_at, names[d], &value, err);
        }
        rule->default_deny[d] = value;
    }
    return rc;
}

static int decode_rule(struct cilium *c, const cJSON *node, const struct field *at,
                       struct cilium_rule *rule, struct error *err)
{
    const cJSON *endpoints = tree_get(node, "endpointSelector");
    const cJSON *nodes = tree_get(node, "nodeSelector");
    uint32_t entries = 0;
    int rc = decode_default_deny(node, at, rule, err);

    if (rc != 0) {
        return rc;
    }
    c->of_hosts = nodes != NULL;
    if ((endpoints != NULL) == (nodes != NULL)) {
        cilium_note(c, at, "must hold exactly one of endpointSelector and nodeSelector");
    } else if (nodes != NULL && c->ns != NULL) {
        cilium_note(c, FIELD(at, "nodeSelector"),
                    "is only allowed in a CiliumClusterwideNetworkPolicy");
    }
    if (endpoints != NULL) {
        rule->subject = xcalloc(1, sizeof(*rule->subject));
        rc = decode_cilium_endpoints(c, endpoints, FIELD(at, "endpointSelector"), CILIUM_OF_SUBJECT,
                                     rule->subject, err);
    }
    for (int s = 0; rc == 0 && s < CILIUM_SECTION_COUNT; s++) {
        rc = decode_section(c, node, at, (enum cilium_section)s, rule, err);
        entries += rule->entry_count[s];
    }
    if (rc == 0 && entries == 0) {
        cilium_note(c, at, "has no entry in ingress, ingressDeny, egress or egressDeny");
    }
    return rc;
}

static int decode_rules(struct cilium *c, const cJSON *spec, const cJSON *specs, uint32_t count,
                        struct error *err)
{
    const struct field *specs_at = FIELD(NULL, "specs");
    const cJSON *child;
    int32_t i = 0;
    int rc = 0;

    c->p->rules = xcalloc(count + 1, sizeof(c->p->rules[0]));
    if (spec != NULL) {
        struct cilium_rule *rule = &c->p->rules[c->p->rule_count++];
        rule->spec_index = -1;
        rc = decode_rule(c, spec, FIELD(NULL, "spec"), rule, err);
    }
    cJSON_ArrayForEach(child, specs)
    {
        struct cilium_rule *rule;
        if (rc != 0) {
            break;
        }
        if (!cJSON_IsObject(child)) {
            return field_error(ELEMENT(specs_at, i), err, "must be an object");
        }
        rule = &c->p->rules[c->p->rule_count++];
        rule->spec_index = i;
        rc = decode_rule(c, child, ELEMENT(specs_at, i), rule, err);
        i++;
    }
    return rc;
}

static bool says_invalid(const cJSON *status)
{
    const cJSON *condition;

    cJSON_ArrayForEach(condition, tree_get(status, "conditions"))
    {
        const cJSON *type = tree_get(condition, "type"), *value = tree_get(condition, "status");
        if (cJSON_IsString(type) && strcmp(type->valuestring, "Valid") == 0 &&
            cJSON_IsString(value) && strcmp(value->valuestring, "False") == 0) {
            return true;
        }
    }
    return false;
}

int decode_cilium_policy(const cJSON *tree, struct object *obj, struct error *err)
{
    struct cilium c = { .p = (struct cilium_policy *)obj };
    const cJSON *spec, *specs, *status;
    uint32_t count;
    int rc;

    if (obj->kind == KIND_CILIUM_NETWORK_POLICY) {
        c.ns = obj->ns != NULL ? obj->ns->text : "default";
    }
    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = tree_array(tree, NULL, "specs", &specs, &count, err)) != 0 ||
        (rc = tree_object(tree, NULL, "status", &status, err)) != 0) {
        return rc;
    }
    c.p->reported_invalid = says_invalid(status);
    const cJSON *invalid = cJSON_CreateBool(c.p->reported_invalid);
    decode_digest((const cJSON *const[]){ spec, specs, invalid }, 3, c.p->digest);
    cJSON_Delete((cJSON *)(uintptr_t)invalid);
    if (spec == NULL && count == 0) {
        cilium_note(&c, FIELD(NULL, "spec"), "is missing, and so is specs");
    }
    return decode_rules(&c, spec, specs, count, err);
}
