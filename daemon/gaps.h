/* Times in which a kind could not be watched: remembered from the moment it was lost, written as
 * one row when it is back. */
#ifndef NETAUDITD_DAEMON_GAPS_H
#define NETAUDITD_DAEMON_GAPS_H

#include <stdint.h>

#include "cluster/cluster.h"
#include "store/store.h"

struct gaps {
    struct store *store; /* borrowed */
    unsigned watched_kinds;
    struct {
        int64_t from_ms; /* 0: being watched */
        char reason[16];
    } lost[KIND_COUNT];
    uint64_t expired[KIND_COUNT]; /* relists after 410 that are written */
};

/* After each change of a kind's state. */
void gaps_note(struct gaps *g, enum kind kind, const struct kind_status *status, int64_t now_ms);
/* Once a second: `expired` counts relists after 410, `alive_ms` is when the kind was last heard. */
void gaps_expired(struct gaps *g, enum kind kind, uint64_t expired, int64_t alive_ms,
                  int64_t now_ms);
/* At the first sync: nobody watched since the last commit of the run before; 0 when there was none.
 */
void gaps_restart(struct gaps *g, int64_t last_alive_ms, int64_t now_ms);

#endif
