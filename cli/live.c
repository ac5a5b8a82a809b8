/* --live: every kind is listed once, then the connection ends. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "base/clock.h"
#include "cli/input.h"
#include "watchers/informer.h"

enum { LIVE_TIMEOUT_MS = 120000, PROGRESS_MS = 200 };

struct live {
    const struct cli *cli;
    uv_loop_t loop;
    uv_timer_t timer;
    struct cluster *cluster;
    struct informer *informer;
    uint64_t give_up_ms;
    bool synced, told;
};

static void on_first_sync(void *ctx)
{
    struct live *l = ctx;

    l->synced = true;
    informer_stop(l->informer);
    uv_stop(&l->loop);
}

/* The first thing that keeps a required kind from being listed. */
static const char *obstacle(const struct cluster *c, char *out, size_t size)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_status *s = cluster_kind(c, (enum kind)k);
        if (kind_table[k].watch == KIND_WATCH_REQUIRED && !s->synced_once && s->reason[0] != '\0') {
            snprintf(out, size, "%s: %s", kind_table[k].plural, s->reason);
            return out;
        }
    }
    return "the API server does not answer";
}

static void on_timer(uv_timer_t *timer)
{
    struct live *l = timer->data;
    uint64_t objects = 0;

    if (clock_mono_ms() >= l->give_up_ms) {
        uv_stop(&l->loop);
        return;
    }
    for (int k = 0; k < KIND_COUNT; k++) {
        objects += cluster_kind(l->cluster, (enum kind)k)->objects;
    }
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[Klisting the cluster: %llu objects", (unsigned long long)objects);
        l->told = true;
    }
}

static int list_cluster(struct live *l, struct error *err)
{
    const struct credentials_settings who = { .kubeconfig = l->cli->kubeconfig,
                                              .context = l->cli->context };
    const struct informer_options options = { .watch_list = INFORMER_WATCH_LIST_OFF };
    const struct informer_callbacks callbacks = { .ctx = l, .on_first_sync = on_first_sync };
    struct credentials *credentials = NULL;
    int rc;

    uv_loop_init(&l->loop);
    uv_timer_init(&l->loop, &l->timer);
    l->timer.data = l;
    l->give_up_ms = clock_mono_ms() + LIVE_TIMEOUT_MS;
    rc = credentials_load(&credentials, &l->loop, &who, err);
    if (rc == 0) {
        rc = informer_create(&l->informer, &l->loop, credentials, l->cluster, &options, &callbacks,
                             err);
    }
    if (rc == 0) {
        informer_start(l->informer);
        uv_timer_start(&l->timer, on_timer, PROGRESS_MS, PROGRESS_MS);
        uv_run(&l->loop, UV_RUN_DEFAULT);
    }
    if (rc == 0 && !l->synced) {
        char why[512];
        rc = error_set(err, NA_EIO, "%s: %s", credentials_server(credentials),
                       obstacle(l->cluster, why, sizeof(why)));
    }
    informer_destroy(l->informer);
    credentials_destroy(credentials);
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    uv_loop_close(&l->loop);
    return rc;
}

/* What may not be listed cannot be taken for absent: without pods, namespaces or a family of
 * policies that is there, paths would look open. Other kinds are only said. */
static int check_kinds(const struct cli *cli, const struct cluster *c, struct error *err)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_status *s = cluster_kind(c, (enum kind)k);
        struct error said = { 0 };
        if (s->state != KIND_STATE_FORBIDDEN) {
            continue;
        }
        error_set(&said, NA_EAUTH, "may not list %s: %s", kind_table[k].plural, s->reason);
        if (k == KIND_POD || k == KIND_NAMESPACE || k == KIND_NETWORK_POLICY ||
            kind_is_policy((enum kind)k)) {
            *err = said;
            return NA_EAUTH;
        }
        fprintf(stderr, "netaudit: %s: warning: %s; the answer is without them\n", cli->verb->name,
                said.text);
    }
    return 0;
}

int cli_input_live(const struct cli *cli, struct cli_input *in)
{
    struct live l = { .cli = cli };
    struct error err = { 0 };
    int rc;

    in->cluster = cluster_create();
    l.cluster = in->cluster;
    rc = list_cluster(&l, &err);
    rc = rc != 0 ? rc : check_kinds(cli, in->cluster, &err);
    if (l.told) {
        fprintf(stderr, "\r\033[K");
    }
    if (rc != 0) {
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    }
    in->memo = reach_memo_create(in->cluster, ruleset_reach_options(in->ruleset));
    return 0;
}
