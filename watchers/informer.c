/* The server's version first (it tells whether streaming lists may be tried), then the kinds one
 * after another, each when the one before has had its first answer or a moment has passed: eleven
 * lists at once would take a small API server's whole share of the low-priority level. Pods come
 * last. From then on every reflector goes its own way, and what is left to do here is to sum up
 * what they say about their kind. */
#include "watchers/informer_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/vec.h"

#ifndef NETAUDITD_COMMIT
#define NETAUDITD_COMMIT "unknown"
#endif

enum {
    WATCH_TIMEOUT_MS = 5 * 60 * 1000,
    STALE_AFTER_MS = 10 * 60 * 1000,
    STAGGER_MIN_MS = 50, /* to the next kind's first list, when this one has no answer yet */
    STAGGER_SPREAD_MS = 200,
    VERSION_RETRY_MAX_MS = 30000,
    VERSION_STREAMS_MINOR = 34 /* streaming lists are on by default since 1.34 */
};

/* Small and selective first. */
static const enum kind start_order[] = { KIND_NAMESPACE,
                                         KIND_INGRESS_CLASS,
                                         KIND_NETWORK_POLICY,
                                         KIND_SERVICE,
                                         KIND_INGRESS,
                                         KIND_DEPLOYMENT,
                                         KIND_STATEFUL_SET,
                                         KIND_DAEMON_SET,
                                         KIND_CRON_JOB,
                                         KIND_SECRET,
                                         KIND_CLUSTER_NETWORK_POLICY,
                                         KIND_ADMIN_NETWORK_POLICY,
                                         KIND_BASELINE_ADMIN_NETWORK_POLICY,
                                         KIND_CILIUM_NETWORK_POLICY,
                                         KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY,
                                         KIND_PEER_AUTHENTICATION,
                                         KIND_POD };

static uint64_t next_random(struct informer *inf)
{
    inf->random = hash_mix(inf->random, uv_hrtime());
    return inf->random;
}

/* ---- what a kind's reflectors say ---- */

/* The state that must not be hidden by another namespace's. */
static unsigned gravity(enum kind_state state)
{
    switch (state) {
    case KIND_STATE_PENDING:
        return 5; /* nothing may be judged before every namespace has had its first answer */
    case KIND_STATE_FORBIDDEN:
        return 4;
    case KIND_STATE_STALE:
        return 3;
    case KIND_STATE_ABSENT:
        return 2;
    default:
        return 1;
    }
}

/* State, age and version of a kind as its reflectors have them. */
static void sum_up(struct informer *inf, enum kind kind)
{
    struct kind_status *status = cluster_kind_status(inf->cluster, kind);
    const struct reflector *worst = NULL;
    int64_t alive_ms = INT64_MAX;
    uint64_t relists = 0;
    char reason[sizeof(status->reason)];
    enum kind_state state;

    for (size_t i = 0; i < inf->reflectors.len; i++) {
        const struct reflector *r = inf->reflectors.items[i];
        const struct reflector_machine *m = reflector_machine(r);
        bool comparable;

        if (reflector_row(r)->kind != kind) {
            continue;
        }
        relists += m->relists;
        alive_ms = reflector_alive_ms(r) < alive_ms ? reflector_alive_ms(r) : alive_ms;
        if (worst == NULL || gravity(m->state) > gravity(reflector_machine(worst)->state)) {
            worst = r;
        }
        /* Versions of all namespaces come from one counter: the newest is what we have seen. With a
         * single reflector it is that one's, which may have gone back. */
        if (inf->namespace_count <= 1 ||
            resource_version_compare(m->resource_version, status->resource_version, &comparable) >
                0) {
            snprintf(status->resource_version, sizeof(status->resource_version), "%s",
                     m->resource_version);
        }
    }
    status->relists = relists;
    status->alive_ms = alive_ms == INT64_MAX ? 0 : alive_ms;
    state = reflector_machine(worst)->state;
    snprintf(reason, sizeof(reason), "%s%s%s",
             reflector_ns(worst) != NULL && reflector_machine(worst)->reason[0] != '\0'
                 ? reflector_ns(worst)
                 : "",
             reflector_ns(worst) != NULL && reflector_machine(worst)->reason[0] != '\0' ? ": " : "",
             reflector_machine(worst)->reason);
    if (state != status->state || strcmp(reason, status->reason) != 0) {
        cluster_set_kind_state(inf->cluster, kind, state, reason, clock_wall_ms());
    }
}

