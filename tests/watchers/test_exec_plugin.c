/* KUBE_CLIENT I7, I8: credential plugins, with shell scripts for plugins. */
#include "tests/watchers/lab.h"

#include "watchers/exec_plugin.h"

#define V1           "client.authentication.k8s.io/v1"
#define CRED(status) "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":" status "}"

struct bench {
    struct lab lab;
    uv_loop_t loop;
    struct exec_plugin *p;
    unsigned ready;
};

static void on_ready(void *ctx)
{
    ((struct bench *)ctx)->ready++;
}

static bool has_answered(void *ctx)
{
    return ((struct bench *)ctx)->ready > 0;
}

static char **texts(const char *a, const char *b)
{
    char **out = xcalloc(3, sizeof(char *));

    out[0] = a != NULL ? xstrdup(a) : NULL;
    out[1] = a != NULL && b != NULL ? xstrdup(b) : NULL;
    return out;
}

static void bench_open(struct bench *b, const char *script, unsigned timeout_ms)
{
    struct exec_config *config = xcalloc(1, sizeof(*config));
    const char *path;

    memset(b, 0, sizeof(*b));
    uv_loop_init(&b->loop);
    lab_dir(&b->lab);
    path = lab_path(&b->lab, "plugin");
    if (script != NULL) {
        write_file(path, script);
        chmod(path, 0755);
    }
    config->command = xstrdup(path);
    config->configured = xstrdup(path);
    config->args = texts(path, "argument with spaces; $(touch /tmp/never)");
    config->env = texts("GIVEN=v", "HOME=/overridden");
    config->api_version = xstrdup(V1);
    config->info = xstrdup("{\"kind\":\"ExecCredential\"}");
    b->p = exec_plugin_create(&b->loop, config, timeout_ms, on_ready, b);
}

/* A line of a script that counts its runs. */
#define COUNTED "echo >>\"$0.runs\"\n"

static int runs_of(struct bench *b)
{
    struct stat st;

    return stat(lab_path(&b->lab, "plugin.runs"), &st) == 0 ? (int)st.st_size : 0;
}

static void bench_close(struct bench *b)
{
    exec_plugin_destroy(b->p);
    close_loop(&b->loop);
    remove_dir(b->lab.dir);
}

/* Runs once and returns what get says then. */
static int run_once(struct bench *b, const struct exec_credential **out, struct error *err)
{
    b->ready = 0;
    if (exec_plugin_get(b->p, clock_mono_ms(), clock_wall_ms(), out, err) != NA_EBUSY) {
        return 1;
    }
    run_until(&b->loop, has_answered, b, 10000);
    return exec_plugin_get(b->p, clock_mono_ms(), clock_wall_ms(), out, err);
}

static const struct {
    const char *fact, *script, *want; /* a token, or "error: part of the sentence" */
} scripts[] = {
    { "a token", "#!/bin/sh\necho '" CRED("{\"token\":\"abc\"}") "'\n", "abc" },
    { "what it is told, and no shell in between",
      "#!/bin/sh\nread nothing; test \"$1\" = 'argument with spaces; $(touch /tmp/never)' && test "
      "\"$GIVEN$HOME\" = v/overridden && "
      "test \"$KUBERNETES_EXEC_INFO\" = '{\"kind\":\"ExecCredential\"}' && echo '" CRED(
          "{\"token\":\"told\"}") "'\n",
      "told" },
    { "it ends with a status", "#!/bin/sh\nexit 3\n", "error: ended with status 3" },
    { "it is killed", "#!/bin/sh\nkill -9 $$\n", "error: was ended by signal 9" },
    { "it hangs", "#!/bin/sh\nsleep 100\n", "error: did not end in time" },
    { "its helper keeps the pipe open", "#!/bin/sh\nsleep 100 &\nexit 0\n",
      "error: did not end in time" },
    { "it prints without end", "#!/bin/sh\nexec cat /dev/zero\n",
      "error: printed more than 1 MiB" },
    { "it prints nothing", "#!/bin/sh\n", "error: did not print an ExecCredential" },
    { "it prints garbage", "#!/bin/sh\necho hello\n", "error: did not print an ExecCredential" },
    { "another version",
      "#!/bin/sh\necho "
      "'{\"apiVersion\":\"client.authentication.k8s.io/"
      "v1beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"a\"}}'\n",
      "error: is configured for client.authentication.k8s.io/v1 and returned "
      "client.authentication.k8s.io/v1beta1" },
    { "no status", "#!/bin/sh\necho '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\"}'\n",
      "error: returned no status" },
    { "an empty status", "#!/bin/sh\necho '" CRED("{}") "'\n",
      "error: neither a token nor a certificate" },
    { "half a pair", "#!/bin/sh\necho '" CRED("{\"clientCertificateData\":\"x\"}") "'\n",
      "error: only one of certificate and key" },
    { "a pair that is no PEM",
      "#!/bin/sh\necho '" CRED("{\"clientCertificateData\":\"x\",\"clientKeyData\":\"y\"}") "'\n",
      "error: no PEM" },
    { "a token with a line break", "#!/bin/sh\nprintf '%s' '" CRED("{\"token\":\"a\\nb\"}") "'\n",
      "error: cannot be sent in a header" },
    { "an expiry that is no time",
      "#!/bin/sh\necho '" CRED("{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}") "'\n",
      "error: no time" },
    { "it is not there", NULL, "error: cannot be started: no such file or directory" },
};

