/* what-if: the difference that applying or deleting manifests would make. Files are loaded twice,
 * once as they are and once with the change on top. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "cli/difference.h"

struct target { /* kind/namespace/name, or kind/name when cluster-scoped */
    const struct kind_row *row;
    char ns[256], name[300];
};

static const struct kind_row *kind_named(const char *text, size_t len)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct kind_row *row = &kind_table[k];
        if ((strlen(row->name) == len && strncasecmp(row->name, text, len) == 0) ||
            (strlen(row->plural) == len && strncasecmp(row->plural, text, len) == 0)) {
            return row;
        }
    }
    return NULL;
}

static int read_target(const struct cli *cli, const char *text, struct target *out)
{
    size_t kind_len = strcspn(text, "/");
    const char *rest = text[kind_len] == '/' ? text + kind_len + 1 : "";
    const char *slash = strchr(rest, '/');

    out->row = kind_named(text, kind_len);
    if (out->row == NULL) {
        return cli_usage(
            cli, "--delete '%s': must be kind/namespace/name with a kind that is judged", text);
    }
    if (out->row->namespaced == (slash == NULL) || rest[0] == '\0' ||
        (size_t)(slash != NULL ? slash - rest : 0) >= sizeof(out->ns) ||
        strlen(rest) >= sizeof(out->name)) {
        return cli_usage(cli, "--delete '%s': must be %s", text,
                         out->row->namespaced ? "kind/namespace/name" : "kind/name");
    }
    snprintf(out->ns, sizeof(out->ns), "%.*s", slash != NULL ? (int)(slash - rest) : 0, rest);
    snprintf(out->name, sizeof(out->name), "%s", slash != NULL ? slash + 1 : rest);
    return 0;
}

/* ---- files ---- */

static int change_files(const struct cli *cli, struct cli_input *in)
{
    manifest_overlay(in->loader);
    for (size_t i = 0; i < cli->files.len; i++) {
        manifest_load(in->loader, cli->files.items[i]);
    }
    for (size_t i = 0; i < cli->deletes.len; i++) {
        struct target t;
        int status = read_target(cli, cli->deletes.items[i], &t);
        if (status != 0) {
            return status;
        }
        if (!manifest_drop(in->loader, t.row, t.ns, t.name)) {
            return cli_usage(cli, "--delete '%s': there is no such object", cli->deletes.items[i]);
        }
    }
    return 0;
}

/* ---- a cluster ---- */

static int change_cluster(const struct cli *cli, struct cli_input *in)
{
    for (size_t i = 0; i < cli->deletes.len; i++) {
        struct target t;
        struct object *gone;
        int status = read_target(cli, cli->deletes.items[i], &t);
        if (status != 0) {
            return status;
        }
        char *json =
            xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"}}", t.name, t.ns);
        const struct object *there = cluster_find(in->cluster, t.row->kind, t.ns, t.name);
        if (there == NULL || object_decode(t.row->kind, json, strlen(json), &gone, NULL) != 0) {
            free(json);
            return cli_usage(cli, "--delete '%s': there is no such object", cli->deletes.items[i]);
        }
        free(json);
        cluster_delete(in->cluster, gone, clock_wall_ms());
    }
    cli_input_apply(in, cli->files.items, cli->files.len);
    return 0;
}

int cmd_what_if(const struct cli *cli)
{
    struct cli_input before = { 0 }, after = { 0 };
    int status;

    if (cli->files.len + cli->deletes.len == 0) {
        return cli_usage(cli, "name what would change: -f PATH or --delete kind/namespace/name");
    }
    status = cli_input_open(cli, &before);
    if (status == 0) {
        cli_input_share(&after, &before);
        status = cli_input_from(cli, &before, true);
    }
    if (status == 0 && cli->live) {
        status = cli_input_live(cli, &after);
        status = status != 0 ? status : change_cluster(cli, &after);
    } else if (status == 0) {
        cli_input_begin(&after, cli->args.items, cli->args.len);
        status = change_files(cli, &after);
        cli_input_finish(&after, true);
    }
    if (status == 0) {
        status = cli_print_difference(cli, &before, &after);
        status = cli_input_errors(&before) + cli_input_errors(&after) > 0 ? EXIT_USAGE : status;
    }
    cli_input_close(&after);
    cli_input_close(&before);
    return status;
}
