/* kubeconfig files as kubectl reads them: which files, how they merge, what one context means. */
#ifndef NETAUDITD_WATCHERS_KUBECONFIG_H
#define NETAUDITD_WATCHERS_KUBECONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "watchers/pem.h"

enum {
    KUBECONFIG_MAX_FILES = 64,
    KUBECONFIG_MAX_BYTES = 8 * 1024 * 1024,
    KUBECONFIG_MAX_EXEC_ARGS = 256
};

/* users[].user.exec */
struct exec_config {
    char *command;      /* resolved against its file when it holds a slash */
    char *configured;   /* as written, for allow-lists */
    char **args;        /* NULL-terminated, args[0] is the command */
    char **env;         /* NULL-terminated NAME=VALUE, beyond our own */
    char *api_version;  /* client.authentication.k8s.io/v1 or v1beta1 */
    char *install_hint; /* NULL: none */
    char *info;         /* value of KUBERNETES_EXEC_INFO */
};
void exec_config_destroy(struct exec_config *e);

/* One context, everything merged and resolved. Texts are owned, NULL when not given. */
struct kubeconfig {
    char *source; /* "context 'x' of /path" for logs */
    char *context, *server, *ns, *tls_server_name, *proxy_url;
    bool insecure, disable_compression;
    struct pem_source ca, cert, key;
    char *token, *token_file;
    struct exec_config *exec;
};

/* `path` NULL: the files of KUBECONFIG, else ~/.kube/config. `context` NULL: current-context.
 * NA_ENOENT when there is no file at all. Sentences name file, line and entry. Refused: contexts,
 * users or clusters that are not there, entries without what they need, insecure-skip-tls-verify
 * without `allow_insecure`, impersonation, username and password, auth-provider, plugins that want
 * a terminal. */
int kubeconfig_load(struct kubeconfig **out, const char *path, const char *context,
                    bool allow_insecure, struct error *err);
void kubeconfig_destroy(struct kubeconfig *k); /* NULL is fine */

#endif
