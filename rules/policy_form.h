/* One form for the policies of all families: who is the subject, and an ordered list of rules, each
 * with an action, peers and ports. Evaluation, explanation and the rules about policies read only
 * this. Forms borrow from the objects they were made of and live as long as these. Semantics:
 * SEMANTICS 2 to 5. */
#ifndef NETAUDITD_RULES_POLICY_FORM_H
#define NETAUDITD_RULES_POLICY_FORM_H

#include "base/arena.h"
#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/policy_object.h"
#include "rules/port_set.h"

enum direction { DIRECTION_INGRESS, DIRECTION_EGRESS };

enum policy_family {
    FAMILY_NETWORK_POLICY,
    FAMILY_CLUSTER_NETWORK_POLICY,
    FAMILY_ADMIN_NETWORK_POLICY, /* the baseline one as well */
    FAMILY_CILIUM,               /* both kinds */
    FAMILY_COUNT
};
const char *policy_family_name(enum policy_family f); /* "NetworkPolicy", ... */

/* In this order they decide. */
enum form_stage { STAGE_ADMIN, STAGE_POLICY, STAGE_BASELINE };
enum form_action { FORM_ALLOW, FORM_DENY, FORM_PASS };

enum form_peer_kind {
    FORM_PEER_EVERYONE, /* pods, nodes, outside */
    FORM_PEER_PODS,     /* by selectors; never host-network pods */
    FORM_PEER_BLOCK,    /* addresses; whether pods' and nodes' count: blocks_match_pods */
    FORM_PEER_WORLD,    /* every address that is neither a pod's nor a node's; of `family` 4, 6, or
                           both (0) */
    FORM_PEER_CLUSTER,  /* every pod, and nodes */
    FORM_PEER_NODES,    /* nodes and so host-network pods; which ones is not known: maybe */
    FORM_PEER_MAYBE     /* not modelled: anyone, perhaps; `construct` says what */
};

struct form_block { /* the block of a peer, read once; family 0: no CIDR, matches nothing */
    struct cidr cidr;
    const struct cidr *except;
    uint32_t except_count;
};

struct form_peer {
    enum form_peer_kind kind;
    /* PODS: all that is given must match. */
    bool own_namespace;                     /* only the policy's namespace */
    const struct selector *namespaces;      /* NULL: any */
    const struct selector *pods;            /* NULL: any */
    const struct selector *service_account; /* NULL: any (Cilium) */
    const struct tiered_peer *relative;     /* NULL, or sameLabels/notSameLabels of it */
    const struct ip_block *block;           /* BLOCK, as written */
    const struct form_block *range;         /* BLOCK, as read */
    bool blocks_match_pods;                 /* BLOCK: pods' and nodes' addresses as well */
    int family;                             /* WORLD: 4, 6, 0 */
    const char *construct;                  /* MAYBE: the field's name */
    bool outside_only;                      /* MAYBE: perhaps nodes or the outside, never pods */
};

struct form_port {
    unsigned protocols;          /* bits of enum protocol */
    const struct str *port_name; /* on the destination; NULL: the range */
    uint16_t lo, hi;
};

struct form_rule {
    enum form_action action;
    const char *section; /* "spec.ingress", "specs[1].egressDeny", ... */
    uint32_t index;      /* in the section */
    const struct str *name;
    const struct form_peer *peers; /* none: nobody */
    uint32_t peer_count;
    const struct form_port *ports; /* none, with `fixed` PORTS_ALL: every protocol and port */
    uint32_t port_count;
    port_set fixed;   /* what the ranges among them come to, whoever the destination is */
    bool names_ports; /* some go by name, so that the destination's ports matter */
    bool narrowed;    /* L7 parts narrow what it allows */
};

struct policy_form {
    const struct object *policy; /* its kind says the rest */
    enum policy_family family;
    enum form_stage stage;
    int32_t priority;    /* of a tier */
    const struct ns *ns; /* the policy's own, NULL for cluster-scoped ones */
    /* The subject: pods of `ns` (where it is set) that match all that is given. */
    const struct selector *namespaces, *pods, *service_account; /* NULL: any */
    bool isolates[2]; /* STAGE_POLICY: asks for default-deny in the direction */
    const struct form_rule *rules[2];
    uint32_t rule_count[2];
    const char *unclear[2]; /* NULL, or why nothing in the direction can be relied on (malformed):
                               whom it selects is then `unknown` where it matters */
    bool unenforced;        /* of a family that is not known to be enforced */
    const char *doubt; /* NULL, or why it may have no effect at all (unenforced, Valid=False): every
                          match of it is a maybe, and that it isolates as well */
    const struct policy_form *doubtful; /* the same with `doubt`, for pods of which it is not known
                                           whether it selects them; NULL where that cannot be */
};

struct form_vec {
    VEC(struct policy_form) v;
};
struct ns;
struct form_options {
    struct port_table *ports;
    bool blocks_match_pods; /* parameter ipblock-matches; the API's reading, false on Cilium */
    unsigned enforced;      /* bits of enum policy_family */
};
/* Appends the forms of one policy (Cilium: one per rule) to `out`; texts and arrays in `arena`.
 * A policy without any effect gives none. */
void policy_form_add(struct form_vec *out, struct arena *arena, const struct object *policy,
                     const struct ns *ns, const struct form_options *options);

#endif
