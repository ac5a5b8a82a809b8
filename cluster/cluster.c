/* The cache as the other rooms see it. One event: find what we have under that name, see whether
 * anything that we keep has changed, and if so run a transaction. What is older than ours, or the
 * same, ends there. */
#include "cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cluster/cluster_private.h"
#include "cluster/decode.h"

static const char *const per_pod_key_names[PER_POD_KEYS] = {
    [PER_POD_NAME] = "statefulset.kubernetes.io/pod-name",
    [PER_POD_INDEX] = "apps.kubernetes.io/pod-index",
    [PER_POD_TEMPLATE_HASH] = "pod-template-hash",
    [PER_POD_REVISION_HASH] = "controller-revision-hash",
    [PER_POD_TEMPLATE_GENERATION] = "pod-template-generation",
    [PER_POD_ROLLOUTS_HASH] = "rollouts-pod-template-hash",
    [PER_POD_BATCH_CONTROLLER_UID] = "batch.kubernetes.io/controller-uid",
    [PER_POD_BATCH_JOB_NAME] = "batch.kubernetes.io/job-name",
    [PER_POD_COMPLETION_INDEX] = "batch.kubernetes.io/job-completion-index",
    [PER_POD_CONTROLLER_UID] = "controller-uid",
    [PER_POD_JOB_NAME] = "job-name",
};

const char *kind_state_name(enum kind_state s)
{
    static const char *const names[] = {
        [KIND_STATE_PENDING] = "pending", [KIND_STATE_SYNCED] = "synced",
        [KIND_STATE_ABSENT] = "absent",   [KIND_STATE_FORBIDDEN] = "forbidden",
        [KIND_STATE_STALE] = "stale",     [KIND_STATE_OFF] = "off",
    };

    return names[s];
}

const char *change_verb_name(enum change_verb v)
{
    static const char *const names[] = {
        [CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update", [CHANGE_DELETE] = "delete",
        [CHANGE_FOUND] = "found",   [CHANGE_GONE] = "gone",
    };

    return names[v];
}

struct cluster *cluster_create(void)
{
    struct cluster *c = xcalloc(1, sizeof(*c));

    for (unsigned i = 0; i < KIND_COUNT; i++) {
        bool watched = kind_table[i].watch == KIND_WATCH_REQUIRED ||
                       kind_table[i].watch == KIND_WATCH_OPTIONAL;

        c->kinds[i].state = watched                                    ? KIND_STATE_PENDING
                            : kind_table[i].watch == KIND_WATCH_SERVED ? KIND_STATE_ABSENT
                                                                       : KIND_STATE_OFF;
    }
    for (unsigned i = 0; i < PER_POD_KEYS; i++) {
        c->per_pod_keys[i] = str_intern(per_pod_key_names[i]);
    }
    c->no_labels = label_set_intern(NULL, 0);
    return c;
}

static void free_namespace(struct cluster *c, struct ns_entry *e)
{
    TABLE_EACH(&e->pods, struct pod, pod)
    {
        pod_free(c, pod);
    }
    for (size_t i = 0; i < e->pub.classes.len; i++) {
        class_free((struct class_entry *)e->pub.classes.items[i]);
    }
    for (size_t i = 0; i < e->pub.workloads.len; i++) {
        workload_free((struct workload_entry *)e->pub.workloads.items[i]);
    }
    ns_free(e);
}

static void free_unmodelled(struct cluster *c)
{
    for (size_t i = 0; i < c->unmodelled.len; i++) {
        free(c->unmodelled.items[i]);
    }
    vec_free(&c->unmodelled);
}

void cluster_destroy(struct cluster *c)
{
    if (c == NULL) {
        return;
    }
    while (c->generations.len > 0) {
        cluster_replace_abort(c->generations.items[0]);
    }
    vec_free(&c->generations);
    for (size_t i = 0; i < c->ns_list.len; i++) {
        free_namespace(c, c->ns_list.items[i]);
    }
    references_free(c);
    addresses_free(c);
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        TABLE_EACH(&c->objects[i], struct object, obj)
        {
            object_destroy(obj);
        }
        table_deinit(&c->objects[i]);
    }
    table_deinit(&c->namespaces);
    table_deinit(&c->workloads);
    table_deinit(&c->classes);
    table_deinit(&c->specs);
    vec_free(&c->ns_list);
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        vec_free(&c->wide[i].v);
    }
    free_unmodelled(c);
    vec_free(&c->txn.namespaces);
    vec_free(&c->txn.workloads);
    vec_free(&c->txn.classes);
    vec_free(&c->txn.changes);
    vec_free(&c->txn.noted_masks);
    vec_free(&c->txn.dead_objects);
    vec_free(&c->txn.dead_pods);
    for (unsigned i = 0; i < PER_POD_KEYS; i++) {
        str_unref(c->per_pod_keys[i]);
    }
    label_set_unref(c->no_labels);
    free(c);
}

