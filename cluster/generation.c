/* A relist. Rules must never see half a list: deleting stale objects one by one would leave an
 * instant with pods but without their policies, and every isolation rule would fire for that
 * instant. So the list is gathered beside the cache and swapped in: a small one as one transaction,
 * a large one as many, new objects first and stale ones last, between which cluster_swapping keeps
 * everybody from judging. The deltas are the difference either way. What the list repeats unchanged
 * is only marked in the cache, so that a relist of an unchanged cluster needs next to no memory. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"

struct cluster_generation {
    struct cluster *c;
    enum kind kind;
    struct str *only_ns; /* NULL: all */
    bool trusted;        /* older objects count too */
    uint32_t id;
    bool marks;           /* nobody else's marks are in the way */
    struct table pending; /* struct object or struct pod: new, or other than what the cache has */
    /* Swapping in slices: */
    bool swapping;
    uint32_t cursor; /* in pending */
    size_t ns_left;  /* pods: namespaces still to be looked through */
    int64_t last_alive_ms, now_ms;
};

struct pod_key {
    const struct str *ns;
    const char *name;
    size_t len;
};

static uint32_t hash_pod_key(const struct str *ns, const char *name, size_t len)
{
    uint64_t h = hash_mix(ns->hash, hash_bytes(name, len));

    return (uint32_t)(h ^ h >> 32);
}

static uint32_t pending_pod_hash(const void *item)
{
    const struct pod *pod = item;

    return hash_pod_key(pod->spec->ns, pod->name, pod->name_len);
}

static bool pending_pod_same(const void *item, const void *key)
{
    const struct pod *pod = item;
    const struct pod_key *k = key;

    return pod->spec->ns == k->ns && pod->name_len == k->len &&
           memcmp(pod->name, k->name, k->len) == 0;
}

static struct pod *pending_pod(const struct cluster_generation *g, const struct str *ns,
                               const char *name, size_t len)
{
    struct pod_key key = { ns, name, len };

    return table_find(&g->pending, hash_pod_key(ns, name, len), &key, pending_pod_same);
}

static struct object *pending_object(const struct cluster_generation *g, const struct object *obj)
{
    struct object_key key = { obj->ns, obj->name };

    return table_find(&g->pending, object_hash(obj), &key, object_same_key);
}

struct cluster_generation *cluster_replace_begin(struct cluster *c, enum kind kind,
                                                 const char *only_ns)
{
    struct cluster_generation *g = xcalloc(1, sizeof(*g));

    g->c = c;
    g->kind = kind;
    g->only_ns = only_ns != NULL && kind_table[kind].namespaced ? str_intern(only_ns) : NULL;
    g->id = ++c->last_generation;
    g->marks = true;
    for (size_t i = 0; i < c->generations.len; i++) {
        const struct cluster_generation *o = c->generations.items[i];

        if (o->kind == kind &&
            (o->only_ns == NULL || g->only_ns == NULL || o->only_ns == g->only_ns)) {
            g->marks = false;
        }
    }
    vec_push(&c->generations, g);
    return g;
}

void cluster_replace_trust(struct cluster_generation *g)
{
    g->trusted = true;
}

static void forget_pending(struct cluster_generation *g, void *item)
{
    if (item == NULL) {
        return;
    }
    if (g->kind == KIND_POD) {
        table_remove(&g->pending, item, pending_pod_hash);
        pod_free(g->c, item);
    } else {
        table_remove(&g->pending, item, object_hash);
        object_destroy(item);
    }
}

static bool in_scope(const struct cluster_generation *g, const struct object *obj)
{
    if (kind_table[g->kind].namespaced && obj->ns == NULL) {
        g->c->kinds[g->kind].rejected++;
        return false;
    }
    return obj->kind == g->kind && (g->only_ns == NULL || g->only_ns == obj->ns);
}

static void add_pod(struct cluster_generation *g, struct object *obj)
{
    struct cluster *c = g->c;
    struct ns_entry *e = ns_find(c, obj->ns);
    struct pod *old = e != NULL ? pod_find(e, obj->name->text, obj->name->len) : NULL;
    struct pod *fresh = pod_create(c, (struct pod_object *)obj, e != NULL ? e->mask : 0);

    forget_pending(g, pending_pod(g, obj->ns, obj->name->text, obj->name->len));
    if (old != NULL && g->marks && pod_same_uid(old, fresh)) {
        bool older = !g->trusted && pod_is_older(fresh, old);

        if (older || pod_same(old, fresh)) {
            if (older) {
                c->kinds[KIND_POD].stale_events++;
            } else {
                pod_note_version(old, fresh);
            }
            old->generation = g->id;
            pod_free(c, fresh);
            return;
        }
    }
    if (old != NULL && g->marks) {
        old->generation = 0;
    }
    table_add(&g->pending, fresh, pending_pod_hash);
}

