/* findings: the daemon's database, read beside it or without it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "rules/rule.h"
#include "store/reader.h"

enum { RULE_IDS_MAX_BYTES = 65536 };

/* An RFC 3339 time, or how long ago. */
static int parse_time(const struct cli *cli, const char *name, const char *text, int64_t *out)
{
    int64_t ms;

    if (text == NULL || time_parse(text, out)) {
        return 0;
    }
    if (duration_parse(text, &ms)) {
        *out = clock_wall_ms() - ms;
        return 0;
    }
    return cli_usage(cli, "--%s '%s': must be an RFC 3339 time or a duration such as 7d", name,
                     text);
}

/* Each word of a comma-separated list must be one that `known` takes. */
static int check_list(const struct cli *cli, const char *name, const char *list,
                      bool (*known)(const char *word), const char *right)
{
    char word[32];

    for (const char *p = list; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof(word), "%.*s", (int)n, p);
        if (n >= sizeof(word) || !known(word)) {
            return cli_usage(cli, "--%s '%s': must be %s", name, list, right);
        }
        p += n + (p[n] == ',' ? 1 : 0);
    }
    return 0;
}

static bool is_severity(const char *word)
{
    enum severity ignored;

    return severity_parse(word, &ignored);
}

static bool is_result(const char *word)
{
    enum result ignored;

    return result_parse(word, &ignored);
}

static bool is_state(const char *word)
{
    static const char *const states[] = { "open", "suppressed", "resolved", "all" };

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(states[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_environment(const char *word)
{
    enum environment ignored;

    return environment_parse(word, &ignored);
}

/* The full ids of --rule: aliases resolved, and a slip of the pen never answered by "none found".
 */
static int rule_ids(const struct cli *cli, struct buf *ids)
{
    char word[192];

    for (const char *p = cli->rule; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof(word), "%.*s", (int)n, p);
        const struct rule *r = rule_find(word);
        if (r == NULL) {
            return cli_unknown_rule(cli, word);
        }
        if (buf_addf(ids, "%s%s/%s", ids->len > 0 ? "," : "", r->policy, r->rule) != 0) {
            return cli_usage(cli, "--rule: names too many rules");
        }
        p += n + (p[n] == ',' ? 1 : 0);
    }
    return 0;
}

static int make_filter(const struct cli *cli, struct finding_filter *f, struct buf *ids)
{
    long long limit = 0;

    *f = (struct finding_filter){ .ns = cli->ns,
                                  .kind = cli->kind,
                                  .name = cli->name,
                                  .policy = cli->policy,
                                  .severity = cli->severity,
                                  .result = cli->result,
                                  .state = cli->state,
                                  .environment = cli->environment,
                                  .owner = cli->owner,
                                  .q = cli->query };
    if (cli->ns != NULL && cli->all_namespaces) {
        return cli_usage(cli, "-n and -A exclude each other");
    }
    if (cli->limit != NULL && !text_to_int(cli->limit, 1, 1000000000, &limit)) {
        return cli_usage(cli, "--limit '%s': must be a positive number", cli->limit);
    }
    f->limit = limit;
    int status = check_list(cli, "severity", cli->severity, is_severity,
                            "of critical, high, medium, low, info");
    status = status != 0 ? status
                         : check_list(cli, "result", cli->result, is_result,
                                      "of fail, warn, error, skip, pass");
    status = status != 0 ? status
                         : check_list(cli, "state", cli->state, is_state,
                                      "of open, suppressed, resolved, all");
    status = status != 0 ? status
                         : check_list(cli, "environment", cli->environment, is_environment,
                                      "of production, staging, development, standard");
    status = status != 0 ? status : rule_ids(cli, ids);
    f->rule = cli->rule != NULL ? buf_text(ids) : NULL;
    status = status != 0 ? status : parse_time(cli, "since", cli->since, &f->since_ms);
    return status != 0 ? status : parse_time(cli, "until", cli->until, &f->until_ms);
}

static bool add_row(void *ctx, const struct stored_finding *f)
{
    finding_list_add_stored(ctx, f);
    return true;
}

static void print_summary(const struct finding_list *list)
{
    unsigned counts[SEVERITY_CRITICAL + 1] = { 0 };

    for (size_t i = 0; i < list->rows.len; i++) {
        enum severity s = SEVERITY_INFO;
        severity_parse(list->rows.items[i].severity, &s);
        counts[s]++;
    }
    fprintf(stderr, "%zu finding%s: %u critical, %u high, %u medium, %u low\n", list->rows.len,
            list->rows.len == 1 ? "" : "s", counts[SEVERITY_CRITICAL], counts[SEVERITY_HIGH],
            counts[SEVERITY_MEDIUM], counts[SEVERITY_LOW] + counts[SEVERITY_INFO]);
}

int cmd_findings(const struct cli *cli)
{
    struct finding_list list = { 0 };
    struct finding_filter filter;
    struct print_options print;
    struct fail_on fail_on;
    struct reader *reader = NULL;
    struct error err = { 0 };
    struct buf ids;

    buf_init(&ids, RULE_IDS_MAX_BYTES);
    int status = make_filter(cli, &filter, &ids);
    status = status != 0 ? status : cli_print_options_of(cli, &print);
    status = status != 0 ? status : cli_fail_on(cli, &fail_on);
    status = status != 0 ? status : cli_open_reader(cli, &reader);
    if (status != 0) {
        goto out;
    }
    if (reader_findings(reader, &filter, add_row, &list, &err) != 0) {
        status = cli_fail(cli, EXIT_UNREACHABLE, &err);
    } else if (finding_list_print(&list, stdout, &print) != 0) {
        status = cli_usage(cli, "cannot write to standard output");
    } else {
        status = cli_status_of(&list, &fail_on);
        if (print.format == OUTPUT_TABLE || print.format == OUTPUT_WIDE) {
            print_summary(&list);
        }
    }
out:
    finding_list_deinit(&list);
    reader_close(reader);
    buf_deinit(&ids);
    return status;
}
