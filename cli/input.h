/* What a verb judges: manifests, or a cluster listed once. */
#ifndef NETAUDITD_CLI_INPUT_H
#define NETAUDITD_CLI_INPUT_H

#include "cli/cli.h"
#include "cluster/cluster.h"
#include "cluster/manifest.h"
#include "rules/reach.h"

struct cli_input { /* zero-initialise */
    struct settings settings;
    struct ruleset *ruleset;
    struct cluster *cluster;
    struct manifest_loader *loader; /* NULL with --live */
    struct reach_memo *memo;        /* once it was read */
    bool opened, quiet;             /* quiet: complaints are not printed */
};

/* --config and --environment. 0, or an exit status after a sentence. */
int cli_input_open(const struct cli *cli, struct cli_input *in);
/* Another input with the same settings, which must outlive it. */
void cli_input_share(struct cli_input *in, const struct cli_input *other);
/* Files, directories, "-". What is malformed is a line on stderr; the rest is there. */
void cli_input_read(struct cli_input *in, const char *const *paths, size_t count, bool complete);
/* The same in two halves, with changes to the loader between them (complaints about the files are
 * not said again). */
void cli_input_begin(struct cli_input *in, const char *const *paths, size_t count);
void cli_input_finish(struct cli_input *in, bool complete);
/* Applies manifests to a cluster that was listed. */
void cli_input_apply(struct cli_input *in, const char *const *paths, size_t count);
/* Lists the cluster of the kubeconfig (--kubeconfig, --context) once. 0, or EXIT_UNREACHABLE or
 * EXIT_USAGE after a sentence. */
int cli_input_live(const struct cli *cli, struct cli_input *in);
/* The arguments as paths, or --live: reads one of them. Without both a sentence says so. */
int cli_input_from(const struct cli *cli, struct cli_input *in, bool complete);
/* Input errors so far: exit status 2. */
unsigned cli_input_errors(const struct cli_input *in);
void cli_input_close(struct cli_input *in);

#endif
