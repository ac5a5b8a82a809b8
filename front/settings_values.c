/* One value of the configuration file into the place that the table of keys names, and the
 * sentences about what cannot go there. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cluster/yaml.h"
#include "front/settings_reading.h"

int reading_complain(struct reading *r, const cJSON *at, const char *key, const char *fmt, ...)
{
    char sentence[512];
    uint32_t line = 0, column = 0;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    yaml_position(r->doc, at, &line, &column);
    return error_set(r->err, NA_EINVAL, "%s:%u:%u: %s: %s", r->name, line, column, key, sentence);
}

const char *reading_keep(struct reading *r, const char *text)
{
    return arena_strdup(&r->s->arena, text);
}

int reading_unknown_key(struct reading *r, const cJSON *at, const char *path,
                        const char *const *names)
{
    const char *near = text_nearest(names, at->string);

    if (near != NULL) {
        return reading_complain(r, at, path, "unknown key; did you mean '%s'?", near);
    }
    return reading_complain(r, at, path, "unknown key");
}

const char *reading_scalar(const cJSON *node, char *scratch, size_t size)
{
    if (cJSON_IsString(node)) {
        return node->valuestring;
    }
    if (cJSON_IsNumber(node)) {
        snprintf(scratch, size, "%.17g", node->valuedouble);
        return scratch;
    }
    if (cJSON_IsBool(node)) {
        return cJSON_IsTrue(node) ? "true" : "false";
    }
    return NULL;
}

bool reading_word(const char *const *words, const cJSON *node, int *out)
{
    const char *text = cJSON_IsString(node)  ? node->valuestring
                       : cJSON_IsFalse(node) ? "off"
                       : cJSON_IsTrue(node)  ? "on"
                                             : NULL;

    for (int i = 0; text != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static const char *join_words(struct reading *r, const char *const *words)
{
    struct buf b;

    buf_init(&b, 1024);
    for (size_t i = 0; words[i] != NULL; i++) {
        buf_addf(&b, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    const char *text = reading_keep(r, buf_text(&b));
    buf_deinit(&b);
    return text;
}

static int read_duration(struct reading *r, const cJSON *node, const char *path, int64_t *out)
{
    if (cJSON_IsString(node) && duration_parse(node->valuestring, out)) {
        return 0;
    }
    if (cJSON_IsNumber(node) && node->valuedouble == 0) {
        *out = 0;
        return 0;
    }
    return reading_complain(r, node, path, "must be a duration such as 90s, 5m, 24h or 7d");
}

static int read_bytes(struct reading *r, const cJSON *node, const char *path, int64_t *out)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = { { "", 1 },          { "Ki", 1 << 10 },  { "Mi", 1 << 20 },  { "Gi", 1 << 30 },
                  { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "k", 1000 },
                  { "M", 1000000 },   { "G", 1000000000 } };
    char scratch[32];
    const char *text = reading_scalar(node, scratch, sizeof(scratch));
    long long value = 0;

    for (size_t i = 0; text != NULL && i < ARRAY_LEN(units); i++) {
        size_t n = strlen(text), m = strlen(units[i].suffix);
        char digits[24];
        if (n <= m || n - m >= sizeof(digits) || !text_ends(text, units[i].suffix)) {
            continue;
        }
        memcpy(digits, text, n - m);
        digits[n - m] = '\0';
        if (text_to_int(digits, 0, INT64_MAX / units[i].factor, &value)) {
            *out = value * units[i].factor;
            return 0;
        }
    }
    return reading_complain(r, node, path, "must be a number of bytes such as 500Mi or 5Gi");
}

int reading_texts(struct reading *r, const cJSON *node, const char *path, text_vec *out,
                  const char *const *words)
{
    const cJSON *item;
    int ignored;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return reading_complain(r, node, path, "must be a list");
    }
    out->len = 0;
    cJSON_ArrayForEach(item, node)
    {
        if (!cJSON_IsString(item)) {
            return reading_complain(r, item, path, "must be a list of texts");
        }
        if (words != NULL && !reading_word(words, item, &ignored)) {
            return reading_complain(r, item, path, "must be one of %s", join_words(r, words));
        }
        vec_push(out, reading_keep(r, item->valuestring));
    }
    return 0;
}

int reading_key(struct reading *r, const cJSON *node, const struct settings_key *key)
{
    void *at = (char *)r->s + key->offset;
    char scratch[32];
    const char *text;

    switch (key->type) {
    case SETTINGS_TEXT:
        if (cJSON_IsNull(node)) {
            return 0;
        }
        text = reading_scalar(node, scratch, sizeof(scratch));
        if (text == NULL || *text == '\0') {
            return reading_complain(r, node, key->path, "must be a text that is not empty");
        }
        *(const char **)at = reading_keep(r, text);
        return 0;
    case SETTINGS_BOOL:
        if (!cJSON_IsBool(node)) {
            return reading_complain(r, node, key->path, "must be true or false");
        }
        *(bool *)at = cJSON_IsTrue(node);
        return 0;
    case SETTINGS_DURATION:
        return read_duration(r, node, key->path, at);
    case SETTINGS_BYTES:
        return read_bytes(r, node, key->path, at);
    case SETTINGS_WORD:
        if (!reading_word(key->words, node, at)) {
            return reading_complain(r, node, key->path, "must be one of %s",
                                    join_words(r, key->words));
        }
        return 0;
    case SETTINGS_TEXTS:
        return reading_texts(r, node, key->path, at, key->words);
    }
    return 0;
}
