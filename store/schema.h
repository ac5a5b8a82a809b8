/* The numbered migrations that travel inside the program (store/schema.sql), and what version a
 * file has. */
#ifndef NETAUDITD_STORE_SCHEMA_H
#define NETAUDITD_STORE_SCHEMA_H

#include <stdint.h>

#include "base/error.h"
#include "store/db.h"

enum { STORE_APPLICATION_ID = 0x4E617564 /* "Naud" */ };

/* The embedded text, NUL-terminated. */
const char *schema_text(void);
/* How many migrations `text` holds; they must be numbered 1, 2, ... without a hole (else -1). */
int schema_count(const char *text);
/* Lifts the file to the last migration of `text`, each in a transaction of its own, then turns on
 * the write-ahead log. An empty file gets everything. NA_EINVAL: another program's database;
 * NA_EMISMATCH: newer than `text`. The file is unchanged after these two. */
int schema_apply(struct db *db, const char *text, struct error *err);
/* For readers: 0 when the file is ours and of exactly the version of this program; NA_EINVAL,
 * NA_EMISMATCH. */
int schema_check(struct db *db, const char *path, struct error *err);

#endif
