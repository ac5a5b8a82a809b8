/* One row per option, with the verbs that take it: parsing, --help and the nearest name read the
 * same table. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "front/table.h"

static const struct option {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* NULL: a switch */
    size_t offset;
    const char *verbs; /* space-separated, with one at each end */
    const char *about;
} options[] = {
#define AT(member) offsetof(struct cli, member)
    { "output", 'o', "FORMAT", AT(output), " scan findings status rules explain ",
      "table, wide, json or yaml (default table)" },
    { "output", 'o', "FORMAT", AT(output), " reach ",
      "table, json, or for --matrix dot, mermaid or html (default table)" },
    { "output", 'o', "FORMAT", AT(output), " exposure diff what-if ",
      "table or json (default table)" },
    { "json", 0, NULL, AT(json), " scan findings status rules explain reach exposure diff what-if ",
      "the same as -o json" },
    { "matrix", 0, NULL, AT(matrix), " reach ", "who can reach whom, all of it" },
    { "from", 0, "PEER", AT(from), " reach ",
      "namespace/pod, namespace/workload, namespace/name[Kind] or an address" },
    { "to", 0, "PEER", AT(to), " reach ", "the same" },
    { "port", 0, "PORT", AT(port), " reach ",
      "number, or name at the destination (default any port)" },
    { "proto", 0, "PROTOCOL", AT(proto), " reach ",
      "TCP, UDP or SCTP (default any, with --port TCP)" },
    { "explain", 0, NULL, AT(explain), " reach ", "which policies decide, on each side" },
    { "expect", 0, "WORD", AT(expect), " reach ",
      "allowed or denied: exit status 1 when it is another" },
    { "live", 0, NULL, AT(live), " reach exposure diff what-if ",
      "list the cluster once instead of reading files" },
    { "kubeconfig", 0, "FILE", AT(kubeconfig), " reach exposure diff what-if ",
      "for --live (default as kubectl)" },
    { "context", 0, "NAME", AT(context), " reach exposure diff what-if ",
      "context of the kubeconfig" },
    { "filename", 'f', "PATH", AT(files), " what-if ",
      "manifests that would be applied; may be given more than once" },
    { "delete", 0, "OBJECT", AT(deletes), " what-if ",
      "kind/namespace/name that would be deleted; may be given more than once" },
    { "namespace", 'n', "NS", AT(ns), " scan findings ", "only this namespace, itself included" },
    { "namespace", 'n', "NS", AT(ns), " reach exposure ",
      "only what has an end in this namespace" },
    { "all-namespaces", 'A', NULL, AT(all_namespaces), " scan findings reach exposure ",
      "every namespace (the default)" },
    { "selector", 'l', "SELECTOR", AT(selector), " scan ",
      "only subjects with these labels, as kubectl -l" },
    { "selector", 'l', "SELECTOR", AT(selector), " reach ",
      "only what has a workload at one end whose pods have these labels" },
    { "all", 0, NULL, AT(all), " scan ", "also what passes and what is skipped" },
    { "complete", 0, NULL, AT(complete), " scan ",
      "the input is the whole cluster: what is absent from it does not exist" },
    { "environment", 0, "ENV", AT(environment), " scan ",
      "judge every namespace as production, staging, development or standard" },
    { "environment", 0, "ENV", AT(environment), " findings ",
      "only namespaces that are production, staging, development or standard" },
    { "config", 0, "FILE", AT(config), " scan reach exposure diff what-if ",
      "the daemon's configuration: levels, parameters, exemptions" },
    { "baseline", 0, "FILE", AT(baseline), " scan ",
      "an earlier JSON output: only what is new counts for the exit status" },
    { "fail-on", 0, "SEVERITY", AT(fail_on), " scan findings ",
      "critical, high, medium, low or none: least severity for exit status 1 (default medium)" },
    { "fail-on-warn", 0, NULL, AT(fail_on_warn), " scan findings ",
      "warnings count for the exit status too" },
    { "db", 0, "FILE", AT(db), " findings status ", "the daemon's database (or NETAUDIT_DB)" },
    { "kind", 0, "KIND", AT(kind), " findings ", "only subjects of this kind" },
    { "name", 0, "NAME", AT(name), " findings ", "only subjects of this name" },
    { "policy", 0, "POLICY", AT(policy), " findings ", "only this policy" },
    { "rule", 0, "RULE", AT(rule), " findings ", "only this rule" },
    { "severity", 0, "LIST", AT(severity), " findings ", "only these severities, comma-separated" },
    { "result", 0, "LIST", AT(result), " findings ", "only these results: fail, warn, error" },
    { "state", 0, "LIST", AT(state), " findings ", "open (default), suppressed, resolved or all" },
    { "owner", 0, "OWNER", AT(owner), " findings ", "only findings of this owner" },
    { "query", 'q', "TEXT", AT(query), " findings ",
      "only findings whose message, rule or name holds TEXT" },
    { "since", 0, "TIME", AT(since), " findings ", "only what changed state since then" },
    { "until", 0, "TIME", AT(until), " findings ", "only what changed state before then" },
    { "limit", 0, "N", AT(limit), " findings ", "at most N" },
    { "no-headers", 0, NULL, AT(no_headers),
      " scan findings status rules reach exposure diff what-if ",
      "tables without their first line" },
    { "no-color", 0, NULL, AT(no_color),
      " scan findings status rules explain reach exposure diff what-if ",
      "no colours (also NO_COLOR, or when stdout is no terminal)" },
    { "help", 'h', NULL, AT(help),
      " scan findings status rules explain version reach exposure diff what-if ", "this text" },
#undef AT
};

