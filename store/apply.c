/* finding_row holds what is; each ROW_FINDING, ROW_RESOLVE and ROW_PENDING_OPEN with a number also
 * adds one transition, copied from the finding as it is then. Rows name findings by fingerprint, so
 * that life needs no ids of the file. */
#include "store/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/trend.h"
#include "store/words.h"

struct applier {
    struct db *db;
    struct refs *refs;
    struct stmt *text, *rule, *cause, *find, *find_pending, *insert, *update, *resolve, *remove;
    struct stmt *pending_update, *pending_becomes, *pending_replaces, *transition;
    struct stmt *proved, *proved_end, *gap, *meta, *watch_state, *status, *pulse;
    struct trend *trend;
    int64_t last_seq; /* newest number used in this transaction, 0 none */
};

#define CONTENT_SET                                                                                \
    "rule = ?3, version = ?5, uid = ?6, result = ?8, severity = ?9, environment = ?10, "           \
    "judged_ms = ?11, message = ?12, evidence = ?13, remediation = ?14, owner = ?15, "             \
    "exemption = ?16"

static const struct {
    size_t offset;
    const char *sql;
} statements[] = {
#define ST(member) offsetof(struct applier, member)
    { ST(text), "INSERT INTO text (id, text) VALUES (?1, ?2)" },
    { ST(rule), "INSERT INTO rule (id, policy, rule, category) VALUES (?1, ?2, ?3, ?4) "
                "ON CONFLICT (id) DO UPDATE SET category = excluded.category" },
    { ST(cause), "INSERT INTO cause_row (id, verb, subject, version, uid, resource_version, "
                 "manager, manager_ms, "
                 "from_ms, to_ms, uses) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)" },
    { ST(find), "SELECT id, state, severity, first_opened_ms IS NOT NULL FROM finding_row "
                "WHERE fp = ?1 AND state <> 0" },
    { ST(find_pending),
      "SELECT id, severity, subject FROM finding_row WHERE fp = ?1 AND state = 0" },
    /* ?1 fp ?2 fp_rest ?3 rule ?4 subject ?5 version ?6 uid ?7 state ?8 result ?9 severity ?10
     * environment ?11 at ?12 message ?13 evidence ?14 remediation ?15 owner ?16 exemption ?17 seq
     * ?18 due */
    { ST(insert),
      "INSERT INTO finding_row (fp, fp_rest, rule, subject, version, uid, state, result, severity, "
      "environment, reason, reopened, cycle_seq, last_seq, first_seen_ms, first_opened_ms, "
      "opened_ms, "
      "resolved_ms, state_ms, judged_ms, due_ms, message, evidence, remediation, owner, exemption) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?17, ?17, ?11, iif(?7 = 1, ?11, "
      "NULL), "
      "iif(?7 = 1, ?11, NULL), NULL, ?11, ?11, ?18, ?12, ?13, ?14, ?15, ?16)" },
    { ST(update),
      "UPDATE finding_row SET " CONTENT_SET ", state = ?7, reason = 0, resolved_ms = NULL, "
      "reopened = reopened + (?7 = 1 AND state <> 1 AND first_opened_ms IS NOT NULL), "
      "cycle_seq = iif(state = 3, ?17, cycle_seq), last_seq = max(last_seq, ?17), "
      "opened_ms = iif(?7 = 1 AND state <> 1, ?11, opened_ms), "
      "first_opened_ms = iif(?7 = 1, coalesce(first_opened_ms, ?11), first_opened_ms), "
      "state_ms = iif(state <> ?7, ?11, state_ms) WHERE id = ?1" },
    /* Times are the wall's, which may have been set back meanwhile: a duration is never negative.
     */
    { ST(resolve), "UPDATE finding_row SET state = 3, reason = ?2, resolved_ms = max(?3, "
                   "coalesce(opened_ms, 0)), "
                   "state_ms = ?3, judged_ms = ?3, last_seq = ?4 WHERE id = ?1" },
    { ST(remove), "DELETE FROM finding_row WHERE id = ?1" },
    { ST(pending_update), "UPDATE finding_row SET " CONTENT_SET ", due_ms = ?18 WHERE id = ?1" },
    { ST(pending_becomes),
      "UPDATE finding_row SET state = 1, due_ms = NULL, cycle_seq = ?3, last_seq = ?3, "
      "first_opened_ms = ?2, opened_ms = ?2, state_ms = ?2 WHERE id = ?1" },
    { ST(pending_replaces), "UPDATE finding_row SET (rule, version, uid, result, severity, "
                            "environment, first_seen_ms, judged_ms, message, "
                            "evidence, remediation, owner, exemption) = (SELECT rule, version, "
                            "uid, result, severity, environment, "
                            "first_seen_ms, judged_ms, message, evidence, remediation, owner, "
                            "exemption FROM finding_row WHERE id = ?4), "
                            "state = 1, reason = 0, resolved_ms = NULL, reopened = reopened + "
                            "(first_opened_ms IS NOT NULL), "
                            "cycle_seq = ?3, last_seq = ?3, opened_ms = ?2, first_opened_ms = "
                            "coalesce(first_opened_ms, ?2), state_ms = ?2 "
                            "WHERE id = ?1" },
    { ST(transition),
      "INSERT INTO transition_row (seq, finding, at_ms, to_state, reason, result, severity, "
      "environment, message, cause) SELECT ?2, id, ?3, state, reason, result, severity, "
      "environment, "
      "message, ?4 FROM finding_row WHERE id = ?1" },
    { ST(proved),
      "INSERT INTO proved_row (id, fp, rule, subject, from_ms) VALUES (?1, ?2, ?3, ?4, ?5)" },
    { ST(proved_end),
      "UPDATE proved_row SET fp = x'', to_ms = max(from_ms, ?2), end_seq = ?3 WHERE id = ?1" },
    { ST(gap),
      "INSERT INTO watch_gap (kind, from_ms, to_ms, reason) VALUES (?1, ?2, max(?2, ?3), ?4)" },
    { ST(meta),
      "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = "
      "excluded.value" },
    { ST(watch_state),
      "INSERT INTO watch_state (kind, resource_version, at) VALUES (?1, ?2, ?3) ON CONFLICT (kind) "
      "DO UPDATE SET resource_version = excluded.resource_version, at = excluded.at" },
    { ST(status), "INSERT INTO status (id, json) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET "
                  "json = excluded.json" },
    { ST(pulse), "UPDATE pulse SET batch = ?1, last_seq = ?2, alive_ms = ?3, age_ms = ?4, debt_ms "
                 "= ?5 WHERE id = 1" },
#undef ST
};

