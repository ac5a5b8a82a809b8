/* A line-up: what decides about the traffic of pods in one direction, in order of decision. Pods
 * that the same policies select share one. A book holds the line-ups of one state of a cluster. */
#ifndef NETAUDITD_RULES_LINEUP_H
#define NETAUDITD_RULES_LINEUP_H

#include "cluster/cluster.h"
#include "rules/policy_form.h"
#include "rules/port_set.h"

/* What is enforced is a fact about the cluster (SEMANTICS 1). */
enum ipblock_matches { BLOCKS_BY_FAMILY, BLOCKS_MATCH_PODS, BLOCKS_MATCH_OUTSIDE };
enum cilium_policy_mode { CILIUM_DEFAULT, CILIUM_ALWAYS, CILIUM_NEVER }; /* enable-policy */
struct reach_options {
    unsigned families; /* bits of enum policy_family; 0: by what is served, or is in the input */
    enum ipblock_matches ipblock_matches;
    enum cilium_policy_mode cilium_policy;
};

struct reach_book;
struct lineup;
/* Reads the cluster's policies lazily. Valid for one state of the cluster: forget when it
 * has changed. */
struct reach_book *reach_book_create(const struct cluster *c, const struct reach_options *options);
void reach_book_destroy(struct reach_book *b); /* NULL is fine */
void reach_book_forget(struct reach_book *b);
struct port_table *reach_book_ports(struct reach_book *b);

/* The line-up of a pod class (never of a host-network one: NULL, no policy selects it). Two classes
 * with the same policies get the same pointer. Valid until the book forgets. */
const struct lineup *reach_lineup(struct reach_book *b, const struct pod_class *pc,
                                  enum direction d);
/* The forms in it, in order of decision. */
size_t lineup_count(const struct lineup *l);
const struct policy_form *lineup_at(const struct lineup *l, size_t i);
/* Some policy isolates by default in the policy stage. */
bool lineup_isolates(const struct lineup *l);
/* Some rule names a port: then the ports of the destination matter. */
bool lineup_names_ports(const struct lineup *l);

enum peer_kind { PEER_POD, PEER_NODE /* a host-network pod */, PEER_OUTSIDE };
struct address_range { /* network order; IPv4 in the first four bytes */
    uint8_t family;    /* 4, 6; 0: no address is known */
    uint8_t lo[16], hi[16];
};
enum { PEER_ADDRESSES_MAX = 8 };
struct reach_peer {
    enum peer_kind kind;
    const struct pod_class *pod_class;     /* POD, NODE */
    const struct address_range *addresses; /* POD, NODE: single ones; OUTSIDE: one range that no
                                              policy's border cuts */
    uint32_t address_count;
};

/* What one side says of traffic between its subject and a peer; the rest is denied. Of a peer with
 * several addresses: the best over them. */
struct side_answer {
    port_set allowed, unknown; /* disjoint */
};
/* `construct`: NULL, or where the first thing that is not known is named when something is unknown.
 * `own`: the subject of the line-up, whose namespace sameLabels compares and on whose shape named
 * ports resolve for ingress; for egress they resolve on the peer. `l` NULL: everything is allowed,
 * but where the peer's or subject's node may matter (SEMANTICS 2: own node) that is for the caller.
 */
struct side_answer lineup_ask(struct reach_book *b, const struct lineup *l, enum direction d,
                              const struct pod_class *own, const struct reach_peer *peer,
                              const char **construct);

/* The world outside the cluster, cut at the borders that the line-up's policies name: each range in
 * order, IPv4 first. Pods' and nodes' addresses are not taken out. */
typedef void lineup_outside_fn(void *ctx, const struct address_range *range,
                               struct side_answer answer);
void lineup_outside(struct reach_book *b, const struct lineup *l, enum direction d,
                    const struct pod_class *own, lineup_outside_fn *fn, void *ctx);

