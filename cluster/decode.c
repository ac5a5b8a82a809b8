/* What all kinds share: metadata, owners, selectors; and the way from bytes to an object. The bytes
 * have mostly been projected already, but nothing here relies on it: depth and encoding are checked
 * before cJSON, which recurses. */
#include "cluster/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/json_scan.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

typedef int decode_fn(const cJSON *tree, struct object *obj, struct error *err);

static decode_fn *const decoders[KIND_COUNT] = {
    [KIND_NAMESPACE] = NULL, /* metadata is all there is */
    [KIND_POD] = decode_pod,
    [KIND_SERVICE] = decode_service,
    [KIND_INGRESS] = decode_ingress,
    [KIND_INGRESS_CLASS] = decode_ingress_class,
    [KIND_NETWORK_POLICY] = decode_network_policy,
    [KIND_DEPLOYMENT] = decode_workload,
    [KIND_STATEFUL_SET] = decode_workload,
    [KIND_DAEMON_SET] = decode_workload,
    [KIND_CRON_JOB] = decode_workload,
    [KIND_SECRET] = decode_secret,
    [KIND_CLUSTER_NETWORK_POLICY] = decode_tiered_policy,
    [KIND_ADMIN_NETWORK_POLICY] = decode_tiered_policy,
    [KIND_BASELINE_ADMIN_NETWORK_POLICY] = decode_tiered_policy,
    [KIND_CILIUM_NETWORK_POLICY] = decode_cilium_policy,
    [KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY] = decode_cilium_policy,
    [KIND_PEER_AUTHENTICATION] = decode_peer_authentication,
    [KIND_REPLICA_SET] = decode_workload,
    [KIND_REPLICATION_CONTROLLER] = decode_workload,
    [KIND_JOB] = decode_workload,
};

bool pod_annotation_kept(const char *key)
{
    return strcmp(key, "netauditd.io/owner") == 0 || strcmp(key, "egress-destinations") == 0 ||
           text_starts(key, "network-policy.kubernetes.io/") ||
           strcmp(key, "linkerd.io/inject") == 0 ||
           strcmp(key, "config.linkerd.io/default-inbound-policy") == 0;
}

static bool secret_annotation_kept(const char *key)
{
    return text_starts(key, "cert-manager.io/") || text_starts(key, "netauditd.io/");
}

static bool annotation_kept(const char *key)
{
    return strcmp(key, LAST_APPLIED) != 0;
}

int decode_owner(const cJSON *metadata, const struct field *at, struct owner_ref *out,
                 struct error *err)
{
    const struct field *list_at = FIELD(at, "ownerReferences");
    const cJSON *list, *node;
    struct owner_ref owner = { .api_version = NULL };
    uint32_t count, i = 0;
    int rc = tree_array(metadata, at, "ownerReferences", &list, &count, err);

    if (rc != 0) {
        return rc;
    }
    cJSON_ArrayForEach(node, list)
    {
        const struct field *ref = ELEMENT(list_at, i++);
        bool controller;

        if (!cJSON_IsObject(node)) {
            return field_error(ref, err, "must be an object");
        }
        rc = tree_bool(node, ref, "controller", &controller, err);
        if (rc != 0) {
            return rc;
        }
        if (!controller) {
            continue;
        }
        owner.controller = true;
        if ((rc = tree_str(node, ref, "apiVersion", &owner.api_version, err)) != 0 ||
            (rc = tree_str_nonempty(node, ref, "kind", &owner.kind, err)) != 0 ||
            (rc = tree_str_nonempty(node, ref, "name", &owner.name, err)) != 0 ||
            (rc = tree_str_nonempty(node, ref, "uid", &owner.uid, err)) != 0) {
            owner_deinit(&owner);
            return rc;
        }
        break; /* the API allows one controller */
    }
    if (owner.kind == NULL || owner.name == NULL) {
        owner_deinit(&owner);
    }
    *out = owner;
    return 0;
}

void owner_deinit(struct owner_ref *owner)
{
    str_unref(owner->api_version);
    str_unref(owner->kind);
    str_unref(owner->name);
    str_unref(owner->uid);
    *owner = (struct owner_ref){ .api_version = NULL };
}

static int decode_one_writer(const cJSON *node, const struct field *at, struct write_cause *newest,
                             struct error *err)
{
    struct write_cause w = { .manager = NULL };
    bool given;
    int rc = tree_time(node, at, "time", &given, &w.time_ms, err);

    if (rc != 0 || !given || w.time_ms < newest->time_ms) {
        return rc;
    }
    if ((rc = tree_str_nonempty(node, at, "manager", &w.manager, err)) != 0 ||
        (rc = tree_str_nonempty(node, at, "operation", &w.operation, err)) != 0) {
        str_unref(w.manager);
        return rc;
    }
    str_unref(newest->manager);
    str_unref(newest->operation);
    *newest = w;
    return 0;
}

static int decode_writers(const cJSON *metadata, const struct field *at, struct write_cause *out,
                          struct error *err)
{
    const struct field *list_at = FIELD(at, "managedFields");
    const cJSON *list, *node;
    uint32_t count, i = 0;
    int rc = tree_array(metadata, at, "managedFields", &list, &count, err);

    cJSON_ArrayForEach(node, list)
    {
        if (rc == 0) {
            rc = decode_one_writer(node, ELEMENT(list_at, i), out, err);
        }
        i++;
    }
    return rc;
}

