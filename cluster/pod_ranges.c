/* Where the pods' addresses lie. A pod that comes widens its range or changes a count; one that
 * goes changes a count, and only when that leaves a half of the range empty are the pods of the
 * range looked at again, once for each change of the cache. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/cluster_private.h"

enum { GROUP_BITS_4 = 16, GROUP_BITS_6 = 48 };

static unsigned width(const struct cidr *a)
{
    return a->family == 4 ? 32 : 128;
}

static unsigned group_bits(const struct cidr *a)
{
    return a->family == 4 ? GROUP_BITS_4 : GROUP_BITS_6;
}

static unsigned bit_at(const struct cidr *a, unsigned i)
{
    return (unsigned)a->addr[i / 8] >> (7 - i % 8) & 1U;
}

static unsigned common_bits(const struct cidr *a, const struct cidr *b, unsigned max)
{
    unsigned n = 0;

    while (n < max && bit_at(a, n) == bit_at(b, n)) {
        n++;
    }
    return n;
}

static void clear_host_bits(struct cidr *a, unsigned bits)
{
    for (unsigned i = bits; i < width(a); i++) {
        a->addr[i / 8] &= (uint8_t) ~(1U << (7 - i % 8));
    }
    a->bits = (uint8_t)bits;
}

static uint32_t range_hash(const void *item)
{
    return ((const struct pod_range *)item)->hash;
}

static bool same_group(const void *item, const void *key)
{
    const struct cidr *a = &((const struct pod_range *)item)->range, *b = key;

    return a->family == b->family && common_bits(a, b, group_bits(a)) == group_bits(a);
}

static uint32_t group_hash(const struct cidr *address)
{
    uint8_t key[1 + GROUP_BITS_6 / 8] = { address->family };

    memcpy(key + 1, address->addr, group_bits(address) / 8);
    return (uint32_t)hash_bytes(key, sizeof(key));
}

static struct pod_range *find_range(const struct cluster *c, const struct cidr *address)
{
    return table_find(&c->addresses.ranges, group_hash(address), address, same_group);
}

static void add_address(struct pod_range *r, const struct cidr *address)
{
    unsigned common = common_bits(&r->range, address, r->range.bits);

    if (r->total == 0) {
        r->range = *address;
        r->low = 0;
    } else if (common < r->range.bits) {
        r->low = bit_at(&r->range, common) == 0 ? r->total : 0;
        clear_host_bits(&r->range, common);
    }
    r->total++;
    if (r->range.bits < width(address) && bit_at(address, r->range.bits) == 0) {
        r->low++;
    }
}

static void remove_address(struct pod_range *r, const struct cidr *address)
{
    if (r->range.bits < width(address) && bit_at(address, r->range.bits) == 0) {
        r->low--;
    }
    r->total--;
}

static void touch(struct cluster *c, struct pod_range *r)
{
    if (!r->touched) {
        r->touched = true;
        vec_push(&c->addresses.touched, r);
    }
}

/* The pod's addresses, at most `max`. */
static uint32_t unpack(const struct pod *pod, struct cidr *out, uint32_t max)
{
    const uint8_t *at = (const uint8_t *)pod->name + pod->name_len + 1, *end = at + pod->ip_bytes;
    uint32_t n = 0;

    while (at < end && n < max) {
        size_t bytes = *at == 4 ? 4 : 16;
        out[n] = (struct cidr){ .family = *at, .bits = (uint8_t)(bytes * 8) };
        memcpy(out[n++].addr, at + 1, bytes);
        at += 1 + bytes;
    }
    return n;
}

enum { ADDRESSES_MAX = 4 };

void addresses_count(struct cluster *c, const struct pod *pod, int by)
{
    struct cidr addresses[ADDRESSES_MAX];
    uint32_t n = unpack(pod, addresses, ADDRESSES_MAX);

    c->addresses.note = (struct note){ .verb = c->txn.note.verb, .pod = pod };
    for (uint32_t i = 0; i < n; i++) {
        struct pod_range *r;
        c->addresses.in_family[addresses[i].family == 4 ? 0 : 1] += (uint64_t)by;
        if (pod->spec->shape->host_network) {
            continue;
        }
        r = find_range(c, &addresses[i]);
        if (r == NULL) {
            r = xcalloc(1, sizeof(*r));
            r->range = addresses[i];
            r->hash = group_hash(&addresses[i]);
            table_add(&c->addresses.ranges, r, range_hash);
        }
        if (by > 0) {
            add_address(r, &addresses[i]);
        } else {
            remove_address(r, &addresses[i]);
        }
        touch(c, r);
    }
}

/* ---- settling ---- */

static bool half_empty(const struct pod_range *r)
{
    return r->total > 0 && r->range.bits < width(&r->range) && (r->low == 0 || r->low == r->total);
}

static void count_again(struct cluster *c, const struct pod *pod)
{
    struct cidr addresses[ADDRESSES_MAX];
    uint32_t n = unpack(pod, addresses, ADDRESSES_MAX);

    if ((pod->flags & POD_FINISHED) != 0 || pod->spec->shape->host_network) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct pod_range *r = find_range(c, &addresses[i]);
        if (r != NULL && r->touched && r->told.bits == UINT8_MAX) {
            add_address(r, &addresses[i]);
        }
    }
}

/* Ranges to be counted again are told apart by an impossible number of bits, which also makes them
 * others than what was told. */
static void narrow(struct cluster *c)
{
    bool any = false;

    for (size_t i = 0; i < c->addresses.touched.len; i++) {
        struct pod_range *r = c->addresses.touched.items[i];
        if (half_empty(r)) {
            r->total = 0;
            r->told.bits = UINT8_MAX;
            any = true;
        }
    }
    for (size_t i = 0; any && i < c->ns_list.len; i++) {
        TABLE_EACH(&c->ns_list.items[i]->pods, struct pod, pod)
        {
            count_again(c, pod);
        }
    }
}

bool addresses_settle(struct cluster *c)
{
    struct pod_addresses *a = &c->addresses;
    unsigned families = (a->in_family[0] > 0 ? 1U : 0U) | (a->in_family[1] > 0 ? 2U : 0U);
    bool changed = families != a->families;

    a->families = families;
    narrow(c);
    for (size_t i = 0; i < a->touched.len; i++) {
        struct pod_range *r = a->touched.items[i];
        bool same = r->told.family == r->range.family && r->told.bits == r->range.bits &&
                    memcmp(r->told.addr, r->range.addr, sizeof(r->told.addr)) == 0;
        changed = changed || (r->total > 0 ? !same : r->told.family != 0);
        r->touched = false;
        r->told = r->range;
        if (r->total == 0) {
            table_remove(&a->ranges, r, range_hash);
            free(r);
        }
    }
    a->touched.len = 0;
    return changed;
}

void addresses_free(struct cluster *c)
{
    TABLE_EACH(&c->addresses.ranges, struct pod_range, r)
    {
        free(r);
    }
    table_deinit(&c->addresses.ranges);
    vec_free(&c->addresses.touched);
}

void cluster_pod_ranges(const struct cluster *c, cluster_range_fn *fn, void *ctx)
{
    TABLE_EACH(&c->addresses.ranges, struct pod_range, r)
    {
        fn(ctx, &r->range);
    }
}

unsigned cluster_pod_families(const struct cluster *c)
{
    return c->addresses.families;
}
