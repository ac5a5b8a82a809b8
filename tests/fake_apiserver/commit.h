/* Writing to the truth: identity, versions, defaults and managedFields of objects; namespaces that
 * go with all they hold. Used by the API's writes, the control port and the churns alike. */
#ifndef FAKE_COMMIT_H
#define FAKE_COMMIT_H

#include "fake.h"

struct writer {
    const char *manager, *operation,
        *subresource;    /* for managedFields; manager NULL: leave them alone */
    const cJSON *fields; /* what it wrote, NULL: the whole object */
    bool defaults, dry_run;
};

/* Make `root` (with a name, and a namespace when the kind has them) exist. uid and
 * creationTimestamp are kept when given. The new version is borrowed from the store; after a dry
 * run it is the caller's (object_unref). */
struct object *commit_create(struct fake *f, const struct kind *k, cJSON *root,
                             const struct writer *w);
/* Replace `old` by `root`. *changed false: nothing differs, no event, `old` is returned. An object
 * that loses its last finalizer while being deleted goes away: NULL. */
struct object *commit_update(struct fake *f, struct object *old, cJSON *root,
                             const struct writer *w, bool *changed);
/* Delete at once, or mark when finalizers hold it (true is returned then). */
bool commit_delete(struct fake *f, struct object *o);
/* Create the namespace of a namespaced object when it is missing. */
void commit_namespace(struct fake *f, const char *ns);
/* "ns/name" or "name" of a tree. */
void key_of(const struct kind *k, const cJSON *root, struct buf *out);

#endif
