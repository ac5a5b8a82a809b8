/* metadata.managedFields, as far as a reader can tell. */
#ifndef FAKE_MANAGED_H
#define FAKE_MANAGED_H

#include "kinds.h"
#include "json.h"

/* `manager` wrote `fields` (the object or the patch) by `operation` ("Update" or "Apply"): replace
 * its entry. */
void managed_note(const struct kind *k, cJSON *root, const cJSON *fields, const char *manager,
                  const char *operation, const char *subresource, const char *time);

#endif
