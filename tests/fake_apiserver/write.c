#include "write.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commit.h"
#include "options.h"
#include "patch.h"
#include "protobuf.h"

char *qualified(const struct kind *k)
{
    struct buf b = { 0 };
    char *text;

    buf_fmt(&b, "%s%s%s", k->resource, k->group[0] != '\0' ? "." : "", k->group);
    text = xstrdup(buf_cstr(&b));
    buf_free(&b);
    return text;
}

/* A Status about the named object of the route. `fmt` gets the qualified resource and the name. */
static void named_error(struct exchange *x, int code, const char *reason, const char *name,
                        const char *before, const char *after)
{
    char *resource = qualified(x->route.kind);
    struct buf b = { 0 };
    struct buf n = { 0 };

    buf_str(&n, name);
    buf_fmt(&b, "%s%s \"%s\"%s", before, resource, name, after);
    exchange_status(x, &(struct status){ .code = code,
                                         .reason = reason,
                                         .message = buf_cstr(&b),
                                         .name = buf_cstr(&n),
                                         .group = x->route.kind->group,
                                         .kind = x->route.kind->resource });
    free(resource);
    buf_free(&b);
    buf_free(&n);
}

void api_not_found(struct exchange *x)
{
    named_error(x, 404, "NotFound", x->route.name, "", " not found");
}

static void route_key(const struct route *r, const char *name, struct buf *out)
{
    if (r->kind->namespaced) {
        buf_fmt(out, "%s/", r->ns);
    }
    buf_str(out, name);
}

static struct object *route_object(struct exchange *x)
{
    struct buf key = { 0 };
    struct object *o;

    route_key(&x->route, x->route.name, &key);
    o = store_find(&x->fake->store, x->route.kind, buf_cstr(&key));
    buf_free(&key);
    return o;
}

static void reply_object(struct exchange *x, int code, const struct object *o)
{
    struct buf b = { 0 };

    object_append(o, x->asked == ASK_METADATA ? FORM_METADATA : FORM_OBJECT, &b);
    exchange_reply(x, code, "application/json", &b);
}

void api_get(struct exchange *x)
{
    struct object *o = route_object(x);

    if (!accept_parse(x)) {
        return;
    }
    if (x->asked == ASK_METADATA_LIST) {
        exchange_error(
            x, 406,
            "you requested PartialObjectMetadataList, but the requested object is not a list");
    } else if (o == NULL) {
        api_not_found(x);
    } else {
        reply_object(x, 200, o);
    }
}

/* Who writes: fieldManager, else the first word of the User-Agent. The caller frees it. */
static char *manager_of(const struct exchange *x)
{
    char *m = http_query(x->req->query, "fieldManager");

    if (m != NULL && m[0] != '\0') {
        return m;
    }
    free(m);
    return x->req->user_agent[0] != '\0'
               ? xstrndup(x->req->user_agent, strcspn(x->req->user_agent, "/"))
               : xstrdup("unknown");
}

static bool dry_run(const struct exchange *x)
{
    char *d = http_query(x->req->query, "dryRun");
    bool yes = d != NULL && strcmp(d, "All") == 0;

    free(d);
    return yes;
}

static bool media_is(const struct exchange *x, const char *type)
{
    size_t n = strlen(type);
    const char *have = x->req->content_type;

    return strncasecmp(have, type, n) == 0 && (have[n] == '\0' || have[n] == ';' || have[n] == ' ');
}

/* Body of a POST or PUT; NULL: answered. */
static cJSON *read_object(struct exchange *x)
{
    const struct kind *k = x->route.kind;
    const char *have_ns;
    cJSON *root;

    bool proto = media_is(x, "application/vnd.kubernetes.protobuf");

    if (x->req->content_type[0] != '\0' && !proto && !media_is(x, "application/json")) {
        exchange_error(x, 415,
                       "the body of the request was in an unknown format - accepted media types "
                       "include: application/json");
        return NULL;
    }
    root = proto ? protobuf_object(x->req->body, x->req->body_len, k)
                 : jparse(x->req->body, x->req->body_len);
    if (!cJSON_IsObject(root)) {
        exchange_error(x, 400, "couldn't get version/kind; json parse error: invalid JSON");
        cJSON_Delete(root);
        return NULL;
    }
    if (strcmp(jstr(root, "kind", k->name), k->name) != 0 ||
        strcmp(jstr(root, "apiVersion", k->api_version), k->api_version) != 0) {
        exchange_error(x, 400, "the object provided is unrecognized (must be of type %s): %s %s",
                       k->name, jstr(root, "apiVersion", ""), jstr(root, "kind", ""));
        cJSON_Delete(root);
        return NULL;
    }
    have_ns = jstr(jobj(root, "metadata"), "namespace", "");
    if (k->namespaced && have_ns[0] != '\0' && strcmp(have_ns, x->route.ns) != 0) {
        exchange_error(
            x, 400,
            "the namespace of the provided object does not match the namespace sent on the "
            "request");
        cJSON_Delete(root);
        return NULL;
    }
    if (k->namespaced) {
        jset_str(jobj(root, "metadata"), "namespace", x->route.ns);
    }
    return root;
}

