/* What Cilium's agent refuses in the parts of a rule that are read for nothing else here (1.20,
 * pkg/policy/api): rules of layer 7, listeners, names of DNS, ICMP. A fault there drops the whole
 * object as any other does. Not tried: the regular expressions of HTTP rules. */
#include <string.h>
#include <strings.h>

#include "base/vec.h"
#include "cluster/decode_cilium.h"

enum { ICMP_FIELDS_MAX = 40, DNS_NAME_MAX = 255 };

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = tree_get(obj, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

/* ---- names of DNS ---- */

static void check_name(struct cilium *c, const cJSON *item, const struct field *at)
{
    const char *name = text_of(item, "matchName"), *pattern = text_of(item, "matchPattern");

    if (name[strspn(name, NAME_CHARACTERS)] != '\0') {
        cilium_note(c, FIELD(at, "matchName"), "must hold letters, digits, '-', '_' and '.' only");
    }
    if (pattern[strspn(pattern, NAME_CHARACTERS "*")] != '\0') {
        cilium_note(c, FIELD(at, "matchPattern"),
                    "must hold letters, digits, '-', '_', '.' and '*' only");
    }
    if (strlen(pattern) > DNS_NAME_MAX) {
        cilium_note(c, FIELD(at, "matchPattern"), "must have at most 255 characters");
    }
}

void cilium_check_names(struct cilium *c, const cJSON *list, const struct field *at)
{
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, list)
    {
        const struct field *item_at = ELEMENT(at, i++);

        if (text_of(child, "matchName")[0] != '\0' && text_of(child, "matchPattern")[0] != '\0') {
            cilium_note(c, item_at, "must hold either matchName or matchPattern, not both");
        }
        check_name(c, child, item_at);
    }
}

/* ---- layer 7 ---- */

/* toPorts without a port, or "0". */
static bool is_any_port(const cJSON *port)
{
    const char *text = text_of(port, "port");

    return text[0] != '\0' && strspn(text, "0") == strlen(text);
}

static void check_ports(struct cilium *c, const cJSON *item, const struct field *at, bool dns)
{
    const struct field *ports_at = FIELD(at, "ports");
    const cJSON *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, tree_get(item, "ports"))
    {
        const struct field *port_at = ELEMENT(ports_at, i++);
        const cJSON *end = tree_get(child, "endPort");

        if (!dns && strcasecmp(text_of(child, "protocol"), "TCP") != 0) {
            cilium_note(c, FIELD(port_at, "protocol"), "must be TCP where rules look into HTTP");
        }
        if (is_any_port(child)) {
            cilium_note(c, FIELD(port_at, "port"), "must not be 0 beside rules of layer 7");
        }
        if (dns && cJSON_IsNumber(end) && end->valuedouble > 0) {
            cilium_note(c, FIELD(port_at, "endPort"), "cannot go with rules of DNS");
        }
    }
}

static void check_header_matches(struct cilium *c, const cJSON *http, const struct field *http_at)
{
    static const char *const words[] = { "", "LOG", "ADD", "DELETE", "REPLACE" };
    const cJSON *rule, *match;
    uint32_t i = 0;

    cJSON_ArrayForEach(rule, http)
    {
        const struct field *at = FIELD(ELEMENT(http_at, i++), "headerMatches");
        uint32_t k = 0;

        cJSON_ArrayForEach(match, tree_get(rule, "headerMatches"))
        {
            const struct field *match_at = ELEMENT(at, k++);
            size_t w = 0;

            if (text_of(match, "name")[0] == '\0') {
                cilium_note(c, FIELD(match_at, "name"), "is required");
            }
            while (w < ARRAY_LEN(words) && strcmp(words[w], text_of(match, "mismatch")) != 0) {
                w++;
            }
            if (w == ARRAY_LEN(words)) {
                cilium_note(c, FIELD(match_at, "mismatch"), "must be LOG, ADD, DELETE or REPLACE");
            }
        }
    }
}

static void check_rules(struct cilium *c, const cJSON *item, const struct field *at,
                        const cJSON *http, const cJSON *dns)
{
    const struct field *rules_at = FIELD(at, "rules"), *dns_at = FIELD(rules_at, "dns");
    const cJSON *child;
    uint32_t i = 0;

    if (http != NULL && dns != NULL) {
        cilium_note(c, rules_at, "must be of one protocol");
    }
    if (cJSON_GetArraySize(dns) > 0 && c->ingress) {
        cilium_note(c, dns_at, "cannot stand in a rule of ingress");
    }
    if (c->of_hosts && (c->ingress || cJSON_GetArraySize(http) > 0)) {
        cilium_note(c, rules_at, "cannot stand in a rule for nodes");
    }
    if (dns != NULL && cJSON_GetArraySize(tree_get(item, "ports")) == 0) {
        cilium_note(c, FIELD(at, "ports"), "must be given beside rules of DNS");
    }
    cJSON_ArrayForEach(child, dns)
    {
        check_name(c, child, ELEMENT(dns_at, i));
        i++;
    }
    check_header_matches(c, http, FIELD(rules_at, "http"));
    check_ports(c, item, at, cJSON_GetArraySize(dns) > 0);
}

void cilium_check_layer7(struct cilium *c, const cJSON *item, const struct field *at)
{
    const struct field *names_at = FIELD(at, "serverNames");
    const cJSON *rules = tree_get(item, "rules"), *names = tree_get(item, "serverNames"), *child;
    const cJSON *http = tree_get(rules, "http"), *dns = tree_get(rules, "dns");
    bool any = cJSON_GetArraySize(http) + cJSON_GetArraySize(dns) > 0;
    uint32_t i = 0;

    cJSON_ArrayForEach(child, names)
    {
        if (cJSON_IsString(child) && child->valuestring[0] == '\0') {
            cilium_note(c, ELEMENT(names_at, i), "must not be empty");
        }
        i++;
    }
    if (i > 0 && any && tree_get(item, "terminatingTLS") == NULL) {
        cilium_note(c, names_at, "need terminatingTLS beside rules of layer 7");
    }
    if (tree_get(item, "listener") != NULL && (c->ingress || any)) {
        cilium_note(c, FIELD(at, "listener"),
                    c->ingress ? "cannot stand in a rule of ingress"
                               : "cannot stand beside rules of layer 7");
    }
    if (any) {
        check_rules(c, item, at, http, dns);
    }
}

/* ---- ICMP ---- */

void cilium_check_icmps(struct cilium *c, const cJSON *list, const struct field *list_at)
{
    const cJSON *item, *child;
    uint32_t i = 0;

    cJSON_ArrayForEach(item, list)
    {
        const struct field *at = FIELD(ELEMENT(list_at, i++), "fields");
        const cJSON *fields = tree_get(item, "fields");
        uint32_t k = 0;

        if (cJSON_GetArraySize(fields) > ICMP_FIELDS_MAX) {
            cilium_note(c, at, "must hold at most 40 types");
        }
        cJSON_ArrayForEach(child, fields)
        {
            const struct field *family_at = FIELD(ELEMENT(at, k++), "family");
            const char *family = text_of(child, "family");

            if (family[0] != '\0' && strcmp(family, "IPv4") != 0 && strcmp(family, "IPv6") != 0) {
                cilium_note(c, family_at, "must be IPv4 or IPv6");
            }
        }
    }
}
