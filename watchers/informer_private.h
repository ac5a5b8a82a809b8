/* Between the files of the informer. */
#ifndef NETAUDITD_WATCHERS_INFORMER_PRIVATE_H
#define NETAUDITD_WATCHERS_INFORMER_PRIVATE_H

#include "base/vec.h"
#include "watchers/discovery.h"
#include "watchers/informer.h"
#include "watchers/kube_client.h"
#include "watchers/reflector.h"

enum informer_phase { INFORMER_CREATED, INFORMER_ASKING, INFORMER_RUNNING, INFORMER_STOPPED };

struct informer {
    uv_loop_t *loop;
    struct credentials *credentials;
    struct cluster *cluster;
    struct kube_client *client;
    struct informer_callbacks callbacks;
    enum informer_phase phase;
    unsigned kinds;
    char **namespaces;
    size_t namespace_count;
    struct informer_options options; /* numbers only; its pointers are not used after create */
    char *resume_versions[KIND_COUNT];
    uint64_t random;
    struct kube_get version, groups, probe;
    struct discovery discovery;
    bool discovered, stream;
    unsigned asked_groups;
    size_t probing;               /* which of unmodelled_kinds is being asked about */
    VEC(const char *) unmodelled; /* those that hold objects, so far */
    char server_version[64];
    uint64_t version_delay_ms;
    bool version_told;                  /* that it could not be had */
    uv_timer_t timer;                   /* next try of the version, next kind to start */
    VEC(struct reflector *) reflectors; /* in the order in which they start */
    size_t started;
    bool synced_told;
};

/* ---- informer.c ---- */

/* The kind's reflectors join the end of the list; whoever adds sees to it that they start. */
void informer_add_kind(struct informer *inf, const struct kind_row *row);
/* Starts the next reflector that has not been started; none: nothing. */
void informer_start_next(struct informer *inf);
/* Once it is known what is served. */
void informer_start_kinds(struct informer *inf);

/* ---- informer_groups.c ---- */

/* Asks which API groups are served, and follows the answer. */
void informer_ask_groups(struct informer *inf);
/* True also for kinds that every server has, and where discovery has not answered. */
bool informer_serves(const struct informer *inf, const struct kind_row *row);

#endif
