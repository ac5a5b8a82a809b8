/* Text that outsiders chose: escaping, globs, bounded copies. ASCII case rules only (RFC 1123
 * names). */
#ifndef NETAUDITD_BASE_TEXT_H
#define NETAUDITD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `len` bytes of `src` to `dst` with every control character (C0, DEL, C1 as UTF-8,
 * U+2028/2029 and the bidirectional overrides U+202A-202E, U+2066-2069) and every byte that is not
 * valid UTF-8 written as \xHH, cutting at whole escapes or whole UTF-8 characters when `size` is
 * short. Always NUL-terminates; returns bytes written without the NUL. */
size_t text_escape_control(char *dst, size_t size, const char *src, size_t len);

/* True when `len` bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const char *text, size_t len);

/* Glob over the whole text: `*` any run (also empty), `?` one character, everything else itself.
 * Linear in strlen(pattern) * strlen(text), no recursion. */
bool text_glob(const char *pattern, const char *text);

bool text_iequal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* strtol without its traps: the whole text must be one decimal number within [min, max]; *out
 * untouched otherwise. */
bool text_to_int(const char *text, long long min, long long max, long long *out);

/* Go's strconv.ParseBool: 1 t T TRUE true True / 0 f F FALSE false False. Returns false when it is
 * neither. */
bool text_parse_bool(const char *text, bool *out);

/* Edits (insert, delete, replace, swap of neighbours) between two words of at most 63 bytes, for
 * "did you mean"; 64 when either is longer. */
size_t text_distance(const char *a, const char *b);

/* The name of a NULL-terminated list nearest to `word` (at most 2 edits away, 1 when it has three
 * letters or less), or NULL. */
const char *text_nearest(const char *const *names, const char *word);

#endif
