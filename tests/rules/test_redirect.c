#include "rules/redirect.h"
#include "tests/check.h"

#define NGINX      "nginx.ingress.kubernetes.io/"
#define ALB        "alb.ingress.kubernetes.io/"
#define ALB_TLS    "\"" ALB "certificate-arn\":\"arn:aws:acm:1\","
#define BOTH_PORTS "\"" ALB "listen-ports\":\"[{\\\"HTTP\\\":80},{\\\"HTTPS\\\":443}]\""
#define TLS        "\"tls\":[{\"hosts\":[\"a.shop\"],\"secretName\":\"s\"}]"

static void add(struct cluster *c, enum kind kind, const char *json)
{
    struct object *obj = NULL;
    struct error err = { 0 };

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s: %s\n", json, err.text);
        abort();
    }
    cluster_apply(c, obj, 1);
}

/* An Ingress of one host; `spec` and `annotations` are members of JSON objects. */
static void add_ingress(struct cluster *c, const char *ns, const char *name, const char *class_name,
                        const char *annotations, const char *spec)
{
    char json[4096];

    snprintf(json, sizeof(json),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"annotations\":{%s}},\"spec\":{%"
             "s%s%s%s%s}}",
             name, ns, annotations, class_name != NULL ? "\"ingressClassName\":\"" : "",
             class_name != NULL ? class_name : "", class_name != NULL ? "\"" : "",
             class_name != NULL && spec[0] != '\0' ? "," : "", spec);
    add(c, KIND_INGRESS, json);
}

static void add_class(struct cluster *c, const char *name, const char *controller, bool parameters)
{
    char json[512];

    snprintf(json, sizeof(json),
             "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"controller\":\"%s\"%s}}", name,
             controller,
             parameters ? ",\"parameters\":{\"apiGroup\":\"elbv2.k8s.aws\",\"kind\":"
                          "\"IngressClassParams\",\"name\":\"p\"}"
                        : "");
    add(c, KIND_INGRESS_CLASS, json);
}

static const struct ingress *web(const struct cluster *c)
{
    return (const struct ingress *)cluster_find(c, KIND_INGRESS, "shop", "web");
}

