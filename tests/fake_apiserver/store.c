#include "store.h"

#include <stdlib.h>
#include <string.h>

const char *const event_names[] = { "ADDED", "MODIFIED", "DELETED" };

void store_init(struct store *s, uint64_t rv, size_t window)
{
    *s = (struct store){ .rv = rv, .window = window > 0 ? window : 1 };
    for (size_t i = 0; i < ARRAY_LEN(s->logs); i++) {
        s->logs[i].floor_rv = rv;
    }
}

static void event_clear(struct event *e)
{
    object_unref(e->obj);
    object_unref(e->prev);
    *e = (struct event){ 0 };
}

static void log_forget(struct kind_log *log, uint64_t below)
{
    while (log->first < below && log->first < log->next) {
        struct event *e = store_event(log, log->first);

        if (e->rv > log->floor_rv) {
            log->floor_rv = e->rv;
        }
        event_clear(e);
        log->first++;
    }
}

void store_deinit(struct store *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->logs); i++) {
        struct kind_log *log = &s->logs[i];

        log_forget(log, log->next);
        for (size_t j = 0; j < log->count; j++) {
            object_unref(log->items[j]);
        }
        free(log->items);
        free(log->ring);
        *log = (struct kind_log){ 0 };
    }
}

struct kind_log *store_log(struct store *s, const struct kind *kind)
{
    return &s->logs[kind->index];
}

