/* The rules as configured: environments by words, levels and parameters by pattern, exemptions; and
 * every sentence that a wrong setting earns. */
#include "base/clock.h"
#include "rules/label_query.h"
#include "rules/params.h"
#include "rules/ruleset.h"
#include "tests/rules/scene.h"

/* ---- environments ---- */

static const struct {
    const char *fact, *name, *labels;
    enum environment environment;
} environments[] = {
    { "the name is the word", "production", "", ENV_PRODUCTION },
    { "prd", "prd", "", ENV_PRODUCTION },
    { "the last part is the word", "shop-prod", "", ENV_PRODUCTION },
    { "the first part is a production word", "prod-shop", "", ENV_PRODUCTION },
    { "the first part is a staging word", "stage-shop", "", ENV_STAGING },
    { "uat", "shop-uat", "", ENV_STAGING },
    { "preprod is staging", "preprod", "", ENV_STAGING },
    { "api-dev", "api-dev", "", ENV_DEVELOPMENT },
    { "local-dev", "local-dev", "", ENV_DEVELOPMENT },
    { "sandbox", "my-sandbox", "", ENV_DEVELOPMENT },
    { "a development word in front says nothing", "test-ns", "", ENV_STANDARD },
    { "nor does one in the middle", "my-dev-thing", "", ENV_STANDARD },
    { "a word that only begins the name", "productionx", "", ENV_STANDARD },
    { "a word without its dash", "myprod", "", ENV_STANDARD },
    { "the stricter word wins", "prod-dev", "", ENV_PRODUCTION },
    { "an ordinary name", "shop", "", ENV_STANDARD },
    { "label environment wins over the name", "shop-prod", "\"environment\":\"dev\"",
      ENV_DEVELOPMENT },
    { "label env", "shop", "\"env\":\"staging\"", ENV_STAGING },
    { "environment comes before env", "shop", "\"env\":\"dev\",\"environment\":\"prod\"",
      ENV_PRODUCTION },
    { "our own label comes first", "shop",
      "\"environment\":\"prod\",\"netauditd.io/environment\":\"test\"", ENV_DEVELOPMENT },
    { "values are compared without case", "shop", "\"environment\":\"Production\"",
      ENV_PRODUCTION },
    { "a value is the whole word", "shop", "\"environment\":\"eu-prod\"", ENV_STANDARD },
    { "an unknown value is standard, whatever the name", "shop-prod", "\"environment\":\"qa\"",
      ENV_STANDARD },
};

TEST(environment_of_a_namespace)
{
    struct ruleset *rs;

    REQUIRE("defaults", ruleset_create(&rs, NULL, NULL) == 0);
    for (size_t i = 0; i < ARRAY_LEN(environments); i++) {
        struct cluster *c = scene_create();
        char meta[256];
        snprintf(meta, sizeof(meta), ",\"labels\":{%s}", environments[i].labels);
        scene_put(c, KIND_NAMESPACE, NULL, environments[i].name, meta, "");
        CHECK_STR(environments[i].fact,
                  environment_name(ruleset_environment(rs, cluster_ns(c, environments[i].name))),
                  environment_name(environments[i].environment));
        cluster_destroy(c);
    }
    ruleset_destroy(rs);
}

