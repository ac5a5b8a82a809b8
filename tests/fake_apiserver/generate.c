#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"

#define PODS_PER_WORKLOAD 10

static struct workload **workloads; /* all ever made: objects borrow from them until the end */
static size_t workload_count;

void generate_deinit(void)
{
    for (size_t i = 0; i < workload_count; i++) {
        free(workloads[i]->labels);
        free(workloads[i]->fields);
        free(workloads[i]->labels_json);
        free(workloads[i]);
    }
    free(workloads);
    workloads = NULL;
    workload_count = 0;
    pod_templates_free();
}

static void ns_name(const struct seed *s, size_t i, char *out, size_t size)
{
    snprintf(out, size, "gen-ns-%zu", i % (s->namespaces > 0 ? s->namespaces : 1));
}

static void add_pair(struct buf *b, const char *k, const char *v)
{
    buf_add(b, k, strlen(k) + 1);
    buf_add(b, v, strlen(v) + 1);
}

static struct workload *make_workload(const struct seed *s, size_t i)
{
    struct workload *w = xcalloc(1, sizeof(*w));
    size_t tier = mix(s->seed ^ (i * 31 + 7)) % TIERS;
    struct buf b = { 0 };
    char version[8];

    w->tpl = pod_template(tier, s->pod_bytes, s->managed_fields);
    w->salt = mix(s->seed * 1000003 + i);
    ns_name(s, i, w->ns, sizeof(w->ns));
    snprintf(w->app, sizeof(w->app), "gen-%s-%zu", tier_names[tier], i);
    snprintf(w->hash, sizeof(w->hash), "%09llx", (unsigned long long)(w->salt & 0xfffffffff));
    snprintf(w->owner, sizeof(w->owner), "%s-%s", w->app, w->hash);
    snprintf(w->node, sizeof(w->node), "node-%llu", (unsigned long long)(w->salt % 100));
    snprintf(version, sizeof(version), "v%llu", (unsigned long long)(w->salt / 100 % 5));
    seeded_uuid(w->salt, 99, w->owner_uid);
    add_pair(&b, "app", w->app);
    add_pair(&b, "pod-template-hash", w->hash);
    add_pair(&b, "tier", tier_names[tier]);
    add_pair(&b, "version", version);
    buf_add(&b, "", 1);
    w->labels = b.data;
    b = (struct buf){ 0 };
    add_pair(&b, "spec.nodeName", w->node);
    add_pair(&b, "spec.restartPolicy", "Always");
    add_pair(&b, "spec.schedulerName", "default-scheduler");
    add_pair(&b, "spec.serviceAccountName", "default");
    add_pair(&b, "spec.hostNetwork", tier == TIERS - 1 ? "true" : "false");
    add_pair(&b, "status.phase", "Running");
    buf_add(&b, "", 1);
    w->fields = b.data;
    b = (struct buf){ 0 };
    buf_fmt(&b, "\"app\":\"%s\",\"pod-template-hash\":\"%s\",\"tier\":\"%s\",\"version\":\"%s\"",
            w->app, w->hash, tier_names[tier], version);
    w->labels_json = xstrdup(buf_cstr(&b));
    buf_free(&b);
    workloads = xrealloc(workloads, (workload_count + 1) * sizeof(*workloads));
    workloads[workload_count++] = w;
    return w;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(struct object *const *)a)->key, (*(struct object *const *)b)->key);
}

static size_t make_pods(struct fake *f, const struct seed *s)
{
    const struct kind *k = kind_by_path("", "v1", "pods");
    struct object **pods = xcalloc(s->pods, sizeof(*pods));
    struct workload *w = NULL;
    struct buf key = { 0 };
    size_t n = 0, put = 0;

    for (size_t i = 0; i < s->pods; i++) {
        char uid[37];

        if (i % PODS_PER_WORKLOAD == 0) {
            w = make_workload(s, i / PODS_PER_WORKLOAD);
        }
        key.len = 0;
        buf_fmt(&key, "%s/", w->ns);
        pod_name(w, (uint32_t)(i % PODS_PER_WORKLOAD), &key);
        seeded_uuid(w->salt, i, uid);
        if (store_find(&f->store, k, buf_cstr(&key)) == NULL) {
            pods[n++] = object_generated(k, buf_cstr(&key), uid, 0, w->labels, w->fields,
                                         pod_render, w, (uint32_t)(i % PODS_PER_WORKLOAD));
        }
    }
    qsort(pods, n, sizeof(*pods), by_key);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(pods[i]->key, pods[i - 1]->key) == 0) {
            object_unref(pods[i]);
            pods[i] = pods[i - 1];
            continue;
        }
        pods[i]->rv = f->store.rv + 1;
        store_put(&f->store, pods[i]);
        put++;
    }
    free(pods);
    buf_free(&key);
    return put;
}

