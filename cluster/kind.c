/* The kind table. A projection path that is missing here is a field that no rule can see, so each
 * row lists exactly what its decoder reads. */
#include "cluster/kind.h"

#include <stdio.h>
#include <string.h>

#include "base/vec.h"

#define METADATA                                                                                   \
    "metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion",             \
        "metadata.labels", "metadata.creationTimestamp", "metadata.deletionTimestamp",             \
        "metadata.ownerReferences[].apiVersion", "metadata.ownerReferences[].kind",                \
        "metadata.ownerReferences[].name", "metadata.ownerReferences[].uid",                       \
        "metadata.ownerReferences[].controller"
#define WRITERS                                                                                    \
    "metadata.managedFields[].manager", "metadata.managedFields[].operation",                      \
        "metadata.managedFields[].time"
/* All annotations but the copy of the whole object that kubectl leaves there, which may hold a
 * Secret's data. */
#define ANNOTATIONS                                                                                \
    "metadata.annotations",                                                                        \
        "-metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration"
/* Of pods and templates only what a rule reads: they are many, and theirs differ. */
#define POD_ANNOTATIONS(at)                                                                        \
    at ".annotations.netauditd\\.io/owner", at ".annotations.network-policy\\.kubernetes\\.io/*",  \
        at ".annotations.egress-destinations", at ".annotations.linkerd\\.io/inject",              \
        at ".annotations.config\\.linkerd\\.io/default-inbound-policy"
#define POD_SPEC(at)                                                                               \
    at ".containers[].name", at ".containers[].ports", at ".initContainers[].name",                \
        at ".initContainers[].ports", at ".initContainers[].restartPolicy", at ".hostNetwork",     \
        at ".serviceAccountName", at ".dnsPolicy"
#define TEMPLATE(at) at ".metadata.labels", POD_ANNOTATIONS(at ".metadata"), POD_SPEC(at ".spec")

static const char *const namespace_paths[] = { METADATA, WRITERS, ANNOTATIONS, NULL };
static const char *const pod_paths[] = {
    METADATA,       POD_ANNOTATIONS("metadata"), POD_SPEC("spec"),
    "status.phase", "status.podIPs[].ip",        NULL
};
static const char *const service_paths[] = { METADATA,
                                             WRITERS,
                                             ANNOTATIONS,
                                             "spec.type",
                                             "spec.selector",
                                             "spec.ports",
                                             "spec.externalIPs",
                                             "spec.loadBalancerSourceRanges",
                                             "spec.externalName",
                                             "spec.loadBalancerClass",
                                             "spec.clusterIP",
                                             "spec.externalTrafficPolicy",
                                             "status.loadBalancer.ingress[].ip",
                                             NULL };
static const char *const ingress_paths[] = { METADATA,
                                             WRITERS,
                                             ANNOTATIONS,
                                             "spec.ingressClassName",
                                             "spec.defaultBackend",
                                             "spec.rules",
                                             "spec.tls",
                                             "status.loadBalancer.ingress[].ip",
                                             NULL };
static const char *const ingress_class_paths[] = { METADATA,          WRITERS,
                                                   ANNOTATIONS,       "spec.controller",
                                                   "spec.parameters", NULL };
static const char *const network_policy_paths[] = { METADATA, WRITERS, ANNOTATIONS, "spec", NULL };
static const char *const cilium_policy_paths[] = { METADATA, WRITERS, ANNOTATIONS,
                                                   "spec",   "specs", "status.conditions",
                                                   NULL };
static const char *const workload_paths[] = { METADATA, WRITERS, ANNOTATIONS,
                                              TEMPLATE("spec.template"), NULL };
static const char *const cron_job_paths[] = { METADATA, WRITERS, ANNOTATIONS,
                                              TEMPLATE("spec.jobTemplate.spec.template"), NULL };
/* Never data, never stringData, and no annotation that could carry them. */
static const char *const secret_paths[] = { METADATA,
                                            WRITERS,
                                            "metadata.annotations.cert-manager\\.io/*",
                                            "metadata.annotations.netauditd\\.io/*",
                                            "type",
                                            NULL };

