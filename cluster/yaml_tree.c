#include "cluster/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "cluster/table.h"

enum {
    SENTENCE_MAX = 512,
    FEW_KEYS = 16, /* up to here comparing all pairs is cheaper than a table */
    DEFAULT_ALIAS_BYTES = 8 * 1024 * 1024
};

/* cJSON frees nodes with its own deallocator, which does not ask for the size. So the place of a
 * node stands right behind it, and no table of positions is needed. */
struct yaml_node {
    cJSON json;
    struct yaml_place place;
};

static struct yaml_place place_of(const cJSON *node)
{
    return ((const struct yaml_node *)(const void *)node)->place;
}

void yaml_position(const struct yaml_document *doc, const cJSON *node, uint32_t *line,
                   uint32_t *column)
{
    struct yaml_place at = { 0, 0 };

    (void)doc;
    if (node != NULL) {
        at = place_of(node);
    }
    *line = at.line;
    *column = at.column;
}

void yaml_tree_init(struct yaml_tree *t, const struct yaml_limits *limits, uint32_t *error_line,
                    struct error *err)
{
    memset(t, 0, sizeof(*t));
    t->limits = limits;
    t->error_line = error_line;
    t->err = err;
}

void yaml_tree_deinit(struct yaml_tree *t)
{
    for (uint32_t i = 0; i < t->depth; i++) {
        cJSON_free(t->stack[i].key);
        cJSON_Delete(t->stack[i].merges);
    }
    cJSON_Delete(t->root);
    cJSON_Delete(t->loose);
    for (size_t i = 0; i < t->anchors.len; i++) {
        free(t->anchors.items[i].name);
    }
    vec_free(&t->anchors);
    t->root = t->loose = NULL;
    t->depth = 0;
}

static int refuse_v(struct yaml_tree *t, int code, struct yaml_place at, const char *fmt,
                    va_list args)
{
    char sentence[SENTENCE_MAX];

    vsnprintf(sentence, sizeof(sentence), fmt, args);
    if (t->error_line != NULL) {
        *t->error_line = at.line;
    }
    return error_set(t->err, code, "line %u, column %u: %s", at.line, at.column, sentence);
}

int yaml_tree_refuse(struct yaml_tree *t, int code, struct yaml_place at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int rc = refuse_v(t, code, at, fmt, args);
    va_end(args);
    return rc;
}

int yaml_tree_fail(struct yaml_tree *t, struct yaml_place at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int rc = refuse_v(t, NA_EINVAL, at, fmt, args);
    va_end(args);
    return rc;
}

static int out_of_memory(struct yaml_tree *t, struct yaml_place at)
{
    return yaml_tree_refuse(t, NA_ENOMEM, at, "there is no memory for the document");
}

/* ---- nodes ---- */

static cJSON *new_node(struct yaml_tree *t, int type, struct yaml_place at)
{
    struct yaml_node *node;

    if (t->nodes >= t->limits->max_nodes) {
        yaml_tree_refuse(t, NA_ELIMIT, at, "the document has more than %zu values",
                         t->limits->max_nodes);
        return NULL;
    }
    node = cJSON_malloc(sizeof(*node));
    if (node == NULL) {
        out_of_memory(t, at);
        return NULL;
    }
    memset(node, 0, sizeof(*node));
    node->json.type = type;
    node->place = at;
    t->nodes++;
    return &node->json;
}

static char *copy_text(const char *text, size_t len)
{
    char *copy = cJSON_malloc(len + 1);

    if (copy != NULL) {
        if (len > 0) {
            memcpy(copy, text, len);
        }
        copy[len] = '\0';
    }
    return copy;
}

/* Appends at the end; cJSON keeps the last child in the first one's `prev`. */
static void append_child(cJSON *parent, cJSON *child)
{
    cJSON *first = parent->child;

    child->next = NULL;
    if (first == NULL) {
        parent->child = child;
        child->prev = child;
        return;
    }
    child->prev = first->prev;
    first->prev->next = child;
    first->prev = child;
}

/* Gives a finished (or just opened) value to whoever waits for it. Takes `node` in every case. */
static int attach(struct yaml_tree *t, cJSON *node)
{
    struct yaml_frame *f = t->depth > 0 ? &t->stack[t->depth - 1] : NULL;

    if (f == NULL) {
        t->root = node;
        return 0;
    }
    if (cJSON_IsArray(f->node)) {
        append_child(f->node, node);
        return 0;
    }
    if (f->merge) {
        if (f->merges == NULL && (f->merges = new_node(t, cJSON_Array, f->key_place)) == NULL) {
            cJSON_Delete(node);
            return t->err != NULL && t->err->code != 0 ? t->err->code : NA_ELIMIT;
        }
        append_child(f->merges, node);
        cJSON_free(f->key);
        f->key = NULL;
        f->merge = false;
        return 0;
    }
    node->string = f->key;
    ((struct yaml_node *)(void *)node)->place = f->key_place;
    f->key = NULL;
    f->keys++;
    append_child(f->node, node);
    return 0;
}

