/* Two origins, one thing: an in-cluster service account is a server address, a token file and a CA
 * file; a kubeconfig may add certificates and an exec plugin. Everything that rotates is looked at
 * when a request asks for its credential, which is often enough (watches end every few minutes) and
 * needs no timer. */
#include "watchers/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/vec.h"
#include "watchers/exec_plugin.h"
#include "watchers/incluster.h"
#include "watchers/kubeconfig.h"
#include "watchers/pem.h"
#include "watchers/token_file.h"

struct credentials {
    char *server, *source, *tls_server_name, *proxy_url;
    bool insecure, disable_compression;
    bool secure; /* https: credentials may be sent */
    struct pem_files pem;
    char *token; /* that never changes */
    struct token_file token_file;
    bool has_token_file;
    bool reread_token; /* 401 */
    struct exec_plugin *plugin;
    struct http_tls tls;
    uint64_t
        serial; /* of token file and certificates, low half; the plugin has its own, high half */
    void (*on_ready)(void *ctx);
    void *ctx;
};

static void plugin_ready(void *ctx)
{
    struct credentials *c = ctx;

    if (c->on_ready != NULL) {
        c->on_ready(c->ctx);
    }
}

static void set_token_file(struct credentials *c, const char *path, const char *token)
{
    token_file_init(&c->token_file, path, token);
    c->has_token_file = true;
}

/* ---- origins ---- */

static char *take(char **text)
{
    char *out = *text;

    *text = NULL;
    return out;
}

static int permitted(const struct exec_config *exec, const char *const *allowed, struct error *err)
{
    for (; allowed != NULL && *allowed != NULL; allowed++) {
        if (strcmp(*allowed, exec->configured) == 0 || strcmp(*allowed, exec->command) == 0) {
            return 0;
        }
    }
    return error_set(err, NA_EAUTH, "exec plugin '%s' is not among those allowed",
                     exec->configured);
}

static void use_exec(struct credentials *c, uv_loop_t *loop, struct kubeconfig *k)
{
    if (c->token != NULL || c->has_token_file) {
        log_event(LOG_LEVEL_WARN, "watchers", "exec plugin not used",
                  KV_TEXT("plugin", k->exec->configured),
                  KV_TEXT("next", "the user's token counts"));
        return;
    }
    c->plugin = exec_plugin_create(loop, k->exec, 0, plugin_ready, c);
    k->exec = NULL;
}

static int from_kubeconfig(struct credentials *c, uv_loop_t *loop,
                           const struct credentials_settings *s, struct error *err)
{
    struct kubeconfig *k = NULL;
    int rc = kubeconfig_load(&k, s->kubeconfig, s->context, s->allow_insecure, err);

    if (rc == 0 && k->exec != NULL && s->exec_allowed != NULL) {
        rc = permitted(k->exec, s->exec_allowed, err);
    }
    if (rc != 0) {
        kubeconfig_destroy(k);
        return rc;
    }
    c->server = take(&k->server);
    c->source = take(&k->source);
    c->tls_server_name = take(&k->tls_server_name);
    c->proxy_url = take(&k->proxy_url);
    c->insecure = k->insecure;
    c->disable_compression = k->disable_compression;
    c->secure = text_starts(c->server, "https://");
    if (!c->secure) {
        log_event(LOG_LEVEL_WARN, "watchers", "server is not https", KV_TEXT("server", c->server),
                  KV_TEXT("next", "no credentials are sent to it"));
        kubeconfig_destroy(k);
        return 0;
    }
    c->pem.ca = k->ca;
    c->pem.cert = k->cert;
    c->pem.key = k->key;
    memset(&k->ca, 0, sizeof(k->ca));
    memset(&k->cert, 0, sizeof(k->cert));
    memset(&k->key, 0, sizeof(k->key));
    if (k->token_file != NULL) {
        set_token_file(c, k->token_file, k->token);
    } else if (k->token != NULL) {
        if (!token_trim(k->token)) {
            rc = error_set(err, NA_EINVAL, "%s: the user's token cannot be sent in a header",
                           c->source);
        }
        c->token = take(&k->token);
    }
    if (k->exec != NULL) {
        use_exec(c, loop, k);
    }
    kubeconfig_destroy(k);
    return rc;
}

static int from_incluster(struct credentials *c, const char *dir, struct error *err)
{
    struct incluster in = { 0 };
    int rc = incluster_load(&in, dir, err);

    if (rc != 0) {
        return rc;
    }
    c->server = in.server;
    c->source = xstrdup("in-cluster");
    c->secure = true;
    c->disable_compression = true; /* gzip costs the server more than the network gains */
    c->pem.ca.path = in.ca_path;
    set_token_file(c, in.token_path, NULL);
    free(in.token_path);
    return 0;
}