const struct kind_row kind_table[KIND_COUNT] = {
    { KIND_NAMESPACE, "", "v1", "namespaces", "Namespace", false, false, KIND_WATCH_REQUIRED,
      namespace_paths },
    { KIND_POD, "", "v1", "pods", "Pod", true, false, KIND_WATCH_REQUIRED, pod_paths },
    { KIND_SERVICE, "", "v1", "services", "Service", true, false, KIND_WATCH_REQUIRED,
      service_paths },
    { KIND_INGRESS, "networking.k8s.io", "v1", "ingresses", "Ingress", true, false,
      KIND_WATCH_REQUIRED, ingress_paths },
    { KIND_INGRESS_CLASS, "networking.k8s.io", "v1", "ingressclasses", "IngressClass", false, false,
      KIND_WATCH_REQUIRED, ingress_class_paths },
    { KIND_NETWORK_POLICY, "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true,
      false, KIND_WATCH_REQUIRED, network_policy_paths },
    { KIND_DEPLOYMENT, "apps", "v1", "deployments", "Deployment", true, true, KIND_WATCH_OPTIONAL,
      workload_paths },
    { KIND_STATEFUL_SET, "apps", "v1", "statefulsets", "StatefulSet", true, true,
      KIND_WATCH_OPTIONAL, workload_paths },
    { KIND_DAEMON_SET, "apps", "v1", "daemonsets", "DaemonSet", true, true, KIND_WATCH_OPTIONAL,
      workload_paths },
    { KIND_CRON_JOB, "batch", "v1", "cronjobs", "CronJob", true, true, KIND_WATCH_OPTIONAL,
      cron_job_paths },
    { KIND_SECRET, "", "v1", "secrets", "Secret", true, false, KIND_WATCH_CONFIGURED,
      secret_paths },
    { KIND_CLUSTER_NETWORK_POLICY, "policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies",
      "ClusterNetworkPolicy", false, false, KIND_WATCH_SERVED, network_policy_paths },
    { KIND_ADMIN_NETWORK_POLICY, "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies",
      "AdminNetworkPolicy", false, false, KIND_WATCH_SERVED, network_policy_paths },
    { KIND_BASELINE_ADMIN_NETWORK_POLICY, "policy.networking.k8s.io", "v1alpha1",
      "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy", false, false, KIND_WATCH_SERVED,
      network_policy_paths },
    { KIND_CILIUM_NETWORK_POLICY, "cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy",
      true, false, KIND_WATCH_SERVED, cilium_policy_paths },
    { KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, "cilium.io", "v2", "ciliumclusterwidenetworkpolicies",
      "CiliumClusterwideNetworkPolicy", false, false, KIND_WATCH_SERVED, cilium_policy_paths },
    { KIND_PEER_AUTHENTICATION, "security.istio.io", "v1", "peerauthentications",
      "PeerAuthentication", true, false, KIND_WATCH_SERVED, network_policy_paths },
    { KIND_REPLICA_SET, "apps", "v1", "replicasets", "ReplicaSet", true, true, KIND_WATCH_NEVER,
      workload_paths },
    { KIND_REPLICATION_CONTROLLER, "", "v1", "replicationcontrollers", "ReplicationController",
      true, true, KIND_WATCH_NEVER, workload_paths },
    { KIND_JOB, "batch", "v1", "jobs", "Job", true, true, KIND_WATCH_NEVER, workload_paths },
};

bool kind_is_policy(enum kind kind)
{
    return kind >= KIND_CLUSTER_NETWORK_POLICY && kind <= KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY;
}

void kind_api_version(const struct kind_row *row, char out[64])
{
    snprintf(out, 64, "%s%s%s", row->group, row->group[0] != '\0' ? "/" : "", row->version);
}

void kind_resource_name(const struct kind_row *row, char out[64])
{
    snprintf(out, 64, "%s%s%s", row->plural, row->group[0] != '\0' ? "." : "", row->group);
}

const char *kind_older_version(const struct kind_row *row)
{
    return row->kind == KIND_PEER_AUTHENTICATION ? "v1beta1" : NULL;
}

static bool is_version(const struct kind_row *row, const char *version, const char *api_version)
{
    size_t len = strlen(row->group);

    if (version == NULL ||
        (len > 0 && (strncmp(api_version, row->group, len) != 0 || api_version[len] != '/'))) {
        return false;
    }
    return strcmp(api_version + (len > 0 ? len + 1 : 0), version) == 0;
}

const struct kind_row *kind_find(const char *api_version, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_table); i++) {
        const struct kind_row *row = &kind_table[i];

        if (strcmp(row->name, kind) == 0 &&
            (is_version(row, row->version, api_version) ||
             is_version(row, kind_older_version(row), api_version))) {
            return row;
        }
    }
    return NULL;
}

const struct kind_row *kind_find_group(const char *group, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_table); i++) {
        if (strcmp(kind_table[i].name, kind) == 0 && strcmp(kind_table[i].group, group) == 0) {
            return &kind_table[i];
        }
    }
    return NULL;
}
