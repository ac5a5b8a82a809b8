/* Queries go over the views, so that words are spelled in one place; what narrows them (state,
 * severity, fingerprint) goes over the tables below, where indexes are. */
#include "store/reader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/db.h"
#include "store/query.h"
#include "store/rows.h"
#include "store/schema.h"

enum { PREFIX_LEAST = 6, FP_HEX = 64 };

struct reader {
    struct db *db;
};

/* ---- opening ---- */

static int check_place(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return error_errno(err, errno, "database '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(err, NA_EINVAL, "'%s' is not a netauditd database: it is no regular file",
                         path);
    }
    if (access(path, R_OK) != 0) {
        return error_set(err, NA_EAUTH,
                         "database '%s': permission denied; it belongs to user %u, who may read it",
                         path, (unsigned)st.st_uid);
    }
    return 0;
}

/* A log that holds something: without it the file alone tells the past. */
static bool has_log(const char *path)
{
    char *wal = xasprintf("%s-wal", path);
    struct stat st;
    bool yes = stat(wal, &st) == 0 && st.st_size > 0;

    free(wal);
    return yes;
}

static bool daemon_runs(const char *path)
{
    char *lock = xasprintf("%s.lock", path);
    struct flock range = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool runs = fd >= 0 && fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;

    if (fd >= 0) {
        close(fd);
    }
    free(lock);
    return runs;
}

static int open_db(struct db **out, const char *path, struct error *err)
{
    enum db_trouble trouble = DB_TROUBLE_NONE;
    int rc = db_open(out, path, DB_READ, &trouble, err);

    if (rc == 0) {
        return 0;
    }
    if (trouble == DB_TROUBLE_IO && !has_log(path) && !daemon_runs(path)) {
        /* A read-only directory: nobody writes, all is in the file. */
        return db_open(out, path, DB_READ_IMMUTABLE, NULL, err);
    }
    if (trouble == DB_TROUBLE_IO) {
        return error_set(err, NA_EIO,
                         "database '%s' has a write-ahead log, and its directory does not let this "
                         "user make the shared-"
                         "memory file that reading it needs; run as the file's owner, or copy the "
                         "file together with "
                         "its -wal to a directory of your own",
                         path);
    }
    if (rc == NA_EINVAL) {
        return error_set(err, NA_EINVAL, "'%s' is not a netauditd database", path);
    }
    return error_wrap(err, rc, "database '%s'", path);
}

int reader_open(struct reader **out, const char *path, struct error *err)
{
    struct db *db = NULL;
    int rc = check_place(path, err);

    if (rc == 0) {
        rc = open_db(&db, path, err);
    }
    if (rc == 0) {
        rc = schema_check(db, path, err);
    }
    if (rc != 0) {
        db_close(db);
        return rc;
    }
    *out = xcalloc(1, sizeof(**out));
    (*out)->db = db;
    return 0;
}

void reader_close(struct reader *r)
{
    if (r != NULL) {
        db_close(r->db);
        free(r);
    }
}

/* ---- queries ---- */

static int where_text(struct query *q, const char *column, const char *list, struct error *err)
{
    if (list == NULL) {
        return 0;
    }
    query_sql(q, " AND ");
    query_sql(q, column);
    query_sql(q, " IN (");
    int rc = query_words(q, list, err);
    query_sql(q, ")");
    return rc;
}

static int where_code(struct query *q, const char *column, const char *list,
                      struct query_codes *codes)
{
    if (list == NULL) {
        return 0;
    }
    query_sql(q, " AND ");
    query_sql(q, column);
    query_sql(q, " IN (");
    int rc = query_codes(q, list, codes);
    query_sql(q, ")");
    return rc;
}

/* Without a word about it: open. "all" leaves out what is not published yet. */
static int where_state(struct query *q, const char *state, struct error *err)
{
    struct query_codes codes = { WORDS_STATE, "state", err, 0 };

    if (state != NULL && strcmp(state, "all") == 0) {
        query_sql(q, " AND f.state <> 0");
        return 0;
    }
    int rc = where_code(q, "f.state", state != NULL ? state : "open", &codes);
    if ((codes.seen & 1U << STATE_RESOLVED) == 0) {
        query_sql(
            q, " AND f.state <> 3"); /* named so that the index of what is not resolved is used */
    }
    return rc;
}

