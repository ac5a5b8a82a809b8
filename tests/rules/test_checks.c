/* What fixtures cannot show: a live cluster's grace and missing rights, and parameters. A rule is
 * asked directly. */
#include "base/vec.h"
#include "rules/checks.h"
#include "rules/outcome.h"
#include "rules/params.h"
#include "rules/reach.h"
#include "tests/check.h"

#define NET "require-network-policy/"
#define CLS "require-ingress-class/"
#define TLS "require-ingress-tls/"
#define SVC "restrict-service-types/"
#define AWS "service.beta.kubernetes.io/aws-load-balancer-"

enum mode { LIVE, FILES };

/* One cluster, one question. */
struct stage {
    struct cluster *cluster;
    struct arena arena;
    struct outcome out;
};

static void stage_init(struct stage *s, enum mode mode)
{
    s->cluster = cluster_create();
    arena_init(&s->arena);
    if (mode == FILES) {
        cluster_set_offline(s->cluster, 0, true);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (mode == LIVE && kind_table[k].watch != KIND_WATCH_NEVER &&
            kind_table[k].watch != KIND_WATCH_CONFIGURED) {
            cluster_set_kind_state(s->cluster, (enum kind)k, KIND_STATE_SYNCED, "", 1);
        }
    }
}

static void stage_deinit(struct stage *s)
{
    cluster_destroy(s->cluster);
    arena_deinit(&s->arena);
}

static void add(struct stage *s, enum kind kind, const char *json)
{
    struct object *obj = NULL;
    struct error err = { 0 };

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s: %s\n", json, err.text);
        abort();
    }
    cluster_apply(s->cluster, obj, 1);
}

static const struct rule_params *params_of(struct stage *s, const struct rule *r, const char *name,
                                           const char *value)
{
    struct rule_params *params = params_initial(r, &s->arena);
    struct error err = { 0 };

    if (name != NULL) {
        int at = param_place(r->params, name);

        if (at < 0 ||
            param_read(&params->values[at], &r->params[at], value, &s->arena, &err) != 0) {
            fprintf(stderr, "%s: parameter %s=%s: %s\n", r->rule, name, value, err.text);
            abort();
        }
    }
    return params;
}

/* The Service, Ingress or Namespace that the tests speak of: "shop" and in it "web". */
static void subject_of(struct stage *s, const struct rule *r, struct subject *out)
{
    *out = (struct subject){ .ns = cluster_ns(s->cluster, "shop") };
    if ((r->subjects & BIT(SUBJECT_SERVICE)) != 0) {
        out->kind = SUBJECT_SERVICE;
        out->service =
            (const struct service *)cluster_find(s->cluster, KIND_SERVICE, "shop", "web");
    } else if ((r->subjects & BIT(SUBJECT_INGRESS)) != 0) {
        out->kind = SUBJECT_INGRESS;
        out->ingress =
            (const struct ingress *)cluster_find(s->cluster, KIND_INGRESS, "shop", "web");
    } else if ((r->subjects & BIT(SUBJECT_NAMESPACE)) != 0) {
        out->kind = SUBJECT_NAMESPACE;
    } else {
        out->kind = SUBJECT_WORKLOAD;
        out->workload = cluster_workload(s->cluster, "shop", "apps", "Deployment", "web");
    }
}

static const struct outcome *ask_with(struct stage *s, const char *id, const char *param,
                                      const char *value)
{
    const struct rule *r = rule_find(id);
    struct subject subject;

    if (r == NULL) {
        fprintf(stderr, "no rule %s\n", id);
        abort();
    }
    subject_of(s, r, &subject);
    const struct rule_input in = {
        .rule = r,
        .cluster = s->cluster,
        .subject = &subject,
        .environment = ENV_STANDARD,
        .params = params_of(s, r, param, value),
        .now_ms = 1000,
        .arena = &s->arena,
        .memo = reach_memo_create(s->cluster, NULL),
    };
    outcome_init(&s->out, &s->arena);
    r->evaluate(&in, &s->out);
    reach_memo_destroy(in.memo);
    return &s->out;
}

