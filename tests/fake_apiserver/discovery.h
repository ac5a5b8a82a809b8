/* /api, /apis and what is below, from the table of kinds. */
#ifndef FAKE_DISCOVERY_H
#define FAKE_DISCOVERY_H

#include "buf.h"
#include "fake.h"

void discovery_core(struct buf *out, const char *host, int port);
void discovery_groups(struct buf *out);
/* False when nothing of the group is served. */
bool discovery_group(struct buf *out, const char *group);
bool discovery_resources(struct buf *out, const char *group, const char *version);

/* Just enough OpenAPI v3 for kubectl to see that field validation is left to the server. */
void openapi_index(struct buf *out);
bool openapi_group_version(struct buf *out, const char *group, const char *version);

#endif
