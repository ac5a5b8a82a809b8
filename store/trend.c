#include "store/trend.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "store/words.h"

enum { DAY_MS = 86400000 };

/* What happened on one day, by severity, not yet in the table. */
struct tally {
    int64_t day;
    bool used;
    int64_t opened[SEVERITY_COUNT], reopened[SEVERITY_COUNT], resolved[SEVERITY_COUNT];
    bool touched[SEVERITY_COUNT];
};

struct trend {
    struct stmt *add;
    int64_t open[SEVERITY_COUNT], open_before[SEVERITY_COUNT];
    struct tally tally;
};

static int load_open(struct trend *t, struct db *db, struct error *err)
{
    struct stmt *st;
    int rc = db_prepare(db, &st,
                        "SELECT severity, count(*) FROM finding_row WHERE state <> 3 AND state = 1 "
                        "GROUP BY severity",
                        err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        int64_t severity = stmt_int(st, 0);
        if (severity >= 0 && severity < SEVERITY_COUNT) {
            t->open[severity] = stmt_int(st, 1);
        }
    }
    stmt_finalize(st);
    return rc;
}

int trend_create(struct trend **out, struct db *db, struct error *err)
{
    static const char insert[] =
        "INSERT INTO trend (day, severity, opened, reopened, resolved, open) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (day, severity) DO UPDATE "
        "SET opened = opened + excluded.opened, reopened = reopened + excluded.reopened, "
        "resolved = resolved + excluded.resolved, open = excluded.open";
    struct trend *t = xcalloc(1, sizeof(*t));
    int rc = db_prepare(db, &t->add, insert, err);

    if (rc == 0) {
        rc = load_open(t, db, err);
    }
    if (rc != 0) {
        trend_destroy(t);
        return rc;
    }
    *out = t;
    return 0;
}

void trend_destroy(struct trend *t)
{
    if (t != NULL) {
        stmt_finalize(t->add);
        free(t);
    }
}

void trend_begin(struct trend *t)
{
    memcpy(t->open_before, t->open, sizeof(t->open));
    memset(&t->tally, 0, sizeof(t->tally));
}

void trend_rolled_back(struct trend *t)
{
    memcpy(t->open, t->open_before, sizeof(t->open));
}

int trend_add(struct trend *t, int64_t at_ms, int64_t severity, int change,
              enum trend_happening what, struct error *err)
{
    int64_t day = at_ms / DAY_MS;
    int rc = 0;

    if (t->tally.used && t->tally.day != day) {
        rc = trend_write(t, err);
    }
    t->tally.used = true;
    t->tally.day = day;
    t->tally.touched[severity] = true;
    t->tally.opened[severity] += what == TREND_OPENED;
    t->tally.reopened[severity] += what == TREND_REOPENED;
    t->tally.resolved[severity] += what == TREND_RESOLVED;
    t->open[severity] += change;
    return rc;
}

int trend_write(struct trend *t, struct error *err)
{
    struct tally *sum = &t->tally;
    char day[NA_TIME_TEXT_MAX];
    int rc = 0;

    if (!sum->used) {
        return 0;
    }
    time_format(sum->day * DAY_MS, false, day);
    day[strcspn(day, "T")] = '\0';
    for (int i = 0; rc == 0 && i < SEVERITY_COUNT; i++) {
        if (sum->touched[i]) {
            stmt_bind_text(t->add, 1, day);
            stmt_bind_text(t->add, 2, word_of(WORDS_SEVERITY, i));
            stmt_bind_int(t->add, 3, sum->opened[i]);
            stmt_bind_int(t->add, 4, sum->reopened[i]);
            stmt_bind_int(t->add, 5, sum->resolved[i]);
            stmt_bind_int(t->add, 6, t->open[i]);
            rc = stmt_run(t->add, err);
        }
    }
    memset(sum, 0, sizeof(*sum));
    return rc;
}
