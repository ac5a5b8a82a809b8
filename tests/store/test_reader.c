/* Reading beside the daemon and without it: filters, prefixes, hostile content, places that cannot
 * be written. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/schema.h"
#include "store/words.h"
#include "tests/store/helpers.h"

struct seen {
    char text[65536];
    size_t used;
    int count;
    char id[128];
};

static bool note(void *ctx, const struct stored_finding *f)
{
    struct seen *s = ctx;

    s->used += (size_t)snprintf(s->text + s->used, sizeof(s->text) - s->used, "%s%s/%s",
                                s->count > 0 ? " " : "", f->ns, f->name);
    s->count++;
    snprintf(s->id, sizeof(s->id), "%s", f->id);
    return true;
}

static void say(struct fixture *f, const char *kind, const char *ns, const char *name,
                enum severity severity, enum environment environment, int64_t at_ms)
{
    struct verdict v = failing(ns, name);

    v.subject.kind = kind;
    v.severity = severity;
    v.environment = environment;
    v.result = severity == SEVERITY_LOW ? RESULT_WARN : RESULT_FAIL;
    v.owner = strcmp(ns, "shop") == 0 ? "team-shop" : "";
    give_fingerprint(&v);
    life_verdict(f->life, &v, NULL, at_ms);
}

static void fill(struct fixture *f)
{
    struct verdict v = failing("shop", "fixed");

    fixture_init(f);
    fixture_open(f);
    say(f, "Service", "shop", "web", SEVERITY_HIGH, ENV_PRODUCTION, T0);
    say(f, "Service", "bank", "api", SEVERITY_CRITICAL, ENV_STAGING, T0 + 1000);
    say(f, "Ingress", "shop", "door", SEVERITY_LOW, ENV_PRODUCTION, T0 + 2000);
    say(f, "Namespace", "", "shop", SEVERITY_MEDIUM, ENV_PRODUCTION, T0 + 3000);
    life_verdict(f->life, &v, NULL, T0);
    v.result = RESULT_PASS;
    life_verdict(f->life, &v, NULL, T0 + 4000);
    v = failing("shop", "excused");
    v.suppressed = true;
    v.exemption = "known";
    life_verdict(f->life, &v, NULL, T0);
    v = failing("shop", "waiting");
    v.grace_ms = 1000000;
    life_verdict(f->life, &v, NULL, T0);
    fixture_settle(f);
}

static const struct {
    const char *fact;
    struct finding_filter filter;
    const char *found;
} filters[] = {
    { "open ones by default, sorted", { 0 }, "/shop bank/api shop/door shop/web" },
    { "a namespace with the Namespace itself", { .ns = "shop" }, "/shop shop/door shop/web" },
    { "several namespaces", { .ns = "shop,bank" }, "/shop bank/api shop/door shop/web" },
    { "by kind", { .kind = "Ingress,Namespace" }, "/shop shop/door" },
    { "by name", { .name = "web,api" }, "bank/api shop/web" },
    { "by severity", { .severity = "critical,high" }, "bank/api shop/web" },
    { "by result", { .result = "warn" }, "shop/door" },
    { "by environment", { .environment = "staging" }, "bank/api" },
    { "by owner", { .owner = "team-shop", .kind = "Service" }, "shop/web" },
    { "by rule", { .rule = "no-node-port", .name = "web" }, "shop/web" },
    { "by policy/rule",
      { .rule = "restrict-service-types/no-node-port", .name = "web" },
      "shop/web" },
    { "by another rule", { .rule = "other" }, "" },
    { "by policy", { .policy = "restrict-service-types", .name = "web" }, "shop/web" },
    { "resolved ones", { .state = "resolved" }, "shop/fixed" },
    { "suppressed and resolved", { .state = "suppressed,resolved" }, "shop/excused shop/fixed" },
    { "all of them, what is not published left out",
      { .state = "all", .kind = "Service" },
      "bank/api shop/excused shop/fixed shop/web" },
    { "pending only when asked for", { .state = "pending" }, "shop/waiting" },
    { "a piece of the name, whatever the case", { .q = "WEB" }, "shop/web" },
    { "a piece of the message", { .q = "every NODE", .severity = "high" }, "shop/web" },
    { "a percent sign is one", { .q = "%" }, "" },
    { "since", { .since_ms = T0 + 2000 }, "/shop shop/door" },
    { "until", { .until_ms = T0 + 1000 }, "shop/web" },
    { "at most two", { .limit = 2 }, "/shop bank/api" },
    { "an empty list matches nothing", { .name = "" }, "" },
    { "a quote is data", { .name = "web' OR '1'='1" }, "" },
    { "so is a whole statement", { .owner = "'; DROP TABLE finding_row; --" }, "" },
};

TEST(filters_narrow)
{
    struct fixture f;
    struct reader *r;

    fill(&f);
    REQUIRE("opens beside the daemon", reader_open(&r, f.path, NULL) == 0);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        struct seen seen = { 0 };
        CHECK_INT(filters[i].fact, reader_findings(r, &filters[i].filter, note, &seen, NULL), 0);
        CHECK_STR(filters[i].fact, seen.text, filters[i].found);
    }
    reader_close(r);
    fixture_deinit(&f);
}

static const struct {
    const char *fact;
    struct finding_filter filter;
    const char *sentence;
} wrong[] = {
    { "a severity that is none",
      { .severity = "hgih" },
      "'hgih' is no severity; there are info, low, medium, high, critical" },
    { "a state that is none",
      { .state = "open,closed" },
      "'closed' is no state; there are pending, open, suppressed, resolved" },
    { "a result that is none", { .result = "FAIL" }, "'FAIL' is no result" },
    { "an environment that is none", { .environment = "prod" }, "'prod' is no environment" },
};

TEST(wrong_words_are_told)
{
    struct fixture f;
    struct reader *r;
    struct error err = { 0 };
    struct seen seen = { 0 };
    char many[4096] = "";

    fill(&f);
    REQUIRE("opens", reader_open(&r, f.path, NULL) == 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK_INT(wrong[i].fact, reader_findings(r, &wrong[i].filter, note, &seen, &err),
                  NA_EINVAL);
        CHECK(wrong[i].fact, strstr(err.text, wrong[i].sentence) != NULL);
    }
    for (size_t i = 0; i < 600; i++) {
        strcat(many, "a,");
    }
    CHECK_INT("a list has a ceiling",
              reader_findings(r, &(struct finding_filter){ .name = many }, note, &seen, &err),
              NA_ELIMIT);
    CHECK_INT("nothing was shown", seen.count, 0);
    reader_close(r);
    fixture_deinit(&f);
}

TEST(a_finding_is_found_by_the_start_of_its_id)
{
    struct fixture f;
    struct reader *r;
    struct seen seen = { 0 }, one = { 0 };
    struct error err = { 0 };
    char prefix[80];

    fill(&f);
    REQUIRE("opens", reader_open(&r, f.path, NULL) == 0);
    reader_findings(r, &(struct finding_filter){ .name = "web" }, note, &seen, NULL);
    CHECK_INT("an id is 64 digits", strlen(seen.id), 64);
    for (size_t len = 6; len <= 64; len += len == 7 ? 24 : 1) {
        snprintf(prefix, sizeof(prefix), "%.*s", (int)len, seen.id);
        one.count = 0;
        CHECK_INT(prefix, reader_finding(r, prefix, note, &one, NULL), 0);
        CHECK(prefix, one.count == 1 && strcmp(one.id, seen.id) == 0);
    }
    for (size_t i = 0; i < 10; i++) {
        prefix[i] = (char)(seen.id[i] >= 'a' ? seen.id[i] - 'a' + 'A' : seen.id[i]);
    }
    prefix[10] = '\0';
    CHECK_INT("capitals are fine", reader_finding(r, prefix, note, &one, NULL), 0);
    prefix[5] = '\0';
    CHECK_INT("five digits are too few", reader_finding(r, prefix, note, &one, &err), NA_EINVAL);
    CHECK_INT("other characters are none", reader_finding(r, "zzzzzzzz", note, &one, &err),
              NA_EINVAL);
    snprintf(prefix, sizeof(prefix), "%s", seen.id);
    prefix[63] = prefix[63] == '0' ? '1' : '0';
    CHECK_INT("the last digit counts", reader_finding(r, prefix, note, &one, &err), NA_ENOENT);
    fixture_close(&f);
    struct db *db;
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0);
    if (db_exec(db,
                "UPDATE finding_row SET fp = x'00112233445566778899aabbccddeeff' WHERE id = 1;"
                "UPDATE finding_row SET fp = x'00112233445566778899aabbccddeefe' WHERE id = 2",
                NULL) != 0) {
        abort();
    }
    db_close(db);
    CHECK_INT("several", reader_finding(r, "001122", note, &one, &err), NA_EINVAL);
    CHECK("the sentence says so", strstr(err.text, "several findings start with 001122") != NULL);
    reader_close(r);
    uv_run(&f.loop, UV_RUN_NOWAIT);
    fixture_deinit(&f);
}

static bool note_transition(void *ctx, const struct stored_transition *t)
{
    struct seen *s = ctx;

    s->used += (size_t)snprintf(s->text + s->used, sizeof(s->text) - s->used, "%s%s %s %s %s %s/%s",
                                s->count > 0 ? ", " : "", t->to_state, t->reason, t->cause_verb,
                                t->cause_kind, t->cause_ns, t->cause_name);
    s->count++;
    return true;
}

TEST(history_is_read_in_order)
{
    struct fixture f;
    struct reader *r;
    struct seen seen = { 0 }, id = { 0 };
    struct verdict v = failing("shop", "web");
    struct cause c = wrote(CHANGE_UPDATE, "NetworkPolicy", "shop", "deny", "7");

    fixture_init(&f);
    fixture_open(&f);
    life_verdict(f.life, &v, &c, T0);
    life_reconcile_begin(f.life);
    life_reconcile_end(f.life, T0, T0 + 1);
    fixture_settle(&f);
    REQUIRE("opens", reader_open(&r, f.path, NULL) == 0);
    CHECK_INT("no status yet", reader_status(r, &(char *){ NULL }, NULL), NA_ENOENT);
    CHECK_INT("all", reader_transitions(r, NULL, 0, note_transition, &seen, NULL), 0);
    CHECK_STR("its own subject where it was found missing", seen.text,
              "open  update NetworkPolicy shop/deny, resolved object-gone gone Service shop/web");
    reader_findings(r, &(struct finding_filter){ .state = "all" }, note, &id, NULL);
    memset(&seen, 0, sizeof(seen));
    CHECK_INT("of one finding after a number",
              reader_transitions(r, id.id, 1, note_transition, &seen, NULL), 0);
    CHECK_STR("only the later", seen.text, "resolved object-gone gone Service shop/web");
    CHECK_INT("of none", reader_transitions(r, "0123456789", 0, note_transition, &seen, NULL),
              NA_ENOENT);
    reader_close(r);
    fixture_deinit(&f);
}

static bool copy_finding(void *ctx, const struct stored_finding *f)
{
    char **out = ctx;

    out[0] = xstrdup(f->message);
    out[1] = xstrdup(f->name);
    out[2] = xstrdup(f->evidence);
    out[3] = xstrdup(f->owner);
    return true;
}

TEST(hostile_text_is_data)
{
    static const char *const hostile[] = {
        "'; DROP TABLE finding_row; --",
        "\"quotes\" and \\ back\\slashes",
        "line\nbreak\r\tand \x1b[31mcolour",
        "\xff\xfe not UTF-8 \xc0\xaf",
        "\xe2\x80\xae right to left \xe2\x81\xa6",
        "=cmd|' /C calc'!A0",
        "%s%n%x",
        "",
    };
    struct fixture f;
    struct reader *r;
    size_t big = 64 * 1024 + 100;
    char *long_text = malloc(big + 1), *long_json = malloc(big + 8);

    memset(long_text, 'x', big);
    long_text[big] = '\0';
    snprintf(long_json, big + 8, "{\"a\":\"%s\"}", long_text);
    for (size_t i = 0; i <= ARRAY_LEN(hostile); i++) {
        const char *text = i < ARRAY_LEN(hostile) ? hostile[i] : long_text;
        char *got[4] = { NULL }, escaped[1024];
        struct verdict v = failing(text, text);
        struct cause c = wrote(CHANGE_UPDATE, text, text, text, text);
        fixture_init(&f);
        fixture_open(&f);
        v.message = v.owner = v.remediation = v.exemption = v.subject.uid = v.subject.version =
            text;
        v.evidence = i < ARRAY_LEN(hostile) ? text : long_json;
        v.subject.name = text[0] != '\0' ? text : "x";
        c.manager = c.api_version = c.uid = text;
        give_fingerprint(&v);
        life_verdict(f.life, &v, &c, T0);
        store_set_watch_state(f.store, text, text, T0);
        store_add_gap(f.store, text, T0, T0, text);
        fixture_settle(&f);
        REQUIRE("opens", reader_open(&r, f.path, NULL) == 0);
        CHECK_INT("one finding", reader_findings(r, NULL, copy_finding, got, NULL), 0);
        REQUIRE("it came", got[0] != NULL);
        text_escape_control(escaped, sizeof(escaped), text, strlen(text));
        if (i < ARRAY_LEN(hostile)) {
            CHECK_STR("escaped, else unchanged", got[0], escaped);
            CHECK_STR("the owner too", got[3], escaped);
        } else {
            CHECK_INT("cut at 64 KiB", strlen(got[0]), 64 * 1024);
            CHECK_STR("evidence stays JSON", got[2], "{\"cut\":\"evidence longer than 64 KiB\"}");
        }
        CHECK_STR("valid JSON in the view",
                  ask(&f, "SELECT 1 FROM policy_report_result WHERE properties LIKE '{%%}'"), "1");
        struct store_stats stats;
        store_stats(f.store, &stats);
        CHECK_INT("no row was left out", stats.dropped_rows, 0);
        for (int k = 0; k < 4; k++) {
            free(got[k]);
        }
        reader_close(r);
        fixture_close(&f);
        fixture_open(&f);
        life_verdict(f.life, &v, &c, T0 + 1);
        fixture_settle(&f);
        store_stats(f.store, &stats);
        CHECK_INT("said again after a restart it writes nothing", stats.rows, 0);
        fixture_deinit(&f);
    }
    free(long_text);
    free(long_json);
}

TEST(the_view_gives_valid_json)
{
    struct fixture f;
    struct verdict v = failing("shop", "web");

    fixture_init(&f);
    fixture_open(&f);
    v.owner = "a \"quoted\" \\ owner\n";
    v.remediation = "first \"line\"\n  second \\ line\n";
    v.evidence = "{\n\t\"path\": \"C:\\\\x\", \"q\": \"\\\"\"}";
    life_verdict(f.life, &v, NULL, T0);
    fixture_settle(&f);
    /* As the plain shell reads it: the schema is trusted there, so that JSON functions may be
     * asked. */
    CHECK_STR("properties",
              ask(&f, "SELECT json_valid(properties) || json_extract(properties, '$.owner') || "
                      "json_extract(json_extract(properties, '$.evidence'), '$.path') FROM "
                      "policy_report_result"),
              "1a \"quoted\" \\ owner\\x0aC:\\x");
    CHECK_STR("a remediation keeps its lines",
              ask(&f, "SELECT json_extract(properties, '$.remediation') = remediation FROM "
                      "policy_report_result, finding"),
              "1");
    CHECK_STR("as they were said", ask(&f, "SELECT remediation FROM finding"), v.remediation);
    CHECK_STR(
        "all values are texts",
        ask(&f,
            "SELECT group_concat(DISTINCT type) FROM policy_report_result, json_each(properties)"),
        "text");
    fixture_deinit(&f);
}

