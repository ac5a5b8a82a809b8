/* The configuration file: what it accepts, the exact sentence for what it does not, and that
 * printing reads back. */
#include "tests/check.h"

#include "front/settings.h"
#include "front/settings_table.h"

#define HEAD     "apiVersion: netauditd/v1\nkind: Config\n"
#define NAMES_17 "a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, "

static const struct {
    const char *fact, *text, *sentence;
} bad[] = {
    { "an unknown key names the nearest", HEAD "clustr: {}\n",
      "f.yaml:3:1: clustr: unknown key; did you mean 'cluster'?" },
    { "so does one inside a section", HEAD "store: {pth: /x}\n",
      "f.yaml:3:9: store.pth: unknown key; did you mean 'path'?" },
    { "a key like no other", HEAD "colour: blue\n", "f.yaml:3:1: colour: unknown key" },
    { "a wrong word names the right ones", HEAD "secrets: all\n",
      "f.yaml:3:1: secrets: must be one of none, metadata, inspect" },
    { "a family that is none", HEAD "enforcement: {families: [Calico]}\n",
      "f.yaml:3:26: enforcement.families: must be one of NetworkPolicy, ClusterNetworkPolicy, "
      "AdminNetworkPolicy, Cilium" },
    { "a duration without unit", HEAD "watch: {timeout: 5}\n",
      "f.yaml:3:9: watch.timeout: must be a duration such as 90s, 5m, 24h or 7d" },
    { "a watch too short", HEAD "watch: {timeout: 10ms}\n",
      "f.yaml:3:9: watch.timeout: must be at least 1s" },
    { "silence too short", HEAD "watch: {stale-after: 10ms}\n",
      "f.yaml:3:9: watch.stale-after: must be at least 1s" },
    { "an address without a port", HEAD "listen: {address: localhost}\n",
      "f.yaml:3:10: listen.address: must be an address and a port, such as 127.0.0.1:8844" },
    { "a port that is none", HEAD "listen: {address: '[::1]:70000'}\n",
      "f.yaml:3:10: listen.address: must be an address and a port, such as 127.0.0.1:8844" },
    { "an IPv6 address without brackets", HEAD "listen: {address: '::1:80'}\n",
      "f.yaml:3:10: listen.address: must be an address and a port, such as 127.0.0.1:8844" },
    { "a login without its file", HEAD "listen: {auth: token-file}\n",
      "f.yaml:3:10: listen.token-file: is required by auth: token-file" },
    { "a namespace that can have no such name", HEAD "cluster: {namespaces: [shop, Shop_2]}\n",
      "f.yaml:3:30: cluster.namespaces: 'Shop_2' is no name of a namespace" },
    { "more namespaces than can be watched one by one",
      HEAD "cluster: {namespaces: [" NAMES_17 NAMES_17 NAMES_17 "]}\n",
      "f.yaml:3:11: cluster.namespaces: 51 namespaces: more than 50 cannot be watched one by one; "
      "watch the whole cluster instead" },
    { "a word of two environments", HEAD "environments: {words: {production: [live, Dev]}}\n",
      "f.yaml:3:16: environments.words: 'dev' is a word of production and of development; leave it "
      "in one" },
    { "a look at the API groups too often", HEAD "watch: {discovery: 10ms}\n",
      "f.yaml:3:9: watch.discovery: must be at least 1s" },
    { "bytes", HEAD "store: {max-bytes: plenty}\n",
      "f.yaml:3:9: store.max-bytes: must be a number of bytes such as 500Mi or 5Gi" },
    { "a section that is no map", HEAD "cluster: here\n", "f.yaml:3:1: cluster: must be a map" },
    { "a list that is none", HEAD "cluster: {namespaces: shop}\n",
      "f.yaml:3:11: cluster.namespaces: must be a list" },
    { "no apiVersion", "kind: Config\n",
      "f.yaml:1:1: apiVersion: is missing: the file begins with apiVersion: netauditd/v1 and kind: "
      "Config" },
    { "another apiVersion", "apiVersion: netauditd/v2\nkind: Config\n",
      "f.yaml:1:1: apiVersion: must be 'netauditd/v1'" },
    { "an empty file", "", "f.yaml: is empty: it begins with apiVersion: netauditd/v1" },
    { "two documents", HEAD "---\n" HEAD, "f.yaml:4:1: must hold one document, not several" },
    { "a level of an unknown environment", HEAD "rules: {'*': {levels: {prod: fail}}}\n",
      "f.yaml:3:24: levels: unknown environment 'prod': production, staging, development or "
      "standard" },
    { "a level that is none", HEAD "rules: {'*': {levels: {production: block}}}\n",
      "f.yaml:3:24: levels: must be fail, warn or off" },
    { "an exemption without a reason", HEAD "exemptions:\n- rule: '*'\n",
      "f.yaml:4:3: reason: is required: an exemption says why" },
    { "an exemption that ends at no time", HEAD "exemptions:\n- {reason: x, expires: soon}\n",
      "f.yaml:4:15: expires: must be an RFC 3339 time such as 2027-01-31T00:00:00Z" },
    { "half a certificate", HEAD "listen: {cert-file: /x}\n",
      "f.yaml:3:10: listen: cert-file and key-file belong together: set both or none" },
    { "a notifier without url", HEAD "notify:\n- {name: a, type: alertmanager}\n",
      "f.yaml:4:3: notify: needs name, type and url" },
};

