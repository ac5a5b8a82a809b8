/* Life of a batch: rows pushed into `queue` under the lock; the thread moves all of them to
 * `taken`, which is its own, applies the first batch_rows in one transaction with the watch states
 * that belong to them, commits, forgets them and tells the loop. On failure nothing has been
 * forgotten, so the same batch is applied again (store/committer.c). */
#include "store/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "store/committer.h"

enum {
    BACKOFF_FIRST_MS = 20,
    BACKOFF_MOST_MS = 2000,
    STATUS_MS = 1000,      /* the status row is rewritten at most this often */
    WATCH_STATE_MS = 5000, /* watch states without rows wait this long */
    HEARTBEAT_MS = 60000,  /* so that "last alive" is never older */
    TICK_MS = 1000,        /* retention looks this often */
    BUSY_TICK_MS = 10,     /* and this often while rows keep coming and it has work */
    HANGS_MS = 2000,       /* a commit that takes longer counts as a disk that refuses */
    PRUNE_ROWS = 1000,     /* deletions in one step when nothing waits */
    PRUNE_ROWS_BUSY = 200,
    CHECKPOINT_FRAMES = 1000,
    CHECKPOINT_FRAMES_BEHIND = 16000, /* while whole batches wait */
    CATCH_UP = 16,                    /* where whole batches wait, so many of them are one */
    HEALTHY_FACTOR = 4 /* a disk that works may be behind by so many times max_waiting_bytes */
};
#define NS_PER_MS UINT64_C(1000000)

struct watch_slot {
    char *resource, *version;
    int64_t at_ms;
    uint64_t after_row; /* may be committed once that many rows are */
    bool dirty;
};

/* The handle outlives the writer until libuv has closed it. */
struct signal {
    uv_async_t async;
    struct writer *writer; /* NULL once the writer is gone */
};

struct writer {
    char *path;
    struct writer_options options;
    writer_committed_fn *fn;
    void *ctx;
    struct signal *signal;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake, ended;

    /* Under the lock. */
    struct rowq queue;
    uint64_t pushed_rows, waiting_rows, waiting_bytes, first_ns;
    VEC(struct watch_slot) states;
    uint64_t states_ns; /* since when one is dirty; 0 none */
    char *status;       /* not yet written */
    bool flush, stop, done, failing;
    uint64_t stop_ns;         /* give up then */
    uint64_t commit_since_ns; /* 0: none runs */
    struct retention_limits limits;
    struct store_stats stats;
    int64_t told_seq;
    uint32_t told_rows;
    uint64_t told_us;

    /* The thread's own. */
    struct committer file;
    struct rowq taken;
    uint64_t committed_rows;
    struct batch batch;
    uint64_t backoff_ms, next_try_ns, last_commit_ns, last_status_ns, next_prune_ns;
    bool checkpoint_failed;
};

static uint64_t now_ns(void)
{
    return uv_hrtime();
}

/* ---- loop thread ---- */

/* A disk that refuses, or that has not answered for a while. Lock held. */
static bool refuses(const struct writer *w)
{
    return w->failing ||
           (w->commit_since_ns != 0 && now_ns() - w->commit_since_ns > HANGS_MS * NS_PER_MS);
}

bool writer_push(struct writer *w, const struct row *row, bool always)
{
    bool taken = true;

    uv_mutex_lock(&w->lock);
    if (w->waiting_bytes >= w->options.max_waiting_bytes) {
        taken = (always || !refuses(w)) &&
                w->waiting_bytes < w->options.max_waiting_bytes * HEALTHY_FACTOR;
    }
    if (taken) {
        if (w->queue.rows == 0) {
            w->first_ns = now_ns();
        }
        w->waiting_bytes += rowq_push(&w->queue, row);
        w->waiting_rows++;
        w->pushed_rows++;
        if (w->queue.rows == 1 || w->queue.rows == w->options.batch_rows) {
            uv_cond_signal(&w->wake);
        }
    } else {
        w->stats.dropped_rows++;
    }
    uv_mutex_unlock(&w->lock);
    return taken;
}

static struct watch_slot *watch_slot(struct writer *w, const char *resource)
{
    for (size_t i = 0; i < w->states.len; i++) {
        if (strcmp(w->states.items[i].resource, resource) == 0) {
            return &w->states.items[i];
        }
    }
    vec_push(&w->states, ((struct watch_slot){ .resource = xstrdup(resource) }));
    return &w->states.items[w->states.len - 1];
}

