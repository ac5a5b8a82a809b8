/* Pods and what carries a pod template. Of a pod only what the network sees is validated: labels,
 * ports, host network. Images, volumes and the like are the schema's business. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "cluster/decode.h"
#include "cluster/manifest_check.h"

static void check_container_port(struct manifest_check *c, const cJSON *ports, const cJSON *port,
                                 const struct field *at, bool host_network)
{
    const cJSON *number = tree_get(port, "containerPort"), *host = tree_get(port, "hostPort");
    const char *name = check_text(port, "name");
    int64_t value, host_value;

    if (number == NULL) {
        check_error(c, port, FIELD(at, "containerPort"), "is required");
    }
    check_port_number(c, number, FIELD(at, "containerPort"));
    check_protocol(c, port, at);
    if (name != NULL && name[0] != '\0') {
        check_port_name(c, tree_get(port, "name"), FIELD(at, "name"));
        for (const cJSON *o = ports->child; o != port; o = o->next) {
            const char *other = check_text(o, "name");

            if (other != NULL && strcmp(other, name) == 0) {
                check_error(c, tree_get(port, "name"), FIELD(at, "name"),
                            "'%.63s' is the name of another port of the container already", name);
            }
        }
    }
    if (!tree_is_int(host, &host_value) || host_value == 0) {
        return;
    }
    check_port_number(c, host, FIELD(at, "hostPort"));
    if (host_network && tree_is_int(number, &value) && value != host_value) {
        check_error(c, host, FIELD(at, "hostPort"), "must equal containerPort on the host network");
    }
}

static void check_containers(struct manifest_check *c, const cJSON *spec,
                             const struct field *spec_at, const char *key, bool host_network)
{
    const struct field *at = FIELD(spec_at, key);
    const cJSON *container, *port;
    uint32_t i = 0, k;

    cJSON_ArrayForEach(container, check_list(spec, key))
    {
        const struct field *container_at = ELEMENT(at, i++);
        const struct field *ports_at = FIELD(container_at, "ports");
        const cJSON *ports = check_list(container, "ports");

        k = 0;
        if (cJSON_GetArraySize(ports) > CHECK_PORTS_MAX) {
            check_error(c, ports, ports_at, "has more than %d entries", (int)CHECK_PORTS_MAX);
            continue;
        }
        cJSON_ArrayForEach(port, ports)
        {
            if (cJSON_IsObject(port)) {
                check_container_port(c, ports, port, ELEMENT(ports_at, k), host_network);
            }
            k++;
        }
    }
}

static void check_pod_spec(struct manifest_check *c, const cJSON *spec, const struct field *at)
{
    static const char *const dns[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None",
                                       NULL };
    static const char *const restart[] = { "Always", "OnFailure", "Never", NULL };
    bool host_network = cJSON_IsTrue(tree_get(spec, "hostNetwork"));

    check_containers(c, spec, at, "containers", host_network);
    check_containers(c, spec, at, "initContainers", host_network);
    check_word(c, spec, at, "dnsPolicy", dns);
    check_word(c, spec, at, "restartPolicy", restart);
}

void check_pod(struct manifest_check *c)
{
    const cJSON *spec = tree_get(c->tree, "spec");

    if (spec == NULL) {
        check_error(c, NULL, FIELD(NULL, "spec"), "is required");
        return;
    }
    check_pod_spec(c, spec, FIELD(NULL, "spec"));
}

/* The selector must select the pods that the template makes. */
static void check_selects_template(struct manifest_check *c, const cJSON *node,
                                   const struct field *at, const cJSON *template)
{
    const struct field *meta_at = FIELD(NULL, "metadata");
    struct selector *selector = NULL;
    struct label_set *labels = NULL;

    if (selector_from_tree(node, at, &selector, NULL) == 0 && selector != NULL &&
        selector->malformed == NULL &&
        tree_map(check_mapping(template, "metadata"), meta_at, "labels", NULL, false, &labels,
                 NULL) == 0 &&
        !selector_matches(selector, labels)) {
        check_error(c, node, at, "does not match the labels of the template");
    }
    label_set_unref(labels);
    selector_destroy(selector);
}

static bool is_empty_selector(const cJSON *node)
{
    const cJSON *labels = check_mapping(node, "matchLabels");
    const cJSON *list = check_list(node, "matchExpressions");

    return (labels == NULL || labels->child == NULL) && (list == NULL || list->child == NULL);
}

static bool needs_selector(enum kind kind)
{
    return kind != KIND_JOB && kind != KIND_CRON_JOB && kind != KIND_REPLICATION_CONTROLLER;
}

static void check_owner_selector(struct manifest_check *c, const cJSON *spec,
                                 const struct field *spec_at, const cJSON *template)
{
    const struct field *at = FIELD(spec_at, "selector");
    const cJSON *node = tree_get(spec, "selector");
    uint32_t before = c->errors;

    if (!needs_selector(c->row->kind)) {
        return;
    }
    if (node == NULL) {
        check_error(c, spec, at, "is required");
        return;
    }
    if (!cJSON_IsObject(node)) {
        return;
    }
    check_selector(c, node, at);
    if (c->errors > before) {
        return;
    }
    if (is_empty_selector(node)) {
        check_error(c, node, at, "must not be empty");
    } else {
        check_selects_template(c, node, at, template);
    }
}

static void check_template(struct manifest_check *c, const cJSON *spec, const struct field *spec_at)
{
    const struct field *at = FIELD(spec_at, "template");
    const cJSON *template = tree_get(spec, "template");

    if (template == NULL) {
        check_error(c, spec, at, "is required");
        return;
    }
    if (!cJSON_IsObject(template)) {
        return;
    }
    check_labels(c, check_mapping(template, "metadata"), FIELD(at, "metadata"), "labels");
    check_owner_selector(c, spec, spec_at, template);
    if (tree_get(template, "spec") == NULL) {
        check_error(c, template, FIELD(at, "spec"), "is required");
    }
    check_pod_spec(c, check_mapping(template, "spec"), FIELD(at, "spec"));
}

void check_workload(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "spec"), *job_at = FIELD(at, "jobTemplate");
    const struct field *job_spec_at = FIELD(job_at, "spec");
    const cJSON *spec = tree_get(c->tree, "spec");

    if (c->row->kind == KIND_CRON_JOB && cJSON_IsObject(spec)) {
        spec = tree_get(tree_get(spec, "jobTemplate"), "spec");
        at = job_spec_at;
    }
    if (spec == NULL) {
        check_error(c, NULL, at, "is required");
    } else if (cJSON_IsObject(spec)) {
        check_template(c, spec, at);
    }
}