TEST(a_bad_file_is_one_sentence_with_its_place)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct settings s;
        struct error err = { 0 };
        settings_init(&s);
        int rc = settings_parse(&s, "f.yaml", bad[i].text, strlen(bad[i].text), &err);
        CHECK_INT(bad[i].fact, rc, NA_EINVAL);
        CHECK_STR(bad[i].fact, err.text, bad[i].sentence);
        CHECK_STR("defaults stand after a failure", s.listen_address, "127.0.0.1:8844");
        settings_deinit(&s);
    }
}

static const char full[] = HEAD
    "cluster: {id: c1, kubeconfig: /etc/kc, context: x, namespaces: [a, b]}\n"
    "secrets: metadata\n"
    "listen: {address: '127.0.0.1:0', auth: none}\n"
    "store: {path: /tmp/x.db, max-age: 7d, max-bytes: 1Gi}\n"
    "watch: {timeout: 5s, stale-after: 1m}\n"
    "audit-system-namespaces: true\n"
    "enforcement: {families: [NetworkPolicy, Cilium], ipblock-matches: pods, cilium-enable-policy: "
    "always}\n"
    "environments: {labels: [tier], words: {production: [live], staging: [], development: [x]}}\n"
    "rules:\n"
    "  require-ingress-class/*:\n"
    "    levels: {production: off, staging: warn}\n"
    "    parameters: {approved-ingressclasses: [nginx, traefik], grace: 5m, count: 3, map: {a: "
    "b}}\n"
    "exemptions:\n"
    "- {rule: '*', namespace: shop, reason: why, owner: o, ticket: T-1, expires: "
    "'2027-01-31T00:00:00Z'}\n"
    "reports: {api: off, results: [fail], reconcile: 2h}\n"
    "notify: [{name: team, type: cloudevents, url: 'https://u:p@h/x', min-severity: high}]\n"
    "log: {format: json, level: debug}\n";

