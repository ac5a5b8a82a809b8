/* Typed objects: what a decoder makes of one Kubernetes object. Absent, empty and zero stay three
 * answers. An object is owned by whoever decoded it until cluster_apply takes it; after that it is
 * const and lives until the delta that replaces or deletes it has been delivered. All strings are
 * interned and owned by the object. */
#ifndef NETAUDITD_CLUSTER_OBJECT_H
#define NETAUDITD_CLUSTER_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cluster/kind.h"
#include "cluster/label_set.h"
#include "cluster/selector.h"
#include "cluster/str.h"

/* Where a manifest object stands; NULL on a live cluster. `field_line` answers the line of a field
 * path such as "spec.tls[0].secretName" (the longest known prefix), the object's first line when
 * unknown. */
struct origin {
    struct str *file;
    uint32_t line; /* 1-based, of the object's first line */
    const struct field_lines *fields;
};
uint32_t origin_field_line(const struct origin *o, const char *field_path);

/* The newest managedFields entry: who wrote last (not kept for pods). */
struct write_cause {
    struct str *manager, *operation; /* NULL when unknown */
    int64_t time_ms;                 /* 0 when unknown */
};

struct object {
    enum kind kind;
    bool deleting;  /* has a deletionTimestamp */
    struct str *ns; /* NULL when cluster-scoped */
    struct str *name;
    struct str *uid;              /* NULL in files */
    struct str *resource_version; /* opaque; NULL in files */
    struct label_set *labels, *annotations;
    int64_t created_ms; /* 0 when unknown */
    struct write_cause cause;
    struct origin *origin; /* NULL live */
    bool acme_owned; /* controlled by an acme.cert-manager.io Challenge (HTTP-01 solver parts) */
    uint32_t slot, generation; /* the cache's own bookkeeping */
};

struct namespace_object { /* KIND_NAMESPACE */
    struct object head;
    bool implied; /* files only: spoken of, never defined */
};

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_OTHER };
const char *protocol_name(enum protocol p);

struct named_port { /* a container port that has a name */
    struct str *name;
    uint16_t port;
    enum protocol protocol;
};

/* The part of a pod (or pod template) that rules look at; interned and shared, immutable. */
struct pod_shape {
    uint32_t refs;
    struct named_port
        *ports; /* containers and restartable init containers, in order; names NULL when unnamed */
    uint32_t port_count;
    bool host_network;
    bool has_host_port; /* a container or init container with a hostPort, not on the host network */
    bool istio_proxy, linkerd_proxy; /* a container or init container of that name */
    struct str *service_account;     /* the effective one: "default" when unset; never NULL */
    struct str *dns_policy;          /* the effective one: "ClusterFirst" when unset; never NULL */
    uint32_t hash;
};

struct owner_ref {
    struct str *api_version, *kind, *name, *uid;
    bool controller;
};

struct pod_object { /* KIND_POD, as decoded; the cache keeps pods in a smaller form (cluster.h) */
    struct object head;
    struct pod_shape *shape;
    bool finished;          /* phase Succeeded or Failed */
    bool mirror;            /* controlled by a Node */
    struct owner_ref owner; /* the controller; kind NULL when there is none */
    struct str **ips;       /* status.podIPs, at most 4 kept */
    uint32_t ip_count;
};

struct workload_object { /* Deployment, StatefulSet, DaemonSet, CronJob, and in files ReplicaSet,
                            ReplicationController, Job */
    struct object head;
    struct label_set *template_labels;
    struct label_set *template_annotations;
    struct pod_shape *shape; /* NULL when the template is absent */
    struct owner_ref owner;  /* files: a ReplicaSet dumped beside its Deployment */
};

enum service_type {
    SERVICE_CLUSTER_IP,
    SERVICE_NODE_PORT,
    SERVICE_LOAD_BALANCER,
    SERVICE_EXTERNAL_NAME,
    SERVICE_TYPE_OTHER
};

struct service_port {
    struct str *name;         /* NULL when unnamed */
    struct str *app_protocol; /* NULL when absent */
    uint16_t port;
    bool has_node_port;
    uint16_t node_port;
    enum protocol protocol;
    struct str *target_name; /* named targetPort, else NULL */
    uint16_t target_port;    /* numeric targetPort; the port itself when absent */
};

