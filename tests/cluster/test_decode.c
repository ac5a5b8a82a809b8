/* From JSON to typed objects: what is read, what is refused and with which sentence, what makes a
 * policy malformed. */
#include "tests/check.h"

#include "base/buf.h"
#include "cluster/decode.h"
#include "cluster/object.h"
#include "cluster/projection.h"

#define META         "\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\"}"
#define POLICY(spec) "{" META ",\"spec\":" spec "}"

static struct object *decode(enum kind kind, const char *json)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s: %s\n", json, err.text);
    }
    return obj;
}

TEST(metadata_is_read_whole)
{
    struct object *obj = decode(
        KIND_SERVICE,
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u-1\","
        "\"resourceVersion\":"
        "\"42\",\"labels\":{\"a\":\"1\"},\"annotations\":{\"k\":\"v\",\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"secret\"},\"creationTimestamp\":\"2026-11-01T12:00:00Z\","
        "\"deletionTimestamp\":\"2026-11-01T13:00:00Z\",\"managedFields\":[{\"manager\":"
        "\"kubectl\","
        "\"operation\":\"Update\",\"time\":\"2026-11-01T12:30:00Z\"},{\"manager\":\"helm\","
        "\"operation\":\"Apply\",\"time\":\"2026-11-01T12:00:00Z\"}]}}");

    REQUIRE("it decodes", obj != NULL);
    CHECK_STR("name", obj->name->text, "web");
    CHECK_STR("namespace", obj->ns->text, "shop");
    CHECK_STR("uid", obj->uid->text, "u-1");
    CHECK_STR("version", obj->resource_version->text, "42");
    CHECK("labels", label_set_has(obj->labels, "a", "1"));
    CHECK("annotations less kubectl's copy of the object",
          obj->annotations->count == 1 && label_set_has(obj->annotations, "k", "v"));
    CHECK("it is being deleted", obj->deleting);
    CHECK_INT("created", obj->created_ms, 1793534400000);
    CHECK_STR("the newest writer", obj->cause.manager->text, "kubectl");
    CHECK_INT("and when", obj->cause.time_ms, 1793536200000);
    object_destroy(obj);
    CHECK_INT("nothing is left behind", str_table_count(), 0);
}

TEST(a_pod_keeps_what_rules_read)
{
    struct object *obj = decode(KIND_POD, "{\"metadata\":{\"name\":\"p\",\"namespace\":\"shop\","
                                          "\"annotations\":{\"x\":\"y\",\"netauditd.io/"
                                          "owner\":\"team\",\"network-policy.kubernetes.io/"
                                          "ingress\":\"u\"},\"ownerReferences\":[{\"kind\":"
                                          "\"A\",\"name\":\"a\",\"apiVersion\":\"v1\"},{\"kind\":"
                                          "\"ReplicaSet\",\"apiVersion\":\"apps/v1\","
                                          "\"name\":\"rs\",\"uid\":\"r\",\"controller\":true}],"
                                          "\"managedFields\":\"not even looked at\"},"
                                          "\"spec\":{\"initContainers\":[{\"ports\":[{"
                                          "\"containerPort\":1}]},{\"restartPolicy\":\"Always\","
                                          "\"ports\":[{\"containerPort\":2,\"name\":\"side\","
                                          "\"protocol\":\"UDP\"}]}],\"containers\":["
                                          "{\"ports\":[{\"containerPort\":8080,\"name\":\"http\"},{"
                                          "\"containerPort\":9,\"hostPort\":9}]},{}],"
                                          "\"serviceAccountName\":\"sa\"},\"status\":{\"phase\":"
                                          "\"Failed\",\"podIPs\":[{\"ip\":\"10.0.0.1\"},"
                                          "{\"ip\":\"fd00::1\"}]}}");
    struct pod_object *pod = (struct pod_object *)obj;

    REQUIRE("it decodes", obj != NULL);
    CHECK_INT("ports of containers and restartable init containers", pod->shape->port_count, 3);
    CHECK_STR("in order", str_text(pod->shape->ports[0].name), "http");
    CHECK("an unnamed port has no name", pod->shape->ports[1].name == NULL);
    CHECK("protocols", pod->shape->ports[0].protocol == PROTOCOL_TCP &&
                           pod->shape->ports[2].protocol == PROTOCOL_UDP);
    CHECK("a hostPort is told", pod->shape->has_host_port && !pod->shape->host_network);
    CHECK_STR("service account", pod->shape->service_account->text, "sa");
    CHECK_STR("an unset DNS policy is the default", pod->shape->dns_policy->text, "ClusterFirst");
    CHECK_STR("the controller among the owners", str_text(pod->owner.name), "rs");
    CHECK("finished", pod->finished);
    CHECK("no mirror", !pod->mirror);
    CHECK_INT("both addresses", pod->ip_count, 2);
    CHECK_INT("annotations that rules read", obj->annotations->count, 2);
    object_destroy(obj);
}