/* What rotates must be readable once at the start: a wrong path is a mistake, not a rotation. */
static int first_read(struct credentials *c, struct error *err)
{
    uint64_t now_ms = clock_mono_ms();
    bool changed;
    int rc = pem_files_load(&c->pem, now_ms, err);

    if (rc == 0 && c->has_token_file &&
        token_file_get(&c->token_file, now_ms, true, &changed, err) == NULL) {
        rc = err->code;
    }
    return rc != 0 ? error_wrap(err, rc, "%s", c->source) : 0;
}

int credentials_load(struct credentials **out, uv_loop_t *loop,
                     const struct credentials_settings *s, struct error *err)
{
    struct credentials *c = xcalloc(1, sizeof(*c));
    const char *dir = s->incluster_dir != NULL ? s->incluster_dir : CREDENTIALS_INCLUSTER_DIR;
    struct error ignored = { 0 }, *why = err != NULL ? err : &ignored;
    int rc;

    if (s->kubeconfig == NULL && s->context == NULL && incluster_mounted(dir)) {
        rc = from_incluster(c, dir, why);
    } else {
        rc = from_kubeconfig(c, loop, s, why);
        if (rc == NA_ENOENT && s->kubeconfig == NULL) {
            rc = error_wrap(why, rc, "no way to a cluster: no service account is mounted, and");
        }
    }
    if (rc == 0) {
        rc = first_read(c, why);
    }
    if (rc != 0) {
        credentials_destroy(c);
        return rc;
    }
    c->serial = 1;
    *out = c;
    return 0;
}

void credentials_destroy(struct credentials *c)
{
    if (c == NULL) {
        return;
    }
    exec_plugin_destroy(c->plugin);
    if (c->token != NULL) {
        explicit_bzero(c->token, strlen(c->token));
    }
    if (c->has_token_file) {
        token_file_deinit(&c->token_file);
    }
    pem_files_deinit(&c->pem);
    free(c->token);
    free(c->server);
    free(c->source);
    free(c->tls_server_name);
    free(c->proxy_url);
    free(c);
}

/* ---- what is known ---- */

const char *credentials_server(const struct credentials *c)
{
    return c->server;
}

const char *credentials_source(const struct credentials *c)
{
    return c->source;
}

bool credentials_insecure(const struct credentials *c)
{
    return c->insecure;
}

void credentials_on_ready(struct credentials *c, void (*fn)(void *ctx), void *ctx)
{
    c->on_ready = fn;
    c->ctx = ctx;
}

/* ---- for one request ---- */

static int from_plugin(struct credentials *c, struct credential *out, uint64_t now_ms,
                       struct error *err)
{
    const struct exec_credential *got = NULL;
    int rc = exec_plugin_get(c->plugin, now_ms, clock_wall_ms(), &got, err);

    if (rc != 0) {
        return rc;
    }
    out->bearer = got->token;
    out->serial += got->serial << 32;
    if (got->cert != NULL) {
        c->tls.cert = got->cert;
        c->tls.cert_len = strlen(got->cert);
        c->tls.key = got->key;
        c->tls.key_len = strlen(got->key);
    }
    return 0;
}

int credentials_current(struct credentials *c, struct credential *out, struct error *err)
{
    uint64_t now_ms = clock_mono_ms();
    bool changed = false;

    memset(out, 0, sizeof(*out));
    memset(&c->tls, 0, sizeof(c->tls));
    if (pem_files_refresh(&c->pem, now_ms)) {
        c->serial++;
    }
    c->tls.ca = c->pem.now.ca;
    c->tls.ca_len = c->pem.now.ca_len;
    c->tls.cert = c->pem.now.cert;
    c->tls.cert_len = c->pem.now.cert_len;
    c->tls.key = c->pem.now.key;
    c->tls.key_len = c->pem.now.key_len;
    c->tls.server_name = c->tls_server_name;
    c->tls.insecure = c->insecure;
    out->tls = &c->tls;
    out->proxy_url = c->proxy_url;
    out->disable_compression = c->disable_compression;
    out->bearer = c->token;
    if (c->has_token_file) {
        out->bearer = token_file_get(&c->token_file, now_ms, c->reread_token, &changed, err);
        c->reread_token = false;
        c->serial += changed ? 1 : 0;
        if (out->bearer == NULL) {
            return err->code;
        }
    }
    out->serial = c->serial;
    return c->plugin != NULL ? from_plugin(c, out, now_ms, err) : 0;
}

/* A late 401 of a request that carried what we have replaced meanwhile changes nothing. */
void credentials_refused(struct credentials *c, uint64_t serial)
{
    if ((serial & UINT32_MAX) == c->serial) {
        c->reread_token = true;
        c->pem.next_ms = 0;
    }
    if (c->plugin != NULL && exec_plugin_serial(c->plugin) == serial >> 32) {
        exec_plugin_refused(c->plugin, clock_mono_ms());
    }
}

void credentials_reread_trust(struct credentials *c)
{
    c->pem.next_ms = 0;
}

void credentials_unusable(struct credentials *c, uint64_t serial)
{
    if ((serial & UINT32_MAX) == c->serial && pem_files_revert(&c->pem, clock_mono_ms())) {
        c->serial++;
    }
}
