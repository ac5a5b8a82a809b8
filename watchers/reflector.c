/* Bytes in, orders out, the cache changed. One request at a time:
 *
 *   on_head  -> RE_ANSWER, the splitter begins          (not 200: the body is kept, small)
 *   on_body  -> RE_BYTES, splitter -> on_value -> decode -> generation or cache -> RE_EVENT...
 *   on_done  -> RE_LIST_END, RE_END, RE_REFUSED or RE_FAILED
 *   on_timer -> RE_TIMER
 *
 * Each event's order is carried out at once, also in the midst of a body: an order that takes the
 * request back makes on_value stop the splitter. An object that cannot be decoded is counted and
 * passed over; the stream goes on. */
#include "watchers/reflector.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "cluster/projection.h"
#include "watchers/list_swap.h"
#include "watchers/reflector_decode.h"
#include "watchers/splitter.h"
#include "watchers/url.h"

enum {
    TIMER_MAX_MS = 30000, /* libuv's clock stands while the machine is suspended, ours does not */
    REJECTED_LOG_MS = 600000, /* between two warnings of unreadable objects of a kind */
};

#define ACCEPT_JSON          "application/json"
#define ACCEPT_PARTIAL(form) "application/json;as=" form ";g=meta.k8s.io;v=v1," ACCEPT_JSON

struct reflector {
    struct kube_client *client;
    struct cluster *cluster;
    const struct kind_row *row;
    char *ns;
    char resource[64];
    bool metadata_only;
    const char *version;
    const char *field_selector;
    struct reflector_hooks hooks;
    struct reflector_machine machine;
    struct reflector_stats stats;
    struct reflector_decoder *decoder;
    struct splitter *splitter;
    struct cluster_generation *generation;
    struct list_swap *swap;
    struct kube_request req;
    struct buf url, refusal;
    bool aborted; /* the request whose body is being read was taken back */
    int64_t alive_wall_ms;
    uint64_t alive_seen_ms; /* machine.alive_ms that alive_wall_ms belongs to */
    uint64_t complete_seen_ms;
    int64_t complete_wall_ms; /* the machine's complete_ms as wall time */
    bool warned_here;         /* a failure that the recovery is to be told of */
    bool warning_left;        /* told by somebody else, for all kinds */
    uint64_t rejected_told_ms;
    bool unknown_told;
    uv_timer_t timer;
};

static void carry_out(struct reflector *r, const struct reflector_order *o);

static void step(struct reflector *r, struct reflector_event *ev)
{
    struct reflector_order order;

    ev->now_ms = clock_mono_ms();
    reflector_step(&r->machine, ev, &order);
    carry_out(r, &order);
}

static void step_simple(struct reflector *r, enum reflector_event_type type)
{
    step(r, &(struct reflector_event){ .type = type });
}

static void moved(struct reflector *r)
{
    if (r->hooks.moved != NULL) {
        r->hooks.moved(r->hooks.ctx, r);
    }
}

/* ---- log ---- */

/* The last field of a line, in namespaced mode only. */
#define IN_NAMESPACE(r)                                                                            \
    ((r)->ns != NULL ? KV_TEXT("namespace", (r)->ns) : (struct log_field){ .type = LOG_END })

static const char *next_of(const struct reflector *r, const struct reflector_order *o)
{
    if (o->send != SEND_NONE) {
        return o->send == SEND_WATCH ? "watch" : r->machine.synced ? "relist" : "list";
    }
    switch (r->machine.phase) {
    case REFLECTOR_FORBIDDEN:
    case REFLECTOR_ABSENT:
        return "asked again every minute";
    case REFLECTOR_WAITING:
        return r->machine.want == SEND_WATCH ? "watch after a pause"
               : r->machine.synced           ? "relist after a pause"
                                             : "list after a pause";
    default:
        return "wait";
    }
}

