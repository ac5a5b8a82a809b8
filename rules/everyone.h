/* Does a line-up let everyone through: every pod there could be, everyone outside (SEMANTICS 1)?
 * And does it deny by default? Asked of peers that need not exist. */
#ifndef NETAUDITD_RULES_EVERYONE_H
#define NETAUDITD_RULES_EVERYONE_H

#include "rules/label_value.h"
#include "rules/lineup.h"
#include "rules/world.h"

enum everyone { EVERYONE_NO, EVERYONE_YES, EVERYONE_UNKNOWN };

/* What is asked of each peer. */
enum everyone_goal {
    GOAL_ADMITTED_TCP, /* let through on every port of the protocol */
    GOAL_ADMITTED_UDP,
    GOAL_DENIED_BY_DEFAULT /* nothing is let through because nothing matched, Accepts of tiers aside
                            */
};

enum { FAMILY_IPV4_BIT = 1, FAMILY_IPV6_BIT = 2 };

struct everyone_question {
    struct reach_book *book;
    const struct lineup *lineup;
    enum direction direction;
    enum everyone_goal goal;
    const struct pod_shape *shape; /* for ingress: whose named ports count; NULL: none */
    const struct ns *ns;           /* of the subject: what sameLabels compares with */
    unsigned families;             /* bits: which addresses pods have */
};

/* Working space, reused from question to question. Zero-initialise. */
struct everyone_space {
    VEC(struct label_variable) variables;
    VEC(struct cidr) addresses; /* that pods might have */
    struct world pieces;
};
void everyone_space_deinit(struct everyone_space *s);

/* Of every pod of every namespace, whatever their labels. *why: set with EVERYONE_UNKNOWN, the
 * construct that is not known or too intricate. */
enum everyone everyone_pods(struct everyone_space *s, const struct everyone_question *q,
                            const char **why);
/* Of everyone outside in a family (4, 6). */
enum everyone everyone_outside(struct everyone_space *s, const struct everyone_question *q,
                               int family, const char **why);

#define EVERYONE_TOO_INTRICATE "the policies are too intricate to be judged"

#endif