static struct stmt **slot(struct applier *a, size_t i)
{
    return (struct stmt **)(void *)((char *)a + statements[i].offset);
}

int applier_create(struct applier **out, struct db *db, struct error *err)
{
    struct applier *a = xcalloc(1, sizeof(*a));
    int rc = 0;

    a->db = db;
    for (size_t i = 0; rc == 0 && i < sizeof(statements) / sizeof(statements[0]); i++) {
        rc = db_prepare(db, slot(a, i), statements[i].sql, err);
    }
    if (rc == 0) {
        rc = refs_create(&a->refs, db, err);
    }
    if (rc == 0) {
        rc = trend_create(&a->trend, db, err);
    }
    if (rc != 0) {
        applier_destroy(a);
        return rc;
    }
    *out = a;
    return 0;
}

void applier_destroy(struct applier *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        stmt_finalize(*slot(a, i));
    }
    refs_destroy(a->refs);
    trend_destroy(a->trend);
    free(a);
}

struct refs *applier_refs(struct applier *a)
{
    return a->refs;
}

void apply_begin(struct applier *a)
{
    trend_begin(a->trend);
    a->last_seq = 0;
}

void apply_rolled_back(struct applier *a)
{
    trend_rolled_back(a->trend);
    refs_forget(a->refs);
}

/* ---- findings ---- */

/* A damaged file may hold anything. */
static int64_t severity_of(struct stmt *st, int column)
{
    int64_t severity = stmt_int(st, column);

    return severity < 0 ? 0 : severity >= SEVERITY_COUNT ? SEVERITY_COUNT - 1 : severity;
}

struct found {
    int64_t id, state, severity; /* id 0: not there */
    bool was_open;               /* ever */
};

static int find(struct applier *a, const struct row *row, struct found *out, struct error *err)
{
    stmt_bind_blob(a->find, 1, row->fp, FP_BYTES);
    int rc = stmt_step(a->find, err);
    if (rc < 0) {
        return rc;
    }
    *out = (struct found){ 0 };
    if (rc == 1) {
        *out = (struct found){ .id = stmt_int(a->find, 0),
                               .state = stmt_int(a->find, 1),
                               .severity = severity_of(a->find, 2),
                               .was_open = stmt_int(a->find, 3) != 0 };
    }
    stmt_reset(a->find);
    return 0;
}

static int add_transition(struct applier *a, int64_t finding, const struct row *row,
                          struct error *err)
{
    bool caused = row->cause != 0;
    int rc = 0;

