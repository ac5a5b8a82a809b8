#include "object.h"

#include <stdlib.h>
#include <string.h>

const char *object_name(const struct object *o)
{
    return o->ns_len > 0 ? o->key + o->ns_len + 1 : o->key;
}

struct object *object_ref(struct object *o)
{
    o->refs++;
    return o;
}

void object_unref(struct object *o)
{
    if (o != NULL && --o->refs == 0) {
        free(o);
    }
}

const char *block_get(const char *block, const char *key)
{
    while (*block != '\0') {
        const char *value = block + strlen(block) + 1;

        if (strcmp(block, key) == 0) {
            return value;
        }
        block = value + strlen(value) + 1;
    }
    return NULL;
}

static void block_add(struct buf *b, const char *key, const char *value)
{
    buf_add(b, key, strlen(key) + 1);
    buf_add(b, value, strlen(value) + 1);
}

/* The field labels that the real registries offer; absent fields select as empty strings, as they
 * do there. */
static void collect_fields(const struct kind *k, const cJSON *root, struct buf *b)
{
    const cJSON *spec = jget(root, "spec");
    const cJSON *status = jget(root, "status");

    if (strcmp(k->resource, "pods") == 0) {
        block_add(b, "spec.nodeName", jstr(spec, "nodeName", ""));
        block_add(b, "spec.restartPolicy", jstr(spec, "restartPolicy", ""));
        block_add(b, "spec.schedulerName", jstr(spec, "schedulerName", ""));
        block_add(b, "spec.serviceAccountName", jstr(spec, "serviceAccountName", ""));
        block_add(b, "spec.hostNetwork", jbool(spec, "hostNetwork", false) ? "true" : "false");
        block_add(b, "status.phase", jstr(status, "phase", ""));
        block_add(b, "status.podIP", jstr(status, "podIP", ""));
        block_add(b, "status.nominatedNodeName", jstr(status, "nominatedNodeName", ""));
    } else if (strcmp(k->resource, "secrets") == 0) {
        block_add(b, "type", jstr(root, "type", ""));
    } else if (strcmp(k->resource, "namespaces") == 0) {
        block_add(b, "status.phase", jstr(status, "phase", ""));
        block_add(b, "name", jstr(jget(root, "metadata"), "name", ""));
    } else if (strcmp(k->resource, "services") == 0) {
        block_add(b, "spec.clusterIP", jstr(spec, "clusterIP", ""));
        block_add(b, "spec.type", jstr(spec, "type", ""));
    }
    buf_add(b, "", 1);
}

static void move_member(cJSON *from, cJSON *to, const char *key)
{
    cJSON *v = cJSON_DetachItemFromObjectCaseSensitive(from, key);

    if (v != NULL) {
        cJSON_AddItemToObject(to, key, v);
    }
}

/* Bring the members into the order of the Go structs; unknown ones keep their order behind the
 * known. */
static void reorder(cJSON *o, const char *const *keys, size_t n)
{
    cJSON *sorted = cJSON_CreateObject();
    cJSON *rest;

    for (size_t i = 0; i < n; i++) {
        move_member(o, sorted, keys[i]);
    }
    while ((rest = o->child) != NULL) {
        cJSON_DetachItemViaPointer(o, rest);
        cJSON_AddItemToObject(sorted, rest->string, rest);
    }
    o->child = sorted->child;
    sorted->child = NULL;
    cJSON_Delete(sorted);
}

struct object *object_from_json(const struct kind *kind, cJSON *root, uint64_t rv)
{
    static const char *const meta_order[] = { "name",
                                              "generateName",
                                              "namespace",
                                              "uid",
                                              "resourceVersion",
                                              "generation",
                                              "creationTimestamp",
                                              "deletionTimestamp",
                                              "deletionGracePeriodSeconds",
                                              "labels",
                                              "annotations",
                                              "ownerReferences",
                                              "finalizers",
                                              "managedFields" };
    static const char *const top_order[] = { "metadata", "spec", "status" };
    cJSON *meta = jobj(root, "metadata");
    const char *ns = jstr(meta, "namespace", "");
    const char *name = jstr(meta, "name", "");
    const cJSON *label;
    struct buf text = { 0 };
    struct buf blocks = { 0 };
    struct buf number = { 0 };
    struct object *o;
    size_t labels_len, key_len;
    const char *at;

    cJSON_DeleteItemFromObjectCaseSensitive(root, "kind");
    cJSON_DeleteItemFromObjectCaseSensitive(root, "apiVersion");
    buf_u64(&number, rv);
    jset_str(meta, "resourceVersion", buf_cstr(&number));
    reorder(meta, meta_order, ARRAY_LEN(meta_order));
    reorder(root, top_order, ARRAY_LEN(top_order));
    meta = jget(root, "metadata");
    ns = kind->namespaced ? jstr(meta, "namespace", "") : "";
    name = jstr(meta, "name", "");
    cJSON_ArrayForEach(label, jget(meta, "labels"))
    {
        if (cJSON_IsString(label) && label->string[0] != '\0') {
            block_add(&blocks, label->string, label->valuestring);
        }
    }
    buf_add(&blocks, "", 1);
    labels_len = blocks.len;
    collect_fields(kind, root, &blocks);
    jprint(root, &text);

