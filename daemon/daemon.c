/* The wiring, and the order of one turn of the loop: sockets are read (watchers), which changes the
 * cache (cluster), which marks what must be judged (engine); when nothing more is readable, or
 * after 50 ms under load, the engine judges in slices of 10 ms; what changed goes through the life
 * of findings to the store's writer thread, and comes back committed.
 *
 * Phases: SYNCING until every required kind has been listed once; then the cluster is known, the
 * database is bound to it, and JUDGING judges everything for the first time; RECORDING waits for
 * that to be committed; from then on RUNNING. */
#include "daemon/daemon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/cluster.h"
#include "daemon/gaps.h"
#include "daemon/sd_notify.h"
#include "daemon/status.h"
#include "rules/engine.h"
#include "store/life.h"
#include "store/store.h"
#include "watchers/credentials.h"
#include "watchers/informer.h"

enum {
    SLICE_US = 10000,         /* CONTRACTS 7: no step holds the loop longer */
    GATHER_MS = 50,           /* under load the engine runs at least this often */
    CLOSE_TIMEOUT_MS = 20000, /* for the last commit; systemd waits 30 s */
    TICK_MS = 1000
};

enum phase {
    PHASE_SYNCING,
    PHASE_JUDGING,
    PHASE_RECORDING,
    PHASE_RUNNING,
    PHASE_STOPPING,
    PHASE_COUNT
};
static const char *const phase_names[] = { "syncing", "judging", "recording", "running",
                                           "stopping" };
static const unsigned may_move_to[PHASE_COUNT] = {
    [PHASE_SYNCING] = BIT(PHASE_JUDGING) | BIT(PHASE_STOPPING),
    [PHASE_JUDGING] = BIT(PHASE_RECORDING) | BIT(PHASE_STOPPING),
    [PHASE_RECORDING] = BIT(PHASE_RUNNING) | BIT(PHASE_STOPPING),
    [PHASE_RUNNING] = BIT(PHASE_JUDGING) | BIT(PHASE_STOPPING), /* JUDGING after rows were lost */
    [PHASE_STOPPING] = 0,
};

struct daemon {
    const struct options *options;
    struct settings settings; /* as at the start: a reload keeps what of them needs a restart */
    struct ruleset *ruleset;

    uv_loop_t loop;
    uv_signal_t on_term, on_int, on_hup;
    uv_check_t pump;
    uv_idle_t spin; /* keeps the loop turning while there is something to judge */
    uv_timer_t tick, deadline, watchdog;

    enum phase phase;
    uint64_t started_ms, last_run_ms;
    bool touched; /* the cache changed since the pump last looked */
    bool synced;  /* everything was judged and committed once; true to the last status */

    struct store *store;
    struct life *life;
    struct cluster *cluster;
    struct engine *engine; /* NULL while syncing */
    struct credentials *credentials;
    struct informer *informer;
    struct gaps gaps;
    unsigned watched_kinds;

    uint64_t status_digest;
    uint64_t discovered_ms;        /* when the API groups were asked for */
    const char *const *unmodelled; /* as it was when everything was last judged: the list's place */
    bool cert_manager;             /* as everything was judged with */
    struct error stop_reason;      /* code 0: asked to stop */
};

static void move(struct daemon *d, enum phase to)
{
    if (!(may_move_to[d->phase] & BIT(to))) {
        abort();
    }
    log_event(LOG_LEVEL_DEBUG, "daemon", "phase", KV_TEXT("from", phase_names[d->phase]),
              KV_TEXT("to", phase_names[to]));
    d->phase = to;
}

static uint64_t mono_us(void)
{
    return uv_hrtime() / 1000;
}

static void stop(struct daemon *d, const struct error *why)
{
    if (d->phase == PHASE_STOPPING) {
        return;
    }
    move(d, PHASE_STOPPING);
    if (why != NULL) {
        d->stop_reason = *why;
    }
    sd_notify_send("STOPPING=1");
    informer_stop(d->informer);
    uv_stop(&d->loop);
}

/* ---- status, watch states ---- */

