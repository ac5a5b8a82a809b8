/* libyaml events -> cJSON trees with a side table of lines and columns. Used for manifests,
 * kubeconfig and our own configuration file. Alias, depth, size and document limits; YAML 1.1
 * scalars resolved as kubectl does (sigs.k8s.io/yaml: unquoted true/false/yes/no/on/off, null,
 * ints, floats; quoted = string). UTF-8 and UTF-16 BOM accepted. JSON is YAML enough, but duplicate
 * keys are an error with their line. */
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
    size_t max_alias_bytes; /* what the aliases of a document may expand to; 0: 8 MiB */
};
extern const struct yaml_limits yaml_limits_default;

struct yaml_document {
    cJSON *root;   /* owned by yaml_file */
    uint32_t line; /* of its first node */
};
struct yaml_file {
    struct yaml_document *documents;
    uint32_t count;
};

/* Parses every document; an empty one (between two markers) is nothing and left out. On an error
 * the documents before the bad one are kept in *out (which is always to be given to
 * yaml_file_deinit), and err says "line L, column C: sentence"; *error_line is its line. */
int yaml_parse(const char *text, size_t len, const struct yaml_limits *limits,
               struct yaml_file *out, uint32_t *error_line, struct error *err);
/* Line and column (1-based) of a node's key, or of the node itself where it has no key; 0 when
 * unknown. `node` is a node of this document's tree as it was parsed: the place is kept beside the
 * node, and copies made by cJSON have none. What an alias or a merge key brought in stands where
 * its anchor stands. */
void yaml_position(const struct yaml_document *doc, const cJSON *node, uint32_t *line,
                   uint32_t *column);
void yaml_file_deinit(struct yaml_file *f);

/* A whole number too large for a double (beyond 2^53) keeps its digits in `valuestring` of the
 * number node. */

/* The same document by document, for files that hold many: only one tree is in memory, and a
 * document that cannot be read does not take those behind the next "---" with it. JSON values may
 * follow one another (JSON lines). */
struct yaml_reader;
/* `text` is borrowed until yaml_reader_destroy. limits->max_bytes bounds each document here.
 * NA_EINVAL when a UTF-16 text cannot be converted. */
int yaml_reader_create(struct yaml_reader **out, const char *text, size_t len,
                       const struct yaml_limits *limits, struct error *err);
/* 1: *doc is the caller's, to be given to yaml_document_deinit. 0: no more. Negative: this document
 * cannot be read (err, *error_line as yaml_parse says); the next call goes on behind it. */
int yaml_reader_next(struct yaml_reader *r, struct yaml_document *doc, uint32_t *error_line,
                     struct error *err);
/* The text that the last call was about, from its "---" to the next one. Valid until the next call.
 */
const char *yaml_reader_chunk(const struct yaml_reader *r, size_t *len);
void yaml_document_deinit(struct yaml_document *doc);
void yaml_reader_destroy(struct yaml_reader *r); /* NULL is fine */

#endif
