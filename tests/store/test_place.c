/* What is refused at start, and the sentence that says so. Run as root, the tests about owners use
 * uid 12345. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/lock.h"
#include "store/schema.h"
#include "tests/store/helpers.h"

static void make_file(const char *path, const char *content, size_t len, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    if (fd < 0 || write(fd, content, len) != (ssize_t)len || fchmod(fd, mode) != 0) {
        abort();
    }
    close(fd);
}

static void run_sql(const char *path, const char *sql)
{
    struct db *db;

    if (access(path, F_OK) != 0) {
        make_file(path, "", 0, 0600);
    }
    if (db_open(&db, path, DB_WRITE, NULL, NULL) != 0 || db_exec(db, sql, NULL) != 0) {
        abort();
    }
    db_close(db);
}

/* A database of this program with one finding. */
static void make_database(struct fixture *f)
{
    struct verdict v = failing("shop", "web");

    fixture_open(f);
    if (store_bind_cluster(f->store, "cluster-a", NULL) != 0) {
        abort();
    }
    life_verdict(f->life, &v, NULL, T0);
    fixture_settle(f);
    fixture_close(f);
}

static void garble(const char *path, off_t at, size_t len)
{
    unsigned char junk[4096];
    int fd = open(path, O_WRONLY);

    memset(junk, 0xA5, sizeof(junk));
    if (fd < 0 || pwrite(fd, junk, len, at) != (ssize_t)len) {
        abort();
    }
    close(fd);
}

static void a_directory(struct fixture *f)
{
    mkdir(f->path, 0700);
}
static void a_symlink(struct fixture *f)
{
    char to[128];

    snprintf(to, sizeof(to), "%s/other.db", f->dir);
    make_file(to, "", 0, 0600);
    if (symlink(to, f->path) != 0) {
        abort();
    }
}
static void a_locked_symlink(struct fixture *f)
{
    char at[128];

    snprintf(at, sizeof(at), "%s.lock", f->path);
    if (symlink("/etc/passwd", at) != 0) {
        abort();
    }
}
static void a_fifo(struct fixture *f)
{
    if (mkfifo(f->path, 0600) != 0) {
        abort();
    }
}
static void a_text_file(struct fixture *f)
{
    static const char text[] =
        "my shopping list, which is rather long so that it is longer than a header would be: milk, "
        "bread, butter";

    make_file(f->path, text, sizeof(text), 0600);
}
static void a_short_file(struct fixture *f)
{
    make_file(f->path, "SQLite format 3", 16, 0600);
}
static void of_zeros(struct fixture *f)
{
    char zeros[8192] = "";

    make_file(f->path, zeros, sizeof(zeros), 0600);
}
static void another_programs(struct fixture *f)
{
    run_sql(f->path, "CREATE TABLE bookmarks (url TEXT)");
}
static void with_application_id(struct fixture *f)
{
    run_sql(f->path, "PRAGMA application_id = 42; CREATE TABLE t (x)");
}
static void a_newer_one(struct fixture *f)
{
    make_database(f);
    run_sql(f->path, "PRAGMA user_version = 99");
}
static void readable_by_others(struct fixture *f)
{
    make_database(f);
    chmod(f->path, 0644);
}
static void writable_by_group(struct fixture *f)
{
    make_database(f);
    chmod(f->path, 0660);
}
static void in_a_shared_directory(struct fixture *f)
{
    chmod(f->dir, 0777);
}
static void in_a_group_directory(struct fixture *f)
{
    chmod(f->dir, 0770);
}
static void garbled_root_page(struct fixture *f)
{
    make_database(f);
    garble(f->path, 100, 1000);
}
static void garbled_inside(struct fixture *f)
{
    make_database(f);
    garble(f->path, 3 * 4096, 4096);
}
static void cut_off(struct fixture *f)
{
    make_database(f);
    if (truncate(f->path, 5 * 4096) != 0) {
        abort();
    }
}
static void of_another_user(struct fixture *f)
{
    make_database(f);
    if (geteuid() == 0 && chown(f->path, 12345, 12345) != 0) {
        abort();
    }
}
static void directory_of_another_user(struct fixture *f)
{
    if (geteuid() == 0 && chown(f->dir, 12345, 12345) != 0) {
        abort();
    }
}

