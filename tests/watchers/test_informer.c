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
        SKIP_BECAUSE("the fake API server is not built");                                          \
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

/* ---- the cache against the server's own dump ---- */

static const char *text_at(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

/* Every object of the kinds below is there with its resourceVersion, and nothing else is. */
static bool equals_dump(void *ctx)
{
    struct world *w = ctx;
    uint64_t counts[KIND_COUNT] = { 0 };
    cJSON *dump = lab_call(&w->lab, "GET", "/dump", ""), *item;
    bool same = true;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(dump, "items"))
    {
        const struct kind_row *row = kind_find(text_at(item, "apiVersion"), text_at(item, "kind"));
        const cJSON *meta = cJSON_GetObjectItemCaseSensitive(item, "metadata");
        const struct object *obj;

        if (row == NULL || (informer_kinds(w->informer) & BIT(row->kind)) == 0) {
            continue;
        }
        counts[row->kind]++;
        if (row->kind == KIND_POD) {
            continue; /* pods are kept in another form: counted only */
        }
        obj =
            cluster_find(w->cluster, row->kind, text_at(meta, "namespace"), text_at(meta, "name"));
        if (getenv("DEBUG") != NULL &&
            (obj == NULL ||
             strcmp(str_text(obj->resource_version), text_at(meta, "resourceVersion")) != 0)) {
            fprintf(stderr, "%s %s: have %s, server %s\n", row->name, text_at(meta, "name"),
                    obj != NULL ? str_text(obj->resource_version) : "none",
                    text_at(meta, "resourceVersion"));
        }
        same = same && obj != NULL && strcmp(str_text(obj->uid), text_at(meta, "uid")) == 0 &&
               strcmp(str_text(obj->resource_version), text_at(meta, "resourceVersion")) == 0;
    }
    for (int k = 0; k < KIND_COUNT; k++) {
        same = same && ((informer_kinds(w->informer) & BIT(k)) == 0 ||
                        counts[k] == objects(w, (enum kind)k));
    }
    cJSON_Delete(dump);
    return same;
}

static bool converges(struct world *w, unsigned ms)
{
    uint64_t end = clock_mono_ms() + ms;

    while (!equals_dump(w)) {
        if (clock_mono_ms() >= end) {
            return false;
        }
        run_for(&w->loop, 30);
    }
    return true;
}

static enum kind_state state_of(const struct world *w, enum kind kind)
{
    return cluster_kind(w->cluster, kind)->state;
}

struct wanted_state {
    struct world *w;
    enum kind kind;
    enum kind_state state;
};

static bool has_state(void *ctx)
{
    const struct wanted_state *want = ctx;

    return state_of(want->w, want->kind) == want->state;
}

static bool reaches(struct world *w, enum kind kind, enum kind_state state, unsigned ms)
{
    struct wanted_state want = { w, kind, state };

    return run_until(&w->loop, has_state, &want, ms);
}

static void world_close(struct world *w)
{
    world_disconnect(w);
    lab_stop(&w->lab);
}

#define SMALL                                                                                      \
    "--seed", "1", "--pods", "40", "--namespaces", "3", "--services", "5", "--networkpolicies",    \
        "5", "--ingresses", "3", "--deployments", "4"

static void some_writes(struct world *w)
{
    lab_do(&w->lab, "/churn",
           "{\"kind\":\"networkpolicies\",\"rate\":500,\"seconds\":1,\"mode\":\"replace\"}");
    lab_do(&w->lab, "/churn",
           "{\"kind\":\"services\",\"rate\":500,\"seconds\":1,\"mode\":\"touch\"}");
    lab_do(&w->lab, "/load",
           "{\"apiVersion\":\"networking.k8s.io/"
           "v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"fresh\",\"namespace\":"
           "\"default\"},\"spec\":{\"podSelector\":{}}}");
    lab_do(&w->lab, "/delete", "{\"kind\":\"ingresses\"}");
    run_for(&w->loop, 1200);
}

