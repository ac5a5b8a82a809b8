/* CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy from JSON: what Cilium's sanitization
 * refuses, and what is legal but odd. */
#include "tests/check.h"

#include "cluster/policy_object.h"

#define RULE(spec)                                                                                 \
    "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"},\"spec\":{\"endpointSelector\":{}" spec \
    "}}"
#define WIDE(spec)      "{\"metadata\":{\"name\":\"x\"},\"spec\":{" spec "}}"
#define IN(entry)       RULE(",\"ingress\":[{" entry "}]")
#define OUT(entry)      RULE(",\"egress\":[{" entry "}]")
#define L7(port, rules) IN("\"toPorts\":[{\"ports\":[{" port "}],\"rules\":{" rules "}}]")
#define PORT(fields)    IN("\"toPorts\":[{\"ports\":[{" fields "}]}]")

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
    { "an end before the port makes no range", CNP, PORT("\"port\":\"80\",\"endPort\":79"), NULL },
    { "an end of a named port means nothing", CNP, PORT("\"port\":\"web\",\"endPort\":90"), NULL },
    { "an end too large", CNP, PORT("\"port\":\"80\",\"endPort\":70000"),
      "spec.ingress[0].toPorts[0].ports[0].endPort" },
    { "a name in upper case", CNP, PORT("\"port\":\"WEB\""), NULL },
    { "a name of two dashes", CNP, PORT("\"port\":\"a--b\""),
      "spec.ingress[0].toPorts[0].ports[0].port" },
    { "an octal port", CNP, PORT("\"port\":\"010\""), NULL },
    { "an octal port with an 8", CNP, PORT("\"port\":\"080\""),
      "spec.ingress[0].toPorts[0].ports[0].port" },
    { "no port", CNP, PORT("\"protocol\":\"TCP\""), "spec.ingress[0].toPorts[0].ports[0].port" },
    { "ICMP as a protocol of ports", CNP, PORT("\"port\":\"0\",\"protocol\":\"ICMP\""),
      "spec.ingress[0].toPorts[0].ports[0].protocol" },
    { "a protocol without ports", CNP, PORT("\"port\":\"0\",\"protocol\":\"GRE\""), NULL },
    { "a port of a protocol without ports", CNP, PORT("\"port\":\"80\",\"protocol\":\"GRE\""),
      "spec.ingress[0].toPorts[0].ports[0].port" },
    { "leading zeros", CNP, OUT("\"toCIDR\":[\"010.0.0.0/8\"]"), "spec.egress[0].toCIDR[0]" },
    { "a leading zero of the length", CNP, OUT("\"toCIDR\":[\"10.0.0.0/08\"]"),
      "spec.egress[0].toCIDR[0]" },
    { "host bits", CNP, OUT("\"toCIDR\":[\"10.0.0.1/8\"]"), NULL },
    { "an IPv4-mapped block", CNP, OUT("\"toCIDR\":[\"::ffff:10.0.0.0/104\"]"), NULL },
    { "a lone address in a set", CNP, OUT("\"toCIDRSet\":[{\"cidr\":\"10.0.0.1\"}]"),
      "spec.egress[0].toCIDRSet[0].cidr" },
    { "an empty set", CNP, OUT("\"toCIDRSet\":[{}]"), "spec.egress[0].toCIDRSet[0]" },
    { "a set and a group", CNP,
      OUT("\"toCIDRSet\":[{\"cidr\":\"10.0.0.0/8\",\"cidrGroupRef\":\"g\"}]"),
      "spec.egress[0].toCIDRSet[0]" },
    { "a group by its labels", CNP, OUT("\"toCIDRSet\":[{\"cidrGroupSelector\":{}}]"), NULL },
    { "an exception that is all", CNP,
      OUT("\"toCIDRSet\":[{\"cidr\":\"10.0.0.0/8\",\"except\":[\"10.0.0.0/8\"]}]"), NULL },
    { "an exception of another family", CNP,
      OUT("\"toCIDRSet\":[{\"cidr\":\"10.0.0.0/8\",\"except\":[\"fd00::/8\"]}]"),
      "spec.egress[0].toCIDRSet[0].except[0]" },
    { "Requires beside another peer, as older releases had it", CNP,
      IN("\"fromEndpoints\":[{}],\"fromRequires\":[{}]"), NULL },
    { "an empty peer beside another kind", CNP,
      IN("\"fromEndpoints\":[],\"fromEntities\":[\"world\"]"), NULL },
    { "a name and a pattern", CNP,
      OUT("\"toFQDNs\":[{\"matchName\":\"a.b\",\"matchPattern\":\"*.b\"}]"),
      "spec.egress[0].toFQDNs[0]" },
    { "a name with a star", CNP, OUT("\"toFQDNs\":[{\"matchName\":\"*.b\"}]"),
      "spec.egress[0].toFQDNs[0].matchName" },
    { "a pattern with a slash", CNP, OUT("\"toFQDNs\":[{\"matchPattern\":\"a/b\"}]"),
      "spec.egress[0].toFQDNs[0].matchPattern" },
    { "HTTP", CNP, L7("\"port\":\"80\",\"protocol\":\"TCP\"", "\"http\":[{\"method\":\"GET\"}]"),
      NULL },
    { "HTTP over UDP", CNP, L7("\"port\":\"80\",\"protocol\":\"UDP\"", "\"http\":[{}]"),
      "spec.ingress[0].toPorts[0].ports[0].protocol" },
    { "HTTP over any protocol", CNP, L7("\"port\":\"80\"", "\"http\":[{}]"),
      "spec.ingress[0].toPorts[0].ports[0].protocol" },
    { "HTTP on port 0", CNP, L7("\"port\":\"0\",\"protocol\":\"TCP\"", "\"http\":[{}]"),
      "spec.ingress[0].toPorts[0].ports[0].port" },
    { "no rule of HTTP is none", CNP, L7("\"port\":\"80\"", "\"http\":[]"), NULL },
    { "a header match without a name", CNP,
      L7("\"port\":\"80\",\"protocol\":\"TCP\"", "\"http\":[{\"headerMatches\":[{}]}]"),
      "spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].name" },
    { "DNS of ingress", CNP, L7("\"port\":\"53\"", "\"dns\":[{}]"),
      "spec.ingress[0].toPorts[0].rules.dns" },
    { "DNS of egress", CNP,
      OUT("\"toPorts\":[{\"ports\":[{\"port\":\"53\"}],\"rules\":{\"dns\":[{"
          "\"matchPattern\":\"*\"}]}}]"),
      NULL },
    { "DNS on a range", CNP,
      OUT("\"toPorts\":[{\"ports\":[{\"port\":\"53\",\"endPort\":54}],\"rules\":{\"dns\":[{}]}}]"),
      "spec.egress[0].toPorts[0].ports[0].endPort" },
    { "DNS without a port", CNP, OUT("\"toPorts\":[{\"rules\":{\"dns\":[{}]}}]"),
      "spec.egress[0].toPorts[0].ports" },
    { "DNS and HTTP", CNP,
      OUT("\"toPorts\":[{\"ports\":[{\"port\":\"53\"}],\"rules\":{\"dns\":[{}],\"http\":[{}]}}]"),
      "spec.egress[0].toPorts[0].rules" },
    { "HTTP for nodes", CCNP,
      WIDE("\"nodeSelector\":{},\"ingress\":[{\"toPorts\":[{\"ports\":[{\"port\":\"80\","
           "\"protocol\":\"TCP\"}],\"rules\":{\"http\":[{}]}}]}]"),
      "spec.ingress[0].toPorts[0].rules" },
    { "server names", CNP,
      IN("\"toPorts\":[{\"ports\":[{\"port\":\"443\"}],\"serverNames\":[\"a\"]}]"), NULL },
    { "an empty server name", CNP,
      IN("\"toPorts\":[{\"ports\":[{\"port\":\"443\"}],\"serverNames\":[\"\"]}]"),
      "spec.ingress[0].toPorts[0].serverNames[0]" },
    { "server names and HTTP", CNP,
      IN("\"toPorts\":[{\"ports\":[{\"port\":\"443\",\"protocol\":\"TCP\"}],\"serverNames\":[\"a\"]"
         ","
         "\"rules\":{\"http\":[{}]}}]"),
      "spec.ingress[0].toPorts[0].serverNames" },
    { "a listener of ingress", CNP,
      IN("\"toPorts\":[{\"ports\":[{\"port\":\"443\"}],\"listener\":{\"name\":\"l\"}}]"),
      "spec.ingress[0].toPorts[0].listener" },
    { "a listener of egress", CNP,
      OUT("\"toPorts\":[{\"ports\":[{\"port\":\"443\"}],\"listener\":{\"name\":\"l\"}}]"), NULL },
    { "ICMP of no family", CNP, IN("\"icmps\":[{\"fields\":[{\"type\":8,\"family\":\"IPv5\"}]}]"),
      "spec.ingress[0].icmps[0].fields[0].family" },
    { "a label key that is none", CNP,
      IN("\"fromEndpoints\":[{\"matchLabels\":{\"k8s:a b\":\"x\"}}]"),
      "spec.ingress[0].fromEndpoints[0]" },
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
            CHECK(rows[i].fact, strncmp(p->malformed->text, rows[i].malformed, len) == 0);
            CHECK(p->malformed->text, strchr(":.", p->malformed->text[len]) != NULL);
        }
        object_destroy(obj);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(what_cilium_refuses_is_malformed_at_its_field));
}