static void tell(struct reflector *r, const struct reflector_order *o)
{
    /* An API server out of reach is told once for all kinds, by kube_client. */
    bool mine = o->edge != EDGE_UNREACHABLE;
    /* What begins so may go on as something of this kind alone, which is news once more. */
    bool news = r->warning_left && o->state_changed && r->machine.phase == REFLECTOR_FORBIDDEN;
    bool warn = mine && (o->warn || news);

    if (o->failed) {
        r->stats.failures++;
        r->warned_here = r->warned_here || warn;
        r->warning_left = (r->warning_left || o->warn) && !warn;
        log_event(warn ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "watchers", "trouble",
                  KV_TEXT("resource", r->resource), KV_TEXT("error", r->machine.last_failure),
                  KV_TEXT("next", next_of(r, o)), IN_NAMESPACE(r));
    }
    if (o->recovered) {
        r->warning_left = false;
    }
    if (o->recovered && r->warned_here) {
        r->warned_here = false;
        log_event(LOG_LEVEL_INFO, "watchers", "recovered", KV_TEXT("resource", r->resource),
                  KV_FLOAT("outage_seconds", (double)o->outage_ms / 1000), IN_NAMESPACE(r));
    }
    if (o->edge != EDGE_NONE && log_enabled(LOG_LEVEL_DEBUG)) {
        log_event(LOG_LEVEL_DEBUG, "watchers", "moved", KV_TEXT("resource", r->resource),
                  KV_TEXT("to", reflector_phase_name(r->machine.phase)),
                  KV_TEXT("because", reflector_edge_name(o->edge)),
                  KV_TEXT("version", r->machine.resource_version), IN_NAMESPACE(r));
    }
}

static void tell_rejected(struct reflector *r, const char *json, size_t len, const char *why)
{
    uint64_t now_ms = clock_mono_ms();
    struct object_key_text key;
    bool loud = r->rejected_told_ms == 0 || now_ms - r->rejected_told_ms >= REJECTED_LOG_MS;

    r->stats.rejected++;
    r->stats.dropped++;
    cluster_kind_status(r->cluster, r->row->kind)->rejected++;
    if (!loud && !log_enabled(LOG_LEVEL_DEBUG)) {
        return;
    }
    r->rejected_told_ms = loud ? now_ms : r->rejected_told_ms;
    reflector_decode_key(r->decoder, json, len, &key);
    log_event(loud ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "watchers", "object not audited",
              KV_TEXT("resource", r->resource), KV_TEXT("namespace", key.ns),
              KV_TEXT("name", key.name), KV_TEXT("error", why),
              KV_TEXT("next", "counted, passed over"));
}

/* ---- requests ---- */

static const char *accept_of(const struct reflector *r, enum reflector_send send)
{
    if (!r->metadata_only) {
        return ACCEPT_JSON;
    }
    return send == SEND_LIST ? ACCEPT_PARTIAL("PartialObjectMetadataList")
                             : ACCEPT_PARTIAL("PartialObjectMetadata");
}

/* Everything in it is bounded, so it cannot be too long. */
static void build_url(struct reflector *r, const struct reflector_request *q)
{
    struct buf *url = &r->url;

    buf_reset(url);
    url_add_resource(url, kube_server(r->client), r->row->group, r->version, r->ns, r->row->plural);
    if (q->send != SEND_LIST) {
        url_add_query(url, "watch", "1");
        url_add_query(url, "allowWatchBookmarks", "true");
        url_add_query_int(url, "timeoutSeconds", (int64_t)q->timeout_s);
    }
    if (q->send == SEND_STREAM) {
        url_add_query(url, "sendInitialEvents", "true");
    }
    if (q->resource_version != NULL && (q->resource_version[0] != '\0' || q->send == SEND_STREAM)) {
        url_add_query(url, "resourceVersion", q->resource_version);
    }
    if (q->not_older_than) {
        url_add_query(url, "resourceVersionMatch", "NotOlderThan");
    }
    if (q->limit > 0) {
        url_add_query_int(url, "limit", q->limit);
    }
    if (q->continue_token != NULL) {
        url_add_query(url, "continue", q->continue_token);
    }
    if (r->field_selector != NULL) {
        url_add_query(url, "fieldSelector", r->field_selector);
    }
}

