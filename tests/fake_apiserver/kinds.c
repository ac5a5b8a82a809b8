#include "kinds.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define KINDS_MAX 64

const char *const verb_names[VERB_COUNT] = { "list",   "watch", "get",    "create",
                                             "update", "patch", "delete", "deletecollection",
                                             "other" };

static struct kind *kinds[KINDS_MAX];
static size_t count;

static const struct {
    const char *group, *version, *resource, *name, *singular, *short_names;
    bool namespaced;
    const char *zero;
} builtin[] = {
    { "", "v1", "namespaces", "Namespace", "namespace", "ns", false, ",\"spec\":{},\"status\":{}" },
    { "", "v1", "pods", "Pod", "pod", "po", true, ",\"spec\":{\"containers\":null},\"status\":{}" },
    { "", "v1", "services", "Service", "service", "svc", true,
      ",\"spec\":{},\"status\":{\"loadBalancer\":{}}" },
    { "", "v1", "secrets", "Secret", "secret", "", true, "" },
    { "networking.k8s.io", "v1", "ingresses", "Ingress", "ingress", "ing", true,
      ",\"spec\":{},\"status\":{\"loadBalancer\":{}}" },
    { "networking.k8s.io", "v1", "ingressclasses", "IngressClass", "ingressclass", "", false,
      ",\"spec\":{}" },
    { "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "networkpolicy", "netpol",
      true, ",\"spec\":{\"podSelector\":{}}" },
    { "apps", "v1", "deployments", "Deployment", "deployment", "deploy", true,
      ",\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{\"containers\":null}},"
      "\"strategy\":{}},\"status\":{}" },
    { "apps", "v1", "statefulsets", "StatefulSet", "statefulset", "sts", true,
      ",\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{\"containers\":null}},"
      "\"serviceName\":\"\",\"updateStrategy\":{}},\"status\":{\"replicas\":0,"
      "\"availableReplicas\":0}" },
    { "apps", "v1", "daemonsets", "DaemonSet", "daemonset", "ds", true,
      ",\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{\"containers\":null}},"
      "\"updateStrategy\":{}},\"status\":{\"currentNumberScheduled\":0,\"numberMisscheduled\":0,"
      "\"desiredNumberScheduled\":0,\"numberReady\":0}" },
    { "batch", "v1", "cronjobs", "CronJob", "cronjob", "cj", true,
      ",\"spec\":{\"schedule\":\"\",\"jobTemplate\":{\"metadata\":{},\"spec\":{\"template\":{"
      "\"metadata\":{},\"spec\":{\"containers\":null}}}}},\"status\":{}" },
    { "coordination.k8s.io", "v1", "leases", "Lease", "lease", "", true, ",\"spec\":{}" },
};

size_t kind_count(void)
{
    return count;
}

struct kind *kind_at(size_t i)
{
    return kinds[i];
}

struct kind *kind_add(const char *group, const char *version, const char *resource,
                      const char *name, const char *singular, const char *short_names,
                      bool namespaced, bool crd)
{
    struct buf head = { 0 };
    struct buf api = { 0 };
    struct kind *k;

    if (count == KINDS_MAX || kind_by_path(group, version, resource) != NULL) {
        return NULL;
    }
    k = xcalloc(1, sizeof(*k));
    k->group = xstrdup(group);
    k->version = xstrdup(version);
    k->resource = xstrdup(resource);
    k->name = xstrdup(name);
    k->singular = xstrdup(singular);
    k->short_names = xstrdup(short_names);
    k->namespaced = namespaced;
    k->served = true;
    k->crd = crd;
    k->zero = "";
    k->index = count;
    buf_fmt(&api, "%s%s%s", group, group[0] != '\0' ? "/" : "", version);
    k->api_version = xstrdup(buf_cstr(&api));
    /* Custom resources are encoded from a map, whose keys are sorted. */
    buf_fmt(&head,
            crd ? "\"apiVersion\":\"%2$s\",\"kind\":\"%1$s\","
                : "\"kind\":\"%1$s\",\"apiVersion\":\"%2$s\",",
            name, k->api_version);
    k->head = xstrdup(buf_cstr(&head));
    buf_free(&head);
    buf_free(&api);
    kinds[count++] = k;
    return k;
}

void kinds_init(void)
{
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
        struct kind *k =
            kind_add(builtin[i].group, builtin[i].version, builtin[i].resource, builtin[i].name,
                     builtin[i].singular, builtin[i].short_names, builtin[i].namespaced, false);
        k->zero = builtin[i].zero;
    }
}

void kinds_deinit(void)
{
    for (size_t i = 0; i < count; i++) {
        struct kind *k = kinds[i];

        free(k->group);
        free(k->version);
        free(k->resource);
        free(k->name);
        free(k->singular);
        free(k->short_names);
        free(k->api_version);
        free(k->head);
        free(k);
    }
    count = 0;
}

struct kind *kind_by_path(const char *group, const char *version, const char *resource)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kinds[i]->resource, resource) == 0 && strcmp(kinds[i]->group, group) == 0 &&
            strcmp(kinds[i]->version, version) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

struct kind *kind_by_object(const char *api_version, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kinds[i]->name, name) == 0 && strcmp(kinds[i]->api_version, api_version) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

struct kind *kind_by_word(const char *word)
{
    size_t len = strcspn(word, ".");

    for (size_t i = 0; i < count; i++) {
        struct kind *k = kinds[i];
        bool same = (strlen(k->resource) == len && strncmp(k->resource, word, len) == 0) ||
                    (strlen(k->singular) == len && strncmp(k->singular, word, len) == 0) ||
                    strcmp(k->name, word) == 0;

        if (same && (word[len] == '\0' || strcmp(word + len + 1, k->group) == 0)) {
            return k;
        }
    }
    return NULL;
}

bool group_version_known(const char *group, const char *version)
{
    for (size_t i = 0; i < count; i++) {
        if (kinds[i]->served && strcmp(kinds[i]->group, group) == 0 &&
            (version == NULL || strcmp(kinds[i]->version, version) == 0)) {
            return true;
        }
    }
    return false;
}

int verb_by_name(const char *name)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verb_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}