static int where_namespace(struct query *q, const char *list, struct error *err)
{
    if (list == NULL) {
        return 0;
    }
    query_sql(q, " AND (v.namespace IN (");
    int rc = query_words(q, list, err);
    query_sql(q, ") OR (v.subject_kind = 'Namespace' AND v.name IN (");
    if (rc == 0) {
        rc = query_words(q, list, err);
    }
    query_sql(q, ")))");
    return rc;
}

static int where_rule(struct query *q, const char *list, struct error *err)
{
    if (list == NULL) {
        return 0;
    }
    query_sql(q, " AND (v.rule IN (");
    int rc = query_words(q, list, err);
    query_sql(q, ") OR v.policy || '/' || v.rule IN (");
    if (rc == 0) {
        rc = query_words(q, list, err);
    }
    query_sql(q, "))");
    return rc;
}

static void where_search(struct query *q, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    query_sql(q, " AND (instr(lower(v.message), lower(?)) > 0 OR instr(lower(v.policy || '/' || "
                 "v.rule), lower(?)) > 0 OR "
                 "instr(lower(v.name), lower(?)) > 0)");
    for (int i = 0; i < 3; i++) {
        query_text(q, text, strlen(text));
    }
}

static void where_time(struct query *q, const char *condition, int64_t ms)
{
    if (ms != 0) {
        query_sql(q, condition);
        query_number(q, ms);
    }
}

static const char columns[] =
    "SELECT v.fingerprint, v.policy, v.rule, v.category, v.severity, v.result, v.state, "
    "v.environment, v.message, "
    "v.evidence, v.remediation, v.owner, v.exemption, v.api_version, v.subject_kind, v.namespace, "
    "v.name, v.uid, "
    "v.first_opened_ms, v.opened_ms, v.resolved_ms, v.judged_ms, v.resolved_reason, v.reopened "
    "FROM finding_row f JOIN finding v ON v.id = f.id WHERE 1";

static int build_findings(struct query *q, const struct finding_filter *f, struct error *err)
{
    struct query_codes severity = { WORDS_SEVERITY, "severity", err, 0 },
                       result = { WORDS_RESULT, "result", err, 0 };
    struct query_codes environment = { WORDS_ENVIRONMENT, "environment", err, 0 };
    int rc;

    query_sql(q, columns);
    if ((rc = where_state(q, f->state, err)) != 0 ||
        (rc = where_code(q, "f.severity", f->severity, &severity)) != 0 ||
        (rc = where_code(q, "f.result", f->result, &result)) != 0 ||
        (rc = where_code(q, "f.environment", f->environment, &environment)) != 0 ||
        (rc = where_namespace(q, f->ns, err)) != 0 ||
        (rc = where_text(q, "v.subject_kind", f->kind, err)) != 0 ||
        (rc = where_text(q, "v.name", f->name, err)) != 0 ||
        (rc = where_text(q, "v.policy", f->policy, err)) != 0 ||
        (rc = where_rule(q, f->rule, err)) != 0 ||
        (rc = where_text(q, "v.owner", f->owner, err)) != 0) {
        return rc;
    }
    where_search(q, f->q);
    where_time(q, " AND f.state_ms >= ?", f->since_ms);
    where_time(q, " AND f.state_ms < ?", f->until_ms);
    query_sql(q, " ORDER BY coalesce(v.namespace, ''), v.subject_kind, v.name, v.policy, v.rule, "
                 "v.fingerprint");
    if (f->limit > 0) {
        query_sql(q, " LIMIT ?");
        query_number(q, f->limit);
    }
    return 0;
}

static const char *text_or_null(struct stmt *st, int column)
{
    return stmt_null(st, column) ? NULL : stmt_text(st, column);
}

