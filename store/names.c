#include "store/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include <uthash.h>

#include "base/xalloc.h"

struct name {
    uint32_t id;
    char *text; /* of a rule: policy, NUL, rule */
    char *category;
    UT_hash_handle hh;
};

struct names {
    struct name *texts, *rules;
    uint32_t last_text, last_rule;
};

struct names *names_create(void)
{
    return xcalloc(1, sizeof(struct names));
}

static void free_table(struct name **table)
{
    struct name *item = *table, *next;

    HASH_CLEAR(hh, *table); /* the list of the items stays */
    for (; item != NULL; item = next) {
        next = item->hh.next;
        free(item->text);
        free(item->category);
        free(item);
    }
}

void names_destroy(struct names *n)
{
    if (n != NULL) {
        free_table(&n->texts);
        free_table(&n->rules);
        free(n);
    }
}

uint32_t names_find(const struct names *n, const char *text)
{
    struct name *item;

    HASH_FIND(hh, n->texts, text, strlen(text), item);
    return item != NULL ? item->id : 0;
}

uint32_t names_next(const struct names *n, const char *text)
{
    return HASH_COUNT(n->texts) < NAMES_MAX && strlen(text) <= NAMES_TEXT_MAX_BYTES
               ? n->last_text + 1
               : 0;
}

void names_add(struct names *n, uint32_t id, const char *text)
{
    struct name *item = xcalloc(1, sizeof(*item));

    item->id = id;
    item->text = xstrdup(text);
    HASH_ADD_KEYPTR(hh, n->texts, item->text, strlen(item->text), item);
    if (id > n->last_text) {
        n->last_text = id;
    }
}

uint32_t names_last(const struct names *n)
{
    return n->last_text;
}

void names_each(const struct names *n, void (*fn)(void *ctx, uint32_t id, const char *text),
                void *ctx)
{
    for (const struct name *item = n->texts; item != NULL; item = item->hh.next) {
        fn(ctx, item->id, item->text);
    }
}

static char *rule_key(const char *policy, const char *rule, size_t *len)
{
    size_t a = strlen(policy), b = strlen(rule);
    char *key = xmalloc(a + b + 2);

    memcpy(key, policy, a + 1);
    memcpy(key + a + 1, rule, b + 1);
    *len = a + 1 + b;
    return key;
}

uint32_t names_find_rule(const struct names *n, const char *policy, const char *rule,
                         const char *category, bool *same)
{
    char space[256], *key = space;
    size_t a = strlen(policy), b = strlen(rule), len = a + 1 + b;
    struct name *item;

    if (len < sizeof(space)) {
        memcpy(space, policy, a + 1);
        memcpy(space + a + 1, rule, b + 1);
    } else {
        key = rule_key(policy, rule, &len);
    }
    HASH_FIND(hh, n->rules, key, len, item);
    if (key != space) {
        free(key);
    }
    *same = item != NULL && strcmp(item->category, category) == 0;
    return item != NULL ? item->id : 0;
}

uint32_t names_next_rule(const struct names *n)
{
    return n->last_rule < NAMES_RULES_MAX ? n->last_rule + 1 : 0;
}

void names_add_rule(struct names *n, uint32_t id, const char *policy, const char *rule,
                    const char *category)
{
    size_t len;
    char *key = rule_key(policy, rule, &len);
    struct name *item;

    HASH_FIND(hh, n->rules, key, len, item);
    if (item != NULL) {
        free(key);
        free(item->category);
        item->category = xstrdup(category);
        return;
    }
    item = xcalloc(1, sizeof(*item));
    item->id = id;
    item->text = key;
    item->category = xstrdup(category);
    HASH_ADD_KEYPTR(hh, n->rules, item->text, len, item);
    if (id > n->last_rule) {
        n->last_rule = id;
    }
}