/* One object from JSON text, with a seeded identity. */
static size_t put(struct fake *f, const struct seed *s, const char *resource, size_t i,
                  struct buf *json)
{
    const struct kind *k = kind_by_word(resource);
    cJSON *root = jparse(json->data, json->len);
    cJSON *meta = jobj(root, "metadata");
    struct writer w = { .manager = s->managed_fields ? "kubectl-client-side-apply" : NULL,
                        .operation = "Update",
                        .defaults = true };
    struct buf key = { 0 };
    char uid[37];
    size_t made = 0;

    seeded_uuid(s->seed * 7919 + k->index, i, uid);
    jset_str(meta, "uid", uid);
    jset_str(meta, "creationTimestamp", "2026-11-20T08:00:00Z");
    key_of(k, root, &key);
    if (store_find(&f->store, k, buf_cstr(&key)) == NULL) {
        commit_create(f, k, root, &w);
        made = 1;
    }
    buf_free(&key);
    cJSON_Delete(root);
    json->len = 0;
    return made;
}

/* Name of the app that workload i has, whether it was made or not. */
static void app_name(const struct seed *s, size_t i, char *out, size_t size, size_t *tier)
{
    *tier = mix(s->seed ^ (i * 31 + 7)) % TIERS;
    snprintf(out, size, "gen-%s-%zu", tier_names[*tier], i);
}

static size_t make_namespaces(struct fake *f, const struct seed *s, size_t n)
{
    static const char *const envs[] = { "production", "staging", "development" };
    struct buf b = { 0 };
    size_t made = 0;

    for (size_t i = 0; i < n; i++) {
        buf_fmt(&b,
                "{\"metadata\":{\"name\":\"gen-ns-%zu\",\"labels\":{\"environment\":\"%s\","
                "\"team\":\"team-%zu\"}}}",
                i, envs[mix(s->seed + i) % 3], i % 17);
        made += put(f, s, "namespaces", i, &b);
    }
    buf_free(&b);
    return made;
}

static size_t make_services(struct fake *f, const struct seed *s)
{
    struct buf b = { 0 };
    size_t made = 0;

    for (size_t i = 0; i < s->services; i++) {
        uint64_t r = mix(s->seed * 3 + i) % 20;
        char ns[64], app[64];
        size_t tier;

        ns_name(s, i, ns, sizeof(ns));
        app_name(s, i, app, sizeof(app), &tier);
        buf_fmt(&b,
                "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"labels\":{\"app\":\"%s\"}},"
                "\"spec\":{"
                "\"type\":\"%s\",\"selector\":{\"app\":\"%s\"},\"ports\":[{\"name\":\"http\","
                "\"port\":80,"
                "\"targetPort\":8080}]}}",
                app, ns, app,
                r == 0  ? "LoadBalancer"
                : r < 3 ? "NodePort"
                        : "ClusterIP",
                app);
        made += put(f, s, "services", i, &b);
    }
    buf_free(&b);
    return made;
}

static size_t make_policies(struct fake *f, const struct seed *s)
{
    struct buf b = { 0 };
    size_t made = 0;

    for (size_t i = 0; i < s->networkpolicies; i++) {
        char ns[64], app[64];
        size_t tier;

        ns_name(s, i, ns, sizeof(ns));
        app_name(s, i, app, sizeof(app), &tier);
        if (i < s->namespaces) {
            buf_fmt(&b,
                    "{\"metadata\":{\"name\":\"gen-default-deny\",\"namespace\":\"%s\"},\"spec\":{"
                    "\"podSelector\":{},\"policyTypes\":[\"Ingress\"%s]}}",
                    ns, i % 2 == 0 ? ",\"Egress\"" : "");
        } else {
            buf_fmt(&b,
                    "{\"metadata\":{\"name\":\"gen-allow-%zu\",\"namespace\":\"%s\"},\"spec\":{"
                    "\"podSelector\":{"
                    "\"matchLabels\":{\"app\":\"%s\"}},\"ingress\":[{\"from\":[{\"podSelector\":{"
                    "\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\",\"values\":["
                    "\"web\",\"api\"]}]}}],"
                    "\"ports\":[{\"port\":8080}]}],\"egress\":[{\"to\":[{\"namespaceSelector\":{"
                    "\"matchLabels\":{"
                    "\"kubernetes.io/"
                    "metadata.name\":\"kube-system\"}}}],\"ports\":[{\"protocol\":\"UDP\","
                    "\"port\":53}]}],\"policyTypes\":[\"Ingress\",\"Egress\"]}}",
                    i, ns, app);
        }
        made += put(f, s, "networkpolicies", i, &b);
    }
    buf_free(&b);
    return made;
}

