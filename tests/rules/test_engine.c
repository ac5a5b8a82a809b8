/* The engine event by event: what it says when, because of which write, and what it does not say.
 */
#include "base/vec.h"
#include "rules/engine.h"
#include "rules/engine_private.h"
#include "rules/outcome.h"
#include "tests/rules/scene.h"

enum { HOUR = 3600000 };

/* Everything said, a line each: "rule Kind ns/name result[ flags] <- verb Kind name". */
struct stage {
    struct cluster *cluster;
    struct engine *engine;
    struct ruleset *ruleset;
    int64_t now_ms;
    struct buf said;
    const char *only; /* a rule; NULL: all */
    unsigned calls;
};

static void on_verdict(void *ctx, const struct verdict *v, const struct cause *cause)
{
    struct stage *s = ctx;

    s->calls++;
    if (s->only != NULL && strcmp(s->only, v->rule) != 0) {
        return;
    }
    buf_addf(&s->said, "%s %s %s/%s %s%s%s%s%s <- %s %s %s%s%s\n", v->rule, v->subject.kind,
             v->subject.ns, v->subject.name, v->off ? "off" : result_name(v->result),
             v->suppressed ? " suppressed" : "", v->kind_unavailable ? " unavailable" : "",
             v->subject_deleting ? " deleting" : "", v->grace_ms > 0 ? " grace" : "",
             change_verb_name(cause->verb), cause->kind, cause->name,
             cause->manager != NULL ? " by " : "", cause->manager != NULL ? cause->manager : "");
}

static void on_gone(void *ctx, const struct subject_ref *subject, const struct cause *cause)
{
    struct stage *s = ctx;

    s->calls++;
    buf_addf(&s->said, "gone %s %s/%s %s <- %s %s %s\n", subject->kind, subject->ns, subject->name,
             subject->uid, change_verb_name(cause->verb), cause->kind, cause->name);
}

static void forward(void *ctx, const struct delta *d)
{
    engine_note(((struct stage *)ctx)->engine, d);
}

static void stage_init(struct stage *s, const struct ruleset_settings *settings)
{
    struct error err = { 0 };

    memset(s, 0, sizeof(*s));
    buf_init(&s->said, 1 << 20);
    s->now_ms = 100 * (int64_t)HOUR;
    if (ruleset_create(&s->ruleset, settings, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    s->cluster = scene_create();
    s->engine = engine_create(s->cluster, s->ruleset, "cluster-1");
    cluster_on_delta(s->cluster, forward, s);
}

static void stage_deinit(struct stage *s)
{
    engine_destroy(s->engine);
    cluster_on_delta(s->cluster, NULL, NULL);
    cluster_destroy(s->cluster);
    ruleset_destroy(s->ruleset);
    buf_deinit(&s->said);
}

/* Runs to the end and answers what was said of one rule since the last time. */
static const char *run(struct stage *s, const char *only)
{
    const struct engine_sink sink = { .ctx = s, .verdict = on_verdict, .gone = on_gone };

    buf_reset(&s->said);
    s->only = only;
    s->calls = 0;
    engine_run(s->engine, s->now_ms, 0, NULL, &sink);
    return buf_text(&s->said);
}

#define LB      "block-loadbalancer-without-approval"
#define HAS     "check-namespace-has-networkpolicy"
#define SELECTS "validate-service-selector"
#define LB_SPEC                                                                                    \
    ",\"spec\":{\"type\":\"LoadBalancer\",\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80}" \
    "]}"
#define DENY ",\"spec\":{\"podSelector\":{},\"policyTypes\":[\"Ingress\",\"Egress\"]}"

TEST(nothing_is_judged_before_the_first_sync)
{
    struct stage s;
    struct engine_sink sink = { .ctx = &s, .verdict = on_verdict, .gone = on_gone };

    stage_init(&s, NULL);
    struct cluster *c = cluster_create();
    struct engine *e = engine_create(c, s.ruleset, "x");
    CHECK("the run leaves everything", !engine_run(e, s.now_ms, 0, NULL, &sink));
    CHECK_INT("and says nothing", s.calls, 0);
    engine_destroy(e);
    cluster_destroy(c);
    stage_deinit(&s);
}

TEST(a_write_is_the_cause_of_what_it_changed)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    CHECK_STR("an empty namespace is judged", run(&s, HAS),
              HAS " Namespace /shop fail <- create Namespace shop\n");
    scene_put(s.cluster, KIND_NETWORK_POLICY, "shop", "deny",
              ",\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":\"Update\",\"time\":"
              "\"2026-11-01T00:00:00Z\"}]",
              DENY);
    CHECK_STR("the policy mends it", run(&s, HAS),
              HAS " Namespace /shop pass <- create NetworkPolicy deny by kubectl\n");
    scene_delete(s.cluster, KIND_NETWORK_POLICY, "shop", "deny");
    CHECK_STR("its end breaks it again", run(&s, HAS),
              "gone NetworkPolicy shop/deny uid-deny <- delete NetworkPolicy deny\n" HAS
              " Namespace /shop fail <- delete NetworkPolicy deny\n");
    scene_delete(s.cluster, KIND_NAMESPACE, NULL, "shop");
    CHECK_STR("what has gone says so once, for all its rules", run(&s, NULL),
              "gone Namespace /shop uid-shop <- delete Namespace shop\n");
    CHECK_STR("and is forgotten", run(&s, NULL), "");
    stage_deinit(&s);
}

TEST(an_unchanged_verdict_is_not_said_again)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    CHECK("at first everything is said, passes too", strstr(run(&s, NULL), " pass ") != NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", ",\"annotations\":{\"note\":\"x\"}", LB_SPEC);
    run(&s, NULL);
    CHECK_INT("another annotation changes no verdict", s.calls, 0);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", ",\"annotations\":{\"note\":\"x\"}", LB_SPEC);
    CHECK("a new version of the same content wakes nobody", engine_idle(s.engine));
    stage_deinit(&s);
}

