/* One version of one object: immutable, reference-counted, with its JSON ready or rendered on
 * demand. The JSON of an item holds neither kind nor apiVersion and begins with `{"metadata":{`, as
 * the items of core lists do. */
#ifndef FAKE_OBJECT_H
#define FAKE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "kinds.h"

struct object {
    unsigned refs;
    uint64_t rv;
    const struct kind *kind;
    const char *key; /* "namespace/name" or "name" */
    size_t ns_len;   /* 0 for cluster-scoped kinds */
    char uid[40];
    const char *labels, *fields; /* "key\0value\0key\0value\0\0": what selectors may ask for */
    /* Generated objects: render appends the JSON, the rest are its inputs. NULL: `body` holds it.
     */
    void (*render)(const struct object *o, struct buf *out);
    const void *gen;
    uint32_t gen_index, touches;
    uint64_t stamp_ns;
    const char *body;
    size_t body_len, rv_off, rv_len; /* where the resource version stands in body */
    char tail[];
};

enum object_form { FORM_ITEM, FORM_OBJECT, FORM_METADATA };

const char *object_name(const struct object *o);
struct object *object_ref(struct object *o);
void object_unref(struct object *o); /* NULL is fine */

/* Takes the members of `root` in the order of the real encoder; `root` stays the caller's and is
 * changed: kind and apiVersion leave it, metadata.resourceVersion becomes rv. metadata.name must be
 * a string. */
struct object *object_from_json(const struct kind *kind, cJSON *root, uint64_t rv);
/* A generated object; key and uid are copied, labels, fields and gen are borrowed for ever. */
struct object *object_generated(const struct kind *kind, const char *key, const char *uid,
                                uint64_t rv, const char *labels, const char *fields,
                                void (*render)(const struct object *, struct buf *),
                                const void *gen, uint32_t gen_index);
/* The same content under another resource version: what a DELETED event carries. */
struct object *object_with_rv(const struct object *o, uint64_t rv);
/* A generated object with one more touch and a stamp. */
struct object *object_touched(const struct object *o, uint64_t rv, uint64_t stamp_ns);

void object_append(const struct object *o, enum object_form form, struct buf *out);
/* A tree of the whole object with kind and apiVersion; the caller deletes it. */
cJSON *object_tree(const struct object *o);
bool object_same_content(const struct object *a,
                         const struct object *b); /* apart from the version */
/* Value of a key in a block, NULL when absent. */
const char *block_get(const char *block, const char *key);

#endif
