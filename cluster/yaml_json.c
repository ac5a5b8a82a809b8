/* JSON proper (RFC 8259) into the same trees. YAML claims to hold JSON, but libyaml refuses
 * surrogate pairs, tabs in some places and long keys, all of which kubectl writes or takes. */
#include "cluster/yaml_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cluster/yaml_text.h"

enum { NUMBER_MAX_BYTES = 400 };

struct json_reading {
    struct yaml_json *j;
    struct yaml_tree *t;
    struct buf text; /* of the string that was read last */
};

static struct yaml_place here(const struct yaml_json *j)
{
    return (struct yaml_place){ j->line, (uint32_t)(j->at - j->line_start) + 1 };
}

static void skip_space(struct yaml_json *j)
{
    for (; j->at < j->len; j->at++) {
        char c = j->text[j->at];

        if (c == '\n') {
            j->line++;
            j->line_start = j->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
    }
}

static bool at_char(const struct yaml_json *j, char c)
{
    return j->at < j->len && j->text[j->at] == c;
}

static int unexpected(struct json_reading *r, const char *wanted)
{
    struct yaml_json *j = r->j;

    if (j->at >= j->len) {
        return yaml_tree_fail(r->t, here(j), "the text ends where %s should be", wanted);
    }
    return yaml_tree_fail(r->t, here(j), "found '%.1s' where %s should be", j->text + j->at,
                          wanted);
}

static bool read_hex4(struct yaml_json *j, uint32_t *out)
{
    uint32_t value = 0;

    if (j->len - j->at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = j->text[j->at + (size_t)i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;

        if (digit == 16) {
            return false;
        }
        value = value << 4 | digit;
    }
    j->at += 4;
    *out = value;
    return true;
}

static int add_utf8(struct buf *b, uint32_t cp)
{
    char out[4];

    return buf_add(b, out, yaml_utf8_encode(out, cp));
}

/* A lone surrogate becomes U+FFFD, as Go reads it. */
static int read_unicode(struct json_reading *r)
{
    enum { REPLACEMENT = 0xFFFD };
    struct yaml_json *j = r->j;
    uint32_t cp, low;

    if (!read_hex4(j, &cp)) {
        return yaml_tree_fail(r->t, here(j), "\\u needs four hexadecimal digits");
    }
    if (cp >= 0xD800 && cp <= 0xDBFF && j->len - j->at >= 6 && j->text[j->at] == '\\' &&
        j->text[j->at + 1] == 'u') {
        size_t back = j->at;

        j->at += 2;
        if (read_hex4(j, &low) && low >= 0xDC00 && low <= 0xDFFF) {
            return add_utf8(&r->text, 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00));
        }
        j->at = back;
    }
    if (cp >= 0xD800 && cp <= 0xDFFF) {
        cp = REPLACEMENT;
    }
    if (cp == 0) {
        return yaml_tree_fail(r->t, here(j), "a string holds a NUL character");
    }
    return add_utf8(&r->text, cp);
}

static int read_escape(struct json_reading *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    struct yaml_json *j = r->j;
    const char *known;
    char c;

    if (j->at >= j->len) {
        return unexpected(r, "an escaped character");
    }
    c = j->text[j->at++];
    if (c == 'u') {
        return read_unicode(r);
    }
    known = c != '\0' ? strchr(from, c) : NULL;
    if (known == NULL) {
        j->at--;
        return unexpected(r, "an escaped character");
    }
    return buf_add(&r->text, &to[known - from], 1);
}

/* From the opening quote; the text is in r->text. */
static int read_string(struct json_reading *r)
{
    struct yaml_json *j = r->j;
    struct yaml_place start = here(j);
    int rc;

    buf_reset(&r->text);
    j->at++;
    for (;;) {
        size_t from = j->at;

        while (j->at < j->len && j->text[j->at] != '"' && j->text[j->at] != '\\' &&
               (unsigned char)j->text[j->at] >= 0x20) {
            j->at++;
        }
        if ((rc = buf_add(&r->text, j->text + from, j->at - from)) != 0) {
            return yaml_tree_refuse(r->t, rc, start, "a string is too long");
        }
        if (j->at >= j->len) {
            return yaml_tree_fail(r->t, start, "a string is not closed");
        }
        if (j->text[j->at] == '"') {
            j->at++;
            return 0;
        }
        if (j->text[j->at] != '\\') {
            return yaml_tree_fail(r->t, here(j),
                                  "a string holds a line break or another control character");
        }
        j->at++;
        if ((rc = read_escape(r)) != 0) {
            return rc;
        }
    }
}

static size_t count_digits(const struct yaml_json *j, size_t at)
{
    size_t n = 0;

    while (at + n < j->len && j->text[at + n] >= '0' && j->text[at + n] <= '9') {
        n++;
    }
    return n;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? ; the length, 0 when it is none. */
static size_t number_length(const struct yaml_json *j, bool *whole)
{
    size_t at = j->at, n;

    *whole = true;
    if (j->text[at] == '-') {
        at++;
    }
    n = count_digits(j, at);
    if (n == 0 || (n > 1 && j->text[at] == '0')) {
        return 0;
    }
    at += n;
    if (at < j->len && j->text[at] == '.') {
        n = count_digits(j, at + 1);
        if (n == 0) {
            return 0;
        }
        at += n + 1;
        *whole = false;
    }
    if (at < j->len && (j->text[at] == 'e' || j->text[at] == 'E')) {
        at++;
        if (at < j->len && (j->text[at] == '-' || j->text[at] == '+')) {
            at++;
        }
        n = count_digits(j, at);
        if (n == 0) {
            return 0;
        }
        at += n;
        *whole = false;
    }
    return at - j->at;
}

static int read_number(struct json_reading *r)
{
    struct yaml_json *j = r->j;
    struct yaml_place at = here(j);
    char copy[NUMBER_MAX_BYTES + 1];
    bool whole;
    size_t len = number_length(j, &whole);
    double value;

    if (len == 0 || len > NUMBER_MAX_BYTES) {
        return yaml_tree_fail(r->t, at, "a number is not written as JSON wants it");
    }
    memcpy(copy, j->text + j->at, len);
    copy[len] = '\0';
    value = strtod(copy, NULL);
    if (!isfinite(value)) {
        return yaml_tree_fail(r->t, at, "a number is out of range");
    }
    j->at += len;
    return yaml_tree_number(r->t, value, whole && fabs(value) >= 9007199254740992.0 ? copy : NULL,
                            at, NULL);
}

static int read_word(struct json_reading *r)
{
    static const struct {
        const char *text;
        int type;
    } words[] = { { "true", cJSON_True }, { "false", cJSON_False }, { "null", cJSON_NULL } };
    struct yaml_json *j = r->j;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].text);

        if (j->len - j->at >= len && memcmp(j->text + j->at, words[i].text, len) == 0) {
            struct yaml_place at = here(j);

            j->at += len;
            return yaml_tree_word(r->t, words[i].type, at, NULL);
        }
    }
    return unexpected(r, "a value");
}

