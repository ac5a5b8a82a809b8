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

/* ---- one change after another: the engine says what a judgement from scratch would ---- */

struct line {
    char subject[128], result[16];
};

struct story {
    const char *rule;
    struct cluster *cluster;
    struct ruleset *ruleset;
    struct engine *engine;
    struct line lines[16];
    size_t count;
};

static void remember(struct story *s, const struct subject_ref *ref, const char *result)
{
    char subject[128];
    size_t i = 0;

    snprintf(subject, sizeof(subject), "%s %s/%s", ref->kind, ref->ns, ref->name);
    while (i < s->count && strcmp(s->lines[i].subject, subject) != 0) {
        i++;
    }
    if (result == NULL) {
        if (i < s->count) {
            s->lines[i] = s->lines[--s->count];
        }
        return;
    }
    s->count += i == s->count ? 1 : 0;
    snprintf(s->lines[i].subject, sizeof(s->lines[i].subject), "%s", subject);
    snprintf(s->lines[i].result, sizeof(s->lines[i].result), "%s", result);
}

static void on_verdict(void *ctx, const struct verdict *v, const struct cause *cause)
{
    struct story *s = ctx;

    (void)cause;
    if (strcmp(v->rule, s->rule) == 0) {
        remember(s, &v->subject, result_name(v->result));
    }
}

static void on_gone(void *ctx, const struct subject_ref *ref, const struct cause *cause)
{
    (void)cause;
    remember(ctx, ref, NULL);
}

static void forward(void *ctx, const struct delta *d)
{
    engine_note(((struct story *)ctx)->engine, d);
}

static void story_init(struct story *s, const char *rule, struct cluster *c)
{
    struct ruleset_settings settings = { .force_environment = -1 };
    struct error err = { 0 };

    memset(s, 0, sizeof(*s));
    s->rule = rule;
    s->cluster = c;
    if (ruleset_create(&s->ruleset, &settings, &err) != 0) {
        abort();
    }
    s->engine = engine_create(c, s->ruleset, "c");
    cluster_on_delta(c, forward, s);
}

static void story_deinit(struct story *s)
{
    engine_destroy(s->engine);
    cluster_on_delta(s->cluster, NULL, NULL);
    ruleset_destroy(s->ruleset);
    cluster_destroy(s->cluster);
}

/* What the engine has said of the subject by now. */
static const char *said_of(struct story *s, const char *subject)
{
    const struct engine_sink sink = { .ctx = s, .verdict = on_verdict, .gone = on_gone };

    engine_run(s->engine, 1000, 0, NULL, &sink);
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->lines[i].subject, subject) == 0) {
            return s->lines[i].result;
        }
    }
    return "nothing";
}

#define TO_DNS                                                                                     \
    "\"egress\":[{\"toEndpoints\":[{\"matchLabels\":{\"k8s:io.kubernetes.pod.namespace\":\"kube-"  \
    "system\"}}],\"toPorts\":[{\"ports\":[{\"port\":\"53\",\"protocol\":\"ANY\"}]}]}]"

TEST(a_cluster_wide_policy_follows_each_namespace)
{
    static const char wide[] = "CiliumClusterwideNetworkPolicy /deny";
    struct story s;

    story_init(&s, "default-deny-without-dns", scene_create());
    serve(s.cluster, KIND_CILIUM_NETWORK_POLICY);
    serve(s.cluster, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "store", "", "");
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "kube-system", "", "");
    scene_put(s.cluster, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    scene_put(s.cluster, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, NULL, "deny", "",
              SPEC("\"endpointSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":"
                   "\"Exists\"}]},\"egress\":[{}]"));
    CHECK_STR("nobody allows DNS", said_of(&s, wide), "warn");
    scene_put(s.cluster, KIND_CILIUM_NETWORK_POLICY, "shop", "dns", "",
              SPEC("\"endpointSelector\":{}," TO_DNS));
    CHECK_STR("the namespace does", said_of(&s, wide), "pass");
    scene_put(s.cluster, KIND_POD, "store", "db", POD_OF("db"), RUNNING);
    CHECK_STR("another does not", said_of(&s, wide), "warn");
    scene_delete(s.cluster, KIND_POD, "store", "db");
    CHECK_STR("but has no pods", said_of(&s, wide), "pass");
    scene_put(s.cluster, KIND_POD, "kube-system", "coredns",
              ",\"labels\":{\"k8s-app\":\"kube-dns\"}", RUNNING);
    scene_put(s.cluster, KIND_SERVICE, "kube-system", "kube-dns", "",
              SPEC("\"selector\":{\"k8s-app\":\"kube-dns\"},\"ports\":[{\"port\":53,\"protocol\":"
                   "\"UDP\",\"targetPort\":5353}]"));
    CHECK_STR("DNS listens elsewhere", said_of(&s, wide), "warn");
    scene_delete(s.cluster, KIND_SERVICE, "kube-system", "kube-dns");
    CHECK_STR("no more", said_of(&s, wide), "pass");
    scene_delete(s.cluster, KIND_CILIUM_NETWORK_POLICY, "shop", "dns");
    CHECK_STR("nobody allows DNS again", said_of(&s, wide), "warn");
    scene_put(s.cluster, KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, NULL, "dns", "",
              SPEC("\"endpointSelector\":{}," TO_DNS));
    CHECK_STR("a policy for all does", said_of(&s, wide), "pass");
    story_deinit(&s);
}

