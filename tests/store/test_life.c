/* The life of a finding: which verdict, met by which state, leaves which rows. */
#include "tests/store/helpers.h"

#define STATE_SQL                                                                                  \
    "SELECT state || ' ' || result || ' ' || severity || ' ' || environment || ' ' || reopened "   \
    "FROM finding"
#define HISTORY_SQL                                                                                \
    "SELECT group_concat(to_state || coalesce(':' || reason, ''), ' ') FROM (SELECT * FROM "       \
    "transition ORDER BY seq)"

enum say {
    SAY_FAIL,
    SAY_WARN,
    SAY_ERROR,
    SAY_PASS,
    SAY_SKIP,
    SAY_EXEMPT,
    SAY_SUPPRESS,
    SAY_OFF,
    SAY_OFF_STAGING,
    SAY_UNAVAILABLE,
    SAY_STAGING,
    SAY_MESSAGE,
    SAY_EVIDENCE,
    SAY_DELETING,
    SAY_GRACE,
    SAY_GONE,
    SAY_END
};

static struct verdict verdict_of(enum say say)
{
    struct verdict v = failing("shop", "web");

    v.result = say == SAY_WARN                                               ? RESULT_WARN
               : say == SAY_ERROR || say == SAY_UNAVAILABLE                  ? RESULT_ERROR
               : say == SAY_PASS || say == SAY_OFF || say == SAY_OFF_STAGING ? RESULT_PASS
               : say == SAY_SKIP || say == SAY_EXEMPT                        ? RESULT_SKIP
                                                                             : RESULT_FAIL;
    v.off = say == SAY_OFF || say == SAY_OFF_STAGING;
    v.suppressed = say == SAY_SUPPRESS;
    v.exemption = say == SAY_EXEMPT || say == SAY_SUPPRESS ? "known, ticket NET-7" : NULL;
    v.kind_unavailable = say == SAY_UNAVAILABLE;
    v.environment = say == SAY_STAGING || say == SAY_OFF_STAGING ? ENV_STAGING : ENV_PRODUCTION;
    v.message = say == SAY_MESSAGE ? "another sentence" : v.message;
    v.evidence = say == SAY_EVIDENCE ? "{\"type\":\"LoadBalancer\"}" : v.evidence;
    v.subject_deleting = say == SAY_DELETING;
    v.grace_ms = say == SAY_GRACE ? 60000 : 0;
    return v;
}

static void say(struct fixture *f, enum say what, int64_t at_ms)
{
    struct verdict v = verdict_of(what);
    struct cause cause = wrote(CHANGE_UPDATE, "Service", "shop", "web", "4711");

    if (what == SAY_GONE) {
        life_gone(f->life, &v.subject, &cause, at_ms);
    } else {
        life_verdict(f->life, &v, &cause, at_ms);
    }
}