    if (caused) {
        rc = refs_cause_use(a->refs, row->cause, &caused, err);
    }
    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(a->transition, 1, finding);
    stmt_bind_int(a->transition, 2, row->seq);
    stmt_bind_int(a->transition, 3, row->at_ms);
    if (caused) {
        stmt_bind_int(a->transition, 4, row->cause);
    } else {
        stmt_bind_null(a->transition, 4);
    }
    return stmt_run(a->transition, err);
}

/* Parameters 3 and 5 to 16 mean the same in each statement that takes content. */
static void bind_content(struct stmt *st, const struct row *row, uint8_t uid[16])
{
    stmt_bind_int(st, 3, row->rule);
    bind_ref(st, 5, &row->version);
    bind_uid(st, 6, row->uid, uid);
    stmt_bind_int(st, 8, row->result);
    stmt_bind_int(st, 9, row->severity);
    stmt_bind_int(st, 10, row->environment);
    stmt_bind_int(st, 11, row->at_ms);
    bind_ref(st, 12, &row->message);
    stmt_bind_text(st, 13, row->evidence);
    bind_ref(st, 14, &row->remediation);
    bind_ref(st, 15, &row->owner);
    bind_ref(st, 16, &row->exemption);
}

static int insert_finding(struct applier *a, const struct row *row, int64_t state, int64_t *out_id,
                          struct error *err)
{
    uint8_t uid[16];
    int64_t subject;
    int rc = refs_subject(a->refs, row, &subject, err);

    if (rc != 0) {
        return rc;
    }
    stmt_bind_blob(a->insert, 1, row->fp, FP_BYTES);
    stmt_bind_blob(a->insert, 2, row->fp_rest, FP_BYTES);
    stmt_bind_int(a->insert, 4, subject);
    bind_content(a->insert, row, uid);
    stmt_bind_int(a->insert, 7, state);
    stmt_bind_int(a->insert, 17, row->seq);
    if (state == STATE_PENDING) {
        stmt_bind_int(a->insert, 18, row->due_ms);
    } else {
        stmt_bind_null(a->insert, 18);
    }
    rc = stmt_run(a->insert, err);
    if (rc == 0) {
        *out_id = stmt_last_id(a->insert);
    }
    return rc;
}

/* What a change from (state, severity) to (state, severity) means for the trend. */
static int count_change(struct applier *a, const struct found *before, const struct row *row,
                        struct error *err)
{
    bool was = before->id != 0 && before->state == STATE_OPEN, is = row->state == STATE_OPEN;
    int rc = 0;

    if (was && (!is || before->severity != row->severity)) {
        rc = trend_add(a->trend, row->at_ms, before->severity, -1, TREND_OTHER, err);
    }
    if (rc == 0 && is && (!was || before->severity != row->severity)) {
        rc = trend_add(a->trend, row->at_ms, row->severity, 1,
                       was                ? TREND_OTHER
                       : before->was_open ? TREND_REOPENED
                                          : TREND_OPENED,
                       err);
    }
    return rc;
}

static int apply_finding(struct applier *a, const struct row *row, struct error *err)
{
    struct found f;
    uint8_t uid[16];
    int rc = find(a, row, &f, err);

    if (rc != 0 || (f.id == 0 && row->seq == 0)) {
        return rc; /* new evidence of a finding that is not there */
    }
    int64_t id = f.id;
    if (id == 0) {
        rc = insert_finding(a, row, row->state, &id, err);
    } else {
        stmt_bind_int(a->update, 1, id);
        bind_content(a->update, row, uid);
        stmt_bind_int(a->update, 7, row->state);
        stmt_bind_int(a->update, 17, row->seq);
        rc = stmt_run(a->update, err);
    }
    if (rc == 0 && row->seq != 0) {
        rc = add_transition(a, id, row, err);
    }
    return rc == 0 ? count_change(a, &f, row, err) : rc;
}

static int apply_resolve(struct applier *a, const struct row *row, struct error *err)
{
    struct found f;
    int rc = find(a, row, &f, err);

    if (rc != 0 || f.id == 0 || f.state == STATE_RESOLVED) {
        return rc;
    }
    stmt_bind_int(a->resolve, 1, f.id);
    stmt_bind_int(a->resolve, 2, row->reason);
    stmt_bind_int(a->resolve, 3, row->at_ms);
    stmt_bind_int(a->resolve, 4, row->seq);
    rc = stmt_run(a->resolve, err);
    if (rc == 0) {
        rc = add_transition(a, f.id, row, err);
    }
    if (rc == 0 && f.state == STATE_OPEN) {
        rc = trend_add(a->trend, row->at_ms, f.severity, -1, TREND_RESOLVED, err);
    }
    return rc;
}

