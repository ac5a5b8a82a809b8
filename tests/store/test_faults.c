/* A disk that is full, fails, lies about failing, or hangs; and a process that is killed: nothing
 * that was told is lost, nothing is there twice, and what had to be dropped is a row. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/store/fault_vfs.h"
#include "tests/store/helpers.h"

static void say(struct fixture *f, unsigned number, bool fails)
{
    char name[32];

    snprintf(name, sizeof(name), "web-%u", number);
    struct verdict v = failing("shop", name);
    struct cause c = wrote(CHANGE_UPDATE, "Service", "shop", name, "77");
    v.result = fails ? RESULT_FAIL : RESULT_SKIP; /* skip: no proof, numbers have no holes */
    life_verdict(f->life, &v, &c, T0 + number);
}

static void wait_for_hits(struct fixture *f, int hits)
{
    uint64_t until = clock_mono_ms() + 20000;

    while (atomic_load(&fault_hits) < hits && clock_mono_ms() < until) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

static const struct {
    const char *fact;
    enum fault fault;
    int after;
    const char *error; /* part of what stats say */
} faults[] = {
    { "the disk is full", FAULT_FULL, 0, "full" },
    { "the disk is full in the middle of a batch", FAULT_FULL, 3, "full" },
    { "a write fails and leaves half a page", FAULT_WRITE, 0, "I/O error" },
    { "a later write fails", FAULT_WRITE, 4, "I/O error" },
    { "a sync fails", FAULT_SYNC, 0, "I/O error" },
    { "a sync is said to have failed but had not", FAULT_SYNC_AFTER, 0, "I/O error" },
};

TEST(a_batch_that_fails_is_kept_and_written_once)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct fixture f;
        struct store_stats stats;
        fixture_init(&f);
        fixture_open(&f);
        say(&f, 1, true);
        fixture_settle(&f);
        int64_t told = f.last_seq;
        fault_set(faults[i].fault, faults[i].after);
        for (unsigned n = 2; n < 200; n++) {
            say(&f, n, true);
        }
        store_set_watch_state(f.store, "services", "500", T0);
        wait_for_hits(&f, 3);
        store_stats(f.store, &stats);
        CHECK(faults[i].fact, stats.failed_commits >= 1 && stats.waiting_rows > 0);
        CHECK(faults[i].fact, strstr(stats.last_error, faults[i].error) != NULL);
        CHECK_INT("nothing is told before it is on disk", f.last_seq, told);
        for (unsigned n = 200; n < 300; n++) {
            say(&f, n, true);
        }
        uint64_t since = clock_mono_ms();
        fault_set(FAULT_NONE, 0);
        CHECK("recovers", fixture_settle_within(&f, 5000));
        CHECK("within seconds", clock_mono_ms() - since < 5000);
        store_stats(f.store, &stats);
        CHECK_STR("the error is over", stats.last_error, "");
        CHECK_INT("nothing dropped", stats.dropped_rows, 0);
        CHECK_INT("all told", f.last_seq, 299);
        CHECK_STR(faults[i].fact,
                  ask(&f, "SELECT count(*) || ' ' || count(DISTINCT finding_id) || ' ' || max(seq) "
                          "FROM transition"),
                  "299 299 299");
        CHECK_STR("with the state of the watch",
                  ask(&f, "SELECT resource_version FROM watch_state"), "500");
        CHECK_STR("counted once", ask(&f, "SELECT opened || ' ' || open FROM trend"), "299 299");
        CHECK_STR("whole", ask(&f, "PRAGMA integrity_check"), "ok");
        fixture_deinit(&f);
    }
}

TEST(a_file_that_cannot_be_reopened_is_tried_again)
{
    struct fixture f;

    fixture_init(&f);
    fixture_open(&f);
    fault_set(FAULT_SYNC, 0);
    say(&f, 1, true);
    wait_for_hits(&f, 1);
    fault_set(FAULT_OPEN, 0);
    wait_for_hits(&f, 2);
    fault_set(FAULT_NONE, 0);
    CHECK("recovers", fixture_settle_within(&f, 10000));
    CHECK_STR("with the row", ask(&f, "SELECT count(*) FROM transition"), "1");
    fixture_deinit(&f);
}