static void on_head(struct http_request *http);
static int on_body(struct http_request *http, const char *data, size_t len);
static void on_done(struct http_request *http, int status);

static void send_request(struct reflector *r)
{
    struct reflector_request q;
    struct http_request *http = &r->req.http;

    reflector_request(&r->machine, &q);
    build_url(r, &q);
    buf_reset(&r->refusal);
    http->url = r->url.data;
    http->accept = accept_of(r, q.send);
    http->on_head = on_head;
    http->on_body = on_body;
    http->done = on_done;
    http->data = r;
    r->req.unlimited = q.send != SEND_LIST;
    r->req.large = q.send != SEND_WATCH;
    kube_send(r->client, &r->req);
}

/* ---- orders ---- */

static void on_timer(uv_timer_t *timer)
{
    struct reflector *r = timer->data;

    step_simple(r, RE_TIMER);
    moved(r);
}

static void arm(struct reflector *r, uint64_t wake_ms)
{
    uint64_t now_ms = clock_mono_ms(), delay = wake_ms > now_ms ? wake_ms - now_ms : 0;

    if (wake_ms == UINT64_MAX) {
        uv_timer_stop(&r->timer);
    } else {
        uv_timer_start(&r->timer, on_timer, delay < TIMER_MAX_MS ? delay : TIMER_MAX_MS, 0);
    }
}

static void swap(struct reflector *r, int64_t complete_before_ms)
{
    struct cluster_generation *g = r->generation;

    r->generation = NULL;
    if (g != NULL) {
        list_swap_start(r->swap, g, complete_before_ms);
    }
}

static void on_swapped(void *ctx)
{
    moved(ctx);
}

/* Kept as wall time beside the machine's clock, for those who read the cache. */
static void note_alive(struct reflector *r)
{
    if (r->machine.alive_ms != r->alive_seen_ms) {
        r->alive_seen_ms = r->machine.alive_ms;
        r->alive_wall_ms = clock_wall_ms();
    }
    if (r->machine.complete_ms != r->complete_seen_ms) {
        r->complete_seen_ms = r->machine.complete_ms;
        r->complete_wall_ms = clock_wall_ms();
    }
}

static void carry_out(struct reflector *r, const struct reflector_order *o)
{
    int64_t complete_before_ms = r->complete_wall_ms;

    note_alive(r);
    if (o->edge == EDGE_EXPIRED && r->machine.synced) {
        r->stats.expired_since_ms = complete_before_ms;
    }
    if (o->abort_request) {
        kube_cancel(r->client, &r->req);
        r->aborted = true;
    }
    if (o->abort_generation) {
        cluster_replace_abort(r->generation);
        r->generation = NULL;
    }
    if (o->swap_empty) {
        r->generation = cluster_replace_begin(r->cluster, r->row->kind, r->ns);
    }
    if (o->swap || o->swap_empty) {
        swap(r, complete_before_ms);
    }
    if (o->refresh_credentials) {
        kube_refused(r->client, &r->req);
    }
    if (o->begin_generation) {
        list_swap_finish(r->swap);
        r->generation = cluster_replace_begin(r->cluster, r->row->kind, r->ns);
        if (r->machine.from == FROM_LATEST) {
            cluster_replace_trust(r->generation);
        }
    }
    if (o->failed || o->recovered || o->edge != EDGE_NONE) {
        tell(r, o);
    }
    if (o->send != SEND_NONE) {
        send_request(r);
    }
    arm(r, o->wake_ms);
}

/* ---- objects ---- */

