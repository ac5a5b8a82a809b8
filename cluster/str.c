/* One table for the process, keyed by the keyed hash: tenants choose the strings. A string leaves
 * the table with its last reference. */
#include "cluster/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/table.h"

static struct table strings;

struct wanted {
    const char *text;
    uint32_t len, hash;
};

static uint32_t str_hash(const void *item)
{
    return ((const struct str *)item)->hash;
}

static bool str_same(const void *item, const void *key)
{
    const struct str *s = item;
    const struct wanted *w = key;

    return s->hash == w->hash && s->len == w->len && memcmp(s->text, w->text, w->len) == 0;
}

struct str *str_intern_n(const char *text, size_t len)
{
    struct wanted w = { text, (uint32_t)len, (uint32_t)hash_bytes(text, len) };
    struct str *s = table_find(&strings, w.hash, &w, str_same);

    if (s != NULL) {
        s->refs++;
        return s;
    }
    s = xmalloc(sizeof(*s) + len + 1);
    s->refs = 1;
    s->len = w.len;
    s->hash = w.hash;
    if (len > 0) {
        memcpy(s->text, text, len);
    }
    s->text[len] = '\0';
    table_add(&strings, s, str_hash);
    return s;
}

struct str *str_intern(const char *text)
{
    return str_intern_n(text, strlen(text));
}

struct str *str_ref(struct str *s)
{
    if (s != NULL) {
        s->refs++;
    }
    return s;
}

void str_unref(struct str *s)
{
    if (s != NULL && --s->refs == 0) {
        table_remove(&strings, s, str_hash);
        free(s);
    }
}

struct str *str_find(const char *text)
{
    size_t len = strlen(text);
    struct wanted w = { text, (uint32_t)len, (uint32_t)hash_bytes(text, len) };

    return table_find(&strings, w.hash, &w, str_same);
}

size_t str_table_count(void)
{
    return strings.count;
}