static void overflow(enum fault fault)
{
    struct fixture f;
    struct store_stats stats;
    struct life_counts counts;
    struct cause found = { .verb = CHANGE_FOUND,
                           .api_version = "",
                           .kind = "",
                           .ns = "",
                           .name = "",
                           .uid = "",
                           .resource_version = "" };
    unsigned n = 0;

    fixture_init(&f);
    f.options.max_waiting_bytes = 64 * 1024;
    fixture_open(&f);
    say(&f, 0, true);
    fixture_settle(&f);
    fault_set(fault, 0);
    say(&f, ++n, true);
    wait_for_hits(&f, 2);
    if (fault == FAULT_HANG) {
        uv_sleep(2200); /* the time after which an answer is no longer expected */
    }
    do {
        say(&f, ++n, true);
        store_stats(f.store, &stats);
    } while (stats.dropped_rows == 0 && n < 100000);
    CHECK("rows are dropped in the end", stats.dropped_rows > 0);
    CHECK("memory is bounded", stats.waiting_bytes < 80 * 1024);
    CHECK("not yet told", !store_lost_rows(f.store));
    unsigned kept = n - 1;
    for (unsigned more = 0; more < 500; more++) {
        say(&f, ++n, true);
    }
    say(&f, 0, false); /* this one is fixed meanwhile */
    fault_set(FAULT_NONE, 0);
    CHECK("recovers", fixture_settle_within(&f, 10000));
    fixture_settle(&f);
    CHECK("told", store_lost_rows(f.store));
    CHECK_STR("the gap is a row",
              ask(&f, "SELECT kind || ' ' || reason || ' ' || (to_ms >= from_ms) FROM watch_gap"),
              "* store full 1");
    int64_t in_file = atoll(ask(&f, "SELECT count(*) FROM transition"));
    CHECK("the file holds a beginning of what happened",
          in_file > 100 && in_file <= (int64_t)kept + 1);
    CHECK_INT("without holes", atoll(ask(&f, "SELECT max(seq) FROM transition")), in_file);
    say(&f, ++n, true);
    fixture_settle(&f);
    CHECK_INT("and nothing after the gap before all is judged again",
              atoll(ask(&f, "SELECT count(*) FROM transition")), in_file);

    life_destroy(f.life);
    REQUIRE("life is made anew", life_create(&f.life, f.store, NULL) == 0);
    CHECK("which ends it", !store_lost_rows(f.store));
    life_reconcile_begin(f.life);
    for (unsigned k = 0; k <= n; k++) {
        char name[32];
        snprintf(name, sizeof(name), "web-%u", k);
        struct verdict v = failing("shop", name);
        v.result = k == 0 ? RESULT_SKIP : RESULT_FAIL;
        life_verdict(f.life, &v, &found, T0 + 100000);
    }
    life_reconcile_end(f.life, T0, T0 + 100000);
    fixture_settle(&f);
    life_counts(f.life, &counts);
    CHECK_INT("all are open", counts.open, n);
    CHECK_INT("in the file too", atoll(ask(&f, "SELECT count(*) FROM policy_report_result")), n);
    CHECK_STR("each once",
              ask(&f, "SELECT max(n) FROM (SELECT count(*) n FROM transition WHERE to_state = "
                      "'open' GROUP BY "
                      "finding_id)"),
              "1");
    CHECK_STR("what was fixed in the gap is",
              ask(&f, "SELECT state FROM finding WHERE name = 'web-0'"), "resolved");
    fixture_deinit(&f);
}

TEST(what_a_full_disk_made_us_drop_is_a_gap)
{
    overflow(FAULT_FULL);
}

TEST(what_a_hanging_disk_made_us_drop_is_a_gap)
{
    overflow(FAULT_HANG);
}

TEST(a_hundred_thousand_transitions_wait_in_32_mib)
{
    struct fixture f;
    struct store_stats stats;

    fixture_init(&f);
    fixture_open(&f);
    fault_set(FAULT_FULL, 0);
    for (unsigned n = 0; n < 100000; n++) {
        say(&f, n, true);
    }
    store_stats(f.store, &stats);
    CHECK_INT("none dropped", stats.dropped_rows, 0);
    CHECK("in 32 MiB", stats.waiting_bytes <= 32 * 1024 * 1024);
    printf("# 100,000 waiting transitions: %llu bytes, %llu rows\n",
           (unsigned long long)stats.waiting_bytes, (unsigned long long)stats.waiting_rows);
    CHECK("the loop is told to go slower only when much waits",
          store_congested(f.store) == (stats.waiting_bytes > 16 << 20));
    fault_set(FAULT_NONE, 0);
    fixture_settle(&f);
    CHECK_STR("all written", ask(&f, "SELECT count(*) FROM transition"), "100000");
    fixture_deinit(&f);
}