static void write_status(struct daemon *d, bool always)
{
    struct store_stats stats;

    store_stats(d->store, &stats);
    struct status_input in = { .cluster = d->cluster,
                               .engine = d->engine,
                               .cluster_id = store_cluster_id(d->store),
                               .server = credentials_server(d->credentials),
                               .watched_kinds = d->watched_kinds,
                               .synced = d->synced,
                               .store_error = stats.last_error,
                               .now_ms = clock_wall_ms() };
    uint64_t digest = status_digest(&in);
    if (digest == d->status_digest && !always) {
        return;
    }
    d->status_digest = digest;
    char *json = status_json(&in);
    store_set_status(d->store, json);
    free(json);
}

/* Only when everything received has been judged: a resume from this version then misses nothing. */
static void note_watch_states(struct daemon *d)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_status *status = cluster_kind(d->cluster, (enum kind)k);
        char resource[64];
        if ((d->watched_kinds & BIT(k)) && status->resource_version[0] != '\0') {
            kind_resource_name(&kind_table[k], resource);
            store_set_watch_state(d->store, resource, status->resource_version, status->alive_ms);
        }
    }
}

/* ---- judging ---- */

static void on_verdict(void *ctx, const struct verdict *v, const struct cause *cause)
{
    struct daemon *d = ctx;

    life_verdict(d->life, v, cause, clock_wall_ms());
}

static void on_gone(void *ctx, const struct subject_ref *subject, const struct cause *cause)
{
    struct daemon *d = ctx;

    life_gone(d->life, subject, cause, clock_wall_ms());
}

static void on_life_event(void *ctx, const struct life_event *e)
{
    (void)ctx;
    if (e->verdict == NULL || !log_enabled(LOG_LEVEL_DEBUG)) {
        return;
    }
    const struct verdict *v = e->verdict;
    log_event(LOG_LEVEL_DEBUG, "store", "transition", KV_INT("seq", e->seq),
              KV_TEXT("to", e->to_state), KV_TEXT("reason", e->reason),
              KV_TEXT("policy", v->policy), KV_TEXT("rule", v->rule),
              KV_TEXT("kind", v->subject.kind), KV_TEXT("namespace", v->subject.ns),
              KV_TEXT("name", v->subject.name));
}

/* Kinds of installations that are not there are nothing that one watches. */
static bool is_counted(const struct daemon *d, int k)
{
    return (d->watched_kinds & BIT(k)) &&
           !(kind_table[k].watch == KIND_WATCH_SERVED &&
             cluster_kind(d->cluster, (enum kind)k)->state == KIND_STATE_ABSENT);
}

static void log_synced(struct daemon *d)
{
    char text[96];
    unsigned kinds = 0;
    uint64_t objects = 0;
    double seconds = (double)(clock_mono_ms() - d->started_ms) / 1000;

    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_status *status = cluster_kind(d->cluster, (enum kind)k);
        if (is_counted(d, k) && status->synced_once) {
            kinds++;
            objects += status->objects;
        }
    }
    log_event(LOG_LEVEL_INFO, "daemon", "synced", KV_INT("kinds", kinds),
              KV_INT("objects", objects), KV_FLOAT("seconds", seconds));
    snprintf(text, sizeof(text), "STATUS=watching %u kinds, %" PRIu64 " objects", kinds, objects);
    sd_notify_send(text);
}

/* The first judgement is on disk: with its commit, or at once when it had nothing to write. */
static void note_recorded(struct daemon *d)
{
    struct store_stats stats;

    if (d->phase != PHASE_RECORDING) {
        return;
    }
    store_stats(d->store, &stats);
    if (stats.waiting_rows == 0) {
        move(d, PHASE_RUNNING);
        d->synced = true;
        write_status(d, true);
        log_synced(d);
    }
}

static void arm_deadline(struct daemon *d);

static void drained(struct daemon *d)
{
    uv_idle_stop(&d->spin);
    note_watch_states(d);
    if (d->phase == PHASE_JUDGING) {
        life_reconcile_end(d->life, store_last_alive_ms(d->store), clock_wall_ms());
        move(d, PHASE_RECORDING);
        store_flush(d->store);
        note_recorded(d);
    }
    arm_deadline(d);
}

static void run_engine(struct daemon *d)
{
    const struct engine_sink sink = { .ctx = d, .verdict = on_verdict, .gone = on_gone };

    if (store_congested(d->store)) {
        uv_idle_stop(&d->spin); /* the next commit wakes it */
        return;
    }
    d->last_run_ms = clock_mono_ms();
    if (engine_run(d->engine, clock_wall_ms(), SLICE_US, mono_us, &sink)) {
        drained(d);
    }
}

