/* Sets of ports per protocol, interned: a set is a small number, two sets are equal when their
 * numbers are, and what was united or cut once is looked up the next time. This is what keeps a
 * matrix of millions of pairs affordable. */
#ifndef NETAUDITD_RULES_PORT_SET_H
#define NETAUDITD_RULES_PORT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/object.h"

typedef uint32_t port_set; /* a number in its table; never mixed between tables */
enum { PORTS_NONE = 0, PORTS_ALL = 1 /* 1 to 65535 of TCP, UDP and SCTP */ };
enum { PORT_FIRST = 1, PORT_LAST = 65535, PORT_PROTOCOLS = 3 };

struct port_range {
    uint16_t lo, hi; /* both inside */
};
struct port_ranges { /* sorted, disjoint, not adjacent */
    const struct port_range *items;
    uint32_t count;
};

struct port_table;
struct port_table *port_table_create(void);
void port_table_destroy(struct port_table *t); /* NULL is fine */
/* Sets that the table holds, the two constant ones included. */
size_t port_table_size(const struct port_table *t);

/* lo > hi, or PROTOCOL_OTHER: PORTS_NONE. */
port_set port_set_range(struct port_table *t, enum protocol protocol, uint16_t lo, uint16_t hi);
port_set port_set_or(struct port_table *t, port_set a, port_set b);
port_set port_set_and(struct port_table *t, port_set a, port_set b);
port_set port_set_minus(struct port_table *t, port_set a, port_set b);
bool port_set_has(const struct port_table *t, port_set s, enum protocol protocol, uint16_t port);
/* Every port of the protocol. */
bool port_set_full(const struct port_table *t, port_set s, enum protocol protocol);
/* Valid until the table is destroyed. */
struct port_ranges port_set_ranges(const struct port_table *t, port_set s, enum protocol protocol);

#endif