/* Where objects go instead of the cache. */
static struct cluster_generation *generation_of(const struct reflector *r)
{
    return r->generation != NULL ? r->generation : list_swap_generation(r->swap);
}

static void add_object(struct reflector *r, struct object *obj)
{
    struct cluster_generation *g = generation_of(r);

    if (r->hooks.wanted != NULL && !r->hooks.wanted(r->hooks.ctx, obj)) {
        object_destroy(obj);
    } else if (g != NULL) {
        cluster_replace_add(g, obj);
    } else {
        cluster_apply(r->cluster, obj, clock_wall_ms());
    }
}

static void remove_object(struct reflector *r, struct object *last)
{
    struct cluster_generation *g = generation_of(r);

    if (g != NULL) {
        cluster_replace_delete(g, last);
    } else {
        cluster_delete(r->cluster, last, clock_wall_ms());
    }
}

/* A list item. */
static void take_item(struct reflector *r, const char *json, size_t len)
{
    struct object *obj;
    struct error why = { 0 };

    if (reflector_decode(r->decoder, json, len, &obj, &why) == 0) {
        add_object(r, obj);
    } else {
        tell_rejected(r, json, len, why.text);
    }
}

/* ADDED, MODIFIED, DELETED. The version moves on after the cache has changed. */
static void take_event(struct reflector *r, const struct frame *f)
{
    char version[REFLECTOR_RV_MAX + 1] = "";
    struct object *obj = NULL;
    struct error why = { 0 };
    bool gone = f->type == FRAME_DELETED;

    if (reflector_decode(r->decoder, f->object, f->object_len, &obj, &why) != 0) {
        struct object_key_text key;

        reflector_decode_key(r->decoder, f->object, f->object_len, &key);
        memcpy(version, key.resource_version, sizeof(version));
        /* That it is gone matters even when what it was cannot be told. */
        obj = gone ? reflector_decode_tombstone(r->decoder, f->object, f->object_len) : NULL;
        if (obj == NULL) {
            tell_rejected(r, f->object, f->object_len, why.text);
        }
    } else if (obj->resource_version != NULL && obj->resource_version->len < sizeof(version)) {
        memcpy(version, obj->resource_version->text, obj->resource_version->len + 1);
    }
    if (obj != NULL && gone) {
        remove_object(r, obj);
    } else if (obj != NULL) {
        add_object(r, obj);
    }
    step(r, &(struct reflector_event){ .type = RE_EVENT, .resource_version = version });
}

static void take_bookmark(struct reflector *r, const struct frame *f)
{
    struct object_key_text key;

    reflector_decode_key(r->decoder, f->object, f->object_len, &key);
    step(r, &(struct reflector_event){ .type = RE_BOOKMARK,
                                       .resource_version = key.resource_version,
                                       .initial_events_end = key.initial_events_end });
}

static void take_error(struct reflector *r, const struct frame *f)
{
    struct kube_status status;
    size_t len = f->object_len < KUBE_STATUS_MAX_BYTES ? f->object_len : KUBE_STATUS_MAX_BYTES;

    kube_status_parse(f->object, len, 0, &status);
    step(r, &(struct reflector_event){ .type = RE_ERROR_EVENT, .status = &status });
}

