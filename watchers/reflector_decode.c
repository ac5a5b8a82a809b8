#include "watchers/reflector_decode.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/vec.h"

#define END_ANNOTATION "k8s.io/initial-events-end"

struct reflector_decoder {
    const struct kind_row *row;
    bool wipe;
    struct projection *wanted, *key;
    struct buf scratch;
};

static const char *const key_paths[] = { "metadata.name",
                                         "metadata.namespace",
                                         "metadata.uid",
                                         "metadata.resourceVersion",
                                         "metadata.annotations.k8s\\.io/initial-events-end",
                                         NULL };

struct reflector_decoder *reflector_decoder_create(const struct kind_row *row, bool wipe)
{
    struct reflector_decoder *d = xcalloc(1, sizeof(*d));
    VEC(const char *) paths = { 0 };

    for (const char *const *path = row->paths; *path != NULL; path++) {
        vec_push(&paths, *path);
    }
    vec_push(&paths, "kind"); /* to be compared, where it is given at all */
    vec_push(&paths, NULL);
    d->row = row;
    d->wipe = wipe;
    d->wanted = projection_create(paths.items);
    d->key = projection_create(key_paths);
    buf_init(&d->scratch, DECODER_MAX_BYTES);
    vec_free(&paths);
    return d;
}

static void empty_scratch(struct reflector_decoder *d)
{
    enum { KEEP_BYTES = 64 * 1024 };

    if (d->wipe && d->scratch.data != NULL) {
        explicit_bzero(d->scratch.data, d->scratch.cap);
    }
    if (d->scratch.cap > KEEP_BYTES) {
        buf_deinit(&d->scratch);
    } else {
        buf_reset(&d->scratch);
    }
}

void reflector_decoder_destroy(struct reflector_decoder *d)
{
    if (d != NULL) {
        empty_scratch(d);
        buf_deinit(&d->scratch);
        projection_destroy(d->wanted);
        projection_destroy(d->key);
        free(d);
    }
}

/* Servers write the kind first, where they write it at all. */
static bool other_kind(const struct reflector_decoder *d)
{
    static const char mark[] = "{\"kind\":\"";
    const char *text = buf_text(&d->scratch);
    size_t len = strlen(d->row->name);

    if (strncmp(text, mark, sizeof(mark) - 1) != 0) {
        return false;
    }
    text += sizeof(mark) - 1;
    return !(strncmp(text, d->row->name, len) == 0 && text[len] == '"') &&
           strncmp(text, "PartialObjectMetadata\"", 22) != 0;
}

int reflector_decode(struct reflector_decoder *d, const char *json, size_t len, struct object **out,
                     struct error *err)
{
    struct object *obj = NULL;
    int rc = projection_apply(d->wanted, json, len, &d->scratch, err);

    if (rc == 0 && other_kind(d)) {
        rc = error_set(err, NA_EINVAL, "is no %s", d->row->name);
    }
    if (rc == 0) {
        rc = object_decode(d->row->kind, d->scratch.data, d->scratch.len, &obj, err);
    }
    empty_scratch(d);
    if (rc == 0 && d->row->namespaced != (obj->ns != NULL)) {
        rc = error_set(err, NA_EINVAL, "metadata.namespace: %s",
                       d->row->namespaced ? "is missing" : "a cluster-scoped object has one");
    }
    if (rc == 0) {
        *out = obj;
        return 0;
    }
    object_destroy(obj);
    return rc;
}

static void copy_text(const cJSON *obj, const char *key, char *out, size_t size)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    out[0] = '\0';
    if (cJSON_IsString(node) && strlen(node->valuestring) < size) {
        memcpy(out, node->valuestring, strlen(node->valuestring) + 1);
    }
}

void reflector_decode_key(struct reflector_decoder *d, const char *json, size_t len,
                          struct object_key_text *out)
{
    char mark[8];
    cJSON *tree = NULL;
    const cJSON *meta;

    memset(out, 0, sizeof(*out));
    if (projection_apply(d->key, json, len, &d->scratch, NULL) == 0) {
        tree = cJSON_ParseWithLength(d->scratch.data, d->scratch.len);
    }
    empty_scratch(d);
    meta = cJSON_GetObjectItemCaseSensitive(tree, "metadata");
    copy_text(meta, "namespace", out->ns, sizeof(out->ns));
    copy_text(meta, "name", out->name, sizeof(out->name));
    copy_text(meta, "uid", out->uid, sizeof(out->uid));
    copy_text(meta, "resourceVersion", out->resource_version, sizeof(out->resource_version));
    copy_text(cJSON_GetObjectItemCaseSensitive(meta, "annotations"), END_ANNOTATION, mark,
              sizeof(mark));
    out->initial_events_end = strcmp(mark, "true") == 0;
    cJSON_Delete(tree);
}

struct object *reflector_decode_tombstone(struct reflector_decoder *d, const char *json, size_t len)
{
    struct object_key_text key;
    struct object *obj = NULL;
    cJSON *tree, *meta;
    char *text;

    reflector_decode_key(d, json, len, &key);
    if (key.name[0] == '\0' || (key.ns[0] != '\0') != d->row->namespaced) {
        return NULL;
    }
    tree = cJSON_CreateObject();
    meta = cJSON_AddObjectToObject(tree, "metadata");
    cJSON_AddStringToObject(meta, "name", key.name);
    if (key.ns[0] != '\0') {
        cJSON_AddStringToObject(meta, "namespace", key.ns);
    }
    if (key.uid[0] != '\0') {
        cJSON_AddStringToObject(meta, "uid", key.uid);
    }
    if (key.resource_version[0] != '\0') {
        cJSON_AddStringToObject(meta, "resourceVersion", key.resource_version);
    }
    text = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    if (object_decode(d->row->kind, text, strlen(text), &obj, NULL) != 0) {
        obj = NULL;
    }
    free(text);
    return obj;
}
