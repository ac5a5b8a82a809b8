/* Whom one policy selects, for the rules that judge policies: its forms, and what their subjects
 * and peers come to among the pods and namespaces that are there. */
#ifndef NETAUDITD_RULES_POLICY_PEERS_H
#define NETAUDITD_RULES_POLICY_PEERS_H

#include "rules/reach.h"
#include "rules/rule.h"

/* The forms of the subject, which is a policy. False: it is malformed, and the outcome says error.
 * Free with vec_free(&out->v). */
bool policy_forms(const struct rule_input *in, struct outcome *out_come, struct form_vec *out);

/* Every pod class that counts and is a subject of the form, those on the host network as well (no
 * policy touches them). `fn` false: stop. */
typedef bool policy_class_fn(void *ctx, const struct pod_class *pc);
void policy_each_subject(const struct rule_input *in, const struct policy_form *f,
                         policy_class_fn *fn, void *ctx);
/* The same within one namespace. */
void policy_each_subject_in(const struct rule_input *in, const struct policy_form *f,
                            const struct ns *ns, policy_class_fn *fn, void *ctx);
/* Its subject is every pod of its namespace, or of all. */
bool policy_selects_all(const struct policy_form *f);

enum peer_found {
    PEER_FOUND,
    PEER_ON_HOST_ONLY, /* pods match, but all are on the host network */
    PEER_NO_POD,       /* namespaces match, no pod in them */
    PEER_NO_NAMESPACE, /* no namespace matches */
    PEER_NOT_IN_INPUT  /* files: what it would select is not among them */
};
/* For a peer by selectors (FORM_PEER_PODS without `relative`). */
enum peer_found policy_peer_find(const struct rule_input *in, const struct policy_form *f,
                                 const struct form_peer *peer);

/* Whom some rules together admit, by their peers alone: bits. */
enum { ADMITS_ALL_PODS = 1, ADMITS_OUTSIDE_IPV4 = 2, ADMITS_OUTSIDE_IPV6 = 4 };
unsigned policy_rules_admit(const struct form_rule *const *rules, size_t count);
#define ADMITS_OUTSIDE (ADMITS_OUTSIDE_IPV4 | ADMITS_OUTSIDE_IPV6)

/* "spec.ingress[0]" */
const char *policy_rule_field(struct arena *arena, const struct form_rule *r);

#endif