TEST(plugins_that_behave_and_those_that_do_not)
{
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        const struct exec_credential *got = NULL;
        struct error err = { 0 };
        struct bench b;

        bench_open(&b, scripts[i].script, 700);
        if (run_once(&b, &got, &err) == 0) {
            CHECK_STR(scripts[i].fact, got->token, scripts[i].want);
        } else if (strncmp(scripts[i].want, "error: ", 7) != 0 ||
                   strstr(err.text, scripts[i].want + 7) == NULL) {
            CHECK_STR(scripts[i].fact, err.text, scripts[i].want);
        }
        bench_close(&b);
    }
}

TEST(I8_a_credential_is_kept_until_it_expires)
{
    const struct exec_credential *got = NULL;
    struct error err = { 0 };
    struct bench b;
    int64_t wall;
    uint64_t serial;

    bench_open(&b,
               "#!/bin/sh\n" COUNTED "echo '" CRED(
                   "{\"token\":\"abc\",\"expirationTimestamp\":\"2040-01-01T00:00:00Z\"}") "'\n",
               0);
    REQUIRE("it runs", run_once(&b, &got, &err) == 0);
    serial = got->serial;
    time_parse("2039-12-31T23:59:59Z", &wall);
    CHECK_INT("before it expires", exec_plugin_get(b.p, clock_mono_ms(), wall, &got, &err), 0);
    CHECK_INT("one run", runs_of(&b), 1);
    b.ready = 0;
    CHECK_INT("then it runs again", exec_plugin_get(b.p, clock_mono_ms(), wall + 1000, &got, &err),
              NA_EBUSY);
    CHECK_INT("one at a time", exec_plugin_get(b.p, clock_mono_ms(), wall + 1000, &got, &err),
              NA_EBUSY);
    run_until(&b.loop, has_answered, &b, 10000);
    CHECK_INT("two runs", runs_of(&b), 2);
    CHECK_INT("the same credential", exec_plugin_get(b.p, clock_mono_ms(), wall, &got, &err), 0);
    CHECK("keeps its serial", got->serial == serial);
    bench_close(&b);
}

TEST(I8_many_401_are_one_run)
{
    const struct exec_credential *got = NULL;
    struct error err = { 0 };
    struct bench b;
    uint64_t now;

    bench_open(&b, "#!/bin/sh\n" COUNTED "echo '" CRED("{\"token\":\"abc\"}") "'\n", 0);
    REQUIRE("it runs", run_once(&b, &got, &err) == 0);
    now = clock_mono_ms();
    for (unsigned i = 0; i < 100; i++) {
        exec_plugin_refused(b.p, now);
        exec_plugin_get(b.p, now, clock_wall_ms(), &got, &err);
    }
    b.ready = 0;
    run_until(&b.loop, has_answered, &b, 10000);
    CHECK_INT("one more run", runs_of(&b), 2);
    exec_plugin_refused(b.p, clock_mono_ms());
    CHECK_INT("refused again at once: what we have is used",
              exec_plugin_get(b.p, clock_mono_ms(), clock_wall_ms(), &got, &err), 0);
    exec_plugin_refused(b.p, clock_mono_ms() + EXEC_REFUSED_GAP_MS);
    CHECK_INT("refused later: it runs",
              exec_plugin_get(b.p, clock_mono_ms(), clock_wall_ms(), &got, &err), NA_EBUSY);
    bench_close(&b);
}

TEST(a_failing_plugin_is_not_run_in_a_circle)
{
    const struct exec_credential *got = NULL;
    struct error err = { 0 };
    struct bench b;
    uint64_t now;

    bench_open(&b, "#!/bin/sh\nexit 1\n", 0);
    CHECK("it fails", run_once(&b, &got, &err) < 0);
    now = clock_mono_ms();
    CHECK_INT("not again at once", exec_plugin_get(b.p, now, clock_wall_ms(), &got, &err),
              NA_EAUTH);
    CHECK("the sentence names it", strstr(err.text, "plugin'") != NULL);
    CHECK_INT("but a second later",
              exec_plugin_get(b.p, now + EXEC_RETRY_MIN_MS, clock_wall_ms(), &got, &err), NA_EBUSY);
    bench_close(&b); /* while it runs: killed, nothing called */
}

int main(void)
{
    log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    RUN_TESTS(cmocka_unit_test(plugins_that_behave_and_those_that_do_not),
              cmocka_unit_test(I8_a_credential_is_kept_until_it_expires),
              cmocka_unit_test(I8_many_401_are_one_run),
              cmocka_unit_test(a_failing_plugin_is_not_run_in_a_circle));
}
