/* Which environment a namespace belongs to (RULES 1): a label says it, else the name. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/ruleset_private.h"

const char *const environment_default_labels[] = { "netauditd.io/environment", "environment", "env",
                                                   NULL };
static const char *const production[] = { "production", "prod", "prd", NULL };
static const char *const staging[] = { "staging", "stage", "stg", "preprod", "uat", NULL };
static const char *const development[] = { "development", "dev",   "test",    "testing",
                                           "local-dev",   "local", "sandbox", NULL };
const char *const *const environment_default_words[ENV_STANDARD] = { production, staging,
                                                                     development };

static const char *const *copy_list(struct ruleset *rs, const char *const *items, size_t count)
{
    const char **list = arena_alloc(&rs->arena, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        list[i] = arena_strdup(&rs->arena, items[i]);
    }
    return list;
}

void environment_configure(struct ruleset *rs, const struct ruleset_settings *s)
{
    rs->environment_labels = environment_default_labels;
    memcpy(rs->words, environment_default_words, sizeof(rs->words));
    rs->force_environment = -1;
    if (s == NULL) {
        return;
    }
    rs->force_environment = s->force_environment;
    if (s->environment_labels.len > 0) {
        rs->environment_labels =
            copy_list(rs, s->environment_labels.items, s->environment_labels.len);
    }
    for (size_t e = 0; e < ENV_STANDARD; e++) {
        if (s->words[e].len > 0) {
            rs->words[e] = copy_list(rs, s->words[e].items, s->words[e].len);
        }
    }
}

/* A label's value says the word and nothing else. */
static bool value_says(const char *value, const char *word, enum environment e)
{
    (void)e;
    return text_iequal(value, word);
}

/* A name is the word or ends in it after '-'; for what matters most it may also begin with it. */
static bool name_says(const char *name, const char *word, enum environment e)
{
    size_t len = strlen(name), word_len = strlen(word);

    if (len <= word_len || word_len == 0) {
        return text_iequal(name, word);
    }
    if (name[len - word_len - 1] == '-' && text_iequal(name + len - word_len, word)) {
        return true;
    }
    return (e == ENV_PRODUCTION || e == ENV_STAGING) && name[word_len] == '-' &&
           strncasecmp(name, word, word_len) == 0;
}

/* The strictest environment comes first: "prod-dev" is judged as production. */
static enum environment environment_of(const struct ruleset *rs, const char *text,
                                       bool (*says)(const char *, const char *, enum environment))
{
    for (int e = 0; e < ENV_STANDARD; e++) {
        for (const char *const *w = rs->words[e]; *w != NULL; w++) {
            if (says(text, *w, (enum environment)e)) {
                return (enum environment)e;
            }
        }
    }
    return ENV_STANDARD;
}

enum environment ruleset_environment(const struct ruleset *rs, const struct ns *ns)
{
    if (rs->force_environment >= 0) {
        return (enum environment)rs->force_environment;
    }
    if (ns == NULL) { /* cluster-scoped */
        return ENV_STANDARD;
    }
    const struct label_set *labels = ns->object != NULL ? ns->object->head.labels : NULL;
    for (const char *const *key = rs->environment_labels; *key != NULL; key++) {
        const char *value = label_set_text(labels, *key);
        if (value != NULL) {
            return environment_of(rs, value, value_says);
        }
    }
    return environment_of(rs, ns->name->text, name_says);
}