TEST(each_rule_keeps_its_own_cause)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    run(&s, NULL);
    /* Two writes before one run: the label is the Service's, the pod is another's. */
    scene_put(s.cluster, KIND_SERVICE, "shop", "web",
              ",\"labels\":{\"loadbalancer-approved\":\"true\"}", LB_SPEC);
    scene_put(s.cluster, KIND_POD, "shop", "web-1", ",\"labels\":{\"app\":\"web\"}",
              ",\"spec\":{}");
    const char *said = run(&s, NULL);
    CHECK("the label is the approval's cause",
          strstr(said, LB " Service shop/web pass <- update Service web\n") != NULL);
    CHECK("the pod is the selector's",
          strstr(said, SELECTS " Service shop/web pass <- create Pod web-1\n") != NULL);
    stage_deinit(&s);
}

TEST(an_object_of_the_same_name_is_another_object)
{
    struct stage s;
    struct object *obj = NULL;
    static const char again[] =
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"uid-new\","
        "\"resourceVersion\":\"99999\"}" LB_SPEC "}";

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    run(&s, NULL);
    REQUIRE("decoded", object_decode(KIND_SERVICE, again, strlen(again), &obj, NULL) == 0);
    cluster_apply(s.cluster, obj, 1);
    CHECK_STR("the old one goes before the new one is judged", run(&s, LB),
              "gone Service shop/web uid-web <- delete Service web\n" LB
              " Service shop/web fail <- create Service web\n");
    stage_deinit(&s);
}

TEST(what_lived_between_two_runs_was_never_there)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    scene_delete(s.cluster, KIND_SERVICE, "shop", "web");
    CHECK_STR("nothing is said of it", run(&s, NULL), "");
    stage_deinit(&s);
}

TEST(a_rule_that_is_switched_off_says_so_once)
{
    struct ruleset_settings off = { .force_environment = -1 };
    struct rule_setting set = { .pattern = LB, .levels = { 0, 0, 0, 0 } };
    struct ruleset *other;
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    run(&s, NULL);
    vec_push(&off.rules, set);
    REQUIRE("settings", ruleset_create(&other, &off, NULL) == 0);
    engine_set_ruleset(s.engine, other);
    CHECK_STR("it ends, because of no write", run(&s, NULL),
              LB " Service shop/web off <- update  \n");
    engine_set_ruleset(s.engine, other);
    CHECK_STR("once", run(&s, NULL), "");
    engine_set_ruleset(s.engine, s.ruleset);
    CHECK_STR("and comes back", run(&s, NULL), LB " Service shop/web fail <- update  \n");
    ruleset_destroy(other);
    vec_free(&off.rules);
    stage_deinit(&s);
}

