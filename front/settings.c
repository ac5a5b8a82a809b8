/* A table names every plain key with its type and place; three lists of structures (rules,
 * exemptions, notify) have a reader each. The file is parsed into a tree with positions, walked
 * once, and every unknown key is an error that names the nearest known one. */
#include "front/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cluster/yaml.h"
#include "front/settings_table.h"

struct reading {
    struct settings *s;
    const char *name;
    const struct yaml_document *doc;
    struct error *err;
};

static int complain(struct reading *r, const cJSON *at, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int complain(struct reading *r, const cJSON *at, const char *key, const char *fmt, ...)
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

static const char *keep(struct reading *r, const char *text)
{
    return arena_strdup(&r->s->arena, text);
}

static int unknown_key(struct reading *r, const cJSON *at, const char *path,
                       const char *const *names)
{
    const char *near = text_nearest(names, at->string);

    if (near != NULL) {
        return complain(r, at, path, "unknown key; did you mean '%s'?", near);
    }
    return complain(r, at, path, "unknown key");
}

/* ---- scalars ---- */

static const char *scalar_text(const cJSON *node, char *scratch, size_t size)
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

/* A word of a list. YAML 1.1 reads an unquoted off/no as false and on/yes as true: those mean the
 * words here. */
static bool word_index(const char *const *words, const cJSON *node, int *out)
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
    const char *text = keep(r, buf_text(&b));
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
    return complain(r, node, path, "must be a duration such as 90s, 5m, 24h or 7d");
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
    const char *text = scalar_text(node, scratch, sizeof(scratch));
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
    return complain(r, node, path, "must be a number of bytes such as 500Mi or 5Gi");
}

static int read_text_list(struct reading *r, const cJSON *node, const char *path, text_vec *out,
                          const char *const *words)
{
    const cJSON *item;
    int ignored;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return complain(r, node, path, "must be a list");
    }
    out->len = 0;
    cJSON_ArrayForEach(item, node)
    {
        if (!cJSON_IsString(item)) {
            return complain(r, item, path, "must be a list of texts");
        }
        if (words != NULL && !word_index(words, item, &ignored)) {
            return complain(r, item, path, "must be one of %s", join_words(r, words));
        }
        vec_push(out, keep(r, item->valuestring));
    }
    return 0;
}

static int read_key(struct reading *r, const cJSON *node, const struct settings_key *key)
{
    void *at = (char *)r->s + key->offset;
    char scratch[32];
    const char *text;

    switch (key->type) {
    case SETTINGS_TEXT:
        if (cJSON_IsNull(node)) {
            return 0;
        }
        text = scalar_text(node, scratch, sizeof(scratch));
        if (text == NULL || *text == '\0') {
            return complain(r, node, key->path, "must be a text that is not empty");
        }
        *(const char **)at = keep(r, text);
        return 0;
    case SETTINGS_BOOL:
        if (!cJSON_IsBool(node)) {
            return complain(r, node, key->path, "must be true or false");
        }
        *(bool *)at = cJSON_IsTrue(node);
        return 0;
    case SETTINGS_DURATION:
        return read_duration(r, node, key->path, at);
    case SETTINGS_BYTES:
        return read_bytes(r, node, key->path, at);
    case SETTINGS_WORD:
        if (!word_index(key->words, node, at)) {
            return complain(r, node, key->path, "must be one of %s", join_words(r, key->words));
        }
        return 0;
    case SETTINGS_TEXTS:
        return read_text_list(r, node, key->path, at, key->words);
    }
    return 0;
}

/* ---- lists of structures ---- */

static int read_levels(struct reading *r, const cJSON *node, struct rule_setting *out)
{
    const cJSON *item;

    if (!cJSON_IsObject(node)) {
        return complain(r, node, "levels", "must be a map of environment to fail, warn or off");
    }
    cJSON_ArrayForEach(item, node)
    {
        enum environment e;
        int level;
        if (!environment_parse(item->string, &e)) {
            return complain(
                r, item, "levels",
                "unknown environment '%s': production, staging, development or standard",
                item->string);
        }
        if (!word_index(settings_level_words, item, &level)) {
            return complain(r, item, "levels", "must be fail, warn or off");
        }
        out->levels[e] = (int8_t)level;
    }
    return 0;
}

