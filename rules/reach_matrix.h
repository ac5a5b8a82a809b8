/* Who can reach whom: every workload and every range outside against every other. Peers that no
 * line-up tells apart are computed once, so that the cost follows what policies distinguish. */
#ifndef NETAUDITD_RULES_REACH_MATRIX_H
#define NETAUDITD_RULES_REACH_MATRIX_H

#include "rules/reach.h"
#include "rules/world.h"

enum { MATRIX_NAME_MAX = 700 };

struct matrix_peer {
    const struct workload *workload; /* NULL: outside */
    struct address_range range;      /* outside */
    uint32_t atom;                   /* outside: the matrix's own bookkeeping */
    char *name;                      /* "ns/name[Kind]", "lo-hi[External]" */
};

struct matrix_answer {
    port_set allowed,
        unknown;           /* disjoint; of what some pod of one side may do to some of the other */
    const char *construct; /* unknown: the first thing that is not known */
};

struct reach_matrix;
/* `m` must outlive the matrix and not be forgotten. Peers: workloads with pods or a template, by
 * name; then the ranges outside, cut at every border that a policy names and those of `also` (may
 * be NULL), IPv4 first. */
struct reach_matrix *reach_matrix_create(const struct cluster *c, struct reach_memo *m,
                                         const struct world *also);
/* Its ranges: what another matrix must be cut at, too, to be compared with it. */
const struct world *reach_matrix_world(const struct reach_matrix *x);
/* Leaves only connections with an end in the namespace and with these labels on its pods (NULL:
 * any), and the peers that have one. */
void reach_matrix_only(struct reach_matrix *x, const char *ns, const struct selector *labels);
void reach_matrix_destroy(struct reach_matrix *x); /* NULL is fine */
size_t reach_matrix_count(const struct reach_matrix *x);
const struct matrix_peer *reach_matrix_peer(const struct reach_matrix *x, size_t i);
struct port_table *reach_matrix_ports(const struct reach_matrix *x);
/* Nothing is said of a peer and itself, nor of two ranges outside: nothing allowed then. */
struct matrix_answer reach_matrix_at(const struct reach_matrix *x, size_t from, size_t to);

/* "10.0.0.0-10.0.0.255", the same address twice: once. */
void address_range_format(const struct address_range *r, char out[MATRIX_NAME_MAX]);

#endif