static const struct {
    const char *fact;
    enum say said[6];
    const char *state, *history;
} lives[] = {
    { "a failing verdict opens", { SAY_FAIL, SAY_END }, "open fail high production 0", "open" },
    { "saying it twice writes nothing",
      { SAY_FAIL, SAY_FAIL, SAY_FAIL, SAY_END },
      "open fail high production 0",
      "open" },
    { "a pass resolves as fixed",
      { SAY_FAIL, SAY_PASS, SAY_END },
      "resolved fail high production 0",
      "open resolved:fixed" },
    { "failing again re-opens",
      { SAY_FAIL, SAY_PASS, SAY_FAIL, SAY_END },
      "open fail high production 1",
      "open resolved:fixed open" },
    { "what does not apply any more is fixed",
      { SAY_FAIL, SAY_SKIP, SAY_END },
      "resolved fail high production 0",
      "open resolved:fixed" },
    { "a skip by exemption resolves as exempted",
      { SAY_FAIL, SAY_EXEMPT, SAY_END },
      "resolved fail high production 0",
      "open resolved:exempted" },
    { "a level that was turned off resolves as rule-off",
      { SAY_FAIL, SAY_OFF, SAY_END },
      "resolved fail high production 0",
      "open resolved:rule-off" },
    { "a level that is off in the new environment resolves as environment-changed",
      { SAY_FAIL, SAY_OFF_STAGING, SAY_END },
      "resolved fail high production 0",
      "open resolved:environment-changed" },
    { "a subject that is gone resolves as object-gone",
      { SAY_FAIL, SAY_GONE, SAY_END },
      "resolved fail high production 0",
      "open resolved:object-gone" },
    { "a re-created object re-opens its finding",
      { SAY_FAIL, SAY_GONE, SAY_FAIL, SAY_END },
      "open fail high production 1",
      "open resolved:object-gone open" },
    { "an exemption suppresses and keeps the raw result",
      { SAY_FAIL, SAY_SUPPRESS, SAY_END },
      "suppressed fail high production 0",
      "open suppressed" },
    { "an exemption that expires re-opens",
      { SAY_FAIL, SAY_SUPPRESS, SAY_FAIL, SAY_END },
      "open fail high production 1",
      "open suppressed open" },
    { "one that was never open opens for the first time",
      { SAY_SUPPRESS, SAY_FAIL, SAY_END },
      "open fail high production 0",
      "suppressed open" },
    { "a suppressed one that is fixed resolves",
      { SAY_SUPPRESS, SAY_PASS, SAY_END },
      "resolved fail high production 0",
      "suppressed resolved:fixed" },
    { "another result is a transition",
      { SAY_FAIL, SAY_WARN, SAY_ERROR, SAY_END },
      "open error high production 0",
      "open open open" },
    { "another environment is a transition",
      { SAY_FAIL, SAY_STAGING, SAY_END },
      "open fail high staging 0",
      "open open" },
    { "another message is a transition",
      { SAY_FAIL, SAY_MESSAGE, SAY_END },
      "open fail high production 0",
      "open open" },
    { "other evidence alone is none",
      { SAY_FAIL, SAY_EVIDENCE, SAY_END },
      "open fail high production 0",
      "open" },
    { "a kind that cannot be read leaves open what is open",
      { SAY_FAIL, SAY_UNAVAILABLE, SAY_END },
      "open fail high production 0",
      "open" },
    { "a kind that cannot be read opens nothing", { SAY_UNAVAILABLE, SAY_END }, "", "" },
    { "an object being deleted opens nothing", { SAY_DELETING, SAY_END }, "", "" },
    { "an object being deleted re-opens nothing",
      { SAY_FAIL, SAY_PASS, SAY_DELETING, SAY_END },
      "resolved fail high production 0",
      "open resolved:fixed" },
    { "an object being deleted keeps what is open",
      { SAY_FAIL, SAY_DELETING, SAY_END },
      "open fail high production 0",
      "open" },
    { "within its grace time a finding is pending",
      { SAY_GRACE, SAY_GRACE, SAY_END },
      "pending fail high production 0",
      "" },
    { "what passes within its grace time leaves no trace",
      { SAY_GRACE, SAY_PASS, SAY_END },
      "",
      "" },
    { "what is gone within its grace time leaves no trace",
      { SAY_GRACE, SAY_GONE, SAY_END },
      "",
      "" },
    { "an object being deleted ends its grace time", { SAY_GRACE, SAY_DELETING, SAY_END }, "", "" },
    { "a kind that cannot be read ends a grace time",
      { SAY_GRACE, SAY_UNAVAILABLE, SAY_END },
      "",
      "" },
    { "an exemption within the grace time suppresses",
      { SAY_GRACE, SAY_SUPPRESS, SAY_END },
      "suppressed fail high production 0",
      "suppressed" },
    { "what is open knows no grace time",
      { SAY_FAIL, SAY_GRACE, SAY_END },
      "open fail high production 0",
      "open" },
    { "a pass alone leaves no finding",
      { SAY_PASS, SAY_SKIP, SAY_OFF, SAY_EXEMPT, SAY_GONE, SAY_END },
      "",
      "" },
};

TEST(each_verdict_has_its_consequence)
{
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_open(&f);
        for (int k = 0; lives[i].said[k] != SAY_END; k++) {
            say(&f, lives[i].said[k], T0 + k * 1000);
        }
        fixture_settle(&f);
        CHECK_STR(lives[i].fact, ask(&f, STATE_SQL), lives[i].state);
        CHECK_STR(lives[i].fact, ask(&f, HISTORY_SQL), lives[i].history);
        fixture_deinit(&f);
    }
}

