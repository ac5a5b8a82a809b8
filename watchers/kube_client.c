/* A request is queued until there is a token of the rate limit for it and a credential, then handed
 * to http_client. Outages are told here, once for all kinds: eleven reflectors that cannot connect
 * are one event for the person on call. */
#include "watchers/kube_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "cluster/cidr.h"
#include "watchers/proxy.h"

enum { MAX_WARNINGS = 64 };

struct kube_client {
    struct credentials *credentials;
    struct http_client *http;
    uv_timer_t timer; /* the queue: next token of the limit, or at once */
    struct kube_request *first, *last;
    double tokens;
    uint64_t tokens_at_ms;
    bool compress;
    bool out; /* an outage is under way */
    uint64_t out_since_ms;
    uint64_t warnings[MAX_WARNINGS]; /* hashes of those told */
    unsigned warning_count;
};

static struct kube_request *request_of(struct http_request *http)
{
    return (struct kube_request *)http; /* its first member */
}

/* ---- what the log is told ---- */

static void on_warning(void *ctx, const char *text)
{
    struct kube_client *client = ctx;
    uint64_t hash = hash_bytes(text, strlen(text));

    for (unsigned i = 0; i < client->warning_count; i++) {
        if (client->warnings[i] == hash) {
            return;
        }
    }
    if (client->warning_count < MAX_WARNINGS) {
        client->warnings[client->warning_count++] = hash;
        log_event(LOG_LEVEL_WARN, "watchers", "api server warns", KV_TEXT("warning", text));
    }
}

static void outage_begins(struct kube_client *client, const char *why)
{
    if (client->out) {
        return;
    }
    client->out = true;
    client->out_since_ms = clock_mono_ms();
    log_event(LOG_LEVEL_WARN, "watchers", "api server out of reach",
              KV_TEXT("server", credentials_server(client->credentials)), KV_TEXT("error", why),
              KV_TEXT("next", "tried again with growing pauses"));
}

static void outage_ends(struct kube_client *client)
{
    if (client->out) {
        client->out = false;
        log_event(
            LOG_LEVEL_INFO, "watchers", "api server in reach again",
            KV_TEXT("server", credentials_server(client->credentials)),
            KV_FLOAT("outage_seconds", (double)(clock_mono_ms() - client->out_since_ms) / 1000));
    }
}

/* ---- the queue ---- */

static void unqueue(struct kube_client *client, struct kube_request *req)
{
    *(req->prev != NULL ? &req->prev->next : &client->first) = req->next;
    *(req->next != NULL ? &req->next->prev : &client->last) = req->prev;
    req->prev = req->next = NULL;
    req->queued = false;
}

static void refill(struct kube_client *client)
{
    uint64_t now_ms = clock_mono_ms();

    client->tokens += (double)(now_ms - client->tokens_at_ms) * KUBE_QPS / 1000;
    client->tokens = client->tokens < KUBE_BURST ? client->tokens : KUBE_BURST;
    client->tokens_at_ms = now_ms;
}

static void on_head(struct http_request *http)
{
    struct kube_request *req = request_of(http);

    outage_ends(req->client);
    if (req->caller_head != NULL) {
        req->caller_head(http);
    }
}

static void on_done(struct http_request *http, int status)
{
    struct kube_request *req = request_of(http);

    if (status == NA_EAUTH && http->http_status == 0) {
        credentials_unusable(req->client->credentials, req->serial);
    }
    if (status == NA_EUNREACH) {
        credentials_reread_trust(req->client->credentials);
    }
    if (status == NA_EUNREACH || (status == NA_EAUTH && http->http_status == 0)) {
        outage_begins(req->client, http->error.text);
    }
    http->on_head = req->caller_head;
    http->done = req->caller_done;
    http->done(http, status);
}

/* False: it must wait. */
static bool start(struct kube_client *client, struct kube_request *req)
{
    struct http_request *http = &req->http;
    struct credential credential;
    int rc;

    if (!req->unlimited && client->tokens < 1) {
        return false;
    }
    memset(&http->error, 0, sizeof(http->error));
    rc = credentials_current(client->credentials, &credential, &http->error);
    if (rc == NA_EBUSY) {
        return false;
    }
    unqueue(client, req);
    client->tokens -= req->unlimited ? 0 : 1;
    req->caller_head = http->on_head;
    req->caller_done = http->done;
    if (rc != 0) {
        http->http_status = 0;
        req->serial = UINT64_MAX; /* nobody's */
        on_done(http, rc == NA_EAUTH ? rc : error_wrap(&http->error, NA_EAUTH, "credentials"));
        return true;
    }
    http->on_head = on_head;
    http->done = on_done;
    http->bearer = credential.bearer;
    http->tls = credential.tls;
    http->proxy_url = credential.proxy_url;
    http->gzip = req->large && client->compress && !credential.disable_compression;
    req->serial = credential.serial;
    http_send(client->http, http);
    http->bearer = NULL; /* copied; not ours to keep */
    http->tls = NULL;
    http->proxy_url = NULL;
    return true;
}

