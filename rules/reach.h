/* What policies mean. First part: is a pod class isolated, per direction, by the policies that
 * select it (SEMANTICS 1, 2)? Pure. */
#ifndef NETAUDITD_RULES_REACH_H
#define NETAUDITD_RULES_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "rules/policy_form.h"

struct reach_book;
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

void reach_class(const struct cluster *c, const struct pod_class *pc, enum direction d,
                 struct reach_answer *out);
/* The worst over the classes that count: open, selected-but-open, unknown, not-isolatable,
 * isolated, in this order. */
void reach_workload(const struct cluster *c, const struct workload *w, enum direction d,
                    struct reach_answer *out);
/* Default-deny of a namespace: would every pod, whatever its labels, be isolated in this direction,
 * and is none selected-but-open? REACH_ISOLATED when so; OPEN when some label set escapes;
 * SELECTED_BUT_OPEN; UNKNOWN. */
void reach_namespace_default(const struct cluster *c, const struct ns *ns, enum direction d,
                             struct reach_answer *out);

/* The same for rules: answers are remembered in in->memo (which may be NULL) while the cluster does
 * not change, so that rules that ask the same share one evaluation. */
void reach_ask_class(const struct rule_input *in, const struct pod_class *pc, enum direction d,
                     struct reach_answer *out);
void reach_ask_workload(const struct rule_input *in, const struct workload *w, enum direction d,
                        struct reach_answer *out);
void reach_ask_namespace(const struct rule_input *in, const struct ns *ns, enum direction d,
                         struct reach_answer *out);

/* The book of in->memo: line-ups and what they say, for questions beyond the verdict. */
struct reach_book *reach_ask_book(const struct rule_input *in);

/* What in->memo points to. Valid for one state of one cluster: forget when it has changed. */
struct reach_memo;
struct reach_memo *reach_memo_create(void);
void reach_memo_forget(struct reach_memo *m);
void reach_memo_destroy(struct reach_memo *m); /* NULL is fine */

#endif
