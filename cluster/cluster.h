/* The cluster cache: the mirror of what the API server holds (or of what manifests say), with the
 * indexes rules need. Loop thread only. Everything reached through it is const to others and stays
 * valid until the next call that changes it; deltas tell what changed. Copyable for workers by
 * cluster_copy. */
#ifndef NETAUDITD_CLUSTER_CLUSTER_H
#define NETAUDITD_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "cluster/cause.h"
#include "cluster/cidr.h"
#include "cluster/kind.h"
#include "cluster/object.h"
#include "cluster/policy_object.h"

struct cluster;
struct ns;
struct workload;

/* Pods that no policy, selector or rule can tell apart. Labels that differ from pod to pod
 * (pod-template-hash and the like, DESIGN 4) are left out of `labels` unless a selector in the
 * cluster names their key. */
struct pod_class {
    struct ns *ns;
    struct workload *workload;
    struct label_set *labels;
    struct label_set
        *annotations; /* the few that rules read of pods (decode.h); empty mostly, never NULL */
    struct pod_shape *shape;
    uint32_t pods;    /* pods in it that have not finished */
    bool is_template; /* stands for the workload's own template (it may have pods as well) */
    uint32_t ns_index, workload_index; /* the cache's own bookkeeping */
};

/* The top controller of pods (SEMANTICS 7), or a bare or mirror pod for itself. Exists while its
 * top object exists or a pod of it does. */
struct workload {
    struct ns *ns;
    struct str *group, *version, *kind, *name;
    struct str *uid; /* NULL in files */
    const struct workload_object
        *object; /* NULL: its kind is not watched; then known by its pods alone. In files without it
                    the youngest ReplicaSet or Job that names it */
    struct label_set *pod_labels;      /* of the template, else of one of its pods; never NULL */
    struct label_set *pod_annotations; /* likewise; may be NULL */
    struct pod_class *template_class;  /* NULL without a known template */
    VEC(struct pod_class *) classes;   /* those with pods, and the template's */
    uint32_t pods;
    bool deleting;         /* the object (or the bare pod) has a deletionTimestamp */
    bool acme_solver;      /* label acme.cert-manager.io/http01-solver and owned by a Challenge */
    struct origin *origin; /* borrowed from the object, without one from a pod; NULL live */
    struct str *resource_version; /* of the object or bare pod; NULL when unknown */
    uint32_t ns_index;
};

/* A namespace that exists, or is spoken of by an object in it. */
struct ns {
    struct str *name;
    const struct namespace_object *object; /* NULL: not seen (namespaced mode, or not yet) */
    VEC(const struct network_policy *) policies;
    VEC(const struct cilium_policy *) cilium_policies; /* CiliumNetworkPolicy */
    VEC(const struct peer_authentication *) peer_authentications;
    VEC(const struct service *) services;
    VEC(const struct ingress *) ingresses;
    VEC(const struct secret *) secrets;
    VEC(struct workload *) workloads;
    VEC(struct pod_class *) classes;
    uint32_t index;
};

enum kind_state {
    KIND_STATE_PENDING,   /* asked for, not yet synced */
    KIND_STATE_SYNCED,    /* also when it is not served (404): empty */
    KIND_STATE_ABSENT,    /* not served; counts as synced and empty */
    KIND_STATE_FORBIDDEN, /* 403 */
    KIND_STATE_STALE,     /* no byte for longer than watch.stale-after */
    KIND_STATE_OFF        /* not watched by configuration (Secret) or by kind (manifests only) */
};
const char *kind_state_name(enum kind_state s);

struct kind_status {
    enum kind_state state;
    bool synced_once;
    char reason[256];          /* why it is forbidden, absent or stale; "" otherwise */
    char resource_version[64]; /* what a resume would ask for */
    int64_t alive_ms;          /* wall time of the last byte or re-establishment; 0 never */
    uint64_t objects;
    uint64_t relists;
    uint64_t rejected;     /* objects that could not be decoded or were too large ("not audited") */
    uint64_t stale_events; /* dropped: older than what we had of the same uid (KUBE_CLIENT B13) */
};

