/* Is a pod class isolated, per direction, by the policies of all families that select it (SEMANTICS
 * 1 to 5)? Pure. */
#ifndef NETAUDITD_RULES_REACH_H
#define NETAUDITD_RULES_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "rules/lineup.h"

struct rule_input;

enum reach {
    REACH_ISOLATED,
    REACH_OPEN,
    REACH_SELECTED_BUT_OPEN,
    REACH_NOT_ISOLATABLE,
    REACH_UNKNOWN
};
const char *reach_name(enum reach r); /* "isolated", ... as in CONTRACTS 1 */

/* Who is admitted altogether, on every port of TCP or of UDP. */
enum open_to { OPEN_TO_PODS = 1, OPEN_TO_OUTSIDE_IPV4 = 2, OPEN_TO_OUTSIDE_IPV6 = 4 };

enum { REACH_DECIDERS_MAX = 8 };
struct reach_answer {
    enum reach reach;
    unsigned open_to; /* selected-but-open: bits of enum open_to, one at least; open: all */
    const struct object *deciders[REACH_DECIDERS_MAX]; /* the policies that made it so, by name */
    uint32_t decider_count;                            /* may exceed the array */
    const char *why; /* unknown: the construct, named; else NULL */
};

/* What has been asked already, as long as the cluster does not change: the line-ups, which cost,
 * and the verdicts, which several rules want. Forget when the cluster has changed. `options` NULL:
 * the defaults. */
struct reach_memo;
struct reach_memo *reach_memo_create(const struct cluster *c, const struct reach_options *options);
/* Other options, as those of another ruleset; forgets. Borrowed. */
void reach_memo_set_options(struct reach_memo *m, const struct reach_options *options);
void reach_memo_forget(struct reach_memo *m);
void reach_memo_destroy(struct reach_memo *m); /* NULL is fine */
struct reach_book *reach_memo_book(struct reach_memo *m);

void reach_class(struct reach_memo *m, const struct pod_class *pc, enum direction d,
                 struct reach_answer *out);
/* The worst over the classes that count: open, selected-but-open, unknown, not-isolatable,
 * isolated, in this order. */
void reach_workload(struct reach_memo *m, const struct workload *w, enum direction d,
                    struct reach_answer *out);
/* Default-deny of a namespace: would every pod, whatever its labels, be isolated in this direction,
 * and is none selected-but-open? REACH_ISOLATED when so; OPEN when some label set escapes;
 * SELECTED_BUT_OPEN; UNKNOWN. */
void reach_namespace_default(struct reach_memo *m, const struct ns *ns, enum direction d,
                             struct reach_answer *out);

/* The same for rules, from the memo of their input. */
void reach_ask_class(const struct rule_input *in, const struct pod_class *pc, enum direction d,
                     struct reach_answer *out);
void reach_ask_workload(const struct rule_input *in, const struct workload *w, enum direction d,
                        struct reach_answer *out);
void reach_ask_namespace(const struct rule_input *in, const struct ns *ns, enum direction d,
                         struct reach_answer *out);
/* For questions beyond the verdict. */
struct reach_book *reach_ask_book(const struct rule_input *in);

#endif
