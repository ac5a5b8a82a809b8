/* Command line, start and end of the fake API server. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "churn.h"
#include "commit.h"
#include "control.h"
#include "exchange.h"
#include "files.h"
#include "generate.h"
#include "load.h"
#include "log.h"

#define TICK_MS       5
#define TICK_CHURN_MS 1
#define LOADS_MAX     32

struct options {
    char listen[80], control[80];
    int listen_port, control_port;
    const char *kubeconfig, *client_cert, *client_key;
    const char *loads[LOADS_MAX];
    size_t load_count;
    uint64_t rv, window;
    bool empty, die_with_parent;
    struct seed seed;
};

enum option_id {
    OPT_LISTEN = 1000,
    OPT_CONTROL,
    OPT_TLS,
    OPT_CA_OUT,
    OPT_CLIENT_CERT,
    OPT_CLIENT_KEY,
    OPT_KUBECONFIG,
    OPT_TOKEN,
    OPT_WINDOW,
    OPT_BOOKMARK,
    OPT_WATCH_LIST,
    OPT_REQUEST_TIMEOUT,
    OPT_MIN_TIMEOUT,
    OPT_TOKEN_TTL,
    OPT_GIT_VERSION,
    OPT_RV,
    OPT_EMPTY,
    OPT_LOAD,
    OPT_DIE,
    OPT_VERBOSE,
    OPT_NO_MANAGED,
    OPT_SEED,
    OPT_NAMESPACES,
    OPT_PODS,
    OPT_SERVICES,
    OPT_POLICIES,
    OPT_INGRESSES,
    OPT_DEPLOYMENTS,
    OPT_SECRETS,
    OPT_POD_BYTES,
    OPT_HELP
};

static const struct option long_options[] = {
    { "listen", 1, NULL, OPT_LISTEN },
    { "control", 1, NULL, OPT_CONTROL },
    { "tls", 0, NULL, OPT_TLS },
    { "ca-out", 1, NULL, OPT_CA_OUT },
    { "client-cert-out", 1, NULL, OPT_CLIENT_CERT },
    { "client-key-out", 1, NULL, OPT_CLIENT_KEY },
    { "kubeconfig-out", 1, NULL, OPT_KUBECONFIG },
    { "token", 1, NULL, OPT_TOKEN },
    { "window", 1, NULL, OPT_WINDOW },
    { "bookmark-interval-ms", 1, NULL, OPT_BOOKMARK },
    { "watch-list", 1, NULL, OPT_WATCH_LIST },
    { "request-timeout-ms", 1, NULL, OPT_REQUEST_TIMEOUT },
    { "min-request-timeout-s", 1, NULL, OPT_MIN_TIMEOUT },
    { "token-ttl-ms", 1, NULL, OPT_TOKEN_TTL },
    { "git-version", 1, NULL, OPT_GIT_VERSION },
    { "rv", 1, NULL, OPT_RV },
    { "empty", 0, NULL, OPT_EMPTY },
    { "load", 1, NULL, OPT_LOAD },
    { "die-with-parent", 0, NULL, OPT_DIE },
    { "verbose", 0, NULL, OPT_VERBOSE },
    { "no-managed-fields", 0, NULL, OPT_NO_MANAGED },
    { "seed", 1, NULL, OPT_SEED },
    { "namespaces", 1, NULL, OPT_NAMESPACES },
    { "pods", 1, NULL, OPT_PODS },
    { "services", 1, NULL, OPT_SERVICES },
    { "networkpolicies", 1, NULL, OPT_POLICIES },
    { "ingresses", 1, NULL, OPT_INGRESSES },
    { "deployments", 1, NULL, OPT_DEPLOYMENTS },
    { "secrets", 1, NULL, OPT_SECRETS },
    { "pod-bytes", 1, NULL, OPT_POD_BYTES },
    { "help", 0, NULL, OPT_HELP },
    { 0 },
};

static bool parse_address(const char *text, char host[80], int *port)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    uint64_t p;

    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (colon == NULL || n == 0 || n >= 64 || !parse_u64(colon + 1, &p) || p > 65535) {
        return false;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    *port = (int)p;
    return true;
}

/* Where a numeric option goes; NULL: it is none. */
static uint64_t *number_slot(struct fake *f, struct options *o, int opt)
{
    switch (opt) {
    case OPT_WINDOW:
        return &o->window;
    case OPT_RV:
        return &o->rv;
    case OPT_BOOKMARK:
        return &f->settings.bookmark_interval_ms;
    case OPT_REQUEST_TIMEOUT:
        return &f->settings.request_timeout_ms;
    case OPT_MIN_TIMEOUT:
        return &f->settings.min_request_timeout_s;
    case OPT_TOKEN_TTL:
        return &f->settings.token_ttl_ms;
    case OPT_SEED:
        return &o->seed.seed;
    default:
        return NULL;
    }
}