void writer_watch_state(struct writer *w, const char *resource, const char *version, int64_t at_ms)
{
    uv_mutex_lock(&w->lock);
    struct watch_slot *slot = watch_slot(w, resource);
    if (slot->version == NULL || strcmp(slot->version, version) != 0) {
        free(slot->version);
        slot->version = xstrdup(version);
        slot->dirty = true;
        slot->after_row = w->pushed_rows;
        if (w->states_ns == 0) {
            w->states_ns = now_ns();
        }
    }
    slot->at_ms = at_ms;
    uv_mutex_unlock(&w->lock);
}

void writer_status(struct writer *w, const char *json)
{
    uv_mutex_lock(&w->lock);
    free(w->status);
    w->status = xstrdup(json);
    uv_cond_signal(&w->wake);
    uv_mutex_unlock(&w->lock);
}

void writer_set_limits(struct writer *w, const struct retention_limits *limits)
{
    uv_mutex_lock(&w->lock);
    w->limits = *limits;
    uv_mutex_unlock(&w->lock);
}

void writer_flush(struct writer *w)
{
    uv_mutex_lock(&w->lock);
    w->flush = true;
    uv_cond_signal(&w->wake);
    uv_mutex_unlock(&w->lock);
}

bool writer_drained(const struct writer *cw)
{
    struct writer *w = (struct writer *)(uintptr_t)cw;

    uv_mutex_lock(&w->lock);
    bool drained = w->waiting_rows == 0 && !w->failing;
    uv_mutex_unlock(&w->lock);
    return drained;
}

size_t writer_waiting_bytes(const struct writer *cw)
{
    struct writer *w = (struct writer *)(uintptr_t)cw;

    uv_mutex_lock(&w->lock);
    size_t bytes = w->waiting_bytes;
    uv_mutex_unlock(&w->lock);
    return bytes;
}

void writer_stats(const struct writer *cw, struct store_stats *out)
{
    struct writer *w = (struct writer *)(uintptr_t)cw;

    uv_mutex_lock(&w->lock);
    *out = w->stats;
    out->waiting_rows = w->waiting_rows;
    out->waiting_bytes = w->waiting_bytes;
    uv_mutex_unlock(&w->lock);
}

static void told(uv_async_t *async)
{
    struct signal *signal = async->data;
    struct writer *w = signal->writer;

    if (w == NULL) {
        return;
    }
    uv_mutex_lock(&w->lock);
    int64_t seq = w->told_seq;
    uint32_t rows = w->told_rows;
    uint64_t us = w->told_us;
    w->told_rows = 0;
    uv_mutex_unlock(&w->lock);
    if (rows > 0) {
        w->fn(w->ctx, seq, rows, us);
    }
}

/* ---- the thread: one batch ---- */

/* Takes everything that waits, and of the states those whose rows are then committed. Lock held. */
static void take(struct writer *w)
{
    struct batch *b = &w->batch;

    rowq_splice(&w->taken, &w->queue);
    b->active = true;
    uint64_t most = (uint64_t)w->options.batch_rows * CATCH_UP;
    b->rows = w->taken.rows < most ? w->taken.rows : most;
    w->states_ns = 0;
    for (size_t i = 0; i < w->states.len; i++) {
        struct watch_slot *slot = &w->states.items[i];
        if (slot->dirty && slot->after_row <= w->committed_rows + b->rows) {
            vec_push(&b->states, ((struct batch_state){ .resource = xstrdup(slot->resource),
                                                        .version = xstrdup(slot->version),
                                                        .at_ms = slot->at_ms }));
            slot->dirty = false;
        } else if (slot->dirty) {
            w->states_ns = now_ns();
        }
    }
    if (w->status != NULL && (w->flush || w->stop || w->last_status_ns == 0 ||
                              now_ns() - w->last_status_ns >= STATUS_MS * NS_PER_MS)) {
        b->status = w->status;
        w->status = NULL;
    }
    if (b->rows == w->taken.rows) {
        w->flush = false;
    }
}