TEST(environment_words_are_configuration)
{
    struct ruleset_settings s = { .force_environment = -1 };
    struct cluster *c = scene_create();
    struct ruleset *rs;

    vec_push(&s.words[ENV_PRODUCTION], "live");
    vec_push(&s.environment_labels, "stage-label");
    scene_put(c, KIND_NAMESPACE, NULL, "shop-live", "", "");
    scene_put(c, KIND_NAMESPACE, NULL, "shop-prod", ",\"labels\":{\"environment\":\"dev\"}", "");
    scene_put(c, KIND_NAMESPACE, NULL, "shop", ",\"labels\":{\"stage-label\":\"live\"}", "");
    REQUIRE("settings", ruleset_create(&rs, &s, NULL) == 0);
    CHECK("the new word", ruleset_environment(rs, cluster_ns(c, "shop-live")) == ENV_PRODUCTION);
    CHECK("replaces the old ones, and the old labels",
          ruleset_environment(rs, cluster_ns(c, "shop-prod")) == ENV_STANDARD);
    CHECK("the new label", ruleset_environment(rs, cluster_ns(c, "shop")) == ENV_PRODUCTION);
    ruleset_destroy(rs);

    s.force_environment = ENV_STAGING;
    REQUIRE("settings", ruleset_create(&rs, &s, NULL) == 0);
    CHECK("--environment overrides all",
          ruleset_environment(rs, cluster_ns(c, "shop-live")) == ENV_STAGING);
    ruleset_destroy(rs);
    cluster_destroy(c);
    vec_free(&s.words[ENV_PRODUCTION]);
    vec_free(&s.environment_labels);
}

/* ---- levels and parameters ---- */

#define MINIMUM "require-network-policy/check-namespace-has-networkpolicy"

static struct rule_setting setting(const char *pattern, int level)
{
    int8_t l = (int8_t)level;

    return (struct rule_setting){ .pattern = pattern, .levels = { l, l, l, l } };
}

TEST(one_rule_wins_over_a_pattern_whatever_the_order)
{
    struct ruleset_settings s = { .force_environment = -1 };
    const struct rule *minimum = rule_find(MINIMUM),
                      *other = rule_find("workload-ingress-isolated");
    struct ruleset *rs;

    vec_push(&s.rules, setting(MINIMUM, LEVEL_WARN));
    vec_push(&s.rules, setting("*", LEVEL_FAIL));
    vec_push(&s.rules, setting("require-network-policy/*", LEVEL_OFF));
    s.rules.items[2].levels[ENV_STAGING] = -1;
    REQUIRE("settings", ruleset_create(&rs, &s, NULL) == 0);
    CHECK("the one that names it", ruleset_level(rs, minimum, ENV_PRODUCTION) == LEVEL_WARN);
    CHECK("the later pattern", ruleset_level(rs, other, ENV_PRODUCTION) == LEVEL_OFF);
    CHECK("a level that is not set stays", ruleset_level(rs, other, ENV_STAGING) == LEVEL_FAIL);
    ruleset_destroy(rs);
    vec_free(&s.rules);
}

TEST(an_alias_names_the_rule_that_it_stands_for)
{
    struct ruleset_settings s = { .force_environment = -1 };
    const struct rule *r = rule_find("restrict-egress-traffic/block-external-ips");
    struct ruleset *rs;

    REQUIRE("it is found", r != NULL);
    CHECK_STR("under its own name", r->rule, "block-service-externalips");
    CHECK("by its bare name as well", rule_find("block-external-ips") == r);
    CHECK("not under another policy",
          rule_find("require-ingress-tls/block-service-externalips") == NULL);
    vec_push(&s.rules, setting("restrict-egress-traffic/block-external-ips", LEVEL_OFF));
    REQUIRE("settings", ruleset_create(&rs, &s, NULL) == 0);
    CHECK("and configured by it", ruleset_level(rs, r, ENV_PRODUCTION) == LEVEL_OFF);
    ruleset_destroy(rs);
    vec_free(&s.rules);
}

