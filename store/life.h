/* The life of findings: verdicts become states and transitions (DESIGN 6). pending -> open ->
 * suppressed / resolved -> re-opened. Loop thread; rows go to the store's writer in order. Knows
 * the store only through store/sink.h. Every call with the same content twice writes nothing the
 * second time. */
#ifndef NETAUDITD_STORE_LIFE_H
#define NETAUDITD_STORE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "rules/verdict.h"
#include "store/store.h"

struct life;

/* Loads the findings that are not resolved (and open proved intervals) from the store. */
int life_create(struct life **out, struct store *store, struct error *err);
void life_destroy(struct life *l);

/* One changed verdict. pass, skip, off and gone end what is open, with the reason (fixed, exempted,
 * rule-off, environment-changed, object-gone). kind_unavailable verdicts of subjects change
 * nothing. Grace: `grace_ms` after the first failing verdict a pending finding opens (its opened
 * time is then, first seen is kept); what passes before is forgotten without a trace in `finding`,
 * and survives a restart. subject_deleting: opens nothing new. */
void life_verdict(struct life *l, const struct verdict *v, const struct cause *cause,
                  int64_t now_ms);
void life_gone(struct life *l, const struct subject_ref *subject, const struct cause *cause,
               int64_t now_ms);

/* After a start: between these two calls everything is judged once; what was open before and was
 * not confirmed by a verdict meanwhile has lost its object (or its rule) while nobody watched:
 * resolved as object-gone, verb gone, from `away_since_ms` to `now_ms`. */
void life_reconcile_begin(struct life *l);
void life_reconcile_end(struct life *l, int64_t away_since_ms, int64_t now_ms);

/* Pending findings whose grace has ended open. The next such time; 0 none. */
int64_t life_next_deadline(const struct life *l);
void life_tick(struct life *l, int64_t now_ms);

struct life_counts {
    uint64_t open, suppressed, pending;
    uint64_t by_severity[5]; /* open, index enum severity */
    uint64_t opened_total, resolved_total, reopened_total, changed_total;
};
void life_counts(const struct life *l, struct life_counts *out);

/* Each transition as it is queued (the demo and debug log; published facts come from
 * store_on_committed). */
struct life_event {
    int64_t seq;
    const char *to_state, *reason; /* "open", "suppressed", "resolved"; reason "" unless resolved */
    bool reopened;
    const struct verdict *verdict; /* NULL for gone and for the end of a grace time */
};
typedef void life_event_fn(void *ctx, const struct life_event *e);
void life_on_event(struct life *l, life_event_fn *fn, void *ctx);

#endif
