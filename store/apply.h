/* One row of the queue becomes statements. Writer thread only, inside a transaction of the caller.
 */
#ifndef NETAUDITD_STORE_APPLY_H
#define NETAUDITD_STORE_APPLY_H

#include "base/error.h"
#include "store/db.h"
#include "store/refs.h"
#include "store/rows.h"

struct applier;

/* What each commit says about itself (table pulse). */
struct pulse {
    int64_t batch, last_seq, alive_ms, age_ms, debt_ms;
};

/* Prepares the statements and counts what is open. `db` is borrowed and must outlive the applier.
 * Negative: *out is untouched. */
int applier_create(struct applier **out, struct db *db, struct error *err);
void applier_destroy(struct applier *a); /* NULL and half-built are fine */
/* After BEGIN. */
void apply_begin(struct applier *a);
/* Negative: the row is not stored and the transaction is to be rolled back; db_trouble says whether
 * it is the row's fault (DB_TROUBLE_ROW) or the file's. */
int apply_row(struct applier *a, const struct row *row, struct error *err);
int apply_watch_state(struct applier *a, const char *resource, const char *version, int64_t at_ms,
                      struct error *err);
int apply_status(struct applier *a, const char *json, struct error *err);
/* Before COMMIT: trend and pulse; `pulse->last_seq` is raised to the newest transition that was
 * applied. */
int apply_end(struct applier *a, struct pulse *pulse, struct error *err);
/* After ROLLBACK: what was counted since apply_begin is forgotten. */
void apply_rolled_back(struct applier *a);
/* The applier's; shared with whoever deletes rows on the same thread. */
struct refs *applier_refs(struct applier *a);

/* Of the newest commit. Negative: *out is untouched. NA_EIO: the table is empty. */
int pulse_read(struct db *db, struct pulse *out, struct error *err);

#endif
