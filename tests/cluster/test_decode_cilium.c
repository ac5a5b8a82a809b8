/* CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy from JSON: what Cilium's sanitization
 * refuses, and what is legal but odd. */
#include "tests/check.h"

#include "cluster/policy_object.h"

#define RULE(spec)                                                                                 \
    "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"},\"spec\":{\"endpointSelector\":{}" spec \
    "}}"
#define WIDE(spec)   "{\"metadata\":{\"name\":\"x\"},\"spec\":{" spec "}}"
#define IN(entry)    RULE(",\"ingress\":[{" entry "}]")
#define OUT(entry)   RULE(",\"egress\":[{" entry "}]")
#define PORT(fields) IN("\"toPorts\":[{\"ports\":[{" fields "}]}]")

enum { CNP = KIND_CILIUM_NETWORK_POLICY, CCNP = KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY };

static const struct {
    const char *fact;
    int kind;
    const char *json, *malformed; /* NULL: well-formed */
} rows[] = {
    { "an entry that allows nobody", CNP, IN(""), NULL },
    { "neither spec nor specs", CNP, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"}}",
      "spec" },
    { "no entry in any section", CNP, RULE(""), "spec" },
    { "both selectors", CCNP, WIDE("\"endpointSelector\":{},\"nodeSelector\":{},\"ingress\":[{}]"),
      "spec" },
    { "no selector", CCNP, WIDE("\"ingress\":[{}]"), "spec" },
    { "a node selector clusterwide", CCNP, WIDE("\"nodeSelector\":{},\"ingress\":[{}]"), NULL },
    { "a node selector in a namespace", CNP,
      "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"},\"spec\":{\"nodeSelector\":{},"
      "\"ingress\":[{}]}}",
      "spec.nodeSelector" },
    { "two kinds of peer in one entry", CNP,
      IN("\"fromEntities\":[\"world\"],\"fromCIDR\":[\"10.0.0.0/8\"]"), "spec.ingress[0]" },
    { "an entity", CNP, IN("\"fromEntities\":[\"cluster\"]"), NULL },
    { "an unknown entity", CNP, IN("\"fromEntities\":[\"moon\"]"),
      "spec.ingress[0].fromEntities[0]" },
    { "a lone address for a CIDR", CNP, OUT("\"toCIDR\":[\"10.0.0.1\"]"), NULL },
    { "a CIDR that is none", CNP, OUT("\"toCIDR\":[\"10.0.0/8\"]"), "spec.egress[0].toCIDR[0]" },
    { "an exception outside", CNP,
      OUT("\"toCIDRSet\":[{\"cidr\":\"10.0.0.0/8\",\"except\":[\"11.0.0.0/16\"]}]"),
      "spec.egress[0].toCIDRSet[0].except[0]" },
    { "names are legal", CNP, OUT("\"toFQDNs\":[{\"matchName\":\"example.com\"}]"), NULL },
    { "icmps beside toPorts", CNP,
      IN("\"icmps\":[{\"fields\":[{\"type\":8}]}],\"toPorts\":[{\"ports\":[{\"port\":\"80\"}]}]"),
      "spec.ingress[0]" },
    { "a port", CNP, PORT("\"port\":\"80\",\"protocol\":\"TCP\""), NULL },
    { "a named port", CNP, PORT("\"port\":\"web\""), NULL },
    { "port 0 is all", CNP, PORT("\"port\":\"0\""), NULL },
    { "a port too large", CNP, PORT("\"port\":\"65536\""),
      "spec.ingress[0].toPorts[0].ports[0].port" },
    { "an unknown protocol", CNP, PORT("\"port\":\"80\",\"protocol\":\"QUIC\""),
      "spec.ingress[0].toPorts[0].ports[0].protocol" },
    { "an end before the port", CNP, PORT("\"port\":\"80\",\"endPort\":79"),
      "spec.ingress[0].toPorts[0].ports[0].endPort" },
    { "an end of a named port", CNP, PORT("\"port\":\"web\",\"endPort\":90"),
      "spec.ingress[0].toPorts[0].ports[0].endPort" },
    { "41 ports in one item", CNP,
      IN("\"toPorts\":[{\"ports\":[{\"port\":\"1\"},{\"port\":\"2\"},{\"port\":\"3\"},{\"port\":"
         "\"4\"},{\"port\":\"5\"},{\"port\":\"6\"},{\"port\":\"7\"},{\"port\":\"8\"},{\"port\":"
         "\"9\"},{\"port\":\"10\"},{\"port\":\"11\"},{\"port\":\"12\"},{\"port\":\"13\"},{\"port\":"
         "\"14\"},{\"port\":\"15\"},{\"port\":\"16\"},{\"port\":\"17\"},{\"port\":\"18\"},{"
         "\"port\":\"19\"},{\"port\":\"20\"},{\"port\":\"21\"},{\"port\":\"22\"},{\"port\":\"23\"},"
         "{\"port\":\"24\"},{\"port\":\"25\"},{\"port\":\"26\"},{\"port\":\"27\"},{\"port\":\"28\"}"
         ",{\"port\":\"29\"},{\"port\":\"30\"},{\"port\":\"31\"},{\"port\":\"32\"},{\"port\":"
         "\"33\"},{\"port\":\"34\"},{\"port\":\"35\"},{\"port\":\"36\"},{\"port\":\"37\"},{"
         "\"port\":\"38\"},{\"port\":\"39\"},{\"port\":\"40\"},{\"port\":\"41\"}]}]"),
      "spec.ingress[0].toPorts[0].ports" },
};

TEST(what_cilium_refuses_is_malformed_at_its_field)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = { .code = 0 };
        struct object *obj = NULL;
        const struct cilium_policy *p;
        size_t len = rows[i].malformed != NULL ? strlen(rows[i].malformed) : 0;

        CHECK_INT(
            rows[i].fact,
            object_decode((enum kind)rows[i].kind, rows[i].json, strlen(rows[i].json), &obj, &err),
            0);
        REQUIRE(rows[i].fact, obj != NULL);
        p = (const struct cilium_policy *)obj;
        if (rows[i].malformed == NULL) {
            CHECK_STR(rows[i].fact, p->malformed != NULL ? p->malformed->text : "", "");
        } else {
            REQUIRE(rows[i].fact, p->malformed != NULL);
            CHECK(p->malformed->text, strncmp(p->malformed->text, rows[i].malformed, len) == 0 &&
                                          p->malformed->text[len] == ':');
        }
        object_destroy(obj);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(what_cilium_refuses_is_malformed_at_its_field));
}
