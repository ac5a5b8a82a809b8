#include "cluster/manifest_check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "cluster/cidr.h"
#include "cluster/name_syntax.h"
#include "cluster/schema.h"

enum { ANNOTATIONS_MAX_BYTES = 256 * 1024, CRON_JOB_NAME_MAX = 52, KEY_SHOWN_MAX = 100 };

#define SUBDOMAIN_RULE                                                                             \
    "must consist of lower case letters, digits, '-' and '.', begin and end with a letter or "     \
    "digit, and have at most 253 characters"
#define LABEL_RULE                                                                                 \
    "must consist of lower case letters, digits and '-', begin and end with a letter or digit, "   \
    "and have at most 63 characters"

static void say(struct manifest_check *c, bool warning, const cJSON *node, const struct field *at,
                const char *fmt, va_list args)
{
    char path[TREE_PATH_MAX], sentence[512];

    field_format(at, path);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    c->fault(c->ctx, warning, node, path, sentence);
}

void check_error(struct manifest_check *c, const cJSON *node, const struct field *at,
                 const char *fmt, ...)
{
    va_list args;

    c->errors++;
    va_start(args, fmt);
    say(c, false, node, at, fmt, args);
    va_end(args);
}

void check_warning(struct manifest_check *c, const cJSON *node, const struct field *at,
                   const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, true, node, at, fmt, args);
    va_end(args);
}

const char *check_text(const cJSON *obj, const char *key)
{
    const cJSON *node = tree_get(obj, key);

    return cJSON_IsString(node) ? node->valuestring : NULL;
}

const cJSON *check_list(const cJSON *obj, const char *key)
{
    const cJSON *node = tree_get(obj, key);

    return cJSON_IsArray(node) ? node : NULL;
}

const cJSON *check_mapping(const cJSON *obj, const char *key)
{
    const cJSON *node = tree_get(obj, key);

    return cJSON_IsObject(node) ? node : NULL;
}

/* ---- labels and selectors ---- */

static void check_label_key(struct manifest_check *c, const char *key, const cJSON *node,
                            const struct field *at)
{
    if (!name_is_label_key(key)) {
        check_error(c, node, at,
                    "'%.*s' is no label key: [prefix/]name with a DNS name as prefix and at most "
                    "63 letters, digits, '-', '_' and '.' as name",
                    KEY_SHOWN_MAX, key);
    }
}

static void check_label_value(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    if (cJSON_IsString(node) && !name_is_label_value(node->valuestring)) {
        check_error(c, node, at,
                    "'%.*s' is no label value: at most 63 letters, digits, '-', '_' and '.', "
                    "beginning and ending with a letter or digit",
                    KEY_SHOWN_MAX, node->valuestring);
    }
}

void check_labels(struct manifest_check *c, const cJSON *obj, const struct field *obj_at,
                  const char *key)
{
    const struct field *at = FIELD(obj_at, key);
    const cJSON *map = check_mapping(obj, key), *child;

    cJSON_ArrayForEach(child, map)
    {
        check_label_key(c, child->string, child, at);
        check_label_value(c, child, FIELD(at, child->string));
    }
}

static void check_requirement(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const char *op = check_text(node, "operator"), *key = check_text(node, "key");
    const cJSON *values = check_list(node, "values"), *child;
    const cJSON *op_node = tree_get(node, "operator"), *key_node = tree_get(node, "key");
    uint32_t i = 0;

    if (key != NULL || key_node == NULL) {
        if (key == NULL || key[0] == '\0') {
            check_error(c, key_node != NULL ? key_node : node, FIELD(at, "key"), "is required");
        } else {
            check_label_key(c, key, key_node, FIELD(at, "key"));
        }
    }
    if (op == NULL) {
        if (op_node == NULL) {
            check_error(c, node, FIELD(at, "operator"), "is required");
        }
    } else if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
        if (values == NULL || values->child == NULL) {
            check_error(c, node, FIELD(at, "values"), "is required with operator %s", op);
        }
    } else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
        if (values != NULL && values->child != NULL) {
            check_error(c, values, FIELD(at, "values"), "must not be given with operator %s", op);
        }
    } else {
        check_error(c, op_node, FIELD(at, "operator"), "must be In, NotIn, Exists or DoesNotExist");
    }
    cJSON_ArrayForEach(child, values)
    {
        check_label_value(c, child, ELEMENT(FIELD(at, "values"), i));
        i++;
    }
}

