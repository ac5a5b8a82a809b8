/* Linear probing with backward-shift deletion: no tombstones, so that a cache that lives for months
 * does not fill up with them. */
#include "cluster/table.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum { TABLE_LEAST = 4 };

void *table_find(const struct table *t, uint32_t hash, const void *key, table_same_fn *same)
{
    if (t->cap == 0) {
        return NULL;
    }
    for (uint32_t i = hash & (t->cap - 1); t->slots[i] != NULL; i = (i + 1) & (t->cap - 1)) {
        if (same(t->slots[i], key)) {
            return t->slots[i];
        }
    }
    return NULL;
}

static void place(struct table *t, void *item, uint32_t hash)
{
    uint32_t i = hash & (t->cap - 1);

    while (t->slots[i] != NULL) {
        i = (i + 1) & (t->cap - 1);
    }
    t->slots[i] = item;
}

static void resize(struct table *t, uint32_t cap, table_hash_fn *hash)
{
    void **old = t->slots;
    uint32_t old_cap = t->cap;

    t->slots = xcalloc(cap, sizeof(*t->slots));
    t->cap = cap;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i] != NULL) {
            place(t, old[i], hash(old[i]));
        }
    }
    free(old);
}

void table_add(struct table *t, void *item, table_hash_fn *hash)
{
    if (t->cap - t->cap / 4 <= t->count) {
        resize(t, t->cap > 0 ? t->cap * 2 : TABLE_LEAST, hash);
    }
    place(t, item, hash(item));
    t->count++;
}

static bool find_slot(const struct table *t, const void *item, uint32_t hash, uint32_t *out)
{
    if (t->cap == 0) {
        return false;
    }
    for (uint32_t i = hash & (t->cap - 1); t->slots[i] != NULL; i = (i + 1) & (t->cap - 1)) {
        if (t->slots[i] == item) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void empty_slot(struct table *t, uint32_t hole, table_hash_fn *hash)
{
    uint32_t mask = t->cap - 1, i;

    for (i = (hole + 1) & mask; t->slots[i] != NULL; i = (i + 1) & mask) {
        uint32_t home = hash(t->slots[i]) & mask;

        /* An item may fall back into the hole unless its home lies after the hole, on the way to
         * it. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = NULL;
    t->count--;
    if (t->count == 0) {
        table_deinit(t);
    }
}

bool table_remove(struct table *t, const void *item, table_hash_fn *hash)
{
    uint32_t hole;

    if (!find_slot(t, item, hash(item), &hole)) {
        return false;
    }
    empty_slot(t, hole, hash);
    if (t->cap > TABLE_LEAST && t->count < t->cap / 8) {
        resize(t, t->cap / 4, hash);
    }
    return true;
}

void *table_take(struct table *t, uint32_t *cursor, table_hash_fn *hash)
{
    void *item;

    if (t->count == 0) {
        return NULL;
    }
    *cursor &= t->cap - 1;
    while ((item = t->slots[*cursor]) == NULL) {
        *cursor = (*cursor + 1) & (t->cap - 1);
    }
    empty_slot(t, *cursor, hash); /* the cursor stays: what follows moves up to it */
    return item;
}

bool table_swap(struct table *t, const void *item, void *fresh, table_hash_fn *hash)
{
    uint32_t i;

    if (!find_slot(t, item, hash(item), &i)) {
        return false;
    }
    t->slots[i] = fresh;
    return true;
}

void table_deinit(struct table *t)
{
    free(t->slots);
    t->slots = NULL;
    t->cap = 0;
    t->count = 0;
}