TEST(changes_follow)
{
    WORLD(w, &defaults, SMALL);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    CHECK("to what is there", converges(&w, 5000));
    some_writes(&w);
    CHECK("and follows", converges(&w, 5000));
    CHECK_INT("without a relist", cluster_kind(w.cluster, KIND_NETWORK_POLICY)->relists, 0);
    world_close(&w);
}

TEST(C6_older_servers_are_listed_in_pages)
{
    WORLD(w, &defaults, "--git-version", "v1.33.4", "--watch-list", "off", "--seed", "1",
          "--namespaces", "2", "--pods", "1200");
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 20000));
    CHECK_INT("no streaming list was tried", lab_requests(&w.lab, "watchlist", "*"), 0);
    CHECK("to what is there", converges(&w, 5000));
    world_close(&w);
}

TEST(C4_a_server_that_refuses_streaming_lists)
{
    WORLD(w, &defaults, "--watch-list", "off", SMALL);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 20000));
    CHECK("to what is there", converges(&w, 5000));
    CHECK_INT("each kind fell back to a list", lab_requests(&w.lab, "list", "*"), 10);
    some_writes(&w);
    CHECK("and follows", converges(&w, 5000));
    world_close(&w);
}

/* What may happen to a list or stream before the first sync; each heals by itself. */
TEST(first_lists_that_go_wrong)
{
    static const char *const faults[] = {
        "{\"action\":\"table\",\"kind\":\"pods\",\"verb\":\"list\"}",
        "{\"action\":\"empty-object\",\"kind\":\"services\",\"verb\":\"list\"}",
        "{\"action\":\"http\",\"status\":200,\"body\":\"html\",\"kind\":\"ingresses\",\"verb\":"
        "\"list\"}",
        "{\"action\":\"truncate-list\",\"kind\":\"networkpolicies\",\"verb\":\"list\"}",
        "{\"action\":\"list-rv\",\"value\":\"\",\"kind\":\"deployments\",\"verb\":\"list\"}",
        "{\"action\":\"content-length\",\"delta\":50,\"kind\":\"statefulsets\",\"verb\":\"list\"}",
        "{\"action\":\"close\",\"kind\":\"daemonsets\",\"verb\":\"list\",\"at\":{\"byte\":40}}",
        "{\"action\":\"http\",\"status\":429,\"kind\":\"cronjobs\",\"verb\":\"list\"}",
        "{\"action\":\"gzip-bomb\",\"bytes\":100000000,\"kind\":\"ingressclasses\",\"verb\":"
        "\"list\"}",
        "{\"action\":\"http\",\"status\":500,\"body\":\"garbage\",\"kind\":\"namespaces\",\"verb\":"
        "\"list\"}",
        "{\"action\":\"item-kinds\",\"kind\":\"pods\",\"verb\":\"list\",\"count\":0}",
        "{\"action\":\"empty-page\",\"kind\":\"pods\",\"verb\":\"list\",\"at\":{\"request\":2}}",
    };
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out", "@kubeconfig", "--watch-list", "off",
                                 "--git-version",    "v1.30.0",     SMALL,          NULL };

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        lab_do(&w.lab, "/faults", faults[i]);
    }
    world_connect(&w, &defaults);
    REQUIRE("it syncs all the same", run_until(&w.loop, is_synced, &w, 30000));
    CHECK("to what is there", converges(&w, 5000));
    world_close(&w);
}