TEST(a_way_in_makes_an_open_policy_good)
{
    static const char policy[] = "NetworkPolicy shop/p";
    struct story s;

    story_init(&s, "world-open-ingress", scene_create());
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_POD, "shop", "web", POD_OF("web"), RUNNING);
    scene_put(s.cluster, KIND_NETWORK_POLICY, "shop", "p", "",
              SPEC("\"podSelector\":{},\"ingress\":[{\"ports\":[{\"port\":80}]}]"));
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "",
              SPEC("\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}]"));
    CHECK_STR("a Service inside", said_of(&s, policy), "warn");
    scene_put(s.cluster, KIND_INGRESS, "shop", "web", "",
              SPEC("\"defaultBackend\":{\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}"));
    CHECK_STR("an Ingress leads to it", said_of(&s, policy), "pass");
    scene_put(s.cluster, KIND_INGRESS, "shop", "web", "",
              SPEC("\"defaultBackend\":{\"service\":{\"name\":\"api\",\"port\":{\"number\":80}}}"));
    CHECK_STR("and now to another", said_of(&s, policy), "warn");
    scene_put(
        s.cluster, KIND_SERVICE, "shop", "web", "",
        SPEC("\"type\":\"NodePort\",\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}]"));
    CHECK_STR("the Service is opened itself", said_of(&s, policy), "pass");
    story_deinit(&s);
}

#define WITH_IP(ip)                                                                                \
    ",\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{\"podIPs\":[{\"ip\":\"" ip "\"}]}"

TEST(pods_that_come_make_an_address_one_of_theirs)
{
    static const char policy[] = "NetworkPolicy shop/p";
    struct story s;

    story_init(&s, "ip-allow-list-for-pods", scene_create());
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_NETWORK_POLICY, "shop", "p", "", TO_BLOCK("10.0.1.0/24", ""));
    CHECK_STR("no pod", said_of(&s, policy), "skip");
    scene_put(s.cluster, KIND_POD, "shop", "a", POD_OF("web"), WITH_IP("10.0.0.9"));
    CHECK_STR("one beside", said_of(&s, policy), "pass");
    scene_put(s.cluster, KIND_POD, "shop", "b", POD_OF("web"), WITH_IP("10.0.3.9"));
    CHECK_STR("one on either side", said_of(&s, policy), "warn");
    scene_put(s.cluster, KIND_POD, "shop", "b", POD_OF("web"), WITH_IP("10.0.0.3"));
    CHECK_STR("with another address", said_of(&s, policy), "pass");
    story_deinit(&s);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_cluster_wide_policy_follows_each_namespace),
              cmocka_unit_test(a_way_in_makes_an_open_policy_good),
              cmocka_unit_test(pods_that_come_make_an_address_one_of_theirs),
              cmocka_unit_test(a_selector_may_match_nothing_for_a_while_on_a_live_cluster),
              cmocka_unit_test(policies_of_every_kind_are_subjects),
              cmocka_unit_test(a_policy_kind_that_may_not_be_read_leaves_verdicts_open),
              cmocka_unit_test(a_mesh_is_there_when_it_is_served_or_in_use),
              cmocka_unit_test(egress_beyond_dns_by_parameter),
              cmocka_unit_test(dns_services_go_by_parameter));
}