/* DNS-1123 subdomain, the loosest form that any kind served here allows. */
static bool good_name(const char *s)
{
    size_t n = strlen(s);

    if (n == 0 || n > 253 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1])) {
        return false;
    }
    for (; *s != '\0'; s++) {
        if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '-' && *s != '.') {
            return false;
        }
    }
    return true;
}

static void refuse_name(struct exchange *x, const char *name)
{
    static const char *const rule = "a lowercase RFC 1123 subdomain must consist of lower case "
                                    "alphanumeric characters, '-' or '.', "
                                    "and must start and end with an alphanumeric character";
    const struct kind *k = x->route.kind;
    struct buf cause = { 0 };
    struct buf text = { 0 };
    struct buf message = { 0 };
    struct buf copy = { 0 };

    buf_str(&copy, name);
    if (name[0] == '\0') {
        buf_str(&text, "Required value: name or generateName is required");
    } else {
        buf_fmt(&text, "Invalid value: \"%s\": %s", name, rule);
    }
    buf_fmt(&cause, "[{\"reason\":\"%s\",\"message\":",
            name[0] == '\0' ? "FieldValueRequired" : "FieldValueInvalid");
    buf_json(&cause, buf_cstr(&text));
    buf_str(&cause, ",\"field\":\"metadata.name\"}]");
    buf_fmt(&message, "%s%s%s \"%s\" is invalid: metadata.name: %s", k->name,
            k->group[0] != '\0' ? "." : "", k->group, name, buf_cstr(&text));
    exchange_status(x, &(struct status){ .code = 422,
                                         .reason = "Invalid",
                                         .message = buf_cstr(&message),
                                         .name = buf_cstr(&copy),
                                         .group = k->group,
                                         .kind = k->name,
                                         .causes = buf_cstr(&cause) });
    buf_free(&cause);
    buf_free(&text);
    buf_free(&message);
    buf_free(&copy);
}

static void generate_name(struct fake *f, cJSON *meta)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    const char *prefix = jstr(meta, "generateName", "");
    struct buf b = { 0 };

    if (jstr(meta, "name", "")[0] != '\0' || prefix[0] == '\0') {
        return;
    }
    buf_str(&b, prefix);
    for (int i = 0; i < 5; i++) {
        buf_add(&b, &letters[fake_random(f) % (sizeof(letters) - 1)], 1);
    }
    jset_str(meta, "name", buf_cstr(&b));
    buf_free(&b);
}

/* NamespaceLifecycle. False: answered. */
static bool namespace_open(struct exchange *x, const char *name)
{
    struct fake *f = x->fake;
    struct object *ns;
    struct buf b = { 0 };

    if (!x->route.kind->namespaced) {
        return true;
    }
    ns = store_find(&f->store, kind_by_path("", "v1", "namespaces"), x->route.ns);
    if (ns == NULL) {
        buf_fmt(&b, "namespaces \"%s\" not found", x->route.ns);
        exchange_status(x, &(struct status){ .code = 404,
                                             .reason = "NotFound",
                                             .message = buf_cstr(&b),
                                             .name = x->route.ns,
                                             .kind = "namespaces" });
        buf_free(&b);
        return false;
    }
    if (strcmp(block_get(ns->fields, "status.phase"), "Terminating") == 0) {
        buf_fmt(&b,
                " is forbidden: unable to create new content in namespace %s because it is being "
                "terminated",
                x->route.ns);
        named_error(x, 403, "Forbidden", name, "", buf_cstr(&b));
        buf_free(&b);
        return false;
    }
    return true;
}