static const struct outcome *ask(struct stage *s, const char *id)
{
    return ask_with(s, id, NULL, NULL);
}

static const char *said(const struct outcome *out)
{
    return result_name(out->result);
}

#define INGRESS_WITH_SECRET(annotations)                                                           \
    "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"annotations\":{" annotations         \
    "}},\"spec\":{\"ingressClassName\":\"nginx\",\"tls\":[{\"hosts\":[\"a.shop\"],\"secretName\":" \
    "\"web-tls\"}],"                                                                               \
    "\"rules\":[{\"host\":\"a.shop\"}]}}"
#define SECRET(annotations)                                                                        \
    "{\"metadata\":{\"name\":\"web-tls\",\"namespace\":\"shop\",\"annotations\":{" annotations "}" \
    "}"                                                                                            \
    "}"

TEST(secrets_are_judged_as_far_as_they_are_seen)
{
    struct stage s;

    stage_init(&s, LIVE);
    add(&s, KIND_INGRESS, INGRESS_WITH_SECRET(""));
    CHECK_STR("not watched: skipped", said(ask(&s, TLS "validate-tls-secret-exists")), "skip");
    CHECK("with the setting that would help", strstr(s.out.message, "secrets") != NULL);
    CHECK_STR("not watched: the annotation alone decides",
              said(ask(&s, TLS "require-cert-manager-annotation")), "fail");

    cluster_set_kind_state(s.cluster, KIND_SECRET, KIND_STATE_FORBIDDEN, "403", 2);
    CHECK_STR("may not be read: error", said(ask(&s, TLS "validate-tls-secret-exists")), "error");
    CHECK("because of the kind", s.out.kind_unavailable);
    CHECK_STR("may not be read: it could be cert-manager's",
              said(ask(&s, TLS "require-cert-manager-annotation")), "error");

    cluster_set_kind_state(s.cluster, KIND_SECRET, KIND_STATE_SYNCED, "", 3);
    CHECK_STR("absent", said(ask(&s, TLS "validate-tls-secret-exists")), "fail");
    CHECK_STR("or of another type, which cannot be told apart live", s.out.message,
              "a Secret of spec.tls is absent or of another type than kubernetes.io/tls; create it "
              "with that type");
    CHECK_INT("at once", s.out.grace_ms, 0);
    CHECK_STR("at that line", s.out.field, "spec.tls[0].secretName");

    add(&s, KIND_SECRET, SECRET(""));
    CHECK_STR("there: of the right type, since only that is listed",
              said(ask(&s, TLS "validate-tls-secret-exists")), "pass");
    CHECK_STR("made by hand", said(ask(&s, TLS "require-cert-manager-annotation")), "fail");
    add(&s, KIND_SECRET, SECRET("\"cert-manager.io/certificate-name\":\"web\""));
    CHECK_STR("made by cert-manager", said(ask(&s, TLS "require-cert-manager-annotation")), "pass");
    stage_deinit(&s);
}

TEST(cert_manager_has_time_to_issue)
{
    static const char *const ingresses[] = {
        INGRESS_WITH_SECRET("\"cert-manager.io/issuer\":\"own\""),
        INGRESS_WITH_SECRET("\"cert-manager.io/cluster-issuer\":\"letsencrypt\""),
        INGRESS_WITH_SECRET("\"acme.cert-manager.io/http01-edit-in-place\":\"true\""),
        INGRESS_WITH_SECRET("\"kubernetes.io/tls-acme\":\"true\""),
    };

    for (size_t i = 0; i < ARRAY_LEN(ingresses); i++) {
        struct stage s;

        stage_init(&s, LIVE);
        cluster_set_kind_state(s.cluster, KIND_SECRET, KIND_STATE_SYNCED, "", 1);
        add(&s, KIND_INGRESS, ingresses[i]);
        CHECK_STR(ingresses[i], said(ask(&s, TLS "validate-tls-secret-exists")), "fail");
        CHECK_INT(ingresses[i], s.out.grace_ms, 600000);
        ask_with(&s, TLS "validate-tls-secret-exists", "grace", "90s");
        CHECK_INT("by parameter", s.out.grace_ms, 90000);
        stage_deinit(&s);
    }
}

