/* Every SQLite code enters here and leaves as one of ours with SQLite's sentence behind it. Text is
 * always bound, never pasted. Before 3.51.3 two connections that write or checkpoint can corrupt
 * the file: readers are opened SQLITE_OPEN_READONLY, which never checkpoints, not even when the
 * last connection closes. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/xalloc.h"

enum { BUSY_WRITE_MS = 2000, BUSY_READ_MS = 5000, BACKUP_PAGES = 256 };

struct stmt {
    sqlite3_stmt *raw;
    struct db *db;
    struct stmt *next, **link;
    int bind_rc;
};

struct db {
    sqlite3 *raw;
    struct stmt *stmts;
    int wal_frames;
    int last_rc; /* extended code of the last failed call */
};

static enum db_trouble trouble_of(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return DB_TROUBLE_NONE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return DB_TROUBLE_BUSY;
    case SQLITE_FULL:
        return DB_TROUBLE_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return DB_TROUBLE_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DB_TROUBLE_CORRUPT;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
        return DB_TROUBLE_ROW;
    default:
        return DB_TROUBLE_OTHER;
    }
}

static int code_of(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return NA_EBUSY;
    case SQLITE_NOMEM:
        return NA_ENOMEM;
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return NA_EINVAL;
    case SQLITE_TOOBIG:
        return NA_ELIMIT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return NA_EAUTH;
    default:
        return NA_EIO;
    }
}

static int fail(struct db *db, int rc, struct error *err)
{
    int code = code_of(rc);

    db->last_rc = rc;
    error_set(err, code, "%s (SQLite code %d)", sqlite3_errmsg(db->raw), rc);
    return code;
}

static int wal_hook(void *ctx, sqlite3 *raw, const char *name, int frames)
{
    struct db *db = ctx;

    (void)raw;
    (void)name;
    db->wal_frames = frames;
    return SQLITE_OK;
}

/* file:PATH?immutable=1 with what a URI must escape escaped. */
static char *immutable_uri(const char *path)
{
    static const char digits[] = "0123456789ABCDEF", option[] = "?immutable=1";
    char *uri = xmalloc(strlen(path) * 3 + 32), *p = uri;

    p = stpcpy(p, "file:");
    for (const char *s = path; *s != '\0'; s++) {
        if (*s == '%' || *s == '?' || *s == '#') {
            *p++ = '%';
            *p++ = digits[(unsigned char)*s >> 4];
            *p++ = digits[(unsigned char)*s & 15];
        } else {
            *p++ = *s;
        }
    }
    memcpy(p, option, sizeof(option));
    return uri;
}

static int open_raw(struct db *db, const char *path, enum db_mode mode)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, rc;

    if (mode == DB_READ_IMMUTABLE) {
        char *uri = immutable_uri(path);
        rc = sqlite3_open_v2(uri, &db->raw, flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
        free(uri);
        return rc;
    }
    flags |= mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW : SQLITE_OPEN_READONLY;
    return sqlite3_open_v2(path, &db->raw, flags, NULL);
}

int db_open(struct db **out, const char *path, enum db_mode mode, enum db_trouble *trouble,
            struct error *err)
{
    static const char for_both[] = "PRAGMA trusted_schema = OFF;"
                                   "PRAGMA cell_size_check = ON;"
                                   "PRAGMA mmap_size = 0;"
                                   "PRAGMA temp_store = MEMORY;";
    static const char for_writer[] = "PRAGMA synchronous = FULL;"
                                     "PRAGMA wal_autocheckpoint = 0;"
                                     "PRAGMA journal_size_limit = 16777216;"
                                     "PRAGMA cache_size = -8192;";
    struct db *db = xcalloc(1, sizeof(*db));
    int rc = open_raw(db, path, mode);

