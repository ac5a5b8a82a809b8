/* What the decoders of the newer policy families make of well-formed texts: shapes, limits,
 * selectors, mutual TLS, and that a change of any one field is seen. */
#include "cluster/policy_object.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/check.h"

static struct object *decoded(const char *fact, enum kind kind, const char *json)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;

    CHECK_INT(fact, object_decode(kind, json, strlen(json), &obj, &err), 0);
    REQUIRE(fact, obj != NULL);
    return obj;
}

/* ---- limits ---- */

#define SUBJECT "\"subject\":{\"namespaces\":{}}"

enum list { LIST_RULES, LIST_PEERS, LIST_PORTS };

/* A policy with one list of `count` items, the others of one. */
static void write_policy(struct buf *out, bool cluster, enum list list, unsigned count)
{
    unsigned rules = list == LIST_RULES ? count : 1, peers = list == LIST_PEERS ? count : 1;
    unsigned ports = list == LIST_PORTS ? count : 1;

    buf_reset(out);
    buf_addf(out,
             "{\"metadata\":{\"name\":\"x\"},\"spec\":{%s\"priority\":1," SUBJECT ",\"egress\":[",
             cluster ? "\"tier\":\"Admin\"," : "");
    for (unsigned r = 0; r < rules; r++) {
        buf_addf(out, "%s{\"action\":\"Deny\",\"to\":[", r > 0 ? "," : "");
        for (unsigned p = 0; p < peers; p++) {
            buf_addf(out, "%s{\"namespaces\":{}}", p > 0 ? "," : "");
        }
        buf_addf(out, "],\"%s\":[", cluster ? "protocols" : "ports");
        for (unsigned p = 0; p < ports; p++) {
            buf_addf(out, "%s{\"%s\":\"a\"}", p > 0 ? "," : "",
                     cluster ? "destinationNamedPort" : "namedPort");
        }
        buf_addf(out, "]}");
    }
    buf_addf(out, "]}}");
}

TEST(lists_are_as_long_as_the_api_allows)
{
    static const struct {
        const char *fact, *field;
        enum list list;
        bool cluster;
        unsigned limit;
    } rows[] = {
        { "rules of v1alpha2", "spec.egress:", LIST_RULES, true, 25 },
        { "peers of v1alpha2", "spec.egress[0].to:", LIST_PEERS, true, 25 },
        { "protocols of v1alpha2", "spec.egress[0].protocols:", LIST_PORTS, true, 25 },
        { "rules of v1alpha1", "spec.egress:", LIST_RULES, false, 100 },
        { "peers of v1alpha1", "spec.egress[0].to:", LIST_PEERS, false, 100 },
        { "ports of v1alpha1", "spec.egress[0].ports:", LIST_PORTS, false, 100 },
    };
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned over = 0; over < 2; over++) {
            write_policy(&text, rows[i].cluster, rows[i].list, rows[i].limit + over);
            struct object *obj =
                decoded(rows[i].fact,
                        rows[i].cluster ? KIND_CLUSTER_NETWORK_POLICY : KIND_ADMIN_NETWORK_POLICY,
                        buf_text(&text));
            const struct str *malformed = ((const struct tiered_policy *)obj)->malformed;

            CHECK(rows[i].fact,
                  over == 0 ? malformed == NULL
                            : malformed != NULL && text_starts(malformed->text, rows[i].field));
            object_destroy(obj);
        }
    }
    buf_deinit(&text);
}

/* ---- the two shapes of v1alpha1 ---- */

