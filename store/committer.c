/* A batch that fails is tried again as it was: nothing of it has been forgotten, and its number
 * tells a commit that was reported failed but had reached the disk. A row that SQLite can never
 * take (a constraint) is logged and left out of the next try rather than holding up all others. */
#include "store/committer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->states.len; i++) {
        free(b->states.items[i].resource);
        free(b->states.items[i].version);
    }
    vec_free(&b->states);
    free(b->status);
    free(b->poison);
    memset(b, 0, sizeof(*b));
}

static bool poisoned(const struct batch *b, uint64_t row)
{
    for (size_t i = 0; i < b->poison_len; i++) {
        if (b->poison[i] == row) {
            return true;
        }
    }
    return false;
}

static void poison_row(struct batch *b, uint64_t row, enum row_kind kind, const struct error *why)
{
    b->poison = xrealloc(b->poison, (b->poison_len + 1) * sizeof(*b->poison));
    b->poison[b->poison_len++] = row;
    log_event(LOG_LEVEL_ERROR, "store", "row left out", KV_INT("kind", kind),
              KV_TEXT("error", why->text));
}

void committer_close(struct committer *c)
{
    retention_destroy(c->retention);
    applier_destroy(c->applier);
    db_close(c->db);
    c->retention = NULL;
    c->applier = NULL;
    c->db = NULL;
}

int committer_open(struct committer *c, struct error *err)
{
    int rc = 0;

    if (c->db == NULL) {
        rc = db_open(&c->db, c->path, DB_WRITE, NULL, err);
    }
    if (rc == 0 && c->applier == NULL) {
        rc = pulse_read(c->db, &c->pulse, err);
        if (rc == 0) {
            rc = applier_create(&c->applier, c->db, err);
        }
        if (rc == 0) {
            rc = retention_create(&c->retention, c->db, applier_refs(c->applier), err);
        }
    }
    if (rc != 0) {
        committer_close(c);
    }
    return rc;
}

static int apply_rows(struct committer *c, struct batch *b, const struct rowq *rows,
                      struct rowq_cursor *end, struct error *err)
{
    struct row row;

    rowq_start(rows, end);
    for (uint64_t i = 0; i < b->rows && rowq_next(end, &row); i++) {
        if (b->poison_len > 0 && poisoned(b, i)) {
            continue;
        }
        int rc = apply_row(c->applier, &row, err);
        if (rc != 0) {
            if (db_trouble(c->db) == DB_TROUBLE_ROW) {
                poison_row(b, i, row.kind, err);
            }
            return rc;
        }
    }
    return 0;
}

static int apply_rest(struct committer *c, const struct batch *b, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < b->states.len; i++) {
        rc = apply_watch_state(c->applier, b->states.items[i].resource, b->states.items[i].version,
                               b->states.items[i].at_ms, err);
    }
    if (rc == 0 && b->status != NULL) {
        rc = apply_status(c->applier, b->status, err);
    }
    return rc;
}

/* The commit that was said to have failed is in the log after all. The kernel may have forgotten to
 * write what it failed to sync and a second sync would not say so: only when everything was copied
 * into the file, and that was synced, is it safe to tell. */
static int confirm_batch(struct committer *c, const struct batch *b, const struct rowq *rows,
                         struct rowq_cursor *end, struct error *err)
{
    struct row row;
    int rc = db_checkpoint(c->db, err);

    if (rc != 0) {
        return rc;
    }
    if (db_wal_frames(c->db) != 0) {
        return error_set(err, NA_EBUSY, "a reader holds the log, which has to be written again");
    }
    rowq_start(rows, end);
    for (uint64_t i = 0; i < b->rows && rowq_next(end, &row); i++) {
    }
    return 0;
}

int committer_try(struct committer *c, struct batch *b, const struct rowq *rows,
                  struct rowq_cursor *end, struct error *err)
{
    struct pulse pulse;
    int rc = committer_open(c, err);

    if (rc != 0) {
        return rc;
    }
    if (b->number != 0 && c->pulse.batch == b->number) {
        return confirm_batch(c, b, rows, end, err);
    }
    b->number = c->pulse.batch + 1;
    age_clock_tick(&c->age, clock_wall_ms(), clock_mono_ms());
    pulse = (struct pulse){ .batch = b->number,
                            .last_seq = c->pulse.last_seq,
                            .alive_ms = clock_wall_ms(),
                            .age_ms = c->age.age_ms,
                            .debt_ms = c->age.debt_ms };
    rc = db_begin(c->db, err);
    if (rc != 0) {
        return rc;
    }
    apply_begin(c->applier);
    rc = apply_rows(c, b, rows, end, err);
    if (rc == 0) {
        rc = apply_rest(c, b, err);
    }
    if (rc == 0) {
        rc = apply_end(c->applier, &pulse, err);
    }
    if (rc == 0) {
        rc = db_commit(c->db, err);
    }
    if (rc != 0) {
        db_rollback(c->db);
        apply_rolled_back(c->applier);
        return rc;
    }
    c->pulse = pulse;
    return 0;
}