enum delta_op { DELTA_ADDED, DELTA_MODIFIED, DELTA_DELETED };
enum delta_what {
    DELTA_OBJECT,   /* an object of `kind` other than Pod; before/after as object */
    DELTA_WORKLOAD, /* a workload appeared, changed (labels, template, deleting) or went; `workload`
                     */
    DELTA_CLASS, /* a pod class appeared, went, or went from no pods to some and back; `pod_class`
                  */
    DELTA_NAMESPACE, /* a struct ns appeared or is about to be freed; `ns` (its Namespace object
                        comes as DELTA_OBJECT) */
    DELTA_KIND,      /* state of `kind` changed */
    DELTA_ADDRESSES  /* cluster_pod_ranges or cluster_pod_families changed; comes last */
};
struct delta {
    enum delta_what what;
    enum delta_op op;
    enum kind kind; /* DELTA_OBJECT, DELTA_KIND */
    struct ns
        *ns; /* NULL for kinds and cluster-scoped objects, but for a Namespace the one it is */
    const struct object *before,
        *after; /* NULL when added / deleted; `before` is freed after the call */
    struct workload
        *workload; /* DELTA_WORKLOAD, DELTA_CLASS; when DELETED it is freed after the call */
    struct pod_class *pod_class; /* DELTA_CLASS */
    const struct cause *cause;   /* never NULL */
};
/* Order within one change: namespaces added, objects, workloads added or modified, classes added or
 * modified; then classes, workloads and namespaces deleted. A workload whose object (or whose bare
 * pod) was replaced by another of the same name but another uid comes as DELETED and then ADDED
 * with the same pointer; so does an object, with its own pointers. Called inside the changing call,
 * after the cache holds the new state. During a swap (cluster_replace_commit) all deltas are
 * delivered after the whole new generation is in place. The receiver must not change the cluster.
 */
typedef void cluster_delta_fn(void *ctx, const struct delta *d);

/* A fresh, empty cache: every kind PENDING (or OFF for kinds not watched). */
struct cluster *cluster_create(void);
void cluster_destroy(struct cluster *c);
/* One receiver. NULL takes it off. */
void cluster_on_delta(struct cluster *c, cluster_delta_fn *fn, void *ctx);

/* Upsert. Takes `obj` in every case. Nothing happens when what we keep is the same (the
 * resourceVersion is noted), or when the object's resourceVersion is older than the cached one of
 * the same uid (counted: B13). Same name with another uid is a delete and a create. */
void cluster_apply(struct cluster *c, struct object *obj, int64_t now_ms);
/* Delete by key; `last` (the object of a DELETED event) is taken. When its uid differs from the
 * cached one nothing is deleted (B9). */
void cluster_delete(struct cluster *c, struct object *last, int64_t now_ms);

/* A (re)list: a shadow generation that is swapped in whole, or dropped. `only_ns` restricts it to
 * one namespace (namespaced mode), NULL otherwise. An object given twice: the later wins. At most
 * one is open for the same kind and namespace (two work, but need the memory of two). What is older
 * than the cached object of the same uid leaves that one in place. cluster_replace_delete handles a
 * DELETED event inside a streaming list. */
struct cluster_generation;
struct cluster_generation *cluster_replace_begin(struct cluster *c, enum kind kind,
                                                 const char *only_ns);
/* The list is the server's latest word, and its versions may have gone back (an etcd restored from
 * a backup, KUBE_CLIENT B8): what it holds counts even where it is older than ours. Before the
 * first add. */
void cluster_replace_trust(struct cluster_generation *g);
void cluster_replace_add(struct cluster_generation *g, struct object *obj /* taken */);
void cluster_replace_delete(struct cluster_generation *g, struct object *last /* taken */);
/* At once. Deltas come when all is in place. */
void cluster_replace_commit(struct cluster_generation *g, int64_t last_alive_ms, int64_t now_ms);
/* The same in slices, for lists that would hold the loop: works for about `budget_us` by `clock_us`
 * (monotonic microseconds); 0: the least that there is. A small list goes in at once unless it is
 * 0. True when done; `g` is then gone. What is new comes before what is gone, so that nothing
 * disappears between two slices that is there before and after. Until it is done the cache lies
 * between two states, which cluster_swapping says, and nothing may be judged. What the watch tells
 * meanwhile goes through cluster_replace_add and cluster_replace_delete. */
bool cluster_replace_step(struct cluster_generation *g, int64_t last_alive_ms, int64_t now_ms,
                          uint64_t budget_us, uint64_t (*clock_us)(void));
bool cluster_swapping(const struct cluster *c);
void cluster_replace_abort(struct cluster_generation *g); /* NULL is fine */

/* Kind state. A change of `state` (or the first sync) is emitted as DELTA_KIND. Whoever watches
 * calls it, also after a commit: a generation says nothing about the state (in namespaced mode it
 * is one of many). ABSENT drops what is left of the kind. */
void cluster_set_kind_state(struct cluster *c, enum kind kind, enum kind_state state,
                            const char *reason, int64_t now_ms);
/* For counters and bookmarks (resource_version, alive_ms, relists, rejected): no delta. */
struct kind_status *cluster_kind_status(struct cluster *c, enum kind kind);
const struct kind_status *cluster_kind(const struct cluster *c, enum kind kind);
/* All required kinds have synced once (or are forbidden/absent, i.e. have had their first answer),
 * and those served kinds that were there at the start have answered.
 */
bool cluster_synced(const struct cluster *c);