    if (rc != SQLITE_OK) {
        rc = fail(db, rc, err);
        goto fail;
    }
    sqlite3_busy_timeout(db->raw, mode == DB_WRITE ? BUSY_WRITE_MS : BUSY_READ_MS);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    rc = db_exec(db, for_both, err);
    if (rc == 0 && mode == DB_WRITE) {
        rc = db_exec(db, for_writer, err);
        sqlite3_wal_hook(db->raw, wal_hook, db); /* also ends SQLite's own checkpoints */
    }
    if (rc == 0) {
        int64_t n;
        rc =
            db_get_int(db, "SELECT count(*) FROM sqlite_schema", &n, err); /* the first real read */
    }
    if (rc != 0) {
        goto fail;
    }
    *out = db;
    return 0;
fail:
    if (trouble != NULL) {
        *trouble = trouble_of(db->last_rc);
    }
    db_close(db);
    return rc;
}

static void stmt_free(struct stmt *st)
{
    sqlite3_finalize(st->raw);
    free(st);
}

void db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    for (struct stmt *st = db->stmts, *next; st != NULL; st = next) {
        next = st->next;
        stmt_free(st);
    }
    sqlite3_close(db->raw);
    free(db);
}

enum db_trouble db_trouble(const struct db *db)
{
    return trouble_of(db->last_rc);
}

int db_exec(struct db *db, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(db, rc, err);
}

int db_get_int(struct db *db, const char *sql, int64_t *out, struct error *err)
{
    struct stmt *st = NULL;
    int rc = db_prepare(db, &st, sql, err);

    if (st == NULL) {
        return rc;
    }
    rc = stmt_step(st, err);
    if (rc == 1) {
        *out = stmt_int(st, 0);
        rc = 0;
    } else if (rc == 0) {
        rc = error_set(err, NA_ENOENT, "no row");
    }
    stmt_finalize(st);
    return rc;
}

int db_get_text(struct db *db, const char *sql, char **out, struct error *err)
{
    struct stmt *st = NULL;
    int rc = db_prepare(db, &st, sql, err);

    if (st == NULL) {
        return rc;
    }
    rc = stmt_step(st, err);
    if (rc == 1) {
        *out = xstrdup(stmt_text(st, 0));
        rc = 0;
    } else if (rc == 0) {
        rc = error_set(err, NA_ENOENT, "no row");
    }
    stmt_finalize(st);
    return rc;
}

int db_begin(struct db *db, struct error *err)
{
    return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct error *err)
{
    return db_exec(db, "COMMIT", err);
}

void db_rollback(struct db *db)
{
    int kept = db->last_rc;

    for (struct stmt *st = db->stmts; st != NULL; st = st->next) {
        sqlite3_reset(st->raw);
    }
    if (sqlite3_get_autocommit(db->raw) == 0) {
        sqlite3_exec(db->raw, "ROLLBACK", NULL, NULL, NULL);
    }
    db->last_rc = kept;
}

int db_prepare(struct db *db, struct stmt **out, const char *sql, struct error *err)
{
    sqlite3_stmt *raw = NULL;
    int rc = sqlite3_prepare_v3(db->raw, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, NULL);

    if (rc != SQLITE_OK) {
        return fail(db, rc, err);
    }
    struct stmt *st = xcalloc(1, sizeof(*st));
    st->raw = raw;
    st->db = db;
    st->next = db->stmts;
    st->link = &db->stmts;
    if (db->stmts != NULL) {
        db->stmts->link = &st->next;
    }
    db->stmts = st;
    *out = st;
    return 0;
}

void stmt_finalize(struct stmt *st)
{
    if (st == NULL) {
        return;
    }
    *st->link = st->next;
    if (st->next != NULL) {
        st->next->link = st->link;
    }
    stmt_free(st);
}

static void bound(struct stmt *st, int rc)
{
    if (rc != SQLITE_OK && st->bind_rc == SQLITE_OK) {
        st->bind_rc = rc;
    }
}

void stmt_bind_int(struct stmt *st, int index, int64_t value)
{
    bound(st, sqlite3_bind_int64(st->raw, index, value));
}

