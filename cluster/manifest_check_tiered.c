/* ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy: what their API refuses
 * (network-policy-api 0.2.0 and 0.1.7, schema and CEL) beyond what makes a stored policy malformed
 * in the decoder. An older schema let some of it pass, so a live policy is read all the same. */
#include <string.h>

#include "base/vec.h"
#include "cluster/manifest_check.h"

enum { NETWORKS_MAX = 25, CIDR_LENGTH_MAX = 43, RULE_NAME_MAX = 100 };

static void check_network(struct manifest_check *c, const cJSON *list, const cJSON *node,
                          const struct field *at)
{
    if (!cJSON_IsString(node)) {
        return;
    }
    if (strlen(node->valuestring) > CIDR_LENGTH_MAX) {
        check_error(c, node, at, "must have at most %d characters", (int)CIDR_LENGTH_MAX);
        return;
    }
    check_block(c, node, at, CHECK_BLOCK_NETIP_NOT_MAPPED);
    for (const cJSON *other = list->child; other != node; other = other->next) {
        if (cJSON_IsString(other) && strcmp(other->valuestring, node->valuestring) == 0) {
            check_error(c, node, at, "is given already");
            return;
        }
    }
}

static void check_networks(struct manifest_check *c, const cJSON *peer, const struct field *peer_at)
{
    const struct field *at = FIELD(peer_at, "networks");
    const cJSON *list = check_list(peer, "networks"), *child;
    uint32_t i = 0;

    if (cJSON_GetArraySize(list) > NETWORKS_MAX) {
        check_error(c, list, at, "must not have more than %d entries", (int)NETWORKS_MAX);
        return;
    }
    cJSON_ArrayForEach(child, list)
    {
        check_network(c, list, child, ELEMENT(at, i));
        i++;
    }
}

/* {namespaceSelector, podSelector}: v1alpha1 wanted both until a change that made no new version,
 * so only the one that every release wants is asked for. */
static void check_pods(struct manifest_check *c, const cJSON *obj, const struct field *obj_at)
{
    const cJSON *pods = check_mapping(obj, "pods");

    if (pods != NULL && tree_get(pods, "podSelector") == NULL) {
        check_error(c, pods, FIELD(FIELD(obj_at, "pods"), "podSelector"), "is required");
    }
}

/* A key that the schema has refused may have been meant as the peer: one complaint is enough. */
static void check_peer(struct manifest_check *c, const cJSON *node, const struct field *at,
                       bool ingress)
{
    static const char *const fields[] = { "namespaces", "pods", "networks", "nodes",
                                          "domainNames" };
    uint32_t known = 0;

    for (size_t i = 0; i < (ingress ? 2 : ARRAY_LEN(fields)); i++) {
        known += tree_get(node, fields[i]) != NULL ? 1 : 0;
    }
    if (known == 0 && (node->child == NULL || cJSON_IsNull(node->child))) {
        check_error(c, node, at, "names no peer: give %s",
                    ingress ? "namespaces or pods" : "namespaces, pods or networks");
    }
    check_pods(c, node, at);
    check_networks(c, node, at);
}

/* {tcp: {}} and its like: a later API may let a protocol stand for all its ports, this one does
 * not. */
static void check_protocol_body(struct manifest_check *c, const cJSON *item, const struct field *at)
{
    static const char *const words[] = { "tcp", "udp", "sctp" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const cJSON *body = check_mapping(item, words[i]);

        if (body != NULL && tree_get(body, "destinationPort") == NULL && body->child == NULL) {
            check_error(c, body, FIELD(FIELD(at, words[i]), "destinationPort"), "is required");
        }
    }
}

static void check_rule(struct manifest_check *c, const cJSON *rule, const struct field *at,
                       bool ingress)
{
    const char *peers = ingress ? "from" : "to", *name = check_text(rule, "name");
    const char *ports = c->row->kind == KIND_CLUSTER_NETWORK_POLICY ? "protocols" : "ports";
    const cJSON *list = check_list(rule, ports), *child;
    uint32_t i = 0;

    if (name != NULL && strlen(name) > RULE_NAME_MAX) {
        check_error(c, tree_get(rule, "name"), FIELD(at, "name"), "must have at most %d characters",
                    (int)RULE_NAME_MAX);
    }
    if (list != NULL && list->child == NULL) {
        check_error(c, list, FIELD(at, ports), "must not be empty; leave it out to mean all");
    }
    cJSON_ArrayForEach(child, list)
    {
        check_protocol_body(c, child, ELEMENT(FIELD(at, ports), i));
        i++;
    }
    i = 0;
    cJSON_ArrayForEach(child, check_list(rule, peers))
    {
        if (cJSON_IsObject(child) || cJSON_IsNull(child)) {
            check_peer(c, child, ELEMENT(FIELD(at, peers), i), ingress);
        }
        i++;
    }
}

void check_tiered_policy(struct manifest_check *c)
{
    static const char *const sections[] = { "ingress", "egress" };
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec = check_mapping(c->tree, "spec"), *rule;

    check_pods(c, check_mapping(spec, "subject"), FIELD(at, "subject"));
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        uint32_t i = 0;

        cJSON_ArrayForEach(rule, check_list(spec, sections[s]))
        {
            if (cJSON_IsObject(rule)) {
                check_rule(c, rule, ELEMENT(FIELD(at, sections[s]), i), s == 0);
            }
            i++;
        }
    }
}