static void add_object(struct cluster_generation *g, struct object *obj)
{
    struct cluster *c = g->c;
    struct object *old = objects_find(c, obj->kind, obj->ns, obj->name);

    forget_pending(g, pending_object(g, obj));
    if (old != NULL && g->marks && old->uid == obj->uid) {
        bool older = !g->trusted && objects_is_older(obj, old);

        if (older || object_same(old, obj)) {
            if (older) {
                c->kinds[g->kind].stale_events++;
            } else {
                objects_note_version(c, old, obj);
            }
            old->generation = g->id;
            object_destroy(obj);
            return;
        }
    }
    if (old != NULL && g->marks) {
        old->generation = 0;
    }
    table_add(&g->pending, obj, object_hash);
}

static struct pod *cached_pod(const struct cluster *c, const struct str *ns, const struct str *name)
{
    struct ns_entry *e = ns_find(c, ns);

    return e != NULL ? pod_find(e, name->text, name->len) : NULL;
}

/* The list has ended: this is newer. What the list said of it is no longer of interest. */
static void add_while_swapping(struct cluster_generation *g, struct object *obj)
{
    struct cluster *c = g->c;
    struct str *ns = str_ref(obj->ns), *name = str_ref(obj->name);

    if (g->kind == KIND_POD) {
        forget_pending(g, pending_pod(g, ns, name->text, name->len));
        cluster_apply(c, obj, g->now_ms);
        struct pod *pod = cached_pod(c, ns, name);
        if (pod != NULL) {
            pod->generation = g->id;
        }
    } else {
        forget_pending(g, pending_object(g, obj));
        cluster_apply(c, obj, g->now_ms);
        struct object *cached = objects_find(c, g->kind, ns, name);
        if (cached != NULL) {
            cached->generation = g->id;
        }
    }
    str_unref(ns);
    str_unref(name);
}

static void delete_while_swapping(struct cluster_generation *g, struct object *last)
{
    if (g->kind == KIND_POD) {
        forget_pending(g, pending_pod(g, last->ns, last->name->text, last->name->len));
    } else {
        forget_pending(g, pending_object(g, last));
    }
    cluster_delete(g->c, last, g->now_ms);
}

void cluster_replace_add(struct cluster_generation *g, struct object *obj)
{
    if (!in_scope(g, obj)) {
        object_destroy(obj);
    } else if (g->swapping) {
        add_while_swapping(g, obj);
    } else if (g->kind == KIND_POD) {
        add_pod(g, obj);
        object_destroy(obj);
    } else {
        add_object(g, obj);
    }
}

static void delete_pod(struct cluster_generation *g, const struct object *last)
{
    struct ns_entry *e = ns_find(g->c, last->ns);
    struct pod *waiting = pending_pod(g, last->ns, last->name->text, last->name->len);
    struct pod *old = e != NULL ? pod_find(e, last->name->text, last->name->len) : NULL;
    char text[POD_UID_TEXT];
    const char *uid = waiting != NULL ? pod_uid(waiting, text)
                      : old != NULL   ? pod_uid(old, text)
                                      : NULL;

    if (uid != NULL && last->uid != NULL && strcmp(uid, last->uid->text) != 0) {
        return;
    }
    forget_pending(g, waiting);
    if (old != NULL && old->generation == g->id) {
        old->generation = 0;
    }
}

void cluster_replace_delete(struct cluster_generation *g, struct object *last)
{
    if (g->swapping && in_scope(g, last)) {
        delete_while_swapping(g, last);
        return;
    }
    if (in_scope(g, last) && g->kind == KIND_POD) {
        delete_pod(g, last);
    } else if (in_scope(g, last)) {
        struct object *waiting = pending_object(g, last);
        struct object *old = objects_find(g->c, g->kind, last->ns, last->name);
        const struct object *known = waiting != NULL ? waiting : old;

        if (known != NULL && (known->uid == last->uid || known->uid == NULL || last->uid == NULL)) {
            forget_pending(g, waiting);
            if (old != NULL && old->generation == g->id) {
                old->generation = 0;
            }
        }
    }
    object_destroy(last);
}