void check_selector(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    const struct field *list_at = FIELD(at, "matchExpressions");
    const cJSON *child;
    uint32_t i = 0;

    check_labels(c, node, at, "matchLabels");
    cJSON_ArrayForEach(child, check_list(node, "matchExpressions"))
    {
        if (cJSON_IsObject(child)) {
            check_requirement(c, child, ELEMENT(list_at, i));
        }
        i++;
    }
}

/* ---- addresses, ports, words ---- */

/* False when it has been complained of, or is no text. */
static bool parse_block(struct manifest_check *c, const cJSON *node, const struct field *at,
                        struct cidr *out)
{
    if (!cJSON_IsString(node)) {
        return false;
    }
    if (node->valuestring[0] == '\0') {
        check_error(c, node, at, "must not be empty");
        return false;
    }
    if (!cidr_parse(node->valuestring, out)) {
        check_error(c, node, at, "must be a CIDR such as 10.9.8.0/24 or 2001:db8::/64");
        return false;
    }
    return true;
}

void check_cidr(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    char canonical[CIDR_TEXT_MAX];
    struct cidr block;

    if (!parse_block(c, node, at, &block)) {
        return;
    }
    cidr_format(&block, canonical);
    if (block.mapped) {
        check_error(c, node, at, "must not be an IPv4-mapped IPv6 block");
    } else if (block.leading_zeros) {
        check_error(c, node, at, "must not have leading zeros; is %s meant?", canonical);
    } else if (block.host_bits) {
        check_error(c, node, at, "has bits set beyond its prefix length; is %s meant?", canonical);
    }
}

void check_block(struct manifest_check *c, const cJSON *node, const struct field *at,
                 enum check_block reading)
{
    char canonical[CIDR_TEXT_MAX];
    struct cidr block;

    if (!parse_block(c, node, at, &block)) {
        return;
    }
    cidr_format(&block, canonical);
    if (block.leading_zeros) {
        check_error(c, node, at, "must not have leading zeros; is %s meant?", canonical);
    } else if (block.mapped && reading == CHECK_BLOCK_NETIP_NOT_MAPPED) {
        check_error(c, node, at, "must not be an IPv4-mapped IPv6 block");
    } else if (block.mapped) {
        check_warning(c, node, at, "is an IPv4-mapped IPv6 block; is %s meant?", canonical);
    } else if (block.host_bits) {
        check_warning(c, node, at,
                      "has bits set beyond its prefix length, which mean nothing; is %s meant?",
                      canonical);
    }
}

bool check_port_number(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    int64_t value;

    if (!cJSON_IsNumber(node)) {
        return false;
    }
    if (!tree_is_int(node, &value) || value < 1 || value > 65535) {
        check_error(c, node, at, "must be from 1 to 65535");
    }
    return true;
}

void check_word(struct manifest_check *c, const cJSON *obj, const struct field *at, const char *key,
                const char *const *words)
{
    const char *text = check_text(obj, key), *near = NULL;
    char list[256];
    size_t used = 0;

    if (text == NULL || text[0] == '\0') {
        return;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            return;
        }
        if (text_iequal(words[i], text)) {
            near = words[i];
        }
        int n = snprintf(list + used, sizeof(list) - used, "%s%s",
                         i == 0                 ? ""
                         : words[i + 1] == NULL ? " or "
                                                : ", ",
                         words[i]);
        used += n > 0 && (size_t)n < sizeof(list) - used ? (size_t)n : 0;
    }
    check_error(c, tree_get(obj, key), FIELD(at, key), "must be %s%s", list,
                near != NULL ? "; upper and lower case count" : "");
}

void check_protocol(struct manifest_check *c, const cJSON *obj, const struct field *at)
{
    static const char *const words[] = { "TCP", "UDP", "SCTP", NULL };

    check_word(c, obj, at, "protocol", words);
}

static bool only_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

void check_port_name(struct manifest_check *c, const cJSON *node, const struct field *at)
{
    if (!cJSON_IsString(node) || name_is_port(node->valuestring)) {
        return;
    }
    if (only_digits(node->valuestring)) {
        check_error(c, node, at, "is a number in quotes, which would be a port name; unquote it");
    } else {
        check_error(c, node, at,
                    "is no port name: at most 15 lower case letters, digits and single '-', with a "
                    "letter, not beginning or ending with '-'");
    }
}

/* ---- metadata ---- */

