/* What cloud load balancers make of a Service's annotations: internal or not, health-checked or not
 * (SEMANTICS 8, 9). The tables are data; a provider is a family of rows. */
#ifndef NETAUDITD_RULES_LB_PROVIDERS_H
#define NETAUDITD_RULES_LB_PROVIDERS_H

#include <stdbool.h>

#include "cluster/object.h"

enum { LB_FAMILIES_MAX = 16 };

enum lb_internal {
    LB_INTERNAL,     /* every provider that is spoken to makes it internal */
    LB_EXTERNAL,     /* one of them does not */
    LB_UNRECOGNISED, /* none is spoken to */
    LB_CLASS_FOREIGN /* spec.loadBalancerClass hands it to an implementation that is not in the
                        table: annotations of others have no effect */
};
struct lb_internal_answer {
    enum lb_internal state;
    const char *provider; /* the one that decided; NULL when none is recognised */
    const char *key;      /* the deciding annotation; NULL when a default or the class decided */
};
/* `provider` is a family's name ("aws"), which alone is then looked at, or "" for whoever is
 * recognised. */
void lb_internal(const struct service *svc, const char *provider, struct lb_internal_answer *out);

enum lb_health {
    LB_HEALTH_SET,
    LB_HEALTH_MISSING,
    LB_HEALTH_OFF,         /* an annotation says that there is to be none */
    LB_HEALTH_NONE_KNOWN,  /* the provider has no such annotation */
    LB_HEALTH_UNRECOGNISED /* none is spoken to */
};
struct lb_health_answer {
    enum lb_health state;
    const char *provider; /* the one that decided; NULL when none is recognised */
    const char *key;      /* SET, OFF: the annotation; points into the Service */
};
void lb_health(const struct service *svc, const char *provider, struct lb_health_answer *out);

#endif