static void succeeded(struct writer *w, const struct rowq_cursor *end, uint64_t started_ns)
{
    uint64_t ended_ns = now_ns(), us = (ended_ns - started_ns) / 1000;
    bool was_failing;

    rowq_consume(&w->taken, end);
    w->committed_rows += end->rows;
    w->last_commit_ns = ended_ns;
    if (w->batch.status != NULL) {
        w->last_status_ns = ended_ns;
    }
    w->backoff_ms = 0;
    w->next_try_ns = 0;

    uv_mutex_lock(&w->lock);
    was_failing = w->failing;
    w->failing = false;
    w->commit_since_ns = 0;
    w->waiting_rows -= end->rows;
    w->waiting_bytes -= end->bytes;
    w->stats.commits++;
    w->stats.rows += end->rows;
    w->stats.last_commit_us = us;
    w->stats.last_commit_ms = w->file.pulse.alive_ms;
    w->stats.last_error[0] = '\0';
    w->told_seq = w->file.pulse.last_seq;
    w->told_rows += (uint32_t)end->rows;
    w->told_us = us;
    if (end->rows > 0 && w->signal != NULL) {
        uv_async_send(&w->signal->async);
    }
    uv_mutex_unlock(&w->lock);
    if (was_failing) {
        log_event(LOG_LEVEL_INFO, "store", "writing again", KV_TEXT("path", w->path),
                  KV_INT("rows", end->rows));
    }
    batch_clear(&w->batch);
}

static void failed(struct writer *w, const struct error *why)
{
    bool was_failing;
    enum db_trouble trouble = w->file.db != NULL ? db_trouble(w->file.db) : DB_TROUBLE_IO;

    w->backoff_ms = w->backoff_ms == 0 ? BACKOFF_FIRST_MS : w->backoff_ms * 2;
    if (w->backoff_ms > BACKOFF_MOST_MS) {
        w->backoff_ms = BACKOFF_MOST_MS;
    }
    w->next_try_ns = now_ns() + w->backoff_ms * NS_PER_MS;
    if (trouble != DB_TROUBLE_BUSY && trouble != DB_TROUBLE_FULL) {
        committer_close(&w->file);
    }
    uv_mutex_lock(&w->lock);
    was_failing = w->failing;
    w->failing = true;
    w->commit_since_ns = 0;
    w->stats.failed_commits++;
    snprintf(w->stats.last_error, sizeof(w->stats.last_error), "%s", why->text);
    uint64_t rows = w->waiting_rows;
    uv_mutex_unlock(&w->lock);
    if (!was_failing) {
        log_event(LOG_LEVEL_ERROR, "store", "cannot write", KV_TEXT("path", w->path),
                  KV_TEXT("error", why->text), KV_INT("waiting_rows", rows),
                  KV_TEXT("next", "rows are kept in memory and tried again"));
    }
}

static void count_dropped(struct writer *w, size_t rows)
{
    if (rows > 0) {
        uv_mutex_lock(&w->lock);
        w->stats.dropped_rows += rows;
        uv_mutex_unlock(&w->lock);
    }
}

static void commit(struct writer *w)
{
    struct rowq_cursor end = { 0 };
    struct error err = { 0 };
    uint64_t started_ns = now_ns();
    size_t poison_before, left_out;
    int rc;

    do { /* again at once without the row that cannot be stored */
        poison_before = w->batch.poison_len;
        rc = committer_try(&w->file, &w->batch, &w->taken, &end, &err);
        left_out = w->batch.poison_len - poison_before;
        count_dropped(w, left_out);
    } while (rc != 0 && left_out > 0);
    if (rc == 0) {
        succeeded(w, &end, started_ns);
    } else {
        failed(w, &err);
    }
}

/* ---- the thread: between batches ---- */

static void survived(struct writer *w, const char *what, const struct error *err)
{
    enum db_trouble trouble = db_trouble(w->file.db);

    log_event(LOG_LEVEL_WARN, "store", what, KV_TEXT("path", w->path), KV_TEXT("error", err->text),
              KV_TEXT("next", "tried again later"));
    if (trouble != DB_TROUBLE_BUSY && trouble != DB_TROUBLE_FULL) {
        committer_close(&w->file);
    }
}

/* Small and often, because commits wait meanwhile. */
static void checkpoint(struct writer *w, uint64_t waiting)
{
    struct error err = { 0 };
    int most = waiting >= w->options.batch_rows ? CHECKPOINT_FRAMES_BEHIND : CHECKPOINT_FRAMES;

    if (w->file.db == NULL || db_wal_frames(w->file.db) < most) {
        return;
    }
    if (db_checkpoint(w->file.db, &err) == 0) {
        w->checkpoint_failed = false;
    } else if (!w->checkpoint_failed) {
        w->checkpoint_failed = true;
        survived(w, "checkpoint failed", &err);
    }
}

