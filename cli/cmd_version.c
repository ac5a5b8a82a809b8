#include <stdio.h>

#include "cli/cli.h"

int cmd_version(const struct cli *cli)
{
    (void)cli;
    printf("netaudit %s\n", NETAUDITD_VERSION);
    return EXIT_CLEAN;
}
