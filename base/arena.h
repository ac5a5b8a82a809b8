/* Bump allocation for things that die together (one evaluation, one parsed file). Not thread-safe.
 */
#ifndef NETAUDITD_BASE_ARENA_H
#define NETAUDITD_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used_bytes; /* handed out since the last reset */
};

void arena_init(struct arena *a);
void arena_deinit(struct arena *a);
/* Forgets everything handed out; keeps the first block for reuse. */
void arena_reset(struct arena *a);
/* Zeroed, aligned to 16 bytes; never NULL (out of memory ends the process, as xmalloc does). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
