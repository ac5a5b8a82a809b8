/* Control calls about behaviour: faults, credentials, settings, churn, and what clients did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "churn.h"
#include "control.h"
#include "exchange.h"
#include "files.h"
#include "log.h"
#include "watch.h"

static int post_faults(struct control_call *c)
{
    struct buf why = { 0 };
    struct buf ids = { 0 };
    const cJSON *one = cJSON_IsArray(c->body) ? c->body->child : c->body;
    int status = 200;

    buf_str(&ids, "{\"ids\":[");
    for (size_t n = 0; one != NULL; n++) {
        const char *id;

        if (fault_add(c->f, one, &why, &id) != 0) {
            status = control_fail(c, "fault %zu: %s", n + 1, buf_cstr(&why));
            break;
        }
        buf_str(&ids, n > 0 ? "," : "");
        buf_json(&ids, id);
        one = cJSON_IsArray(c->body) ? one->next : NULL;
    }
    if (status == 200) {
        buf_fmt(c->out, "%s]}", buf_cstr(&ids));
    }
    buf_free(&why);
    buf_free(&ids);
    return status;
}

static int get_faults(struct control_call *c)
{
    faults_json(c->f, c->out);
    return 200;
}

static int delete_fault(struct control_call *c)
{
    if (!fault_remove(c->f, c->tail)) {
        control_fail(c, "no fault '%s'", c->tail);
        return 404;
    }
    return control_ok(c);
}

static int delete_faults(struct control_call *c)
{
    fault_remove(c->f, NULL);
    return control_ok(c);
}

static int post_tokens(struct control_call *c)
{
    const cJSON *t;

    cJSON_ArrayForEach(t, jget(c->body, "add"))
    {
        if (!cJSON_IsString(t) || !fake_add_token(c->f, t->valuestring)) {
            return control_fail(c, "add: an array of tokens, each T or T=USER");
        }
    }
    cJSON_ArrayForEach(t, jget(c->body, "revoke"))
    {
        if (cJSON_IsString(t)) {
            fake_revoke_token(c->f, t->valuestring);
        }
    }
    buf_fmt(c->out, "{\"tokens\":%zu}", c->f->token_count);
    return 200;
}

static int set_forbidden(struct control_call *c, bool forbid)
{
    struct kind *k;
    unsigned bits;

    if (!control_kind(c, true, &k) || !control_verbs(c, &bits)) {
        return 400;
    }
    for (size_t i = 0; i < kind_count(); i++) {
        struct kind *at = kind_at(i);

        if (k == NULL || k == at) {
            at->forbidden = forbid ? at->forbidden | bits : at->forbidden & ~bits;
        }
    }
    return control_ok(c);
}

static int post_forbid(struct control_call *c)
{
    return set_forbidden(c, true);
}

static int post_allow(struct control_call *c)
{
    return set_forbidden(c, false);
}

static const char *const modes[] = { "on", "off", "ignore" };

static int get_settings(struct control_call *c)
{
    const struct settings *s = &c->f->settings;

    buf_fmt(c->out,
            "{\"watch_list\":\"%s\",\"bookmark_interval_ms\":%llu,\"window\":%zu,"
            "\"request_timeout_ms\":%llu,\"min_request_timeout_s\":%llu,\"token_ttl_ms\":%llu,"
            "\"git_version\":",
            modes[s->watch_list], (unsigned long long)s->bookmark_interval_ms, c->f->store.window,
            (unsigned long long)s->request_timeout_ms, (unsigned long long)s->min_request_timeout_s,
            (unsigned long long)s->token_ttl_ms);
    buf_json(c->out, s->git_version);
    buf_fmt(c->out, ",\"ignore_as\":%s,\"ready\":%s}", s->ignore_as ? "true" : "false",
            s->not_ready ? "false" : "true");
    return 200;
}

static int post_settings(struct control_call *c)
{
    struct settings *s = &c->f->settings;
    const struct {
        const char *key;
        uint64_t *to;
    } numbers[] = { { "bookmark_interval_ms", &s->bookmark_interval_ms },
                    { "request_timeout_ms", &s->request_timeout_ms },
                    { "min_request_timeout_s", &s->min_request_timeout_s },
                    { "token_ttl_ms", &s->token_ttl_ms } };
    const char *word = jstr(c->body, "watch_list", modes[s->watch_list]);
    const char *version = jstr(c->body, "git_version", NULL);
    size_t mode = 0;
    uint64_t n;

    while (mode < ARRAY_LEN(modes) && strcmp(modes[mode], word) != 0) {
        mode++;
    }
    if (mode == ARRAY_LEN(modes)) {
        return control_fail(c, "watch_list: on, off or ignore, not '%s'", word);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (jget(c->body, numbers[i].key) != NULL && !jrv(c->body, numbers[i].key, numbers[i].to)) {
            return control_fail(c, "%s: a number", numbers[i].key);
        }
    }
    s->watch_list = (enum watch_list_mode)mode;
    if (jrv(c->body, "window", &n)) {
        store_set_window(&c->f->store, (size_t)n);
    }
    if (version != NULL) {
        free(s->git_version);
        s->git_version = xstrdup(version);
    }
    s->ignore_as = jbool(c->body, "ignore_as", s->ignore_as);
    s->not_ready = !jbool(c->body, "ready", !s->not_ready);
    return get_settings(c);
}

static int post_tls(struct control_call *c)
{
    struct fake *f = c->f;
    const char *swap = jstr(c->body, "swap", "leaf");
    enum tls_leaf leaf = LEAF_GOOD;
    struct tls_ca fresh = { 0 };
    SSL_CTX *ctx;

    if (!f->use_tls) {
        return control_fail(c, "the API port speaks no TLS");
    }
    if (strcmp(swap, "expired") == 0) {
        leaf = LEAF_EXPIRED;
    } else if (strcmp(swap, "wrong-name") == 0) {
        leaf = LEAF_WRONG_NAME;
    } else if (strcmp(swap, "ca") == 0) {
        if (!tls_ca_init(&fresh)) {
            return control_fail(c, "cannot make a CA");
        }
    } else if (strcmp(swap, "leaf") != 0 && strcmp(swap, "restore") != 0) {
        return control_fail(c, "swap: leaf, ca, expired, wrong-name or restore, not '%s'", swap);
    }
    ctx = tls_server(fresh.cert != NULL ? &fresh : &f->ca, leaf, f->api.host);
    if (ctx != NULL) {
        SSL_CTX_free(f->api.tls);
        f->api.tls = ctx;
    }
    if (fresh.cert != NULL && jbool(c->body, "write_ca", false)) {
        tls_ca_deinit(&f->ca);
        f->ca = fresh;
        if (f->ca_file != NULL && !write_ca(f)) {
            return control_fail(c, "cannot write %s", f->ca_file);
        }
    } else {
        tls_ca_deinit(&fresh);
    }
    return ctx != NULL ? control_ok(c) : control_fail(c, "cannot make a certificate");
}

static int get_stats(struct control_call *c)
{
    log_stats_json(c->f, c->out);
    return 200;
}

static int reset_stats(struct control_call *c)
{
    log_reset(c->f);
    return control_ok(c);
}

static int get_requests(struct control_call *c)
{
    char *since = http_query(c->req->query, "since");
    uint64_t n = 0;

    if (since != NULL && !parse_u64(since, &n)) {
        free(since);
        return control_fail(c, "since: a number");
    }
    free(since);
    log_requests_json(c->f, n, c->out);
    return 200;
}

static int get_watches(struct control_call *c)
{
    bool any = false;

    buf_str(c->out, "{\"watches\":[");
    for (struct exchange *x = c->f->exchanges; x != NULL; x = x->next) {
        if (x->live) {
            buf_str(c->out, any ? "," : "");
            watch_json(x, c->out);
            any = true;
        }
    }
    buf_str(c->out, "]}");
    return 200;
}

static int post_churn(struct control_call *c)
{
    struct buf why = { 0 };
    struct buf id = { 0 };
    int status = 200;

    if (churn_start(c->f, c->body, &why, &id) != 0) {
        status = control_fail(c, "%s", buf_cstr(&why));
    } else {
        buf_fmt(c->out, "{\"id\":\"%s\"}", buf_cstr(&id));
    }
    buf_free(&why);
    buf_free(&id);
    return status;
}

static int get_churn(struct control_call *c)
{
    churn_json(c->f, c->out);
    return 200;
}

static int get_churn_log(struct control_call *c)
{
    churn_log_lines(c->f, c->out);
    return 200;
}

static int delete_churn(struct control_call *c)
{
    if (!churn_stop(c->f, c->tail)) {
        control_fail(c, "no churn '%s'", c->tail);
        return 404;
    }
    return control_ok(c);
}

static int delete_churns(struct control_call *c)
{
    churn_stop(c->f, NULL);
    return control_ok(c);
}

static int post_shutdown(struct control_call *c)
{
    c->f->stopping = true; /* the ticker stops the loop once this answer has had a moment */
    return control_ok(c);
}

