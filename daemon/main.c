/* netauditd: flags, configuration, then the daemon. Exit status: 0 stopped, 1 cannot start or go
 * on, 2 wrong use or bad configuration. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/options.h"

enum { EXIT_USAGE = 2 };

/* A sentence for a person: wrong use and bad configuration are answered before logging is set up.
 */
static int usage_error(const struct error *err)
{
    fprintf(stderr, "netauditd: %s\n", err->text);
    return EXIT_USAGE;
}

static int print_config(const struct settings *settings)
{
    struct buf out;

    buf_init(&out, SETTINGS_MAX_BYTES);
    int rc = settings_print(settings, &out);
    fputs(buf_text(&out), stdout);
    buf_deinit(&out);
    return rc == 0 && fflush(stdout) == 0 ? 0 : 1;
}

/* A core image would hold tokens. */
static void forbid_core_dumps(void)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
}

static int run(const struct options *options, struct settings *settings, struct ruleset *ruleset)
{
    struct daemon *daemon = NULL;
    struct error err = { 0 };

    int rc = daemon_create(&daemon, options, settings, ruleset, &err);
    if (rc != 0) {
        log_event(LOG_LEVEL_ERROR, "daemon", "cannot start", KV_TEXT("error", err.text));
        return 1;
    }
    rc = daemon_run(daemon, &err);
    daemon_destroy(daemon);
    if (rc != 0) {
        log_event(LOG_LEVEL_ERROR, "daemon", "cannot go on", KV_TEXT("error", err.text));
        return 1;
    }
    log_event(LOG_LEVEL_INFO, "daemon", "stopped");
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct settings settings;
    struct ruleset *ruleset = NULL;
    struct error err = { 0 };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk: the store waits it out */
    forbid_core_dumps();
    if (options_parse(&options, argc, argv, &err) != 0) {
        return usage_error(&err);
    }
    if (options.help) {
        options_print_help();
        return 0;
    }
    if (options.version) {
        printf("netauditd %s\n", NETAUDITD_VERSION);
        return 0;
    }
    settings_init(&settings);
    int rc = options_settings(&options, &settings, &err);
    if (rc == 0) {
        rc = settings_ruleset(&settings, &ruleset, &err);
    }
    if (rc != 0) {
        settings_deinit(&settings);
        return usage_error(&err);
    }
    if (options.print_config || options.check_config) {
        rc = options.print_config ? print_config(&settings) : 0;
        if (options.check_config) {
            printf("%s: configuration is good\n",
                   settings.file != NULL ? settings.file : "defaults (no file)");
        }
        ruleset_destroy(ruleset);
        settings_deinit(&settings);
        return rc;
    }
    log_setup((enum log_format)settings.log_format, (enum log_level)settings.log_level);
    return run(&options, &settings, ruleset);
}
