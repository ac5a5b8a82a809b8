/* The rows are compiled on first use: a text is easier to read and to compare with the API's own
 * documentation than 700 structs. The walk keeps its own stack, as deep as the readers let a
 * document be. */
#include "cluster/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/yaml_tree.h"

enum value_type {
    VALUE_STR,
    VALUE_BOOL,
    VALUE_I32,
    VALUE_I64,
    VALUE_FLOAT,
    VALUE_TIME,
    VALUE_QUANTITY,
    VALUE_INTSTR,
    VALUE_BYTES,
    VALUE_ANY,
    VALUE_OBJECT
};
static const char *const value_names[] = { "str",  "bool",     "i32",    "i64",   "float",
                                           "time", "quantity", "intstr", "bytes", "any" };

enum value_shape { SHAPE_ONE, SHAPE_LIST, SHAPE_MAP };

struct schema_object;
struct schema_field {
    const char *name;
    enum value_type type;
    enum value_shape shape;
    const struct schema_object *object;
};
struct schema_object {
    const char *type;
    struct schema_field *fields;
    const char **names; /* NULL-terminated */
    uint32_t count;
};

static struct schema_object *objects;
static size_t object_count;

static const struct schema_object *find_object(const char *type)
{
    for (size_t i = 0; i < object_count; i++) {
        if (strcmp(objects[i].type, type) == 0) {
            return &objects[i];
        }
    }
    fprintf(stderr, "schema: no type '%s'\n", type); /* our own table is wrong */
    abort();
}

static void compile_field(struct schema_field *f, char *word)
{
    char *type = strchr(word, ':');

    *f = (struct schema_field){ .name = word };
    if (type == NULL) {
        return;
    }
    *type++ = '\0';
    if (type[0] == '[' || type[0] == '{') {
        f->shape = type[0] == '[' ? SHAPE_LIST : SHAPE_MAP;
        type += 2;
    }
    for (size_t i = 0; i < ARRAY_LEN(value_names); i++) {
        if (strcmp(value_names[i], type) == 0) {
            f->type = (enum value_type)i;
            return;
        }
    }
    f->type = VALUE_OBJECT;
    f->object = find_object(type);
}

static void compile_row(struct schema_object *o, const char *fields)
{
    char *text = xstrdup(fields), *save = NULL;
    uint32_t count = 1;

    for (const char *p = fields; *p != '\0'; p++) {
        count += *p == ' ' ? 1 : 0;
    }
    o->fields = xcalloc(count, sizeof(*o->fields));
    o->names = xcalloc(count + 1, sizeof(*o->names));
    for (char *word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        compile_field(&o->fields[o->count], word);
        o->names[o->count] = o->fields[o->count].name;
        o->count++;
    }
}

static void compile(void)
{
    if (objects != NULL) {
        return;
    }
    while (kube_schema_rows[object_count].type != NULL) {
        object_count++;
    }
    objects = xcalloc(object_count, sizeof(*objects));
    for (size_t i = 0; i < object_count; i++) {
        objects[i].type = kube_schema_rows[i].type;
    }
    for (size_t i = 0; i < object_count; i++) {
        compile_row(&objects[i], kube_schema_rows[i].fields);
    }
}

static const struct schema_field *find_field(const struct schema_object *o, const char *name)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (strcmp(o->fields[i].name, name) == 0) {
            return &o->fields[i];
        }
    }
    return NULL;
}

/* ---- the walk ---- */

struct schema_frame {
    const struct schema_object *object; /* whose members these are, or */
    const struct schema_field *slot;    /* what the items of this list or map are */
    bool is_list;
    const cJSON *next;
    uint32_t index;
    struct field at;
    bool root;
};

struct schema_walk {
    struct schema_frame stack[YAML_DEPTH_MAX + 2];
    uint32_t depth;
    kube_schema_fault_fn *fault;
    void *ctx;
};

static const struct field *path_of(const struct schema_frame *f)
{
    return f->root ? NULL : &f->at;
}

static void fault(struct schema_walk *w, const cJSON *node, const struct field *at, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));