/* Lookups; NULL when absent. `ns` and `name` are outside text. Pods are not kept as objects:
 * cluster_find answers NULL for them. */
struct ns *cluster_ns(const struct cluster *c, const char *ns);
const struct object *cluster_find(const struct cluster *c, enum kind kind, const char *ns,
                                  const char *name);
const struct ingress_class *cluster_ingress_class(const struct cluster *c, const char *name);
struct workload *cluster_workload(const struct cluster *c, const char *ns, const char *group,
                                  const char *kind, const char *name);
/* All namespaces, in no order that means anything: for (i = 0; i < cluster_ns_count(c); i++)
 * cluster_ns_at(c, i). */
uint32_t cluster_ns_count(const struct cluster *c);
struct ns *cluster_ns_at(const struct cluster *c, uint32_t i);

/* The classes a verdict on `w` is the worst over: those with pods, or the template's when there are
 * none. Iterate all of w->classes and ask. */
bool workload_class_counts(const struct workload *w, const struct pod_class *pc);

/* Reverse references: Ingresses that name a Service, Secret or IngressClass (by field or
 * annotation). The vector belongs to the cluster and is valid until the next change; NULL when
 * none. */
struct ingress_vec {
    VEC(const struct ingress *) v;
};
const struct ingress_vec *cluster_ingresses_of_service(const struct cluster *c, const char *ns,
                                                       const char *service);
const struct ingress_vec *cluster_ingresses_of_secret(const struct cluster *c, const char *ns,
                                                      const char *secret);
const struct ingress_vec *cluster_ingresses_of_class(const struct cluster *c,
                                                     const char *ingress_class);

/* Files: which kinds the input held at all (bit of enum kind), and whether the input is the whole
 * cluster. On a live cluster every watched kind counts as present. */
void cluster_set_offline(struct cluster *c, unsigned kinds_present, bool complete);
bool cluster_offline(const struct cluster *c);
bool cluster_kind_in_input(const struct cluster *c,
                           enum kind kind); /* true live, and with `complete` */

bool cluster_complete(const struct cluster *c); /* what is not there does not exist: live, and with
                                                   `complete` */

/* Pods and bytes, for status, metrics and benchmarks. */
uint64_t cluster_pod_count(const struct cluster *c);

/* One pod, as far as it is kept. The view is the caller's; what it points to is the cluster's. */
enum { POD_IPS_MAX = 4 };
struct pod_view {
    const struct ns *ns;
    const char *name;
    const struct pod_class *pod_class; /* NULL when finished */
    bool finished;
    uint8_t ip_count;
    struct cidr ips[POD_IPS_MAX]; /* single addresses */
};
typedef void cluster_pod_fn(void *ctx, const struct pod_view *pod);
/* Every pod of `ns`, or of all namespaces when it is NULL, in no order that means anything. */
void cluster_each_pod(const struct cluster *c, const struct ns *ns, cluster_pod_fn *fn, void *ctx);
/* False when there is none of that name. */
bool cluster_pod(const struct cluster *c, const char *ns, const char *name, struct pod_view *out);

/* The objects of a cluster-scoped policy kind, in no order that means anything; never NULL. Valid
 * until the next change. */
struct object_vec {
    VEC(const struct object *) v;
};
const struct object_vec *cluster_objects(const struct cluster *c, enum kind kind);
/* Does the API server serve the kind (it may be forbidden or stale all the same)? Files: is it in
 * the input? */
bool cluster_kind_served(const struct cluster *c, enum kind kind);

/* Policy families that we do not model and that hold objects, such as "NetworkPolicy of
 * crd.projectcalico.org": NULL-terminated, never NULL. No delta when set: whoever sets it has
 * everything judged again. */
void cluster_set_unmodelled(struct cluster *c, const char *const *names);
const char *const *cluster_unmodelled(const struct cluster *c);

/* Is the API group cert-manager.io served? True until told otherwise, and for files. No delta:
 * whoever tells it has everything judged again. */
void cluster_set_cert_manager(struct cluster *c, bool served);
bool cluster_cert_manager(const struct cluster *c);

/* The smallest CIDRs that hold the addresses of the cluster's own pods, those on the host network
 * left out: one for each /16 of IPv4 and each /48 of IPv6 that has any, in no order. `fn` must not
 * change the cluster. */
typedef void cluster_range_fn(void *ctx, const struct cidr *range);
void cluster_pod_ranges(const struct cluster *c, cluster_range_fn *fn, void *ctx);
/* The families of all pods' addresses: bit 0 IPv4, bit 1 IPv6. */
unsigned cluster_pod_families(const struct cluster *c);

/* uid of Namespace kube-system: the cluster id; NULL until known. */
const char *cluster_kube_system_uid(const struct cluster *c);

#endif
