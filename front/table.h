/* Aligned text tables for terminals, as kubectl prints them: upper-case headers, two spaces between
 * columns, no trailing blanks. Control characters in cells are escaped; widths count characters,
 * not bytes. */
#ifndef NETAUDITD_FRONT_TABLE_H
#define NETAUDITD_FRONT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_style {
    TABLE_PLAIN,
    TABLE_BOLD,
    TABLE_DIM,
    TABLE_RED,
    TABLE_YELLOW,
    TABLE_GREEN,
    TABLE_BLUE
};

struct table;
/* `headers` is NULL-terminated and must outlive the table. */
struct table *table_create(const char *const *headers);
/* The next cell, left to right, then the next row. The text is copied. NULL prints as "". */
void table_cell(struct table *t, const char *text, enum table_style style);
void table_cellf(struct table *t, enum table_style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints everything. Nothing at all when there is no row and `headers` is false. */
void table_print(const struct table *t, FILE *out, bool headers, bool colour);
void table_destroy(struct table *t);

/* Colour on this stream? A terminal, NO_COLOR not set, TERM not "dumb". */
bool table_colour_wanted(FILE *out);
/* The escape that begins a style, "" without colour; the one that ends any. */
const char *table_style_on(enum table_style style, bool colour);
const char *table_style_off(enum table_style style, bool colour);

#endif