static const struct {
    const char *fact, *class_name, *annotations;
    enum redirect state;
} cases[] = {
    { "ingress-nginx redirects by default", "nginx", "", REDIRECT_ON },
    { "ingress-nginx ssl-redirect false", "nginx", "\"" NGINX "ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "ingress-nginx ssl-redirect 0", "nginx", "\"" NGINX "ssl-redirect\":\"0\"", REDIRECT_OFF },
    { "ingress-nginx ssl-redirect False", "nginx", "\"" NGINX "ssl-redirect\":\"False\"",
      REDIRECT_OFF },
    { "ingress-nginx ssl-redirect true", "nginx", "\"" NGINX "ssl-redirect\":\"true\"",
      REDIRECT_ON },
    { "ingress-nginx, unparsable is the ConfigMap's default", "nginx",
      "\"" NGINX "ssl-redirect\":\"no\"", REDIRECT_ON },
    { "ingress-nginx, force beats ssl-redirect", "nginx",
      "\"" NGINX "ssl-redirect\":\"false\",\"" NGINX "force-ssl-redirect\":\"true\"", REDIRECT_ON },
    { "ingress-nginx, force false does not", "nginx",
      "\"" NGINX "ssl-redirect\":\"false\",\"" NGINX "force-ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "ingress-nginx, another's key does nothing", "nginx",
      "\"haproxy.org/ssl-redirect\":\"false\"", REDIRECT_ON },
    { "ingress-nginx by another class name", "nginx-internal",
      "\"" NGINX "ssl-redirect\":\"false\"", REDIRECT_OFF },
    { "ingress-nginx told by its annotations", NULL, "\"" NGINX "ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "ingress-nginx by the deprecated annotation", NULL,
      "\"kubernetes.io/ingress.class\":\"nginx\",\"" NGINX "ssl-redirect\":\"false\"",
      REDIRECT_OFF },

    { "NGINX Inc redirects by default", "nginx-plus", "", REDIRECT_ON },
    { "NGINX Inc ssl-redirect false", "nginx", "\"nginx.org/ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "NGINX Inc older key", "nginx-plus", "\"ingress.kubernetes.io/ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "NGINX Inc, the newer key first", "nginx-plus",
      "\"ingress.kubernetes.io/ssl-redirect\":\"false\",\"nginx.org/ssl-redirect\":\"true\"",
      REDIRECT_ON },
    { "NGINX Inc redirect-to-https", "nginx",
      "\"nginx.org/ssl-redirect\":\"false\",\"nginx.org/redirect-to-https\":\"True\"",
      REDIRECT_ON },

    { "HAProxy redirects with spec.tls", "haproxy", "", REDIRECT_ON },
    { "HAProxy haproxy.org false", "haproxy", "\"haproxy.org/ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "HAProxy haproxy.com false", "haproxy", "\"haproxy.com/ssl-redirect\":\"false\"",
      REDIRECT_OFF },
    { "HAProxy ingress.kubernetes.io false", "haproxy",
      "\"ingress.kubernetes.io/ssl-redirect\":\"false\"", REDIRECT_OFF },
    { "haproxy-ingress redirects by default", "haproxy-ingress", "", REDIRECT_ON },
    { "haproxy-ingress false", "haproxy", "\"haproxy-ingress.github.io/ssl-redirect\":\"false\"",
      REDIRECT_OFF },

    { "ALB serves HTTP by default", "alb", "", REDIRECT_OFF },
    { "ALB with certificate-arn listens on HTTPS alone", "alb",
      "\"" ALB "certificate-arn\":\"arn\"", REDIRECT_ON },
    { "ALB on both ports", "alb", ALB_TLS BOTH_PORTS, REDIRECT_OFF },
    { "ALB on HTTPS alone", "alb", "\"" ALB "listen-ports\":\"[{\\\"HTTPS\\\":443}]\"",
      REDIRECT_ON },
    { "ALB ssl-redirect", "alb", ALB_TLS BOTH_PORTS ",\"" ALB "ssl-redirect\":\"443\"",
      REDIRECT_ON },
    { "ALB listen-ports that cannot be read", "alb", "\"" ALB "listen-ports\":\"HTTP 80\"",
      REDIRECT_NOT_VISIBLE },

    { "ALB listen-ports of an unknown protocol", "alb",
      "\"" ALB "listen-ports\":\"[{\\\"HTTPS\\\":443},{\\\"GRPC\\\":80}]\"", REDIRECT_NOT_VISIBLE },
    { "ALB listen-ports of lists", "alb", "\"" ALB "listen-ports\":\"[[{\\\"HTTPS\\\":443}]]\"",
      REDIRECT_NOT_VISIBLE },
    { "ALB listen-ports empty", "alb", "\"" ALB "listen-ports\":\"[]\"", REDIRECT_NOT_VISIBLE },
    { "AGIC does not by default", "azure-application-gateway", "", REDIRECT_OFF },
    { "AGIC true", "azure-application-gateway",
      "\"appgw.ingress.kubernetes.io/ssl-redirect\":\"true\"", REDIRECT_ON },
    { "AGIC True is not true", "azure-application-gateway",
      "\"appgw.ingress.kubernetes.io/ssl-redirect\":\"True\"", REDIRECT_OFF },
    { "AGIC by annotation class", NULL,
      "\"kubernetes.io/ingress.class\":\"azure/application-gateway\"", REDIRECT_OFF },

    { "Contour does not by default", "contour", "", REDIRECT_OFF },
    { "Contour force-ssl-redirect", "contour",
      "\"ingress.kubernetes.io/force-ssl-redirect\":\"true\"", REDIRECT_ON },
    { "Contour force-ssl-redirect false", "contour",
      "\"ingress.kubernetes.io/force-ssl-redirect\":\"false\"", REDIRECT_OFF },
    { "Contour closes HTTP", "contour", "\"kubernetes.io/ingress.allow-http\":\"false\"",
      REDIRECT_ON },

    { "Kong does not by default", "kong", "", REDIRECT_OFF },
    { "Kong https and a code", "kong",
      "\"konghq.com/protocols\":\"https\",\"konghq.com/https-redirect-status-code\":\"301\"",
      REDIRECT_ON },
    { "Kong https without a code", "kong", "\"konghq.com/protocols\":\"https\"", REDIRECT_OFF },
    { "Kong https and 426", "kong",
      "\"konghq.com/protocols\":\"https\",\"konghq.com/https-redirect-status-code\":\"426\"",
      REDIRECT_OFF },
    { "Kong both protocols", "kong",
      "\"konghq.com/protocols\":\"http,https\",\"konghq.com/https-redirect-status-code\":\"301\"",
      REDIRECT_OFF },
    { "Kong force-ssl-redirect", "kong", "\"ingress.kubernetes.io/force-ssl-redirect\":\"true\"",
      REDIRECT_ON },

    { "GKE keeps HTTP open", NULL, "\"kubernetes.io/ingress.class\":\"gce\"", REDIRECT_OFF },
    { "GKE closes HTTP", NULL,
      "\"kubernetes.io/ingress.class\":\"gce\",\"kubernetes.io/ingress.allow-http\":\"false\"",
      REDIRECT_ON },
    { "GKE with a FrontendConfig", NULL,
      "\"kubernetes.io/ingress.class\":\"gce\",\"networking.gke.io/v1beta1.FrontendConfig\":\"f\"",
      REDIRECT_NOT_VISIBLE },

    { "Traefik", "traefik", "", REDIRECT_NOT_VISIBLE },
    { "Istio", "istio", "", REDIRECT_NOT_VISIBLE },
    { "an unknown class", "gate", "", REDIRECT_NOT_VISIBLE },
    { "no class", NULL, "", REDIRECT_NOT_VISIBLE },
};

