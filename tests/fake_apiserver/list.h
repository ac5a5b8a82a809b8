/* LIST: a snapshot of references, rendered while the socket takes it. */
#ifndef FAKE_LIST_H
#define FAKE_LIST_H

#include "exchange.h"

size_t list_size(void); /* of the struct that begins with the exchange */
void list_start(struct exchange *x);
/* State of the kind that a replica lagging `lag` events behind would show. */
uint64_t stale_rv(struct fake *f, const struct kind *kind, uint64_t lag);

#endif
