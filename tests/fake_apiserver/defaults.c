#include "defaults.h"

#include <stdlib.h>
#include <string.h>

static void default_json(cJSON *o, const char *key, const char *json)
{
    if (jabsent(o, key)) {
        jset(o, key, cJSON_Parse(json));
    }
}

static void namespace_defaults(cJSON *root)
{
    cJSON *meta = jobj(root, "metadata");

    jset_str(jobj(meta, "labels"), "kubernetes.io/metadata.name", jstr(meta, "name", ""));
    default_json(jobj(root, "spec"), "finalizers", "[\"kubernetes\"]");
    jdefault_str(jobj(root, "status"), "phase", "Active");
}

static void container_defaults(cJSON *c, bool host_network)
{
    const char *image = jstr(c, "image", "");
    const char *slash = strrchr(image, '/');
    const char *tag = strchr(slash != NULL ? slash : image, ':');
    bool latest = strchr(image, '@') == NULL && (tag == NULL || strcmp(tag, ":latest") == 0);
    cJSON *port;

    cJSON_ArrayForEach(port, jget(c, "ports"))
    {
        jdefault_str(port, "protocol", "TCP");
        if (host_network && jabsent(port, "hostPort") && !jabsent(port, "containerPort")) {
            jset(port, "hostPort", cJSON_Duplicate(jget(port, "containerPort"), 1));
        }
    }
    default_json(c, "resources", "{}");
    jdefault_str(c, "terminationMessagePath", "/dev/termination-log");
    jdefault_str(c, "terminationMessagePolicy", "File");
    jdefault_str(c, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
}

static void pod_spec_defaults(cJSON *spec, bool host_ports)
{
    bool host_network = host_ports && jbool(spec, "hostNetwork", false);
    cJSON *c;

    cJSON_ArrayForEach(c, jget(spec, "containers"))
    {
        container_defaults(c, host_network);
    }
    cJSON_ArrayForEach(c, jget(spec, "initContainers"))
    {
        container_defaults(c, host_network);
    }
    jdefault_str(spec, "restartPolicy", "Always");
    default_json(spec, "terminationGracePeriodSeconds", "30");
    jdefault_str(spec, "dnsPolicy", "ClusterFirst");
    default_json(spec, "securityContext", "{}");
    jdefault_str(spec, "schedulerName", "default-scheduler");
}

static void pod_defaults(cJSON *root)
{
    cJSON *spec = jobj(root, "spec");

    pod_spec_defaults(spec, true);
    jdefault_str(spec, "serviceAccountName", "default");
    jdefault_str(spec, "serviceAccount", jstr(spec, "serviceAccountName", "default"));
    default_json(spec, "enableServiceLinks", "true");
    default_json(spec, "priority", "0");
    jdefault_str(spec, "preemptionPolicy", "PreemptLowerPriority");
    jdefault_str(jobj(root, "status"), "phase", "Pending");
    jdefault_str(jobj(root, "status"), "qosClass", "BestEffort");
}

static void template_defaults(cJSON *template)
{
    pod_spec_defaults(jobj(template, "spec"), false);
}

static void allocate_ports(struct fake *f, cJSON *spec, bool node_ports)
{
    cJSON *port;

    cJSON_ArrayForEach(port, jget(spec, "ports"))
    {
        jdefault_str(port, "protocol", "TCP");
        if (jempty(jget(port, "targetPort")) && !jabsent(port, "port")) {
            jset(port, "targetPort", cJSON_Duplicate(jget(port, "port"), 1));
        }
        if (!node_ports) {
            cJSON_DeleteItemFromObjectCaseSensitive(port, "nodePort");
        } else if (jnum(port, "nodePort", 0) < 1) {
            jset(port, "nodePort", cJSON_CreateNumber((double)(30000 + f->node_port++ % 2768)));
        }
    }
}

static void cluster_ip(struct fake *f, cJSON *spec, const struct object *old)
{
    cJSON *ips;

    if (jempty(jget(spec, "clusterIP"))) {
        const char *before = old != NULL ? block_get(old->fields, "spec.clusterIP") : NULL;
        struct buf ip = { 0 };

        if (before != NULL && before[0] != '\0') {
            buf_str(&ip, before);
        } else {
            uint64_t n = ++f->cluster_ip;

            buf_fmt(&ip, "10.%u.%u.%u", (unsigned)(96 + n / 64516 % 16), (unsigned)(n / 254 % 254),
                    (unsigned)(n % 254 + 1));
        }
        jset_str(spec, "clusterIP", buf_cstr(&ip));
        buf_free(&ip);
    }
    if (jabsent(spec, "clusterIPs")) {
        ips = cJSON_CreateArray();
        cJSON_AddItemToArray(ips, cJSON_CreateString(jstr(spec, "clusterIP", "")));
        jset(spec, "clusterIPs", ips);
    }
    default_json(spec, "ipFamilies", "[\"IPv4\"]");
    jdefault_str(spec, "ipFamilyPolicy", "SingleStack");
}

static void service_defaults(struct fake *f, cJSON *root, const struct object *old)
{
    cJSON *spec = jobj(root, "spec");
    const char *type;
    bool external, balancer;

    jdefault_str(spec, "type", "ClusterIP");
    jdefault_str(spec, "sessionAffinity", "None");
    type = jstr(spec, "type", "");
    balancer = strcmp(type, "LoadBalancer") == 0;
    external = balancer || strcmp(type, "NodePort") == 0;
    allocate_ports(f, spec,
                   external && (!balancer || jbool(spec, "allocateLoadBalancerNodePorts", true)));
    if (strcmp(type, "ExternalName") == 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "clusterIP");
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "clusterIPs");
    } else {
        cluster_ip(f, spec, old);
        jdefault_str(spec, "internalTrafficPolicy", "Cluster");
    }
    if (external) {
        jdefault_str(spec, "externalTrafficPolicy", "Cluster");
    } else if (jempty(jget(spec, "externalIPs"))) {
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "externalTrafficPolicy");
    }
    if (balancer) {
        default_json(spec, "allocateLoadBalancerNodePorts", "true");
    } else {
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "allocateLoadBalancerNodePorts");
    }
    jobj(jobj(root, "status"), "loadBalancer");
}

