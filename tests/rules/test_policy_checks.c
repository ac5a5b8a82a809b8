/* What fixtures cannot show of the rules about policies, egress and meshes: a live cluster's grace,
 * kinds that come and go, parameters, and who the subjects are. */
#include "base/vec.h"
#include "rules/engine.h"
#include "rules/ruleset.h"
#include "tests/rules/scene.h"

struct listener {
    const char *rule;
    struct buf said;
    int64_t grace_ms;
};

static void listen(void *ctx, const struct verdict *v)
{
    struct listener *l = ctx;

    if (strcmp(v->rule, l->rule) == 0) {
        buf_addf(&l->said, "%s %s/%s %s\n", v->subject.kind, v->subject.ns, v->subject.name,
                 result_name(v->result));
        l->grace_ms = v->grace_ms;
    }
}

/* Everything that the rule says, one line a subject; with every level at fail. */
static const char *judge_with(const struct cluster *c, const char *rule, const char *param,
                              const char *value, int64_t *grace_ms)
{
    static char text[4096];
    struct listener l = { .rule = rule };
    struct ruleset_settings s = { .force_environment = -1 };
    struct rule_setting all = { .pattern = "*",
                                .levels = { LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL } };
    struct rule_setting one = { .pattern = rule, .levels = { -1, -1, -1, -1 } };
    struct ruleset *rs = NULL;
    struct error err = { 0 };

    vec_push(&s.rules, all);
    if (param != NULL) {
        vec_push(&one.params, ((struct label_pair){ param, value }));
        vec_push(&s.rules, one);
    }
    if (ruleset_create(&rs, &s, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    buf_init(&l.said, 1 << 20);
    engine_judge_all(c, rs, "c", 1000, listen, &l);
    snprintf(text, sizeof(text), "%s", buf_text(&l.said));
    if (grace_ms != NULL) {
        *grace_ms = l.grace_ms;
    }
    buf_deinit(&l.said);
    ruleset_destroy(rs);
    if (param != NULL) {
        vec_free(&s.rules.items[1].params);
    }
    vec_free(&s.rules);
    return text;
}

static const char *judge(const struct cluster *c, const char *rule)
{
    return judge_with(c, rule, NULL, NULL, NULL);
}

static void serve(struct cluster *c, enum kind kind)
{
    cluster_set_kind_state(c, kind, KIND_STATE_SYNCED, "", 2);
}

#define POD_OF(app)    ",\"labels\":{\"app\":\"" app "\"}"
#define RUNNING        ",\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{\"phase\":\"Running\"}"
#define WITH_PROXY(p)  ",\"spec\":{\"containers\":[{\"name\":\"c\"},{\"name\":\"" p "\"}]}"
#define SELECTING(app) "\"podSelector\":{\"matchLabels\":{\"app\":\"" app "\"}}"
#define SPEC(s)        ",\"spec\":{" s "}"

TEST(a_selector_may_match_nothing_for_a_while_on_a_live_cluster)
{
    struct cluster *c = scene_create();
    int64_t grace = 0;

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_NETWORK_POLICY, "shop", "p", "",
              SPEC(SELECTING("web") ",\"ingress\":[{\"from\":[{" SELECTING("cart") "}]}]"));
    CHECK_STR("the policy", judge_with(c, "policy-selects-nothing", NULL, NULL, &grace),
              "NetworkPolicy shop/p fail\n");
    CHECK_INT("five minutes", grace, 300000);
    CHECK_STR("its peer", judge_with(c, "peer-selects-nothing", "grace", "30s", &grace),
              "NetworkPolicy shop/p fail\n");
    CHECK_INT("by parameter", grace, 30000);
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    scene_put(c, KIND_POD, "shop", "cart", POD_OF("cart"), RUNNING);
    CHECK_STR("with its pods", judge_with(c, "policy-selects-nothing", NULL, NULL, &grace),
              "NetworkPolicy shop/p pass\n");
    CHECK_INT("nothing waits", grace, 0);
    CHECK_STR("and its peer's", judge(c, "peer-selects-nothing"), "NetworkPolicy shop/p pass\n");
    cluster_destroy(c);
}

#define DENY_ALL                                                                                   \
    SPEC("\"subject\":{\"namespaces\":{}},\"egress\":[{\"action\":\"Deny\",\"to\":[{"              \
         "\"namespaces\":{}}]}]")

TEST(policies_of_every_kind_are_subjects)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (kind_table[k].watch == KIND_WATCH_SERVED) {
            serve(c, (enum kind)k);
        }
    }
    scene_put(c, KIND_NETWORK_POLICY, "shop", "p", "", SPEC("\"podSelector\":{}"));
    scene_put(c, KIND_BASELINE_ADMIN_NETWORK_POLICY, NULL, "default", "", DENY_ALL);
    scene_put(c, KIND_ADMIN_NETWORK_POLICY, NULL, "a", "",
              SPEC("\"priority\":1,\"subject\":{\"namespaces\":{}},\"ingress\":[{\"action\":"
                   "\"Deny\",\"from\":[{\"namespaces\":{}}]}]"));
    scene_put(
        c, KIND_CLUSTER_NETWORK_POLICY, NULL, "c", "",
        SPEC("\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}},\"ingress\":[{"
             "\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}]}]"));
    scene_put(c, KIND_CILIUM_NETWORK_POLICY, "shop", "n", "",
              SPEC("\"endpointSelector\":{},\"ingress\":[{}]"));
    scene_put(c, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, NULL, "w", "",
              SPEC("\"endpointSelector\":{},\"ingress\":[{}]"));
    CHECK_STR("those without a namespace first", judge(c, "policy-selects-nothing"),
              "AdminNetworkPolicy /a pass\n"
              "BaselineAdminNetworkPolicy /default pass\n"
              "CiliumClusterwideNetworkPolicy /w pass\n"
              "ClusterNetworkPolicy /c pass\n"
              "CiliumNetworkPolicy shop/n pass\n"
              "NetworkPolicy shop/p pass\n");
    CHECK_STR("the rule about NetworkPolicies alone", judge(c, "require-egress-policy"),
              "NetworkPolicy shop/p pass\n");
    cluster_destroy(c);
}

