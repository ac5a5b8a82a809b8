/* A restart neither loses, repeats nor re-opens anything. */
#include "tests/store/helpers.h"

static struct cause found(int64_t from_ms)
{
    struct cause c = wrote(CHANGE_FOUND, "Service", "shop", "web", "100");

    c.from_ms = from_ms;
    c.to_ms = from_ms;
    return c;
}

static void restart(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
    life_reconcile_begin(f->life);
}

static char *transitions(struct fixture *f)
{
    return xstrdup(ask(f, "SELECT group_concat(seq || to_state || coalesce(reason, '') || at_ms || "
                          "result, ' ') FROM transition"));
}

TEST(a_restart_with_the_same_verdicts_writes_nothing)
{
    struct fixture f;
    struct verdict open = failing("shop", "web"), suppressed = failing("shop", "api"),
                   pending = failing("shop", "job"), proved = passing("shop", "db"),
                   fixed = failing("shop", "old");
    struct cause c = found(0);
    struct life_counts counts;

    fixture_init(&f);
    fixture_open(&f);
    open.message = "tab\there, \xff no UTF-8, \"quotes\" and \xe2\x80\xae a right-to-left override";
    open.owner = "team\nred";
    open.evidence = "{\"a\":\t\"\xc3\xa4\"}";
    open.subject.group = "example.org";
    suppressed.suppressed = true;
    suppressed.exemption = "known";
    pending.grace_ms = 60000;
    life_verdict(f.life, &open, &c, T0);
    life_verdict(f.life, &suppressed, &c, T0);
    life_verdict(f.life, &pending, &c, T0);
    life_verdict(f.life, &proved, &c, T0);
    life_verdict(f.life, &fixed, &c, T0);
    fixed.result = RESULT_PASS;
    life_verdict(f.life, &fixed, &c, T0 + 1);
    fixture_settle(&f);
    char *before = transitions(&f),
         *findings =
             xstrdup(ask(&f, "SELECT group_concat(id || state || judged_ms || reopened) FROM "
                             "finding"));
    char *proofs = xstrdup(ask(
        &f,
        "SELECT group_concat(id || ' ' || from_ms || ' ' || coalesce(to_ms, '-')) FROM proved"));
    for (int round = 0; round < 3; round++) {
        struct store_stats stats;
        restart(&f);
        life_verdict(f.life, &fixed, &c, T0 + 50);
        life_verdict(f.life, &proved, &c, T0 + 50);
        life_verdict(f.life, &pending, &c, T0 + 50);
        life_verdict(f.life, &suppressed, &c, T0 + 50);
        life_verdict(f.life, &open, &c, T0 + 50);
        life_reconcile_end(f.life, T0 + 10, T0 + 60);
        life_tick(f.life, T0 + 60);
        fixture_settle(&f);
        store_stats(f.store, &stats);
        CHECK_INT("not one row", stats.rows, 0);
        char *after = transitions(&f);
        CHECK_STR("no transition", after, before);
        CHECK_STR("no other state",
                  ask(&f, "SELECT group_concat(id || state || judged_ms || reopened) FROM finding"),
                  findings);
        CHECK_STR("the same proofs",
                  ask(&f, "SELECT group_concat(id || ' ' || from_ms || ' ' || coalesce(to_ms, "
                          "'-')) FROM proved"),
                  proofs);
        free(after);
        life_counts(f.life, &counts);
        CHECK("the same counts", counts.open == 1 && counts.suppressed == 1 &&
                                     counts.pending == 1 && counts.by_severity[SEVERITY_HIGH] == 1);
    }
    CHECK_INT("the grace time goes on", life_next_deadline(f.life), T0 + 60000);
    free(before);
    free(findings);
    free(proofs);
    fixture_deinit(&f);
}