TEST(evidence_alone_updates_the_row)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, SAY_FAIL, T0);
    say(&f, SAY_EVIDENCE, T0 + 5000);
    fixture_settle(&f);
    CHECK_STR("the new evidence is there", ask(&f, "SELECT evidence FROM finding"),
              "{\"type\":\"LoadBalancer\"}");
    CHECK_STR("and when it was judged",
              ask(&f, "SELECT judged_ms - %lld FROM finding", (long long)T0), "5000");
    CHECK_STR("but the state's time is the old one",
              ask(&f, "SELECT state_ms - %lld FROM finding", (long long)T0), "0");
    fixture_deinit(&f);
}

TEST(times_and_causes_are_told)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, SAY_FAIL, T0);
    say(&f, SAY_PASS, T0 + 1000);
    say(&f, SAY_FAIL, T0 + 3000);
    fixture_settle(&f);
    CHECK_STR("first opened, opened, resolved",
              ask(&f,
                  "SELECT (first_opened_ms - %lld) || ' ' || (opened_ms - %lld) || ' ' || "
                  "coalesce(resolved_ms, '-') FROM "
                  "finding",
                  (long long)T0, (long long)T0),
              "0 3000 -");
    CHECK_STR("the write that did it",
              ask(&f, "SELECT DISTINCT verb || ' ' || api_version || ' ' || kind || ' ' || "
                      "namespace || '/' || name || ' ' || uid "
                      "|| ' ' || resource_version || ' ' || manager FROM cause"),
              "update v1 Service shop/web 6f9619ff-8b86-d011-b42d-00c04fc964ff 4711 kubectl");
    CHECK_STR("one write is one cause however often it caused",
              ask(&f, "SELECT count(*) FROM cause"), "1");
    CHECK_STR("each transition names it",
              ask(&f, "SELECT count(*) FROM transition t JOIN cause c ON c.id = t.cause_id"), "3");
    CHECK_STR(
        "the view speaks as PolicyReport does",
        ask(&f,
            "SELECT source || ' ' || policy || ' ' || rule || ' ' || category || ' ' || severity "
            "|| ' ' || result || ' ' "
            "|| scored || ' ' || resource_api_version || ' ' || resource_kind || ' ' || "
            "resource_namespace || ' ' || "
            "resource_name || ' ' || resource_uid || ' ' || typeof(timestamp) || ' ' || (timestamp "
            "* 1000 - %lld) || "
            "' ' || json_valid(properties) FROM policy_report_result",
            (long long)T0),
        "netauditd restrict-service-types no-node-port Exposure high fail 1 v1 Service shop web "
        "6f9619ff-8b86-d011-b42d-00c04fc964ff integer 3000 1");
    fixture_deinit(&f);
}

TEST(cluster_scoped_subjects_have_no_namespace)
{
    struct fixture f;
    struct verdict v = failing("", "shop");

    fixture_init(&f);
    fixture_open(&f);
    v.subject = subject_of("networking.k8s.io", "v1", "IngressClass", "", "public");
    v.result = RESULT_WARN;
    give_fingerprint(&v);
    life_verdict(f.life, &v, NULL, T0);
    fixture_settle(&f);
    CHECK_STR("NULL, not an empty text; the group before the version; a warn is not scored",
              ask(&f, "SELECT coalesce(resource_namespace, 'NULL') || ' ' || resource_api_version "
                      "|| ' ' || scored FROM "
                      "policy_report_result"),
              "NULL networking.k8s.io/v1 0");
    CHECK_STR("time and configuration are no cause",
              ask(&f, "SELECT coalesce(cause_id, 'NULL') FROM transition"), "NULL");
    fixture_deinit(&f);
}

TEST(pending_is_not_published)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, SAY_GRACE, T0);
    fixture_settle(&f);
    CHECK_INT("the deadline is told", life_next_deadline(f.life), T0 + 60000);
    CHECK_STR("not in the view", ask(&f, "SELECT count(*) FROM policy_report_result"), "0");
    CHECK_STR("no transition", ask(&f, "SELECT count(*) FROM transition"), "0");
    life_tick(f.life, T0 + 59999);
    fixture_settle(&f);
    CHECK_STR("still pending a millisecond before", ask(&f, "SELECT state FROM finding"),
              "pending");
    life_tick(f.life, T0 + 60000);
    fixture_settle(&f);
    CHECK_STR("open when the grace time has ended, first seen kept",
              ask(&f,
                  "SELECT state || ' ' || (first_seen_ms - %lld) || ' ' || (opened_ms - %lld) FROM "
                  "finding",
                  (long long)T0, (long long)T0),
              "open 0 60000");
    CHECK_INT("no deadline is left", life_next_deadline(f.life), 0);
    fixture_deinit(&f);
}

