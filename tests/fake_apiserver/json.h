/* The little of JSON that goes beyond cJSON: paths, scanning over bytes without a tree, Go's
 * indentation. */
#ifndef FAKE_JSON_H
#define FAKE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Case-sensitive member of an object, NULL when absent or when `o` is no object. */
cJSON *jget(const cJSON *o, const char *key);
/* Member by a path of at most 8 keys ended by NULL. */
cJSON *jpath(const cJSON *o, ...);
/* String member, or `other` when it is absent or no string. */
const char *jstr(const cJSON *o, const char *key, const char *other);
/* Number member (or a string of digits), or `other`. */
double jnum(const cJSON *o, const char *key, double other);
bool jbool(const cJSON *o, const char *key, bool other);
/* Member that is an object, made when it is absent or of another type. */
cJSON *jobj(cJSON *o, const char *key);
/* Add or replace. Ownership of `v` passes to `o`. */
void jset(cJSON *o, const char *key, cJSON *v);
void jset_str(cJSON *o, const char *key, const char *v);
/* Set only when the key is absent or null. */
void jdefault_str(cJSON *o, const char *key, const char *v);
bool jabsent(const cJSON *o, const char *key);
bool jempty(const cJSON *v); /* NULL, null, "", {} or [] */
/* Parse exactly n bytes (trailing white space allowed). NULL when they are not one JSON value. */
cJSON *jparse(const char *s, size_t n);
/* Compact text appended to b. */
void jprint(const cJSON *v, struct buf *b);

/* One past the end of the JSON value that starts at s, or NULL when it does not end before `end`.
 */
const char *json_skip(const char *s, const char *end);
/* `n` bytes of compact JSON appended in the form of Go's MarshalIndent("", "  "). */
void json_indent(const char *s, size_t n, struct buf *out);
/* A resource version or other count out of a string or number member. False when it is neither. */
bool jrv(const cJSON *o, const char *key, uint64_t *out);
/* A whole string of digits. */
bool parse_u64(const char *s, uint64_t *out);

#endif