TEST(every_key_is_read)
{
    struct settings s;
    struct error err = { 0 };

    settings_init(&s);
    REQUIRE(err.text, settings_parse(&s, "f.yaml", full, strlen(full), &err) == 0);
    CHECK_STR("cluster.id", s.cluster_id, "c1");
    CHECK_INT("cluster.namespaces", s.namespaces.len, 2);
    CHECK_INT("watch.discovery, by default", s.watch_discovery_ms, 60000);
    CHECK_INT("secrets", s.secrets, SECRETS_METADATA);
    CHECK_INT("store.max-age", s.store_max_age_ms, 604800000);
    CHECK_INT("store.max-bytes", s.store_max_bytes, 1 << 30);
    CHECK("audit-system-namespaces", s.ruleset.audit_system_namespaces);
    CHECK_STR("enforcement.families", s.ruleset.enforced_families.items[1], "Cilium");
    CHECK_INT("enforcement.ipblock-matches", s.ruleset.ipblock_matches, BLOCKS_MATCH_PODS);
    CHECK_INT("enforcement.cilium-enable-policy", s.ruleset.cilium_policy, CILIUM_ALWAYS);
    CHECK_STR("environments.labels", s.ruleset.environment_labels.items[0], "tier");
    CHECK_STR("environments.words", s.ruleset.words[ENV_PRODUCTION].items[0], "live");
    const struct rule_setting *r = &s.ruleset.rules.items[0];
    CHECK_INT("an unquoted off is the word", r->levels[ENV_PRODUCTION], LEVEL_OFF);
    CHECK_INT("levels not named are not set", r->levels[ENV_STANDARD], -1);
    CHECK_STR("a list parameter", r->params.items[0].value, "nginx,traefik");
    CHECK_STR("a number", r->params.items[2].value, "3");
    CHECK_STR("a map parameter", r->params.items[3].value, "a=b");
    CHECK_INT("an exemption's end", s.ruleset.exemptions.items[0].expires_ms, 1801353600000);
    CHECK_INT("reports.api off", s.reports_api, REPORTS_OFF);
    CHECK_INT("notify.min-severity", s.notify.items[0].min_severity, SEVERITY_HIGH);
    CHECK_INT("log.level", s.log_level, LOG_LEVEL_DEBUG);
    settings_deinit(&s);
}

TEST(what_is_printed_reads_back_to_the_same)
{
    struct settings s, again;
    struct error err = { 0 };
    struct buf first, second;

    settings_init(&s);
    settings_init(&again);
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    REQUIRE("parsed", settings_parse(&s, "f.yaml", full, strlen(full), &err) == 0);
    CHECK_INT("printed", settings_print(&s, &first), 0);
    CHECK("credentials in a URL are masked", strstr(buf_text(&first), "u:p@") == NULL);
    int rc = settings_parse(&again, "printed", buf_text(&first), first.len, &err);
    CHECK_STR("reads back", rc == 0 ? "" : err.text, "");
    settings_print(&again, &second);
    CHECK_STR("the same text", buf_text(&second), buf_text(&first));
    buf_deinit(&first);
    buf_deinit(&second);
    settings_deinit(&s);
    settings_deinit(&again);
}

TEST(what_is_printed_without_a_file_is_what_is_in_effect)
{
    static const struct {
        const char *fact, *line;
    } rows[] = {
        { "the labels that tell an environment",
          "\n  labels: [\"netauditd.io/environment\", \"environment\", \"env\"]\n" },
        { "the words of production", "\n    production: [\"production\", \"prod\", \"prd\"]\n" },
        { "the words of staging",
          "\n    staging: [\"staging\", \"stage\", \"stg\", \"preprod\", \"uat\"]\n" },
        { "the length of a watch", "\n  timeout: \"5m\"\n" },
        { "results exported", "\n  results: [\"fail\", \"warn\", \"error\"]\n" },
    };
    struct settings s;
    struct buf out;

    settings_init(&s);
    buf_init(&out, 65536);
    CHECK_INT("printed", settings_print(&s, &out), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rows[i].fact, strstr(buf_text(&out), rows[i].line) != NULL);
    }
    buf_deinit(&out);
    settings_deinit(&s);
}

TEST(every_key_is_documented)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = fopen("docs/CONFIGURATION.md", "r");

    REQUIRE("docs/CONFIGURATION.md", f != NULL);
    text = calloc(1, 65536);
    len = fread(text, 1, 65535, f);
    fclose(f);
    CHECK("it holds something", len > 0);
    for (size_t i = 0; i < settings_key_count; i++) {
        char row[128];
        snprintf(row, sizeof(row), "`%s`", settings_keys[i].path);
        CHECK(settings_keys[i].path, strstr(text, row) != NULL);
    }
    free(text);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_bad_file_is_one_sentence_with_its_place),
              cmocka_unit_test(every_key_is_read),
              cmocka_unit_test(what_is_printed_reads_back_to_the_same),
              cmocka_unit_test(what_is_printed_without_a_file_is_what_is_in_effect),
              cmocka_unit_test(every_key_is_documented));
}