TEST(a_resolved_finding_stays_so_while_it_is_pending_again)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, SAY_FAIL, T0);
    say(&f, SAY_PASS, T0 + 1000);
    say(&f, SAY_GRACE, T0 + 2000);
    fixture_settle(&f);
    CHECK_STR("two rows, only one of them known outside",
              ask(&f, "SELECT group_concat(state, ' ') FROM (SELECT state FROM finding "
                      "ORDER BY state)"),
              "pending resolved");
    say(&f, SAY_PASS, T0 + 3000);
    fixture_settle(&f);
    CHECK_STR("passing leaves the resolved one as it was",
              ask(&f, "SELECT state || ' ' || (resolved_ms - %lld) FROM finding", (long long)T0),
              "resolved 1000");
    say(&f, SAY_GRACE, T0 + 4000);
    life_tick(f.life, T0 + 64000);
    fixture_settle(&f);
    CHECK_STR("failing long enough re-opens it",
              ask(&f,
                  "SELECT state || ' ' || reopened || ' ' || (first_opened_ms - %lld) || ' ' || "
                  "(opened_ms - %lld) FROM finding",
                  (long long)T0, (long long)T0),
              "open 1 0 64000");
    CHECK_STR("with its history", ask(&f, HISTORY_SQL), "open resolved:fixed open");
    fixture_deinit(&f);
}

TEST(proofs_close_only_when_the_verdict_changes)
{
    struct fixture f;
    struct verdict v = passing("shop", "web");
    struct cause found = wrote(CHANGE_FOUND, "Service", "shop", "web", "9");

    fixture_init(&f);
    fixture_open(&f);
#define PROVED                                                                                     \
    ask(&f,                                                                                        \
        "SELECT group_concat((from_ms - %lld) || '-' || coalesce(to_ms - %lld, ''), ' ') FROM "    \
        "(SELECT * FROM proved ORDER BY from_ms)",                                                 \
        (long long)T0, (long long)T0)
    say(&f, SAY_PASS, T0);
    say(&f, SAY_PASS, T0 + 1000);
    say(&f, SAY_UNAVAILABLE, T0 + 2000);
    fixture_settle(&f);
    CHECK_STR("proved from the first pass on, also while it cannot be seen", PROVED, "0-");
    say(&f, SAY_FAIL, T0 + 3000);
    say(&f, SAY_PASS, T0 + 4000);
    say(&f, SAY_EXEMPT, T0 + 5000);
    say(&f, SAY_PASS, T0 + 6000);
    fixture_settle(&f);
    CHECK_STR("neither failing nor exempt is proved", PROVED, "0-3000 4000-5000 6000-");
    say(&f, SAY_GONE, T0 + 7000);
    life_verdict(f.life, &v, &found, T0 + 8000);
    fixture_settle(&f);
    CHECK_STR("what is gone is not proved", PROVED, "0-3000 4000-5000 6000-7000 8000-");
    found.verb = CHANGE_GONE;
    found.from_ms = T0 + 8500;
    found.to_ms = T0 + 9500;
    life_gone(f.life, &v.subject, &found, T0 + 9500);
    fixture_settle(&f);
    CHECK_STR("what was found missing is proved until it was last seen", PROVED,
              "0-3000 4000-5000 6000-7000 8000-8500");
    fixture_deinit(&f);
}

TEST(a_kind_that_cannot_be_read_is_an_ordinary_finding)
{
    struct fixture f;
    struct verdict v = failing("", "services");

    fixture_init(&f);
    fixture_open(&f);
    v.subject = (struct subject_ref){ "", "", "APIResource", "", "services", "" };
    v.result = RESULT_ERROR;
    v.kind_unavailable = true;
    give_fingerprint(&v);
    life_verdict(f.life, &v, NULL, T0);
    fixture_settle(&f);
    CHECK_STR("open with result error",
              ask(&f, "SELECT resource_kind || ' ' || resource_name || ' ' || result FROM "
                      "policy_report_result"),
              "APIResource services error");
    v.result = RESULT_PASS;
    v.kind_unavailable = false;
    life_verdict(f.life, &v, NULL, T0 + 1);
    fixture_settle(&f);
    CHECK_STR("resolved when the kind is back",
              ask(&f, "SELECT state || ' ' || resolved_reason FROM finding"), "resolved fixed");
    CHECK_STR("and no proof of anything", ask(&f, "SELECT count(*) FROM proved"), "0");
    fixture_deinit(&f);
}

