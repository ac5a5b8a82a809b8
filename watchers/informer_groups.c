/* Kinds and groups that come and go with installations: what is served is watched, what went is
 * not, and policies that are not modelled are named. */
#include "watchers/informer_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum {
    PROBE_EVERY = 10 /* questions about groups: one about what is not modelled */
};

/* ---- kinds that come and go with installations ---- */

/* Where discovery does not answer, asking for the kind itself tells. */
bool informer_serves(const struct informer *inf, const struct kind_row *row)
{
    return row->watch != KIND_WATCH_SERVED || !inf->discovered ||
           (inf->discovery.served & BIT(row->kind)) != 0;
}

static bool is_watched(const struct informer *inf, enum kind kind)
{
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        if (reflector_row(inf->reflectors.items[i])->kind == kind) {
            return true;
        }
    }
    return false;
}

/* What is watched is not served any more, and the other version is. Both are served for years, so
 * nobody watches the older one again after that, nor changes over before it must. */
static bool lost_version(const struct informer *inf, const struct kind_row *row)
{
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        const struct reflector *r = inf->reflectors.items[i];
        if (reflector_row(r) == row) {
            bool own = strcmp(reflector_version(r), row->version) == 0;
            unsigned served = own ? inf->discovery.served_own : inf->discovery.served_older;
            return inf->discovered && (served & BIT(row->kind)) == 0;
        }
    }
    return false;
}

static void remove_kind(struct informer *inf, const struct kind_row *row)
{
    size_t n = 0;

    for (size_t i = 0; i < inf->reflectors.len; i++) {
        struct reflector *r = inf->reflectors.items[i];
        if (reflector_row(r)->kind != row->kind) {
            inf->reflectors.items[n++] = r;
            continue;
        }
        inf->started -= n < inf->started ? 1 : 0;
        reflector_destroy(r);
    }
    inf->reflectors.len = n;
    cluster_set_kind_state(inf->cluster, row->kind, KIND_STATE_ABSENT, "not served",
                           clock_wall_ms());
    log_event(LOG_LEVEL_INFO, "watchers", "kind gone", KV_TEXT("resource", row->plural),
              KV_TEXT("group", row->group));
}

/* Discovery tells of groups: a kind may come later than others of its group and version. */
static void probe_kind(struct informer *inf, enum kind kind)
{
    for (size_t i = 0; i < inf->reflectors.len; i++) {
        if (reflector_row(inf->reflectors.items[i])->kind == kind) {
            reflector_probe(inf->reflectors.items[i]);
        }
    }
}

/* After discovery has answered again: kinds that appeared are watched, those that went no more. */
static void follow_discovery(struct informer *inf)
{
    bool all_started = inf->started == inf->reflectors.len;

    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_row *row = &kind_table[k];
        if (row->watch != KIND_WATCH_SERVED || !(inf->kinds & BIT(k))) {
            continue;
        }
        if (is_watched(inf, row->kind) && lost_version(inf, row)) {
            remove_kind(inf, row);
        }
        if (informer_serves(inf, row) && !is_watched(inf, row->kind)) {
            informer_add_kind(inf, row);
            log_event(LOG_LEVEL_INFO, "watchers", "kind appeared", KV_TEXT("resource", row->plural),
                      KV_TEXT("group", row->group));
        } else if (inf->discovered) {
            probe_kind(inf, row->kind);
        }
    }
    if (all_started) {
        informer_start_next(inf);
    }
}

/* ---- policies that are not modelled ---- */

static bool same_names(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0) {
        i++;
    }
    return a[i] == NULL && b[i] == NULL;
}

static void probe_next(struct informer *inf);

static void end_probing(struct informer *inf)
{
    vec_push(&inf->unmodelled, NULL);
    if (!same_names(cluster_unmodelled(inf->cluster), inf->unmodelled.items)) {
        cluster_set_unmodelled(inf->cluster, inf->unmodelled.items);
        for (size_t i = 0; inf->unmodelled.items[i] != NULL; i++) {
            log_event(LOG_LEVEL_WARN, "watchers", "not modelled",
                      KV_TEXT("kind", inf->unmodelled.items[i]),
                      KV_TEXT("next", "what such policies may touch is unknown"));
        }
    }
    inf->unmodelled.len = 0;
    if (inf->phase == INFORMER_ASKING) { /* nothing is judged before this is known */
        informer_start_kinds(inf);
    }
}

/* What may not be listed may be there. */
static void on_probe(struct kube_get *get, int status)
{
    struct informer *inf = get->data;
    int code = get->req.http.http_status;
    bool holds =
        status == 0 &&
        (code == 403 || (code == 200 && discovery_holds(buf_text(&get->body), get->body.len)));

    if (holds) {
        vec_push(&inf->unmodelled, unmodelled_kinds[inf->probing].name);
    }
    inf->probing++;
    probe_next(inf);
}

static void probe_next(struct informer *inf)
{
    char path[DISCOVERY_PATH_MAX];

    while (inf->probing < unmodelled_kind_count &&
           inf->discovery.versions[inf->probing][0] == '\0') {
        inf->probing++;
    }
    if (inf->probing == unmodelled_kind_count) {
        end_probing(inf);
        return;
    }
    discovery_probe_path(&inf->discovery, inf->probing, path);
    inf->probe.data = inf;
    kube_get(inf->client, &inf->probe, path, on_probe);
}

/* ---- asking ---- */

/* Rules ask whether cert-manager is there at all, and kinds are watched that are served. Any other
 * answer leaves what was known. */
static void on_groups(struct kube_get *get, int status)
{
    struct informer *inf = get->data;
    int code = get->req.http.http_status;
    struct error err = { 0 };

    if (status == 0 && code == 200) {
        if (discovery_read(buf_text(&get->body), get->body.len, &inf->discovery, &err) == 0) {
            inf->discovered = true;
            cluster_set_cert_manager(inf->cluster, inf->discovery.cert_manager);
        } else {
            log_event(LOG_LEVEL_WARN, "watchers", "trouble", KV_TEXT("resource", "/apis"),
                      KV_TEXT("error", err.text), KV_TEXT("next", "asked again in a minute"));
        }
    }
    if (inf->phase == INFORMER_RUNNING) {
        follow_discovery(inf);
    }
    if (inf->discovered && inf->asked_groups++ % PROBE_EVERY == 0 && inf->unmodelled.len == 0) {
        inf->probing = 0;
        probe_next(inf);
    } else if (inf->phase == INFORMER_ASKING) {
        informer_start_kinds(inf);
    }
}

void informer_ask_groups(struct informer *inf)
{
    inf->groups.data = inf;
    kube_get(inf->client, &inf->groups, "/apis", on_groups);
}
