/* The informer against the fake API server: what a user would see, over real sockets. Times here
 * are real; the schedules of faults that take minutes run in virtual time in
 * test_reflector_schedules.c. */
#include "tests/watchers/lab.h"

#include "cluster/cluster.h"
#include "watchers/informer.h"

struct world {
    struct lab lab;
    uv_loop_t loop;
    struct credentials *credentials;
    struct cluster *cluster;
    struct informer *informer;
    bool synced;
    unsigned activity;
};

static void on_sync(void *ctx)
{
    ((struct world *)ctx)->synced = true;
}

static void on_activity(void *ctx)
{
    ((struct world *)ctx)->activity++;
}

static bool is_synced(void *ctx)
{
    return ((struct world *)ctx)->synced;
}

static void world_connect(struct world *w, const struct informer_options *options)
{
    const struct credentials_settings settings = { .kubeconfig = lab_path(&w->lab, "kubeconfig") };
    const struct informer_callbacks callbacks = { w, on_activity, on_sync };
    struct error err = { 0 };

    uv_loop_init(&w->loop);
    w->cluster = cluster_create();
    if (credentials_load(&w->credentials, &w->loop, &settings, &err) != 0 ||
        informer_create(&w->informer, &w->loop, w->credentials, w->cluster, options, &callbacks,
                        &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        fail();
    }
    informer_start(w->informer);
}

static void world_disconnect(struct world *w)
{
    informer_destroy(w->informer);
    credentials_destroy(w->credentials);
    close_loop(&w->loop);
    cluster_destroy(w->cluster);
}

#define WORLD(w, options, ...)                                                                     \
    struct world w = { .synced = false };                                                          \
    const char *const args_[] = { "--kubeconfig-out", "@kubeconfig", __VA_ARGS__, NULL };          \
    if (!lab_start(&w.lab, args_)) {                                                               \
        skip();                                                                                    \
    }                                                                                              \
    world_connect(&w, (options))

static uint64_t objects(const struct world *w, enum kind kind)
{
    return cluster_kind(w->cluster, kind)->objects;
}

static const struct informer_options defaults;

TEST(a_cluster_is_mirrored_over_tls)
{
    WORLD(w, &defaults, "--tls", "--token", "t1=u", "--seed", "1", "--pods", "300", "--namespaces",
          "5", "--services", "20", "--networkpolicies", "30", "--ingresses", "7", "--deployments",
          "10");
    CHECK("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    CHECK_INT("pods", objects(&w, KIND_POD), 300);
    CHECK_INT("services and the one named kubernetes", objects(&w, KIND_SERVICE), 21);
    CHECK_INT("policies", objects(&w, KIND_NETWORK_POLICY), 30);
    CHECK_STR("the version was asked for", informer_server_version(w.informer), "v1.36.3");
    CHECK("and lists were streamed", lab_requests(&w.lab, "watchlist", "*") == 10);
    CHECK("none was paged", lab_requests(&w.lab, "list", "*") == 0);
    world_disconnect(&w);
    lab_stop(&w.lab);
}

int main(void)
{
    log_setup(LOG_FORMAT_LOGFMT, getenv("DEBUG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    RUN_TESTS(cmocka_unit_test(a_cluster_is_mirrored_over_tls));
}
