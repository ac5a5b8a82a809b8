/* What we remember: one SQLite file, one connection that writes and checkpoints (the writer
 * thread's), readers read-only (store/reader.h). The loop thread calls everything here; nothing
 * here blocks it but store_open and store_close. Contract of the file: CONTRACTS 4; schema:
 * store/schema.sql. */
#ifndef NETAUDITD_STORE_STORE_H
#define NETAUDITD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/error.h"

struct store;

struct store_options {
    const char *path;
    int64_t max_age_ms;  /* resolved findings and their history are kept this long; 0 for ever */
    uint64_t max_bytes;  /* the file is pruned back below this; open findings never; 0 no limit */
    uint32_t batch_rows; /* 0: 1,000 */
    uint32_t batch_wait_ms;   /* 0: 2 */
    size_t max_waiting_bytes; /* rows that wait while the disk refuses; 0: 32 MiB. Beyond it a gap
                                 is recorded */
};

/* Called on the loop thread after a commit: everything up to and including `last_seq`
 * (transition.seq) is on disk. */
typedef void store_committed_fn(void *ctx, int64_t last_seq, uint32_t rows, uint64_t commit_us);

/* Opens or creates the file: takes <path>.lock exclusively (NA_EBUSY with a sentence naming the
 * other process when it is held), checks owner and modes (file 0600, directory not writable by
 * group or others, no symbolic link in the last step), application id, user_version (newer than
 * ours: NA_EMISMATCH with a sentence), integrity (quick_check); applies missing migrations; starts
 * the writer thread. A corrupt file is NA_EIO with a sentence naming it and what to do. */
int store_open(struct store **out, uv_loop_t *loop, const struct store_options *options,
               struct error *err);
void store_on_committed(struct store *s, store_committed_fn *fn, void *ctx);
/* The cluster the file belongs to: written at first, compared later. NA_EMISMATCH: another
 * cluster's database. */
int store_bind_cluster(struct store *s, const char *cluster_id, struct error *err);
/* "" when new. */
const char *store_cluster_id(const struct store *s);
/* resourceVersion that the last committed batch knew for this kind (name as kind_resource_name);
 * NULL none. */
const char *store_resume_version(const struct store *s, const char *resource);
/* When the last batch of the previous run was committed; 0 never. A gap row "restart" from then to
 * now belongs to it. */
int64_t store_last_alive_ms(const struct store *s);

/* Goes into the next batch; committed with the findings that the same events caused. */
void store_set_watch_state(struct store *s, const char *resource, const char *resource_version,
                           int64_t at_ms);
/* A time in which a kind could not be watched: interval and reason ("restart", "forbidden",
 * "stale", "410", "store full"). */
void store_add_gap(struct store *s, const char *resource, int64_t from_ms, int64_t to_ms,
                   const char *reason);
/* The one status row (JSON of CONTRACTS 4). */
void store_set_status(struct store *s, const char *json);
/* Reload: retention changes at once. */
void store_set_retention(struct store *s, int64_t max_age_ms, uint64_t max_bytes);
/* Commits what waits soon, without waiting for the batch time. */
void store_flush(struct store *s);

/* More waits than is good although the disk works (a first sync is judged faster than it is
 * written): judge on later. True from half of max_waiting_bytes on. */
bool store_congested(const struct store *s);
/* Rows were dropped because the disk refused for too long, and it writes again: the file holds all
 * that happened until the first of them and a gap row; what came since is not in it. True until
 * life is made anew (life_destroy, life_create), which reads what the file holds; then everything
 * has to be judged again between life_reconcile_begin and life_reconcile_end, as after a start.
 * Until then nothing further is stored. */
bool store_lost_rows(const struct store *s);

struct store_stats {
    uint64_t commits, rows, failed_commits, waiting_rows, waiting_bytes, dropped_rows, pruned_rows;
    uint64_t last_commit_us;
    int64_t last_commit_ms;
    char last_error[256]; /* "" when the last commit succeeded */
};
void store_stats(const struct store *s, struct store_stats *out);

/* Commits what waits (for at most `timeout_ms`), stops the thread, checkpoints, closes, unlocks.
 * NA_ETIMEOUT when rows could not be written in time. NULL is fine. The loop must not run
 * meanwhile. */
int store_close(struct store *s, uint64_t timeout_ms, struct error *err);

#endif
