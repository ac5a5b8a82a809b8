/* Control calls about the state: objects, kinds, time and history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "control.h"
#include "exchange.h"
#include "generate.h"
#include "load.h"
#include "patch.h"
#include "selector.h"
#include "watch.h"

static unsigned long long ull(uint64_t v)
{
    return (unsigned long long)v;
}

static int get_info(struct control_call *c)
{
    struct fake *f = c->f;
    uint64_t watches = 0;

    for (struct exchange *x = f->exchanges; x != NULL; x = x->next) {
        watches += x->live;
    }
    buf_fmt(c->out,
            "{\"api\":\"%s://%s:%d\",\"control\":\"http://"
            "%s:%d\",\"pid\":%d,\"rv\":\"%llu\",\"ca_file\":",
            f->use_tls ? "https" : "http", f->api.host, f->api.port, f->control.host,
            f->control.port, (int)uv_os_getpid(), ull(f->store.rv));
    buf_json(c->out, f->ca_file);
    buf_str(c->out, ",\"git_version\":");
    buf_json(c->out, f->settings.git_version);
    buf_fmt(c->out, ",\"open_watches\":%llu,\"connections\":%llu}", ull(watches), ull(f->api.open));
    return 200;
}

static int post_load(struct control_call *c)
{
    char *defaults = http_query(c->req->query, "defaults");
    char *mode = http_query(c->req->query, "mode");
    struct loaded n;
    struct buf why = { 0 };
    int status = 200;

    if (load(c->f, c->req->body, c->req->body_len, defaults == NULL || strcmp(defaults, "0") != 0,
             mode != NULL && strcmp(mode, "replace") == 0, &n, &why) != 0) {
        status = control_fail(c, "%s", buf_cstr(&why));
    } else {
        buf_fmt(
            c->out,
            "{\"created\":%zu,\"updated\":%zu,\"unchanged\":%zu,\"deleted\":%zu,\"rv\":\"%llu\"}",
            n.created, n.updated, n.unchanged, n.deleted, ull(c->f->store.rv));
    }
    buf_free(&why);
    free(defaults);
    free(mode);
    return status;
}

static void body_key(struct control_call *c, const struct kind *k, struct buf *key)
{
    if (k->namespaced) {
        buf_fmt(key, "%s/", jstr(c->body, "namespace", "default"));
    }
    buf_str(key, jstr(c->body, "name", ""));
}

static int post_patch(struct control_call *c)
{
    struct writer w = { .defaults = true };
    struct kind *k;
    struct object *o;
    struct buf key = { 0 };
    cJSON *root;
    bool changed;
    int status = 200;

    if (!control_kind(c, false, &k)) {
        return 400;
    }
    body_key(c, k, &key);
    o = store_find(&c->f->store, k, buf_cstr(&key));
    if (o == NULL) {
        status = control_fail(c, "%s '%s' does not exist", k->resource, buf_cstr(&key));
    } else if (!cJSON_IsObject(jget(c->body, "patch"))) {
        status = control_fail(c, "patch: an object");
    } else {
        root = object_tree(o);
        patch_merge(root, jget(c->body, "patch"));
        commit_update(c->f, o, root, &w, &changed);
        cJSON_Delete(root);
        buf_fmt(c->out, "{\"rv\":\"%llu\"}", ull(c->f->store.rv));
    }
    buf_free(&key);
    return status;
}

static int post_delete(struct control_call *c)
{
    struct kind *k;
    struct selector sel = { 0 };
    struct snapshot snap;
    const char *name = jstr(c->body, "name", NULL);
    const char *ns;
    char *why = NULL;
    size_t n = 0;

    if (!control_kind(c, false, &k)) {
        return 400;
    }
    if (!selector_parse_labels(jstr(c->body, "labelSelector", ""), &sel, &why)) {
        control_fail(c, "labelSelector: %s", why);
        free(why);
        return 400;
    }
    ns = k->namespaced ? jstr(c->body, "namespace", name != NULL ? "default" : "") : "";
    store_snapshot(&c->f->store, k, ns, c->f->store.rv, &snap);
    for (size_t i = 0; i < snap.n; i++) {
        struct object *o = snap.objs[i];

        if ((name == NULL || strcmp(name, object_name(o)) == 0) &&
            selector_matches_labels(&sel, o)) {
            commit_delete(c->f, o);
            n++;
        }
    }
    snapshot_free(&snap);
    selector_free(&sel);
    buf_fmt(c->out, "{\"deleted\":%zu,\"rv\":\"%llu\"}", n, ull(c->f->store.rv));
    return 200;
}

static int post_seed(struct control_call *c)
{
    struct seed s = SEED_DEFAULT;
    const struct {
        const char *key;
        size_t *to;
    } counts[] = { { "namespaces", &s.namespaces }, { "pods", &s.pods },
                   { "services", &s.services },     { "networkpolicies", &s.networkpolicies },
                   { "ingresses", &s.ingresses },   { "deployments", &s.deployments },
                   { "secrets", &s.secrets },       { "pod_bytes", &s.pod_bytes } };
    size_t made;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        uint64_t n;

        if (jget(c->body, counts[i].key) == NULL) {
            continue;
        }
        if (!jrv(c->body, counts[i].key, &n) || n > 10000000) {
            return control_fail(c, "%s: a number up to 10000000", counts[i].key);
        }
        *counts[i].to = (size_t)n;
    }
    s.seed = (uint64_t)jnum(c->body, "seed", 1);
    s.managed_fields = jbool(c->body, "managed_fields", true);
    made = generate(c->f, &s);
    buf_fmt(c->out, "{\"created\":%zu,\"rv\":\"%llu\"}", made, ull(c->f->store.rv));
    return 200;
}

static int get_count(struct control_call *c)
{
    buf_fmt(c->out, "{\"rv\":\"%llu\",\"objects\":{", ull(c->f->store.rv));
    for (size_t i = 0; i < kind_count(); i++) {
        buf_fmt(c->out, "%s\"%s\":%zu", i > 0 ? "," : "", kind_at(i)->resource,
                store_log(&c->f->store, kind_at(i))->count);
    }
    buf_str(c->out, "}}");
    return 200;
}

static bool word_ok(const char *s, bool may_be_empty)
{
    return (may_be_empty || s[0] != '\0') && strlen(s) < 128 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-,") ==
               strlen(s);
}

static int post_kinds(struct control_call *c)
{
    const char *group = jstr(c->body, "group", "");
    const char *version = jstr(c->body, "version", "");
    const char *resource = jstr(c->body, "resource", "");
    const char *name = jstr(c->body, "kind", "");
    struct buf singular = { 0 };
    struct buf shorts = { 0 };
    const cJSON *s;
    int status = 200;

    buf_str(&singular, jstr(c->body, "singular", name));
    for (size_t i = 0; i < singular.len; i++) {
        if (singular.data[i] >= 'A' && singular.data[i] <= 'Z') {
            singular.data[i] = (char)(singular.data[i] + 32);
        }
    }
    cJSON_ArrayForEach(s, jget(c->body, "shortNames"))
    {
        buf_fmt(&shorts, "%s%s", shorts.len > 0 ? "," : "",
                cJSON_IsString(s) ? s->valuestring : "");
    }
    if (!word_ok(group, true) || !word_ok(version, false) || !word_ok(resource, false) ||
        !word_ok(name, false) || !word_ok(buf_cstr(&shorts), true)) {
        status = control_fail(
            c, "group, version, resource and kind: words of letters, digits, '.' and '-'");
    } else {
        struct kind *k =
            kind_add(group, version, resource, name, buf_cstr(&singular), buf_cstr(&shorts),
                     jbool(c->body, "namespaced", true), jbool(c->body, "crd", true));

        if (k == NULL) {
            status = control_fail(c, "%s.%s/%s exists already, or there are too many kinds",
                                  resource, group, version);
        } else {
            store_log(&c->f->store, k)->floor_rv = c->f->store.rv;
        }
    }
    buf_free(&singular);
    buf_free(&shorts);
    return status == 200 ? control_ok(c) : status;
}

static int post_serve(struct control_call *c)
{
    struct kind *k;
    struct exchange *next;

    if (!control_kind(c, false, &k)) {
        return 400;
    }
    k->served = jbool(c->body, "served", true);
    for (struct exchange *x = c->f->exchanges; !k->served && x != NULL; x = next) {
        next = x->next;
        if (x->live && x->route.kind == k) {
            watch_end(x, "unserved");
        }
    }
    return control_ok(c);
}

static int post_compact(struct control_call *c)
{
    uint64_t rv = c->f->store.rv;

    if (jget(c->body, "rv") != NULL && (!jrv(c->body, "rv", &rv) || rv > c->f->store.rv)) {
        return control_fail(c, "rv: a version up to %llu", ull(c->f->store.rv));
    }
    store_compact(&c->f->store, rv, jbool(c->body, "watch_cache", true));
    return control_ok(c);
}

static int post_expire_tokens(struct control_call *c)
{
    c->f->issued_count = 0;
    return control_ok(c);
}

static bool transport_word(struct control_call *c, const char *key, const char *other,
                           enum transport *out)
{
    static const struct {
        const char *word;
        enum transport how;
    } words[] = { { "close", TRANSPORT_CLOSE },
                  { "rst", TRANSPORT_RST },
                  { "end", TRANSPORT_END },
                  { "half-open", TRANSPORT_HALF_OPEN } };
    const char *word = jstr(c->body, key, other);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, word) == 0) {
            *out = words[i].how;
            return true;
        }
    }
    control_fail(c, "%s: close, rst, end or half-open, not '%s'", key, word);
    return false;
}

static void restart(struct fake *f, enum transport how, bool keep, uint64_t down_ms)
{
    struct http_conn *next;

    for (struct http_conn *conn = keep ? NULL : f->api.conns; conn != NULL; conn = next) {
        next = http_next(conn);
        if (how == TRANSPORT_END && http_conn_idle(conn)) {
            http_kill(conn, TRANSPORT_CLOSE, END_RESTART);
        } else {
            http_kill(conn, how, END_RESTART);
        }
    }
    if (down_ms > 0) {
        http_unlisten(&f->api);
        f->listen_again_at = fake_now(f) + down_ms;
    }
}

static int post_restart(struct control_call *c)
{
    bool keep = strcmp(jstr(c->body, "how", ""), "keep") == 0;
    enum transport how = TRANSPORT_CLOSE;

    if (!keep && !transport_word(c, "how", "close", &how)) {
        return 400;
    }
    if (!jbool(c->body, "keep_window", false)) {
        store_forget_windows(&c->f->store);
    }
    restart(c->f, how, keep, (uint64_t)jnum(c->body, "down_ms", 0));
    return control_ok(c);
}

static int post_restore(struct control_call *c)
{
    uint64_t rv;

    if (!jrv(c->body, "rv", &rv)) {
        return control_fail(c, "rv: the version to go back to");
    }
    if (!store_restore(&c->f->store, rv)) {
        return control_fail(c, "rv: history does not reach back to %llu", ull(rv));
    }
    c->f->issued_count = 0;
    restart(c->f, TRANSPORT_CLOSE, false, 0);
    buf_fmt(c->out, "{\"rv\":\"%llu\"}", ull(rv));
    return 200;
}

static int post_rv(struct control_call *c)
{
    c->f->store.rv += (uint64_t)jnum(c->body, "advance", 0);
    buf_fmt(c->out, "{\"rv\":\"%llu\"}", ull(c->f->store.rv));
    return 200;
}

static int post_connections(struct control_call *c)
{
    const char *verb = jstr(c->body, "verb", "*");
    bool all = strcmp(verb, "*") == 0;
    bool streaming = strcmp(verb, "watchlist") == 0;
    int want = streaming ? (int)VERB_WATCH : verb_by_name(verb);
    struct exchange *next;
    struct http_conn *next_conn;
    enum transport how;
    struct kind *k;
    size_t n = 0;

    if (!transport_word(c, "action", "close", &how) || !control_kind(c, true, &k)) {
        return 400;
    }
    if (!all && want < 0) {
        return control_fail(c, "verb: no verb '%s'", verb);
    }
    for (struct exchange *x = c->f->exchanges; x != NULL; x = next) {
        next = x->next;
        if (x->started && (k == NULL || x->route.kind == k) &&
            (all || ((int)x->route.verb == want &&
                     (!streaming || strstr(x->req->query, "sendInitialEvents=") != NULL)))) {
            if (how == TRANSPORT_END && x->live) {
                watch_end(x, "fault");
            } else {
                http_kill(x->conn, how, END_FAULT);
            }
            n++;
        }
    }
    for (struct http_conn *conn = c->f->api.conns; k == NULL && all && conn != NULL;
         conn = next_conn) {
        next_conn = http_next(conn);
        if (http_conn_idle(conn) && (how == TRANSPORT_CLOSE || how == TRANSPORT_RST)) {
            http_kill(conn, how, END_FAULT);
            n++;
        }
    }
    buf_fmt(c->out, "{\"count\":%zu}", n);
    return 200;
}

const struct control_route control_state_routes[] = {
    { "GET", "/info", get_info, NULL },
    { "POST", "/load", post_load, NULL },
    { "POST", "/patch", post_patch, "kind namespace name patch" },
    { "POST", "/delete", post_delete, "kind namespace name labelSelector" },
    { "POST", "/seed", post_seed,
      "seed namespaces pods services networkpolicies ingresses deployments secrets pod_bytes "
      "managed_fields" },
    { "GET", "/count", get_count, NULL },
    { "POST", "/kinds", post_kinds,
      "group version resource kind singular namespaced shortNames crd" },
    { "POST", "/serve", post_serve, "kind served" },
    { "POST", "/compact", post_compact, "rv watch_cache" },
    { "POST", "/expire-tokens", post_expire_tokens, "" },
    { "POST", "/restart", post_restart, "down_ms how keep_window" },
    { "POST", "/restore", post_restore, "rv" },
    { "POST", "/rv", post_rv, "advance" },
    { "POST", "/connections", post_connections, "action kind verb" },
    { 0 },
};
