/* Keeps the cluster cache in step with the API server: one list-watch per kind (or per kind and
 * namespace), all of KUBE_CLIENT's care behind five calls. Loop thread only.
 *
 *     credentials_load(&credentials, loop, &settings, err);
 *     informer_create(&informer, loop, credentials, cluster, &options, &callbacks, err);
 *     informer_start(informer);         changes arrive as deltas of `cluster`
 *     informer_destroy(informer);       then credentials_destroy, then run the loop until its
 *                                       handles are closed
 */
#ifndef NETAUDITD_WATCHERS_INFORMER_H
#define NETAUDITD_WATCHERS_INFORMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/error.h"
#include "cluster/cluster.h"
#include "watchers/credentials.h"

enum {
    INFORMER_MAX_NAMESPACES = 50 /* each takes a connection per kind */
};

enum informer_watch_list {
    INFORMER_WATCH_LIST_AUTO, /* streaming lists where the server's version has them on (1.34) */
    INFORMER_WATCH_LIST_ON,   /* tried on any server; what it refuses falls back to LIST */
    INFORMER_WATCH_LIST_OFF
};

/* Zero-initialise for the defaults. Everything is copied. */
struct informer_options {
    unsigned kinds;                /* BIT(enum kind); 0: every required and optional kind */
    bool secrets;                  /* watch Secrets too, as metadata only */
    const char *const *namespaces; /* namespaced mode; none: the whole cluster */
    size_t namespace_count;
    uint64_t watch_timeout_ms; /* T: a watch lives [T, 2T). 0: 5 minutes */
    uint64_t stale_after_ms;   /* 0: 10 minutes */
    enum informer_watch_list watch_list;
    /* Per kind the version that a database knows: the first list reads nothing older. NULL or "":
     * none. */
    const char *resume_versions[KIND_COUNT];
    const char *user_agent; /* NULL: netauditd/<version> (linux/<arch>) <commit> */
};

/* Any may be NULL. Called from the loop; they may call informer_stop, not informer_destroy. */
struct informer_callbacks {
    void *ctx;
    /* Something was read from the API server that may have changed the cache. */
    void (*on_activity)(void *ctx);
    /* Once: cluster_synced() has become true. */
    void (*on_first_sync)(void *ctx);
};

struct informer;

/* `loop`, `credentials` and `cluster` are borrowed and must outlive the informer. Sets watched
 * kinds PENDING and the others OFF. NA_ELIMIT for more than INFORMER_MAX_NAMESPACES namespaces,
 * NA_EINVAL for a name that is no namespace's. Sends nothing yet. */
int informer_create(struct informer **out, uv_loop_t *loop, struct credentials *credentials,
                    struct cluster *cluster, const struct informer_options *options,
                    const struct informer_callbacks *callbacks, struct error *err);
/* Asks for the server's version, then starts the kinds one after another, Pods last. */
void informer_start(struct informer *inf);
/* Asks again which API groups are served (cluster_cert_manager); the answer comes later. */
void informer_refresh(struct informer *inf);
/* Takes back every request; the cache stays as it is. May be called at any time, more than once.
 * NULL is fine. */
void informer_stop(struct informer *inf);
/* Stops; no callback runs once this returns; memory follows when libuv has closed the handles. NULL
 * is fine. */
void informer_destroy(struct informer *inf);

/* The kinds that are watched, BIT(enum kind). */
unsigned informer_kinds(const struct informer *inf);
/* "v1.36.3"; "" while unknown. */
const char *informer_server_version(const struct informer *inf);

/* What operators ask of one kind beyond struct kind_status (which the informer keeps up to date);
 * summed over namespaces. */
struct informer_kind_stats {
    uint64_t bytes;          /* of bodies, decompressed */
    uint64_t frames;         /* watch events and list items read */
    uint64_t dropped;        /* of those: too large, unreadable, of unknown type */
    uint64_t lists, streams; /* requests sent: LIST (pages count once), streaming list */
    uint64_t watches;        /* requests sent: watch */
    uint64_t relists_expired, relists_too_large, relists_other;
    uint64_t failures;        /* answers and connections that were no success */
    int64_t expired_since_ms; /* of the last relist after 410: since when writes may have gone by
                                 unseen; 0 none */
    int64_t last_event_ms;    /* wall time of the last frame; 0 never */
    const char *phase;        /* "watching", "listing", "waiting", ...: of the least advanced */
    const char *last_failure; /* sentence; "" when there was none; valid until the next loop turn */
};
/* All zero for a kind that is not watched. */
void informer_kind_stats(const struct informer *inf, enum kind kind,
                         struct informer_kind_stats *out);

#endif