static const struct {
    const char *fact;
    void (*make)(struct fixture *f);
    int code;
    const char *sentence; /* part of it */
    bool root;            /* needs root to be made */
} refused[] = {
    { "a directory", a_directory, NA_EINVAL, "is a directory", false },
    { "a symbolic link", a_symlink, NA_EAUTH, "is a symbolic link; give the path it points to",
      false },
    { "a lock file that is a symbolic link", a_locked_symlink, NA_EAUTH, "is a symbolic link",
      false },
    { "a pipe", a_fifo, NA_EINVAL, "is not a regular file", false },
    { "a text file", a_text_file, NA_EINVAL,
      "is not a netauditd database: it has no SQLite header; give another path", false },
    { "a file shorter than a header", a_short_file, NA_EINVAL, "is not a netauditd database",
      false },
    { "zeros without a journal that would empty them", of_zeros, NA_EIO, "is damaged: ", false },
    { "a database of another program", another_programs, NA_EINVAL,
      "is a database of another program (application id 0)", false },
    { "one with another application id", with_application_id, NA_EINVAL,
      "another program (application id 42)", false },
    { "a newer schema", a_newer_one, NA_EMISMATCH,
      "has schema version 99, this program knows versions up to 1", false },
    { "a file that others may read", readable_by_others, NA_EAUTH,
      "has mode 0644, which lets others in; use chmod 600", false },
    { "a file that the group may write", writable_by_group, NA_EAUTH, "has mode 0660", false },
    { "a directory that everybody may write", in_a_shared_directory, NA_EAUTH,
      "has mode 0777: group or others could replace "
      "files in it",
      false },
    { "a directory that the group may write", in_a_group_directory, NA_EAUTH, "has mode 0770",
      false },
    { "a damaged first page", garbled_root_page, NA_EIO, "is damaged: ", false },
    { "a damaged page inside", garbled_inside, NA_EIO,
      "move it away together with its -wal and -shm files", false },
    { "a file that was cut off", cut_off, NA_EIO, "is damaged: ", false },
    { "a file of another user", of_another_user, NA_EAUTH, "belongs to user 12345", true },
    { "a directory of another user", directory_of_another_user, NA_EAUTH,
      "belongs to user 12345, not to this one", true },
};

TEST(wrong_state_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct fixture f;
        struct store *s = (struct store *)&f;
        struct error err = { 0 };

        if (refused[i].root && geteuid() != 0) {
            continue;
        }
        fixture_init(&f);
        refused[i].make(&f);
        struct stat before = { 0 }, after = { 0 };
        stat(f.path, &before);
        int rc = store_open(&s, &f.loop, &f.options, &err);
        stat(f.path, &after);
        CHECK_INT(refused[i].fact, rc, refused[i].code);
        CHECK_STR(refused[i].fact,
                  strstr(err.text, refused[i].sentence) != NULL ? refused[i].sentence : err.text,
                  refused[i].sentence);
        CHECK(refused[i].fact,
              before.st_size == after.st_size && before.st_mtime == after.st_mtime);
        CHECK("nothing is handed out", s == (struct store *)&f);
        chmod(f.dir, 0700);
        fixture_deinit(&f);
    }
}

