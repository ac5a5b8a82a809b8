#include "commit.h"

#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "managed.h"

void key_of(const struct kind *k, const cJSON *root, struct buf *out)
{
    const cJSON *meta = jget(root, "metadata");

    if (k->namespaced) {
        buf_fmt(out, "%s/", jstr(meta, "namespace", "default"));
    }
    buf_str(out, jstr(meta, "name", ""));
}

static bool has_generation(const struct kind *k)
{
    return k->crd || strcmp(k->resource, "pods") == 0 || strcmp(k->group, "apps") == 0 ||
           strcmp(k->group, "batch") == 0 || (strcmp(k->group, "networking.k8s.io") == 0);
}

static void note_writer(const struct kind *k, cJSON *root, const struct writer *w)
{
    char now[24];

    if (w->manager != NULL) {
        fake_timestamp(now);
        managed_note(k, root, w->fields != NULL ? w->fields : root, w->manager, w->operation,
                     w->subresource != NULL ? w->subresource : "", now);
    }
}

struct object *commit_create(struct fake *f, const struct kind *k, cJSON *root,
                             const struct writer *w)
{
    cJSON *meta = jobj(root, "metadata");
    struct object *o;
    char text[37];

    if (k->namespaced) {
        jdefault_str(meta, "namespace", "default");
    } else {
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "namespace");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "selfLink");
    if (jempty(jget(meta, "uid"))) {
        fake_uuid(f, text);
        jset_str(meta, "uid", text);
    }
    if (jempty(jget(meta, "creationTimestamp"))) {
        fake_timestamp(text);
        jset_str(meta, "creationTimestamp", text);
    }
    if (has_generation(k) && jabsent(meta, "generation")) {
        jset(meta, "generation", cJSON_CreateNumber(1));
    }
    note_writer(k, root, w);
    if (w->defaults) {
        defaults_apply(f, k, root, NULL);
    }
    o = object_from_json(k, root, f->store.rv + 1);
    if (!w->dry_run) {
        store_put(&f->store, o);
    }
    return o;
}

/* Equal apart from versions, managers and generation: the write of nothing that a real server does
 * not store. */
static bool same(const cJSON *a, const cJSON *b)
{
    static const char *const ignored[] = { "resourceVersion", "managedFields", "generation" };
    cJSON *x = cJSON_Duplicate(a, 1);
    cJSON *y = cJSON_Duplicate(b, 1);
    bool equal;

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(jget(x, "metadata"), ignored[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(jget(y, "metadata"), ignored[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(x, i == 0 ? "kind" : "apiVersion");
        cJSON_DeleteItemFromObjectCaseSensitive(y, i == 0 ? "kind" : "apiVersion");
    }
    equal = cJSON_Compare(x, y, 1);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return equal;
}

static void keep(cJSON *meta, const cJSON *before, const char *key)
{
    cJSON_DeleteItemFromObjectCaseSensitive(meta, key);
    if (jget(before, key) != NULL) {
        cJSON_AddItemToObject(meta, key, cJSON_Duplicate(jget(before, key), 1));
    }
}

struct object *commit_update(struct fake *f, struct object *old, cJSON *root,
                             const struct writer *w, bool *changed)
{
    static const char *const kept[] = { "name",
                                        "namespace",
                                        "uid",
                                        "creationTimestamp",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds",
                                        "generation" };
    const struct kind *k = old->kind;
    cJSON *was = object_tree(old);
    const cJSON *was_meta = jget(was, "metadata");
    cJSON *meta = jobj(root, "metadata");
    struct object *o = old;

    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        keep(meta, was_meta, kept[i]);
    }
    if (jabsent(meta, "managedFields")) {
        keep(meta, was_meta, "managedFields");
    }
    if (jget(root, "status") == NULL && jget(was, "status") != NULL) {
        cJSON_AddItemToObject(root, "status", cJSON_Duplicate(jget(was, "status"), 1));
    }
    if (w->defaults) {
        defaults_apply(f, k, root, old);
    }
    *changed = !same(was, root);
    if (*changed) {
        if (has_generation(k) && !cJSON_Compare(jget(was, "spec"), jget(root, "spec"), 1)) {
            jset(meta, "generation", cJSON_CreateNumber(jnum(meta, "generation", 0) + 1));
        }
        note_writer(k, root, w);
        if (!jempty(jget(meta, "deletionTimestamp")) && jempty(jget(meta, "finalizers")) &&
            strcmp(k->resource, "namespaces") != 0) {
            o = NULL;
            if (!w->dry_run) {
                store_delete(&f->store, old);
            }
        } else {
            o = object_from_json(k, root, f->store.rv + 1);
            if (!w->dry_run) {
                store_put(&f->store, o);
            }
        }
    } else if (w->dry_run) {
        object_ref(o);
    }
    cJSON_Delete(was);
    return o;
}

static void empty_namespace(struct fake *f, const char *ns)
{
    for (size_t i = 0; i < kind_count(); i++) {
        struct kind *k = kind_at(i);
        size_t from, to;

        if (!k->namespaced) {
            continue;
        }
        store_range(&f->store, k, ns, &from, &to);
        while (to > from) {
            store_delete(&f->store, store_log(&f->store, k)->items[--to]);
        }
    }
}

bool commit_delete(struct fake *f, struct object *o)
{
    bool is_namespace = strcmp(o->kind->resource, "namespaces") == 0 && o->kind->group[0] == '\0';
    cJSON *root = object_tree(o);
    cJSON *meta = jget(root, "metadata");
    bool held = !jempty(jget(meta, "finalizers"));
    char now[24];

    if ((is_namespace || held) && jempty(jget(meta, "deletionTimestamp"))) {
        fake_timestamp(now);
        jset_str(meta, "deletionTimestamp", now);
        if (is_namespace) {
            jset_str(jobj(root, "status"), "phase", "Terminating");
        } else {
            jset(meta, "deletionGracePeriodSeconds", cJSON_CreateNumber(0));
        }
        o = object_from_json(o->kind, root, f->store.rv + 1);
        store_put(&f->store, o);
    }
    cJSON_Delete(root);
    if (is_namespace) {
        empty_namespace(f, object_name(o));
    }
    if (!held) {
        store_delete(&f->store, o);
    }
    return held;
}

void commit_namespace(struct fake *f, const char *ns)
{
    struct kind *k = kind_by_path("", "v1", "namespaces");
    struct writer w = { .defaults = true };
    cJSON *root;

    if (store_find(&f->store, k, ns) != NULL) {
        return;
    }
    root = cJSON_CreateObject();
    jset_str(jobj(root, "metadata"), "name", ns);
    commit_create(f, k, root, &w);
    cJSON_Delete(root);
}