void cluster_on_delta(struct cluster *c, cluster_delta_fn *fn, void *ctx)
{
    c->fn = fn;
    c->ctx = ctx;
}

/* ---- events -----------------------------------------------------------------------------------
 */

/* A namespaced object without a namespace has no place; servers send none. */
static bool has_place(struct cluster *c, const struct object *obj)
{
    if (kind_table[obj->kind].namespaced && obj->ns == NULL) {
        c->kinds[obj->kind].rejected++;
        return false;
    }
    return true;
}

static void apply_pod(struct cluster *c, struct object *obj, int64_t now_ms)
{
    struct ns_entry *e = ns_find(c, obj->ns);
    struct pod *old = e != NULL ? pod_find(e, obj->name->text, obj->name->len) : NULL;
    struct pod *fresh = pod_create(c, (struct pod_object *)obj, e != NULL ? e->mask : 0);
    bool same_uid = old != NULL && pod_same_uid(old, fresh);

    if (same_uid && pod_is_older(fresh, old)) {
        c->kinds[KIND_POD].stale_events++;
        pod_free(c, fresh);
    } else if (same_uid && pod_same(old, fresh)) {
        pod_note_version(old, fresh);
        pod_free(c, fresh);
    } else {
        txn_begin(c, now_ms, now_ms);
        c->txn.note = (struct note){ same_uid ? CHANGE_UPDATE : CHANGE_CREATE, NULL, fresh };
        pod_put(c, ns_get(c, obj->ns), old, fresh);
        txn_commit(c);
    }
    object_destroy(obj);
}

void cluster_apply(struct cluster *c, struct object *obj, int64_t now_ms)
{
    struct object *old;
    bool same_uid;

    if (!has_place(c, obj)) {
        object_destroy(obj);
        return;
    }
    if (obj->kind == KIND_POD) {
        apply_pod(c, obj, now_ms);
        return;
    }
    old = objects_find(c, obj->kind, obj->ns, obj->name);
    same_uid = old != NULL && old->uid == obj->uid;
    if (same_uid && objects_is_older(obj, old)) {
        c->kinds[obj->kind].stale_events++;
        object_destroy(obj);
    } else if (same_uid && object_same(old, obj)) {
        objects_note_version(c, old, obj);
        object_destroy(obj);
    } else {
        txn_begin(c, now_ms, now_ms);
        c->txn.note = (struct note){ same_uid ? CHANGE_UPDATE : CHANGE_CREATE, obj, NULL };
        objects_put(c, old, obj);
        txn_commit(c);
    }
}

static void delete_pod(struct cluster *c, struct object *last, int64_t now_ms)
{
    struct ns_entry *e = ns_find(c, last->ns);
    struct pod *old = e != NULL ? pod_find(e, last->name->text, last->name->len) : NULL;
    char text[POD_UID_TEXT];
    const char *uid = old != NULL ? pod_uid(old, text) : NULL;

    if (old == NULL || (uid != NULL && last->uid != NULL && strcmp(uid, last->uid->text) != 0)) {
        return;
    }
    txn_begin(c, now_ms, now_ms);
    c->txn.note = (struct note){ CHANGE_DELETE, last, NULL };
    pod_drop(c, e, old);
    txn_commit(c);
}