static int take_frame(struct reflector *r, const char *json, size_t len, struct error *err)
{
    struct frame f;
    int rc = frame_parse(json, len, &f, err);

    if (rc == NA_ELIMIT) { /* nested too deep: one object is lost to us, not the stream */
        tell_rejected(r, "", 0, err->text);
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    switch (f.type) {
    case FRAME_ADDED:
    case FRAME_MODIFIED:
    case FRAME_DELETED:
        take_event(r, &f);
        break;
    case FRAME_BOOKMARK:
        take_bookmark(r, &f);
        break;
    case FRAME_ERROR:
        take_error(r, &f);
        break;
    default:
        r->stats.dropped++;
        log_event(r->unknown_told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "watchers",
                  "unknown watch event", KV_TEXT("resource", r->resource),
                  KV_TEXT("type", f.type_text), KV_TEXT("next", "counted, passed over"));
        r->unknown_told = true;
        break;
    }
    return 0;
}

static int on_value(void *ctx, const char *json, size_t len, struct error *err)
{
    struct reflector *r = ctx;
    int rc = 0;

    r->stats.frames++;
    if (r->machine.phase == REFLECTOR_LISTING) {
        take_item(r, json, len);
    } else {
        rc = take_frame(r, json, len, err);
    }
    return rc == 0 && r->aborted ? NA_ECANCELED : rc;
}

static void on_too_large(void *ctx, uint64_t bytes)
{
    struct reflector *r = ctx;
    struct error why = { 0 };

    r->stats.frames++;
    error_set(&why, NA_ELIMIT, "is larger than %d bytes (%llu)", SPLITTER_MAX_VALUE_BYTES,
              (unsigned long long)bytes);
    tell_rejected(r, "", 0, why.text);
}

/* ---- answers ---- */

static bool answer_is_json(const struct http_request *http)
{
    return strcmp(http->answer_type, ACCEPT_JSON) == 0;
}

static void on_head(struct http_request *http)
{
    struct reflector *r = http->data;

    r->aborted = false;
    if (http->http_status == 200 && answer_is_json(http)) {
        splitter_begin(r->splitter,
                       r->machine.phase == REFLECTOR_LISTING ? SPLITTER_LIST : SPLITTER_WATCH);
        step_simple(r, RE_ANSWER);
        moved(r);
    }
}

static int on_body(struct http_request *http, const char *data, size_t len)
{
    struct reflector *r = http->data;
    int rc;

    if (http->http_status != 200) {
        size_t room = KUBE_STATUS_MAX_BYTES - r->refusal.len;

        buf_add(&r->refusal, data, len < room ? len : room); /* the rest is nobody's loss */
        return 0;
    }
    if (!answer_is_json(http)) {
        return error_set(&http->error, NA_EINVAL, "the answer is '%s', not JSON",
                         http->answer_type);
    }
    r->stats.bytes += len;
    step_simple(r, RE_BYTES);
    rc = splitter_feed(r->splitter, data, len, &http->error);
    r->stats.last_event_ms = clock_wall_ms();
    moved(r);
    return rc;
}

static void refused(struct reflector *r)
{
    const struct http_request *http = &r->req.http;
    struct kube_status status;

    kube_status_parse(buf_text(&r->refusal), r->refusal.len, http->http_status, &status);
    if (http->retry_after_s > status.retry_after_s) {
        status.retry_after_s = http->retry_after_s;
    }
    step(r, &(struct reflector_event){ .type = RE_REFUSED,
                                       .status = &status,
                                       .flow_schema_empty = http->flow_schema_empty });
}

static void failed(struct reflector *r, int code, const char *text)
{
    step(r, &(struct reflector_event){ .type = RE_FAILED, .code = code, .text = text });
}

static bool right_list(const struct reflector *r, const struct list_end *end)
{
    char version[64], kind[80];

    snprintf(version, sizeof(version), "%s%s%s", r->row->group, r->row->group[0] != '\0' ? "/" : "",
             r->version);
    snprintf(kind, sizeof(kind), "%sList", r->row->name);
    return (strcmp(end->kind, kind) == 0 && strcmp(end->api_version, version) == 0) ||
           (r->metadata_only && strcmp(end->kind, "PartialObjectMetadataList") == 0 &&
            strcmp(end->api_version, "meta.k8s.io/v1") == 0);
}

static void list_ended(struct reflector *r)
{
    struct list_end end;
    struct error err = { 0 };
    int rc = splitter_end_list(r->splitter, &end, &err);

    if (rc == 0 && !right_list(r, &end)) {
        rc = error_set(&err, NA_EINVAL, "the answer is a %s of %s", end.kind, end.api_version);
    }
    if (rc != 0) {
        failed(r, rc, err.text);
        return;
    }
    step(r, &(struct reflector_event){ .type = RE_LIST_END,
                                       .resource_version = end.resource_version,
                                       .continue_token = end.continue_token });
}

static void watch_ended(struct reflector *r)
{
    struct error err = { 0 };
    int rc = splitter_end_watch(r->splitter, &err);

    if (rc != 0) {
        failed(r, rc, err.text);
    } else {
        step_simple(r, RE_END);
    }
}

static void on_done(struct http_request *http, int status)
{
    struct reflector *r = http->data;

    if (http->http_status != 0 && http->http_status != 200) {
        refused(r); /* what it said counts, even when it did not say it to the end */
    } else if (status != 0) {
        failed(r, status, http->error.text);
    } else if (!answer_is_json(http)) {
        failed(r, NA_EINVAL, "the answer is not JSON");
    } else if (r->machine.phase == REFLECTOR_LISTING) {
        list_ended(r);
    } else {
        watch_ended(r);
    }
    moved(r);
}

/* ---- what others call ---- */

struct reflector *reflector_create(uv_loop_t *loop, struct kube_client *client,
                                   struct cluster *cluster, const struct reflector_options *options,
                                   const struct reflector_hooks *hooks)
{
    struct reflector *r = xcalloc(1, sizeof(*r));
    const struct splitter_sink sink = { .ctx = r, .value = on_value, .too_large = on_too_large };

    r->client = client;
    r->cluster = cluster;
    r->row = options->row;
    r->version = options->version != NULL ? options->version : options->row->version;
    r->ns = options->ns != NULL ? xstrdup(options->ns) : NULL;
    kind_resource_name(r->row, r->resource);
    r->metadata_only = options->metadata_only;
    r->field_selector = options->field_selector;
    r->hooks = *hooks;
    r->decoder = reflector_decoder_create(r->row, r->metadata_only);
    r->splitter = splitter_create(&sink, 0, r->metadata_only);
    r->swap = list_swap_create(loop, on_swapped, r);
    reflector_machine_init(&r->machine, &options->machine);
    buf_init(&r->url, URL_MAX_BYTES);
    buf_init(&r->refusal, KUBE_STATUS_MAX_BYTES);
    uv_timer_init(loop, &r->timer);
    r->timer.data = r;
    return r;
}

void reflector_start(struct reflector *r)
{
    step_simple(r, RE_START);
}

void reflector_probe(struct reflector *r)
{
    step_simple(r, RE_PROBE);
}

void reflector_stop(struct reflector *r)
{
    step_simple(r, RE_STOP);
}

static void on_closed(uv_handle_t *handle)
{
    struct reflector *r = handle->data;

    reflector_machine_deinit(&r->machine);
    reflector_decoder_destroy(r->decoder);
    splitter_destroy(r->splitter);
    buf_deinit(&r->url);
    buf_deinit(&r->refusal);
    free(r->ns);
    free(r);
}

void reflector_destroy(struct reflector *r)
{
    if (r != NULL) {
        memset(&r->hooks, 0, sizeof(r->hooks));
        reflector_stop(r);
        list_swap_destroy(r->swap);
        uv_close((uv_handle_t *)&r->timer, on_closed);
    }
}

const struct reflector_machine *reflector_machine(const struct reflector *r)
{
    return &r->machine;
}

const struct reflector_stats *reflector_stats(const struct reflector *r)
{
    return &r->stats;
}

int64_t reflector_alive_ms(const struct reflector *r)
{
    return r->alive_wall_ms;
}

const struct kind_row *reflector_row(const struct reflector *r)
{
    return r->row;
}

const char *reflector_version(const struct reflector *r)
{
    return r->version;
}

const char *reflector_ns(const struct reflector *r)
{
    return r->ns;
}