/* Lists become "a,b", maps "k=v,k2=v2": the text forms of rules/rule.h. */
static int param_value_text(struct reading *r, const cJSON *node, const char *name, struct buf *out)
{
    const cJSON *item;
    char scratch[32];

    if (!cJSON_IsArray(node) && !cJSON_IsObject(node)) {
        const char *text = scalar_text(node, scratch, sizeof(scratch));
        return text != NULL ? buf_adds(out, text) : complain(r, node, name, "must have a value");
    }
    cJSON_ArrayForEach(item, node)
    {
        const char *text = scalar_text(item, scratch, sizeof(scratch));
        if (text == NULL || strchr(text, ',') != NULL) {
            return complain(r, item, name, "must hold plain texts without commas");
        }
        int rc = buf_addf(out, "%s%s%s%s", out->len > 0 ? "," : "",
                          item->string != NULL ? item->string : "", item->string != NULL ? "=" : "",
                          text);
        if (rc != 0) {
            return complain(r, item, name, "is too long");
        }
    }
    return 0;
}

static int read_params(struct reading *r, const cJSON *node, struct rule_setting *out)
{
    const cJSON *item;
    int rc = 0;

    if (!cJSON_IsObject(node)) {
        return complain(r, node, "parameters", "must be a map");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct buf b;
        buf_init(&b, 64 * 1024);
        rc = param_value_text(r, item, item->string, &b);
        if (rc == 0) {
            struct label_pair p = { keep(r, item->string), keep(r, buf_text(&b)) };
            vec_push(&out->params, p);
        }
        buf_deinit(&b);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int read_rules(struct reading *r, const cJSON *node)
{
    static const char *const names[] = { "levels", "parameters", NULL };
    const cJSON *item, *part;
    int rc = 0;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsObject(node)) {
        return complain(r, node, "rules", "must be a map of rule id or glob to its settings");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct rule_setting set = { .pattern = keep(r, item->string),
                                    .levels = { -1, -1, -1, -1 } };
        yaml_position(r->doc, item, &set.line, &set.column);
        if (!cJSON_IsObject(item)) {
            return complain(r, item, item->string, "must be a map with levels and parameters");
        }
        cJSON_ArrayForEach(part, item)
        {
            if (strcmp(part->string, "levels") == 0) {
                rc = read_levels(r, part, &set);
            } else if (strcmp(part->string, "parameters") == 0) {
                rc = read_params(r, part, &set);
            } else {
                rc = unknown_key(r, part, part->string, names);
            }
            if (rc != 0) {
                vec_free(&set.params);
                return rc;
            }
        }
        vec_push(&r->s->ruleset.rules, set);
    }
    return 0;
}

static int read_exemption(struct reading *r, const cJSON *item, struct exemption *out)
{
    const cJSON *part;

    yaml_position(r->doc, item, &out->line, &out->column);
    if (!cJSON_IsObject(item)) {
        return complain(r, item, "exemptions", "must be a list of maps");
    }
    cJSON_ArrayForEach(part, item)
    {
        size_t i = 0;
        while (settings_exemption_keys[i].name != NULL &&
               strcmp(settings_exemption_keys[i].name, part->string) != 0) {
            i++;
        }
        if (settings_exemption_keys[i].name == NULL) {
            return unknown_key(r, part, part->string, settings_exemption_names);
        }
        if (!cJSON_IsString(part)) {
            return complain(r, part, part->string, "must be a text");
        }
        if (strcmp(part->string, "expires") == 0) {
            if (!time_parse(part->valuestring, &out->expires_ms)) {
                return complain(r, part, "expires",
                                "must be an RFC 3339 time such as 2027-01-31T00:00:00Z");
            }
            continue;
        }
        *(const char **)((char *)out + settings_exemption_keys[i].offset) =
            keep(r, part->valuestring);
    }
    if (out->reason == NULL || *out->reason == '\0') {
        return complain(r, item, "reason", "is required: an exemption says why");
    }
    return 0;
}

static int read_exemptions(struct reading *r, const cJSON *node)
{
    const cJSON *item;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return complain(r, node, "exemptions", "must be a list");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct exemption e = { .id = "" };
        int rc = read_exemption(r, item, &e);
        if (rc != 0) {
            return rc;
        }
        vec_push(&r->s->ruleset.exemptions, e);
    }
    return 0;
}

