/* The three lists of structures: rules, exemptions, notify. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cluster/yaml.h"
#include "front/settings_reading.h"

static int read_levels(struct reading *r, const cJSON *node, struct rule_setting *out)
{
    const cJSON *item;

    if (!cJSON_IsObject(node)) {
        return reading_complain(r, node, "levels",
                                "must be a map of environment to fail, warn or off");
    }
    cJSON_ArrayForEach(item, node)
    {
        enum environment e;
        int level;
        if (!environment_parse(item->string, &e)) {
            return reading_complain(
                r, item, "levels",
                "unknown environment '%s': production, staging, development or standard",
                item->string);
        }
        if (!reading_word(settings_level_words, item, &level)) {
            return reading_complain(r, item, "levels", "must be fail, warn or off");
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
        const char *text = reading_scalar(node, scratch, sizeof(scratch));
        if (text == NULL) {
            return reading_complain(r, node, name, "must have a value");
        }
        return buf_adds(out, text) == 0 ? 0 : reading_complain(r, node, name, "is too long");
    }
    cJSON_ArrayForEach(item, node)
    {
        const char *text = reading_scalar(item, scratch, sizeof(scratch));
        if (text == NULL || strchr(text, ',') != NULL) {
            return reading_complain(r, item, name, "must hold plain texts without commas");
        }
        int rc = buf_addf(out, "%s%s%s%s", out->len > 0 ? "," : "",
                          item->string != NULL ? item->string : "", item->string != NULL ? "=" : "",
                          text);
        if (rc != 0) {
            return reading_complain(r, item, name, "is too long");
        }
    }
    return 0;
}

static int read_params(struct reading *r, const cJSON *node, struct rule_setting *out)
{
    const cJSON *item;
    int rc = 0;

    if (!cJSON_IsObject(node)) {
        return reading_complain(r, node, "parameters", "must be a map");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct buf b;
        buf_init(&b, 64 * 1024);
        rc = param_value_text(r, item, item->string, &b);
        if (rc == 0) {
            struct label_pair p = { reading_keep(r, item->string), reading_keep(r, buf_text(&b)) };
            vec_push(&out->params, p);
        }
        buf_deinit(&b);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int reading_rules(struct reading *r, const cJSON *node)
{
    static const char *const names[] = { "levels", "parameters", NULL };
    const cJSON *item, *part;
    int rc = 0;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsObject(node)) {
        return reading_complain(r, node, "rules",
                                "must be a map of rule id or glob to its settings");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct rule_setting set = { .pattern = reading_keep(r, item->string),
                                    .levels = { -1, -1, -1, -1 } };
        yaml_position(r->doc, item, &set.line, &set.column);
        if (!cJSON_IsObject(item)) {
            return reading_complain(r, item, item->string,
                                    "must be a map with levels and parameters");
        }
        cJSON_ArrayForEach(part, item)
        {
            if (strcmp(part->string, "levels") == 0) {
                rc = read_levels(r, part, &set);
            } else if (strcmp(part->string, "parameters") == 0) {
                rc = read_params(r, part, &set);
            } else {
                rc = reading_unknown_key(r, part, part->string, names);
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
        return reading_complain(r, item, "exemptions", "must be a list of maps");
    }
    cJSON_ArrayForEach(part, item)
    {
        size_t i = 0;
        while (settings_exemption_keys[i].name != NULL &&
               strcmp(settings_exemption_keys[i].name, part->string) != 0) {
            i++;
        }
        if (settings_exemption_keys[i].name == NULL) {
            return reading_unknown_key(r, part, part->string, settings_exemption_names);
        }
        if (!cJSON_IsString(part)) {
            return reading_complain(r, part, part->string, "must be a text");
        }
        if (strcmp(part->string, "expires") == 0) {
            if (!time_parse(part->valuestring, &out->expires_ms)) {
                return reading_complain(r, part, "expires",
                                        "must be an RFC 3339 time such as 2027-01-31T00:00:00Z");
            }
            continue;
        }
        *(const char **)((char *)out + settings_exemption_keys[i].offset) =
            reading_keep(r, part->valuestring);
    }
    if (out->reason == NULL || *out->reason == '\0') {
        return reading_complain(r, item, "reason", "is required: an exemption says why");
    }
    return 0;
}

int reading_exemptions(struct reading *r, const cJSON *node)
{
    const cJSON *item;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return reading_complain(r, node, "exemptions", "must be a list");
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
        return reading_word(settings_notify_words, part, &n->type)
                   ? 0
                   : reading_complain(r, part, "type", "must be alertmanager or cloudevents");
    }
    if (strcmp(part->string, "min-severity") == 0) {
        enum severity s;
        if (!cJSON_IsString(part) || !severity_parse(part->valuestring, &s)) {
            return reading_complain(r, part, "min-severity",
                                    "must be critical, high, medium, low or info");
        }
        n->min_severity = (int)s;
        return 0;
    }
    if (strcmp(part->string, "namespaces") == 0) {
        return reading_texts(r, part, "namespaces", &n->namespaces, NULL);
    }
    for (size_t i = 0; settings_notify_keys[i].name != NULL; i++) {
        if (strcmp(part->string, settings_notify_keys[i].name) == 0) {
            if (!cJSON_IsString(part)) {
                return reading_complain(r, part, part->string, "must be a text");
            }
            *(const char **)((char *)n + settings_notify_keys[i].offset) =
                reading_keep(r, part->valuestring);
            return 0;
        }
    }
    return reading_unknown_key(r, part, part->string, settings_notify_names);
}

int reading_notify(struct reading *r, const cJSON *node)
{
    const cJSON *item, *part;

    if (cJSON_IsNull(node)) {
        return 0;
    }
    if (!cJSON_IsArray(node)) {
        return reading_complain(r, node, "notify", "must be a list");
    }
    cJSON_ArrayForEach(item, node)
    {
        struct notify_setting n = { .min_severity = (int)SEVERITY_INFO, .type = -1 };
        if (!cJSON_IsObject(item)) {
            return reading_complain(r, item, "notify", "must be a list of maps");
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
            return reading_complain(r, item, "notify", "needs name, type and url");
        }
        vec_push(&r->s->notify, n);
    }
    return 0;
}
