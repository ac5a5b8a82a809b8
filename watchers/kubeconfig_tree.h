/* The trees behind kubeconfig.c: files, named entries in them, typed members of an entry. */
#ifndef NETAUDITD_WATCHERS_KUBECONFIG_TREE_H
#define NETAUDITD_WATCHERS_KUBECONFIG_TREE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/error.h"
#include "base/vec.h"
#include "cluster/yaml.h"

struct kubeconfig_file {
    char *path; /* absolute: relative paths in it mean its directory */
    struct yaml_file yaml;
    const cJSON *root; /* NULL: empty */
};
struct kubeconfig_files {
    struct kubeconfig_file *items;
    size_t len, cap;
};

/* NA_ENOENT when it is not there; other errors name file and line. */
int kubeconfig_add_file(struct kubeconfig_files *files, const char *path, struct error *err);
bool kubeconfig_has_file(const struct kubeconfig_files *files, const char *path);
void kubeconfig_free_files(struct kubeconfig_files *files);

/* *out is the caller's. */
int kubeconfig_current_context(const struct kubeconfig_files *files, char **out, struct error *err);

/* One named thing, `body` is what its singular key holds (NULL: nothing). */
struct entry {
    const struct kubeconfig_file *file;
    const char *section, *name;
    const cJSON *node, *body;
};
/* `list` "users", `singular` "user". The first file that has it; NA_ENOENT (*err untouched) when
 * none has. Twice in one file is an error. */
int kubeconfig_entry(const struct kubeconfig_files *files, const char *list, const char *singular,
                     const char *name, struct entry *out, struct error *err);

/* Members; *out is untouched when absent, null or "". */
bool entry_given(const struct entry *e, const char *key);
int entry_text(const struct entry *e, const char *key, char **out, struct error *err);
/* Resolved against the directory of the entry's file. */
int entry_path(const struct entry *e, const char *key, char **out, struct error *err);
int entry_bool(const struct entry *e, const char *key, bool *out, struct error *err);
char *entry_resolve(const struct entry *e, const char *path);
/* "file:line: users 'x': key: sentence", NA_EINVAL. */
int entry_error(const struct entry *e, const char *key, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
