/* What the store costs: one JSON line per measure. DIR (default /tmp) is where the database lies: a
 * real disk, not a tmpfs, or syncs cost nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/db.h"
#include "store/life.h"
#include "store/store.h"

enum { SEQS = 1 << 22, FINDINGS = 100000, PROOFS = 300000 };

static struct {
    char dir[128], path[160];
    uv_loop_t loop;
    uv_async_t alive;
    struct store *store;
    struct life *life;
    struct store_options options;
    int64_t last_seq;
    uint32_t *queued_us;  /* by number: when; 0 no transition */
    uint32_t *latency_us; /* of those that are committed */
    size_t latencies;
    uint64_t start_us;
} b;

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static void on_committed(void *ctx, int64_t last_seq, uint32_t rows, uint64_t us)
{
    uint32_t now = (uint32_t)(now_us() - b.start_us);

    (void)ctx;
    (void)rows;
    (void)us;
    for (int64_t seq = b.last_seq + 1; seq <= last_seq && seq < SEQS; seq++) {
        if (b.queued_us[seq] != 0) {
            b.latency_us[b.latencies++] = now - b.queued_us[seq];
        }
    }
    b.last_seq = last_seq;
}

static void on_event(void *ctx, const struct life_event *e)
{
    (void)ctx;
    if (e->seq < SEQS) {
        b.queued_us[e->seq] = (uint32_t)(now_us() - b.start_us);
    }
}

static void open_store(void)
{
    struct error err = { 0 };

    if (store_open(&b.store, &b.loop, &b.options, &err) != 0 ||
        life_create(&b.life, b.store, &err) != 0) {
        fprintf(stderr, "store_bench: %s\n", err.text);
        exit(1);
    }
    store_on_committed(b.store, on_committed, NULL);
    life_on_event(b.life, on_event, NULL);
}

static void close_store(void)
{
    life_destroy(b.life);
    store_close(b.store, 60000, NULL);
    uv_run(&b.loop, UV_RUN_NOWAIT);
}

static void settle(void)
{
    struct store_stats stats;

    do {
        uv_run(&b.loop, UV_RUN_NOWAIT);
        store_stats(b.store, &stats);
        if (stats.waiting_rows > 0) {
            uv_sleep(1);
        }
    } while (stats.waiting_rows > 0);
    uv_run(&b.loop, UV_RUN_NOWAIT);
}

static void verdict(unsigned number, bool fails, unsigned version)
{
    char ns[32], name[48], uid[40], rv[16], rule[32];
    struct sha256 *h = sha256_create();

    snprintf(ns, sizeof(ns), "team-%04u-production", number / 150);
    snprintf(name, sizeof(name), "checkout-service-%05u", number / 10);
    snprintf(rule, sizeof(rule), "rule-%u", number % 10);
    snprintf(uid, sizeof(uid), "6f9619ff-8b86-d011-b42d-00c04%07x", number / 10);
    snprintf(rv, sizeof(rv), "%u", 48000000 + version);
    struct verdict v = {
        .policy = "restrict-service-types",
        .rule = rule,
        .category = "Exposure",
        .severity = SEVERITY_HIGH,
        .subject = { "apps", "v1", "Deployment", ns, name, uid },
        .subkey = "",
        .environment = ENV_PRODUCTION,
        .result = fails ? RESULT_FAIL : RESULT_PASS,
        .message =
            "no NetworkPolicy isolates this workload for ingress; a default-deny policy would",
        .evidence =
            "{\"policies\":[],\"pods\":3,\"labels\":{\"app\":\"checkout\",\"tier\":\"web\"}}",
        .remediation = "add a default-deny NetworkPolicy to the namespace",
        .owner = "team-checkout"
    };
    struct cause c = { .verb = CHANGE_UPDATE,
                       .api_version = "apps/v1",
                       .kind = "Deployment",
                       .ns = ns,
                       .name = name,
                       .uid = uid,
                       .resource_version = rv,
                       .manager = "kubectl-client-side-apply",
                       .manager_ms = clock_wall_ms(),
                       .to_ms = clock_wall_ms() };
    sha256_field(h, rule);
    sha256_field(h, ns);
    sha256_field(h, name);
    sha256_finish(h, v.fingerprint);
    life_verdict(b.life, &v, &c, clock_wall_ms());
}

static int by_value(const void *a, const void *c)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)c;

    return x < y ? -1 : x > y;
}

