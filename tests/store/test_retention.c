/* What is forgotten, what never is, and that no clock can make it forget too early. Time is a
 * parameter here. */
#include "store/apply.h"
#include "store/retention.h"
#include "tests/store/helpers.h"

#define DAY  INT64_C(86400000)
#define YEAR (INT64_C(366) * DAY)

TEST(age_follows_the_monotonic_clock)
{
    struct age_clock c;
    struct pulse fresh = { 0 }, old = { .age_ms = 5 * DAY, .alive_ms = T0 };

    age_clock_start(&c, &fresh, T0, 1000);
    CHECK_INT("a new file is new", c.age_ms, 0);
    age_clock_tick(&c, T0 + 500, 1500);
    CHECK_INT("it ages with time", c.age_ms, 500);
    age_clock_tick(&c, T0 + 10 * YEAR, 2000);
    CHECK_INT("a wall clock ten years ahead ages nothing", c.age_ms, 1000);
    age_clock_tick(&c, T0 - 10 * YEAR, 2500);
    CHECK_INT("nor one ten years back", c.age_ms, 1500);
    age_clock_tick(&c, T0, 100);
    CHECK_INT("a monotonic clock that steps back is ignored", c.age_ms, 1500);

    age_clock_start(&c, &old, T0 + DAY, 0);
    CHECK_INT("time between two runs is not credited at once", c.age_ms, 5 * DAY);
    age_clock_tick(&c, T0 + DAY + 60000, 60000);
    CHECK_INT("but a day per hour", c.age_ms, 5 * DAY + 25 * 60000);
    age_clock_tick(&c, T0 + DAY + 2 * 3600000, 2 * 3600000);
    CHECK_INT("until it is all", c.age_ms, 6 * DAY + 2 * 3600000);
    CHECK_INT("nothing is owed then", c.debt_ms, 0);

    age_clock_start(&c, &old, T0 + 10 * YEAR, 0);
    age_clock_tick(&c, T0 + 10 * YEAR + 60000, 60000);
    CHECK("a start with a clock ten years ahead ages less than half an hour in a minute",
          c.age_ms < 5 * DAY + 30 * 60000);
    age_clock_tick(&c, T0 + 120000, 120000);
    age_clock_tick(&c, T0 + 3600000, 3600000);
    CHECK("and stops when the clock is put right", c.age_ms < 5 * DAY + 2 * 3600000);
    age_clock_start(&c, &old, T0 - 40 * YEAR, 0);
    CHECK_INT("a start without a clock at all owes nothing", c.debt_ms, 0);
}

/* A database whose numbers 1..n were made by hand; the writer is not running. */
struct bench {
    struct fixture f;
    struct db *db;
    struct applier *applier;
    struct retention *retention;
    struct retention_limits limits;
    int64_t age_ms, last_seq;
};

static void open_bench(struct bench *b)
{
    struct pulse pulse;

    if (db_open(&b->db, b->f.path, DB_WRITE, NULL, NULL) != 0 ||
        applier_create(&b->applier, b->db, NULL) != 0 ||
        retention_create(&b->retention, b->db, applier_refs(b->applier), NULL) != 0 ||
        pulse_read(b->db, &pulse, NULL) != 0) {
        abort();
    }
    b->last_seq = pulse.last_seq;
}

static void close_bench(struct bench *b)
{
    retention_destroy(b->retention);
    applier_destroy(b->applier);
    db_close(b->db);
}

/* Life says something, on disk before this returns. */
static void say(struct bench *b, const char *name, enum result result)
{
    struct verdict v = failing("shop", name);
    struct cause c = wrote(CHANGE_UPDATE, "Service", "shop", name, "1");

    close_bench(b);
    fixture_open(&b->f);
    v.result = result;
    life_verdict(b->f.life, &v, &c, T0);
    fixture_settle(&b->f);
    fixture_close(&b->f);
    open_bench(b);
}

/* Steps at one age until there is no more to do; returns the rows that went. */
static uint64_t prune(struct bench *b, uint32_t rows)
{
    uint64_t all = 0, pruned;
    bool more = true;

    for (int steps = 0; more && steps < 100000; steps++) {
        if (retention_step(b->retention, &b->limits, b->age_ms, b->last_seq, rows, &more, &pruned,
                           NULL) != 0) {
            abort();
        }
        CHECK("a step keeps within its limit", pruned <= rows);
        all += pruned;
    }
    return all;
}

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    fixture_init(&b->f);
    fixture_open(&b->f);
    fixture_close(&b->f);
    open_bench(b);
    b->limits.max_age_ms = 30 * DAY;
}

