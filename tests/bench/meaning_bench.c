/* What the meaning of policies costs: 150,000 pods of 30,000 workloads in 10,000 namespaces under
 * 20,000 policies. One JSON line per measure, RUNS (5) runs each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/buf.h"
#include "base/vec.h"
#include "cluster/cluster.h"
#include "rules/engine.h"
#include "rules/reach.h"

enum { RUNS_MAX = 101 };

static struct {
    unsigned namespaces, workloads, pods_each, policies;
} size = { 10000, 30000, 5, 20000 };

static unsigned runs = 5;
static unsigned long version = 1000;

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
        fprintf(stderr, "meaning_bench: %s: %s\n", err.text, json);
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

static void put_namespace(struct cluster *c, unsigned n, const char *team)
{
    PUT(c, KIND_NAMESPACE,
        "{\"metadata\":{\"name\":\"ns-%u\",\"uid\":\"ns-%u\",\"resourceVersion\":\"%lu\","
        "\"labels\":{"
        "\"kubernetes.io/metadata.name\":\"ns-%u\",\"team\":\"%s\"}}}",
        n, n, ++version, n, team);
}

/* Every other policy is a default-deny, the others let one application in. */
static void put_policy(struct cluster *c, unsigned i, unsigned port)
{
    unsigned ns = i / 2 % size.namespaces;

    if (i % 2 == 0) {
        PUT(c, KIND_NETWORK_POLICY,
            "{\"metadata\":{\"name\":\"deny\",\"namespace\":\"ns-%u\",\"uid\":\"p-%u\","
            "\"resourceVersion\":\"%lu\"},\"spec\":{\"podSelector\":{},\"policyTypes\":["
            "\"Ingress\","
            "\"Egress\"]}}",
            ns, i, ++version);
        return;
    }
    PUT(c, KIND_NETWORK_POLICY,
        "{\"metadata\":{\"name\":\"allow\",\"namespace\":\"ns-%u\",\"uid\":\"p-%u\","
        "\"resourceVersion\":\"%lu\"},\"spec\":{\"podSelector\":{\"matchLabels\":{\"app\":\"app-"
        "0\"}},"
        "\"ingress\":[{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"team-%u\"}}}],"
        "\"ports\":[{\"port\":%u}]}]}}",
        ns, i, ++version, ns % 20, port);
}

static void put_pods(struct cluster *c, unsigned w, unsigned ns, unsigned count, const char *app)
{
    for (unsigned p = 0; p < count; p++) {
        PUT(c, KIND_POD,
            "{\"metadata\":{\"name\":\"app-%u-7d9f8c6b5-%05u\",\"namespace\":\"ns-%u\",\"uid\":"
            "\"pod-%u-%u\","
            "\"resourceVersion\":\"%lu\",\"labels\":{\"app\":\"%s\",\"pod-template-hash\":"
            "\"7d9f8c6b5\"},"
            "\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":"
            "\"app-%u-7d9f8c6b5\",\"uid\":\"rs-%u\",\"controller\":true}]},\"spec\":{"
            "\"containers\":[{"
            "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]},\"status\":{\"podIPs\":[{"
            "\"ip\":"
            "\"10.%u.%u.%u\"}]}}",
            w, p, ns, w, p, ++version, app, w, w, w >> 13 & 255, w >> 5 & 255,
            (w & 31) * 8 + p % 8);
    }
}

static struct cluster *build(void)
{
    struct cluster *c = cluster_create();

    for (unsigned i = 0; i < size.namespaces; i++) {
        char team[32];
        snprintf(team, sizeof(team), "team-%u", i % 20);
        put_namespace(c, i, team);
    }
    for (unsigned i = 0; i < size.policies; i++) {
        put_policy(c, i, 8080);
    }
    for (unsigned w = 0; w < size.workloads; w++) {
        char app[32];
        snprintf(app, sizeof(app), "app-%u", w / size.namespaces);
        put_pods(c, w, w % size.namespaces, size.pods_each, app);
    }
    for (unsigned w = 0; w < 600; w++) { /* 3,000 pods in the first namespace */
        char app[32];
        snprintf(app, sizeof(app), "app-%u", w);
        put_pods(c, size.workloads + w, 0, 5, app);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (kind_table[k].watch != KIND_WATCH_NEVER &&
            kind_table[k].watch != KIND_WATCH_CONFIGURED) {
            cluster_set_kind_state(c, (enum kind)k,
                                   kind_table[k].watch == KIND_WATCH_SERVED ? KIND_STATE_ABSENT
                                                                            : KIND_STATE_SYNCED,
                                   "", 1);
        }
    }
    return c;
}

/* ---- reporting ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

static void report(const char *name, double *values, unsigned n, double goal)
{
    qsort(values, n, sizeof(values[0]), by_value);
    printf("{\"bench\": \"%s\", \"median\": %.3f, \"min\": %.3f, \"max\": %.3f, \"unit\": \"ms\", "
           "\"runs\": %u, "
           "\"goal\": %.0f, \"met\": %s}\n",
           name, values[n / 2], values[0], values[n - 1], n, goal,
           values[n / 2] <= goal ? "true" : "false");
    fflush(stdout);
}

/* ---- the measures ---- */

