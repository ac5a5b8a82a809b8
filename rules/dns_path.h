/* Is there a way from a pod to the cluster's DNS over UDP, by the policies of both sides? */
#ifndef NETAUDITD_RULES_DNS_PATH_H
#define NETAUDITD_RULES_DNS_PATH_H

#include "rules/dns.h"
#include "rules/reach.h"

enum dns_path { /* from good to bad */
                DNS_PATH_YES,
                DNS_PATH_UNKNOWN,
                DNS_PATH_NOT_ADMITTED, /* the DNS pods' own policies deny it */
                DNS_PATH_NO_EGRESS
};

struct dns_question {
    const struct rule_input *in; /* its rule has the parameters of DNS_PARAMS */
    struct dns dns;
    bool assumed;    /* the DNS pods are not known: taken to be labelled k8s-app: kube-dns, in the
                        namespace of a DNS Service */
    bool node_local; /* there is a node-local cache */
};
void dns_question_init(struct dns_question *q, const struct rule_input *in);

struct dns_answer {
    enum dns_path path;
    bool tcp_missing;      /* with YES: TCP is denied */
    const char *construct; /* with UNKNOWN; may be NULL */
};
/* What the egress line-up `l` of pods like `pc` says, and the DNS pods' ingress (`egress_only`:
 * taken to admit everyone). */
void dns_path_ask(const struct dns_question *q, const struct pod_class *pc, const struct lineup *l,
                  bool egress_only, struct dns_answer *out);

/* Rows of parameters. */
#define DNS_NODE_LOCAL_PARAM                                                                       \
    {                                                                                              \
        "node-local-dns", PARAM_TEXT, "169.254.20.10", "the address of a node-local DNS cache"     \
    }

#endif
