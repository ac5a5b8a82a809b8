/* A thin layer over SQLite, the only place that knows it: connections, statements, transactions,
 * errors as code and sentence. A connection belongs to one thread at a time. */
#ifndef NETAUDITD_STORE_DB_H
#define NETAUDITD_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct db;
struct stmt;

enum db_mode {
    DB_WRITE,         /* the one connection that writes and checkpoints */
    DB_READ,          /* never writes, never checkpoints */
    DB_READ_IMMUTABLE /* for a file that nobody has open, in a directory where no -shm can be made
                       */
};

/* What kind of trouble the last failed call met: decides whether to wait, to reopen or to give a
 * row up. */
enum db_trouble {
    DB_TROUBLE_NONE,
    DB_TROUBLE_BUSY,    /* somebody holds a lock: try again */
    DB_TROUBLE_FULL,    /* no space: try again later */
    DB_TROUBLE_IO,      /* read, write or sync failed: what is on disk is unknown, reopen */
    DB_TROUBLE_CORRUPT, /* the file is damaged or no database */
    DB_TROUBLE_ROW,     /* this row can never be stored */
    DB_TROUBLE_OTHER
};

/* The file exists. DB_WRITE: synchronous FULL, no automatic checkpoint, no symbolic link.
 * NA_EINVAL: not a database; NA_EIO otherwise. On failure *trouble (may be NULL) says of which
 * kind. */
int db_open(struct db **out, const char *path, enum db_mode mode, enum db_trouble *trouble,
            struct error *err);
/* Statements that are left are finalized. NULL is fine. */
void db_close(struct db *db);
enum db_trouble db_trouble(const struct db *db);

/* Statements without result, `;` between them. */
int db_exec(struct db *db, const char *sql, struct error *err);
/* First column of the first row; NA_ENOENT when there is no row. */
int db_get_int(struct db *db, const char *sql, int64_t *out, struct error *err);
int db_get_text(struct db *db, const char *sql, char **out /* free() */, struct error *err);
int db_begin(struct db *db, struct error *err);
int db_commit(struct db *db, struct error *err);
/* Never fails: without a transaction it does nothing. */
void db_rollback(struct db *db);

/* Owned by the connection; stmt_finalize ends it earlier. */
int db_prepare(struct db *db, struct stmt **out, const char *sql, struct error *err);
void stmt_finalize(struct stmt *st);
/* Parameters from 1. Text and blobs are borrowed until stmt_reset; NULL text binds NULL. A failed
 * bind is told by the next step. */
void stmt_bind_int(struct stmt *st, int index, int64_t value);
void stmt_bind_text(struct stmt *st, int index, const char *text);
void stmt_bind_blob(struct stmt *st, int index, const void *data, size_t len);
void stmt_bind_null(struct stmt *st, int index);
/* 1 a row is there, 0 done, else negative. */
int stmt_step(struct stmt *st, struct error *err);
void stmt_reset(struct stmt *st);
/* Steps once and resets: for statements that give no row. */
int stmt_run(struct stmt *st, struct error *err);
int64_t stmt_int(struct stmt *st, int column);
bool stmt_null(struct stmt *st, int column);
bool stmt_is_int(struct stmt *st, int column);
bool stmt_is_blob(struct stmt *st, int column);
const char *stmt_text(struct stmt *st, int column); /* "" for NULL; valid until the next step */
size_t stmt_blob(struct stmt *st, int column, const void **out);

/* Of the connection's last insert, update or delete. */
int64_t stmt_last_id(const struct stmt *st);
int64_t stmt_changes(const struct stmt *st);
/* Frames in the write-ahead log after the last commit. */
int db_wal_frames(const struct db *db);
/* Moves what the log holds into the file as far as readers allow, without waiting for them. */
int db_checkpoint(struct db *db, struct error *err);
/* A consistent copy into a new file (refused when it exists), mode 0600. */
int db_backup(struct db *db, const char *to_path, struct error *err);

#endif
