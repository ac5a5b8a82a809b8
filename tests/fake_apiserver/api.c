#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "discovery.h"
#include "exchange.h"
#include "list.h"
#include "watch.h"
#include "write.h"

#define SEGMENTS_MAX 8

struct path {
    char *seg[SEGMENTS_MAX];
    size_t n;
    bool bad;
};

static void path_split(const char *text, struct path *p)
{
    *p = (struct path){ 0 };
    while (*text == '/') {
        size_t n;

        text++;
        n = strcspn(text, "/");
        if (n == 0 && text[n] == '\0') {
            break;
        }
        if (p->n == SEGMENTS_MAX || (p->seg[p->n] = http_unescape(text, n, false)) == NULL) {
            p->bad = true;
            break;
        }
        p->n++;
        text += n;
    }
}

static void path_free(struct path *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->seg[i]);
    }
}

static enum verb verb_of(const char *method, bool named, bool watch)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        return named ? VERB_GET : watch ? VERB_WATCH : VERB_LIST;
    }
    if (strcmp(method, "POST") == 0) {
        return VERB_CREATE;
    }
    if (strcmp(method, "PUT") == 0) {
        return VERB_UPDATE;
    }
    if (strcmp(method, "PATCH") == 0) {
        return VERB_PATCH;
    }
    if (strcmp(method, "DELETE") == 0) {
        return named ? VERB_DELETE : VERB_DELETECOLLECTION;
    }
    return VERB_OTHER;
}

enum place { PLACE_OTHER, PLACE_GROUP_VERSION, PLACE_NO_GROUP, PLACE_NO_RESOURCE, PLACE_RESOURCE };

/* Segments behind the version: [namespaces NS] RESOURCE [NAME [SUB]]. */
static enum place route_resource(struct path *p, size_t at, const char *group, const char *version,
                                 struct route *r)
{
    const char *resource, *ns = "", *name = "", *sub = "";

    if (!group_version_known(group, version)) {
        return PLACE_NO_GROUP;
    }
    if (p->n == at) {
        return PLACE_GROUP_VERSION;
    }
    if (strcmp(p->seg[at], "namespaces") == 0 && p->n > at + 2 &&
        strcmp(p->seg[at + 2], "status") != 0 && strcmp(p->seg[at + 2], "finalize") != 0) {
        ns = p->seg[at + 1];
        at += 2;
    }
    resource = p->seg[at];
    name = p->n > at + 1 ? p->seg[at + 1] : "";
    sub = p->n > at + 2 ? p->seg[at + 2] : "";
    r->ns = xstrdup(ns);
    r->name = xstrdup(name);
    r->subresource = xstrdup(sub);
    r->kind = kind_by_path(group, version, resource);
    if (r->kind == NULL || !r->kind->served || p->n > at + 3 ||
        (ns[0] != '\0' && !r->kind->namespaced) ||
        (sub[0] != '\0' && strcmp(sub, "status") != 0 && strcmp(sub, "finalize") != 0 &&
         !(strcmp(sub, "scale") == 0 && strcmp(group, "apps") == 0))) {
        r->kind = r->kind != NULL && r->kind->served && sub[0] != '\0' ? r->kind : NULL;
        return PLACE_NO_RESOURCE;
    }
    return PLACE_RESOURCE;
}

static enum place route_path(struct path *p, struct route *r)
{
    if (p->n >= 2 && strcmp(p->seg[0], "api") == 0) {
        return route_resource(p, 2, "", p->seg[1], r);
    }
    if (p->n >= 3 && strcmp(p->seg[0], "apis") == 0) {
        return route_resource(p, 3, p->seg[1], p->seg[2], r);
    }
    return PLACE_OTHER;
}

static void plain(struct exchange *x, int code, const char *text)
{
    struct buf b = { 0 };

    buf_str(&b, text);
    exchange_reply(x, code, "text/plain; charset=utf-8", &b);
}

static void serve_version(struct exchange *x)
{
    struct buf b = { 0 };
    const char *v = x->fake->settings.git_version;
    unsigned major = 1, minor = 0;

    sscanf(v, "v%u.%u", &major, &minor);
    buf_fmt(
        &b,
        "{\"major\":\"%u\",\"minor\":\"%u\",\"emulationMajor\":\"%u\",\"emulationMinor\":\"%u\","
        "\"minCompatibilityMajor\":\"%u\",\"minCompatibilityMinor\":\"%u\",\"gitVersion\":",
        major, minor, major, minor, major, minor > 0 ? minor - 1 : 0);
    buf_json(&b, v);
    buf_str(
        &b,
        ",\"gitCommit\":\"fake\",\"gitTreeState\":\"clean\",\"buildDate\":\"2026-07-01T00:00:00Z\","
        "\"goVersion\":\"go1.26.0\",\"compiler\":\"gc\",\"platform\":\"linux/amd64\"}");
    x->pretty = true; /* as the real server: always */
    exchange_reply(x, 200, "application/json", &b);
}

