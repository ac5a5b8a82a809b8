/* The lines of an object's fields, for rules that point at one. Kept as a flat tree in document
 * order, 16 bytes a field; a subtree on one line (JSON, flow style) is not kept, its parent's line
 * says it, and neither is what no rule looks at. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cluster/manifest_private.h"
#include "cluster/tree.h"
#include "cluster/yaml_tree.h"

enum { MAX_LINES = 20000 };

struct field_line {
    struct str *key; /* NULL: an element of a list */
    uint32_t line;
    uint32_t end; /* index behind the last entry of its subtree */
};
struct field_lines {
    uint32_t count;
    struct field_line items[];
};

/* Large parts of a pod and of the server's own that no rule points into. */
static bool is_dull(const char *key)
{
    static const char *const dull[] = {
        "status",        "managedFields",  "env",          "envFrom",    "volumes",
        "volumeMounts",  "volumeDevices",  "resources",    "affinity",   "tolerations",
        "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",  "securityContext",
        "args",          "command",        "data",         "stringData", "volumeClaimTemplates"
    };

    for (size_t i = 0; i < ARRAY_LEN(dull); i++) {
        if (key != NULL && strcmp(dull[i], key) == 0) {
            return true;
        }
    }
    return false;
}

struct line_frame {
    const cJSON *next;
    uint32_t index; /* its entry + 1; 0 for the root */
    uint32_t last_line;
};

struct line_walk {
    VEC(struct field_line) lines;
    struct line_frame stack[YAML_DEPTH_MAX + 1];
    uint32_t depth;
};

static void leave(struct line_walk *w)
{
    const struct line_frame *f = &w->stack[--w->depth];

    if (f->index > 0) {
        struct field_line *entry = &w->lines.items[f->index - 1];

        if (f->last_line == entry->line) { /* all on one line: the parent says it */
            while (w->lines.len > f->index) {
                str_unref(w->lines.items[--w->lines.len].key);
            }
        }
        entry->end = (uint32_t)w->lines.len;
    }
    if (w->depth > 0 && w->stack[w->depth - 1].last_line < f->last_line) {
        w->stack[w->depth - 1].last_line = f->last_line;
    }
}

static void collect(struct line_walk *w, const struct yaml_document *doc, const cJSON *tree)
{
    w->stack[w->depth++] = (struct line_frame){ .next = tree->child };
    while (w->depth > 0) {
        struct line_frame *f = &w->stack[w->depth - 1];
        const cJSON *node = f->next;
        struct field_line entry = { .key = NULL };
        uint32_t column;

        if (node == NULL || w->lines.len >= MAX_LINES) {
            leave(w);
            continue;
        }
        f->next = node->next;
        entry.key = node->string != NULL ? str_intern(node->string) : NULL;
        yaml_position(doc, node, &entry.line, &column);
        entry.end = (uint32_t)w->lines.len + 1;
        vec_push(&w->lines, entry);
        f->last_line = f->last_line < entry.line ? entry.line : f->last_line;
        if (node->child != NULL && !is_dull(node->string) && w->depth < ARRAY_LEN(w->stack)) {
            w->stack[w->depth++] = (struct line_frame){ .next = node->child,
                                                        .index = (uint32_t)w->lines.len,
                                                        .last_line = entry.line };
        }
    }
}

struct origin *manifest_origin_create(struct str *file, const struct yaml_document *doc,
                                      const cJSON *tree)
{
    struct origin *o = xcalloc(1, sizeof(*o));
    struct line_walk w = { .depth = 0 };
    uint32_t column;

    o->file = str_ref(file);
    yaml_position(doc, tree, &o->line, &column);
    collect(&w, doc, tree);
    bool one_line = true;

    for (size_t i = 0; i < w.lines.len; i++) {
        one_line = one_line && w.lines.items[i].line == o->line;
    }
    if (one_line) {
        for (size_t i = 0; i < w.lines.len; i++) {
            str_unref(w.lines.items[i].key);
        }
        w.lines.len = 0;
    }
    if (w.lines.len > 0) {
        struct field_lines *lines = xmalloc(sizeof(*lines) + w.lines.len * sizeof(lines->items[0]));

        lines->count = (uint32_t)w.lines.len;
        memcpy(lines->items, w.lines.items, w.lines.len * sizeof(lines->items[0]));
        o->fields = lines;
    }
    vec_free(&w.lines);
    return o;
}

void manifest_origin_destroy(struct origin *o)
{
    if (o == NULL) {
        return;
    }
    if (o->fields != NULL) {
        for (uint32_t i = 0; i < o->fields->count; i++) {
            str_unref(o->fields->items[i].key);
        }
        free((struct field_lines *)(uintptr_t)o->fields);
    }
    str_unref(o->file);
    free(o);
}

/* ---- lookup ---- */

/* How much of `path` the key takes, 0 when it is not the next step. Keys may hold dots themselves:
 * plain, escaped as "\.", or in brackets. */
static size_t key_step(const char *path, const char *key)
{
    const char *p = path;
    bool bracket = *p == '[';
    char quote = '\0';

    if (bracket) {
        p++;
        quote = *p == '"' || *p == '\'' ? *p++ : '\0';
    }
    for (; *key != '\0'; key++, p++) {
        if (*p == '\\' && p[1] == *key) {
            p++;
        }
        if (*p != *key) {
            return 0;
        }
    }
    if (bracket) {
        if (quote != '\0' && *p++ != quote) {
            return 0;
        }
        return *p == ']' ? (size_t)(p + 1 - path) : 0;
    }
    return *p == '\0' || *p == '.' || *p == '[' ? (size_t)(p - path) : 0;
}

static size_t index_step(const char *path, uint32_t *index)
{
    const char *p = path;
    uint64_t value = 0;

    if (*p++ != '[' || *p < '0' || *p > '9') {
        return 0;
    }
    while (*p >= '0' && *p <= '9' && value < UINT32_MAX) {
        value = value * 10 + (uint64_t)(*p++ - '0');
    }
    *index = (uint32_t)value;
    return *p == ']' ? (size_t)(p + 1 - path) : 0;
}

/* The child among entries [from, to) that `path` names next: the longest key that fits. */
static const struct field_line *find_child(const struct field_lines *lines, uint32_t from,
                                           uint32_t to, const char *path, size_t *step)
{
    const struct field_line *found = NULL;
    uint32_t wanted = 0, seen = 0;
    size_t index_len = index_step(path, &wanted);

    *step = 0;
    for (uint32_t i = from; i < to; i = lines->items[i].end) {
        const struct field_line *entry = &lines->items[i];
        size_t len = entry->key != NULL ? key_step(path, entry->key->text)
                     : seen++ == wanted ? index_len
                                        : 0;

        if (len > *step) {
            *step = len;
            found = entry;
        }
    }
    return found;
}

uint32_t origin_field_line(const struct origin *o, const char *field_path)
{
    const struct field_lines *lines = o != NULL ? o->fields : NULL;
    uint32_t line = o != NULL ? o->line : 0;
    uint32_t from = 0, to = lines != NULL ? lines->count : 0;

    while (from < to && field_path != NULL && *field_path != '\0') {
        size_t step;
        const struct field_line *entry = find_child(lines, from, to, field_path, &step);

        if (entry == NULL) {
            break;
        }
        line = entry->line;
        from = (uint32_t)(entry - lines->items) + 1;
        to = entry->end;
        field_path += step;
        field_path += *field_path == '.' ? 1 : 0;
    }
    return line;
}