#define SERVICE(spec) "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{" spec "}}"
#define SELECTING     "\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80,\"targetPort\":\"http\"}]"
#define DEPLOYMENT(labels, ports)                                                                  \
    "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"template\":{"             \
    "\"metadata\":{\"labels\":{" labels "}},\"spec\":{\"containers\":[{\"ports\":[" ports          \
    "]}]}}}}"
#define POD(name, labels, ports, status)                                                           \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\",\"uid\":\"u-" name                \
    "\",\"labels\":{" labels "}},\"spec\":{\"containers\":[{\"ports\":[" ports                     \
    "]}]},\"status\":{" status "}}"

TEST(a_service_may_wait_for_its_pods)
{
    struct stage s;

    stage_init(&s, LIVE);
    add(&s, KIND_SERVICE, SERVICE(SELECTING));
    CHECK_STR("no pod", said(ask(&s, SVC "validate-service-selector")), "fail");
    CHECK_INT("after the grace time", s.out.grace_ms, 300000);
    CHECK_STR("its port is then not judged", said(ask(&s, SVC "validate-service-ports")), "skip");
    ask_with(&s, SVC "validate-service-selector", "grace", "1m");
    CHECK_INT("by parameter", s.out.grace_ms, 60000);

    add(&s, KIND_POD, POD("web-0", "\"app\":\"web\"", "", "\"phase\":\"Succeeded\""));
    CHECK_STR("a finished pod is none", said(ask(&s, SVC "validate-service-selector")), "fail");
    add(&s, KIND_POD, POD("web-1", "\"app\":\"web\"", "", "\"phase\":\"Running\""));
    CHECK_STR("a pod", said(ask(&s, SVC "validate-service-selector")), "pass");
    CHECK_STR("that declares no port", said(ask(&s, SVC "validate-service-ports")), "fail");
    CHECK_STR("at that line", s.out.field, "spec.ports[0].targetPort");
    add(&s, KIND_POD,
        POD("web-2", "\"app\":\"web\"", "{\"name\":\"http\",\"containerPort\":8080}", ""));
    CHECK_STR("one that does suffices", said(ask(&s, SVC "validate-service-ports")), "pass");
    stage_deinit(&s);

    stage_init(&s, FILES);
    add(&s, KIND_SERVICE, SERVICE(SELECTING));
    CHECK_STR("no pod in files", said(ask(&s, SVC "validate-service-selector")), "fail");
    CHECK_INT("where nobody waits", s.out.grace_ms, 0);
    stage_deinit(&s);

    stage_init(&s, LIVE);
    add(&s, KIND_SERVICE, SERVICE(SELECTING));
    add(&s, KIND_DEPLOYMENT,
        DEPLOYMENT("\"app\":\"web\"", "{\"name\":\"http\",\"containerPort\":8080}"));
    CHECK_STR("a workload scaled to zero counts by its template",
              said(ask(&s, SVC "validate-service-selector")), "pass");
    CHECK_STR("and so do its ports", said(ask(&s, SVC "validate-service-ports")), "pass");
    cluster_set_kind_state(s.cluster, KIND_POD, KIND_STATE_FORBIDDEN, "403", 2);
    CHECK_STR("pods that may not be read: error", said(ask(&s, SVC "validate-service-selector")),
              "error");
    CHECK("because of the kind", s.out.kind_unavailable);
    stage_deinit(&s);
}

