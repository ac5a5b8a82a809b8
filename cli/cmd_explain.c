#include <cjson/cJSON.h>

#include "base/text.h"
#include "cli/cli.h"
#include "front/rule_print.h"
#include "front/tree.h"

int cli_unknown_rule(const struct cli *cli, const char *id)
{
    const char *nearest = NULL;
    size_t best = 8;

    for (size_t i = 0; i < rule_count(); i++) {
        size_t d = text_distance(rule_at(i)->rule, id);
        if (d < best) {
            best = d;
            nearest = rule_at(i)->rule;
        }
    }
    return cli_usage(cli, "unknown rule '%s'%s%s%s; netaudit rules lists them", id,
                     nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "?)" : "");
}

int cmd_explain(const struct cli *cli)
{
    struct print_options print;
    int status = cli_print_options_of(cli, &print);

    if (status != 0) {
        return status;
    }
    if (cli->args.len != 1) {
        return cli_usage(cli,
                         "needs one rule, such as restrict-service-types/restrict-nodeport-range");
    }
    const struct rule *r = rule_find(cli->args.items[0]);
    if (r == NULL) {
        return cli_unknown_rule(cli, cli->args.items[0]);
    }
    if (print.format == OUTPUT_TABLE || print.format == OUTPUT_WIDE) {
        rule_page(r, stdout, print.colour);
        return EXIT_CLEAN;
    }
    cJSON *tree = rule_tree(r);
    tree_print(tree, print.format == OUTPUT_YAML, stdout);
    cJSON_Delete(tree);
    return EXIT_CLEAN;
}
