/* Whom a policy selects beyond its own namespace. */
#ifndef NETAUDITD_RULES_POLICY_LOOK_H
#define NETAUDITD_RULES_POLICY_LOOK_H

#include "cluster/policy_object.h"

/* Namespaces that `namespaces` matches (NULL: any), and in them pods that `pods` matches (NULL:
 * any). `relative`: which namespaces hangs on the subject's namespace. Selectors are the policy's.
 */
typedef void policy_look_fn(void *ctx, const struct selector *namespaces,
                            const struct selector *pods, bool relative);
/* The subject of a cluster-scoped policy, and every peer that is not confined to the policy's own
 * namespace, also of malformed policies as far as they go. */
void policy_each_look(const struct object *policy, policy_look_fn *fn, void *ctx);

#endif
