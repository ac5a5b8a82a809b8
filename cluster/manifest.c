/* Files, directories and standard input. Whatever cannot be read becomes a complaint, and the next
 * one is taken. */
#include "cluster/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cluster/manifest_private.h"

enum { FILE_MAX_BYTES = 256 * 1024 * 1024, PART_MAX = 1024 };

struct manifest_loader *manifest_loader_create(struct cluster *cluster,
                                               manifest_complaint_fn *complain, void *ctx)
{
    struct manifest_loader *l = xcalloc(1, sizeof(*l));

    l->cluster = cluster;
    l->complain = complain;
    l->ctx = ctx;
    arena_init(&l->arena);
    return l;
}

void manifest_loader_destroy(struct manifest_loader *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t i = 0; i < l->items.len; i++) {
        object_destroy(l->items.items[i]->obj);
    }
    for (size_t i = 0; i < l->origins.len; i++) {
        manifest_origin_destroy(l->origins.items[i]);
    }
    vec_free(&l->items);
    vec_free(&l->origins);
    table_deinit(&l->by_name);
    arena_deinit(&l->arena);
    free(l);
}

const struct manifest_counts *manifest_counts(const struct manifest_loader *l)
{
    return &l->counts;
}

static const char *escaped(char out[PART_MAX], const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    text_escape_control(out, PART_MAX, text, strlen(text));
    return out;
}

void manifest_complain(struct manifest_loader *l, const struct manifest_complaint *c)
{
    char file[PART_MAX], kind[PART_MAX], ns[PART_MAX], name[PART_MAX], field[PART_MAX],
        sentence[PART_MAX];
    struct manifest_complaint clean = { .warning = c->warning,
                                        .file = escaped(file, c->file),
                                        .line = c->line,
                                        .kind = escaped(kind, c->kind),
                                        .ns = escaped(ns, c->ns),
                                        .name = escaped(name, c->name),
                                        .field = escaped(field, c->field),
                                        .sentence = escaped(sentence, c->sentence) };

    if (c->warning) {
        l->counts.warnings++;
    } else {
        l->counts.errors++;
    }
    l->complain(l->ctx, &clean);
}

static void complain_of_file(struct manifest_loader *l, bool warning, const char *path,
                             uint32_t line, const char *sentence)
{
    struct manifest_complaint c = {
        .warning = warning, .file = path, .line = line, .sentence = sentence
    };

    manifest_complain(l, &c);
}

/* ---- one text ---- */

/* The sentence of the YAML reader without its "line L, column C: ", which stands before it
 * already. */
static const char *without_place(const char *text)
{
    const char *colon = strstr(text, ": ");

    return text_starts(text, "line ") && colon != NULL ? colon + 2 : text;
}

static void bad_document(struct manifest_file *f, const struct yaml_reader *r, uint32_t line,
                         const struct error *err)
{
    size_t len;
    const char *chunk = yaml_reader_chunk(r, &len);
    char sentence[NA_ERROR_MAX_BYTES + 128];

    if (memmem(chunk, len, "{{", 2) == NULL) {
        complain_of_file(f->loader, false, f->name->text, line, without_place(err->text));
        return;
    }
    f->templated = true;
    snprintf(sentence, sizeof(sentence),
             "%s; it holds template directives ('{{'): render it first, for example with helm "
             "template",
             without_place(err->text));
    complain_of_file(f->loader, f->walked, f->name->text, line, sentence);
}

static void end_file(struct manifest_file *f)
{
    if (f->strays.len == 0 || f->templated) {
        return;
    }
    if (!f->walked || f->manifests > 0) {
        for (size_t i = 0; i < f->strays.len; i++) {
            complain_of_file(f->loader, false, f->name->text, f->strays.items[i],
                             "is no Kubernetes manifest: apiVersion and kind are required");
        }
    } else {
        complain_of_file(f->loader, true, f->name->text, 0,
                         "is no Kubernetes manifest (no apiVersion and kind); skipped");
    }
}

