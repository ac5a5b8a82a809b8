/* The daemon's command line (DESIGN 8) and environment (CONTRACTS 3), laid over the configuration
 * file. */
#ifndef NETAUDITD_DAEMON_OPTIONS_H
#define NETAUDITD_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "front/settings.h"

struct options {
    const char *config; /* --config or NETAUDITD_CONFIG */
    const char *kubeconfig, *context, *db, *listen, *log_format, *log_level;
    bool check_config, print_config, allow_insecure, help, version;
};

/* 0, or NA_EINVAL with a sentence that names the flag and the nearest one. `out` borrows from argv
 * and environ. */
int options_parse(struct options *out, int argc, char **argv, struct error *err);
void options_print_help(void);

/* Reads the file that the options name (or the default) and lays environment and flags over it. */
int options_settings(const struct options *o, struct settings *s, struct error *err);

#endif
