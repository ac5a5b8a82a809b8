/* Finds the JSON values that matter in a body that arrives in pieces cut anywhere: the frames of a
 * watch, or the items of a list one at a time. Works by structure, never by newline; looks at every
 * byte once; copies only what a piece's border cuts in two. */
#ifndef NETAUDITD_WATCHERS_SPLITTER_H
#define NETAUDITD_WATCHERS_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    SPLITTER_MAX_VALUE_BYTES = 8 * 1024 * 1024, /* one frame or item; etcd's limit is 1.5 MiB */
    SPLITTER_MAX_METADATA_BYTES = 256 * 1024,   /* a list's metadata: the continue token */
    SPLITTER_MAX_WORD_BYTES = 1024              /* kind and apiVersion of a list */
};

enum splitter_mode { SPLITTER_WATCH, SPLITTER_LIST };

struct splitter_sink {
    void *ctx;
    /* One frame or item, valid during the call. Non-zero stops splitter_feed, which returns it; the
     * callee says why in `err`. */
    int (*value)(void *ctx, const char *json, size_t len, struct error *err);
    /* One that was longer than the ceiling was passed over. May be NULL. */
    void (*too_large)(void *ctx, uint64_t bytes);
};

struct splitter;

/* `max_value_bytes` 0: SPLITTER_MAX_VALUE_BYTES. With `wipe`, every byte that it copied is zeroed
 * after use (Secrets). */
struct splitter *splitter_create(const struct splitter_sink *sink, size_t max_value_bytes,
                                 bool wipe);
void splitter_destroy(struct splitter *s); /* NULL is fine */
/* Begins another body; what was half-read is forgotten. */
void splitter_begin(struct splitter *s, enum splitter_mode mode);

/* 0; NA_EINVAL when this is no JSON list (or the bytes between frames make no sense); NA_ELIMIT
 * when a part that must be kept is too large; or what `value` returned. After a failure only
 * splitter_begin and splitter_destroy make sense. */
int splitter_feed(struct splitter *s, const char *data, size_t len, struct error *err);

/* The body has ended: a watch that ends within a frame was cut (NA_EIO). */
int splitter_end_watch(const struct splitter *s, struct error *err);

struct list_end {
    const char *kind, *api_version; /* "" when absent */
    const char *resource_version;   /* "" when absent */
    const char *continue_token;     /* "" on the last page */
    uint64_t items;                 /* those too large included */
};
/* The body has ended: the list counts only when its document has closed, "items" and "metadata"
 * were in it, and it says it is a list (its kind ends in "List"). NA_EIO when it was cut, NA_EINVAL
 * when it is something else. The texts live until the next splitter_begin. */
int splitter_end_list(struct splitter *s, struct list_end *out, struct error *err);

#endif