/* The newest class marked as default; ties go to the lower name, as the admission plugin sorts. */
static char *default_class(struct fake *f)
{
    struct kind *k = kind_by_path("networking.k8s.io", "v1", "ingressclasses");
    struct kind_log *log = store_log(&f->store, k);
    char *best = NULL;
    char *best_at = NULL;

    for (size_t i = 0; i < log->count; i++) {
        cJSON *tree = object_tree(log->items[i]);
        const cJSON *meta = jget(tree, "metadata");
        const char *mark =
            jstr(jget(meta, "annotations"), "ingressclass.kubernetes.io/is-default-class", "");
        const char *at = jstr(meta, "creationTimestamp", "");

        if (strcmp(mark, "true") == 0 && (best == NULL || strcmp(at, best_at) > 0)) {
            free(best);
            free(best_at);
            best = xstrdup(jstr(meta, "name", ""));
            best_at = xstrdup(at);
        }
        cJSON_Delete(tree);
    }
    free(best_at);
    return best;
}

static void ingress_defaults(struct fake *f, cJSON *root, const struct object *old)
{
    cJSON *spec = jobj(root, "spec");
    const cJSON *annotations = jget(jget(root, "metadata"), "annotations");

    jobj(jobj(root, "status"), "loadBalancer");
    if (old == NULL && jabsent(spec, "ingressClassName") &&
        jget(annotations, "kubernetes.io/ingress.class") == NULL) {
        char *name = default_class(f);

        if (name != NULL) {
            jset_str(spec, "ingressClassName", name);
        }
        free(name);
    }
}

static void policy_ports(const cJSON *rules)
{
    const cJSON *rule;
    cJSON *port;

    cJSON_ArrayForEach(rule, rules)
    {
        cJSON_ArrayForEach(port, jget(rule, "ports"))
        {
            jdefault_str(port, "protocol", "TCP");
        }
    }
}

