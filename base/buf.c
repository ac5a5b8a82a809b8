#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { BUF_FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t max_bytes)
{
    memset(b, 0, sizeof(*b));
    b->max_bytes = max_bytes;
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

static int reserve(struct buf *b, size_t more)
{
    if (more > b->max_bytes || b->len > b->max_bytes - more) {
        return NA_ELIMIT;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap) {
        return 0;
    }
    size_t cap = b->cap + b->cap / 2;
    if (cap < BUF_FIRST_BYTES) {
        cap = BUF_FIRST_BYTES;
    }
    if (cap < need) {
        cap = need;
    }
    if (cap > b->max_bytes + 1) {
        cap = b->max_bytes + 1;
    }
    char *data = realloc(b->data, cap);
    if (data == NULL) {
        return NA_ENOMEM;
    }
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
    int rc = reserve(b, len);

    if (rc != 0) {
        return rc;
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int buf_adds(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return NA_EINVAL;
    }
    int rc = reserve(b, (size_t)n);
    if (rc != 0) {
        return rc;
    }
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

/* Bytes up to the next one that a JSON string must escape or that is not plain ASCII. */
static size_t plain_run(const char *text)
{
    size_t n = 0;

    for (; text[n] != '\0'; n++) {
        unsigned char c = (unsigned char)text[n];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7F) {
            break;
        }
    }
    return n;
}

static size_t utf8_len(const char *text)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

    return strnlen(text, n) == n && text_is_utf8(text, n) ? n : 0;
}

static int add_json_special(struct buf *b, const char **text)
{
    static const struct {
        char c;
        const char *as;
    } named[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\n" },
                  { '\r', "\\r" }, { '\t', "\\t" },  { '\b', "\\b" } };
    unsigned char c = (unsigned char)**text;

    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if ((char)c == named[i].c) {
            (*text)++;
            return buf_adds(b, named[i].as);
        }
    }
    if (c < 0x80) {
        (*text)++;
        return buf_addf(b, "\\u%04x", c);
    }
    size_t n = utf8_len(*text);
    if (n == 0) {
        (*text)++;
        return buf_adds(b, "\xEF\xBF\xBD");
    }
    const char *from = *text;
    *text += n;
    return buf_add(b, from, n);
}

int buf_add_json(struct buf *b, const char *text)
{
    size_t start = b->len;
    int rc = buf_add(b, "\"", 1);

    while (rc == 0 && *text != '\0') {
        size_t n = plain_run(text);
        rc = buf_add(b, text, n);
        text += n;
        if (rc == 0 && *text != '\0') {
            rc = add_json_special(b, &text);
        }
    }
    if (rc == 0) {
        rc = buf_add(b, "\"", 1);
    }
    if (rc != 0 && b->data != NULL) {
        b->len = start;
        b->data[start] = '\0';
    }
    return rc;
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *data = b->data != NULL ? b->data : xstrdup("");

    b->data = NULL;
    b->len = b->cap = 0;
    return data;
}
