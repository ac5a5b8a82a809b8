/* A binary min-heap of subjects by their soonest valid_until. */
#include "rules/engine_private.h"

static void put(struct engine *e, size_t place, struct tracked *t)
{
    e->heap.items[place] = t;
    t->heap_place = (uint32_t)place;
}

static void rise(struct engine *e, size_t place)
{
    struct tracked *t = e->heap.items[place];

    while (place > 0 && e->heap.items[(place - 1) / 2]->deadline > t->deadline) {
        put(e, place, e->heap.items[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(e, place, t);
}

static void sink_down(struct engine *e, size_t place)
{
    struct tracked *t = e->heap.items[place];

    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= e->heap.len) {
            break;
        }
        if (child + 1 < e->heap.len &&
            e->heap.items[child + 1]->deadline < e->heap.items[child]->deadline) {
            child++;
        }
        if (e->heap.items[child]->deadline >= t->deadline) {
            break;
        }
        put(e, place, e->heap.items[child]);
        place = child;
    }
    put(e, place, t);
}

void deadline_set(struct engine *e, struct tracked *t, int64_t at_ms)
{
    if (t->deadline == at_ms) {
        return;
    }
    if (t->deadline == 0) {
        t->deadline = at_ms;
        vec_push(&e->heap, t);
        rise(e, e->heap.len - 1);
        return;
    }
    size_t place = t->heap_place;
    if (at_ms == 0) {
        struct tracked *mover = e->heap.items[--e->heap.len];
        t->deadline = 0;
        if (mover == t) {
            return;
        }
        put(e, place, mover);
    } else {
        t->deadline = at_ms;
    }
    rise(e, place);
    sink_down(e, place); /* whoever stands there now */
}

struct tracked *deadline_first(const struct engine *e)
{
    return e->heap.len > 0 ? e->heap.items[0] : NULL;
}
