/* What /apis says of an API server: which kinds that come with installations it serves, and which
 * groups hold policies that we do not model. Pure. */
#ifndef NETAUDITD_WATCHERS_DISCOVERY_H
#define NETAUDITD_WATCHERS_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cluster/kind.h"

enum { DISCOVERY_VERSION_MAX = 64, DISCOVERY_PATH_MAX = 256 };

/* Policies of other network plugins (SEMANTICS 1). */
struct unmodelled_kind {
    const char *group, *resource;
    const char *name; /* "NetworkPolicy of crd.projectcalico.org" */
};
extern const struct unmodelled_kind unmodelled_kinds[];
extern const size_t unmodelled_kind_count;

enum { UNMODELLED_MAX = 16 };
struct discovery {
    /* BIT(enum kind) of the kinds whose watch is KIND_WATCH_SERVED, in the row's version or in the
     * older one that is taken for it (kind_older_version); `served_older` are in the older one,
     * `served_own` in the row's. */
    unsigned served, served_own, served_older;
    bool cert_manager;
    /* By index in unmodelled_kinds: the group's preferred version, "" where it is not served. */
    char versions[UNMODELLED_MAX][DISCOVERY_VERSION_MAX];
};

/* An APIGroupList. NA_EINVAL with a sentence when it is none; `out` is then untouched. */
int discovery_read(const char *json, size_t len, struct discovery *out, struct error *err);
/* Where one object of the i-th unmodelled kind would be listed. */
void discovery_probe_path(const struct discovery *d, size_t i, char out[DISCOVERY_PATH_MAX]);
/* A list answered with `json`: does it hold an object? */
bool discovery_holds(const char *json, size_t len);

#endif
