#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "load.h"
#include "log.h"

struct reply {
    struct body_source src;
    struct buf out;
    size_t at;
    struct fake *stop; /* leave the loop when it has been sent */
};

static enum body_state reply_fill(struct body_source *src, struct buf *out, size_t want)
{
    struct reply *r = (struct reply *)src;
    size_t n = r->out.len - r->at < want ? r->out.len - r->at : want;

    buf_add(out, r->out.data + r->at, n);
    r->at += n;
    return r->at == r->out.len ? BODY_END : BODY_MORE;
}

static void reply_closed(struct body_source *src, enum body_end how)
{
    struct reply *r = (struct reply *)src;

    (void)how;
    buf_free(&r->out);
    free(r);
}

static void reply(struct http_conn *c, int status, struct buf *out, bool lines)
{
    struct reply *r = xcalloc(1, sizeof(*r));

    r->src = (struct body_source){ reply_fill, reply_closed };
    r->out = *out;
    if (!lines) {
        buf_str(&r->out, "\n");
    }
    http_start(
        c,
        &(struct http_head){ .status = status,
                             .content_type = lines ? "application/x-ndjson" : "application/json",
                             .length = r->out.len },
        &r->src);
}

int control_ok(struct control_call *c)
{
    if (c->out->len == 0) {
        buf_str(c->out, "{}");
    }
    return 200;
}

int control_fail(struct control_call *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->out->len = 0;
    buf_str(c->out, "{\"error\":");
    buf_json(c->out, text);
    buf_str(c->out, "}");
    return 400;
}

bool control_kind(struct control_call *c, bool star, struct kind **out)
{
    const char *word = jstr(c->body, "kind", star ? "*" : "");

    *out = NULL;
    if (star && strcmp(word, "*") == 0) {
        return true;
    }
    *out = kind_by_word(word);
    if (*out == NULL) {
        control_fail(c, "kind: no kind '%s'", word);
    }
    return *out != NULL;
}

bool control_verbs(struct control_call *c, unsigned *bits)
{
    const cJSON *list = jget(c->body, "verbs");
    const cJSON *v;

    *bits = list == NULL ? ~0u : 0;
    cJSON_ArrayForEach(v, list)
    {
        int verb = cJSON_IsString(v) ? verb_by_name(v->valuestring) : -1;

        if (verb < 0) {
            control_fail(c, "verbs: no verb '%s'", cJSON_IsString(v) ? v->valuestring : "");
            return false;
        }
        *bits |= 1u << verb;
    }
    return true;
}

static bool keys_known(struct control_call *c, const char *keys)
{
    const cJSON *m;

    if (keys == NULL || !cJSON_IsObject(c->body)) {
        return true;
    }
    cJSON_ArrayForEach(m, c->body)
    {
        const char *at = strstr(keys, m->string);
        size_t n = strlen(m->string);

        while (at != NULL &&
               !((at == keys || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0') && n > 0)) {
            at = strstr(at + 1, m->string);
        }
        if (at == NULL) {
            control_fail(c, "unknown key '%s'", m->string);
            return false;
        }
    }
    return true;
}

static const struct control_route *find_route(const struct control_route *table,
                                              const struct http_request *req, const char **tail,
                                              bool *path_known)
{
    for (; table->method != NULL; table++) {
        size_t n = strlen(table->path);
        bool prefix = table->path[n - 1] == '/';

        if (prefix ? strncmp(req->path, table->path, n) != 0
                   : strcmp(req->path, table->path) != 0) {
            continue;
        }
        *path_known = true;
        if (strcmp(req->method, table->method) == 0) {
            *tail = req->path + n;
            return table;
        }
    }
    return NULL;
}

static void serve_dump(struct http_conn *c, struct fake *f, const struct http_request *req)
{
    char *word = http_query(req->query, "kind");
    char *ns = http_query(req->query, "namespace");
    struct kind *k = word != NULL ? kind_by_word(word) : NULL;
    struct buf out = { 0 };

    if (word != NULL && k == NULL) {
        buf_str(&out, "{\"error\":\"kind: no such kind\"}");
        reply(c, 400, &out, false);
    } else {
        http_start(c,
                   &(struct http_head){
                       .status = 200, .content_type = "application/json", .chunked = true },
                   dump_source(f, k, ns));
    }
    free(word);
    free(ns);
}

void control_request(struct http_conn *conn, const struct http_request *req, void *ctx)
{
    struct fake *f = ctx;
    struct buf out = { 0 };
    struct control_call c = { .f = f, .req = req, .out = &out, .tail = "" };
    bool known = false;
    bool raw = strcmp(req->path, "/load") == 0;
    const struct control_route *r;
    int status;

    if (strcmp(req->path, "/dump") == 0 && strcmp(req->method, "GET") == 0) {
        serve_dump(conn, f, req);
        return;
    }
    r = find_route(control_state_routes, req, &c.tail, &known);
    if (r == NULL) {
        r = find_route(control_fault_routes, req, &c.tail, &known);
    }
    if (r == NULL) {
        status = known ? 405 : 404;
        control_fail(&c, "%s", known ? "this call does not take this method" : "no such call");
    } else {
        if (!raw && strcmp(req->method, "POST") == 0) {
            c.body = req->body_len > 0 ? jparse(req->body, req->body_len) : cJSON_CreateObject();
        }
        if (!raw && strcmp(req->method, "POST") == 0 && !cJSON_IsObject(c.body) &&
            !cJSON_IsArray(c.body)) {
            status = control_fail(&c, "the body is not a JSON object");
        } else {
            status = keys_known(&c, r->keys) ? r->handle(&c) : 400;
        }
    }
    cJSON_Delete(c.body);
    reply(conn, status, &out, strcmp(req->path, "/churn/log") == 0);
}