static struct stored_finding read_finding(struct stmt *st)
{
    return (struct stored_finding){
        .id = stmt_text(st, 0),
        .policy = stmt_text(st, 1),
        .rule = stmt_text(st, 2),
        .category = stmt_text(st, 3),
        .severity = stmt_text(st, 4),
        .result = stmt_text(st, 5),
        .state = stmt_text(st, 6),
        .environment = stmt_text(st, 7),
        .message = stmt_text(st, 8),
        .evidence = stmt_text(st, 9),
        .remediation = stmt_text(st, 10),
        .owner = stmt_text(st, 11),
        .exemption = text_or_null(st, 12),
        .api_version = stmt_text(st, 13),
        .kind = stmt_text(st, 14),
        .ns = stmt_text(st, 15),
        .name = stmt_text(st, 16),
        .uid = stmt_text(st, 17),
        .first_opened_ms = stmt_int(st, 18),
        .opened_ms = stmt_int(st, 19),
        .resolved_ms = stmt_int(st, 20),
        .judged_ms = stmt_int(st, 21),
        .resolved_reason = stmt_text(st, 22),
        .reopened = stmt_int(st, 23),
    };
}

static int run_findings(struct reader *r, struct query *q,
                        bool (*fn)(void *ctx, const struct stored_finding *f), void *ctx,
                        struct error *err)
{
    struct stmt *st;
    int rc = query_prepare(q, r->db, &st, err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        struct stored_finding f = read_finding(st);
        if (!fn(ctx, &f)) {
            rc = 0;
            break;
        }
    }
    stmt_finalize(st);
    return rc;
}

int reader_findings(struct reader *r, const struct finding_filter *filter,
                    bool (*fn)(void *ctx, const struct stored_finding *f), void *ctx,
                    struct error *err)
{
    static const struct finding_filter everything;
    struct query q;

    query_init(&q);
    int rc = build_findings(&q, filter != NULL ? filter : &everything, err);
    if (rc == 0) {
        rc = run_findings(r, &q, fn, ctx, err);
    }
    query_deinit(&q);
    return rc;
}

/* ---- by fingerprint ---- */

struct fp_range {
    uint8_t low[FP_BYTES], high[FP_BYTES];
    char prefix[FP_HEX + 1];
};

/* Of a hexadecimal digit. */
static int nibble(char c)
{
    return c <= '9' ? c - '0' : tolower(c) - 'a' + 10;
}

static int parse_prefix(const char *text, struct fp_range *out, struct error *err)
{
    size_t len = strlen(text);

    if (len < PREFIX_LEAST || len > FP_HEX || strspn(text, "0123456789abcdefABCDEF") != len) {
        return error_set(err, NA_EINVAL,
                         "'%.70s' is no finding id: give 6 to 64 hexadecimal digits of it", text);
    }
    memset(out, 0, sizeof(*out));
    memset(out->high, 0xFF, sizeof(out->high));
    for (size_t i = 0; i < len; i++) {
        int n = nibble(text[i]);
        out->prefix[i] = (char)tolower(text[i]);
        if (i < 2 * FP_BYTES) {
            int shift = i % 2 == 0 ? 4 : 0;
            out->low[i / 2] = (uint8_t)(out->low[i / 2] | n << shift);
            out->high[i / 2] = (uint8_t)((out->high[i / 2] & ~(0xF << shift)) | n << shift);
        }
    }
    return 0;
}

static int find_id(struct reader *r, const char *prefix, int64_t *out, struct error *err)
{
    struct fp_range range;
    struct stmt *st;
    int found = 0, rc = parse_prefix(prefix, &range, err);

    if (rc == 0) {
        rc = db_prepare(r->db, &st,
                        "SELECT id FROM finding_row WHERE state <> 0 AND fp BETWEEN ?1 AND ?2 "
                        "AND substr(lower(hex(fp) || hex(fp_rest)), 1, ?4) = ?3 LIMIT 2",
                        err);
    }
    if (rc != 0) {
        return rc;
    }
    stmt_bind_blob(st, 1, range.low, FP_BYTES);
    stmt_bind_blob(st, 2, range.high, FP_BYTES);
    stmt_bind_text(st, 3, range.prefix);
    stmt_bind_int(st, 4, (int64_t)strlen(range.prefix));
    while ((rc = stmt_step(st, err)) == 1) {
        *out = stmt_int(st, 0);
        found++;
    }
    stmt_finalize(st);
    if (rc < 0) {
        return rc;
    }
    if (found == 0) {
        return error_set(err, NA_ENOENT, "there is no finding %s", range.prefix);
    }
    return found == 1
               ? 0
               : error_set(err, NA_EINVAL, "several findings start with %s: give more of the id",
                           range.prefix);
}