static const struct {
    const char *fact, *pattern, *param, *value, *sentence;
} faults[] = {
    { "a pattern without a rule", "require-ingress-tls/no-such-rule-at-all", NULL, NULL,
      "rules: 'require-ingress-tls/no-such-rule-at-all' matches no rule" },
    { "with a near one", "require-ingress-tls/validate-tls-configuratoin", NULL, NULL,
      "rules: 'require-ingress-tls/validate-tls-configuratoin' matches no rule (did you mean "
      "require-ingress-tls/validate-tls-configuration?)" },
    { "a glob without a rule", "ingress/*", NULL, NULL, "rules: 'ingress/*' matches no rule" },
    { "an unknown parameter", MINIMUM, "maximum", "3",
      "rules: '" MINIMUM "': no parameter 'maximum'" },
    { "with a near one", MINIMUM, "minimum-networkpolicys", "3",
      "rules: '" MINIMUM
      "': no parameter 'minimum-networkpolicys' (did you mean minimum-networkpolicies?)" },
    { "a number that is none", MINIMUM, "minimum-networkpolicies", "many",
      "rules: '" MINIMUM
      "': parameter minimum-networkpolicies: 'many' is not a whole number of at least 0" },
    { "a negative number", MINIMUM, "minimum-networkpolicies", "-1",
      "rules: '" MINIMUM
      "': parameter minimum-networkpolicies: '-1' is not a whole number of at least 0" },
    { "a range that is none", "restrict-service-types/restrict-nodeport-range", "nodeport-range",
      "30000",
      "rules: 'restrict-service-types/restrict-nodeport-range': parameter nodeport-range: '30000' "
      "is not a range such as "
      "30000-32767" },
    { "a range backwards", "restrict-service-types/restrict-nodeport-range", "nodeport-range",
      "32767-30000",
      "rules: 'restrict-service-types/restrict-nodeport-range': parameter nodeport-range: "
      "'32767-30000' is not a range "
      "such as 30000-32767" },
    { "a duration that is none", "restrict-service-types/validate-service-selector", "grace",
      "soon",
      "rules: 'restrict-service-types/validate-service-selector': parameter grace: 'soon' is not a "
      "duration such as 90s, "
      "5m, 24h or 7d" },
    { "a map that is none", "restrict-service-types/enforce-internal-loadbalancer-annotation",
      "internal-lb-annotations", "x",
      "rules: 'restrict-service-types/enforce-internal-loadbalancer-annotation': parameter "
      "internal-lb-annotations: 'x' is "
      "not a map such as key=value,key2=value2" },
};

TEST(a_wrong_setting_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct ruleset_settings s = { .force_environment = -1 };
        struct ruleset *untouched = (struct ruleset *)&s, *rs = untouched;
        struct error err = { 0 };
        vec_push(&s.rules, setting(faults[i].pattern, -1));
        if (faults[i].param != NULL) {
            vec_push(&s.rules.items[0].params,
                     ((struct label_pair){ faults[i].param, faults[i].value }));
        }
        CHECK_INT(faults[i].fact, ruleset_create(&rs, &s, &err), NA_EINVAL);
        CHECK_STR(faults[i].fact, err.text, faults[i].sentence);
        CHECK("the output is untouched", rs == untouched);
        vec_free(&s.rules.items[0].params);
        vec_free(&s.rules);
    }
}

TEST(a_sentence_names_the_place_in_the_file)
{
    struct ruleset_settings s = { .force_environment = -1 };
    struct error err = { 0 };
    struct ruleset *rs;

    vec_push(&s.rules, setting("nothing", -1));
    s.rules.items[0].line = 12;
    s.rules.items[0].column = 3;
    CHECK_INT("refused", ruleset_create(&rs, &s, &err), NA_EINVAL);
    CHECK_STR("with line and column", err.text,
              "line 12, column 3: rules: 'nothing' matches no rule");
    vec_free(&s.rules);
}

