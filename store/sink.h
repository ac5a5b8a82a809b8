/* What life needs of the store: numbers, shared texts, a place for rows, and what the file
 * remembers. Loop thread. */
#ifndef NETAUDITD_STORE_SINK_H
#define NETAUDITD_STORE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "rules/verdict.h"
#include "store/rows.h"
#include "store/store.h"

/* False: the store is full and drops rows from now on (store_lost_rows). */
bool store_put(struct store *s, const struct row *row);
/* Never given twice, not even by another run. */
int64_t store_new_seq(struct store *s);
int64_t store_new_proof(struct store *s);
/* `text` must be clean and outlive the row. */
struct name_ref store_text(struct store *s, const char *text);
/* 0: refused. */
uint32_t store_rule(struct store *s, const char *policy, const char *rule, const char *category);
/* Same content as one of the last few: the same number. 0: nothing caused it (time, configuration).
 */
int64_t store_cause(struct store *s, const struct cause *cause);

/* Text as it is stored: control characters and what is no UTF-8 escaped, at most
 * ROW_TEXT_MAX_BYTES. Returns `text` itself where that changes nothing. NULL becomes "". */
const char *store_clean(struct arena *a, const char *text);
/* The same for text of several lines: newlines stay. */
const char *store_clean_lines(struct arena *a, const char *text);
/* JSON is kept as it is unless it is no UTF-8; too long becomes a mark of that. */
const char *store_clean_json(struct arena *a, const char *json);

struct loaded_finding { /* strings valid during the callback */
    const uint8_t *fp;
    uint32_t rule;
    int64_t subject;
    int state, result, severity, environment;
    bool was_open;
    int64_t first_seen_ms, due_ms;
    const char *version, *uid, *message, *evidence, *remediation, *owner,
        *exemption; /* exemption NULL none */
};
struct loaded_proof {
    const uint8_t *fp;
    uint32_t rule;
    int64_t id, subject;
};
struct store_loader {
    void *ctx;
    /* First all subjects, by growing id; version and uid are "". */
    void (*subject)(void *ctx, int64_t id, const struct subject_ref *subject);
    void (*finding)(void *ctx,
                    const struct loaded_finding *f); /* resolved ones first, content "" */
    void (*proof)(void *ctx, const struct loaded_proof *p);
};
/* What is not resolved, the newest `max_resolved` that are, and the proofs that go on. Ends
 * store_lost_rows. */
int store_load(struct store *s, const struct store_loader *loader, uint32_t max_resolved,
               struct error *err);

#endif
