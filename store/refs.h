/* Rows that other rows share: subjects and causes. Each counts its uses, so that retention can end
 * it with the last of them. Writer thread only. */
#ifndef NETAUDITD_STORE_REFS_H
#define NETAUDITD_STORE_REFS_H

#include <stdbool.h>

#include "base/error.h"
#include "store/db.h"
#include "store/rows.h"

struct refs;

int refs_create(struct refs **out, struct db *db, struct error *err);
void refs_destroy(struct refs *r);
/* The subject that `row` names, made when it is new; one more use. */
int refs_subject(struct refs *r, const struct row *row, int64_t *out_id, struct error *err);
int refs_subject_release(struct refs *r, int64_t id, struct error *err);
/* One more use; *exists false when retention has ended that cause. */
int refs_cause_use(struct refs *r, int64_t id, bool *exists, struct error *err);
int refs_cause_release(struct refs *r, int64_t id, struct error *err);
/* After a rollback: ids that were given out since may be none. */
void refs_forget(struct refs *r);

/* NULL, a number, a blob or text as the columns of type ANY want it. */
void bind_ref(struct stmt *st, int index, const struct name_ref *ref);
/* A UUID as its 16 bytes (kept in `space`), anything else as text. */
void bind_uid(struct stmt *st, int index, const char *uid, uint8_t space[16]);
/* A decimal number without leading zero as an integer: half the bytes, the same text when read
 * back. */
void bind_number_text(struct stmt *st, int index, const char *text);

#endif