static unsigned long seen[5];

static void all_verdicts(struct cluster *c)
{
    double values[RUNS_MAX];

    for (unsigned r = 0; r < runs; r++) {
        double start = now_ms();
        struct reach_memo *m = reach_memo_create(c, NULL);
        for (uint32_t i = 0; i < cluster_ns_count(c); i++) {
            const struct ns *ns = cluster_ns_at(c, i);
            for (int d = 0; d < 2; d++) {
                struct reach_answer a;
                reach_namespace_default(m, ns, (enum direction)d, &a);
                seen[a.reach]++;
                for (size_t w = 0; w < ns->workloads.len; w++) {
                    reach_workload(m, ns->workloads.items[w], (enum direction)d, &a);
                    seen[a.reach]++;
                }
            }
        }
        reach_memo_destroy(m);
        values[r] = now_ms() - start;
    }
    report("verdicts-150k-from-scratch", values, runs, 2000);
}

static unsigned long verdicts;

static void on_verdict(void *ctx, const struct verdict *v, const struct cause *cause)
{
    (void)ctx;
    (void)v;
    (void)cause;
    verdicts++;
}

static void on_gone(void *ctx, const struct subject_ref *s, const struct cause *cause)
{
    (void)ctx;
    (void)s;
    (void)cause;
}

static void note(void *ctx, const struct delta *d)
{
    engine_note(ctx, d);
}

static void all_rules(struct cluster *c, struct ruleset *rs, struct engine **out)
{
    const struct engine_sink sink = { NULL, on_verdict, on_gone };
    double values[RUNS_MAX];

    for (unsigned r = 0; r < runs; r++) {
        engine_destroy(*out);
        double start = now_ms();
        *out = engine_create(c, rs, "bench");
        engine_run(*out, 1000, 0, NULL, &sink);
        values[r] = now_ms() - start;
    }
    report("rules-150k-from-scratch", values, runs, 2000);
}

static void one_change(struct cluster *c, struct engine *e)
{
    const struct engine_sink sink = { NULL, on_verdict, on_gone };
    double values[RUNS_MAX];

    cluster_on_delta(c, note, e);
    for (unsigned r = 0; r < RUNS_MAX; r++) {
        double start = now_ms();
        put_policy(c, 2 * (r * 97 % size.namespaces) + 1, 9000 + r);
        engine_run(e, 1000, 0, NULL, &sink);
        values[r] = now_ms() - start;
    }
    report("policy-change-150k", values, RUNS_MAX, 5);
    for (unsigned r = 0; r < RUNS_MAX; r++) { /* the 3,000 pods are app-0 and 599 others */
        double start = now_ms();
        put_policy(c, 0, 0);
        PUT(c, KIND_NETWORK_POLICY,
            "{\"metadata\":{\"name\":\"deny\",\"namespace\":\"ns-0\",\"uid\":\"p-0\","
            "\"resourceVersion\":\"%lu\"},"
            "\"spec\":{\"podSelector\":{},\"policyTypes\":[%s]}}",
            ++version, r % 2 == 0 ? "\"Egress\"" : "\"Ingress\",\"Egress\"");
        engine_run(e, 1000, 0, NULL, &sink);
        values[r] = now_ms() - start;
    }
    report("policy-change-3000-pods", values, RUNS_MAX, 5);
    for (unsigned r = 0; r < RUNS_MAX; r++) {
        double start = now_ms();
        put_namespace(c, 0, r % 2 == 0 ? "other" : "team-0");
        engine_run(e, 1000, 0, NULL, &sink);
        values[r] = now_ms() - start;
    }
    report("namespace-label-3000-pods", values, RUNS_MAX, 5);
}

int main(void)
{
    struct ruleset *rs = NULL;
    struct engine *e = NULL;
    struct error err = { 0 };
    struct rusage usage;

    if (getenv("RUNS") != NULL) {
        runs = (unsigned)atoi(getenv("RUNS"));
    }
    struct cluster *c = build();
    all_verdicts(c);
    if (ruleset_create(&rs, NULL, &err) != 0) {
        fprintf(stderr, "meaning_bench: %s\n", err.text);
        return 1;
    }
    all_rules(c, rs, &e);
    one_change(c, e);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bench\": \"meaning-150k-peak-rss\", \"median\": %.1f, \"unit\": \"MiB\"}\n",
           (double)usage.ru_maxrss / 1024);
    fprintf(stderr,
            "isolated %lu open %lu but-open %lu not-isolatable %lu unknown %lu, %lu verdicts\n",
            seen[0], seen[1], seen[2], seen[3], seen[4], verdicts);
    cluster_on_delta(c, NULL, NULL);
    engine_destroy(e);
    ruleset_destroy(rs);
    cluster_destroy(c);
    return 0;
}