static void serve_other(struct exchange *x, const struct path *p)
{
    struct fake *f = x->fake;
    struct buf b = { 0 };
    const char *first = p->n > 0 ? p->seg[0] : "";
    bool ok = true;

    if (p->n == 1 && strcmp(first, "version") == 0) {
        serve_version(x);
        return;
    }
    if (p->n >= 1 && (strcmp(first, "readyz") == 0 || strcmp(first, "livez") == 0 ||
                      strcmp(first, "healthz") == 0)) {
        bool bad = f->settings.not_ready && strcmp(first, "readyz") == 0;

        plain(x, bad ? 500 : 200,
              bad ? "[-]etcd failed: reason withheld\nreadyz check failed\n" : "ok");
        return;
    }
    if (p->n == 1 && strcmp(first, "api") == 0) {
        discovery_core(&b, f->api.host, f->api.port);
    } else if (p->n == 1 && strcmp(first, "apis") == 0) {
        discovery_groups(&b);
    } else if (p->n == 2 && strcmp(first, "apis") == 0) {
        ok = discovery_group(&b, p->seg[1]);
    } else if (p->n == 2 && strcmp(first, "openapi") == 0 && strcmp(p->seg[1], "v3") == 0) {
        openapi_index(&b);
    } else if (p->n >= 4 && strcmp(first, "openapi") == 0 && strcmp(p->seg[1], "v3") == 0) {
        ok = p->n == 4 ? openapi_group_version(&b, "", p->seg[3])
                       : openapi_group_version(&b, p->seg[3], p->seg[4]);
    } else {
        ok = false;
    }
    if (ok) {
        exchange_reply(x, 200, "application/json", &b);
    } else {
        buf_free(&b);
        plain(x, 404, "404 page not found\n");
    }
}

/* A fault that replaces the answer. */
static bool serve_http_fault(struct exchange *x)
{
    static const char garbage[] = "\x16\x03\x01\x02{]\xff\xfe not json \x00\x01";
    struct fault *t = exchange_fault(x, ACT_HTTP);
    struct buf b = { 0 };
    const char *kind, *type;
    const cJSON *h;
    int code;

    if (t == NULL) {
        t = exchange_fault(x, ACT_BODY);
        if (t == NULL) {
            return false;
        }
        buf_str(&b, jstr(t->spec, "data", ""));
        x->out = b;
        exchange_start(x, (int)jnum(t->spec, "status", 200),
                       jstr(t->spec, "content_type", "application/json"), false, x->out.len);
        return true;
    }
    code = (int)jnum(t->spec, "status", 500);
    kind = jstr(t->spec, "body", code == 429 ? "busy" : "status");
    type = "application/json";
    if (strcmp(kind, "status") == 0 || strcmp(kind, "truncated") == 0) {
        status_json(
            &(struct status){ .code = code,
                              .reason = jstr(t->spec, "reason", status_reason(code)),
                              .message = jstr(t->spec, "message", "injected"),
                              .retry_after_seconds = (int)jnum(t->spec, "retry_after_seconds", 0) },
            &b);
        b.len = kind[0] == 't' ? b.len / 2 : b.len;
    } else if (strcmp(kind, "html") == 0) {
        buf_fmt(&b, "<html><head><title>%d %s</title></head><body>nginx</body></html>\n", code,
                http_reason(code));
        type = "text/html";
    } else if (strcmp(kind, "garbage") == 0) {
        buf_add(&b, garbage, sizeof(garbage) - 1);
    } else if (strcmp(kind, "busy") == 0) {
        buf_str(&b, "Too many requests, please try again later.\n");
        type = "text/plain; charset=utf-8";
        if (jstr(t->spec, "retry_after", NULL) == NULL) {
            exchange_header(x, "Retry-After: 1");
        }
    } else if (strcmp(kind, "text") == 0) {
        buf_fmt(&b, "%s\n", jstr(t->spec, "message", http_reason(code)));
        type = "text/plain; charset=utf-8";
    }
    if (jstr(t->spec, "retry_after", NULL) != NULL) {
        buf_fmt(&x->extra, "Retry-After: %s\r\n", jstr(t->spec, "retry_after", ""));
    }
    cJSON_ArrayForEach(h, jget(t->spec, "headers"))
    {
        buf_fmt(&x->extra, "%s: %s\r\n", h->string, cJSON_IsString(h) ? h->valuestring : "");
    }
    x->out = b;
    exchange_start(x, code, jstr(t->spec, "content_type", type), false, b.len);
    return true;
}

/* NULL: answered with 401. */
static const char *authenticate(struct exchange *x)
{
    const struct fake *f = x->fake;
    const char *auth = x->req->authorization;
    const char *user;

    if (x->req->client_cn[0] != '\0') {
        return x->req->client_cn;
    }
    if (!f->tokens_on && !x->req->client_cert_bad) {
        return "system:admin";
    }
    if (auth[0] == '\0' && !x->req->client_cert_bad) {
        return "system:anonymous";
    }
    user = strncasecmp(auth, "Bearer ", 7) == 0 ? fake_user_of(f, auth + 7) : NULL;
    if (user == NULL) {
        exchange_status(x, &(struct status){
                               .code = 401, .reason = "Unauthorized", .message = "Unauthorized" });
    }
    return user;
}

