/* The status row (CONTRACTS 4) as JSON. */
#ifndef NETAUDITD_DAEMON_STATUS_H
#define NETAUDITD_DAEMON_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "rules/engine.h"

struct status_input {
    const struct cluster *cluster;
    const struct engine *engine; /* NULL before the first sync */
    const char *cluster_id, *server;
    unsigned watched_kinds; /* bits of enum kind; others are left out */
    bool synced;
    const char *store_error; /* "" when the last commit succeeded */
    int64_t now_ms;
};

/* The caller frees the text. */
char *status_json(const struct status_input *in);

/* A digest of everything in the row but times and ages: the row is rewritten when it changes. */
uint64_t status_digest(const struct status_input *in);

#endif
