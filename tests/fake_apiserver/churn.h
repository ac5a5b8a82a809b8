/* Changes at a rate, with the moment of each. */
#ifndef FAKE_CHURN_H
#define FAKE_CHURN_H

#include "fake.h"

/* 0, or -1 with a sentence in why. */
int churn_start(struct fake *f, const cJSON *spec, struct buf *why, struct buf *id);
bool churn_stop(struct fake *f, const char *id); /* NULL: all */
void churn_tick(struct fake *f);
void churn_json(struct fake *f, struct buf *out);
void churn_log_lines(struct fake *f, struct buf *out);
void churn_deinit(struct fake *f);
uint64_t realtime_ns(void);

#endif
