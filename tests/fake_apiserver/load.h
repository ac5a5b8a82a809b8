/* Objects in from dumps, and the truth out as one. */
#ifndef FAKE_LOAD_H
#define FAKE_LOAD_H

#include "fake.h"

struct loaded {
    size_t created, updated, unchanged, deleted;
};

/* One object, a List, an array, or JSON lines. All or nothing: -1 with a sentence in why. */
int load(struct fake *f, const char *text, size_t n, bool defaults, bool replace,
         struct loaded *out, struct buf *why);
/* A source that writes the truth as a List; NULL kind: all kinds. Freed by its `closed`. */
struct body_source *dump_source(struct fake *f, const struct kind *kind, const char *ns);

#endif
