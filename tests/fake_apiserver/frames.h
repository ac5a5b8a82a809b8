/* Watch frames: one JSON object and a newline. */
#ifndef FAKE_FRAMES_H
#define FAKE_FRAMES_H

#include "object.h"
#include "exchange.h"

void frame_event(struct buf *out, const char *type, const struct object *o, bool metadata);
void frame_bookmark(struct buf *out, const struct kind *k, const char *rv, bool metadata, bool end);
void frame_error(struct buf *out, int code, const char *reason, const char *message);
/* The frame that an event fault puts before an event; `o` may be NULL. */
void frame_fault(struct buf *out, const struct fault *t, const struct kind *k, const char *type,
                 const struct object *o, uint64_t rv, bool metadata, uint64_t random);

#endif
