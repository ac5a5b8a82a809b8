/* EndpointSelectors. Cilium puts the labels of a pod, of its namespace and of its service account
 * into one set, told apart by prefixes; here each requirement goes to the selector over whose
 * labels it reads, which is exact because they all must hold. */
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "cluster/decode_cilium.h"

#define NAMESPACE_KEY    "io.kubernetes.pod.namespace"
#define NAMESPACE_LABELS "io.cilium.k8s.namespace.labels."
#define ACCOUNT_KEY      "io.cilium.k8s.policy.serviceaccount"
#define CLUSTER_KEY      "io.cilium.k8s.policy.cluster"
#define NAME_LABEL       "kubernetes.io/metadata.name"

void cilium_note(struct cilium *c, const struct field *at, const char *sentence)
{
    malformed_note(&c->p->malformed, field_sentence(at, "%s", sentence));
}

void cilium_unmodelled(struct str **out, const char *construct)
{
    if (*out == NULL) {
        *out = str_intern(construct);
    }
}

bool cilium_entity_parse(const char *text, enum cilium_entity *out)
{
    static const char *const names[] = { [CILIUM_ENTITY_ALL] = "all",
                                         [CILIUM_ENTITY_WORLD] = "world",
                                         [CILIUM_ENTITY_WORLD_IPV4] = "world-ipv4",
                                         [CILIUM_ENTITY_WORLD_IPV6] = "world-ipv6",
                                         [CILIUM_ENTITY_CLUSTER] = "cluster",
                                         [CILIUM_ENTITY_HOST] = "host",
                                         [CILIUM_ENTITY_REMOTE_NODE] = "remote-node",
                                         [CILIUM_ENTITY_KUBE_APISERVER] = "kube-apiserver",
                                         [CILIUM_ENTITY_INIT] = "init",
                                         [CILIUM_ENTITY_HEALTH] = "health",
                                         [CILIUM_ENTITY_UNMANAGED] = "unmanaged",
                                         [CILIUM_ENTITY_INGRESS] = "ingress",
                                         [CILIUM_ENTITY_NONE] = "none" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum cilium_entity)i;
            return true;
        }
    }
    return false;
}

enum label_owner { OWNER_POD, OWNER_NAMESPACE, OWNER_ACCOUNT, OWNER_COUNT };

struct splitting {
    struct cilium *c;
    enum cilium_whose whose;
    struct cilium_endpoints *out;
    cJSON *parts[OWNER_COUNT]; /* LabelSelectors with plain keys */
    bool names_namespace, reserved;
};

/* Whose label a key is, and its plain name; NULL: none that is modelled, or an entity. */
static const char *plain_key(struct splitting *s, const char *key, enum label_owner *owner)
{
    const char *plain = key, *colon = strchr(key, ':');
    enum cilium_entity entity;

    *owner = OWNER_POD;
    if (text_starts(key, "reserved:")) {
        s->reserved = true;
        if (cilium_entity_parse(key + strlen("reserved:"), &entity)) {
            s->out->entities |= BIT(entity);
        } else {
            cilium_unmodelled(&s->out->unmodelled, key);
        }
        return NULL;
    }
    if (colon != NULL) {
        if (!text_starts(key, "k8s:") && !text_starts(key, "any:")) {
            cilium_unmodelled(&s->out->unmodelled, "labels of another source");
            return NULL;
        }
        plain = colon + 1;
    }
    if (strcmp(plain, NAMESPACE_KEY) == 0) {
        s->names_namespace = true;
        *owner = OWNER_NAMESPACE;
        return NAME_LABEL;
    }
    if (text_starts(plain, NAMESPACE_LABELS)) {
        s->names_namespace = true;
        *owner = OWNER_NAMESPACE;
        return plain + strlen(NAMESPACE_LABELS);
    }
    if (strcmp(plain, ACCOUNT_KEY) == 0) {
        *owner = OWNER_ACCOUNT;
        return plain;
    }
    if (strcmp(plain, CLUSTER_KEY) == 0) {
        cilium_unmodelled(&s->out->unmodelled, CLUSTER_KEY);
        return NULL;
    }
    return plain;
}

static cJSON *member(cJSON *obj, const char *key, cJSON *(*create)(void))
{
    cJSON *m = cJSON_GetObjectItemCaseSensitive(obj, key);

    if (m == NULL) {
        m = create();
        cJSON_AddItemToObject(obj, key, m);
    }
    return m;
}

