/* Finding the subjects that a delta touches: between rules/dirty.c and rules/dirty_ingress.c. */
#ifndef NETAUDITD_RULES_DIRTY_H
#define NETAUDITD_RULES_DIRTY_H

#include "rules/engine_private.h"

struct change { /* one delta on its way to marks */
    struct engine *e;
    const struct cause *from;
    struct held_cause *cause; /* held when the first mark is made */
};

void mark_one(struct change *c, struct tracked *t, uint64_t rules); /* NULL is fine */
void mark_named(struct change *c, enum subject_kind s, const struct str *ns, const struct str *name,
                uint64_t rules);
void mark_kind(struct change *c, enum subject_kind s, uint64_t rules);

/* Ingresses that name the changed Service, Secret or IngressClass. False for other kinds. */
bool mark_referring_ingresses(struct change *c, const struct delta *d, uint64_t rules);
/* Services that this Ingress (may be NULL) names. */
void mark_backends(struct change *c, const struct object *ingress, uint64_t rules);
/* Ingresses that may lean on this one (may be NULL): by its ALB group, or by its TLS. */
void mark_related_ingresses(struct change *c, const struct object *ingress, uint64_t rules);

#endif
