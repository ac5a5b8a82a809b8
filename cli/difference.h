/* Paths and findings that one state has gained and lost against another. */
#ifndef NETAUDITD_CLI_DIFFERENCE_H
#define NETAUDITD_CLI_DIFFERENCE_H

#include "cli/input.h"

/* Prints it as a table or JSON (CONTRACTS 2). EXIT_FINDINGS when they differ, else EXIT_CLEAN, or
 * EXIT_USAGE after a sentence. */
int cli_print_difference(const struct cli *cli, const struct cli_input *before,
                         const struct cli_input *after);

#endif
