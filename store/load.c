#include "store/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/words.h"

static int code(struct stmt *st, int column, int count)
{
    int64_t value = stmt_int(st, column);

    return value < 0 ? 0 : value >= count ? count - 1 : (int)value;
}

/* False: a fingerprint of another length, from a damaged file. */
static bool fingerprint(struct stmt *st, int column, const uint8_t **out)
{
    const void *fp;

    if (stmt_blob(st, column, &fp) != FP_BYTES) {
        return false;
    }
    *out = fp;
    return true;
}

/* Shared texts by number, once, rather than by a query in each row. */
struct texts {
    const char **by_id;
    uint32_t count;
};

static void add_text(void *ctx, uint32_t id, const char *text)
{
    struct texts *t = ctx;

    if (id < t->count) {
        t->by_id[id] = text;
    }
}

static void texts_init(struct texts *t, const struct names *names)
{
    t->count = names_last(names) + 1;
    t->by_id = xcalloc(t->count, sizeof(*t->by_id));
    names_each(names, add_text, t);
}

/* A column of type ANY: a number in table `text`, or the text. NULL for NULL. */
static const char *shared(const struct texts *t, struct stmt *st, int column)
{
    if (!stmt_is_int(st, column)) {
        return stmt_null(st, column) ? NULL : stmt_text(st, column);
    }
    int64_t id = stmt_int(st, column);
    return id > 0 && id < (int64_t)t->count && t->by_id[id] != NULL ? t->by_id[id] : "";
}

static const char *shared_or_empty(const struct texts *t, struct stmt *st, int column)
{
    const char *text = shared(t, st, column);

    return text != NULL ? text : "";
}

enum { UUID_BYTES = 16, UUID_TEXT = 37 };

/* As the views spell it. */
static const char *uid_of(struct stmt *st, int column, char space[UUID_TEXT])
{
    static const size_t groups[] = { 4, 2, 2, 2, 6 };
    const void *blob;

    if (!stmt_is_blob(st, column) || stmt_blob(st, column, &blob) != UUID_BYTES) {
        return stmt_text(st, column);
    }
    const uint8_t *p = blob;
    char *out = space;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (i > 0) {
            *out++ = '-';
        }
        hex_encode(p, groups[i], out);
        p += groups[i];
        out += 2 * groups[i];
    }
    return space;
}

static int load_subjects(struct db *db, const struct texts *t, const struct store_loader *loader,
                         struct error *err)
{
    struct stmt *st;
    int rc =
        db_prepare(db, &st, "SELECT id, api_group, kind, ns, name FROM subject ORDER BY id", err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        struct subject_ref subject = { .group = shared_or_empty(t, st, 1),
                                       .version = "",
                                       .kind = shared_or_empty(t, st, 2),
                                       .ns = stmt_text(st, 3),
                                       .name = stmt_text(st, 4),
                                       .uid = "" };
        loader->subject(loader->ctx, stmt_int(st, 0), &subject);
    }
    stmt_finalize(st);
    return rc;
}

static int load_findings(struct db *db, const struct texts *t, const char *sql, int64_t limit,
                         const struct store_loader *loader, struct error *err)
{
    struct stmt *st;
    struct loaded_finding f;
    char uid[UUID_TEXT];
    int rc = db_prepare(db, &st, sql, err);

    if (rc != 0) {
        return rc;
    }
    if (limit >= 0) {
        stmt_bind_int(st, 1, limit);
    }
    while ((rc = stmt_step(st, err)) == 1) {
        if (!fingerprint(st, 0, &f.fp)) {
            continue;
        }
        f.rule = (uint32_t)stmt_int(st, 1);
        f.state = code(st, 2, STATE_COUNT);
        f.result = code(st, 3, RESULT_COUNT);
        f.severity = code(st, 4, SEVERITY_COUNT);
        f.environment = code(st, 5, ENV_COUNT);
        f.was_open = stmt_int(st, 6) != 0;
        f.first_seen_ms = stmt_int(st, 7);
        f.due_ms = stmt_int(st, 8);
        f.subject = stmt_int(st, 9);
        f.version = shared_or_empty(t, st, 10);
        f.uid = uid_of(st, 11, uid);
        f.message = shared_or_empty(t, st, 12);
        f.evidence = stmt_text(st, 13);
        f.remediation = shared_or_empty(t, st, 14);
        f.owner = shared_or_empty(t, st, 15);
        f.exemption = shared(t, st, 16);
        loader->finding(loader->ctx, &f);
    }
    stmt_finalize(st);
    return rc;
}

static int load_proofs(struct db *db, const struct store_loader *loader, struct error *err)
{
    struct stmt *st;
    struct loaded_proof p;
    int rc = db_prepare(db, &st, "SELECT fp, rule, id, subject FROM proved_row WHERE to_ms IS NULL",
                        err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        if (!fingerprint(st, 0, &p.fp)) {
            continue;
        }
        p.rule = (uint32_t)stmt_int(st, 1);
        p.id = stmt_int(st, 2);
        p.subject = stmt_int(st, 3);
        loader->proof(loader->ctx, &p);
    }
    stmt_finalize(st);
    return rc;
}

int load_life(struct db *db, const struct names *names, const struct store_loader *loader,
              uint32_t max_resolved, struct error *err)
{
    struct texts texts;
    int rc;

    texts_init(&texts, names);
    rc = load_subjects(db, &texts, loader, err);
    if (rc == 0) {
        rc = load_findings(db, &texts,
                           "SELECT fp, rule, state, result, severity, environment, first_opened_ms "
                           "IS NOT NULL, 0, 0, "
                           "subject, '', '', '', '', '', '', NULL FROM finding_row WHERE state = 3 "
                           "ORDER BY last_seq DESC LIMIT ?1",
                           max_resolved, loader, err);
    }
    if (rc == 0) {
        rc = load_findings(
            db, &texts,
            "SELECT fp, rule, state, result, severity, environment, first_opened_ms IS NOT NULL, "
            "first_seen_ms, due_ms, subject, version, uid, message, evidence, remediation, owner, "
            "exemption "
            "FROM finding_row WHERE state <> 3",
            -1, loader, err);
    }
    if (rc == 0) {
        rc = load_proofs(db, loader, err);
    }
    free(texts.by_id);
    return rc;
}

int load_names(struct db *db, struct names *names, struct error *err)
{
    struct stmt *st;
    int rc = db_prepare(db, &st, "SELECT id, text FROM text ORDER BY id", err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        int64_t id = stmt_int(st, 0);
        if (id > 0 && id <= 4 * NAMES_MAX) { /* others are of a damaged file */
            names_add(names, (uint32_t)id, stmt_text(st, 1));
        }
    }
    stmt_finalize(st);
    if (rc == 0) {
        rc = db_prepare(db, &st, "SELECT id, policy, rule, category FROM rule ORDER BY id", err);
    }
    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        names_add_rule(names, (uint32_t)stmt_int(st, 0), stmt_text(st, 1), stmt_text(st, 2),
                       stmt_text(st, 3));
    }
    stmt_finalize(st);
    return rc;
}