TEST(the_controller_decides_about_the_redirect)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cluster *c = cluster_create();
        struct redirect_answer answer;

        add_ingress(c, "shop", "web", cases[i].class_name, cases[i].annotations, TLS);
        redirect_of(c, web(c), &answer);
        CHECK_INT(cases[i].fact, answer.state, cases[i].state);
        CHECK(cases[i].fact, (answer.mend != NULL) == (answer.state == REDIRECT_OFF));
        CHECK(cases[i].fact, (answer.why != NULL) == (answer.state == REDIRECT_NOT_VISIBLE));
        cluster_destroy(c);
    }
}

TEST(an_ingress_class_says_which_controller)
{
    struct cluster *c = cluster_create();
    struct redirect_answer answer;

    add_class(c, "gate", "k8s.io/ingress-nginx", false);
    add_ingress(c, "shop", "web", "gate", "\"" NGINX "ssl-redirect\":\"false\"", TLS);
    redirect_of(c, web(c), &answer);
    CHECK_INT("by the class's controller", answer.controller, CONTROLLER_INGRESS_NGINX);
    CHECK_INT("and its annotation", answer.state, REDIRECT_OFF);
    add_class(c, "nginx", "example.com/own", false);
    add_ingress(c, "shop", "web", "nginx", "\"" NGINX "ssl-redirect\":\"false\"", TLS);
    redirect_of(c, web(c), &answer);
    CHECK_INT("the name of a class proves nothing beside its controller", answer.controller,
              CONTROLLER_OTHER);
    CHECK_INT("whose redirect is not known", answer.state, REDIRECT_NOT_VISIBLE);
    cluster_destroy(c);
}

TEST(an_alb_redirects_for_its_whole_group)
{
    struct cluster *c = cluster_create();
    struct redirect_answer answer;

    add_ingress(c, "shop", "web", "alb", ALB_TLS BOTH_PORTS ",\"" ALB "group.name\":\"g\"", TLS);
    add_ingress(c, "other", "x", "alb",
                "\"" ALB "group.name\":\"h\",\"" ALB "ssl-redirect\":\"443\"", "");
    redirect_of(c, web(c), &answer);
    CHECK_INT("another group's redirect is not ours", answer.state, REDIRECT_OFF);
    add_ingress(c, "other", "y", "alb",
                "\"" ALB "group.name\":\"g\",\"" ALB "ssl-redirect\":\"443\"", "");
    redirect_of(c, web(c), &answer);
    CHECK_INT("one member's redirect is everybody's", answer.state, REDIRECT_ON);
    CHECK("and named", answer.by != NULL && strcmp(answer.by->head.name->text, "y") == 0);
    add_ingress(c, "a", "z", "alb", "\"" ALB "group.name\":\"g\",\"" ALB "ssl-redirect\":\"443\"",
                "");
    redirect_of(c, web(c), &answer);
    CHECK("of several the first by name",
          answer.by != NULL && strcmp(answer.by->head.name->text, "z") == 0);
    add_class(c, "alb", "ingress.k8s.aws/alb", true);
    redirect_of(c, web(c), &answer);
    CHECK_INT("IngressClassParams may decide otherwise", answer.state, REDIRECT_NOT_VISIBLE);
    cluster_destroy(c);
}

