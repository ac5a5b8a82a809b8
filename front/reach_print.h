/* Matrices towards people and programs (CONTRACTS 2). */
#ifndef NETAUDITD_FRONT_REACH_PRINT_H
#define NETAUDITD_FRONT_REACH_PRINT_H

#include <stdio.h>

#include "base/buf.h"
#include "rules/reach_matrix.h"

/* "TCP 80,443,8000-9000; UDP all", "all", "none". */
void ports_text(const struct port_table *t, port_set s, struct buf *out);
/* A copy with control characters escaped, for free(). */
char *clean_text(const char *text);
/* {"TCP": [[80, 80], ...], ...}, protocols without ports left out. */
void ports_json(const struct port_table *t, port_set s, struct buf *out);

/* {"peers": [...], "connections": [...]}, one line when `compact`. 0, or NA_ELIMIT, NA_ENOMEM. */
int reach_matrix_json(const struct reach_matrix *x, bool compact, struct buf *out);
/* One line a connection: from, to, ports, what is not known. */
void reach_matrix_table(const struct reach_matrix *x, bool headers, bool colour, FILE *out);
/* Graphviz and Mermaid: an edge for each connection. 0, NA_ELIMIT or NA_ENOMEM. */
int reach_matrix_dot(const struct reach_matrix *x, struct buf *out);
int reach_matrix_mermaid(const struct reach_matrix *x, struct buf *out);
/* One self-contained page: rows send, columns receive. The same errors. */
int reach_matrix_html(const struct reach_matrix *x, struct buf *out);

#endif
