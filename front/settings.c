/* A table names every plain key with its type and place (settings_values.c reads one); three lists
 * of structures have a reader each (settings_lists.c). The file is parsed into a tree with
 * positions, walked once, and every unknown key is an error that names the nearest known one. */
#include "front/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cluster/name_syntax.h"
#include "cluster/tree.h"
#include "cluster/yaml.h"
#include "front/settings_reading.h"

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
            return reading_complain(r, item, prefix, "unknown key");
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
        return reading_key(r, item, key);
    }
    if (!is_section(path)) {
        return reading_unknown_key(r, item, path, names_under(r, prefix));
    }
    if (cJSON_IsNull(item)) {
        return 0;
    }
    if (!cJSON_IsObject(item)) {
        return reading_complain(r, item, path, "must be a map");
    }
    snprintf(below, sizeof(below), "%s.", path);
    return read_section(r, item, below);
}

static int read_header(struct reading *r, const cJSON *item, const char *want)
{
    if (!cJSON_IsString(item) || strcmp(item->valuestring, want) != 0) {
        return reading_complain(r, item, item->string, "must be '%s'", want);
    }
    return 0;
}

static int read_root(struct reading *r, const cJSON *root)
{
    static const struct {
        const char *name;
        int (*read)(struct reading *r, const cJSON *node);
    } lists[] = { { "rules", reading_rules },
                  { "exemptions", reading_exemptions },
                  { "notify", reading_notify } };
    const cJSON *item;
    bool has_version = false, has_kind = false;

    if (!cJSON_IsObject(root)) {
        return reading_complain(r, root, "configuration",
                                "must be a map with apiVersion netauditd/v1");
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
        return reading_complain(
            r, root, has_version ? "kind" : "apiVersion",
            "is missing: the file begins with apiVersion: netauditd/v1 and kind: Config");
    }
    return 0;
}

/* Where "a.b" stands in the file; its section, or the file itself, when it does not. */
static const cJSON *place_of(const cJSON *root, const char *section, const char *key)
{
    const cJSON *in = tree_get(root, section), *at = tree_get(in, key);

    return at != NULL ? at : in != NULL ? in : root;
}

static int check_namespaces(struct reading *r, const cJSON *root)
{
    const text_vec *names = &r->s->namespaces;
    const cJSON *list = place_of(root, "cluster", "namespaces");

    if (names->len > SETTINGS_MAX_NAMESPACES) {
        return reading_complain(r, list, "cluster.namespaces",
                                "%zu namespaces: more than %d cannot be watched one by one; watch "
                                "the whole cluster instead",
                                names->len, SETTINGS_MAX_NAMESPACES);
    }
    for (size_t i = 0; i < names->len; i++) {
        if (!name_is_dns_label(names->items[i])) {
            return reading_complain(r, cJSON_GetArrayItem(list, (int)i), "cluster.namespaces",
                                    "'%s' is no name of a namespace", names->items[i]);
        }
    }
    return 0;
}

static bool has_word(const struct ruleset_settings *s, size_t e, const char *word)
{
    for (size_t i = 0; i < s->words[e].len; i++) {
        if (strcasecmp(s->words[e].items[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* A word of two environments would silently mean one of them. */
static int check_words(struct reading *r, const cJSON *root)
{
    const struct ruleset_settings *s = &r->s->ruleset;

    for (size_t e = 1; e < ENV_STANDARD; e++) {
        for (size_t i = 0; i < s->words[e].len; i++) {
            size_t other = 0;

            while (other < e && !has_word(s, other, s->words[e].items[i])) {
                other++;
            }
            if (other < e) {
                return reading_complain(
                    r, place_of(root, "environments", "words"), "environments.words",
                    "'%s' is a word of %s and of %s; leave it in one", s->words[e].items[i],
                    environment_name((enum environment)other),
                    environment_name((enum environment)e));
            }
        }
    }
    return 0;
}

/* What one key alone cannot tell. */
static int check_whole(struct reading *r, const cJSON *root)
{
    const struct settings *s = r->s;
    int rc;

    if (!settings_is_listen_address(s->listen_address)) {
        return reading_complain(r, place_of(root, "listen", "address"), "listen.address",
                                SETTINGS_LISTEN_SENTENCE);
    }
    if ((s->listen_cert_file == NULL) != (s->listen_key_file == NULL)) {
        return reading_complain(
            r, place_of(root, "listen", s->listen_cert_file != NULL ? "cert-file" : "key-file"),
            "listen", "cert-file and key-file belong together: set both or none");
    }
    if (s->listen_auth == LISTEN_AUTH_TOKEN_FILE && s->listen_token_file == NULL) {
        return reading_complain(r, place_of(root, "listen", "auth"), "listen.token-file",
                                "is required by auth: token-file");
    }
    if (s->watch_timeout_ms != 0 && s->watch_timeout_ms < 1000) {
        return reading_complain(r, place_of(root, "watch", "timeout"), "watch.timeout",
                                "must be at least 1s");
    }
    if (s->watch_stale_after_ms < 1000) {
        return reading_complain(r, place_of(root, "watch", "stale-after"), "watch.stale-after",
                                "must be at least 1s");
    }
    if (s->watch_discovery_ms < 1000) {
        return reading_complain(r, place_of(root, "watch", "discovery"), "watch.discovery",
                                "must be at least 1s");
    }
    rc = check_namespaces(r, root);
    return rc != 0 ? rc : check_words(r, root);
}

/* HOST:PORT, [IPv6]:PORT, or :PORT for every address. */
bool settings_is_listen_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    long long port;

    if (colon == NULL || !text_to_int(colon + 1, 0, 65535, &port)) {
        return false;
    }
    if (text[0] == '[') {
        return colon - text > 3 && colon[-1] == ']';
    }
    return memchr(text, ':', (size_t)(colon - text)) == NULL && strpbrk(text, " /") == NULL;
}

void settings_init(struct settings *s)
{
    memset(s, 0, sizeof(*s));
    arena_init(&s->arena);
    s->listen_address = "127.0.0.1:8844";
    s->store_max_age_ms = (int64_t)400 * 86400000;
    s->watch_timeout_ms = 300000;
    s->watch_stale_after_ms = 600000;
    s->watch_discovery_ms = 60000;
    s->reports_reconcile_ms = 3600000;
    s->log_level = LOG_LEVEL_INFO;
    s->ruleset.force_environment = -1;
    for (const char *const *w = settings_result_defaults; *w != NULL; w++) {
        vec_push(&s->reports_results, *w);
    }
    for (const char *const *label = environment_default_labels; *label != NULL; label++) {
        vec_push(&s->ruleset.environment_labels, *label);
    }
    for (size_t e = 0; e < ENV_STANDARD; e++) {
        for (const char *const *w = environment_default_words[e]; *w != NULL; w++) {
            vec_push(&s->ruleset.words[e], *w);
        }
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
    vec_free(&s->ruleset.enforced_families);
    vec_free(&s->ruleset.rules);
    vec_free(&s->ruleset.exemptions);
    vec_free(&s->notify);
    vec_free(&s->namespaces);
    vec_free(&s->exec_plugins);
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
        rc = rc != 0 ? rc : check_whole(&r, file.documents[0].root);
    } else {
        rc = error_set(err, NA_EINVAL, "%s: is empty: it begins with apiVersion: netauditd/v1",
                       name);
    }
    yaml_file_deinit(&file);
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
