#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "front/reach_print.h"
#include "front/table.h"

char *clean_text(const char *text)
{
    size_t len = strlen(text);
    char *out = xmalloc(4 * len + 1); /* \\xHH for one byte at most */

    text_escape_control(out, 4 * len + 1, text, len);
    return out;
}

void reach_matrix_table(const struct reach_matrix *x, bool headers, bool colour, FILE *out)
{
    static const char *const columns[] = {
        "FROM", "TO", "ALLOWED", "NOT KNOWN", "BECAUSE OF", NULL
    };
    struct table *t = table_create(columns);
    size_t n = reach_matrix_count(x);
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t from = 0; from < n; from++) {
        for (size_t to = 0; to < n; to++) {
            const struct matrix_peer *a = reach_matrix_peer(x, from), *b = reach_matrix_peer(x, to);
            struct matrix_answer m = reach_matrix_at(x, from, to);
            if (m.allowed == PORTS_NONE && m.unknown == PORTS_NONE) {
                continue;
            }
            table_cell(t, a->name, TABLE_PLAIN);
            table_cell(t, b->name, TABLE_PLAIN);
            buf_reset(&text);
            ports_text(reach_matrix_ports(x), m.allowed, &text);
            table_cell(t, buf_text(&text),
                       m.allowed == PORTS_ALL    ? TABLE_RED
                       : m.allowed == PORTS_NONE ? TABLE_DIM
                                                 : TABLE_GREEN);
            buf_reset(&text);
            if (m.unknown != PORTS_NONE) {
                ports_text(reach_matrix_ports(x), m.unknown, &text);
            }
            table_cell(t, buf_text(&text), TABLE_YELLOW);
            table_cell(t, m.construct, TABLE_PLAIN);
        }
    }
    table_print(t, out, headers, colour);
    table_destroy(t);
    buf_deinit(&text);
}