static bool had_first_answer(const struct reflector *r)
{
    return reflector_machine(r)->state != KIND_STATE_PENDING;
}

static void on_moved(void *ctx, struct reflector *r)
{
    struct informer *inf = ctx;

    sum_up(inf, reflector_row(r)->kind);
    if (inf->phase == INFORMER_RUNNING && inf->started > 0 &&
        inf->reflectors.items[inf->started - 1] == r && had_first_answer(r)) {
        informer_start_next(inf);
    }
    if (inf->callbacks.on_activity != NULL) {
        inf->callbacks.on_activity(inf->callbacks.ctx);
    }
    if (!inf->synced_told && inf->phase == INFORMER_RUNNING &&
        inf->started == inf->reflectors.len && cluster_synced(inf->cluster) &&
        !cluster_swapping(inf->cluster)) {
        inf->synced_told = true;
        if (inf->callbacks.on_first_sync != NULL) {
            inf->callbacks.on_first_sync(inf->callbacks.ctx);
        }
    }
}

/* ---- starting ---- */

static void on_stagger(uv_timer_t *timer)
{
    informer_start_next(timer->data);
}

void informer_start_next(struct informer *inf)
{
    if (inf->phase != INFORMER_RUNNING || inf->started == inf->reflectors.len) {
        return;
    }
    reflector_start(inf->reflectors.items[inf->started++]);
    if (inf->started < inf->reflectors.len) {
        uv_timer_start(&inf->timer, on_stagger,
                       STAGGER_MIN_MS + next_random(inf) % STAGGER_SPREAD_MS, 0);
    }
}

/* An object that another namespace's or type's answer slipped in, or that nobody asked for. */
static bool wanted(void *ctx, const struct object *obj)
{
    const struct informer *inf = ctx;

    if (obj->kind == KIND_SECRET) {
        const struct secret *secret = (const struct secret *)obj;

        return secret->type == NULL || strcmp(secret->type->text, "kubernetes.io/tls") == 0;
    }
    if (obj->kind != KIND_NAMESPACE || inf->namespace_count == 0) {
        return true;
    }
    for (size_t i = 0; i < inf->namespace_count; i++) {
        if (strcmp(inf->namespaces[i], obj->name->text) == 0) {
            return true;
        }
    }
    return false;
}

static const char *selector_of(enum kind kind)
{
    switch (kind) {
    case KIND_POD: /* finished ones are thousands, and no traffic's */
        return "status.phase!=Succeeded,status.phase!=Failed";
    case KIND_SECRET:
        return "type=kubernetes.io/tls";
    default:
        return NULL;
    }
}

/* The older version only where discovery shows it alone. */
static const char *version_of(const struct informer *inf, const struct kind_row *row)
{
    bool only_older = inf->discovered && (inf->discovery.served_own & BIT(row->kind)) == 0 &&
                      (inf->discovery.served_older & BIT(row->kind)) != 0;

    return only_older ? kind_older_version(row) : row->version;
}

static void add_reflector(struct informer *inf, const struct kind_row *row, const char *ns,
                          bool stream)
{
    const struct reflector_hooks hooks = { .ctx = inf, .moved = on_moved, .wanted = wanted };
    const struct reflector_options options = {
        .row = row,
        .version = version_of(inf, row),
        .ns = ns,
        .metadata_only = row->kind == KIND_SECRET,
        .field_selector = selector_of(row->kind),
        .machine = { .seed = next_random(inf),
                     .stream = stream,
                     .always_served = row->group[0] == '\0',
                     .watch_timeout_ms = inf->options.watch_timeout_ms,
                     .stale_after_ms = inf->options.stale_after_ms,
                     .known_version = inf->resume_versions[row->kind] },
    };

    vec_push(&inf->reflectors,
             reflector_create(inf->loop, inf->client, inf->cluster, &options, &hooks));
}

