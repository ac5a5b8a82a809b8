/* Who is in the matrix: the workloads by the variants of their pods, and the ranges outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rules/reach_matrix_private.h"

/* ---- names ---- */

static void put_ip(const uint8_t *bytes, uint8_t family, char out[CIDR_TEXT_MAX])
{
    struct cidr c = { .family = family, .bits = family == 4 ? 32 : 128 };

    memcpy(c.addr, bytes, family == 4 ? 4 : 16);
    ip_format(&c, out);
}

void address_range_format(const struct address_range *r, char out[MATRIX_NAME_MAX])
{
    char lo[CIDR_TEXT_MAX], hi[CIDR_TEXT_MAX];

    put_ip(r->lo, r->family, lo);
    put_ip(r->hi, r->family, hi);
    snprintf(out, MATRIX_NAME_MAX, "%s-%s", lo, hi);
}

struct address_range matrix_range_of(const struct world_range *r, int family)
{
    struct address_range out = { .family = (uint8_t)family };

    world_put_address(r->lo, family, out.lo);
    world_put_address(r->hi, family, out.hi);
    return out;
}

/* ---- the world outside ---- */

static void cut_form(void *ctx, const struct policy_form *f)
{
    form_cut(f, DIRECTION_INGRESS, ctx);
    form_cut(f, DIRECTION_EGRESS, ctx);
}

static void find_atoms(struct reach_matrix *x, const struct world *also)
{
    world_cut_begin(&x->atoms);
    for (uint32_t i = 0; i < cluster_ns_count(x->cluster); i++) {
        reach_each_form(x->book, cluster_ns_at(x->cluster, i), cut_form, &x->atoms);
    }
    if (also != NULL) {
        world_cut_like(&x->atoms, also);
    }
    world_cut_end(&x->atoms);
}

size_t matrix_atom_count(const struct reach_matrix *x)
{
    return x->atoms.v4.len + x->atoms.v6.len;
}

static const struct world_range *atom_at(const struct reach_matrix *x, size_t i, int *family)
{
    *family = i < x->atoms.v4.len ? 4 : 6;
    return i < x->atoms.v4.len ? &x->atoms.v4.items[i] : &x->atoms.v6.items[i - x->atoms.v4.len];
}

/* The atom that holds an address. */
static uint32_t atom_of(const struct reach_matrix *x, const struct cidr *ip)
{
    const struct world_range address = world_range_of(ip);
    const struct world_range *r = ip->family == 4 ? x->atoms.v4.items : x->atoms.v6.items;
    size_t lo = 0, hi = ip->family == 4 ? x->atoms.v4.len : x->atoms.v6.len;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (r[mid].lo <= address.lo) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return (uint32_t)(ip->family == 4 ? lo : lo + x->atoms.v4.len);
}

/* ---- variants ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

static int compare_variants(const struct variant *a, const struct variant *b)
{
    if (a->pod_class != b->pod_class) {
        uintptr_t x = (uintptr_t)a->pod_class->ns, y = (uintptr_t)b->pod_class->ns;
        if (x != y) {
            return x < y ? -1 : 1;
        }
        return (uintptr_t)a->pod_class < (uintptr_t)b->pod_class ? -1 : 1;
    }
    if (a->atom_count != b->atom_count) {
        return a->atom_count < b->atom_count ? -1 : 1;
    }
    return memcmp(a->atoms, b->atoms, a->atom_count * sizeof(a->atoms[0]));
}

static int by_variant(const void *a, const void *b)
{
    return compare_variants(a, b);
}

static void take_pod(void *ctx, const struct pod_view *p)
{
    struct reach_matrix *x = ctx;
    struct variant v = { .pod_class = p->pod_class };

    if (p->finished || p->pod_class == NULL) {
        return;
    }
    for (uint8_t i = 0; i < p->ip_count; i++) {
        v.atoms[v.atom_count++] = atom_of(x, &p->ips[i]);
    }
    qsort(v.atoms, v.atom_count, sizeof(v.atoms[0]), by_number);
    vec_push(&x->variants, v);
}

static void take_templates(struct reach_matrix *x, const struct ns *ns)
{
    for (size_t i = 0; i < ns->workloads.len; i++) {
        const struct workload *w = ns->workloads.items[i];
        if (w->pods == 0 && w->template_class != NULL) {
            vec_push(&x->variants, ((struct variant){ .pod_class = w->template_class }));
        }
    }
}

static void find_variants(struct reach_matrix *x)
{
    size_t n = 0;

    cluster_each_pod(x->cluster, NULL, take_pod, x);
    for (uint32_t i = 0; i < cluster_ns_count(x->cluster); i++) {
        take_templates(x, cluster_ns_at(x->cluster, i));
    }
    if (x->variants.len > 1) {
        qsort(x->variants.items, x->variants.len, sizeof(x->variants.items[0]), by_variant);
    }
    for (size_t i = 0; i < x->variants.len; i++) {
        if (n == 0 || compare_variants(&x->variants.items[i], &x->variants.items[n - 1]) != 0) {
            x->variants.items[n++] = x->variants.items[i];
        }
    }
    x->variants.len = n;
    for (size_t i = 0; i < n; i++) {
        struct variant *v = &x->variants.items[i];
        for (uint32_t k = 0; k < v->atom_count; k++) {
            int family;
            const struct world_range *r = atom_at(x, v->atoms[k], &family);
            v->addresses[k] = matrix_range_of(r, family);
        }
        if (x->namespaces.len == 0 ||
            x->namespaces.items[x->namespaces.len - 1].ns != v->pod_class->ns) {
            vec_push(&x->namespaces, ((struct ns_variants){ v->pod_class->ns, (uint32_t)i, 0 }));
        }
        x->namespaces.items[x->namespaces.len - 1].count++;
        if (v->pod_class->shape->host_network) {
            vec_push(&x->nodes, (uint32_t)i);
        }
    }
}

static int by_peer_name(const void *a, const void *b)
{
    return strcmp(((const struct matrix_peer *)a)->name, ((const struct matrix_peer *)b)->name);
}

static char *workload_name(const struct workload *w)
{
    return xasprintf("%s/%s[%s]", w->ns->name->text, w->name->text, w->kind->text);
}

static int by_workload(const void *a, const void *b)
{
    const struct workload *x = *(const struct workload *const *)a;
    const struct workload *y = *(const struct workload *const *)b;

    return (uintptr_t)x < (uintptr_t)y ? -1 : (uintptr_t)x > (uintptr_t)y ? 1 : 0;
}

struct placed { /* to find a workload's place */
    const struct workload *workload;
    uint32_t peer;
};

