/* Who must be judged again, and judging it. Loop thread only. Deltas become dirty (rule, subject)
 * pairs through each row's depends; engine_run judges them in slices; a verdict that is as it was
 * costs nothing further. Nothing is judged before cluster_synced(). Invariant: after any sequence
 * of deltas and a full run, the verdicts equal engine_judge_all over the same cluster, ruleset and
 * time. */
#ifndef NETAUDITD_RULES_ENGINE_H
#define NETAUDITD_RULES_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cluster/cluster.h"
#include "rules/ruleset.h"
#include "rules/verdict.h"

struct engine;

struct engine_sink {
    void *ctx;
    /* A verdict that differs from the last one said for this (rule, subject); at first every one,
     * pass included. Error verdicts because of a kind also come once per (rule, kind) with subject
     * kind APIResource, name kind_resource_name, result error; with result pass when the kind is
     * back. */
    void (*verdict)(void *ctx, const struct verdict *v, const struct cause *cause);
    /* The subject is no more: everything of it resolves (object-gone). */
    void (*gone)(void *ctx, const struct subject_ref *subject, const struct cause *cause);
};

/* `cluster` and `ruleset` are borrowed. `cluster_id` is copied (part of every fingerprint). The
 * caller forwards the cluster's deltas to engine_note. What the cluster already holds at creation
 * is dirty from the start. */
struct engine *engine_create(const struct cluster *cluster, const struct ruleset *ruleset,
                             const char *cluster_id);
void engine_destroy(struct engine *e);
void engine_note(struct engine *e, const struct delta *d);
/* Another ruleset (reload, exemptions): everything is dirty, with an empty cause. The old one is no
 * longer used. */
void engine_set_ruleset(struct engine *e, const struct ruleset *ruleset);
/* Judges what is dirty or whose valid_until has come, for at most about `budget_us` microseconds (0
 * = no limit). True when nothing is left; false at once while the cluster has not synced or a list
 * is being swapped in. `clock_us` answers monotonic microseconds (a parameter,
 * so that tests own time); NULL with no limit. */
bool engine_run(struct engine *e, int64_t now_ms, uint64_t budget_us, uint64_t (*clock_us)(void),
                const struct engine_sink *sink);
bool engine_idle(const struct engine *e);
/* Wall time of the next valid_until; 0 none. */
int64_t engine_next_deadline(const struct engine *e);
/* Rules that are not judged because a kind is off by configuration: for status. Returns how many;
 * fills at most `max`. */
struct rule_not_judged {
    const struct rule *rule;
    enum kind kind;
    const char *setting; /* "secrets: metadata" */
};
size_t engine_not_judged(const struct engine *e, struct rule_not_judged *out, size_t max);

/* From scratch, without an engine: every (rule, subject) that applies, pass, skip and error
 * included, levels and exemptions applied; `off` ones are left out. Used by scan, what-if and the
 * proof of the invariant. Order: by namespace, kind, name, policy, rule. */
typedef void engine_verdict_fn(void *ctx, const struct verdict *v);
void engine_judge_all(const struct cluster *cluster, const struct ruleset *ruleset,
                      const char *cluster_id, int64_t now_ms, engine_verdict_fn *fn, void *ctx);

#endif
