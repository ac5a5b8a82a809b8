/* KUBE_CLIENT E8, E9, E11, E13, E15 and STYLE 2, against a server of a few lines in the same loop
 * that answers with given bytes. */
#include "tests/watchers/lab.h"

#include <zlib.h>

#include "watchers/http_client.h"

/* ---- the server ---- */

struct answer {
    const char *path, *bytes;
    size_t len; /* 0: strlen */
    bool keep_open;
};

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    unsigned port;
    const struct answer *answers;
    unsigned connections;
    char request[4096]; /* the last one's head */
};

struct client_conn {
    uv_tcp_t tcp;
    struct server *server;
    char head[4096];
    size_t len;
    const struct answer *answer;
};

static void conn_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_conn(struct client_conn *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp)) {
        uv_close((uv_handle_t *)&c->tcp, conn_closed);
    }
}

static void conn_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client_conn *c = handle->data;

    (void)suggested;
    *buf = uv_buf_init(c->head + c->len, (unsigned)(sizeof(c->head) - 1 - c->len));
}

static void conn_written(uv_write_t *w, int status)
{
    struct client_conn *c = w->data;

    (void)status;
    free(w);
    if (!c->answer->keep_open) {
        close_conn(c);
    }
    c->len = 0;
}

static void conn_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client_conn *c = stream->data;

    (void)buf;
    if (n < 0) {
        close_conn(c);
        return;
    }
    c->len += (size_t)n;
    c->head[c->len] = '\0';
    if (strstr(c->head, "\r\n\r\n") == NULL) {
        return;
    }
    memcpy(c->server->request, c->head, c->len + 1);
    for (const struct answer *a = c->server->answers; a->path != NULL; a++) {
        const char *path = strchr(c->head, ' ') + 1;

        if (strncmp(path, a->path, strlen(a->path)) == 0 && path[strlen(a->path)] == ' ') {
            uv_write_t *w = xcalloc(1, sizeof(*w));
            uv_buf_t out = uv_buf_init((char *)(uintptr_t)a->bytes,
                                       (unsigned)(a->len > 0 ? a->len : strlen(a->bytes)));

            c->answer = a;
            w->data = c;
            uv_write(w, stream, &out, 1, conn_written);
            return;
        }
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct client_conn *c = xcalloc(1, sizeof(*c));

    (void)status;
    s->connections++;
    c->server = s;
    uv_tcp_init(&s->loop, &c->tcp);
    c->tcp.data = c;
    uv_accept(listener, (uv_stream_t *)&c->tcp);
    uv_read_start((uv_stream_t *)&c->tcp, conn_alloc, conn_read);
}

static void serve(struct server *s, const struct answer *answers)
{
    struct sockaddr_in at;
    int len = sizeof(at);

    memset(s, 0, sizeof(*s));
    s->answers = answers;
    uv_loop_init(&s->loop);
    uv_tcp_init(&s->loop, &s->listener);
    s->listener.data = s;
    uv_ip4_addr("127.0.0.1", 0, &at);
    uv_tcp_bind(&s->listener, (struct sockaddr *)&at, 0);
    uv_listen((uv_stream_t *)&s->listener, 16, on_connection);
    uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &len);
    s->port = ntohs(at.sin_port);
}

static void close_any(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle) && handle->type == UV_TCP) {
        uv_close(handle, handle->data != NULL && ((uv_tcp_t *)handle)->connection_cb == NULL
                             ? conn_closed
                             : NULL);
    }
}

static void stop_serving(struct server *s)
{
    uv_walk(&s->loop, close_any, NULL);
    close_loop(&s->loop);
}

/* ---- the client ---- */

struct call {
    struct http_request req;
    struct http_client *client;
    char url[128];
    struct buf body;
    bool done, sent, done_too_early;
    int status, heads;
    bool cancel_in_body, stop_in_body;
    struct call *then; /* sent from within done */
};

static int call_body(struct http_request *req, const char *data, size_t len)
{
    struct call *c = req->data;

    buf_add(&c->body, data, len);
    if (c->cancel_in_body) {
        http_cancel(c->client, req);
    }
    return c->stop_in_body ? error_set(&req->error, NA_ECANCELED, "enough") : 0;
}

static void call_head(struct http_request *req)
{
    ((struct call *)req->data)->heads++;
}

static void call_send(struct call *c);

