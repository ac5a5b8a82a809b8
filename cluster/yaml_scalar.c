/* Plain scalars as the YAML 1.1 library under kubectl reads them: words without regard to most
 * spellings, whole numbers of four bases with underscores, decimal floats; everything else is text.
 * Sexagesimals and dates are text there, and so here. */
#include "cluster/yaml_tree.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_MAX_BYTES = 400, /* no number that a double can tell apart is written longer */
    LONGEST_WORD = 5        /* "false", "+.inf" */
};

static const struct {
    const char *text;
    enum yaml_scalar means;
} words[] = {
    { "y", YAML_SCALAR_TRUE },          { "Y", YAML_SCALAR_TRUE },
    { "yes", YAML_SCALAR_TRUE },        { "Yes", YAML_SCALAR_TRUE },
    { "YES", YAML_SCALAR_TRUE },        { "true", YAML_SCALAR_TRUE },
    { "True", YAML_SCALAR_TRUE },       { "TRUE", YAML_SCALAR_TRUE },
    { "on", YAML_SCALAR_TRUE },         { "On", YAML_SCALAR_TRUE },
    { "ON", YAML_SCALAR_TRUE },         { "n", YAML_SCALAR_FALSE },
    { "N", YAML_SCALAR_FALSE },         { "no", YAML_SCALAR_FALSE },
    { "No", YAML_SCALAR_FALSE },        { "NO", YAML_SCALAR_FALSE },
    { "false", YAML_SCALAR_FALSE },     { "False", YAML_SCALAR_FALSE },
    { "FALSE", YAML_SCALAR_FALSE },     { "off", YAML_SCALAR_FALSE },
    { "Off", YAML_SCALAR_FALSE },       { "OFF", YAML_SCALAR_FALSE },
    { "", YAML_SCALAR_NULL },           { "~", YAML_SCALAR_NULL },
    { "null", YAML_SCALAR_NULL },       { "Null", YAML_SCALAR_NULL },
    { "NULL", YAML_SCALAR_NULL },       { ".nan", YAML_SCALAR_NOT_FINITE },
    { ".NaN", YAML_SCALAR_NOT_FINITE }, { ".NAN", YAML_SCALAR_NOT_FINITE },
};
static const char *const infinities[] = { ".inf", ".Inf", ".INF" };

static enum yaml_scalar find_word(const char *text, size_t len)
{
    if (len > LONGEST_WORD) {
        return YAML_SCALAR_TEXT;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0) {
            return words[i].means;
        }
    }
    if (len > 0 && (text[0] == '+' || text[0] == '-')) {
        text++;
        len--;
    }
    for (size_t i = 0; i < ARRAY_LEN(infinities); i++) {
        if (strlen(infinities[i]) == len && memcmp(infinities[i], text, len) == 0) {
            return YAML_SCALAR_NOT_FINITE;
        }
    }
    return YAML_SCALAR_TEXT;
}

/* Go's ParseInt or ParseUint with base 0: the prefix says the base; 64 bits. */
static bool parse_whole(const char *text, double *value, char digits[32])
{
    const char *p = text;
    bool negative = *p == '-';
    int base = 10;
    char *end;

    if (*p == '-' || *p == '+') {
        p++;
    }
    if (p[0] == '0' && p[1] != '\0') {
        base = p[1] == 'x' || p[1] == 'X' ? 16 : p[1] == 'b' || p[1] == 'B' ? 2 : 8;
        p += base != 8 || p[1] == 'o' || p[1] == 'O' ? 2 : 1;
    }
    if (strspn(p, "0123456789abcdefABCDEF") != strlen(p) || *p == '\0') {
        return false;
    }
    errno = 0;
    unsigned long long n = strtoull(p, &end, base);
    if (errno != 0 || *end != '\0' || (negative && n > 9223372036854775808ULL) ||
        (text[0] == '+' && n > 9223372036854775807ULL)) {
        return false;
    }
    *value = negative && n > 0 ? -(double)n : (double)n;
    snprintf(digits, 32, "%s%llu", negative ? "-" : "", n);
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_float(const char *p)
{
    size_t whole, part = 0;

    if (*p == '-' || *p == '+') {
        p++;
    }
    whole = strspn(p, "0123456789");
    p += whole;
    if (*p == '.') {
        p++;
        part = strspn(p, "0123456789");
        p += part;
    }
    if (whole + part == 0) {
        return false;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+') {
            p++;
        }
        if (*p < '0' || *p > '9') {
            return false;
        }
        p += strspn(p, "0123456789");
    }
    return *p == '\0';
}

enum yaml_scalar yaml_scalar_resolve(const char *text, size_t len, double *value, bool *whole,
                                     char digits[32])
{
    char plain[NUMBER_MAX_BYTES + 1];
    enum yaml_scalar word = find_word(text, len);
    size_t used = 0;

    if (word != YAML_SCALAR_TEXT || len > NUMBER_MAX_BYTES) {
        return word;
    }
    if (strchr("+-.0123456789", text[0]) == NULL) {
        return YAML_SCALAR_TEXT;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '_' || text[0] == '.') {
            plain[used++] = text[i];
        }
    }
    plain[used] = '\0';
    if (strlen(plain) != used) {
        return YAML_SCALAR_TEXT;
    }
    *whole = parse_whole(plain, value, digits);
    if (*whole) {
        return YAML_SCALAR_NUMBER;
    }
    if (!looks_like_float(plain)) {
        return YAML_SCALAR_TEXT;
    }
    *value = strtod(plain, NULL);
    return isfinite(*value) ? YAML_SCALAR_NUMBER : YAML_SCALAR_TEXT;
}