TEST(a_template_and_its_pods_have_one_shape)
{
    struct object *w =
        decode(KIND_DEPLOYMENT,
               "{" META ",\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},"
               "\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":80}]}]}}}}");
    struct object *p = decode(
        KIND_POD, "{" META ",\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":80,"
                  "\"protocol\":\"TCP\"}]}],\"serviceAccountName\":\"default\",\"dnsPolicy\":"
                  "\"ClusterFirst\"}}");
    struct object *cron = decode(
        KIND_CRON_JOB, "{" META ",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{"
                       "\"hostNetwork\":true,\"containers\":[{\"ports\":[{\"containerPort\":80,"
                       "\"hostPort\":80}]}]}}}}}}");
    struct object *bare = decode(KIND_STATEFUL_SET, "{" META "}");

    CHECK("defaults are filled in",
          ((struct workload_object *)w)->shape == ((struct pod_object *)p)->shape);
    CHECK("a host-network pod has no hostPort finding",
          ((struct workload_object *)cron)->shape->host_network &&
              !((struct workload_object *)cron)->shape->has_host_port);
    CHECK("no template, no shape", ((struct workload_object *)bare)->shape == NULL);
    object_destroy(w);
    object_destroy(p);
    object_destroy(cron);
    object_destroy(bare);
}

TEST(a_service_keeps_absent_empty_and_zero_apart)
{
    struct object *obj =
        decode(KIND_SERVICE, "{" META ",\"spec\":{\"type\":\"LoadBalancer\",\"selector\":{\"app\":"
                             "\"x\"},\"ports\":[{\"port\":80},"
                             "{\"port\":81,\"targetPort\":\"http\",\"nodePort\":30001,\"name\":"
                             "\"a\",\"protocol\":\"UDP\"},{\"port\":"
                             "82,\"targetPort\":8082,\"nodePort\":0}],\"externalIPs\":[\"1.2.3.4\"]"
                             ",\"externalTrafficPolicy\":"
                             "\"Local\",\"clusterIP\":\"None\",\"externalName\":\"\"},\"status\":{"
                             "\"loadBalancer\":{\"ingress\":[{"
                             "\"ip\":\"8.8.8.8\"},{\"hostname\":\"h\"}]}}}");
    struct object *plain = decode(KIND_SERVICE, "{" META ",\"spec\":{\"selector\":{}}}");
    struct service *svc = (struct service *)obj;

    CHECK("type", svc->type == SERVICE_LOAD_BALANCER);
    CHECK("selector", svc->selector != NULL && svc->selector->count == 1);
    CHECK_INT("an absent targetPort is the port", svc->ports[0].target_port, 80);
    CHECK("a named targetPort",
          svc->ports[1].target_port == 0 && strcmp(svc->ports[1].target_name->text, "http") == 0);
    CHECK("a set nodePort", svc->ports[1].has_node_port && svc->ports[1].node_port == 30001);
    CHECK("nodePort 0 is unset", !svc->ports[2].has_node_port);
    CHECK("local traffic", svc->traffic_local);
    CHECK("an empty externalName is absent", svc->external_name == NULL);
    CHECK_INT("addresses of the load balancer", svc->lb_ip_count, 1);
    CHECK("no type is ClusterIP, an empty selector none",
          ((struct service *)plain)->type == SERVICE_CLUSTER_IP &&
              ((struct service *)plain)->selector == NULL);
    object_destroy(obj);
    object_destroy(plain);
}

