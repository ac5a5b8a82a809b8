/* Sets are kept once and never change. Two open-addressed tables: from content to number, and from
 * (operation, number, number) to the number of the result. */
#include "rules/port_set.h"

#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "base/xalloc.h"

enum operation { OPERATION_OR, OPERATION_AND, OPERATION_MINUS };

struct kept {                      /* one set */
    struct port_range *items;      /* of the protocols one after the other */
    uint32_t ends[PORT_PROTOCOLS]; /* where each protocol's end */
    uint32_t hash;
};

struct memo {
    uint64_t key; /* 0: empty */
    port_set result;
};

struct port_table {
    VEC(struct kept) sets;
    port_set *by_content; /* 0: empty, else number + 1 */
    uint32_t content_size;
    struct memo *memo;
    uint32_t memo_size, memo_count;
    VEC(struct port_range) scratch;
};

size_t port_table_size(const struct port_table *t)
{
    return t->sets.len;
}

/* ---- interning ---- */

static uint32_t content_hash(const struct port_range *items, const uint32_t ends[PORT_PROTOCOLS])
{
    uint32_t n = ends[PORT_PROTOCOLS - 1];
    uint64_t h = hash_bytes(ends, PORT_PROTOCOLS * sizeof(ends[0]));

    return (uint32_t)(n > 0 ? hash_mix(h, hash_bytes(items, n * sizeof(items[0]))) : h);
}

static void place(struct port_table *t, port_set number)
{
    uint32_t i = t->sets.items[number].hash & (t->content_size - 1);

    while (t->by_content[i] != 0) {
        i = (i + 1) & (t->content_size - 1);
    }
    t->by_content[i] = number + 1;
}

static void grow_content(struct port_table *t)
{
    t->content_size *= 2;
    free(t->by_content);
    t->by_content = xcalloc(t->content_size, sizeof(t->by_content[0]));
    for (size_t i = 0; i < t->sets.len; i++) {
        place(t, (port_set)i);
    }
}

static bool same_content(const struct kept *k, const struct port_range *items,
                         const uint32_t ends[PORT_PROTOCOLS])
{
    uint32_t n = ends[PORT_PROTOCOLS - 1];

    return memcmp(k->ends, ends, sizeof(k->ends)) == 0 &&
           (n == 0 || memcmp(k->items, items, n * sizeof(items[0])) == 0);
}

/* `items` is copied when the set is new. */
static port_set intern(struct port_table *t, const struct port_range *items,
                       const uint32_t ends[PORT_PROTOCOLS])
{
    uint32_t hash = content_hash(items, ends), n = ends[PORT_PROTOCOLS - 1];
    struct kept k = { .hash = hash };

    for (uint32_t i = hash & (t->content_size - 1); t->by_content[i] != 0;
         i = (i + 1) & (t->content_size - 1)) {
        const struct kept *old = &t->sets.items[t->by_content[i] - 1];
        if (old->hash == hash && same_content(old, items, ends)) {
            return t->by_content[i] - 1;
        }
    }
    memcpy(k.ends, ends, sizeof(k.ends));
    k.items = xcalloc(n + 1, sizeof(k.items[0])); /* even an empty set has a place to point at */
    if (n > 0) {
        memcpy(k.items, items, n * sizeof(k.items[0]));
    }
    vec_push(&t->sets, k);
    if (t->sets.len * 2 > t->content_size) {
        grow_content(t);
    } else {
        place(t, (port_set)t->sets.len - 1);
    }
    return (port_set)t->sets.len - 1;
}

struct port_table *port_table_create(void)
{
    struct port_table *t = xcalloc(1, sizeof(*t));
    const struct port_range every[PORT_PROTOCOLS] = { { PORT_FIRST, PORT_LAST },
                                                      { PORT_FIRST, PORT_LAST },
                                                      { PORT_FIRST, PORT_LAST } };

