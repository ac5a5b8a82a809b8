/* The loader's parts. Room-internal. */
#ifndef NETAUDITD_CLUSTER_MANIFEST_PRIVATE_H
#define NETAUDITD_CLUSTER_MANIFEST_PRIVATE_H

#include "base/arena.h"
#include "base/vec.h"
#include "cluster/manifest.h"
#include "cluster/table.h"
#include "cluster/yaml.h"

struct manifest_item {
    struct object *obj; /* the loader's until manifest_finish hands it to the cluster */
    uint64_t content;   /* a hash of everything but what the server itself writes */
    uint32_t hash;      /* of kind, namespace and name */
    bool below;         /* what is loaded now takes its place */
};

struct manifest_loader {
    struct cluster *cluster;
    manifest_complaint_fn *complain;
    void *ctx;
    struct manifest_counts counts;
    unsigned kinds_present;
    struct arena arena; /* of the items */
    VEC(struct manifest_item *) items;
    struct table by_name;
    VEC(struct origin *) origins;
};

/* One file while it is read. */
struct manifest_file {
    struct manifest_loader *loader;
    struct str *name;     /* as complaints show it */
    bool walked;          /* found in a directory, not named */
    bool templated;       /* holds template directives: the rest is left alone */
    uint32_t manifests;   /* documents and items with apiVersion and kind */
    VEC(uint32_t) strays; /* the lines of those without */
};

/* Every part may be NULL (0); control characters are escaped on the way. */
void manifest_complain(struct manifest_loader *l, const struct manifest_complaint *c);

/* One document (manifest_document.c). */
void manifest_read_document(struct manifest_file *f, struct yaml_document *doc);
/* One object of a known kind (manifest_object.c). `tree` belongs to the document and may be
 * changed. */
void manifest_read_object(struct manifest_file *f, const struct yaml_document *doc,
                          const struct kind_row *row, cJSON *tree);
/* An order-independent hash of what a manifest says (manifest_content.c). */
uint64_t manifest_content(const cJSON *tree);

/* Warns of policies that share kind, tier and priority (manifest_doubt.c); before the objects are
 * handed over. */
void manifest_find_ties(struct manifest_loader *l);

/* Line table of one object (manifest_origin.c); takes a reference to `file`. */
struct origin *manifest_origin_create(struct str *file, const struct yaml_document *doc,
                                      const cJSON *tree);
void manifest_origin_destroy(struct origin *o);

#endif