/* *id 0: there is none. */
static int find_pending(struct applier *a, const struct row *row, int64_t *id, int64_t *severity,
                        int64_t *subject, struct error *err)
{
    stmt_bind_blob(a->find_pending, 1, row->fp, FP_BYTES);
    int rc = stmt_step(a->find_pending, err);
    if (rc < 0) {
        return rc;
    }
    *id = rc == 1 ? stmt_int(a->find_pending, 0) : 0;
    *severity = rc == 1 ? severity_of(a->find_pending, 1) : 0;
    *subject = rc == 1 ? stmt_int(a->find_pending, 2) : 0;
    stmt_reset(a->find_pending);
    return 0;
}

static int apply_pending(struct applier *a, const struct row *row, struct error *err)
{
    int64_t id, severity, subject;
    uint8_t uid[16];
    int rc = find_pending(a, row, &id, &severity, &subject, err);

    if (rc != 0) {
        return rc;
    }
    if (id == 0) {
        return insert_finding(a, row, STATE_PENDING, &id, err);
    }
    stmt_bind_int(a->pending_update, 1, id);
    bind_content(a->pending_update, row, uid);
    stmt_bind_int(a->pending_update, 18, row->due_ms);
    return stmt_run(a->pending_update, err);
}

static int remove_row(struct applier *a, int64_t id, int64_t subject, struct error *err)
{
    stmt_bind_int(a->remove, 1, id);
    int rc = stmt_run(a->remove, err);
    return rc == 0 ? refs_subject_release(a->refs, subject, err) : rc;
}

static int apply_pending_end(struct applier *a, const struct row *row, struct error *err)
{
    int64_t id, severity, subject;
    int rc = find_pending(a, row, &id, &severity, &subject, err);

    return rc != 0 || id == 0 ? rc : remove_row(a, id, subject, err);
}

static int apply_pending_open(struct applier *a, const struct row *row, struct error *err)
{
    struct found f;
    int64_t id, severity, subject;
    int rc = find_pending(a, row, &id, &severity, &subject, err);

    if (rc == 0) {
        rc = find(a, row, &f, err);
    }
    if (rc != 0 || id == 0) {
        return rc;
    }
    struct stmt *st = f.id != 0 ? a->pending_replaces : a->pending_becomes;
    stmt_bind_int(st, 1, f.id != 0 ? f.id : id);
    stmt_bind_int(st, 2, row->at_ms);
    stmt_bind_int(st, 3, row->seq);
    if (f.id != 0) {
        stmt_bind_int(st, 4, id);
    }
    rc = stmt_run(st, err);
    if (rc == 0 && f.id != 0) {
        rc = remove_row(a, id, subject, err);
    }
    if (rc == 0) {
        rc = add_transition(a, f.id != 0 ? f.id : id, row, err);
    }
    if (rc == 0) {
        rc = trend_add(a->trend, row->at_ms, severity, 1,
                       f.was_open ? TREND_REOPENED : TREND_OPENED, err);
    }
    return rc;
}

/* ---- the other rows ---- */

static int apply_text(struct applier *a, const struct row *row, struct error *err)
{
    stmt_bind_int(a->text, 1, row->id);
    stmt_bind_text(a->text, 2, row->text);
    return stmt_run(a->text, err);
}

static int apply_rule(struct applier *a, const struct row *row, struct error *err)
{
    stmt_bind_int(a->rule, 1, row->id);
    stmt_bind_text(a->rule, 2, row->text);
    stmt_bind_text(a->rule, 3, row->text2);
    stmt_bind_text(a->rule, 4, row->text3);
    return stmt_run(a->rule, err);
}

static void bind_time(struct stmt *st, int index, int64_t ms)
{
    if (ms != 0) {
        stmt_bind_int(st, index, ms);
    } else {
        stmt_bind_null(st, index);
    }
}

static int apply_cause(struct applier *a, const struct row *row, struct error *err)
{
    uint8_t uid[16];
    int64_t subject = 0;
    int rc = 0;

    if (row->object_kind.id != 0 || row->object_kind.text != NULL) {
        rc = refs_subject(a->refs, row, &subject, err);
    }
    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(a->cause, 1, row->id);
    stmt_bind_int(a->cause, 2, row->verb);
    if (subject != 0) {
        stmt_bind_int(a->cause, 3, subject);
    } else {
        stmt_bind_null(a->cause, 3);
    }
    bind_ref(a->cause, 4, &row->version);
    bind_uid(a->cause, 5, row->uid, uid);
    bind_number_text(a->cause, 6, row->resource_version);
    bind_ref(a->cause, 7, &row->manager);
    bind_time(a->cause, 8, row->manager_ms);
    bind_time(a->cause, 9, row->from_ms);
    bind_time(a->cause, 10, row->to_ms);
    return stmt_run(a->cause, err);
}

