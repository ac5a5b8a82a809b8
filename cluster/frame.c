/* A watch frame: {"type":"ADDED","object":{...}}. The object is not looked into, only its end is
 * found. */
#include <string.h>

#include "base/vec.h"
#include "cluster/json_scan.h"
#include "cluster/projection.h"

static const char *const type_names[] = {
    [FRAME_ADDED] = "ADDED",       [FRAME_MODIFIED] = "MODIFIED", [FRAME_DELETED] = "DELETED",
    [FRAME_BOOKMARK] = "BOOKMARK", [FRAME_ERROR] = "ERROR",
};

static void set_type(struct frame *f, const char *from, const char *to)
{
    json_unescape(from, to, f->type_text, sizeof(f->type_text));
    f->type = FRAME_OTHER;
    for (unsigned i = 0; i < ARRAY_LEN(type_names); i++) {
        if (strcmp(f->type_text, type_names[i]) == 0) {
            f->type = (enum frame_type)i;
        }
    }
}

static bool key_is(const char *key, const char *key_end, bool escapes, const char *want)
{
    char plain[16];

    if (escapes) {
        json_unescape(key, key_end, plain, sizeof(plain));
        return strcmp(plain, want) == 0;
    }
    return (size_t)(key_end - key) == strlen(want) && memcmp(key, want, strlen(want)) == 0;
}

/* One member at `at`; the byte after its value, NULL when it is malformed. */
static const char *parse_member(const char *at, const char *end, struct frame *f, bool *has_type,
                                bool *too_deep)
{
    const char *key = at + 1, *key_end, *value;
    bool escapes = false;

    if (at == end || *at != '"' || (at = json_skip_string(key, end, &escapes)) == NULL) {
        return NULL;
    }
    key_end = at - 1;
    at = json_space(at, end);
    if (at == end || *at != ':') {
        return NULL;
    }
    value = json_space(at + 1, end);
    at = json_skip_value(value, end, JSON_MAX_DEPTH, too_deep);
    if (at == NULL) {
        return NULL;
    }
    if (*value == '"' && key_is(key, key_end, escapes, "type")) {
        set_type(f, value + 1, at - 1);
        *has_type = true;
    } else if (key_is(key, key_end, escapes, "object")) {
        f->object = value;
        f->object_len = (size_t)(at - value);
    }
    return at;
}

int frame_parse(const char *json, size_t len, struct frame *out, struct error *err)
{
    const char *end = json + len, *at = json_space(json, end);
    struct frame f = { .type = FRAME_OTHER };
    bool has_type = false, too_deep = false, first = true;

    if (at == end || *at != '{') {
        return error_set(err, NA_EINVAL, "is no watch event: not a JSON object");
    }
    at = json_space(at + 1, end);
    while (at != NULL && (at == end || *at != '}')) {
        if (!first) {
            if (at == end || *at != ',') {
                at = NULL;
                break;
            }
            at = json_space(at + 1, end);
        }
        at = parse_member(at, end, &f, &has_type, &too_deep);
        at = at != NULL ? json_space(at, end) : NULL;
        first = false;
    }
    if (too_deep) {
        return error_set(err, NA_ELIMIT, "watch event is nested deeper than %d levels",
                         (int)JSON_MAX_DEPTH);
    }
    if (at == NULL || json_space(at + 1, end) != end) {
        return error_set(err, NA_EINVAL, "is no watch event: not well-formed");
    }
    if (!has_type || f.object == NULL) {
        return error_set(err, NA_EINVAL, "is no watch event: it has no %s",
                         has_type ? "object" : "type");
    }
    *out = f;
    return 0;
}