#define ACTION(json) ALB_TLS BOTH_PORTS ",\"" ALB "actions.to-https\":\"" json "\""
#define TO_HTTPS                                                                                   \
    "{\\\"Type\\\":\\\"redirect\\\",\\\"RedirectConfig\\\":{\\\"Protocol\\\":\\\"HTTPS\\\","       \
    "\\\"Port\\\":\\\"443\\\","                                                                    \
    "\\\"StatusCode\\\":\\\"HTTP_301\\\"}}"
#define RULE(host, path)                                                                           \
    "{" host "\"http\":{\"paths\":[{\"path\":\"" path                                              \
    "\",\"backend\":{\"service\":{\"name\":\"to-https\",\"port\":{\"name\":\"use-annotation\"}}}}" \
    ",{\"path\":\"/x\","                                                                           \
    "\"backend\":{\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}}]}}"
#define RULES(list) "\"rules\":[" list "]"

static const struct {
    const char *fact, *annotations, *spec;
    enum redirect state;
} actions[] = {
    { "an action for every host", ACTION(TO_HTTPS), RULES(RULE("", "/*")), REDIRECT_ON },
    { "an action for the one host", ACTION(TO_HTTPS), RULES(RULE("\"host\":\"a.shop\",", "/")),
      REDIRECT_ON },
    { "an action on a part of the paths", ACTION(TO_HTTPS), RULES(RULE("", "/old")), REDIRECT_OFF },
    { "an action for one of two hosts", ACTION(TO_HTTPS),
      RULES(RULE("\"host\":\"a.shop\",",
                 "/") ",{\"host\":\"b.shop\",\"http\":{\"paths\":[{\"path\":\"/\",\"backend\":{"
                      "\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}}]}}"),
      REDIRECT_OFF },
    { "an action whose annotation is missing", ALB_TLS BOTH_PORTS, RULES(RULE("", "/*")),
      REDIRECT_OFF },
    { "an action that is no redirect", ACTION("{\\\"type\\\":\\\"fixed-response\\\"}"),
      RULES(RULE("", "/*")), REDIRECT_OFF },
    { "a redirect to plain HTTP",
      ACTION("{\\\"type\\\":\\\"redirect\\\",\\\"redirectConfig\\\":{\\\"host\\\":\\\"b\\\"}}"),
      RULES(RULE("", "/*")), REDIRECT_OFF },
    { "keys in lower case",
      ACTION("{\\\"redirectConfig\\\":{\\\"protocol\\\":\\\"HTTPS\\\"},\\\"type\\\":"
             "\\\"redirect\\\"}"),
      RULES(RULE("", "/*")), REDIRECT_ON },
    { "a protocol elsewhere does not count",
      ACTION("{\\\"type\\\":\\\"redirect\\\",\\\"x\\\":{\\\"protocol\\\":\\\"HTTPS\\\"}}"),
      RULES(RULE("", "/*")), REDIRECT_OFF },
    { "a redirect that is another key's value",
      ACTION("{\\\"type\\\":\\\"forward\\\",\\\"note\\\":\\\"redirect\\\",\\\"redirectConfig\\\":{"
             "\\\"protocol\\\":\\\"HTTPS\\\"}}"),
      RULES(RULE("", "/*")), REDIRECT_OFF },
    { "HTTPS that is another key's value",
      ACTION("{\\\"type\\\":\\\"redirect\\\",\\\"redirectConfig\\\":{\\\"protocol\\\":\\\"HTTP\\\","
             "\\\"host\\\":\\\"HTTPS\\\"}}"),
      RULES(RULE("", "/*")), REDIRECT_OFF },
    { "text that is no JSON", ACTION("redirect"), RULES(RULE("", "/*")), REDIRECT_OFF },
};