static void policy_defaults(cJSON *root)
{
    cJSON *spec = jobj(root, "spec");

    default_json(spec, "podSelector", "{}");
    policy_ports(jget(spec, "ingress"));
    policy_ports(jget(spec, "egress"));
    if (jempty(jget(spec, "policyTypes"))) {
        jset(spec, "policyTypes",
             cJSON_Parse(jempty(jget(spec, "egress")) ? "[\"Ingress\"]"
                                                      : "[\"Ingress\",\"Egress\"]"));
    }
}

static void workload_defaults(const struct kind *k, cJSON *root)
{
    cJSON *spec = jobj(root, "spec");

    if (strcmp(k->resource, "cronjobs") == 0) {
        jdefault_str(spec, "concurrencyPolicy", "Allow");
        default_json(spec, "suspend", "false");
        default_json(spec, "successfulJobsHistoryLimit", "3");
        default_json(spec, "failedJobsHistoryLimit", "1");
        template_defaults(jobj(jobj(jobj(spec, "jobTemplate"), "spec"), "template"));
    } else {
        template_defaults(jobj(spec, "template"));
        default_json(spec, "revisionHistoryLimit", "10");
    }
    if (strcmp(k->resource, "deployments") == 0) {
        default_json(spec, "replicas", "1");
        default_json(spec, "progressDeadlineSeconds", "600");
        default_json(spec, "strategy",
                     "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\","
                     "\"maxSurge\":\"25%\"}}");
    } else if (strcmp(k->resource, "statefulsets") == 0) {
        default_json(spec, "replicas", "1");
        jdefault_str(spec, "podManagementPolicy", "OrderedReady");
        default_json(spec, "updateStrategy",
                     "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}}");
    } else if (strcmp(k->resource, "daemonsets") == 0) {
        default_json(spec, "updateStrategy",
                     "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":1,"
                     "\"maxSurge\":0}}");
    }
    jobj(root, "status");
}

static void secret_defaults(cJSON *root)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const cJSON *s;

    jdefault_str(root, "type", "Opaque");
    cJSON_ArrayForEach(s, jget(root, "stringData"))
    {
        const char *text = cJSON_IsString(s) ? s->valuestring : "";
        size_t n = strlen(text);
        struct buf b = { 0 };

        for (size_t i = 0; i < n; i += 3) {
            uint32_t v = (uint32_t)(unsigned char)text[i] << 16;

            v |= i + 1 < n ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
            v |= i + 2 < n ? (uint32_t)(unsigned char)text[i + 2] : 0;
            buf_add(&b, &alphabet[v >> 18], 1);
            buf_add(&b, &alphabet[(v >> 12) & 63], 1);
            buf_add(&b, i + 1 < n ? &alphabet[(v >> 6) & 63] : "=", 1);
            buf_add(&b, i + 2 < n ? &alphabet[v & 63] : "=", 1);
        }
        jset_str(jobj(root, "data"), s->string, buf_cstr(&b));
        buf_free(&b);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(root, "stringData");
}

void defaults_apply(struct fake *f, const struct kind *k, cJSON *root, const struct object *old)
{
    const char *r = k->resource;

    if (k->crd) {
        return;
    }
    if (strcmp(r, "namespaces") == 0) {
        namespace_defaults(root);
    } else if (strcmp(r, "pods") == 0) {
        pod_defaults(root);
    } else if (strcmp(r, "services") == 0) {
        service_defaults(f, root, old);
    } else if (strcmp(r, "secrets") == 0) {
        secret_defaults(root);
    } else if (strcmp(r, "ingresses") == 0) {
        ingress_defaults(f, root, old);
    } else if (strcmp(r, "networkpolicies") == 0) {
        policy_defaults(root);
    } else if (strcmp(k->group, "apps") == 0 || strcmp(k->group, "batch") == 0) {
        workload_defaults(k, root);
    }
}