/* All of them fail or pass before; `fails`: what they do first now. */
static void latency(const char *name, unsigned per_second, unsigned seconds, bool fails)
{
    unsigned total = per_second * seconds;
    uint64_t start = now_us();

    b.latencies = 0;
    for (unsigned i = 0; i < total; i++) {
        uint64_t due = start + (uint64_t)i * 1000000 / per_second;
        while (now_us() < due) {
            uv_run(&b.loop, UV_RUN_NOWAIT);
            if (now_us() + 200 < due) {
                usleep(100);
            }
        }
        verdict(i % FINDINGS, ((i / FINDINGS) % 2 == 0) == fails, i);
    }
    settle();
    uint32_t *sorted = b.latency_us;
    size_t n = b.latencies;
    qsort(sorted, n, sizeof(*sorted), by_value);
    printf("{\"bench\":\"%s\",\"transitions\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,"
           "\"max_ms\":%.2f}\n",
           name, n, sorted[n / 2] / 1e3, sorted[n * 99 / 100] / 1e3, sorted[n * 999 / 1000] / 1e3,
           sorted[n - 1] / 1e3);
    fflush(stdout);
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void first_sync(void)
{
    uint64_t start = now_us(), waited = 0;
    double cpu = cpu_seconds();

    for (unsigned i = 0; i < FINDINGS + PROOFS; i++) {
        verdict(i, i < FINDINGS, 0);
        while (store_congested(b.store)) {
            uint64_t since = now_us();
            uv_run(&b.loop, UV_RUN_NOWAIT);
            uv_sleep(1);
            waited += now_us() - since;
        }
    }
    uint64_t said = now_us();
    settle();
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"bench\":\"store_first_sync\",\"findings\":%d,\"proofs\":%d,\"said_s\":%.2f,"
           "\"congested_s\":%.2f,\"committed_s\":%.2f,"
           "\"cpu_s\":%.2f,\"max_rss_kib\":%ld}\n",
           FINDINGS, PROOFS, (double)(said - start) / 1e6, (double)waited / 1e6,
           (double)(now_us() - start) / 1e6, cpu_seconds() - cpu, u.ru_maxrss);
    fflush(stdout);
}

static void restart(void)
{
    uint64_t start = now_us();

    close_store();
    uint64_t closed = now_us();
    open_store();
    uint64_t opened = now_us();
    life_reconcile_begin(b.life);
    for (unsigned i = 0; i < FINDINGS + PROOFS; i++) {
        verdict(i, i < FINDINGS, 0);
    }
    life_reconcile_end(b.life, clock_wall_ms(), clock_wall_ms());
    settle();
    struct store_stats stats;
    store_stats(b.store, &stats);
    printf("{\"bench\":\"store_restart\",\"close_s\":%.2f,\"open_and_load_s\":%.2f,\"confirm_s\":%."
           "2f,\"rows_written\":%llu}\n",
           (double)(closed - start) / 1e6, (double)(opened - closed) / 1e6,
           (double)(now_us() - opened) / 1e6, (unsigned long long)stats.rows);
    fflush(stdout);
}

static void throughput(void)
{
    enum { TOTAL = 200000 };
    uint64_t start = now_us();

    for (unsigned i = 0; i < TOTAL; i++) {
        verdict(i % FINDINGS, (i / FINDINGS) % 2 == 0, i);
        while (store_congested(b.store)) {
            uv_run(&b.loop, UV_RUN_NOWAIT);
            uv_sleep(1);
        }
    }
    settle();
    printf("{\"bench\":\"store_throughput\",\"transitions_per_s\":%.0f}\n",
           TOTAL / ((double)(now_us() - start) / 1e6));
    fflush(stdout);
}

static void pruning(void)
{
    struct store_stats stats;
    uint64_t start = now_us();

    store_set_retention(b.store, 0, 16 << 20);
    latency("store_latency_200_while_pruning", 200, 5, true);
    store_stats(b.store, &stats);
    printf("{\"bench\":\"store_pruning\",\"rows\":%llu,\"seconds\":%.2f}\n",
           (unsigned long long)stats.pruned_rows, (double)(now_us() - start) / 1e6);
    fflush(stdout);
}

int main(void)
{
    char command[256];

    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_WARN);
    snprintf(b.dir, sizeof(b.dir), "%s/store-bench-XXXXXX",
             getenv("DIR") != NULL ? getenv("DIR") : "/tmp");
    if (mkdtemp(b.dir) == NULL) {
        perror("store_bench");
        return 1;
    }
    snprintf(b.path, sizeof(b.path), "%s/n.db", b.dir);
    b.options.path = b.path;
    b.queued_us = calloc(SEQS, sizeof(*b.queued_us));
    b.latency_us = calloc(SEQS, sizeof(*b.latency_us));
    b.start_us = now_us();
    uv_loop_init(&b.loop);
    uv_async_init(&b.loop, &b.alive, NULL);
    open_store();
    first_sync();
    restart();
    latency("store_latency_200", 200, 10, false);
    latency("store_latency_2000", 2000, 10, false);
    throughput();
    pruning();
    close_store();
    snprintf(command, sizeof(command), "rm -rf '%s'", b.dir);
    return system(command) == 0 ? 0 : 1;
}
