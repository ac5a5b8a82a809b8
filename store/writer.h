/* The one thread that writes and checkpoints. The loop thread pushes rows and never waits for the
 * disk: a batch is committed when its oldest row has waited `batch_wait_ms` or `batch_rows` are
 * there, one batch at a time. A batch that fails is kept and tried again with growing pauses; after
 * a failed read, write or sync the file is opened anew, because what such a connection believes
 * about the disk is worth nothing. */
#ifndef NETAUDITD_STORE_WRITER_H
#define NETAUDITD_STORE_WRITER_H

#include <uv.h>

#include "base/error.h"
#include "store/apply.h"
#include "store/db.h"
#include "store/retention.h"
#include "store/rows.h"
#include "store/store.h"

struct writer;

struct writer_options {
    const char *path; /* copied */
    uint32_t batch_rows, batch_wait_ms;
    size_t max_waiting_bytes;
    struct retention_limits limits;
};
/* On the loop thread, after commits. */
typedef void writer_committed_fn(void *ctx, int64_t last_seq, uint32_t rows, uint64_t commit_us);

/* `db` is the writer's in any case. */
int writer_start(struct writer **out, uv_loop_t *loop, struct db *db,
                 const struct writer_options *options, writer_committed_fn *fn, void *ctx,
                 struct error *err);
/* Writes what waits, at most until `timeout_ms` have passed, then ends the thread and closes the
 * database. NA_ETIMEOUT: rows are lost with the sentence saying why; a thread that hangs in the
 * kernel is left behind with its memory. */
int writer_stop(struct writer *w, uint64_t timeout_ms, struct error *err);

/* Loop thread only, all of them. False: the row was refused because too much waits already.
 * `always` refuses never (for the few rows that say what was refused). */
bool writer_push(struct writer *w, const struct row *row, bool always);
void writer_watch_state(struct writer *w, const char *resource, const char *version, int64_t at_ms);
void writer_status(struct writer *w, const char *json);
void writer_set_limits(struct writer *w, const struct retention_limits *limits);
void writer_flush(struct writer *w);
/* Nothing waits and the last commit succeeded. */
bool writer_drained(const struct writer *w);
size_t writer_waiting_bytes(const struct writer *w);
void writer_stats(const struct writer *w, struct store_stats *out);

#endif
