/* Everyone outside (SEMANTICS 1): the globally routable unicast addresses, and how much of them
 * some blocks cover. */
#ifndef NETAUDITD_RULES_WORLD_H
#define NETAUDITD_RULES_WORLD_H

#include <stdbool.h>

#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/object.h"

__extension__ typedef unsigned __int128 world_address; /* IPv4 in the low 32 bits */

struct world_range {
    world_address lo, hi; /* both inside */
};

/* The addresses that ipBlocks admit, per family. Zero-initialise. */
struct world {
    VEC(struct world_range) v4, v6;
};
void world_deinit(struct world *w);
void world_reset(struct world *w);
/* Adds a block less its exceptions. What is no CIDR adds nothing, or takes nothing away. */
void world_add(struct world *w, const struct ip_block *b);
/* Do they cover everyone outside in a family, less at most 1/256 of them? Sorts the ranges. */
bool world_covered(struct world *w, int family);
/* Cuts the whole address spaces where blocks begin and end: into ranges in order, without gaps.
 */
void world_cut_begin(struct world *w);
void world_cut(struct world *w, const struct cidr *block);
/* Where the ranges of another begin. */
void world_cut_like(struct world *w, const struct world *other);
void world_cut_end(struct world *w);

struct world_ranges {
    const struct world_range *items;
    size_t len;
};
struct world_ranges world_ranges(const struct world *w, int family);
/* In network order. */
void world_put_address(world_address a, int family, uint8_t out[16]);

/* The addresses of a block; how many of a range are everyone outside's; may so many be missing? */
struct world_range world_range_of(const struct cidr *c);
world_address world_public(int family, struct world_range r);
bool world_tolerates(int family, world_address missing);
/* Is this address among everyone outside? */
bool world_has(const char *address);

#endif
