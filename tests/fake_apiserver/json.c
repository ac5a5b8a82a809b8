#include "json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

cJSON *jget(const cJSON *o, const char *key)
{
    return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

cJSON *jpath(const cJSON *o, ...)
{
    va_list ap;
    const char *key;
    cJSON *at = NULL;

    va_start(ap, o);
    while ((key = va_arg(ap, const char *)) != NULL) {
        at = jget(o, key);
        o = at;
    }
    va_end(ap);
    return at;
}

const char *jstr(const cJSON *o, const char *key, const char *other)
{
    const cJSON *v = jget(o, key);

    return cJSON_IsString(v) ? v->valuestring : other;
}

double jnum(const cJSON *o, const char *key, double other)
{
    const cJSON *v = jget(o, key);
    uint64_t u;

    if (cJSON_IsString(v) && parse_u64(v->valuestring, &u)) {
        return (double)u;
    }
    return cJSON_IsNumber(v) ? v->valuedouble : other;
}

bool jbool(const cJSON *o, const char *key, bool other)
{
    const cJSON *v = jget(o, key);

    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : other;
}

void jset(cJSON *o, const char *key, cJSON *v)
{
    if (cJSON_GetObjectItemCaseSensitive(o, key) != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(o, key, v);
    } else {
        cJSON_AddItemToObject(o, key, v);
    }
}

void jset_str(cJSON *o, const char *key, const char *v)
{
    jset(o, key, cJSON_CreateString(v));
}

cJSON *jobj(cJSON *o, const char *key)
{
    cJSON *v = jget(o, key);

    if (!cJSON_IsObject(v)) {
        v = cJSON_CreateObject();
        jset(o, key, v);
    }
    return v;
}

bool jabsent(const cJSON *o, const char *key)
{
    const cJSON *v = jget(o, key);

    return v == NULL || cJSON_IsNull(v);
}

void jdefault_str(cJSON *o, const char *key, const char *v)
{
    const cJSON *have = jget(o, key);

    if (have == NULL || cJSON_IsNull(have) ||
        (cJSON_IsString(have) && have->valuestring[0] == '\0')) {
        jset_str(o, key, v);
    }
}

bool jempty(const cJSON *v)
{
    if (v == NULL || cJSON_IsNull(v)) {
        return true;
    }
    if (cJSON_IsString(v)) {
        return v->valuestring[0] == '\0';
    }
    return (cJSON_IsObject(v) || cJSON_IsArray(v)) && v->child == NULL;
}

cJSON *jparse(const char *s, size_t n)
{
    const char *end = NULL;
    cJSON *v = cJSON_ParseWithLengthOpts(s, n, &end, 0);

    while (v != NULL && end < s + n) {
        if (strchr(" \t\r\n", *end) == NULL || *end == '\0') {
            cJSON_Delete(v);
            return NULL;
        }
        end++;
    }
    return v;
}

void jprint(const cJSON *v, struct buf *b)
{
    char *text = cJSON_PrintUnformatted(v);

    if (text != NULL) {
        buf_str(b, text);
        cJSON_free(text);
    }
}

const char *json_skip(const char *s, const char *end)
{
    size_t depth = 0;

    while (s < end) {
        if (*s == '"') {
            for (s++; s < end && *s != '"'; s++) {
                if (*s == '\\') {
                    s++;
                }
            }
            if (s >= end) {
                return NULL;
            }
        } else if (*s == '{' || *s == '[') {
            depth++;
        } else if (*s == '}' || *s == ']') {
            if (depth == 0) {
                return s;
            }
            depth--;
        } else if (depth == 0 && (*s == ',' || *s == ':')) {
            return s;
        }
        s++;
        if (depth == 0 && (s[-1] == '"' || s[-1] == '}' || s[-1] == ']')) {
            return s;
        }
    }
    return depth == 0 ? s : NULL;
}

static void newline(struct buf *out, size_t depth)
{
    buf_add(out, "\n", 1);
    while (depth-- > 0) {
        buf_add(out, "  ", 2);
    }
}

void json_indent(const char *s, size_t n, struct buf *out)
{
    const char *end = s + n;
    size_t depth = 0;

    for (; s < end; s++) {
        if (*s == '"') {
            const char *close = s + 1;

            while (close < end && *close != '"') {
                close += *close == '\\' ? 2 : 1;
            }
            if (close >= end) {
                close = end - 1;
            }
            buf_add(out, s, (size_t)(close - s) + 1);
            s = close;
        } else if ((*s == '{' && s + 1 < end && s[1] == '}') ||
                   (*s == '[' && s + 1 < end && s[1] == ']')) {
            buf_add(out, s, 2);
            s++;
        } else if (*s == '{' || *s == '[') {
            buf_add(out, s, 1);
            newline(out, ++depth);
        } else if (*s == '}' || *s == ']') {
            depth -= depth > 0;
            newline(out, depth);
            buf_add(out, s, 1);
        } else if (*s == ',') {
            buf_add(out, s, 1);
            newline(out, depth);
        } else if (*s == ':') {
            buf_add(out, ": ", 2);
        } else if (*s != ' ' && *s != '\n') {
            buf_add(out, s, 1);
        }
    }
}

bool parse_u64(const char *s, uint64_t *out)
{
    uint64_t v = 0;

    if (*s == '\0') {
        return false;
    }
    for (; *s != '\0'; s++) {
        uint64_t digit = (uint64_t)(unsigned char)*s - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool jrv(const cJSON *o, const char *key, uint64_t *out)
{
    const cJSON *v = jget(o, key);

    if (cJSON_IsString(v)) {
        return parse_u64(v->valuestring, out);
    }
    if (cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < 9e15) {
        *out = (uint64_t)v->valuedouble;
        return true;
    }
    return false;
}
