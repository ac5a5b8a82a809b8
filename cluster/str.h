/* Interned, reference-counted, immutable strings: one copy of each name, key and value in the whole
 * cache, so that equality is pointer equality. Loop thread only. One table per process. */
#ifndef NETAUDITD_CLUSTER_STR_H
#define NETAUDITD_CLUSTER_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    uint32_t refs;
    uint32_t len;
    uint32_t hash;
    char text[]; /* NUL-terminated */
};

/* The caller owns one reference, to be given to str_unref. */
struct str *str_intern(const char *text);
struct str *str_intern_n(const char *text, size_t len);
struct str *str_ref(struct str *s); /* NULL stays NULL */
void str_unref(struct str *s);      /* NULL is fine */
/* The interned string if it is in the table, without a new reference; else NULL. For lookups by
 * outside text. */
struct str *str_find(const char *text);
static inline const char *str_text(const struct str *s)
{
    return s != NULL ? s->text : "";
}
size_t str_table_count(void);

#endif
