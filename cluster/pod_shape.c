/* Pod shapes are interned: the pods of a workload, and mostly those of the whole cluster, share a
 * handful. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "cluster/decode.h"
#include "cluster/table.h"

static struct table shapes;

static uint32_t shape_hash(const void *item)
{
    return ((const struct pod_shape *)item)->hash;
}

static bool shape_same(const void *item, const void *key)
{
    const struct pod_shape *a = item, *b = key;

    if (a->hash != b->hash || a->port_count != b->port_count ||
        a->host_network != b->host_network || a->has_host_port != b->has_host_port ||
        a->istio_proxy != b->istio_proxy || a->linkerd_proxy != b->linkerd_proxy ||
        a->service_account != b->service_account || a->dns_policy != b->dns_policy) {
        return false;
    }
    for (uint32_t i = 0; i < a->port_count; i++) {
        if (a->ports[i].name != b->ports[i].name || a->ports[i].port != b->ports[i].port ||
            a->ports[i].protocol != b->ports[i].protocol) {
            return false;
        }
    }
    return true;
}

static uint32_t compute_hash(const struct pod_shape *s)
{
    uint64_t h = (uint64_t)s->istio_proxy << 3 | (uint64_t)s->linkerd_proxy << 2 |
                 (uint64_t)s->host_network << 1 | s->has_host_port;

    h = hash_mix(h, (uint64_t)s->service_account->hash << 32 | s->dns_policy->hash);
    for (uint32_t i = 0; i < s->port_count; i++) {
        uint64_t name = s->ports[i].name != NULL ? s->ports[i].name->hash : 0;

        h = hash_mix(h, name << 32 | (uint64_t)s->ports[i].port << 4 | s->ports[i].protocol);
    }
    return (uint32_t)(h ^ h >> 32);
}

static void free_parts(struct pod_shape *s)
{
    for (uint32_t i = 0; i < s->port_count; i++) {
        str_unref(s->ports[i].name);
    }
    free(s->ports);
    str_unref(s->service_account);
    str_unref(s->dns_policy);
}

struct pod_shape *pod_shape_intern(struct pod_shape *s)
{
    struct pod_shape *found;

    s->hash = compute_hash(s);
    found = table_find(&shapes, s->hash, s, shape_same);
    if (found != NULL) {
        free_parts(s);
        found->refs++;
        return found;
    }
    found = xmalloc(sizeof(*found));
    *found = *s;
    found->refs = 1;
    table_add(&shapes, found, shape_hash);
    return found;
}

struct pod_shape *pod_shape_ref(struct pod_shape *s)
{
    if (s != NULL) {
        s->refs++;
    }
    return s;
}

void pod_shape_unref(struct pod_shape *s)
{
    if (s != NULL && --s->refs == 0) {
        table_remove(&shapes, s, shape_hash);
        free_parts(s);
        free(s);
    }
}