TEST(streams_that_go_wrong)
{
    static const char *const faults[] = {
        "{\"action\":\"huge-frame\",\"bytes\":9000000,\"kind\":\"networkpolicies\",\"verb\":"
        "\"watch\"}",
        "{\"action\":\"deep-frame\",\"kind\":\"networkpolicies\",\"verb\":\"watch\"}",
        "{\"action\":\"bad-utf8\",\"kind\":\"networkpolicies\",\"verb\":\"watch\"}",
        "{\"action\":\"unknown-event\",\"kind\":\"networkpolicies\",\"verb\":\"watch\"}",
        "{\"action\":\"duplicate\",\"times\":3,\"kind\":\"services\",\"verb\":\"watch\",\"count\":"
        "20}",
        "{\"action\":\"close\",\"frame_bytes\":30,\"kind\":\"services\",\"verb\":\"watch\",\"at\":{"
        "\"event\":5}}",
        "{\"action\":\"garbage\",\"kind\":\"ingresses\",\"verb\":\"watch\",\"at\":{\"event\":0}}",
        "{\"action\":\"bookmark-storm\",\"kind\":\"pods\",\"verb\":\"watch\"}",
        "{\"action\":\"error-event\",\"code\":410,\"kind\":\"networkpolicies\",\"verb\":\"watch\","
        "\"at\":{\"event\":40}}",
        "{\"action\":\"error-event\",\"code\":500,\"kind\":\"services\",\"verb\":\"watch\",\"at\":{"
        "\"event\":60}}",
    };
    struct informer_kind_stats stats;
    WORLD(w, &defaults, SMALL);

    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        lab_do(&w.lab, "/faults", faults[i]);
    }
    some_writes(&w);
    CHECK("it follows all the same", converges(&w, 15000));
    informer_kind_stats(w.informer, KIND_NETWORK_POLICY, &stats);
    CHECK_INT("H6: relists because of 410", stats.relists_expired, 1);
    CHECK("H6: what could not be read was counted", stats.dropped >= 3);
    CHECK("as rejected where it was an object",
          cluster_kind(w.cluster, KIND_NETWORK_POLICY)->rejected >= 2);
    CHECK_STR("H6: and it watches", stats.phase, "watching");
    world_close(&w);
}

TEST(D2_a_server_that_is_gone_for_a_while_costs_no_list)
{
    WORLD(w, &defaults, SMALL);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    lab_do(&w.lab, "/stats/reset", "");
    lab_do(&w.lab, "/restart", "{\"down_ms\":2500,\"how\":\"rst\",\"keep_window\":true}");
    run_for(&w.loop, 100);
    some_writes(&w);
    CHECK("it comes back", converges(&w, 15000));
    CHECK_INT("no list", lab_requests(&w.lab, "list", "*"), 0);
    CHECK_INT("no streaming list", lab_requests(&w.lab, "watchlist", "*"), 0);
    world_close(&w);
}

TEST(B7_history_lost_while_away_is_a_relist)
{
    WORLD(w, &defaults, SMALL);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    lab_do(&w.lab, "/restart", "{\"down_ms\":2500,\"how\":\"rst\",\"keep_window\":true}");
    some_writes(&w);
    lab_do(&w.lab, "/compact", "{}");
    CHECK("it comes back", converges(&w, 15000));
    CHECK("by relists", cluster_kind(w.cluster, KIND_NETWORK_POLICY)->relists >= 1);
    world_close(&w);
}

TEST(B8_a_restored_server_is_believed)
{
    WORLD(w, &defaults, SMALL);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    cJSON *info = lab_call(&w.lab, "GET", "/info", "");
    char *body = xasprintf("{\"rv\":\"%s\"}", text_at(info, "rv"));

    some_writes(&w);
    REQUIRE("it follows", converges(&w, 5000));
    lab_do(&w.lab, "/restore", body);
    /* The watches at versions of the future stay silent: only a relist tells. Here by 410. */
    run_for(&w.loop, 500);
    lab_do(&w.lab, "/faults",
           "{\"action\":\"error-event\",\"code\":410,\"verb\":\"watch\",\"count\":11,\"duration_"
           "ms\":3000}");
    lab_do(&w.lab, "/connections", "{\"action\":\"end\",\"verb\":\"watch\"}");
    CHECK("it goes back with the server", converges(&w, 20000));
    free(body);
    cJSON_Delete(info);
    world_close(&w);
}