static void prune(struct writer *w, bool busy)
{
    struct retention_limits limits;
    struct error err = { 0 };
    uint64_t pruned, now = now_ns();
    bool more;

    if (w->file.db == NULL || now < w->next_prune_ns) {
        return;
    }
    uv_mutex_lock(&w->lock);
    limits = w->limits;
    uv_mutex_unlock(&w->lock);
    age_clock_tick(&w->file.age, clock_wall_ms(), clock_mono_ms());
    int rc = retention_step(w->file.retention, &limits, w->file.age.age_ms, w->file.pulse.last_seq,
                            busy ? PRUNE_ROWS_BUSY : PRUNE_ROWS, &more, &pruned, &err);
    if (rc != 0) {
        more = false;
        survived(w, "pruning failed", &err);
    }
    w->next_prune_ns = now + (uint64_t)(!more ? TICK_MS : busy ? BUSY_TICK_MS : 0) * NS_PER_MS;
    uv_mutex_lock(&w->lock);
    w->stats.pruned_rows += rc == 0 ? pruned : 0;
    uv_mutex_unlock(&w->lock);
}

/* Nanoseconds until something is to be committed; 0 now. Lock held. */
static uint64_t commit_due_in(const struct writer *w, uint64_t now)
{
    uint64_t due = w->last_commit_ns + HEARTBEAT_MS * NS_PER_MS;

    if (w->batch.active) {
        due = w->stop ? now : w->next_try_ns;
    } else if (w->taken.rows > 0 || w->queue.rows >= w->options.batch_rows || w->flush ||
               (w->stop && (w->queue.rows > 0 || w->states_ns != 0 || w->status != NULL))) {
        due = now;
    } else {
        if (w->queue.rows > 0) {
            due = w->first_ns + w->options.batch_wait_ms * NS_PER_MS;
        }
        if (w->states_ns != 0 && w->states_ns + WATCH_STATE_MS * NS_PER_MS < due) {
            due = w->states_ns + WATCH_STATE_MS * NS_PER_MS;
        }
        if (w->status != NULL && w->last_status_ns + STATUS_MS * NS_PER_MS < due) {
            due = w->last_status_ns + STATUS_MS * NS_PER_MS;
        }
    }
    return due > now ? due - now : 0;
}

/* Sleeps until a batch is due (true), the thread shall end (false), or it is time to look after the
 * file (true, without a batch in hand). */
static bool wait_for_work(struct writer *w)
{
    bool go_on = true;

    uv_mutex_lock(&w->lock);
    for (;;) {
        uint64_t now = now_ns(), due_in = commit_due_in(w, now);
        if (w->stop && ((!w->batch.active && due_in > 0) || now >= w->stop_ns)) {
            go_on = false;
            break;
        }
        if (due_in == 0) {
            if (!w->batch.active) {
                take(w);
            }
            w->commit_since_ns = now;
            break;
        }
        uint64_t prune_in = w->next_prune_ns > now ? w->next_prune_ns - now : 0;
        bool prunes = !w->batch.active && w->file.db != NULL;
        if (prunes && prune_in == 0) {
            break;
        }
        uint64_t sleep_ns = prunes && prune_in < due_in ? prune_in : due_in;
        uv_cond_timedwait(&w->wake, &w->lock, sleep_ns);
    }
    uv_mutex_unlock(&w->lock);
    return go_on;
}

static uint64_t rows_waiting(struct writer *w)
{
    uv_mutex_lock(&w->lock);
    uint64_t rows = w->waiting_rows;
    uv_mutex_unlock(&w->lock);
    return rows;
}

static void run(void *arg)
{
    struct writer *w = arg;
    struct error err = { 0 };

    while (wait_for_work(w)) {
        uv_mutex_lock(&w->lock);
        bool commits = w->commit_since_ns != 0;
        bool stopping = w->stop;
        uv_mutex_unlock(&w->lock);
        if (commits) {
            commit(w);
            if (stopping && w->batch.active) {
                uv_sleep(BACKOFF_FIRST_MS);
            }
        }
        if (!w->batch.active) {
            uint64_t waiting = rows_waiting(w);
            prune(w, waiting > 0 || stopping);
            checkpoint(w, waiting);
        }
    }
    if (!w->batch.active) { /* a last word: alive until now */
        uv_mutex_lock(&w->lock);
        take(w);
        uv_mutex_unlock(&w->lock);
        commit(w);
    }
    if (w->file.db != NULL && db_checkpoint(w->file.db, &err) != 0) {
        log_event(LOG_LEVEL_WARN, "store", "checkpoint failed", KV_TEXT("path", w->path),
                  KV_TEXT("error", err.text),
                  KV_TEXT("next", "the log stays beside the file and is read at the next start"));
    }
    committer_close(&w->file);
    uv_mutex_lock(&w->lock);
    w->done = true;
    uv_cond_signal(&w->ended);
    uv_mutex_unlock(&w->lock);
}

