/* Sets are interned by content. API servers send keys sorted, so the sort is nearly always a look.
 */
#include "cluster/label_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/table.h"

enum { SORT_IN_PLACE = 16 }; /* pairs up to which no memory is asked for */

struct place {
    struct label label;
    uint32_t at; /* where it stood: of a key twice the last wins */
};

struct wanted {
    const struct place *items;
    uint32_t count, hash;
};

static struct table sets;

static uint32_t set_hash(const void *item)
{
    return ((const struct label_set *)item)->hash;
}

static bool set_same(const void *item, const void *key)
{
    const struct label_set *s = item;
    const struct wanted *w = key;

    if (s->hash != w->hash || s->count != w->count) {
        return false;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->items[i].key != w->items[i].label.key ||
            s->items[i].value != w->items[i].label.value) {
            return false;
        }
    }
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->label.key->text, y->label.key->text);

    return order != 0 ? order : x->at < y->at ? -1 : 1;
}

static uint32_t sort_unique(struct place *places, uint32_t count)
{
    uint32_t kept = 0;
    bool sorted = true;

    for (uint32_t i = 1; i < count && sorted; i++) {
        sorted = strcmp(places[i - 1].label.key->text, places[i].label.key->text) < 0;
    }
    if (sorted) {
        return count;
    }
    qsort(places, count, sizeof(*places), compare_places);
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && places[kept - 1].label.key == places[i].label.key) {
            kept--;
        }
        places[kept++] = places[i];
    }
    return kept;
}

struct label_set *label_set_intern(const struct label *items, uint32_t count)
{
    struct place few[SORT_IN_PLACE];
    struct place *places = count > SORT_IN_PLACE ? xcalloc(count, sizeof(*places)) : few;
    struct wanted w = { .items = places };
    struct label_set *s;
    uint64_t hash;

    for (uint32_t i = 0; i < count; i++) {
        places[i] = (struct place){ items[i], i };
    }
    w.count = sort_unique(places, count);
    hash = w.count;
    for (uint32_t i = 0; i < w.count; i++) {
        hash =
            hash_mix(hash, (uint64_t)places[i].label.key->hash << 32 | places[i].label.value->hash);
    }
    w.hash = (uint32_t)(hash ^ hash >> 32);

    s = table_find(&sets, w.hash, &w, set_same);
    if (s != NULL) {
        s->refs++;
    } else {
        s = xmalloc(sizeof(*s) + w.count * sizeof(s->items[0]));
        s->refs = 1;
        s->count = w.count;
        s->hash = w.hash;
        for (uint32_t i = 0; i < w.count; i++) {
            s->items[i].key = str_ref(places[i].label.key);
            s->items[i].value = str_ref(places[i].label.value);
        }
        table_add(&sets, s, set_hash);
    }
    if (places != few) {
        free(places);
    }
    return s;
}

struct label_set *label_set_ref(struct label_set *s)
{
    if (s != NULL) {
        s->refs++;
    }
    return s;
}

void label_set_unref(struct label_set *s)
{
    if (s == NULL || --s->refs > 0) {
        return;
    }
    table_remove(&sets, s, set_hash);
    for (uint32_t i = 0; i < s->count; i++) {
        str_unref(s->items[i].key);
        str_unref(s->items[i].value);
    }
    free(s);
}

const struct str *label_set_get(const struct label_set *s, const struct str *key)
{
    if (s == NULL || key == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->items[i].key == key) {
            return s->items[i].value;
        }
    }
    return NULL;
}

const char *label_set_text(const struct label_set *s, const char *key)
{
    if (s == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (strcmp(s->items[i].key->text, key) == 0) {
            return s->items[i].value->text;
        }
    }
    return NULL;
}

bool label_set_has(const struct label_set *s, const char *key, const char *value)
{
    const char *text = label_set_text(s, key);

    return text != NULL && strcmp(text, value) == 0;
}