static int failed(const struct yaml_tree *t)
{
    return t->err != NULL && t->err->code != 0 ? t->err->code : NA_EINVAL;
}

static int give(struct yaml_tree *t, cJSON *node, cJSON **out)
{
    if (out != NULL) {
        *out = node;
    }
    return attach(t, node);
}

int yaml_tree_string(struct yaml_tree *t, const char *text, size_t len, struct yaml_place at,
                     cJSON **out)
{
    cJSON *node;

    if (memchr(text, '\0', len) != NULL) {
        return yaml_tree_fail(t, at, "a string holds a NUL character");
    }
    node = new_node(t, cJSON_String, at);
    if (node == NULL) {
        return failed(t);
    }
    node->valuestring = copy_text(text, len);
    if (node->valuestring == NULL) {
        cJSON_Delete(node);
        return out_of_memory(t, at);
    }
    return give(t, node, out);
}

int yaml_tree_number(struct yaml_tree *t, double value, const char *digits, struct yaml_place at,
                     cJSON **out)
{
    cJSON *node = new_node(t, cJSON_Number, at);

    if (node == NULL) {
        return failed(t);
    }
    node->valuedouble = value;
    node->valueint = value >= (double)INT32_MAX   ? INT32_MAX
                     : value <= (double)INT32_MIN ? INT32_MIN
                                                  : (int)value;
    if (digits != NULL) {
        node->valuestring = copy_text(digits, strlen(digits));
        if (node->valuestring == NULL) {
            cJSON_Delete(node);
            return out_of_memory(t, at);
        }
    }
    return give(t, node, out);
}

int yaml_tree_word(struct yaml_tree *t, int type, struct yaml_place at, cJSON **out)
{
    cJSON *node = new_node(t, type, at);

    return node != NULL ? give(t, node, out) : failed(t);
}

/* ---- collections ---- */

bool yaml_tree_wants_key(const struct yaml_tree *t)
{
    const struct yaml_frame *f = t->depth > 0 ? &t->stack[t->depth - 1] : NULL;

    return f != NULL && cJSON_IsObject(f->node) && f->key == NULL;
}

int yaml_tree_key(struct yaml_tree *t, const char *text, size_t len, bool merge,
                  struct yaml_place at)
{
    struct yaml_frame *f = &t->stack[t->depth - 1];

    if (len > YAML_KEY_MAX_BYTES) {
        return yaml_tree_refuse(t, NA_ELIMIT, at, "a key is longer than %d bytes",
                                (int)YAML_KEY_MAX_BYTES);
    }
    if (memchr(text, '\0', len) != NULL) {
        return yaml_tree_fail(t, at, "a key holds a NUL character");
    }
    f->key = copy_text(text, len);
    if (f->key == NULL) {
        return out_of_memory(t, at);
    }
    f->key_place = at;
    f->merge = merge;
    return 0;
}

static uint32_t max_depth(const struct yaml_tree *t)
{
    return t->limits->max_depth < YAML_DEPTH_MAX ? t->limits->max_depth : YAML_DEPTH_MAX;
}

int yaml_tree_open(struct yaml_tree *t, bool mapping, struct yaml_place at, cJSON **out)
{
    cJSON *node;
    int rc;

    if (t->depth >= max_depth(t)) {
        return yaml_tree_refuse(t, NA_ELIMIT, at, "values are nested deeper than %u levels",
                                max_depth(t));
    }
    node = new_node(t, mapping ? cJSON_Object : cJSON_Array, at);
    if (node == NULL) {
        return failed(t);
    }
    if ((rc = give(t, node, out)) != 0) {
        return rc;
    }
    t->stack[t->depth++] = (struct yaml_frame){ .node = node };
    return 0;
}

/* ---- duplicate and merged keys ---- */

static uint32_t key_hash(const void *item)
{
    const char *key = ((const cJSON *)item)->string;

    return (uint32_t)hash_bytes(key, strlen(key));
}

static bool key_same(const void *item, const void *key)
{
    return strcmp(((const cJSON *)item)->string, key) == 0;
}

static int duplicate(struct yaml_tree *t, const cJSON *first, const cJSON *second)
{
    return yaml_tree_fail(t, place_of(second), "key '%s' is already set on line %u", second->string,
                          place_of(first).line);
}