void informer_add_kind(struct informer *inf, const struct kind_row *row)
{
    if (row->watch == KIND_WATCH_SERVED) {
        cluster_set_kind_state(inf->cluster, row->kind, KIND_STATE_PENDING, "", clock_wall_ms());
    }
    if (!row->namespaced || inf->namespace_count == 0) {
        add_reflector(inf, row, NULL, inf->stream);
    }
    for (size_t n = 0; row->namespaced && n < inf->namespace_count; n++) {
        add_reflector(inf, row, inf->namespaces[n], inf->stream);
    }
}

static bool version_streams(const char *version)
{
    unsigned major = 0, minor = 0;

    return sscanf(version, "v%u.%u", &major, &minor) == 2 &&
           (major > 1 || (major == 1 && minor >= VERSION_STREAMS_MINOR));
}

void informer_start_kinds(struct informer *inf)
{
    bool stream = inf->options.watch_list == INFORMER_WATCH_LIST_ON ||
                  (inf->options.watch_list == INFORMER_WATCH_LIST_AUTO &&
                   version_streams(inf->server_version));

    inf->phase = INFORMER_RUNNING;
    inf->stream = stream;
    for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
        const struct kind_row *row = &kind_table[start_order[i]];

        if ((inf->kinds & BIT(row->kind)) != 0 && informer_serves(inf, row)) {
            informer_add_kind(inf, row);
        }
    }
    log_event(LOG_LEVEL_INFO, "watchers", "watching",
              KV_TEXT("server", credentials_server(inf->credentials)),
              KV_TEXT("version", inf->server_version),
              KV_TEXT("credentials", credentials_source(inf->credentials)),
              KV_TEXT("lists", stream ? "streamed" : "paged"));
    informer_start_next(inf);
}

/* ---- the server's version ---- */

static void ask_version(struct informer *inf);

static void on_version_timer(uv_timer_t *timer)
{
    ask_version(timer->data);
}

/* Nothing else would work now either. The kinds wait, and say why. */
static void version_later(struct informer *inf, const char *why)
{
    uint64_t delay = inf->version_delay_ms;

    for (int k = 0; k < KIND_COUNT; k++) {
        if ((inf->kinds & BIT(k)) && kind_table[k].watch != KIND_WATCH_SERVED) {
            cluster_set_kind_state(inf->cluster, (enum kind)k, KIND_STATE_PENDING, why,
                                   clock_wall_ms());
        }
    }
    inf->version_delay_ms =
        delay * 2 < VERSION_RETRY_MAX_MS ? delay * 2 : (uint64_t)VERSION_RETRY_MAX_MS;
    uv_timer_start(&inf->timer, on_version_timer, delay + next_random(inf) % delay, 0);
    if (inf->callbacks.on_activity != NULL) {
        inf->callbacks.on_activity(inf->callbacks.ctx);
    }
}

static void tell_version_trouble(struct informer *inf, const char *why)
{
    log_event(inf->version_told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "watchers", "trouble",
              KV_TEXT("resource", "/version"), KV_TEXT("error", why),
              KV_TEXT("next", "asked again after a pause"));
    inf->version_told = true;
}

static void read_version(struct informer *inf)
{
    const struct kube_get *get = &inf->version;
    cJSON *tree = cJSON_ParseWithLength(buf_text(&get->body), get->body.len);
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(tree, "gitVersion");

    if (cJSON_IsString(node)) {
        text_escape_control(inf->server_version, sizeof(inf->server_version), node->valuestring,
                            strlen(node->valuestring));
    }
    cJSON_Delete(tree);
}

static void on_version(struct kube_get *get, int status)
{
    struct informer *inf = get->data;
    int code = get->req.http.http_status;
    char why[sizeof(((struct kind_status *)0)->reason)];

    if (status != 0) {
        snprintf(why, sizeof(why), "%s", get->req.http.error.text);
        if (status != NA_EUNREACH) { /* that is told once for all kinds, by kube_client */
            tell_version_trouble(inf, why);
        }
        version_later(inf, why);
    } else if (code == 401 || code == 429 || code >= 500) {
        snprintf(why, sizeof(why), "%d %s", code, get->status.message);
        tell_version_trouble(inf, why);
        version_later(inf, why);
    } else {
        if (code == 200) {
            read_version(inf); /* others are not told their server's version: the safe way then */
        }
        informer_ask_groups(inf);
    }
}

