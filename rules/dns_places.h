/* What default-deny-without-dns has found of cluster-scoped policies, namespace by namespace: a
 * change in one must not have all the others looked at again. */
#ifndef NETAUDITD_RULES_DNS_PLACES_H
#define NETAUDITD_RULES_DNS_PLACES_H

#include "cluster/cluster.h"
#include "rules/dns_path.h"

struct dns_worst { /* over the pods of a namespace that a policy isolates */
    bool any;      /* there are such pods */
    struct dns_answer answer;
    const struct workload *where; /* the first by name of those it is true of */
};

struct dns_places;
struct dns_places *dns_places_create(void);
void dns_places_destroy(struct dns_places *p); /* NULL is fine */
/* NULL: not known, or not any more. Valid until the next call. */
const struct dns_worst *dns_places_find(const struct dns_places *p, const struct object *policy,
                                        const struct ns *ns);
void dns_places_put(struct dns_places *p, const struct object *policy, const struct ns *ns,
                    const struct dns_worst *worst);
void dns_places_forget(struct dns_places *p, const struct ns *ns); /* NULL: all */

#endif
