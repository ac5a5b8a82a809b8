#include "daemon/gaps.h"

#include <stdio.h>

static void add(struct gaps *g, enum kind kind, int64_t from_ms, int64_t to_ms, const char *reason)
{
    char resource[64];

    kind_resource_name(&kind_table[kind], resource);
    store_add_gap(g->store, resource, from_ms, to_ms, reason);
}

void gaps_note(struct gaps *g, enum kind kind, const struct kind_status *status, int64_t now_ms)
{
    bool lost = status->state == KIND_STATE_FORBIDDEN || status->state == KIND_STATE_STALE;

    if (!(g->watched_kinds & BIT(kind)) || !status->synced_once) {
        return;
    }
    if (lost && g->lost[kind].from_ms == 0) {
        g->lost[kind].from_ms = status->alive_ms > 0 ? status->alive_ms : now_ms;
        snprintf(g->lost[kind].reason, sizeof(g->lost[kind].reason), "%s",
                 kind_state_name(status->state));
    } else if (status->state == KIND_STATE_SYNCED && g->lost[kind].from_ms != 0) {
        add(g, kind, g->lost[kind].from_ms, now_ms, g->lost[kind].reason);
        g->lost[kind].from_ms = 0;
    }
}

void gaps_expired(struct gaps *g, enum kind kind, uint64_t expired, int64_t since_ms,
                  int64_t now_ms)
{
    if (expired > g->expired[kind] && since_ms > 0) {
        add(g, kind, since_ms, now_ms, "410");
    }
    g->expired[kind] = expired;
}

void gaps_restart(struct gaps *g, int64_t last_alive_ms, int64_t now_ms)
{
    for (int k = 0; k < KIND_COUNT && last_alive_ms > 0; k++) {
        if (g->watched_kinds & BIT(k)) {
            add(g, (enum kind)k, last_alive_ms, now_ms, "restart");
        }
    }
}
