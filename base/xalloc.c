#include "base/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No allocation and no lock on the way out: one write, then _exit, so that a writer thread's
 * committed state stands. */
static _Noreturn void out_of_memory(void)
{
    static const char line[] = "level=error module=base msg=\"out of memory\" next=exit\n";

    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0) {
        /* nobody left to tell */
    }
    _exit(NA_EXIT_NOMEM);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL) {
        out_of_memory();
    }
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (p == NULL) {
        out_of_memory();
    }
    return p;
}

void *xrealloc(void *ptr, size_t size)
{
    void *p = realloc(ptr, size > 0 ? size : 1);

    if (p == NULL) {
        out_of_memory();
    }
    return p;
}

char *xstrndup(const char *text, size_t len)
{
    char *p = xmalloc(len + 1);

    memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *out = NULL;

    va_start(ap, fmt);
    int n = vasprintf(&out, fmt, ap);
    va_end(ap);
    if (n < 0) {
        out_of_memory();
    }
    return out;
}