TEST(closing_tells_what_could_not_be_written)
{
    struct fixture f;
    struct error err = { 0 };

    fixture_init(&f);
    fixture_open(&f);
    fault_set(FAULT_FULL, 0);
    say(&f, 1, true);
    life_destroy(f.life);
    f.life = NULL;
    uint64_t since = clock_mono_ms();
    CHECK_INT("in time", store_close(f.store, 300, &err), NA_ETIMEOUT);
    CHECK("not much later", clock_mono_ms() - since < 3000);
    CHECK("with the reason", strstr(err.text, "rows could not be written") != NULL &&
                                 strstr(err.text, "full") != NULL);
    f.store = NULL;
    fault_set(FAULT_NONE, 0);
    fixture_open(&f);
    CHECK("and the lock is free", f.store != NULL);
    fixture_deinit(&f);
}

TEST(a_row_that_can_never_be_stored_holds_nothing_up)
{
    struct fixture f;
    struct store_stats stats;
    struct db *db;

    fixture_init(&f);
    fixture_open(&f);
    say(&f, 1, true);
    fixture_settle(&f);
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0);
    if (db_exec(db,
                "INSERT INTO transition_row VALUES (3, 1, 0, 1, 0, 1, 1, 0, 'in the way', NULL)",
                NULL) != 0) {
        abort();
    }
    db_close(db);
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR + 1);
    for (unsigned n = 2; n < 6; n++) {
        say(&f, n, true);
    }
    fixture_settle(&f);
    store_stats(f.store, &stats);
    CHECK_INT("one row is left out and counted", stats.dropped_rows, 1);
    CHECK_STR(
        "the others are there",
        ask(&f, "SELECT group_concat(seq, ' ') FROM (SELECT seq FROM transition ORDER BY seq)"),
        "1 2 3 4 5");
    fixture_deinit(&f);
}

TEST(dying_at_any_write_leaves_a_file_that_starts)
{
    int n, status = 0;

    for (n = 0; n < 2000; n++) {
        struct fixture f;
        fixture_init(&f);
        pid_t pid = fork();
        if (pid == 0) {
            uv_loop_fork(&f.loop);
            fault_set(FAULT_DIE, n);
            fixture_open(&f);
            say(&f, 1, true);
            fixture_settle(&f);
            fixture_close(&f);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        CHECK("it died of that or ended",
              WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0));
        fixture_open(&f);
        say(&f, 1, true);
        say(&f, 2, true);
        fixture_settle(&f);
        CHECK_STR("both are open, once",
                  ask(&f, "SELECT count(*) || ' ' || count(DISTINCT finding_id) FROM transition"),
                  "2 2");
        CHECK_STR("whole", ask(&f, "PRAGMA integrity_check"), "ok");
        fixture_deinit(&f);
        if (WEXITSTATUS(status) == 0 || check_failed > 0) {
            break;
        }
    }
    printf("# %d writes and syncs from nothing to the first finding\n", n);
    CHECK("each was tried", n > 30 && WEXITSTATUS(status) == 0);
}

/* ---- kill -9 ---- */

/* The child: opens and resolves, and says on stdout what it was told to be on disk. */
static int child(const char *path, unsigned seed)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    snprintf(f.path, sizeof(f.path), "%s", path);
    f.options.path = f.path;
    f.options.max_age_ms =
        seed % 2 == 0 ? 1 : 0; /* pruning at every chance in half of the rounds */
    uv_loop_init(&f.loop);
    uv_async_init(&f.loop, &f.alive, NULL);
    fixture_open(&f);
    srandom(seed);
    int64_t said = 0;
    for (;;) {
        for (unsigned burst = (unsigned)random() % 40; burst > 0; burst--) {
            say(&f, (unsigned)random() % 500, random() % 2 == 0);
        }
        uv_run(&f.loop, UV_RUN_NOWAIT);
        if (f.last_seq > said) {
            said = f.last_seq;
            if (write(STDOUT_FILENO, &said, sizeof(said)) != sizeof(said)) {
                return 1;
            }
        }
        if (random() % 4 == 0) {
            uv_sleep(1);
        }
    }
}

static const char *self;

/* Killed `ms` after its first word, or, `early`, after its start: while it makes or opens the file.
 */
