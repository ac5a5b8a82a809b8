/* Growable bytes, and allocation that leaves with exit 70 when memory is gone (a test tool has
 * nothing better to do). A zeroed struct buf is an empty one; buf_free makes it empty again. */
#ifndef FAKE_BUF_H
#define FAKE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifndef ARRAY_LEN
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#endif

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

struct buf {
    char *data; /* not NUL-terminated, except after buf_cstr */
    size_t len, cap;
};

void buf_free(struct buf *b);
/* Room for `extra` more bytes; the address of the first is returned, len is unchanged. */
char *buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_u64(struct buf *b, uint64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/* The content as a C string, valid until the next change. */
const char *buf_cstr(struct buf *b);
/* A JSON string with quotes, escaped as Go's encoder does without HTML escaping. NULL is "". */
void buf_json(struct buf *b, const char *s);

#endif