/* ---- start and stop ---- */

static void signal_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void writer_free(struct writer *w)
{
    rowq_free(&w->queue);
    rowq_free(&w->taken);
    batch_clear(&w->batch);
    for (size_t i = 0; i < w->states.len; i++) {
        free(w->states.items[i].resource);
        free(w->states.items[i].version);
    }
    vec_free(&w->states);
    free(w->status);
    uv_cond_destroy(&w->wake);
    uv_cond_destroy(&w->ended);
    uv_mutex_destroy(&w->lock);
    free(w->path);
    free(w);
}

int writer_start(struct writer **out, uv_loop_t *loop, struct db *db,
                 const struct writer_options *options, writer_committed_fn *fn, void *ctx,
                 struct error *err)
{
    struct writer *w = xcalloc(1, sizeof(*w));
    int rc;

    w->path = xstrdup(options->path);
    w->options = *options;
    w->options.path = w->path;
    w->limits = options->limits;
    w->fn = fn;
    w->ctx = ctx;
    uv_mutex_init(&w->lock);
    uv_cond_init(&w->wake);
    uv_cond_init(&w->ended);
    w->file = (struct committer){ .path = w->path, .db = db };
    rc = committer_open(&w->file, err);
    if (rc != 0) {
        writer_free(w);
        return rc;
    }
    age_clock_start(&w->file.age, &w->file.pulse, clock_wall_ms(), clock_mono_ms());
    w->last_commit_ns = now_ns();
    w->signal = xcalloc(1, sizeof(*w->signal));
    w->signal->writer = w;
    w->signal->async.data = w->signal;
    rc = uv_async_init(loop, &w->signal->async, told);
    if (rc != 0) {
        free(w->signal);
        committer_close(&w->file);
        writer_free(w);
        return error_set(err, NA_EIO, "cannot start the store's writer: %s", uv_strerror(rc));
    }
    uv_unref((uv_handle_t *)&w->signal->async);
    rc = uv_thread_create(&w->thread, run, w);
    if (rc != 0) {
        w->signal->writer = NULL;
        uv_close((uv_handle_t *)&w->signal->async, signal_closed);
        committer_close(&w->file);
        writer_free(w);
        return error_set(err, NA_EIO, "cannot start the store's writer: %s", uv_strerror(rc));
    }
    *out = w;
    return 0;
}

int writer_stop(struct writer *w, uint64_t timeout_ms, struct error *err)
{
    int rc = 0;

    uv_mutex_lock(&w->lock);
    w->stop = true;
    w->stop_ns = now_ns() + timeout_ms * NS_PER_MS;
    uv_cond_signal(&w->wake);
    uint64_t give_up_ns = w->stop_ns + HANGS_MS * NS_PER_MS;
    while (!w->done && now_ns() < give_up_ns) {
        uv_cond_timedwait(&w->ended, &w->lock, give_up_ns - now_ns());
    }
    bool hangs = !w->done;
    uint64_t rows = w->waiting_rows;
    if (rows > 0) {
        rc = error_set(err, NA_ETIMEOUT, "%llu rows could not be written to '%s' in time: %s",
                       (unsigned long long)rows, w->path,
                       w->stats.last_error[0] != '\0' ? w->stats.last_error
                                                      : "the disk does not answer");
    }
    w->signal->writer = NULL;
    uv_close((uv_handle_t *)&w->signal->async, signal_closed);
    w->signal = NULL;
    uv_mutex_unlock(&w->lock);
    if (!hangs) {
        uv_thread_join(&w->thread);
        writer_free(w);
    } else if (rc == 0) {
        rc = error_set(err, NA_ETIMEOUT,
                       "the database could not be closed in time: the disk does not answer");
    }
    return rc;
}
