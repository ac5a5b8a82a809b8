/* What the files of life share: life.c (calls, the table of consequences), life_act.c (what a
 * consequence writes), life_load.c (what a start reads). */
#ifndef NETAUDITD_STORE_LIFE_PRIVATE_H
#define NETAUDITD_STORE_LIFE_PRIVATE_H

#include "base/arena.h"
#include "base/vec.h"
#include "store/life.h"
#include "store/life_heap.h"
#include "store/life_table.h"
#include "store/sink.h"
#include "store/words.h"

enum { LIFE_RESOLVED_MOST = 100000 /* resolved findings that are remembered in memory */ };

struct life {
    struct store *store;
    struct life_table table;
    struct life_heap heap;
    struct arena arena; /* one call */
    struct life_counts counts;
    uint64_t resolved;        /* entries in that state */
    uint32_t sweep;           /* where forgetting resolved ones goes on */
    VEC(uint16_t) unreadable; /* by rule: how many of its kinds have an APIResource finding */
    bool reconciling;
    int64_t away_since_ms, settle_at_ms;
    uint64_t unsettled;    /* entries that nobody confirmed because their rule cannot be judged */
    int64_t live_since_ms; /* what becomes due later became so while we watched */
    life_event_fn *fn;
    void *fn_ctx;
};

enum action {
    NOTHING,
    START,
    SUPPRESS,
    KEEP_PENDING,
    FORGET,
    FORGET_AND_SUPPRESS,
    UPDATE,
    REOPEN,
    RESOLVE
};

/* A verdict being worked on. */
struct say {
    struct life *l;
    const struct verdict *v; /* NULL: the subject is gone, or a grace time has ended */
    const struct cause *cause;
    int64_t now_ms;
    struct subject_ref subject; /* clean */
    uint32_t message_hash, rest_hash;
    struct row row; /* content, once `ready` */
    bool ready;
    uint32_t index;
    uint32_t rule;
};

/* The entry that is worked on; invalid once another one is added. */
static inline struct life_entry *life_entry_of(const struct say *s)
{
    return &s->l->table.entries[s->index];
}

/* Pending, open or suppressed. */
bool life_stands(int state);
/* By rule: how many of its kinds cannot be read. */
uint16_t *life_unreadable_of(struct life *l, uint32_t rule);
/* Counts the entry as it is `by` times: -1 before a change, 1 after it. */
void life_count(struct life *l, const struct life_entry *e, int by);
void life_set_state(struct life *l, uint32_t index, enum life_state state);

uint32_t life_hash_text(uint32_t h, const char *text);
uint32_t life_rest_hash(const char *version, const char *uid, const char *evidence,
                        const char *remediation, const char *owner, const char *exemption);
uint64_t life_subject_hash(const struct subject_ref *r);
struct subject_ref life_clean_subject(struct arena *a, const struct subject_ref *r);

void life_act(struct say *s, enum action action);
void life_resolve(struct say *s, enum resolve_reason reason);
void life_forget_pending(struct life *l, uint32_t index);
void life_tell(const struct say *s, int64_t seq, enum finding_state state,
               enum resolve_reason reason, bool reopened);
void life_begin_proof(struct say *s);
/* A change that was found later ends the proof where it was last seen to hold. */
void life_end_proof(struct say *s, int64_t away_since_ms);
void life_set_proof(struct life_entry *e, int64_t id);

#endif