static void create_tree(struct exchange *x, cJSON *root, const char *operation, int code)
{
    struct fake *f = x->fake;
    cJSON *meta = jobj(root, "metadata");
    char *manager = manager_of(x);
    struct writer w = {
        .manager = manager, .operation = operation, .defaults = true, .dry_run = dry_run(x)
    };
    struct buf key = { 0 };
    struct object *o;

    generate_name(f, meta);
    key_of(x->route.kind, root, &key);
    if (!good_name(jstr(meta, "name", ""))) {
        refuse_name(x, jstr(meta, "name", ""));
    } else if (store_find(&f->store, x->route.kind, buf_cstr(&key)) != NULL) {
        named_error(x, 409, "AlreadyExists", jstr(meta, "name", ""), "", " already exists");
    } else if (namespace_open(x, jstr(meta, "name", ""))) {
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "uid");
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "creationTimestamp");
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "deletionTimestamp");
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "managedFields");
        o = commit_create(f, x->route.kind, root, &w);
        object_ref(o);
        reply_object(x, code, o);
        object_unref(o);
        if (w.dry_run) {
            object_unref(o);
        }
    }
    buf_free(&key);
    free(manager);
}

void api_create(struct exchange *x)
{
    cJSON *root = read_object(x);

    if (root != NULL) {
        create_tree(x, root, "Update", 201);
        cJSON_Delete(root);
    }
}

/* Preconditions of a write. False: answered. */
static bool still_current(struct exchange *x, const struct object *old, const cJSON *meta)
{
    const char *rv = jstr(meta, "resourceVersion", "");
    const char *uid = jstr(meta, "uid", "");
    struct buf now = { 0 };
    struct buf text = { 0 };
    bool ok = true;

    buf_u64(&now, old->rv);
    if (uid[0] != '\0' && strcmp(uid, old->uid) != 0) {
        buf_fmt(
            &text,
            ": StorageError: invalid object, Code: 4, Key: /registry/%s/%s, ResourceVersion: 0, "
            "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object "
            "meta: %s",
            x->route.kind->resource, old->key, uid, old->uid);
        ok = false;
    } else if (rv[0] != '\0' && strcmp(rv, "0") != 0 && strcmp(rv, buf_cstr(&now)) != 0) {
        buf_str(&text,
                ": the object has been modified; please apply your changes to the latest version "
                "and try again");
        ok = false;
    }
    if (!ok) {
        named_error(x, 409, "Conflict", x->route.name, "Operation cannot be fulfilled on ",
                    buf_cstr(&text));
    }
    buf_free(&now);
    buf_free(&text);
    return ok;
}

static void update_tree(struct exchange *x, struct object *old, cJSON *root, const char *operation,
                        const cJSON *fields)
{
    char *manager = manager_of(x);
    struct writer w = { .manager = manager,
                        .operation = operation,
                        .subresource = x->route.subresource,
                        .fields = fields,
                        .defaults = true,
                        .dry_run = dry_run(x) };
    struct object *o;
    bool changed;

    object_ref(old);
    o = commit_update(x->fake, old, root, &w, &changed);
    if (o != NULL) {
        object_ref(o);
        reply_object(x, 200, o);
        object_unref(o);
        if (w.dry_run) {
            object_unref(o);
        }
    } else {
        reply_object(x, 200, old);
    }
    object_unref(old);
    free(manager);
}

void api_update(struct exchange *x)
{
    struct object *old = route_object(x);
    cJSON *root = read_object(x);
    cJSON *meta;

    if (root == NULL) {
        return;
    }
    meta = jobj(root, "metadata");
    if (strcmp(jstr(meta, "name", ""), x->route.name) != 0) {
        exchange_error(
            x, 400, "the name of the object (%.250s) does not match the name on the URL (%.250s)",
            jstr(meta, "name", ""), x->route.name);
    } else if (old == NULL) {
        api_not_found(x);
    } else if (still_current(x, old, meta)) {
        if (strcmp(x->route.subresource, "finalize") == 0) {
            /* Namespaces only: spec.finalizers emptied. Ours are gone at once, so nothing is left
             * to do. */
            reply_object(x, 200, old);
        } else {
            update_tree(x, old, root, "Update", NULL);
        }
    }
    cJSON_Delete(root);
}