TEST(words_and_views_agree)
{
    static const struct {
        enum word_list list;
        const char *sql;
    } lists[] = {
        { WORDS_STATE, "SELECT state FROM finding" },
        { WORDS_RESULT, "SELECT result FROM finding" },
        { WORDS_SEVERITY, "SELECT severity FROM finding" },
        { WORDS_ENVIRONMENT, "SELECT environment FROM finding" },
        { WORDS_REASON, "SELECT coalesce(resolved_reason, '') FROM finding" },
        { WORDS_STATE, "SELECT to_state FROM transition" },
        { WORDS_REASON, "SELECT coalesce(reason, '') FROM transition" },
        { WORDS_RESULT, "SELECT result FROM transition" },
        { WORDS_SEVERITY, "SELECT severity FROM transition" },
        { WORDS_ENVIRONMENT, "SELECT environment FROM transition" },
        { WORDS_VERB, "SELECT verb FROM cause" },
    };
    struct fixture f;
    struct verdict v = failing("shop", "web");
    struct cause c = wrote(CHANGE_UPDATE, "Service", "shop", "web", "1");
    struct db *db;

    fixture_init(&f);
    fixture_open(&f);
    life_verdict(f.life, &v, &c, T0);
    fixture_settle(&f);
    fixture_close(&f);
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0);
    db_exec(db, "DROP TRIGGER transition_append_only", NULL);
    for (int code = 0; code < 8; code++) {
        char sql[512];
        snprintf(sql, sizeof(sql),
                 "UPDATE finding_row SET state = min(%1$d, 3), result = min(%1$d, 4), severity = "
                 "min(%1$d, 4), environment = "
                 "min(%1$d, 3), reason = min(%1$d, 5); UPDATE transition_row SET to_state = "
                 "min(%1$d, 3), result = min(%1$d, 4), "
                 "severity = min(%1$d, 4), environment = min(%1$d, 3), reason = min(%1$d, 5); "
                 "UPDATE cause_row SET verb = "
                 "min(%1$d, 4)",
                 code);
        if (db_exec(db, sql, NULL) != 0) {
            abort();
        }
        for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
            const char *word = word_of(lists[i].list, code);
            if (word[0] != '\0' || code == 0) {
                CHECK_STR(lists[i].sql, ask(&f, "%s", lists[i].sql), word);
                CHECK_INT("and back", word_code(lists[i].list, word, strlen(word)),
                          word[0] != '\0' ? code : -1);
            }
        }
    }
    db_close(db);
    uv_run(&f.loop, UV_RUN_NOWAIT);
    fixture_deinit(&f);
}