/* ---- the swap ---------------------------------------------------------------------------------
 */

static void put_pod(struct cluster_generation *g, struct pod *fresh)
{
    struct cluster *c = g->c;
    struct ns_entry *e;
    struct pod *old;

    c->txn.note = (struct note){ CHANGE_FOUND, NULL, fresh };
    e = ns_get(c, fresh->spec->ns);
    old = pod_find(e, fresh->name, fresh->name_len);
    if (old != NULL && !g->trusted && pod_same_uid(old, fresh) && pod_is_older(fresh, old)) {
        c->kinds[KIND_POD].stale_events++;
        pod_free(c, fresh);
    } else if (old != NULL && pod_same(old, fresh)) {
        pod_note_version(old, fresh);
        pod_free(c, fresh);
    } else {
        pod_put(c, e, old, fresh);
        old = fresh;
    }
    if (g->swapping) {
        old->generation = g->id;
    }
}

static void put_object(struct cluster_generation *g, struct object *fresh)
{
    struct cluster *c = g->c;
    struct object *old = objects_find(c, g->kind, fresh->ns, fresh->name);
    bool same_uid = old != NULL && old->uid == fresh->uid;

    c->txn.note = (struct note){ CHANGE_FOUND, fresh, NULL };
    if (same_uid && !g->trusted && objects_is_older(fresh, old)) {
        c->kinds[g->kind].stale_events++;
        object_destroy(fresh);
    } else if (same_uid && object_same(old, fresh)) {
        objects_note_version(c, old, fresh);
        object_destroy(fresh);
    } else {
        objects_put(c, old, fresh);
        old = fresh;
    }
    if (g->swapping) {
        old->generation = g->id;
    }
}

static void swap_out_pods(struct cluster_generation *g, struct ns_entry *e)
{
    VEC(struct pod *) gone = { .items = NULL };

    TABLE_EACH(&e->pods, struct pod, pod)
    {
        if (pod->generation != g->id &&
            pending_pod(g, e->pub.name, pod->name, pod->name_len) == NULL) {
            vec_push(&gone, pod);
        }
    }
    for (size_t i = 0; i < gone.len; i++) {
        g->c->txn.note = (struct note){ CHANGE_GONE, NULL, gone.items[i] };
        pod_drop(g->c, e, gone.items[i]);
    }
    vec_free(&gone);
}

static void swap_pods(struct cluster_generation *g)
{
    struct cluster *c = g->c;

    for (size_t i = 0; i < c->ns_list.len; i++) {
        if (g->only_ns == NULL || c->ns_list.items[i]->pub.name == g->only_ns) {
            swap_out_pods(g, c->ns_list.items[i]);
        }
    }
    TABLE_EACH(&g->pending, struct pod, fresh)
    {
        put_pod(g, fresh);
    }
}

static void swap_objects(struct cluster_generation *g)
{
    struct cluster *c = g->c;
    VEC(struct object *) gone = { .items = NULL };

    TABLE_EACH(&c->objects[g->kind], struct object, obj)
    {
        if ((g->only_ns == NULL || obj->ns == g->only_ns) && obj->generation != g->id &&
            pending_object(g, obj) == NULL) {
            vec_push(&gone, obj);
        }
    }
    for (size_t i = 0; i < gone.len; i++) {
        c->txn.note = (struct note){ CHANGE_GONE, gone.items[i], NULL };
        objects_drop(c, gone.items[i]);
    }
    vec_free(&gone);
    TABLE_EACH(&g->pending, struct object, fresh)
    {
        put_object(g, fresh);
    }
}

static void free_generation(struct cluster_generation *g)
{
    struct cluster *c = g->c;

    table_deinit(&g->pending);
    c->swaps -= g->swapping ? 1 : 0;
    for (size_t i = 0; i < c->generations.len; i++) {
        if (c->generations.items[i] == g) {
            vec_remove_swap(&c->generations, i);
            break;
        }
    }
    str_unref(g->only_ns);
    free(g);
}

void cluster_replace_commit(struct cluster_generation *g, int64_t last_alive_ms, int64_t now_ms)
{
    struct cluster *c = g->c;

    txn_begin(c, last_alive_ms, now_ms);
    if (g->kind == KIND_POD) {
        swap_pods(g);
    } else {
        swap_objects(g);
    }
    free_generation(g);
    txn_commit(c);
}

/* ---- in slices --------------------------------------------------------------------------------
 */

