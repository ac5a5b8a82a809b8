/* One object: validated, decoded, given its place, and compared with what was read before. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "cluster/decode.h"
#include "cluster/manifest_check.h"
#include "cluster/manifest_private.h"

/* A hostile or generated object can have a million faults; nobody reads so many. */
enum { FAULTS_TOLD = 50 };

/* What complaints about one object share. */
struct object_reading {
    struct manifest_file *file;
    const struct yaml_document *doc;
    const struct kind_row *row;
    const char *ns, *name; /* as complaints show them; NULL: none */
    uint32_t line;
    uint32_t faults;
};

static void complain(const struct object_reading *r, bool warning, uint32_t line, const char *field,
                     const char *sentence)
{
    struct manifest_complaint c = { .warning = warning,
                                    .file = r->file->name->text,
                                    .line = line != 0 ? line : r->line,
                                    .kind = r->row->name,
                                    .ns = r->ns,
                                    .name = r->name,
                                    .field = field,
                                    .sentence = sentence };

    manifest_complain(r->file->loader, &c);
}

static void on_fault(void *ctx, bool warning, const cJSON *node, const char *field,
                     const char *sentence)
{
    struct object_reading *r = ctx;
    uint32_t line, column;

    if (++r->faults > FAULTS_TOLD) {
        return;
    }
    yaml_position(r->doc, node, &line, &column);
    complain(r, warning, line, field, sentence);
}

/* "field.path: sentence", as decoders write it. */
static void complain_of_decoder(const struct object_reading *r, const struct origin *origin,
                                const char *text)
{
    const char *colon = strstr(text, ": ");
    char field[TREE_PATH_MAX];

    if (colon == NULL || (size_t)(colon - text) >= sizeof(field) ||
        memchr(text, ' ', (size_t)(colon - text)) != NULL) {
        complain(r, false, 0, NULL, text);
        return;
    }
    memcpy(field, text, (size_t)(colon - text));
    field[colon - text] = '\0';
    complain(r, false, origin_field_line(origin, field), field, colon + 2);
}

/* ---- the same name twice ---- */

static uint32_t item_hash(const void *item)
{
    return ((const struct manifest_item *)item)->hash;
}

/* Texts are interned: the pointers tell. */
static uint32_t name_hash(const struct object *obj)
{
    uint64_t parts[3] = { (uint64_t)obj->kind, (uint64_t)(uintptr_t)obj->ns,
                          (uint64_t)(uintptr_t)obj->name };

    return (uint32_t)hash_bytes(parts, sizeof(parts));
}

static bool item_same(const void *item, const void *key)
{
    const struct object *a = ((const struct manifest_item *)item)->obj, *b = key;

    return a->kind == b->kind && a->ns == b->ns && a->name == b->name;
}

/* Numbers the name (0: the bare prefix). True when an object of it was read before. */
static bool is_taken(const struct manifest_loader *l, struct object *obj, const char *prefix,
                     uint32_t number)
{
    char text[320];

    if (number == 0) {
        snprintf(text, sizeof(text), "%s", prefix);
    } else {
        snprintf(text, sizeof(text), "%s%05u", prefix, number);
    }
    str_unref(obj->name);
    obj->name = str_intern(text);
    return table_find(&l->by_name, name_hash(obj), obj, item_same) != NULL;
}

/* A server would make up the end of a generated name. Ours counts, so that two are two. The numbers
 * in use are searched by halves: a file may hold a hundred thousand objects of one prefix. */
static void make_name(struct manifest_loader *l, struct object *obj)
{
    struct str *prefix = str_ref(obj->name);
    uint32_t taken = 0, wanted = 1;

    if (is_taken(l, obj, prefix->text, 0)) {
        while (is_taken(l, obj, prefix->text, wanted)) {
            taken = wanted;
            wanted *= 2;
        }
        while (wanted - taken > 1) {
            uint32_t middle = taken + (wanted - taken) / 2;

            if (is_taken(l, obj, prefix->text, middle)) {
                taken = middle;
            } else {
                wanted = middle;
            }
        }
        is_taken(l, obj, prefix->text, wanted);
    }
    str_unref(prefix);
}