static void call_done(struct http_request *req, int status)
{
    struct call *c = req->data;

    c->done_too_early = !c->sent;
    c->done = true;
    c->status = status;
    if (c->then != NULL) {
        call_send(c->then);
    }
}

static void call_send(struct call *c)
{
    http_send(c->client, &c->req);
    c->sent = true;
}

static void call_init(struct call *c, struct http_client *client, unsigned port, const char *path)
{
    memset(c, 0, sizeof(*c));
    c->client = client;
    snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%u%s", port, path);
    buf_init(&c->body, 1 << 26);
    c->req.url = c->url;
    c->req.data = c;
    c->req.on_head = call_head;
    c->req.on_body = call_body;
    c->req.done = call_done;
}

static bool call_is_done(void *ctx)
{
    return ((struct call *)ctx)->done;
}

static char warnings[256];

static void on_warning(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(warnings + strlen(warnings), sizeof(warnings) - strlen(warnings), "%s|", text);
}

static struct http_client *client_of(uv_loop_t *loop)
{
    const struct http_settings settings = { .user_agent = "netauditd/1 (linux/amd64) x",
                                            .on_warning = on_warning };
    struct http_client *client = NULL;
    struct error err = { 0 };

    assert_int_equal(http_client_create(&client, loop, &settings, &err), 0);
    return client;
}

#define OK(headers, body) "HTTP/1.1 200 OK\r\n" headers "\r\n" body

static const struct {
    const char *fact, *bytes;
    uint64_t max_bytes;
    int status, http_status;
    const char *body, *type;
    int retry;
} rows[] = {
    { "with a length",
      OK("Content-Length: 2\r\nContent-Type: application/json; charset=utf-8\r\n", "{}"), 0, 0, 200,
      "{}", "application/json", -1 },
    { "in chunks", OK("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 0, 0, 200, "{}",
      "", -1 },
    { "chunks with trailers",
      OK("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nRetry-After: 9\r\n\r\n"), 0, 0, 200,
      "{}", "", -1 },
    { "E8: without the final chunk it was cut", OK("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n"),
      0, NA_EIO, 200, "{}", "", -1 },
    { "E8: cut within a chunk", OK("Transfer-Encoding: chunked\r\n", "5\r\n{}"), 0, NA_EIO, 200,
      "{}", "", -1 },
    { "E8: shorter than its length", OK("Content-Length: 5\r\n", "{}"), 0, NA_EIO, 200, "{}", "",
      -1 },
    { "cut within the head", "HTTP/1.1 200 OK\r\nContent-", 0, NA_EIO, 0, "", "", -1 },
    { "not a word of HTTP", " ", 0, NA_EINVAL, 0, "", "", -1 },
    { "no HTTP", "SSH-2.0-OpenSSH_9\r\n\r\n", 0, NA_EINVAL, 0, "", "", -1 },
    { "100 Continue first",
      "HTTP/1.1 100 Continue\r\nRetry-After: 7\r\n\r\n" OK("Content-Length: 2\r\n", "{}"), 0, 0,
      200, "{}", "", -1 },
    { "429 and Retry-After",
      "HTTP/1.1 429 Too Many\r\nretry-after:  30 \r\nContent-Length: 4\r\n\r\nslow", 0, 0, 429,
      "slow", "", 30 },
    { "D3: Retry-After as a date",
      "HTTP/1.1 503 No\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n",
      0, 0, 503, "", "", -1 },
    { "D3: Retry-After as garbage",
      "HTTP/1.1 503 No\r\nRetry-After: -5x\r\nContent-Length: 0\r\n\r\n", 0, 0, 503, "", "", -1 },
    { "a redirect is not followed",
      "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 0, 0, 302, "", "",
      -1 },
    { "within its limit", OK("Content-Length: 5\r\n", "12345"), 5, 0, 200, "12345", "", -1 },
    { "over its limit", OK("Content-Length: 6\r\n", "123456"), 5, NA_ELIMIT, 200, "", "", -1 },
};

TEST(answers_of_all_kinds)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct answer answers[] = { { "/x", rows[i].bytes, 0, false },
                                          { NULL, NULL, 0, false } };
        struct server s;
        struct http_client *client;
        struct call c;

        serve(&s, answers);
        client = client_of(&s.loop);
        call_init(&c, client, s.port, "/x");
        c.req.max_bytes = rows[i].max_bytes;
        call_send(&c);
        CHECK(rows[i].fact, run_until(&s.loop, call_is_done, &c, 5000));
        CHECK_INT(rows[i].fact, c.status, rows[i].status);
        CHECK_INT(rows[i].fact, c.req.http_status, rows[i].http_status);
        CHECK_INT(rows[i].fact, c.req.retry_after_s, rows[i].retry);
        CHECK_STR(rows[i].fact, buf_text(&c.body), rows[i].body);
        CHECK_STR(rows[i].fact, c.req.answer_type, rows[i].type);
        CHECK("a failure has a sentence", (c.status != 0) == (c.req.error.text[0] != '\0'));
        CHECK("never before http_send has returned", !c.done_too_early);
        CHECK_INT("the head once", c.heads, rows[i].http_status != 0);
        buf_deinit(&c.body);
        http_client_destroy(client);
        stop_serving(&s);
    }
}