static bool wants_label_name(enum kind kind)
{
    return kind == KIND_NAMESPACE || kind == KIND_SERVICE || kind == KIND_STATEFUL_SET;
}

static void check_name(struct manifest_check *c, const cJSON *metadata, const struct field *at)
{
    const cJSON *node = tree_get(metadata, "name");
    const char *name = check_text(metadata, "name");
    const char *prefix = check_text(metadata, "generateName");

    if (node != NULL && name == NULL) {
        return; /* of the wrong type, and said so */
    }
    if (name == NULL || name[0] == '\0') {
        if (prefix == NULL || prefix[0] == '\0') {
            check_error(c, node != NULL ? node : tree_get(c->tree, "metadata"), FIELD(at, "name"),
                        "is required");
        }
        return;
    }
    if (wants_label_name(c->row->kind) ? !name_is_dns_label(name) : !name_is_dns_subdomain(name)) {
        check_error(c, node, FIELD(at, "name"), "%s",
                    wants_label_name(c->row->kind) ? LABEL_RULE : SUBDOMAIN_RULE);
    } else if (c->row->kind == KIND_CRON_JOB && strlen(name) > CRON_JOB_NAME_MAX) {
        check_error(c, node, FIELD(at, "name"), "must have at most %d characters",
                    (int)CRON_JOB_NAME_MAX);
    }
}

static void check_namespace(struct manifest_check *c, const cJSON *metadata, const struct field *at)
{
    const cJSON *node = tree_get(metadata, "namespace");
    const char *ns = check_text(metadata, "namespace");

    if (ns == NULL || ns[0] == '\0') {
        return;
    }
    if (!c->row->namespaced) {
        check_error(c, node, FIELD(at, "namespace"), "must not be given: %s is not namespaced",
                    c->row->name);
    } else if (!name_is_dns_label(ns)) {
        check_error(c, node, FIELD(at, "namespace"), "%s", LABEL_RULE);
    }
}

/* Keys of annotations are label keys without regard to case. */
static void check_annotations(struct manifest_check *c, const cJSON *metadata,
                              const struct field *metadata_at)
{
    const struct field *at = FIELD(metadata_at, "annotations");
    const cJSON *map = check_mapping(metadata, "annotations"), *child;
    size_t bytes = 0;

    cJSON_ArrayForEach(child, map)
    {
        char lower[512];
        size_t len = strlen(child->string);

        bytes += len + (cJSON_IsString(child) ? strlen(child->valuestring) : 0);
        for (size_t i = 0; i <= len && i < sizeof(lower); i++) {
            lower[i] = (char)tolower((unsigned char)child->string[i]);
        }
        if (len >= sizeof(lower) || !name_is_label_key(lower)) {
            check_error(c, child, at, "'%.*s' is no annotation key: [prefix/]name as in label keys",
                        KEY_SHOWN_MAX, child->string);
        }
    }
    if (bytes > ANNOTATIONS_MAX_BYTES) {
        check_error(c, map, at, "hold more than %d bytes", (int)ANNOTATIONS_MAX_BYTES);
    }
}

static void check_metadata(struct manifest_check *c)
{
    const struct field *at = FIELD(NULL, "metadata");
    const cJSON *metadata = tree_get(c->tree, "metadata");

    if (metadata != NULL && !cJSON_IsObject(metadata)) {
        return;
    }
    check_name(c, metadata, at);
    check_namespace(c, metadata, at);
    check_labels(c, metadata, at, "labels");
    check_annotations(c, metadata, at);
}

static void schema_fault(void *ctx, const cJSON *node, const struct field *at, const char *sentence)
{
    check_error(ctx, node, at, "%s", sentence);
}

void manifest_check_object(struct manifest_check *c)
{
    kube_schema_check(c->row->name, c->tree, schema_fault, c);
    check_metadata(c);
    switch (c->row->kind) {
    case KIND_NETWORK_POLICY:
        check_network_policy(c);
        break;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        check_tiered_policy(c);
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        check_cilium_policy(c);
        break;
    case KIND_PEER_AUTHENTICATION:
        check_peer_authentication(c);
        break;
    case KIND_SERVICE:
        check_service(c);
        break;
    case KIND_INGRESS:
        check_ingress(c);
        break;
    case KIND_INGRESS_CLASS:
        check_ingress_class(c);
        break;
    case KIND_POD:
        check_pod(c);
        break;
    default:
        if (c->row->workload) {
            check_workload(c);
        }
    }
}
