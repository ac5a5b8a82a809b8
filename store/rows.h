/* What life hands to the writer: rows, packed one behind the other so that 100,000 transitions wait
 * in less than 32 MiB while a disk refuses. A queue has one thread at a time. */
#ifndef NETAUDITD_STORE_ROWS_H
#define NETAUDITD_STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum { FP_BYTES = 16, ROW_TEXT_MAX_BYTES = 64 * 1024 };

enum row_kind {
    ROW_TEXT,  /* id, text: a text that many rows share */
    ROW_RULE,  /* id, text policy, text2 rule, text3 category */
    ROW_CAUSE, /* id, verb, subject (kind "" = none), version, uid, resource_version, manager, times
                */
    ROW_FINDING, /* state and content as of now; with seq != 0 also a transition to that state */
    ROW_RESOLVE, /* fp, seq, at, reason, cause */
    ROW_PENDING, /* content, due */
    ROW_PENDING_END,  /* fp: it held for less than its grace time */
    ROW_PENDING_OPEN, /* fp, seq, at: it held for its grace time */
    ROW_PROVED,       /* id, fp, rule, subject, from */
    ROW_PROVED_END,   /* id, to, seq */
    ROW_GAP,          /* text kind, from, to, text2 reason */
    ROW_META,         /* text key, text2 value */
    ROW_KIND_COUNT
};

/* A number in table `text`, or with 0 the text itself (NULL = none). */
struct name_ref {
    uint32_t id;
    const char *text;
};

/* Fields that a kind does not list are not stored. Strings are borrowed; decoded ones live in the
 * queue. */
struct row {
    enum row_kind kind;
    int64_t id, seq, at_ms, from_ms, to_ms, due_ms, manager_ms, cause, rule;
    int64_t state, result, severity, environment, reason, verb;
    uint8_t fp[FP_BYTES], fp_rest[FP_BYTES];
    struct name_ref group, version, object_kind, message, remediation, owner, exemption, manager;
    const char *ns, *name, *uid, *evidence, *resource_version, *text, *text2, *text3;
};

struct chunk;
struct rowq {
    struct chunk *head, *tail;
    size_t read; /* offset of the first row in head */
    uint64_t rows, bytes;
};
struct rowq_cursor {
    struct chunk *chunk;
    size_t offset;
    uint64_t rows, bytes; /* passed since rowq_start */
};

/* Returns the bytes that it took. */
size_t rowq_push(struct rowq *q, const struct row *row);
/* Moves everything of `from` behind `to`; `from` is empty then. */
void rowq_splice(struct rowq *to, struct rowq *from);
void rowq_start(const struct rowq *q, struct rowq_cursor *c);
/* Decodes the next row; false at the end. */
bool rowq_next(struct rowq_cursor *c, struct row *out);
/* Forgets what lies before the cursor. */
void rowq_consume(struct rowq *q, const struct rowq_cursor *c);
void rowq_free(struct rowq *q);

#endif