    key_len = strlen(ns) + strlen(name) + 2;
    o = xcalloc(1, sizeof(*o) + key_len + blocks.len + text.len + 1);
    o->refs = 1;
    o->rv = rv;
    o->kind = kind;
    o->ns_len = strlen(ns);
    memcpy(o->tail, ns, o->ns_len);
    if (o->ns_len > 0) {
        o->tail[o->ns_len] = '/';
    }
    memcpy(o->tail + o->ns_len + (o->ns_len > 0), name, strlen(name));
    o->key = o->tail;
    memcpy(o->tail + key_len, blocks.data, blocks.len);
    o->labels = o->tail + key_len;
    o->fields = o->labels + labels_len;
    memcpy(o->tail + key_len + blocks.len, text.data, text.len);
    o->body = o->tail + key_len + blocks.len;
    o->body_len = text.len;
    strncpy(o->uid, jstr(meta, "uid", ""), sizeof(o->uid) - 1);
    /* The first one is ours: labels and annotations, which could hold the same text, come later in
     * the order. */
    at = strstr(o->body, "\"resourceVersion\":\"");
    o->rv_off = (size_t)(at - o->body) + strlen("\"resourceVersion\":\"");
    o->rv_len = number.len;
    buf_free(&number);
    buf_free(&text);
    buf_free(&blocks);
    return o;
}

struct object *object_generated(const struct kind *kind, const char *key, const char *uid,
                                uint64_t rv, const char *labels, const char *fields,
                                void (*render)(const struct object *, struct buf *),
                                const void *gen, uint32_t gen_index)
{
    size_t key_len = strlen(key) + 1;
    struct object *o = xcalloc(1, sizeof(*o) + key_len);
    const char *slash = strchr(key, '/');

    o->refs = 1;
    o->rv = rv;
    o->kind = kind;
    memcpy(o->tail, key, key_len);
    o->key = o->tail;
    o->ns_len = slash != NULL ? (size_t)(slash - key) : 0;
    strncpy(o->uid, uid, sizeof(o->uid) - 1);
    o->labels = labels;
    o->fields = fields;
    o->render = render;
    o->gen = gen;
    o->gen_index = gen_index;
    return o;
}

static struct object *copy_generated(const struct object *o, uint64_t rv)
{
    struct object *c = object_generated(o->kind, o->key, o->uid, rv, o->labels, o->fields,
                                        o->render, o->gen, o->gen_index);

    c->touches = o->touches;
    c->stamp_ns = o->stamp_ns;
    return c;
}

struct object *object_with_rv(const struct object *o, uint64_t rv)
{
    struct buf text = { 0 };
    struct object *c;
    size_t before, rv_end = o->rv_off + o->rv_len;

    if (o->render != NULL) {
        return copy_generated(o, rv);
    }
    before = (size_t)(o->body - o->tail);
    buf_add(&text, o->body, o->rv_off);
    buf_u64(&text, rv);
    c = xcalloc(1, sizeof(*c) + before + text.len + (o->body_len - rv_end) + 1);
    *c = *o;
    c->refs = 1;
    c->rv = rv;
    c->rv_len = text.len - o->rv_off;
    buf_add(&text, o->body + rv_end, o->body_len - rv_end);
    memcpy(c->tail, o->tail, before);
    memcpy(c->tail + before, text.data, text.len);
    c->key = c->tail;
    c->labels = c->tail + (o->labels - o->tail);
    c->fields = c->tail + (o->fields - o->tail);
    c->body = c->tail + before;
    c->body_len = text.len;
    buf_free(&text);
    return c;
}

struct object *object_touched(const struct object *o, uint64_t rv, uint64_t stamp_ns)
{
    struct object *c = copy_generated(o, rv);

    c->touches++;
    c->stamp_ns = stamp_ns;
    return c;
}

void object_append(const struct object *o, enum object_form form, struct buf *out)
{
    size_t start;

    if (form == FORM_ITEM) {
        if (o->render != NULL) {
            o->render(o, out);
        } else {
            buf_add(out, o->body, o->body_len);
        }
    } else if (form == FORM_OBJECT) {
        /* The body's first byte is `{`; put the head where it stands and a brace before. */
        size_t head = strlen(o->kind->head);

        buf_reserve(out, head + 1 + (o->render != NULL ? 0 : o->body_len));
        buf_add(out, "{", 1);
        buf_add(out, o->kind->head, head);
        start = out->len - 1;
        if (o->render != NULL) {
            char last = out->data[start];

            out->len =
                start; /* the body's brace falls on the head's last byte, which is then put back */
            o->render(o, out);
            out->data[start] = last;
        } else {
            buf_add(out, o->body + 1, o->body_len - 1);
        }
    } else {
        static const char meta_head[] =
            "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",";
        struct buf whole = { 0 };
        const char *end;

        object_append(o, FORM_ITEM, &whole);
        end = json_skip(whole.data + strlen("{\"metadata\":"), whole.data + whole.len);
        buf_add(out, meta_head, sizeof(meta_head) - 1);
        buf_add(out, whole.data + 1, (size_t)(end - whole.data) - 1);
        buf_add(out, "}", 1);
        buf_free(&whole);
    }
}

cJSON *object_tree(const struct object *o)
{
    struct buf b = { 0 };
    cJSON *tree;

    object_append(o, FORM_OBJECT, &b);
    tree = jparse(b.data, b.len);
    buf_free(&b);
    return tree;
}

bool object_same_content(const struct object *a, const struct object *b)
{
    size_t rest_a, rest_b;

    if (a->render != NULL || b->render != NULL) {
        return false;
    }
    rest_a = a->body_len - a->rv_off - a->rv_len;
    rest_b = b->body_len - b->rv_off - b->rv_len;
    return a->rv_off == b->rv_off && rest_a == rest_b && memcmp(a->body, b->body, a->rv_off) == 0 &&
           memcmp(a->body + a->rv_off + a->rv_len, b->body + b->rv_off + b->rv_len, rest_a) == 0;
}
