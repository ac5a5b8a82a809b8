/* What clients did: the last requests one by one, and counts of all. */
#ifndef FAKE_LOG_H
#define FAKE_LOG_H

#include "exchange.h"

void log_init(struct fake *f);
void log_deinit(struct fake *f);
void log_reset(struct fake *f);
/* A routed request; returns its number. */
uint64_t log_request(struct fake *f, const struct exchange *x);
void log_status(struct fake *f, const struct exchange *x, int code);
void log_end(struct fake *f, const struct exchange *x, const char *end);
void log_stats_json(struct fake *f, struct buf *out);
void log_requests_json(struct fake *f, uint64_t since, struct buf *out);

#endif