const struct control_route control_fault_routes[] = {
    { "POST", "/faults", post_faults, NULL },
    { "GET", "/faults", get_faults, NULL },
    { "DELETE", "/faults/", delete_fault, NULL },
    { "DELETE", "/faults", delete_faults, NULL },
    { "POST", "/tokens", post_tokens, "add revoke" },
    { "POST", "/forbid", post_forbid, "kind verbs" },
    { "POST", "/allow", post_allow, "kind verbs" },
    { "GET", "/settings", get_settings, NULL },
    { "POST", "/settings", post_settings,
      "watch_list bookmark_interval_ms window request_timeout_ms min_request_timeout_s "
      "token_ttl_ms "
      "git_version ignore_as ready" },
    { "POST", "/tls", post_tls, "swap write_ca" },
    { "GET", "/stats", get_stats, NULL },
    { "POST", "/stats/reset", reset_stats, "" },
    { "GET", "/requests", get_requests, NULL },
    { "GET", "/watches", get_watches, NULL },
    { "POST", "/churn", post_churn,
      "kind rate seconds mode namespace labelSelector patches objects seed log stamp" },
    { "GET", "/churn", get_churn, NULL },
    { "GET", "/churn/log", get_churn_log, NULL },
    { "DELETE", "/churn/", delete_churn, NULL },
    { "DELETE", "/churn", delete_churns, NULL },
    { "POST", "/shutdown", post_shutdown, "" },
    { 0 },
};
