/* LIST: a snapshot of references, rendered while the socket takes it. */
#ifndef FAKE_LIST_H
#define FAKE_LIST_H

#include "exchange.h"

size_t list_size(void); /* of the struct that begins with the exchange */
void list_start(struct exchange *x);
/* State of the kind that a replica lagging `lag` events behind would show. */
uint64_t stale_rv(struct fake *f, const struct kind *kind, uint64_t lag);

/* How long a read waits for a version that is not there yet, and what it is then told (504). */
#define TOO_LARGE_WAIT_MS 3000
void refuse_too_large(struct exchange *x, uint64_t rv);

void snapshot_shuffle(struct fake *f, struct snapshot *s);

#endif