TEST(parameters_are_read_by_their_type)
{
    struct arena arena;
    struct param_value v;
    const struct param list = { "l", PARAM_LIST, "", "" }, map = { "m", PARAM_MAP, "", "" },
                       flag = { "f", PARAM_BOOL, "false", "" }, text = { "t", PARAM_TEXT, "", "" };

    arena_init(&arena);
    CHECK("a list", param_read(&v, &list, "a, b ,c", &arena, NULL) == 0);
    CHECK_STR("its spaces are not its values'", v.list[1], "b");
    CHECK("and it ends", v.list[3] == NULL);
    CHECK("an empty list", param_read(&v, &list, "", &arena, NULL) == 0 && v.list[0] == NULL);
    CHECK("a map", param_read(&v, &map, "a=1,b=", &arena, NULL) == 0);
    CHECK_STR("a value", v.map[0].value, "1");
    CHECK_STR("an empty value", v.map[1].value, "");
    CHECK("and it ends", v.map[2].key == NULL);
    CHECK("a map needs keys", param_read(&v, &map, "=1", &arena, NULL) == NA_EINVAL);
    CHECK("true", param_read(&v, &flag, "true", &arena, NULL) == 0 && v.number == 1);
    CHECK("no other word", param_read(&v, &flag, "yes", &arena, NULL) == NA_EINVAL);
    CHECK("text as it is",
          param_read(&v, &text, "a, b", &arena, NULL) == 0 && strcmp(v.text, "a, b") == 0);
    arena_deinit(&arena);
}

/* ---- exemptions ---- */

enum { NOW = 1000000 };

static const struct {
    const char *fact;
    struct exemption exemption;
    const char *rule;
    enum subject_kind kind;
    const char *why; /* NULL: not exempt */
} exempt[] = {
    { "everything", { .reason = "r" }, "lb", SUBJECT_SERVICE, "exemption: r" },
    { "by full id",
      { .rule = "restrict-service-types/block-service-externalips", .reason = "r" },
      "ext",
      SUBJECT_SERVICE,
      "exemption: r" },
    { "by bare name",
      { .rule = "block-service-externalips", .reason = "r" },
      "ext",
      SUBJECT_SERVICE,
      "exemption: r" },
    { "by alias",
      { .rule = "restrict-egress-traffic/block-external-ips", .reason = "r" },
      "ext",
      SUBJECT_SERVICE,
      "exemption: r" },
    { "by glob over ids",
      { .rule = "restrict-service-types/*", .reason = "r" },
      "ext",
      SUBJECT_SERVICE,
      "exemption: r" },
    { "another rule",
      { .rule = "restrict-nodeport-range", .reason = "r" },
      "ext",
      SUBJECT_SERVICE,
      NULL },
    { "by namespace glob", { .ns = "sh*", .reason = "r" }, "lb", SUBJECT_SERVICE, "exemption: r" },
    { "another namespace", { .ns = "other", .reason = "r" }, "lb", SUBJECT_SERVICE, NULL },
    { "a Namespace is in itself",
      { .ns = "shop", .reason = "r" },
      "ns",
      SUBJECT_NAMESPACE,
      "exemption: r" },
    { "by kind", { .kind = "Service", .reason = "r" }, "lb", SUBJECT_SERVICE, "exemption: r" },
    { "another kind", { .kind = "Ingress", .reason = "r" }, "lb", SUBJECT_SERVICE, NULL },
    { "by the workload's kind",
      { .kind = "Deploy*", .reason = "r" },
      "workload",
      SUBJECT_WORKLOAD,
      "exemption: r" },
    { "by name", { .name = "w?b", .reason = "r" }, "lb", SUBJECT_SERVICE, "exemption: r" },
    { "another name", { .name = "w", .reason = "r" }, "lb", SUBJECT_SERVICE, NULL },
    { "by label of the pod template",
      { .selector = "app=web,!canary", .reason = "r" },
      "workload",
      SUBJECT_WORKLOAD,
      "exemption: r" },
    { "not by the controller's own label",
      { .selector = "own=yes", .reason = "r" },
      "workload",
      SUBJECT_WORKLOAD,
      NULL },
    { "other labels",
      { .selector = "app in (db)", .reason = "r" },
      "workload",
      SUBJECT_WORKLOAD,
      NULL },
    { "not yet expired",
      { .reason = "r", .expires_ms = NOW + 1 },
      "lb",
      SUBJECT_SERVICE,
      "exemption: r (until 1970-01-01T00:16:40Z)" },
    { "expired in this millisecond",
      { .reason = "r", .expires_ms = NOW },
      "lb",
      SUBJECT_SERVICE,
      NULL },
    { "all parts are said",
      { .reason = "r", .owner = "web", .ticket = "T-1", .expires_ms = NOW + 60000 },
      "lb",
      SUBJECT_SERVICE,
      "exemption: r (web, T-1, until 1970-01-01T00:17:40Z)" },
};