TEST(a_policy_kind_that_may_not_be_read_leaves_verdicts_open)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    CHECK_STR("not served", judge(c, "block-unrestricted-egress"), "Pod shop/web fail\n");
    cluster_set_kind_state(c, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, KIND_STATE_FORBIDDEN, "403",
                           2);
    CHECK("forbidden: it may isolate",
          strstr(judge(c, "block-unrestricted-egress"), "Pod shop/web error\n") != NULL);
    cluster_set_kind_state(c, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, KIND_STATE_OFF, "", 3);
    CHECK_STR("nobody asks for it", judge(c, "block-unrestricted-egress"), "Pod shop/web fail\n");
    cluster_destroy(c);
}

TEST(a_mesh_is_there_when_it_is_served_or_in_use)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), WITH_PROXY("istio-proxy"));
    CHECK_STR("no mesh", judge(c, "require-mtls"), "Pod shop/web skip\n");
    serve(c, KIND_PEER_AUTHENTICATION);
    CHECK_STR("Istio without a word accepts plain text", judge(c, "require-mtls"),
              "Pod shop/web fail\n");
    scene_put(c, KIND_PEER_AUTHENTICATION, "shop", "b",
              ",\"creationTimestamp\":\"2026-02-01T00:00:00Z\"",
              SPEC("\"mtls\":{\"mode\":\"PERMISSIVE\"}"));
    scene_put(c, KIND_PEER_AUTHENTICATION, "shop", "c",
              ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"",
              SPEC("\"mtls\":{\"mode\":\"STRICT\"}"));
    CHECK_STR("of two the older counts", judge(c, "require-mtls"), "Pod shop/web pass\n");
    scene_put(c, KIND_POD, "shop", "api", POD_OF("api"), RUNNING);
    CHECK_STR("a live pod without proxy is outside, whatever would be injected",
              judge(c, "require-mtls"), "Pod shop/api fail\nPod shop/web pass\n");
    CHECK_STR("another root namespace",
              judge_with(c, "require-mtls", "istio-root-namespace", "shop", NULL),
              "Pod shop/api fail\nPod shop/web pass\n");
    cluster_destroy(c);

    c = scene_create();
    scene_put(c, KIND_NAMESPACE, NULL, "shop",
              ",\"annotations\":{\"config.linkerd.io/default-inbound-policy\":\"deny\"}", "");
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), WITH_PROXY("linkerd-proxy"));
    CHECK_STR("Linkerd on a live cluster: at best a warning", judge(c, "require-mtls"),
              "Pod shop/web warn\n");
    cluster_destroy(c);
}

#define TO_BLOCK(cidr, ports)                                                                      \
    SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"],\"egress\":[{\"to\":[{\"ipBlock\":{"     \
         "\"cidr\":\"" cidr "\"}}]" ports "}]")
