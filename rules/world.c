#include "rules/world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cidr.h"

enum { TOLERATED_SHARE = 256 }; /* one in so many may be missing */

/* The IANA special-purpose address registries; what is not globally reachable lies in `holes`, what
 * within them is all the same is not worth an exception here (a few addresses). Of IPv6 only
 * 2000::/3 is assigned to unicast. */
static const struct {
    int family;
    const char *all;
    const char *const *holes;
} families[] = {
    { 4, "0.0.0.0/0",
      (const char *const[]){ "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
                             "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
                             "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                             "203.0.113.0/24", "224.0.0.0/3", NULL } },
    { 6, "2000::/3",
      (const char *const[]){ "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", NULL } },
};

enum { PUBLIC_MAX = 16 };
static struct {
    struct world_range ranges[PUBLIC_MAX];
    size_t count;
    world_address total;
} public_of[ARRAY_LEN(families)];
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct world_range world_range_of(const struct cidr *c)
{
    unsigned width = c->family == 4 ? 32 : 128, free_bits = width - c->bits;
    struct world_range r = { 0, 0 };

    for (unsigned i = 0; i < width / 8; i++) {
        r.lo = r.lo << 8 | c->addr[i];
    }
    world_address ones = ~(world_address)0;
    r.hi = r.lo | (free_bits == 0     ? 0
                   : free_bits == 128 ? ones
                                      : ((world_address)1 << free_bits) - 1);
    return r;
}

static int by_start(const void *a, const void *b)
{
    const struct world_range *x = a, *y = b;

    return x->lo < y->lo ? -1 : x->lo > y->lo ? 1 : 0;
}

/* What remains of `whole` without the holes, in order, through `add`. The holes are sorted. */
static void subtract(struct world_range whole, const struct world_range *holes, size_t count,
                     void (*add)(void *ctx, struct world_range r), void *ctx)
{
    world_address at = whole.lo;

    for (size_t i = 0; i < count; i++) {
        if (holes[i].hi < at || holes[i].lo > whole.hi) {
            continue;
        }
        if (holes[i].lo > at) {
            add(ctx, (struct world_range){ at, holes[i].lo - 1 });
        }
        if (holes[i].hi >= whole.hi) {
            return;
        }
        at = holes[i].hi + 1;
    }
    add(ctx, (struct world_range){ at, whole.hi });
}

static void add_public(void *ctx, struct world_range r)
{
    size_t f = *(size_t *)ctx;

    public_of[f].ranges[public_of[f].count++] = r;
    public_of[f].total += r.hi - r.lo + 1;
}

static void find_public(void)
{
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        struct world_range holes[PUBLIC_MAX] = { { 0, 0 } };
        size_t n = 0;
        struct cidr c;
        for (; families[f].holes[n] != NULL; n++) {
            if (n + 1 >= PUBLIC_MAX || !cidr_parse(families[f].holes[n], &c)) {
                abort();
            }
            holes[n] = world_range_of(&c);
        }
        qsort(holes, n, sizeof(holes[0]), by_start);
        if (!cidr_parse(families[f].all, &c)) {
            abort();
        }
        subtract(world_range_of(&c), holes, n, add_public, &f);
    }
}

void world_deinit(struct world *w)
{
    vec_free(&w->v4);
    vec_free(&w->v6);
}

void world_reset(struct world *w)
{
    w->v4.len = 0;
    w->v6.len = 0;
}

struct adding {
    struct world *world;
    int family;
};

static void add_range(void *ctx, struct world_range r)
{
    const struct adding *a = ctx;

    if (a->family == 4) {
        vec_push(&a->world->v4, r);
    } else {
        vec_push(&a->world->v6, r);
    }
}

void world_add(struct world *w, const struct ip_block *b)
{
    VEC(struct world_range) holes = { 0 };
    struct cidr block, except;

    if (!cidr_parse(str_text(b->cidr), &block)) {
        return;
    }
    for (uint32_t i = 0; i < b->except_count; i++) {
        if (cidr_parse(str_text(b->except[i]), &except) && except.family == block.family) {
            vec_push(&holes, world_range_of(&except));
        }
    }
    if (holes.len > 1) {
        qsort(holes.items, holes.len, sizeof(holes.items[0]), by_start);
    }
    struct adding a = { w, block.family };
    subtract(world_range_of(&block), holes.items, holes.len, add_range, &a);
    vec_free(&holes);
}

/* How many addresses of `r` are public. */
static world_address public_part(size_t f, struct world_range r)
{
    world_address n = 0;

    for (size_t i = 0; i < public_of[f].count; i++) {
        const struct world_range *p = &public_of[f].ranges[i];
        world_address lo = r.lo > p->lo ? r.lo : p->lo, hi = r.hi < p->hi ? r.hi : p->hi;
        n += lo <= hi ? hi - lo + 1 : 0;
    }
    return n;
}

bool world_covered(struct world *w, int family)
{
    struct world_range *ranges = family == 4 ? w->v4.items : w->v6.items;
    size_t count = family == 4 ? w->v4.len : w->v6.len, f = family == 4 ? 0 : 1;
    world_address covered = 0, tolerated;

    pthread_once(&once, find_public);
    tolerated = public_of[f].total / TOLERATED_SHARE;
    if (count == 0) {
        return false;
    }
    qsort(ranges, count, sizeof(ranges[0]), by_start);
    struct world_range at = ranges[0];
    for (size_t i = 1; i <= count; i++) {
        if (i < count && ranges[i].lo <= at.hi) {
            at.hi = ranges[i].hi > at.hi ? ranges[i].hi : at.hi;
            continue;
        }
        covered += public_part(f, at);
        if (i < count) {
            at = ranges[i];
        }
    }
    return public_of[f].total - covered <= tolerated;
}

world_address world_public(int family, struct world_range r)
{
    pthread_once(&once, find_public);
    return public_part(family == 4 ? 0 : 1, r);
}

bool world_tolerates(int family, world_address missing)
{
    pthread_once(&once, find_public);
    return missing <= public_of[family == 4 ? 0 : 1].total / TOLERATED_SHARE;
}

bool world_has(const char *address)
{
    struct cidr c;

    pthread_once(&once, find_public);
    return ip_parse(address, &c) && public_part(c.family == 4 ? 0 : 1, world_range_of(&c)) == 1;
}

/* ---- cutting ---- */

static struct world_range everything(int family)
{
    const struct cidr all = { .family = (uint8_t)family };

    return world_range_of(&all);
}

static void add_border(struct world *w, int family, world_address at)
{
    const struct world_range r = { at, at };

    if (family == 4) {
        vec_push(&w->v4, r);
    } else {
        vec_push(&w->v6, r);
    }
}

void world_cut_begin(struct world *w)
{
    world_reset(w);
    add_border(w, 4, everything(4).lo);
    add_border(w, 6, everything(6).lo);
}

void world_cut(struct world *w, const struct cidr *block)
{
    struct world_range r = world_range_of(block);

    add_border(w, block->family, r.lo);
    if (r.hi < everything(block->family).hi) {
        add_border(w, block->family, r.hi + 1);
    }
}

void world_cut_like(struct world *w, const struct world *other)
{
    for (size_t i = 0; i < other->v4.len; i++) {
        add_border(w, 4, other->v4.items[i].lo);
    }
    for (size_t i = 0; i < other->v6.len; i++) {
        add_border(w, 6, other->v6.items[i].lo);
    }
}

/* From borders to the ranges between them; returns how many. */
static size_t close_ranges(struct world_range *r, size_t count, world_address last)
{
    size_t n = 0;

    qsort(r, count, sizeof(r[0]), by_start);
    for (size_t i = 0; i < count; i++) {
        if (n == 0 || r[i].lo != r[n - 1].lo) {
            r[n++] = r[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        r[i].hi = i + 1 < n ? r[i + 1].lo - 1 : last;
    }
    return n;
}

void world_cut_end(struct world *w)
{
    w->v4.len = close_ranges(w->v4.items, w->v4.len, everything(4).hi);
    w->v6.len = close_ranges(w->v6.items, w->v6.len, everything(6).hi);
}

struct world_ranges world_ranges(const struct world *w, int family)
{
    return family == 4 ? (struct world_ranges){ w->v4.items, w->v4.len }
                       : (struct world_ranges){ w->v6.items, w->v6.len };
}

void world_put_address(world_address a, int family, uint8_t out[16])
{
    unsigned bytes = family == 4 ? 4 : 16;

    for (unsigned i = 0; i < bytes; i++) {
        out[bytes - 1 - i] = (uint8_t)(a >> (8 * i));
    }
}