void cluster_delete(struct cluster *c, struct object *last, int64_t now_ms)
{
    struct object *old;

    if (!has_place(c, last)) {
        object_destroy(last);
        return;
    }
    if (last->kind == KIND_POD) {
        delete_pod(c, last, now_ms);
        object_destroy(last);
        return;
    }
    old = objects_find(c, last->kind, last->ns, last->name);
    if (old != NULL && (old->uid == last->uid || old->uid == NULL || last->uid == NULL)) {
        txn_begin(c, now_ms, now_ms);
        c->txn.note = (struct note){ CHANGE_DELETE, last, NULL };
        objects_drop(c, old);
        txn_commit(c);
    }
    object_destroy(last);
}

/* ---- kinds ------------------------------------------------------------------------------------
 */

void cluster_set_kind_state(struct cluster *c, enum kind kind, enum kind_state state,
                            const char *reason, int64_t now_ms)
{
    struct kind_status *k = &c->kinds[kind];
    bool synced = state == KIND_STATE_SYNCED || state == KIND_STATE_ABSENT;
    bool changed = k->state != state || (synced && !k->synced_once);
    struct cause cause = { .verb = CHANGE_UPDATE,
                           .api_version = "",
                           .kind = "",
                           .ns = "",
                           .name = "",
                           .uid = "",
                           .resource_version = "",
                           .from_ms = now_ms,
                           .to_ms = now_ms };

    if (state == KIND_STATE_ABSENT &&
        k->objects > 0) { /* no longer served: nothing of it is left */
        cluster_replace_commit(cluster_replace_begin(c, kind, NULL), k->alive_ms, now_ms);
    }
    snprintf(k->reason, sizeof(k->reason), "%s", reason != NULL ? reason : "");
    k->state = state;
    k->synced_once = k->synced_once || synced;
    c->synced = c->synced || cluster_synced(c);
    if (changed && c->fn != NULL) {
        c->fn(c->ctx,
              &(struct delta){
                  .what = DELTA_KIND, .op = DELTA_MODIFIED, .kind = kind, .cause = &cause });
    }
}

struct kind_status *cluster_kind_status(struct cluster *c, enum kind kind)
{
    return &c->kinds[kind];
}

const struct kind_status *cluster_kind(const struct cluster *c, enum kind kind)
{
    return &c->kinds[kind];
}

bool cluster_synced(const struct cluster *c)
{
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        const struct kind_status *k = &c->kinds[i];

        if (kind_table[i].watch == KIND_WATCH_REQUIRED && !k->synced_once &&
            k->state != KIND_STATE_FORBIDDEN && k->state != KIND_STATE_ABSENT) {
            return false;
        }
        if (kind_table[i].watch == KIND_WATCH_SERVED && !c->synced && !k->synced_once &&
            k->state == KIND_STATE_PENDING) {
            return false; /* later ones are taken in when they have answered */
        }
    }
    return true;
}

void cluster_set_offline(struct cluster *c, unsigned kinds_present, bool complete)
{
    c->offline = true;
    c->kinds_present = kinds_present;
    c->complete = complete;
}

void cluster_set_cert_manager(struct cluster *c, bool served)
{
    c->no_cert_manager = !served;
}

bool cluster_cert_manager(const struct cluster *c)
{
    return !c->no_cert_manager;
}

bool cluster_offline(const struct cluster *c)
{
    return c->offline;
}

bool cluster_complete(const struct cluster *c)
{
    return !c->offline || c->complete;
}

bool cluster_kind_in_input(const struct cluster *c, enum kind kind)
{
    return !c->offline || c->complete || (c->kinds_present & BIT(kind)) != 0;
}

/* ---- lookups ----------------------------------------------------------------------------------
 */

struct ns *cluster_ns(const struct cluster *c, const char *ns)
{
    struct ns_entry *e = ns_find(c, str_find(ns));

    return e != NULL ? &e->pub : NULL;
}

const struct object *cluster_find(const struct cluster *c, enum kind kind, const char *ns,
                                  const char *name)
{
    bool has_ns = kind_table[kind].namespaced;
    const struct str *ns_str = has_ns && ns != NULL ? str_find(ns) : NULL;
    const struct str *name_str = str_find(name);

    if (name_str == NULL || (has_ns && ns_str == NULL)) {
        return NULL;
    }
    return objects_find(c, kind, ns_str, name_str);
}

const struct ingress_class *cluster_ingress_class(const struct cluster *c, const char *name)
{
    return (const struct ingress_class *)cluster_find(c, KIND_INGRESS_CLASS, NULL, name);
}