TEST(an_ingress_keeps_hosts_backends_and_tls)
{
    struct object *obj = decode(
        KIND_INGRESS,
        "{" META
        ",\"spec\":{\"ingressClassName\":\"\",\"defaultBackend\":{\"resource\":{\"kind\":\"B\"}},"
        "\"rules\":[{\"host\":\"\"},{\"host\":\"a.b\",\"http\":{\"paths\":[{\"path\":\"/"
        "\",\"backend\":{"
        "\"service\":{\"name\":\"s\",\"port\":{\"number\":80}}}},{\"backend\":{\"service\":{"
        "\"name\":\"t\","
        "\"port\":{\"name\":\"http\"}}}}]}}],\"tls\":[{\"hosts\":[\"a.b\"],\"secretName\":\"\"},{}]"
        "}}");
    struct ingress *ing = (struct ingress *)obj;

    CHECK("an empty class is absent", ing->class_name == NULL);
    CHECK("a resource backend", ing->has_default_backend && ing->default_backend.resource &&
                                    ing->default_backend.service == NULL);
    CHECK("an empty host is absent", ing->rule_count == 2 && ing->rules[0].host == NULL);
    CHECK("backends", ing->rules[1].backend_count == 2 &&
                          ing->rules[1].backends[0].port_number == 80 &&
                          strcmp(ing->rules[1].backends[1].port_name->text, "http") == 0);
    CHECK("an empty secretName is absent", ing->tls_count == 2 && ing->tls[0].secret == NULL &&
                                               ing->tls[0].host_count == 1 &&
                                               ing->tls[1].host_count == 0);
    object_destroy(obj);
}

TEST(a_secret_never_keeps_its_data)
{
    static const char *const json =
        "{\"metadata\":{\"name\":\"s\",\"namespace\":\"shop\",\"annotations\":{\"cert-manager.io/"
        "certificate-name\":\"c\",\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"TOPSECRET\","
        "\"other\":\"TOPSECRET\"}},\"type\":\"kubernetes.io/"
        "tls\",\"data\":{\"tls.key\":\"TOPSECRET\"},"
        "\"stringData\":{\"a\":\"TOPSECRET\"},\"immutable\":true}";
    struct projection *p = projection_create(kind_table[KIND_SECRET].paths);
    struct error err = { .code = 0 };
    struct object *obj;
    struct buf out;

    buf_init(&out, 65536);
    CHECK_INT("it projects", projection_apply(p, json, strlen(json), &out, &err), 0);
    CHECK("nothing secret passes the scanner", strstr(buf_text(&out), "TOPSECRET") == NULL);
    obj = decode(KIND_SECRET, json);
    CHECK("nor the decoder", obj->annotations->count == 1);
    CHECK("what is audited does",
          ((struct secret *)obj)->cert_manager &&
              strcmp(((struct secret *)obj)->type->text, "kubernetes.io/tls") == 0);
    object_destroy(obj);
    buf_deinit(&out);
    projection_destroy(p);
}