static int check_few_keys(struct yaml_tree *t, const cJSON *map)
{
    for (const cJSON *b = map->child; b != NULL; b = b->next) {
        for (const cJSON *a = map->child; a != b; a = a->next) {
            if (strcmp(a->string, b->string) == 0) {
                return duplicate(t, a, b);
            }
        }
    }
    return 0;
}

/* Fills `keys` with the children of `map`. */
static int check_keys(struct yaml_tree *t, const cJSON *map, struct table *keys)
{
    for (cJSON *child = map->child; child != NULL; child = child->next) {
        const cJSON *first = table_find(keys, key_hash(child), child->string, key_same);

        if (first != NULL) {
            return duplicate(t, first, child);
        }
        table_add(keys, child, key_hash);
    }
    return 0;
}

/* Moves the keys of `source` that `map` does not have. */
static void merge_mapping(cJSON *map, cJSON *source, struct table *keys)
{
    cJSON *child = source->child, *next;

    source->child = NULL;
    for (; child != NULL; child = next) {
        next = child->next;
        if (table_find(keys, key_hash(child), child->string, key_same) != NULL) {
            append_child(source, child);
        } else {
            table_add(keys, child, key_hash);
            append_child(map, child);
        }
    }
}

static int merge_one(struct yaml_tree *t, cJSON *map, cJSON *source, struct table *keys)
{
    cJSON *item;

    if (cJSON_IsObject(source)) {
        merge_mapping(map, source, keys);
        return 0;
    }
    if (!cJSON_IsArray(source)) {
        return yaml_tree_fail(t, place_of(source), "a merge key '<<' needs a mapping");
    }
    cJSON_ArrayForEach(item, source)
    {
        if (!cJSON_IsObject(item)) {
            return yaml_tree_fail(t, place_of(item), "a merge key '<<' needs mappings");
        }
        merge_mapping(map, item, keys);
    }
    return 0;
}

/* Keys that are set explicitly win, wherever "<<" stands; of several sources the first. */
static int merge_all(struct yaml_tree *t, struct yaml_frame *f, struct table *keys)
{
    cJSON *source;
    int rc = 0;

    cJSON_ArrayForEach(source, f->merges)
    {
        if (rc == 0) {
            rc = merge_one(t, f->node, source, keys);
        }
    }
    if (t->loose == NULL) {
        t->loose = f->merges;
    } else {
        append_child(t->loose, f->merges);
    }
    f->merges = NULL;
    return rc;
}

int yaml_tree_close(struct yaml_tree *t)
{
    struct yaml_frame *f = &t->stack[t->depth - 1];
    struct table keys = { 0 };
    int rc = 0;

    if (cJSON_IsObject(f->node)) {
        if (f->keys <= FEW_KEYS && f->merges == NULL) {
            rc = check_few_keys(t, f->node);
        } else {
            rc = check_keys(t, f->node, &keys);
        }
        if (rc == 0 && f->merges != NULL) {
            rc = merge_all(t, f, &keys);
        }
    }
    table_deinit(&keys);
    if (rc == 0) {
        if (f->anchor > 0 && t->anchors.items[f->anchor - 1].node == f->node) {
            t->anchors.items[f->anchor - 1].open = false;
        }
        t->depth--;
    }
    return rc;
}

/* ---- anchors and aliases ---- */

/* Its index plus 1; 0 when there is none. */
static uint32_t find_anchor(const struct yaml_tree *t, const char *name)
{
    for (size_t i = 0; i < t->anchors.len; i++) {
        if (strcmp(t->anchors.items[i].name, name) == 0) {
            return (uint32_t)i + 1;
        }
    }
    return 0;
}

int yaml_tree_anchor(struct yaml_tree *t, const char *name, cJSON *node, struct yaml_place at)
{
    struct yaml_frame *f = t->depth > 0 ? &t->stack[t->depth - 1] : NULL;
    bool open = f != NULL && f->node == node;
    uint32_t index = find_anchor(t, name);
    struct yaml_anchor anchor = { .node = node, .open = open };

    if (index == 0) {
        if (t->anchors.len >= t->limits->max_aliases) {
            return yaml_tree_refuse(t, NA_ELIMIT, at, "the document has more than %u anchors",
                                    t->limits->max_aliases);
        }
        anchor.name = strdup(name);
        if (anchor.name == NULL) {
            return out_of_memory(t, at);
        }
        vec_push(&t->anchors, anchor);
        index = (uint32_t)t->anchors.len;
    } else {
        t->anchors.items[index - 1].node = node;
        t->anchors.items[index - 1].open = open;
    }
    if (open) {
        f->anchor = index;
    }
    return 0;
}

