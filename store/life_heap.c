#include "store/life_heap.h"

static void place(struct life_heap *h, struct life_table *t, size_t i, struct grace g)
{
    h->graces.items[i] = g;
    t->entries[g.entry].pending = (uint32_t)i + 1;
}

static void sift(struct life_heap *h, struct life_table *t, size_t i)
{
    struct grace g = h->graces.items[i];

    while (i > 0 && h->graces.items[(i - 1) / 2].due_ms > g.due_ms) {
        place(h, t, i, h->graces.items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < h->graces.len &&
            h->graces.items[child + 1].due_ms < h->graces.items[child].due_ms) {
            child++;
        }
        if (child >= h->graces.len || h->graces.items[child].due_ms >= g.due_ms) {
            break;
        }
        place(h, t, i, h->graces.items[child]);
        i = child;
    }
    place(h, t, i, g);
}

void life_heap_add(struct life_heap *h, struct life_table *t, uint32_t entry, int64_t first_seen_ms,
                   int64_t due_ms)
{
    vec_push(&h->graces, ((struct grace){ due_ms, first_seen_ms, entry }));
    sift(h, t, h->graces.len - 1);
}

void life_heap_remove(struct life_heap *h, struct life_table *t, uint32_t entry)
{
    if (t->entries[entry].pending == 0) {
        return;
    }
    size_t i = t->entries[entry].pending - 1;
    struct grace last = h->graces.items[--h->graces.len];
    t->entries[entry].pending = 0;
    if (i < h->graces.len) {
        h->graces.items[i] = last;
        sift(h, t, i);
    }
}

struct grace *life_heap_of(struct life_heap *h, const struct life_entry *e)
{
    return &h->graces.items[e->pending - 1];
}

void life_heap_moved(struct life_heap *h, struct life_table *t, uint32_t entry)
{
    sift(h, t, t->entries[entry].pending - 1);
}

const struct grace *life_heap_first(const struct life_heap *h)
{
    return h->graces.len > 0 ? &h->graces.items[0] : NULL;
}
