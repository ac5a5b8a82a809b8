#include "watchers/kubeconfig_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "watchers/kubeconfig.h"

static const cJSON *member(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsNull(node) ? NULL : node;
}

static uint32_t line_of(const struct kubeconfig_file *file, const cJSON *node)
{
    uint32_t line = 0, column = 0;

    if (node != NULL && file->yaml.count > 0) {
        yaml_position(&file->yaml.documents[0], node, &line, &column);
    }
    return line;
}

/* ---- files ---- */

static char *absolute(const char *path)
{
    char *dir, *full;

    if (path[0] == '/' || (dir = getcwd(NULL, 0)) == NULL) {
        return xstrdup(path);
    }
    full = xasprintf("%s/%s", dir, path);
    free(dir);
    return full;
}

static int file_error(const struct kubeconfig_file *f, const cJSON *node, struct error *err,
                      const char *sentence)
{
    return error_set(err, NA_EINVAL, "%s:%u: %s", f->path, line_of(f, node), sentence);
}

static int check_root(struct kubeconfig_file *f, struct error *err)
{
    const cJSON *root = f->yaml.count > 0 ? f->yaml.documents[0].root : NULL;
    const cJSON *version, *kind;

    if (root == NULL || cJSON_IsNull(root)) {
        return 0; /* empty: nothing in it */
    }
    version = member(root, "apiVersion");
    kind = member(root, "kind");
    if (!cJSON_IsObject(root)) {
        return file_error(f, root, err, "a kubeconfig is a map");
    }
    if (version != NULL && (!cJSON_IsString(version) || strcmp(version->valuestring, "v1") != 0)) {
        return file_error(f, version, err, "apiVersion of a kubeconfig is v1");
    }
    if (kind != NULL && (!cJSON_IsString(kind) || strcmp(kind->valuestring, "Config") != 0)) {
        return file_error(f, kind, err, "kind of a kubeconfig is Config");
    }
    f->root = root;
    return 0;
}

int kubeconfig_add_file(struct kubeconfig_files *files, const char *path, struct error *err)
{
    struct kubeconfig_file f = { 0 };
    uint32_t line = 0;
    char *text;
    size_t len;
    int rc;

    if (files->len >= KUBECONFIG_MAX_FILES) {
        return error_set(err, NA_ELIMIT, "more than %d kubeconfig files", KUBECONFIG_MAX_FILES);
    }
    rc = file_read(path, KUBECONFIG_MAX_BYTES, &text, &len, err);
    if (rc != 0) {
        return error_wrap(err, rc, "kubeconfig");
    }
    f.path = absolute(path);
    rc = yaml_parse(text, len, &yaml_limits_default, &f.yaml, &line, err);
    explicit_bzero(text, len);
    free(text);
    if (rc != 0) {
        rc = error_wrap(err, rc, "%s", f.path);
    } else {
        rc = check_root(&f, err);
    }
    if (rc != 0) {
        yaml_file_deinit(&f.yaml);
        free(f.path);
        return rc == NA_ENOENT ? NA_EINVAL : rc;
    }
    vec_push(files, f);
    return 0;
}

bool kubeconfig_has_file(const struct kubeconfig_files *files, const char *path)
{
    char *full = absolute(path);
    bool found = false;

    for (size_t i = 0; i < files->len; i++) {
        found = found || strcmp(files->items[i].path, full) == 0;
    }
    free(full);
    return found;
}

void kubeconfig_free_files(struct kubeconfig_files *files)
{
    for (size_t i = 0; i < files->len; i++) {
        yaml_file_deinit(&files->items[i].yaml);
        free(files->items[i].path);
    }
    vec_free(files);
}

