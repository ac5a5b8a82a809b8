/* The happy path: http_send builds an easy handle and adds it to the multi; curl tells us which
 * sockets and which timer to watch; what libuv reports goes to curl_multi_socket_action, which
 * calls our header and write callbacks, and when it has returned, `done` is called for what has
 * ended.
 *
 * curl refuses to be re-entered from its callbacks, and callers know nothing of that: sends and
 * cancels from within a callback are noted and carried out when curl has returned. A transfer
 * therefore has a life of its own, and lets go of the caller's request before the caller may free
 * it. Back-pressure is the caller's speed: the callbacks take all they are given. Nothing is ever
 * paused: curl 7.88 may forget to poll the socket of a transfer that is resumed. One call of curl
 * reads at most 0.8 MB, so that the loop comes round all the same. */
#include "watchers/http_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/vec.h"
#include "watchers/http_head.h"
#include "watchers/proxy.h"

enum {
    RECEIVE_BYTES = 8 * 1024, /* curl reads up to 100 of them in one go: some milliseconds */
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 15,
    TCP_USER_TIMEOUT_MS = 45000,
    CONNECTION_LIFE_S = 3600, /* new requests spread over the servers again after an upgrade */
    EXPANSION_FREE_BYTES = 16 * 1024 * 1024
};

enum transfer_phase {
    TRANSFER_QUEUED,  /* to be added when curl has returned */
    TRANSFER_RUNNING, /* in the multi */
    TRANSFER_FAILED,  /* could not even start; told from the loop */
    TRANSFER_DOOMED   /* cancelled from within a callback; to be removed */
};

struct http_transfer {
    struct http_client *client;
    struct http_request *req; /* NULL once cancelled */
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    enum transfer_phase phase;
    size_t header_bytes;
    bool head_seen;
    struct error failure; /* TRANSFER_FAILED, or why a callback stopped curl */
    char curl_text[CURL_ERROR_SIZE];
    struct http_transfer *prev, *next;
};

/* One socket of curl's. Freed in its close callback, after curl has long forgotten it. */
struct http_socket {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
};

struct http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer, kick;
    uv_idle_t soon; /* curl wants to go on at once */
    char *user_agent;
    void (*on_warning)(void *ctx, const char *text);
    void *ctx;
    struct http_transfer *transfers;
    unsigned entered; /* inside a call to curl that calls us back */
    unsigned open_handles;
    bool destroyed;
    bool broken; /* curl reported an error of its own: every transfer is to be failed */
};

static void leave(struct http_client *client);

/* ---- transfers ---- */

static void unlink_transfer(struct http_transfer *t)
{
    if (t->prev != NULL) {
        t->prev->next = t->next;
    } else {
        t->client->transfers = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
}

static void free_transfer(struct http_transfer *t)
{
    unlink_transfer(t);
    if (t->req != NULL) {
        t->req->transfer = NULL;
    }
    if (t->phase == TRANSFER_RUNNING || t->phase == TRANSFER_DOOMED) {
        curl_multi_remove_handle(t->client->multi, t->easy);
    }
    curl_easy_cleanup(t->easy);
    for (struct curl_slist *h = t->headers; h != NULL; h = h->next) {
        explicit_bzero(h->data, strlen(h->data)); /* one of them holds the token */
    }
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    free(t);
}

/* The caller may start another request with the same struct, or free it, inside `done`. */
static void finish(struct http_transfer *t, int status)
{
    struct http_request *req = t->req;

    if (req == NULL) {
        free_transfer(t);
        return;
    }
    if (status != 0 && req->error.code == 0) {
        req->error = t->failure;
    }
    free_transfer(t);
    if (req->done != NULL) {
        req->done(req, status);
    }
}

static int fail(struct http_transfer *t, int code, const char *sentence)
{
    return error_set(&t->failure, code, "%s", sentence);
}

static int translate(struct http_transfer *t, CURLcode rc)
{
    const char *text = t->curl_text[0] != '\0' ? t->curl_text : curl_easy_strerror(rc);
    curl_off_t connected_us = 0;

    if (t->failure.code != 0) {
        return t->failure.code; /* a callback of ours said stop, and why */
    }
    if (strcmp(text, "select/poll returned error") == 0) {
        text = "the connection broke"; /* what CURL_CSELECT_ERR of on_poll comes to */
    }
    switch (rc) {
    case CURLE_OK:
        return t->head_seen ? 0 : fail(t, NA_EIO, "the connection was closed within the head");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return fail(t, NA_EUNREACH, text);
    case CURLE_SSL_CERTPROBLEM:
        return fail(t, NA_EAUTH, text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
        return error_set(&t->failure, NA_EUNREACH, "TLS: %s", text);
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
        return fail(t, connected_us > 0 ? NA_ETIMEOUT : NA_EUNREACH, text);
    case CURLE_OUT_OF_MEMORY:
        return fail(t, NA_ENOMEM, text);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return fail(t, NA_EINVAL, text);
    default:
        return fail(t, NA_EIO, text);
    }
}

/* ---- curl's callbacks ---- */

static int on_socket_options(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    int ms = TCP_USER_TIMEOUT_MS;

    (void)ctx;
    (void)purpose;
    /* Unacknowledged data (keepalive probes too) may not be outstanding for longer. Without it the
     * kernel tries for a quarter of an hour. */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct http_transfer *t = ctx;
    size_t len = size * count;
    char warning[HTTP_WARNING_MAX];
    long status = 0;

    if (t->req == NULL) {
        return 0;
    }
    t->header_bytes += len;
    if (t->header_bytes > HTTP_MAX_HEADER_BYTES) {
        error_set(&t->failure, NA_ELIMIT, "the answer's headers are larger than %d bytes",
                  HTTP_MAX_HEADER_BYTES);
        return 0;
    }
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
        http_head_begin(t->req);
        return len;
    }
    if (len <= 2 && !t->head_seen) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200) {
            t->head_seen = true;
            t->req->http_status = (int)status;
            if (t->req->on_head != NULL) {
                t->req->on_head(t->req);
            }
        }
        return len;
    }
    /* Trailers are nobody's. */
    if (!t->head_seen && http_head_line(t->req, line, len, warning) &&
        t->client->on_warning != NULL) {
        t->client->on_warning(t->client->ctx, warning);
    }
    return len;
}

