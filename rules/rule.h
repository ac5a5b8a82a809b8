/* A rule is a row of data and a pure function (STYLE 4). It reads the subject and a const view of
 * the cluster and says one verdict. No clock, no I/O, no logging, no statics. The rows are in
 * rules/check_*.c; rules/catalogue.c lists them. */
#ifndef NETAUDITD_RULES_RULE_H
#define NETAUDITD_RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "cluster/cluster.h"
#include "rules/verdict.h"

enum subject_kind {
    SUBJECT_NAMESPACE,
    SUBJECT_WORKLOAD,
    SUBJECT_SERVICE,
    SUBJECT_INGRESS,
    SUBJECT_POLICY, /* of any family */
    SUBJECT_KIND_COUNT
};

/* The kinds of policies, as bits of enum kind. */
#define POLICY_KINDS                                                                               \
    (BIT(KIND_NETWORK_POLICY) | BIT(KIND_CLUSTER_NETWORK_POLICY) |                                 \
     BIT(KIND_ADMIN_NETWORK_POLICY) | BIT(KIND_BASELINE_ADMIN_NETWORK_POLICY) |                    \
     BIT(KIND_CILIUM_NETWORK_POLICY) | BIT(KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY))

struct subject {
    enum subject_kind kind;
    const struct ns *ns; /* the namespace it is in, or is; NULL for a cluster-scoped policy */
    union {
        const struct workload *workload;
        const struct service *service;
        const struct ingress *ingress;
        const struct object *policy; /* its kind is one of POLICY_KINDS */
    };
};

/* Labels that exemptions and label rules look at: the object's own; for workloads the pod
 * template's. */
const struct label_set *subject_labels(const struct subject *s);
const struct label_set *subject_annotations(const struct subject *s);
const struct origin *subject_origin(const struct subject *s); /* NULL live */
void subject_ref_of(const struct subject *s, struct subject_ref *out);
/* The kind that it is watched by: KIND_POD for workloads. */
enum kind subject_own_kind(const struct subject *s);
/* NULL: a workload whose kind is not watched, or a namespace that is only spoken of. */
const struct object *subject_object(const struct subject *s);
const char *subject_namespace(const struct subject *s); /* "" for cluster-scoped policies */

/* How a change of a kind can alter a verdict: which subjects are dirty. */
enum depend_how {
    DEPEND_END,
    DEPEND_SELF, /* the subject is the object that changed (workload subjects: their object, pods or
                    classes) */
    DEPEND_NAMESPACE,  /* every subject in the namespace of the changed object, and every
                          cluster-scoped one (its Namespace's labels are always this: environment
                          and exemptions; rows need not say it) */
    DEPEND_SELECTED,   /* subjects that select, or are selected by, the changed object (old or new
                          state); policies also by their peers */
    DEPEND_REFERENCED, /* subjects that name the changed object (Ingress -> Service, Secret,
                          IngressClass) */
    DEPEND_RELATED, /* subjects of the changed object's own kind that have something in common with
                       it, before or after: Ingresses of one ALB group, or of one class where it
                       holds TLS for a host of theirs */
    DEPEND_DNS,     /* every subject, when the change is in a namespace of the rule's parameter
                       `dns-services` */
    DEPEND_MESH,    /* as DEPEND_NAMESPACE, but every subject when the change is in the namespace of
                       the rule's parameter `istio-root-namespace`, or when Linkerd comes into use or
                       goes out of it */
    DEPEND_ADDRESSES, /* KIND_POD: every subject, when the ranges of the pods' addresses change */
    DEPEND_CLUSTER    /* every subject */
};
struct depend {
    enum kind kind; /* KIND_POD stands for pod classes and workloads, whatever the owner's kind */
    enum depend_how how;
};

enum level { LEVEL_OFF, LEVEL_WARN, LEVEL_FAIL };

enum param_type {
    PARAM_END,
    PARAM_INT,
    PARAM_DURATION,
    PARAM_TEXT,
    PARAM_LIST,
    PARAM_MAP,
    PARAM_RANGE /* "lo-hi" */,
    PARAM_BOOL
};
struct param {
    const char *name;
    enum param_type type;
    const char *initial; /* as text: "1", "5m", "a,b,c", "k=v,k2=v2", "30000-32767", "true" */
    const char *about;
};

struct label_pair {
    const char *key, *value;
};

struct rule_input;
struct dns_memo;
struct reach_memo;
struct outcome;