TEST(peers_of_v1alpha1_are_read_by_their_shape)
{
    static const struct {
        const char *fact, *peer, *namespaces, *pods; /* NULL: absent */
        enum tiered_peer_kind kind;
        bool same, not_same;
        uint32_t keys;
    } rows[] = {
        { "new, everyone", "\"namespaces\":{}", "<all>", NULL, TIERED_PEER_PODS, false, false, 0 },
        { "new, by labels", "\"namespaces\":{\"matchLabels\":{\"a\":\"b\"}}", "a=b", NULL,
          TIERED_PEER_PODS, false, false, 0 },
        { "old, by a selector",
          "\"namespaces\":{\"namespaceSelector\":{\"matchLabels\":{\"a\":\"b\"}}}", "a=b", NULL,
          TIERED_PEER_PODS, false, false, 0 },
        { "old, the same labels", "\"namespaces\":{\"sameLabels\":[\"a\",\"b\"]}", NULL, NULL,
          TIERED_PEER_PODS, true, false, 2 },
        { "old, other labels", "\"namespaces\":{\"notSameLabels\":[\"a\"]}", NULL, NULL,
          TIERED_PEER_PODS, false, true, 1 },
        { "old, no labels", "\"namespaces\":{\"sameLabels\":[]}", NULL, NULL, TIERED_PEER_PODS,
          true, false, 0 },
        { "neither", "\"namespaces\":{\"selector\":{}}", NULL, NULL, TIERED_PEER_UNMODELLED, false,
          false, 0 },
        { "new pods",
          "\"pods\":{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"a\":\"b\"}}}",
          "<all>", "a=b", TIERED_PEER_PODS, false, false, 0 },
        { "old pods",
          "\"pods\":{\"namespaces\":{\"sameLabels\":[\"t\"]},\"podSelector\":{\"matchLabels\":{"
          "\"a\":"
          "\"b\"}}}",
          NULL, "a=b", TIERED_PEER_PODS, true, false, 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *json = xasprintf("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"priority\":1," SUBJECT
                               ",\"ingress\":[{\"action\":\"Deny\",\"from\":[{%s}]}]}}",
                               rows[i].peer);
        struct object *obj = decoded(rows[i].fact, KIND_ADMIN_NETWORK_POLICY, json);
        const struct tiered_policy *p = (const struct tiered_policy *)obj;
        const struct tiered_peer *peer = &p->ingress_rules[0].peers[0];
        char namespaces[128] = "", pods[128] = "";

        CHECK(rows[i].fact, p->malformed == NULL);
        if (peer->namespaces != NULL) {
            selector_format(peer->namespaces, namespaces, sizeof(namespaces));
        }
        if (peer->pods != NULL) {
            selector_format(peer->pods, pods, sizeof(pods));
        }
        CHECK_STR(rows[i].fact, namespaces, rows[i].namespaces != NULL ? rows[i].namespaces : "");
        CHECK_STR(rows[i].fact, pods, rows[i].pods != NULL ? rows[i].pods : "");
        CHECK_INT(rows[i].fact, peer->kind, rows[i].kind);
        CHECK_INT(rows[i].fact, peer->same_labels, rows[i].same);
        CHECK_INT(rows[i].fact, peer->not_same_labels, rows[i].not_same);
        CHECK_INT(rows[i].fact, peer->key_count, rows[i].keys);
        CHECK(rows[i].fact, (peer->unmodelled != NULL) == (peer->kind == TIERED_PEER_UNMODELLED));
        object_destroy(obj);
        free(json);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

/* ---- Cilium's selectors ---- */

enum whose { SUBJECT_OF_CNP, SUBJECT_OF_CCNP, PEER_OF_CNP, PEER_OF_CCNP };

#define LABELS(pairs) "{\"matchLabels\":{" pairs "}}"
#define OWN           "kubernetes.io/metadata.name=shop"
#define ACCOUNT       "io.cilium.k8s.policy.serviceaccount"

TEST(the_selectors_of_cilium_are_split_by_whose_labels_they_read)
{
    static const struct {
        const char *fact;
        enum whose whose;
        const char *selector, *pods, *namespaces, *account; /* NULL: none */
        unsigned entities;
        const char *unmodelled;
    } rows[] = {
        { "a plain key", PEER_OF_CNP, LABELS("\"a\":\"b\""), "a=b", OWN, NULL, 0, NULL },
        { "k8s:", PEER_OF_CNP, LABELS("\"k8s:a\":\"b\""), "a=b", OWN, NULL, 0, NULL },
        { "any:", PEER_OF_CNP, LABELS("\"any:a\":\"b\""), "a=b", OWN, NULL, 0, NULL },
        { "in an expression", PEER_OF_CNP,
          "{\"matchExpressions\":[{\"key\":\"k8s:a\",\"operator\":\"Exists\"}]}", "a", OWN, NULL, 0,
          NULL },
        { "another source", PEER_OF_CNP, LABELS("\"container:a\":\"b\""), "<all>", OWN, NULL, 0,
          "labels of another source" },
        { "clusterwide, any namespace", PEER_OF_CCNP, "{}", "<all>", "<all>", NULL, 0, NULL },
        { "a namespace", PEER_OF_CNP, LABELS("\"k8s:io.kubernetes.pod.namespace\":\"x\""), "<all>",
          "kubernetes.io/metadata.name=x", NULL, 0, NULL },
        { "a namespace without prefix", PEER_OF_CNP,
          LABELS("\"io.kubernetes.pod.namespace\":\"x\""), "<all>", "kubernetes.io/metadata.name=x",
          NULL, 0, NULL },
        { "any namespace", PEER_OF_CNP,
          "{\"matchExpressions\":[{\"key\":\"k8s:io.kubernetes.pod.namespace\",\"operator\":"
          "\"Exists\"}]}",
          "<all>", "kubernetes.io/metadata.name", NULL, 0, NULL },
        { "labels of a namespace", PEER_OF_CNP,
          LABELS("\"k8s:io.cilium.k8s.namespace.labels.team\":\"x\",\"a\":\"b\""), "a=b", "team=x",
          NULL, 0, NULL },
        { "a service account", PEER_OF_CNP, LABELS("\"" ACCOUNT "\":\"robot\""), "<all>", OWN,
          ACCOUNT "=robot", 0, NULL },
        { "an entity", PEER_OF_CNP, LABELS("\"reserved:host\":\"\""), "<all>", "<all>", NULL,
          BIT(CILIUM_ENTITY_HOST), NULL },
        { "an entity that is none", PEER_OF_CNP, LABELS("\"reserved:moon\":\"\""), "<all>", "<all>",
          NULL, 0, "reserved:moon" },
        { "a cluster", PEER_OF_CNP, LABELS("\"io.cilium.k8s.policy.cluster\":\"c\""), "<all>", OWN,
          NULL, 0, "io.cilium.k8s.policy.cluster" },
        { "a subject", SUBJECT_OF_CNP, LABELS("\"a\":\"b\""), "a=b", OWN, NULL, 0, NULL },
        { "a subject of another namespace is held to the policy's", SUBJECT_OF_CNP,
          LABELS("\"k8s:io.kubernetes.pod.namespace\":\"x\""), "<all>", OWN, NULL, 0, NULL },
        { "without k8s: it is asked for as well, and nothing is both", SUBJECT_OF_CNP,
          LABELS("\"io.kubernetes.pod.namespace\":\"x\""), "<all>",
          OWN ",kubernetes.io/metadata.name=x", NULL, 0, NULL },
        { "a subject by labels of its namespace", SUBJECT_OF_CNP,
          LABELS("\"k8s:io.cilium.k8s.namespace.labels.team\":\"x\""), "<all>", OWN ",team=x", NULL,
          0, NULL },
        { "a clusterwide subject", SUBJECT_OF_CCNP,
          LABELS("\"k8s:io.kubernetes.pod.namespace\":\"x\""), "<all>",
          "kubernetes.io/metadata.name=x", NULL, 0, NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool wide = rows[i].whose == SUBJECT_OF_CCNP || rows[i].whose == PEER_OF_CCNP;
        bool subject = rows[i].whose == SUBJECT_OF_CNP || rows[i].whose == SUBJECT_OF_CCNP;
        char *json =
            xasprintf("{\"metadata\":{\"name\":\"x\"%s},\"spec\":{\"endpointSelector\":%s,"
                      "\"ingress\":[{\"fromEndpoints\":[%s]}]}}",
                      wide ? "" : ",\"namespace\":\"shop\"", subject ? rows[i].selector : "{}",
                      subject ? "{}" : rows[i].selector);
        struct object *obj = decoded(
            rows[i].fact,
            wide ? KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY : KIND_CILIUM_NETWORK_POLICY, json);
        const struct cilium_policy *p = (const struct cilium_policy *)obj;
        const struct cilium_endpoints *e =
            subject ? p->rules[0].subject : &p->rules[0].entries[CILIUM_INGRESS][0].endpoints[0];
        char pods[128], namespaces[128], account[128] = "";

        CHECK_STR(rows[i].fact, str_text(p->malformed), "");
        selector_format(e->pods, pods, sizeof(pods));
        selector_format(e->namespaces, namespaces, sizeof(namespaces));
        if (e->service_account != NULL) {
            selector_format(e->service_account, account, sizeof(account));
        }
        CHECK_STR(rows[i].fact, pods, rows[i].pods);
        CHECK_STR(rows[i].fact, namespaces, rows[i].namespaces);
        CHECK_STR(rows[i].fact, account, rows[i].account != NULL ? rows[i].account : "");
        CHECK_INT(rows[i].fact, e->entities, rows[i].entities);
        CHECK_STR(rows[i].fact, str_text(e->unmodelled),
                  rows[i].unmodelled != NULL ? rows[i].unmodelled : "");
        object_destroy(obj);
        free(json);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

/* ---- PeerAuthentication ---- */

#define MESH(spec) "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"}" spec "}"

TEST(a_peer_authentication_is_read_whole)
{
    static const struct {
        const char *fact, *json, *selector; /* NULL: none */
        enum mtls_mode mode;
        uint32_t ports;
        const char *malformed;
    } rows[] = {
        { "without a spec", MESH(""), NULL, MTLS_UNSET, 0, NULL },
        { "an empty spec", MESH(",\"spec\":{}"), NULL, MTLS_UNSET, 0, NULL },
        { "mtls without a mode", MESH(",\"spec\":{\"mtls\":{}}"), NULL, MTLS_UNSET, 0, NULL },
        { "unset", MESH(",\"spec\":{\"mtls\":{\"mode\":\"UNSET\"}}"), NULL, MTLS_UNSET, 0, NULL },
        { "disabled", MESH(",\"spec\":{\"mtls\":{\"mode\":\"DISABLE\"}}"), NULL, MTLS_DISABLE, 0,
          NULL },
        { "permissive", MESH(",\"spec\":{\"mtls\":{\"mode\":\"PERMISSIVE\"}}"), NULL,
          MTLS_PERMISSIVE, 0, NULL },
        { "strict", MESH(",\"spec\":{\"mtls\":{\"mode\":\"STRICT\"}}"), NULL, MTLS_STRICT, 0,
          NULL },
        { "a mode that is none", MESH(",\"spec\":{\"mtls\":{\"mode\":\"Strict\"}}"), NULL,
          MTLS_UNSET, 0, "spec.mtls.mode:" },
        { "an empty selector", MESH(",\"spec\":{\"selector\":{}}"), "<all>", MTLS_UNSET, 0, NULL },
        { "a workload", MESH(",\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}"), "a=b",
          MTLS_UNSET, 0, NULL },
        { "a label that is none",
          MESH(",\"spec\":{\"selector\":{\"matchLabels\":{\"a b\":\"c\"}}}"), NULL, MTLS_UNSET, 0,
          "spec.selector" },
        { "ports", MESH(",\"spec\":{\"portLevelMtls\":{\"80\":{\"mode\":\"STRICT\"},\"81\":{}}}"),
          NULL, MTLS_UNSET, 2, NULL },
        { "port 0", MESH(",\"spec\":{\"portLevelMtls\":{\"0\":{}}}"), NULL, MTLS_UNSET, 0,
          "spec.portLevelMtls.0:" },
        { "port 65536", MESH(",\"spec\":{\"portLevelMtls\":{\"65536\":{}}}"), NULL, MTLS_UNSET, 0,
          "spec.portLevelMtls.65536:" },
        { "a port with a sign", MESH(",\"spec\":{\"portLevelMtls\":{\" 80\":{}}}"), NULL,
          MTLS_UNSET, 0, "spec.portLevelMtls" },
        { "a port's mode that is none",
          MESH(",\"spec\":{\"portLevelMtls\":{\"80\":{\"mode\":\"x\"}}}"), NULL, MTLS_UNSET, 1,
          "spec.portLevelMtls.80.mode:" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct object *obj = decoded(rows[i].fact, KIND_PEER_AUTHENTICATION, rows[i].json);
        const struct peer_authentication *p = (const struct peer_authentication *)obj;
        char selector[128] = "";

        if (rows[i].malformed != NULL) {
            CHECK(rows[i].fact,
                  p->malformed != NULL && text_starts(p->malformed->text, rows[i].malformed));
        } else {
            CHECK_STR(rows[i].fact, str_text(p->malformed), "");
            CHECK_INT(rows[i].fact, p->selector != NULL, rows[i].selector != NULL);
        }
        if (p->selector != NULL && rows[i].selector != NULL) {
            selector_format(p->selector, selector, sizeof(selector));
            CHECK_STR(rows[i].fact, selector, rows[i].selector);
        }
        CHECK_INT(rows[i].fact, p->mode, rows[i].mode);
        CHECK_INT(rows[i].fact, p->port_count, rows[i].ports);
        object_destroy(obj);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

/* ---- comparing ---- */

#define POLICY(spec, status) "{\"metadata\":{\"name\":\"default\"},\"spec\":{" spec "}" status "}"

TEST(a_change_of_one_field_is_seen)
{
    static const struct {
        const char *fact;
        int kind;
        const char *before, *after;
        bool same;
    } rows[] = {
        { "the tier", KIND_CLUSTER_NETWORK_POLICY,
          POLICY("\"tier\":\"Admin\",\"priority\":1," SUBJECT, ""),
          POLICY("\"tier\":\"Baseline\",\"priority\":1," SUBJECT, ""), false },
        { "the priority", KIND_CLUSTER_NETWORK_POLICY,
          POLICY("\"tier\":\"Admin\",\"priority\":1," SUBJECT, ""),
          POLICY("\"tier\":\"Admin\",\"priority\":2," SUBJECT, ""), false },
        { "the subject", KIND_ADMIN_NETWORK_POLICY, POLICY("\"priority\":1," SUBJECT, ""),
          POLICY("\"priority\":1,\"subject\":{\"namespaces\":{\"matchLabels\":{\"a\":\"b\"}}}", ""),
          false },
        { "an action", KIND_BASELINE_ADMIN_NETWORK_POLICY,
          POLICY(SUBJECT ",\"ingress\":[{\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}]}]", ""),
          POLICY(SUBJECT ",\"ingress\":[{\"action\":\"Allow\",\"from\":[{\"namespaces\":{}}]}]",
                 ""),
          false },
        { "a name of a rule, which answers show", KIND_ADMIN_NETWORK_POLICY,
          POLICY(SUBJECT ",\"ingress\":[{\"name\":\"a\",\"action\":\"Deny\",\"from\":[{}]}]", ""),
          POLICY(SUBJECT ",\"ingress\":[{\"name\":\"b\",\"action\":\"Deny\",\"from\":[{}]}]", ""),
          false },
        { "the status, which means nothing", KIND_ADMIN_NETWORK_POLICY,
          POLICY("\"priority\":1," SUBJECT, ""),
          POLICY("\"priority\":1," SUBJECT, ",\"status\":{\"conditions\":[]}"), true },
        { "a port of Cilium", KIND_CILIUM_NETWORK_POLICY,
          POLICY("\"endpointSelector\":{},\"ingress\":[{\"toPorts\":[{\"ports\":[{\"port\":\"1\"}]}"
                 "]}]",
                 ""),
          POLICY("\"endpointSelector\":{},\"ingress\":[{\"toPorts\":[{\"ports\":[{\"port\":\"2\"}]}"
                 "]}]",
                 ""),
          false },
        { "default-deny", KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY,
          POLICY("\"endpointSelector\":{},\"ingress\":[{}]", ""),
          POLICY(
              "\"endpointSelector\":{},\"ingress\":[{}],\"enableDefaultDeny\":{\"ingress\":false}",
              ""),
          false },
        { "Cilium calls it invalid", KIND_CILIUM_NETWORK_POLICY,
          POLICY("\"endpointSelector\":{},\"ingress\":[{}]", ""),
          POLICY("\"endpointSelector\":{},\"ingress\":[{}]",
                 ",\"status\":{\"conditions\":[{\"type\":\"Valid\",\"status\":\"False\"}]}"),
          false },
        { "Cilium calls it valid", KIND_CILIUM_NETWORK_POLICY,
          POLICY("\"endpointSelector\":{},\"ingress\":[{}]", ""),
          POLICY("\"endpointSelector\":{},\"ingress\":[{}]",
                 ",\"status\":{\"conditions\":[{\"type\":\"Valid\",\"status\":\"True\"}]}"),
          true },
        { "a mode", KIND_PEER_AUTHENTICATION, POLICY("\"mtls\":{\"mode\":\"STRICT\"}", ""),
          POLICY("\"mtls\":{\"mode\":\"DISABLE\"}", ""), false },
        { "a mode of a port", KIND_PEER_AUTHENTICATION,
          POLICY("\"portLevelMtls\":{\"80\":{\"mode\":\"STRICT\"}}", ""),
          POLICY("\"portLevelMtls\":{\"80\":{\"mode\":\"DISABLE\"}}", ""), false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct object *a = decoded(rows[i].fact, (enum kind)rows[i].kind, rows[i].before);
        struct object *b = decoded(rows[i].fact, (enum kind)rows[i].kind, rows[i].after);
        struct object *c = decoded(rows[i].fact, (enum kind)rows[i].kind, rows[i].before);

        CHECK_INT(rows[i].fact, object_same(a, b), rows[i].same);
        CHECK("the same text is the same", object_same(a, c));
        object_destroy(a);
        object_destroy(b);
        object_destroy(c);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(lists_are_as_long_as_the_api_allows),
              cmocka_unit_test(peers_of_v1alpha1_are_read_by_their_shape),
              cmocka_unit_test(the_selectors_of_cilium_are_split_by_whose_labels_they_read),
              cmocka_unit_test(a_peer_authentication_is_read_whole),
              cmocka_unit_test(a_change_of_one_field_is_seen));
}
