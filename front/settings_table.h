/* The keys of the configuration file as data: settings.c reads by them, settings_print.c writes by
 * them. */
#ifndef NETAUDITD_FRONT_SETTINGS_TABLE_H
#define NETAUDITD_FRONT_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum settings_type {
    SETTINGS_TEXT,     /* const char * */
    SETTINGS_BOOL,     /* bool */
    SETTINGS_DURATION, /* int64_t, ms */
    SETTINGS_BYTES,    /* int64_t */
    SETTINGS_WORD,     /* int, index into `words` */
    SETTINGS_TEXTS     /* text_vec; of `words` when given */
};

struct settings_key {
    const char *path; /* "store.max-age"; rows of one section stand together */
    enum settings_type type;
    size_t offset; /* in struct settings */
    const char *const *words;
    const char *about;
    bool reloads; /* SIGHUP is enough */
};
extern const struct settings_key settings_keys[];
extern const size_t settings_key_count;

/* Text members of a structure in a list; ends with name NULL. */
struct settings_member {
    const char *name;
    size_t offset;
};
extern const struct settings_member settings_exemption_keys[]; /* "expires" has its own form */
extern const char *const settings_exemption_names[];
extern const struct settings_member settings_notify_keys[];
extern const char *const settings_notify_names[];
extern const char *const settings_notify_words[]; /* enum notify_type */
extern const char *const settings_level_words[];  /* enum level */
extern const char *const settings_result_defaults[];

#endif