TEST(wrong_files_are_told)
{
    struct fixture f;
    struct reader *r = NULL;
    struct error err = { 0 };
    char path[128];
    struct db *db;
    FILE *file;

    fill(&f);
    fixture_close(&f);
    snprintf(path, sizeof(path), "%s/none.db", f.dir);
    CHECK_INT("absent", reader_open(&r, path, &err), NA_ENOENT);
    CHECK_INT("a directory", reader_open(&r, f.dir, &err), NA_EINVAL);
    file = fopen(path, "w");
    fprintf(file, "%0600d", 7);
    fclose(file);
    CHECK_INT("a text file", reader_open(&r, path, &err), NA_EINVAL);
    CHECK("the sentence", strstr(err.text, "is not a netauditd database") != NULL);
    file = fopen(path, "w");
    fclose(file);
    CHECK_INT("an empty file", reader_open(&r, path, &err), NA_EINVAL);
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0 &&
                         db_exec(db, "PRAGMA user_version = 2", NULL) == 0);
    db_close(db);
    CHECK_INT("a newer schema", reader_open(&r, f.path, &err), NA_EMISMATCH);
    CHECK("nothing was handed out", r == NULL);
    fixture_deinit(&f);
}

/* As user 12345 where the test runs as root: 0 when `fn` is content. */
static int as_other_user(bool (*fn)(const char *path), const char *path)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (geteuid() == 0 && (setgid(12345) != 0 || setuid(12345) != 0)) {
            _exit(9);
        }
        _exit(fn(path) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return status;
}

