/* Port sets against bitmaps: random sets, every operation. */
#include "base/vec.h"
#include "rules/port_set.h"
#include "tests/check.h"

enum { PORTS = 65536, SETS = 60 };

struct model {
    bool has[PORT_PROTOCOLS][PORTS];
};

static uint32_t seed = 12345;
static uint32_t next_random(void)
{
    seed = seed * 1664525U + 1013904223U;
    return seed >> 8;
}

static uint16_t odd_port(void)
{
    static const uint16_t borders[] = { 0, 1, 2, 79, 80, 81, 443, 65534, 65535 };

    return next_random() % 2 == 0 ? borders[next_random() % ARRAY_LEN(borders)]
                                  : (uint16_t)next_random();
}

static bool same(const struct port_table *t, port_set s, const struct model *m)
{
    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        struct port_ranges r = port_set_ranges(t, s, (enum protocol)p);
        uint32_t at = 0;
        bool full = true;
        for (uint32_t port = 1; port < PORTS; port++) {
            while (at < r.count && r.items[at].hi < port) {
                at++;
            }
            bool has = at < r.count && r.items[at].lo <= port;
            if (has != m->has[p][port]) {
                return false;
            }
            full = full && has;
        }
        for (uint32_t i = 0; i + 1 < r.count; i++) {
            if (r.items[i].hi + 1 >= r.items[i + 1].lo) {
                return false; /* not in order, or they touch */
            }
        }
        if (full != port_set_full(t, s, (enum protocol)p)) {
            return false;
        }
    }
    return true;
}

static port_set random_set(struct port_table *t, struct model *m)
{
    port_set s = PORTS_NONE;

    memset(m, 0, sizeof(*m));
    for (uint32_t n = next_random() % 5; n > 0; n--) {
        uint16_t lo = odd_port(), hi = odd_port();
        enum protocol p = (enum protocol)(next_random() % PORT_PROTOCOLS);
        s = port_set_or(t, s, port_set_range(t, p, lo, hi));
        for (uint32_t port = lo > 0 ? lo : 1; port <= hi; port++) {
            m->has[p][port] = true;
        }
    }
    return s;
}

TEST(every_operation_agrees_with_bitmaps)
{
    struct port_table *t = port_table_create();
    static struct model a, b, r;

    for (int i = 0; i < SETS; i++) {
        port_set sa = random_set(t, &a), sb = random_set(t, &b);
        CHECK("a set is what was put in", same(t, sa, &a));
        for (int op = 0; op < 3; op++) {
            for (int p = 0; p < PORT_PROTOCOLS; p++) {
                for (int port = 0; port < PORTS; port++) {
                    bool x = a.has[p][port], y = b.has[p][port];
                    r.has[p][port] = op == 0 ? x || y : op == 1 ? x && y : x && !y;
                }
            }
            port_set s = op == 0   ? port_set_or(t, sa, sb)
                         : op == 1 ? port_set_and(t, sa, sb)
                                   : port_set_minus(t, sa, sb);
            CHECK("so is the result", same(t, s, &r));
        }
        CHECK_INT("a | b = b | a", port_set_or(t, sa, sb), port_set_or(t, sb, sa));
        CHECK_INT("(a - b) | (a & b) is a, the same number",
                  port_set_or(t, port_set_minus(t, sa, sb), port_set_and(t, sa, sb)), sa);
    }
    port_table_destroy(t);
}

TEST(nothing_and_everything_have_fixed_numbers)
{
    struct port_table *t = port_table_create();
    port_set all = PORTS_NONE;

    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        all = port_set_or(t, all, port_set_range(t, (enum protocol)p, 0, PORT_LAST));
    }
    CHECK_INT("every port of every protocol", all, PORTS_ALL);
    CHECK_INT("less itself", port_set_minus(t, all, all), PORTS_NONE);
    CHECK_INT("a range that ends before it begins", port_set_range(t, PROTOCOL_TCP, 2, 1),
              PORTS_NONE);
    CHECK_INT("another protocol", port_set_range(t, PROTOCOL_OTHER, 1, 2), PORTS_NONE);
    CHECK("has", port_set_has(t, all, PROTOCOL_SCTP, 65535));
    CHECK_INT("nothing was kept twice", port_table_size(t), 6);
    port_table_destroy(t);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(every_operation_agrees_with_bitmaps),
              cmocka_unit_test(nothing_and_everything_have_fixed_numbers));
}