    t->content_size = 64;
    t->by_content = xcalloc(t->content_size, sizeof(t->by_content[0]));
    t->memo_size = 256;
    t->memo = xcalloc(t->memo_size, sizeof(t->memo[0]));
    intern(t, NULL, (const uint32_t[PORT_PROTOCOLS]){ 0, 0, 0 });
    intern(t, every, (const uint32_t[PORT_PROTOCOLS]){ 1, 2, 3 });
    return t;
}

void port_table_destroy(struct port_table *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->sets.len; i++) {
        free(t->sets.items[i].items);
    }
    vec_free(&t->sets);
    vec_free(&t->scratch);
    free(t->by_content);
    free(t->memo);
    free(t);
}

/* ---- asking ---- */

struct port_ranges port_set_ranges(const struct port_table *t, port_set s, enum protocol protocol)
{
    const struct kept *k = &t->sets.items[s];

    if ((unsigned)protocol >= PORT_PROTOCOLS) {
        return (struct port_ranges){ NULL, 0 };
    }
    uint32_t first = protocol > 0 ? k->ends[protocol - 1] : 0;
    return (struct port_ranges){ k->items + first, k->ends[protocol] - first };
}

bool port_set_has(const struct port_table *t, port_set s, enum protocol protocol, uint16_t port)
{
    struct port_ranges r = port_set_ranges(t, s, protocol);

    for (uint32_t i = 0; i < r.count; i++) {
        if (r.items[i].lo <= port && port <= r.items[i].hi) {
            return true;
        }
    }
    return false;
}

bool port_set_full(const struct port_table *t, port_set s, enum protocol protocol)
{
    struct port_ranges r = port_set_ranges(t, s, protocol);

    return r.count == 1 && r.items[0].lo == PORT_FIRST && r.items[0].hi == PORT_LAST;
}

/* ---- making ---- */

port_set port_set_range(struct port_table *t, enum protocol protocol, uint16_t lo, uint16_t hi)
{
    struct port_range r = { lo < PORT_FIRST ? PORT_FIRST : lo, hi };
    uint32_t ends[PORT_PROTOCOLS];

    if ((unsigned)protocol >= PORT_PROTOCOLS || r.lo > r.hi) {
        return PORTS_NONE;
    }
    for (uint32_t p = 0; p < PORT_PROTOCOLS; p++) {
        ends[p] = p >= (uint32_t)protocol ? 1 : 0;
    }
    return intern(t, &r, ends);
}

/* Appends, joining what touches. `from`: where the protocol's ranges begin. */
static void append(struct port_table *t, size_t from, uint32_t lo, uint32_t hi)
{
    struct port_range *last = t->scratch.len > from ? &t->scratch.items[t->scratch.len - 1] : NULL;

    if (lo > hi) {
        return;
    }
    if (last != NULL && lo <= (uint32_t)last->hi + 1) {
        last->hi = hi > last->hi ? (uint16_t)hi : last->hi;
        return;
    }
    vec_push(&t->scratch, ((struct port_range){ (uint16_t)lo, (uint16_t)hi }));
}

static void unite(struct port_table *t, size_t from, struct port_ranges a, struct port_ranges b)
{
    uint32_t i = 0, k = 0;

    while (i < a.count || k < b.count) {
        bool first = k == b.count || (i < a.count && a.items[i].lo <= b.items[k].lo);
        const struct port_range *r = first ? &a.items[i++] : &b.items[k++];
        append(t, from, r->lo, r->hi);
    }
}

static void intersect(struct port_table *t, size_t from, struct port_ranges a, struct port_ranges b)
{
    uint32_t i = 0, k = 0;

    while (i < a.count && k < b.count) {
        uint32_t lo = a.items[i].lo > b.items[k].lo ? a.items[i].lo : b.items[k].lo;
        uint32_t hi = a.items[i].hi < b.items[k].hi ? a.items[i].hi : b.items[k].hi;
        append(t, from, lo, hi);
        if (a.items[i].hi < b.items[k].hi) {
            i++;
        } else {
            k++;
        }
    }
}

