/* One change of the cache, from one event or one whole relist. What is touched is remembered with
 * how it looked; dead things stay linked until the end, so that what goes and comes back within one
 * change was never away. Then: dead things are unlinked, deltas are delivered with the whole new
 * state in place, and only then is memory freed. */
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster_private.h"

enum {
    KEEP_CAP = 256
}; /* entries a list keeps for the next transaction; a swap of everything needs far more, once */

struct cause_text {
    char api_version[64], uid[POD_UID_TEXT], rv[POD_RV_TEXT];
};

void txn_begin(struct cluster *c, int64_t from_ms, int64_t to_ms)
{
    c->txn.open = true;
    c->txn.from_ms = from_ms;
    c->txn.to_ms = to_ms;
    c->txn.note = (struct note){ .verb = CHANGE_UPDATE };
}

void touch_ns(struct cluster *c, struct ns_entry *e, bool existed)
{
    if (e->touch == 0) {
        vec_push(&c->txn.namespaces,
                 ((struct touched_ns){ .e = e, .note = c->txn.note, .existed = existed }));
        e->touch = (uint32_t)c->txn.namespaces.len;
    }
}

struct touched_workload *touch_workload(struct cluster *c, struct workload_entry *w, bool existed)
{
    if (w->touch == 0) {
        struct touched_workload t = { .w = w,
                                      .note = c->txn.note,
                                      .existed = existed,
                                      .deleting = w->pub.deleting,
                                      .acme_solver = w->pub.acme_solver,
                                      .uid = str_ref(w->pub.uid),
                                      .version = str_ref(w->pub.version),
                                      .labels = label_set_ref(w->pub.pod_labels),
                                      .annotations = label_set_ref(w->pub.pod_annotations) };

        vec_push(&c->txn.workloads, t);
        w->touch = (uint32_t)c->txn.workloads.len;
    }
    return &c->txn.workloads.items[w->touch - 1];
}

void touch_class(struct cluster *c, struct class_entry *cls, bool existed)
{
    if (cls->touch == 0) {
        struct touched_class t = { .cls = cls,
                                   .note = c->txn.note,
                                   .existed = existed,
                                   .had_pods = cls->pub.pods > 0,
                                   .was_template = cls->pub.is_template };

        vec_push(&c->txn.classes, t);
        cls->touch = (uint32_t)c->txn.classes.len;
    }
}

/* ---- settling ---------------------------------------------------------------------------------
 */

static void settle_classes(struct cluster *c)
{
    for (size_t i = 0; i < c->txn.classes.len; i++) {
        struct touched_class *t = &c->txn.classes.items[i];
        struct workload_entry *w = (struct workload_entry *)t->cls->pub.workload;

        t->exists = t->cls->pub.pods > 0 || t->cls->pub.is_template;
        if (t->exists && t->existed) {
            continue;
        }
        c->txn.note = t->note;
        touch_workload(c, w, true);
        if (!t->exists) { /* also what came and went within the transaction: it is linked */
            class_unlink(c, t->cls);
        } else if (w->lead != NULL && class_compare(t->cls, w->lead) < 0) {
            w->lead = t->cls;
        }
    }
}

static void settle_workloads(struct cluster *c)
{
    for (size_t i = 0; i < c->txn.workloads.len; i++) {
        struct touched_workload *t = &c->txn.workloads.items[i];

        t->exists = t->w->pub.object != NULL || t->w->pub.pods > 0;
        if (t->exists) {
            workload_settle(c, t->w);
        } else {
            c->txn.note = t->note;
            touch_ns(c, (struct ns_entry *)t->w->pub.ns, true);
            workload_unlink(c, t->w);
        }
    }
}

static void settle_namespaces(struct cluster *c)
{
    for (size_t i = 0; i < c->txn.namespaces.len; i++) {
        struct touched_ns *t = &c->txn.namespaces.items[i];

        t->exists = !ns_is_empty(t->e);
        if (!t->exists) {
            ns_unlink(c, t->e);
        }
    }
}