static const char *rule_named(const char *shorthand)
{
    return strcmp(shorthand, "lb") == 0    ? "block-loadbalancer-without-approval"
           : strcmp(shorthand, "ext") == 0 ? "block-service-externalips"
           : strcmp(shorthand, "ns") == 0  ? "require-default-deny-ingress"
                                           : "workload-ingress-isolated";
}

static struct cluster *exempt_stage(void)
{
    struct cluster *c = scene_create();

    scene_put(c, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(c, KIND_SERVICE, "shop", "web", "", ",\"spec\":{\"ports\":[{\"port\":80}]}");
    scene_put(c, KIND_DEPLOYMENT, "shop", "web", ",\"labels\":{\"own\":\"yes\"}",
              ",\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{}}}");
    return c;
}

static void subject_in(const struct cluster *c, enum subject_kind kind, struct subject *s)
{
    *s = (struct subject){ .kind = kind, .ns = cluster_ns(c, "shop") };
    if (kind == SUBJECT_SERVICE) {
        s->service = s->ns->services.items[0];
    } else if (kind == SUBJECT_WORKLOAD) {
        s->workload = s->ns->workloads.items[0];
    }
}

TEST(configured_exemptions)
{
    struct cluster *c = exempt_stage();
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(exempt); i++) {
        struct ruleset_settings s = { .force_environment = -1 };
        struct ruleset *rs;
        struct error err = { 0 };
        struct subject subject;
        int64_t until;
        vec_push(&s.exemptions, exempt[i].exemption);
        REQUIRE(exempt[i].fact, ruleset_create(&rs, &s, &err) == 0);
        subject_in(c, exempt[i].kind, &subject);
        CHECK_STR(exempt[i].fact,
                  ruleset_exempt(rs, rule_find(rule_named(exempt[i].rule)), &subject, NOW, &arena,
                                 &until),
                  exempt[i].why);
        CHECK_INT("until when", until, exempt[i].why != NULL ? exempt[i].exemption.expires_ms : 0);
        ruleset_destroy(rs);
        vec_free(&s.exemptions);
    }
    arena_deinit(&arena);
    cluster_destroy(c);
}

TEST(of_several_exemptions_the_longest_counts)
{
    const struct exemption day = { .reason = "day", .expires_ms = NOW + 1000 },
                           week = { .reason = "week", .expires_ms = NOW + 7000 },
                           always = { .reason = "always" };
    struct ruleset_settings s = { .force_environment = -1 };
    struct cluster *c = exempt_stage();
    const struct rule *lb = rule_find("block-loadbalancer-without-approval");
    struct ruleset *rs;
    struct subject subject;
    struct arena arena;
    int64_t until;

    arena_init(&arena);
    subject_in(c, SUBJECT_SERVICE, &subject);
    vec_push(&s.exemptions, day);
    REQUIRE("settings", ruleset_create(&rs, &s, NULL) == 0);
    REQUIRE("from the API", ruleset_set_api_exemptions(rs, &week, 1, NULL) == 0);
    ruleset_exempt(rs, lb, &subject, NOW, &arena, &until);
    CHECK_INT("the API's lasts longer", until, NOW + 7000);
    REQUIRE("another list takes its place", ruleset_set_api_exemptions(rs, &always, 1, NULL) == 0);
    ruleset_exempt(rs, lb, &subject, NOW, &arena, &until);
    CHECK_INT("for ever", until, 0);
    CHECK("a wrong one is refused",
          ruleset_set_api_exemptions(rs, &(struct exemption){ .reason = "" }, 1, NULL) ==
              NA_EINVAL);
    CHECK("and leaves the list in place",
          ruleset_exempt(rs, lb, &subject, NOW, &arena, &until) != NULL);
    REQUIRE("none", ruleset_set_api_exemptions(rs, NULL, 0, NULL) == 0);
    ruleset_exempt(rs, lb, &subject, NOW, &arena, &until);
    CHECK_INT("the configured one is left", until, NOW + 1000);
    ruleset_destroy(rs);
    vec_free(&s.exemptions);
    arena_deinit(&arena);
    cluster_destroy(c);
}

