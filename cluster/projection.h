/* Projection before tree: one pass over a JSON text copies only the wanted paths and jumps over the rest, so that a
 * 14 KB pod becomes a few hundred bytes before cJSON sees it. The scanner is the hot path: plain C with an SSE2
 * string skipper where the compiler says so. No recursion, depth limit 64, UTF-8 checked only in what is kept. */
#ifndef NETAUDITD_CLUSTER_PROJECTION_H
#define NETAUDITD_CLUSTER_PROJECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Finds where one JSON value ends in a stream that arrives in pieces of any size: by structure, not by newline. */
struct json_end {
    uint32_t depth;
    bool started, in_string, escaped, scalar;
    bool too_deep; /* deeper than 64: the value is to be rejected, its end is still found */
};
/* Consumes at most `len` bytes; returns how many. *done is set when the value's last byte was among them (a bare
 * scalar ends at the byte after it, which is not consumed). Leading white space is consumed. Reset with {0}. */
size_t json_end_feed(struct json_end *s, const char *data, size_t len, bool *done);

/* Paths are dotted: "metadata.labels" keeps the whole subtree, "spec.containers[].ports" keeps it of every element,
 * "metadata.annotations{netauditd.io/*,kubernetes.io/ingress.class}" may be expressed as "metadata.annotations" with
 * a drop list instead: a path that starts with '-' is dropped inside a kept subtree
 * ("-metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration", dots of keys escaped by '\'). */
struct projection;
struct projection *projection_create(const char *const *paths); /* the table is ours: a malformed path aborts */
void projection_destroy(struct projection *p);

/* Appends the projected object to `out`. 0; NA_EINVAL when the text is not one well-formed JSON object (structure of
 * skipped parts is checked for balance only); NA_ELIMIT when too deep or `out` is full. A key twice: the last wins. */
int projection_apply(const struct projection *p, const char *json, size_t len, struct buf *out, struct error *err);

/* One frame of a watch stream. */
enum frame_type { FRAME_ADDED, FRAME_MODIFIED, FRAME_DELETED, FRAME_BOOKMARK, FRAME_ERROR, FRAME_OTHER };
struct frame {
    enum frame_type type;
    char type_text[32];     /* as sent, cut */
    const char *object;     /* inside the frame's text: the "object" value */
    size_t object_len;
};
/* Finds type and object, in either order, without copying. NA_EINVAL when it is no watch frame. */
int frame_parse(const char *json, size_t len, struct frame *out, struct error *err);

#endif
