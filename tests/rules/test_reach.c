/* What NetworkPolicies mean, point by point (SEMANTICS 1, 2). Each row: the policies of namespace
 * shop by their spec, one pod, and the verdict about it in both directions. */
#include "base/vec.h"
#include "rules/reach.h"
#include "tests/rules/scene.h"

#define ALL                "\"podSelector\":{}"
#define WEB                "\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}}"
#define EXPR(x)            "\"podSelector\":{\"matchExpressions\":[" x "]}"
#define DENY               "{" ALL "}"
#define FROM(p)            "{" ALL ",\"ingress\":[{\"from\":[" p "]}]}"
#define FROM_TCP(p, ports) "{" ALL ",\"ingress\":[{\"from\":[" p "],\"ports\":[" ports "]}]}"
#define CIDR(c)            "{\"ipBlock\":{\"cidr\":\"" c "\"}}"
#define EGRESS             ",\"policyTypes\":[\"Egress\"]"
#define BOTH               ",\"policyTypes\":[\"Ingress\",\"Egress\"]"
#define NS_EXPR(x)         "{\"namespaceSelector\":{\"matchExpressions\":[" x "]}}"

/* Each question from a memo of its own, as for a cluster that has just changed. */
#define ASK(name, subject, ask)                                                                    \
    static void name(const struct cluster *c, const struct subject *x, enum direction d,           \
                     struct reach_answer *out)                                                     \
    {                                                                                              \
        struct reach_memo *m = reach_memo_create(c, NULL);                                         \
        ask(m, x, d, out);                                                                         \
        reach_memo_destroy(m);                                                                     \
    }
ASK(ask_workload, workload, reach_workload)
ASK(ask_class, pod_class, reach_class)
ASK(ask_namespace, ns, reach_namespace_default)

enum { POLICIES_MAX = 4 };
struct reach_case {
    const char *fact;
    const char *specs[POLICIES_MAX];
    enum reach ingress, egress;
    const char *labels; /* NULL: {"app":"web"} */
    const char *spec;   /* of the pod; NULL: one container with port http 8080 */
};

#define OPEN     REACH_OPEN
#define ISOLATED REACH_ISOLATED
#define BUT_OPEN REACH_SELECTED_BUT_OPEN
#define UNKNOWN  REACH_UNKNOWN