static bool expands_too_much(struct http_transfer *t)
{
    curl_off_t wire = 0;

    if (t->req->received_bytes <= EXPANSION_FREE_BYTES) {
        return false;
    }
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &wire);
    return t->req->received_bytes - EXPANSION_FREE_BYTES > (uint64_t)wire * HTTP_MAX_EXPANSION;
}

static size_t on_write(char *data, size_t size, size_t count, void *ctx)
{
    struct http_transfer *t = ctx;
    struct http_request *req = t->req;
    size_t len = size * count;
    int rc;

    if (req == NULL) {
        return 0;
    }
    req->received_bytes += len;
    if (req->max_bytes > 0 && req->received_bytes > req->max_bytes) {
        error_set(&t->failure, NA_ELIMIT, "the answer is larger than %llu bytes",
                  (unsigned long long)req->max_bytes);
        return 0;
    }
    if (req->gzip && expands_too_much(t)) {
        error_set(&t->failure, NA_ELIMIT, "the answer expands to more than %d times its size",
                  HTTP_MAX_EXPANSION);
        return 0;
    }
    rc = req->on_body != NULL ? req->on_body(req, data, len) : 0;
    if (t->req == NULL) {
        return 0; /* cancelled meanwhile */
    }
    if (rc != 0) {
        t->failure = req->error;
        t->failure.code = rc;
        return 0;
    }
    return len;
}

/* ---- libuv under curl ---- */

