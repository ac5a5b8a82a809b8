/* ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy from JSON: what breaks
 * the rules of their API, and what is legal but odd. */
#include "tests/check.h"

#include "cluster/policy_object.h"

#define NAMED(name, spec) "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{" spec "}}"
#define CNP(rest)                                                                                  \
    NAMED("x", "\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}}" rest)
#define ANP(rest)            NAMED("x", "\"priority\":1,\"subject\":{\"namespaces\":{}}" rest)
#define BANP(name, rest)     NAMED(name, "\"subject\":{\"namespaces\":{}}" rest)
#define INGRESS(peers, rest) ",\"ingress\":[{\"action\":\"Deny\",\"from\":[" peers "]" rest "}]"
#define EGRESS(peers, rest)  ",\"egress\":[{\"action\":\"Deny\",\"to\":[" peers "]" rest "}]"
#define ALL                  "{\"namespaces\":{}}"
#define PROTOCOLS(item)      ",\"protocols\":[" item "]"

enum { CNP_KIND = KIND_CLUSTER_NETWORK_POLICY, ANP_KIND = KIND_ADMIN_NETWORK_POLICY };
enum { BANP_KIND = KIND_BASELINE_ADMIN_NETWORK_POLICY };

static const struct {
    const char *fact;
    int kind;
    const char *json, *malformed; /* NULL: well-formed */
} rows[] = {
    { "the least there is", CNP_KIND, CNP(""), NULL },
    { "a deny of everyone", CNP_KIND, CNP(INGRESS(ALL, "")), NULL },
    { "a tier of another name", CNP_KIND,
      NAMED("x", "\"tier\":\"Top\",\"priority\":1,\"subject\":{\"namespaces\":{}}"), "spec.tier" },
    { "priority 1000", ANP_KIND, NAMED("x", "\"priority\":1000,\"subject\":{\"namespaces\":{}}"),
      NULL },
    { "priority 1001", ANP_KIND, NAMED("x", "\"priority\":1001,\"subject\":{\"namespaces\":{}}"),
      "spec.priority" },
    { "priority -1", CNP_KIND,
      NAMED("x", "\"tier\":\"Admin\",\"priority\":-1,\"subject\":{\"namespaces\":{}}"),
      "spec.priority" },
    { "a subject of both kinds", ANP_KIND,
      NAMED("x", "\"priority\":1,\"subject\":{\"namespaces\":{},\"pods\":{}}"), "spec.subject" },
    { "a subject of no kind", ANP_KIND, NAMED("x", "\"priority\":1,\"subject\":{}"),
      "spec.subject" },
    { "a baseline named default", BANP_KIND, BANP("default", ""), NULL },
    { "a baseline of another name", BANP_KIND, BANP("x", ""), "metadata.name" },
    { "a baseline that passes", BANP_KIND,
      BANP("default", ",\"ingress\":[{\"action\":\"Pass\",\"from\":[" ALL "]}]"),
      "spec.ingress[0].action" },
    { "Allow in the new API", CNP_KIND,
      CNP(",\"ingress\":[{\"action\":\"Allow\",\"from\":[" ALL "]}]"), "spec.ingress[0].action" },
    { "Accept in the old API", ANP_KIND,
      ANP(",\"ingress\":[{\"action\":\"Accept\",\"from\":[" ALL "]}]"), "spec.ingress[0].action" },
    { "no peer", CNP_KIND, CNP(INGRESS("", "")), "spec.ingress[0].from" },
    { "two kinds of one peer", CNP_KIND, CNP(INGRESS("{\"namespaces\":{},\"pods\":{}}", "")),
      "spec.ingress[0].from[0]" },
    { "a network", CNP_KIND, CNP(EGRESS("{\"networks\":[\"10.0.0.0/8\"]}", "")), NULL },
    { "a network that is none", CNP_KIND, CNP(EGRESS("{\"networks\":[\"10.0.0/8\"]}", "")),
      "spec.egress[0].to[0].networks[0]" },
    { "no network", CNP_KIND, CNP(EGRESS("{\"networks\":[]}", "")),
      "spec.egress[0].to[0].networks" },
    { "nodes are legal", CNP_KIND, CNP(EGRESS("{\"nodes\":{}}", "")), NULL },
    { "a port", CNP_KIND,
      CNP(INGRESS(ALL, PROTOCOLS("{\"tcp\":{\"destinationPort\":{\"number\":80}}}"))), NULL },
    { "two protocols in one", CNP_KIND, CNP(INGRESS(ALL, PROTOCOLS("{\"tcp\":{},\"udp\":{}}"))),
      "spec.ingress[0].protocols[0]" },
    { "port 0", CNP_KIND,
      CNP(INGRESS(ALL, PROTOCOLS("{\"tcp\":{\"destinationPort\":{\"number\":0}}}"))),
      "spec.ingress[0].protocols[0].tcp.destinationPort.number" },
    { "a range that falls", CNP_KIND,
      CNP(INGRESS(ALL, PROTOCOLS("{\"tcp\":{\"destinationPort\":{\"range\":{\"start\":9,\"end\":8}"
                                 "}}}"))),
      "spec.ingress[0].protocols[0].tcp.destinationPort.range" },
    { "a named port with networks", CNP_KIND,
      CNP(EGRESS("{\"networks\":[\"10.0.0.0/8\"]}", PROTOCOLS("{\"destinationNamedPort\":\"a\"}"))),
      "spec.egress[0].protocols[0]" },
    { "two forms of an old port", ANP_KIND,
      ANP(INGRESS(ALL, ",\"ports\":[{\"namedPort\":\"a\",\"portNumber\":{\"protocol\":\"TCP\","
                       "\"port\":1}}]")),
      "spec.ingress[0].ports[0]" },
};

TEST(what_breaks_the_rules_of_the_api_is_malformed_at_its_field)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = { .code = 0 };
        struct object *obj = NULL;
        const struct tiered_policy *p;
        size_t len = rows[i].malformed != NULL ? strlen(rows[i].malformed) : 0;

        CHECK_INT(
            rows[i].fact,
            object_decode((enum kind)rows[i].kind, rows[i].json, strlen(rows[i].json), &obj, &err),
            0);
        REQUIRE(rows[i].fact, obj != NULL);
        p = (const struct tiered_policy *)obj;
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
    RUN_TESTS(cmocka_unit_test(what_breaks_the_rules_of_the_api_is_malformed_at_its_field));
}