void stmt_bind_text(struct stmt *st, int index, const char *text)
{
    bound(st, text == NULL ? sqlite3_bind_null(st->raw, index)
                           : sqlite3_bind_text(st->raw, index, text, -1, SQLITE_STATIC));
}

void stmt_bind_blob(struct stmt *st, int index, const void *data, size_t len)
{
    bound(st, sqlite3_bind_blob64(st->raw, index, data, len, SQLITE_STATIC));
}

void stmt_bind_null(struct stmt *st, int index)
{
    bound(st, sqlite3_bind_null(st->raw, index));
}

int stmt_step(struct stmt *st, struct error *err)
{
    int rc = st->bind_rc;

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st->raw);
    }
    if (rc == SQLITE_ROW) {
        return 1;
    }
    if (rc == SQLITE_DONE) {
        return 0;
    }
    rc = fail(st->db, rc, err);
    stmt_reset(st);
    return rc;
}

void stmt_reset(struct stmt *st)
{
    sqlite3_reset(st->raw);
    st->bind_rc = SQLITE_OK;
}

int stmt_run(struct stmt *st, struct error *err)
{
    int rc = stmt_step(st, err);

    stmt_reset(st);
    return rc < 0 ? rc : 0;
}

int64_t stmt_int(struct stmt *st, int column)
{
    return sqlite3_column_int64(st->raw, column);
}

bool stmt_null(struct stmt *st, int column)
{
    return sqlite3_column_type(st->raw, column) == SQLITE_NULL;
}

bool stmt_is_int(struct stmt *st, int column)
{
    return sqlite3_column_type(st->raw, column) == SQLITE_INTEGER;
}

bool stmt_is_blob(struct stmt *st, int column)
{
    return sqlite3_column_type(st->raw, column) == SQLITE_BLOB;
}

const char *stmt_text(struct stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st->raw, column);

    return text != NULL ? text : "";
}

size_t stmt_blob(struct stmt *st, int column, const void **out)
{
    *out = sqlite3_column_blob(st->raw, column);
    return (size_t)sqlite3_column_bytes(st->raw, column);
}

int64_t stmt_last_id(const struct stmt *st)
{
    return sqlite3_last_insert_rowid(st->db->raw);
}

int64_t stmt_changes(const struct stmt *st)
{
    return sqlite3_changes64(st->db->raw);
}

int db_wal_frames(const struct db *db)
{
    return db->wal_frames;
}

int db_checkpoint(struct db *db, struct error *err)
{
    int frames = 0, moved = 0;
    int rc = sqlite3_wal_checkpoint_v2(db->raw, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);

    if (rc != SQLITE_OK && rc != SQLITE_BUSY) {
        return fail(db, rc, err);
    }
    db->wal_frames = frames > moved ? frames - moved : 0;
    return 0;
}

int db_backup(struct db *db, const char *to_path, struct error *err)
{
    struct db to = { 0 };
    sqlite3_backup *backup = NULL;
    int fd = open(to_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), rc;

    if (fd < 0) {
        return error_errno(err, errno, "backup: create '%s'", to_path);
    }
    close(fd);
    rc = sqlite3_open_v2(to_path, &to.raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        goto fail;
    }
    backup = sqlite3_backup_init(to.raw, "main", db->raw, "main");
    if (backup == NULL) {
        rc = sqlite3_extended_errcode(to.raw);
        goto fail;
    }
    do {
        rc = sqlite3_backup_step(backup, BACKUP_PAGES);
    } while (rc == SQLITE_OK);
    if (rc == SQLITE_DONE) {
        rc = SQLITE_OK;
    }
    int finish_rc = sqlite3_backup_finish(backup);
    if (rc == SQLITE_OK) {
        rc = finish_rc;
    }
fail:
    if (rc != SQLITE_OK) {
        rc = error_set(err, code_of(rc), "backup to '%s': %s", to_path, sqlite3_errstr(rc));
        unlink(to_path);
    }
    sqlite3_close(to.raw);
    return rc;
}
