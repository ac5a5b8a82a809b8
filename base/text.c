#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Length of the valid UTF-8 character at `s`, 0 when it is none; *cp is its code point. */
static size_t utf8_char(const unsigned char *s, size_t len, uint32_t *cp)
{
    if (len == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        *cp = s[0];
        return 1;
    }
    size_t need = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    uint32_t value = s[0] & (0xFFU >> (need + 1));
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (s[0] < 0xC2 || s[0] > 0xF4 || len < need) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (s[i] & 0x3FU);
    }
    if (value < least[need] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *cp = value;
    return need;
}

/* What a terminal, a log reader or an eye could take for something else than text. */
static bool is_control(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || (cp >= 0x2028 && cp <= 0x202E) ||
           (cp >= 0x2066 && cp <= 0x2069);
}

size_t text_escape_control(char *dst, size_t size, const char *src, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    if (size == 0) {
        return 0;
    }
    for (size_t i = 0; i < len;) {
        const unsigned char *s = (const unsigned char *)src + i;
        uint32_t cp = 0;
        size_t n = utf8_char(s, len - i, &cp);
        bool plain = n > 0 && !is_control(cp);

        if (n == 0) {
            n = 1;
        }
        size_t need = plain ? n : 4 * n;
        if (used + need >= size) {
            break;
        }
        for (size_t k = 0; k < n; k++) {
            if (plain) {
                dst[used++] = (char)s[k];
            } else {
                dst[used++] = '\\';
                dst[used++] = 'x';
                dst[used++] = digits[s[k] >> 4];
                dst[used++] = digits[s[k] & 15];
            }
        }
        i += n;
    }
    dst[used] = '\0';
    return used;
}

bool text_is_utf8(const char *text, size_t len)
{
    uint32_t cp;

    for (size_t i = 0; i < len;) {
        size_t n = utf8_char((const unsigned char *)text + i, len - i, &cp);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

bool text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

bool text_iequal(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

bool text_to_int(const char *text, long long min, long long max, long long *out)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end = NULL;

    if (*digits < '0' || *digits > '9') {
        return false;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool text_parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(text, yes[i]) == 0) {
            *out = true;
            return true;
        }
        if (strcmp(text, no[i]) == 0) {
            *out = false;
            return true;
        }
    }
    return false;
}

enum { WORD_MAX = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows of the table kept. */
size_t text_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], n = strlen(a), m = strlen(b);
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    if (n > WORD_MAX || m > WORD_MAX) {
        return WORD_MAX + 1;
    }
    for (size_t j = 0; j <= m; j++) {
        last[j] = before[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = least(change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

const char *text_nearest(const char *const *names, const char *word)
{
    const char *best = NULL;
    size_t best_distance =
        strlen(word) > 3 ? 3 : 2; /* of a short word nearly all is its neighbour */

    for (; *names != NULL; names++) {
        size_t d = text_distance(*names, word);
        if (d < best_distance && d < strlen(word)) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}
