#include "patch.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64 /* the recursion below ends here whatever the input */

static const struct {
    const char *list, *key;
} merge_keys[] = { { "containers", "name" },
                   { "initContainers", "name" },
                   { "ephemeralContainers", "name" },
                   { "env", "name" },
                   { "volumes", "name" },
                   { "imagePullSecrets", "name" },
                   { "volumeMounts", "mountPath" },
                   { "volumeDevices", "devicePath" },
                   { "hostAliases", "ip" },
                   { "conditions", "type" },
                   { "ownerReferences", "uid" },
                   { "topologySpreadConstraints", "topologyKey" } };

static const char *merge_key(const char *list, const cJSON *items)
{
    if (strcmp(list, "ports") == 0) {
        const cJSON *first = items->child;

        return jget(first, "containerPort") != NULL ? "containerPort" : "port";
    }
    for (size_t i = 0; i < ARRAY_LEN(merge_keys); i++) {
        if (strcmp(merge_keys[i].list, list) == 0) {
            return merge_keys[i].key;
        }
    }
    return NULL;
}

static cJSON *find_element(const cJSON *list, const char *key, const cJSON *like)
{
    const cJSON *want = jget(like, key);
    cJSON *e;

    cJSON_ArrayForEach(e, list)
    {
        if (want != NULL && cJSON_Compare(jget(e, key), want, 1)) {
            return e;
        }
    }
    return NULL;
}

static bool merge(cJSON *target, const cJSON *patch, bool strategic, unsigned depth);