static bool owned_by_challenge(const struct owner_ref *owner)
{
    return owner->kind != NULL && strcmp(owner->kind->text, "Challenge") == 0 &&
           text_starts(str_text(owner->api_version), "acme.cert-manager.io/");
}

static int decode_names(const cJSON *metadata, const struct field *at, struct object *obj,
                        struct error *err)
{
    int rc;

    if ((rc = tree_str_nonempty(metadata, at, "name", &obj->name, err)) != 0 ||
        (rc = tree_str_nonempty(metadata, at, "uid", &obj->uid, err)) != 0 ||
        (rc = tree_str_nonempty(metadata, at, "resourceVersion", &obj->resource_version, err)) !=
            0) {
        return rc;
    }
    if (obj->name == NULL) {
        return field_error(FIELD(at, "name"), err, "is required");
    }
    if (kind_table[obj->kind].namespaced) {
        rc = tree_str_nonempty(metadata, at, "namespace", &obj->ns, err);
    }
    return rc;
}

static int decode_head(const cJSON *tree, struct object *obj, struct error *err)
{
    const struct field *at = FIELD(NULL, "metadata");
    bool (*keep)(const char *) = obj->kind == KIND_POD      ? pod_annotation_kept
                                 : obj->kind == KIND_SECRET ? secret_annotation_kept
                                                            : annotation_kept;
    struct owner_ref owner = { .api_version = NULL };
    const cJSON *metadata;
    int64_t deletion_ms;
    bool given;
    int rc = tree_object(tree, NULL, "metadata", &metadata, err);

    if (rc != 0 || (rc = decode_names(metadata, at, obj, err)) != 0 ||
        (rc = tree_map(metadata, at, "labels", NULL, false, &obj->labels, err)) != 0 ||
        (rc = tree_map(metadata, at, "annotations", keep, true, &obj->annotations, err)) != 0 ||
        (rc = tree_time(metadata, at, "creationTimestamp", &given, &obj->created_ms, err)) != 0 ||
        (rc = tree_time(metadata, at, "deletionTimestamp", &obj->deleting, &deletion_ms, err)) !=
            0 ||
        (rc = decode_owner(metadata, at, &owner, err)) != 0) {
        return rc;
    }
    obj->acme_owned = owned_by_challenge(&owner);
    owner_deinit(&owner);
    return obj->kind != KIND_POD ? decode_writers(metadata, at, &obj->cause, err) : 0;
}

int object_from_tree(enum kind kind, const cJSON *tree, struct object **out, struct error *err)
{
    struct object *obj;
    int rc;

    if (!cJSON_IsObject(tree)) {
        return error_set(err, NA_EINVAL, "must be an object");
    }
    obj = object_create(kind);
    rc = decode_head(tree, obj, err);
    if (rc == 0 && decoders[kind] != NULL) {
        rc = decoders[kind](tree, obj, err);
    }
    if (rc != 0) {
        object_destroy(obj);
        return rc;
    }
    *out = obj;
    return 0;
}

/* cJSON would end a string at an escaped NUL, so that "a\u0000b" read as "a": another name than was
 * sent. */
static int replace_nul_escapes(const char *json, size_t len, struct buf *out)
{
    size_t i = 0, from = 0;
    int rc = 0;

    while (i + 1 < len && rc == 0) {
        if (json[i] != '\\') {
            i++;
        } else if (i + 6 <= len && memcmp(json + i, "\\u0000", 6) == 0) {
            rc = buf_add(out, json + from, i - from);
            rc = rc != 0 ? rc : buf_adds(out, "\\ufffd");
            i += 6;
            from = i;
        } else {
            i += 2;
        }
    }
    return rc != 0 ? rc : buf_add(out, json + from, len - from);
}

static int check_text(const char *json, size_t len, struct error *err)
{
    struct json_end end = { .depth = 0 };
    bool done = false;
    size_t used = json_end_feed(&end, json, len, &done);

    if (end.too_deep) {
        return error_set(err, NA_ELIMIT, "is nested deeper than 64 levels");
    }
    for (; used < len && done; used++) {
        done = strchr(" \t\r\n", json[used]) != NULL && json[used] != '\0';
    }
    if (!done) {
        return error_set(err, NA_EINVAL, "is not one JSON object");
    }
    if (!json_is_utf8(json, len)) {
        return error_set(err, NA_EINVAL, "is not valid UTF-8");
    }
    return 0;
}

int object_decode(enum kind kind, const char *json, size_t len, struct object **out,
                  struct error *err)
{
    struct buf clean;
    cJSON *tree = NULL;
    int rc = check_text(json, len, err);

    if (rc != 0) {
        return rc;
    }
    buf_init(&clean, len + 16);
    if (memmem(json, len, "\\u0000", 6) != NULL) {
        rc = replace_nul_escapes(json, len, &clean);
        if (rc != 0) {
            rc = error_set(err, rc, "is too large");
            goto out;
        }
        json = buf_text(&clean);
        len = clean.len;
    }
    tree = cJSON_ParseWithLength(json, len);
    if (tree == NULL) {
        rc = error_set(err, NA_EINVAL, "is not well-formed JSON");
        goto out;
    }
    rc = object_from_tree(kind, tree, out, err);
out:
    cJSON_Delete(tree);
    buf_deinit(&clean);
    return rc;
}
