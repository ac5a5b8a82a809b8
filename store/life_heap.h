/* Grace times that run: a heap by their end. Entries know their place in it. */
#ifndef NETAUDITD_STORE_LIFE_HEAP_H
#define NETAUDITD_STORE_LIFE_HEAP_H

#include "base/vec.h"
#include "store/life_table.h"

struct grace {
    int64_t due_ms, first_seen_ms;
    uint32_t entry;
};
struct life_heap {
    VEC(struct grace) graces;
};

void life_heap_add(struct life_heap *h, struct life_table *t, uint32_t entry, int64_t first_seen_ms,
                   int64_t due_ms);
/* Does nothing for an entry that is not in it. */
void life_heap_remove(struct life_heap *h, struct life_table *t, uint32_t entry);
struct grace *life_heap_of(struct life_heap *h, const struct life_entry *e);
/* The heap is in order again after due_ms of this entry was changed. */
void life_heap_moved(struct life_heap *h, struct life_table *t, uint32_t entry);
/* NULL when empty. */
const struct grace *life_heap_first(const struct life_heap *h);

#endif
