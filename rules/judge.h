/* One evaluation: a rule and a subject become a verdict. The order: is the rule off here, what does
 * it say, may it be trusted (kinds), is the subject exempt, what does the level make of it. */
#ifndef NETAUDITD_RULES_JUDGE_H
#define NETAUDITD_RULES_JUDGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "rules/dns.h"
#include "rules/reach.h"
#include "rules/rule.h"
#include "rules/ruleset.h"
#include "rules/verdict.h"

struct judge {
    const struct cluster *cluster; /* borrowed, as the rest of the first three */
    const struct ruleset *ruleset;
    const char *cluster_id;
    struct arena arena; /* texts of the present subject's verdicts */
    struct buf json;
    bool linkerd_in_use; /* as at judge_init; the caller may know better */
    struct dns_memo dns;
    struct reach_memo *memo; /* the caller forgets it when the cluster has changed */

    /* The present subject. */
    const struct subject *subject;
    struct subject_ref ref;
    enum environment environment;
    const char *owner;
    int64_t now_ms;
};

/* The kinds that kept a rule from saying anything about a subject; KIND_COUNT: none. */
struct judge_kinds {
    enum kind unavailable; /* verdict.kind_unavailable is set */
    enum kind off;         /* not watched by configuration: skipped */
};

void judge_init(struct judge *j, const struct cluster *cluster, const struct ruleset *ruleset,
                const char *cluster_id);
void judge_set_ruleset(struct judge *j, const struct ruleset *ruleset);
void judge_deinit(struct judge *j);
/* The cluster has changed: what was found out about it counts no more. */
void judge_forget(struct judge *j);
/* What was found out about a namespace, however long ago, counts no more; NULL: about any. */
void judge_forget_places(struct judge *j, const struct ns *ns);

/* Turns to a subject, which must stay until the next one; its verdicts' texts live as long. */
void judge_turn(struct judge *j, const struct subject *s, int64_t now_ms);
/* Everything but the fingerprint. */
void judge_rule(struct judge *j, const struct rule *r, struct verdict *out,
                struct judge_kinds *kinds);
void judge_fingerprint(const struct judge *j, struct verdict *v);

/* The verdict about a kind itself (CONTRACTS 1): error while it is unavailable, else pass. Turns
 * away from the subject; the texts live until the next turn. */
void judge_kind(struct judge *j, const struct rule *r, enum kind kind, bool unavailable,
                struct verdict *out);

#endif
