/* Who we are towards the API server and whom we trust there: in-cluster service account, or a
 * kubeconfig as kubectl reads it (certificates, token, token file, exec plugin). Hides rotation: a
 * token file is read again every minute, certificate files every five, an exec plugin runs again
 * when its credential has expired, and all of them at once when the server said 401. A read that
 * fails keeps what we had. Loop thread only. */
#ifndef NETAUDITD_WATCHERS_CREDENTIALS_H
#define NETAUDITD_WATCHERS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/error.h"

#define CREDENTIALS_INCLUSTER_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

/* Zero-initialise: that is what the daemon does without configuration. Strings are borrowed during
 * credentials_load only. */
struct credentials_settings {
    const char *kubeconfig;    /* explicit path: must exist, and wins over everything else */
    const char *context;       /* a context of the kubeconfig; in-cluster credentials have none */
    const char *incluster_dir; /* NULL: CREDENTIALS_INCLUSTER_DIR */
    bool allow_insecure;       /* insecure-skip-tls-verify is refused without it */
    /* Permitted exec plugins as written in the kubeconfig, NULL-terminated. NULL: any. */
    const char *const *exec_allowed;
};

struct credentials;

/* Without an explicit path or context: in-cluster credentials when mounted (service environment
 * variables and token present), else the files of KUBECONFIG, else ~/.kube/config. Reads files,
 * runs nothing: an exec plugin runs when the first request needs it. Errors are sentences that name
 * the file. 0: *out is the caller's. */
int credentials_load(struct credentials **out, uv_loop_t *loop,
                     const struct credentials_settings *settings, struct error *err);
/* None of its callbacks runs once this returns (a plugin that runs is killed); memory follows when
 * libuv has closed the handles. Whoever borrowed it must be gone. NULL is fine. */
void credentials_destroy(struct credentials *c);

/* "https://10.0.0.1:6443", with a path when the kubeconfig has one, never with a trailing slash. */
const char *credentials_server(const struct credentials *c);
/* "in-cluster", or the context's name and file, for logs. */
const char *credentials_source(const struct credentials *c);
/* The server's certificate is not verified: to be said in every report. */
bool credentials_insecure(const struct credentials *c);

/* ---- for watchers/kube_client.c ---- */

/* PEM texts for one connection; NULL parts are not given. */
struct http_tls {
    const char *ca; /* NULL: the system's */
    size_t ca_len;
    const char *cert, *key; /* both or none */
    size_t cert_len, key_len;
    const char *server_name; /* verify and ask for this name; NULL: the URL's host */
    bool insecure;
};

/* What one request is to carry. Texts are valid until the loop's next turn. */
struct credential {
    const char *bearer; /* NULL: none */
    const struct http_tls *tls;
    const char *proxy_url; /* NULL: as the environment says */
    bool disable_compression;
    uint64_t serial; /* of this token and certificate, for credentials_refused */
};
/* 0; NA_EBUSY while a plugin runs (credentials_on_ready is called when it has ended); else there is
 * no usable credential now, and *err says why. */
int credentials_current(struct credentials *c, struct credential *out, struct error *err);
/* The server answered 401 to `serial`: everything is read again, once per serial. */
void credentials_refused(struct credentials *c, uint64_t serial);
/* The TLS backend did not take the certificates of `serial` (a pair caught half-way through its
 * rotation): back to those that worked before. */
void credentials_unusable(struct credentials *c, uint64_t serial);
/* No connection, perhaps because the server's certificates were replaced: the CA file is read again
 * before its time. */
void credentials_reread_trust(struct credentials *c);
/* One receiver; called from the loop, never from within credentials_current. */
void credentials_on_ready(struct credentials *c, void (*fn)(void *ctx), void *ctx);

#endif