static size_t *count_slot(struct options *o, int opt)
{
    switch (opt) {
    case OPT_NAMESPACES:
        return &o->seed.namespaces;
    case OPT_PODS:
        return &o->seed.pods;
    case OPT_SERVICES:
        return &o->seed.services;
    case OPT_POLICIES:
        return &o->seed.networkpolicies;
    case OPT_INGRESSES:
        return &o->seed.ingresses;
    case OPT_DEPLOYMENTS:
        return &o->seed.deployments;
    case OPT_SECRETS:
        return &o->seed.secrets;
    case OPT_POD_BYTES:
        return &o->seed.pod_bytes;
    default:
        return NULL;
    }
}

static bool set_text_option(struct fake *f, struct options *o, int opt, const char *arg)
{
    static const char *const modes[] = { "on", "off", "ignore" };

    switch (opt) {
    case OPT_LISTEN:
        return parse_address(arg, o->listen, &o->listen_port);
    case OPT_CONTROL:
        return parse_address(arg, o->control, &o->control_port);
    case OPT_CA_OUT:
        free(f->ca_file);
        f->ca_file = xstrdup(arg);
        f->use_tls = true;
        return true;
    case OPT_CLIENT_CERT:
        o->client_cert = arg;
        return true;
    case OPT_CLIENT_KEY:
        o->client_key = arg;
        return true;
    case OPT_KUBECONFIG:
        o->kubeconfig = arg;
        return true;
    case OPT_TOKEN:
        return fake_add_token(f, arg);
    case OPT_GIT_VERSION:
        free(f->settings.git_version);
        f->settings.git_version = xstrdup(arg);
        return true;
    case OPT_LOAD:
        if (o->load_count < LOADS_MAX) {
            o->loads[o->load_count++] = arg;
            return true;
        }
        return false;
    case OPT_WATCH_LIST:
        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
            if (strcmp(modes[i], arg) == 0) {
                f->settings.watch_list = (enum watch_list_mode)i;
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static bool parse_options(struct fake *f, struct options *o, int argc, char **argv)
{
    int opt, index = 0;

    while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        uint64_t *number = number_slot(f, o, opt);
        size_t *count = count_slot(o, opt);
        uint64_t n;
        bool ok = true;

        if (number != NULL || count != NULL) {
            ok = parse_u64(optarg, &n) && (count == NULL || n <= 10000000);
            if (ok && number != NULL) {
                *number = n;
            } else if (ok) {
                *count = (size_t)n;
            }
        } else if (opt == OPT_TLS) {
            f->use_tls = true;
        } else if (opt == OPT_EMPTY) {
            o->empty = true;
        } else if (opt == OPT_DIE) {
            o->die_with_parent = true;
        } else if (opt == OPT_VERBOSE) {
            f->settings.verbose = true;
        } else if (opt == OPT_NO_MANAGED) {
            o->seed.managed_fields = false;
        } else if (opt == OPT_HELP || opt == '?') {
            fprintf(stderr,
                    "usage: fake_apiserver [options]; tests/fake_apiserver/README.md lists them\n");
            return false;
        } else {
            ok = set_text_option(f, o, opt, optarg);
        }
        if (!ok) {
            fprintf(stderr, "fake_apiserver: --%s: bad value '%s'\n", long_options[index].name,
                    optarg != NULL ? optarg : "");
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "fake_apiserver: unexpected argument '%s'\n", argv[optind]);
        return false;
    }
    return true;
}

static void bootstrap(struct fake *f)
{
    static const char *const names[] = { "default", "kube-node-lease", "kube-public",
                                         "kube-system" };
    static const char service[] =
        "{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\",\"labels\":{"
        "\"component\":"
        "\"apiserver\",\"provider\":\"kubernetes\"}},\"spec\":{\"type\":\"ClusterIP\","
        "\"clusterIP\":"
        "\"10.96.0.1\",\"ports\":[{\"name\":\"https\",\"port\":443,\"targetPort\":6443}]}}";
    struct writer w = { .manager = "kube-apiserver", .operation = "Update", .defaults = true };
    cJSON *root = cJSON_Parse(service);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        commit_namespace(f, names[i]);
    }
    f->cluster_ip = 1;
    commit_create(f, kind_by_path("", "v1", "services"), root, &w);
    cJSON_Delete(root);
}

static void on_commit(void *ctx, const struct kind *kind)
{
    struct fake *f = ctx;

    f->dirty[kind->index] = true;
    f->pump_wanted = true;
}

/* Before the loop sleeps: tell the watches of what was committed since. */
static void on_prepare(uv_prepare_t *h)
{
    struct fake *f = h->data;
    struct exchange *next;

    if (!f->pump_wanted) {
        return;
    }
    f->pump_wanted = false;
    for (struct exchange *x = f->exchanges; x != NULL; x = next) {
        next = x->next;
        if (x->live && x->started && f->dirty[x->route.kind->index]) {
            http_kick(x->conn);
        }
    }
    memset(f->dirty, 0, sizeof(f->dirty));
}

static void on_tick(uv_timer_t *h)
{
    struct fake *f = h->data;
    uint64_t now = fake_now(f);
    struct exchange *next;

    churn_tick(f);
    faults_tick(f, now);
    for (struct exchange *x = f->exchanges; x != NULL; x = next) {
        next = x->next;
        if (x->tick != NULL) {
            x->tick(x, now);
        }
    }
    http_tick(&f->api);
    if (f->listen_again_at != 0 && now >= f->listen_again_at) {
        f->listen_again_at = 0;
        http_listen(&f->api, f->loop, f->api.host, f->api.port);
    }
    if (f->stopping) {
        uv_stop(f->loop);
    }
    uv_timer_set_repeat(h, f->churns != NULL ? TICK_CHURN_MS : TICK_MS);
}

static void on_signal(uv_signal_t *h, int signum)
{
    (void)signum;
    uv_stop(h->loop);
}

static void on_stdin_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
    static char sink[256];

    (void)h;
    (void)want;
    *b = uv_buf_init(sink, sizeof(sink));
}