struct told {
    char text[256];
};

static void on_event(void *ctx, const struct life_event *e)
{
    struct told *told = ctx;
    size_t used = strlen(told->text);

    snprintf(told->text + used, sizeof(told->text) - used, "%s%s%s%s ", e->to_state,
             e->reopened ? "(re)" : "", e->reason[0] != '\0' ? ":" : "", e->reason);
}

TEST(counts_and_events_follow)
{
    struct fixture f;
    struct told told = { "" };
    struct life_counts c;

    fixture_init(&f);
    fixture_open(&f);
    life_on_event(f.life, on_event, &told);
    say(&f, SAY_FAIL, T0);
    say(&f, SAY_STAGING, T0 + 1);
    life_counts(f.life, &c);
    CHECK("one high open, one change",
          c.open == 1 && c.by_severity[SEVERITY_HIGH] == 1 && c.changed_total == 1);
    say(&f, SAY_SUPPRESS, T0 + 2);
    life_counts(f.life, &c);
    CHECK("suppressed is not open",
          c.open == 0 && c.suppressed == 1 && c.by_severity[SEVERITY_HIGH] == 0);
    say(&f, SAY_PASS, T0 + 3);
    say(&f, SAY_FAIL, T0 + 4);
    say(&f, SAY_GONE, T0 + 5);
    life_counts(f.life, &c);
    CHECK("totals", c.opened_total == 1 && c.reopened_total == 1 && c.resolved_total == 2 &&
                        c.open == 0 && c.suppressed == 0);
    CHECK_STR("events in order", told.text,
              "open open suppressed resolved:fixed open(re) resolved:object-gone ");
    fixture_settle(&f);
    CHECK_STR(
        "the day's trend",
        ask(&f,
            "SELECT severity || ' ' || opened || ' ' || reopened || ' ' || resolved || ' ' || open "
            "FROM trend"),
        "high 1 1 1 0");
    fixture_deinit(&f);
}

TEST(a_clock_that_jumps_makes_no_negative_duration)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, SAY_FAIL, T0 + INT64_C(10) * 366 * 86400000);
    say(&f, SAY_PASS, T0);
    say(&f, SAY_FAIL, T0 + 1000);
    say(&f, SAY_PASS, T0 - 86400000);
    fixture_settle(&f);
    CHECK_STR("resolved is never before opened",
              ask(&f, "SELECT resolved_ms >= opened_ms FROM finding"), "1");
    CHECK_STR("proofs neither", ask(&f, "SELECT count(*) FROM proved WHERE to_ms < from_ms"), "0");
    CHECK_STR("the order is that of the numbers", ask(&f, HISTORY_SQL),
              "open resolved:fixed open resolved:fixed");
    say(&f, SAY_GRACE, T0 - 86400000);
    say(&f, SAY_GRACE, T0 - INT64_C(10) * 366 * 86400000);
    CHECK_INT("a clock set back makes no grace time longer", life_next_deadline(f.life),
              T0 - INT64_C(10) * 366 * 86400000 + 60000);
    fixture_deinit(&f);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(each_verdict_has_its_consequence),
              cmocka_unit_test(evidence_alone_updates_the_row),
              cmocka_unit_test(times_and_causes_are_told),
              cmocka_unit_test(cluster_scoped_subjects_have_no_namespace),
              cmocka_unit_test(pending_is_not_published),
              cmocka_unit_test(a_resolved_finding_stays_so_while_it_is_pending_again),
              cmocka_unit_test(proofs_close_only_when_the_verdict_changes),
              cmocka_unit_test(a_kind_that_cannot_be_read_is_an_ordinary_finding),
              cmocka_unit_test(counts_and_events_follow),
              cmocka_unit_test(a_clock_that_jumps_makes_no_negative_duration));
}
