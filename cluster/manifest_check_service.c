#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/manifest_check.h"
#include "cluster/name_syntax.h"

/* What the checks of one Service share. */
struct service_check {
    struct manifest_check *c;
    const cJSON *spec;
    const char *type; /* the effective one */
    bool headless;
};

static bool is_type(const struct service_check *s, const char *type)
{
    return strcmp(s->type, type) == 0;
}

static const char *protocol_of(const cJSON *port)
{
    const char *text = check_text(port, "protocol");

    return text != NULL && text[0] != '\0' ? text : "TCP";
}

static bool same_number(const cJSON *a, const cJSON *b, const char *key)
{
    int64_t x, y;

    return tree_is_int(tree_get(a, key), &x) && tree_is_int(tree_get(b, key), &y) && x == y &&
           x != 0;
}

/* Against the ports before it. */
static void check_duplicates(struct service_check *s, const cJSON *ports, const cJSON *port,
                             const struct field *at)
{
    const char *name = check_text(port, "name");

    for (const cJSON *other = ports->child; other != NULL && other != port; other = other->next) {
        const char *other_name = check_text(other, "name");
        bool same_protocol = strcmp(protocol_of(other), protocol_of(port)) == 0;

        if (name != NULL && name[0] != '\0' && other_name != NULL &&
            strcmp(name, other_name) == 0) {
            check_error(s->c, tree_get(port, "name"), FIELD(at, "name"),
                        "'%.63s' is the name of another port already", name);
        }
        if (same_protocol && same_number(port, other, "port")) {
            check_error(s->c, tree_get(port, "port"), FIELD(at, "port"),
                        "is given for protocol %s already", protocol_of(port));
        }
        if (same_protocol && same_number(port, other, "nodePort")) {
            check_error(s->c, tree_get(port, "nodePort"), FIELD(at, "nodePort"),
                        "is given for protocol %s already", protocol_of(port));
        }
    }
}

static void check_target(struct service_check *s, const cJSON *port, const struct field *at)
{
    const cJSON *target = tree_get(port, "targetPort");
    int64_t value;

    if (cJSON_IsString(target)) {
        if (target->valuestring[0] != '\0') {
            check_port_name(s->c, target, FIELD(at, "targetPort"));
        }
    } else if (!(tree_is_int(target, &value) && value == 0)) {
        check_port_number(s->c, target, FIELD(at, "targetPort"));
    }
}

static void check_node_port(struct service_check *s, const cJSON *port, const struct field *at)
{
    const cJSON *node = tree_get(port, "nodePort");
    int64_t value;

    if (!cJSON_IsNumber(node) || (tree_is_int(node, &value) && value == 0)) {
        return;
    }
    if (is_type(s, "ClusterIP") || is_type(s, "ExternalName")) {
        check_error(s->c, node, FIELD(at, "nodePort"), "must not be given with type %s", s->type);
    } else {
        check_port_number(s->c, node, FIELD(at, "nodePort"));
    }
}

static void check_port(struct service_check *s, const cJSON *ports, const cJSON *port,
                       const struct field *at)
{
    const cJSON *name_node = tree_get(port, "name"), *number = tree_get(port, "port");
    const char *name = check_text(port, "name");

    if (name != NULL && name[0] != '\0' && !name_is_dns_label(name)) {
        check_error(s->c, name_node, FIELD(at, "name"),
                    "must consist of lower case letters, digits and '-', begin and end with a "
                    "letter or digit, and have at most 63 characters");
    } else if (ports->child->next != NULL && (name != NULL ? name[0] == '\0' : name_node == NULL)) {
        check_error(s->c, port, FIELD(at, "name"), "is required when there are several ports");
    }
    if (number == NULL) {
        check_error(s->c, port, FIELD(at, "port"), "is required");
    }
    check_port_number(s->c, number, FIELD(at, "port"));
    check_protocol(s->c, port, at);
    check_target(s, port, at);
    check_node_port(s, port, at);
    check_duplicates(s, ports, port, at);
}

/* Unspecified, loopback and link-local addresses cannot be external. */
static bool is_special_ip(const struct cidr *ip)
{
    static const char *const special[] = { "0.0.0.0/32", "127.0.0.0/8", "169.254.0.0/16",
                                           "::/128",     "::1/128",     "fe80::/10",
                                           "ff02::/16",  "224.0.0.0/24" };
    struct cidr block;

    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (cidr_parse(special[i], &block) && cidr_contains(&block, ip)) {
            return true;
        }
    }
    return false;
}

static void check_external_ips(struct service_check *s, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "externalIPs");
    const cJSON *child;
    struct cidr ip;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, check_list(s->spec, "externalIPs"))
    {
        const struct field *item = ELEMENT(at, i++);

        if (!cJSON_IsString(child)) {
            continue;
        }
        if (!ip_parse(child->valuestring, &ip)) {
            check_error(s->c, child, item, "must be an IP address");
        } else if (ip.leading_zeros) {
            check_error(s->c, child, item, "must not have leading zeros");
        } else if (is_special_ip(&ip)) {
            check_error(s->c, child, item,
                        "must not be an unspecified, loopback or link-local address");
        }
    }
}

