/* The effective configuration as YAML, written by the same table that reads it. Every text is a
 * JSON string, which is YAML too, so nothing needs quoting rules. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "front/settings.h"
#include "front/settings_table.h"

/* https://user:secret@host is shown with its user part masked: a token in a URL must not reach a
 * terminal or a ticket. */
static void add_text(struct buf *out, const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *at = scheme != NULL ? strchr(scheme + 3, '@') : NULL;
    const char *slash = scheme != NULL ? strchr(scheme + 3, '/') : NULL;

    if (at == NULL || (slash != NULL && slash < at)) {
        buf_add_json(out, text);
        return;
    }
    char *masked = xasprintf("%.*s***%s", (int)(scheme + 3 - text), text, at);
    buf_add_json(out, masked);
    free(masked);
}

static void add_texts(struct buf *out, const text_vec *v)
{
    buf_adds(out, "[");
    for (size_t i = 0; i < v->len; i++) {
        buf_adds(out, i > 0 ? ", " : "");
        buf_add_json(out, v->items[i]);
    }
    buf_adds(out, "]");
}

static void add_duration(struct buf *out, int64_t ms)
{
    char text[NA_TIME_TEXT_MAX];

    duration_format(ms, text);
    buf_add_json(out, text);
}

static void add_value(struct buf *out, const struct settings *s, const struct settings_key *key)
{
    const void *at = (const char *)s + key->offset;

    switch (key->type) {
    case SETTINGS_TEXT:
        add_text(out, *(const char *const *)at);
        break;
    case SETTINGS_BOOL:
        buf_adds(out, *(const bool *)at ? "true" : "false");
        break;
    case SETTINGS_DURATION:
        add_duration(out, *(const int64_t *)at);
        break;
    case SETTINGS_BYTES:
        buf_addf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case SETTINGS_WORD:
        buf_add_json(out, key->words[*(const int *)at]);
        break;
    case SETTINGS_TEXTS:
        add_texts(out, at);
        break;
    }
}

/* Prints the section names of `path` that `previous` has not opened, and the key. */
static void add_key(struct buf *out, const char *previous, const char *path)
{
    size_t indent = 0;
    bool same = true;

    for (;;) {
        size_t n = strcspn(path, ".");
        if (path[n] == '\0') {
            buf_addf(out, "%*s%s: ", (int)indent, "", path);
            return;
        }
        same = same && strncmp(previous, path, n + 1) == 0;
        if (!same) {
            buf_addf(out, "%*s%.*s:\n", (int)indent, "", (int)n, path);
        } else {
            previous += n + 1;
        }
        path += n + 1;
        indent += 2;
    }
}

static bool is_set(const struct settings *s, const struct settings_key *key)
{
    return key->type != SETTINGS_TEXT ||
           *(const char *const *)(const void *)((const char *)s + key->offset) != NULL;
}

static void add_rule(struct buf *out, const struct rule_setting *r)
{
    buf_adds(out, "  ");
    buf_add_json(out, r->pattern);
    buf_adds(out, ":\n    levels: {");
    const char *comma = "";
    for (int e = 0; e < ENV_COUNT; e++) {
        if (r->levels[e] >= 0) {
            buf_addf(out, "%s%s: \"%s\"", comma, environment_name((enum environment)e),
                     settings_level_words[r->levels[e]]);
            comma = ", ";
        }
    }
    buf_adds(out, "}\n    parameters: {");
    for (size_t i = 0; i < r->params.len; i++) {
        buf_adds(out, i > 0 ? ", " : "");
        buf_add_json(out, r->params.items[i].key);
        buf_adds(out, ": ");
        buf_add_json(out, r->params.items[i].value);
    }
    buf_adds(out, "}\n");
}

static void add_exemption(struct buf *out, const struct exemption *e)
{
    const char *lead = "  - ";

    for (const struct settings_member *m = settings_exemption_keys; m->name != NULL; m++) {
        const char *text = NULL;
        char expires[NA_TIME_TEXT_MAX];
        if (strcmp(m->name, "expires") != 0) {
            text = *(const char *const *)(const void *)((const char *)e + m->offset);
        } else if (e->expires_ms != 0) {
            time_format(e->expires_ms, false, expires);
            text = expires;
        }
        if (text != NULL) {
            buf_addf(out, "%s%s: ", lead, m->name);
            buf_add_json(out, text);
            buf_adds(out, "\n");
            lead = "    ";
        }
    }
}

static void add_notify(struct buf *out, const struct notify_setting *n)
{
    buf_addf(out, "  - type: %s\n", settings_notify_words[n->type]);
    for (const struct settings_member *m = settings_notify_keys; m->name != NULL; m++) {
        const char *text = *(const char *const *)(const void *)((const char *)n + m->offset);
        if (text != NULL) {
            buf_addf(out, "    %s: ", m->name);
            add_text(out, text);
            buf_adds(out, "\n");
        }
    }
    buf_addf(out, "    min-severity: %s\n    namespaces: ",
             severity_name((enum severity)n->min_severity));
    add_texts(out, &n->namespaces);
    buf_adds(out, "\n");
}

int settings_print(const struct settings *s, struct buf *out)
{
    const char *previous = "";

    buf_adds(out, "apiVersion: netauditd/v1\nkind: Config\n");
    for (size_t i = 0; i < settings_key_count; i++) {
        if (is_set(s, &settings_keys[i])) {
            add_key(out, previous, settings_keys[i].path);
            add_value(out, s, &settings_keys[i]);
            buf_adds(out, "\n");
            previous = settings_keys[i].path;
        }
    }
    if (s->ruleset.rules.len > 0) {
        buf_adds(out, "rules:\n");
    }
    for (size_t i = 0; i < s->ruleset.rules.len; i++) {
        add_rule(out, &s->ruleset.rules.items[i]);
    }
    if (s->ruleset.exemptions.len > 0) {
        buf_adds(out, "exemptions:\n");
    }
    for (size_t i = 0; i < s->ruleset.exemptions.len; i++) {
        add_exemption(out, &s->ruleset.exemptions.items[i]);
    }
    if (s->notify.len > 0) {
        buf_adds(out, "notify:\n");
    }
    for (size_t i = 0; i < s->notify.len; i++) {
        add_notify(out, &s->notify.items[i]);
    }
    return out->len >= out->max_bytes ? NA_ELIMIT : 0;
}

static bool same_value(const struct settings *a, const struct settings *b,
                       const struct settings_key *key)
{
    struct buf left, right;

    if (is_set(a, key) != is_set(b, key)) {
        return false;
    }
    if (!is_set(a, key)) {
        return true;
    }
    buf_init(&left, SETTINGS_MAX_BYTES);
    buf_init(&right, SETTINGS_MAX_BYTES);
    add_value(&left, a, key);
    add_value(&right, b, key);
    bool same = strcmp(buf_text(&left), buf_text(&right)) == 0;
    buf_deinit(&left);
    buf_deinit(&right);
    return same;
}

const char *settings_restart_key(const struct settings *before, const struct settings *after,
                                 size_t *at)
{
    while (*at < settings_key_count) {
        const struct settings_key *key = &settings_keys[(*at)++];

        if (!key->reloads && !same_value(before, after, key)) {
            return key->path;
        }
    }
    return NULL;
}