TEST(what_it_makes_is_private)
{
    struct fixture f;
    struct verdict v = failing("shop", "web");
    static const char *const names[] = { "", "-wal", "-shm", ".lock" };
    char path[128];
    struct stat st;

    fixture_init(&f);
    umask(0);
    snprintf(f.path, sizeof(f.path), "%s/sub/n.db", f.dir);
    fixture_open(&f);
    life_verdict(f.life, &v, NULL, T0);
    fixture_settle(&f);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s%s", f.path, names[i]);
        CHECK(path, stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    }
    snprintf(path, sizeof(path), "%s/sub", f.dir);
    CHECK("a missing directory is made for its owner only",
          stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
    umask(022);
    fixture_deinit(&f);
}

TEST(a_second_daemon_is_refused)
{
    struct fixture f;
    struct store *second = NULL;
    struct error err = { 0 };
    char want[160];
    int status = -1;

    fixture_init(&f);
    fixture_open(&f);
    CHECK_INT("in the same process", store_open(&second, &f.loop, &f.options, &err), NA_EBUSY);
    snprintf(
        want, sizeof(want),
        "database '%s' is in use by another netauditd (process %ld); stop it, or give another path",
        f.path, (long)getpid());
    CHECK_STR("the sentence names the holder", err.text, want);
    pid_t pid = fork();
    if (pid == 0) {
        int fd;
        _exit(lock_take(f.path, &fd, NULL) == NA_EBUSY ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CHECK_INT("in another process", status, 0);
    fixture_close(&f);
    fixture_open(&f);
    CHECK("free again after closing", f.store != NULL);
    fixture_deinit(&f);
}

TEST(a_database_belongs_to_one_cluster)
{
    struct fixture f;
    struct error err = { 0 };

    fixture_init(&f);
    fixture_open(&f);
    CHECK_STR("a new one belongs to none", store_cluster_id(f.store), "");
    CHECK_INT("an empty id is none", store_bind_cluster(f.store, "", &err), NA_EINVAL);
    CHECK_INT("the first is taken", store_bind_cluster(f.store, "cluster-a", NULL), 0);
    fixture_settle(&f);
    fixture_close(&f);
    fixture_open(&f);
    CHECK_STR("and kept", store_cluster_id(f.store), "cluster-a");
    CHECK_INT("the same may come again", store_bind_cluster(f.store, "cluster-a", NULL), 0);
    CHECK_INT("another may not", store_bind_cluster(f.store, "cluster-b", &err), NA_EMISMATCH);
    CHECK("the sentence names both",
          strstr(err.text, "belongs to cluster 'cluster-a', this is cluster 'cluster-b'") != NULL);
    fixture_deinit(&f);
}

TEST(migrations_are_numbered_and_checked)
{
    static const char two[] = "-- migration 1\nCREATE TABLE a (x INTEGER) STRICT;\n-- migration "
                              "2\nALTER TABLE a ADD COLUMN y "
                              "INTEGER;\n";
    static const char broken[] = "-- migration 1\nCREATE TABLE a (x INTEGER) STRICT;\n-- migration "
                                 "2\nCREATE TABLE b (x INTEGER) "
                                 "STRICT;\nNO SUCH STATEMENT;\n";
    struct fixture f;
    struct error err = { 0 };
    struct db *db;

    CHECK_INT("the embedded ones have no hole", schema_count(schema_text()) >= 1, 1);
    CHECK_INT("two", schema_count(two), 2);
    CHECK_INT("a hole is seen", schema_count("-- migration 1\n-- migration 3\n"), -1);

    fixture_init(&f);
    make_file(f.path, "", 0, 0600);
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0);
    CHECK_INT("a broken migration is an error", schema_apply(db, broken, &err) != 0, 1);
    CHECK("which names it", strstr(err.text, "schema migration 2") != NULL);
    CHECK_STR("leaves nothing of itself",
              ask(&f, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), "0");
    CHECK_STR("and the version before", ask(&f, "PRAGMA user_version"), "1");
    CHECK_INT("an older file is lifted", schema_apply(db, two, &err), 0);
    CHECK_STR("to the last version", ask(&f, "PRAGMA user_version"), "2");
    CHECK_STR("with its content", ask(&f, "SELECT count(y) FROM a"), "0");
    CHECK_INT("again changes nothing", schema_apply(db, two, &err), 0);
    CHECK_INT("an older program refuses it", schema_apply(db, "-- migration 1\n", &err),
              NA_EMISMATCH);
    db_close(db);
    fixture_deinit(&f);
}

TEST(a_crash_while_creating_is_no_obstacle)
{
    struct fixture f;
    struct db *db;

    fixture_init(&f);
    make_file(f.path, "", 0, 0600);
    fixture_open(&f);
    CHECK("an empty file is a new one", f.store != NULL);
    fixture_close(&f);
    unlink(f.path);
    make_file(f.path, "", 0, 0600);
    REQUIRE("opens", db_open(&db, f.path, DB_WRITE, NULL, NULL) == 0);
    if (db_exec(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 0x4E617564", NULL) !=
        0) {
        abort();
    }
    db_close(db);
    fixture_open(&f);
    CHECK("so is one that got its id only", f.store != NULL);
    fixture_deinit(&f);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(wrong_state_is_refused_with_a_sentence),
              cmocka_unit_test(what_it_makes_is_private),
              cmocka_unit_test(a_second_daemon_is_refused),
              cmocka_unit_test(a_database_belongs_to_one_cluster),
              cmocka_unit_test(migrations_are_numbered_and_checked),
              cmocka_unit_test(a_crash_while_creating_is_no_obstacle));
}