static void spin(uv_idle_t *handle)
{
    (void)handle; /* its being active makes the next poll return at once */
}

/* Life reads what the file holds, and every verdict is said again. The database knows its cluster
 * by now. */
static int judge_anew(struct daemon *d, struct error *err)
{
    engine_destroy(d->engine);
    life_destroy(d->life);
    d->engine = NULL;
    d->life = NULL;
    int rc = life_create(&d->life, d->store, err);
    if (rc != 0) {
        return rc;
    }
    life_on_event(d->life, on_life_event, d);
    d->engine = engine_create(d->cluster, d->ruleset, store_cluster_id(d->store));
    d->cert_manager = cluster_cert_manager(d->cluster);
    d->unmodelled = cluster_unmodelled(d->cluster);
    life_reconcile_begin(d->life);
    move(d, PHASE_JUDGING);
    return 0;
}

static int first_sync(struct daemon *d, struct error *err)
{
    const char *id = d->settings.cluster_id != NULL ? d->settings.cluster_id
                                                    : cluster_kube_system_uid(d->cluster);

    if (id == NULL && store_cluster_id(d->store)[0] != '\0') {
        id = store_cluster_id(d->store);
        log_event(LOG_LEVEL_WARN, "daemon", "cluster not verified",
                  KV_TEXT("error", "Namespace kube-system may not be read"),
                  KV_TEXT("next", "taken for the cluster that the database belongs to"));
    }
    if (id == NULL) {
        return error_set(
            err, NA_EINVAL,
            "cannot tell which cluster this is: Namespace kube-system may not be read; "
            "set cluster.id in the configuration");
    }
    int rc = store_bind_cluster(d->store, id, err);
    if (rc != 0) {
        return rc;
    }
    rc = judge_anew(d, err);
    if (rc != 0) {
        return rc;
    }
    gaps_restart(&d->gaps, store_last_alive_ms(d->store), clock_wall_ms());
    sd_notify_send("STATUS=judging for the first time");
    return 0;
}

/* The disk refused for so long that rows were dropped, and writes again: what the file holds is
 * true up to the gap, and everything is judged against it as after a start. */
static void recover_lost_rows(struct daemon *d)
{
    struct error err = { 0 };

    log_event(LOG_LEVEL_WARN, "daemon", "transitions lost",
              KV_TEXT("error", "the database could not be written for too long"),
              KV_TEXT("next", "a gap is recorded and everything judged again"));
    if (judge_anew(d, &err) != 0) {
        stop(d, &err);
        return;
    }
    uv_idle_start(&d->spin, spin);
}

/* After every poll: judge when nothing more was readable, or when it has waited long enough. */
static void pump(uv_check_t *handle)
{
    struct daemon *d = handle->data;
    bool touched = d->touched;

    d->touched = false;
    if (d->phase == PHASE_SYNCING) {
        struct error err = { 0 };
        if (!cluster_synced(d->cluster)) {
            return;
        }
        if (cluster_swapping(d->cluster)) {
            /* Half of the namespaces may be there, and not kube-system, which says what cluster
             * this is. The turn after the last slice must not wait for the network. */
            uv_idle_start(&d->spin, spin);
            return;
        }
        if (first_sync(d, &err) != 0) {
            stop(d, &err);
            return;
        }
    }
    if (d->phase == PHASE_STOPPING || engine_idle(d->engine)) {
        uv_idle_stop(&d->spin);
        return;
    }
    uv_idle_start(&d->spin, spin);
    if (!touched || clock_mono_ms() - d->last_run_ms >= GATHER_MS) {
        run_engine(d);
    }
}

static void on_delta(void *ctx, const struct delta *delta)
{
    struct daemon *d = ctx;

    d->touched = true;
    if (delta->what == DELTA_KIND) {
        gaps_note(&d->gaps, delta->kind, cluster_kind(d->cluster, delta->kind), clock_wall_ms());
    }
    if (d->engine != NULL) {
        engine_note(d->engine, delta);
        uv_idle_start(&d->spin, spin);
    }
}

/* ---- time ---- */

/* A relist after 410 means that writes went by unseen: what is there now is known, what was in
 * between is not. */