TEST(D7_a_kind_that_may_not_be_read)
{
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out", "@kubeconfig", SMALL, NULL };

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    lab_do(&w.lab, "/forbid", "{\"kind\":\"ingresses\"}");
    world_connect(&w, &defaults);
    CHECK("the others sync", run_until(&w.loop, is_synced, &w, 10000));
    CHECK_INT("it is forbidden", state_of(&w, KIND_INGRESS), KIND_STATE_FORBIDDEN);
    CHECK("and says why", strstr(cluster_kind(w.cluster, KIND_INGRESS)->reason, "403") != NULL);
    lab_do(&w.lab, "/forbid", "{\"kind\":\"services\"}");
    lab_do(&w.lab, "/connections", "{\"action\":\"end\",\"kind\":\"services\",\"verb\":\"watch\"}");
    CHECK("one that was readable", reaches(&w, KIND_SERVICE, KIND_STATE_FORBIDDEN, 5000));
    CHECK_INT("keeps what it had", objects(&w, KIND_SERVICE), 6);
    world_close(&w);
}

TEST(D8_a_kind_that_is_not_served)
{
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out", "@kubeconfig", SMALL, NULL };

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    lab_do(&w.lab, "/serve", "{\"kind\":\"cronjobs\",\"served\":false}");
    world_connect(&w, &defaults);
    CHECK("the others sync", run_until(&w.loop, is_synced, &w, 10000));
    CHECK("it is absent", reaches(&w, KIND_CRON_JOB, KIND_STATE_ABSENT, 5000));
    lab_do(&w.lab, "/serve", "{\"kind\":\"deployments\",\"served\":false}");
    CHECK("one that was served", reaches(&w, KIND_DEPLOYMENT, KIND_STATE_ABSENT, 15000));
    CHECK_INT("is empty then", objects(&w, KIND_DEPLOYMENT), 0);
    world_close(&w);
}

#define MESH_KIND(version)                                                                         \
    "{\"group\":\"security.istio.io\",\"version\":\"" version                                      \
    "\",\"resource\":\"peerauthentications\",\"kind\":\"PeerAuthentication\"}"
#define MESH_OBJECT(version, name)                                                                 \
    "{\"apiVersion\":\"security.istio.io/" version                                                 \
    "\",\"kind\":\"PeerAuthentication\",\"metadata\":{\"name\":\"" name                            \
    "\",\"namespace\":\"default\"},\"spec\":{\"mtls\":{\"mode\":\"STRICT\"}}}"

static bool has_mesh_object(const struct world *w, const char *name)
{
    return cluster_find(w->cluster, KIND_PEER_AUTHENTICATION, "default", name) != NULL;
}

static bool has_late(void *ctx)
{
    return has_mesh_object(ctx, "late");
}

TEST(an_older_version_is_watched_until_it_goes)
{
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out", "@kubeconfig", SMALL, NULL };

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    lab_do(&w.lab, "/kinds", MESH_KIND("v1beta1"));
    lab_do(&w.lab, "/load", MESH_OBJECT("v1beta1", "early"));
    world_connect(&w, &defaults);
    CHECK("all sync", run_until(&w.loop, is_synced, &w, 10000));
    CHECK("the older version too", reaches(&w, KIND_PEER_AUTHENTICATION, KIND_STATE_SYNCED, 5000));
    CHECK("its object is there", has_mesh_object(&w, "early"));
    lab_do(&w.lab, "/kinds", MESH_KIND("v1"));
    informer_refresh(w.informer);
    run_for(&w.loop, 200);
    CHECK("while both are served it stays", has_mesh_object(&w, "early"));
    lab_do(&w.lab, "/load", MESH_OBJECT("v1", "late"));
    lab_do(&w.lab, "/serve", "{\"kind\":\"peerauthentications\",\"served\":false}");
    informer_refresh(w.informer);
    CHECK("then the newer one is watched", run_until(&w.loop, has_late, &w, 10000));
    CHECK("and nothing else", !has_mesh_object(&w, "early"));
    world_close(&w);
}