static bool takes(const struct option *o, const struct verb *verb)
{
    char word[32];

    snprintf(word, sizeof(word), " %s ", verb->name);
    return strstr(o->verbs, word) != NULL;
}

static const struct option *find_long(const struct verb *verb, const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (takes(&options[i], verb) && strlen(options[i].name) == len &&
            memcmp(options[i].name, name, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct verb *verb, char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (takes(&options[i], verb) && options[i].letter == letter) {
            return &options[i];
        }
    }
    return NULL;
}

static int unknown(const struct verb *verb, const char *word, struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (takes(&options[i], verb)) {
            names[n++] = options[i].name;
        }
    }
    const char *near = text_starts(word, "--") ? text_nearest(names, word + 2) : NULL;
    return error_set(err, NA_EINVAL, "unknown option %s%s%s%s; see netaudit %s --help", word,
                     near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
                     near != NULL ? "?" : "", verb->name);
}

/* `value` is what stood behind the option in the same word, or NULL. */
static int take(struct cli *cli, const struct option *o, const char *value, int argc, char **argv,
                int *i, struct error *err)
{
    void *at = (char *)cli + o->offset;

    if (o->value == NULL) {
        if (value != NULL) {
            return error_set(err, NA_EINVAL, "--%s takes no value", o->name);
        }
        *(bool *)at = true;
        return 0;
    }
    if (value == NULL && *i + 1 < argc) {
        value = argv[++*i];
    }
    if (value == NULL || *value == '\0') {
        return error_set(err, NA_EINVAL, "--%s needs a value: %s", o->name, o->value);
    }
    if (o->offset == offsetof(struct cli, files) || o->offset == offsetof(struct cli, deletes)) {
        cli_text_vec *list = at;
        vec_push(list, value);
        return 0;
    }
    *(const char **)at = value;
    return 0;
}

static int parse_long(struct cli *cli, const char *word, int argc, char **argv, int *i,
                      struct error *err)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const struct option *o = find_long(cli->verb, name, len);
    char shown[96];

    if (o == NULL) {
        snprintf(shown, sizeof(shown), "--%.*s", (int)len, name);
        return unknown(cli->verb, shown, err);
    }
    return take(cli, o, name[len] == '=' ? name + len + 1 : NULL, argc, argv, i, err);
}