static void read_text(struct manifest_loader *l, const char *name, bool walked, const char *text,
                      size_t len)
{
    struct manifest_file f = { .loader = l, .name = str_intern(name), .walked = walked };
    struct yaml_reader *reader = NULL;
    struct error err = { .code = 0 };
    int rc = yaml_reader_create(&reader, text, len, &yaml_limits_default, &err);

    l->counts.files++;
    if (rc != 0) {
        complain_of_file(l, false, name, 1, err.text);
    }
    while (reader != NULL && !f.templated) {
        struct yaml_document doc = { .root = NULL };
        uint32_t line = 0;

        rc = yaml_reader_next(reader, &doc, &line, &err);
        if (rc == 0) {
            break;
        }
        if (rc < 0) {
            bad_document(&f, reader, line, &err);
            continue;
        }
        manifest_read_document(&f, &doc);
        yaml_document_deinit(&doc);
    }
    end_file(&f);
    vec_free(&f.strays);
    yaml_reader_destroy(reader);
    str_unref(f.name);
}

static void read_file(struct manifest_loader *l, const char *path, bool walked)
{
    char *text = NULL;
    struct error err = { .code = 0 };
    struct stat st;
    size_t len = 0;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > FILE_MAX_BYTES) {
        complain_of_file(l, false, path, 0, "is larger than 256 MiB");
        return;
    }
    if (file_read(path, FILE_MAX_BYTES, &text, &len, &err) != 0) {
        complain_of_file(l, false, path, 0, err.text);
        return;
    }
    read_text(l, path, walked, text, len);
    free(text);
}

static void read_stdin(struct manifest_loader *l)
{
    char *text = NULL;
    struct error err = { .code = 0 };
    size_t len = 0;

    if (file_read_fd(STDIN_FILENO, "standard input", FILE_MAX_BYTES, &text, &len, &err) != 0) {
        complain_of_file(l, false, "<stdin>", 0, err.text);
        return;
    }
    read_text(l, "<stdin>", false, text, len);
    free(text);
}

/* ---- directories ---- */

typedef VEC(char *) path_vec;

static int compare_paths(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* The entries of a directory, sorted; names that begin with a dot are left alone. */
static void list_directory(struct manifest_loader *l, const char *path, path_vec *out)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        complain_of_file(l, false, path, 0, strerror(errno));
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            vec_push(out,
                     xasprintf("%s%s%s", path, text_ends(path, "/") ? "" : "/", entry->d_name));
        }
    }
    closedir(dir);
    if (out->len > 1) {
        qsort(out->items, out->len, sizeof(out->items[0]), compare_paths);
    }
}

static bool has_manifest_name(const char *path)
{
    return text_ends(path, ".yaml") || text_ends(path, ".yml") || text_ends(path, ".json");
}

/* One entry of a directory. True when it is a directory itself. */
static bool walk_entry(struct manifest_loader *l, const char *path, uint32_t *found)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        complain_of_file(l, false, path, 0, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        return true;
    }
    if (!has_manifest_name(path)) {
        return false;
    }
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0) {
        complain_of_file(l, false, path, 0, strerror(errno));
    } else if (S_ISREG(st.st_mode)) {
        (*found)++;
        read_file(l, path, true);
    }
    return false;
}

static void walk(struct manifest_loader *l, const char *root)
{
    path_vec waiting = { .items = NULL };
    uint32_t found = 0;

    vec_push(&waiting, xstrdup(root));
    for (bool first = true; waiting.len > 0; first = false) {
        char *path = waiting.items[--waiting.len];
        path_vec entries = { .items = NULL };

        if (first || walk_entry(l, path, &found)) {
            list_directory(l, path, &entries);
        }
        for (size_t i = entries.len; i > 0; i--) { /* the first one comes off the stack first */
            vec_push(&waiting, entries.items[i - 1]);
        }
        vec_free(&entries);
        free(path);
    }
    vec_free(&waiting);
    if (found == 0) {
        complain_of_file(l, true, root, 0, "holds no *.yaml, *.yml or *.json file");
    }
}

void manifest_load(struct manifest_loader *l, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0) {
        read_stdin(l);
    } else if (stat(path, &st) != 0) {
        complain_of_file(l, false, path, 0, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        walk(l, path);
    } else {
        read_file(l, path, false);
    }
}
