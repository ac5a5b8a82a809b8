/* How many findings were opened and resolved on each day, and how many were open at its end, by
 * severity (table trend). Counted in memory, written once per day and transaction. Writer thread
 * only. */
#ifndef NETAUDITD_STORE_TREND_H
#define NETAUDITD_STORE_TREND_H

#include <stdint.h>

#include "base/error.h"
#include "store/db.h"

struct trend;

enum trend_happening { TREND_OPENED, TREND_REOPENED, TREND_RESOLVED, TREND_OTHER };

/* Counts what is open in `db`, which is borrowed. Negative: *out is untouched. */
int trend_create(struct trend **out, struct db *db, struct error *err);
void trend_destroy(struct trend *t); /* NULL is fine */

/* After BEGIN. */
void trend_begin(struct trend *t);
/* The open ones of `severity` (0 .. SEVERITY_COUNT - 1) become `change` more, on the UTC day of
 * `at_ms`. Another day than the one before writes that one first, which may fail. */
int trend_add(struct trend *t, int64_t at_ms, int64_t severity, int change,
              enum trend_happening what, struct error *err);
/* Before COMMIT: what is not in the table yet. */
int trend_write(struct trend *t, struct error *err);
/* After ROLLBACK: what was counted since trend_begin is forgotten. */
void trend_rolled_back(struct trend *t);

#endif