/* "-o json", "-ojson", "-o=json", "-Ah". */
static int parse_letters(struct cli *cli, const char *word, int argc, char **argv, int *i,
                         struct error *err)
{
    for (const char *p = word + 1; *p != '\0'; p++) {
        const struct option *o = find_letter(cli->verb, *p);
        if (o == NULL) {
            return unknown(cli->verb, word, err);
        }
        if (o->value != NULL) {
            const char *rest = p[1] == '=' ? p + 2 : p + 1;
            return take(cli, o, p[1] != '\0' ? rest : NULL, argc, argv, i, err);
        }
        int rc = take(cli, o, NULL, argc, argv, i, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int cli_parse(struct cli *cli, const struct verb *verb, int argc, char **argv, struct error *err)
{
    bool only_arguments = false;

    cli->verb = verb;
    cli->db = getenv("NETAUDIT_DB");
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int rc = 0;
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            vec_push(&cli->args, word);
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (word[1] == '-') {
            rc = parse_long(cli, word, argc, argv, &i, err);
        } else {
            rc = parse_letters(cli, word, argc, argv, &i, err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    if (verb->arguments[0] == '\0' && cli->args.len > 0 && !cli->help) {
        return error_set(err, NA_EINVAL, "unexpected argument '%s'; see netaudit %s --help",
                         cli->args.items[0], verb->name);
    }
    return 0;
}

void cli_deinit(struct cli *cli)
{
    vec_free(&cli->args);
    vec_free(&cli->files);
    vec_free(&cli->deletes);
}

void cli_print_options(const struct verb *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option *o = &options[i];
        char left[64], letter[8] = "    ";
        if (!takes(o, verb)) {
            continue;
        }
        if (o->letter != 0) {
            snprintf(letter, sizeof(letter), "-%c, ", o->letter);
        }
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "",
                 o->value != NULL ? o->value : "");
        printf("  %-28s %s\n", left, o->about);
    }
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
    struct error err = { 0 };
    char text[NA_ERROR_MAX_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    error_set(&err, NA_EINVAL, "%s", text);
    return cli_fail(cli, EXIT_USAGE, &err);
}

int cli_fail(const struct cli *cli, int status, const struct error *err)
{
    fprintf(stderr, "netaudit: %s%s%s\n", cli->verb != NULL ? cli->verb->name : "",
            cli->verb != NULL ? ": " : "", err->text);
    return status;
}

int cli_print_options_of(const struct cli *cli, struct print_options *out)
{
    *out = (struct print_options){ .format = cli->json ? OUTPUT_JSON : OUTPUT_TABLE,
                                   .headers = !cli->no_headers,
                                   .colour = !cli->no_color && table_colour_wanted(stdout),
                                   .now_ms = clock_wall_ms() };
    if (cli->output != NULL && !output_parse(cli->output, &out->format)) {
        return cli_usage(cli, "-o '%s': must be table, wide, json or yaml", cli->output);
    }
    return 0;
}

int cli_fail_on(const struct cli *cli, struct fail_on *out)
{
    *out = (struct fail_on){ .least = SEVERITY_MEDIUM, .warn = cli->fail_on_warn };
    if (cli->fail_on == NULL) {
        return 0;
    }
    if (strcmp(cli->fail_on, "none") == 0) {
        out->none = true;
        return 0;
    }
    if (!severity_parse(cli->fail_on, &out->least) || out->least == SEVERITY_INFO) {
        return cli_usage(cli, "--fail-on '%s': must be critical, high, medium, low or none",
                         cli->fail_on);
    }
    return 0;
}

int cli_status_of(const struct finding_list *list, const struct fail_on *fail_on)
{
    for (size_t i = 0; i < list->rows.len; i++) {
        const struct finding_row *r = &list->rows.items[i];
        enum severity severity = SEVERITY_INFO;
        enum result result = RESULT_PASS;
        severity_parse(r->severity, &severity);
        result_parse(r->result, &result);
        bool counts = result == RESULT_FAIL || result == RESULT_ERROR
                          ? !fail_on->none && severity >= fail_on->least
                          : result == RESULT_WARN && fail_on->warn;
        if (counts && (!r->has_baseline || r->is_new) &&
            (!r->stored || strcmp(r->state, "open") == 0)) {
            return EXIT_FINDINGS;
        }
    }
    return EXIT_CLEAN;
}

int cli_open_reader(const struct cli *cli, struct reader **out)
{
    struct error err = { 0 };

    if (cli->db == NULL) {
        return cli_usage(cli, "which database? --db FILE or NETAUDIT_DB");
    }
    int rc = reader_open(out, cli->db, &err);
    if (rc != 0) {
        return cli_fail(cli, rc == NA_EINVAL || rc == NA_EMISMATCH ? EXIT_USAGE : EXIT_UNREACHABLE,
                        &err);
    }
    return 0;
}