TEST(D6_R14_a_token_that_rotates)
{
    struct world w = { .synced = false };
    const char *const args[] = {
        "--kubeconfig-out", "@kubeconfig", "--tls", "--ca-out", "@ca", "--token", "one=u",
        "--token",          "two=u",       SMALL,   NULL
    };
    char *config;

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    config = xasprintf("current-context: a\nclusters: [{name: c, cluster: {server: '%s', "
                       "certificate-authority: ca}}]\n"
                       "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, "
                       "user: {tokenFile: token}}]\n",
                       w.lab.api);
    write_file(lab_path(&w.lab, "kubeconfig"), config);
    write_file(lab_path(&w.lab, "token"), "one\n");
    world_connect(&w, &defaults);
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    write_file(lab_path(&w.lab, "token"), "two\n");
    lab_do(&w.lab, "/tokens", "{\"revoke\":[\"one\"]}");
    lab_do(&w.lab, "/stats/reset", "");
    lab_do(&w.lab, "/connections", "{\"action\":\"end\",\"verb\":\"watch\"}");
    some_writes(&w);
    CHECK("it follows", converges(&w, 10000));
    CHECK_INT("no list", lab_requests(&w.lab, "list", "*") + lab_requests(&w.lab, "watchlist", "*"),
              0);
    for (int k = 0; k < KIND_COUNT; k++) {
        CHECK("every kind lives on", (informer_kinds(w.informer) & BIT(k)) == 0 ||
                                         state_of(&w, (enum kind)k) == KIND_STATE_SYNCED ||
                                         kind_table[k].watch == KIND_WATCH_SERVED);
    }
    free(config);
    world_close(&w);
}

TEST(I5_E16_certificates_and_server_names)
{
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out",
                                 "@kubeconfig",
                                 "--tls",
                                 "--ca-out",
                                 "@ca",
                                 "--client-cert-out",
                                 "@crt",
                                 "--client-key-out",
                                 "@key",
                                 "--token",
                                 "one=u",
                                 SMALL,
                                 NULL };
    char *config;

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    config = xasprintf("current-context: a\nclusters: [{name: c, cluster: {server: '%s', "
                       "certificate-authority: ca, tls-server-name: kubernetes.default.svc}}]\n"
                       "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, "
                       "user: {client-certificate: crt, client-key: key}}]\n",
                       w.lab.api);
    write_file(lab_path(&w.lab, "kubeconfig"), config);
    world_connect(&w, &defaults);
    CHECK("a client certificate, verified under another name",
          run_until(&w.loop, is_synced, &w, 10000));
    world_disconnect(&w);
    free(config);
    config = xasprintf("current-context: a\nclusters: [{name: c, cluster: {server: '%s', "
                       "certificate-authority: ca, tls-server-name: other.example}}]\n"
                       "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, "
                       "user: {client-certificate: crt, client-key: key}}]\n",
                       w.lab.api);
    write_file(lab_path(&w.lab, "kubeconfig"), config);
    w.synced = false;
    world_connect(&w, &defaults);
    run_for(&w.loop, 400);
    CHECK("D10: a name that the certificate does not hold is refused", !w.synced);
    CHECK("and the reason says TLS",
          strstr(cluster_kind(w.cluster, KIND_POD)->reason, "TLS") != NULL);
    world_disconnect(&w);
    free(config);
    lab_stop(&w.lab);
}