/* First position whose key is not below `key`. */
static size_t lower_bound(struct object *const *items, size_t n, const char *key)
{
    size_t lo = 0;
    size_t hi = n;

    if (n > 0 && strcmp(items[n - 1]->key, key) < 0) {
        return n; /* seeding appends in order */
    }
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(items[mid]->key, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

struct object *store_find(struct store *s, const struct kind *kind, const char *key)
{
    struct kind_log *log = store_log(s, kind);
    size_t at = lower_bound(log->items, log->count, key);

    return at < log->count && strcmp(log->items[at]->key, key) == 0 ? log->items[at] : NULL;
}

void store_range(struct store *s, const struct kind *kind, const char *ns, size_t *from, size_t *to)
{
    struct kind_log *log = store_log(s, kind);
    struct buf key = { 0 };

    *from = 0;
    *to = log->count;
    if (ns == NULL || ns[0] == '\0') {
        return;
    }
    buf_fmt(&key, "%s/", ns);
    *from = lower_bound(log->items, log->count, buf_cstr(&key));
    key.data[key.len - 1] = '/' + 1;
    *to = lower_bound(log->items, log->count, buf_cstr(&key));
    buf_free(&key);
}

struct event *store_event(struct kind_log *log, uint64_t seq)
{
    return &log->ring[seq % log->ring_cap];
}

static void log_event(struct store *s, struct kind_log *log, struct event e)
{
    if (log->next - log->first >= s->window) {
        log_forget(log, log->next - s->window + 1);
    }
    if (log->next - log->first >= log->ring_cap) {
        size_t cap = log->ring_cap > 0 ? log->ring_cap * 2 : 64;
        struct event *ring = xcalloc(cap, sizeof(*ring));

        for (uint64_t seq = log->first; seq < log->next; seq++) {
            ring[seq % cap] = *store_event(log, seq);
        }
        free(log->ring);
        log->ring = ring;
        log->ring_cap = cap;
    }
    *store_event(log, log->next) = e;
    log->next++;
}

static void insert_at(struct object ***items, size_t *count, size_t *cap, size_t at,
                      struct object *o)
{
    if (*count == *cap) {
        *cap = *cap > 0 ? *cap * 2 : 64;
        *items = xrealloc(*items, *cap * sizeof(**items));
    }
    memmove(*items + at + 1, *items + at, (*count - at) * sizeof(**items));
    (*items)[at] = o;
    (*count)++;
}

void store_put(struct store *s, struct object *o)
{
    struct kind_log *log = store_log(s, o->kind);
    size_t at = lower_bound(log->items, log->count, o->key);
    struct event e = { .rv = o->rv, .type = EVENT_ADDED, .obj = object_ref(o) };

    s->rv = o->rv;
    if (at < log->count && strcmp(log->items[at]->key, o->key) == 0) {
        e.type = EVENT_MODIFIED;
        e.prev = log->items[at];
        log->items[at] = o;
    } else {
        insert_at(&log->items, &log->count, &log->cap, at, o);
    }
    log_event(s, log, e);
    if (s->committed != NULL) {
        s->committed(s->ctx, o->kind);
    }
}

void store_delete(struct store *s, struct object *o)
{
    const struct kind *kind = o->kind;
    struct kind_log *log = store_log(s, kind);
    size_t at = lower_bound(log->items, log->count, o->key);

    s->rv++;
    memmove(log->items + at, log->items + at + 1, (log->count - at - 1) * sizeof(*log->items));
    log->count--;
    log_event(s, log,
              (struct event){
                  .rv = s->rv, .type = EVENT_DELETED, .obj = object_with_rv(o, s->rv), .prev = o });
    if (s->committed != NULL) {
        s->committed(s->ctx, kind);
    }
}

void store_set_window(struct store *s, size_t window)
{
    s->window = window > 0 ? window : 1;
    for (size_t i = 0; i < ARRAY_LEN(s->logs); i++) {
        struct kind_log *log = &s->logs[i];

        if (log->next - log->first > s->window) {
            log_forget(log, log->next - s->window);
        }
    }
}

uint64_t store_seek(struct kind_log *log, uint64_t rv)
{
    uint64_t lo = log->first;
    uint64_t hi = log->next;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (store_event(log, mid)->rv <= rv) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static bool in_namespace(const struct object *o, const char *ns)
{
    return ns == NULL || ns[0] == '\0' ||
           (strlen(ns) == o->ns_len && strncmp(o->key, ns, o->ns_len) == 0);
}

bool store_snapshot(struct store *s, const struct kind *kind, const char *ns, uint64_t rv,
                    struct snapshot *out)
{
    struct kind_log *log = store_log(s, kind);
    struct object **objs;
    size_t from, to, n, cap;

    if (rv < s->rv && rv < log->floor_rv) {
        return false;
    }
    store_range(s, kind, ns, &from, &to);
    n = to - from;
    cap = n + 16;
    objs = xcalloc(cap, sizeof(*objs));
    if (n > 0) {
        memcpy(objs, log->items + from, n * sizeof(*objs));
    }
    for (uint64_t seq = log->next; seq > log->first; seq--) {
        struct event *e = store_event(log, seq - 1);
        size_t at;

        if (e->rv <= rv) {
            break;
        }
        if (!in_namespace(e->obj, ns)) {
            continue;
        }
        at = lower_bound(objs, n, e->obj->key);
        if (e->type == EVENT_MODIFIED) {
            objs[at] = e->prev;
        } else if (e->type == EVENT_DELETED) {
            insert_at(&objs, &n, &cap, at, e->prev);
        } else {
            memmove(objs + at, objs + at + 1, (n - at - 1) * sizeof(*objs));
            n--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        object_ref(objs[i]);
    }
    *out = (struct snapshot){ .objs = objs, .n = n };
    return true;
}

void snapshot_free(struct snapshot *snap)
{
    for (size_t i = 0; i < snap->n; i++) {
        object_unref(snap->objs[i]);
    }
    free(snap->objs);
    *snap = (struct snapshot){ 0 };
}

void store_compact(struct store *s, uint64_t rv, bool watch_cache)
{
    if (rv > s->compacted_rv) {
        s->compacted_rv = rv;
    }
    for (size_t i = 0; watch_cache && i < ARRAY_LEN(s->logs); i++) {
        struct kind_log *log = &s->logs[i];

        if (log->ring_cap > 0) {
            log_forget(log, store_seek(log, rv));
        }
        if (log->floor_rv < rv) {
            log->floor_rv = rv;
        }
    }
}

void store_forget_windows(struct store *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->logs); i++) {
        struct kind_log *log = &s->logs[i];

        log_forget(log, log->next);
        log->floor_rv = s->rv;
    }
}

bool store_restore(struct store *s, uint64_t rv)
{
    struct snapshot snaps[ARRAY_LEN(s->logs)] = { 0 };
    bool ok = rv <= s->rv;

    for (size_t i = 0; ok && i < kind_count(); i++) {
        ok = store_snapshot(s, kind_at(i), NULL, rv, &snaps[i]);
    }
    for (size_t i = 0; i < kind_count(); i++) {
        struct kind_log *log = &s->logs[i];

        if (!ok) {
            snapshot_free(&snaps[i]);
            continue;
        }
        for (size_t j = 0; j < log->count; j++) {
            object_unref(log->items[j]);
        }
        free(log->items);
        log->items = snaps[i].objs;
        log->count = snaps[i].n;
        log->cap = snaps[i].n;
    }
    if (!ok) {
        return false;
    }
    s->rv = rv;
    store_forget_windows(s);
    for (size_t i = 0; i < ARRAY_LEN(s->logs); i++) {
        s->logs[i].floor_rv = rv;
    }
    return true;
}