/* ---- speaking ---------------------------------------------------------------------------------
 */

static void fill_cause(const struct cluster *c, const struct note *n, struct cause *out,
                       struct cause_text *text)
{
    const struct kind_row *row = &kind_table[n->pod != NULL ? KIND_POD : n->obj->kind];
    const char *uid, *rv;

    kind_api_version(row, text->api_version);
    *out = (struct cause){ .verb = n->verb,
                           .api_version = text->api_version,
                           .kind = row->name,
                           .from_ms = c->txn.from_ms,
                           .to_ms = c->txn.to_ms };
    if (n->pod != NULL) {
        uid = pod_uid(n->pod, text->uid);
        rv = pod_rv(n->pod, text->rv);
        out->ns = n->pod->spec->ns->text;
        out->name = n->pod->name;
        out->uid = uid != NULL ? uid : "";
        out->resource_version = rv != NULL ? rv : "";
        return;
    }
    out->ns = str_text(n->obj->ns);
    out->name = str_text(n->obj->name);
    out->uid = str_text(n->obj->uid);
    out->resource_version = str_text(n->obj->resource_version);
    /* Who deletes leaves no managedFields entry: the newest one is of an earlier write. */
    if (n->obj->cause.manager != NULL && n->verb != CHANGE_DELETE && n->verb != CHANGE_GONE) {
        out->manager = n->obj->cause.manager->text;
        out->manager_ms = n->obj->cause.time_ms;
    }
}

static void say(struct cluster *c, struct delta *d, const struct note *n)
{
    struct cause_text text;
    struct cause cause;

    fill_cause(c, n, &cause, &text);
    /* cppcheck-suppress autoVariables ; the delta lives during the call only */
    d->cause = &cause;
    c->fn(c->ctx, d);
}

static void say_namespaces(struct cluster *c, bool exists)
{
    for (size_t i = 0; i < c->txn.namespaces.len; i++) {
        struct touched_ns *t = &c->txn.namespaces.items[i];

        if (t->exists == exists && t->existed != exists) {
            say(c,
                &(struct delta){ .what = DELTA_NAMESPACE,
                                 .op = exists ? DELTA_ADDED : DELTA_DELETED,
                                 .ns = &t->e->pub },
                &t->note);
        }
    }
}

/* `before` or `after` may be NULL. */
static void say_object(struct cluster *c, const struct object_change *change,
                       const struct object *before, const struct object *after,
                       const struct note *note)
{
    say(c,
        &(struct delta){ .what = DELTA_OBJECT,
                         .op = before == NULL  ? DELTA_ADDED
                               : after == NULL ? DELTA_DELETED
                                               : DELTA_MODIFIED,
                         .kind = change->kind,
                         .ns = change->ns,
                         .before = before,
                         .after = after },
        note);
}

static void say_objects(struct cluster *c)
{
    for (size_t i = 0; i < c->txn.changes.len; i++) {
        struct object_change *change = &c->txn.changes.items[i];

        if (change->recreated) {
            say_object(c, change, change->before, NULL, &change->gone);
            say_object(c, change, NULL, change->after, &change->note);
        } else {
            say_object(c, change, change->before, change->after, &change->note);
        }
    }
}

static bool workload_changed(const struct touched_workload *t)
{
    const struct workload *w = &t->w->pub;

    return t->object_changed || t->labels != w->pod_labels ||
           t->annotations != w->pod_annotations || t->deleting != w->deleting ||
           t->acme_solver != w->acme_solver || t->uid != w->uid || t->version != w->version;
}

static void say_workload(struct cluster *c, struct touched_workload *t, enum delta_op op)
{
    say(c,
        &(struct delta){
            .what = DELTA_WORKLOAD, .op = op, .ns = t->w->pub.ns, .workload = &t->w->pub },
        &t->note);
}