int yaml_tree_anchor_key(struct yaml_tree *t, const char *name, struct yaml_place at)
{
    const char *key = t->stack[t->depth - 1].key;
    cJSON *node = new_node(t, cJSON_String, at);

    if (node == NULL) {
        return failed(t);
    }
    node->valuestring = copy_text(key, strlen(key));
    if (node->valuestring == NULL ||
        (t->loose == NULL && (t->loose = new_node(t, cJSON_Array, at)) == NULL)) {
        cJSON_Delete(node);
        return out_of_memory(t, at);
    }
    append_child(t->loose, node);
    return yaml_tree_anchor(t, name, node, at);
}

/* Copies one node without its children, counting what it costs. */
static cJSON *copy_node(struct yaml_tree *t, const cJSON *from, struct yaml_place at)
{
    size_t max = t->limits->max_alias_bytes > 0 ? t->limits->max_alias_bytes : DEFAULT_ALIAS_BYTES;
    size_t text = from->valuestring != NULL ? strlen(from->valuestring) + 1 : 0;
    size_t key = from->string != NULL ? strlen(from->string) + 1 : 0;
    cJSON *node;

    t->alias_bytes += sizeof(struct yaml_node) + text + key;
    if (t->alias_bytes > max) {
        yaml_tree_refuse(t, NA_ELIMIT, at,
                         "the aliases of the document expand to more than %zu bytes", max);
        return NULL;
    }
    node = new_node(t, from->type, place_of(from));
    if (node == NULL) {
        return NULL;
    }
    node->valueint = from->valueint;
    node->valuedouble = from->valuedouble;
    if ((text > 0 && (node->valuestring = copy_text(from->valuestring, text - 1)) == NULL) ||
        (key > 0 && (node->string = copy_text(from->string, key - 1)) == NULL)) {
        cJSON_Delete(node);
        out_of_memory(t, at);
        return NULL;
    }
    return node;
}

/* The copy of a whole subtree, that will stand `depth` levels deep; NULL: the error is set. */
static cJSON *copy_tree(struct yaml_tree *t, const cJSON *from, struct yaml_place at)
{
    struct {
        const cJSON *next; /* of the original, to be copied */
        cJSON *parent;     /* of the copy */
    } stack[YAML_DEPTH_MAX];
    uint32_t depth = 0;
    cJSON *root = copy_node(t, from, at);

    if (root == NULL) {
        return NULL;
    }
    /* The key is the anchor's, not the alias's. */
    cJSON_free(root->string);
    root->string = NULL;
    stack[depth].next = from->child;
    stack[depth++].parent = root;
    while (depth > 0) {
        const cJSON *source = stack[depth - 1].next;
        cJSON *copy;

        if (source == NULL) {
            depth--;
            continue;
        }
        stack[depth - 1].next = source->next;
        copy = copy_node(t, source, at);
        if (copy == NULL) {
            cJSON_Delete(root);
            return NULL;
        }
        append_child(stack[depth - 1].parent, copy);
        if (source->child == NULL) {
            continue;
        }
        if (t->depth + depth >= max_depth(t)) {
            yaml_tree_refuse(t, NA_ELIMIT, at, "values are nested deeper than %u levels",
                             max_depth(t));
            cJSON_Delete(root);
            return NULL;
        }
        stack[depth].next = source->child;
        stack[depth++].parent = copy;
    }
    return root;
}

static int alias_key(struct yaml_tree *t, const cJSON *node, const char *name, struct yaml_place at)
{
    if (!cJSON_IsString(node)) {
        return yaml_tree_fail(t, at, "alias '%s' stands for no string: it cannot be a key", name);
    }
    return yaml_tree_key(t, node->valuestring, strlen(node->valuestring), false, at);
}

int yaml_tree_alias(struct yaml_tree *t, const char *name, struct yaml_place at)
{
    uint32_t index = find_anchor(t, name);
    const struct yaml_anchor *anchor = index > 0 ? &t->anchors.items[index - 1] : NULL;
    cJSON *copy;

    if (anchor == NULL) {
        return yaml_tree_fail(t, at, "alias '%s' has no anchor before it", name);
    }
    if (anchor->open) {
        return yaml_tree_fail(t, at, "alias '%s' stands inside its own anchor", name);
    }
    if (++t->aliases > t->limits->max_aliases) {
        return yaml_tree_refuse(t, NA_ELIMIT, at, "the document has more than %u aliases",
                                t->limits->max_aliases);
    }
    if (yaml_tree_wants_key(t)) {
        return alias_key(t, anchor->node, name, at);
    }
    copy = copy_tree(t, anchor->node, at);
    return copy != NULL ? attach(t, copy) : failed(t);
}
