/* Label selectors. Requirements and values are put in order, so that two spellings of one selector
 * are equal. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/decode.h"

enum { NAME_MAX_BYTES = 63, PREFIX_MAX_BYTES = 253 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* [A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?, at most 63 bytes. */
static bool is_qualified_name(const char *text, size_t len)
{
    if (len == 0 || len > NAME_MAX_BYTES || !is_alnum(text[0]) || !is_alnum(text[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(text[i]) && strchr("-_.", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* A DNS subdomain. */
static bool is_subdomain(const char *text, size_t len)
{
    bool edge = true; /* the character before was a border: alphanumeric must follow */

    if (len == 0 || len > PREFIX_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool alnum = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9');

        if (text[i] == '.' ? edge || text[i - 1] == '-' : !alnum && (text[i] != '-' || edge)) {
            return false;
        }
        edge = text[i] == '.';
    }
    return !edge && text[len - 1] != '-';
}

static bool is_label_key(const char *key)
{
    const char *slash = strchr(key, '/');

    if (slash == NULL) {
        return is_qualified_name(key, strlen(key));
    }
    return is_subdomain(key, (size_t)(slash - key)) &&
           is_qualified_name(slash + 1, strlen(slash + 1));
}

static bool is_label_value(const char *value)
{
    return value[0] == '\0' || is_qualified_name(value, strlen(value));
}

static int compare_strs(const void *a, const void *b)
{
    struct str *const *x = a, *const *y = b;

    return strcmp((*x)->text, (*y)->text);
}

static int compare_requirements(const void *a, const void *b)
{
    const struct selector_requirement *x = a, *y = b;
    int order = strcmp(x->key->text, y->key->text);

    if (order != 0 || x->op != y->op) {
        return order != 0 ? order : x->op < y->op ? -1 : 1;
    }
    for (uint32_t i = 0; i < x->value_count && i < y->value_count; i++) {
        order = strcmp(x->values[i]->text, y->values[i]->text);
        if (order != 0) {
            return order;
        }
    }
    return x->value_count == y->value_count ? 0 : x->value_count < y->value_count ? -1 : 1;
}

static void sort_selector(struct selector *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct selector_requirement *r = &s->requirements[i];
        uint32_t kept = 0;

        if (r->value_count > 1) {
            qsort(r->values, r->value_count, sizeof(struct str *), compare_strs);
        }
        for (uint32_t j = 0; j < r->value_count; j++) {
            if (kept > 0 && r->values[kept - 1] == r->values[j]) {
                str_unref(r->values[j]);
            } else {
                r->values[kept++] = r->values[j];
            }
        }
        r->value_count = kept;
    }
    if (s->count > 1) {
        qsort(s->requirements, s->count, sizeof(*s->requirements), compare_requirements);
    }
}

/* The first fault is the one that is told. */
static void note_malformed(struct selector *s, struct str *sentence)
{
    if (s->malformed == NULL) {
        s->malformed = sentence;
    } else {
        str_unref(sentence);
    }
}

static int add_match_labels(struct selector *s, const cJSON *node, const struct field *at,
                            struct error *err)
{
    const struct field *map_at = FIELD(at, "matchLabels");
    struct label_set *labels;
    int rc = tree_map(node, at, "matchLabels", NULL, false, &labels, err);

    if (rc != 0) {
        return rc;
    }
    for (uint32_t i = 0; i < labels->count; i++) {
        struct selector_requirement *r = &s->requirements[s->count++];

        r->op = SELECTOR_IN;
        r->key = str_ref(labels->items[i].key);
        r->values = xcalloc(1, sizeof(struct str *));
        r->values[0] = str_ref(labels->items[i].value);
        r->value_count = 1;
        if (!is_label_key(r->key->text)) {
            note_malformed(s, field_sentence(map_at, "a key is not a label key"));
        } else if (!is_label_value(r->values[0]->text)) {
            note_malformed(
                s, field_sentence(FIELD(map_at, r->key->text), "the value is not a label value"));
        }
    }
    label_set_unref(labels);
    return 0;
}

static bool parse_operator(const char *text, enum selector_op *out)
{
    static const char *const names[] = { [SELECTOR_IN] = "In",
                                         [SELECTOR_NOT_IN] = "NotIn",
                                         [SELECTOR_EXISTS] = "Exists",
                                         [SELECTOR_DOES_NOT_EXIST] = "DoesNotExist" };

    for (unsigned i = 0; text != NULL && i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum selector_op)i;
            return true;
        }
    }
    return false;
}

static int add_expression(struct selector *s, const cJSON *node, const struct field *at,
                          struct error *err)
{
    struct selector_requirement *r = &s->requirements[s->count];
    const char *op;
    bool listed;
    int rc;

    if (!cJSON_IsObject(node) && !cJSON_IsNull(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_text(node, at, "operator", &op, err)) != 0 ||
        (rc = tree_str(node, at, "key", &r->key, err)) != 0) {
        return rc;
    }
    if (r->key == NULL) {
        r->key = str_intern("");
    }
    s->count++; /* from here on selector_destroy sees it */
    rc = tree_strs(node, at, "values", &r->values, &r->value_count, err);
    if (rc != 0) {
        return rc;
    }
    if (!is_label_key(r->key->text)) {
        note_malformed(s, field_sentence(FIELD(at, "key"), "is not a label key"));
    }
    if (!parse_operator(op, &r->op)) {
        note_malformed(
            s, field_sentence(FIELD(at, "operator"), "must be In, NotIn, Exists or DoesNotExist"));
        return 0;
    }
    listed = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;
    if (listed != (r->value_count > 0)) {
        note_malformed(s, field_sentence(FIELD(at, "values"),
                                         listed ? "must not be empty with In and NotIn"
                                                : "must be empty with Exists and DoesNotExist"));
    }
    for (uint32_t i = 0; i < r->value_count; i++) {
        if (!is_label_value(r->values[i]->text)) {
            note_malformed(s,
                           field_sentence(ELEMENT(FIELD(at, "values"), i), "is not a label value"));
        }
    }
    return 0;
}

int selector_from_tree(const cJSON *node, const struct field *at, struct selector **out,
                       struct error *err)
{
    const struct field *list_at = FIELD(at, "matchExpressions");
    const cJSON *labels, *list, *child;
    struct selector *s;
    uint32_t count, i = 0;
    size_t label_count = 0;
    int rc;

    if (node == NULL || cJSON_IsNull(node)) {
        *out = NULL;
        return 0;
    }
    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    if ((rc = tree_object(node, at, "matchLabels", &labels, err)) != 0 ||
        (rc = tree_array(node, at, "matchExpressions", &list, &count, err)) != 0) {
        return rc;
    }
    cJSON_ArrayForEach(child, labels)
    {
        label_count++;
    }
    s = xcalloc(1, sizeof(*s));
    if (label_count + count > 0) {
        s->requirements = xcalloc(label_count + count, sizeof(*s->requirements));
    }
    rc = add_match_labels(s, node, at, err);
    cJSON_ArrayForEach(child, list)
    {
        if (rc == 0) {
            rc = add_expression(s, child, ELEMENT(list_at, i), err);
        }
        i++;
    }
    if (rc != 0) {
        selector_destroy(s);
        return rc;
    }
    sort_selector(s);
    *out = s;
    return 0;
}

struct selector *selector_from_labels(const struct label_set *labels)
{
    struct selector *s;

    if (labels == NULL || labels->count == 0) {
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->requirements = xcalloc(labels->count, sizeof(*s->requirements));
    for (; s->count < labels->count; s->count++) {
        struct selector_requirement *r = &s->requirements[s->count];

        r->op = SELECTOR_IN;
        r->key = str_ref(labels->items[s->count].key);
        r->values = xcalloc(1, sizeof(struct str *));
        r->values[0] = str_ref(labels->items[s->count].value);
        r->value_count = 1;
    }
    return s;
}
