#include "watchers/list_swap.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

enum { SLICE_US = 4000 };

struct list_swap {
    struct cluster_generation *generation;
    int64_t last_alive_ms;
    uv_idle_t idle;
    void (*done)(void *ctx);
    void *ctx;
};

static uint64_t mono_us(void)
{
    return uv_hrtime() / 1000;
}

/* True when the generation is in. */
static bool slice(struct list_swap *s, uint64_t budget_us)
{
    if (!cluster_replace_step(s->generation, s->last_alive_ms, clock_wall_ms(), budget_us,
                              mono_us)) {
        return false;
    }
    s->generation = NULL;
    uv_idle_stop(&s->idle);
    return true;
}

static void on_idle(uv_idle_t *idle)
{
    struct list_swap *s = idle->data;

    if (slice(s, SLICE_US)) {
        s->done(s->ctx);
    }
}

struct list_swap *list_swap_create(uv_loop_t *loop, void (*done)(void *ctx), void *ctx)
{
    struct list_swap *s = xcalloc(1, sizeof(*s));

    s->done = done;
    s->ctx = ctx;
    uv_idle_init(loop, &s->idle);
    s->idle.data = s;
    return s;
}

void list_swap_start(struct list_swap *s, struct cluster_generation *g, int64_t last_alive_ms)
{
    list_swap_finish(s);
    s->generation = g;
    s->last_alive_ms = last_alive_ms;
    if (!slice(s, SLICE_US)) {
        uv_idle_start(&s->idle, on_idle);
    }
}

struct cluster_generation *list_swap_generation(const struct list_swap *s)
{
    return s->generation;
}

void list_swap_finish(struct list_swap *s)
{
    if (s->generation != NULL) {
        slice(s, UINT64_MAX);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void list_swap_destroy(struct list_swap *s)
{
    if (s != NULL) {
        cluster_replace_abort(s->generation);
        s->generation = NULL;
        uv_idle_stop(&s->idle);
        uv_close((uv_handle_t *)&s->idle, on_closed);
    }
}