TEST(the_environment_follows_the_labels_of_the_namespace)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "",
              ",\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}");
    CHECK_STR("elsewhere NodePort is nobody's business", run(&s, "block-nodeport-in-production"),
              "block-nodeport-in-production Service shop/web off <- create Service web\n");
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop",
              ",\"labels\":{\"environment\":\"production\"}", "");
    CHECK_STR("in production it fails", run(&s, "block-nodeport-in-production"),
              "block-nodeport-in-production Service shop/web fail <- update Namespace shop\n");
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", ",\"labels\":{\"environment\":\"staging\"}",
              "");
    CHECK_STR("in staging the level makes it a warning", run(&s, "block-nodeport-in-production"),
              "block-nodeport-in-production Service shop/web warn <- update Namespace shop\n");
    stage_deinit(&s);
}

TEST(an_exemption_expires_in_its_second)
{
    struct ruleset_settings settings = { .force_environment = -1 };
    struct exemption e = { .rule = LB, .reason = "migration", .expires_ms = 101 * (int64_t)HOUR };
    struct stage s;

    vec_push(&settings.exemptions, e);
    stage_init(&s, &settings);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web", "", LB_SPEC);
    scene_put(s.cluster, KIND_SERVICE, "shop", "ok",
              ",\"labels\":{\"loadbalancer-approved\":\"true\"}", LB_SPEC);
    CHECK_STR("the raw result is kept, a pass is skipped", run(&s, LB),
              LB " Service shop/web fail suppressed <- create Service web\n" LB
                 " Service shop/ok skip <- create Service ok\n");
    CHECK_INT("the daemon is told when to come back", engine_next_deadline(s.engine),
              101 * (int64_t)HOUR);
    s.now_ms = 101 * (int64_t)HOUR - 1;
    CHECK_STR("a millisecond before nothing happens", run(&s, NULL), "");
    s.now_ms++;
    const char *said = run(&s, LB);
    CHECK("then it fails", strstr(said, LB " Service shop/web fail <- update  \n") != NULL);
    CHECK("and the other passes", strstr(said, LB " Service shop/ok pass <- update  \n") != NULL);
    CHECK_INT("no deadline is left", engine_next_deadline(s.engine), 0);
    stage_deinit(&s);
    vec_free(&settings.exemptions);
}

TEST(a_kind_that_may_not_be_read_is_one_error_a_rule)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop", "", "");
    run(&s, NULL);
    cluster_set_kind_state(s.cluster, KIND_NETWORK_POLICY, KIND_STATE_FORBIDDEN, "403", 5);
    const char *said = run(&s, HAS);
    CHECK("the subject is computed, for answers",
          strstr(said, HAS " Namespace /shop error unavailable <- update  \n") != NULL);
    CHECK("the finding is about the kind",
          strstr(said, HAS " APIResource /networkpolicies.networking.k8s.io error <- update  \n") !=
              NULL);
    cluster_set_kind_state(s.cluster, KIND_NETWORK_POLICY, KIND_STATE_STALE, "silent", 6);
    said = run(&s, HAS);
    CHECK("another trouble is another message", strstr(said, "APIResource") != NULL);
    cluster_set_kind_state(s.cluster, KIND_NETWORK_POLICY, KIND_STATE_SYNCED, "", 7);
    said = run(&s, HAS);
    CHECK("the subject is judged again",
          strstr(said, HAS " Namespace /shop fail <- update  \n") != NULL);
    CHECK("the kind is back",
          strstr(said, HAS " APIResource /networkpolicies.networking.k8s.io pass <- update  \n") !=
              NULL);
    run(&s, NULL);
    CHECK_INT("and all is said", s.calls, 0);
    stage_deinit(&s);
}

TEST(a_kind_that_was_never_readable_is_said_without_any_subject)
{
    struct stage s;

    stage_init(&s, NULL);
    cluster_set_kind_state(s.cluster, KIND_SERVICE, KIND_STATE_FORBIDDEN, "403", 5);
    CHECK_STR("nobody knows whether there are any", run(&s, LB),
              LB " APIResource /services error <- update  \n");
    stage_deinit(&s);
}

