/* The cluster's DNS, as policies see it: the pods behind its Services and their ports (SEMANTICS
 * 11). */
#ifndef NETAUDITD_RULES_DNS_H
#define NETAUDITD_RULES_DNS_H

#include "rules/lineup.h"
#include "rules/rule.h"

enum { DNS_PORTS_MAX = 8, DNS_CLASSES_MAX = 32 };

struct dns {
    uint16_t ports[DNS_PORTS_MAX]; /* the pods' ports; 53 when none is known */
    uint32_t port_count;
    bool ports_known;
    const struct str *names[DNS_PORTS_MAX]; /* named targetPorts that they came from */
    uint32_t name_count;
    const struct pod_class *classes[DNS_CLASSES_MAX]; /* that count and that the Services select */
    uint32_t class_count;
};

struct dns_places;
/* What has been found out already, as long as neither cluster nor ruleset change: then all zeroes
 * again, but for `places`, which outlives changes elsewhere. */
struct dns_memo {
    const char *const *services; /* NULL: nothing yet */
    struct dns dns;
    /* require-dns-only-egress: what the last egress line-up lets out beyond DNS. */
    const struct lineup *lineup;
    bool outside, pods, unknown;
    struct dns_places *places; /* rules/dns_places.h; NULL: not remembered */
};

/* By the rule's parameter `dns-services`. */
void dns_look(const struct rule_input *in, struct dns *out);
/* Those ports, of UDP and TCP. */
port_set dns_port_set(const struct dns *d, struct port_table *t);

/* The row of the parameters that the rules about DNS have in common. */
#define DNS_SERVICES_PARAM                                                                         \
    {                                                                                              \
        "dns-services", PARAM_LIST, "kube-system/kube-dns,openshift-dns/dns-default",              \
            "the Services of the cluster's DNS, as namespace/name"                                 \
    }

#endif
