/* Typed objects of the policy families besides NetworkPolicy (SEMANTICS 3 to 5), as decoded. The
 * same rules hold as in cluster/object.h. A part that is legal but not modelled is kept as such
 * and named (`unmodelled`); a part that is wrong makes the whole policy `malformed`. */
#ifndef NETAUDITD_CLUSTER_POLICY_OBJECT_H
#define NETAUDITD_CLUSTER_POLICY_OBJECT_H

#include "cluster/object.h"

/* Of the whole spec (and what else was read), so that two objects are compared without walking
 * them. */
enum { POLICY_DIGEST_BYTES = 32 };

/* ---- ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy, BaselineAdminNetworkPolicy v1alpha1 ----
 */

enum policy_tier { POLICY_TIER_ADMIN, POLICY_TIER_BASELINE };
enum policy_action { POLICY_ACCEPT, POLICY_DENY, POLICY_PASS }; /* v1alpha1 Allow is ACCEPT */

enum tiered_peer_kind {
    TIERED_PEER_PODS,
    TIERED_PEER_NETWORKS,
    TIERED_PEER_UNMODELLED, /* nodes, domainNames: legal, answer unknown */
    TIERED_PEER_EMPTY /* no known field: Accept matches nothing, Deny and Pass deny all; unknown */
};

struct tiered_peer {
    enum tiered_peer_kind kind;
    struct selector *namespaces; /* PODS; NULL: every namespace */
    struct selector *pods;       /* PODS; NULL: every pod of them */
    /* Old shape of v1alpha1: the peer's namespace has the same (or not the same) values of these
     * keys as the subject's; ANDed with the selectors. An empty list selects nothing. */
    bool same_labels, not_same_labels;
    struct str **keys;
    uint32_t key_count;
    struct str **networks; /* NETWORKS: CIDRs as written */
    uint32_t network_count;
    struct str *unmodelled; /* UNMODELLED: the field's name */
};

struct tiered_port {
    bool any_protocol; /* a named port of ClusterNetworkPolicy: that name with any protocol */
    enum protocol protocol;
    struct str *port_name;   /* NULL: the range */
    uint16_t port, end_port; /* 1 to 65535 where only the protocol is given */
};

struct tiered_rule {
    struct str *name; /* NULL when absent */
    enum policy_action action;
    struct tiered_peer *peers; /* one at least, else the policy is malformed */
    uint32_t peer_count;
    struct tiered_port *ports; /* none: every protocol and port */
    uint32_t port_count;
};

struct tiered_policy { /* KIND_CLUSTER_NETWORK_POLICY, KIND_ADMIN_NETWORK_POLICY,
                          KIND_BASELINE_ADMIN_NETWORK_POLICY */
    struct object head;
    uint8_t digest[POLICY_DIGEST_BYTES];
    enum policy_tier tier;
    int32_t priority;                   /* 0 to 1000; 0 for BaselineAdminNetworkPolicy */
    struct selector *namespaces, *pods; /* the subject; NULL: all */
    struct tiered_rule *ingress_rules, *egress_rules;
    uint32_t ingress_count, egress_count;
    struct str *malformed; /* NULL, or field path and sentence */
};

/* ---- CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy v2 ---- */

enum cilium_entity {
    CILIUM_ENTITY_ALL,
    CILIUM_ENTITY_WORLD,
    CILIUM_ENTITY_WORLD_IPV4,
    CILIUM_ENTITY_WORLD_IPV6,
    CILIUM_ENTITY_CLUSTER,
    CILIUM_ENTITY_HOST,
    CILIUM_ENTITY_REMOTE_NODE,
    CILIUM_ENTITY_KUBE_APISERVER,
    CILIUM_ENTITY_INIT,
    CILIUM_ENTITY_HEALTH,
    CILIUM_ENTITY_UNMANAGED,
    CILIUM_ENTITY_INGRESS,
    CILIUM_ENTITY_NONE
};

