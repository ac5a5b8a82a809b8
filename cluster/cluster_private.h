/* The insides of the cluster cache, shared by the files that make it up and by nobody else.
 *
 * A pod is kept as a `struct pod` of some 90 bytes that points to a *spec*: everything its siblings
 * have in common, interned. Specs are invisible: a shadow generation may hold them. The first live
 * pod of a spec finds or makes the spec's *class*, and with it the workload and the namespace:
 * these are what rules see. Each change runs in a transaction that remembers how the things it
 * touches looked before, and speaks (deltas) only when all is in place. */
#ifndef NETAUDITD_CLUSTER_PRIVATE_H
#define NETAUDITD_CLUSTER_PRIVATE_H

#include "base/vec.h"
#include "cluster/cluster.h"
#include "cluster/table.h"

/* Labels that differ from pod to pod (DESIGN 4). The first two can be told from the pod's name. */
enum per_pod_key {
    PER_POD_NAME,
    PER_POD_INDEX,
    PER_POD_TEMPLATE_HASH,
    PER_POD_REVISION_HASH,
    PER_POD_TEMPLATE_GENERATION,
    PER_POD_ROLLOUTS_HASH,
    PER_POD_BATCH_CONTROLLER_UID,
    PER_POD_BATCH_JOB_NAME,
    PER_POD_COMPLETION_INDEX,
    PER_POD_CONTROLLER_UID,
    PER_POD_JOB_NAME,
    PER_POD_KEYS
};
#define PER_POD_DERIVABLE ((uint16_t)(BIT(PER_POD_NAME) | BIT(PER_POD_INDEX)))

struct ns_entry {
    struct ns pub;
    struct table pods;                     /* struct pod, by name */
    VEC(struct workload_object *) middles; /* ReplicaSets and Jobs of files */
    uint32_t named[PER_POD_KEYS];          /* selectors of this namespace that name the key */
    uint16_t mask;                         /* keys that its classes show now */
    bool mask_noted;
    uint32_t touch; /* 1 + place among the touched, 0: untouched */
};

struct workload_entry {
    struct workload pub;
    struct class_entry *lead; /* without a template: the class whose labels stand for it */
    uint32_t touch;
};

struct class_entry {
    struct pod_class pub;
    uint32_t touch;
};

/* What pods have in common, and no more than one pod when it stands for itself. Interned by all of
 * it. */
struct pod_spec {
    uint32_t refs, hash;
    uint32_t live;          /* attached pods that have not finished */
    uint16_t explicit_keys; /* derivable labels that `labels` holds nevertheless: a selector names
                               them */
    bool cron_suffix;       /* owned by a Job whose name ends in a credible minute */
    struct str *ns;
    struct label_set *labels; /* all but the derivable ones */
    struct label_set *annotations;
    struct pod_shape *shape;
    struct owner_ref owner;  /* the pod itself when nothing else owns it */
    struct class_entry *cls; /* while live > 0 */
    struct origin *origin;   /* of the first of its pods; borrowed; NULL live */
};

enum pod_flag {
    POD_FINISHED = BIT(0),
    POD_DELETING = BIT(1),
    POD_HAS_NAME_LABEL = BIT(2),  /* statefulset.kubernetes.io/pod-name: its own name */
    POD_HAS_INDEX_LABEL = BIT(3), /* apps.kubernetes.io/pod-index: the number its name ends in */
    POD_UID_BINARY = BIT(4),      /* uid is a UUID's 16 bytes; else a struct str * or NULL */
    POD_RV_NUMBER = BIT(5),       /* rv is the number; else a struct str * or NULL */
};

struct pod {
    struct pod_spec *spec;
    uint64_t rv;
    uint8_t uid[16];
    uint32_t generation; /* the shadow generation that has seen it unchanged */
    uint32_t name_len;
    uint16_t flags;
    uint8_t ip_bytes; /* after the name and its NUL: family byte and 4 or 16 bytes each */
    char name[];
};
enum { POD_UID_TEXT = 40, POD_RV_TEXT = 24 };

/* The write that is being applied. One of the two is set, or neither (kind states). */
struct note {
    enum change_verb verb;
    const struct object *obj;
    const struct pod *pod;
};

struct touched_ns {
    struct ns_entry *e;
    struct note note;
    bool existed, exists;
};
struct touched_workload {
    struct workload_entry *w;
    struct note note;
    bool existed, exists, recreated, object_changed;
    bool deleting, acme_solver; /* this and the rest: as it was */
    struct str *uid, *version;
    struct label_set *labels, *annotations;
};
struct touched_class {
    struct class_entry *cls;
    struct note note;
    bool existed, exists, had_pods, was_template;
};
struct object_change {
    enum kind kind;
    struct ns *ns;
    const struct object *before, *after;
    struct note note;
    bool recreated; /* another object under the same name: a delete and a create */
    struct note gone;
};