static int read_notify_part(struct reading *r, const cJSON *part, struct notify_setting *n)
{
    if (strcmp(part->string, "type") == 0) {
        return word_index(settings_notify_words, part, &n->type)
                   ? 0
                   : complain(r, part, "type", "must be alertmanager or cloudevents");
    }
    if (strcmp(part->string, "min-severity") == 0) {
        enum severity s;
        if (!cJSON_IsString(part) || !severity_parse(part->valuestring, &s)) {
            return complain(r, part, "min-severity", "must be critical, high, medium, low or info");
        }
        n->min_severity = (int)s;
        return 0;
    }
    if (strcmp(part->string, "namespaces") == 0) {
        return read_text_list(r, part, "namespaces", &n->namespaces, NULL);
    }
    for (size_t i = 0; settings_notify_keys[i].name != NULL; i++) {
        if (strcmp(part->string, settings_notify_keys[i].name) == 0) {
            if (!cJSON_IsString(part)) {
                return complain(r, part, part->string, "must be a text");
            }
            *(const char **)((char *)n + settings_notify_keys[i].offset) =
                keep(r, part->valuestring);
            return 0;
        }
    }
    return unknown_key(r, part, part->string, settings_notify_names);
}

static int read_notify(struct reading *r, const cJSON *node)
{
    const cJSON *item, *part;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return complain(r, node, "notify", "must be a list");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct notify_setting n = { .min_severity = (int)SEVERITY_INFO, .type = -1 };
        if (!cJSON_IsObject(item)) {
            return complain(r, item, "notify", "must be a list of maps");
        }
        cJSON_ArrayForEach(part, item)
        {
            int rc = read_notify_part(r, part, &n);
            if (rc != 0) {
                vec_free(&n.namespaces);
                return rc;
            }
        }
        if (n.name == NULL || n.url == NULL || n.type < 0) {
            vec_free(&n.namespaces);
            return complain(r, item, "notify", "needs name, type and url");
        }
        vec_push(&r->s->notify, n);
    }
    return 0;
}

/* ---- the walk ---- */

static const struct settings_key *find_key(const char *path)
{
    for (size_t i = 0; i < settings_key_count; i++) {
        if (strcmp(settings_keys[i].path, path) == 0) {
            return &settings_keys[i];
        }
    }
    return NULL;
}

/* Names directly under `prefix` ("" at the top), for "did you mean". */
static const char *const *names_under(struct reading *r, const char *prefix)
{
    size_t most = settings_key_count + 8, n = 0, plen = strlen(prefix);
    const char **names = arena_alloc(&r->s->arena, most * sizeof(*names));

    for (size_t i = 0; i < settings_key_count; i++) {
        const char *rest = settings_keys[i].path + plen;
        if (strncmp(settings_keys[i].path, prefix, plen) == 0) {
            names[n++] = arena_strndup(&r->s->arena, rest, strcspn(rest, "."));
        }
    }
    if (plen == 0) {
        static const char *const lists[] = { "apiVersion", "kind", "rules", "exemptions",
                                             "notify" };
        for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
            names[n++] = lists[i];
        }
    }
    return names;
}

static bool is_section(const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < settings_key_count; i++) {
        if (strncmp(settings_keys[i].path, path, n) == 0 && settings_keys[i].path[n] == '.') {
            return true;
        }
    }
    return false;
}