TEST(a_kind_that_only_some_subjects_need_is_said_while_they_do)
{
    static const char tls[] = ",\"spec\":{\"ingressClassName\":\"nginx\",\"defaultBackend\":{"
                              "\"service\":{\"name\":\"web\","
                              "\"port\":{\"number\":80}}}}";
    struct stage s;

    stage_init(&s, NULL);
    cluster_set_kind_state(s.cluster, KIND_INGRESS_CLASS, KIND_STATE_FORBIDDEN, "403", 5);
    CHECK_STR("nobody needs it yet", run(&s, "validate-ingressclass-exists"), "");
    scene_put(s.cluster, KIND_INGRESS, "shop", "web", "", tls);
    CHECK("an Ingress names a class",
          strstr(run(&s, "validate-ingressclass-exists"),
                 "APIResource /ingressclasses.networking.k8s.io error") != NULL);
    scene_delete(s.cluster, KIND_INGRESS, "shop", "web");
    CHECK("it has gone", strstr(run(&s, "validate-ingressclass-exists"),
                                "APIResource /ingressclasses.networking.k8s.io pass") != NULL);
    stage_deinit(&s);
}

TEST(rules_that_a_setting_keeps_from_being_judged_are_listed)
{
    struct rule_not_judged list[4];
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_INGRESS, "shop", "web", "",
              ",\"spec\":{\"tls\":[{\"hosts\":[\"a.example\"],\"secretName\":\"x\"}]}");
    CHECK("it is skipped", strstr(run(&s, "validate-tls-secret-exists"), " skip ") != NULL);
    REQUIRE("one rule is listed", engine_not_judged(s.engine, list, 4) == 1);
    CHECK_STR("that one", list[0].rule->rule, "validate-tls-secret-exists");
    CHECK_STR("with what would help", list[0].setting, "secrets: metadata");
    cluster_set_kind_state(s.cluster, KIND_SECRET, KIND_STATE_SYNCED, "", 5);
    CHECK("with the setting it is judged",
          strstr(run(&s, "validate-tls-secret-exists"), " fail") != NULL);
    CHECK_INT("and no longer listed", engine_not_judged(s.engine, list, 4), 0);
    stage_deinit(&s);
}

static uint64_t ticking_us;
static uint64_t tick(void)
{
    return ticking_us += 100;
}

TEST(a_run_stops_when_its_time_is_over_and_goes_on_where_it_was)
{
    struct stage s;
    const struct engine_sink sink = { .ctx = &s, .verdict = on_verdict, .gone = on_gone };
    char name[16];
    unsigned slices = 1, calls;

    stage_init(&s, NULL);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        scene_put(s.cluster, KIND_SERVICE, "shop", name, "", LB_SPEC);
    }
    s.only = LB;
    while (!engine_run(s.engine, s.now_ms, 500, tick, &sink)) {
        CHECK("there is something left", !engine_idle(s.engine));
        slices++;
    }
    calls = s.calls;
    CHECK("in several slices", slices > 5);
    CHECK("nothing is left", engine_idle(s.engine));
    CHECK_INT("everybody was judged once", calls, 50 * 10);
    stage_deinit(&s);
}

TEST(an_object_on_its_way_out_is_marked)
{
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "web",
              ",\"deletionTimestamp\":\"2026-11-01T00:00:00Z\"", LB_SPEC);
    CHECK_STR("it opens nothing new", run(&s, LB),
              LB " Service shop/web fail deleting <- create Service web\n");
    stage_deinit(&s);
}

TEST(an_acme_solver_is_exempt_and_its_label_alone_is_not)
{
#define SOLVER ",\"labels\":{\"acme.cert-manager.io/http01-solver\":\"true\"}"
#define OWNED                                                                                      \
    ",\"ownerReferences\":[{\"apiVersion\":\"acme.cert-manager.io/"                                \
    "v1\",\"kind\":\"Challenge\",\"name\":\"c\","                                                  \
    "\"uid\":\"c\",\"controller\":true}]"
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "fake", SOLVER, LB_SPEC);
    CHECK("anybody can write a label", strstr(run(&s, LB), " fail <-") != NULL);
    scene_put(s.cluster, KIND_SERVICE, "shop", "real", SOLVER OWNED, LB_SPEC);
    CHECK("the owner proves it", strstr(run(&s, LB), " fail suppressed <-") != NULL);
    scene_put(s.cluster, KIND_POD, "shop", "solver", SOLVER OWNED, ",\"spec\":{}");
    CHECK("pods as well",
          strstr(run(&s, HAS), HAS " Challenge shop/c fail suppressed") != NULL ||
              strstr(buf_text(&s.said), HAS " Pod shop/solver fail suppressed") != NULL);
    stage_deinit(&s);
}