static void on_stdin(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    (void)b;
    if (n < 0) {
        uv_stop(s->loop);
    }
}

struct handles {
    uv_signal_t sigterm, sigint;
    uv_pipe_t in;
};

static void start_handles(struct fake *f, struct handles *h, const struct options *o)
{
    struct stat st;

    uv_timer_init(f->loop, &f->ticker);
    f->ticker.data = f;
    uv_timer_start(&f->ticker, on_tick, TICK_MS, TICK_MS);
    uv_prepare_init(f->loop, &f->prepare);
    f->prepare.data = f;
    uv_prepare_start(&f->prepare, on_prepare);
    uv_signal_init(f->loop, &h->sigterm);
    uv_signal_start(&h->sigterm, on_signal, SIGTERM);
    uv_signal_init(f->loop, &h->sigint);
    uv_signal_start(&h->sigint, on_signal, SIGINT);
    if (!o->die_with_parent) {
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* A closed pipe says that whoever held it is gone; /dev/null and files say nothing. */
    if (fstat(0, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
        uv_pipe_init(f->loop, &h->in, 0);
        if (uv_pipe_open(&h->in, 0) == 0) {
            uv_read_start((uv_stream_t *)&h->in, on_stdin_alloc, on_stdin);
        }
    }
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "fake_apiserver: %s: %s\n", what, why);
    return 1;
}

static int load_files(struct fake *f, const struct options *o)
{
    for (size_t i = 0; i < o->load_count; i++) {
        struct buf text = { 0 };
        struct buf why = { 0 };
        struct loaded n;
        bool read = read_file(o->loads[i], &text);
        int rc = read ? load(f, text.data, text.len, true, false, &n, &why) : -1;

        if (rc != 0) {
            fail(o->loads[i], read ? buf_cstr(&why) : strerror(errno));
        }
        buf_free(&text);
        buf_free(&why);
        if (rc != 0) {
            return 1;
        }
    }
    return 0;
}

static int start(struct fake *f, struct options *o)
{
    int rc;

    store_init(&f->store, o->rv, (size_t)o->window);
    if (!o->empty) {
        bootstrap(f);
    }
    f->store.committed = on_commit;
    f->store.ctx = f;
    if (load_files(f, o) != 0) {
        return 1;
    }
    generate(f, &o->seed);
    if (f->use_tls) {
        if (!tls_ca_init(&f->ca) ||
            (f->api.tls = tls_server(&f->ca, LEAF_GOOD, o->listen)) == NULL) {
            return fail("TLS", "cannot make certificates");
        }
        if (f->ca_file != NULL && !write_ca(f)) {
            return fail(f->ca_file, strerror(errno));
        }
        if (o->client_cert != NULL && o->client_key != NULL &&
            !write_client_cert(f, o->client_cert, o->client_key)) {
            return fail(o->client_cert, strerror(errno));
        }
    }
    f->api.request = api_request;
    f->api.ctx = f;
    f->control.request = control_request;
    f->control.ctx = f;
    rc = http_listen(&f->api, f->loop, o->listen, o->listen_port);
    if (rc == 0) {
        rc = http_listen(&f->control, f->loop, o->control, o->control_port);
    }
    if (rc != 0) {
        return fail("listen", uv_strerror(rc));
    }
    if (o->kubeconfig != NULL && !write_kubeconfig(f, o->kubeconfig)) {
        return fail(o->kubeconfig, strerror(errno));
    }
    return 0;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) {
        uv_close(h, NULL);
    }
}

