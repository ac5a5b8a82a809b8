/* netaudit VERB [options] [arguments]. Also installed as kubectl-netaudit. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

static const struct verb verbs[] = {
    { "scan", "PATH...", "judge YAML and JSON manifests: files, directories, - for standard input",
      "Default: fail, warn and error. Exit status 1 when a fail or error of --fail-on severity or "
      "above is there,\n"
      "2 when some input was malformed (the rest is still judged).",
      cmd_scan },
    { "reach", "[PATH...]", "who can reach whom, and why",
      "With --matrix all of it, else from one peer to another: the first word is allowed, denied "
      "or\n"
      "unknown. An address that is a pod's means that pod.",
      cmd_reach },
    { "exposure", "[NAMESPACE/NAME] [PATH...]",
      "who can reach a workload, from outside and inside, and where it can go", NULL,
      cmd_exposure },
    { "diff", "A B", "paths and findings that B has gained and lost against A",
      "Exit status 1 when there is a difference.", cmd_diff },
    { "what-if", "[PATH...]",
      "paths and findings gained and lost if manifests were applied or deleted",
      "Nothing is changed anywhere. Exit status 1 when there is a difference.", cmd_what_if },
    { "findings", "", "the findings in a daemon's database",
      "Times: RFC 3339, or a duration back from now such as 7d.", cmd_findings },
    { "status", "", "what a daemon watches, as of when, and what it cannot judge", NULL,
      cmd_status },
    { "rules", "[RULE]", "the catalogue of rules, or the page of one",
      "RULE is policy/rule, or the rule alone where that is unique.", cmd_rules },
    { "explain", "RULE", "the page of one rule",
      "RULE is policy/rule, or the rule alone where that is unique.", cmd_explain },
    { "version", "", "the version", NULL, cmd_version },
};

static void print_help(FILE *out)
{
    fprintf(out,
            "netaudit: judges the network security of Kubernetes manifests and asks netauditd.\n\n"
            "Usage: netaudit VERB [options] [arguments]\n\nVerbs:\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].about);
    }
    fprintf(out, "\nnetaudit VERB --help lists the options of one.\n"
                 "Exit status: 0 clean, 1 findings, 2 wrong use or bad input, 3 cannot reach.\n");
}

static void print_verb_help(const struct verb *v)
{
    printf("netaudit %s: %s.\n\nUsage: netaudit %s [options]%s%s\n\nOptions:\n", v->name, v->about,
           v->name, v->arguments[0] != '\0' ? " " : "", v->arguments);
    cli_print_options(v);
    if (v->more != NULL) {
        printf("\n%s\n", v->more);
    }
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[ARRAY_LEN(verbs) + 1] = { 0 };
    char shown[128];

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        names[i] = verbs[i].name;
    }
    const char *near = text_nearest(names, name);
    text_escape_control(shown, sizeof(shown), name, strlen(name));
    fprintf(stderr, "netaudit: unknown verb '%s'%s%s%s; see netaudit --help\n", shown,
            near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?" : "");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct cli cli = { 0 };
    struct error err = { 0 };

    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        const struct verb *about = argc > 2 ? find_verb(argv[2]) : NULL;
        if (argc > 2 && about == NULL) {
            return unknown_verb(argv[2]);
        }
        if (about != NULL) {
            print_verb_help(about);
        } else {
            print_help(stdout);
        }
        return EXIT_CLEAN;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cmd_version(&cli);
    }
    const struct verb *verb = find_verb(argv[1]);
    if (verb == NULL) {
        return unknown_verb(argv[1]);
    }
    int status = EXIT_CLEAN;
    if (cli_parse(&cli, verb, argc - 2, argv + 2, &err) != 0) {
        status = cli_fail(&cli, EXIT_USAGE, &err);
    } else if (cli.help) {
        print_verb_help(verb);
    } else {
        status = verb->run(&cli);
    }
    cli_deinit(&cli);
    /* What a verb printed may wait in the buffer until here: lost output is never status 0. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status != EXIT_USAGE) {
        fprintf(stderr, "netaudit: %s: cannot write to standard output\n", verb->name);
        status = EXIT_USAGE;
    }
    return status;
}
