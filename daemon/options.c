#include "daemon/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

/* One row per flag: --help, parsing and the nearest name all read it. */
static const struct {
    const char *name;
    const char *value; /* NULL: a switch */
    const char *environment;
    size_t offset;
    const char *about;
} flags[] = {
    { "config", "FILE", "NETAUDITD_CONFIG", offsetof(struct options, config),
      "configuration file (default " SETTINGS_DEFAULT_FILE " if present)" },
    { "kubeconfig", "FILE", NULL, offsetof(struct options, kubeconfig),
      "kubeconfig file (default: in-cluster credentials if mounted, else as kubectl finds it)" },
    { "context", "NAME", NULL, offsetof(struct options, context), "context of the kubeconfig" },
    { "db", "FILE", "NETAUDITD_DB", offsetof(struct options, db),
      "database (default $STATE_DIRECTORY/netauditd.db, else ./netauditd.db)" },
    { "listen", "ADDR:PORT", "NETAUDITD_LISTEN", offsetof(struct options, listen),
      "address of the HTTP API (accepted; this version serves none)" },
    { "log-format", "FORMAT", "NETAUDITD_LOG_FORMAT", offsetof(struct options, log_format),
      "auto, logfmt, json or journald" },
    { "log-level", "LEVEL", NULL, offsetof(struct options, log_level),
      "debug, info, warn or error" },
    { "allow-insecure", NULL, NULL, offsetof(struct options, allow_insecure),
      "accept insecure-skip-tls-verify of a kubeconfig" },
    { "check-config", NULL, NULL, offsetof(struct options, check_config),
      "read the configuration, say whether it is good, and exit" },
    { "print-config", NULL, NULL, offsetof(struct options, print_config),
      "print the effective configuration as YAML, and exit" },
    { "version", NULL, NULL, offsetof(struct options, version), "print the version, and exit" },
    { "help", NULL, NULL, offsetof(struct options, help), "this text" },
};

void options_print_help(void)
{
    printf("netauditd: watches a Kubernetes cluster and keeps findings about its network security "
           "in SQLite.\n\n"
           "Usage: netauditd [flags]\n\nFlags:\n");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        char left[48];
        snprintf(left, sizeof(left), "--%s%s%s", flags[i].name, flags[i].value != NULL ? " " : "",
                 flags[i].value != NULL ? flags[i].value : "");
        printf("  %-24s %s\n", left, flags[i].about);
    }
    printf("\nEnvironment (flags win): ");
    const char *comma = "";
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (flags[i].environment != NULL) {
            printf("%s%s (--%s)", comma, flags[i].environment, flags[i].name);
            comma = ", ";
        }
    }
    printf("\nSignals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop after the "
           "last commit.\n"
           "Exit status: 0 stopped, 1 cannot start or go on, 2 wrong use or bad configuration.\n");
}

static int unknown_flag(const char *name, struct error *err)
{
    const char *names[ARRAY_LEN(flags) + 1] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        names[i] = flags[i].name;
    }
    const char *near = text_nearest(names, name);
    return error_set(err, NA_EINVAL, "unknown flag --%s%s%s%s; see netauditd --help", name,
                     near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
                     near != NULL ? "?" : "");
}

/* "--name", "--name=value" or "--name value"; *i moves past a value taken from the next argument.
 */
static int parse_one(struct options *out, int argc, char **argv, int *i, struct error *err)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    size_t f = 0;

    while (f < ARRAY_LEN(flags) &&
           !(strlen(flags[f].name) == len && memcmp(flags[f].name, name, len) == 0)) {
        f++;
    }
    if (f == ARRAY_LEN(flags)) {
        char word[64];
        snprintf(word, sizeof(word), "%.*s", (int)len, name);
        return unknown_flag(word, err);
    }
    void *at = (char *)out + flags[f].offset;
    if (flags[f].value == NULL) {
        if (value != NULL) {
            return error_set(err, NA_EINVAL, "--%s takes no value", flags[f].name);
        }
        *(bool *)at = true;
        return 0;
    }
    if (value == NULL && *i + 1 < argc) {
        value = argv[++*i];
    }
    if (value == NULL || *value == '\0') {
        return error_set(err, NA_EINVAL, "--%s needs a value: %s", flags[f].name, flags[f].value);
    }
    *(const char **)at = value;
    return 0;
}

int options_parse(struct options *out, int argc, char **argv, struct error *err)
{
    memset(out, 0, sizeof(*out));
    for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
        const char *value = flags[f].environment != NULL ? getenv(flags[f].environment) : NULL;
        if (value != NULL && *value != '\0') {
            *(const char **)((char *)out + flags[f].offset) = value;
        }
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0) {
            out->help = true;
        } else if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0') {
            return error_set(err, NA_EINVAL, "unexpected argument '%s'; see netauditd --help",
                             argv[i]);
        } else {
            int rc = parse_one(out, argc, argv, &i, err);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return 0;
}

static const char *default_db(struct settings *s)
{
    const char *dirs = getenv("STATE_DIRECTORY"); /* systemd: may name several, colon-separated */

    if (dirs == NULL || *dirs == '\0') {
        return "./netauditd.db";
    }
    return arena_printf(&s->arena, "%.*s/netauditd.db", (int)strcspn(dirs, ":"), dirs);
}

static int lay_log_flags(const struct options *o, struct settings *s, struct error *err)
{
    enum log_format format;
    enum log_level level;

    if (o->log_format != NULL) {
        if (!log_format_parse(o->log_format, &format)) {
            return error_set(err, NA_EINVAL,
                             "log format '%s': must be auto, logfmt, json or journald",
                             o->log_format);
        }
        s->log_format = (int)format;
    }
    if (o->log_level != NULL) {
        if (!log_level_parse(o->log_level, &level)) {
            return error_set(err, NA_EINVAL, "--log-level '%s': must be debug, info, warn or error",
                             o->log_level);
        }
        s->log_level = (int)level;
    }
    return 0;
}

int options_settings(const struct options *o, struct settings *s, struct error *err)
{
    int rc = settings_find(s, o->config, err);

    if (rc != 0) {
        return rc;
    }
    const struct {
        const char *flag;
        const char **at;
    } texts[] = { { o->kubeconfig, &s->kubeconfig },
                  { o->context, &s->context },
                  { o->db, &s->store_path },
                  { o->listen, &s->listen_address } };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].flag != NULL) {
            *texts[i].at = arena_strdup(&s->arena, texts[i].flag);
        }
    }
    if (s->store_path == NULL) {
        s->store_path = default_db(s);
    }
    if (!settings_is_listen_address(s->listen_address)) {
        return error_set(err, NA_EINVAL, "--listen '%s': %s", s->listen_address,
                         SETTINGS_LISTEN_SENTENCE);
    }
    return lay_log_flags(o, s, err);
}
