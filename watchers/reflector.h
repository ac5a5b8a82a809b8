/* One list-watch: a kind, in the whole cluster or in one namespace. Carries out what the state
 * machine of reflector_step.h orders: requests, timer, decoding, the cache. */
#ifndef NETAUDITD_WATCHERS_REFLECTOR_H
#define NETAUDITD_WATCHERS_REFLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "cluster/cluster.h"
#include "watchers/kube_client.h"
#include "watchers/reflector_step.h"

struct reflector;

struct reflector_options {
    const struct kind_row *row;
    const char *version; /* NULL: the row's; a constant */
    const char *ns;      /* NULL: all; copied */
    bool metadata_only;  /* ask for PartialObjectMetadata (Secrets), and wipe what was read */
    const char *field_selector; /* NULL: none; a constant */
    struct reflector_settings machine;
};

struct reflector_hooks {
    void *ctx;
    /* After a piece of a body, an answer, a failure: the machine, the counters or the cache may
     * have changed. */
    void (*moved)(void *ctx, struct reflector *r);
    /* NULL: everything. False drops an object that is not ours to keep (still `obj` of the caller).
     */
    bool (*wanted)(void *ctx, const struct object *obj);
};

struct reflector_stats {
    uint64_t bytes, frames, dropped, rejected;
    uint64_t failures;
    int64_t last_event_ms;
    int64_t expired_since_ms; /* wall time since when writes may have gone by unseen, of the last
                                 410; 0 */
};

/* `client`, `cluster` and the row are borrowed and must outlive the reflector. Sends nothing yet.
 */
struct reflector *reflector_create(uv_loop_t *loop, struct kube_client *client,
                                   struct cluster *cluster, const struct reflector_options *options,
                                   const struct reflector_hooks *hooks);
void reflector_start(struct reflector *r);
/* Takes back what is in flight. May be called from any callback. */
void reflector_stop(struct reflector *r);
/* Asks at once for what was absent, before its minute is over. Nothing else is touched by it. */
void reflector_probe(struct reflector *r);
/* None of its callbacks runs once this returns; memory follows when libuv has closed the timer. Not
 * from its own callbacks. NULL is fine. */
void reflector_destroy(struct reflector *r);

const struct reflector_machine *reflector_machine(const struct reflector *r);
const struct reflector_stats *reflector_stats(const struct reflector *r);
/* Wall time of the machine's alive_ms; 0: never. */
int64_t reflector_alive_ms(const struct reflector *r);
const struct kind_row *reflector_row(const struct reflector *r);
const char *reflector_version(const struct reflector *r);
const char *reflector_ns(const struct reflector *r);

#endif