enum { PATH_MAX_BYTES = 256 };

static int read_entry(struct reading *r, const cJSON *item, const char *prefix, const char *path);

static int read_section(struct reading *r, const cJSON *node, const char *prefix)
{
    const cJSON *item;
    char path[PATH_MAX_BYTES];

    cJSON_ArrayForEach(item, node)
    {
        if (snprintf(path, sizeof(path), "%s%s", prefix, item->string) >= (int)sizeof(path)) {
            return complain(r, item, prefix, "unknown key");
        }
        int rc = read_entry(r, item, prefix, path);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Sections nest at most as deep as the table's paths (two dots): is_section bounds the recursion,
 * not the input. */
static int read_entry(struct reading *r, const cJSON *item, const char *prefix, const char *path)
{
    const struct settings_key *key = find_key(path);
    char below[PATH_MAX_BYTES + 1];

    if (key != NULL) {
        return read_key(r, item, key);
    }
    if (!is_section(path)) {
        return unknown_key(r, item, path, names_under(r, prefix));
    }
    if (cJSON_IsNull(item)) {
        return 0;
    }
    if (!cJSON_IsObject(item)) {
        return complain(r, item, path, "must be a map");
    }
    snprintf(below, sizeof(below), "%s.", path);
    return read_section(r, item, below);
}

static int read_header(struct reading *r, const cJSON *item, const char *want)
{
    if (!cJSON_IsString(item) || strcmp(item->valuestring, want) != 0) {
        return complain(r, item, item->string, "must be '%s'", want);
    }
    return 0;
}

static int read_root(struct reading *r, const cJSON *root)
{
    static const struct {
        const char *name;
        int (*read)(struct reading *r, const cJSON *node);
    } lists[] = { { "rules", read_rules },
                  { "exemptions", read_exemptions },
                  { "notify", read_notify } };
    const cJSON *item;
    bool has_version = false, has_kind = false;

    if (!cJSON_IsObject(root)) {
        return complain(r, root, "configuration", "must be a map with apiVersion netauditd/v1");
    }
    cJSON_ArrayForEach(item, root)
    {
        int rc = 0;
        size_t i = 0;

        if (strcmp(item->string, "apiVersion") == 0) {
            rc = read_header(r, item, "netauditd/v1");
            has_version = true;
        } else if (strcmp(item->string, "kind") == 0) {
            rc = read_header(r, item, "Config");
            has_kind = true;
        } else {
            while (i < ARRAY_LEN(lists) && strcmp(lists[i].name, item->string) != 0) {
                i++;
            }
            rc = i < ARRAY_LEN(lists) ? lists[i].read(r, item)
                                      : read_entry(r, item, "", item->string);
        }
        if (rc != 0) {
            return rc;
        }
    }
    if (!has_version || !has_kind) {
        return complain(
            r, root, has_version ? "kind" : "apiVersion",
            "is missing: the file begins with apiVersion: netauditd/v1 and kind: Config");
    }
    return 0;
}

/* What one key alone cannot tell. */
static int check_whole(struct settings *s, const char *name, struct error *err)
{
    if ((s->listen_cert_file == NULL) != (s->listen_key_file == NULL)) {
        return error_set(err, NA_EINVAL,
                         "%s: listen: cert-file and key-file belong together: set both or none",
                         name);
    }
    if (s->listen_auth == LISTEN_AUTH_TOKEN_FILE && s->listen_token_file == NULL) {
        return error_set(err, NA_EINVAL, "%s: listen.token-file: is required by auth: token-file",
                         name);
    }
    if (s->watch_timeout_ms != 0 && s->watch_timeout_ms < 1000) {
        return error_set(err, NA_EINVAL, "%s: watch.timeout: must be at least 1s", name);
    }
    if (s->watch_stale_after_ms < 1000) {
        return error_set(err, NA_EINVAL, "%s: watch.stale-after: must be at least 1s", name);
    }
    return 0;
}

void settings_init(struct settings *s)
{
    memset(s, 0, sizeof(*s));
    arena_init(&s->arena);
    s->listen_address = "127.0.0.1:8844";
    s->store_max_age_ms = (int64_t)400 * 86400000;
    s->watch_stale_after_ms = 600000;
    s->reports_reconcile_ms = 3600000;
    s->log_level = LOG_LEVEL_INFO;
    s->ruleset.force_environment = -1;
    for (const char *const *w = settings_result_defaults; *w != NULL; w++) {
        vec_push(&s->reports_results, *w);
    }
}

void settings_deinit(struct settings *s)
{
    for (size_t i = 0; i < s->ruleset.rules.len; i++) {
        vec_free(&s->ruleset.rules.items[i].params);
    }
    for (size_t i = 0; i < s->notify.len; i++) {
        vec_free(&s->notify.items[i].namespaces);
    }
    for (size_t i = 0; i < ENV_STANDARD; i++) {
        vec_free(&s->ruleset.words[i]);
    }
    vec_free(&s->ruleset.environment_labels);
    vec_free(&s->ruleset.rules);
    vec_free(&s->ruleset.exemptions);
    vec_free(&s->notify);
    vec_free(&s->namespaces);
    vec_free(&s->reports_results);
    arena_deinit(&s->arena);
    memset(s, 0, sizeof(*s));
}

/* The YAML parser and the ruleset know no file: their "line L, column C" becomes NAME:L:C, as the
 * places of all other complaints are written. */
static int name_place(const char *name, int rc, struct error *err)
{
    unsigned line, column;
    int len = 0;

    if (err != NULL && sscanf(err->text, "line %u, column %u%n", &line, &column, &len) == 2 &&
        len > 0) {
        const struct error said = *err;

        return error_set(err, rc, "%s:%u:%u%s", name, line, column, said.text + len);
    }
    return error_wrap(err, rc, "%s", name);
}

int settings_parse(struct settings *s, const char *name, const char *text, size_t len,
                   struct error *err)
{
    struct yaml_file file = { 0 };
    uint32_t line = 0;
    struct reading r = { .s = s, .name = name, .err = err };
    int rc = yaml_parse(text, len, &yaml_limits_default, &file, &line, err);

    if (rc != 0) {
        name_place(name, rc, err);
    } else if (file.count > 1) {
        rc = error_set(err, NA_EINVAL, "%s:%u:1: must hold one document, not several", name,
                       file.documents[1].line);
    } else if (file.count == 1) {
        r.doc = &file.documents[0];
        s->file = arena_strdup(&s->arena, name);
        rc = read_root(&r, file.documents[0].root);
    } else {
        rc = error_set(err, NA_EINVAL, "%s: is empty: it begins with apiVersion: netauditd/v1",
                       name);
    }
    yaml_file_deinit(&file);
    if (rc == 0) {
        rc = check_whole(s, name, err);
    }
    if (rc != 0) {
        settings_deinit(s);
        settings_init(s);
    }
    return rc;
}

int settings_load(struct settings *s, const char *path, struct error *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = file_read(path, SETTINGS_MAX_BYTES, &text, &len, err);

    if (rc == 0) {
        rc = settings_parse(s, path, text, len, err);
    }
    free(text);
    return rc;
}

int settings_find(struct settings *s, const char *explicit_path, struct error *err)
{
    if (explicit_path != NULL) {
        return settings_load(s, explicit_path, err);
    }
    if (access(SETTINGS_DEFAULT_FILE, F_OK) != 0) {
        return 0;
    }
    return settings_load(s, SETTINGS_DEFAULT_FILE, err);
}

int settings_ruleset(const struct settings *s, struct ruleset **out, struct error *err)
{
    int rc = ruleset_create(out, &s->ruleset, err);

    if (rc != 0 && s->file != NULL) {
        name_place(s->file, rc, err);
    }
    return rc;
}
