/* NetworkPolicy: SEMANTICS 2, the whole list. Empty rules and lists are legal and mean something,
 * so nothing is said about them; a rule that is null is legal too, but hardly meant. */
#include <string.h>

#include "cluster/cidr.h"
#include "cluster/manifest_check.h"

static void check_end_port(struct manifest_check *c, const cJSON *node, const struct field *port_at)
{
    const struct field *at = FIELD(port_at, "endPort");
    const cJSON *end = tree_get(node, "endPort"), *port = tree_get(node, "port");
    int64_t first, last;

    if (!cJSON_IsNumber(end)) {
        return;
    }
    if (port == NULL) {
        check_error(c, end, at, "needs a port");
    } else if (cJSON_IsString(port)) {
        check_error(c, end, at, "must not be given with a named port");
    } else if (check_port_number(c, end, at) && tree_is_int(end, &last) &&
               tree_is_int(port, &first) && last >= 1 && last < first) {
        check_error(c, end, at, "must not be below port");
    }
}

static void check_port(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const cJSON *port = tree_get(node, "port");

    check_protocol(c, node, at);
    if (!check_port_number(c, port, FIELD(at, "port"))) {
        check_port_name(c, port, FIELD(at, "port"));
    }
    check_end_port(c, node, at);
}

static void check_except(struct manifest_check *c, const cJSON *node, const struct field *at,
                         const char *cidr)
{
    struct cidr outer, inner;
    uint32_t before = c->errors;

    check_cidr(c, node, at);
    if (c->errors > before || !cJSON_IsString(node) || cidr == NULL || !cidr_parse(cidr, &outer) ||
        !cidr_parse(node->valuestring, &inner)) {
        return;
    }
    if (inner.family != outer.family) {
        check_error(c, node, at, "must be of the same IP family as cidr");
    } else if (inner.bits <= outer.bits || !cidr_contains(&outer, &inner)) {
        check_error(c, node, at, "must be a part of cidr, and smaller");
    }
}

static void check_ip_block(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const struct field *except_at = FIELD(at, "except");
    const cJSON *cidr = tree_get(node, "cidr"), *child;
    uint32_t i = 0;

    if (cidr == NULL) {
        check_error(c, node, FIELD(at, "cidr"), "is required");
    }
    check_cidr(c, cidr, FIELD(at, "cidr"));
    cJSON_ArrayForEach(child, check_list(node, "except"))
    {
        check_except(c, child, ELEMENT(except_at, i), check_text(node, "cidr"));
        i++;
    }
}

/* A key that the schema has refused may have been meant as the peer: one complaint is enough. */
static bool has_known_or_no_key(const cJSON *node)
{
    return node->child == NULL || cJSON_IsNull(node->child) ||
           strcmp(node->child->string, "podSelector") == 0 ||
           strcmp(node->child->string, "namespaceSelector") == 0 ||
           strcmp(node->child->string, "ipBlock") == 0;
}

static void check_peer(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const cJSON *pods = tree_get(node, "podSelector"), *block = tree_get(node, "ipBlock");
    const cJSON *namespaces = tree_get(node, "namespaceSelector");

    if (cJSON_IsNull(node) ||
        (pods == NULL && namespaces == NULL && block == NULL && has_known_or_no_key(node))) {
        check_error(c, node, at, "names no peer: give podSelector, namespaceSelector or ipBlock");
        return;
    }
    check_selector(c, pods, FIELD(at, "podSelector"));
    check_selector(c, namespaces, FIELD(at, "namespaceSelector"));
    if (!cJSON_IsObject(block)) {
        return;
    }
    if (pods != NULL || namespaces != NULL) {
        check_error(c, block, FIELD(at, "ipBlock"), "must not stand beside a selector");
    }
    check_ip_block(c, block, FIELD(at, "ipBlock"));
}

/* Outside of a rule towards pods a port has no name (SEMANTICS 1): such a rule reaches only the
 * pods whose addresses lie in the blocks, which is hardly meant. A rule of ingress is fine: there
 * the selected pods themselves resolve the name. */
static void check_port_names(struct manifest_check *c, const cJSON *rule,
                             const struct field *ports_at, const cJSON *peers)
{
    const cJSON *ports = check_list(rule, "ports"), *child;
    uint32_t k = 0;

    if (peers == NULL || peers->child == NULL) {
        return;
    }
    cJSON_ArrayForEach(child, peers)
    {
        if (check_mapping(child, "ipBlock") == NULL) {
            return;
        }
    }
    cJSON_ArrayForEach(child, ports)
    {
        const cJSON *port = tree_get(child, "port");

        if (cJSON_IsString(port)) {
            check_warning(c, port, FIELD(ELEMENT(ports_at, k), "port"), "%s", CHECK_NAME_IN_BLOCKS);
        }
        k++;
    }
}

static void check_rules(struct manifest_check *c, const cJSON *spec, const struct field *spec_at,
                        const char *section, const char *peers)
{
    const struct field *section_at = FIELD(spec_at, section);
    const cJSON *rule, *child;
    uint32_t i = 0, k;

    cJSON_ArrayForEach(rule, check_list(spec, section))
    {
        const struct field *at = ELEMENT(section_at, i++);
        const struct field *ports_at = FIELD(at, "ports"), *peers_at = FIELD(at, peers);

        if (cJSON_IsNull(rule)) {
            check_warning(c, rule, at,
                          "is empty, which allows everything; write {} if that is meant");
        }
        k = 0;
        cJSON_ArrayForEach(child, check_list(rule, "ports"))
        {
            check_port(c, child, ELEMENT(ports_at, k));
            k++;
        }
        k = 0;
        cJSON_ArrayForEach(child, check_list(rule, peers))
        {
            if (cJSON_IsObject(child) || cJSON_IsNull(child)) {
                check_peer(c, child, ELEMENT(peers_at, k));
            }
            k++;
        }
        if (strcmp(section, "egress") == 0) {
            check_port_names(c, rule, ports_at, check_list(rule, peers));
        }
    }
}

static void check_types(struct manifest_check *c, const cJSON *spec, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "policyTypes");
    const cJSON *list = check_list(spec, "policyTypes"), *child;
    uint32_t i = 0;

    if (cJSON_GetArraySize(list) > 2) {
        check_error(c, list, at, "must not have more than two entries");
        return;
    }
    cJSON_ArrayForEach(child, list)
    {
        if (cJSON_IsNull(child) ||
            (cJSON_IsString(child) && strcmp(child->valuestring, "Ingress") != 0 &&
             strcmp(child->valuestring, "Egress") != 0)) {
            check_error(c, child, ELEMENT(at, i), "must be Ingress or Egress");
        }
        i++;
    }
}

void check_network_policy(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec = check_mapping(c->tree, "spec");

    check_selector(c, tree_get(spec, "podSelector"), FIELD(at, "podSelector"));
    check_rules(c, spec, at, "ingress", "from");
    check_rules(c, spec, at, "egress", "to");
    check_types(c, spec, at);
}