static void ask_version(struct informer *inf)
{
    inf->version.data = inf;
    kube_get(inf->client, &inf->version, "/version", on_version);
}

/* ---- creating ---- */

static const char *architecture(const char *machine)
{
    return strcmp(machine, "x86_64") == 0    ? "amd64"
           : strcmp(machine, "aarch64") == 0 ? "arm64"
                                             : machine;
}

static char *make_user_agent(void)
{
    struct utsname u;

    return xasprintf("netauditd/%s (linux/%s) %s", NETAUDITD_VERSION,
                     uname(&u) == 0 ? architecture(u.machine) : "unknown", NETAUDITD_COMMIT);
}

static bool namespace_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           name[0] != '-' && name[len - 1] != '-';
}

static int copy_namespaces(struct informer *inf, const struct informer_options *options,
                           struct error *err)
{
    if (options->namespace_count > INFORMER_MAX_NAMESPACES) {
        return error_set(
            err, NA_ELIMIT,
            "%zu namespaces: more than %d cannot be watched one by one; watch the whole "
            "cluster instead",
            options->namespace_count, INFORMER_MAX_NAMESPACES);
    }
    inf->namespaces = xcalloc(options->namespace_count + 1, sizeof(char *));
    for (size_t i = 0; i < options->namespace_count; i++) {
        const char *name = options->namespaces[i];
        bool twice = false;

        if (!namespace_name(name)) {
            return error_set(err, NA_EINVAL, "'%s' is no name of a namespace", name);
        }
        for (size_t n = 0; n < inf->namespace_count; n++) {
            twice = twice || strcmp(inf->namespaces[n], name) == 0;
        }
        if (!twice) {
            inf->namespaces[inf->namespace_count++] = xstrdup(name);
        }
    }
    return 0;
}

static unsigned chosen_kinds(const struct informer_options *options)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
        const struct kind_row *row = &kind_table[start_order[i]];

        if (row->watch == KIND_WATCH_CONFIGURED
                ? options->secrets
                : options->kinds == 0 || (options->kinds & BIT(row->kind)) != 0) {
            kinds |= BIT(row->kind);
        }
    }
    return kinds;
}

static void free_informer(struct informer *inf)
{
    for (size_t i = 0; i < inf->namespace_count; i++) {
        free(inf->namespaces[i]);
    }
    for (size_t k = 0; k < KIND_COUNT; k++) {
        free(inf->resume_versions[k]);
    }
    free(inf->namespaces);
    vec_free(&inf->reflectors);
    vec_free(&inf->unmodelled);
    free(inf);
}

int informer_create(struct informer **out, uv_loop_t *loop, struct credentials *credentials,
                    struct cluster *cluster, const struct informer_options *options,
                    const struct informer_callbacks *callbacks, struct error *err)
{
    struct informer *inf = xcalloc(1, sizeof(*inf));
    char *agent = options->user_agent != NULL ? xstrdup(options->user_agent) : make_user_agent();
    int rc = copy_namespaces(inf, options, err);

    if (rc == 0) {
        rc = kube_client_create(&inf->client, loop, credentials, agent, err);
    }
    free(agent);
    if (rc != 0) {
        free_informer(inf);
        return rc;
    }
    inf->loop = loop;
    inf->credentials = credentials;
    inf->cluster = cluster;
    inf->callbacks = callbacks != NULL ? *callbacks : (struct informer_callbacks){ 0 };
    inf->kinds = chosen_kinds(options);
    inf->options.watch_list = options->watch_list;
    inf->options.watch_timeout_ms =
        options->watch_timeout_ms > 0 ? options->watch_timeout_ms : WATCH_TIMEOUT_MS;
    inf->options.stale_after_ms =
        options->stale_after_ms > 0 ? options->stale_after_ms : STALE_AFTER_MS;
    inf->random = hash_mix(uv_hrtime(), (uint64_t)clock_wall_ms());
    inf->version_delay_ms = REFLECTOR_BACKOFF_MS;
    for (int k = 0; k < KIND_COUNT; k++) {
        const char *version = options->resume_versions[k];

        inf->resume_versions[k] = version != NULL ? xstrdup(version) : NULL;
        if (kind_table[k].watch != KIND_WATCH_NEVER) {
            cluster_set_kind_state(cluster, (enum kind)k,
                                   !(inf->kinds & BIT(k))                     ? KIND_STATE_OFF
                                   : kind_table[k].watch == KIND_WATCH_SERVED ? KIND_STATE_ABSENT
                                                                              : KIND_STATE_PENDING,
                                   "", clock_wall_ms());
        }
    }
    uv_timer_init(loop, &inf->timer);
    inf->timer.data = inf;
    *out = inf;
    return 0;
}

