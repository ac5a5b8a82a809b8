#include "watchers/exec_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "watchers/base64.h"

#define EXEC_GROUP "client.authentication.k8s.io"

static void free_texts(char **texts)
{
    for (char **t = texts; t != NULL && *t != NULL; t++) {
        explicit_bzero(*t, strlen(*t));
        free(*t);
    }
    free(texts);
}

void exec_config_destroy(struct exec_config *e)
{
    if (e != NULL) {
        free(e->command);
        free(e->configured);
        free_texts(e->args);
        free_texts(e->env);
        free(e->api_version);
        free(e->install_hint);
        free(e->info);
        free(e);
    }
}

static const cJSON *list_of(const struct entry *e, const char *key, int *rc, struct error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(e->body, key);

    if (node == NULL || cJSON_IsNull(node)) {
        return NULL;
    }
    if (!cJSON_IsArray(node)) {
        *rc = entry_error(e, key, err, "must be a list");
        return NULL;
    }
    if (cJSON_GetArraySize(node) > KUBECONFIG_MAX_EXEC_ARGS) {
        *rc = entry_error(e, key, err, "has more than %d entries", KUBECONFIG_MAX_EXEC_ARGS);
        return NULL;
    }
    return node;
}

static int read_args(struct exec_config *c, const struct entry *e, struct error *err)
{
    int rc = 0;
    const cJSON *list = list_of(e, "args", &rc, err), *item;
    size_t n = 0;

    c->args = xcalloc((size_t)cJSON_GetArraySize(list) + 2, sizeof(char *));
    c->args[n++] = xstrdup(c->command);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item)) {
            return entry_error(e, "args", err, "must be texts (in quotes)");
        }
        c->args[n++] = xstrdup(item->valuestring);
    }
    return rc;
}

static int read_env(struct exec_config *c, const struct entry *e, struct error *err)
{
    int rc = 0;
    const cJSON *list = list_of(e, "env", &rc, err), *item;
    size_t n = 0;

    c->env = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(char *));
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
        const char *text = cJSON_GetStringValue(value);

        if (!cJSON_IsString(name) || name->valuestring[0] == '\0' ||
            strchr(name->valuestring, '=') != NULL) {
            return entry_error(e, "env", err, "an entry has no name");
        }
        if (value != NULL && !cJSON_IsNull(value) && text == NULL) {
            return entry_error(e, "env", err, "the value of %s must be text (in quotes)",
                               name->valuestring);
        }
        c->env[n++] = xasprintf("%s=%s", name->valuestring, text != NULL ? text : "");
    }
    return rc;
}

static int check_mode(const struct exec_config *c, const struct entry *e, struct error *err)
{
    char *mode = NULL;
    bool v1 = strcmp(c->api_version, EXEC_GROUP "/v1") == 0;
    int rc = entry_text(e, "interactiveMode", &mode, err);

    if (rc != 0) {
        return rc;
    }
    if (mode == NULL) {
        return v1 ? entry_error(e, "interactiveMode", err, "must be given with " EXEC_GROUP "/v1")
                  : 0;
    }
    if (strcmp(mode, "Always") == 0) {
        rc = entry_error(e, "interactiveMode", err,
                         "the plugin wants to ask a person at a terminal; a daemon has none");
    } else if (strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0) {
        rc = entry_error(e, "interactiveMode", err, "must be Never, IfAvailable or Always");
    }
    free(mode);
    return rc;
}

/* The cluster's own configuration for plugins, an extension of that name. */
static const cJSON *plugin_extension(const struct entry *cluster)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(cluster->body, "extensions"))
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");

        if (cJSON_IsString(name) && strcmp(name->valuestring, EXEC_GROUP "/exec") == 0) {
            return cJSON_GetObjectItemCaseSensitive(item, "extension");
        }
    }
    return NULL;
}

static int add_cluster(cJSON *spec, const struct entry *cluster, const struct kubeconfig *k,
                       struct error *err)
{
    cJSON *out = cJSON_AddObjectToObject(spec, "cluster");
    const cJSON *extension = plugin_extension(cluster);
    char *ca = k->ca.data;
    size_t ca_len = k->ca.len;

