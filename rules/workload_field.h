/* Where in a workload's manifest its pods are described. */
#ifndef NETAUDITD_RULES_WORKLOAD_FIELD_H
#define NETAUDITD_RULES_WORKLOAD_FIELD_H

#include "cluster/cluster.h"

/* "spec.template.spec.hostNetwork" and the like, for one of the few names that rules point at. */
const char *workload_spec_field(const struct workload *w, const char *name);
const char *workload_metadata_field(const struct workload *w, const char *name);

#endif
