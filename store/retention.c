/* Age is not read from the times in the rows: a clock that once stood wrong would make rows look
 * old or never old. Instead marks say which transition numbers existed when the file had which age,
 * and everything is older than a mark whose numbers are below it. By size the same walk goes on
 * without a mark until the file is small enough. */
#include "store/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum {
    CREDIT_PER_MS = 24,
    CLOCK_SET_BACK_MS = 60 * 1000,
    MARK_LEAST_MS = 1000,
    MARK_MOST_MS = 3600 * 1000,
    MARKS_PER_AGE = 64,
    VACUUM_PAGES = 128
};
static const int64_t debt_most_ms = INT64_C(100) * 366 * 86400000;

void age_clock_start(struct age_clock *c, const struct pulse *last, int64_t wall_ms,
                     uint64_t mono_ms)
{
    int64_t away_ms = last->alive_ms > 0 ? wall_ms - last->alive_ms : 0;

    *c = (struct age_clock){ .age_ms = last->age_ms,
                             .debt_ms = last->debt_ms + (away_ms > 0 ? away_ms : 0),
                             .last_wall_ms = wall_ms,
                             .last_mono_ms = mono_ms };
    if (c->debt_ms < 0 || c->debt_ms > debt_most_ms) {
        c->debt_ms = debt_most_ms;
    }
}

void age_clock_tick(struct age_clock *c, int64_t wall_ms, uint64_t mono_ms)
{
    int64_t passed = mono_ms > c->last_mono_ms ? (int64_t)(mono_ms - c->last_mono_ms) : 0;

    if (wall_ms < c->last_wall_ms - CLOCK_SET_BACK_MS) {
        c->debt_ms = 0;
    }
    int64_t credit = passed < c->debt_ms / CREDIT_PER_MS ? passed * CREDIT_PER_MS
                     : passed > 0                        ? c->debt_ms
                                                         : 0;
    c->age_ms += passed + credit;
    c->debt_ms -= credit;
    c->last_wall_ms = wall_ms;
    c->last_mono_ms = mono_ms;
}

struct retention {
    struct db *db;
    struct refs *refs;
    struct stmt *add_mark, *newest_mark, *bound, *drop_marks;
    struct stmt *done_finding, *history_of, *old_history, *old_proof;
    struct stmt *drop_transition, *drop_finding, *drop_proof;
    int64_t cursor; /* history up to here has been looked at */
    bool shrinking; /* the file was over its limit and is not yet well below it */
    int64_t mark_seq, mark_age_ms;
};

static const struct {
    size_t offset;
    const char *sql;
} statements[] = {
#define ST(member) offsetof(struct retention, member)
    { ST(add_mark), "INSERT OR IGNORE INTO age_mark (seq, age_ms) VALUES (?1, ?2)" },
    { ST(newest_mark), "SELECT seq, age_ms FROM age_mark ORDER BY seq DESC LIMIT 1" },
    { ST(bound), "SELECT seq FROM age_mark WHERE age_ms <= ?1 ORDER BY seq DESC LIMIT 1" },
    { ST(drop_marks), "DELETE FROM age_mark WHERE seq < ?1" },
    { ST(done_finding),
      "SELECT id, subject FROM finding_row WHERE state = 3 AND last_seq <= ?1 ORDER BY last_seq "
      "LIMIT 1" },
    { ST(history_of), "SELECT seq, cause FROM transition_row WHERE finding = ?1 LIMIT 1" },
    { ST(old_history),
      "SELECT t.seq, t.cause, t.seq < f.cycle_seq FROM transition_row t JOIN finding_row f "
      "ON f.id = t.finding WHERE t.seq > ?1 AND t.seq <= ?2 ORDER BY t.seq LIMIT 1" },
    { ST(old_proof),
      "SELECT id, subject FROM proved_row WHERE end_seq IS NOT NULL AND end_seq <= ?1 "
      "ORDER BY end_seq LIMIT 1" },
    { ST(drop_transition), "DELETE FROM transition_row WHERE seq = ?1" },
    { ST(drop_finding), "DELETE FROM finding_row WHERE id = ?1" },
    { ST(drop_proof), "DELETE FROM proved_row WHERE id = ?1" },
#undef ST
};

static struct stmt **slot(struct retention *r, size_t i)
{
    return (struct stmt **)(void *)((char *)r + statements[i].offset);
}

int retention_create(struct retention **out, struct db *db, struct refs *refs, struct error *err)
{
    struct retention *r = xcalloc(1, sizeof(*r));
    int rc = 0;

    r->db = db;
    r->refs = refs;
    for (size_t i = 0; rc == 0 && i < sizeof(statements) / sizeof(statements[0]); i++) {
        rc = db_prepare(db, slot(r, i), statements[i].sql, err);
    }
    if (rc == 0) {
        rc = stmt_step(r->newest_mark, err);
        if (rc == 1) {
            r->mark_seq = stmt_int(r->newest_mark, 0);
            r->mark_age_ms = stmt_int(r->newest_mark, 1);
        }
        stmt_reset(r->newest_mark);
    }
    if (rc < 0) {
        retention_destroy(r);
        return rc;
    }
    *out = r;
    return 0;
}

