/* The inside of what a rule says: between rules/outcome.c and rules/judge.c. */
#ifndef NETAUDITD_RULES_OUTCOME_H
#define NETAUDITD_RULES_OUTCOME_H

#include "base/buf.h"
#include "rules/rule.h"

/* A text is at most 3 KiB of JSON (every byte may be written as \u00XX): the whole stays below the
 * ceiling. */
enum { EVIDENCE_MAX_ITEMS = 50, EVIDENCE_MAX_TEXT = 500, EVIDENCE_MAX_BYTES = 1024 * 1024 };

void outcome_init(struct outcome *out, struct arena *arena);
/* Writes the evidence as one JSON object into `json`, an empty buffer of EVIDENCE_MAX_BYTES; "{}"
 * when there is none.
 */
void outcome_evidence(const struct outcome *out, struct buf *json);

/* Why `kind` cannot be relied on, or NULL when it can be. `unavailable` tells the kinds that are
 * not there for now (error) from those that nobody asked for (skip). Text in `arena` or literal. */
const char *kind_trouble(const struct cluster *c, enum kind kind, bool *unavailable,
                         struct arena *arena);

#endif