static const struct {
    const char *fact;
    enum mode mode;
    const char *id;
    enum kind kind;
    const char *json, *param, *value, *result;
} cases[] = {
    { "no provider, live", LIVE, SVC "require-loadbalancer-healthcheck", KIND_SERVICE,
      SERVICE("\"type\":\"LoadBalancer\""), NULL, NULL, "skip" },
    { "no provider, files", FILES, SVC "require-loadbalancer-healthcheck", KIND_SERVICE,
      SERVICE("\"type\":\"LoadBalancer\""), NULL, NULL, "warn" },
    { "provider by parameter", LIVE, SVC "require-loadbalancer-healthcheck", KIND_SERVICE,
      SERVICE("\"type\":\"LoadBalancer\""), "load-balancer-provider", "azure", "fail" },
    { "provider by parameter that has none", LIVE, SVC "require-loadbalancer-healthcheck",
      KIND_SERVICE, SERVICE("\"type\":\"LoadBalancer\""), "load-balancer-provider", "gke", "skip" },
    { "a health check by parameter", LIVE, SVC "require-loadbalancer-healthcheck", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"annotations\":{\"lb.example.com/"
      "check-path\":\"/\"}},"
      "\"spec\":{\"type\":\"LoadBalancer\"}}",
      "healthcheck-annotations", "lb.example.com/check-*", "pass" },

    { "a mark by parameter", LIVE, SVC "enforce-internal-loadbalancer-annotation", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"},\"annotations\":{"
      "\"lb.example.com/scope\":\"inside\"}},\"spec\":{\"type\":\"LoadBalancer\"}}",
      "internal-lb-annotations", "lb.example.com/scope=inside", "pass" },
    { "a mark by parameter, another value", LIVE, SVC "enforce-internal-loadbalancer-annotation",
      KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"},\"annotations\":{"
      "\"lb.example.com/scope\":\"outside\"}},\"spec\":{\"type\":\"LoadBalancer\"}}",
      "internal-lb-annotations", "lb.example.com/scope=inside", "fail" },
    { "a class by parameter", LIVE, SVC "enforce-internal-loadbalancer-annotation", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"}},\"spec\":{"
      "\"type\":\"LoadBalancer\",\"loadBalancerClass\":\"example.com/inside\"}}",
      "internal-loadbalancer-classes", "example.com/inside", "pass" },
    { "a provider by parameter", LIVE, SVC "enforce-internal-loadbalancer-annotation", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"},\"annotations\":{"
      "\"" AWS "internal\":\"true\"}},\"spec\":{\"type\":\"LoadBalancer\"}}",
      "load-balancer-provider", "azure", "fail" },
    { "a public address, live", LIVE, SVC "enforce-internal-loadbalancer-annotation", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"},\"annotations\":{"
      "\"" AWS "internal\":\"true\"}},\"spec\":{\"type\":\"LoadBalancer\"},\"status\":{"
      "\"loadBalancer\":{\"ingress\":["
      "{\"ip\":\"8.8.4.4\"}]}}}",
      NULL, NULL, "fail" },
    { "a host name in status says nothing", LIVE, SVC "enforce-internal-loadbalancer-annotation",
      KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"},\"annotations\":{"
      "\"" AWS "internal\":\"true\"}},\"spec\":{\"type\":\"LoadBalancer\"},\"status\":{"
      "\"loadBalancer\":{\"ingress\":["
      "{\"hostname\":\"lb.example.com\"}]}}}",
      NULL, NULL, "pass" },

    { "another approval label", LIVE, SVC "block-loadbalancer-without-approval", KIND_SERVICE,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"ok\":\"true\"}},"
      "\"spec\":{\"type\":"
      "\"LoadBalancer\"}}",
      "approval-label", "ok", "pass" },
    { "another range", LIVE, SVC "restrict-nodeport-range", KIND_SERVICE,
      SERVICE("\"type\":\"NodePort\",\"ports\":[{\"port\":80,\"nodePort\":30080}]"),
      "nodeport-range", "31000-31999", "fail" },
    { "required annotations", LIVE, SVC "require-external-service-annotation", KIND_SERVICE,
      SERVICE("\"type\":\"NodePort\""), "required-annotations", "example.com/owner", "fail" },

    { "controllers: approved", LIVE, CLS "validate-approved-ingressclass", KIND_INGRESS,
      INGRESS_WITH_SECRET(""), "approved-controllers", "k8s.io/ingress-nginx", "pass" },
    { "controllers: not approved", LIVE, CLS "validate-approved-ingressclass", KIND_INGRESS,
      INGRESS_WITH_SECRET(""), "approved-controllers", "traefik.io/ingress-controller", "fail" },
    { "controllers: of the annotation's class too", LIVE, CLS "validate-approved-ingressclass",
      KIND_INGRESS,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"annotations\":{\"kubernetes.io/"
      "ingress.class\":\"nginx\"}},"
      "\"spec\":{}}",
      "approved-controllers", "traefik.io/ingress-controller", "fail" },
    { "classes: another list", LIVE, CLS "validate-approved-ingressclass", KIND_INGRESS,
      INGRESS_WITH_SECRET(""), "approved-ingressclasses", "public,private", "fail" },
    { "internal classes: another list", LIVE, CLS "enforce-internal-ingressclass-for-private",
      KIND_INGRESS,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"visibility\":"
      "\"private\"}},\"spec\":{"
      "\"ingressClassName\":\"nginx\"}}",
      "internal-ingressclasses", "nginx", "pass" },
    { "unsafe annotations: another list", LIVE, CLS "block-unsafe-ingress-annotations",
      KIND_INGRESS, INGRESS_WITH_SECRET("\"example.com/raw\":\"x\""), "unsafe-annotations",
      "example.com/*", "fail" },
    { "unsafe annotations: none", LIVE, CLS "block-unsafe-ingress-annotations", KIND_INGRESS,
      INGRESS_WITH_SECRET("\"nginx.ingress.kubernetes.io/server-snippet\":\"x\""),
      "unsafe-annotations", "", "pass" },
    { "a host of a star alone", LIVE, CLS "require-ingress-hostname", KIND_INGRESS,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"rules\":[{\"host\":\"*"
      "\"}]}}",
      NULL, NULL, "fail" },
    { "neither rules nor a default backend", LIVE, CLS "require-ingress-hostname", KIND_INGRESS,
      "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{}}", NULL, NULL, "skip" },

    { "no policy is asked for", LIVE, NET "check-namespace-has-networkpolicy", KIND_NAMESPACE,
      "{\"metadata\":{\"name\":\"shop\"}}", "minimum-networkpolicies", "0", "pass" },
    { "more policies are asked for", LIVE, NET "check-namespace-has-networkpolicy",
      KIND_NETWORK_POLICY, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"},\"spec\":{}}",
      "minimum-networkpolicies", "2", "fail" },
    { "enough policies", LIVE, NET "check-namespace-has-networkpolicy", KIND_NETWORK_POLICY,
      "{\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"},\"spec\":{}}",
      "minimum-networkpolicies", "1", "pass" },
    { "a malformed policy may be one", LIVE, NET "check-namespace-has-networkpolicy",
      KIND_NETWORK_POLICY,
      "{\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"},\"spec\":{\"podSelector\":{"
      "\"matchExpressions\":[{\"key\":"
      "\"a\",\"operator\":\"Like\"}]}}}",
      NULL, NULL, "error" },
    { "a malformed policy leaves the default unknown", LIVE, NET "require-default-deny-ingress",
      KIND_NETWORK_POLICY,
      "{\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"},\"spec\":{\"podSelector\":{"
      "\"matchExpressions\":[{\"key\":"
      "\"a\",\"operator\":\"Like\"}]}}}",
      NULL, NULL, "error" },
    { "another label", LIVE, NET "validate-pod-network-policy-labels", KIND_DEPLOYMENT,
      DEPLOYMENT("\"app\":\"web\"", ""), "required-pod-labels", "team,part", "fail" },
    { "no label is asked for", LIVE, NET "validate-pod-network-policy-labels", KIND_DEPLOYMENT,
      DEPLOYMENT("", ""), "required-pod-labels", "", "pass" },
};

