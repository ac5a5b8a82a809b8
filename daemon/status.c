#include "daemon/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"

static void add_kind(cJSON *list, const struct status_input *in, enum kind kind)
{
    const struct kind_status *k = cluster_kind(in->cluster, kind);
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "kind", kind_table[kind].name);
    cJSON_AddStringToObject(row, "group", kind_table[kind].group);
    cJSON_AddStringToObject(row, "state", kind_state_name(k->state));
    cJSON_AddNumberToObject(row, "objects", (double)k->objects);
    cJSON_AddStringToObject(row, "resource_version", k->resource_version);
    if (k->alive_ms > 0 && in->now_ms >= k->alive_ms) {
        uint64_t seconds = (uint64_t)(in->now_ms - k->alive_ms) / 1000;

        cJSON_AddNumberToObject(row, "age_seconds", (double)seconds);
    } else {
        cJSON_AddNullToObject(row, "age_seconds");
    }
    cJSON_AddNumberToObject(row, "relists", (double)k->relists);
    cJSON_AddNumberToObject(row, "not_audited", (double)k->rejected);
    cJSON_AddStringToObject(row, "reason", k->reason);
    cJSON_AddItemToArray(list, row);
}

static cJSON *rules_not_judged(const struct engine *engine)
{
    cJSON *list = cJSON_CreateArray();
    struct rule_not_judged rows[64];
    size_t n = engine != NULL ? engine_not_judged(engine, rows, sizeof(rows) / sizeof(rows[0])) : 0;

    for (size_t i = 0; i < n && i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *id = xasprintf("%s/%s", rows[i].rule->policy, rows[i].rule->rule);
        char resource[64];
        cJSON *row = cJSON_CreateObject();
        kind_resource_name(&kind_table[rows[i].kind], resource);
        cJSON_AddStringToObject(row, "rule", id);
        cJSON_AddStringToObject(row, "because", resource);
        cJSON_AddStringToObject(row, "setting", rows[i].setting);
        cJSON_AddItemToArray(list, row);
        free(id);
    }
    return list;
}

static cJSON *build(const struct status_input *in)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *cluster, *kinds;
    char written[NA_TIME_TEXT_MAX];
    uint64_t not_audited = 0;

    time_format(in->now_ms, true, written);
    cJSON_AddStringToObject(root, "version", NETAUDITD_VERSION);
    cJSON_AddNumberToObject(root, "pid", (double)getpid());
    cJSON_AddStringToObject(root, "written", written);
    cluster = cJSON_AddObjectToObject(root, "cluster");
    cJSON_AddStringToObject(cluster, "id", in->cluster_id);
    cJSON_AddStringToObject(cluster, "server", in->server);
    cJSON_AddBoolToObject(root, "synced", in->synced);
    kinds = cJSON_AddArrayToObject(root, "kinds");
    for (int k = 0; k < KIND_COUNT; k++) {
        if (in->watched_kinds & BIT(k)) {
            add_kind(kinds, in, (enum kind)k);
            not_audited += cluster_kind(in->cluster, (enum kind)k)->rejected;
        }
    }
    cJSON_AddItemToObject(root, "rules_not_judged", rules_not_judged(in->engine));
    cJSON_AddNumberToObject(root, "not_audited", (double)not_audited);
    cJSON_AddStringToObject(root, "store_error", in->store_error);
    return root;
}

char *status_json(const struct status_input *in)
{
    cJSON *root = build(in);
    char *text = cJSON_PrintUnformatted(root);

    cJSON_Delete(root);
    return text != NULL ? text : xstrdup("{}");
}

uint64_t status_digest(const struct status_input *in)
{
    uint64_t h = in->synced ? 1 : 2;

    for (int k = 0; k < KIND_COUNT; k++) {
        const struct kind_status *s = cluster_kind(in->cluster, (enum kind)k);
        h = hash_mix(h, (uint64_t)s->state);
        h = hash_mix(h, s->objects);
        h = hash_mix(h, s->relists);
        h = hash_mix(h, s->rejected);
        h = hash_mix(h, hash_bytes(s->resource_version, strlen(s->resource_version)));
        h = hash_mix(h, hash_bytes(s->reason, strlen(s->reason)));
    }
    h = hash_mix(h, hash_bytes(in->cluster_id, strlen(in->cluster_id)));
    return hash_mix(h, hash_bytes(in->store_error, strlen(in->store_error)));
}
