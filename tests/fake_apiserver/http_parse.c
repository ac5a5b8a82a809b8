#include "http_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = { { 100, "Continue" },
                    { 200, "OK" },
                    { 201, "Created" },
                    { 202, "Accepted" },
                    { 204, "No Content" },
                    { 301, "Moved Permanently" },
                    { 302, "Found" },
                    { 304, "Not Modified" },
                    { 307, "Temporary Redirect" },
                    { 400, "Bad Request" },
                    { 401, "Unauthorized" },
                    { 403, "Forbidden" },
                    { 404, "Not Found" },
                    { 405, "Method Not Allowed" },
                    { 406, "Not Acceptable" },
                    { 408, "Request Timeout" },
                    { 409, "Conflict" },
                    { 410, "Gone" },
                    { 413, "Request Entity Too Large" },
                    { 415, "Unsupported Media Type" },
                    { 422, "Unprocessable Entity" },
                    { 429, "Too Many Requests" },
                    { 431, "Request Header Fields Too Large" },
                    { 500, "Internal Server Error" },
                    { 501, "Not Implemented" },
                    { 502, "Bad Gateway" },
                    { 503, "Service Unavailable" },
                    { 504, "Gateway Timeout" } };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "status code";
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *http_unescape(const char *s, size_t n, bool plus)
{
    char *out = xcalloc(n + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%') {
            int hi = i + 2 < n ? hex_value(s[i + 1]) : -1;
            int lo = i + 2 < n ? hex_value(s[i + 2]) : -1;

            if (hi < 0 || lo < 0 || (hi == 0 && lo == 0)) {
                free(out);
                return NULL;
            }
            out[len++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            out[len++] = plus && s[i] == '+' ? ' ' : s[i];
        }
    }
    return out;
}

char *http_query(const char *query, const char *key)
{
    size_t key_len = strlen(key);

    while (*query != '\0') {
        size_t n = strcspn(query, "&");

        if (n >= key_len && strncmp(query, key, key_len) == 0 &&
            (n == key_len || query[key_len] == '=')) {
            size_t skip = n == key_len ? n : key_len + 1;
            char *value = http_unescape(query + skip, n - skip, true);

            return value != NULL ? value : xstrdup("");
        }
        query += n + (query[n] == '&');
    }
    return NULL;
}

void parsed_free(struct parsed *p)
{
    free(p->req.method);
    free(p->req.path);
    free(p->req.query);
    free(p->req.authorization);
    free(p->req.accept);
    free(p->req.accept_encoding);
    free(p->req.user_agent);
    free(p->req.content_type);
    buf_free(&p->body);
    *p = (struct parsed){ 0 };
}

static void set_header(char **slot, const char *value, size_t n)
{
    struct buf joined = { 0 };

    if (*slot == NULL) {
        *slot = xstrndup(value, n);
        return;
    }
    buf_fmt(&joined, "%s, %.*s", *slot, (int)n, value);
    free(*slot);
    *slot = xstrdup(buf_cstr(&joined));
    buf_free(&joined);
}

static bool name_is(const char *name, size_t n, const char *want)
{
    return strlen(want) == n && strncasecmp(name, want, n) == 0;
}

struct framing {
    bool chunked;
    uint64_t length;
};

static bool parse_header(struct parsed *p, const char *line, size_t n, struct framing *f)
{
    const char *colon = memchr(line, ':', n);
    struct http_request *r = &p->req;
    const char *value, *end = line + n;
    size_t name_n, value_n;

    if (colon == NULL || colon == line) {
        return false;
    }
    name_n = (size_t)(colon - line);
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    value_n = (size_t)(end - value);
    if (name_is(line, name_n, "authorization")) {
        set_header(&r->authorization, value, value_n);
    } else if (name_is(line, name_n, "accept")) {
        set_header(&r->accept, value, value_n);
    } else if (name_is(line, name_n, "accept-encoding")) {
        set_header(&r->accept_encoding, value, value_n);
    } else if (name_is(line, name_n, "user-agent")) {
        set_header(&r->user_agent, value, value_n);
    } else if (name_is(line, name_n, "content-type")) {
        set_header(&r->content_type, value, value_n);
    } else if (name_is(line, name_n, "content-length")) {
        char digits[24] = { 0 };

        if (value_n == 0 || value_n >= sizeof(digits) || strspn(value, "0123456789") < value_n) {
            return false;
        }
        memcpy(digits, value, value_n);
        f->length = strtoull(digits, NULL, 10);
    } else if (name_is(line, name_n, "transfer-encoding")) {
        f->chunked = true;
    } else if (name_is(line, name_n, "connection")) {
        if (value_n == 5 && strncasecmp(value, "close", 5) == 0) {
            p->keep_alive = false;
        }
    } else if (name_is(line, name_n, "expect")) {
        p->wants_continue = true;
    }
    return true;
}