static const struct reach_case cases[] = {
    /* who is selected */
    { "no policy isolates nothing", { NULL }, OPEN, OPEN, NULL, NULL },
    { "an empty podSelector selects every pod", { DENY }, ISOLATED, OPEN, NULL, NULL },
    { "an absent podSelector selects every pod", { "{}" }, ISOLATED, OPEN, NULL, NULL },
    { "a null podSelector selects every pod",
      { "{\"podSelector\":null}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "matchLabels selects by value", { "{" WEB "}" }, ISOLATED, OPEN, NULL, NULL },
    { "another value is not selected", { "{" WEB "}" }, OPEN, OPEN, "{\"app\":\"db\"}", NULL },
    { "In selects one of its values",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"x\",\"web\"]}") "}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "NotIn selects who lacks the key",
      { "{" EXPR("{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"db\"]}") "}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "NotIn leaves its values out",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"web\"]}") "}" },
      OPEN,
      OPEN,
      NULL,
      NULL },
    { "Exists selects any value",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"Exists\"}") "}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "DoesNotExist leaves out who has the key",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"DoesNotExist\"}") "}" },
      OPEN,
      OPEN,
      NULL,
      NULL },
    { "all requirements must hold",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"Exists\"},{\"key\":\"tier\",\"operator\":"
                 "\"Exists\"}") "}" },
      OPEN,
      OPEN,
      NULL,
      NULL },
    /* policyTypes */
    { "without policyTypes an egress rule isolates egress, too",
      { "{" ALL ",\"egress\":[{\"to\":[{\"podSelector\":{}}]}]}" },
      ISOLATED,
      ISOLATED,
      NULL,
      NULL },
    { "egress: [] without policyTypes has no effect",
      { "{" ALL ",\"egress\":[]}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "policyTypes Egress alone leaves ingress open",
      { "{" ALL EGRESS "}" },
      OPEN,
      ISOLATED,
      NULL,
      NULL },
    { "egress: [] with Egress is a default-deny",
      { "{" ALL EGRESS ",\"egress\":[]}" },
      OPEN,
      ISOLATED,
      NULL,
      NULL },
    { "policyTypes Ingress makes an egress section void",
      { "{" ALL ",\"policyTypes\":[\"Ingress\"],\"egress\":[{}]}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "an empty policyTypes is defaulted",
      { "{" ALL ",\"policyTypes\":[],\"egress\":[{}]}" },
      ISOLATED,
      BUT_OPEN,
      NULL,
      NULL },
    { "both types isolate both ways", { "{" ALL BOTH "}" }, ISOLATED, ISOLATED, NULL, NULL },
    /* every pod of every namespace */
    { "an empty rule admits everyone",
      { "{" ALL ",\"ingress\":[{}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "an empty from admits everyone",
      { "{" ALL ",\"ingress\":[{\"from\":[]}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "an empty namespaceSelector admits every pod of every namespace",
      { FROM("{\"namespaceSelector\":{}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "with an empty podSelector beside it as well",
      { FROM("{\"namespaceSelector\":{},\"podSelector\":{}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "both selectors in one peer are a conjunction",
      { FROM("{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"a\":\"b\"}}}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "a podSelector alone is about the own namespace",
      { FROM("{\"podSelector\":{}}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "every namespace has a name",
      { FROM(NS_EXPR("{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"Exists\"}")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "every namespace but one is not every namespace",
      { FROM(NS_EXPR("{\"key\":\"kubernetes.io/"
                     "metadata.name\",\"operator\":\"NotIn\",\"values\":[\"shop\"]}")) },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "every namespace but the own one, and the own one",
      { FROM(NS_EXPR(
          "{\"key\":\"kubernetes.io/"
          "metadata.name\",\"operator\":\"NotIn\",\"values\":[\"shop\"]}") ",{\"podSelector\":{"
                                                                           "}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "two halves make a whole",
      { FROM(NS_EXPR("{\"key\":\"t\",\"operator\":\"Exists\"}") "," NS_EXPR(
          "{\"key\":\"t\",\"operator\":\"DoesNotExist\"}")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "also in two policies",
      { FROM(NS_EXPR("{\"key\":\"t\",\"operator\":\"In\",\"values\":[\"a\"]}")),
        FROM(NS_EXPR("{\"key\":\"t\",\"operator\":\"NotIn\",\"values\":[\"a\"]}")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "halves over different labels do not",
      { FROM(NS_EXPR("{\"key\":\"t\",\"operator\":\"Exists\"}") "," NS_EXPR(
          "{\"key\":\"u\",\"operator\":\"DoesNotExist\"}")) },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "a namespace that says team: a is one of many",
      { FROM("{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"a\"}}}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "an allow of another pod's policy does not count",
      { DENY, "{\"podSelector\":{\"matchLabels\":{\"app\":\"db\"}},\"ingress\":[{}]}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "one allow beside a deny opens",
      { DENY, "{" WEB ",\"ingress\":[{}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    /* everyone outside */
    { "0.0.0.0/0 is everyone outside", { FROM(CIDR("0.0.0.0/0")) }, BUT_OPEN, OPEN, NULL, NULL },
    { "::/0 is everyone outside", { FROM(CIDR("::/0")) }, BUT_OPEN, OPEN, NULL, NULL },
    { "2000::/3 holds all of IPv6 that is routed",
      { FROM(CIDR("2000::/3")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "two halves are everyone outside",
      { FROM(CIDR("0.0.0.0/1") "," CIDR("128.0.0.0/1")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "one half is not", { FROM(CIDR("0.0.0.0/1")) }, ISOLATED, OPEN, NULL, NULL },
    { "the metadata address left out changes nothing",
      { FROM("{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"169.254.169.254/32\"]}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "private addresses left out change nothing",
      { FROM("{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"10.0.0.0/8\",\"172.16.0.0/"
             "12\",\"192.168.0.0/16\"]}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "one public block of 256 left out is tolerated",
      { FROM("{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"8.0.0.0/9\"]}}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "two public blocks of 256 left out are not",
      { FROM("{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"8.0.0.0/7\"]}}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "what one block leaves out another may bring",
      { FROM(
          "{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"8.0.0.0/6\"]}}," CIDR("8.0.0.0/6")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "a corporate range is not everyone",
      { FROM(CIDR("10.0.0.0/8")) },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "host bits are masked on a live cluster",
      { FROM(CIDR("1.2.3.4/0")) },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    /* ports */
    { "everyone on one port is not open",
      { FROM_TCP("{\"namespaceSelector\":{}}", "{\"port\":80}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "everyone on every TCP port is open",
      { FROM_TCP("{\"namespaceSelector\":{}}", "{\"protocol\":\"TCP\"}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "an item without protocol is TCP",
      { FROM_TCP("{\"namespaceSelector\":{}}", "{}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "everyone on every UDP port is open",
      { FROM_TCP(CIDR("0.0.0.0/0"), "{\"protocol\":\"UDP\"}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "every SCTP port alone is not",
      { FROM_TCP(CIDR("0.0.0.0/0"), "{\"protocol\":\"SCTP\"}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "a range of all ports is every port",
      { FROM_TCP("{\"namespaceSelector\":{}}", "{\"port\":1,\"endPort\":65535}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "two ranges make every port",
      { FROM_TCP("{\"namespaceSelector\":{}}",
                 "{\"port\":1,\"endPort\":1023},{\"port\":1024,\"endPort\":65535}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "a range with a hole is not every port",
      { FROM_TCP("{\"namespaceSelector\":{}}",
                 "{\"port\":1,\"endPort\":1023},{\"port\":1025,\"endPort\":65535}") },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "a named port of the pod fills the hole",
      { FROM_TCP(
          "{\"namespaceSelector\":{}}",
          "{\"port\":1,\"endPort\":8079},{\"port\":\"http\"},{\"port\":8081,\"endPort\":65535}") },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "a named port of another protocol does not",
      { FROM_TCP(
          "{\"namespaceSelector\":{}}",
          "{\"port\":1,\"endPort\":8079},{\"port\":\"http\"},{\"port\":8081,\"endPort\":65535}") },
      ISOLATED,
      OPEN,
      NULL,
      "{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":8080,\"protocol\":\"UDP\"}"
      "]}]}" },
    { "halves of ports from different peers do not add up",
      { "{" ALL ",\"ingress\":[{\"from\":[{\"namespaceSelector\":{}}],\"ports\":[{\"port\":1,"
        "\"endPort\":1023}]},{\"from\":[" CIDR(
            "0.0.0.0/1") "],\"ports\":[{\"port\":1024,\"endPort\":65535}]}]}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    { "halves of ports from different peers add up where both are every pod, by its IPv4 address",
      { "{" ALL ",\"ingress\":[{\"from\":[{\"namespaceSelector\":{}}],\"ports\":[{\"port\":1,"
        "\"endPort\":1023}]},{\"from\":[" CIDR(
            "0.0.0.0/0") "],\"ports\":[{\"port\":1024,\"endPort\":65535}]}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "halves of ports from the same peers do",
      { "{" ALL ",\"ingress\":[{\"from\":[{\"namespaceSelector\":{}}],\"ports\":[{\"port\":1,"
        "\"endPort\":1023}]},{\"ports\":[{\"port\":1024,\"endPort\":65535}]}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
    { "halves of peers on different ports do not add up",
      { "{" ALL ",\"ingress\":[{\"from\":[" CIDR("0.0.0.0/1") "]},{\"from\":[" CIDR(
          "128.0.0.0/1") "],\"ports\":[{\"port\":443}]}]}" },
      ISOLATED,
      OPEN,
      NULL,
      NULL },
    /* egress is the same towards the other side */
    { "egress to everyone is open",
      { "{" ALL BOTH ",\"egress\":[{}]}" },
      ISOLATED,
      BUT_OPEN,
      NULL,
      NULL },
    { "egress to DNS alone is isolated",
      { "{" ALL BOTH ",\"egress\":[{\"ports\":[{\"port\":53,\"protocol\":\"UDP\"}]}]}" },
      ISOLATED,
      ISOLATED,
      NULL,
      NULL },
    { "egress to the world but the metadata address is open",
      { "{" ALL EGRESS ",\"egress\":[{\"to\":[{\"ipBlock\":{\"cidr\":\"0.0.0.0/"
        "0\",\"except\":[\"169.254.169.254/32\"]}}]}]}" },
      OPEN,
      BUT_OPEN,
      NULL,
      NULL },
    { "a named port towards others opens nothing",
      { "{" ALL EGRESS ",\"egress\":[{\"ports\":[{\"port\":1,\"endPort\":8079},{\"port\":\"http\"},"
        "{\"port\":8081,\"endPort\":65535}]}]}" },
      OPEN,
      ISOLATED,
      NULL,
      NULL },
    /* host network */
    { "the host network cannot be isolated",
      { "{" ALL BOTH "}" },
      REACH_NOT_ISOLATABLE,
      REACH_NOT_ISOLATABLE,
      NULL,
      "{\"hostNetwork\":true,\"containers\":[]}" },
    /* what cannot be understood */
    { "a malformed policy that selects the pod is unknown",
      { "{" WEB ",\"ingress\":[{\"ports\":[{\"port\":99999}]}]}" },
      UNKNOWN,
      OPEN,
      NULL,
      NULL },
    { "one that selects another is not",
      { "{\"podSelector\":{\"matchLabels\":{\"app\":\"db\"}},\"ingress\":[{\"ports\":[{\"port\":"
        "99999}]}]}" },
      OPEN,
      OPEN,
      NULL,
      NULL },
    { "a malformed selector may select anybody",
      { DENY, "{" EXPR("{\"key\":\"app\",\"operator\":\"Like\"}") "}" },
      UNKNOWN,
      OPEN,
      NULL,
      NULL },
    { "malformed policyTypes touch both directions",
      { "{" ALL ",\"policyTypes\":[\"Odd\"]}" },
      UNKNOWN,
      UNKNOWN,
      NULL,
      NULL },
    { "who is admitted by another policy stays admitted",
      { "{" ALL ",\"ingress\":[{}]}", "{" WEB ",\"ingress\":[{\"ports\":[{\"port\":99999}]}]}" },
      BUT_OPEN,
      OPEN,
      NULL,
      NULL },
};

static struct cluster *stage(const char *const *specs)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    for (int i = 0; i < POLICIES_MAX && specs[i] != NULL; i++) {
        char name[16], body[4096];
        snprintf(name, sizeof(name), "p%d", i);
        snprintf(body, sizeof(body), ",\"spec\":%s", specs[i]);
        scene_put(c, KIND_NETWORK_POLICY, "shop", name, "", body);
    }
    return c;
}

static void put_pod(struct cluster *c, const char *name, const char *labels, const char *spec)
{
    char meta[1024], body[1024];

    snprintf(meta, sizeof(meta), ",\"labels\":%s", labels != NULL ? labels : "{\"app\":\"web\"}");
    snprintf(body, sizeof(body), ",\"spec\":%s,\"status\":{\"phase\":\"Running\"}",
             spec != NULL
                 ? spec
                 : "{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]}");
    scene_put(c, KIND_POD, "shop", name, meta, body);
}

TEST(pods)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cluster *c = stage(cases[i].specs);
        struct reach_answer answer;
        put_pod(c, "web", cases[i].labels, cases[i].spec);
        const struct workload *w = cluster_workload(c, "shop", "", "Pod", "web");
        REQUIRE("the pod is there", w != NULL);
        ask_workload(c, w, DIRECTION_INGRESS, &answer);
        CHECK_STR(cases[i].fact, reach_name(answer.reach), reach_name(cases[i].ingress));
        CHECK(cases[i].fact, (answer.why != NULL) == (answer.reach == REACH_UNKNOWN));
        ask_class(c, w->classes.items[0], DIRECTION_EGRESS, &answer);
        CHECK_STR(cases[i].fact, reach_name(answer.reach), reach_name(cases[i].egress));
        cluster_destroy(c);
    }
}

/* ---- namespaces ---- */

static const struct {
    const char *fact;
    const char *specs[POLICIES_MAX];
    const char *pod; /* labels; NULL: none */
    enum reach ingress;
} namespaces[] = {
    { "no policy: open", { NULL }, NULL, OPEN },
    { "an empty selector isolates every pod", { DENY }, NULL, ISOLATED },
    { "a selector for one label does not, even when every pod has it",
      { "{" WEB "}" },
      "{\"app\":\"web\"}",
      OPEN },
    { "Exists and DoesNotExist of one key isolate every pod",
      { "{" EXPR("{\"key\":\"app\",\"operator\":\"Exists\"}") "}",
        "{" EXPR("{\"key\":\"app\",\"operator\":\"DoesNotExist\"}") "}" },
      NULL,
      ISOLATED },
    { "In and NotIn of the same values isolate every pod",
      { "{" EXPR("{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"x\",\"y\"]}") "}",
        "{" EXPR("{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"y\",\"x\"]}") "}" },
      NULL,
      ISOLATED },
    { "NotIn alone lets its value escape",
      { "{" EXPR("{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"x\"]}") "}" },
      NULL,
      OPEN },
    { "two NotIn of different values leave nobody out",
      { "{" EXPR("{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"x\"]}") "}",
        "{" EXPR("{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"y\"]}") "}" },
      NULL,
      ISOLATED },
    { "DoesNotExist of two keys lets a pod with both escape",
      { "{" EXPR("{\"key\":\"a\",\"operator\":\"DoesNotExist\"}") "}",
        "{" EXPR("{\"key\":\"b\",\"operator\":\"DoesNotExist\"}") "}" },
      NULL,
      OPEN },
    { "an allow for everyone undoes it", { "{" ALL ",\"ingress\":[{}]}" }, NULL, BUT_OPEN },
    { "a pod that another policy opens undoes it",
      { DENY, "{" WEB ",\"ingress\":[{}]}" },
      "{\"app\":\"web\"}",
      BUT_OPEN },
    { "an opening that no pod takes does not",
      { DENY, "{" WEB ",\"ingress\":[{}]}" },
      "{\"app\":\"db\"}",
      ISOLATED },
    { "whoever a NotIn leaves out may be opened by another policy",
      { "{" EXPR("{\"key\":\"r\",\"operator\":\"NotIn\",\"values\":[\"gw\"]}") "}",
        "{\"podSelector\":{\"matchLabels\":{\"r\":\"gw\"}},\"ingress\":[{}]}" },
      NULL,
      BUT_OPEN },
    { "a malformed policy beside a default-deny is unknown",
      { DENY, "{" WEB ",\"ingress\":[{\"ports\":[{\"port\":0}]}]}" },
      NULL,
      UNKNOWN },
    { "a malformed policy alone is unknown",
      { "{" ALL ",\"ingress\":[{\"ports\":[{\"port\":0}]}]}" },
      NULL,
      UNKNOWN },
    { "an egress policy says nothing about ingress", { "{" ALL EGRESS "}" }, NULL, OPEN },
};

TEST(namespaces_by_default)
{
    for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
        struct cluster *c = stage(namespaces[i].specs);
        struct reach_answer answer;
        if (namespaces[i].pod != NULL) {
            put_pod(c, "pod", namespaces[i].pod, NULL);
        }
        ask_namespace(c, cluster_ns(c, "shop"), DIRECTION_INGRESS, &answer);
        CHECK_STR(namespaces[i].fact, reach_name(answer.reach), reach_name(namespaces[i].ingress));
        cluster_destroy(c);
    }
}

TEST(host_network_pods_do_not_open_a_namespace)
{
    struct cluster *c = stage((const char *const[POLICIES_MAX]){ DENY });
    struct reach_answer answer;

    put_pod(c, "node-agent", NULL, "{\"hostNetwork\":true,\"containers\":[]}");
    ask_namespace(c, cluster_ns(c, "shop"), DIRECTION_INGRESS, &answer);
    CHECK("they are the node's", answer.reach == REACH_ISOLATED);
    cluster_destroy(c);
}

TEST(a_workload_is_as_open_as_its_most_open_pods)
{
    struct cluster *c = stage((const char *const[POLICIES_MAX]){ "{" WEB "}" });
    static const char owner[] =
        ",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\","
        "\"name\":\"s\",\"uid\":\"uid-s\",\"controller\":true}],\"labels\":";
    char meta[512];
    struct reach_answer answer;

    snprintf(meta, sizeof(meta), "%s{\"app\":\"web\"}", owner);
    scene_put(c, KIND_POD, "shop", "s-0", meta, ",\"spec\":{}");
    const struct workload *w = cluster_workload(c, "shop", "apps", "StatefulSet", "s");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK("its one pod is isolated", answer.reach == REACH_ISOLATED);
    CHECK_INT("by one policy", answer.decider_count, 1);
    CHECK_STR("by that one", answer.deciders[0]->name->text, "p0");

    snprintf(meta, sizeof(meta), "%s{\"app\":\"old\"}", owner);
    scene_put(c, KIND_POD, "shop", "s-1", meta, ",\"spec\":{}");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK("a pod with other labels is open", answer.reach == REACH_OPEN);
    scene_delete(c, KIND_POD, "shop", "s-1");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK("it is gone", answer.reach == REACH_ISOLATED);
    cluster_destroy(c);
}

TEST(a_template_counts_while_there_are_no_pods)
{
    struct cluster *c = stage((const char *const[POLICIES_MAX]){ "{" WEB "}" });
    struct reach_answer answer;

    scene_put(c, KIND_DEPLOYMENT, "shop", "web", "",
              ",\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{}}}");
    const struct workload *w = cluster_workload(c, "shop", "apps", "Deployment", "web");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK("scaled to zero, the template is judged", answer.reach == REACH_ISOLATED);
    cluster_destroy(c);
}

TEST(deciders_come_by_name_and_are_the_ones_that_open)
{
    struct cluster *c = scene_create();
    struct reach_answer answer;
    char name[16];

    for (int i = 11; i >= 0; i--) {
        snprintf(name, sizeof(name), "p%02d", i);
        scene_put(c, KIND_NETWORK_POLICY, "shop", name, "", ",\"spec\":" DENY);
    }
    put_pod(c, "web", NULL, NULL);
    const struct workload *w = cluster_workload(c, "shop", "", "Pod", "web");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK_INT("all are counted", answer.decider_count, 12);
    CHECK_STR("the first by name is named first", answer.deciders[0]->name->text, "p00");
    CHECK_STR("the eighth last", answer.deciders[7]->name->text, "p07");

    scene_put(c, KIND_NETWORK_POLICY, "shop", "p05", "", ",\"spec\":{" ALL ",\"ingress\":[{}]}");
    ask_workload(c, w, DIRECTION_INGRESS, &answer);
    CHECK_INT("one opens", answer.decider_count, 1);
    CHECK_STR("that one", answer.deciders[0]->name->text, "p05");
    cluster_destroy(c);
}

/* An outsider may write any selector: the search for a label set that escapes is bounded. */
TEST(intricate_selectors_end_in_unknown_and_in_time)
{
    struct cluster *c = scene_create();
    struct reach_answer answer;
    char name[16];
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int p = 0; p < 40; p++) {
        buf_reset(&b);
        buf_adds(&b, ",\"spec\":{\"podSelector\":{\"matchExpressions\":[");
        for (int k = 0; k < 20; k++) {
            buf_addf(&b, "%s{\"key\":\"k%d\",\"operator\":\"NotIn\",\"values\":[\"v%d\",\"v%d\"]}",
                     k > 0 ? "," : "", k, (p + k) % 40, (p * 7 + k) % 40);
        }
        buf_adds(&b, "]}}");
        snprintf(name, sizeof(name), "p%d", p);
        scene_put(c, KIND_NETWORK_POLICY, "shop", name, "", b.data);
    }
    ask_namespace(c, cluster_ns(c, "shop"), DIRECTION_INGRESS, &answer);
    CHECK("it is not called isolated unless it is proved",
          answer.reach == REACH_UNKNOWN || answer.reach == REACH_OPEN);
    buf_deinit(&b);
    cluster_destroy(c);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(pods), cmocka_unit_test(namespaces_by_default),
              cmocka_unit_test(host_network_pods_do_not_open_a_namespace),
              cmocka_unit_test(a_workload_is_as_open_as_its_most_open_pods),
              cmocka_unit_test(a_template_counts_while_there_are_no_pods),
              cmocka_unit_test(deciders_come_by_name_and_are_the_ones_that_open),
              cmocka_unit_test(intricate_selectors_end_in_unknown_and_in_time));
}