struct rule {
    const char *policy, *rule, *title, *category;
    enum severity severity;
    unsigned subjects;     /* bits of enum subject_kind */
    unsigned policy_kinds; /* SUBJECT_POLICY: bits of enum kind, of those only; 0: POLICY_KINDS */
    const struct depend *depends; /* ends with DEPEND_END */
    unsigned needs; /* bits of enum kind without which nothing can be said: unavailable = error */
    uint8_t levels[ENV_COUNT];  /* enum level, columns P S D O of RULES.md */
    const struct param *params; /* NULL or ends with PARAM_END */
    const char *const
        *exempt_namespaces; /* NULL or NULL-terminated: built in, from the templates */
    const struct label_pair *exempt_labels; /* NULL or ends with key NULL: any one suffices */
    const char *description;                /* what it checks and why, some sentences */
    const char *remediation;                /* concrete text or a manifest */
    const char *false_positives;            /* when it may be wrong; "" if never */
    const char *const *references;          /* NULL-terminated: "CIS Kubernetes 5.3.2", ... */
    void (*evaluate)(const struct rule_input *in, struct outcome *out);
};

struct rule_params; /* effective values of one rule's parameters: rules/ruleset.h */

struct rule_input {
    const struct rule *rule;
    const struct cluster *cluster;
    const struct subject *subject;
    enum environment environment;
    const struct rule_params *params;
    int64_t now_ms;
    bool linkerd_in_use;     /* rules/mesh.h: somewhere in the cluster */
    struct arena *arena;     /* for texts of the outcome; reset after the verdict has been taken */
    struct reach_memo *memo; /* rules/reach.h: what policies mean, shared between the rules */
    struct dns_memo *dns;    /* rules/dns.h: the cluster's DNS, likewise; NULL: not remembered */
};

/* ---- saying it: exactly one of pass/fail/warn/skip/error per evaluation, the last counts ---- */
struct outcome {
    enum result result;
    const char *message;
    const char *field; /* the deciding field's path, for file:line */
    const char *subkey;
    int64_t grace_ms, valid_until_ms;
    bool kind_unavailable;
    bool kind_off;  /* skipped because a kind is not watched by configuration */
    enum kind kind; /* which one, when either is so */
    struct evidence_item *evidence, *evidence_last; /* arena */
    uint32_t evidence_count;
    struct arena *arena;
};
void finding_pass(struct outcome *out);
void finding_pass_because(struct outcome *out, const char *why);
/* `message` is a literal or arena text that lives as long as the evaluation. */
void finding_fail(struct outcome *out, const char *message);
void finding_warn(struct outcome *out, const char *message);
void finding_skip(struct outcome *out, const char *why);
void finding_error(struct outcome *out, const char *why);
void finding_field(struct outcome *out, const char *field_path_fmt, ...)
    __attribute__((format(printf, 2, 3)));
void finding_grace(struct outcome *out, int64_t grace_ms);
void finding_valid_until(struct outcome *out, int64_t at_ms);
/* Evidence: the deciding objects and the values seen; at most 50 items are kept, the rest counted
 * as "more". Printed as {"objects": [{kind, namespace, name, resourceVersion}], "<key>": "value" or
 * [values]}. */
void evidence_object(struct outcome *out, const char *kind, const struct object *obj);
void evidence_value(struct outcome *out, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* May the rule rely on `kind` being there? True: yes. False: the outcome has been set: error
 * (forbidden, stale, not synced), or skip "not in the input" (files without any object of it and no
 * --complete), or skip with the setting that would help (KIND_STATE_OFF). */
bool rule_relies_on(const struct rule_input *in, struct outcome *out, enum kind kind);

/* Effective parameters; the name must be in the row (else abort: our own mistake). */
int64_t param_int(const struct rule_input *in, const char *name); /* INT, DURATION (ms), BOOL */
const char *param_text(const struct rule_input *in, const char *name);
const char *const *param_list(const struct rule_input *in, const char *name); /* NULL-terminated */
bool param_list_has(const struct rule_input *in, const char *name, const char *value);
const struct label_pair *param_map(const struct rule_input *in,
                                   const char *name); /* ends with key NULL */
void param_range(const struct rule_input *in, const char *name, int64_t *lo, int64_t *hi);

/* ---- the catalogue ---- */
size_t rule_count(void);
const struct rule *rule_at(size_t i); /* sorted by policy, then rule */
/* "policy/rule", or a rule name that is unique, aliases included
 * (restrict-egress-traffic/block-external-ips). NULL. */
const struct rule *rule_find(const char *id);
size_t rule_index(const struct rule *r);
/* The own kinds of its subjects, as bits of enum kind; 0: such subjects are none of its business.
 */
unsigned rule_own_kinds(const struct rule *r, enum subject_kind s);
/* Is it about subjects of this kind and own kind? */
bool rule_is_about(const struct rule *r, enum subject_kind s, enum kind own);

#endif