static bool merge_list(cJSON *target, const cJSON *patch, const char *key, unsigned depth)
{
    const cJSON *p;

    cJSON_ArrayForEach(p, patch)
    {
        cJSON *have = find_element(target, key, p);
        const char *directive = jstr(p, "$patch", "");

        if (strcmp(directive, "delete") == 0) {
            if (have != NULL) {
                cJSON_Delete(cJSON_DetachItemViaPointer(target, have));
            }
        } else if (have == NULL) {
            cJSON *fresh = cJSON_CreateObject();

            cJSON_AddItemToArray(target, fresh);
            if (!merge(fresh, p, true, depth + 1)) {
                return false;
            }
        } else if (!merge(have, p, true, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* A primitive list named in $deleteFromPrimitiveList/x loses these values. */
static void delete_primitives(cJSON *target, const char *name, const cJSON *values)
{
    cJSON *list = jget(target, name);
    const cJSON *v;

    cJSON_ArrayForEach(v, values)
    {
        cJSON *e, *next;

        for (e = list != NULL ? list->child : NULL; e != NULL; e = next) {
            next = e->next;
            if (cJSON_Compare(e, v, 1)) {
                cJSON_Delete(cJSON_DetachItemViaPointer(list, e));
            }
        }
    }
}

/* True when the member was a directive of the strategic form, and done. */
static bool directive(cJSON *target, const cJSON *p)
{
    static const char del[] = "$deleteFromPrimitiveList/";

    if (p->string[0] != '$') {
        return false;
    }
    if (strncmp(p->string, del, sizeof(del) - 1) == 0) {
        delete_primitives(target, p->string + sizeof(del) - 1, p);
    }
    return true;
}

static bool merge_member(cJSON *target, const cJSON *p, bool strategic, unsigned depth)
{
    cJSON *have = jget(target, p->string);
    const char *key;

    if (cJSON_IsNull(p)) {
        cJSON_DeleteItemFromObjectCaseSensitive(target, p->string);
        return true;
    }
    if (cJSON_IsObject(p)) {
        if (strategic && strcmp(jstr(p, "$patch", ""), "replace") == 0 && have != NULL) {
            jset(target, p->string, cJSON_CreateObject());
        }
        return merge(jobj(target, p->string), p, strategic, depth + 1);
    }
    if (strategic && cJSON_IsArray(p) && cJSON_IsArray(have) &&
        (key = merge_key(p->string, p->child != NULL ? p : have)) != NULL) {
        return merge_list(have, p, key, depth);
    }
    if (strategic && cJSON_IsArray(p) && cJSON_IsArray(have) &&
        strcmp(p->string, "finalizers") == 0) {
        const cJSON *e;

        delete_primitives(target, "finalizers", p);
        cJSON_ArrayForEach(e, p)
        {
            cJSON_AddItemToArray(have, cJSON_Duplicate(e, 1));
        }
        return true;
    }
    jset(target, p->string, cJSON_Duplicate(p, 1));
    return true;
}

static bool merge(cJSON *target, const cJSON *patch, bool strategic, unsigned depth)
{
    const cJSON *p;

    if (depth > DEPTH_MAX) {
        return false;
    }
    cJSON_ArrayForEach(p, patch)
    {
        if (strategic && directive(target, p)) {
            continue;
        }
        if (!merge_member(target, p, strategic, depth)) {
            return false;
        }
    }
    return true;
}

bool patch_merge(cJSON *target, const cJSON *patch)
{
    return merge(target, patch, false, 0);
}

bool patch_strategic(cJSON *target, const cJSON *patch)
{
    return merge(target, patch, true, 0);
}

/* The next token of a JSON pointer, unescaped; *path moves behind it. */
static char *pointer_token(const char **path)
{
    size_t n = strcspn(*path + 1, "/");
    char *token = xstrndup(*path + 1, n);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (token[i] == '~' && i + 1 < n) {
            i++;
            token[len++] = token[i] == '1' ? '/' : '~';
        } else {
            token[len++] = token[i];
        }
    }
    token[len] = '\0';
    *path += n + 1;
    return token;
}

static cJSON *child_of(cJSON *at, const char *token)
{
    uint64_t i;

    if (cJSON_IsArray(at)) {
        return parse_u64(token, &i) && i < 1000000 ? cJSON_GetArrayItem(at, (int)i) : NULL;
    }
    return jget(at, token);
}

static bool put_child(cJSON *at, const char *token, const cJSON *value)
{
    uint64_t i;

    if (value == NULL) {
        return false;
    }
    if (cJSON_IsObject(at)) {
        jset(at, token, cJSON_Duplicate(value, 1));
        return true;
    }
    if (!cJSON_IsArray(at)) {
        return false;
    }
    if (strcmp(token, "-") == 0) {
        return cJSON_AddItemToArray(at, cJSON_Duplicate(value, 1));
    }
    if (!parse_u64(token, &i) || i > (uint64_t)cJSON_GetArraySize(at)) {
        return false;
    }
    return i == (uint64_t)cJSON_GetArraySize(at)
               ? cJSON_AddItemToArray(at, cJSON_Duplicate(value, 1))
               : cJSON_InsertItemInArray(at, (int)i, cJSON_Duplicate(value, 1));
}

static bool operate(cJSON *root, const cJSON *op)
{
    const char *name = jstr(op, "op", "");
    const char *path = jstr(op, "path", "");
    cJSON *at = root;
    char *token = NULL;
    cJSON *have;
    bool ok = false;

    while (*path == '/' && at != NULL) {
        free(token);
        token = pointer_token(&path);
        if (*path == '/') {
            at = child_of(at, token);
        }
    }
    if (token == NULL || at == NULL) {
        free(token);
        return false;
    }
    have = child_of(at, token);
    if (strcmp(name, "add") == 0) {
        ok = put_child(at, token, jget(op, "value"));
    } else if (strcmp(name, "test") == 0) {
        ok = have != NULL && cJSON_Compare(have, jget(op, "value"), 1);
    } else if (have != NULL && (strcmp(name, "remove") == 0 || strcmp(name, "replace") == 0)) {
        cJSON_Delete(cJSON_DetachItemViaPointer(at, have));
        ok = name[2] == 'm' || put_child(at, token, jget(op, "value"));
    }
    free(token);
    return ok;
}

bool patch_json(cJSON *root, const cJSON *operations)
{
    const cJSON *op;

    cJSON_ArrayForEach(op, operations)
    {
        if (!operate(root, op)) {
            return false;
        }
    }
    return true;
}
