/* Do the allows of some policies together admit everyone (SEMANTICS 1: selected-but-open)? Between
 * the files of reach. */
#ifndef NETAUDITD_RULES_REACH_OPEN_H
#define NETAUDITD_RULES_REACH_OPEN_H

#include "rules/label_cover.h"
#include "rules/reach.h"
#include "rules/world.h"

enum openness { OPENNESS_NO, OPENNESS_YES, OPENNESS_TOO_HARD };

struct rule_vec {
    VEC(const struct policy_rule *) v;
};

/* Working space, reused from question to question. Zero-initialise. */
struct open_space {
    struct label_cover cover;
    struct world world;
    struct rule_vec all, some;
    VEC(uint32_t) borders;
};
void open_space_deinit(struct open_space *s);

struct open_question {
    const struct network_policy *const
        *policies; /* well-formed, of one namespace, isolating in `direction` */
    size_t count;
    enum direction direction;
    /* Whose named ports count: a pod's for ingress; NULL: a named port admits nothing. */
    const struct pod_shape *shape;
    bool named_ports_admit_all; /* an upper bound: what is not open then is not open for any pod */
};
/* Every pod of every namespace, or everyone outside in a family, on every port of TCP or of UDP. */
enum openness policies_openness(struct open_space *s, const struct open_question *q);

#endif
