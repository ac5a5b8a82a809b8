/* The database as the writer's thread has it open, and one batch of rows as one transaction on it.
 * Writer thread only. */
#ifndef NETAUDITD_STORE_COMMITTER_H
#define NETAUDITD_STORE_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "store/apply.h"
#include "store/db.h"
#include "store/retention.h"
#include "store/rows.h"

struct batch_state { /* how far a watch has come once the rows of the batch are stored */
    char *resource, *version;
    int64_t at_ms;
};

struct batch { /* what goes into one transaction beside rows; survives a failed try */
    bool active;
    uint64_t rows; /* wanted at most; what failed once is tried again as it was */
    VEC(struct batch_state) states;
    char *status; /* NULL: none to be written */
    int64_t number;
    uint64_t *poison; /* rows of this batch that can never be stored */
    size_t poison_len;
};

/* Frees what it holds; it is inactive then. */
void batch_clear(struct batch *b);

struct committer {
    const char *path; /* borrowed */
    /* NULL while the file is closed: after trouble that leaves a connection's beliefs worthless. */
    struct db *db;
    struct applier *applier;
    struct retention *retention;
    struct age_clock age;
    struct pulse pulse; /* of the newest commit */
};

/* Opens what is not open and reads the pulse. Negative: everything is closed. */
int committer_open(struct committer *c, struct error *err);
void committer_close(struct committer *c);

/* One try to commit the first b->rows of `rows`, the watch states and the status of `b`; opens the
 * file when need be. 0: they are on the disk, c->pulse is theirs, and *end is behind the rows.
 * Negative: nothing was stored, or it is not known yet; the next try finds out. When b->poison_len
 * has grown, the next try leaves that row out. */
int committer_try(struct committer *c, struct batch *b, const struct rowq *rows,
                  struct rowq_cursor *end, struct error *err);

#endif