static void on_timer(uv_timer_t *timer);

/* In order, but what is unlimited never waits behind what is not. */
static void pump(struct kube_client *client)
{
    bool again = true, limited = false;

    refill(client);
    while (again) { /* a start may call back, and the queue change under us: from its beginning */
        again = false;
        for (struct kube_request *req = client->first; req != NULL; req = req->next) {
            if ((req->unlimited || client->tokens >= 1) && start(client, req)) {
                again = true;
                break;
            }
            limited = limited || (!req->unlimited && client->tokens < 1);
        }
    }
    if (limited && client->first != NULL) {
        double missing = (1 - client->tokens) * 1000 / KUBE_QPS;

        uv_timer_start(&client->timer, on_timer, (uint64_t)missing + 1, 0);
    }
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_credentials(void *ctx)
{
    pump(ctx);
}

void kube_send(struct kube_client *client, struct kube_request *req)
{
    req->client = client;
    req->queued = true;
    req->next = NULL;
    req->prev = client->last;
    *(client->last != NULL ? &client->last->next : &client->first) = req;
    client->last = req;
    uv_timer_start(&client->timer, on_timer, 0, 0); /* from the loop: done may not run in here */
}

void kube_cancel(struct kube_client *client, struct kube_request *req)
{
    if (req->queued) {
        unqueue(client, req);
    } else if (req->http.transfer != NULL) {
        http_cancel(client->http, &req->http);
        req->http.on_head = req->caller_head;
        req->http.done = req->caller_done;
    }
}

void kube_refused(struct kube_client *client, const struct kube_request *req)
{
    credentials_refused(client->credentials, req->serial);
}

const char *kube_server(const struct kube_client *client)
{
    return credentials_server(client->credentials);
}

/* Compression is for far servers: on this machine or in its network it only costs processor time.
 */
static bool server_is_far(const char *server)
{
    static const char *const near[] = { "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                        "169.254.0.0/16", "fc00::/7",      "fe80::/10" };
    char host[256];
    unsigned port;
    struct cidr ip, range;

    if (!url_host(server, host, sizeof(host), &port) || host_is_loopback(host)) {
        return false;
    }
    if (!ip_parse(host, &ip)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
        if (cidr_parse(near[i], &range) && cidr_contains(&range, &ip)) {
            return false;
        }
    }
    return true;
}

int kube_client_create(struct kube_client **out, uv_loop_t *loop, struct credentials *credentials,
                       const char *user_agent, struct error *err)
{
    struct kube_client *client = xcalloc(1, sizeof(*client));
    const struct http_settings settings = { .user_agent = user_agent,
                                            .on_warning = on_warning,
                                            .ctx = client };
    int rc = http_client_create(&client->http, loop, &settings, err);

    if (rc != 0) {
        free(client);
        return rc;
    }
    client->credentials = credentials;
    client->compress = server_is_far(credentials_server(credentials));
    client->tokens = KUBE_BURST;
    client->tokens_at_ms = clock_mono_ms();
    uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    credentials_on_ready(credentials, on_credentials, client);
    *out = client;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void kube_client_destroy(struct kube_client *client)
{
    if (client == NULL) {
        return;
    }
    credentials_on_ready(client->credentials, NULL, NULL);
    http_client_destroy(client->http);
    client->http = NULL;
    uv_close((uv_handle_t *)&client->timer, on_closed);
}

/* ---- small GETs ---- */

static int get_body(struct http_request *http, const char *data, size_t len)
{
    struct kube_get *get = http->data;
    int rc = buf_add(&get->body, data, len);

    return rc != 0 ? error_set(&http->error, rc, "the answer is too large") : 0;
}

static void get_done(struct http_request *http, int status)
{
    struct kube_get *get = http->data;

    if (status == 0 && http->http_status != 200) {
        kube_status_parse(buf_text(&get->body), get->body.len, http->http_status, &get->status);
        if (http->http_status == 401) {
            kube_refused(get->req.client, &get->req);
        }
    }
    get->done(get, status);
}

void kube_get(struct kube_client *client, struct kube_get *get, const char *path,
              void (*done)(struct kube_get *get, int status))
{
    struct http_request *http = &get->req.http;

    free(get->url);
    get->url = xasprintf("%s%s", kube_server(client), path);
    if (get->body.max_bytes == 0) {
        buf_init(&get->body, KUBE_GET_MAX_BYTES);
    }
    buf_reset(&get->body);
    get->done = done;
    http->url = get->url;
    http->accept = "application/json";
    http->timeout_ms = KUBE_GET_TIMEOUT_MS;
    http->max_bytes = KUBE_GET_MAX_BYTES;
    http->on_body = get_body;
    http->done = get_done;
    http->data = get;
    kube_send(client, &get->req);
}

void kube_get_deinit(struct kube_client *client, struct kube_get *get)
{
    kube_cancel(client, &get->req);
    free(get->url);
    get->url = NULL;
    buf_deinit(&get->body);
}