/* An EndpointSelector, split by whose labels it reads; a pod must satisfy all of it. Prefixes k8s:
 * and any: are taken off. io.kubernetes.pod.namespace becomes kubernetes.io/metadata.name of the
 * namespace, io.cilium.k8s.namespace.labels.K becomes K of the namespace; the policy's own
 * namespace has been added where SEMANTICS 5.4 says so. */
struct cilium_endpoints {
    struct selector *pods;            /* never NULL */
    struct selector *namespaces;      /* never NULL */
    struct selector *service_account; /* NULL, or requirements on the key
                                         "io.cilium.k8s.policy.serviceaccount" */
    unsigned entities; /* bits of enum cilium_entity, from reserved: keys; then no pod is meant */
    struct str *unmodelled; /* NULL, or the construct: another label source and the like */
};

struct cilium_port {
    unsigned protocols;      /* bits of enum protocol; ANY is all three */
    struct str *port_name;   /* NULL: the range */
    uint16_t port, end_port; /* port 0 in the text is 1 to 65535 */
};

enum cilium_section {
    CILIUM_INGRESS,
    CILIUM_INGRESS_DENY,
    CILIUM_EGRESS,
    CILIUM_EGRESS_DENY,
    CILIUM_SECTION_COUNT
};

struct cilium_entry { /* one item of a section */
    bool has_peer;    /* a peer field is present; with nothing in it the entry means nobody */
    struct cilium_endpoints *endpoints;
    uint32_t endpoint_count;
    unsigned entities;
    struct ip_block *blocks; /* fromCIDR, fromCIDRSet and their like */
    uint32_t block_count;
    struct str *unmodelled;    /* NULL, or a peer field that is not modelled (toFQDNs, toServices,
                                  ...):    the entry may then match anyone it otherwise would not */
    bool has_ports;            /* toPorts is present and not empty */
    struct cilium_port *ports; /* of all its items together; none: nothing */
    uint32_t port_count;
    bool icmp_only; /* icmps without toPorts: no port of TCP, UDP, SCTP */
    bool narrowed;  /* L7 rules, server names or authentication narrow what is allowed */
};

struct cilium_rule {                  /* spec, or one of specs */
    struct cilium_endpoints *subject; /* NULL: nodeSelector, which touches no pod */
    bool default_deny[2]; /* by direction, ingress first: enableDefaultDeny, true when absent */
    struct cilium_entry *entries[CILIUM_SECTION_COUNT];
    uint32_t entry_count[CILIUM_SECTION_COUNT];
    int32_t spec_index; /* -1: `spec`, else the index in `specs` */
};

struct cilium_policy { /* KIND_CILIUM_NETWORK_POLICY, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY */
    struct object head;
    uint8_t digest[POLICY_DIGEST_BYTES];
    struct cilium_rule *rules;
    uint32_t rule_count;
    bool reported_invalid; /* status condition Valid is False */
    struct str *malformed; /* NULL, or field path and sentence: it protects nothing */
};

/* Calls `fn` for every selector over pods' labels in a policy of these families. True when one of
 * the calls said true. */
bool policy_object_each_pod_selector(const struct object *obj,
                                     bool (*fn)(void *ctx, const struct selector *s), void *ctx);

/* ---- Istio ---- */

enum mtls_mode { MTLS_UNSET, MTLS_DISABLE, MTLS_PERMISSIVE, MTLS_STRICT };

struct port_mtls {
    uint16_t port;
    enum mtls_mode mode;
};

struct peer_authentication { /* KIND_PEER_AUTHENTICATION */
    struct object head;
    uint8_t digest[POLICY_DIGEST_BYTES];
    struct selector *selector; /* NULL: the whole namespace (or mesh, in the root namespace) */
    enum mtls_mode mode;
    struct port_mtls *ports;
    uint32_t port_count;
    struct str *malformed;
};

/* Between cluster/object.c and these kinds. */
void policy_object_free_body(struct object *obj);
bool policy_object_same(const struct object *a, const struct object *b);

#endif
