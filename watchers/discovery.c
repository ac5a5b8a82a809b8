#include "watchers/discovery.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/vec.h"

const struct unmodelled_kind unmodelled_kinds[] = {
    { "crd.projectcalico.org", "networkpolicies", "NetworkPolicy of crd.projectcalico.org" },
    { "crd.projectcalico.org", "globalnetworkpolicies",
      "GlobalNetworkPolicy of crd.projectcalico.org" },
    { "projectcalico.org", "networkpolicies", "NetworkPolicy of projectcalico.org" },
    { "projectcalico.org", "globalnetworkpolicies", "GlobalNetworkPolicy of projectcalico.org" },
    { "crd.antrea.io", "networkpolicies", "NetworkPolicy of crd.antrea.io" },
    { "crd.antrea.io", "clusternetworkpolicies", "ClusterNetworkPolicy of crd.antrea.io" },
    { "k8s.ovn.org", "egressfirewalls", "EgressFirewall of k8s.ovn.org" },
    { "networking.gke.io", "fqdnnetworkpolicies", "FQDNNetworkPolicy of networking.gke.io" },
};
const size_t unmodelled_kind_count = ARRAY_LEN(unmodelled_kinds);
_Static_assert(ARRAY_LEN(unmodelled_kinds) <= UNMODELLED_MAX, "a version for each");

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

static bool serves(const cJSON *group, const char *version)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(group, "versions"))
    {
        if (strcmp(text_of(v, "version"), version) == 0) {
            return true;
        }
    }
    return false;
}

static void read_group(const cJSON *group, struct discovery *d)
{
    const char *name = text_of(group, "name");
    const char *preferred =
        text_of(cJSON_GetObjectItemCaseSensitive(group, "preferredVersion"), "version");

    d->cert_manager = d->cert_manager || strcmp(name, "cert-manager.io") == 0;
    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_row *row = &kind_table[k];
        const char *older = kind_older_version(row);
        if (row->watch != KIND_WATCH_SERVED || strcmp(row->group, name) != 0) {
            continue;
        }
        d->served_own |= serves(group, row->version) ? BIT(k) : 0U;
        d->served_older |= older != NULL && serves(group, older) ? BIT(k) : 0U;
    }
    d->served = d->served_own | d->served_older;
    for (size_t i = 0; i < unmodelled_kind_count; i++) {
        if (strcmp(unmodelled_kinds[i].group, name) == 0 &&
            strspn(preferred, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(preferred)) {
            snprintf(d->versions[i], sizeof(d->versions[i]), "%s", preferred);
        }
    }
}

int discovery_read(const char *json, size_t len, struct discovery *out, struct error *err)
{
    cJSON *tree = cJSON_ParseWithLength(json, len);
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(tree, "groups"), *group;
    int rc = 0;

    if (!cJSON_IsArray(groups)) {
        rc = error_set(err, NA_EINVAL, "/apis did not answer with a list of API groups");
    } else {
        memset(out, 0, sizeof(*out));
        cJSON_ArrayForEach(group, groups)
        {
            read_group(group, out);
        }
    }
    cJSON_Delete(tree);
    return rc;
}

void discovery_probe_path(const struct discovery *d, size_t i, char out[DISCOVERY_PATH_MAX])
{
    snprintf(out, DISCOVERY_PATH_MAX, "/apis/%s/%s/%s?limit=1", unmodelled_kinds[i].group,
             d->versions[i], unmodelled_kinds[i].resource);
}

bool discovery_holds(const char *json, size_t len)
{
    cJSON *tree = cJSON_ParseWithLength(json, len);
    bool holds = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(tree, "items")) > 0;

    cJSON_Delete(tree);
    return holds;
}
