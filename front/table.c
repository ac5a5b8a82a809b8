#include "front/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vec.h"

enum { CELL_MAX_BYTES = 1024, GAP = 2 };

struct cell {
    char *text;
    size_t width;
    enum table_style style;
};

struct table {
    const char *const *headers;
    size_t columns;
    VEC(struct cell) cells;
};

struct table *table_create(const char *const *headers)
{
    struct table *t = xcalloc(1, sizeof(*t));

    t->headers = headers;
    while (headers[t->columns] != NULL) {
        t->columns++;
    }
    return t;
}

/* Characters that a terminal moves by: UTF-8 continuation bytes do not count. */
static size_t display_width(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
    }
    return n;
}

void table_cell(struct table *t, const char *text, enum table_style style)
{
    char escaped[4 * CELL_MAX_BYTES];
    const char *raw = text != NULL ? text : "";

    text_escape_control(escaped, sizeof(escaped), raw, strlen(raw));
    struct cell c = { .text = xstrdup(escaped), .width = display_width(escaped), .style = style };
    vec_push(&t->cells, c);
}

void table_cellf(struct table *t, enum table_style style, const char *fmt, ...)
{
    char text[CELL_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    table_cell(t, text, style);
}

static const struct {
    const char *on;
} styles[] = {
    [TABLE_PLAIN] = { "" },        [TABLE_BOLD] = { "\x1b[1m" },    [TABLE_DIM] = { "\x1b[2m" },
    [TABLE_RED] = { "\x1b[31m" },  [TABLE_YELLOW] = { "\x1b[33m" }, [TABLE_GREEN] = { "\x1b[32m" },
    [TABLE_BLUE] = { "\x1b[36m" },
};

const char *table_style_on(enum table_style style, bool colour)
{
    return colour ? styles[style].on : "";
}

const char *table_style_off(enum table_style style, bool colour)
{
    return colour && style != TABLE_PLAIN ? "\x1b[0m" : "";
}

/* `*gap` blanks stand between the cell and what was printed before it: an empty cell only makes
 * them more, so that no line ends in blanks. */
static void print_cell(FILE *out, const char *text, size_t width, size_t column_width, int *gap,
                       enum table_style style, bool colour)
{
    if (*text != '\0') {
        fprintf(out, "%*s%s%s%s", *gap, "", table_style_on(style, colour), text,
                table_style_off(style, colour));
        *gap = 0;
    }
    *gap += (int)(column_width - width + GAP);
}

void table_print(const struct table *t, FILE *out, bool headers, bool colour)
{
    size_t *widths = xcalloc(t->columns, sizeof(*widths)), column = 0;
    int gap = 0;

    for (size_t c = 0; c < t->columns; c++) {
        widths[c] = headers ? display_width(t->headers[c]) : 0;
    }
    for (size_t i = 0; i < t->cells.len; i++) {
        if (t->cells.items[i].width > widths[column]) {
            widths[column] = t->cells.items[i].width;
        }
        column = column + 1 < t->columns ? column + 1 : 0;
    }
    for (size_t c = 0; headers && c < t->columns; c++) {
        print_cell(out, t->headers[c], display_width(t->headers[c]), widths[c], &gap, TABLE_BOLD,
                   colour);
    }
    if (headers) {
        fputc('\n', out);
    }
    gap = 0;
    column = 0;
    for (size_t i = 0; i < t->cells.len; i++) {
        const struct cell *cell = &t->cells.items[i];
        print_cell(out, cell->text, cell->width, widths[column], &gap, cell->style, colour);
        if (++column == t->columns) {
            fputc('\n', out);
            gap = 0;
            column = 0;
        }
    }
    free(widths);
}

void table_destroy(struct table *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->cells.len; i++) {
        free(t->cells.items[i].text);
    }
    vec_free(&t->cells);
    free(t);
}

bool table_colour_wanted(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(out)) && (no == NULL || *no == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}
