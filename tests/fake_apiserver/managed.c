#include "managed.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX                                                                                  \
    24 /* deeper fields are owned as a whole; the recursion below ends here whatever the input */

/* The key by which an element of a list is named, as `k:{...}`; false for atomic lists. */
static bool element_key(const cJSON *e, struct buf *out)
{
    static const char *const sets[][2] = { { "containerPort", "protocol" },
                                           { "port", "protocol" },
                                           { "mountPath", NULL },
                                           { "type", NULL },
                                           { "uid", NULL },
                                           { "name", NULL } };

    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        const cJSON *a = jget(e, sets[i][0]);
        const cJSON *b = sets[i][1] != NULL ? jget(e, sets[i][1]) : NULL;

        if (a == NULL || cJSON_IsObject(a) || cJSON_IsArray(a) ||
            (sets[i][1] != NULL && b == NULL)) {
            continue;
        }
        buf_fmt(out, "k:{\"%s\":", sets[i][0]);
        jprint(a, out);
        if (b != NULL) {
            buf_fmt(out, ",\"%s\":", sets[i][1]);
            jprint(b, out);
        }
        buf_str(out, "}");
        return true;
    }
    return false;
}

static void fields_of(cJSON *out, const cJSON *value, unsigned depth)
{
    const cJSON *m;
    struct buf key = { 0 };

    if (depth > DEPTH_MAX) {
        return;
    }
    cJSON_ArrayForEach(m, value)
    {
        cJSON *sub = cJSON_CreateObject();

        key.len = 0;
        if (cJSON_IsObject(value)) {
            buf_fmt(&key, "f:%s", m->string);
        } else if (!element_key(m, &key)) {
            cJSON_Delete(sub);
            break;
        }
        if (cJSON_IsObject(m) && m->child != NULL) {
            if (cJSON_IsArray(value)) {
                cJSON_AddItemToObject(sub, ".", cJSON_CreateObject());
            }
            fields_of(sub, m, depth + 1);
        } else if (cJSON_IsArray(m)) {
            fields_of(sub, m, depth + 1);
        }
        jset(out, buf_cstr(&key), sub);
    }
    buf_free(&key);
}

static cJSON *metadata_fields(const cJSON *meta)
{
    static const char *const owned[] = { "labels", "annotations", "finalizers", "ownerReferences",
                                         "generateName" };
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
        const cJSON *v = jget(meta, owned[i]);

        if (v != NULL) {
            cJSON *holder = cJSON_CreateObject();

            cJSON_AddItemToObject(holder, owned[i], cJSON_Duplicate(v, 1));
            fields_of(out, holder, 0);
            cJSON_Delete(holder);
        }
    }
    return out;
}

void managed_note(const struct kind *k, cJSON *root, const cJSON *fields, const char *manager,
                  const char *operation, const char *subresource, const char *time)
{
    cJSON *meta = jobj(root, "metadata");
    cJSON *list = jget(meta, "managedFields");
    cJSON *entry, *v1, *e, *next;
    const cJSON *m;

    if (!cJSON_IsArray(list)) {
        list = cJSON_CreateArray();
        jset(meta, "managedFields", list);
    }
    for (e = list->child; e != NULL; e = next) {
        next = e->next;
        if (strcmp(jstr(e, "manager", ""), manager) == 0 &&
            strcmp(jstr(e, "operation", ""), operation) == 0 &&
            strcmp(jstr(e, "subresource", ""), subresource) == 0) {
            cJSON_Delete(cJSON_DetachItemViaPointer(list, e));
        }
    }
    entry = cJSON_CreateObject();
    cJSON_AddStringToObject(entry, "manager", manager);
    cJSON_AddStringToObject(entry, "operation", operation);
    cJSON_AddStringToObject(entry, "apiVersion", k->api_version);
    cJSON_AddStringToObject(entry, "time", time);
    cJSON_AddStringToObject(entry, "fieldsType", "FieldsV1");
    v1 = cJSON_AddObjectToObject(entry, "fieldsV1");
    cJSON_ArrayForEach(m, fields)
    {
        cJSON *holder, *sub;

        if (strcmp(m->string, "kind") == 0 || strcmp(m->string, "apiVersion") == 0) {
            continue;
        }
        if (strcmp(m->string, "metadata") == 0) {
            sub = metadata_fields(m);
            if (sub->child != NULL) {
                cJSON_AddItemToObject(v1, "f:metadata", sub);
            } else {
                cJSON_Delete(sub);
            }
            continue;
        }
        holder = cJSON_CreateObject();
        cJSON_AddItemToObject(holder, m->string, cJSON_Duplicate(m, 1));
        fields_of(v1, holder, 0);
        cJSON_Delete(holder);
    }
    if (subresource[0] != '\0') {
        cJSON_AddStringToObject(entry, "subresource", subresource);
    }
    cJSON_AddItemToArray(list, entry);
}