TEST(parameters_and_the_live_cluster_decide)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage s;

        stage_init(&s, cases[i].mode);
        add(&s, KIND_NAMESPACE, "{\"metadata\":{\"name\":\"shop\"}}");
        add(&s, KIND_INGRESS_CLASS,
            "{\"metadata\":{\"name\":\"nginx\"},\"spec\":{\"controller\":\"k8s.io/"
            "ingress-nginx\"}}");
        add(&s, cases[i].kind, cases[i].json);
        CHECK_STR(cases[i].fact, said(ask_with(&s, cases[i].id, cases[i].param, cases[i].value)),
                  cases[i].result);
        stage_deinit(&s);
    }
}

TEST(a_kind_that_may_not_be_read_is_an_error)
{
    static const struct {
        const char *id;
        enum kind kind, forbidden;
        const char *json;
    } rows[] = {
        { CLS "validate-ingressclass-exists", KIND_INGRESS, KIND_INGRESS_CLASS,
          INGRESS_WITH_SECRET("") },
        { CLS "validate-ingress-backend", KIND_INGRESS, KIND_SERVICE,
          "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"defaultBackend\":{"
          "\"service\":{\"name\":\"a\","
          "\"port\":{\"number\":80}}}}}" },
        { CLS "block-unsafe-ingress-annotations", KIND_INGRESS, KIND_SERVICE,
          "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"defaultBackend\":{"
          "\"service\":{\"name\":\"a\","
          "\"port\":{\"number\":80}}}}}" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage s;

        stage_init(&s, LIVE);
        add(&s, rows[i].kind, rows[i].json);
        cluster_set_kind_state(s.cluster, rows[i].forbidden, KIND_STATE_FORBIDDEN, "403", 2);
        CHECK_STR(rows[i].id, said(ask(&s, rows[i].id)), "error");
        CHECK(rows[i].id, s.out.kind_unavailable);
        stage_deinit(&s);
    }
}

#define ANNOTATED(annotations, spec)                                                               \
    "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"resourceVersion\":\"7\",\"labels\":" \
    "{\"visibility\":"                                                                             \
    "\"private\"},\"annotations\":{" annotations "}},\"spec\":{" spec "}}"
#define BALANCER "\"type\":\"LoadBalancer\""
#define RULE_FOR(service)                                                                          \
    "\"rules\":[{\"host\":\"a.shop\",\"http\":{\"paths\":[{\"path\":\"/"                           \
    "\",\"backend\":{\"service\":{\"name\":\"" service "\",\"port\":{\"number\":80}}}}]}}]"

/* Where a finding points, and what it shows. */
static const struct {
    const char *fact, *id;
    enum kind kind;
    const char *json, *field, *evidence;
} shown[] = {
    { "the class annotation that is not internal", CLS "enforce-internal-ingressclass-for-private",
      KIND_INGRESS,
      ANNOTATED("\"kubernetes.io/ingress.class\":\"nginx\"",
                "\"ingressClassName\":\"nginx-internal\""),
      "metadata.annotations.kubernetes.io/ingress.class",
      "{\"ingressClassName\":\"nginx-internal\",\"kubernetes.io/ingress.class\":\"nginx\"}" },
    { "the class annotation alone", CLS "enforce-internal-ingressclass-for-private", KIND_INGRESS,
      ANNOTATED("\"kubernetes.io/ingress.class\":\"nginx\"", ""),
      "metadata.annotations.kubernetes.io/ingress.class",
      "{\"kubernetes.io/ingress.class\":\"nginx\"}" },
    { "the class field that is not internal", CLS "enforce-internal-ingressclass-for-private",
      KIND_INGRESS,
      ANNOTATED("\"kubernetes.io/ingress.class\":\"nginx-internal\"",
                "\"ingressClassName\":\"nginx\""),
      "spec.ingressClassName",
      "{\"ingressClassName\":\"nginx\",\"kubernetes.io/ingress.class\":\"nginx-internal\"}" },
    { "no class at all", CLS "enforce-internal-ingressclass-for-private", KIND_INGRESS,
      ANNOTATED("", ""), "spec.ingressClassName", "{}" },
    { "an ALB's scheme", CLS "enforce-internal-ingressclass-for-private", KIND_INGRESS,
      ANNOTATED("\"alb.ingress.kubernetes.io/scheme\":\"internet-facing\"",
                "\"ingressClassName\":\"alb\""),
      "spec.ingressClassName",
      "{\"ingressClassName\":\"alb\",\"alb.ingress.kubernetes.io/scheme\":\"internet-facing\"}" },
    { "an ALB's default scheme", CLS "enforce-internal-ingressclass-for-private", KIND_INGRESS,
      ANNOTATED("", "\"ingressClassName\":\"alb\""), NULL,
      "{\"ingressClassName\":\"alb\",\"alb.ingress.kubernetes.io/scheme\":\"internal by "
      "default\"}" },
    { "the backend without Service", CLS "validate-ingress-backend", KIND_INGRESS,
      ANNOTATED("", RULE_FOR("gone")), "spec.rules[0].http.paths[0].backend.service",
      "{\"service\":\"gone\"}" },
    { "the annotation that proves TLS", TLS "validate-tls-configuration", KIND_INGRESS,
      ANNOTATED("\"alb.ingress.kubernetes.io/certificate-arn\":\"arn\"",
                "\"ingressClassName\":\"alb\""),
      "spec.tls", "{\"annotation\":\"alb.ingress.kubernetes.io/certificate-arn\"}" },
    { "the annotation that ends the redirect", TLS "block-http-redirect-annotation-removal",
      KIND_INGRESS,
      ANNOTATED(
          "\"nginx.ingress.kubernetes.io/ssl-redirect\":\"false\"",
          "\"ingressClassName\":\"nginx\",\"tls\":[{\"hosts\":[\"a.shop\"],\"secretName\":\"s\"}]"),
      "metadata.annotations.nginx.ingress.kubernetes.io/ssl-redirect",
      "{\"controller\":\"ingress-nginx\",\"nginx.ingress.kubernetes.io/ssl-redirect\":\"false\"}" },
    { "the host without TLS", TLS "enforce-tls-hostname-match", KIND_INGRESS,
      ANNOTATED("", "\"tls\":[{\"hosts\":[\"b.shop\"],\"secretName\":\"s\"}]," RULE_FOR("web")),
      "spec.rules[0].host", "{\"host\":\"a.shop\"}" },
    { "the TLS host without rule", TLS "enforce-tls-hostname-match", KIND_INGRESS,
      ANNOTATED("", "\"tls\":[{\"hosts\":[\"a.shop\",\"b.shop\"],\"secretName\":\"s\"}]," RULE_FOR(
                        "web")),
      "spec.tls[0].hosts[1]", "{\"host\":\"b.shop\"}" },
    { "the first of two node ports outside", SVC "restrict-nodeport-range", KIND_SERVICE,
      ANNOTATED("", "\"type\":\"NodePort\",\"ports\":[{\"port\":80,\"nodePort\":1},{\"port\":81,"
                    "\"nodePort\":2}]"),
      "spec.ports[0].nodePort", "{\"nodePort\":[\"1\",\"2\"]}" },
    { "the provider's annotation", SVC "enforce-internal-loadbalancer-annotation", KIND_SERVICE,
      ANNOTATED("\"" AWS "internal\":\"false\"", BALANCER), "metadata.annotations." AWS "internal",
      "{\"provider\":\"aws\",\"" AWS "internal\":\"false\"}" },
    { "the annotation that makes it internal", SVC "enforce-internal-loadbalancer-annotation",
      KIND_SERVICE, ANNOTATED("\"" AWS "internal\":\"true\"", BALANCER), NULL,
      "{\"provider\":\"aws\",\"annotation\":\"" AWS "internal\"}" },
    { "the annotation that sets the health check", SVC "require-loadbalancer-healthcheck",
      KIND_SERVICE, ANNOTATED("\"" AWS "healthcheck-path\":\"/\"", BALANCER),
      "metadata.annotations", "{\"provider\":\"aws\",\"annotation\":\"" AWS "healthcheck-path\"}" },
    { "the addresses", SVC "block-service-externalips", KIND_SERVICE,
      ANNOTATED("", "\"externalIPs\":[\"192.0.2.7\"]"), "spec.externalIPs",
      "{\"externalIPs\":\"192.0.2.7\"}" },
    { "the policies that count", NET "check-namespace-has-networkpolicy", KIND_NETWORK_POLICY,
      ANNOTATED("", ""), NULL,
      "{\"objects\":[{\"kind\":\"NetworkPolicy\",\"namespace\":\"shop\",\"name\":\"web\","
      "\"resourceVersion\":\"7\"}],"
      "\"policies\":\"1\",\"minimum\":\"1\"}" },
    { "the labels of a template", NET "validate-pod-network-policy-labels", KIND_DEPLOYMENT,
      DEPLOYMENT("\"tier\":\"front\"", ""), "spec.template.metadata.labels",
      "{\"any of\":[\"app\",\"app.kubernetes.io/name\",\"k8s-app\"]}" },
};

TEST(a_finding_points_at_the_field_and_shows_the_values)
{
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        struct stage s;
        struct buf json;

        stage_init(&s, LIVE);
        buf_init(&json, 4096);
        add(&s, shown[i].kind, shown[i].json);
        ask(&s, shown[i].id);
        outcome_evidence(&s.out, &json);
        CHECK_STR(shown[i].fact, s.out.field, shown[i].field);
        CHECK_STR(shown[i].fact, buf_text(&json), shown[i].evidence);
        buf_deinit(&json);
        stage_deinit(&s);
    }
}

