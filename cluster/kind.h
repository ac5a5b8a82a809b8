/* The kind table: one row per Kubernetes kind that we know. Everything that lists kinds (watches,
 * RBAC, status, docs) is read from it. Kinds are matched by API group, never by short name. */
#ifndef NETAUDITD_CLUSTER_KIND_H
#define NETAUDITD_CLUSTER_KIND_H

#include <stdbool.h>
#include <stddef.h>

#define BIT(n) (1U << (n))

enum kind {
    KIND_NAMESPACE,
    KIND_POD,
    KIND_SERVICE,
    KIND_INGRESS,
    KIND_INGRESS_CLASS,
    KIND_NETWORK_POLICY,
    KIND_DEPLOYMENT,
    KIND_STATEFUL_SET,
    KIND_DAEMON_SET,
    KIND_CRON_JOB,
    KIND_SECRET,
    KIND_CLUSTER_NETWORK_POLICY,
    KIND_ADMIN_NETWORK_POLICY,
    KIND_BASELINE_ADMIN_NETWORK_POLICY,
    KIND_CILIUM_NETWORK_POLICY,
    KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY,
    KIND_PEER_AUTHENTICATION,
    /* Read from manifests only; live they are known by ownerReferences. */
    KIND_REPLICA_SET,
    KIND_REPLICATION_CONTROLLER,
    KIND_JOB,
    KIND_COUNT
};

enum kind_watch {
    KIND_WATCH_REQUIRED,   /* nothing is judged before it has synced once */
    KIND_WATCH_OPTIONAL,   /* watched where it may be read */
    KIND_WATCH_SERVED,     /* watched while the API server serves it; appears and disappears */
    KIND_WATCH_CONFIGURED, /* only when the configuration asks (Secret) */
    KIND_WATCH_NEVER       /* manifests only */
};

struct kind_row {
    enum kind kind;
    const char *group; /* "" for core */
    const char *version;
    const char *plural;
    const char *name; /* "Pod" */
    bool namespaced;
    bool workload; /* carries a pod template */
    enum kind_watch watch;
    const char *const *paths; /* projection, NULL-terminated: see cluster/projection.h */
};

extern const struct kind_row kind_table[KIND_COUNT];

/* A policy of a family besides NetworkPolicy, whose objects are those of cluster/policy_object.h.
 */
bool kind_is_policy(enum kind kind);
/* "apps/v1", "v1" as in apiVersion. `out` holds at least 64 bytes. */
void kind_api_version(const struct kind_row *row, char out[64]);
/* "pods", "deployments.apps": the name of an APIResource finding and of status rows. Core has no
 * dot: "pods.". CONTRACTS 1 writes `<plural>.<group>`; for core kinds the group is empty and the
 * dot is left out. */
void kind_resource_name(const struct kind_row *row, char out[64]);
/* An older version in the very same shape, which is taken where the row's is not served (and in
 * manifests always): v1beta1 of PeerAuthentication, all that Istio before 1.22 serves. NULL: none.
 */
const char *kind_older_version(const struct kind_row *row);
/* By apiVersion ("apps/v1") and kind; NULL when unknown. Versions other than the row's and its
 * older one are not known. */
const struct kind_row *kind_find(const char *api_version, const char *kind);
/* By group and kind, whatever the version. */
const struct kind_row *kind_find_group(const char *group, const char *kind);

#endif