TEST(policy_types_default_only_when_absent)
{
    static const struct {
        const char *fact, *json;
        bool ingress, egress, given;
    } rows[] = {
        { "absent spec", "{" META "}", true, false, false },
        { "no types", POLICY("{}"), true, false, false },
        { "empty types", POLICY("{\"policyTypes\":[]}"), true, false, false },
        { "egress rule without types", POLICY("{\"egress\":[{}]}"), true, true, false },
        { "egress: [] without types", POLICY("{\"egress\":[]}"), true, false, false },
        { "Egress only", POLICY("{\"policyTypes\":[\"Egress\"]}"), false, true, true },
        { "duplicates are fine", POLICY("{\"policyTypes\":[\"Ingress\",\"Ingress\"]}"), true, false,
          true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct network_policy *np =
            (struct network_policy *)decode(KIND_NETWORK_POLICY, rows[i].json);

        CHECK(rows[i].fact, np->ingress == rows[i].ingress && np->egress == rows[i].egress &&
                                np->types_given == rows[i].given && np->malformed == NULL);
        CHECK("podSelector is never NULL", np->pods != NULL && np->pods->count == 0);
        object_destroy(&np->head);
    }
}

#define FROM(peer)   POLICY("{\"ingress\":[{\"from\":[" peer "]}]}")
#define PORTS(port)  POLICY("{\"ingress\":[{\"ports\":[" port "]}]}")
#define BLOCK(block) FROM("{\"ipBlock\":{" block "}}")

static const struct {
    const char *json, *malformed; /* NULL: well-formed */
} policies[] = {
    { POLICY("{\"ingress\":[{}],\"egress\":[{\"to\":[],\"ports\":[]}]}"), NULL },
    { POLICY("{\"ingress\":[null]}"), NULL },
    { POLICY("{\"policyTypes\":[\"Ingress\",\"Egress\",\"Ingress\"]}"),
      "spec.policyTypes: has more than two entries" },
    { POLICY("{\"policyTypes\":[\"ingress\"]}"), "spec.policyTypes[0]: must be Ingress or Egress" },
    { POLICY("{\"podSelector\":{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Gt\"}]}}"),
      "spec.podSelector.matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist" },
    { PORTS("{\"port\":80}"), NULL },
    { PORTS("{\"port\":\"http-2\",\"protocol\":\"SCTP\"}"), NULL },
    { PORTS("{\"port\":80,\"endPort\":90}"), NULL },
    { PORTS("{\"protocol\":\"tcp\"}"),
      "spec.ingress[0].ports[0].protocol: must be TCP, UDP or SCTP" },
    { PORTS("{\"port\":0}"), "spec.ingress[0].ports[0].port: must be from 1 to 65535" },
    { PORTS("{\"port\":65536}"), "spec.ingress[0].ports[0].port: must be from 1 to 65535" },
    { PORTS("{\"port\":\"80\"}"), "spec.ingress[0].ports[0].port: is not a port name" },
    { PORTS("{\"port\":\"a--b\"}"), "spec.ingress[0].ports[0].port: is not a port name" },
    { PORTS("{\"port\":\"-a\"}"), "spec.ingress[0].ports[0].port: is not a port name" },
    { PORTS("{\"port\":\"HTTP\"}"), "spec.ingress[0].ports[0].port: is not a port name" },
    { PORTS("{\"port\":\"aaaaaaaaaaaaaaaa\"}"),
      "spec.ingress[0].ports[0].port: is not a port name" },
    { PORTS("{\"endPort\":90}"), "spec.ingress[0].ports[0].endPort: needs a port" },
    { PORTS("{\"port\":\"http\",\"endPort\":90}"),
      "spec.ingress[0].ports[0].endPort: cannot go with a named port" },
    { PORTS("{\"port\":80,\"endPort\":79}"),
      "spec.ingress[0].ports[0].endPort: must be from the port to 65535" },
    { PORTS("{\"port\":80,\"endPort\":65536}"),
      "spec.ingress[0].ports[0].endPort: must be from the port to 65535" },
    { FROM("{}"), "spec.ingress[0].from[0]: names no peer" },
    { FROM("null"), "spec.ingress[0].from[0]: names no peer" },
    { FROM("{\"podSelector\":{}}"), NULL },
    { FROM("{\"podSelector\":{},\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}"),
      "spec.ingress[0].from[0]: has an ipBlock beside a selector" },
    { BLOCK("\"cidr\":\"10.0.0.0/8\",\"except\":[\"10.1.0.0/16\"]"), NULL },
    { BLOCK("\"cidr\":\"10.1.2.3/8\""), NULL }, /* judged masked */
    { BLOCK(""), "spec.ingress[0].from[0].ipBlock.cidr: is not a CIDR" },
    { BLOCK("\"cidr\":\"10.0.0.0\""), "spec.ingress[0].from[0].ipBlock.cidr: is not a CIDR" },
    { BLOCK("\"cidr\":\"10.0.0.0/8\",\"except\":[\"x\"]"),
      "spec.ingress[0].from[0].ipBlock.except[0]: is not a CIDR" },
    { BLOCK("\"cidr\":\"10.0.0.0/8\",\"except\":[\"11.0.0.0/16\"]"),
      "spec.ingress[0].from[0].ipBlock.except[0]: must be a part of the cidr" },
    { BLOCK("\"cidr\":\"10.0.0.0/8\",\"except\":[\"10.0.0.0/8\"]"),
      "spec.ingress[0].from[0].ipBlock.except[0]: must be a part of the cidr" },
    { BLOCK("\"cidr\":\"::/0\",\"except\":[\"10.0.0.0/8\"]"),
      "spec.ingress[0].from[0].ipBlock.except[0]: must be a part of the cidr" },
};

TEST(a_policy_that_breaks_the_rules_is_kept_and_called_malformed)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct network_policy *np =
            (struct network_policy *)decode(KIND_NETWORK_POLICY, policies[i].json);

        REQUIRE("it decodes", np != NULL);
        CHECK_STR(policies[i].json, np->malformed != NULL ? np->malformed->text : NULL,
                  policies[i].malformed);
        object_destroy(&np->head);
    }
}

