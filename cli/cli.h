/* netaudit's ground: the table of verbs, the table of options, and what verbs share. One file per
 * verb (cmd_*.c). */
#ifndef NETAUDITD_CLI_CLI_H
#define NETAUDITD_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"
#include "front/finding.h"
#include "front/settings.h"
#include "rules/verdict.h"
#include "store/reader.h"

/* Exit status (DESIGN 8): bad input beats findings beats clean. */
enum { EXIT_CLEAN = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

typedef VEC(const char *) cli_text_vec;

/* Every option of every verb; a verb sees those that its row of the options table names it for.
 * NULL: not given. */
struct cli {
    const char *config, *environment, *baseline, *fail_on, *output, *ns, *selector, *db;
    const char *kind, *name, *policy, *rule, *severity, *result, *state, *owner, *query, *since,
        *until, *limit;
    const char *kubeconfig, *context, *from, *to, *port, *proto, *expect;
    cli_text_vec files, deletes; /* given more than once */
    bool live, matrix, explain;
    bool all, complete, fail_on_warn, json, no_color, no_headers, all_namespaces, help;
    VEC(const char *) args;
    const struct verb *verb;
};

struct verb {
    const char *name, *arguments, *about;
    const char *more; /* further lines of its --help; may be NULL */
    int (*run)(const struct cli *cli);
};

int cmd_scan(const struct cli *cli);
int cmd_reach(const struct cli *cli);
int cmd_exposure(const struct cli *cli);
int cmd_diff(const struct cli *cli);
int cmd_what_if(const struct cli *cli);
int cmd_findings(const struct cli *cli);
int cmd_status(const struct cli *cli);
int cmd_rules(const struct cli *cli);
int cmd_explain(const struct cli *cli);
int cmd_version(const struct cli *cli);

/* Fills `cli` from what follows the verb. 0, or NA_EINVAL with a sentence and the nearest option.
 */
int cli_parse(struct cli *cli, const struct verb *verb, int argc, char **argv, struct error *err);
void cli_deinit(struct cli *cli);
/* The options of one verb, as its --help lists them. */
void cli_print_options(const struct verb *verb);

/* Says "netaudit: VERB: sentence" on stderr, returns EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a sentence that stands in `err`; `status` is returned. */
int cli_fail(const struct cli *cli, int status, const struct error *err);

/* The same for a rule that is not in the catalogue, with the nearest one that is. */
int cli_unknown_rule(const struct cli *cli, const char *id);

/* -o/--json, colours and headers. 0 or EXIT_USAGE after a sentence. */
int cli_print_options_of(const struct cli *cli, struct print_options *out);

/* The database of --db. 0, or an exit status after a sentence: EXIT_UNREACHABLE when there is none.
 */
int cli_open_reader(const struct cli *cli, struct reader **out);

/* Which findings make the exit status 1. */
struct fail_on {
    bool none;
    enum severity least;
    bool warn;
};
int cli_fail_on(const struct cli *cli, struct fail_on *out);
/* EXIT_FINDINGS when one of them counts, else EXIT_CLEAN. */
int cli_status_of(const struct finding_list *list, const struct fail_on *fail_on);

#endif