static void note_expired(struct daemon *d)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        struct informer_kind_stats stats;
        if (!(d->watched_kinds & BIT(k))) {
            continue;
        }
        informer_kind_stats(d->informer, (enum kind)k, &stats);
        gaps_expired(&d->gaps, (enum kind)k, stats.relists_expired, stats.expired_since_ms,
                     clock_wall_ms());
    }
}

static void on_deadline(uv_timer_t *handle)
{
    struct daemon *d = handle->data;

    if (d->engine == NULL || d->phase == PHASE_STOPPING) {
        return;
    }
    life_tick(d->life, clock_wall_ms());
    run_engine(d);
}

/* The next moment at which a verdict or a grace time ends. Wall time may jump, so the one-second
 * tick looks again. */
static void arm_deadline(struct daemon *d)
{
    int64_t a = engine_next_deadline(d->engine), b = life_next_deadline(d->life);
    int64_t next = a == 0 ? b : b == 0 || a < b ? a : b;

    if (next == 0) {
        uv_timer_stop(&d->deadline);
        return;
    }
    int64_t wait = next - clock_wall_ms();
    uv_timer_start(&d->deadline, on_deadline, wait > 0 ? (uint64_t)wait + 1 : 0, 0);
}

static void notify_progress(struct daemon *d)
{
    char text[160];

    if (d->phase == PHASE_SYNCING) {
        unsigned done = 0, all = 0;
        uint64_t objects = 0;
        for (int k = 0; k < KIND_COUNT; k++) {
            if (is_counted(d, k)) {
                all++;
                done += cluster_kind(d->cluster, (enum kind)k)->synced_once ? 1 : 0;
                objects += cluster_kind(d->cluster, (enum kind)k)->objects;
            }
        }
        snprintf(text, sizeof(text), "STATUS=syncing: %u of %u kinds, %" PRIu64 " objects", done,
                 all, objects);
        sd_notify_send(text);
    }
}

static void note_groups(struct daemon *d)
{
    if (clock_mono_ms() - d->discovered_ms >= (uint64_t)d->settings.watch_discovery_ms) {
        d->discovered_ms = clock_mono_ms();
        informer_refresh(d->informer);
    }
    if (d->engine != NULL && (d->cert_manager != cluster_cert_manager(d->cluster) ||
                              d->unmodelled != cluster_unmodelled(d->cluster))) {
        d->cert_manager = cluster_cert_manager(d->cluster);
        d->unmodelled = cluster_unmodelled(d->cluster);
        engine_set_ruleset(d->engine, d->ruleset);
        uv_idle_start(&d->spin, spin);
    }
}

static void on_tick(uv_timer_t *handle)
{
    struct daemon *d = handle->data;

    notify_progress(d);
    note_expired(d);
    note_groups(d);
    if (d->phase == PHASE_RUNNING && store_lost_rows(d->store)) {
        recover_lost_rows(d);
    }
    if (d->phase == PHASE_RECORDING || d->phase == PHASE_RUNNING) {
        if (engine_idle(d->engine)) {
            note_watch_states(d);
        }
        arm_deadline(d);
    }
    write_status(d, false);
}

static void on_watchdog(uv_timer_t *handle)
{
    (void)handle;
    sd_notify_send("WATCHDOG=1");
}

/* ---- the store's answers ---- */

static void on_committed(void *ctx, int64_t last_seq, uint32_t rows, uint64_t commit_us)
{
    struct daemon *d = ctx;

    log_event(LOG_LEVEL_DEBUG, "store", "committed", KV_INT("seq", last_seq), KV_INT("rows", rows),
              KV_INT("us", commit_us));
    if (d->engine != NULL && !engine_idle(d->engine) && d->phase != PHASE_STOPPING) {
        uv_idle_start(&d->spin, spin);
    }
    note_recorded(d);
}

/* ---- signals ---- */

static void on_stop_signal(uv_signal_t *handle, int signum)
{
    struct daemon *d = handle->data;

    log_event(LOG_LEVEL_INFO, "daemon", "stopping",
              KV_TEXT("signal", signum == SIGINT ? "INT" : "TERM"));
    stop(d, NULL);
}

/* The new configuration is read and checked whole before anything of the old one goes. What needs a
 * restart stays in d->settings as it was at the start, so that every reload is compared with what
 * is in effect. */