static void subtract(struct port_table *t, size_t from, struct port_ranges a, struct port_ranges b)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < a.count; i++) {
        uint32_t at = a.items[i].lo;
        while (k < b.count && b.items[k].hi < at) {
            k++;
        }
        for (uint32_t n = k; n < b.count && b.items[n].lo <= a.items[i].hi; n++) {
            if (b.items[n].lo > at) {
                append(t, from, at, (uint32_t)b.items[n].lo - 1);
            }
            at = (uint32_t)b.items[n].hi + 1;
        }
        append(t, from, at, a.items[i].hi);
    }
}

static port_set compute(struct port_table *t, enum operation op, port_set a, port_set b)
{
    uint32_t ends[PORT_PROTOCOLS];

    t->scratch.len = 0;
    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        struct port_ranges ra = port_set_ranges(t, a, (enum protocol)p);
        struct port_ranges rb = port_set_ranges(t, b, (enum protocol)p);
        size_t from = t->scratch.len;
        switch (op) {
        case OPERATION_OR:
            unite(t, from, ra, rb);
            break;
        case OPERATION_AND:
            intersect(t, from, ra, rb);
            break;
        case OPERATION_MINUS:
            subtract(t, from, ra, rb);
            break;
        }
        ends[p] = (uint32_t)t->scratch.len;
    }
    return intern(t, t->scratch.items, ends);
}

static struct memo *memo_slot(struct port_table *t, uint64_t key)
{
    uint32_t i = (uint32_t)hash_mix(key, 0) & (t->memo_size - 1);

    while (t->memo[i].key != 0 && t->memo[i].key != key) {
        i = (i + 1) & (t->memo_size - 1);
    }
    return &t->memo[i];
}

static void grow_memo(struct port_table *t)
{
    struct memo *old = t->memo;
    uint32_t size = t->memo_size;

    t->memo_size *= 2;
    t->memo = xcalloc(t->memo_size, sizeof(t->memo[0]));
    for (uint32_t i = 0; i < size; i++) {
        if (old[i].key != 0) {
            *memo_slot(t, old[i].key) = old[i];
        }
    }
    free(old);
}

static port_set operate(struct port_table *t, enum operation op, port_set a, port_set b)
{
    uint64_t key = ((uint64_t)(op + 1) << 62) ^ ((uint64_t)a << 31) ^ b;
    struct memo *m = memo_slot(t, key);

    if (m->key == key) {
        return m->result;
    }
    port_set result = compute(t, op, a, b);
    *m = (struct memo){ key, result };
    if (++t->memo_count * 2 > t->memo_size) {
        grow_memo(t);
    }
    return result;
}

port_set port_set_or(struct port_table *t, port_set a, port_set b)
{
    if (a == b || b == PORTS_NONE || a == PORTS_ALL) {
        return a;
    }
    if (a == PORTS_NONE || b == PORTS_ALL) {
        return b;
    }
    return a < b ? operate(t, OPERATION_OR, a, b) : operate(t, OPERATION_OR, b, a);
}

port_set port_set_and(struct port_table *t, port_set a, port_set b)
{
    if (a == b || a == PORTS_NONE || b == PORTS_ALL) {
        return a;
    }
    if (b == PORTS_NONE || a == PORTS_ALL) {
        return b;
    }
    return a < b ? operate(t, OPERATION_AND, a, b) : operate(t, OPERATION_AND, b, a);
}

port_set port_set_minus(struct port_table *t, port_set a, port_set b)
{
    if (a == b || a == PORTS_NONE || b == PORTS_ALL) {
        return PORTS_NONE;
    }
    return b == PORTS_NONE ? a : operate(t, OPERATION_MINUS, a, b);
}
