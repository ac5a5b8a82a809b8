/* The resource kinds the server knows: those of a real server that an auditor reads, and whatever
 * the control port registers. A kind is never freed before the process ends, so pointers to it stay
 * good. */
#ifndef FAKE_KINDS_H
#define FAKE_KINDS_H

#include <stdbool.h>
#include <stddef.h>

enum verb {
    VERB_LIST,
    VERB_WATCH,
    VERB_GET,
    VERB_CREATE,
    VERB_UPDATE,
    VERB_PATCH,
    VERB_DELETE,
    VERB_DELETECOLLECTION,
    VERB_OTHER,
    VERB_COUNT
};
extern const char *const verb_names[VERB_COUNT];

struct kind {
    char *group; /* "" for core */
    char *version, *resource, *name, *singular;
    char *short_names; /* comma separated, "" for none */
    char *api_version; /* "v1", "apps/v1" */
    char *head; /* `"kind":"Pod","apiVersion":"v1",`: what an object outside a list begins with */
    const char *zero; /* what an otherwise empty object has after its metadata */
    bool namespaced, served, crd;
    unsigned forbidden; /* bits of enum verb */
    size_t index;       /* in kind_at */
};

void kinds_init(void);
void kinds_deinit(void);
size_t kind_count(void);
struct kind *kind_at(size_t i);
/* NULL when it exists already or there are 64 kinds. */
struct kind *kind_add(const char *group, const char *version, const char *resource,
                      const char *name, const char *singular, const char *short_names,
                      bool namespaced, bool crd);
struct kind *kind_by_path(const char *group, const char *version, const char *resource);
/* By apiVersion and kind of an object. */
struct kind *kind_by_object(const char *api_version, const char *name);
/* By `pods`, `pod`, `Pod` or `networkpolicies.networking.k8s.io`. */
struct kind *kind_by_word(const char *word);
bool group_version_known(const char *group, const char *version);
/* -1 for an unknown word. */
int verb_by_name(const char *name);

#endif