static int read_value(struct json_reading *r)
{
    struct yaml_json *j = r->j;
    struct yaml_place at = here(j);
    char c = j->at < j->len ? j->text[j->at] : '\0';
    int rc;

    if (c == '{' || c == '[') {
        j->at++;
        return yaml_tree_open(r->t, c == '{', at, NULL);
    }
    if (c == '"') {
        rc = read_string(r);
        return rc != 0 ? rc : yaml_tree_string(r->t, buf_text(&r->text), r->text.len, at, NULL);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return read_number(r);
    }
    return j->at < j->len ? read_word(r) : unexpected(r, "a value");
}

static int read_key(struct json_reading *r)
{
    struct yaml_json *j = r->j;
    struct yaml_place at = here(j);
    int rc;

    if (!at_char(j, '"')) {
        return unexpected(r, "a quoted key");
    }
    if ((rc = read_string(r)) != 0 ||
        (rc = yaml_tree_key(r->t, buf_text(&r->text), r->text.len, false, at)) != 0) {
        return rc;
    }
    skip_space(j);
    if (!at_char(j, ':')) {
        return unexpected(r, "':'");
    }
    j->at++;
    skip_space(j);
    return 0;
}

/* One step inside the innermost collection: its end, or its next member. */
static int read_member(struct json_reading *r)
{
    struct yaml_json *j = r->j;
    const cJSON *node = r->t->stack[r->t->depth - 1].node;
    bool mapping = cJSON_IsObject(node), first = node->child == NULL;
    int rc;

    skip_space(j);
    if (at_char(j, mapping ? '}' : ']')) {
        j->at++;
        return yaml_tree_close(r->t);
    }
    if (!first) {
        if (!at_char(j, ',')) {
            return unexpected(r, mapping ? "',' or '}'" : "',' or ']'");
        }
        j->at++;
        skip_space(j);
    }
    if (mapping && (rc = read_key(r)) != 0) {
        return rc;
    }
    return read_value(r);
}

int yaml_json_next(struct yaml_json *j, struct yaml_tree *t)
{
    struct json_reading r = { .j = j, .t = t };
    int rc;

    skip_space(j);
    if (j->at >= j->len) {
        return 0;
    }
    buf_init(&r.text, j->len);
    rc = read_value(&r);
    while (rc == 0 && t->depth > 0) {
        rc = read_member(&r);
    }
    buf_deinit(&r.text);
    return rc == 0 ? 1 : rc;
}
