/* What a matrix costs: 10,000 pods of 2,000 workloads in 500 namespaces under 1,000 policies,
 * line-ups included, every pair looked up once. One JSON line per measure, RUNS (5) runs each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vec.h"
#include "cluster/cluster.h"
#include "rules/reach_matrix.h"

enum {
    RUNS_MAX = 101,
    NAMESPACES = 500,
    WORKLOADS = 2000,
    PODS_EACH = 5,
    POLICIES = 1000,
    GOAL_MS = 100
};

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void put(struct cluster *c, enum kind kind, const char *json)
{
    struct object *obj = NULL;
    struct error err = { 0 };

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "matrix_bench: %s: %s\n", err.text, json);
        exit(1);
    }
    cluster_apply(c, obj, 1);
}

#define PUT(c, kind, ...)                                                                          \
    do {                                                                                           \
        char json_[2048];                                                                          \
        snprintf(json_, sizeof(json_), __VA_ARGS__);                                               \
        put((c), (kind), json_);                                                                   \
    } while (0)

/* Every other policy is a default-deny of both directions; the others let namespaces of a team and
 * a block in, and let one application out to a block with an exception: each namespace its own. */
static void put_policy(struct cluster *c, unsigned i)
{
    unsigned ns = i / 2 % NAMESPACES;

    if (i % 2 == 0) {
        PUT(c, KIND_NETWORK_POLICY,
            "{\"metadata\":{\"name\":\"deny\",\"namespace\":\"ns-%u\"},\"spec\":{\"podSelector\":{}"
            ","
            "\"policyTypes\":[\"Ingress\"%s]}}",
            ns, i % 4 == 0 ? ",\"Egress\"" : "");
        return;
    }
    PUT(c, KIND_NETWORK_POLICY,
        "{\"metadata\":{\"name\":\"allow\",\"namespace\":\"ns-%u\"},\"spec\":{\"podSelector\":{"
        "\"matchLabels\":{\"app\":\"app-%u\"}},\"policyTypes\":[\"Ingress\",\"Egress\"],"
        "\"ingress\":["
        "{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"team-%u\"}}},{"
        "\"podSelector\":"
        "{}}],\"ports\":[{\"port\":%u},{\"port\":\"http\"}]}],\"egress\":[{\"to\":[{\"ipBlock\":{"
        "\"cidr\":\"172.16.0.0/12\",\"except\":[\"172.16.%u.0/"
        "24\"]}},{\"namespaceSelector\":{}}]}]}}",
        ns, ns % 4, ns % 20, 8000 + ns % 10, ns % 50);
}

static void put_pods(struct cluster *c, unsigned w)
{
    for (unsigned p = 0; p < PODS_EACH; p++) {
        PUT(c, KIND_POD,
            "{\"metadata\":{\"name\":\"app-%u-7d9f8c6b5-%05u\",\"namespace\":\"ns-%u\",\"labels\":{"
            "\"app\":\"app-%u\",\"pod-template-hash\":\"7d9f8c6b5\"},\"ownerReferences\":[{"
            "\"apiVersion\":\"apps/"
            "v1\",\"kind\":\"ReplicaSet\",\"name\":\"app-%u-7d9f8c6b5\",\"uid\":"
            "\"rs-%u\",\"controller\":true}]},\"spec\":{\"containers\":[{\"ports\":[{\"name\":"
            "\"http\",\"containerPort\":8080}]}]},\"status\":{\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}]"
            "}}",
            w, p, w % NAMESPACES, w / NAMESPACES, w, w, w >> 13 & 255, w >> 5 & 255,
            (w & 31) * 8 + p);
    }
}

static struct cluster *build(void)
{
    struct cluster *c = cluster_create();

    for (unsigned i = 0; i < NAMESPACES; i++) {
        PUT(c, KIND_NAMESPACE,
            "{\"metadata\":{\"name\":\"ns-%u\",\"labels\":{\"kubernetes.io/"
            "metadata.name\":\"ns-%u\","
            "\"team\":\"team-%u\"}}}",
            i, i, i % 20);
    }
    for (unsigned i = 0; i < POLICIES; i++) {
        put_policy(c, i);
    }
    for (unsigned w = 0; w < WORKLOADS; w++) {
        put_pods(c, w);
    }
    return c;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

static void report(const char *name, double *values, unsigned n)
{
    qsort(values, n, sizeof(values[0]), by_value);
    printf("{\"bench\": \"%s\", \"median\": %.1f, \"min\": %.1f, \"max\": %.1f, \"unit\": \"ms\", "
           "\"runs\": %u, \"goal\": %d, \"met\": %s}\n",
           name, values[n / 2], values[0], values[n - 1], n, GOAL_MS,
           values[n / 2] <= GOAL_MS ? "true" : "false");
    fflush(stdout);
}

int main(void)
{
    const char *text = getenv("RUNS");
    unsigned runs = text != NULL ? (unsigned)atoi(text) : 5;
    double built[RUNS_MAX], whole[RUNS_MAX];
    unsigned long connections = 0, peers = 0;
    struct cluster *c = build();

    runs = runs < 1 ? 1 : runs > RUNS_MAX ? RUNS_MAX : runs;
    for (unsigned r = 0; r < runs; r++) {
        double start = now_ms();
        struct reach_memo *memo = reach_memo_create(c, NULL);
        struct reach_matrix *x = reach_matrix_create(c, memo, NULL);
        built[r] = now_ms() - start;
        connections = 0;
        peers = reach_matrix_count(x);
        for (size_t i = 0; i < peers; i++) {
            for (size_t k = 0; k < peers; k++) {
                struct matrix_answer a = reach_matrix_at(x, i, k);
                connections += a.allowed != PORTS_NONE || a.unknown != PORTS_NONE ? 1 : 0;
            }
        }
        whole[r] = now_ms() - start;
        reach_matrix_destroy(x);
        reach_memo_destroy(memo);
    }
    report("matrix-10k-rows", built, runs);
    report("matrix-10k-every-pair", whole, runs);
    fprintf(stderr, "%lu peers, %lu connections\n", peers, connections);
    cluster_destroy(c);
    return 0;
}