void informer_start(struct informer *inf)
{
    if (inf->phase == INFORMER_CREATED) {
        inf->phase = INFORMER_ASKING;
        ask_version(inf);
    }
}

void informer_stop(struct informer *inf)
{
    if (inf == NULL || inf->phase == INFORMER_STOPPED) {
        return;
    }
    inf->phase = INFORMER_STOPPED;
    uv_timer_stop(&inf->timer);
    kube_cancel(inf->client, &inf->version.req);
    kube_cancel(inf->client, &inf->groups.req);
    kube_cancel(inf->client, &inf->probe.req);
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        reflector_stop(inf->reflectors.items[i]);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free_informer(handle->data);
}

void informer_destroy(struct informer *inf)
{
    if (inf == NULL) {
        return;
    }
    informer_stop(inf);
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        reflector_destroy(inf->reflectors.items[i]);
    }
    inf->reflectors.len = 0;
    kube_get_deinit(inf->client, &inf->version);
    kube_get_deinit(inf->client, &inf->groups);
    kube_get_deinit(inf->client, &inf->probe);
    kube_client_destroy(inf->client);
    uv_close((uv_handle_t *)&inf->timer, on_closed);
}

void informer_refresh(struct informer *inf)
{
    if (inf->phase == INFORMER_RUNNING && inf->groups.req.http.transfer == NULL &&
        !inf->groups.req.queued) {
        informer_ask_groups(inf);
    }
}

/* ---- what is known ---- */

unsigned informer_kinds(const struct informer *inf)
{
    return inf->kinds;
}

const char *informer_server_version(const struct informer *inf)
{
    return inf->server_version;
}

void informer_kind_stats(const struct informer *inf, enum kind kind,
                         struct informer_kind_stats *out)
{
    unsigned worst = 0;

    memset(out, 0, sizeof(*out));
    out->phase = "";
    out->last_failure = "";
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        const struct reflector *r = inf->reflectors.items[i];
        const struct reflector_machine *m = reflector_machine(r);
        const struct reflector_stats *s = reflector_stats(r);

        if (reflector_row(r)->kind != kind) {
            continue;
        }
        out->bytes += s->bytes;
        out->frames += s->frames;
        out->dropped += s->dropped;
        out->failures += s->failures;
        out->lists += m->sent[SEND_LIST];
        out->streams += m->sent[SEND_STREAM];
        out->watches += m->sent[SEND_WATCH];
        out->relists_expired += m->relist_reasons[RELIST_EXPIRED];
        out->relists_too_large += m->relist_reasons[RELIST_TOO_LARGE];
        out->relists_other += m->relist_reasons[RELIST_OTHER];
        if (s->expired_since_ms > 0 &&
            (out->expired_since_ms == 0 || s->expired_since_ms < out->expired_since_ms)) {
            out->expired_since_ms = s->expired_since_ms;
        }
        out->last_event_ms =
            s->last_event_ms > out->last_event_ms ? s->last_event_ms : out->last_event_ms;
        if (gravity(m->state) > worst) {
            worst = gravity(m->state);
            out->phase = reflector_phase_name(m->phase);
        }
        if (m->last_failure[0] != '\0') {
            out->last_failure = m->last_failure;
        }
    }
}
