/* Small internal allocations: they log and leave with exit 70 when memory is gone (STYLE 9). Sizes
 * that outsiders control use malloc and say no, or a struct buf with a ceiling. */
#ifndef NETAUDITD_BASE_XALLOC_H
#define NETAUDITD_BASE_XALLOC_H

#include <stddef.h>

enum { NA_EXIT_NOMEM = 70 };

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
/* Formats into a fresh string that the caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