static void bench_deinit(struct bench *b)
{
    close_bench(b);
    fixture_deinit(&b->f);
}

#define HISTORY(b)                                                                                 \
    ask(&(b).f, "SELECT group_concat(f.name || ':' || to_state, ' ') FROM (SELECT * FROM "         \
                "transition ORDER BY seq) t "                                                      \
                "JOIN finding f ON f.id = t.finding_id")
#define FINDINGS(b)                                                                                \
    ask(&(b).f, "SELECT coalesce(group_concat(name || ':' || state, ' '), '') FROM (SELECT * "     \
                "FROM finding ORDER BY id)")
#define LEFT_OVER(b)                                                                               \
    ask(&(b).f, "SELECT (SELECT count(*) FROM cause_row WHERE uses <> (SELECT count(*) FROM "      \
                "transition_row WHERE cause = "                                                    \
                "cause_row.id)) + (SELECT count(*) FROM subject s WHERE uses <> (SELECT count(*) " \
                "FROM finding_row WHERE "                                                          \
                "subject = s.id) + (SELECT count(*) FROM cause_row WHERE subject = s.id) + "       \
                "(SELECT count(*) FROM proved_row "                                                \
                "WHERE subject = s.id))")

TEST(resolved_findings_go_when_they_are_old)
{
    struct bench b;

    bench_init(&b);
    say(&b, "a", RESULT_FAIL);
    say(&b, "a", RESULT_SKIP);
    say(&b, "b", RESULT_FAIL);
    CHECK_INT("nothing is old yet", prune(&b, 10), 0);
    b.age_ms = 30 * DAY - 1;
    CHECK_INT("nor a millisecond before", prune(&b, 10), 0);
    b.age_ms = 30 * DAY;
    CHECK_INT("at 30 days a finding goes with its two transitions", prune(&b, 1), 3);
    CHECK_STR("what is open stays", FINDINGS(b), "b:open");
    CHECK_STR("with its history", HISTORY(b), "b:open");
    b.age_ms = 100 * 365 * DAY;
    CHECK_INT("for ever", prune(&b, 10), 0);
    CHECK_STR("causes and subjects went too", LEFT_OVER(b), "0");
    CHECK_STR("one subject is left", ask(&b.f, "SELECT group_concat(name) FROM subject"), "b");
    bench_deinit(&b);
}

TEST(times_in_the_rows_do_not_matter)
{
    struct bench b;

    bench_init(&b);
    say(&b, "a", RESULT_FAIL);
    say(&b, "a", RESULT_SKIP);
    prune(&b, 10); /* the mark of day 0 */
    db_exec(b.db,
            "DROP TRIGGER transition_append_only; UPDATE transition_row SET at_ms = 0; UPDATE "
            "finding_row SET resolved_ms = 0, "
            "opened_ms = 0",
            NULL);
    b.age_ms = 29 * DAY;
    CHECK_INT("rows of a clock that said 1970 are kept their time", prune(&b, 10), 0);
    db_exec(b.db,
            "UPDATE transition_row SET at_ms = 9999999999999; UPDATE finding_row SET resolved_ms = "
            "9999999999999",
            NULL);
    b.age_ms = 31 * DAY;
    CHECK_INT("rows of a clock that said 2286 are not kept longer", prune(&b, 10), 3);
    bench_deinit(&b);
}

TEST(marks_decide_what_is_old)
{
    struct bench b;

    bench_init(&b);
    say(&b, "a", RESULT_FAIL);
    say(&b, "a", RESULT_SKIP);
    prune(&b, 10);
    b.age_ms = 20 * DAY;
    say(&b, "b", RESULT_FAIL);
    say(&b, "b", RESULT_SKIP);
    prune(&b, 10);
    b.age_ms = 31 * DAY;
    prune(&b, 10);
    CHECK_STR("what is 31 days old went, what is 11 days old did not", FINDINGS(b), "b:resolved");
    b.age_ms = 49 * DAY;
    prune(&b, 10);
    CHECK_STR("29", FINDINGS(b), "b:resolved");
    b.age_ms = 51 * DAY;
    prune(&b, 10);
    CHECK_STR("31", FINDINGS(b), "");
    bench_deinit(&b);
}

TEST(earlier_cycles_of_a_standing_finding_go)
{
    struct bench b;

    bench_init(&b);
    for (int i = 0; i < 3; i++) {
        say(&b, "a", RESULT_FAIL);
        say(&b, "a", RESULT_SKIP);
    }
    say(&b, "a", RESULT_FAIL);
    say(&b, "a", RESULT_WARN);
    prune(&b, 10);
    b.age_ms = 31 * DAY;
    CHECK_INT("three cycles of two", prune(&b, 2), 6);
    CHECK_STR("how it came to be open stays", HISTORY(b), "a:open a:open");
    CHECK_STR("and how often it re-opened", ask(&b.f, "SELECT reopened FROM finding"), "3");
    CHECK_STR("nothing is left over", LEFT_OVER(b), "0");
    bench_deinit(&b);
}

