/* Manifests: YAML or JSON files, directories and standard input become objects in a cluster, as an
 * API server would have taken them: strict about fields, defaulted, absent namespace = "default".
 * Used by the CLI; the daemon never reads manifests. */
#ifndef NETAUDITD_CLUSTER_MANIFEST_H
#define NETAUDITD_CLUSTER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cluster/cluster.h"

/* One complaint, in the form of CONTRACTS 2: file:line: Kind namespace/name: field: sentence. Parts
 * may be NULL/0. */
struct manifest_complaint {
    bool warning; /* legal but doubtful, or skipped; does not make the exit code 2 */
    const char *file;
    uint32_t line;
    const char *kind, *ns, *name, *field;
    const char *sentence;
};
typedef void manifest_complaint_fn(void *ctx, const struct manifest_complaint *c);

struct manifest_counts {
    uint32_t files, documents, objects, skipped_objects /* of unknown kinds */, errors, warnings;
};

struct manifest_loader;
/* Borrowed: `cluster` (empty, offline) must outlive the loader; the origins of its objects live
 * until manifest_loader_destroy, so destroy the cluster first. */
struct manifest_loader *manifest_loader_create(struct cluster *cluster,
                                               manifest_complaint_fn *complain, void *ctx);
/* A file, a directory (walked: *.yaml *.yml *.json, sorted, symbolic links to directories not
 * followed) or "-". What cannot be read is a complaint and an error count, never a stop. File at
 * most 256 MiB, a document at most 64 MiB, nesting 64, aliases at most 1,000 expanded to at most 8
 * MiB a document. */
void manifest_load(struct manifest_loader *l, const char *path);
/* After the last file: joins (duplicates, implied namespaces, default IngressClass, kinds present)
 * and hands everything to the cluster. `complete`: the input is the whole cluster. */
void manifest_finish(struct manifest_loader *l, bool complete);
/* What is loaded from now on takes the place of what was loaded before under the same name, as an
 * apply would. */
void manifest_overlay(struct manifest_loader *l);
/* Takes an object out again, as a delete would; false when there is none. */
bool manifest_drop(struct manifest_loader *l, const struct kind_row *row, const char *ns,
                   const char *name);
/* Instead of manifest_finish: what was loaded is applied to a cluster that holds objects already.
 */
void manifest_apply(struct manifest_loader *l);
const struct manifest_counts *manifest_counts(const struct manifest_loader *l);
void manifest_loader_destroy(struct manifest_loader *l);

#endif