struct service { /* KIND_SERVICE */
    struct object head;
    enum service_type type;
    struct selector *selector; /* NULL: none */
    struct service_port *ports;
    uint32_t port_count;
    struct str **external_ips;
    uint32_t external_ip_count;
    struct str **source_ranges;
    uint32_t source_range_count;
    struct str *external_name, *load_balancer_class,
        *cluster_ip;     /* NULL when absent; cluster_ip "None" = headless */
    bool traffic_local;  /* externalTrafficPolicy: Local */
    struct str **lb_ips; /* status.loadBalancer.ingress[].ip */
    uint32_t lb_ip_count;
};

struct ingress_backend {
    struct str *service;   /* NULL: none, or a resource backend */
    bool resource;         /* a resource backend */
    struct str *port_name; /* NULL when numeric */
    uint32_t port_number;  /* 0 when absent */
};

struct ingress_rule {
    struct str *host; /* NULL: absent or empty */
    struct ingress_backend *backends;
    struct str **paths; /* path text of each backend, NULL when absent */
    uint32_t backend_count;
};

struct ingress_tls {
    struct str **hosts;
    uint32_t host_count;
    struct str *secret; /* NULL: absent or empty */
};

struct ingress { /* KIND_INGRESS */
    struct object head;
    struct str *class_name;     /* spec.ingressClassName; NULL: absent or empty */
    bool class_by_default_only; /* files: set by the default IngressClass, not by the text */
    bool has_default_backend;
    struct ingress_backend default_backend;
    struct ingress_rule *rules;
    uint32_t rule_count;
    struct ingress_tls *tls;
    uint32_t tls_count;
    struct str **lb_ips;
    uint32_t lb_ip_count;
};

struct ingress_class { /* KIND_INGRESS_CLASS */
    struct object head;
    struct str *controller; /* NULL when absent */
    bool has_parameters;
    bool is_default; /* annotation ingressclass.kubernetes.io/is-default-class: "true" */
};

struct secret { /* KIND_SECRET: metadata only, never data */
    struct object head;
    struct str *type; /* files only; live the watch's field selector already says kubernetes.io/tls,
                         NULL then */
    bool cert_manager; /* annotation cert-manager.io/certificate-name present */
};

struct ip_block {
    struct str *cidr;
    struct str **except;
    uint32_t except_count;
};

struct policy_peer {
    struct selector *pods;       /* NULL: not given */
    struct selector *namespaces; /* NULL: not given */
    struct ip_block *ip_block;   /* NULL: not given */
};

struct policy_port {
    bool has_protocol;
    enum protocol protocol; /* TCP when absent */
    bool has_port;
    struct str *port_name; /* NULL when numeric or absent */
    uint16_t port;
    uint16_t end_port; /* = port when absent */
};

struct policy_rule {
    struct policy_peer *peers; /* absent or empty: everyone */
    uint32_t peer_count;
    struct policy_port *ports; /* absent or empty: every protocol and port */
    uint32_t port_count;
};

struct network_policy { /* KIND_NETWORK_POLICY */
    struct object head;
    struct selector
        *pods; /* never NULL after decoding: absent or null selects all (empty selector) */
    bool ingress, egress;                     /* effective policyTypes, after defaulting */
    bool types_given;                         /* policyTypes present and not empty */
    bool has_ingress_rules, has_egress_rules; /* the section is present, even when empty */
    struct policy_rule *ingress_rules, *egress_rules;
    uint32_t ingress_count, egress_count;
    struct str *malformed; /* NULL, or the field path and sentence of the first part that cannot be
                              understood: `unknown` */
};

/* Decodes one projected (or whole) object of `kind`. Values of the wrong type, missing names and
 * the like are NA_EPARSE-class errors (NA_EINVAL) with a sentence that names the field; `*out` is
 * then untouched. Unknown fields are ignored here (manifests check them: cluster/manifest.h).
 * Labels: at most 1,000 a set, strings at most 64 KiB each (annotation values are cut there
 * instead), lists at most 100,000 entries. Annotations of pods and pod templates are kept only
 * where rules read them (cluster/decode.h), those of Secrets only of cert-manager.io/ and
 * netauditd.io/, kubectl's last-applied copy never. */
int object_decode(enum kind kind, const char *json, size_t len, struct object **out,
                  struct error *err);
void object_destroy(struct object *obj); /* NULL is fine */

/* A second look at one object as the same or another: everything that we keep, resourceVersion and
 * write cause left out. */
bool object_same(const struct object *a, const struct object *b);

#endif