TEST(I7_a_plugin_end_to_end)
{
    struct world w = { .synced = false };
    const char *const args[] = { "--kubeconfig-out", "@kubeconfig", "--tls", "--ca-out", "@ca",
                                 "--token",          "one=u",       SMALL,   NULL };
    char *config;

    if (!lab_start(&w.lab, args)) {
        SKIP_BECAUSE("the fake API server is not built");
    }
    config =
        xasprintf("current-context: a\nclusters: [{name: c, cluster: {server: '%s', "
                  "certificate-authority: ca}}]\n"
                  "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
                  "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, "
                  "interactiveMode: Never, command: ./plugin}}}]\n",
                  w.lab.api);
    write_file(lab_path(&w.lab, "kubeconfig"), config);
    write_file(lab_path(&w.lab, "plugin"),
               "#!/bin/sh\necho x >>\"${0}.runs\"\necho "
               "'{\"apiVersion\":\"client.authentication.k8s.io/"
               "v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"one\"}}'\n");
    chmod(lab_path(&w.lab, "plugin"), 0755);
    world_connect(&w, &defaults);
    CHECK("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    struct stat st = { .st_size = 0 };
    stat(lab_path(&w.lab, "plugin.runs"), &st);
    CHECK_INT("I8: by one run", st.st_size, 2);
    free(config);
    world_close(&w);
}

#define SECRET(name, type)                                                                         \
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"" name                    \
    "\",\"namespace\":\"default\"},\"type\":\"" type "\",\"data\":{\"tls.key\":\"Y2FuYXJ5\"}}\n"

TEST(F5_secrets_are_seen_as_metadata)
{
    const struct informer_options options = { .secrets = true };

    for (unsigned ignored = 0; ignored < 2; ignored++) {
        struct world w = { .synced = false };
        const char *const args[] = { "--kubeconfig-out", "@kubeconfig", NULL };
        struct wanted_state want = { &w, KIND_SECRET, KIND_STATE_SYNCED };

        if (!lab_start(&w.lab, args)) {
            SKIP_BECAUSE("the fake API server is not built");
        }
        lab_do(&w.lab, "/load", SECRET("a", "kubernetes.io/tls") SECRET("b", "Opaque"));
        if (ignored) {
            lab_do(&w.lab, "/settings", "{\"ignore_as\":true}");
        }
        world_connect(&w, &options);
        REQUIRE("it syncs", run_until(&w.loop, has_state, &want, 10000));
        CHECK_INT(ignored ? "F5: a server that ignores as=: our own stripping"
                          : "G1: only those of TLS",
                  objects(&w, KIND_SECRET), 1);
        CHECK("it can be found", cluster_find(w.cluster, KIND_SECRET, "default", "a") != NULL);
        lab_do(&w.lab, "/load", SECRET("c", "kubernetes.io/tls"));
        run_for(&w.loop, 200);
        CHECK_INT("and is watched", objects(&w, KIND_SECRET), 2);
        world_close(&w);
    }
}

TEST(G3_namespaced_mode)
{
    static const char *const two[] = { "gen-0000", "default", "default" };
    const char *many[60];
    char names[60][8];
    const struct informer_options options = { .namespaces = two, .namespace_count = 3 };
    struct informer_options wrong = { .namespaces = many, .namespace_count = 60 };
    struct informer *none = NULL;
    struct error err = { 0 };
    WORLD(w, &options, SMALL);

    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 20000));
    cJSON *dump = lab_call(&w.lab, "GET", "/dump?kind=services", ""), *item;
    unsigned services = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(dump, "items"))
    {
        const char *ns = text_at(cJSON_GetObjectItemCaseSensitive(item, "metadata"), "namespace");
        services += strcmp(ns, "default") == 0 || strcmp(ns, "gen-0000") == 0;
    }
    cJSON_Delete(dump);
    CHECK_INT("services of these namespaces only", objects(&w, KIND_SERVICE), services);
    CHECK("Namespace objects of these only",
          objects(&w, KIND_NAMESPACE) >= 1 && objects(&w, KIND_NAMESPACE) <= 2);
    lab_do(&w.lab, "/load",
           "{\"apiVersion\":\"networking.k8s.io/"
           "v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"fresh\",\"namespace\":"
           "\"default\"},\"spec\":{\"podSelector\":{}}}");
    run_for(&w.loop, 200);
    CHECK("they are watched",
          cluster_find(w.cluster, KIND_NETWORK_POLICY, "default", "fresh") != NULL);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(names[i], sizeof(names[i]), "n%u", i);
        many[i] = names[i];
    }
    CHECK_INT("sixty are refused",
              informer_create(&none, &w.loop, w.credentials, w.cluster, &wrong, NULL, &err),
              NA_ELIMIT);
    CHECK("with a clear sentence", strstr(err.text, "watch the whole cluster") != NULL);
    many[0] = "Not_A_Name";
    wrong.namespace_count = 1;
    CHECK_INT("a name that is none",
              informer_create(&none, &w.loop, w.credentials, w.cluster, &wrong, NULL, &err),
              NA_EINVAL);
    world_close(&w);
}

