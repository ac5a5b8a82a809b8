/* What the readers of a configuration file share: the file that is being read, and the sentences
 * with file:line:column about it. Every reader returns 0, or NA_EINVAL after a sentence in r->err.
 */
#ifndef NETAUDITD_FRONT_SETTINGS_READING_H
#define NETAUDITD_FRONT_SETTINGS_READING_H

#include <cjson/cJSON.h>

#include "front/settings.h"
#include "front/settings_table.h"

struct yaml_document;

struct reading {
    struct settings *s;
    const char *name;
    const struct yaml_document *doc;
    struct error *err;
};

/* "file:line:column: key: sentence", the place being that of `at`. */
int reading_complain(struct reading *r, const cJSON *at, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The complaint about a key that is none of `names`, with the nearest of them. */
int reading_unknown_key(struct reading *r, const cJSON *at, const char *path,
                        const char *const *names);
/* A copy that lives as long as the settings. */
const char *reading_keep(struct reading *r, const char *text);

/* The text of a scalar, in `scratch` where it is a number; NULL when it is none. */
const char *reading_scalar(const cJSON *node, char *scratch, size_t size);
/* The index of a word of a list. YAML 1.1 reads an unquoted off/no as false and on/yes as true:
 * those mean the words here. */
bool reading_word(const char *const *words, const cJSON *node, int *out);
/* A list of texts, each one of `words` unless that is NULL. */
int reading_texts(struct reading *r, const cJSON *node, const char *path, text_vec *out,
                  const char *const *words);
/* The value of a plain key into its place. */
int reading_key(struct reading *r, const cJSON *node, const struct settings_key *key);

int reading_rules(struct reading *r, const cJSON *node);
int reading_exemptions(struct reading *r, const cJSON *node);
int reading_notify(struct reading *r, const cJSON *node);

#endif