static size_t make_ingresses(struct fake *f, const struct seed *s)
{
    struct buf b = { 0 };
    size_t made = 0;

    if (s->ingresses > 0) {
        buf_str(&b, "{\"metadata\":{\"name\":\"gen-nginx\"},\"spec\":{\"controller\":\"k8s.io/"
                    "ingress-nginx\"}}");
        made += put(f, s, "ingressclasses", 0, &b);
    }
    for (size_t i = 0; i < s->ingresses; i++) {
        uint64_t r = mix(s->seed * 5 + i);
        char ns[64], app[64];
        size_t tier;

        ns_name(s, i, ns, sizeof(ns));
        app_name(s, i, app, sizeof(app), &tier);
        buf_fmt(&b, "{\"metadata\":{\"name\":\"gen-ing-%zu\",\"namespace\":\"%s\"},\"spec\":{%s", i,
                ns, r % 5 != 0 ? "\"ingressClassName\":\"gen-nginx\"," : "");
        if (r % 3 != 0) {
            buf_fmt(
                &b,
                "\"tls\":[{\"hosts\":[\"app-%zu.example.com\"],\"secretName\":\"gen-tls-%zu\"}],",
                i, i);
        }
        buf_fmt(&b,
                "\"rules\":[{\"host\":\"app-%zu.example.com\",\"http\":{\"paths\":[{\"path\":\"/"
                "\",\"pathType\":"
                "\"Prefix\",\"backend\":{\"service\":{\"name\":\"%s\",\"port\":{\"number\":80}}}}]}"
                "}]}}",
                i, app);
        made += put(f, s, "ingresses", i, &b);
    }
    buf_free(&b);
    return made;
}

static size_t make_rest(struct fake *f, const struct seed *s)
{
    struct buf b = { 0 };
    size_t made = 0;

    for (size_t i = 0; i < s->deployments; i++) {
        char ns[64], app[64];
        size_t tier;

        ns_name(s, i, ns, sizeof(ns));
        app_name(s, i, app, sizeof(app), &tier);
        buf_fmt(&b,
                "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},\"spec\":{\"replicas\":10,"
                "\"selector\":{"
                "\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":"
                "\"%s\",\"tier\":"
                "\"%s\"}},\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"registry."
                "example.com/%s:v3\","
                "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]}}}}",
                app, ns, app, app, tier_names[tier], app);
        made += put(f, s, "deployments", i, &b);
    }
    for (size_t i = 0; i < s->secrets; i++) {
        char ns[64];

        ns_name(s, i, ns, sizeof(ns));
        buf_fmt(&b,
                "{\"metadata\":{\"name\":\"gen-%s-%zu\",\"namespace\":\"%s\",\"annotations\":{"
                "\"kubectl.kubernetes.io/"
                "last-applied-configuration\":\"{\\\"data\\\":{\\\"password\\\":"
                "\\\"canary-%zu\\\"}}\"}},\"type\":\"%s\",\"data\":{\"tls.crt\":\"Y2FuYXJ5\",\"tls."
                "key\":\"Y2FuYXJ5\"}}",
                i % 2 == 0 ? "tls" : "opaque", i, ns, i,
                i % 2 == 0 ? "kubernetes.io/tls" : "Opaque");
        made += put(f, s, "secrets", i, &b);
    }
    buf_free(&b);
    return made;
}

size_t generate(struct fake *f, const struct seed *asked)
{
    struct seed s = *asked;
    size_t made;

    if (s.namespaces == 0 &&
        s.pods + s.services + s.networkpolicies + s.ingresses + s.deployments + s.secrets > 0) {
        s.namespaces = 1;
    }
    made = make_namespaces(f, &s, s.namespaces);
    if (s.pods > 0) {
        made += make_pods(f, &s);
    }
    return made + make_services(f, &s) + make_policies(f, &s) + make_ingresses(f, &s) +
           make_rest(f, &s);
}
