/* CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: what the schema of 1.20 refuses, or what
 * cannot be meant, beyond what makes a stored policy malformed in the decoder. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/manifest_check.h"

/* ---- addresses ---- */

/* The schema's format "cidr" takes no bare address, although the agent would. */
static void check_cidr_item(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    struct cidr address;
    char canonical[CIDR_TEXT_MAX];

    if (cJSON_IsString(node) && strchr(node->valuestring, '/') == NULL &&
        ip_parse(node->valuestring, &address)) {
        cidr_format(&address, canonical);
        check_error(c, node, at, "must have a prefix length; is %s meant?", canonical);
        return;
    }
    check_block(c, node, at, CHECK_BLOCK_NETIP);
}

static void check_cidr_list(struct manifest_check *c, const cJSON *list, const struct field *at)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, list)
    {
        check_cidr_item(c, child, ELEMENT(at, i));
        i++;
    }
}

static void check_cidr_sets(struct manifest_check *c, const cJSON *list,
                            const struct field *list_at)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, list)
    {
        const struct field *at = ELEMENT(list_at, i++);
        const cJSON *cidr = tree_get(child, "cidr");

        if (cJSON_IsString(cidr) && cidr->valuestring[0] != '\0') {
            check_cidr_item(c, cidr, FIELD(at, "cidr"));
        }
        check_cidr_list(c, check_list(child, "except"), FIELD(at, "except"));
    }
}

/* ---- ports ---- */

static bool is_name(const char *text)
{
    return text != NULL && text[0] != '\0' && strspn(text, "0123456789") != strlen(text);
}

static void check_end_port(struct manifest_check *c, const cJSON *node, const struct field *port_at)
{
    const struct field *at = FIELD(port_at, "endPort");
    const cJSON *end = tree_get(node, "endPort");
    const char *port = check_text(node, "port");
    int64_t last;

    if (!cJSON_IsNumber(end) || !tree_is_int(end, &last) || port == NULL || last == 0) {
        return;
    }
    if (last < 0 || last > 65535) {
        check_error(c, end, at, "must be from 0 to 65535");
    } else if (is_name(port)) {
        check_error(c, end, at, "must not be given with a named port");
    } else if (strlen(port) <= 5 && last < strtol(port, NULL, 10)) {
        check_error(c, end, at, "must not be below port");
    }
}

/* Both from the schema, which knows upper case only, and from the agent. */
static void check_port_protocol(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    static const char *const words[] = { "TCP",  "UDP",  "SCTP", "VRRP", "IGMP", "GRE",
                                         "IPIP", "IPV6", "ESP",  "AH",   "ANY",  NULL };

    check_word(c, node, at, "protocol", words);
}

static bool only_blocks(const cJSON *entry)
{
    static const char *const others[] = { "toEndpoints", "toEntities", "toServices", "toGroups",
                                          "toNodes",     "toFQDNs",    "toRequires" };
    bool blocks = cJSON_GetArraySize(tree_get(entry, "toCIDR")) > 0 ||
                  cJSON_GetArraySize(tree_get(entry, "toCIDRSet")) > 0;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        blocks = blocks && cJSON_GetArraySize(tree_get(entry, others[i])) == 0;
    }
    return blocks;
}

static void check_port_rule(struct manifest_check *c, const cJSON *item, const struct field *at,
                            bool to_blocks)
{
    const struct field *ports_at = FIELD(at, "ports");
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, check_list(item, "ports"))
    {
        const struct field *port_at = ELEMENT(ports_at, i++);

        check_port_protocol(c, child, port_at);
        check_end_port(c, child, port_at);
        if (to_blocks && is_name(check_text(child, "port"))) {
            check_warning(c, tree_get(child, "port"), FIELD(port_at, "port"), "%s",
                          CHECK_NAME_IN_BLOCKS);
        }
    }
}

/* ---- rules ---- */

static void check_entry(struct manifest_check *c, const cJSON *entry, const struct field *at,
                        bool ingress)
{
    const char *cidrs = ingress ? "fromCIDR" : "toCIDR";
    const char *sets = ingress ? "fromCIDRSet" : "toCIDRSet";
    const cJSON *child;
    uint32_t i = 0;

    check_cidr_list(c, check_list(entry, cidrs), FIELD(at, cidrs));
    check_cidr_sets(c, check_list(entry, sets), FIELD(at, sets));
    cJSON_ArrayForEach(child, check_list(entry, "toPorts"))
    {
        check_port_rule(c, child, ELEMENT(FIELD(at, "toPorts"), i), !ingress && only_blocks(entry));
        i++;
    }
}

static void check_rule(struct manifest_check *c, const cJSON *rule, const struct field *rule_at)
{
    static const char *const sections[] = { "ingress", "ingressDeny", "egress", "egressDeny" };
    const cJSON *child;

    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        uint32_t i = 0;

        cJSON_ArrayForEach(child, check_list(rule, sections[s]))
        {
            check_entry(c, child, ELEMENT(FIELD(rule_at, sections[s]), i), s < 2);
            i++;
        }
    }
}

void check_cilium_policy(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "specs");
    const cJSON *child;
    uint32_t i = 0;

    check_rule(c, check_mapping(c->tree, "spec"), FIELD(NULL, "spec"));
    cJSON_ArrayForEach(child, check_list(c->tree, "specs"))
    {
        check_rule(c, child, ELEMENT(at, i));
        i++;
    }
}