static int apply_proved(struct applier *a, const struct row *row, struct error *err)
{
    int64_t subject;
    int rc = refs_subject(a->refs, row, &subject, err);

    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(a->proved, 1, row->id);
    stmt_bind_blob(a->proved, 2, row->fp, FP_BYTES);
    stmt_bind_int(a->proved, 3, row->rule);
    stmt_bind_int(a->proved, 4, subject);
    stmt_bind_int(a->proved, 5, row->from_ms);
    return stmt_run(a->proved, err);
}

static int apply_proved_end(struct applier *a, const struct row *row, struct error *err)
{
    stmt_bind_int(a->proved_end, 1, row->id);
    stmt_bind_int(a->proved_end, 2, row->to_ms);
    stmt_bind_int(a->proved_end, 3, row->seq);
    return stmt_run(a->proved_end, err);
}

static int apply_gap(struct applier *a, const struct row *row, struct error *err)
{
    stmt_bind_text(a->gap, 1, row->text);
    stmt_bind_int(a->gap, 2, row->from_ms);
    stmt_bind_int(a->gap, 3, row->to_ms);
    stmt_bind_text(a->gap, 4, row->text2);
    return stmt_run(a->gap, err);
}

static int apply_meta(struct applier *a, const struct row *row, struct error *err)
{
    stmt_bind_text(a->meta, 1, row->text);
    stmt_bind_text(a->meta, 2, row->text2);
    return stmt_run(a->meta, err);
}

static int (*const apply_of[ROW_KIND_COUNT])(struct applier *a, const struct row *row,
                                             struct error *err) = {
    [ROW_TEXT] = apply_text,
    [ROW_RULE] = apply_rule,
    [ROW_CAUSE] = apply_cause,
    [ROW_FINDING] = apply_finding,
    [ROW_RESOLVE] = apply_resolve,
    [ROW_PENDING] = apply_pending,
    [ROW_PENDING_END] = apply_pending_end,
    [ROW_PENDING_OPEN] = apply_pending_open,
    [ROW_PROVED] = apply_proved,
    [ROW_PROVED_END] = apply_proved_end,
    [ROW_GAP] = apply_gap,
    [ROW_META] = apply_meta,
};

int apply_row(struct applier *a, const struct row *row, struct error *err)
{
    if (row->seq > a->last_seq) {
        a->last_seq = row->seq;
    }
    return apply_of[row->kind](a, row, err);
}

int apply_watch_state(struct applier *a, const char *resource, const char *version, int64_t at_ms,
                      struct error *err)
{
    stmt_bind_text(a->watch_state, 1, resource);
    stmt_bind_text(a->watch_state, 2, version);
    stmt_bind_int(a->watch_state, 3, at_ms);
    return stmt_run(a->watch_state, err);
}

int apply_status(struct applier *a, const char *json, struct error *err)
{
    stmt_bind_text(a->status, 1, json);
    return stmt_run(a->status, err);
}

int apply_end(struct applier *a, struct pulse *pulse, struct error *err)
{
    int rc = trend_write(a->trend, err);

    if (a->last_seq > pulse->last_seq) {
        pulse->last_seq = a->last_seq;
    }
    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(a->pulse, 1, pulse->batch);
    stmt_bind_int(a->pulse, 2, pulse->last_seq);
    stmt_bind_int(a->pulse, 3, pulse->alive_ms);
    stmt_bind_int(a->pulse, 4, pulse->age_ms);
    stmt_bind_int(a->pulse, 5, pulse->debt_ms);
    return stmt_run(a->pulse, err);
}

int pulse_read(struct db *db, struct pulse *out, struct error *err)
{
    struct stmt *st;
    int rc = db_prepare(
        db, &st, "SELECT batch, last_seq, alive_ms, age_ms, debt_ms FROM pulse WHERE id = 1", err);

    if (rc != 0) {
        return rc;
    }
    rc = stmt_step(st, err);
    if (rc == 1) {
        *out = (struct pulse){ stmt_int(st, 0), stmt_int(st, 1), stmt_int(st, 2), stmt_int(st, 3),
                               stmt_int(st, 4) };
        rc = 0;
    } else if (rc == 0) {
        rc = error_set(err, NA_EIO, "table pulse is empty");
    }
    stmt_finalize(st);
    return rc;
}