/* False: answered with 403. */
static bool authorize(struct exchange *x, const char *user)
{
    const struct route *r = &x->route;
    bool anonymous = strcmp(user, "system:anonymous") == 0;
    struct buf b = { 0 };
    char *resource;

    if (r->kind == NULL) {
        static const char *const open[] = { "/version", "/healthz", "/livez", "/readyz" };

        for (size_t i = 0; i < ARRAY_LEN(open); i++) {
            anonymous = anonymous && strncmp(x->req->path, open[i], strlen(open[i])) != 0;
        }
        if (anonymous) {
            exchange_status(x, &(struct status){ .code = 403,
                                                 .reason = "Forbidden",
                                                 .message =
                                                     "forbidden: User \"system:anonymous\" cannot "
                                                     "get path",
                                                 .details = true });
        }
        return !anonymous;
    }
    if (!anonymous && (r->kind->forbidden & (1u << r->verb)) == 0) {
        return true;
    }
    resource = qualified(r->kind);
    buf_str(&b, resource);
    if (r->name[0] != '\0') {
        buf_fmt(&b, " \"%s\"", r->name);
    }
    buf_fmt(&b, " is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\"", user,
            verb_names[r->verb], r->kind->resource, r->kind->group);
    if (r->ns[0] != '\0') {
        buf_fmt(&b, " in the namespace \"%s\"", r->ns);
    } else {
        buf_str(&b, " at the cluster scope");
    }
    exchange_header(x, "X-Content-Type-Options: nosniff");
    exchange_status(x, &(struct status){ .code = 403,
                                         .reason = "Forbidden",
                                         .message = buf_cstr(&b),
                                         .name = r->name,
                                         .group = r->kind->group,
                                         .kind = r->kind->resource });
    free(resource);
    buf_free(&b);
    return false;
}

static void serve_resource(struct exchange *x)
{
    if (strcmp(x->route.subresource, "scale") == 0) {
        api_scale(x);
        return;
    }
    switch (x->route.verb) {
    case VERB_LIST:
        list_start(x);
        return;
    case VERB_WATCH:
        watch_start(x);
        return;
    case VERB_GET:
        api_get(x);
        return;
    case VERB_CREATE:
        if (x->route.name[0] == '\0' && (x->route.ns[0] != '\0') == x->route.kind->namespaced) {
            api_create(x);
            return;
        }
        break;
    case VERB_UPDATE:
        if (x->route.name[0] != '\0') {
            api_update(x);
            return;
        }
        break;
    case VERB_PATCH:
        if (x->route.name[0] != '\0') {
            api_patch(x);
            return;
        }
        break;
    case VERB_DELETE:
        api_delete(x);
        return;
    case VERB_DELETECOLLECTION:
        api_delete_collection(x);
        return;
    default:
        break;
    }
    exchange_status(
        x, &(struct status){ .code = 405,
                             .reason = "MethodNotAllowed",
                             .message = "the server does not allow this method on the requested "
                                        "resource",
                             .details = true });
}

void api_request(struct http_conn *c, const struct http_request *req, void *ctx)
{
    struct fake *f = ctx;
    struct path p;
    struct route r = { 0 };
    struct exchange *x;
    struct buf b = { 0 };
    enum place place;
    char *watch = http_query(req->query, "watch");
    const char *user;
    size_t size = sizeof(struct exchange);

    path_split(req->path, &p);
    place = p.bad ? PLACE_OTHER : route_path(&p, &r);
    r.ns = r.ns != NULL ? r.ns : xstrdup("");
    r.name = r.name != NULL ? r.name : xstrdup("");
    r.subresource = r.subresource != NULL ? r.subresource : xstrdup("");
    r.verb = r.kind == NULL
                 ? VERB_OTHER
                 : verb_of(req->method, r.name[0] != '\0',
                           watch != NULL && strcmp(watch, "false") != 0 && strcmp(watch, "0") != 0);
    if (place == PLACE_RESOURCE && r.verb == VERB_LIST) {
        size = list_size();
    } else if (place == PLACE_RESOURCE && r.verb == VERB_WATCH) {
        size = watch_size();
    }
    x = exchange_create(f, size, c, req, &r);
    if (serve_http_fault(x) || (user = authenticate(x)) == NULL || !authorize(x, user)) {
        ; /* answered */
    } else if (place == PLACE_RESOURCE) {
        serve_resource(x);
    } else if (place == PLACE_GROUP_VERSION) {
        bool core = strcmp(p.seg[0], "api") == 0;

        discovery_resources(&b, core ? "" : p.seg[1], core ? p.seg[1] : p.seg[2]);
        exchange_reply(x, 200, "application/json", &b);
    } else if (place == PLACE_NO_RESOURCE) {
        exchange_status(
            x, &(struct status){ .code = 404,
                                 .reason = "NotFound",
                                 .message = "the server could not find the requested resource",
                                 .details = true });
    } else if (place == PLACE_NO_GROUP) {
        plain(x, 404, "404 page not found\n");
    } else {
        serve_other(x, &p);
    }
    path_free(&p);
    free(watch);
}
