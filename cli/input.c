#include "cli/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* file:line: Kind namespace/name: field: sentence, each part only where there is one. */
static void complain(void *ctx, const struct manifest_complaint *c)
{
    struct error text = { 0 };
    char place[64] = "", object[640] = "";

    if (((const struct cli_input *)ctx)->quiet) {
        return;
    }
    if (c->line > 0) {
        snprintf(place, sizeof(place), ":%u", c->line);
    }
    if (c->kind != NULL) {
        bool named = c->name != NULL && c->name[0] != '\0';
        bool in_ns = named && c->ns != NULL && c->ns[0] != '\0';
        snprintf(object, sizeof(object), "%s%s%s%s%s: ", c->kind, named ? " " : "",
                 in_ns ? c->ns : "", in_ns ? "/" : "", named ? c->name : "");
    }
    error_set(&text, NA_EINVAL, "%s%s%s%s%s%s%s%s", c->file != NULL ? c->file : "", place,
              c->file != NULL ? ": " : "", c->warning ? "warning: " : "", object,
              c->field != NULL ? c->field : "", c->field != NULL ? ": " : "", c->sentence);
    fprintf(stderr, "%s\n", text.text);
}

int cli_input_open(const struct cli *cli, struct cli_input *in)
{
    struct error err = { 0 };
    enum environment forced;

    settings_init(&in->settings);
    in->opened = true;
    if (cli->config != NULL && settings_load(&in->settings, cli->config, &err) != 0) {
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (cli->environment != NULL) {
        if (!environment_parse(cli->environment, &forced)) {
            return cli_usage(
                cli, "--environment '%s': must be production, staging, development or standard",
                cli->environment);
        }
        in->settings.ruleset.force_environment = (int)forced;
    }
    if (settings_ruleset(&in->settings, &in->ruleset, &err) != 0) {
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    return 0;
}

void cli_input_share(struct cli_input *in, const struct cli_input *other)
{
    in->ruleset = other->ruleset;
}

static void load(struct cli_input *in, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        manifest_load(in->loader, paths[i]);
    }
}

void cli_input_read(struct cli_input *in, const char *const *paths, size_t count, bool complete)
{
    in->cluster = cluster_create();
    in->loader = manifest_loader_create(in->cluster, complain, in);
    load(in, paths, count);
    cli_input_finish(in, complete);
}

void cli_input_begin(struct cli_input *in, const char *const *paths, size_t count)
{
    in->cluster = cluster_create();
    in->loader = manifest_loader_create(in->cluster, complain, in);
    in->quiet = true;
    load(in, paths, count);
    in->quiet = false;
}

void cli_input_finish(struct cli_input *in, bool complete)
{
    manifest_finish(in->loader, complete);
    in->memo = reach_memo_create(in->cluster, ruleset_reach_options(in->ruleset));
}

void cli_input_apply(struct cli_input *in, const char *const *paths, size_t count)
{
    in->loader = manifest_loader_create(in->cluster, complain, in);
    load(in, paths, count);
    manifest_apply(in->loader);
    reach_memo_forget(in->memo);
}

int cli_input_from(const struct cli *cli, struct cli_input *in, bool complete)
{
    if (cli->live && cli->args.len > 0) {
        return cli_usage(cli, "--live lists the cluster: it takes no files");
    }
    if (cli->live) {
        return cli_input_live(cli, in);
    }
    if (cli->args.len == 0) {
        fprintf(stderr,
                "netaudit: %s: name files or directories, or --live to list the cluster once; "
                "asking a running daemon is not served by this version\n",
                cli->verb->name);
        return EXIT_UNREACHABLE;
    }
    cli_input_read(in, cli->args.items, cli->args.len, complete);
    return 0;
}

unsigned cli_input_errors(const struct cli_input *in)
{
    return in->loader != NULL ? manifest_counts(in->loader)->errors : 0;
}

void cli_input_close(struct cli_input *in)
{
    reach_memo_destroy(in->memo);
    cluster_destroy(in->cluster);
    manifest_loader_destroy(in->loader);
    if (in->opened) {
        ruleset_destroy(in->ruleset);
        settings_deinit(&in->settings);
    }
}
