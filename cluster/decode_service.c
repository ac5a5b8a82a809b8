#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/decode.h"

static enum service_type parse_type(const char *text)
{
    static const char *const names[] = { [SERVICE_CLUSTER_IP] = "ClusterIP",
                                         [SERVICE_NODE_PORT] = "NodePort",
                                         [SERVICE_LOAD_BALANCER] = "LoadBalancer",
                                         [SERVICE_EXTERNAL_NAME] = "ExternalName" };

    if (text == NULL || text[0] == '\0') {
        return SERVICE_CLUSTER_IP;
    }
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], text) == 0) {
            return (enum service_type)i;
        }
    }
    return SERVICE_TYPE_OTHER;
}

/* IntOrString. A quoted number stays a name: it is no number to the API either. */
static int decode_target(const cJSON *node, const struct field *at, struct service_port *port,
                         struct error *err)
{
    const cJSON *target = tree_get(node, "targetPort");
    int64_t number;

    if (cJSON_IsString(target)) {
        return tree_str_nonempty(node, at, "targetPort", &port->target_name, err);
    }
    if (target != NULL && (!tree_is_int(target, &number) || number < 0 || number > 65535)) {
        return field_error(FIELD(at, "targetPort"), err,
                           "must be a port name or a whole number from 1 to 65535");
    }
    port->target_port = target != NULL && number > 0 ? (uint16_t)number : port->port;
    return 0;
}

static int decode_port(const cJSON *node, const struct field *at, struct service_port *port,
                       struct error *err)
{
    const char *protocol;
    int64_t number, node_port;
    bool given;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_int(node, at, "port", 1, 65535, &given, &number, err)) != 0 ||
        (rc = tree_int(node, at, "nodePort", 0, 65535, &port->has_node_port, &node_port, err)) !=
            0 ||
        (rc = tree_text(node, at, "protocol", &protocol, err)) != 0 ||
        (rc = tree_str_nonempty(node, at, "name", &port->name, err)) != 0 ||
        (rc = tree_str_nonempty(node, at, "appProtocol", &port->app_protocol, err)) != 0) {
        return rc;
    }
    if (!given) {
        return field_error(FIELD(at, "port"), err, "is required");
    }
    port->port = (uint16_t)number;
    port->has_node_port = node_port > 0; /* 0 asks for any, which is unset */
    port->node_port = (uint16_t)node_port;
    port->protocol = protocol_parse(protocol);
    return decode_target(node, at, port, err);
}

static int decode_ports(const cJSON *spec, const struct field *at, struct service *svc,
                        struct error *err)
{
    const struct field *list_at = FIELD(at, "ports");
    const cJSON *list, *node;
    uint32_t count;
    int rc = tree_array(spec, at, "ports", &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    svc->ports = xcalloc(count, sizeof(*svc->ports));
    cJSON_ArrayForEach(node, list)
    {
        svc->port_count++;
        rc = decode_port(node, ELEMENT(list_at, svc->port_count - 1),
                         &svc->ports[svc->port_count - 1], err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int decode_lb_ips(const cJSON *tree, struct str ***out, uint32_t *count, struct error *err)
{
    const struct field *at = FIELD(NULL, "status"), *lb_at = FIELD(at, "loadBalancer");
    const struct field *list_at = FIELD(lb_at, "ingress");
    const cJSON *status, *lb, *list, *node;
    uint32_t n, i = 0;
    int rc;

    if ((rc = tree_object(tree, NULL, "status", &status, err)) != 0 ||
        (rc = tree_object(status, at, "loadBalancer", &lb, err)) != 0 ||
        (rc = tree_array(lb, lb_at, "ingress", &list, &n, err)) != 0 || n == 0) {
        return rc;
    }
    *out = xcalloc(n, sizeof(struct str *));
    cJSON_ArrayForEach(node, list)
    {
        struct str *ip;

        rc = tree_str_nonempty(node, ELEMENT(list_at, i++), "ip", &ip, err);
        if (rc != 0) {
            return rc;
        }
        if (ip != NULL) {
            (*out)[(*count)++] = ip;
        }
    }
    return 0;
}

int decode_service(const cJSON *tree, struct object *obj, struct error *err)
{
    struct service *svc = (struct service *)obj;
    const struct field *at = FIELD(NULL, "spec");
    const char *type, *traffic;
    struct label_set *selector;
    const cJSON *spec;
    int rc;

    if ((rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = tree_text(spec, at, "type", &type, err)) != 0 ||
        (rc = tree_text(spec, at, "externalTrafficPolicy", &traffic, err)) != 0 ||
        (rc = decode_ports(spec, at, svc, err)) != 0 ||
        (rc = tree_strs(spec, at, "externalIPs", &svc->external_ips, &svc->external_ip_count,
                        err)) != 0 ||
        (rc = tree_strs(spec, at, "loadBalancerSourceRanges", &svc->source_ranges,
                        &svc->source_range_count, err)) != 0 ||
        (rc = tree_str_nonempty(spec, at, "externalName", &svc->external_name, err)) != 0 ||
        (rc = tree_str_nonempty(spec, at, "loadBalancerClass", &svc->load_balancer_class, err)) !=
            0 ||
        (rc = tree_str_nonempty(spec, at, "clusterIP", &svc->cluster_ip, err)) != 0 ||
        (rc = tree_map(spec, at, "selector", NULL, false, &selector, err)) != 0) {
        return rc;
    }
    svc->type = parse_type(type);
    svc->traffic_local = traffic != NULL && strcmp(traffic, "Local") == 0;
    svc->selector = selector_from_labels(selector);
    label_set_unref(selector);
    return decode_lb_ips(tree, &svc->lb_ips, &svc->lb_ip_count, err);
}

int decode_secret(const cJSON *tree, struct object *obj, struct error *err)
{
    struct secret *s = (struct secret *)obj;

    s->cert_manager = label_set_text(obj->annotations, "cert-manager.io/certificate-name") != NULL;
    return tree_str_nonempty(tree, NULL, "type", &s->type, err);
}