TEST(cidrs_of_a_live_policy_are_masked)
{
    struct network_policy *np = (struct network_policy *)decode(
        KIND_NETWORK_POLICY, BLOCK("\"cidr\":\"10.1.2.3/08\",\"except\":[\"10.9.9.9/16\"]"));
    const struct ip_block *b = np->ingress_rules[0].peers[0].ip_block;

    CHECK_STR("the block", b->cidr->text, "10.0.0.0/8");
    CHECK_STR("its exceptions", b->except[0]->text, "10.9.0.0/16");
    object_destroy(&np->head);
}

static const struct {
    enum kind kind;
    const char *json, *sentence;
} refused[] = {
    { KIND_POD, "", "is not one JSON object" },
    { KIND_POD, "{", "is not one JSON object" },
    { KIND_POD, "{} {}", "is not one JSON object" },
    { KIND_POD, "[]", "must be an object" },
    { KIND_POD, "{\"metadata\":{\"name\":\"x\",}}", "is not well-formed JSON" },
    { KIND_POD, "{\"metadata\":{\"name\":\"\xff\"}}", "is not valid UTF-8" },
    { KIND_POD, "{}", "metadata.name: is required" },
    { KIND_POD, "{\"metadata\":[]}", "metadata: must be an object" },
    { KIND_POD, "{\"metadata\":{\"name\":1}}", "metadata.name: must be a string" },
    { KIND_POD, "{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":1}}}",
      "metadata.labels.a: must be a string" },
    { KIND_POD, "{\"metadata\":{\"name\":\"x\",\"creationTimestamp\":\"yesterday\"}}",
      "metadata.creationTimestamp: must be a time in RFC 3339" },
    { KIND_POD, "{" META ",\"spec\":{\"containers\":[{},{\"ports\":[{\"containerPort\":70000}]}]}}",
      "spec.containers[1].ports[0].containerPort: must be a whole number from 1 to 65535" },
    { KIND_SERVICE, "{" META ",\"spec\":{\"ports\":[{\"port\":\"80\"}]}}",
      "spec.ports[0].port: must be a whole number from 1 to 65535" },
    { KIND_SERVICE, "{" META ",\"spec\":{\"ports\":[{\"port\":80.5}]}}",
      "spec.ports[0].port: must be a whole number from 1 to 65535" },
    { KIND_SERVICE, "{" META ",\"spec\":{\"ports\":[{}]}}", "spec.ports[0].port: is required" },
    { KIND_SERVICE, "{" META ",\"spec\":{\"externalIPs\":\"1.2.3.4\"}}",
      "spec.externalIPs: must be a list" },
    { KIND_INGRESS,
      "{" META ",\"spec\":{\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"service\":{"
      "\"port\":{\"number\":1e9}}}}]}}]}}",
      "spec.rules[0].http.paths[0].backend.service.port.number: must be a whole number from 0 to "
      "65535" },
    { KIND_NETWORK_POLICY, POLICY("{\"ingress\":{}}"), "spec.ingress: must be a list" },
    { KIND_NETWORK_POLICY, POLICY("{\"podSelector\":[]}"), "spec.podSelector: must be an object" },
    { KIND_NETWORK_POLICY, PORTS("{\"port\":true}"),
      "spec.ingress[0].ports[0].port: must be a port name or a whole number from 1 to 65535" },
    { KIND_CRON_JOB,
      "{" META ",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":"
      "[1]}}}}}}",
      "spec.jobTemplate.spec.template.spec.containers[0]: must be an object" },
};