static bool reads_four(const char *path)
{
    struct reader *r;
    struct seen seen = { 0 };

    if (reader_open(&r, path, NULL) != 0) {
        return false;
    }
    int rc = reader_findings(r, NULL, note, &seen, NULL);
    reader_close(r);
    return rc == 0 && seen.count == 4;
}

static bool is_told_of_the_log(const char *path)
{
    struct reader *r;
    struct error err = { 0 };

    return reader_open(&r, path, &err) == NA_EIO &&
           strstr(err.text, "has a write-ahead log") != NULL;
}

static bool is_denied(const char *path)
{
    struct reader *r;
    struct error err = { 0 };

    return reader_open(&r, path, &err) == NA_EAUTH &&
           strcasestr(err.text, "permission denied") != NULL;
}

TEST(a_read_only_directory_is_read_where_that_is_safe)
{
    struct fixture f;
    char command[1024];

    fill(&f);
    fixture_close(&f);
    if (geteuid() != 0) {
        SKIP_BECAUSE("only root can read as another user");
    }
    CHECK_INT("a file of another user is denied", as_other_user(is_denied, f.path), 0);
    chmod(f.dir, 0755);
    chmod(f.path, 0644);
    CHECK_INT("a clean file in a directory that cannot be written is read",
              as_other_user(reads_four, f.path), 0);
    chmod(f.dir, 0700);
    chmod(f.path, 0600);
    fixture_open(&f);
    say(&f, "Service", "more", "web", SEVERITY_HIGH, ENV_PRODUCTION, T0);
    fixture_settle(&f);
    snprintf(command, sizeof(command),
             "mkdir %s/ro && cp %s %s-wal %s/ro/ && chmod 755 %s %s/ro && chmod 644 %s/ro/*", f.dir,
             f.path, f.path, f.dir, f.dir, f.dir, f.dir);
    REQUIRE("copied", system(command) == 0);
    snprintf(command, sizeof(command), "%s/ro/n.db", f.dir);
    CHECK_INT("a left-over log there is told, not ignored",
              as_other_user(is_told_of_the_log, command), 0);
    chmod(f.dir, 0700);
    fixture_deinit(&f);
}