TEST(a_storm_is_followed)
{
    WORLD(w, &defaults, "--seed", "1", "--namespaces", "4", "--pods", "500", "--networkpolicies",
          "50");
    REQUIRE("it syncs", run_until(&w.loop, is_synced, &w, 10000));
    lab_do(&w.lab, "/churn",
           "{\"kind\":\"pods\",\"rate\":3000,\"seconds\":2,\"mode\":\"replace\"}");
    lab_do(&w.lab, "/churn",
           "{\"kind\":\"networkpolicies\",\"rate\":1000,\"seconds\":2,\"mode\":\"replace\"}");
    run_for(&w.loop, 1000);
    lab_do(&w.lab, "/connections", "{\"action\":\"rst\",\"verb\":\"watch\"}");
    run_for(&w.loop, 1500);
    CHECK("and after it the cache is the truth", converges(&w, 10000));
    world_close(&w);
}

/* ---- a long list goes into the cache in slices ---- */

enum { LONG_LIST = 20000 }; /* far more than goes in at once (2,048), and than one slice can take */

static bool is_swapping(void *ctx)
{
    return cluster_swapping(((struct world *)ctx)->cluster);
}

static bool is_swapped(void *ctx)
{
    return !is_swapping(ctx);
}

static const struct object *cached(const struct world *w, const cJSON *item)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(item, "metadata");

    return cluster_find(w->cluster, KIND_NETWORK_POLICY, text_at(meta, "namespace"),
                        text_at(meta, "name"));
}

/* The next policy of the dump from *at on that is, or is not, in the cache yet. */
static cJSON *next_policy(const struct world *w, cJSON **at, bool in_cache)
{
    for (; *at != NULL; *at = (*at)->next) {
        cJSON *item = *at;

        if (strcmp(text_at(item, "kind"), "NetworkPolicy") == 0 &&
            (cached(w, item) != NULL) == in_cache) {
            *at = item->next;
            return item;
        }
    }
    return NULL;
}

static void change_policy(const struct world *w, const cJSON *item)
{
    cJSON *copy = cJSON_Duplicate(item, true);
    cJSON *meta = cJSON_GetObjectItemCaseSensitive(copy, "metadata"),
          *labels = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(labels, "written", "meanwhile");
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "labels");
    cJSON_AddItemToObject(meta, "labels", labels);
    text = cJSON_PrintUnformatted(copy);
    lab_do(&w->lab, "/load", text);
    cJSON_free(text);
    cJSON_Delete(copy);
}

static void delete_policy(const struct world *w, const cJSON *item)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(item, "metadata");
    char *body = xasprintf("{\"kind\":\"networkpolicies\",\"namespace\":\"%s\",\"name\":\"%s\"}",
                           text_at(meta, "namespace"), text_at(meta, "name"));

    lab_do(&w->lab, "/delete", body);
    free(body);
}