void retention_destroy(struct retention *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        stmt_finalize(*slot(r, i));
    }
    free(r);
}

/* The step's work and what it may still delete. */
struct step {
    struct retention *r;
    int64_t bound; /* numbers up to here may go */
    uint32_t left;
    uint64_t pruned;
    struct error *err;
};

static int64_t mark_interval(int64_t max_age_ms)
{
    int64_t ms = max_age_ms / MARKS_PER_AGE;

    return ms < MARK_LEAST_MS ? MARK_LEAST_MS : ms > MARK_MOST_MS ? MARK_MOST_MS : ms;
}

static bool mark_due(const struct retention *r, const struct retention_limits *limits,
                     int64_t age_ms, int64_t last_seq)
{
    return limits->max_age_ms > 0 && last_seq > r->mark_seq &&
           (r->mark_seq == 0 || age_ms - r->mark_age_ms >= mark_interval(limits->max_age_ms));
}

static int add_mark(struct retention *r, int64_t age_ms, int64_t last_seq, struct error *err)
{
    stmt_bind_int(r->add_mark, 1, last_seq);
    stmt_bind_int(r->add_mark, 2, age_ms);
    int rc = stmt_run(r->add_mark, err);
    if (rc == 0) {
        r->mark_seq = last_seq;
        r->mark_age_ms = age_ms;
    }
    return rc;
}

/* 0: nothing is old enough. */
static int bound_by_age(struct retention *r, int64_t max_age_ms, int64_t age_ms, int64_t *out,
                        struct error *err)
{
    *out = 0;
    if (max_age_ms <= 0 || age_ms < max_age_ms) {
        return 0;
    }
    stmt_bind_int(r->bound, 1, age_ms - max_age_ms);
    int rc = stmt_step(r->bound, err);
    if (rc == 1) {
        *out = stmt_int(r->bound, 0);
    }
    stmt_reset(r->bound);
    return rc < 0 ? rc : 0;
}

/* Two columns of the first row; *found false when there is none. */
static int first_row(struct stmt *st, int64_t *a, int64_t *b, bool *found, struct error *err)
{
    int rc = stmt_step(st, err);

    *found = rc == 1;
    if (rc == 1) {
        *a = stmt_int(st, 0);
        *b = stmt_int(st, 1);
    }
    stmt_reset(st);
    return rc < 0 ? rc : 0;
}

static int drop(struct step *s, struct stmt *st, int64_t id)
{
    stmt_bind_int(st, 1, id);
    s->pruned++;
    s->left--;
    return stmt_run(st, s->err);
}

static int drop_transition(struct step *s, int64_t seq, int64_t cause)
{
    int rc = drop(s, s->r->drop_transition, seq);

    return rc == 0 && cause != 0 ? refs_cause_release(s->r->refs, cause, s->err) : rc;
}

/* A finding goes after its history, so that a step may end between the two. */
static int prune_findings(struct step *s)
{
    struct retention *r = s->r;
    int64_t id, subject, seq, cause;
    bool found = true;
    int rc = 0;

    while (rc == 0 && s->left > 0) {
        stmt_bind_int(r->done_finding, 1, s->bound);
        rc = first_row(r->done_finding, &id, &subject, &found, s->err);
        if (rc != 0 || !found) {
            return rc;
        }
        while (rc == 0 && found && s->left > 0) {
            stmt_bind_int(r->history_of, 1, id);
            rc = first_row(r->history_of, &seq, &cause, &found, s->err);
            if (rc == 0 && found) {
                rc = drop_transition(s, seq, cause);
            }
        }
        if (rc == 0 && !found && s->left > 0) {
            rc = drop(s, r->drop_finding, id);
            if (rc == 0) {
                rc = refs_subject_release(r->refs, subject, s->err);
            }
        }
    }
    return rc;
}

/* Of findings that stay, what lies before their present cycle of opening. */
static int prune_history(struct step *s)
{
    struct retention *r = s->r;
    uint32_t looks = s->left * 8;
    int rc = 0;

    for (; rc == 0 && s->left > 0 && looks > 0; looks--) {
        stmt_bind_int(r->old_history, 1, r->cursor);
        stmt_bind_int(r->old_history, 2, s->bound);
        rc = stmt_step(r->old_history, s->err);
        if (rc <= 0) {
            stmt_reset(r->old_history);
            return rc;
        }
        int64_t seq = stmt_int(r->old_history, 0), cause = stmt_int(r->old_history, 1);
        bool old = stmt_int(r->old_history, 2) != 0;
        stmt_reset(r->old_history);
        r->cursor = seq;
        rc = old ? drop_transition(s, seq, cause) : 0;
    }
    if (looks == 0) {
        s->left = 0; /* there is more to look at */
    }
    return rc;
}