enum {
    SWAP_AT_ONCE = 2048, /* objects, old and new, that are swapped at once */
    SLICE_ITEMS = 256,   /* of one transaction */
    LOOK_AT = 4096       /* pods without a stale one among them, before the clock is asked */
};

bool cluster_swapping(const struct cluster *c)
{
    return c->swaps > 0;
}

/* False when none is left. */
static bool put_some(struct cluster_generation *g)
{
    unsigned n = 0;

    for (; n < SLICE_ITEMS; n++) {
        void *fresh = table_take(&g->pending, &g->cursor,
                                 g->kind == KIND_POD ? pending_pod_hash : object_hash);
        if (fresh == NULL) {
            break;
        }
        if (g->kind == KIND_POD) {
            put_pod(g, fresh);
        } else {
            put_object(g, fresh);
        }
    }
    return n > 0;
}

struct stale_pods {
    struct pod *pods[SLICE_ITEMS];
    unsigned count, looked_at;
};

/* False when there is no room for all of the namespace. */
static bool find_stale(const struct cluster_generation *g, const struct ns_entry *e,
                       struct stale_pods *out)
{
    TABLE_EACH(&e->pods, struct pod, pod)
    {
        out->looked_at++;
        if (pod->generation != g->id) {
            if (out->count == SLICE_ITEMS) {
                return false;
            }
            out->pods[out->count++] = pod;
        }
    }
    return true;
}

/* Backwards: a namespace that goes is replaced in the list by its last one, which was looked
 * through already. False when none is left. */
static bool drop_some_pods(struct cluster_generation *g)
{
    struct cluster *c = g->c;
    struct stale_pods stale = { .count = 0 };

    g->ns_left = g->ns_left > c->ns_list.len ? c->ns_list.len : g->ns_left;
    while (g->ns_left > 0 && stale.count == 0 && stale.looked_at < LOOK_AT) {
        struct ns_entry *e = c->ns_list.items[g->ns_left - 1];

        if ((g->only_ns != NULL && e->pub.name != g->only_ns) || find_stale(g, e, &stale)) {
            g->ns_left--;
        }
    }
    for (unsigned i = 0; i < stale.count; i++) {
        struct ns_entry *e = ns_find(c, stale.pods[i]->spec->ns);

        c->txn.note = (struct note){ CHANGE_GONE, NULL, stale.pods[i] };
        pod_drop(c, e, stale.pods[i]);
    }
    return stale.count > 0 || g->ns_left > 0;
}

static bool drop_some_objects(struct cluster_generation *g)
{
    struct object *gone[SLICE_ITEMS];
    unsigned n = 0;

    TABLE_EACH(&g->c->objects[g->kind], struct object, obj)
    {
        if ((g->only_ns == NULL || obj->ns == g->only_ns) && obj->generation != g->id &&
            n < SLICE_ITEMS) {
            gone[n++] = obj;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        g->c->txn.note = (struct note){ CHANGE_GONE, gone[i], NULL };
        objects_drop(g->c, gone[i]);
    }
    return n > 0;
}

bool cluster_replace_step(struct cluster_generation *g, int64_t last_alive_ms, int64_t now_ms,
                          uint64_t budget_us, uint64_t (*clock_us)(void))
{
    uint64_t start_us = clock_us();
    struct cluster *c = g->c;

    /* Marks of two lists at a time would be in each other's way. */
    if (!g->swapping &&
        (!g->marks ||
         (budget_us > 0 && g->pending.count + c->kinds[g->kind].objects <= SWAP_AT_ONCE))) {
        cluster_replace_commit(g, last_alive_ms, now_ms);
        return true;
    }
    if (!g->swapping) {
        g->swapping = true;
        g->ns_left = SIZE_MAX;
        c->swaps++;
    }
    g->now_ms = now_ms;
    do {
        txn_begin(c, last_alive_ms, now_ms);
        bool more = put_some(g) || (g->kind == KIND_POD ? drop_some_pods(g) : drop_some_objects(g));
        txn_commit(c);
        if (!more) {
            free_generation(g);
            return true;
        }
    } while (clock_us() - start_us < budget_us);
    return false;
}

void cluster_replace_abort(struct cluster_generation *g)
{
    if (g == NULL) {
        return;
    }
    if (g->kind == KIND_POD) {
        TABLE_EACH(&g->pending, struct pod, pod)
        {
            pod_free(g->c, pod);
        }
    } else {
        TABLE_EACH(&g->pending, struct object, obj)
        {
            object_destroy(obj);
        }
    }
    free_generation(g);
}