struct workload *cluster_workload(const struct cluster *c, const char *ns, const char *group,
                                  const char *kind, const char *name)
{
    const struct str *key[] = { str_find(ns), str_find(group), str_find(kind), str_find(name) };
    struct workload_entry *w;

    for (size_t i = 0; i < ARRAY_LEN(key); i++) {
        if (key[i] == NULL) {
            return NULL;
        }
    }
    w = workload_lookup(c, key[0], key[1], key[2], key[3]);
    return w != NULL ? &w->pub : NULL;
}

uint32_t cluster_ns_count(const struct cluster *c)
{
    return (uint32_t)c->ns_list.len;
}

struct ns *cluster_ns_at(const struct cluster *c, uint32_t i)
{
    return &c->ns_list.items[i]->pub;
}

uint64_t cluster_pod_count(const struct cluster *c)
{
    return c->kinds[KIND_POD].objects;
}

const char *cluster_kube_system_uid(const struct cluster *c)
{
    const struct object *ns = cluster_find(c, KIND_NAMESPACE, NULL, "kube-system");

    return ns != NULL && ns->uid != NULL ? ns->uid->text : NULL;
}

/* ---- pods, and what policies there are besides ---- */

static void view_pod(const struct ns_entry *e, const struct pod *pod, struct pod_view *out)
{
    const uint8_t *ip = (const uint8_t *)pod->name + pod->name_len + 1;
    const uint8_t *end = ip + pod->ip_bytes;

    *out = (struct pod_view){ .ns = &e->pub,
                              .name = pod->name,
                              .finished = (pod->flags & POD_FINISHED) != 0 };
    if (!out->finished && pod->spec->cls != NULL) {
        out->pod_class = &pod->spec->cls->pub;
    }
    while (ip < end && out->ip_count < POD_IPS_MAX) {
        struct cidr *c = &out->ips[out->ip_count++];
        uint8_t bytes = ip[0] == 4 ? 4 : 16;
        c->family = ip[0];
        c->bits = (uint8_t)(bytes * 8);
        memcpy(c->addr, ip + 1, bytes);
        ip += 1 + bytes;
    }
}

static void each_pod_of(const struct ns_entry *e, cluster_pod_fn *fn, void *ctx)
{
    TABLE_EACH(&e->pods, struct pod, pod)
    {
        struct pod_view view;
        view_pod(e, pod, &view);
        fn(ctx, &view);
    }
}

void cluster_each_pod(const struct cluster *c, const struct ns *ns, cluster_pod_fn *fn, void *ctx)
{
    if (ns != NULL) {
        each_pod_of((const struct ns_entry *)ns, fn, ctx);
        return;
    }
    for (size_t i = 0; i < c->ns_list.len; i++) {
        each_pod_of(c->ns_list.items[i], fn, ctx);
    }
}

bool cluster_pod(const struct cluster *c, const char *ns, const char *name, struct pod_view *out)
{
    const struct ns_entry *e = (const struct ns_entry *)cluster_ns(c, ns);
    const struct pod *pod = e != NULL ? pod_find(e, name, strlen(name)) : NULL;

    if (pod != NULL) {
        view_pod(e, pod, out);
    }
    return pod != NULL;
}

const struct object_vec *cluster_objects(const struct cluster *c, enum kind kind)
{
    return &c->wide[kind];
}

bool cluster_kind_served(const struct cluster *c, enum kind kind)
{
    enum kind_state s = c->kinds[kind].state;

    if (c->offline) {
        return (c->kinds_present & BIT(kind)) != 0;
    }
    return s == KIND_STATE_SYNCED || s == KIND_STATE_FORBIDDEN || s == KIND_STATE_STALE;
}

void cluster_set_unmodelled(struct cluster *c, const char *const *names)
{
    free_unmodelled(c);
    for (size_t i = 0; names[i] != NULL; i++) {
        vec_push(&c->unmodelled, xstrdup(names[i]));
    }
    vec_push(&c->unmodelled, NULL);
}

const char *const *cluster_unmodelled(const struct cluster *c)
{
    static const char *const none[] = { NULL };

    return c->unmodelled.len > 0 ? (const char *const *)c->unmodelled.items : none;
}
