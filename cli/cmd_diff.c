/* diff: two states of manifests against each other. */
#include "cli/difference.h"

int cmd_diff(const struct cli *cli)
{
    struct cli_input before = { 0 }, after = { 0 };
    int status;

    if (cli->args.len != 2 || cli->live) {
        return cli_usage(cli, "names two states: files or directories A and B");
    }
    status = cli_input_open(cli, &before);
    if (status == 0) {
        cli_input_share(&after, &before);
        cli_input_read(&before, &cli->args.items[0], 1, true);
        cli_input_read(&after, &cli->args.items[1], 1, true);
        status = cli_print_difference(cli, &before, &after);
        status = cli_input_errors(&before) + cli_input_errors(&after) > 0 ? EXIT_USAGE : status;
    }
    cli_input_close(&after);
    cli_input_close(&before);
    return status;
}
