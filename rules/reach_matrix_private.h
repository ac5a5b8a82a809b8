/* Between the files of the matrix. A variant is what of a workload's pods can be told apart: a pod
 * class and where its addresses lie between the borders that policies name. */
#ifndef NETAUDITD_RULES_REACH_MATRIX_PRIVATE_H
#define NETAUDITD_RULES_REACH_MATRIX_PRIVATE_H

#include "rules/lineup_private.h"
#include "rules/reach_matrix.h"

enum { ATOMS_PER_POD_MAX = POD_IPS_MAX };

struct variant {
    const struct pod_class *pod_class;
    uint32_t peer;    /* the workload's place */
    uint32_t look[2]; /* what it looks like to a peer that no selector picks out: by addresses; by
                         addresses and ports */
    uint8_t families; /* bit 0: IPv4, bit 1: IPv6; both where no address is known */
    bool two_families;
    uint32_t atom_count;
    uint32_t atoms[ATOMS_PER_POD_MAX]; /* sorted */
    struct address_range addresses[ATOMS_PER_POD_MAX];
    const uint32_t *egress, *ingress; /* rows: number of an answer per variant, then per range */
    uint32_t ingress_row;             /* its number */
};

struct look_key {
    const struct pod_shape *shape; /* NULL: whatever */
    uint32_t atom_count, atoms[ATOMS_PER_POD_MAX];
};
struct look {
    struct look_key key;
    uint32_t id;
    UT_hash_handle hh;
};
struct looks {
    struct look *by_key;
    VEC(uint32_t) variants; /* of each look, one */
    uint32_t *answers;      /* of the row that is being filled */
};

struct row_key {
    const struct lineup *lineup;
    const struct pod_shape *shape;
    const struct ns *ns;
    enum direction direction;
};
struct row {
    struct row_key key;
    uint32_t *ids;
    uint32_t number; /* among those of its direction */
    UT_hash_handle hh;
};

struct ns_variants { /* the variants of one namespace stand together */
    const struct ns *ns;
    uint32_t first, count;
};

struct numbered {
    struct matrix_answer answer;
    UT_hash_handle hh;
    uint32_t id;
};

struct reach_matrix {
    const struct cluster *cluster;
    struct reach_book *book;
    struct port_table *ports;
    VEC(struct matrix_peer) peers;
    size_t workloads;             /* of the peers; ranges follow */
    VEC(struct variant) variants; /* sorted by namespace */
    VEC(struct ns_variants) namespaces;
    bool *picked; /* of the peers: connections without such an end are left out; NULL: all are in */
    uint32_t *peer_variants,
        *peer_first;     /* the variants of a workload: list, and where it begins */
    VEC(uint32_t) nodes; /* variants on the host network */
    struct world atoms, pieces;
    bool by_address; /* some line-up looks at pods' addresses */
    struct row *rows;
    uint32_t *everything;  /* the row of who is bound by nothing */
    struct looks looks[2]; /* by addresses; by addresses and ports */
    VEC(const uint32_t *) ingress_rows;
    uint32_t *columns; /* ingress rows turned over: per sender the number for each row; NULL: too
                          many */
    VEC(struct matrix_answer) answers; /* of one side, by number */
    struct numbered *numbers;
    struct matrix_answer *pairs; /* of two sides, by both numbers; NULL: too many, computed anew */
    uint32_t *stamps, stamp;     /* variants that have been asked about in this row */
};

/* Fills atoms, variants and peers. */
void matrix_find_peers(struct reach_matrix *x, const struct world *also);
size_t matrix_atom_count(const struct reach_matrix *x);
struct address_range matrix_range_of(const struct world_range *r, int family);

#endif