int kubeconfig_current_context(const struct kubeconfig_files *files, char **out, struct error *err)
{
    for (size_t i = 0; i < files->len; i++) {
        const cJSON *node = member(files->items[i].root, "current-context");

        if (node != NULL && !cJSON_IsString(node)) {
            return file_error(&files->items[i], node, err, "current-context must be text");
        }
        if (node != NULL && node->valuestring[0] != '\0') {
            *out = xstrdup(node->valuestring);
            return 0;
        }
    }
    return error_set(err, NA_EINVAL, "%s: there is no current-context; name a context",
                     files->items[0].path);
}

/* ---- entries ---- */

static int find_in(const struct kubeconfig_file *f, const char *list, const char *name,
                   const cJSON **out, struct error *err)
{
    const cJSON *items = member(f->root, list), *item;

    if (items != NULL && !cJSON_IsArray(items)) {
        return error_set(err, NA_EINVAL, "%s:%u: %s must be a list", f->path, line_of(f, items),
                         list);
    }
    cJSON_ArrayForEach(item, items)
    {
        const cJSON *own = member(item, "name");

        if (!cJSON_IsString(own) || strcmp(own->valuestring, name) != 0) {
            continue;
        }
        if (*out != NULL) {
            return error_set(err, NA_EINVAL, "%s:%u: %s: the name '%s' is there twice", f->path,
                             line_of(f, item), list, name);
        }
        *out = item;
    }
    return 0;
}

int kubeconfig_entry(const struct kubeconfig_files *files, const char *list, const char *singular,
                     const char *name, struct entry *out, struct error *err)
{
    for (size_t i = 0; i < files->len; i++) {
        const struct kubeconfig_file *f = &files->items[i];
        const cJSON *node = NULL, *body;
        int rc = find_in(f, list, name, &node, err);

        if (rc != 0) {
            return rc;
        }
        if (node == NULL) {
            continue;
        }
        body = member(node, singular);
        *out =
            (struct entry){ .file = f, .section = list, .name = name, .node = node, .body = body };
        if (body != NULL && !cJSON_IsObject(body)) {
            return entry_error(out, singular, err, "must be a map");
        }
        return 0;
    }
    return NA_ENOENT;
}

bool entry_given(const struct entry *e, const char *key)
{
    const cJSON *node = member(e->body, key);

    return node != NULL && !(cJSON_IsString(node) && node->valuestring[0] == '\0');
}

int entry_text(const struct entry *e, const char *key, char **out, struct error *err)
{
    const cJSON *node = member(e->body, key);

    if (node == NULL) {
        return 0;
    }
    if (!cJSON_IsString(node)) {
        return entry_error(e, key, err, "must be text (in quotes)");
    }
    if (node->valuestring[0] != '\0') {
        *out = xstrdup(node->valuestring);
    }
    return 0;
}

char *entry_resolve(const struct entry *e, const char *path)
{
    const char *slash = strrchr(e->file->path, '/');

    if (path[0] == '/' || slash == NULL) {
        return xstrdup(path);
    }
    return xasprintf("%.*s/%s", (int)(slash - e->file->path), e->file->path, path);
}

int entry_path(const struct entry *e, const char *key, char **out, struct error *err)
{
    char *text = NULL;
    int rc = entry_text(e, key, &text, err);

    if (rc == 0 && text != NULL) {
        *out = entry_resolve(e, text);
    }
    free(text);
    return rc;
}

int entry_bool(const struct entry *e, const char *key, bool *out, struct error *err)
{
    const cJSON *node = member(e->body, key);

    if (node != NULL && !cJSON_IsBool(node)) {
        return entry_error(e, key, err, "must be true or false");
    }
    if (node != NULL) {
        *out = cJSON_IsTrue(node);
    }
    return 0;
}

int entry_error(const struct entry *e, const char *key, struct error *err, const char *fmt, ...)
{
    const cJSON *node = member(e->body, key);
    char text[NA_ERROR_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return error_set(err, NA_EINVAL, "%s:%u: %s '%s': %s: %s", e->file->path,
                     line_of(e->file, node != NULL ? node : e->node), e->section, e->name, key,
                     text);
}
