/* Which write changed something: travels with every delta into the transition that it causes. */
#ifndef NETAUDITD_CLUSTER_CAUSE_H
#define NETAUDITD_CLUSTER_CAUSE_H

#include <stdint.h>

/* Strings are valid during the call that passes the cause only. */
enum change_verb {
    CHANGE_CREATE,
    CHANGE_UPDATE,
    CHANGE_DELETE,
    CHANGE_FOUND /* seen by a (re)list: when is unknown */,
    CHANGE_GONE /* missing in a relist */
};
const char *change_verb_name(enum change_verb v);
struct cause {
    enum change_verb verb;
    const char *api_version, *kind; /* "" when there is no object (expiry, configuration) */
    const char *ns, *name, *uid, *resource_version;
    const char *manager; /* NULL when unknown */
    int64_t manager_ms;  /* 0 when unknown */
    int64_t from_ms,
        to_ms; /* CHANGE_FOUND/GONE: it happened between these; else both the receipt */
};

#endif
