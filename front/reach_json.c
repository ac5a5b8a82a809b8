#include "front/reach_print.h"

static const enum protocol protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

void ports_json(const struct port_table *t, port_set s, struct buf *out)
{
    const char *comma = "";

    buf_adds(out, "{");
    for (size_t p = 0; p < ARRAY_LEN(protocols); p++) {
        struct port_ranges r = port_set_ranges(t, s, protocols[p]);
        if (r.count == 0) {
            continue;
        }
        buf_addf(out, "%s\"%s\": [", comma, protocol_name(protocols[p]));
        for (uint32_t i = 0; i < r.count; i++) {
            buf_addf(out, "%s[%u, %u]", i > 0 ? ", " : "", r.items[i].lo, r.items[i].hi);
        }
        buf_adds(out, "]");
        comma = ", ";
    }
    buf_adds(out, "}");
}

static void add_connection(const struct reach_matrix *x, size_t from, size_t to,
                           const struct matrix_answer *a, struct buf *out)
{
    buf_adds(out, "{\"from\": ");
    buf_add_json(out, reach_matrix_peer(x, from)->name);
    buf_adds(out, ", \"to\": ");
    buf_add_json(out, reach_matrix_peer(x, to)->name);
    buf_adds(out, ", \"allowed\": ");
    ports_json(reach_matrix_ports(x), a->allowed, out);
    buf_addf(out, ", \"unknown\": %s, \"reasons\": [", a->unknown != PORTS_NONE ? "true" : "false");
    if (a->construct != NULL) {
        buf_add_json(out, a->construct);
    }
    buf_adds(out, "]}");
}

int reach_matrix_json(const struct reach_matrix *x, bool compact, struct buf *out)
{
    const char *line = compact ? " " : "\n  ", *comma = "";
    size_t n = reach_matrix_count(x);

    buf_addf(out, "{%s\"peers\": [", compact ? "" : "\n ");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s%s", i > 0 ? "," : "", line);
        buf_add_json(out, reach_matrix_peer(x, i)->name);
    }
    buf_addf(out, "],%s\"connections\": [", compact ? " " : "\n ");
    for (size_t from = 0; from < n; from++) {
        for (size_t to = 0; to < n; to++) {
            struct matrix_answer a = reach_matrix_at(x, from, to);
            if (a.allowed != PORTS_NONE || a.unknown != PORTS_NONE) {
                buf_addf(out, "%s%s", comma, line);
                add_connection(x, from, to, &a, out);
                comma = ",";
            }
        }
    }
    return buf_adds(out, compact ? "]}" : "]\n}\n");
}

void ports_text(const struct port_table *t, port_set s, struct buf *out)
{
    const char *comma = "";

    if (s == PORTS_ALL || s == PORTS_NONE) {
        buf_adds(out, s == PORTS_ALL ? "all" : "none");
        return;
    }
    for (size_t p = 0; p < ARRAY_LEN(protocols); p++) {
        struct port_ranges r = port_set_ranges(t, s, protocols[p]);
        if (r.count == 0) {
            continue;
        }
        buf_addf(out, "%s%s", comma, protocol_name(protocols[p]));
        if (port_set_full(t, s, protocols[p])) {
            buf_adds(out, " all");
        }
        for (uint32_t i = 0; i < r.count && !port_set_full(t, s, protocols[p]); i++) {
            buf_addf(out, "%s%u", i > 0 ? "," : " ", r.items[i].lo);
            if (r.items[i].hi != r.items[i].lo) {
                buf_addf(out, "-%u", r.items[i].hi);
            }
        }
        comma = "; ";
    }
}
