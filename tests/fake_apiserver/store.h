/* The versioned log: one global counter, per kind a sorted index of what exists now and a ring of
 * what happened, from which any state inside the ring can be had again. Every event keeps the
 * object before it, so history is read by undoing. */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include "object.h"

enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED };
extern const char *const event_names[];

struct event {
    uint64_t rv;
    enum event_type type;
    struct object *obj;  /* DELETED: the last content under the deletion's version */
    struct object *prev; /* NULL for ADDED */
};

struct kind_log {
    struct object **items; /* by key */
    size_t count, cap;
    struct event *ring;
    size_t ring_cap;
    uint64_t first, next; /* sequence numbers of the oldest event kept and of the next one */
    uint64_t floor_rv;    /* watches and exact reads below this version are too old */
};

struct store {
    uint64_t rv, compacted_rv;
    size_t window;
    struct kind_log logs[64];
    void (*committed)(void *ctx, const struct kind *kind);
    void *ctx;
};

void store_init(struct store *s, uint64_t rv, size_t window);
void store_deinit(struct store *s);
struct kind_log *store_log(struct store *s, const struct kind *kind);
struct object *store_find(struct store *s, const struct kind *kind, const char *key); /* borrowed */
/* The objects of a namespace (NULL or "": all) are items[*from .. *to). */
void store_range(struct store *s, const struct kind *kind, const char *ns, size_t *from,
                 size_t *to);
/* Commit `o`, whose version must be store->rv + 1; takes the caller's reference. */
void store_put(struct store *s, struct object *o);
/* Commit the deletion of `o`, which must be the current version of its key. */
void store_delete(struct store *s, struct object *o);
void store_set_window(struct store *s, size_t window);

/* Event by sequence number; the first whose version is above rv. */
struct event *store_event(struct kind_log *log, uint64_t seq);
uint64_t store_seek(struct kind_log *log, uint64_t rv);

struct snapshot {
    struct object **objs;
    size_t n;
};
/* The objects of a namespace as they were at rv, referenced, by key. False when history no longer
 * reaches there. */
bool store_snapshot(struct store *s, const struct kind *kind, const char *ns, uint64_t rv,
                    struct snapshot *out);
void snapshot_free(struct snapshot *snap);

void store_compact(struct store *s, uint64_t rv, bool watch_cache);
void store_forget_windows(struct store *s);
/* Everything back to what it was at rv; false (and nothing changed) when some kind's history does
 * not reach there. */
bool store_restore(struct store *s, uint64_t rv);

#endif
