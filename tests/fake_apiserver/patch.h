/* The patch formats of the API on cJSON trees. */
#ifndef FAKE_PATCH_H
#define FAKE_PATCH_H

#include "json.h"

/* RFC 7396. Works on *target in place. False when the patch nests deeper than 64 levels. */
bool patch_merge(cJSON *target, const cJSON *patch);
/* Kubernetes' strategic merge, with the merge keys of the kinds served here. */
bool patch_strategic(cJSON *target, const cJSON *patch);

/* RFC 6902 without move and copy. False when an operation cannot be done; *root may be changed
 * then. */
bool patch_json(cJSON *root, const cJSON *operations);

#endif