static int reload(struct daemon *d, struct error *err)
{
    struct settings fresh;
    struct ruleset *ruleset = NULL;
    const char *key;
    size_t at = 0;

    settings_init(&fresh);
    int rc = options_settings(d->options, &fresh, err);
    if (rc == 0) {
        rc = settings_ruleset(&fresh, &ruleset, err);
    }
    if (rc != 0) {
        settings_deinit(&fresh);
        return rc;
    }
    while ((key = settings_restart_key(&d->settings, &fresh, &at)) != NULL) {
        log_event(LOG_LEVEL_WARN, "daemon", "needs a restart", KV_TEXT("key", key),
                  KV_TEXT("next", "the old value stays until then"));
    }
    if (d->engine != NULL) {
        engine_set_ruleset(d->engine, ruleset);
        uv_idle_start(&d->spin, spin);
    }
    ruleset_destroy(d->ruleset);
    d->ruleset = ruleset;
    store_set_retention(d->store, fresh.store_max_age_ms, (uint64_t)fresh.store_max_bytes);
    log_setup((enum log_format)fresh.log_format, (enum log_level)fresh.log_level);
    log_event(LOG_LEVEL_INFO, "daemon", "reloaded",
              KV_TEXT("file", fresh.file != NULL ? fresh.file : ""));
    settings_deinit(&fresh);
    return 0;
}

static void on_hup(uv_signal_t *handle, int signum)
{
    struct daemon *d = handle->data;
    struct error err = { 0 };

    (void)signum;
    sd_notify_reloading();
    if (reload(d, &err) != 0) {
        log_event(LOG_LEVEL_ERROR, "daemon", "reload refused", KV_TEXT("error", err.text),
                  KV_TEXT("next", "the old configuration stays"));
    }
    sd_notify_send("READY=1");
}

/* ---- building and taking down ---- */

static void start_handles(struct daemon *d)
{
    uint64_t watchdog_ms = sd_notify_watchdog_ms();

    uv_check_init(&d->loop, &d->pump);
    uv_idle_init(&d->loop, &d->spin);
    uv_timer_init(&d->loop, &d->tick);
    uv_timer_init(&d->loop, &d->deadline);
    uv_timer_init(&d->loop, &d->watchdog);
    uv_signal_init(&d->loop, &d->on_term);
    uv_signal_init(&d->loop, &d->on_int);
    uv_signal_init(&d->loop, &d->on_hup);
    d->pump.data = d->spin.data = d->tick.data = d->deadline.data = d->watchdog.data = d;
    d->on_term.data = d->on_int.data = d->on_hup.data = d;
    uv_check_start(&d->pump, pump);
    uv_timer_start(&d->tick, on_tick, TICK_MS, TICK_MS);
    if (watchdog_ms > 0) {
        uv_timer_start(&d->watchdog, on_watchdog, 0, watchdog_ms);
    }
    uv_signal_start(&d->on_term, on_stop_signal, SIGTERM);
    uv_signal_start(&d->on_int, on_stop_signal, SIGINT);
    uv_signal_start(&d->on_hup, on_hup, SIGHUP);
}

static int open_store(struct daemon *d, struct error *err)
{
    const struct store_options options = { .path = d->settings.store_path,
                                           .max_age_ms = d->settings.store_max_age_ms,
                                           .max_bytes = (uint64_t)d->settings.store_max_bytes };
    int rc = store_open(&d->store, &d->loop, &options, err);

    if (rc == 0) {
        store_on_committed(d->store, on_committed, d);
    }
    return rc;
}

static int load_credentials(struct daemon *d, struct error *err)
{
    size_t count = d->settings.exec_plugins.len;
    const char **allowed = arena_alloc(&d->settings.arena, (count + 1) * sizeof(*allowed));

    for (size_t i = 0; i < count; i++) {
        allowed[i] = d->settings.exec_plugins.items[i];
    }
    const struct credentials_settings settings = { .exec_allowed = count > 0 ? allowed : NULL,
                                                   .kubeconfig = d->settings.kubeconfig,
                                                   .context = d->settings.context,
                                                   .allow_insecure = d->options->allow_insecure };
    int rc = credentials_load(&d->credentials, &d->loop, &settings, err);

    if (rc == 0) {
        log_event(LOG_LEVEL_INFO, "daemon", "cluster",
                  KV_TEXT("server", credentials_server(d->credentials)),
                  KV_TEXT("credentials", credentials_source(d->credentials)));
        if (credentials_insecure(d->credentials)) {
            log_event(LOG_LEVEL_WARN, "daemon", "server certificate not verified");
        }
    }
    return rc;
}

