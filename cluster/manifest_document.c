/* From documents to objects: lists are opened, kinds looked up. What a server would not know either
 * is an error; kinds that exist but say nothing about the network are counted and skipped. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cluster/manifest_private.h"
#include "cluster/tree.h"

#define TEMPLATE_SENTENCE                                                                          \
    "holds template directives ('{{'); render it first, for example with helm template"

/* A list that is being opened. */
struct list_frame {
    cJSON *next;
    const char *api_version, *kind; /* what its items inherit; NULL: nothing */
};

static void complain(struct manifest_file *f, bool warning, uint32_t line, const char *kind,
                     const char *field, const char *sentence)
{
    struct manifest_complaint c = { .warning = warning,
                                    .file = f->name->text,
                                    .line = line,
                                    .kind = kind,
                                    .field = field,
                                    .sentence = sentence };

    manifest_complain(f->loader, &c);
}

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = tree_get(obj, key);

    return cJSON_IsString(node) && node->valuestring[0] != '\0' ? node->valuestring : NULL;
}

static bool is_template(const char *text)
{
    return text != NULL && strstr(text, "{{") != NULL;
}

/* ---- kinds that no row has ---- */

/* CRDs live in groups with a dot; these groups are Kubernetes' own, and we know their kinds. */
static bool is_builtin_group(const char *group)
{
    return strchr(group, '.') == NULL || strcmp(group, "networking.k8s.io") == 0;
}

/* extensions/v1beta1 was the first home of five kinds. */
static const struct kind_row *row_of_group(const char *group, const char *kind)
{
    if (strcmp(group, "extensions") != 0) {
        return kind_find_group(group, kind);
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct kind_row *row = &kind_table[i];

        if (strcmp(row->name, kind) == 0 &&
            (strcmp(row->group, "apps") == 0 || strcmp(row->group, "networking.k8s.io") == 0)) {
            return row;
        }
    }
    return NULL;
}

static const struct kind_row *row_of_kind(const char *kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kind_table[i].name, kind) == 0) {
            return &kind_table[i];
        }
    }
    return NULL;
}

/* A kind of ours misspelt. Short names are not guessed at: Node is not Pod. */
static const struct kind_row *row_nearly(const char *kind)
{
    enum { LONG_NAME = 7 };

    for (size_t i = 0; i < KIND_COUNT; i++) {
        const char *name = kind_table[i].name;

        if (text_iequal(name, kind) ||
            (strlen(name) >= LONG_NAME && text_distance(name, kind) <= 2)) {
            return &kind_table[i];
        }
    }
    return NULL;
}

/* NULL: a server might take it. Else the row that was probably meant (KIND_NAMESPACE's when nobody
 * knows), and the sentence is set. */
static const struct kind_row *refused(const char *api_version, const char *kind, char *sentence,
                                      size_t size)
{
    const char *slash = strchr(api_version, '/');
    char group[128] = "", right[64];
    const struct kind_row *row;

    if (slash != NULL && (size_t)(slash - api_version) < sizeof(group)) {
        memcpy(group, api_version, (size_t)(slash - api_version));
        group[slash - api_version] = '\0';
    }
    if (slash != NULL && (slash == api_version || slash[1] == '\0' || strchr(slash + 1, '/'))) {
        snprintf(sentence, size, "is no apiVersion: group/version, or v1");
        return &kind_table[KIND_NAMESPACE];
    }
    row = row_of_group(group, kind);
    if (row != NULL) {
        kind_api_version(row, right);
        snprintf(sentence, size, "%s of %s is not read; write it as %s", row->name, api_version,
                 right);
        return row;
    }
    if (!is_builtin_group(group)) {
        return NULL;
    }
    row = row_of_kind(kind);
    if (row == NULL && (row = row_nearly(kind)) != NULL) {
        kind_api_version(row, right);
        snprintf(sentence, size, "there is no kind %.60s in %s; did you mean %s of %s?", kind,
                 api_version, row->name, right);
        return row;
    }
    if (row != NULL) {
        kind_api_version(row, right);
        snprintf(sentence, size, "there is no %s in %s; it is in %s", kind, api_version, right);
    }
    return row;
}