static bool parse_request_line(struct parsed *p, const char *line, size_t n)
{
    const char *sp1 = memchr(line, ' ', n);
    const char *sp2 = sp1 != NULL ? memchr(sp1 + 1, ' ', n - (size_t)(sp1 + 1 - line)) : NULL;
    const char *mark;
    size_t target_n;

    if (sp2 == NULL || sp1 == line || sp1[1] != '/' || n - (size_t)(sp2 - line) != 9 ||
        strncmp(sp2, " HTTP/1.", 8) != 0) {
        return false;
    }
    p->keep_alive = sp2[8] == '1';
    p->req.method = xstrndup(line, (size_t)(sp1 - line));
    p->head_only = strcmp(p->req.method, "HEAD") == 0;
    target_n = (size_t)(sp2 - sp1) - 1;
    mark = memchr(sp1 + 1, '?', target_n);
    if (mark != NULL) {
        p->req.path = xstrndup(sp1 + 1, (size_t)(mark - sp1) - 1);
        p->req.query = xstrndup(mark + 1, (size_t)(sp2 - mark) - 1);
    } else {
        p->req.path = xstrndup(sp1 + 1, target_n);
        p->req.query = xstrdup("");
    }
    return true;
}

/* 0, 1 for more, or a status. *used: bytes of the chunked body and its trailer. */
static int parse_chunks(const char *s, size_t n, struct buf *body, size_t *used)
{
    size_t at = 0;

    for (;;) {
        const char *nl = memchr(s + at, '\n', n - at);
        size_t size = 0;
        int digits = 0;

        if (nl == NULL) {
            return n - at > 1024 ? 400 : 1;
        }
        while (hex_value(s[at]) >= 0 && digits++ < 8) {
            size = size * 16 + (size_t)hex_value(s[at++]);
        }
        if (digits == 0 || size > HTTP_BODY_MAX || body->len + size > HTTP_BODY_MAX) {
            return digits == 0 ? 400 : 413;
        }
        at = (size_t)(nl - s) + 1;
        if (n - at < size + 2) {
            return 1;
        }
        if (s[at + size] != '\r' || s[at + size + 1] != '\n') {
            return 400;
        }
        buf_add(body, s + at, size);
        at += size + 2;
        if (size == 0) {
            *used = at;
            return 0;
        }
    }
}

int http_parse(const char *data, size_t len, struct parsed *out)
{
    const char *head_end = len > 0 ? memmem(data, len, "\r\n\r\n", 4) : NULL;
    struct parsed p = { .keep_alive = true };
    struct framing f = { 0 };
    const char *line = data;
    char **const all[] = { &p.req.authorization, &p.req.accept, &p.req.accept_encoding,
                           &p.req.user_agent, &p.req.content_type };
    size_t body_at, used = 0;
    int rc = 400;

    out->head_seen = false;
    out->wants_continue = false;
    if (head_end == NULL) {
        return len > HTTP_HEAD_MAX ? 431 : 1;
    }
    if ((size_t)(head_end - data) > HTTP_HEAD_MAX) {
        return 431;
    }
    while (line < head_end) {
        const char *eol = memmem(line, (size_t)(head_end - line) + 2, "\r\n", 2);
        size_t n = (size_t)(eol - line);
        bool ok = line == data ? parse_request_line(&p, line, n) : parse_header(&p, line, n, &f);

        if (!ok) {
            goto fail;
        }
        line = eol + 2;
    }
    body_at = (size_t)(head_end - data) + 4;
    if (f.length > HTTP_BODY_MAX) {
        rc = 413;
        goto fail;
    }
    if (f.chunked) {
        rc = parse_chunks(data + body_at, len - body_at, &p.body, &used);
    } else {
        rc = len - body_at < f.length ? 1 : 0;
        used = (size_t)f.length;
    }
    if (rc != 0) {
        out->head_seen = true;
        out->wants_continue = p.wants_continue;
        goto fail;
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (*all[i] == NULL) {
            *all[i] = xstrdup("");
        }
    }
    p.consumed = body_at + used;
    p.req.body = f.chunked ? p.body.data : data + body_at;
    p.req.body_len = f.chunked ? p.body.len : used;
    p.req.client_cn = "";
    *out = p;
    return 0;
fail:
    parsed_free(&p);
    return rc;
}
