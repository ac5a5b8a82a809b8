/* The scanner under projection.h and the frame parser. Room-internal. */
#ifndef NETAUDITD_CLUSTER_JSON_SCAN_H
#define NETAUDITD_CLUSTER_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/projection.h"

/* The first byte from `at` that is no JSON white space; `end` when there is none. */
static inline const char *json_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

/* The byte after the string's closing quote; `at` is the byte after the opening one. NULL when it
 * does not close. *escapes is set when a backslash was passed. */
const char *json_skip_string(const char *at, const char *end, bool *escapes);

/* The byte after the value at `at` (no white space before it). NULL when it does not end, or nests
 * deeper than `max_depth` levels (*too_deep is set then). Containers are checked for balance only.
 */
const char *json_skip_value(const char *at, const char *end, unsigned max_depth, bool *too_deep);

/* An unescaped string cut to `size` with its NUL; `from`..`to` is between the quotes. Returns its
 * length. */
size_t json_unescape(const char *from, const char *to, char *out, size_t size);

/* text_is_utf8 with a short way through ASCII, which is nearly all there is. */
bool json_is_utf8(const char *text, size_t len);

/* The same scan without SSE2, for tests and other machines. */
extern bool json_scan_plain;

#endif
