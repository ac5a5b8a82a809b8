/* Projection before tree: one pass over a JSON text copies only the wanted paths and jumps over the
 * rest, so that a 14 KB pod becomes a few hundred bytes before cJSON sees it. The scanner is the
 * hot path: plain C, with an SSE2 block skipper where the compiler says so. No recursion, depth
 * limit 64, UTF-8 checked only in what is kept. */
#ifndef NETAUDITD_CLUSTER_PROJECTION_H
#define NETAUDITD_CLUSTER_PROJECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { JSON_MAX_DEPTH = 64 };

/* Finds where one JSON value ends in a stream that arrives in pieces of any size: by structure, not
 * by newline. */
struct json_end {
    uint32_t depth;
    bool started, in_string, escaped, scalar;
    bool too_deep; /* deeper than 64: the value is to be rejected, its end is still found */
};
/* Consumes at most `len` bytes; returns how many. *done is set when the value's last byte was among
 * them (a bare scalar ends at the byte after it, which is not consumed; a closing bracket where a
 * value should start is consumed as a value of its own, so that a caller always moves on). Leading
 * white space is consumed. Reset with {0}. */
size_t json_end_feed(struct json_end *s, const char *data, size_t len, bool *done);

/* Paths are dotted: "metadata.labels" keeps the whole subtree, "spec.containers[].ports" keeps it
 * of every element. A last step that ends in '*' keeps every key with that prefix. A path that
 * starts with '-' is dropped inside a kept subtree
 * ("-metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration"). Dots of keys are
 * escaped by '\'. */
struct projection;
/* The table is ours: a malformed path aborts. */
struct projection *projection_create(const char *const *paths);
void projection_destroy(struct projection *p);

/* Appends the projected object to `out`. 0; NA_EINVAL when the text is not one well-formed JSON
 * object (what is skipped or kept whole is checked for balance only: who parses the output finds
 * the rest) or what is kept is not UTF-8; NA_ELIMIT when too deep or `out` is full. `out` is then
 * as it was. A key twice: the last wins (inside a subtree that is kept whole both are copied). A
 * value of another type than the path asks for is copied when it is a scalar and becomes {} or []
 * when it is not, so that a decoder can complain of it. */
int projection_apply(const struct projection *p, const char *json, size_t len, struct buf *out,
                     struct error *err);

/* One frame of a watch stream. */
enum frame_type {
    FRAME_ADDED,
    FRAME_MODIFIED,
    FRAME_DELETED,
    FRAME_BOOKMARK,
    FRAME_ERROR,
    FRAME_OTHER
};
struct frame {
    enum frame_type type;
    char type_text[32]; /* as sent, cut */
    const char *object; /* inside the frame's text: the "object" value */
    size_t object_len;
};
/* Finds type and object, in either order, without copying. NA_EINVAL when it is no watch frame. */
int frame_parse(const char *json, size_t len, struct frame *out, struct error *err);

#endif
