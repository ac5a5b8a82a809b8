/* RFC 4648 base64 with padding; line breaks are skipped, as Go's decoder does. */
#ifndef NETAUDITD_WATCHERS_BASE64_H
#define NETAUDITD_WATCHERS_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* *out is the caller's, NUL-terminated beyond *len. False when it is no base64. */
bool base64_decode(const char *text, char **out, size_t *len);
/* The caller's. */
char *base64_encode(const char *data, size_t len);

#endif
