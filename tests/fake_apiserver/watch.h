/* WATCH and the streaming list: a position in the kind's log, read on whenever the socket takes
 * more. */
#ifndef FAKE_WATCH_H
#define FAKE_WATCH_H

#include "exchange.h"

size_t watch_size(void);
void watch_start(struct exchange *x);
/* One object of GET /watches, appended. */
void watch_json(struct exchange *x, struct buf *out);
/* End the stream cleanly; `word` is what the log says of it. */
void watch_end(struct exchange *x, const char *word);

#endif