static void keep(const struct object_reading *r, struct object *obj, struct origin *origin,
                 uint64_t content, bool generated)
{
    struct manifest_loader *l = r->file->loader;
    struct manifest_item *item;
    struct manifest_item *old;

    if (generated) {
        make_name(l, obj);
    }
    old = table_find(&l->by_name, name_hash(obj), obj, item_same);
    if (old != NULL && old->below) {
        object_destroy(old->obj);
        obj->origin = origin;
        vec_push(&l->origins, origin);
        old->obj = obj;
        old->content = content;
        old->below = false;
        return;
    }
    if (old != NULL) {
        if (old->content != content) {
            char sentence[512];

            snprintf(sentence, sizeof(sentence),
                     "is given again with other content; the first is at %s:%u",
                     old->obj->origin->file->text, old->obj->origin->line);
            complain(r, false, 0, NULL, sentence);
        }
        object_destroy(obj);
        manifest_origin_destroy(origin);
        return;
    }
    obj->origin = origin;
    vec_push(&l->origins, origin);
    item = arena_alloc(&l->arena, sizeof(*item));
    *item = (struct manifest_item){ .obj = obj, .content = content, .hash = name_hash(obj) };
    vec_push(&l->items, item);
    table_add(&l->by_name, item, item_hash);
    l->kinds_present |= BIT(obj->kind);
    l->counts.objects++;
}

void manifest_overlay(struct manifest_loader *l)
{
    for (size_t i = 0; i < l->items.len; i++) {
        l->items.items[i]->below = true;
    }
}

bool manifest_drop(struct manifest_loader *l, const struct kind_row *row, const char *ns,
                   const char *name)
{
    for (size_t i = 0; i < l->items.len; i++) {
        struct manifest_item *item = l->items.items[i];
        if (item->obj->kind == row->kind && strcmp(item->obj->name->text, name) == 0 &&
            (!row->namespaced || strcmp(str_text(item->obj->ns), ns) == 0)) {
            table_remove(&l->by_name, item, item_hash);
            object_destroy(item->obj);
            vec_remove_swap(&l->items, i);
            return true;
        }
    }
    return false;
}

/* ---- one object ---- */

/* Puts the prefix where decoders look for a name. The new node has no place, so nobody may ask for
 * its line after this. */
static bool name_from_prefix(cJSON *tree)
{
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(tree, "metadata");
    const char *name = check_text(metadata, "name"), *prefix = check_text(metadata, "generateName");

    if ((name != NULL && name[0] != '\0') || prefix == NULL) {
        return false;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "name");
    cJSON_AddStringToObject(metadata, "name", prefix);
    return true;
}

/* What a file cannot know, or what other code takes as a sign of a live cluster. */
static void settle(struct object *obj)
{
    if (kind_table[obj->kind].namespaced && obj->ns == NULL) {
        obj->ns = str_intern("default");
    }
    str_unref(obj->uid);
    str_unref(obj->resource_version);
    obj->uid = obj->resource_version = NULL;
}

/* Why a policy means nothing to an API server or to its enforcer; NULL: it is well-formed. */
static const struct str *malformed_of(const struct object *obj)
{
    switch (obj->kind) {
    case KIND_NETWORK_POLICY:
        return ((const struct network_policy *)obj)->malformed;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        return ((const struct tiered_policy *)obj)->malformed;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        return ((const struct cilium_policy *)obj)->malformed;
    case KIND_PEER_AUTHENTICATION:
        return ((const struct peer_authentication *)obj)->malformed;
    default:
        return NULL;
    }
}

static void decode(const struct object_reading *r, cJSON *tree)
{
    struct origin *origin = manifest_origin_create(r->file->name, r->doc, tree);
    uint64_t content = manifest_content(tree);
    bool generated = name_from_prefix(tree);
    struct object *obj = NULL;
    struct error err = { .code = 0 };

    if (object_from_tree(r->row->kind, tree, &obj, &err) != 0) {
        complain_of_decoder(r, origin, err.text);
        manifest_origin_destroy(origin);
        return;
    }
    if (malformed_of(obj) != NULL) {
        complain_of_decoder(r, origin, malformed_of(obj)->text);
        object_destroy(obj);
        manifest_origin_destroy(origin);
        return;
    }
    settle(obj);
    keep(r, obj, origin, content, generated);
}

void manifest_read_object(struct manifest_file *f, const struct yaml_document *doc,
                          const struct kind_row *row, cJSON *tree)
{
    struct object_reading r = { .file = f, .doc = doc, .row = row };
    struct manifest_check check = { .row = row, .tree = tree, .fault = on_fault, .ctx = &r };
    const cJSON *metadata = tree_get(tree, "metadata");
    uint32_t column;

    r.ns = check_text(metadata, "namespace");
    r.name = check_text(metadata, "name");
    if (row->namespaced && (r.ns == NULL || r.ns[0] == '\0')) {
        r.ns = "default";
    }
    if (r.name == NULL) {
        r.name = check_text(metadata, "generateName");
    }
    yaml_position(doc, tree, &r.line, &column);
    manifest_check_object(&check);
    if (r.faults > FAULTS_TOLD) {
        char sentence[64];

        snprintf(sentence, sizeof(sentence), "and %u more faults", r.faults - FAULTS_TOLD);
        complain(&r, false, 0, NULL, sentence);
    }
    if (check.errors == 0) {
        decode(&r, tree);
    }
}
