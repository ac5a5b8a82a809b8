/* Interned, reference-counted label sets (also used for annotations): equality is pointer equality.
 * Keys are unique and sorted by bytes. Loop thread only. */
#ifndef NETAUDITD_CLUSTER_LABEL_SET_H
#define NETAUDITD_CLUSTER_LABEL_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/str.h"

struct label {
    struct str *key, *value;
};

struct label_set {
    uint32_t refs;
    uint32_t count;
    uint32_t hash;
    struct label items[];
};

/* Takes `count` pairs in any order, of a key twice the last wins; adds its own references to the
 * strings. The empty set is a real object, not NULL. */
struct label_set *label_set_intern(const struct label *items, uint32_t count);
struct label_set *label_set_ref(struct label_set *s);
void label_set_unref(struct label_set *s);
/* The value of `key`, NULL when absent. `s` may be NULL (no labels). */
const struct str *label_set_get(const struct label_set *s, const struct str *key);
const char *label_set_text(const struct label_set *s, const char *key);
/* True when the pair key=value is there. */
bool label_set_has(const struct label_set *s, const char *key, const char *value);

#endif
