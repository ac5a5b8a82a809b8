/* libyaml events -> cJSON trees with a side table of lines and columns. Used for manifests, kubeconfig and our own
 * configuration file. Alias, depth, size and document limits; YAML 1.1 scalars resolved as kubectl does (sigs.k8s.io/yaml:
 * unquoted true/false/yes/no/on/off, null, ints, floats; quoted = string). UTF-8 and UTF-16 BOM accepted. JSON is YAML enough, but
 * duplicate keys are an error with their line. */
#ifndef NETAUDITD_CLUSTER_YAML_H
#define NETAUDITD_CLUSTER_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/error.h"

struct yaml_limits {
    size_t max_bytes;       /* of the whole text */
    uint32_t max_depth;     /* 64 */
    uint32_t max_aliases;   /* expansions a document */
    size_t max_nodes;       /* per document, aliases expanded */
};
extern const struct yaml_limits yaml_limits_default;

struct yaml_document {
    cJSON *root;                /* owned by yaml_file */
    uint32_t line;              /* of its first node */
    struct yaml_positions *positions; /* of every node: see yaml_position */
};
struct yaml_file {
    struct yaml_document *documents;
    uint32_t count;
};

/* Parses every document. On an error the documents before the bad one are kept in *out (which is always to be given
 * to yaml_file_deinit), and err says "line L, column C: sentence"; *error_line is its line. */
int yaml_parse(const char *text, size_t len, const struct yaml_limits *limits, struct yaml_file *out, uint32_t *error_line, struct error *err);
/* Line and column (1-based) of a node's key, or of the node itself where it has no key; 0 when unknown. `node` is
 * a node of this document's tree. */
void yaml_position(const struct yaml_document *doc, const cJSON *node, uint32_t *line, uint32_t *column);
void yaml_file_deinit(struct yaml_file *f);

#endif
