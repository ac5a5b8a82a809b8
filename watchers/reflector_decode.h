/* From the text of one object to a typed one: projection, decoder, and what is still needed of an
 * object that cannot be decoded. */
#ifndef NETAUDITD_WATCHERS_REFLECTOR_DECODE_H
#define NETAUDITD_WATCHERS_REFLECTOR_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/projection.h"
#include "watchers/reflector_step.h"

enum { DECODER_MAX_BYTES = 4 * 1024 * 1024 /* of one object, projected */ };

struct reflector_decoder;
/* With `wipe`, the scratch buffer is zeroed after use. */
struct reflector_decoder *reflector_decoder_create(const struct kind_row *row, bool wipe);
void reflector_decoder_destroy(struct reflector_decoder *d); /* NULL is fine */

/* *out is the caller's. NA_EINVAL or NA_ELIMIT, with a sentence that names the object where its
 * name can be told, when it is no object of the kind. */
int reflector_decode(struct reflector_decoder *d, const char *json, size_t len, struct object **out,
                     struct error *err);

/* What a watch needs of an object that was rejected, or of a bookmark. */
struct object_key_text {
    char ns[256], name[256], uid[128];
    char resource_version[REFLECTOR_RV_MAX + 1]; /* "" when absent or too long */
    bool initial_events_end;
};
/* Parts that are not there are "". */
void reflector_decode_key(struct reflector_decoder *d, const char *json, size_t len,
                          struct object_key_text *out);
/* An object of the kind with nothing but its key, for a delete; NULL when it has no name. */
struct object *reflector_decode_tombstone(struct reflector_decoder *d, const char *json,
                                          size_t len);

#endif