TEST(an_alb_action_redirects_when_it_covers_the_root)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        struct cluster *c = cluster_create();
        struct redirect_answer answer;

        add_ingress(c, "shop", "web", "alb", actions[i].annotations, actions[i].spec);
        redirect_of(c, web(c), &answer);
        CHECK_INT(actions[i].fact, answer.state, actions[i].state);
        cluster_destroy(c);
    }
}

static const struct {
    const char *fact, *class_name, *annotations, *key;
} proofs[] = {
    { "AWS certificate", "alb", "\"" ALB "certificate-arn\":\"arn\"", ALB "certificate-arn" },
    { "AWS certificate without HTTPS listener", "alb",
      ALB_TLS "\"" ALB "listen-ports\":\"[{\\\"HTTP\\\":80}]\"", NULL },
    { "AWS certificate with both listeners", "alb", ALB_TLS BOTH_PORTS, ALB "certificate-arn" },
    { "AWS certificate discovery", "alb", BOTH_PORTS, ALB "listen-ports" },
    { "AWS HTTP listener alone", "alb", "\"" ALB "listen-ports\":\"[{\\\"HTTP\\\":80}]\"", NULL },
    { "AWS listeners that cannot be read", "alb", ALB_TLS "\"" ALB "listen-ports\":\"[HTTPS]\"",
      NULL },
    { "AWS empty certificate", "alb", "\"" ALB "certificate-arn\":\"\"", NULL },
    { "AWS certificate, no class", NULL, "\"" ALB "certificate-arn\":\"arn\"",
      ALB "certificate-arn" },
    { "AWS certificate on an Ingress of nginx", "nginx", "\"" ALB "certificate-arn\":\"arn\"",
      NULL },
    { "GKE managed certificate", NULL,
      "\"kubernetes.io/ingress.class\":\"gce\",\"networking.gke.io/managed-certificates\":\"c\"",
      "networking.gke.io/managed-certificates" },
    { "GKE pre-shared certificate", NULL, "\"ingress.gcp.kubernetes.io/pre-shared-cert\":\"c\"",
      "ingress.gcp.kubernetes.io/pre-shared-cert" },
    { "GKE certificate on an Ingress of traefik", "traefik",
      "\"networking.gke.io/managed-certificates\":\"c\"", NULL },
    { "AGIC certificate", "azure-application-gateway",
      "\"appgw.ingress.kubernetes.io/appgw-ssl-certificate\":\"c\"",
      "appgw.ingress.kubernetes.io/appgw-ssl-certificate" },
    { "Traefik router", "traefik", "\"traefik.ingress.kubernetes.io/router.tls\":\"true\"",
      "traefik.ingress.kubernetes.io/router.tls" },
    { "Traefik router off", "traefik", "\"traefik.ingress.kubernetes.io/router.tls\":\"false\"",
      NULL },
    { "nothing", "nginx", "", NULL },
};

TEST(tls_is_proved_by_what_its_controller_reads)
{
    for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
        struct cluster *c = cluster_create();
        struct tls_proof proof;

        add_ingress(c, "shop", "web", proofs[i].class_name, proofs[i].annotations,
                    RULES("{\"host\":\"a.shop\"}"));
        CHECK(proofs[i].fact, ingress_tls_proved(c, web(c), &proof) == (proofs[i].key != NULL));
        CHECK_STR(proofs[i].fact, proof.key, proofs[i].key);
        cluster_destroy(c);
    }
}

