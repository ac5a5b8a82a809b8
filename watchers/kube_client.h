/* Requests to one API server: credentials, rate limit, warnings and the state of the connection put
 * on top of http_client. Loop thread only. */
#ifndef NETAUDITD_WATCHERS_KUBE_CLIENT_H
#define NETAUDITD_WATCHERS_KUBE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "watchers/credentials.h"
#include "watchers/http_client.h"
#include "watchers/kube_status.h"

enum {
    KUBE_QPS = 5, /* of everything but watches */
    KUBE_BURST = 10,
    KUBE_GET_TIMEOUT_MS = 15000,
    KUBE_GET_MAX_BYTES = 1024 * 1024
};

struct kube_client;

/* The caller's struct, zero-initialised. Fill `http` as http_client.h says, less bearer, tls,
 * proxy_url and gzip, which are the client's; http.url must stay valid until done. http.done is
 * called as http_client.h promises; http.data is the caller's. */
struct kube_request {
    struct http_request http;
    bool unlimited; /* watches do not count against the rate limit */
    bool large;     /* the answer is worth compressing, where that is wanted at all */

    /* The client's. */
    struct kube_client *client;
    uint64_t serial;
    bool queued;
    int failure; /* of the credentials: told from the loop */
    void (*caller_head)(struct http_request *http);
    void (*caller_done)(struct http_request *http, int status);
    struct kube_request *prev, *next;
};

/* `credentials` is borrowed; one client per credentials may take its on_ready. */
int kube_client_create(struct kube_client **out, uv_loop_t *loop, struct credentials *credentials,
                       const char *user_agent, struct error *err);
/* Nothing of it may be in flight. NULL is fine. */
void kube_client_destroy(struct kube_client *client);

/* Waits for the rate limit and for a credential, then sends. */
void kube_send(struct kube_client *client, struct kube_request *req);
void kube_cancel(struct kube_client *client, struct kube_request *req);
/* The answer was 401: credentials are read again, once for all who were refused together. */
void kube_refused(struct kube_client *client, const struct kube_request *req);
const char *kube_server(const struct kube_client *client);

/* A small GET: the whole body in memory. Zero-initialise; `done` as above, after which `body` and
 * `status` may be read until kube_get_deinit. */
struct kube_get {
    struct kube_request req;
    char *url;
    struct buf body;
    struct kube_status status; /* of an answer that is not 200 */
    void (*done)(struct kube_get *get, int status);
    void *data;
};
/* `path` begins with '/'. */
void kube_get(struct kube_client *client, struct kube_get *get, const char *path,
              void (*done)(struct kube_get *get, int status));
/* Takes it back when it is in flight. */
void kube_get_deinit(struct kube_client *client, struct kube_get *get);

#endif