TEST(what_changed_meanwhile_happened_between)
{
    struct fixture f;
    struct verdict gone = failing("shop", "web"), fixed = failing("shop", "api"),
                   opened = failing("shop", "new"), broken = passing("shop", "db"),
                   lost = passing("shop", "cache");
    struct cause c = wrote(CHANGE_UPDATE, "Service", "shop", "web", "1"), f0 = found(0);
    char from[64];

    fixture_init(&f);
    fixture_open(&f);
    life_verdict(f.life, &gone, &c, T0);
    life_verdict(f.life, &fixed, &c, T0);
    life_verdict(f.life, &broken, &c, T0);
    life_verdict(f.life, &lost, &c, T0);
    fixture_settle(&f);
    restart(&f);
    int64_t away = store_last_alive_ms(f.store), now = away + 3600000;
    CHECK("the store knows until when it was alive", away > T0 - INT64_C(1000) * 86400000);
    fixed.result = RESULT_PASS;
    broken.result = RESULT_FAIL;
    life_verdict(f.life, &fixed, &f0, now);
    life_verdict(f.life, &opened, &f0, now);
    life_verdict(f.life, &broken, &f0, now);
    life_reconcile_end(f.life, away, now);
    fixture_settle(&f);
#define WHY                                                                                        \
    "SELECT t.to_state || coalesce(':' || t.reason, '') || ' ' || c.verb || ' ' || (c.from_ms - "  \
    "%lld) || ' ' || (c.to_ms - "                                                                  \
    "%lld) || ' ' || (t.at_ms - %lld) FROM transition t JOIN finding f ON f.id = t.finding_id "    \
    "JOIN cause c ON c.id = t.cause_id "                                                           \
    "WHERE f.name = '%s' ORDER BY t.seq DESC LIMIT 1"
    CHECK_STR("what nobody confirmed lost its object",
              ask(&f, WHY, (long long)away, (long long)now, (long long)now, "web"),
              "resolved:object-gone gone 0 0 0");
    CHECK_STR("what passes now was fixed in between",
              ask(&f, WHY, (long long)away, (long long)now, (long long)now, "api"),
              "resolved:fixed found 0 0 0");
    CHECK_STR("what fails now opened in between",
              ask(&f, WHY, (long long)away, (long long)now, (long long)now, "new"),
              "open found 0 0 0");
    snprintf(from, sizeof(from), "%lld %lld", (long long)away, (long long)away);
    CHECK_STR("proofs end where they were last seen to hold",
              ask(&f, "SELECT group_concat(to_ms, ' ') FROM proved WHERE name IN ('db', 'cache')"),
              from);
    fixture_deinit(&f);
}

TEST(a_pending_finding_that_became_due_meanwhile_opens_when_it_is_confirmed)
{
    struct fixture f;
    struct verdict still = failing("shop", "web"), not = failing("shop", "api");
    struct cause c = found(0);

    fixture_init(&f);
    fixture_open(&f);
    still.grace_ms = not .grace_ms = 60000;
    life_verdict(f.life, &still, &c, T0);
    life_verdict(f.life, &not, &c, T0);
    fixture_settle(&f);
    restart(&f);
    CHECK_INT("no deadline before everything is judged", life_next_deadline(f.life), 0);
    life_tick(f.life, T0 + 3600000);
    life_verdict(f.life, &still, &c, T0 + 3600000);
    life_reconcile_end(f.life, T0, T0 + 3600001);
    life_tick(f.life, T0 + 3600002);
    fixture_settle(&f);
    CHECK_STR("open now, not in the unwatched past",
              ask(&f, "SELECT name || ' ' || state || ' ' || (opened_ms - %lld) FROM finding",
                  (long long)T0),
              "web open 3600002");
    fixture_deinit(&f);
}

TEST(an_unreadable_kind_resolves_nothing_after_a_restart)
{
    struct fixture f;
    struct verdict held = failing("shop", "web"), other = failing("shop", "api"),
                   resource = failing("", "services"), proved = passing("shop", "db");
    struct cause c = found(0);

    fixture_init(&f);
    fixture_open(&f);
    other.rule = "another-rule";
    give_fingerprint(&other);
    resource.subject = (struct subject_ref){ "", "", "APIResource", "", "services", "" };
    resource.result = RESULT_ERROR;
    give_fingerprint(&resource);
    life_verdict(f.life, &held, &c, T0);
    life_verdict(f.life, &other, &c, T0);
    life_verdict(f.life, &proved, &c, T0);
    fixture_settle(&f);
    restart(&f);
    life_verdict(f.life, &resource, NULL, T0 + 1000);
    life_reconcile_end(f.life, T0 + 500, T0 + 2000);
    fixture_settle(&f);
    CHECK_STR("held open while its rule cannot see",
              ask(&f, "SELECT state FROM finding WHERE name = 'web'"), "open");
    CHECK_STR("the proof too", ask(&f, "SELECT coalesce(to_ms, 'on') FROM proved"), "on");
    CHECK_STR("others resolve", ask(&f, "SELECT state FROM finding WHERE name = 'api'"),
              "resolved");
    CHECK_INT("nothing to wait for yet", life_next_deadline(f.life), 0);
    resource.result = RESULT_PASS;
    life_verdict(f.life, &resource, NULL, T0 + 10000);
    CHECK("once it is readable, a time is set", life_next_deadline(f.life) > T0 + 10000);
    life_verdict(f.life, &proved, &c, T0 + 11000);
    life_tick(f.life, life_next_deadline(f.life));
    fixture_settle(&f);
    CHECK_STR("what is not confirmed until then is gone",
              ask(&f, "SELECT state || ' ' || resolved_reason FROM finding WHERE name = "
                      "'web'"),
              "resolved object-gone");
    CHECK_STR("what is confirmed stays proved", ask(&f, "SELECT coalesce(to_ms, 'on') FROM proved"),
              "on");
    CHECK_INT("and the clock is done", life_next_deadline(f.life), 0);
    fixture_deinit(&f);
}

