/* users[].user.exec of a kubeconfig, and what the plugin is told about the cluster. */
#ifndef NETAUDITD_WATCHERS_EXEC_INFO_H
#define NETAUDITD_WATCHERS_EXEC_INFO_H

#include "base/error.h"
#include "watchers/kubeconfig.h"
#include "watchers/kubeconfig_tree.h"

/* `k` holds what was read of the cluster. *out is untouched on failure. */
int exec_config_read(struct exec_config **out, const struct entry *user,
                     const struct entry *cluster, const struct kubeconfig *k, struct error *err);

#endif