static const struct {
    const char *fact;
    struct exemption exemption;
    const char *sentence;
} wrong_exemptions[] = {
    { "no reason", { .rule = "*" }, "exemptions: an exemption needs a reason" },
    { "no such rule",
      { .rule = "block-*-nothing", .reason = "r" },
      "exemptions: rule: 'block-*-nothing' matches no rule" },
    { "the place",
      { .rule = "x", .reason = "r", .line = 3, .column = 5 },
      "line 3, column 5: exemptions: rule: 'x' matches no rule" },
    { "a selector cut short",
      { .selector = "app in (", .reason = "r" },
      "exemptions: selector 'app in (': ',' or ')' expected at its end" },
    { "a selector without a key",
      { .selector = "=web", .reason = "r" },
      "exemptions: selector '=web': a label key expected at '=web'" },
    { "two words",
      { .selector = "app web", .reason = "r" },
      "exemptions: selector 'app web': ',' or an operator expected at 'web'" },
};

TEST(a_wrong_exemption_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_exemptions); i++) {
        struct ruleset_settings s = { .force_environment = -1 };
        struct error err = { 0 };
        struct ruleset *rs;
        vec_push(&s.exemptions, wrong_exemptions[i].exemption);
        CHECK_INT(wrong_exemptions[i].fact, ruleset_create(&rs, &s, &err), NA_EINVAL);
        CHECK_STR(wrong_exemptions[i].fact, err.text, wrong_exemptions[i].sentence);
        vec_free(&s.exemptions);
    }
}

/* ---- selectors as on a command line ---- */

static const struct {
    const char *text, *again;
} queries[] = {
    { "", "<all>" },
    { "app", "app" },
    { "app=web", "app=web" },
    { "app==web", "app=web" },
    { "app!=web", "app notin (web)" },
    { "!app", "!app" },
    { "app in (a, b)", "app in (a,b)" },
    { "app notin (a,b),tier", "app notin (a,b),tier" },
    { "in in (in)", "in=in" },
    { "a.b/c-d_e=1, x = y", "a.b/c-d_e=1,x=y" },
    { "app=", "app=" },
    { " app ", "app" },
};

TEST(label_queries)
{
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct selector *s;
        struct error err = { 0 };
        char text[128];
        REQUIRE(queries[i].text, label_query_parse(queries[i].text, &s, &err) == 0);
        selector_format(s, text, sizeof(text));
        CHECK_STR(queries[i].text, text, queries[i].again);
        selector_destroy(s);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(environment_of_a_namespace),
              cmocka_unit_test(environment_words_are_configuration),
              cmocka_unit_test(one_rule_wins_over_a_pattern_whatever_the_order),
              cmocka_unit_test(an_alias_names_the_rule_that_it_stands_for),
              cmocka_unit_test(a_wrong_setting_is_refused_with_a_sentence),
              cmocka_unit_test(a_sentence_names_the_place_in_the_file),
              cmocka_unit_test(parameters_are_read_by_their_type),
              cmocka_unit_test(configured_exemptions),
              cmocka_unit_test(of_several_exemptions_the_longest_counts),
              cmocka_unit_test(a_wrong_exemption_is_refused_with_a_sentence),
              cmocka_unit_test(label_queries));
}