static void say_workloads(struct cluster *c, bool living)
{
    for (size_t i = 0; i < c->txn.workloads.len; i++) {
        struct touched_workload *t = &c->txn.workloads.items[i];

        if (t->exists != living || (!t->exists && !t->existed)) {
            continue;
        }
        if (!t->exists) {
            say_workload(c, t, DELTA_DELETED);
        } else if (!t->existed) {
            say_workload(c, t, DELTA_ADDED);
        } else if (t->recreated) {
            say_workload(c, t, DELTA_DELETED);
            say_workload(c, t, DELTA_ADDED);
        } else if (workload_changed(t)) {
            say_workload(c, t, DELTA_MODIFIED);
        }
    }
}

static void say_classes(struct cluster *c, bool living)
{
    for (size_t i = 0; i < c->txn.classes.len; i++) {
        struct touched_class *t = &c->txn.classes.items[i];
        struct pod_class *pc = &t->cls->pub;
        enum delta_op op = !t->exists ? DELTA_DELETED : !t->existed ? DELTA_ADDED : DELTA_MODIFIED;
        bool changed = t->had_pods != (pc->pods > 0) || t->was_template != pc->is_template;

        if (t->exists == living && (t->exists || t->existed) && (op != DELTA_MODIFIED || changed)) {
            say(c,
                &(struct delta){ .what = DELTA_CLASS,
                                 .op = op,
                                 .ns = pc->ns,
                                 .workload = pc->workload,
                                 .pod_class = pc },
                &t->note);
        }
    }
}

/* Parents before children on the way in, after them on the way out. */
static void say_all(struct cluster *c, bool addresses)
{
    if (c->fn == NULL) {
        return;
    }
    say_namespaces(c, true);
    say_objects(c);
    say_workloads(c, true);
    say_classes(c, true);
    say_classes(c, false);
    say_workloads(c, false);
    say_namespaces(c, false);
    if (addresses) {
        say(c, &(struct delta){ .what = DELTA_ADDRESSES, .op = DELTA_MODIFIED },
            &c->addresses.note);
    }
}

/* ---- forgetting -------------------------------------------------------------------------------
 */

#define REUSE(vec)                                                                                 \
    do {                                                                                           \
        (vec)->len = 0;                                                                            \
        if ((vec)->cap > KEEP_CAP) {                                                               \
            vec_free(vec);                                                                         \
        }                                                                                          \
    } while (0)

static void forget(struct cluster *c)
{
    struct transaction *txn = &c->txn;

    for (size_t i = 0; i < txn->classes.len; i++) {
        txn->classes.items[i].cls->touch = 0;
        if (!txn->classes.items[i].exists) {
            class_free(txn->classes.items[i].cls);
        }
    }
    for (size_t i = 0; i < txn->workloads.len; i++) {
        struct touched_workload *t = &txn->workloads.items[i];

        t->w->touch = 0;
        str_unref(t->uid);
        str_unref(t->version);
        label_set_unref(t->labels);
        label_set_unref(t->annotations);
        if (!t->exists) {
            workload_free(t->w);
        }
    }
    for (size_t i = 0; i < txn->namespaces.len; i++) {
        txn->namespaces.items[i].e->touch = 0;
        if (!txn->namespaces.items[i].exists) {
            ns_free(txn->namespaces.items[i].e);
        }
    }
    for (size_t i = 0; i < txn->dead_pods.len; i++) {
        pod_free(c, txn->dead_pods.items[i]);
    }
    for (size_t i = 0; i < txn->dead_objects.len; i++) {
        object_destroy(txn->dead_objects.items[i]);
    }
    REUSE(&txn->classes);
    REUSE(&txn->workloads);
    REUSE(&txn->namespaces);
    REUSE(&txn->changes);
    REUSE(&txn->noted_masks);
    REUSE(&txn->dead_pods);
    REUSE(&txn->dead_objects);
}

void txn_commit(struct cluster *c)
{
    ns_settle_masks(c);
    settle_classes(c);
    settle_workloads(c);
    settle_namespaces(c);
    say_all(c, addresses_settle(c));
    forget(c);
    c->txn.open = false;
}