/* ---- from scratch ---- */

struct order {
    char last[512];
    unsigned count;
    bool sorted;
    char owner[64];
};

static void in_order(void *ctx, const struct verdict *v)
{
    struct order *o = ctx;
    char key[512];

    snprintf(key, sizeof(key), "%s\001%s\001%s\001%s\001%s", v->subject.ns, v->subject.kind,
             v->subject.name, v->policy, v->rule);
    o->sorted = o->sorted && strcmp(o->last, key) < 0;
    snprintf(o->last, sizeof(o->last), "%s", key);
    o->count++;
    if (strcmp(v->subject.kind, "Service") == 0) {
        snprintf(o->owner, sizeof(o->owner), "%s", v->owner);
    }
}

TEST(everything_from_scratch_comes_in_order)
{
    struct order o = { .sorted = true };
    struct stage s;

    stage_init(&s, NULL);
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "zoo", "", "");
    scene_put(s.cluster, KIND_NAMESPACE, NULL, "shop",
              ",\"annotations\":{\"netauditd.io/owner\":\"team-ns\"}", "");
    scene_put(s.cluster, KIND_SERVICE, "shop", "b", "", LB_SPEC);
    scene_put(s.cluster, KIND_SERVICE, "shop", "a", "", LB_SPEC);
    scene_put(s.cluster, KIND_INGRESS, "zoo", "i", "", ",\"spec\":{}");
    scene_put(s.cluster, KIND_POD, "shop", "p", "", ",\"spec\":{}");
    scene_put(s.cluster, KIND_DEPLOYMENT, "shop", "d", "",
              ",\"spec\":{\"template\":{\"spec\":{}}}");
    cluster_set_kind_state(s.cluster, KIND_INGRESS_CLASS, KIND_STATE_STALE, "", 5);
    engine_judge_all(s.cluster, s.ruleset, "cluster-1", s.now_ms, in_order, &o);
    CHECK("by namespace, kind, name, policy, rule", o.sorted);
    CHECK("there was something to sort", o.count > 30);
    CHECK_STR("the owner is the namespace's when the subject names none", o.owner, "team-ns");
    scene_put(s.cluster, KIND_SERVICE, "shop", "b",
              ",\"annotations\":{\"netauditd.io/owner\":\"team-b\"}", LB_SPEC);
    o = (struct order){ .sorted = true };
    engine_judge_all(s.cluster, s.ruleset, "cluster-1", s.now_ms, in_order, &o);
    CHECK_STR("else its own", o.owner, "team-b");
    stage_deinit(&s);
}

/* ---- evidence, verdicts ---- */

TEST(evidence_is_json_whatever_outsiders_write)
{
    struct arena arena;
    struct outcome out;
    struct buf json;
    char big[4000];

    arena_init(&arena);
    buf_init(&json, EVIDENCE_MAX_BYTES);
    outcome_init(&out, &arena);
    outcome_evidence(&out, &json);
    CHECK_STR("none", buf_text(&json), "{}");

    buf_reset(&json);
    evidence_value(&out, "a", "%s", "\"\\\n");
    evidence_value(&out, "b", "%d", 1);
    evidence_value(&out, "a", "%s", "x");
    outcome_evidence(&out, &json);
    CHECK_STR("several values of a key are a list", buf_text(&json),
              "{\"a\":[\"\\\"\\\\\\n\",\"x\"],\"b\":\"1\"}");

    outcome_init(&out, &arena);
    buf_reset(&json);
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    for (int i = 0; i < 60; i++) {
        evidence_value(&out, "v", "%s", big);
    }
    outcome_evidence(&out, &json);
    CHECK("texts are cut", json.len < 50 * 520);
    CHECK("what is left out is counted", strstr(buf_text(&json), "\"more\":10}") != NULL);
    buf_deinit(&json);
    arena_deinit(&arena);
}

TEST(the_soonest_end_counts)
{
    struct arena arena;
    struct outcome out;

    arena_init(&arena);
    outcome_init(&out, &arena);
    CHECK("a rule that says nothing is in error", out.result == RESULT_ERROR);
    finding_valid_until(&out, 300);
    finding_valid_until(&out, 200);
    finding_valid_until(&out, 400);
    CHECK_INT("the soonest", out.valid_until_ms, 200);
    finding_fail(&out, "x");
    finding_pass(&out);
    CHECK("the last word counts", out.result == RESULT_PASS);
    arena_deinit(&arena);
}

