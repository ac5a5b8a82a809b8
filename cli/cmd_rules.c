#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "front/rule_print.h"
#include "front/tree.h"

int cmd_rules(const struct cli *cli)
{
    struct print_options print;
    int status = cli_print_options_of(cli, &print);

    if (status != 0) {
        return status;
    }
    if (cli->args.len > 0) {
        return cmd_explain(cli);
    }
    if (print.format == OUTPUT_TABLE || print.format == OUTPUT_WIDE) {
        rule_catalogue_table(stdout, print.format == OUTPUT_WIDE, print.headers, print.colour);
        return EXIT_CLEAN;
    }
    cJSON *tree = rule_catalogue_tree();
    tree_print(tree, print.format == OUTPUT_YAML, stdout);
    cJSON_Delete(tree);
    return EXIT_CLEAN;
}
