/* Pods and the pod templates of workloads. Unset values that the API server or its admission fills
 * in for every pod are filled in here too, so that a template and the pods made from it have one
 * shape. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/cidr.h"
#include "cluster/decode.h"

enum { MAX_POD_IPS = 4 };

struct shape_build {
    struct pod_shape shape;
    VEC(struct named_port) ports;
};

static int decode_port(const cJSON *node, const struct field *at, bool keep, struct shape_build *b,
                       struct error *err)
{
    struct named_port port = { .name = NULL };
    const char *protocol;
    int64_t number, host_port;
    bool given;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_int(node, at, "containerPort", 1, 65535, &given, &number, err)) != 0 ||
        (rc = tree_int(node, at, "hostPort", 0, 65535, &given, &host_port, err)) != 0 ||
        (rc = tree_text(node, at, "protocol", &protocol, err)) != 0) {
        return rc;
    }
    b->shape.has_host_port = b->shape.has_host_port || host_port > 0;
    if (!keep) {
        return 0;
    }
    rc = tree_str_nonempty(node, at, "name", &port.name, err);
    if (rc == 0) {
        port.port = (uint16_t)number;
        port.protocol = protocol_parse(protocol);
        vec_push(&b->ports, port);
    }
    return rc;
}

/* `init`: only restartable ones stay and listen; a hostPort counts in all. */
static int decode_containers(const cJSON *spec, const struct field *at, const char *key, bool init,
                             struct shape_build *b, struct error *err)
{
    const struct field *list_at = FIELD(at, key);
    const cJSON *list, *container, *ports, *port;
    uint32_t count, i = 0, j;
    const char *restart, *name;
    int rc = tree_array(spec, at, key, &list, &count, err);

