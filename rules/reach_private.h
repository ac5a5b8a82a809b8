/* Between the files of reach. */
#ifndef NETAUDITD_RULES_REACH_PRIVATE_H
#define NETAUDITD_RULES_REACH_PRIVATE_H

#include "base/arena.h"
#include "rules/everyone.h"
#include "rules/label_cover.h"
#include "rules/reach.h"

struct verdict_entry;
struct answer_entry;

struct reach_memo {
    const struct cluster *cluster;
    struct reach_book *book;
    struct everyone_space space;
    struct label_cover cover;
    struct verdict_entry *verdicts;
    struct answer_entry *answers;
    struct arena verdict_arena, answer_arena; /* of the entries, which go at once */
    unsigned families;                        /* of the cluster's addresses; 0: not looked yet */
};

/* The verdict about pods of `ns` with this line-up and shape (NULL: none known). */
void reach_lineup_verdict(struct reach_memo *m, const struct lineup *l, const struct ns *ns,
                          const struct pod_shape *shape, enum direction d,
                          struct reach_answer *out);
/* The same from what is remembered. */
void reach_recall_verdict(struct reach_memo *m, const struct lineup *l, const struct ns *ns,
                          const struct pod_shape *shape, enum direction d,
                          struct reach_answer *out);
/* Which address families the cluster's pods have: bits of FAMILY_IPV4_BIT, FAMILY_IPV6_BIT. */
unsigned reach_families(struct reach_memo *m);

/* How bad, and between equally bad answers which by name: the choice must not depend on the order
 * of the classes. */
int reach_compare(const struct reach_answer *a, const struct reach_answer *b);
void reach_decide(struct reach_answer *out, const struct object *policy);

void reach_workload_unremembered(struct reach_memo *m, const struct workload *w, enum direction d,
                                 struct reach_answer *out);
void reach_namespace_unremembered(struct reach_memo *m, const struct ns *ns, enum direction d,
                                  struct reach_answer *out);

#endif
