/* Files are read in the order of KUBECONFIG. Of a map's key the first file's entry counts, whole;
 * of current-context the first that is not empty. Relative paths mean the directory of the file
 * that holds them. Then one context is followed to its cluster and user, and what we could not
 * honour is refused instead of being ignored. */
#include "watchers/kubeconfig.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/vec.h"
#include "cluster/yaml.h"
#include "watchers/base64.h"
#include "watchers/exec_info.h"
#include "watchers/kubeconfig_tree.h"
#include "watchers/proxy.h"

/* ---- which files ---- */

static int read_files(struct kubeconfig_files *files, const char *path, struct error *err)
{
    const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
    struct buf missing;
    char *one;
    int rc = 0;

    if (path != NULL) {
        return kubeconfig_add_file(files, path, err);
    }
    if (list == NULL || list[0] == '\0') {
        if (home == NULL || home[0] == '\0') {
            return error_set(err, NA_ENOENT, "KUBECONFIG and HOME are not set");
        }
        one = xasprintf("%s/.kube/config", home);
        rc = kubeconfig_add_file(files, one, err);
        free(one);
        return rc;
    }
    buf_init(&missing, NA_ERROR_MAX_BYTES);
    while (rc == 0 && *list != '\0') {
        size_t len = strcspn(list, ":");

        if (len > 0) {
            one = xstrndup(list, len);
            rc = kubeconfig_has_file(files, one) ? 0 : kubeconfig_add_file(files, one, err);
            if (rc == NA_ENOENT) {
                buf_addf(&missing, "%s%s", missing.len > 0 ? ", " : "", one);
                rc = 0;
            }
            free(one);
        }
        list += len + (list[len] == ':' ? 1 : 0);
    }
    if (rc == 0 && files->len == 0) {
        rc = error_set(err, NA_ENOENT, "none of the files of KUBECONFIG exists: %s",
                       buf_text(&missing));
    }
    buf_deinit(&missing);
    return rc;
}

/* ---- users ---- */

static int read_data(const struct entry *e, const char *data_key, const char *path_key,
                     struct pem_source *out, struct error *err)
{
    char *text = NULL;
    int rc = entry_path(e, path_key, &out->path, err);

    if (rc == 0) {
        rc = entry_text(e, data_key, &text, err);
    }
    if (rc == 0 && text != NULL && !base64_decode(text, &out->data, &out->len)) {
        rc = entry_error(e, data_key, err, "is not base64");
    }
    if (rc == 0 && out->data != NULL && out->path != NULL) {
        log_event(LOG_LEVEL_WARN, "watchers", "kubeconfig says it twice", KV_TEXT("key", path_key),
                  KV_TEXT("entry", e->name), KV_TEXT("next", "the inline data counts"));
        free(out->path);
        out->path = NULL;
    }
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
    return rc;
}

static int refuse_unsupported(const struct entry *e, struct error *err)
{
    static const char *const impersonation[] = { "as", "as-uid", "as-groups", "as-user-extra" };

    for (size_t i = 0; i < ARRAY_LEN(impersonation); i++) {
        if (entry_given(e, impersonation[i])) {
            return entry_error(e, impersonation[i], err, "impersonation is not supported");
        }
    }
    if (entry_given(e, "auth-provider")) {
        return entry_error(e, "auth-provider", err,
                           entry_given(e, "exec")
                               ? "cannot be given together with an exec plugin"
                               : "is not supported (kubectl dropped it too); use an exec plugin");
    }
    if (entry_given(e, "username") || entry_given(e, "password")) {
        return entry_error(e, entry_given(e, "username") ? "username" : "password", err,
                           entry_given(e, "token")
                               ? "more than one authentication method: token and username/password"
                               : "API servers have had no username and password login since 1.19");
    }
    return 0;
}

static int read_user(struct kubeconfig *k, const struct entry *e, struct error *err)
{
    int rc = refuse_unsupported(e, err);

    if (rc == 0) {
        rc = entry_text(e, "token", &k->token, err);
    }
    if (rc == 0) {
        rc = entry_path(e, "tokenFile", &k->token_file, err);
    }
    if (rc == 0) {
        rc = read_data(e, "client-certificate-data", "client-certificate", &k->cert, err);
    }
    if (rc == 0) {
        rc = read_data(e, "client-key-data", "client-key", &k->key, err);
    }
    if (rc != 0) {
        return rc;
    }
    bool cert = k->cert.path != NULL || k->cert.data != NULL;
    bool key = k->key.path != NULL || k->key.data != NULL;
    if (cert && !key) {
        return entry_error(e, "client-certificate", err,
                           "needs client-key or client-key-data beside it");
    }
    if (key && !cert) { /* kubectl ignores it silently */
        pem_source_deinit(&k->key);
    }
    return 0;
}

/* ---- clusters ---- */

static int check_server(struct kubeconfig *k, const struct entry *e, struct error *err)
{
    char host[256];
    unsigned port;
    size_t len;

    if (k->server == NULL) {
        return entry_error(e, "server", err, "is missing");
    }
    if (strstr(k->server, "://") == NULL) {
        /* kubectl: https where anything speaks of TLS */
        bool tls = k->ca.path != NULL || k->ca.data != NULL || k->cert.path != NULL ||
                   k->cert.data != NULL || k->insecure;
        char *full = xasprintf("%s://%s", tls ? "https" : "http", k->server);

        free(k->server);
        k->server = full;
    }
    if ((!text_starts(k->server, "https://") && !text_starts(k->server, "http://")) ||
        !url_host(k->server, host, sizeof(host), &port)) {
        return entry_error(e, "server", err, "is no http or https URL");
    }
    const char *authority = strstr(k->server, "://") + 3;
    if (memchr(authority, '@', strcspn(authority, "/?#")) != NULL) {
        /* The server's URL is logged and kept in the status. */
        return entry_error(e, "server", err, "must hold no user name or password");
    }
    k->server[strcspn(k->server, "?#")] = '\0';
    for (len = strlen(k->server); len > 0 && k->server[len - 1] == '/'; len--) {
        k->server[len - 1] = '\0';
    }
    return 0;
}