    if (rc != 0) {
        return rc;
    }
    cJSON_ArrayForEach(container, list)
    {
        const struct field *c_at = ELEMENT(list_at, i++);

        if (!cJSON_IsObject(container)) {
            return field_error(c_at, err, "must be an object");
        }
        if ((rc = tree_text(container, c_at, "restartPolicy", &restart, err)) != 0 ||
            (rc = tree_text(container, c_at, "name", &name, err)) != 0 ||
            (rc = tree_array(container, c_at, "ports", &ports, &count, err)) != 0) {
            return rc;
        }
        b->shape.istio_proxy |= name != NULL && strcmp(name, "istio-proxy") == 0;
        b->shape.linkerd_proxy |= name != NULL && strcmp(name, "linkerd-proxy") == 0;
        j = 0;
        cJSON_ArrayForEach(port, ports)
        {
            bool keep = !init || (restart != NULL && strcmp(restart, "Always") == 0);

            rc = decode_port(port, ELEMENT(FIELD(c_at, "ports"), j++), keep, b, err);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return b->ports.len <= TREE_MAX_ITEMS ? 0 : field_error(list_at, err, "has too many ports");
}

int decode_pod_shape(const cJSON *spec, const struct field *at, struct pod_shape **out,
                     struct error *err)
{
    struct shape_build b = { .shape = { .refs = 0 } };
    int rc;

    if ((rc = decode_containers(spec, at, "containers", false, &b, err)) != 0 ||
        (rc = decode_containers(spec, at, "initContainers", true, &b, err)) != 0 ||
        (rc = tree_bool(spec, at, "hostNetwork", &b.shape.host_network, err)) != 0 ||
        (rc = tree_str_nonempty(spec, at, "serviceAccountName", &b.shape.service_account, err)) !=
            0 ||
        (rc = tree_str_nonempty(spec, at, "dnsPolicy", &b.shape.dns_policy, err)) != 0) {
        for (size_t i = 0; i < b.ports.len; i++) {
            str_unref(b.ports.items[i].name);
        }
        vec_free(&b.ports);
        str_unref(b.shape.service_account);
        return rc;
    }
    if (b.shape.service_account == NULL) {
        b.shape.service_account = str_intern("default");
    }
    if (b.shape.dns_policy == NULL) {
        b.shape.dns_policy = str_intern("ClusterFirst");
    }
    b.shape.has_host_port = b.shape.has_host_port && !b.shape.host_network;
    b.shape.ports = b.ports.items;
    b.shape.port_count = (uint32_t)b.ports.len;
    *out = pod_shape_intern(&b.shape);
    return 0;
}

static int decode_ips(const cJSON *status, const struct field *at, struct pod_object *pod,
                      struct error *err)
{
    const struct field *list_at = FIELD(at, "podIPs");
    const cJSON *list, *node;
    uint32_t count, i = 0;
    int rc = tree_array(status, at, "podIPs", &list, &count, err);

    if (rc != 0 || count == 0) {
        return rc;
    }
    pod->ips = xcalloc(MAX_POD_IPS, sizeof(struct str *));
    cJSON_ArrayForEach(node, list)
    {
        const char *text;

        rc = tree_text(node, ELEMENT(list_at, i++), "ip", &text, err);
        if (rc != 0) {
            return rc;
        }
        if (text != NULL && text[0] != '\0' && pod->ip_count < MAX_POD_IPS) {
            pod->ips[pod->ip_count++] = str_intern(text);
        }
    }
    return 0;
}

int decode_pod(const cJSON *tree, struct object *obj, struct error *err)
{
    struct pod_object *pod = (struct pod_object *)obj;
    const struct field *status_at = FIELD(NULL, "status");
    const cJSON *metadata, *spec, *status;
    const char *phase;
    int rc;

    if ((rc = tree_object(tree, NULL, "metadata", &metadata, err)) != 0 ||
        (rc = tree_object(tree, NULL, "spec", &spec, err)) != 0 ||
        (rc = tree_object(tree, NULL, "status", &status, err)) != 0 ||
        (rc = decode_owner(metadata, FIELD(NULL, "metadata"), &pod->owner, err)) != 0 ||
        (rc = decode_pod_shape(spec, FIELD(NULL, "spec"), &pod->shape, err)) != 0 ||
        (rc = tree_text(status, status_at, "phase", &phase, err)) != 0) {
        return rc;
    }
    pod->finished =
        phase != NULL && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
    pod->mirror = pod->owner.kind != NULL && strcmp(pod->owner.kind->text, "Node") == 0 &&
                  strcmp(str_text(pod->owner.api_version), "v1") == 0;
    return decode_ips(status, status_at, pod, err);
}

int decode_workload(const cJSON *tree, struct object *obj, struct error *err)
{
    struct workload_object *w = (struct workload_object *)obj;
    const struct field *at = FIELD(NULL, "spec"), *job_at = FIELD(at, "jobTemplate");
    const struct field *inner_at = FIELD(job_at, "spec");
    const struct field *template_at, *meta_at;
    const cJSON *metadata, *spec, *template, *meta;
    int rc;

    if ((rc = tree_object(tree, NULL, "metadata", &metadata, err)) != 0 ||
        (rc = decode_owner(metadata, FIELD(NULL, "metadata"), &w->owner, err)) != 0 ||
        (rc = tree_object(tree, NULL, "spec", &spec, err)) != 0) {
        return rc;
    }
    if (obj->kind == KIND_CRON_JOB) {
        if ((rc = tree_object(spec, at, "jobTemplate", &spec, err)) != 0 ||
            (rc = tree_object(spec, job_at, "spec", &spec, err)) != 0) {
            return rc;
        }
        at = inner_at;
    }
    template_at = FIELD(at, "template");
    meta_at = FIELD(template_at, "metadata");
    if ((rc = tree_object(spec, at, "template", &template, err)) != 0 || template == NULL) {
        return rc;
    }
    if ((rc = tree_object(template, template_at, "metadata", &meta, err)) != 0 ||
        (rc = tree_object(template, template_at, "spec", &spec, err)) != 0 ||
        (rc = tree_map(meta, meta_at, "labels", NULL, false, &w->template_labels, err)) != 0 ||
        (rc = tree_map(meta, meta_at, "annotations", pod_annotation_kept, true,
                       &w->template_annotations, err)) != 0) {
        return rc;
    }
    return decode_pod_shape(spec, FIELD(template_at, "spec"), &w->shape, err);
}