/* Spaces around a range are part of this API. */
static void check_source_ranges(struct service_check *s, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "loadBalancerSourceRanges");
    const cJSON *list = check_list(s->spec, "loadBalancerSourceRanges"), *child;
    uint32_t i = 0;

    if (list != NULL && list->child != NULL && !is_type(s, "LoadBalancer")) {
        check_error(s->c, list, at, "must not be given with type %s", s->type);
    }
    cJSON_ArrayForEach(child, list)
    {
        const struct field *item = ELEMENT(at, i++);
        const char *text = cJSON_IsString(child) ? child->valuestring : "";

        if (strchr(text, ' ') == NULL) {
            check_cidr(s->c, child, item);
        }
    }
}

static void check_external_name(struct service_check *s, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "externalName");
    const cJSON *node = tree_get(s->spec, "externalName");
    char name[256];
    size_t len;

    if (!is_type(s, "ExternalName")) {
        return;
    }
    if (node == NULL || (cJSON_IsString(node) && node->valuestring[0] == '\0')) {
        check_error(s->c, node != NULL ? node : s->spec, at, "is required with type ExternalName");
        return;
    }
    if (!cJSON_IsString(node)) {
        return;
    }
    len = strlen(node->valuestring);
    if (len > 0 && node->valuestring[len - 1] == '.') {
        len--;
    }
    if (len < sizeof(name)) {
        memcpy(name, node->valuestring, len);
        name[len] = '\0';
    }
    if (len >= sizeof(name) || !name_is_dns_subdomain(name)) {
        check_error(s->c, node, at, "must be a DNS name in lower case");
    }
}

static void check_traffic_policies(struct service_check *s, const struct field *at)
{
    static const char *const words[] = { "Cluster", "Local", NULL };
    const cJSON *external = tree_get(s->spec, "externalTrafficPolicy");
    const cJSON *ips = check_list(s->spec, "externalIPs");
    bool outside = is_type(s, "LoadBalancer") || is_type(s, "NodePort") ||
                   (is_type(s, "ClusterIP") && ips != NULL && ips->child != NULL);

    if (cJSON_IsString(external) && external->valuestring[0] != '\0' && !outside) {
        check_error(s->c, external, FIELD(at, "externalTrafficPolicy"),
                    "must not be given for a Service that is not reachable from outside (type %s)",
                    s->type);
    } else {
        check_word(s->c, s->spec, at, "externalTrafficPolicy", words);
    }
    check_word(s->c, s->spec, at, "internalTrafficPolicy", words);
}

static void check_ports(struct service_check *s, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "ports");
    const cJSON *node = tree_get(s->spec, "ports"), *ports = check_list(s->spec, "ports"), *child;
    uint32_t i = 0;

    if ((node == NULL || (cJSON_IsArray(node) && node->child == NULL)) && !s->headless &&
        !is_type(s, "ExternalName")) {
        check_error(s->c, node != NULL ? node : s->spec, at, "is required");
    }
    if (cJSON_GetArraySize(ports) > CHECK_PORTS_MAX) {
        check_error(s->c, node, at, "has more than %d entries", (int)CHECK_PORTS_MAX);
        return;
    }
    cJSON_ArrayForEach(child, ports)
    {
        if (cJSON_IsObject(child)) {
            check_port(s, ports, child, ELEMENT(at, i));
        }
        i++;
    }
}

void check_service(struct manifest_check *c)
{
    static const char *const types[] = { "ClusterIP", "NodePort", "LoadBalancer", "ExternalName",
                                         NULL };
    static const char *const affinities[] = { "None", "ClientIP", NULL };
    const struct field *at = FIELD(NULL, "spec");
    struct service_check s = { .c = c, .spec = check_mapping(c->tree, "spec") };
    const char *type = check_text(s.spec, "type"), *ip = check_text(s.spec, "clusterIP");
    uint32_t before = c->errors;

    if (tree_get(c->tree, "spec") != NULL && s.spec == NULL) {
        return;
    }
    s.type = type != NULL && type[0] != '\0' ? type : "ClusterIP";
    s.headless = ip != NULL && strcmp(ip, "None") == 0;
    check_word(c, s.spec, at, "type", types);
    if (c->errors > before) {
        return; /* what else holds depends on the type */
    }
    check_ports(&s, at);
    check_labels(c, s.spec, at, "selector");
    check_external_ips(&s, at);
    check_source_ranges(&s, at);
    check_external_name(&s, at);
    check_traffic_policies(&s, at);
    check_word(c, s.spec, at, "sessionAffinity", affinities);
    if (s.headless && (is_type(&s, "LoadBalancer") || is_type(&s, "NodePort"))) {
        check_error(c, tree_get(s.spec, "clusterIP"), FIELD(at, "clusterIP"),
                    "must not be None with type %s", s.type);
    }
}