struct noted_mask { /* a namespace whose classes may have to show other labels */
    struct ns_entry *e;
    struct note note;
};

struct transaction {
    bool open;
    int64_t from_ms, to_ms;
    struct note note; /* of the write being applied now */
    VEC(struct touched_ns) namespaces;
    VEC(struct touched_workload) workloads;
    VEC(struct touched_class) classes;
    VEC(struct object_change) changes;
    VEC(struct noted_mask) noted_masks;
    VEC(struct object *) dead_objects;
    VEC(struct pod *) dead_pods;
};

/* The addresses of one /16 (IPv6: /48): the smallest range that holds them, and how many of them
 * are in its lower half. As long as both halves have some it is the smallest. */
struct pod_range {
    struct cidr range, told; /* told.family 0: not yet */
    uint32_t total, low, hash;
    bool touched;
};

struct pod_addresses {
    struct table ranges;             /* struct pod_range by family and group */
    VEC(struct pod_range *) touched; /* since the last settling */
    uint64_t in_family[2];           /* pods' addresses, those on the host network as well */
    unsigned families;               /* as last told */
    struct note note;                /* of the newest write that counted */
};

struct cluster {
    cluster_delta_fn *fn;
    void *ctx;
    struct kind_status kinds[KIND_COUNT];
    struct table objects[KIND_COUNT]; /* struct object by namespace and name; pods live in their
                                         namespaces */
    struct table namespaces;          /* struct ns_entry by name */
    VEC(struct ns_entry *) ns_list;
    struct object_vec wide[KIND_COUNT]; /* cluster-scoped policies, by kind */
    VEC(char *) unmodelled;             /* ends with NULL once it was set */
    struct table workloads, classes, specs, references;
    uint32_t named[PER_POD_KEYS]; /* selectors that reach into other namespaces and name the key */
    struct str *per_pod_keys[PER_POD_KEYS];
    struct label_set *no_labels;
    bool offline, complete, no_cert_manager;
    bool synced; /* cluster_synced has been true */
    unsigned kinds_present;
    uint32_t last_generation;
    uint32_t swaps; /* generations that are being swapped in in slices */
    VEC(struct cluster_generation *) generations; /* open ones */
    struct pod_addresses addresses;
    struct transaction txn;
};

/* ---- pod_ranges.c ---- */
/* One pod that counts came (+1) or went (-1). */
void addresses_count(struct cluster *c, const struct pod *pod, int by);
/* Narrows the ranges to what is there. True: they are others than before, or the families are. */
bool addresses_settle(struct cluster *c);
void addresses_free(struct cluster *c);

/* ---- transaction.c ---- */
void txn_begin(struct cluster *c, int64_t from_ms, int64_t to_ms);
/* Settles what was touched, delivers the deltas, frees what is gone. */
void txn_commit(struct cluster *c);
void touch_ns(struct cluster *c, struct ns_entry *e, bool existed);
struct touched_workload *touch_workload(struct cluster *c, struct workload_entry *w, bool existed);
void touch_class(struct cluster *c, struct class_entry *cls, bool existed);

/* ---- namespace.c ---- */
struct ns_entry *ns_find(const struct cluster *c, const struct str *name);
struct ns_entry *ns_get(struct cluster *c, struct str *name); /* made when absent */
bool ns_is_empty(const struct ns_entry *e);
void ns_unlink(struct cluster *c, struct ns_entry *e);
void ns_free(struct ns_entry *e);
/* Counts the per-pod keys that the selectors of `obj` name, `by` +1 or -1. */
void ns_count_keys(struct cluster *c, struct ns_entry *e, const struct object *obj, int by);
/* Brings the classes of every noted namespace in line with the keys named now. */
void ns_settle_masks(struct cluster *c);
struct label_set *ns_visible_labels(const struct cluster *c, const struct ns_entry *e,
                                    struct label_set *labels); /* one reference */

/* ---- owner.c ---- */
struct identity { /* of a workload; every member one reference, uid may be NULL */
    struct str *group, *version, *kind, *name, *uid;
};
void identity_deinit(struct identity *id);
/* The top owner of the pods of `spec`. */
void owner_of_spec(const struct cluster *c, const struct pod_spec *spec, struct identity *out);
/* The owner only leads on to another by its name: its uid is of no use to anybody. */
bool owner_is_named_only(const struct cluster *c, const struct pod_spec *spec);
/* Files: the workload of the input that this ReplicaSet, ReplicationController or Job belongs to;
 * NULL when there is none. */
const struct object *owner_of_middle(const struct cluster *c, const struct workload_object *middle);
/* Files: it names a Deployment or CronJob as its owner, and so belongs to it even where the input
 * lacks that owner. True: *out is deinited first, and then the owner's, without uid. */