static int split_labels(struct splitting *s, const cJSON *labels, const struct field *at,
                        struct error *err)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, labels)
    {
        enum label_owner owner;
        const char *key = plain_key(s, child->string, &owner);
        if (!cJSON_IsString(child)) {
            return field_error(FIELD(at, child->string), err, "must be a string");
        }
        /* The namespace of a subject is always the policy's own (SEMANTICS 5.4): a label k8s: that
         * names another is replaced. One without that prefix stays, and then nothing is both. */
        if (key == NULL || (s->whose == CILIUM_OF_SUBJECT && s->c->ns != NULL &&
                            strcmp(child->string, "k8s:" NAMESPACE_KEY) == 0)) {
            continue;
        }
        cJSON_AddStringToObject(member(s->parts[owner], "matchLabels", cJSON_CreateObject), key,
                                child->valuestring);
    }
    return 0;
}

static int split_expressions(struct splitting *s, const cJSON *expressions, const struct field *at,
                             struct error *err)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, expressions)
    {
        const struct field *item_at = ELEMENT(at, i++);
        const cJSON *key = tree_get(child, "key");
        enum label_owner owner = OWNER_POD;
        const char *plain;
        if (!cJSON_IsObject(child) || !cJSON_IsString(key)) {
            return field_error(item_at, err, "must be an object with a key");
        }
        plain = plain_key(s, key->valuestring, &owner);
        if (plain == NULL) {
            continue;
        }
        cJSON *copy = cJSON_Duplicate(child, true);
        cJSON_ReplaceItemInObjectCaseSensitive(copy, "key", cJSON_CreateString(plain));
        cJSON_AddItemToArray(member(s->parts[owner], "matchExpressions", cJSON_CreateArray), copy);
    }
    return 0;
}

/* Peers without a namespace key get the policy's namespace, a subject always. */
static void force_namespace(struct splitting *s)
{
    if (s->c->ns == NULL || s->reserved || (s->whose == CILIUM_OF_PEER && s->names_namespace)) {
        return;
    }
    /* As an expression: it stands beside a label that asks for another. */
    cJSON *item = cJSON_CreateObject(), *values = cJSON_AddArrayToObject(item, "values");
    cJSON_AddStringToObject(item, "key", NAME_LABEL);
    cJSON_AddStringToObject(item, "operator", "In");
    cJSON_AddItemToArray(values, cJSON_CreateString(s->c->ns));
    cJSON_AddItemToArray(member(s->parts[OWNER_NAMESPACE], "matchExpressions", cJSON_CreateArray),
                         item);
}

static int make_selectors(struct splitting *s, const struct field *at, struct error *err)
{
    struct selector **selectors[OWNER_COUNT] = { [OWNER_POD] = &s->out->pods,
                                                 [OWNER_NAMESPACE] = &s->out->namespaces,
                                                 [OWNER_ACCOUNT] = &s->out->service_account };
    int rc = 0;

    for (int o = 0; rc == 0 && o < OWNER_COUNT; o++) {
        if (o == OWNER_ACCOUNT && s->parts[o]->child == NULL) {
            continue;
        }
        rc = selector_from_tree(s->parts[o], at, selectors[o], err);
        if (rc == 0) {
            malformed_note_selector(&s->c->p->malformed, *selectors[o]);
        }
    }
    return rc;
}

int decode_cilium_endpoints(struct cilium *c, const cJSON *node, const struct field *at,
                            enum cilium_whose whose, struct cilium_endpoints *out,
                            struct error *err)
{
    struct splitting s = { .c = c, .whose = whose, .out = out };
    const cJSON *labels, *expressions;
    uint32_t count;
    int rc;

    if (!cJSON_IsObject(node)) {
        return field_error(at, err, "must be an object");
    }
    for (int o = 0; o < OWNER_COUNT; o++) {
        s.parts[o] = cJSON_CreateObject();
    }
    if ((rc = tree_object(node, at, "matchLabels", &labels, err)) == 0 &&
        (rc = tree_array(node, at, "matchExpressions", &expressions, &count, err)) == 0 &&
        (rc = split_labels(&s, labels, FIELD(at, "matchLabels"), err)) == 0 &&
        (rc = split_expressions(&s, expressions, FIELD(at, "matchExpressions"), err)) == 0) {
        force_namespace(&s);
        rc = make_selectors(&s, at, err);
    }
    for (int o = 0; o < OWNER_COUNT; o++) {
        cJSON_Delete(s.parts[o]);
    }
    return rc;
}
