#include "store/load.h"

#include <string.h>

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

static int load_findings(struct db *db, const char *sql, int64_t limit,
                         const struct store_loader *loader, struct error *err)
{
    struct stmt *st;
    struct loaded_finding f;
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
        f.subject = (struct subject_ref){ .group = stmt_text(st, 9),
                                          .version = "",
                                          .kind = stmt_text(st, 10),
                                          .ns = stmt_text(st, 11),
                                          .name = stmt_text(st, 12),
                                          .uid = stmt_text(st, 13) };
        f.api_version = stmt_text(st, 14);
        f.message = stmt_text(st, 15);
        f.evidence = stmt_text(st, 16);
        f.remediation = stmt_text(st, 17);
        f.owner = stmt_text(st, 18);
        f.exemption = stmt_null(st, 19) ? NULL : stmt_text(st, 19);
        loader->finding(loader->ctx, &f);
    }
    stmt_finalize(st);
    return rc;
}

static int load_proofs(struct db *db, const struct store_loader *loader, struct error *err)
{
    struct stmt *st;
    struct loaded_proof p;
    int rc = db_prepare(db, &st,
                        "SELECT p.fp, p.rule, s.api_group, s.kind, s.ns, s.name FROM proved_row p "
                        "JOIN subject_named s ON s.id = p.subject WHERE p.to_ms IS NULL",
                        err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        if (!fingerprint(st, 0, &p.fp)) {
            continue;
        }
        p.rule = (uint32_t)stmt_int(st, 1);
        p.subject = (struct subject_ref){ .group = stmt_text(st, 2),
                                          .version = "",
                                          .kind = stmt_text(st, 3),
                                          .ns = stmt_text(st, 4),
                                          .name = stmt_text(st, 5),
                                          .uid = "" };
        loader->proof(loader->ctx, &p);
    }
    stmt_finalize(st);
    return rc;
}

int load_life(struct db *db, const struct store_loader *loader, uint32_t max_resolved,
              struct error *err)
{
    int rc = load_findings(
        db,
        "SELECT f.fp, f.rule, f.state, f.result, f.severity, f.environment, "
        "f.first_opened_ms IS NOT NULL, 0, 0, s.api_group, s.kind, s.ns, s.name, '', '', '', '', "
        "'', '', NULL FROM finding_row f JOIN subject_named s ON s.id = f.subject "
        "WHERE f.state = 3 ORDER BY f.last_seq DESC LIMIT ?1",
        max_resolved, loader, err);

    if (rc == 0) {
        rc = load_findings(
            db,
            "SELECT f.fp, f.rule, f.state, f.result, f.severity, f.environment, "
            "f.first_opened_ms IS NOT NULL, f.first_seen_ms, coalesce(f.due_ms, 0), s.api_group, "
            "s.kind, "
            "s.ns, s.name, v.uid, v.api_version, v.message, v.evidence, v.remediation, v.owner, "
            "v.exemption FROM finding_row f JOIN subject_named s ON s.id = f.subject "
            "JOIN finding v ON v.id = f.id WHERE f.state <> 3",
            -1, loader, err);
    }
    return rc == 0 ? load_proofs(db, loader, err) : rc;
}

int load_names(struct db *db, struct names *names, struct error *err)
{
    struct stmt *st;
    int rc = db_prepare(db, &st, "SELECT id, text FROM text ORDER BY id", err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        names_add(names, (uint32_t)stmt_int(st, 0), stmt_text(st, 1));
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
