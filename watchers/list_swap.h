/* A list that has ended goes into the cache in slices of a few milliseconds, so that a list of
 * hundreds of thousands does not hold the loop (cluster_replace_step). */
#ifndef NETAUDITD_WATCHERS_LIST_SWAP_H
#define NETAUDITD_WATCHERS_LIST_SWAP_H

#include <stdint.h>

#include <uv.h>

#include "cluster/cluster.h"

struct list_swap;
/* `done` is called from the loop after the last slice, not when all went in at once. */
struct list_swap *list_swap_create(uv_loop_t *loop, void (*done)(void *ctx), void *ctx);
/* Takes `g`. The first slice is done here; a small list is in when this returns. */
void list_swap_start(struct list_swap *s, struct cluster_generation *g, int64_t last_alive_ms);
/* The generation that is being swapped in: events go to it meanwhile. NULL when there is none. */
struct cluster_generation *list_swap_generation(const struct list_swap *s);
/* The rest at once: another list begins, or the like. */
void list_swap_finish(struct list_swap *s);
/* Gives up what is not in yet, and frees itself when the loop has turned. NULL is fine. */
void list_swap_destroy(struct list_swap *s);

#endif
