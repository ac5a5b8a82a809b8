/* What a real server fills in when an object is written. */
#ifndef FAKE_DEFAULTS_H
#define FAKE_DEFAULTS_H

#include "fake.h"

/* `old` is the version before an update, NULL at creation. */
void defaults_apply(struct fake *f, const struct kind *k, cJSON *root, const struct object *old);

#endif