static void stop(struct fake *f)
{
    http_unlisten(&f->api);
    http_unlisten(&f->control);
    http_close_all(&f->api, TRANSPORT_CLOSE, END_RESTART);
    http_close_all(&f->control, TRANSPORT_CLOSE, END_RESTART);
    uv_walk(f->loop, close_handle, NULL);
    uv_run(f->loop, UV_RUN_DEFAULT);
    uv_loop_close(f->loop);
    churn_deinit(f);
    faults_deinit(f);
    log_deinit(f);
    store_deinit(&f->store);
    generate_deinit();
    kinds_deinit();
    SSL_CTX_free(f->api.tls);
    tls_ca_deinit(&f->ca);
    while (f->token_count > 0) {
        fake_revoke_token(f, f->tokens[0].secret);
    }
    free(f->tokens);
    free(f->ca_file);
    free(f->settings.git_version);
}

int main(int argc, char **argv)
{
    static struct fake f;
    struct options o = { .listen = "127.0.0.1",
                         .control = "127.0.0.1",
                         .rv = 1000,
                         .window = 100000,
                         .seed = SEED_DEFAULT };
    struct handles h;
    int rc;

    signal(SIGPIPE, SIG_IGN);
    f.loop = uv_default_loop();
    f.settings = (struct settings){ .bookmark_interval_ms = 60000,
                                    .request_timeout_ms = 60000,
                                    .min_request_timeout_s = 1800,
                                    .token_ttl_ms = 300000,
                                    .git_version = xstrdup("v1.36.3") };
    if (!parse_options(&f, &o, argc, argv)) {
        return 2;
    }
    f.random = o.seed.seed;
    kinds_init();
    log_init(&f);
    rc = start(&f, &o);
    if (rc == 0) {
        bool six = strchr(f.api.host, ':') != NULL;

        start_handles(&f, &h, &o);
        printf("api=%s://%s%s%s:%d control=http://%s:%d\n", f.use_tls ? "https" : "http",
               six ? "[" : "", f.api.host, six ? "]" : "", f.api.port, f.control.host,
               f.control.port);
        fflush(stdout);
        uv_run(f.loop, UV_RUN_DEFAULT);
    }
    stop(&f);
    return rc;
}
