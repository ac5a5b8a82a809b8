/* A growing byte buffer with a ceiling chosen where it is created (curl's dynbuf). After a refused
 * append the buffer holds what it held before and stays usable. */
#ifndef NETAUDITD_BASE_BUF_H
#define NETAUDITD_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated when len > 0 or after the first append; NULL before it */
    size_t len, cap, max_bytes;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_deinit(struct buf *b);
void buf_reset(struct buf *b);                            /* len = 0, memory kept */
int buf_add(struct buf *b, const void *data, size_t len); /* 0, NA_ELIMIT or NA_ENOMEM */
int buf_adds(struct buf *b, const char *text);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends `text` as a JSON string literal with quotes; invalid UTF-8 becomes U+FFFD. */
int buf_add_json(struct buf *b, const char *text);
/* Never NULL: "" when nothing was added. */
const char *buf_text(const struct buf *b);
/* Hands the memory to the caller (free()); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#endif