TEST(a_backup_is_whole_and_private)
{
    struct fixture f;
    struct reader *r, *copy;
    struct seen seen = { 0 };
    char path[128];
    struct stat st;

    fill(&f);
    snprintf(path, sizeof(path), "%s/backup.db", f.dir);
    REQUIRE("opens", reader_open(&r, f.path, NULL) == 0);
    CHECK_INT("beside the daemon", reader_backup(r, path, NULL), 0);
    CHECK("mode 0600", stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK("never over a file", reader_backup(r, path, NULL) != 0);
    REQUIRE("the copy opens", reader_open(&copy, path, NULL) == 0);
    reader_findings(copy, NULL, note, &seen, NULL);
    CHECK_INT("with everything", seen.count, 4);
    CHECK_STR("and whole", ask_path(path, "PRAGMA integrity_check"), "ok");
    reader_close(copy);
    reader_close(r);
    fixture_deinit(&f);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(filters_narrow), cmocka_unit_test(wrong_words_are_told),
              cmocka_unit_test(a_finding_is_found_by_the_start_of_its_id),
              cmocka_unit_test(history_is_read_in_order), cmocka_unit_test(hostile_text_is_data),
              cmocka_unit_test(the_view_gives_valid_json), cmocka_unit_test(words_and_views_agree),
              cmocka_unit_test(wrong_files_are_told),
              cmocka_unit_test(a_read_only_directory_is_read_where_that_is_safe),
              cmocka_unit_test(a_backup_is_whole_and_private));
}