#define PORT(protocol, port) ",\"ports\":[{\"protocol\":\"" protocol "\",\"port\":" port "}]"

TEST(egress_beyond_dns_by_parameter)
{
    static const struct {
        const char *fact, *spec, *param, *value, *result;
    } cases[] = {
        { "an address outside", TO_BLOCK("198.51.100.0/24", ""), NULL, NULL, "fail" },
        { "that is allowed", TO_BLOCK("198.51.100.0/24", ""), "allowed-external-cidrs",
          "198.51.100.0/24", "pass" },
        { "by two blocks together", TO_BLOCK("198.51.100.0/24", ""), "allowed-external-cidrs",
          "198.51.100.128/25,198.51.100.0/25", "pass" },
        { "but for a part", TO_BLOCK("198.51.100.0/24", ""), "allowed-external-cidrs",
          "198.51.100.0/25", "fail" },
        { "the last address there is", TO_BLOCK("255.255.255.255/32", ""), "allowed-external-cidrs",
          "255.255.255.0/24", "pass" },
        { "everything", TO_BLOCK("0.0.0.0/0", ""), "allowed-external-cidrs", "0.0.0.0/0", "pass" },
        { "DNS over UDP", TO_BLOCK("0.0.0.0/0", PORT("UDP", "53")), NULL, NULL, "pass" },
        { "DNS over TCP", TO_BLOCK("0.0.0.0/0", PORT("TCP", "53")), NULL, NULL, "pass" },
        { "DNS over SCTP there is none", TO_BLOCK("0.0.0.0/0", PORT("SCTP", "53")), NULL, NULL,
          "fail" },
        { "pods do not count",
          SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"],\"egress\":[{\"to\":[{"
               "\"podSelector\":{}}]}]"),
          "scope", "external", "pass" },
        { "unless all counts",
          SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"],\"egress\":[{\"to\":[{"
               "\"podSelector\":{}}]}]"),
          "scope", "all", "fail" },
        { "where all counts, DNS may be allowed",
          SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"],\"egress\":[{\"to\":[{"
               "\"namespaceSelector\":{}}]" PORT("UDP", "53") "}]"),
          "scope", "all", "pass" },
        { "where all counts, nothing is allowed",
          SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"]"), "scope", "all", "pass" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cluster *c = scene_create();
        char want[64];
        scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
        scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
        scene_put(c, KIND_NETWORK_POLICY, "shop", "p", "", cases[i].spec);
        snprintf(want, sizeof(want), "Pod shop/web %s\n", cases[i].result);
        CHECK_STR(cases[i].fact,
                  judge_with(c, "require-dns-only-egress", cases[i].param, cases[i].value, NULL),
                  want);
        cluster_destroy(c);
    }
}

TEST(dns_services_go_by_parameter)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_NAMESPACE, NULL, "net", "", "");
    scene_put(c, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    scene_put(c, KIND_POD, "net", "resolver", POD_OF("resolver"),
              ",\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[{\"name\":\"q\","
              "\"containerPort\":1053,\"protocol\":\"UDP\"}]}]}");
    scene_put(c, KIND_SERVICE, "net", "resolver", "",
              SPEC("\"selector\":{\"app\":\"resolver\"},\"ports\":[{\"port\":53,\"protocol\":"
                   "\"UDP\",\"targetPort\":\"q\"}]"));
    scene_put(c, KIND_NETWORK_POLICY, "shop", "p", "",
              SPEC("\"podSelector\":{},\"policyTypes\":[\"Egress\"],\"egress\":[{\"to\":[{"
                   "\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":"
                   "\"net\"}}}]" PORT("UDP", "1053") "}]"));
    CHECK_STR("kube-dns is not reached", judge(c, "default-deny-without-dns"),
              "NetworkPolicy shop/p fail\n");
    CHECK_STR("the resolver is",
              judge_with(c, "default-deny-without-dns", "dns-services", "net/resolver", NULL),
              "NetworkPolicy shop/p pass\n");
    cluster_destroy(c);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_selector_may_match_nothing_for_a_while_on_a_live_cluster),
              cmocka_unit_test(policies_of_every_kind_are_subjects),
              cmocka_unit_test(a_policy_kind_that_may_not_be_read_leaves_verdicts_open),
              cmocka_unit_test(a_mesh_is_there_when_it_is_served_or_in_use),
              cmocka_unit_test(egress_beyond_dns_by_parameter),
              cmocka_unit_test(dns_services_go_by_parameter));
}