static void on_handle_closed(struct http_client *client)
{
    client->open_handles--;
    if (client->destroyed && client->open_handles == 0) {
        free(client->user_agent);
        free(client);
    }
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct http_socket *s = handle->data;
    struct http_client *client = s->client;

    free(s);
    on_handle_closed(client);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void enter(struct http_client *client)
{
    client->entered++;
}

static void action(struct http_client *client, curl_socket_t fd, int events)
{
    int running;

    enter(client);
    if (curl_multi_socket_action(client->multi, fd, events, &running) != CURLM_OK) {
        client->broken = true;
    }
    client->entered--;
    leave(client);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_socket *s = poll->data;
    int flags = 0;

    if (status < 0) {
        /* To be told by this, not found by reading: libuv has stopped the handle, so that no event
         * would follow data that was still there to be read. */
        flags = CURL_CSELECT_ERR;
    }
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    action(s->client, s->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
    action(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_soon(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    action(idle->data, CURL_SOCKET_TIMEOUT, 0);
}

/* "At once" is once in the loop's next turn: a timer of 0 that its own callback starts again is run
 * again by libuv 1.44 within the same turn, and a fast server would hold the loop for a whole list.
 */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_client *client = ctx;

    (void)multi;
    if (client->destroyed) {
        return 0;
    }
    uv_timer_stop(&client->timer);
    uv_idle_stop(&client->soon);
    if (timeout_ms == 0) {
        uv_idle_start(&client->soon, on_soon);
    } else if (timeout_ms > 0) {
        uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static struct http_socket *add_socket(struct http_client *client, curl_socket_t fd)
{
    struct http_socket *s = xcalloc(1, sizeof(*s));

    s->client = client;
    s->fd = fd;
    s->poll.data = s;
    if (uv_poll_init_socket(client->loop, &s->poll, fd) != 0) {
        free(s);
        return NULL;
    }
    client->open_handles++;
    curl_multi_assign(client->multi, fd, s);
    return s;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct http_client *client = ctx;
    struct http_socket *s = socket_ctx;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            uv_poll_stop(&s->poll); /* now: curl closes the descriptor when we return */
            uv_close((uv_handle_t *)&s->poll, on_socket_closed);
            curl_multi_assign(client->multi, fd, NULL);
        }
        return 0;
    }
    if (s == NULL) {
        s = add_socket(client, fd);
        if (s == NULL) {
            return -1;
        }
    }
    events |= what != CURL_POLL_OUT ? UV_READABLE : 0;
    events |= what != CURL_POLL_IN ? UV_WRITABLE : 0;
    return uv_poll_start(&s->poll, events, on_poll) == 0 ? 0 : -1;
}

/* ---- what waits until curl has returned ---- */

static void start_transfer(struct http_transfer *t)
{
    if (curl_multi_add_handle(t->client->multi, t->easy) == CURLM_OK) {
        t->phase = TRANSFER_RUNNING;
        return;
    }
    t->phase = TRANSFER_FAILED;
    fail(t, NA_EIO, "curl refused the transfer");
}

/* Removing handles may call our socket and timer callbacks, nothing else; no `done` runs here. */
static void carry_out_deferred(struct http_client *client)
{
    struct http_transfer *next;

    for (struct http_transfer *t = client->transfers; t != NULL; t = next) {
        next = t->next;
        if (t->phase == TRANSFER_DOOMED) {
            free_transfer(t);
        } else if (t->phase == TRANSFER_QUEUED) {
            start_transfer(t);
        }
    }
}

static struct http_transfer *first_failed(struct http_client *client)
{
    for (struct http_transfer *t = client->transfers; t != NULL; t = t->next) {
        if (t->phase == TRANSFER_FAILED) {
            return t;
        }
    }
    return NULL;
}

static void give_up_all(struct http_client *client)
{
    client->broken = false;
    for (struct http_transfer *t = client->transfers; t != NULL; t = t->next) {
        if (t->phase == TRANSFER_RUNNING) {
            curl_multi_remove_handle(client->multi, t->easy);
            t->phase = TRANSFER_FAILED;
            fail(t, NA_EIO, "curl lost track of its connections");
        }
    }
}

/* After every call to curl: what was put off, then `done` for what has ended. Each `done` may send
 * and cancel, so the search begins anew every time. */
static void leave(struct http_client *client)
{
    CURLMsg *msg;
    int left;

    if (client->entered > 0) {
        return;
    }
    client->entered++; /* sends from within `done` start when we are through */
    if (client->broken) {
        give_up_all(client);
    }
    do {
        struct http_transfer *t;

        client->entered--;
        carry_out_deferred(client);
        client->entered++;
        msg = curl_multi_info_read(client->multi, &left);
        if (msg != NULL && msg->msg == CURLMSG_DONE) {
            CURLcode rc = msg->data.result;

            t = NULL;
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            finish(t, translate(t, rc));
        } else if (msg == NULL && (t = first_failed(client)) != NULL) {
            finish(t, t->failure.code);
            msg = (CURLMsg *)client; /* once more */
        }
    } while (msg != NULL && !client->destroyed);
    client->entered--;
}

static void on_kick(uv_timer_t *timer)
{
    leave(timer->data);
}

/* ---- building a transfer ---- */

static void add_header(struct http_transfer *t, const char *name, const char *value)
{
    if (value != NULL) {
        char *line = xasprintf("%s: %s", name, value);

        t->headers = curl_slist_append(t->headers, line);
        explicit_bzero(line, strlen(line));
        free(line);
    }
}

static void set_blob(CURL *easy, CURLoption option, const char *data, size_t len)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)data,
                              .len = len,
                              .flags = CURL_BLOB_COPY };

    curl_easy_setopt(easy, option, &blob);
}

/* The URL carries the name to be verified, so that SNI and verification follow it by themselves;
 * where the connection really goes is told apart, and Host stays what the kubeconfig says. */
