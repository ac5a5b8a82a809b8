#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const unsigned char embedded[] = {
#include "store/schema.sql.inc"
    0
};

static const char mark[] = "-- migration ";

const char *schema_text(void)
{
    return (const char *)embedded;
}

/* The next line that starts with the mark at or after `p`, which is at the start of a line; NULL
 * none. */
static const char *next_mark(const char *p)
{
    while (p != NULL && strncmp(p, mark, sizeof(mark) - 1) != 0) {
        p = strchr(p, '\n');
        if (p != NULL) {
            p++;
        }
    }
    return p;
}

static const char *line_end(const char *p)
{
    const char *end = strchr(p, '\n');

    return end != NULL ? end + 1 : p + strlen(p);
}

int schema_count(const char *text)
{
    int count = 0;

    for (const char *p = next_mark(text); p != NULL; p = next_mark(line_end(p))) {
        if (atoi(p + sizeof(mark) - 1) != ++count) {
            return -1;
        }
    }
    return count;
}

/* The SQL of migration `number`; free(). */
static char *migration(const char *text, int number)
{
    const char *p = next_mark(text);

    for (int i = 1; i < number; i++) {
        p = next_mark(line_end(p));
    }
    p = line_end(p);
    const char *end = next_mark(p);
    return xstrndup(p, end != NULL ? (size_t)(end - p) : strlen(p));
}

/* What an empty file must be told before its first table. */
static int prepare_new(struct db *db, struct error *err)
{
    char sql[160];

    snprintf(sql, sizeof(sql), "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d;",
             STORE_APPLICATION_ID);
    return db_exec(db, sql, err);
}

/* A new file becomes ours and gets its tables in one transaction: killed in between, it is empty
 * again at the next start. (Deferred, because the first page that is written fixes how the file is
 * vacuumed.) */
static int apply_one(struct db *db, const char *text, int number, bool fresh, struct error *err)
{
    char *sql = migration(text, number), pragma[64];
    int rc = db_exec(db, fresh ? "BEGIN" : "BEGIN IMMEDIATE", err);

    if (rc == 0 && fresh) {
        rc = prepare_new(db, err);
    }
    if (rc == 0) {
        rc = db_exec(db, sql, err);
    }
    if (rc == 0) {
        snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", number);
        rc = db_exec(db, pragma, err);
    }
    if (rc == 0) {
        rc = db_commit(db, err);
    }
    if (rc != 0) {
        db_rollback(db);
        rc = error_wrap(err, rc, "schema migration %d", number);
    }
    free(sql);
    return rc;
}

static int identity(struct db *db, int64_t *app, int64_t *version, int64_t *tables,
                    struct error *err)
{
    int rc = db_get_int(db, "PRAGMA application_id", app, err);

    if (rc == 0) {
        rc = db_get_int(db, "PRAGMA user_version", version, err);
    }
    if (rc == 0) {
        rc = db_get_int(db, "SELECT count(*) FROM sqlite_schema", tables, err);
    }
    return rc;
}

int schema_apply(struct db *db, const char *text, struct error *err)
{
    int64_t app, version, tables;
    int latest = schema_count(text);
    int rc = identity(db, &app, &version, &tables, err);

    if (rc != 0) {
        return rc;
    }
    bool fresh = tables == 0 && version == 0 && (app == 0 || app == STORE_APPLICATION_ID);
    if (!fresh && app != STORE_APPLICATION_ID) {
        return error_set(err, NA_EINVAL, "is a database of another program (application id %lld)",
                         (long long)app);
    }
    if (version < 0 || version > latest) {
        return error_set(
            err, NA_EMISMATCH,
            "has schema version %lld, this program knows versions up to %d; start the newer "
            "netauditd that wrote it",
            (long long)version, latest);
    }
    for (int number = (int)version + 1; rc == 0 && number <= latest; number++) {
        rc = apply_one(db, text, number, fresh && number == 1, err);
    }
    if (rc == 0) {
        rc = db_exec(db, "PRAGMA journal_mode = WAL", err);
    }
    return rc;
}

int schema_check(struct db *db, const char *path, struct error *err)
{
    int64_t app, version, tables;
    int latest = schema_count(schema_text());
    int rc = identity(db, &app, &version, &tables, err);

    if (rc != 0) {
        return error_wrap(err, rc, "database '%s'", path);
    }
    if (app != STORE_APPLICATION_ID || version == 0) {
        return error_set(err, NA_EINVAL, "'%s' is not a netauditd database", path);
    }
    if (version > latest) {
        return error_set(
            err, NA_EMISMATCH,
            "database '%s' has schema version %lld, this program knows versions up to %d; use the "
            "newer netaudit that came with its daemon",
            path, (long long)version, latest);
    }
    if (version < latest) {
        return error_set(
            err, NA_EMISMATCH,
            "database '%s' has schema version %lld, this program reads version %d; start the new "
            "netauditd once, it upgrades the file",
            path, (long long)version, latest);
    }
    return 0;
}