TEST(proofs_go_when_they_ended_long_ago)
{
    struct bench b;

    bench_init(&b);
    say(&b, "a", RESULT_PASS);
    say(&b, "b", RESULT_PASS);
    prune(&b, 10);
    b.age_ms = 40 * DAY;
    say(&b, "a", RESULT_FAIL);
    prune(&b, 10);
    CHECK_STR("one that ended today stays, and one that goes on",
              ask(&b.f, "SELECT count(*) FROM proved"), "2");
    b.age_ms = 71 * DAY;
    prune(&b, 10);
    CHECK_STR("after 31 days the ended one goes",
              ask(&b.f, "SELECT group_concat(name) FROM proved"), "b");
    CHECK_STR("nothing is left over", LEFT_OVER(b), "0");
    bench_deinit(&b);
}

TEST(a_file_that_is_too_large_shrinks)
{
    struct bench b;
    int64_t before, after;

    bench_init(&b);
    close_bench(&b);
    fixture_open(&b.f);
    for (unsigned i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "web-%05u", i % 5000);
        struct verdict v = failing("shop", name);
        struct cause c = wrote(CHANGE_UPDATE, "Service", "shop", name, "1");
        v.result = i % 10000 < 5000 && i % 5000 != 7 ? RESULT_FAIL
                   : i % 5000 == 7                   ? RESULT_FAIL
                                                     : RESULT_SKIP;
        life_verdict(b.f.life, &v, &c, T0);
    }
    fixture_settle(&b.f);
    fixture_close(&b.f);
    open_bench(&b);
    db_get_int(b.db, "PRAGMA page_count", &before, NULL);
    b.limits = (struct retention_limits){ .max_bytes = 1 << 20 };
    b.age_ms = 1;
    CHECK("rows went", prune(&b, 500) > 1000);
    db_get_int(b.db, "PRAGMA page_count", &after, NULL);
    printf("# %lld pages before, %lld after a limit of 256\n", (long long)before, (long long)after);
    CHECK("the file is below its limit", after * 4096 <= 1 << 20);
    CHECK_STR("open findings stay",
              FINDINGS(b)[0] != '\0'
                  ? ask(&b.f, "SELECT state FROM finding WHERE name = 'web-00007'")
                  : "",
              "open");
    CHECK_STR("the newest of the others too",
              ask(&b.f, "SELECT count(*) > 0 FROM finding WHERE state = 'resolved'"), "1");
    CHECK_STR("whole", ask(&b.f, "PRAGMA integrity_check"), "ok");
    CHECK_STR("nothing is left over", LEFT_OVER(b), "0");
    b.limits.max_bytes = 4096;
    prune(&b, 500);
    CHECK_STR("a limit that cannot be kept prunes all but what is open", FINDINGS(b),
              "web-00007:open");
    CHECK_INT("and then rests", prune(&b, 500), 0);
    bench_deinit(&b);
}

TEST(the_writer_prunes_beside_its_work)
{
    struct fixture f;
    struct store_stats stats;

    fixture_init(&f);
    f.options.max_age_ms = 1;
    fixture_open(&f);
    uint64_t until = clock_mono_ms() + 20000;
    do {
        struct verdict v = failing("shop", "web");
        life_verdict(f.life, &v, NULL, T0);
        v.result = RESULT_SKIP;
        life_verdict(f.life, &v, NULL, T0);
        fixture_settle(&f);
        store_stats(f.store, &stats);
    } while (stats.pruned_rows == 0 && clock_mono_ms() < until);
    CHECK("old rows went", stats.pruned_rows > 0);
    store_set_retention(f.store, 0, 0);
    fixture_deinit(&f);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(age_follows_the_monotonic_clock),
              cmocka_unit_test(resolved_findings_go_when_they_are_old),
              cmocka_unit_test(times_in_the_rows_do_not_matter),
              cmocka_unit_test(marks_decide_what_is_old),
              cmocka_unit_test(earlier_cycles_of_a_standing_finding_go),
              cmocka_unit_test(proofs_go_when_they_ended_long_ago),
              cmocka_unit_test(a_file_that_is_too_large_shrinks),
              cmocka_unit_test(the_writer_prunes_beside_its_work));
}
