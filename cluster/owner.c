/* Who stands at the top of a pod's owners (SEMANTICS 7). ReplicaSets and Jobs are not watched:
 * their names tell their owners, where the pod's own labels and age bear the name out. In files
 * they may be there themselves and say it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cluster/cluster_private.h"

enum { MINUTE_DIGITS_MAX = 10 };
static const int64_t minute_ms = 60 * 1000;
static const int64_t year_ms = (int64_t)366 * 24 * 60 * 60 * 1000;
static const int64_t hour_ms = (int64_t)60 * 60 * 1000;

void identity_deinit(struct identity *id)
{
    str_unref(id->group);
    str_unref(id->version);
    str_unref(id->kind);
    str_unref(id->name);
    str_unref(id->uid);
    *id = (struct identity){ .group = NULL };
}

bool is_middle_kind(enum kind kind)
{
    return kind == KIND_REPLICA_SET || kind == KIND_REPLICATION_CONTROLLER || kind == KIND_JOB;
}

bool owner_cron_suffix(const char *job, int64_t created_ms)
{
    const char *dash = strrchr(job, '-');
    long long minutes;

    if (dash == NULL || dash == job || strlen(dash + 1) > MINUTE_DIGITS_MAX || dash[1] < '0' ||
        dash[1] > '9' || !text_to_int(dash + 1, 0, INT32_MAX, &minutes) || created_ms == 0) {
        return false;
    }
    return minutes * minute_ms >= created_ms - year_ms &&
           minutes * minute_ms <= created_ms + hour_ms;
}

static void split_api_version(const struct str *api_version, struct identity *out)
{
    const char *text = str_text(api_version), *slash = strchr(text, '/');

    out->group = str_intern_n(text, slash != NULL ? (size_t)(slash - text) : 0);
    out->version = str_intern(slash != NULL ? slash + 1 : text);
}

/* The owner's name without its last '-' and part. */
static struct str *parent_name(const struct str *name)
{
    const char *dash = strrchr(name->text, '-');

    return str_intern_n(name->text, (size_t)(dash - name->text));
}

static void set_identity(struct identity *out, const char *group, const char *version,
                         const char *kind, struct str *name)
{
    identity_deinit(out);
    out->group = str_intern(group);
    out->version = str_intern(version);
    out->kind = str_intern(kind);
    out->name = name;
}

static bool ends_in_hash(const struct str *name, const struct str *hash)
{
    return hash != NULL && hash->len > 0 && name->len > hash->len + 1 &&
           name->text[name->len - hash->len - 1] == '-' &&
           memcmp(name->text + name->len - hash->len, hash->text, hash->len) == 0;
}

/* In files: the ReplicaSet, Job or ReplicationController that a pod names. */
static const struct workload_object *find_middle(const struct cluster *c,
                                                 const struct pod_spec *spec, const char *group)
{
    const struct kind_row *row = kind_find_group(group, spec->owner.kind->text);

    if (row == NULL || !is_middle_kind(row->kind)) {
        return NULL;
    }
    return (const struct workload_object *)objects_find(c, row->kind, spec->ns, spec->owner.name);
}

/* The row of the top kind that a ReplicaSet or Job names as its owner; NULL when it names none. */
static const struct kind_row *top_row(const struct workload_object *middle)
{
    const struct owner_ref *owner = &middle->owner;
    const char *version = str_text(owner->api_version), *slash = strchr(version, '/');
    size_t group_len = slash != NULL ? (size_t)(slash - version) : 0;
    char group[64];
    const struct kind_row *row;

    if (owner->kind == NULL || group_len >= sizeof(group)) {
        return NULL;
    }
    memcpy(group, version, group_len);
    group[group_len] = '\0';
    row = kind_find_group(group, owner->kind->text);
    return row == NULL || !row->workload || is_middle_kind(row->kind) ? NULL : row;
}

const struct object *owner_of_middle(const struct cluster *c, const struct workload_object *middle)
{
    const struct kind_row *row = top_row(middle);

    return row != NULL ? objects_find(c, row->kind, middle->head.ns, middle->owner.name) : NULL;
}

bool owner_named_by_middle(const struct workload_object *middle, struct identity *out)
{
    const struct kind_row *row = top_row(middle);

    if (row == NULL || (row->kind != KIND_DEPLOYMENT && row->kind != KIND_CRON_JOB)) {
        return false;
    }
    set_identity(out, row->group, row->version, row->name, str_ref(middle->owner.name));
    return true;
}

static void identity_of_object(const struct object *obj, struct identity *out)
{
    const struct kind_row *row = &kind_table[obj->kind];

    set_identity(out, row->group, row->version, row->name, str_ref(obj->name));
    out->uid = str_ref(obj->uid);
}

enum by_name { BY_NAME_NONE, BY_NAME_DEPLOYMENT, BY_NAME_ROLLOUT, BY_NAME_CRON_JOB };

/* What the owner's name and the pod's labels tell of who stands above the owner. */
static enum by_name told_by_name(const struct cluster *c, const struct pod_spec *spec)
{
    const struct owner_ref *owner = &spec->owner;
    const struct str *hash = label_set_get(spec->labels, c->per_pod_keys[PER_POD_TEMPLATE_HASH]);
    const struct str *rollouts =
        label_set_get(spec->labels, c->per_pod_keys[PER_POD_ROLLOUTS_HASH]);

    if (strcmp(owner->kind->text, "ReplicaSet") == 0 &&
        text_starts(str_text(owner->api_version), "apps/")) {
        return ends_in_hash(owner->name, rollouts) ? BY_NAME_ROLLOUT
               : ends_in_hash(owner->name, hash)   ? BY_NAME_DEPLOYMENT
                                                   : BY_NAME_NONE;
    }
    if (strcmp(owner->kind->text, "Job") == 0 && spec->cron_suffix &&
        text_starts(str_text(owner->api_version), "batch/")) {
        return BY_NAME_CRON_JOB;
    }
    return BY_NAME_NONE;
}

bool owner_is_named_only(const struct cluster *c, const struct pod_spec *spec)
{
    return told_by_name(c, spec) != BY_NAME_NONE;
}

void owner_of_spec(const struct cluster *c, const struct pod_spec *spec, struct identity *out)
{
    const struct owner_ref *owner = &spec->owner;
    const struct workload_object *middle;

    *out = (struct identity){ .group = NULL };
    split_api_version(owner->api_version, out);
    out->kind = str_ref(owner->kind);
    out->name = str_ref(owner->name);
    out->uid = str_ref(owner->uid);

    middle = find_middle(c, spec, out->group->text);
    if (middle != NULL) {
        const struct object *top = owner_of_middle(c, middle);

        if (top != NULL || !owner_named_by_middle(middle, out)) {
            identity_of_object(top != NULL ? top : &middle->head, out);
        }
        return;
    }
    switch (told_by_name(c, spec)) {
    case BY_NAME_DEPLOYMENT:
        set_identity(out, "apps", "v1", "Deployment", parent_name(owner->name));
        break;
    case BY_NAME_ROLLOUT:
        set_identity(out, "argoproj.io", "v1alpha1", "Rollout", parent_name(owner->name));
        break;
    case BY_NAME_CRON_JOB:
        set_identity(out, "batch", "v1", "CronJob", parent_name(owner->name));
        break;
    case BY_NAME_NONE:
        break;
    }
}
