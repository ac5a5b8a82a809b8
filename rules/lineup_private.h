/* Between the files of line-ups. */
#ifndef NETAUDITD_RULES_LINEUP_PRIVATE_H
#define NETAUDITD_RULES_LINEUP_PRIVATE_H

#include "base/hash.h"

#include <uthash.h>

#include "rules/lineup.h"
#include "rules/world.h"

struct lineup {
    enum direction direction;
    bool isolates, names_ports;
    bool relative;             /* some peer compares namespaces with the subject's */
    bool has_blocks;           /* blocks that match pods' addresses: these matter then */
    bool has_cluster_baseline; /* ClusterNetworkPolicies of the Baseline tier (SEMANTICS 3.8) */
    bool elsewhere_only; /* a NetworkPolicy isolates the pods in the other direction, none in this
                            (SEMANTICS 3.8) */
    size_t count;
    UT_hash_handle hh;
    const struct policy_form *forms[]; /* in order of decision; the key of the table */
};

/* The forms of one namespace, ready for the question which of them select a label set. */
struct form_anchor { /* a label without which the form selects nothing */
    const struct str *key, *value;
    const struct policy_form *form;
};
struct form_refs {
    VEC(const struct policy_form *) v;
};
struct ns_forms {
    const struct ns *ns;
    /* The book's arena holds the entry and all arrays: they go at once. */
    struct form_vec own;
    VEC(struct form_anchor) anchored; /* sorted */
    struct form_refs loose;           /* of its own, without anchor */
    struct form_refs wide;            /* cluster-wide ones whose namespace selectors match */
    UT_hash_handle hh;
};

struct reach_book {
    const struct cluster *cluster;
    struct reach_options options;
    struct port_table *ports;
    bool read; /* what follows is known */
    unsigned enforced;
    bool hides_labels;    /* Cilium: some labels do not exist */
    bool always_isolates; /* Cilium's enable-policy: always */
    struct arena arena;   /* of all forms */
    struct form_vec wide; /* cluster-wide policies */
    struct ns_forms *namespaces;
    struct lineup *lineups;
    struct lineup *nobody; /* no form at all */
    struct ns_forms draft; /* its arrays are scratch, for the next entry */
    struct form_refs scratch;
    struct object_vec objects; /* scratch as well */
};

/* What is enforced, and the cluster-wide forms: before the questions below are asked. */
void reach_book_read(struct reach_book *b);
/* Cilium: labels that exist for no selector (SEMANTICS 5.5). */
bool reach_label_hidden(const struct reach_book *b, const struct str *key);
#define HIDDEN_LABEL "a label that Cilium leaves out unless it is configured"
/* A requirement that the label be there is on such a key. */
bool reach_names_hidden(const struct reach_book *b, const struct selector *s);
/* MAYBE: only if such labels are there after all. */
enum form_match reach_pods_match(const struct reach_book *b, const struct selector *s,
                                 const struct label_view *labels);
bool reach_namespace_matches(const struct selector *s, const struct ns *ns);
/* `account` NULL: one that no selector names. */
bool reach_account_matches(const struct selector *s, const struct str *account);

/* A peer that is there, for the match function of an evaluation. */
struct match_peer {
    const struct reach_book *book;
    const struct pod_class *own;
    const struct reach_peer *peer;
};
struct lineup_question lineup_question_of(enum direction d, struct match_peer *m);
enum form_match reach_match_peer(void *ctx, const struct policy_form *f,
                                 const struct form_peer *peer);

/* The ports about which a rule speaks to the peer in question: for certain, and perhaps (certain
 * ones included). */
struct rule_hit {
    port_set certain, possible;
};
struct rule_hit rule_hits(struct reach_book *b, const struct policy_form *f,
                          const struct form_rule *rule, const struct lineup_question *q,
                          const char **construct);

/* The pieces of the address spaces between the borders that the line-up's blocks name. `out` is
 * emptied first. */
void lineup_pieces(const struct lineup *l, enum direction d, struct world *out);
/* Cuts at the borders that one form names. */
void form_cut(const struct policy_form *f, enum direction d, struct world *out);

#endif
