#include "cluster/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

enum { MAX_STEPS = 64, SENTENCE_MAX = 512 };

void field_format(const struct field *f, char out[TREE_PATH_MAX])
{
    const struct field *steps[MAX_STEPS];
    size_t count = 0, len = 0;

    for (; f != NULL && count < MAX_STEPS; f = f->parent) {
        steps[count++] = f;
    }
    out[0] = '\0';
    while (count > 0 && len < TREE_PATH_MAX - 1) {
        const struct field *step = steps[--count];
        int n;

        if (step->key != NULL) {
            n = snprintf(out + len, TREE_PATH_MAX - len, "%s%s", len > 0 ? "." : "", step->key);
        } else {
            n = snprintf(out + len, TREE_PATH_MAX - len, "[%u]", step->index);
        }
        len += n > 0 ? (size_t)n : 0;
    }
}

int field_error(const struct field *f, struct error *err, const char *fmt, ...)
{
    char path[TREE_PATH_MAX], sentence[SENTENCE_MAX];
    va_list args;

    field_format(f, path);
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    return error_set(err, NA_EINVAL, "%s: %s", path, sentence);
}

struct str *field_sentence(const struct field *f, const char *fmt, ...)
{
    char path[TREE_PATH_MAX], sentence[SENTENCE_MAX], whole[TREE_PATH_MAX + SENTENCE_MAX + 2];
    va_list args;

    field_format(f, path);
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    snprintf(whole, sizeof(whole), "%s: %s", path, sentence);
    return str_intern(whole);
}

const cJSON *tree_get(const cJSON *obj, const char *key)
{
    const cJSON *found = NULL, *child;

    if (!cJSON_IsObject(obj)) {
        return NULL;
    }
    cJSON_ArrayForEach(child, obj)
    {
        if (child->string != NULL && strcmp(child->string, key) == 0) {
            found = child;
        }
    }
    return cJSON_IsNull(found) ? NULL : found;
}

int tree_object(const cJSON *obj, const struct field *at, const char *key, const cJSON **out,
                struct error *err)
{
    const cJSON *node = tree_get(obj, key);

    if (node != NULL && !cJSON_IsObject(node)) {
        return field_error(FIELD(at, key), err, "must be an object");
    }
    *out = node;
    return 0;
}

int tree_array(const cJSON *obj, const struct field *at, const char *key, const cJSON **out,
               uint32_t *count, struct error *err)
{
    const cJSON *node = tree_get(obj, key), *child;
    uint32_t n = 0;

    if (node != NULL && !cJSON_IsArray(node)) {
        return field_error(FIELD(at, key), err, "must be a list");
    }
    cJSON_ArrayForEach(child, node)
    {
        n++;
    }
    if (n > TREE_MAX_ITEMS) {
        return field_error(FIELD(at, key), err, "has more than %d entries", (int)TREE_MAX_ITEMS);
    }
    *out = node;
    *count = n;
    return 0;
}

static int check_text(const cJSON *node, const struct field *at, struct error *err)
{
    if (!cJSON_IsString(node) || node->valuestring == NULL) {
        return field_error(at, err, "must be a string");
    }
    if (strlen(node->valuestring) > TREE_MAX_TEXT_BYTES) {
        return field_error(at, err, "is longer than %d bytes", (int)TREE_MAX_TEXT_BYTES);
    }
    return 0;
}

int tree_text(const cJSON *obj, const struct field *at, const char *key, const char **out,
              struct error *err)
{
    const cJSON *node = tree_get(obj, key);
    int rc = node != NULL ? check_text(node, FIELD(at, key), err) : 0;

    if (rc == 0) {
        *out = node != NULL ? node->valuestring : NULL;
    }
    return rc;
}

int tree_str(const cJSON *obj, const struct field *at, const char *key, struct str **out,
             struct error *err)
{
    const char *text;
    int rc = tree_text(obj, at, key, &text, err);

    if (rc == 0) {
        *out = text != NULL ? str_intern(text) : NULL;
    }
    return rc;
}

int tree_str_nonempty(const cJSON *obj, const struct field *at, const char *key, struct str **out,
                      struct error *err)
{
    const char *text;
    int rc = tree_text(obj, at, key, &text, err);

    if (rc == 0) {
        *out = text != NULL && text[0] != '\0' ? str_intern(text) : NULL;
    }
    return rc;
}

int tree_bool(const cJSON *obj, const struct field *at, const char *key, bool *out,
              struct error *err)
{
    const cJSON *node = tree_get(obj, key);

    if (node != NULL && !cJSON_IsBool(node)) {
        return field_error(FIELD(at, key), err, "must be true or false");
    }
    *out = cJSON_IsTrue(node);
    return 0;
}

