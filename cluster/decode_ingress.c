#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cluster/decode.h"

static int decode_backend(const cJSON *node, const struct field *at, struct ingress_backend *out,
                          struct error *err)
{
    const struct field *svc_at = FIELD(at, "service"), *port_at = FIELD(svc_at, "port");
    const cJSON *service, *resource, *port;
    int64_t number;
    bool given;
    int rc;

    if ((rc = tree_object(node, at, "resource", &resource, err)) != 0 ||
        (rc = tree_object(node, at, "service", &service, err)) != 0 ||
        (rc = tree_object(service, svc_at, "port", &port, err)) != 0 ||
        (rc = tree_int(port, port_at, "number", 0, 65535, &given, &number, err)) != 0 ||
        (rc = tree_str_nonempty(service, svc_at, "name", &out->service, err)) != 0 ||
        (rc = tree_str_nonempty(port, port_at, "name", &out->port_name, err)) != 0) {
        return rc;
    }
    out->resource = resource != NULL;
    out->port_number = (uint32_t)number;
    return 0;
}

static int decode_paths(const cJSON *node, const struct field *at, struct ingress_rule *rule,
                        struct error *err)
{
    const struct field *http_at = FIELD(at, "http"), *list_at = FIELD(http_at, "paths");
    const cJSON *http, *list, *child, *backend;
    uint32_t count;
    int rc;

    if ((rc = tree_object(node, at, "http", &http, err)) != 0 ||
        (rc = tree_array(http, http_at, "paths", &list, &count, err)) != 0 || count == 0) {
        return rc;
    }
    rule->backends = xcalloc(count, sizeof(*rule->backends));
    rule->paths = xcalloc(count, sizeof(struct str *));
    cJSON_ArrayForEach(child, list)
    {
        uint32_t i = rule->backend_count++;
        const struct field *path_at = ELEMENT(list_at, i);

        if (!cJSON_IsObject(child)) {
            return field_error(path_at, err, "must be an object");
        }
        if ((rc = tree_str_nonempty(child, path_at, "path", &rule->paths[i], err)) != 0 ||
            (rc = tree_object(child, path_at, "backend", &backend, err)) != 0 ||
            (rc = decode_backend(backend, FIELD(path_at, "backend"), &rule->backends[i], err)) !=
                0) {
            return rc;
        }
    }
    return 0;
}

static int decode_rules(const cJSON *spec, const struct field *at, struct ingress *ing,
                        struct error *err)
{
    const struct field *list_at = FIELD(at, "rules");
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(spec, at, "rules", &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    ing->rules = xcalloc(count, sizeof(*ing->rules));
    cJSON_ArrayForEach(child, list)
    {
        struct ingress_rule *rule = &ing->rules[ing->rule_count];
        const struct field *rule_at = ELEMENT(list_at, ing->rule_count);

        ing->rule_count++;
        if (!cJSON_IsObject(child) && !cJSON_IsNull(child)) {
            return field_error(rule_at, err, "must be an object");
        }
        if ((rc = tree_str_nonempty(child, rule_at, "host", &rule->host, err)) != 0 ||
            (rc = decode_paths(child, rule_at, rule, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

static int decode_tls(const cJSON *spec, const struct field *at, struct ingress *ing,
                      struct error *err)
{
    const struct field *list_at = FIELD(at, "tls");
    const cJSON *list, *child;
    uint32_t count;
    int rc = tree_array(spec, at, "tls", &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    ing->tls = xcalloc(count, sizeof(*ing->tls));
    cJSON_ArrayForEach(child, list)
    {
        struct ingress_tls *tls = &ing->tls[ing->tls_count];
        const struct field *tls_at = ELEMENT(list_at, ing->tls_count);

        ing->tls_count++;
        if (!cJSON_IsObject(child) && !cJSON_IsNull(child)) {
            return field_error(tls_at, err, "must be an object");
        }
        if ((rc = tree_strs(child, tls_at, "hosts", &tls->hosts, &tls->host_count, err)) != 0 ||
            (rc = tree_str_nonempty(child, tls_at, "secretName", &tls->secret, err)) != 0) {
            return rc;
        }
    }
    return 0;
}

int decode_ingress(const cJSON *tree, struct object *obj, struct error *err)
{
    struct ingress *ing = (struct ingress *)obj;
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec, *backend;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = tree_str_nonempty(spec, at, "ingressClassName", &ing->class_name, err)) != 0 ||
        (rc = tree_object(spec, at, "defaultBackend", &backend, err)) != 0 ||
        (rc = decode_backend(backend, FIELD(at, "defaultBackend"), &ing->default_backend, err)) !=
            0 ||
        (rc = decode_rules(spec, at, ing, err)) != 0 ||
        (rc = decode_tls(spec, at, ing, err)) != 0) {
        return rc;
    }
    ing->has_default_backend = backend != NULL;
    return decode_lb_ips(tree, &ing->lb_ips, &ing->lb_ip_count, err);
}

int decode_ingress_class(const cJSON *tree, struct object *obj, struct error *err)
{
    struct ingress_class *ic = (struct ingress_class *)obj;
    const struct field *at = FIELD(NULL, "spec");
    const cJSON *spec, *parameters;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = tree_object(spec, at, "parameters", &parameters, err)) != 0 ||
        (rc = tree_str_nonempty(spec, at, "controller", &ic->controller, err)) != 0) {
        return rc;
    }
    ic->has_parameters = parameters != NULL;
    ic->is_default =
        label_set_has(obj->annotations, "ingressclass.kubernetes.io/is-default-class", "true");
    return 0;
}