static void apply_patch(struct exchange *x, cJSON *patch, struct object *old)
{
    char *manager = http_query(x->req->query, "fieldManager");
    cJSON *root;

    if (manager == NULL || manager[0] == '\0') {
        exchange_error(x, 400,
                       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
                       "required for apply patch");
    } else if (old == NULL) {
        root = cJSON_Duplicate(patch, 1);
        jset_str(jobj(root, "metadata"), "name", x->route.name);
        if (x->route.kind->namespaced) {
            jset_str(jobj(root, "metadata"), "namespace", x->route.ns);
        }
        create_tree(x, root, "Apply", 201);
        cJSON_Delete(root);
    } else {
        root = object_tree(old);
        if (!patch_strategic(root, patch)) {
            exchange_error(x, 400, "the patch nests too deep");
        } else {
            update_tree(x, old, root, "Apply", patch);
        }
        cJSON_Delete(root);
    }
    free(manager);
}

void api_patch(struct exchange *x)
{
    struct object *old = route_object(x);
    cJSON *patch = jparse(x->req->body, x->req->body_len);
    bool list = media_is(x, "application/json-patch+json");
    cJSON *root = NULL;
    bool ok;

    if (patch == NULL || (list ? !cJSON_IsArray(patch) : !cJSON_IsObject(patch))) {
        exchange_error(x, 400, "error decoding patch: invalid JSON");
        goto out;
    }
    if (media_is(x, "application/apply-patch+yaml")) {
        apply_patch(x, patch, old);
        goto out;
    }
    if (old == NULL) {
        api_not_found(x);
        goto out;
    }
    root = object_tree(old);
    if (list) {
        ok = patch_json(root, patch);
    } else if (media_is(x, "application/merge-patch+json")) {
        ok = patch_merge(root, patch);
    } else if (media_is(x, "application/strategic-merge-patch+json") && !x->route.kind->crd) {
        ok = patch_strategic(root, patch);
    } else {
        exchange_error(x, 415,
                       "the body of the request was in an unknown format - accepted media types "
                       "include: application/json-patch+json, application/merge-patch+json, "
                       "application/apply-patch+yaml");
        goto out;
    }
    if (!ok) {
        exchange_error(x, 422, "the server rejected our request due to an error in our request");
    } else if (still_current(x, old, jget(patch, "metadata"))) {
        update_tree(x, old, root, "Update", list ? NULL : patch);
    }
out:
    cJSON_Delete(root);
    cJSON_Delete(patch);
}

void api_delete(struct exchange *x)
{
    struct object *o = route_object(x);
    cJSON *options = x->req->body_len > 0 ? jparse(x->req->body, x->req->body_len) : NULL;
    bool answers_object =
        x->route.kind->group[0] == '\0' && (strcmp(x->route.kind->resource, "pods") == 0 ||
                                            strcmp(x->route.kind->resource, "namespaces") == 0);

    if (o == NULL) {
        api_not_found(x);
    } else if (still_current(x, o, jget(options, "preconditions"))) {
        object_ref(o);
        if (!dry_run(x)) {
            bool held = commit_delete(x->fake, o);

            answers_object = answers_object || held;
        }
        if (answers_object) {
            struct object *now = route_object(x);

            reply_object(x, 200, now != NULL ? now : o);
        } else {
            exchange_status(x, &(struct status){ .code = 200,
                                                 .name = x->route.name,
                                                 .group = x->route.kind->group,
                                                 .kind = x->route.kind->resource,
                                                 .uid = o->uid });
        }
        object_unref(o);
    }
    cJSON_Delete(options);
}

void api_delete_collection(struct exchange *x)
{
    struct list_options opt;
    struct snapshot snap;
    struct buf b = { 0 };

    if (!options_parse(x, &opt)) {
        return;
    }
    if (store_snapshot(&x->fake->store, x->route.kind, x->route.ns, x->fake->store.rv, &snap)) {
        for (size_t i = 0; i < snap.n; i++) {
            struct object *o = snap.objs[i];

            if (selector_matches_labels(&opt.labels, o) &&
                selector_matches_fields(&opt.fields, o)) {
                commit_delete(x->fake, o);
            }
        }
        snapshot_free(&snap);
    }
    options_free(&opt);
    buf_fmt(&b,
            "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"}"
            ",\"items\":[]}",
            x->route.kind->name, x->route.kind->api_version, (unsigned long long)x->fake->store.rv);
    exchange_reply(x, 200, "application/json", &b);
}
