#include "cluster/yaml_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- encodings ---- */

static uint32_t utf16_unit(const unsigned char *p, bool big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

size_t yaml_utf8_encode(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

static int convert_utf16(struct yaml_text *r, bool big, struct error *err)
{
    const unsigned char *p = (const unsigned char *)r->text + 2;
    size_t units = (r->len - 2) / 2, used = 0;
    char *out;

    if (r->len % 2 != 0) {
        return error_set(err, NA_EINVAL, "the UTF-16 text ends in the middle of a character");
    }
    out = malloc(units * 3 + 4);
    if (out == NULL) {
        return error_set(err, NA_ENOMEM, "there is no memory for the text");
    }
    for (size_t i = 0; i < units; i++) {
        uint32_t cp = utf16_unit(p + 2 * i, big);

        if (cp >= 0xD800 && cp <= 0xDBFF && i + 1 < units) {
            uint32_t low = utf16_unit(p + 2 * i + 2, big);

            if (low >= 0xDC00 && low <= 0xDFFF) {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
                i++;
            }
        }
        if (cp >= 0xD800 && cp <= 0xDFFF) {
            free(out);
            return error_set(err, NA_EINVAL, "the text is not valid UTF-16");
        }
        used += yaml_utf8_encode(out + used, cp);
    }
    out[used] = '\0';
    r->converted = out;
    r->text = out;
    r->len = used;
    return 0;
}

int yaml_text_init(struct yaml_text *r, const char *text, size_t len, struct error *err)
{
    *r = (struct yaml_text){ .text = text, .len = len, .next_line = 1 };

    const unsigned char *p = (const unsigned char *)text;

    if (r->len >= 3 && p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF) {
        r->text += 3;
        r->len -= 3;
    } else if (r->len >= 2 && ((p[0] == 0xFE && p[1] == 0xFF) || (p[0] == 0xFF && p[1] == 0xFE))) {
        return convert_utf16(r, p[0] == 0xFE, err);
    }
    return 0;
}

/* ---- pieces ---- */

static size_t line_length(const char *p, size_t left)
{
    const char *end = memchr(p, '\n', left);

    return end != NULL ? (size_t)(end - p) + 1 : left;
}

static bool is_marker(const char *line, size_t len)
{
    return len >= 3 && memcmp(line, "---", 3) == 0 &&
           (len == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r' || line[3] == '\n');
}

/* Blank, a comment, or a directive. */
static bool is_silent(const char *line, size_t len)
{
    size_t i = 0;

    if (len > 0 && line[0] == '%') {
        return true;
    }
    while (i < len && strchr(" \t\r\n", line[i]) != NULL) {
        i++;
    }
    return i == len || line[i] == '#';
}

bool yaml_text_next(struct yaml_text *r)
{
    bool marker = false, content = false;
    size_t at = r->next;

    if (at >= r->len) {
        return false;
    }
    r->chunk = r->text + at;
    r->chunk_line = r->next_line;
    while (at < r->len) {
        const char *line = r->text + at;
        size_t len = line_length(line, r->len - at);

        if (is_marker(line, len)) {
            if (marker || content) {
                break;
            }
            marker = true;
        } else if (!is_silent(line, len)) {
            content = true;
        }
        at += len;
        r->next_line++;
    }
    r->chunk_len = at - r->next;
    r->next = at;
    return true;
}

size_t yaml_text_content(const struct yaml_text *r, uint32_t *line_no)
{
    size_t at = 0;

    *line_no = r->chunk_line;
    while (at < r->chunk_len) {
        const char *line = r->chunk + at;
        size_t len = line_length(line, r->chunk_len - at);

        if (is_marker(line, len) ? !is_silent(line + 3, len - 3) : !is_silent(line, len)) {
            break;
        }
        at += len;
        (*line_no)++;
    }
    return at;
}

bool yaml_text_is_json(const struct yaml_text *r, size_t at)
{
    while (at < r->chunk_len && strchr(" \t\r\n", r->chunk[at]) != NULL) {
        at++;
    }
    return at < r->chunk_len && (r->chunk[at] == '{' || r->chunk[at] == '[');
}

int yaml_text_check(const struct yaml_text *r, size_t max_bytes, uint32_t *error_line,
                    struct error *err)
{
    size_t at = 0;
    uint32_t line_no = r->chunk_line;

    *error_line = r->chunk_line;
    if (r->chunk_len > max_bytes) {
        return error_set(err, NA_ELIMIT, "line %u, column 1: the document is larger than %zu bytes",
                         r->chunk_line, max_bytes);
    }
    if (text_is_utf8(r->chunk, r->chunk_len)) {
        return 0;
    }
    while (at < r->chunk_len) {
        size_t len = line_length(r->chunk + at, r->chunk_len - at);

        if (!text_is_utf8(r->chunk + at, len)) {
            break;
        }
        at += len;
        line_no++;
    }
    *error_line = line_no;
    return error_set(err, NA_EINVAL, "line %u, column 1: the line is not valid UTF-8", line_no);
}

void yaml_text_deinit(struct yaml_text *r)
{
    free(r->converted);
    r->converted = NULL;
}
