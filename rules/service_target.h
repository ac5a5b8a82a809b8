/* Which pods a Service leads to. */
#ifndef NETAUDITD_RULES_SERVICE_TARGET_H
#define NETAUDITD_RULES_SERVICE_TARGET_H

#include <stdbool.h>

#include "cluster/cluster.h"

/* Does the Service select a pod of its namespace `ns` (may be NULL: none), or a workload's template
 * where it has no pods? With `port`: one that declares the port's targetPort by name and protocol.
 * In files, labels that controllers set on pods alone (a StatefulSet's pod name) count as there. A
 * Service without selector selects none. */
bool service_targets(const struct cluster *c, const struct ns *ns, const struct service *svc,
                     const struct service_port *port);

#endif
