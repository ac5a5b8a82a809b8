/* kubectl scale and autoscalers: a view of one number. */
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "write.h"

static void reply_scale(struct exchange *x, const struct object *o)
{
    cJSON *root = object_tree(o);
    const cJSON *spec = jget(root, "spec");
    struct buf b = { 0 };

    buf_str(&b, "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":");
    buf_json(&b, object_name(o));
    buf_str(&b, ",\"namespace\":");
    buf_json(&b, x->route.ns);
    buf_fmt(&b, ",\"uid\":\"%s\",\"resourceVersion\":\"%llu\",\"creationTimestamp\":", o->uid,
            (unsigned long long)o->rv);
    buf_json(&b, jstr(jget(root, "metadata"), "creationTimestamp", ""));
    buf_fmt(&b, "},\"spec\":{\"replicas\":%d},\"status\":{\"replicas\":%d}}",
            (int)jnum(spec, "replicas", 1), (int)jnum(jget(root, "status"), "replicas", 0));
    cJSON_Delete(root);
    exchange_reply(x, 200, "application/json", &b);
}

void api_scale(struct exchange *x)
{
    struct buf key = { 0 };
    struct object *o;
    cJSON *body, *root;
    struct writer w = {
        .manager = "kubectl", .operation = "Update", .subresource = "scale", .defaults = true
    };
    bool changed;

    buf_fmt(&key, "%s/%s", x->route.ns, x->route.name);
    o = store_find(&x->fake->store, x->route.kind, buf_cstr(&key));
    buf_free(&key);
    if (o == NULL) {
        api_not_found(x);
        return;
    }
    if (x->route.verb == VERB_GET) {
        reply_scale(x, o);
        return;
    }
    body = jparse(x->req->body, x->req->body_len);
    if ((x->route.verb != VERB_UPDATE && x->route.verb != VERB_PATCH) ||
        !cJSON_IsNumber(jpath(body, "spec", "replicas", NULL))) {
        exchange_error(x, 400, "a Scale with spec.replicas is needed");
    } else {
        root = object_tree(o);
        jset(jobj(root, "spec"), "replicas",
             cJSON_Duplicate(jpath(body, "spec", "replicas", NULL), 1));
        reply_scale(x, commit_update(x->fake, o, root, &w, &changed));
        cJSON_Delete(root);
    }
    cJSON_Delete(body);
}