static void read_unknown(struct manifest_file *f, uint32_t line, const cJSON *tree,
                         const char *api_version, const char *kind)
{
    char sentence[320];
    const struct kind_row *row = refused(api_version, kind, sentence, sizeof(sentence));
    const cJSON *metadata = tree_get(tree, "metadata");
    struct manifest_complaint c = { .file = f->name->text,
                                    .line = line,
                                    .kind = kind,
                                    .ns = text_of(metadata, "namespace"),
                                    .name = text_of(metadata, "name"),
                                    .field = "apiVersion",
                                    .sentence = sentence };

    if (row == NULL) {
        f->loader->counts.skipped_objects++;
        return;
    }
    if (c.ns == NULL && row->namespaced) {
        c.ns = "default";
    }
    manifest_complain(f->loader, &c);
}

/* ---- lists ---- */

/* "List", or "FooList" of Foos; items that say nothing themselves inherit. */
static bool open_list(struct manifest_file *f, uint32_t line, cJSON *tree, const char *api_version,
                      const char *kind, char item_kind[128], struct list_frame *out)
{
    static const char *const known[] = { "apiVersion", "kind", "metadata", "items" };
    const cJSON *items = tree_get(tree, "items"), *child;
    size_t len = strlen(kind);

    if (len < 4 || strcmp(kind + len - 4, "List") != 0 || len >= 128 ||
        (strcmp(kind, "List") != 0 && !cJSON_IsArray(items))) {
        return false;
    }
    cJSON_ArrayForEach(child, tree)
    {
        bool found = false;

        for (size_t i = 0; i < ARRAY_LEN(known); i++) {
            found = found || strcmp(known[i], child->string) == 0;
        }
        if (!found) {
            complain(f, false, line, kind, child->string, "unknown field in a list");
        }
    }
    *out = (struct list_frame){ .next = NULL };
    if (items != NULL && !cJSON_IsArray(items)) {
        complain(f, false, line, kind, "items", "must be a list");
    } else if (items != NULL) {
        out->next = items->child;
    }
    if (len > 4) {
        memcpy(item_kind, kind, len - 4);
        item_kind[len - 4] = '\0';
        out->kind = item_kind;
        out->api_version = api_version;
    }
    return true;
}

/* One object or list; a list is opened into *list. True when it was one. */
static bool read_tree(struct manifest_file *f, const struct yaml_document *doc, cJSON *tree,
                      const struct list_frame *from, char item_kind[128], struct list_frame *list)
{
    const char *api_version = text_of(tree, "apiVersion"), *kind = text_of(tree, "kind");
    const cJSON *metadata = tree_get(tree, "metadata");
    const struct kind_row *row;
    uint32_t line, column;

    yaml_position(doc, tree, &line, &column);
    if (from != NULL) {
        api_version = api_version != NULL ? api_version : from->api_version;
        kind = kind != NULL ? kind : from->kind;
    }
    if (is_template(api_version) || is_template(kind) || is_template(text_of(metadata, "name")) ||
        is_template(text_of(metadata, "namespace"))) {
        f->templated = true;
        complain(f, f->walked, line, NULL, NULL, TEMPLATE_SENTENCE);
        return false;
    }
    if (api_version == NULL || kind == NULL) {
        vec_push(&f->strays, line);
        return false;
    }
    f->manifests++;
    if (open_list(f, line, tree, api_version, kind, item_kind, list)) {
        return true;
    }
    row = kind_find(api_version, kind);
    if (row == NULL) {
        read_unknown(f, line, tree, api_version, kind);
    } else {
        manifest_read_object(f, doc, row, tree);
    }
    return false;
}

void manifest_read_document(struct manifest_file *f, struct yaml_document *doc)
{
    enum { NESTED_LISTS = 8 };
    struct list_frame stack[NESTED_LISTS];
    char item_kinds[NESTED_LISTS][128];
    uint32_t depth = 0, line, column;

    f->loader->counts.documents++;
    if (read_tree(f, doc, doc->root, NULL, item_kinds[0], &stack[0])) {
        depth = 1;
    }
    while (depth > 0 && !f->templated) {
        struct list_frame *top = &stack[depth - 1];
        cJSON *node = top->next;

        if (node == NULL) {
            depth--;
            continue;
        }
        top->next = node->next;
        if (depth == NESTED_LISTS) {
            yaml_position(doc, node, &line, &column);
            complain(f, false, line, NULL, NULL, "lists are nested deeper than 8 levels");
            depth--;
            continue;
        }
        if (read_tree(f, doc, node, top, item_kinds[depth], &stack[depth])) {
            depth++;
        }
    }
}