static int prune_proofs(struct step *s)
{
    struct retention *r = s->r;
    int64_t id, subject;
    bool found;
    int rc = 0;

    while (rc == 0 && s->left > 0) {
        stmt_bind_int(r->old_proof, 1, s->bound);
        rc = first_row(r->old_proof, &id, &subject, &found, s->err);
        if (rc != 0 || !found) {
            return rc;
        }
        rc = drop(s, r->drop_proof, id);
        if (rc == 0) {
            rc = refs_subject_release(r->refs, subject, s->err);
        }
    }
    return rc;
}

struct file_size {
    int64_t page_bytes, pages, free_pages;
};

static int read_size(struct db *db, struct file_size *out, struct error *err)
{
    int rc = db_get_int(db, "PRAGMA page_size", &out->page_bytes, err);

    if (rc == 0) {
        rc = db_get_int(db, "PRAGMA page_count", &out->pages, err);
    }
    if (rc == 0) {
        rc = db_get_int(db, "PRAGMA freelist_count", &out->free_pages, err);
    }
    return rc;
}

static bool over_limit(struct retention *r, const struct retention_limits *limits,
                       const struct file_size *size)
{
    uint64_t used = (uint64_t)(size->pages - size->free_pages) * (uint64_t)size->page_bytes;

    if (limits->max_bytes == 0) {
        r->shrinking = false;
    } else if (used > limits->max_bytes) {
        r->shrinking = true;
    } else if (used <= limits->max_bytes - limits->max_bytes / 20) {
        r->shrinking = false;
    }
    return r->shrinking;
}

/* Free pages are given back to the file system where the file is over its limit, or where they are
 * many. */
static bool wants_vacuum(const struct retention_limits *limits, const struct file_size *size)
{
    bool large = limits->max_bytes > 0 &&
                 (uint64_t)size->pages * (uint64_t)size->page_bytes > limits->max_bytes;

    return large ? size->free_pages > 0
                 : size->free_pages > VACUUM_PAGES && size->free_pages > size->pages / 4;
}

static int prune(struct step *s, int64_t cursor_before)
{
    int rc = s->bound > 0 ? prune_findings(s) : 0;

    if (rc == 0 && s->bound > 0 && s->left > 0) {
        rc = prune_history(s);
    }
    if (rc == 0 && s->bound > 0 && s->left > 0) {
        rc = prune_proofs(s);
    }
    if (rc != 0) {
        s->r->cursor = cursor_before;
    }
    return rc;
}

int retention_step(struct retention *r, const struct retention_limits *limits, int64_t age_ms,
                   int64_t last_seq, uint32_t max_rows, bool *more, uint64_t *pruned,
                   struct error *err)
{
    struct step s = { .r = r, .left = max_rows, .err = err };
    struct file_size size;
    int64_t cursor = r->cursor, mark_seq = r->mark_seq, mark_age_ms = r->mark_age_ms, old;

    *more = false;
    *pruned = 0;
    int rc = bound_by_age(r, limits->max_age_ms, age_ms, &old, err);
    if (rc == 0) {
        rc = read_size(r->db, &size, err);
    }
    if (rc != 0) {
        return rc;
    }
    bool mark = mark_due(r, limits, age_ms, last_seq), shrink = over_limit(r, limits, &size);
    bool vacuum = wants_vacuum(limits, &size);
    if (!mark && old == 0 && !shrink && !vacuum) {
        return 0;
    }
    s.bound = shrink ? last_seq : old;
    rc = db_begin(r->db, err);
    if (rc == 0 && mark) {
        rc = add_mark(r, age_ms, last_seq, err);
    }
    if (rc == 0) {
        rc = prune(&s, cursor);
    }
    if (rc == 0 && s.left > 0 && old > 0) {
        stmt_bind_int(r->drop_marks, 1, old);
        rc = stmt_run(r->drop_marks, err);
    }
    if (rc == 0 && vacuum) {
        rc = db_exec(r->db, "PRAGMA incremental_vacuum(128)", err);
    }
    if (rc == 0) {
        rc = db_commit(r->db, err);
    }
    if (rc != 0) {
        db_rollback(r->db);
        refs_forget(r->refs);
        r->cursor = cursor;
        r->mark_seq = mark_seq;
        r->mark_age_ms = mark_age_ms;
        return rc;
    }
    *pruned = s.pruned;
    *more = s.left == 0 || vacuum || (shrink && s.pruned > 0);
    return 0;
}
