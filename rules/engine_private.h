/* The inside of the engine: between rules/engine.c (running), dirty.c (who must be judged again),
 * subjects.c (who is there), deadlines.c and kinds.c. */
#ifndef NETAUDITD_RULES_ENGINE_PRIVATE_H
#define NETAUDITD_RULES_ENGINE_PRIVATE_H

#include "base/vec.h"
#include "cluster/table.h"
#include "rules/engine.h"
#include "rules/judge.h"

enum { RULES_PER_SUBJECT_MAX = 64, RULES_MAX = 128, DEPEND_HOWS = DEPEND_CLUSTER + 1 };

struct held_cause { /* a cause that outlives the delta which brought it */
    uint32_t refs;
    struct cause cause; /* its texts follow */
};

struct mark {       /* these rules of a subject, because of that write */
    uint64_t rules; /* bits of the subject kind's own list */
    struct held_cause *cause;
    struct mark *next;
};

struct said {                 /* the last verdict of one rule about a subject */
    uint64_t digest;          /* 0: nothing yet */
    uint8_t unavailable, off; /* kinds, as struct judge_kinds */
};

/* Pods, or namespaces, that a policy selects as subject or peer; both selectors are borrowed from
 * the policy. */
struct look {
    const struct selector *namespaces, *pods; /* NULL: any */
    bool relative;                            /* which namespaces hangs on the subject's */
};

struct tracked { /* a subject, also one that has just gone */
    enum subject_kind kind;
    enum kind own; /* subject_own_kind */
    bool queued;
    uint32_t place; /* in engine.by_kind */
    uint32_t hash;
    struct str *ns, *name; /* Namespace: both its name; ns NULL: cluster-scoped */
    struct str *group, *version, *workload_kind; /* workloads; else NULL */
    struct str *uid;                             /* as last said */
    struct tracked *prev, *next;                 /* the queue */
    struct mark marks;                           /* the first; rules 0: none */
    struct held_cause *gone;                     /* deleted since it was last judged */
    struct look *looks; /* policies: whom they look at beyond their own namespace; NULL: nobody */
    uint32_t look_count, looker_place, wide_place;
    bool wide;          /* in engine.wide */
    struct said *said;  /* by the kind's own list of rules; NULL: nothing */
    int64_t *deadlines; /* likewise; NULL: none */
    int64_t deadline;   /* the soonest; 0: none, and not in the heap */
    uint32_t heap_place;
};

struct rule_list {
    const struct rule *rules[RULES_PER_SUBJECT_MAX];
    uint8_t index[RULES_PER_SUBJECT_MAX]; /* in the catalogue */
    uint32_t count;
    uint64_t all; /* every bit */
};

/* Which rules (bits of the subject kind's list) a change of a kind touches, by how. */
typedef uint64_t depend_masks[KIND_COUNT][DEPEND_HOWS][SUBJECT_KIND_COUNT];

struct kind_count {
    uint32_t unavailable, off; /* subjects kept from being judged */
    uint8_t said;              /* 1 + enum kind_state of the error that was said; 0: none */
};

struct engine {
    const struct cluster *cluster;
    const struct ruleset *ruleset;
    char *cluster_id;
    struct judge judge;
    struct rule_list lists[SUBJECT_KIND_COUNT];
    depend_masks depends;
    uint64_t on_kind[KIND_COUNT][SUBJECT_KIND_COUNT]; /* rules that a kind's state touches */
    struct table subjects;
    VEC(struct tracked *) by_kind[SUBJECT_KIND_COUNT];
    bool judged;              /* somebody has been judged: before, everybody is marked anyway */
    uint32_t classes_changed; /* since the last run */
    VEC(struct tracked *) lookers; /* policies with looks */
    VEC(struct tracked *) wide;    /* cluster-scoped policies */
    uint32_t linkerd_users;        /* namespaces and pod classes that say Linkerd is in use */
    unsigned families;             /* of the pods' addresses */
    struct tracked *first, *last;  /* the queue of dirty ones */
    VEC(struct tracked *) heap;    /* by deadline */
    bool changed;                  /* since reach answers were remembered */
    bool seeding;                  /* not everything that was there at the start is tracked yet */
    uint32_t seeded;               /* namespaces that are */
    struct held_cause *no_cause;

    bool kinds_dirty;
    uint8_t states[KIND_COUNT]; /* 0 fine, else 1 + enum kind_state, as last seen */
    struct held_cause *kind_causes[KIND_COUNT];
    struct kind_count kinds[RULES_MAX][KIND_COUNT];
};

/* ---- subjects.c ---- */
/* What an object of this kind is as a subject; SUBJECT_KIND_COUNT: none (workloads are known by
 * their own structs). */
enum subject_kind subject_of_kind(enum kind kind);
/* Of an object; `ns` NULL where it is cluster-scoped, but for a Namespace its name. */
struct tracked *tracked_find(const struct engine *e, enum kind kind, const struct str *ns,
                             const struct str *name);
struct tracked *tracked_of_workload(const struct engine *e, const struct workload *w);
struct tracked *track(struct engine *e, enum kind kind, struct str *ns, struct str *name);
struct tracked *track_workload(struct engine *e, const struct workload *w);
/* Out of queue, heap and lists, and freed. */
void untrack(struct engine *e, struct tracked *t);
void tracked_free(struct tracked *t);
/* The subject as the cluster holds it now; false when it is not there. */
bool tracked_subject(const struct engine *e, const struct tracked *t, struct subject *out);
void tracked_ref(const struct tracked *t, struct subject_ref *out);
/* Some more of what the cluster holds: a namespace, at last what is in none. False when that was
 * all. */
bool track_some(struct engine *e);

/* ---- dirty_policy.c ---- */
/* The policy is this object now, or gone (NULL). */
void policy_seen(struct engine *e, struct tracked *t, const struct object *obj);

/* ---- dirty.c ---- */
struct held_cause *cause_hold(const struct cause *c); /* one reference; NULL: the empty cause */
struct held_cause *cause_ref(struct held_cause *c);
void cause_unref(struct held_cause *c); /* NULL is fine */
/* These rules of the subject are to be judged because of that. */
void mark(struct engine *e, struct tracked *t, uint64_t rules, struct held_cause *cause);
void mark_everything(struct engine *e, struct held_cause *cause);
void marks_clear(struct tracked *t);
void queue_remove(struct engine *e, struct tracked *t);
void depends_read(struct engine *e);

/* ---- deadlines.c ---- */
/* `at_ms` 0: none. */
void deadline_set(struct engine *e, struct tracked *t, int64_t at_ms);
struct tracked *deadline_first(const struct engine *e); /* NULL when there is none */

/* ---- kinds.c ---- */
void kinds_note(struct engine *e, enum kind kind, struct held_cause *cause);
/* Says what is to be said about kinds themselves. */
void kinds_settle(struct engine *e, const struct engine_sink *sink);
/* 1 + the state when an error about the kind is worth a finding (CONTRACTS 1), else 0. */
uint8_t kind_finding_state(const struct cluster *c, enum kind kind);
/* The kinds that a rule cannot do without. */
unsigned rule_hard_kinds(const struct rule *r);
bool rule_is_on(const struct ruleset *rs, const struct rule *r);

#endif
