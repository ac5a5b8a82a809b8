/* The service account that kubelet mounts into a pod. */
#ifndef NETAUDITD_WATCHERS_INCLUSTER_H
#define NETAUDITD_WATCHERS_INCLUSTER_H

#include <stdbool.h>

#include "base/error.h"

struct incluster {
    char *server, *token_path, *ca_path; /* ca_path NULL: not mounted, the system's trust */
};

/* KUBERNETES_SERVICE_HOST and _PORT are set and `dir` holds a token. */
bool incluster_mounted(const char *dir);
/* On success the texts are the caller's. */
int incluster_load(struct incluster *out, const char *dir, struct error *err);
/* "https://host:port", IPv6 in brackets. The caller's; NULL when the port is none. */
char *incluster_server(const char *host, const char *port);

#endif