int reader_finding(struct reader *r, const char *prefix,
                   bool (*fn)(void *ctx, const struct stored_finding *f), void *ctx,
                   struct error *err)
{
    struct query q;
    int64_t id;
    int rc = find_id(r, prefix, &id, err);

    if (rc != 0) {
        return rc;
    }
    query_init(&q);
    query_sql(&q, columns);
    query_sql(&q, " AND f.id = ?");
    query_number(&q, id);
    rc = run_findings(r, &q, fn, ctx, err);
    query_deinit(&q);
    return rc;
}

static struct stored_transition read_transition(struct stmt *st)
{
    return (struct stored_transition){
        .seq = stmt_int(st, 0),
        .at_ms = stmt_int(st, 1),
        .finding_id = stmt_text(st, 2),
        .policy = stmt_text(st, 3),
        .rule = stmt_text(st, 4),
        .kind = stmt_text(st, 5),
        .ns = stmt_text(st, 6),
        .name = stmt_text(st, 7),
        .to_state = stmt_text(st, 8),
        .reason = stmt_text(st, 9),
        .result = stmt_text(st, 10),
        .severity = stmt_text(st, 11),
        .cause_verb = stmt_text(st, 12),
        .cause_kind = stmt_text(st, 13),
        .cause_ns = stmt_text(st, 14),
        .cause_name = stmt_text(st, 15),
        .cause_resource_version = stmt_text(st, 16),
        .cause_manager = stmt_text(st, 17),
        .cause_from_ms = stmt_int(st, 18),
        .cause_to_ms = stmt_int(st, 19),
    };
}

int reader_transitions(struct reader *r, const char *finding_id, int64_t after_seq,
                       bool (*fn)(void *ctx, const struct stored_transition *t), void *ctx,
                       struct error *err)
{
    /* A cause without an object that is "gone" is the finding's own (schema.sql, view cause). */
    static const char select[] =
        "SELECT t.seq, t.at_ms, v.fingerprint, v.policy, v.rule, v.subject_kind, v.namespace, "
        "v.name, t.to_state, "
        "t.reason, t.result, t.severity, c.verb, iif(c.verb = 'gone' AND c.kind IS NULL, "
        "v.subject_kind, c.kind), "
        "iif(c.verb = 'gone' AND c.kind IS NULL, v.namespace, c.namespace), "
        "iif(c.verb = 'gone' AND c.kind IS NULL, v.name, c.name), c.resource_version, c.manager, "
        "c.from_ms, c.to_ms "
        "FROM transition_row n JOIN transition t ON t.seq = n.seq JOIN finding v ON v.id = "
        "n.finding "
        "LEFT JOIN cause c ON c.id = n.cause WHERE n.seq > ?";
    struct query q;
    struct stmt *st;
    int64_t id = 0;
    int rc = 0;

    query_init(&q);
    query_sql(&q, select);
    query_number(&q, after_seq);
    if (finding_id != NULL) {
        rc = find_id(r, finding_id, &id, err);
        if (rc != 0) {
            goto done;
        }
        query_sql(&q, " AND n.finding = ?");
        query_number(&q, id);
    }
    query_sql(&q, " ORDER BY n.seq");
    rc = query_prepare(&q, r->db, &st, err);
    if (rc != 0) {
        goto done;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        struct stored_transition t = read_transition(st);
        if (!fn(ctx, &t)) {
            rc = 0;
            break;
        }
    }
    stmt_finalize(st);
done:
    query_deinit(&q);
    return rc;
}

int reader_status(struct reader *r, char **out_json, struct error *err)
{
    int rc = db_get_text(r->db, "SELECT json FROM status WHERE id = 1", out_json, err);

    return rc == NA_ENOENT ? error_set(err, NA_ENOENT, "the daemon has not written its status yet")
                           : rc;
}

int reader_backup(struct reader *r, const char *to_path, struct error *err)
{
    return db_backup(r->db, to_path, err);
}