bool tree_is_int(const cJSON *node, int64_t *out)
{
    /* 2^53: every whole number up to it is exact in a double, which is what cJSON keeps. */
    if (!cJSON_IsNumber(node) || !(node->valuedouble >= -9007199254740992.0) ||
        !(node->valuedouble <= 9007199254740992.0) ||
        (double)(int64_t)node->valuedouble < node->valuedouble ||
        (double)(int64_t)node->valuedouble > node->valuedouble) {
        return false;
    }
    *out = (int64_t)node->valuedouble;
    return true;
}

int tree_int(const cJSON *obj, const struct field *at, const char *key, int64_t min, int64_t max,
             bool *given, int64_t *out, struct error *err)
{
    const cJSON *node = tree_get(obj, key);
    int64_t value = 0;

    if (node != NULL && (!tree_is_int(node, &value) || value < min || value > max)) {
        return field_error(FIELD(at, key), err, "must be a whole number from %lld to %lld",
                           (long long)min, (long long)max);
    }
    *given = node != NULL;
    *out = value;
    return 0;
}

int tree_time(const cJSON *obj, const struct field *at, const char *key, bool *given,
              int64_t *out_ms, struct error *err)
{
    const char *text;
    int64_t ms = 0;
    int rc = tree_text(obj, at, key, &text, err);

    if (rc != 0) {
        return rc;
    }
    if (text != NULL && !time_parse(text, &ms)) {
        return field_error(FIELD(at, key), err, "must be a time in RFC 3339");
    }
    *given = text != NULL;
    *out_ms = ms;
    return 0;
}

void strs_free(struct str **items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        str_unref(items[i]);
    }
    free(items);
}

int tree_strs(const cJSON *obj, const struct field *at, const char *key, struct str ***out,
              uint32_t *count, struct error *err)
{
    const struct field *list = FIELD(at, key);
    const cJSON *node = NULL, *child;
    struct str **items;
    uint32_t n = 0, used = 0;
    int rc = tree_array(obj, at, key, &node, &n, err);

    if (rc != 0) {
        return rc;
    }
    if (n == 0) {
        *out = NULL;
        *count = 0;
        return 0;
    }
    items = xcalloc(n, sizeof(struct str *));
    cJSON_ArrayForEach(child, node)
    {
        rc = check_text(child, ELEMENT(list, used), err);
        if (rc != 0) {
            strs_free(items, used);
            return rc;
        }
        items[used++] = str_intern(child->valuestring);
    }
    *out = items;
    *count = used;
    return 0;
}

/* As much of `text` as is kept, never through the middle of a character. */
static size_t cut_text(const char *text)
{
    size_t len = strlen(text);

    if (len > TREE_MAX_TEXT_BYTES) {
        len = TREE_MAX_TEXT_BYTES;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return len;
}

int tree_map(const cJSON *obj, const struct field *at, const char *key,
             bool (*keep)(const char *key), bool cut, struct label_set **out, struct error *err)
{
    enum { FEW = 16 };
    struct label few[FEW], *pairs = few;
    const struct field *map = FIELD(at, key);
    const cJSON *node = NULL, *child;
    uint32_t n = 0, used = 0;
    int rc = tree_object(obj, at, key, &node, err);

    if (rc != 0) {
        return rc;
    }
    cJSON_ArrayForEach(child, node)
    {
        n++;
    }
    if (n > TREE_MAX_LABELS) {
        return field_error(map, err, "has more than %d entries", (int)TREE_MAX_LABELS);
    }
    if (n > FEW) {
        pairs = xcalloc(n, sizeof(*pairs));
    }
    cJSON_ArrayForEach(child, node)
    {
        const char *text = child->valuestring;

        if (keep != NULL && !keep(child->string)) {
            continue;
        }
        if (cJSON_IsNull(child)) { /* Go reads null into "" */
            text = "";
        } else if (!cJSON_IsString(child) || text == NULL) {
            rc = field_error(FIELD(map, child->string), err, "must be a string");
            goto out;
        }
        if ((!cut && strlen(text) > TREE_MAX_TEXT_BYTES) ||
            strlen(child->string) > TREE_MAX_TEXT_BYTES) {
            rc = field_error(map, err, "holds a key or value longer than %d bytes",
                             (int)TREE_MAX_TEXT_BYTES);
            goto out;
        }
        pairs[used].key = str_intern(child->string);
        pairs[used++].value = str_intern_n(text, cut_text(text));
    }
    *out = label_set_intern(pairs, used);
out:
    for (uint32_t i = 0; i < used; i++) {
        str_unref(pairs[i].key);
        str_unref(pairs[i].value);
    }
    if (pairs != few) {
        free(pairs);
    }
    return rc;
}
