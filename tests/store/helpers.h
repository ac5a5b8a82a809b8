/* A store in a directory of its own, verdicts made by hand, and questions to the file by SQL. */
#ifndef NETAUDITD_TESTS_STORE_HELPERS_H
#define NETAUDITD_TESTS_STORE_HELPERS_H

#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "store/db.h"
#include "store/life.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/check.h"

#define T0 INT64_C(1790000000000) /* a time in 2026 from which the tests count */

struct fixture {
    char dir[64], path[96];
    uv_loop_t loop;
    uv_async_t alive; /* a loop without a handle of its own does not look */
    struct store_options options;
    struct store *store;
    struct life *life;
    int64_t last_seq;
    uint64_t commits;
};

static inline void on_committed(void *ctx, int64_t last_seq, uint32_t rows, uint64_t us)
{
    struct fixture *f = ctx;

    (void)rows;
    (void)us;
    f->last_seq = last_seq;
    f->commits++;
}

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    log_setup(LOG_FORMAT_LOGFMT, getenv("VERBOSE") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    snprintf(f->dir, sizeof(f->dir), "%s/netauditd-store-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(f->dir) == NULL) {
        abort();
    }
    snprintf(f->path, sizeof(f->path), "%s/n.db", f->dir);
    f->options.path = f->path;
    uv_loop_init(&f->loop);
    uv_async_init(&f->loop, &f->alive, NULL);
}

static inline void fixture_open(struct fixture *f)
{
    struct error err = { 0 };
    int rc = store_open(&f->store, &f->loop, &f->options, &err);

    if (rc == 0) {
        store_on_committed(f->store, on_committed, f);
        rc = life_create(&f->life, f->store, &err);
    }
    if (rc != 0) {
        fprintf(stderr, "cannot open %s: %s\n", f->path, err.text);
        abort();
    }
}

static inline int fixture_close(struct fixture *f)
{
    life_destroy(f->life);
    int rc = store_close(f->store, 10000, NULL);
    f->life = NULL;
    f->store = NULL;
    uv_run(&f->loop, UV_RUN_NOWAIT);
    return rc;
}

static inline void fixture_deinit(struct fixture *f)
{
    char command[128];

    if (f->store != NULL) {
        fixture_close(f);
    }
    uv_close((uv_handle_t *)&f->alive, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_loop_close(&f->loop);
    snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    if (system(command) != 0) {
        abort();
    }
}

/* Everything that waits is on disk. */
static inline bool fixture_settle_within(struct fixture *f, uint64_t ms)
{
    struct store_stats stats;
    uint64_t until = clock_mono_ms() + ms;

    for (;;) {
        store_flush(f->store);
        uv_run(&f->loop, UV_RUN_NOWAIT);
        store_stats(f->store, &stats);
        if (stats.waiting_rows == 0) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
            return true;
        }
        if (clock_mono_ms() > until) {
            return false;
        }
        uv_sleep(1);
    }
}

static inline void fixture_settle(struct fixture *f)
{
    if (!fixture_settle_within(f, 60000)) {
        fprintf(stderr, "the store does not settle\n");
        abort();
    }
}

/* The rows of a query, columns joined by | and rows by newline. One static buffer of many. */
static inline const char *ask_path(const char *path, const char *sql)
{
    static char answers[8][4096];
    static unsigned turn;
    char *out = answers[turn++ % 8], with_text[2048];
    struct error err = { 0 };
    struct db *db = NULL;
    struct stmt *st = NULL;
    size_t used = 0;
    int rc = db_open(&db, path, DB_READ, NULL, &err);

    out[0] = '\0';
    snprintf(with_text, sizeof(with_text), "%s", sql);
    if (rc == 0) {
        rc = db_prepare(db, &st, with_text, &err);
    }
    while (rc == 0 && (rc = stmt_step(st, &err)) == 1) {
        used += (size_t)snprintf(out + used, 4096 - used, "%s%s", used > 0 ? "\n" : "",
                                 stmt_text(st, 0));
        used = used < 4095 ? used : 4095;
        rc = 0;
        continue;
    }
    if (rc < 0) {
        snprintf(out, 4096, "ERROR %s", err.text);
    }
    db_close(db);
    return out;
}

static inline const char *ask(struct fixture *f, const char *fmt, ...)
{
    char sql[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sql, sizeof(sql), fmt, ap);
    va_end(ap);
    return ask_path(f->path, sql);
}

static inline struct subject_ref subject_of(const char *group, const char *version,
                                            const char *kind, const char *ns, const char *name)
{
    return (struct subject_ref){ group, version, kind,
                                 ns,    name,    "6f9619ff-8b86-d011-b42d-00c04fc964ff" };
}

static inline void give_fingerprint(struct verdict *v)
{
    struct sha256 *h = sha256_create();

    sha256_field(h, v->policy);
    sha256_field(h, v->rule);
    sha256_field(h, v->subject.group);
    sha256_field(h, v->subject.kind);
    sha256_field(h, v->subject.ns);
    sha256_field(h, v->subject.name);
    sha256_field(h, v->subkey);
    sha256_finish(h, v->fingerprint);
}

/* A failing, high, production verdict about Service ns/name. */
static inline struct verdict failing(const char *ns, const char *name)
{
    struct verdict v = { .policy = "restrict-service-types",
                         .rule = "no-node-port",
                         .category = "Exposure",
                         .severity = SEVERITY_HIGH,
                         .subject = subject_of("", "v1", "Service", ns, name),
                         .subkey = "",
                         .environment = ENV_PRODUCTION,
                         .result = RESULT_FAIL,
                         .message = "a NodePort opens this service on every node",
                         .evidence = "{\"type\":\"NodePort\"}",
                         .remediation = "use type ClusterIP behind an Ingress",
                         .owner = "" };

    give_fingerprint(&v);
    return v;
}

static inline struct verdict passing(const char *ns, const char *name)
{
    struct verdict v = failing(ns, name);

    v.result = RESULT_PASS;
    v.message = "";
    return v;
}

static inline struct cause wrote(enum change_verb verb, const char *kind, const char *ns,
                                 const char *name, const char *version)
{
    return (struct cause){ .verb = verb,
                           .api_version = "v1",
                           .kind = kind,
                           .ns = ns,
                           .name = name,
                           .uid = "6f9619ff-8b86-d011-b42d-00c04fc964ff",
                           .resource_version = version,
                           .manager = "kubectl",
                           .manager_ms = T0,
                           .from_ms = T0,
                           .to_ms = T0 };
}

#endif