TEST(what_is_no_object_is_refused_with_its_field)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct object *obj = (struct object *)(uintptr_t)1;
        struct error err = { .code = 0 };
        int rc =
            object_decode(refused[i].kind, refused[i].json, strlen(refused[i].json), &obj, &err);

        CHECK("refused", rc == NA_EINVAL);
        CHECK("the output is untouched", obj == (struct object *)(uintptr_t)1);
        CHECK_STR(refused[i].json, err.text, refused[i].sentence);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

TEST(limits_are_kept)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;
    struct buf b;

    buf_init(&b, 64 << 20);
    for (int i = 0; i < 100000; i++) {
        buf_adds(&b, "[");
    }
    CHECK_INT("a deep bomb is refused", object_decode(KIND_POD, b.data, b.len, &obj, &err),
              NA_ELIMIT);
    CHECK_STR("for its depth", err.text, "is nested deeper than 64 levels");

    buf_reset(&b);
    buf_adds(&b, "{\"metadata\":{\"name\":\"x\",\"labels\":{\"k\":\"v\"");
    for (int i = 0; i < 1000; i++) {
        buf_addf(&b, ",\"k%d\":\"v\"", i);
    }
    buf_adds(&b, "}}}");
    CHECK_INT("more than 1,000 labels", object_decode(KIND_POD, b.data, b.len, &obj, &err),
              NA_EINVAL);
    CHECK_STR("say so", err.text, "metadata.labels: has more than 1000 entries");

    buf_reset(&b);
    buf_adds(&b, "{\"metadata\":{\"name\":\"x\",\"annotations\":{\"k\":\"");
    for (int i = 0; i < 65535; i++) {
        buf_adds(&b, "a");
    }
    buf_adds(&b, "\xc3\xa9\"}}}");
    CHECK_INT("a long annotation", object_decode(KIND_SERVICE, b.data, b.len, &obj, &err), 0);
    CHECK_INT("is cut at a whole character", strlen(label_set_text(obj->annotations, "k")), 65535);
    object_destroy(obj);

    buf_reset(&b);
    buf_adds(&b, "{\"metadata\":{\"name\":\"");
    for (int i = 0; i < 65537; i++) {
        buf_adds(&b, "a");
    }
    buf_adds(&b, "\"}}");
    CHECK_INT("a long name is refused", object_decode(KIND_SERVICE, b.data, b.len, &obj, &err),
              NA_EINVAL);
    buf_deinit(&b);
}

TEST(odd_but_legal_json_is_read_as_go_reads_it)
{
    struct object *obj =
        decode(KIND_SERVICE,
               "{\"metadata\":{\"name\":\"a\",\"name\":\"b\",\"labels\":{\"k\":\"1\",\"k\":"
               "\"2\",\"n\":null},\"annotations\":null,\"uid\":\"x\\u0000y\"},\"spec\":null}");

    CHECK_STR("a key twice: the last wins", obj->name->text, "b");
    CHECK("in maps too", label_set_has(obj->labels, "k", "2"));
    CHECK("a null value is empty", label_set_has(obj->labels, "n", ""));
    CHECK_INT("null is absent", obj->annotations->count, 0);
    CHECK_STR("an escaped NUL does not end a string", obj->uid->text, "x\xef\xbf\xbdy");
    object_destroy(obj);
}

/* Two objects that differ in what rules can see are not the same; versions and writers do not
 * count. */
