/* The matrix as text for drawing programs. A pair that may talk on everything both ways would make
 * a picture of nothing but lines, so that "all ports" is drawn thin and the rest carries its ports.
 */
#include <stdlib.h>
#include <string.h>

#include "front/reach_print.h"

#define DOT     "&#"
#define MERMAID "#"

/* In quotes: what could end the text or begin markup becomes a character reference, which Graphviz
 * begins with "&#" and Mermaid with "#". */
static void add_quoted(struct buf *out, const char *text, const char *reference)
{
    char *clean = clean_text(text);

    buf_adds(out, "\"");
    for (const char *p = clean; *p != '\0'; p++) {
        if (strchr("\"\\<>&#;", *p) != NULL) {
            buf_addf(out, "%s%u;", reference, (unsigned)(unsigned char)*p);
        } else {
            buf_add(out, p, 1);
        }
    }
    buf_adds(out, "\"");
    free(clean);
}

static void add_label(struct buf *out, const struct reach_matrix *x, const struct matrix_answer *a,
                      const char *reference)
{
    const struct port_table *t = reach_matrix_ports(x);
    struct buf text;

    buf_init(&text, 1 << 16);
    ports_text(t, a->allowed, &text);
    if (a->unknown != PORTS_NONE) {
        buf_adds(&text, a->allowed != PORTS_NONE ? ", perhaps " : "");
        if (a->allowed == PORTS_NONE) {
            buf_reset(&text);
            buf_adds(&text, "perhaps ");
        }
        ports_text(t, a->unknown, &text);
    }
    add_quoted(out, buf_text(&text), reference);
    buf_deinit(&text);
}

/* Which peers have a connection at all: the others are not drawn. */
static bool has_edge(const struct reach_matrix *x, size_t i)
{
    for (size_t k = 0; k < reach_matrix_count(x); k++) {
        struct matrix_answer out = reach_matrix_at(x, i, k), in = reach_matrix_at(x, k, i);
        if (out.allowed != PORTS_NONE || out.unknown != PORTS_NONE || in.allowed != PORTS_NONE ||
            in.unknown != PORTS_NONE) {
            return true;
        }
    }
    return false;
}

typedef void edge_fn(const struct reach_matrix *x, size_t from, size_t to,
                     const struct matrix_answer *a, struct buf *out);

static void each_edge(const struct reach_matrix *x, edge_fn *fn, struct buf *out)
{
    size_t n = reach_matrix_count(x);

    for (size_t from = 0; from < n; from++) {
        for (size_t to = 0; to < n; to++) {
            struct matrix_answer a = reach_matrix_at(x, from, to);
            if (a.allowed != PORTS_NONE || a.unknown != PORTS_NONE) {
                fn(x, from, to, &a, out);
            }
        }
    }
}

/* ---- Graphviz ---- */

static void dot_edge(const struct reach_matrix *x, size_t from, size_t to,
                     const struct matrix_answer *a, struct buf *out)
{
    buf_addf(out, "  p%zu -> p%zu [label=", from, to);
    add_label(out, x, a, DOT);
    if (a->unknown != PORTS_NONE) {
        buf_adds(out, ", style=dashed, color=orange");
    } else if (a->allowed == PORTS_ALL) {
        buf_adds(out, ", color=red");
    } else {
        buf_adds(out, ", color=darkgreen");
    }
    buf_adds(out, "];\n");
}

int reach_matrix_dot(const struct reach_matrix *x, struct buf *out)
{
    const struct ns *open = NULL;
    size_t n = reach_matrix_count(x);

    buf_adds(out, "digraph reach {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
                  "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t i = 0; i < n; i++) {
        const struct matrix_peer *p = reach_matrix_peer(x, i);
        const struct ns *ns = p->workload != NULL ? p->workload->ns : NULL;
        if (ns != open && open != NULL) {
            buf_adds(out, "  }\n");
        }
        if (ns != open && ns != NULL) {
            buf_addf(out, "  subgraph cluster_%zu {\n  label=", i);
            add_quoted(out, ns->name->text, DOT);
            buf_adds(out, ";\n");
        }
        open = ns;
        if (has_edge(x, i)) {
            buf_addf(out, "  p%zu [label=", i);
            add_quoted(out, p->name, DOT);
            buf_adds(out, p->workload == NULL ? ", shape=ellipse];\n" : "];\n");
        }
    }
    if (open != NULL) {
        buf_adds(out, "  }\n");
    }
    each_edge(x, dot_edge, out);
    return buf_adds(out, "}\n");
}

/* ---- Mermaid ---- */

static void mermaid_edge(const struct reach_matrix *x, size_t from, size_t to,
                         const struct matrix_answer *a, struct buf *out)
{
    buf_addf(out, "  p%zu %s|", from, a->unknown != PORTS_NONE ? "-.->" : "-->");
    add_label(out, x, a, MERMAID);
    buf_addf(out, "| p%zu\n", to);
}

int reach_matrix_mermaid(const struct reach_matrix *x, struct buf *out)
{
    size_t n = reach_matrix_count(x);

    buf_adds(out, "flowchart LR\n");
    for (size_t i = 0; i < n; i++) {
        if (has_edge(x, i)) {
            const struct matrix_peer *p = reach_matrix_peer(x, i);
            buf_addf(out, "  p%zu%s", i, p->workload == NULL ? "([" : "[");
            add_quoted(out, p->name, MERMAID);
            buf_adds(out, p->workload == NULL ? "])\n" : "]\n");
        }
    }
    each_edge(x, mermaid_edge, out);
    return buf_adds(out, "");
}