static int64_t one_round(const char *path, unsigned seed, unsigned ms, bool early)
{
    int pipes[2];
    int64_t acknowledged = 0, seq;
    char seed_text[16];

    if (pipe(pipes) != 0) {
        abort();
    }
    snprintf(seed_text, sizeof(seed_text), "%u", seed);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl(self, self, "--child", path, seed_text, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    if (!early && read(pipes[0], &seq, sizeof(seq)) == sizeof(seq)) {
        acknowledged = seq;
    }
    usleep(ms * 1000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(pipes[0], &seq, sizeof(seq)) == sizeof(seq)) {
        acknowledged = seq;
    }
    close(pipes[0]);
    return acknowledged;
}

static void killed_rounds(unsigned seed, unsigned rounds)
{
    struct fixture f;
    int64_t total = 0, last = 0;

    fixture_init(&f);
    for (unsigned round = 0; round < rounds; round++) {
        bool early = round % 5 == 0;
        int64_t acknowledged =
            one_round(f.path, seed + 2 * round, (unsigned)random() % (early ? 60 : 250), early);
        if (access(f.path, F_OK) != 0 || strcmp(ask(&f, "PRAGMA user_version"), "1") != 0) {
            CHECK("only an early kill leaves no schema", early && last == 0);
            continue;
        }
        int64_t newest = atoll(ask(&f, "SELECT coalesce(max(seq), 0) FROM transition"));
        CHECK("every acknowledged number is there", newest >= acknowledged && newest >= last);
        CHECK_INT("and known to the next start", atoll(ask(&f, "SELECT last_seq FROM pulse")),
                  newest);
        if (seed % 2 == 1) {
            CHECK_INT("without a hole", atoll(ask(&f, "SELECT count(*) FROM transition")), newest);
        }
        CHECK_STR("whole", ask(&f, "PRAGMA integrity_check"), "ok");
        CHECK_STR("no finding twice",
                  ask(&f, "SELECT count(*) - count(DISTINCT fingerprint) FROM finding"), "0");
        CHECK_STR("what each finding is, is what its last transition says",
                  ask(&f, "SELECT count(*) FROM finding_row f WHERE f.last_seq <> (SELECT max(seq) "
                          "FROM transition_row t WHERE "
                          "t.finding = f.id) OR f.state <> (SELECT to_state FROM transition_row t "
                          "WHERE t.seq = f.last_seq)"),
                  "0");
        CHECK_STR("every use is counted",
                  ask(&f, "SELECT count(*) FROM subject s LEFT JOIN (SELECT subject, count(*) n "
                          "FROM (SELECT subject FROM "
                          "finding_row UNION ALL SELECT subject FROM cause_row) GROUP BY subject) "
                          "u ON u.subject = s.id "
                          "WHERE s.uses <> coalesce(u.n, 0)"),
                  "0");
        total += newest - last;
        last = newest;
    }
    printf("# SEED=%u: %u rounds, %lld transitions\n", seed, rounds, (long long)total);
    CHECK("the rounds did something", total > 100);
    fixture_open(&f);
    CHECK("and the daemon starts on what is left", f.store != NULL);
    fixture_deinit(&f);
}

TEST(what_was_acknowledged_survives_kill_9)
{
    unsigned seed =
        getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : (unsigned)getpid() * 1000;
    unsigned rounds = getenv("LONG") != NULL ? 100 : 10;

    printf("# SEED=%u\n", seed);
    srandom(seed);
    killed_rounds(seed | 1, rounds);
    killed_rounds((seed | 1) + 1, rounds);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--child") == 0) {
        return child(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    }
    self = argv[0];
    fault_install();
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    RUN_TESTS(cmocka_unit_test(a_batch_that_fails_is_kept_and_written_once),
              cmocka_unit_test(a_file_that_cannot_be_reopened_is_tried_again),
              cmocka_unit_test(what_a_full_disk_made_us_drop_is_a_gap),
              cmocka_unit_test(what_a_hanging_disk_made_us_drop_is_a_gap),
              cmocka_unit_test(a_hundred_thousand_transitions_wait_in_32_mib),
              cmocka_unit_test(closing_tells_what_could_not_be_written),
              cmocka_unit_test(a_row_that_can_never_be_stored_holds_nothing_up),
              cmocka_unit_test(dying_at_any_write_leaves_a_file_that_starts),
              cmocka_unit_test(what_was_acknowledged_survives_kill_9));
}