static const struct {
    enum kind kind;
    const char *a, *b;
    bool same;
} pairs[] = {
    { KIND_SERVICE, "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"1\"}}",
      "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"2\",\"managedFields\":[{\"manager\":"
      "\"m\",\"time\":"
      "\"2026-11-01T12:00:00Z\"}]}}",
      true },
    { KIND_SERVICE, "{" META "}", "{" META ",\"spec\":{\"clusterIP\":\"None\"}}", false },
    { KIND_SERVICE, "{" META "}", "{" META ",\"spec\":{\"ports\":[{\"port\":1}]}}", false },
    { KIND_SERVICE, "{" META ",\"spec\":{\"ports\":[{\"port\":1}]}}",
      "{" META ",\"spec\":{\"ports\":[{\"port\":1,\"nodePort\":5}]}}", false },
    { KIND_SERVICE, "{" META "}",
      "{\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\",\"deletionTimestamp\":"
      "\"2026-11-01T12:00:00Z\"}}",
      false },
    { KIND_NETWORK_POLICY, POLICY("{}"), POLICY("{\"ingress\":[]}"), false },
    { KIND_NETWORK_POLICY, POLICY("{\"policyTypes\":[\"Ingress\"]}"), POLICY("{}"), false },
    { KIND_NETWORK_POLICY, BLOCK("\"cidr\":\"10.0.0.0/8\""), BLOCK("\"cidr\":\"10.0.0.0/9\""),
      false },
    { KIND_NETWORK_POLICY, BLOCK("\"cidr\":\"10.0.0.0/8\""), BLOCK("\"cidr\":\"10.1.0.0/8\""),
      true },
    { KIND_NETWORK_POLICY, PORTS("{\"port\":80}"), PORTS("{\"port\":80,\"protocol\":\"TCP\"}"),
      false },
    { KIND_INGRESS, "{" META ",\"spec\":{\"tls\":[{}]}}", "{" META "}", false },
    { KIND_INGRESS, "{" META ",\"spec\":{\"rules\":[{\"host\":\"a\"}]}}",
      "{" META ",\"spec\":{\"rules\":[{\"host\":\"b\"}]}}", false },
    { KIND_DEPLOYMENT, "{" META ",\"spec\":{\"replicas\":1}}",
      "{" META ",\"spec\":{\"replicas\":2}}", true },
    { KIND_DEPLOYMENT, "{" META ",\"spec\":{\"template\":{}}}", "{" META "}", false },
    { KIND_INGRESS_CLASS, "{" META ",\"spec\":{\"controller\":\"a\"}}",
      "{" META ",\"spec\":{\"controller\":\"b\"}}", false },
    { KIND_SECRET, "{" META ",\"data\":{\"a\":\"b\"}}", "{" META "}", true },
};

TEST(sameness_is_what_rules_can_see)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct object *a = decode(pairs[i].kind, pairs[i].a),
                      *b = decode(pairs[i].kind, pairs[i].b);

        CHECK(pairs[i].b, object_same(a, b) == pairs[i].same && object_same(a, a));
        object_destroy(a);
        object_destroy(b);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(metadata_is_read_whole),
              cmocka_unit_test(a_pod_keeps_what_rules_read),
              cmocka_unit_test(a_template_and_its_pods_have_one_shape),
              cmocka_unit_test(a_service_keeps_absent_empty_and_zero_apart),
              cmocka_unit_test(an_ingress_keeps_hosts_backends_and_tls),
              cmocka_unit_test(a_secret_never_keeps_its_data),
              cmocka_unit_test(policy_types_default_only_when_absent),
              cmocka_unit_test(a_policy_that_breaks_the_rules_is_kept_and_called_malformed),
              cmocka_unit_test(cidrs_of_a_live_policy_are_masked),
              cmocka_unit_test(what_is_no_object_is_refused_with_its_field),
              cmocka_unit_test(limits_are_kept),
              cmocka_unit_test(odd_but_legal_json_is_read_as_go_reads_it),
              cmocka_unit_test(sameness_is_what_rules_can_see));
}
