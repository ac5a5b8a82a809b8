/* What a pod costs. 30,000 pods in the proportions of a large cluster (five to a workload, three
 * workloads to a namespace, a fifth of them in StatefulSets) beside their workload objects: the
 * heap they add, per pod. */
#include "tests/check.h"

#include <malloc.h>

#include "cluster/cluster.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { PODS = 30000, PER_WORKLOAD = 5, PER_NAMESPACE = 3, BYTES_PER_POD = 256 };

static struct cluster *c;
static char text[4096];

static struct object *decode(enum kind kind)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;

    if (object_decode(kind, text, strlen(text), &obj, &err) != 0) {
        fprintf(stderr, "%s\n%s\n", text, err.text);
        abort();
    }
    return obj;
}

static bool in_stateful_set(int w)
{
    return w % 5 == 0;
}

static struct object *workload(int w)
{
    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"app-%d\",\"namespace\":\"team-%d\",\"uid\":\"%08x-0000-"
             "4000-8000-"
             "000000000000\",\"resourceVersion\":\"%d\"},\"spec\":{\"template\":{\"metadata\":{"
             "\"labels\":{\"app\":"
             "\"app-%d\",\"team\":\"team-%d\"}},\"spec\":{\"serviceAccountName\":\"app-%d\","
             "\"containers\":[{"
             "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]}}}}",
             w, w / PER_NAMESPACE, w, 1000 + w, w, w / PER_NAMESPACE, w);
    return decode(in_stateful_set(w) ? KIND_STATEFUL_SET : KIND_DEPLOYMENT);
}

static struct object *pod(int i, unsigned version)
{
    int w = i / PER_WORKLOAD;
    unsigned hash = (unsigned)w * 2654435761U;
    char name[64], owner[64], labels[160];

    if (in_stateful_set(w)) {
        snprintf(owner, sizeof(owner), "app-%d", w);
        snprintf(name, sizeof(name), "app-%d-%d", w, i % PER_WORKLOAD);
        snprintf(
            labels, sizeof(labels),
            "\"statefulset.kubernetes.io/pod-name\":\"%s\",\"apps.kubernetes.io/pod-index\":\"%d\","
            "\"controller-revision-hash\":\"app-%d-%x\"",
            name, i % PER_WORKLOAD, w, hash);
    } else {
        snprintf(owner, sizeof(owner), "app-%d-%08x", w, hash);
        snprintf(name, sizeof(name), "%.40s-%05x", owner, i);
        snprintf(labels, sizeof(labels), "\"pod-template-hash\":\"%08x\"", hash);
    }
    snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"team-%d\",\"uid\":\"%08x-0000-4000-8000-"
        "0123456789ab\","
        "\"resourceVersion\":\"%u\",\"labels\":{\"app\":\"app-%d\",%s,\"team\":\"team-%d\"},"
        "\"ownerReferences\":["
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"%s\",\"name\":\"%s\",\"uid\":\"%08x-0000-4000-8000-"
        "000000000000\",\"controller\":true}]},\"spec\":{\"serviceAccountName\":\"app-%d\","
        "\"containers\":[{"
        "\"ports\":[{\"name\":\"http\",\"containerPort\":8080,\"protocol\":\"TCP\"}]}]},\"status\":"
        "{\"phase\":"
        "\"Running\",\"podIPs\":[{\"ip\":\"10.%d.%d.1\"}]}}",
        name, w / PER_NAMESPACE, (unsigned)i, version, w, labels, w / PER_NAMESPACE,
        in_stateful_set(w) ? "StatefulSet" : "ReplicaSet", owner,
        in_stateful_set(w) ? (unsigned)w : hash, w, i >> 8 & 255, i & 255);
    return decode(KIND_POD);
}

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void list_pods(unsigned version)
{
    struct cluster_generation *g = cluster_replace_begin(c, KIND_POD, NULL);

    for (int i = 0; i < PODS; i++) {
        cluster_replace_add(g, pod(i, version + (unsigned)i));
    }
    cluster_replace_commit(g, 0, 1);
}

TEST(a_pod_costs_at_most_256_bytes)
{
    size_t before, one, again;

    c = cluster_create();
    for (int w = 0; w < PODS / PER_WORKLOAD; w++) {
        cluster_apply(c, workload(w), 1);
    }
    before = heap();
    list_pods(100000);
    one = heap();
    CHECK_INT("all are there", cluster_pod_count(c), PODS);
    printf("# %zu bytes a pod\n", (one - before) / PODS);
    CHECK("within the bound", (one - before) / PODS <= BYTES_PER_POD);

    list_pods(200000);
    again = heap();
    printf("# %zd bytes a pod more after a relist\n", ((ssize_t)again - (ssize_t)one) / PODS);
    CHECK("a relist leaves nothing behind", again <= one + PODS);
    cluster_destroy(c);
}

int main(void)
{
    if (SANITIZED) {
        puts(
            "1..1\nok 1 - a_pod_costs_at_most_256_bytes # SKIP the heap of a sanitizer is another");
        return 0;
    }
    RUN_TESTS(cmocka_unit_test(a_pod_costs_at_most_256_bytes));
}