static int read_cluster(struct kubeconfig *k, const struct entry *e, bool allow_insecure,
                        struct error *err)
{
    struct error why = { 0 };
    int rc = entry_text(e, "server", &k->server, err);

    if (rc == 0) {
        rc = read_data(e, "certificate-authority-data", "certificate-authority", &k->ca, err);
    }
    if (rc == 0) {
        rc = entry_text(e, "tls-server-name", &k->tls_server_name, err);
    }
    if (rc == 0) {
        rc = entry_text(e, "proxy-url", &k->proxy_url, err);
    }
    if (rc == 0) {
        rc = entry_bool(e, "insecure-skip-tls-verify", &k->insecure, err);
    }
    if (rc == 0) {
        rc = entry_bool(e, "disable-compression", &k->disable_compression, err);
    }
    if (rc == 0) {
        rc = check_server(k, e, err);
    }
    if (rc == 0 && k->proxy_url != NULL && proxy_check(k->proxy_url, &why) != 0) {
        rc = entry_error(e, "proxy-url", err, "%s", why.text);
    }
    if (rc == 0 && k->insecure && (k->ca.path != NULL || k->ca.data != NULL)) {
        rc = entry_error(e, "insecure-skip-tls-verify", err,
                         "cannot be given together with a certificate authority");
    }
    if (rc == 0 && k->insecure && !allow_insecure) {
        rc = entry_error(e, "insecure-skip-tls-verify", err,
                         "anybody in between could read our token and write our findings; refused "
                         "unless insecure connections are allowed (--allow-insecure)");
    }
    return rc;
}

/* ---- the context ---- */

static int follow(struct kubeconfig *k, const struct kubeconfig_files *files, const char *wanted,
                  bool allow_insecure, struct error *err)
{
    struct entry context, cluster, user;
    char *cluster_name = NULL, *user_name = NULL;
    int rc;

    if (wanted != NULL) {
        k->context = xstrdup(wanted);
    } else {
        rc = kubeconfig_current_context(files, &k->context, err);
        if (rc != 0) {
            return rc;
        }
    }
    rc = kubeconfig_entry(files, "contexts", "context", k->context, &context, err);
    if (rc != 0) {
        return rc == NA_ENOENT
                   ? error_set(err, NA_EINVAL, "%s: there is no context '%s'",
                               files->len > 0 ? files->items[0].path : "kubeconfig", k->context)
                   : rc;
    }
    k->source = xasprintf("context '%s' of %s", k->context, context.file->path);
    rc = entry_text(&context, "cluster", &cluster_name, err);
    if (rc == 0) {
        rc = entry_text(&context, "user", &user_name, err);
    }
    if (rc == 0) {
        rc = entry_text(&context, "namespace", &k->ns, err);
    }
    if (rc == 0 && (cluster_name == NULL || user_name == NULL)) {
        rc = entry_error(&context, cluster_name == NULL ? "cluster" : "user", err, "is missing");
    }
    if (rc == 0) {
        rc = kubeconfig_entry(files, "clusters", "cluster", cluster_name, &cluster, err);
        if (rc == NA_ENOENT) {
            rc = entry_error(&context, "cluster", err, "there is no cluster '%s'", cluster_name);
        }
    }
    if (rc == 0) {
        rc = kubeconfig_entry(files, "users", "user", user_name, &user, err);
        if (rc == NA_ENOENT) {
            rc = entry_error(&context, "user", err, "there is no user '%s'", user_name);
        }
    }
    if (rc == 0) {
        rc = read_user(k, &user, err);
    }
    if (rc == 0) {
        rc = read_cluster(k, &cluster, allow_insecure, err);
    }
    if (rc == 0 && entry_given(&user, "exec")) {
        rc = exec_config_read(&k->exec, &user, &cluster, k, err);
    }
    free(cluster_name);
    free(user_name);
    return rc;
}

int kubeconfig_load(struct kubeconfig **out, const char *path, const char *context,
                    bool allow_insecure, struct error *err)
{
    struct kubeconfig *k = xcalloc(1, sizeof(*k));
    struct kubeconfig_files files = { 0 };
    int rc = read_files(&files, path, err);

    if (rc == 0) {
        rc = follow(k, &files, context, allow_insecure, err);
    }
    kubeconfig_free_files(&files);
    if (rc != 0) {
        kubeconfig_destroy(k);
        return rc;
    }
    *out = k;
    return 0;
}

void kubeconfig_destroy(struct kubeconfig *k)
{
    if (k == NULL) {
        return;
    }
    if (k->token != NULL) {
        explicit_bzero(k->token, strlen(k->token));
    }
    free(k->source);
    free(k->context);
    free(k->server);
    free(k->ns);
    free(k->tls_server_name);
    free(k->proxy_url);
    free(k->token);
    free(k->token_file);
    pem_source_deinit(&k->ca);
    pem_source_deinit(&k->cert);
    pem_source_deinit(&k->key);
    exec_config_destroy(k->exec);
    free(k);
}