static void fault(struct schema_walk *w, const cJSON *node, const struct field *at, const char *fmt,
                  ...)
{
    char sentence[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    w->fault(w->ctx, node, at, sentence);
}

/* The frame further out whose type has the field: it stands too deep. */
static const struct schema_frame *frame_with(const struct schema_walk *w, const char *name)
{
    for (uint32_t i = w->depth - 1; i > 0; i--) {
        const struct schema_frame *f = &w->stack[i - 1];

        if (f->object != NULL && find_field(f->object, name) != NULL) {
            return f;
        }
    }
    return NULL;
}

/* The one field of `o` whose type has the field: it stands not deep enough. */
static const char *child_with(const struct schema_object *o, const char *name)
{
    const char *found = NULL;

    for (uint32_t i = 0; i < o->count; i++) {
        const struct schema_field *f = &o->fields[i];

        if (f->type == VALUE_OBJECT && f->shape == SHAPE_ONE &&
            find_field(f->object, name) != NULL) {
            if (found != NULL) {
                return NULL;
            }
            found = f->name;
        }
    }
    return found;
}

static void unknown_field(struct schema_walk *w, const cJSON *node, const struct field *at)
{
    const struct schema_object *o = w->stack[w->depth - 1].object;
    const struct schema_frame *outer = frame_with(w, node->string);
    const char *near = NULL, *child = child_with(o, node->string);
    char path[TREE_PATH_MAX];

    for (uint32_t i = 0; i < o->count; i++) {
        if (text_iequal(o->names[i], node->string)) {
            near = o->names[i];
        }
    }
    if (near == NULL && outer != NULL) {
        field_format(path_of(outer), path);
        fault(w, node, at, "unknown field here; it belongs to %s",
              path[0] != '\0' ? path : "the top level");
        return;
    }
    if (near == NULL && child != NULL) {
        fault(w, node, at, "unknown field here; it belongs into '%s'", child);
        return;
    }
    near = near != NULL ? near : text_nearest(o->names, node->string);
    if (near != NULL) {
        fault(w, node, at, "unknown field; did you mean '%s'?", near);
    } else {
        fault(w, node, at, "unknown field");
    }
}

static const char *what_is(const cJSON *node)
{
    return cJSON_IsString(node)   ? "a string"
           : cJSON_IsNumber(node) ? "a number"
           : cJSON_IsBool(node)   ? "a boolean"
           : cJSON_IsArray(node)  ? "a list"
                                  : "a mapping";
}

static void check_whole(struct schema_walk *w, const cJSON *node, const struct field *at, bool wide)
{
    int64_t value;

    if (!cJSON_IsNumber(node)) {
        fault(w, node, at, "must be a whole number, not %s", what_is(node));
    } else if (!wide && (!tree_is_int(node, &value) || value < INT32_MIN || value > INT32_MAX)) {
        fault(w, node, at, "must be a whole number from %d to %d", INT32_MIN, INT32_MAX);
    } else if (wide && !tree_is_int(node, &value) && node->valuestring == NULL) {
        fault(w, node, at, "must be a whole number");
    }
}

static void check_scalar(struct schema_walk *w, const struct schema_field *slot, const cJSON *node,
                         const struct field *at)
{
    bool text = cJSON_IsString(node), number = cJSON_IsNumber(node);
    int64_t value;

    switch (slot->type) {
    case VALUE_ANY:
    case VALUE_OBJECT:
        break;
    case VALUE_BOOL:
        if (!cJSON_IsBool(node)) {
            fault(w, node, at, "must be true or false, not %s", what_is(node));
        }
        break;
    case VALUE_I32:
    case VALUE_I64:
        check_whole(w, node, at, slot->type == VALUE_I64);
        break;
    case VALUE_FLOAT:
        if (!number) {
            fault(w, node, at, "must be a number, not %s", what_is(node));
        }
        break;
    case VALUE_QUANTITY:
        if (!text && !number) {
            fault(w, node, at, "must be a quantity, not %s", what_is(node));
        }
        break;
    case VALUE_INTSTR:
        if (!text && !(number && tree_is_int(node, &value))) {
            fault(w, node, at, "must be a whole number or a string, not %s",
                  number ? "a fraction" : what_is(node));
        }
        break;
    default:
        if (!text) {
            fault(w, node, at, "must be a string, not %s%s", what_is(node),
                  number || cJSON_IsBool(node) ? "; quote it" : "");
        }
    }
}

static void push(struct schema_walk *w, const struct schema_object *object,
                 const struct schema_field *slot, const cJSON *node, const struct field *at)
{
    if (w->depth < ARRAY_LEN(w->stack)) { /* the readers let nothing deeper through */
        w->stack[w->depth++] = (struct schema_frame){ .object = object,
                                                      .slot = slot,
                                                      .is_list = cJSON_IsArray(node),
                                                      .next = node->child,
                                                      .at = *at };
    }
}

/* One value where `slot` says one, not a list or map of it. */
static void check_one(struct schema_walk *w, const struct schema_field *slot, const cJSON *node,
                      const struct field *at)
{
    if (cJSON_IsNull(node)) {
        return; /* absent, or the zero value: so Go reads it */
    }
    if (slot->type != VALUE_OBJECT) {
        check_scalar(w, slot, node, at);
    } else if (!cJSON_IsObject(node)) {
        fault(w, node, at, "must be a mapping, not %s", what_is(node));
    } else {
        push(w, slot->object, NULL, node, at);
    }
}

static void check_member(struct schema_walk *w, const struct schema_field *slot, const cJSON *node,
                         const struct field *at)
{
    if (slot->shape == SHAPE_ONE || cJSON_IsNull(node)) {
        check_one(w, slot, node, at);
    } else if (slot->shape == SHAPE_LIST ? !cJSON_IsArray(node) : !cJSON_IsObject(node)) {
        fault(w, node, at, "must be a %s, not %s", slot->shape == SHAPE_LIST ? "list" : "mapping",
              what_is(node));
    } else {
        push(w, NULL, slot, node, at);
    }
}

void kube_schema_check(const char *type, const cJSON *tree, kube_schema_fault_fn *fn, void *ctx)
{
    struct schema_walk w = { .fault = fn, .ctx = ctx };

    compile();
    w.stack[w.depth++] =
        (struct schema_frame){ .object = find_object(type), .next = tree->child, .root = true };
    while (w.depth > 0) {
        struct schema_frame *f = &w.stack[w.depth - 1];
        const cJSON *node = f->next;
        struct field at;

        if (node == NULL) {
            w.depth--;
            continue;
        }
        f->next = node->next;
        at = (struct field){ path_of(f), f->is_list ? NULL : node->string, f->index++ };
        if (f->slot != NULL) {
            check_one(&w, f->slot, node, &at);
            continue;
        }
        const struct schema_field *slot = find_field(f->object, node->string);

        if (slot == NULL) {
            unknown_field(&w, node, &at);
        } else {
            check_member(&w, slot, node, &at);
        }
    }
}