static void find_peers(struct reach_matrix *x)
{
    VEC(const struct workload *) list = { 0 };
    VEC(struct placed) places = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < x->variants.len; i++) {
        vec_push(&list, x->variants.items[i].pod_class->workload);
    }
    if (list.len > 1) {
        qsort(list.items, list.len, sizeof(list.items[0]), by_workload);
    }
    for (size_t i = 0; i < list.len; i++) {
        if (n == 0 || list.items[n - 1] != list.items[i]) {
            list.items[n++] = list.items[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        vec_push(&x->peers, ((struct matrix_peer){ .workload = list.items[i],
                                                   .name = workload_name(list.items[i]) }));
    }
    if (n > 1) {
        qsort(x->peers.items, n, sizeof(x->peers.items[0]), by_peer_name);
    }
    x->workloads = n;
    for (size_t i = 0; i < n; i++) {
        vec_push(&places, ((struct placed){ x->peers.items[i].workload, (uint32_t)i }));
    }
    if (n > 1) {
        qsort(places.items, n, sizeof(places.items[0]), by_workload);
    }
    for (size_t i = 0; i < x->variants.len; i++) {
        const struct workload *w = x->variants.items[i].pod_class->workload;
        const struct placed *p = bsearch(&w, places.items, n, sizeof(places.items[0]), by_workload);
        x->variants.items[i].peer = p->peer;
    }
    vec_free(&list);
    vec_free(&places);
}

static int by_address(const void *a, const void *b)
{
    const struct cidr *x = a, *y = b;

    if (x->family != y->family) {
        return x->family < y->family ? -1 : 1;
    }
    return memcmp(x->addr, y->addr, sizeof(x->addr));
}

struct ip_vec {
    VEC(struct cidr) v;
};

static void take_ips(void *ctx, const struct pod_view *p)
{
    struct ip_vec *ips = ctx;

    for (uint8_t i = 0; !p->finished && i < p->ip_count; i++) {
        vec_push(&ips->v, p->ips[i]);
    }
}

/* A range whose every address is a pod's has nobody outside. */
static void find_ranges(struct reach_matrix *x)
{
    world_address *taken = xcalloc(matrix_atom_count(x) + 1, sizeof(taken[0]));
    struct ip_vec ips = { 0 };

    cluster_each_pod(x->cluster, NULL, take_ips, &ips);
    if (ips.v.len > 1) {
        qsort(ips.v.items, ips.v.len, sizeof(ips.v.items[0]), by_address);
    }
    for (size_t i = 0; i < ips.v.len; i++) {
        if (i == 0 || by_address(&ips.v.items[i], &ips.v.items[i - 1]) != 0) {
            taken[atom_of(x, &ips.v.items[i])]++;
        }
    }
    for (size_t i = 0; i < matrix_atom_count(x); i++) {
        int family;
        const struct world_range *r = atom_at(x, i, &family);
        struct matrix_peer peer = { .range = matrix_range_of(r, family) };
        char text[MATRIX_NAME_MAX];
        if (taken[i] > 0 && taken[i] - 1 == r->hi - r->lo) {
            continue;
        }
        address_range_format(&peer.range, text);
        peer.name = xasprintf("%s[External]", text);
        peer.atom = (uint32_t)i;
        vec_push(&x->peers, peer);
    }
    vec_free(&ips.v);
    free(taken);
}

/* Which variants belong to a workload. */
static void list_variants(struct reach_matrix *x)
{
    uint32_t *at = xcalloc(x->workloads + 2, sizeof(at[0]));

    x->peer_variants = xcalloc(x->variants.len + 1, sizeof(x->peer_variants[0]));
    for (size_t i = 0; i < x->variants.len; i++) {
        at[x->variants.items[i].peer + 1]++;
    }
    for (size_t i = 0; i < x->workloads; i++) {
        at[i + 1] += at[i];
    }
    x->peer_first = xcalloc(x->workloads + 2, sizeof(at[0]));
    memcpy(x->peer_first, at, (x->workloads + 1) * sizeof(at[0]));
    for (size_t i = 0; i < x->variants.len; i++) {
        x->peer_variants[at[x->variants.items[i].peer]++] = (uint32_t)i;
    }
    free(at);
}

void matrix_find_peers(struct reach_matrix *x, const struct world *also)
{
    find_atoms(x, also);
    find_variants(x);
    find_peers(x);
    find_ranges(x);
    list_variants(x);
}