static bool is_changed(const struct world *w, const cJSON *item)
{
    const struct object *obj = cached(w, item);

    return obj != NULL && label_set_has(obj->labels, "written", "meanwhile");
}

TEST(what_is_written_while_a_long_list_goes_in_wins_over_the_list)
{
    cJSON *dump, *early, *late, *changed[2], *deleted[2];

    WORLD(w, &defaults, "--seed", "1", "--namespaces", "5", "--networkpolicies", "20000");
    dump = lab_call(&w.lab, "GET", "/dump", "");
    early = late = cJSON_GetObjectItemCaseSensitive(dump, "items")->child;
    REQUIRE("it goes in by slices", run_until(&w.loop, is_swapping, &w, 60000));
    CHECK("and is not in at once", objects(&w, KIND_NETWORK_POLICY) < LONG_LIST);
    changed[0] = next_policy(&w, &early, true);
    deleted[0] = next_policy(&w, &early, true);
    changed[1] = next_policy(&w, &late, false);
    deleted[1] = next_policy(&w, &late, false);
    REQUIRE("some are in, some are not",
            changed[0] != NULL && deleted[0] != NULL && changed[1] != NULL && deleted[1] != NULL);
    for (int i = 0; i < 2; i++) {
        change_policy(&w, changed[i]);
        delete_policy(&w, deleted[i]);
    }
    REQUIRE("the rest goes in", run_until(&w.loop, is_swapped, &w, 60000));
    CHECK("and the cache is the truth", converges(&w, 20000));
    for (int i = 0; i < 2; i++) {
        CHECK("what changed is as it was written last", is_changed(&w, changed[i]));
        CHECK("what was deleted is gone", cached(&w, deleted[i]) == NULL);
    }
    CHECK_INT("all the others came", objects(&w, KIND_NETWORK_POLICY), LONG_LIST - 2);
    CHECK_INT("of one list", cluster_kind(w.cluster, KIND_NETWORK_POLICY)->relists, 0);
    cJSON_Delete(dump);
    world_close(&w);
}

TEST(stopping_and_destroying_at_any_time)
{
    for (unsigned ms = 0; ms < 60; ms += 3) {
        WORLD(w, &defaults, SMALL, "--tls");
        run_for(&w.loop, ms);
        if (ms % 2 == 0) {
            informer_stop(w.informer);
            run_for(&w.loop, 5);
        }
        world_close(&w);
    }
}

int main(void)
{
    log_setup(LOG_FORMAT_LOGFMT, getenv("DEBUG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    RUN_TESTS(cmocka_unit_test(a_cluster_is_mirrored_over_tls), cmocka_unit_test(changes_follow),
              cmocka_unit_test(C6_older_servers_are_listed_in_pages),
              cmocka_unit_test(C4_a_server_that_refuses_streaming_lists),
              cmocka_unit_test(first_lists_that_go_wrong), cmocka_unit_test(streams_that_go_wrong),
              cmocka_unit_test(D2_a_server_that_is_gone_for_a_while_costs_no_list),
              cmocka_unit_test(B7_history_lost_while_away_is_a_relist),
              cmocka_unit_test(B8_a_restored_server_is_believed),
              cmocka_unit_test(D7_a_kind_that_may_not_be_read),
              cmocka_unit_test(D8_a_kind_that_is_not_served),
              cmocka_unit_test(an_older_version_is_watched_until_it_goes),
              cmocka_unit_test(D6_R14_a_token_that_rotates),
              cmocka_unit_test(I5_E16_certificates_and_server_names),
              cmocka_unit_test(I7_a_plugin_end_to_end),
              cmocka_unit_test(F5_secrets_are_seen_as_metadata),
              cmocka_unit_test(G3_namespaced_mode), cmocka_unit_test(a_storm_is_followed),
              cmocka_unit_test(what_is_written_while_a_long_list_goes_in_wins_over_the_list),
              cmocka_unit_test(stopping_and_destroying_at_any_time));
}
