/* status: the row that the daemon writes about itself, read from its database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "cli/cli.h"
#include "front/table.h"
#include "front/tree.h"
#include "store/reader.h"

static const char *text_of(const cJSON *parent, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(parent, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

static void print_line(const char *name, const char *text)
{
    char shown[512];

    if (text[0] != '\0') {
        text_escape_control(shown, sizeof(shown), text, strlen(text));
        printf("%-14s %s\n", name, shown);
    }
}

static void add_number(struct table *t, const cJSON *row, const char *key, const char *unit)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(row, key);

    if (cJSON_IsNumber(node)) {
        table_cellf(t, TABLE_PLAIN, "%.0f%s", node->valuedouble, unit);
    } else {
        table_cell(t, "-", TABLE_DIM);
    }
}

static enum table_style state_style(const char *state)
{
    return strcmp(state, "synced") == 0                                     ? TABLE_GREEN
           : strcmp(state, "forbidden") == 0 || strcmp(state, "stale") == 0 ? TABLE_RED
                                                                            : TABLE_YELLOW;
}

static void print_kinds(const cJSON *root, const struct print_options *print)
{
    static const char *const headers[] = { "KIND",    "GROUP",       "STATE",   "OBJECTS", "AGE",
                                           "RELISTS", "NOT AUDITED", "VERSION", "REASON",  NULL };
    struct table *t = table_create(headers);
    const cJSON *row;

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "kinds"))
    {
        const char *group = text_of(row, "group");
        table_cell(t, text_of(row, "kind"), TABLE_PLAIN);
        table_cell(t, group[0] != '\0' ? group : "core", TABLE_DIM);
        table_cell(t, text_of(row, "state"), state_style(text_of(row, "state")));
        add_number(t, row, "objects", "");
        add_number(t, row, "age_seconds", "s");
        add_number(t, row, "relists", "");
        add_number(t, row, "not_audited", "");
        table_cell(t, text_of(row, "resource_version"), TABLE_DIM);
        table_cell(t, text_of(row, "reason"), TABLE_PLAIN);
    }
    table_print(t, stdout, print->headers, print->colour);
    table_destroy(t);
}

static void print_not_judged(const cJSON *root, const struct print_options *print)
{
    static const char *const headers[] = { "RULE NOT JUDGED", "NEEDS", "SETTING", NULL };
    const cJSON *rules = cJSON_GetObjectItemCaseSensitive(root, "rules_not_judged"), *row;
    struct table *t = table_create(headers);

    cJSON_ArrayForEach(row, rules)
    {
        table_cell(t, text_of(row, "rule"), TABLE_YELLOW);
        table_cell(t, text_of(row, "because"), TABLE_PLAIN);
        table_cell(t, text_of(row, "setting"), TABLE_PLAIN);
    }
    if (cJSON_GetArraySize(rules) > 0) {
        printf("\n");
        table_print(t, stdout, print->headers, print->colour);
    }
    table_destroy(t);
}

static void print_status(const cJSON *root, const struct print_options *print)
{
    const cJSON *cluster = cJSON_GetObjectItemCaseSensitive(root, "cluster");
    bool synced = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "synced"));

    print_line("Version:", text_of(root, "version"));
    print_line("Written:", text_of(root, "written"));
    print_line("Cluster:", text_of(cluster, "id"));
    print_line("Server:", text_of(cluster, "server"));
    print_line("Synced:", synced ? "yes" : "no");
    print_line("Store error:", text_of(root, "store_error"));
    printf("\n");
    print_kinds(root, print);
    print_not_judged(root, print);
}

int cmd_status(const struct cli *cli)
{
    struct print_options print;
    struct reader *reader = NULL;
    struct error err = { 0 };
    char *json = NULL;
    int status = cli_print_options_of(cli, &print);

    status = status != 0 ? status : cli_open_reader(cli, &reader);
    if (status != 0) {
        return status;
    }
    if (reader_status(reader, &json, &err) != 0) {
        reader_close(reader);
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    }
    cJSON *root = cJSON_Parse(json);
    if (root == NULL) {
        status = cli_usage(cli, "the status row is not JSON");
    } else if (print.format == OUTPUT_JSON || print.format == OUTPUT_YAML) {
        tree_print(root, print.format == OUTPUT_YAML, stdout);
    } else {
        print_status(root, &print);
    }
    cJSON_Delete(root);
    free(json);
    reader_close(reader);
    return status;
}