static int create_informer(struct daemon *d, struct error *err)
{
    _Static_assert((int)SETTINGS_MAX_NAMESPACES == (int)INFORMER_MAX_NAMESPACES,
                   "the configuration promises what the informer does");
    struct informer_options options = { .secrets = d->settings.secrets != SECRETS_NONE,
                                        .namespaces = d->settings.namespaces.items,
                                        .namespace_count = d->settings.namespaces.len,
                                        .watch_timeout_ms = (uint64_t)d->settings.watch_timeout_ms,
                                        .stale_after_ms =
                                            (uint64_t)d->settings.watch_stale_after_ms };
    const struct informer_callbacks none = { 0 };
    char resource[64];

    for (int k = 0; k < KIND_COUNT; k++) {
        kind_resource_name(&kind_table[k], resource);
        options.resume_versions[k] = store_resume_version(d->store, resource);
    }
    int rc =
        informer_create(&d->informer, &d->loop, d->credentials, d->cluster, &options, &none, err);
    if (rc == 0) {
        d->watched_kinds = informer_kinds(d->informer);
        d->gaps.watched_kinds = d->watched_kinds;
        d->gaps.store = d->store;
    }
    return rc;
}

int daemon_create(struct daemon **out, const struct options *options, struct settings *settings,
                  struct ruleset *ruleset, struct error *err)
{
    struct daemon *d = xcalloc(1, sizeof(*d));

    d->options = options;
    d->settings = *settings;
    memset(settings, 0, sizeof(*settings));
    d->ruleset = ruleset;
    d->started_ms = clock_mono_ms();
    d->discovered_ms = d->started_ms;
    int rc = uv_loop_init(&d->loop);
    if (rc != 0) {
        settings_deinit(&d->settings);
        ruleset_destroy(ruleset);
        free(d);
        return error_set(err, NA_EIO, "event loop: %s", uv_strerror(rc));
    }
    d->cluster = cluster_create();
    cluster_on_delta(d->cluster, on_delta, d);
    start_handles(d);
    rc = load_credentials(d, err);
    if (rc == 0) {
        rc = open_store(d, err);
    }
    if (rc == 0) {
        rc = create_informer(d, err);
    }
    if (rc != 0) {
        daemon_destroy(d);
        return rc;
    }
    *out = d;
    return 0;
}

/* What the HTTP API will answer on; this version serves none, and says so where programs wait for
 * the line. */
static void log_listening(void)
{
    log_event(LOG_LEVEL_INFO, "daemon", "listening", KV_TEXT("addr", "none"));
    sd_notify_send("READY=1\nSTATUS=syncing");
}

int daemon_run(struct daemon *d, struct error *err)
{
    informer_start(d->informer);
    log_listening();
    write_status(d, true);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    write_status(d, true);
    int rc = store_close(d->store, CLOSE_TIMEOUT_MS, err);
    d->store = NULL;
    if (d->stop_reason.code != 0) {
        *err = d->stop_reason;
        return err->code;
    }
    return rc;
}

static void close_handle(uv_handle_t *handle, void *ctx)
{
    struct daemon *d = ctx;
    uv_handle_t *const ours[] = { (uv_handle_t *)&d->pump,     (uv_handle_t *)&d->spin,
                                  (uv_handle_t *)&d->tick,     (uv_handle_t *)&d->deadline,
                                  (uv_handle_t *)&d->watchdog, (uv_handle_t *)&d->on_term,
                                  (uv_handle_t *)&d->on_int,   (uv_handle_t *)&d->on_hup };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (handle == ours[i] && !uv_is_closing(handle)) {
            uv_close(handle, NULL);
        }
    }
}

void daemon_destroy(struct daemon *d)
{
    struct error ignored = { 0 };

    if (d == NULL) {
        return;
    }
    informer_destroy(d->informer);
    credentials_destroy(d->credentials);
    store_close(d->store, CLOSE_TIMEOUT_MS, &ignored);
    uv_walk(&d->loop, close_handle, d);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    cluster_on_delta(d->cluster, NULL, NULL);
    engine_destroy(d->engine);
    life_destroy(d->life);
    cluster_destroy(d->cluster);
    ruleset_destroy(d->ruleset);
    settings_deinit(&d->settings);
    free(d);
}