static void use_server_name(struct http_transfer *t, const char *url, const char *server_name)
{
    char host[256], *real, *fake, *connect;
    unsigned port;
    const char *path = strstr(url, "://") + 3;

    path += strcspn(path, "/?#");
    if (!url_host(url, host, sizeof(host), &port)) {
        return; /* curl will say what is wrong with the URL */
    }
    port = port == 0 ? 443 : port;
    real = xasprintf(strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
    fake = xasprintf("https://%s:%u%s", server_name, port, path);
    connect = xasprintf("%s:%u:%s", server_name, port, real);
    curl_easy_setopt(t->easy, CURLOPT_URL, fake);
    t->connect_to = curl_slist_append(NULL, connect);
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    add_header(t, "Host", real);
    free(real);
    free(fake);
    free(connect);
}

static void set_tls(struct http_transfer *t, const struct http_request *req)
{
    const struct http_tls *tls = req->tls;
    CURL *easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (tls == NULL || strncmp(req->url, "https://", 8) != 0) {
        return;
    }
    if (tls->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls->ca != NULL) {
        set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca, tls->ca_len);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* the system's would stay in force */
    }
    if (tls->cert != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
        set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->cert, tls->cert_len);
        set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key, tls->key_len);
    }
    if (tls->server_name != NULL) {
        use_server_name(t, req->url, tls->server_name);
    }
}

static void set_proxy(CURL *easy, const struct http_request *req)
{
    const char *proxy = req->proxy_url != NULL ? req->proxy_url : proxy_from_environment(req->url);

    /* "" keeps curl from reading the environment by its own, slightly other rules. */
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy != NULL ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_method(struct http_transfer *t, const struct http_request *req)
{
    if (req->body != NULL) {
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, req->body);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        t->headers = curl_slist_append(t->headers, "Expect:");
    }
    if (req->method != NULL) {
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, req->method);
    }
}

static void set_options(struct http_transfer *t, const struct http_request *req)
{
    CURL *easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
    curl_easy_setopt(easy, CURLOPT_URL, req->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_options);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, t->client->user_agent);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, req->gzip ? "gzip" : NULL);
    set_method(t, req);
    set_proxy(easy, req);
    set_tls(t, req);
    add_header(t, "Accept", req->accept);
    add_header(t, "Content-Type", req->content_type);
    if (req->bearer != NULL) {
        char *value = xasprintf("Bearer %s", req->bearer);

        add_header(t, "Authorization", value);
        explicit_bzero(value, strlen(value));
        free(value);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
}

/* ---- what others call ---- */

int http_client_create(struct http_client **out, uv_loop_t *loop,
                       const struct http_settings *settings, struct error *err)
{
    struct http_client *client;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return error_set(err, NA_EIO, "cannot initialise libcurl");
    }
    client = xcalloc(1, sizeof(*client));
    client->multi = curl_multi_init();
    if (client->multi == NULL) {
        free(client);
        return error_set(err, NA_ENOMEM, "cannot initialise libcurl");
    }
    client->loop = loop;
    client->user_agent = xstrdup(settings->user_agent);
    client->on_warning = settings->on_warning;
    client->ctx = settings->ctx;
    uv_timer_init(loop, &client->timer);
    uv_timer_init(loop, &client->kick);
    uv_idle_init(loop, &client->soon);
    client->timer.data = client->kick.data = client->soon.data = client;
    client->open_handles = 3;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *out = client;
    return 0;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    client->destroyed = true;
    while (client->transfers != NULL) {
        free_transfer(client->transfers);
    }
    curl_multi_cleanup(client->multi); /* closes the kept connections, by on_curl_socket */
    client->multi = NULL;
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
    uv_close((uv_handle_t *)&client->kick, on_timer_closed);
    uv_close((uv_handle_t *)&client->soon, on_timer_closed);
    curl_global_cleanup();
}

void http_send(struct http_client *client, struct http_request *req)
{
    struct http_transfer *t = xcalloc(1, sizeof(*t));

    t->client = client;
    t->req = req;
    t->next = client->transfers;
    if (t->next != NULL) {
        t->next->prev = t;
    }
    client->transfers = t;
    req->transfer = t;
    req->http_status = 0;
    req->received_bytes = 0;
    req->retry_after_s = -1;
    memset(&req->error, 0, sizeof(req->error));
    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        t->phase = TRANSFER_FAILED;
        fail(t, NA_ENOMEM, "curl has no memory for another transfer");
    } else {
        set_options(t, req);
        t->phase = TRANSFER_QUEUED;
        if (client->entered == 0) {
            start_transfer(t);
        }
    }
    if (t->phase == TRANSFER_FAILED) {
        uv_timer_start(&client->kick, on_kick, 0, 0);
    }
}

void http_cancel(struct http_client *client, struct http_request *req)
{
    struct http_transfer *t = req->transfer;

    if (t == NULL) {
        return;
    }
    req->transfer = NULL;
    t->req = NULL;
    if (client->entered > 0 && t->phase == TRANSFER_RUNNING) {
        t->phase = TRANSFER_DOOMED;
    } else {
        free_transfer(t);
    }
}
