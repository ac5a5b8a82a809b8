/* Does the controller of an Ingress send plain HTTP on to HTTPS (SEMANTICS 10)? Asked of Ingresses
 * with TLS. */
#ifndef NETAUDITD_RULES_REDIRECT_H
#define NETAUDITD_RULES_REDIRECT_H

#include "cluster/cluster.h"
#include "rules/controller.h"

enum redirect { REDIRECT_ON, REDIRECT_OFF, REDIRECT_NOT_VISIBLE };

struct redirect_answer {
    enum redirect state;
    enum controller controller;
    const char *key;          /* the annotation that decided; NULL: the controller's default */
    const char *why;          /* not visible: a sentence; else NULL */
    const char *mend;         /* off: what would switch it on, as the sentence of a finding */
    const struct ingress *by; /* another Ingress of the ALB group decided; else NULL */
};
void redirect_of(const struct cluster *c, const struct ingress *ing, struct redirect_answer *out);

#endif
