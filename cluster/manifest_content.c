/* Are two manifests of one object the same? Compared by what they say: the order of keys, nulls and
 * what only the server writes do not count. */
#include <string.h>

#include "base/hash.h"
#include "cluster/manifest_private.h"
#include "cluster/yaml_tree.h"

struct content_frame {
    const cJSON *node, *next;
    uint64_t sum;
};

static uint64_t hash_text(const char *text)
{
    return hash_bytes(text, strlen(text));
}

static uint64_t hash_leaf(const cJSON *node)
{
    if (cJSON_IsString(node)) {
        return hash_mix(1, hash_text(node->valuestring));
    }
    if (cJSON_IsNumber(node)) {
        return hash_mix(2, node->valuestring != NULL
                               ? hash_text(node->valuestring)
                               : hash_bytes(&node->valuedouble, sizeof(node->valuedouble)));
    }
    return cJSON_IsTrue(node) ? 3 : cJSON_IsFalse(node) ? 4 : 5;
}

/* Members that do not count: `depth` 1 is the object's own, 2 those of metadata and so on. */
static bool is_silent(const struct content_frame *stack, uint32_t depth, const cJSON *node)
{
    static const char *const server[] = { "managedFields",    "resourceVersion", "generation",
                                          "selfLink",         "namespace",       "uid",
                                          "creationTimestamp" };
    const char *parent = depth > 1 ? stack[depth - 1].node->string : NULL;

    if (cJSON_IsNull(node)) {
        return true;
    }
    if (depth == 2 && parent != NULL && strcmp(parent, "metadata") == 0) {
        for (size_t i = 0; i < ARRAY_LEN(server); i++) {
            if (strcmp(server[i], node->string) == 0) {
                return true; /* the namespace is part of the name, given or defaulted */
            }
        }
    }
    return depth == 3 && parent != NULL && strcmp(parent, "annotations") == 0 &&
           strcmp(node->string, "kubectl.kubernetes.io/last-applied-configuration") == 0;
}

static void add(struct content_frame *f, const cJSON *node, uint64_t value)
{
    if (cJSON_IsObject(f->node)) {
        f->sum += hash_mix(hash_text(node->string), value);
    } else {
        f->sum = hash_mix(f->sum, value);
    }
}

uint64_t manifest_content(const cJSON *tree)
{
    struct content_frame stack[YAML_DEPTH_MAX + 1];
    uint32_t depth = 0;
    uint64_t result = 0;

    stack[depth++] = (struct content_frame){ .node = tree, .next = tree->child };
    while (depth > 0) {
        struct content_frame *f = &stack[depth - 1];
        const cJSON *node = f->next;

        if (node == NULL) {
            result = hash_mix(cJSON_IsObject(f->node) ? 6 : 7, f->sum);
            depth--;
            if (depth > 0) {
                add(&stack[depth - 1], f->node, result);
            }
            continue;
        }
        f->next = node->next;
        if (cJSON_IsObject(f->node) && is_silent(stack, depth, node)) {
            continue;
        }
        if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
            add(f, node, hash_leaf(node));
        } else if (depth < ARRAY_LEN(stack)) {
            stack[depth++] = (struct content_frame){ .node = node, .next = node->child };
        }
    }
    return result;
}
