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
void mark_named(struct change *c, enum kind own, const struct str *ns, const struct str *name,
                uint64_t rules);
void mark_kind(struct change *c, enum subject_kind s, uint64_t rules);
void mark_in_namespace(struct change *c, const struct ns *ns, enum subject_kind s, uint64_t rules);

/* Ingresses that name the changed Service, Secret or IngressClass. False for other kinds. */
bool mark_referring_ingresses(struct change *c, const struct delta *d, uint64_t rules);
/* Services that this Ingress (may be NULL) names. */
void mark_backends(struct change *c, const struct object *ingress, uint64_t rules);
/* Ingresses that may lean on this one (may be NULL): by its ALB group, or by its TLS. */
void mark_related_ingresses(struct change *c, const struct object *ingress, uint64_t rules);

/* ---- dirty_policy.c ---- */
/* Policies of the namespace, and the cluster-scoped ones. */
void mark_policies_in(struct change *c, const struct ns *ns, uint64_t rules);
/* Policies whose subject or peers the pods of the class may be. */
void mark_policies_of_class(struct change *c, const struct pod_class *pc, uint64_t rules);
/* A Namespace changed: policies whose namespace selectors tell its labels apart, before and after.
 */
void mark_policies_looking_at(struct change *c, const struct delta *d, uint64_t rules);

/* ---- dirty_place.c ---- */
/* A change in `ns` (NULL: none): the rules of `dns` whose DNS Services are there, those of `mesh`
 * whose root namespace it is, touch every subject; those of `mesh` the namespace's own. */
void mark_by_place(struct change *c, const struct ns *ns, enum subject_kind s, uint64_t dns,
                   uint64_t mesh);
/* What was remembered about namespaces and this change may have made untrue is forgotten. */
void forget_places(struct engine *e, const struct delta *d);
/* What says that Linkerd is in use came or went. */
void mesh_note_namespace(struct change *c, const struct object *before, const struct object *after);
void mesh_note_class(struct change *c, const struct pod_class *pc, int by);

#endif