bool owner_named_by_middle(const struct workload_object *middle, struct identity *out);
bool is_middle_kind(enum kind kind);
/* The Job's name ends in '-' and the minutes since the epoch, between a year before and an hour
 * after `created_ms`. */
bool owner_cron_suffix(const char *job, int64_t created_ms);

/* ---- workload.c ---- */
struct workload_entry *workload_get(struct cluster *c, struct ns_entry *e,
                                    const struct identity *id);
struct workload_entry *workload_lookup(const struct cluster *c, const struct str *ns,
                                       const struct str *group, const struct str *kind,
                                       const struct str *name);
/* The object of a workload came, changed (also its resolution) or went (NULL). */
void workload_set_object(struct cluster *c, struct ns_entry *e, const struct workload_object *obj);
void workload_drop_object(struct cluster *c, const struct workload_object *obj);
/* Files: the absent owner `id` of ReplicaSets or Jobs stands by the template of one of them, the
 * youngest; NULL when none is left. */
void workload_lend_object(struct cluster *c, struct ns_entry *e, const struct identity *id,
                          const struct workload_object *lent);
void workload_set_template(struct cluster *c, struct workload_entry *w);
/* Labels and annotations after its classes have settled. */
void workload_settle(struct cluster *c, struct workload_entry *w);
void workload_unlink(struct cluster *c, struct workload_entry *w);
void workload_free(struct workload_entry *w);

/* ---- pod_class.c ---- */
struct class_entry *class_get(struct cluster *c, struct ns_entry *e, struct workload_entry *w,
                              struct label_set *labels, struct label_set *annotations,
                              struct pod_shape *shape);
void class_unlink(struct cluster *c, struct class_entry *cls);
void class_free(struct class_entry *cls);
/* An order by content, so that the choice between classes does not depend on history. */
int class_compare(const struct class_entry *a, const struct class_entry *b);

/* ---- pod_spec.c ---- */
/* One reference. `explicit_keys`: the derivable labels to be held. *flags gets POD_HAS_*. */
struct pod_spec *spec_intern(struct cluster *c, const struct pod_object *obj,
                             uint16_t explicit_keys, uint16_t *flags);
/* The spec of the same pod with another choice of derivable labels; one reference. */
struct pod_spec *spec_with_keys(struct cluster *c, const struct pod *pod, uint16_t explicit_keys);
void spec_unref(struct cluster *c, struct pod_spec *spec);
static inline bool spec_is_bare(const struct pod_spec *spec)
{
    return !spec->owner.controller;
}

/* ---- pod.c ---- */
struct pod *pod_create(struct cluster *c, const struct pod_object *obj, uint16_t mask);
void pod_free(struct cluster *c, struct pod *pod);
struct pod *pod_find(const struct ns_entry *e, const char *name, size_t len);
uint32_t pod_hash(const void *item);
const char *pod_uid(const struct pod *pod, char out[POD_UID_TEXT]); /* NULL when unknown */
const char *pod_rv(const struct pod *pod, char out[POD_RV_TEXT]);
bool pod_same_uid(const struct pod *a, const struct pod *b);
bool pod_same(const struct pod *a, const struct pod *b); /* resourceVersion left out */
/* `fresh` is older than `old` by resourceVersion. */
bool pod_is_older(const struct pod *fresh, const struct pod *old);
/* The very same pod, seen again: only its version is kept. */
void pod_note_version(struct pod *old, struct pod *fresh);
void pod_attach(struct cluster *c, struct ns_entry *e, struct pod *pod);
void pod_detach(struct cluster *c, struct ns_entry *e, struct pod *pod);
/* In a transaction: `fresh` (taken) instead of `old` (may be NULL). */
void pod_put(struct cluster *c, struct ns_entry *e, struct pod *old, struct pod *fresh);
void pod_drop(struct cluster *c, struct ns_entry *e, struct pod *old);

/* ---- references.c ---- */
void references_add(struct cluster *c, const struct ingress *ing);
void references_remove(struct cluster *c, const struct ingress *ing);
void references_free(struct cluster *c);

/* ---- objects.c ---- */
struct object *objects_find(const struct cluster *c, enum kind kind, const struct str *ns,
                            const struct str *name);
uint32_t object_hash(const void *item);
struct object_key {
    const struct str *ns, *name;
};
bool object_same_key(const void *item, const void *key);
/* In a transaction: `obj` (taken) instead of `before` (may be NULL). */
void objects_put(struct cluster *c, struct object *before, struct object *obj);
void objects_drop(struct cluster *c, struct object *before);
/* -1, 0, 1; 0 when the two cannot be compared (KUBE_CLIENT B12). */
int version_compare(const char *a, const char *b);
bool objects_is_older(const struct object *fresh, const struct object *old);
/* The very same content, seen again: only the version is kept. */
void objects_note_version(struct cluster *c, struct object *old, struct object *fresh);

#endif
