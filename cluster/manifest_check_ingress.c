/* Ingress and IngressClass. An ingressClassName of "" and a rule's host of "*" are what rules judge
 * (the finding says more than an API server's refusal would), so nothing is said here. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/manifest_check.h"
#include "cluster/name_syntax.h"

static void check_host(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const char *host = cJSON_IsString(node) ? node->valuestring : "";
    struct cidr ip;

    if (host[0] == '\0') {
        return;
    }
    if (ip_parse(host, &ip)) {
        check_error(c, node, at, "must be a DNS name, not an IP address");
    } else if (strchr(host, '*') != NULL ? !name_is_wildcard_host(host)
                                         : !name_is_dns_subdomain(host)) {
        check_error(c, node, at,
                    "is no host: a DNS name in lower case such as shop.example.com, or *. and such "
                    "a name");
    }
}

static void check_service_backend(struct manifest_check *c, const cJSON *node,
                                  const struct field *at)
{
    const struct field *port_at = FIELD(at, "port");
    const char *name = check_text(node, "name");
    const cJSON *port = check_mapping(node, "port");
    const cJSON *port_name = tree_get(port, "name"), *number = tree_get(port, "number");
    int64_t value = 0;
    bool has_name = cJSON_IsString(port_name) && port_name->valuestring[0] != '\0';
    bool has_number = number != NULL && !(tree_is_int(number, &value) && value == 0);

    if (name != NULL ? name[0] == '\0' : tree_get(node, "name") == NULL) {
        check_error(c, node, FIELD(at, "name"), "is required");
    } else if (name != NULL && !name_is_dns_label(name)) {
        check_error(c, tree_get(node, "name"), FIELD(at, "name"), "is no Service name");
    }
    if (tree_get(node, "port") != NULL && port == NULL) {
        return;
    }
    if (has_name && has_number) {
        check_error(c, port, port_at, "must have either name or number, not both");
    } else if (has_name) {
        check_port_name(c, port_name, FIELD(port_at, "name"));
    } else if (has_number) {
        check_port_number(c, number, FIELD(port_at, "number"));
    } else if (port_name == NULL || cJSON_IsString(port_name)) {
        check_error(c, port != NULL ? port : node, port_at, "needs a name or a number");
    }
}

static void check_reference(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    static const char *const required[] = { "kind", "name" };

    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const cJSON *value = tree_get(node, required[i]);

        if (value == NULL || (cJSON_IsString(value) && value->valuestring[0] == '\0')) {
            check_error(c, node, FIELD(at, required[i]), "is required");
        }
    }
}

static void check_backend(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const cJSON *service = tree_get(node, "service"), *resource = tree_get(node, "resource");

    if (service != NULL && resource != NULL) {
        check_error(c, node, at, "must have either service or resource, not both");
    } else if (cJSON_IsObject(service)) {
        check_service_backend(c, service, FIELD(at, "service"));
    } else if (cJSON_IsObject(resource)) {
        check_reference(c, resource, FIELD(at, "resource"));
    } else if (service == NULL && resource == NULL &&
               (tree_get(node, "serviceName") == NULL && tree_get(node, "servicePort") == NULL)) {
        check_error(c, node, at, "needs a service or a resource");
    }
}

static void check_path_text(struct manifest_check *c, const cJSON *node, const struct field *at,
                            const char *type)
{
    static const char *const inner[] = { "//", "/./", "/../", "%2f", "%2F" };
    static const char *const ends[] = { "/..", "/." };
    const cJSON *path_node = tree_get(node, "path");
    const char *path = cJSON_IsString(path_node) ? path_node->valuestring : "";
    bool free_form = strcmp(type, "ImplementationSpecific") == 0;

    if (path_node != NULL && !cJSON_IsString(path_node)) {
        return;
    }
    if (path[0] != '/' && !(free_form && path[0] == '\0')) {
        check_error(c, path_node != NULL ? path_node : node, FIELD(at, "path"),
                    "must begin with '/'");
        return;
    }
    for (size_t i = 0; !free_form && i < ARRAY_LEN(inner); i++) {
        if (strstr(path, inner[i]) != NULL) {
            check_error(c, path_node, FIELD(at, "path"), "must not hold '%s'", inner[i]);
        }
    }
    for (size_t i = 0; !free_form && i < ARRAY_LEN(ends); i++) {
        if (text_ends(path, ends[i])) {
            check_error(c, path_node, FIELD(at, "path"), "must not end with '%s'", ends[i]);
        }
    }
}

static void check_path(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    static const char *const types[] = { "Exact", "Prefix", "ImplementationSpecific", NULL };
    const cJSON *type_node = tree_get(node, "pathType");
    const char *type = check_text(node, "pathType");

    if (type_node == NULL || (type != NULL && type[0] == '\0')) {
        check_error(c, type_node != NULL ? type_node : node, FIELD(at, "pathType"),
                    "is required: Exact, Prefix or ImplementationSpecific");
    } else if (type != NULL) {
        uint32_t before = c->errors;

        check_word(c, node, at, "pathType", types);
        if (c->errors == before) {
            check_path_text(c, node, at, type);
        }
    }
    if (tree_get(node, "backend") == NULL || check_mapping(node, "backend") != NULL) {
        check_backend(c, tree_get(node, "backend") != NULL ? tree_get(node, "backend") : node,
                      FIELD(at, "backend"));
    }
}

static void check_rule(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const struct field *http_at = FIELD(at, "http"), *paths_at = FIELD(http_at, "paths");
    const cJSON *http = check_mapping(node, "http"), *paths = tree_get(http, "paths"), *child;
    const char *host = check_text(node, "host");
    uint32_t i = 0;

    if (host == NULL || strcmp(host, "*") != 0) {
        check_host(c, tree_get(node, "host"), FIELD(at, "host"));
    }
    if (http != NULL && (paths == NULL || (cJSON_IsArray(paths) && paths->child == NULL))) {
        check_error(c, http, paths_at, "is required");
    }
    cJSON_ArrayForEach(child, check_list(http, "paths"))
    {
        if (cJSON_IsObject(child)) {
            check_path(c, child, ELEMENT(paths_at, i));
        }
        i++;
    }
}

static void check_tls(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const struct field *hosts_at = FIELD(at, "hosts");
    const char *secret = check_text(node, "secretName");
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, check_list(node, "hosts"))
    {
        if (cJSON_IsString(child) && child->valuestring[0] == '\0') {
            check_error(c, child, ELEMENT(hosts_at, i), "must not be empty");
        }
        check_host(c, child, ELEMENT(hosts_at, i));
        i++;
    }
    if (secret != NULL && secret[0] != '\0' && !name_is_dns_subdomain(secret)) {
        check_error(c, tree_get(node, "secretName"), FIELD(at, "secretName"), "is no Secret name");
    }
}

void check_ingress(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "spec");
    const struct field *rules_at = FIELD(at, "rules"), *tls_at = FIELD(at, "tls");
    const cJSON *spec = check_mapping(c->tree, "spec"), *child;
    const cJSON *backend = tree_get(spec, "defaultBackend"), *rules = tree_get(spec, "rules");
    const char *class_name = check_text(spec, "ingressClassName");
    uint32_t i = 0;

    if (tree_get(c->tree, "spec") != NULL && spec == NULL) {
        return;
    }
    if (backend == NULL && (rules == NULL || (cJSON_IsArray(rules) && rules->child == NULL)) &&
        tree_get(spec, "backend") == NULL) {
        check_error(c, spec, at, "needs rules or a defaultBackend");
    }
    if (cJSON_IsObject(backend)) {
        check_backend(c, backend, FIELD(at, "defaultBackend"));
    }
    cJSON_ArrayForEach(child, check_list(spec, "rules"))
    {
        check_rule(c, child, ELEMENT(rules_at, i));
        i++;
    }
    i = 0;
    cJSON_ArrayForEach(child, check_list(spec, "tls"))
    {
        check_tls(c, child, ELEMENT(tls_at, i));
        i++;
    }
    if (class_name != NULL && class_name[0] != '\0' && !name_is_dns_subdomain(class_name)) {
        check_error(c, tree_get(spec, "ingressClassName"), FIELD(at, "ingressClassName"),
                    "is no IngressClass name");
    }
}

void check_ingress_class(struct manifest_check *c)
{
    static const char *const scopes[] = { "Cluster", "Namespace", NULL };
    const struct field *at = FIELD(NULL, "spec"), *parameters_at = FIELD(at, "parameters");
    const cJSON *spec = check_mapping(c->tree, "spec");
    const cJSON *controller = tree_get(spec, "controller");
    const cJSON *parameters = check_mapping(spec, "parameters");
    const char *text = check_text(spec, "controller"), *slash;

    if (controller == NULL || (text != NULL && text[0] == '\0')) {
        check_error(c, spec, FIELD(at, "controller"), "is required");
    } else if (text != NULL) {
        slash = strchr(text, '/');
        if (slash == NULL || slash == text || slash[1] == '\0' || strlen(text) > 250) {
            check_error(c, controller, FIELD(at, "controller"),
                        "must be a domain and a path, such as k8s.io/ingress-nginx");
        }
    }
    if (parameters != NULL) {
        check_reference(c, parameters, parameters_at);
        check_word(c, parameters, parameters_at, "scope", scopes);
    }
}
