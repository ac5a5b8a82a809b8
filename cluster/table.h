/* A compact open-addressing table of pointers, keyed by a hash that the items can tell: 8 bytes a
 * slot, between 3/8 and 3/4 full. For what comes in the hundreds of thousands (strings, pods),
 * where a 56-byte uthash handle would cost more than the item. Hashes must come from base/hash.h's
 * keyed functions: outsiders choose the keys. */
#ifndef NETAUDITD_CLUSTER_TABLE_H
#define NETAUDITD_CLUSTER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct table {
    void **slots; /* NULL: free. Zero-initialised is an empty table */
    uint32_t cap; /* 0 or a power of two */
    uint32_t count;
};

typedef uint32_t table_hash_fn(const void *item);
typedef bool table_same_fn(const void *item, const void *key);

/* NULL when absent. */
void *table_find(const struct table *t, uint32_t hash, const void *key, table_same_fn *same);
/* `item` must not be in it yet. */
void table_add(struct table *t, void *item, table_hash_fn *hash);
/* By identity. False when it was not there. */
bool table_remove(struct table *t, const void *item, table_hash_fn *hash);
/* Puts `fresh`, which has the same key, where `item` stands. */
bool table_swap(struct table *t, const void *item, void *fresh, table_hash_fn *hash);
/* Takes some item out; NULL when there is none. `*cursor` begins at 0 and remembers where to look,
 * so that taking all of them is one walk, whatever is added or removed in between. */
void *table_take(struct table *t, uint32_t *cursor, table_hash_fn *hash);
/* Frees the slots, not the items. */
void table_deinit(struct table *t);

/* The items in no order; nothing may be added or removed meanwhile. */
#define TABLE_EACH(t, type, item)                                                                  \
    for (uint32_t slot_##item = 0; slot_##item < (t)->cap; slot_##item++)                          \
        for (type *item = (t)->slots[slot_##item]; item != NULL; item = NULL)

#endif