TEST(a_fingerprint_is_who_and_which_rule_and_nothing_else)
{
    struct subject_ref a = { "apps", "v1", "Deployment", "shop", "web", "uid-1" }, b = a;
    uint8_t x[SHA256_BYTES], y[SHA256_BYTES];
    char hex[SHA256_HEX];

    verdict_fingerprint("c", "p", "r", &a, "", x);
    hex_encode(x, SHA256_BYTES, hex);
    CHECK_STR("it is stored: it may never change", hex,
              "dc2d3fb7613f96c758e641c5597021a63b795439d779393b879ce36e35ccbf81");
    b.uid = "uid-2";
    b.version = "v2";
    verdict_fingerprint("c", "p", "r", &b, "", y);
    CHECK("neither version nor uid are in it", memcmp(x, y, sizeof(x)) == 0);
    b.name = "web2";
    verdict_fingerprint("c", "p", "r", &b, "", y);
    CHECK("the name is", memcmp(x, y, sizeof(x)) != 0);
    verdict_fingerprint("c", "p", "r", &a, "host", y);
    CHECK("the subkey is", memcmp(x, y, sizeof(x)) != 0);
    verdict_fingerprint("d", "p", "r", &a, "", y);
    CHECK("the cluster is", memcmp(x, y, sizeof(x)) != 0);
    b = (struct subject_ref){ "apps", "v1", "Deployment", "shopw", "eb", "" };
    verdict_fingerprint("c", "p", "r", &b, "", y);
    CHECK("fields do not run into one another", memcmp(x, y, sizeof(x)) != 0);
}

/* ---- the heap of deadlines, against a plain search ---- */

TEST(the_first_deadline_is_the_soonest)
{
    enum { SUBJECTS = 60 };
    static struct tracked subjects[SUBJECTS];
    struct engine e;
    uint64_t seed = 12345;

    memset(&e, 0, sizeof(e));
    for (int step = 0; step < 20000; step++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t at = (seed >> 60) < 4 ? 0 : (int64_t)(1 + (seed >> 33) % 50);
        deadline_set(&e, &subjects[(seed >> 20) % SUBJECTS], at);
        int64_t soonest = 0;
        size_t count = 0;
        for (int i = 0; i < SUBJECTS; i++) {
            int64_t d = subjects[i].deadline;
            soonest = d != 0 && (soonest == 0 || d < soonest) ? d : soonest;
            count += d != 0 ? 1 : 0;
        }
        CHECK_INT("the first", engine_next_deadline(&e), soonest);
        CHECK("nobody is in it twice or forgotten", e.heap.len == count);
    }
    vec_free(&e.heap);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(nothing_is_judged_before_the_first_sync),
              cmocka_unit_test(a_write_is_the_cause_of_what_it_changed),
              cmocka_unit_test(an_unchanged_verdict_is_not_said_again),
              cmocka_unit_test(each_rule_keeps_its_own_cause),
              cmocka_unit_test(an_object_of_the_same_name_is_another_object),
              cmocka_unit_test(what_lived_between_two_runs_was_never_there),
              cmocka_unit_test(a_rule_that_is_switched_off_says_so_once),
              cmocka_unit_test(the_environment_follows_the_labels_of_the_namespace),
              cmocka_unit_test(an_exemption_expires_in_its_second),
              cmocka_unit_test(a_kind_that_may_not_be_read_is_one_error_a_rule),
              cmocka_unit_test(a_kind_that_was_never_readable_is_said_without_any_subject),
              cmocka_unit_test(a_kind_that_only_some_subjects_need_is_said_while_they_do),
              cmocka_unit_test(rules_that_a_setting_keeps_from_being_judged_are_listed),
              cmocka_unit_test(a_run_stops_when_its_time_is_over_and_goes_on_where_it_was),
              cmocka_unit_test(an_object_on_its_way_out_is_marked),
              cmocka_unit_test(an_acme_solver_is_exempt_and_its_label_alone_is_not),
              cmocka_unit_test(everything_from_scratch_comes_in_order),
              cmocka_unit_test(evidence_is_json_whatever_outsiders_write),
              cmocka_unit_test(the_soonest_end_counts),
              cmocka_unit_test(a_fingerprint_is_who_and_which_rule_and_nothing_else),
              cmocka_unit_test(the_first_deadline_is_the_soonest));
}