static bool has_depend(const struct rule *r, enum kind kind)
{
    for (const struct depend *d = r->depends; d->how != DEPEND_END; d++) {
        if (d->kind == kind) {
            return true;
        }
    }
    return false;
}

TEST(every_row_is_whole)
{
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *r = rule_at(i);

        CHECK(r->rule, r->title[0] != '\0' && r->category[0] != '\0' && r->evaluate != NULL &&
                           r->subjects != 0);
        CHECK(r->rule,
              r->description[0] != '\0' && r->description[strlen(r->description) - 1] == '.');
        CHECK(r->rule,
              r->remediation[0] != '\0' && r->remediation[strlen(r->remediation) - 1] == '\n');
        CHECK(r->rule,
              r->false_positives != NULL && r->references != NULL && r->references[0] != NULL);
        for (const struct param *p = r->params; p != NULL && p->type != PARAM_END; p++) {
            CHECK(r->rule, p->about != NULL && p->about[0] != '\0');
        }
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            CHECK("what a rule needs can alter its verdict",
                  (r->needs & BIT(k)) == 0 || has_depend(r, (enum kind)k));
        }
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(secrets_are_judged_as_far_as_they_are_seen),
              cmocka_unit_test(cert_manager_has_time_to_issue),
              cmocka_unit_test(a_service_may_wait_for_its_pods),
              cmocka_unit_test(parameters_and_the_live_cluster_decide),
              cmocka_unit_test(a_kind_that_may_not_be_read_is_an_error),
              cmocka_unit_test(a_finding_points_at_the_field_and_shows_the_values),
              cmocka_unit_test(every_row_is_whole));
}