/* Both sides of one connection, SEMANTICS 2's own node and host-network words included; what is
 * denied on either side is denied, what is unknown on one and not denied on the other is unknown.
 */
#define REACH_OWN_NODE "whether it is the pod's own node"
struct side_answer reach_pair(struct reach_book *b, const struct reach_peer *from,
                              const struct reach_peer *to, const char **construct);

/* ---- for questions about pods and peers that are not there (rules/reach.c) ---- */

/* Labels as an interned set, or at most one label, for the sets that nobody has (yet). */
struct label_view {
    const struct label_set *set;
    const struct str *key,
        *value; /* set NULL: this label, or none when key is NULL; value NULL: one unheard of */
};
/* As reach_lineup, for any pod of `ns` with these labels and a service account that no selector
 * names. */
const struct lineup *reach_lineup_of(struct reach_book *b, const struct ns *ns,
                                     const struct label_view *labels, enum direction d);
/* Every form that bears on pods of the namespace, whatever their labels: those of the namespace,
 * then the cluster-wide ones whose namespace selectors match it, each by name. */
typedef void reach_form_fn(void *ctx, const struct policy_form *f);
void reach_each_form(struct reach_book *b, const struct ns *ns, reach_form_fn *fn, void *ctx);
/* Does it say anything about the direction? */
bool form_bears(const struct policy_form *f, enum direction d);
/* The line-up that just these forms would make. */
const struct lineup *reach_lineup_from(struct reach_book *b, const struct policy_form *const *forms,
                                       size_t count, enum direction d);

enum form_match { MATCH_NO, MATCH_MAYBE, MATCH_YES };
/* Does the peer match whom the caller has in mind? MAYBE: some of them, or it is not known. */
typedef enum form_match form_match_fn(void *ctx, const struct policy_form *f,
                                      const struct form_peer *peer);
struct lineup_question {
    enum direction direction;
    const struct pod_shape *shape; /* named ports of the destination; NULL: a named port is none */
    bool ignore_accepts;           /* rules that allow are left out: what denies by default? */
    form_match_fn *match;
    void *ctx;
};
struct lineup_outcome { /* what is possible; a port may be in several */
    port_set allowed, denied;
    port_set unmatched;    /* allowed because nothing matched */
    const char *construct; /* NULL, or the first one for which something is not known */
};
void lineup_evaluate(struct reach_book *b, const struct lineup *l, const struct lineup_question *q,
                     struct lineup_outcome *out);

/* Why: the forms of the line-up in order, and what each says of one port. */
enum verdict_word { SAYS_NOTHING, SAYS_ALLOW, SAYS_DENY, SAYS_PASS, SAYS_MAYBE };
struct side_step {
    const struct policy_form *form;
    const struct form_rule *rule; /* NULL: selects the subject, but no rule of it matches */
    enum verdict_word word;
    bool deciding;
};
struct side_reason {
    enum { SIDE_ALLOWED, SIDE_DENIED, SIDE_UNKNOWN } answer;
    enum {
        BECAUSE_NO_POLICY,       /* no policy selects the subject: allowed */
        BECAUSE_RULE,            /* steps[deciding] */
        BECAUSE_NO_RULE,         /* isolated, and no rule allows it: denied */
        BECAUSE_NOTHING_MATCHED, /* selected by tiers only, and nothing matched: allowed */
        BECAUSE_HOST_NETWORK,    /* the subject is on the host network */
        BECAUSE_OWN_NODE,        /* denied, unless the node is the pod's own */
        BECAUSE_CONSTRUCT        /* `construct` is not modelled or malformed */
    } because;
    const char *construct;
    VEC(struct side_step) steps; /* free with vec_free */
};
void lineup_explain(struct reach_book *b, const struct lineup *l, enum direction d,
                    const struct pod_class *own, const struct reach_peer *peer,
                    enum protocol protocol, uint16_t port, struct side_reason *out);

#endif