TEST(a_finding_of_an_earlier_run_re_opens)
{
    struct fixture f;
    struct verdict v = failing("shop", "web");
    struct cause c = found(0);
    struct life_counts counts;

    fixture_init(&f);
    fixture_open(&f);
    life_verdict(f.life, &v, &c, T0);
    v.result = RESULT_PASS;
    life_verdict(f.life, &v, &c, T0 + 1);
    fixture_settle(&f);
    restart(&f);
    life_reconcile_end(f.life, T0 + 1, T0 + 2);
    v.result = RESULT_FAIL;
    life_verdict(f.life, &v, &c, T0 + 3);
    life_counts(f.life, &counts);
    fixture_settle(&f);
    CHECK_STR("one row, re-opened",
              ask(&f, "SELECT group_concat(state || ' ' || reopened) FROM finding"), "open 1");
    CHECK("life knows it too", counts.reopened_total == 1 && counts.opened_total == 0);
    fixture_deinit(&f);
}

TEST(numbers_and_watch_states_go_on)
{
    struct fixture f;
    struct verdict v = failing("shop", "web");

    fixture_init(&f);
    fixture_open(&f);
    CHECK("nothing to resume",
          store_resume_version(f.store, "pods") == NULL && store_last_alive_ms(f.store) == 0);
    life_verdict(f.life, &v, NULL, T0);
    store_set_watch_state(f.store, "pods", "123", T0);
    store_set_watch_state(f.store, "pods", "456", T0 + 1);
    store_set_watch_state(f.store, "ingresses.networking.k8s.io", "0099", T0 + 1);
    store_set_status(f.store, "{\"version\":\"1\"}");
    fixture_settle(&f);
    int64_t last = f.last_seq;
    CHECK_STR("committed with the batch",
              ask(&f, "SELECT kind || resource_version FROM watch_state ORDER BY kind DESC"),
              "pods456\ningresses.networking.k8s.io0099");
    fixture_close(&f);
    fixture_open(&f);
    CHECK_STR("resumed", store_resume_version(f.store, "pods"), "456");
    CHECK_STR("the text as it was", store_resume_version(f.store, "ingresses.networking.k8s.io"),
              "0099");
    CHECK("alive until a moment ago", clock_wall_ms() - store_last_alive_ms(f.store) < 60000);
    v.result = RESULT_PASS;
    life_verdict(f.life, &v, NULL, T0 + 5);
    fixture_settle(&f);
    CHECK("numbers go on", f.last_seq > last);
    CHECK_STR("the status row", ask(&f, "SELECT json FROM status"), "{\"version\":\"1\"}");
    store_add_gap(f.store, "pods", T0 + 10, T0 + 5, "restart");
    fixture_settle(&f);
    CHECK_STR("a gap never ends before it begins",
              ask(&f, "SELECT kind || (to_ms - from_ms) || reason FROM watch_gap"), "pods0restart");
    fixture_deinit(&f);
}

int main(void)
{
    RUN_TESTS(
        cmocka_unit_test(a_restart_with_the_same_verdicts_writes_nothing),
        cmocka_unit_test(what_changed_meanwhile_happened_between),
        cmocka_unit_test(a_pending_finding_that_became_due_meanwhile_opens_when_it_is_confirmed),
        cmocka_unit_test(an_unreadable_kind_resolves_nothing_after_a_restart),
        cmocka_unit_test(a_finding_of_an_earlier_run_re_opens),
        cmocka_unit_test(numbers_and_watch_states_go_on));
}
