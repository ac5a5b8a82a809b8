/* Reading cJSON trees of unknown make: typed getters that tell absent from wrong and name the field
 * in the sentence. Room-internal, for decoders. A key twice: the last wins; null is absent
 * (KUBE_CLIENT F8). Outputs are untouched on failure. */
#ifndef NETAUDITD_CLUSTER_TREE_H
#define NETAUDITD_CLUSTER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/error.h"
#include "cluster/label_set.h"
#include "cluster/str.h"

enum {
    TREE_MAX_TEXT_BYTES = 64 * 1024,
    TREE_MAX_LABELS = 1000,
    TREE_MAX_ITEMS = 100000,
    TREE_PATH_MAX = 256
};

/* One step of a field path. Lives on the stack of whoever descends, so a path costs nothing until
 * it is printed. */
struct field {
    const struct field *parent;
    const char *key; /* NULL: `index` of an array */
    uint32_t index;
};
#define FIELD(parent, key)   (&(const struct field){ (parent), (key), 0 })
#define ELEMENT(parent, idx) (&(const struct field){ (parent), NULL, (uint32_t)(idx) })

/* "spec.ports[0].port"; cut at the front when it does not fit. */
void field_format(const struct field *f, char out[TREE_PATH_MAX]);
/* error_set with "<path>: " before the sentence. */
int field_error(const struct field *f, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "<path>: <sentence>" as an interned string: what a `malformed` member holds. */
struct str *field_sentence(const struct field *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL when absent, null, or `obj` is NULL. */
const cJSON *tree_get(const cJSON *obj, const char *key);

/* The member `key` of `obj`, whose path is `at`. *out is NULL (0, false) when it is absent. */
int tree_object(const cJSON *obj, const struct field *at, const char *key, const cJSON **out,
                struct error *err);
int tree_array(const cJSON *obj, const struct field *at, const char *key, const cJSON **out,
               uint32_t *count, struct error *err);
int tree_str(const cJSON *obj, const struct field *at, const char *key, struct str **out,
             struct error *err);
/* "" counts as absent. */
int tree_str_nonempty(const cJSON *obj, const struct field *at, const char *key, struct str **out,
                      struct error *err);
int tree_text(const cJSON *obj, const struct field *at, const char *key, const char **out,
              struct error *err);
int tree_bool(const cJSON *obj, const struct field *at, const char *key, bool *out,
              struct error *err);
/* A whole number within [min, max]. */
int tree_int(const cJSON *obj, const struct field *at, const char *key, int64_t min, int64_t max,
             bool *given, int64_t *out, struct error *err);
int tree_time(const cJSON *obj, const struct field *at, const char *key, bool *given,
              int64_t *out_ms, struct error *err);
/* A list of strings; each is the caller's. Freed by strs_free. */
int tree_strs(const cJSON *obj, const struct field *at, const char *key, struct str ***out,
              uint32_t *count, struct error *err);
void strs_free(struct str **items, uint32_t count);
/* A map of strings. `keep` (may be NULL) chooses keys. Values longer than TREE_MAX_TEXT_BYTES are
 * cut when `cut`, else refused. */
int tree_map(const cJSON *obj, const struct field *at, const char *key,
             bool (*keep)(const char *key), bool cut, struct label_set **out, struct error *err);
/* The value is a whole number; *out is it. */
bool tree_is_int(const cJSON *node, int64_t *out);

#endif
