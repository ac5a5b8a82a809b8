#include "watchers/exec_plugin.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "watchers/pem.h"
#include "watchers/token_file.h"

static void wipe(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void exec_credential_deinit(struct exec_credential *c)
{
    wipe(c->token);
    wipe(c->cert);
    wipe(c->key);
    memset(c, 0, sizeof(*c));
}

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

static int read_status(const cJSON *status, struct exec_credential *c, struct error *err)
{
    const char *token = text_of(status, "token"), *expires = text_of(status, "expirationTimestamp");
    const char *cert = text_of(status, "clientCertificateData");
    const char *key = text_of(status, "clientKeyData");

    if (token[0] == '\0' && cert[0] == '\0' && key[0] == '\0') {
        return error_set(err, NA_EAUTH, "returned neither a token nor a certificate");
    }
    if ((cert[0] == '\0') != (key[0] == '\0')) {
        return error_set(err, NA_EAUTH, "returned only one of certificate and key");
    }
    if (expires[0] != '\0' && !time_parse(expires, &c->expires_ms)) {
        return error_set(err, NA_EAUTH, "returned an expirationTimestamp that is no time");
    }
    if (cert[0] != '\0') {
        if (!pem_is_whole(cert, strlen(cert), "CERTIFICATE") ||
            !pem_is_whole(key, strlen(key), "PRIVATE KEY")) {
            return error_set(err, NA_EAUTH, "returned a certificate or key that is no PEM");
        }
        c->cert = xstrdup(cert);
        c->key = xstrdup(key);
    }
    if (token[0] != '\0') {
        c->token = xstrdup(token);
        if (!token_trim(c->token)) {
            return error_set(err, NA_EAUTH, "returned a token that cannot be sent in a header");
        }
    }
    return 0;
}

int exec_credential_parse(const char *text, size_t len, const char *api_version,
                          struct exec_credential *out, struct error *err)
{
    cJSON *tree = cJSON_ParseWithLength(text, len);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(tree, "status");
    struct exec_credential fresh = { 0 };
    int rc;

    if (!cJSON_IsObject(tree) || strcmp(text_of(tree, "kind"), "ExecCredential") != 0) {
        rc = error_set(err, NA_EAUTH, "did not print an ExecCredential");
    } else if (strcmp(text_of(tree, "apiVersion"), api_version) != 0) {
        rc = error_set(err, NA_EAUTH, "is configured for %s and returned %s", api_version,
                       text_of(tree, "apiVersion"));
    } else if (!cJSON_IsObject(status)) {
        rc = error_set(err, NA_EAUTH, "returned no status");
    } else {
        rc = read_status(status, &fresh, err);
    }
    cJSON_Delete(tree);
    if (rc != 0) {
        exec_credential_deinit(&fresh);
        return rc;
    }
    *out = fresh;
    return 0;
}
