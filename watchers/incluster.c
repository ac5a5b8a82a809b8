#include "watchers/incluster.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool incluster_mounted(const char *dir)
{
    char *path = xasprintf("%s/token", dir);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found && variable("KUBERNETES_SERVICE_HOST") != NULL &&
           variable("KUBERNETES_SERVICE_PORT") != NULL;
}

char *incluster_server(const char *host, const char *port)
{
    long long number;

    if (!text_to_int(port, 1, 65535, &number)) {
        return NULL;
    }
    return strchr(host, ':') != NULL && host[0] != '[' ? xasprintf("https://[%s]:%s", host, port)
                                                       : xasprintf("https://%s:%s", host, port);
}

int incluster_load(struct incluster *out, const char *dir, struct error *err)
{
    const char *host = variable("KUBERNETES_SERVICE_HOST"),
               *port = variable("KUBERNETES_SERVICE_PORT");
    struct incluster in = { 0 };

    if (host == NULL || port == NULL) {
        return error_set(err, NA_ENOENT,
                         "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must both be set");
    }
    in.server = incluster_server(host, port);
    if (in.server == NULL) {
        return error_set(err, NA_EINVAL, "KUBERNETES_SERVICE_PORT '%s' is no port", port);
    }
    in.token_path = xasprintf("%s/token", dir);
    in.ca_path = xasprintf("%s/ca.crt", dir);
    if (access(in.ca_path, F_OK) != 0) {
        free(in.ca_path);
        in.ca_path = NULL;
    }
    *out = in;
    return 0;
}
