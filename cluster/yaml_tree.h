/* One document's tree in the making, shared by the YAML and the JSON reader: nodes that know their
 * place, an explicit stack instead of recursion, duplicate keys, merge keys, aliases and limits.
 * Room-internal. */
#ifndef NETAUDITD_CLUSTER_YAML_TREE_H
#define NETAUDITD_CLUSTER_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/error.h"
#include "base/vec.h"
#include "cluster/yaml.h"

enum { YAML_DEPTH_MAX = 64, YAML_KEY_MAX_BYTES = 64 * 1024 };

struct yaml_place {
    uint32_t line, column; /* 1-based */
};

struct yaml_frame {
    cJSON *node;
    char *key; /* of the value that comes next; NULL: a key comes next */
    struct yaml_place key_place;
    bool merge;    /* the key is "<<" */
    cJSON *merges; /* a list of what "<<" brought */
    uint32_t keys;
    uint32_t anchor; /* of the collection itself: index + 1; 0 none */
};

struct yaml_anchor {
    char *name;
    cJSON *node;
    bool open; /* still being filled: an alias to it would never end */
};

struct yaml_tree {
    const struct yaml_limits *limits;
    cJSON *root;
    cJSON *loose; /* merged mappings, kept for the anchors inside them */
    struct yaml_frame stack[YAML_DEPTH_MAX];
    uint32_t depth;
    VEC(struct yaml_anchor) anchors;
    size_t nodes, alias_bytes;
    uint32_t aliases;
    uint32_t *error_line;
    struct error *err;
};

void yaml_tree_init(struct yaml_tree *t, const struct yaml_limits *limits, uint32_t *error_line,
                    struct error *err);
void yaml_tree_deinit(struct yaml_tree *t); /* frees the root unless it was taken (set to NULL) */

/* "line L, column C: sentence", NA_EINVAL; yaml_tree_refuse with another code. */
int yaml_tree_fail(struct yaml_tree *t, struct yaml_place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int yaml_tree_refuse(struct yaml_tree *t, int code, struct yaml_place at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The innermost open mapping waits for a key. */
bool yaml_tree_wants_key(const struct yaml_tree *t);
int yaml_tree_key(struct yaml_tree *t, const char *text, size_t len, bool merge,
                  struct yaml_place at);

/* Values. Each hands the node to the innermost open collection, or makes it the root; *out (may be
 * NULL) is the node, borrowed. */
int yaml_tree_string(struct yaml_tree *t, const char *text, size_t len, struct yaml_place at,
                     cJSON **out);
/* `digits` is kept with whole numbers that a double cannot hold; may be NULL. */
int yaml_tree_number(struct yaml_tree *t, double value, const char *digits, struct yaml_place at,
                     cJSON **out);
/* cJSON_True, cJSON_False or cJSON_NULL. */
int yaml_tree_word(struct yaml_tree *t, int type, struct yaml_place at, cJSON **out);
int yaml_tree_open(struct yaml_tree *t, bool mapping, struct yaml_place at, cJSON **out);
int yaml_tree_close(struct yaml_tree *t);

/* Names `node`, which was just given or opened. A later anchor of the same name takes its place. */
int yaml_tree_anchor(struct yaml_tree *t, const char *name, cJSON *node, struct yaml_place at);
/* Names the key that was just given. */
int yaml_tree_anchor_key(struct yaml_tree *t, const char *name, struct yaml_place at);
int yaml_tree_alias(struct yaml_tree *t, const char *name, struct yaml_place at);

/* A text of JSON values, one after another (yaml_json.c). The next call of yaml_json_next begins at
 * `at`. */
struct yaml_json {
    const char *text;
    size_t len, at;
    size_t line_start; /* where the current line begins */
    uint32_t line;
};
/* 1: t->root holds a value. 0: only white space was left. Negative: t->err. */
int yaml_json_next(struct yaml_json *j, struct yaml_tree *t);

/* How a plain scalar is read (yaml_scalar.c), as the YAML 1.1 library of kubectl does. */
enum yaml_scalar {
    YAML_SCALAR_TEXT,
    YAML_SCALAR_NULL,
    YAML_SCALAR_TRUE,
    YAML_SCALAR_FALSE,
    YAML_SCALAR_NUMBER,
    YAML_SCALAR_NOT_FINITE
};
/* *whole: an integer, whose exact decimal digits are in `digits`. */
enum yaml_scalar yaml_scalar_resolve(const char *text, size_t len, double *value, bool *whole,
                                     char digits[32]);

#endif