TEST(tls_is_proved_by_another_ingress_of_the_class)
{
    struct cluster *c = cluster_create();
    struct tls_proof proof;

    add_ingress(c, "shop", "web", "nginx", "",
                RULES("{\"host\":\"a.shop\"},{\"host\":\"B.shop\"}"));
    add_ingress(c, "other", "one", "nginx", "", TLS);
    CHECK("one host of two is not enough", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(c, "other", "two", "traefik", "",
                "\"tls\":[{\"hosts\":[\"b.shop\"],\"secretName\":\"s\"}]");
    CHECK("another class does not count", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(c, "other", "two", "nginx", "", "\"tls\":[{\"hosts\":[\"b.shop\"]}]");
    CHECK("an entry without Secret does not count", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(c, "other", "two", NULL, "\"kubernetes.io/ingress.class\":\"nginx\"",
                "\"tls\":[{\"hosts\":[\"b.shop\"],\"secretName\":\"s\"}]");
    CHECK("the same host in any case, the class by annotation",
          ingress_tls_proved(c, web(c), &proof));
    CHECK("and named", proof.other != NULL && proof.key == NULL);
    add_ingress(c, "shop", "web", "nginx", "", RULES("{\"host\":\"a.shop\"}"));
    add_ingress(c, "a", "three", "nginx", "", TLS);
    add_ingress(c, "z", "four", "nginx", "", TLS);
    CHECK("by several", ingress_tls_proved(c, web(c), &proof));
    CHECK("of which the first by name is named",
          strcmp(proof.other->head.name->text, "three") == 0);
    add_ingress(c, "shop", "web", "nginx", "", RULES("{\"host\":\"a.shop\"},{}"));
    CHECK("a rule without host cannot be proved so", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(c, "shop", "web", NULL, "", RULES("{\"host\":\"a.shop\"}"));
    CHECK("without class nothing is shared", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(
        c, "shop", "web", "nginx", "",
        "\"defaultBackend\":{\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}," RULES(
            "{\"host\":\"a.shop\"}"));
    CHECK("a default backend answers for other names", !ingress_tls_proved(c, web(c), &proof));
    add_ingress(c, "shop", "web", "nginx", "", "\"tls\":[{\"hosts\":[\"a.shop\"]}]");
    CHECK("an Ingress without rules publishes nothing to prove",
          !ingress_tls_proved(c, web(c), &proof));
    cluster_destroy(c);
}

TEST(every_host_without_a_certificate_needs_one_elsewhere)
{
    static const struct {
        const char *fact, *spec;
        bool proved;
    } rows[] = {
        { "an entry without Secret whose host has one elsewhere",
          "\"tls\":[{\"hosts\":[\"a.shop\"]}]," RULES("{\"host\":\"a.shop\"}"), true },
        { "an entry without Secret whose host has none",
          "\"tls\":[{\"hosts\":[\"a.shop\",\"z.shop\"]}]," RULES("{\"host\":\"a.shop\"}"), false },
        { "an entry without Secret whose host has one in the next entry",
          "\"tls\":[{\"hosts\":[\"c.shop\"]},{\"hosts\":[\"c.shop\"],\"secretName\":\"c\"}]," RULES(
              "{\"host\":\"a.shop\"},{\"host\":\"c.shop\"}"),
          true },
        { "a rule that an own wildcard covers",
          "\"tls\":[{\"hosts\":[\"*.d.shop\"],\"secretName\":\"d\"}]," RULES(
              "{\"host\":\"x.d.shop\"},{\"host\":\"a.shop\"}"),
          true },
        { "nothing that needs proof elsewhere",
          "\"tls\":[{\"hosts\":[\"c.shop\"],\"secretName\":\"c\"}]," RULES("{\"host\":\"c.shop\"}"),
          false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cluster *c = cluster_create();
        struct tls_proof proof;

        add_ingress(c, "other", "one", "nginx", "", TLS);
        add_ingress(c, "shop", "web", "nginx", "", rows[i].spec);
        CHECK(rows[i].fact, ingress_tls_proved(c, web(c), &proof) == rows[i].proved);
        cluster_destroy(c);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(the_controller_decides_about_the_redirect),
              cmocka_unit_test(an_ingress_class_says_which_controller),
              cmocka_unit_test(an_alb_redirects_for_its_whole_group),
              cmocka_unit_test(an_alb_action_redirects_when_it_covers_the_root),
              cmocka_unit_test(tls_is_proved_by_what_its_controller_reads),
              cmocka_unit_test(tls_is_proved_by_another_ingress_of_the_class),
              cmocka_unit_test(every_host_without_a_certificate_needs_one_elsewhere));
}