TEST(what_is_sent)
{
    const struct answer answers[] = {
        { "/x", OK("Content-Length: 0\r\nWarning: 299 - \"old \\\"api\\\"\"\r\n", ""), 0, true },
        { NULL, NULL, 0, false }
    };
    struct server s;
    struct http_client *client;
    struct call c;

    serve(&s, answers);
    client = client_of(&s.loop);
    call_init(&c, client, s.port, "/x");
    c.req.accept = "application/json";
    c.req.bearer = "tok";
    c.req.method = "PATCH";
    c.req.body = "{}";
    c.req.body_len = 2;
    c.req.content_type = "application/apply-patch+yaml";
    call_send(&c);
    CHECK("it is answered", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK("method", strstr(s.request, "PATCH /x HTTP/1.1\r\n") == s.request);
    CHECK("L4: User-Agent",
          strstr(s.request, "\r\nUser-Agent: netauditd/1 (linux/amd64) x\r\n") != NULL);
    CHECK("token", strstr(s.request, "\r\nAuthorization: Bearer tok\r\n") != NULL);
    CHECK("Accept", strstr(s.request, "\r\nAccept: application/json\r\n") != NULL);
    CHECK("Content-Type",
          strstr(s.request, "\r\nContent-Type: application/apply-patch+yaml\r\n") != NULL);
    CHECK("E12: no compression unless wanted", strstr(s.request, "Accept-Encoding") == NULL);
    CHECK("no Expect", strstr(s.request, "Expect") == NULL);
    CHECK_STR("L5: the warning's text", warnings, "old \\\"api\\\"|");
    c.done = false;
    call_send(&c);
    CHECK("again", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("E3: on the same connection", s.connections, 1);
    buf_deinit(&c.body);
    http_client_destroy(client);
    stop_serving(&s);
}

TEST(callbacks_may_send_and_cancel)
{
    const struct answer answers[] = { { "/x", OK("Content-Length: 2\r\n", "{}"), 0, true },
                                      { "/hang", OK("Content-Length: 9\r\n", "{}"), 0, true },
                                      { NULL, NULL, 0, false } };
    struct server s;
    struct http_client *client;
    struct call a, b, hang, stop, cancelled;

    serve(&s, answers);
    client = client_of(&s.loop);
    call_init(&a, client, s.port, "/x");
    call_init(&b, client, s.port, "/x");
    call_init(&hang, client, s.port, "/hang");
    call_init(&stop, client, s.port, "/x");
    call_init(&cancelled, client, s.port, "/x");
    a.then = &b;
    call_send(&a);
    CHECK("a request sent from within done", run_until(&s.loop, call_is_done, &b, 5000));
    hang.cancel_in_body = true;
    call_send(&hang);
    stop.stop_in_body = true;
    call_send(&stop);
    CHECK("a callback that says stop", run_until(&s.loop, call_is_done, &stop, 5000));
    CHECK_INT("its code", stop.status, NA_ECANCELED);
    CHECK_STR("its sentence", stop.req.error.text, "enough");
    run_for(&s.loop, 50);
    CHECK_STR("a request cancelled from within its callback", buf_text(&hang.body), "{}");
    CHECK("is never done", !hang.done);
    call_send(&cancelled);
    http_cancel(client, &cancelled.req);
    http_cancel(client, &cancelled.req);
    run_for(&s.loop, 50);
    CHECK("cancelled at once: never done", !cancelled.done);
    call_send(&cancelled);
    CHECK("and may be sent again", run_until(&s.loop, call_is_done, &cancelled, 5000));
    hang.cancel_in_body = false;
    call_send(&hang);
    run_for(&s.loop, 20);
    http_client_destroy(client);
    CHECK("destroyed with one in flight: never done", !hang.done);
    buf_deinit(&a.body);
    buf_deinit(&b.body);
    buf_deinit(&hang.body);
    buf_deinit(&stop.body);
    buf_deinit(&cancelled.body);
    stop_serving(&s);
}

TEST(nobody_there_is_told_from_the_loop)
{
    const struct answer none[] = { { NULL, NULL, 0, false } };
    struct server s;
    struct http_client *client;
    struct call c;

    serve(&s, none);
    client = client_of(&s.loop);
    call_init(&c, client, 1, "/x");
    call_send(&c);
    CHECK("refused", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("a refused connection", c.status, NA_EUNREACH);
    CHECK("not from within http_send", !c.done_too_early);
    memset(&c.req.error, 0, sizeof(c.req.error));
    c.done = c.sent = false;
    snprintf(c.url, sizeof(c.url), "gopher://x/");
    call_send(&c);
    CHECK("another protocol", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("is malformed input", c.status, NA_EINVAL);
    c.done = c.sent = false;
    snprintf(c.url, sizeof(c.url), "http://127.0.0.1:%u/hang", s.port);
    c.req.timeout_ms = 50;
    call_send(&c);
    CHECK("no answer", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("E9: a deadline of its own", c.status, NA_ETIMEOUT);
    buf_deinit(&c.body);
    http_client_destroy(client);
    stop_serving(&s);
}

TEST(headers_without_end_are_refused)
{
    struct buf bytes;
    struct server s;
    struct http_client *client;
    struct call c;

    buf_init(&bytes, 1 << 22);
    buf_adds(&bytes, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 5000; i++) {
        buf_addf(&bytes, "X-%u: 0123456789\r\n", i);
    }
    const struct answer answers[] = { { "/x", bytes.data, bytes.len, true },
                                      { NULL, NULL, 0, false } };
    serve(&s, answers);
    client = client_of(&s.loop);
    call_init(&c, client, s.port, "/x");
    call_send(&c);
    CHECK("it ends", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("too large", c.status, NA_ELIMIT);
    buf_deinit(&c.body);
    buf_deinit(&bytes);
    http_client_destroy(client);
    stop_serving(&s);
}

/* The callback takes its time, as decoding does: the loop comes round between the pieces. */
struct slow {
    struct call call;
    uint64_t sum, stop_after;
};

static int slow_body(struct http_request *req, const char *data, size_t len)
{
    struct slow *slow = (struct slow *)req->data;
    uint64_t until = uv_hrtime() + 300000;

    for (size_t i = 0; i < len; i++) {
        slow->sum = slow->sum * 31 + (unsigned char)data[i];
    }
    while (uv_hrtime() < until) {
    }
    return slow->stop_after > 0 && req->received_bytes > slow->stop_after
               ? error_set(&req->error, NA_ELIMIT, "enough")
               : 0;
}

static unsigned turns;

static void count_turn(uv_prepare_t *prepare)
{
    (void)prepare;
    turns++;
}

TEST(a_fast_server_does_not_hold_the_loop)
{
    enum { BYTES = 6 << 20 };
    char *bytes = xmalloc(BYTES + 256);
    size_t head =
        (size_t)snprintf(bytes, 256, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BYTES);
    uint64_t want = 0;
    struct server s;
    struct http_client *client;
    struct slow slow = { .sum = 0 };
    uv_prepare_t prepare;

    for (size_t i = 0; i < BYTES; i++) {
        bytes[head + i] = (char)(i * 7 + i / 1000);
        want = want * 31 + (unsigned char)bytes[head + i];
    }
    const struct answer answers[] = { { "/x", bytes, head + BYTES, true },
                                      { NULL, NULL, 0, false } };
    serve(&s, answers);
    client = client_of(&s.loop);
    call_init(&slow.call, client, s.port, "/x");
    slow.call.req.on_body = slow_body;
    uv_prepare_init(&s.loop, &prepare);
    uv_prepare_start(&prepare, count_turn);
    turns = 0;
    call_send(&slow.call);
    CHECK("it ends", run_until(&s.loop, call_is_done, &slow.call, 20000));
    CHECK_INT("well", slow.call.status, 0);
    CHECK("every byte came once, in order", slow.sum == want);
    CHECK("in as many turns of the loop as it takes by 0.8 MB", turns > 6);
    slow.stop_after = BYTES / 2;
    slow.call.done = slow.call.sent = false;
    call_send(&slow.call);
    CHECK("a callback that says stop in the middle",
          run_until(&s.loop, call_is_done, &slow.call, 20000));
    CHECK_INT("is obeyed", slow.call.status, NA_ELIMIT);
    uv_close((uv_handle_t *)&prepare, NULL);
    buf_deinit(&slow.call.body);
    free(bytes);
    http_client_destroy(client);
    stop_serving(&s);
}

static size_t gzip_of_zeroes(char *out, size_t room, size_t zeroes)
{
    z_stream z = { .avail_in = 0 };
    static Bytef block[65536];

    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    memset(block, ' ', sizeof(block));
    for (size_t n = 0; n < zeroes; n += sizeof(block)) {
        z.next_in = block;
        z.avail_in = sizeof(block);
        deflate(&z, n + sizeof(block) >= zeroes ? Z_FINISH : Z_NO_FLUSH);
    }
    deflateEnd(&z);
    return room - z.avail_out;
}

TEST(E11_a_bomb_is_stopped)
{
    size_t room = 1 << 20, head;
    char *bytes = xmalloc(room);
    struct server s;
    struct http_client *client;
    struct call c;

    head = (size_t)snprintf(
        bytes, room, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
    const struct answer answers[] = {
        { "/x", bytes, head + gzip_of_zeroes(bytes + head, room - head, 256U << 20), false },
        { NULL, NULL, 0, false }
    };
    serve(&s, answers);
    client = client_of(&s.loop);
    call_init(&c, client, s.port, "/x");
    c.req.gzip = true;
    call_send(&c);
    CHECK("it ends", run_until(&s.loop, call_is_done, &c, 20000));
    CHECK_INT("too large", c.status, NA_ELIMIT);
    CHECK("long before its end", c.req.received_bytes < (100U << 20));
    CHECK("it was asked for", strstr(s.request, "Accept-Encoding: gzip") != NULL);
    buf_deinit(&c.body);
    free(bytes);
    http_client_destroy(client);
    stop_serving(&s);
}

TEST(E15_a_proxy_is_asked_to_connect)
{
    const struct answer answers[] = {
        { "api.example:6443", "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n", 0, false },
        { "http://plain.example/x", OK("Content-Length: 2\r\n", "ok"), 0, false },
        { NULL, NULL, 0, false }
    };
    struct server s;
    struct http_client *client;
    struct call c;
    char proxy[64];

    serve(&s, answers);
    client = client_of(&s.loop);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", s.port);
    call_init(&c, client, 0, "");
    snprintf(c.url, sizeof(c.url), "https://api.example:6443/x");
    c.req.proxy_url = proxy;
    c.req.bearer = "tok";
    call_send(&c);
    CHECK("refused by the proxy", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK("as no connection, not as an answer", c.status != 0 && c.req.http_status == 0);
    CHECK("CONNECT", strncmp(s.request, "CONNECT api.example:6443 HTTP/1.1\r\n", 35) == 0);
    CHECK("the proxy never sees the token", strstr(s.request, "tok") == NULL);
    c.done = c.sent = false;
    c.req.proxy_url = NULL;
    snprintf(c.url, sizeof(c.url), "http://plain.example/x");
    setenv("http_proxy", proxy, 1);
    call_send(&c);
    CHECK("the environment's proxy", run_until(&s.loop, call_is_done, &c, 5000));
    CHECK_INT("answers", c.req.http_status, 200);
    unsetenv("http_proxy");
    buf_deinit(&c.body);
    http_client_destroy(client);
    stop_serving(&s);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN_TESTS(cmocka_unit_test(answers_of_all_kinds), cmocka_unit_test(what_is_sent),
              cmocka_unit_test(callbacks_may_send_and_cancel),
              cmocka_unit_test(nobody_there_is_told_from_the_loop),
              cmocka_unit_test(headers_without_end_are_refused),
              cmocka_unit_test(a_fast_server_does_not_hold_the_loop),
              cmocka_unit_test(E11_a_bomb_is_stopped),
              cmocka_unit_test(E15_a_proxy_is_asked_to_connect));
}
