/* What may be forgotten, and when: in small steps between commits. Findings that are not resolved,
 * with the history of how they came to be so, are never pruned; nor are watch gaps, which say what
 * the proofs do not cover. Writer thread. */
#ifndef NETAUDITD_STORE_RETENTION_H
#define NETAUDITD_STORE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/apply.h"
#include "store/db.h"

/* How old the file is. It grows with the monotonic clock alone, so that no jump of the wall clock
 * ages anything. Only the time between two runs has to be taken from the wall clock: that is a
 * debt, credited at most a day per hour, so that a start with a wrong clock is put right before it
 * has cost history. A wall clock that is set back cancels it. */
struct age_clock {
    int64_t age_ms, debt_ms, last_wall_ms;
    uint64_t last_mono_ms;
};
void age_clock_start(struct age_clock *c, const struct pulse *last, int64_t wall_ms,
                     uint64_t mono_ms);
void age_clock_tick(struct age_clock *c, int64_t wall_ms, uint64_t mono_ms);

struct retention;
struct retention_limits {
    int64_t max_age_ms; /* 0 for ever */
    uint64_t max_bytes; /* 0 no limit */
};

int retention_create(struct retention **out, struct db *db, struct refs *refs, struct error *err);
void retention_destroy(struct retention *r);
/* One transaction of at most `max_rows` deletions. `last_seq` is the newest committed number.
 * *more: another step would find work. *pruned rows went. */
int retention_step(struct retention *r, const struct retention_limits *limits, int64_t age_ms,
                   int64_t last_seq, uint32_t max_rows, bool *more, uint64_t *pruned,
                   struct error *err);

#endif