    cJSON_AddStringToObject(out, "server", k->server);
    if (k->tls_server_name != NULL) {
        cJSON_AddStringToObject(out, "tls-server-name", k->tls_server_name);
    }
    if (k->insecure) {
        cJSON_AddTrueToObject(out, "insecure-skip-tls-verify");
    }
    if (ca == NULL && k->ca.path != NULL) {
        int rc = file_read(k->ca.path, PEM_MAX_BYTES, &ca, &ca_len, err);

        if (rc != 0) {
            return error_wrap(err, rc, "certificate authority");
        }
    }
    if (ca != NULL) {
        char *text = base64_encode(ca, ca_len);

        cJSON_AddStringToObject(out, "certificate-authority-data", text);
        free(text);
    }
    if (ca != k->ca.data) {
        free(ca);
    }
    if (k->proxy_url != NULL) {
        cJSON_AddStringToObject(out, "proxy-url", k->proxy_url);
    }
    if (k->disable_compression) {
        cJSON_AddTrueToObject(out, "disable-compression");
    }
    cJSON_AddItemToObject(out, "config",
                          extension != NULL ? cJSON_Duplicate(extension, 1) : cJSON_CreateNull());
    return 0;
}

static int make_info(struct exec_config *c, const struct entry *e, const struct entry *cluster,
                     const struct kubeconfig *k, struct error *err)
{
    cJSON *info = cJSON_CreateObject(), *spec;
    bool with_cluster = false;
    int rc = entry_bool(e, "provideClusterInfo", &with_cluster, err);

    cJSON_AddStringToObject(info, "kind", "ExecCredential");
    cJSON_AddStringToObject(info, "apiVersion", c->api_version);
    spec = cJSON_AddObjectToObject(info, "spec");
    if (rc == 0 && with_cluster) {
        rc = add_cluster(spec, cluster, k, err);
    }
    cJSON_AddFalseToObject(spec, "interactive");
    if (rc == 0) {
        c->info = cJSON_PrintUnformatted(info);
    }
    cJSON_Delete(info);
    return rc;
}

static int read_exec(struct exec_config *c, const struct entry *e, struct error *err)
{
    int rc = entry_text(e, "command", &c->configured, err);

    if (rc == 0) {
        rc = entry_text(e, "apiVersion", &c->api_version, err);
    }
    if (rc == 0) {
        rc = entry_text(e, "installHint", &c->install_hint, err);
    }
    if (rc != 0) {
        return rc;
    }
    if (c->configured == NULL) {
        return entry_error(e, "command", err, "is missing");
    }
    if (c->api_version == NULL) {
        return entry_error(e, "apiVersion", err, "is missing");
    }
    if (strcmp(c->api_version, EXEC_GROUP "/v1") != 0 &&
        strcmp(c->api_version, EXEC_GROUP "/v1beta1") != 0) {
        return entry_error(e, "apiVersion", err,
                           "must be " EXEC_GROUP "/v1 or " EXEC_GROUP "/v1beta1, not '%s'",
                           c->api_version);
    }
    rc = check_mode(c, e, err);
    if (rc == 0) {
        c->command = strchr(c->configured, '/') != NULL ? entry_resolve(e, c->configured)
                                                        : xstrdup(c->configured);
        rc = read_args(c, e, err);
    }
    return rc != 0 ? rc : read_env(c, e, err);
}

int exec_config_read(struct exec_config **out, const struct entry *user,
                     const struct entry *cluster, const struct kubeconfig *k, struct error *err)
{
    struct exec_config *c = xcalloc(1, sizeof(*c));
    struct entry e = *user;
    char *name = xasprintf("%s.exec", user->name);
    int rc;

    e.body = cJSON_GetObjectItemCaseSensitive(user->body, "exec");
    e.name = name;
    rc = cJSON_IsObject(e.body) ? read_exec(c, &e, err)
                                : entry_error(user, "exec", err, "must be a map");
    if (rc == 0) {
        rc = make_info(c, &e, cluster, k, err);
    }
    free(name);
    if (rc != 0) {
        exec_config_destroy(c);
        return rc;
    }
    *out = c;
    return 0;
}
