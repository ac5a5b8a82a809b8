/* exposure: who can reach a workload, by which doors from outside, and where it can go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/input.h"
#include "front/reach_print.h"
#include "front/table.h"

#define NOT_LOOKED_AT                                                                              \
    "not looked at: Gateway API, host firewalls, cloud security groups, port-forwarding and exec " \
    "through the API server, service meshes"

struct exposure {
    const struct cli *cli;
    const struct cli_input *in;
    struct reach_matrix *matrix;
    size_t peer;
    const struct workload *workload;
};

/* ---- the doors from outside ---- */

static bool selects(const struct service *s, const struct workload *w)
{
    for (size_t i = 0; s->selector != NULL && i < w->classes.len; i++) {
        if (workload_class_counts(w, w->classes.items[i]) &&
            selector_matches(s->selector, w->classes.items[i]->labels)) {
            return true;
        }
    }
    return false;
}

static const char *door_of(const struct service *s)
{
    return s->type == SERVICE_LOAD_BALANCER ? "LoadBalancer"
           : s->type == SERVICE_NODE_PORT   ? "NodePort"
           : s->external_ip_count > 0       ? "externalIPs"
                                            : NULL;
}

typedef void door_fn(void *ctx, const char *kind, const char *name, const char *how);

static void each_ingress(const struct exposure *e, const struct service *s, door_fn *fn, void *ctx)
{
    const struct ingress_vec *v =
        cluster_ingresses_of_service(e->in->cluster, s->head.ns->text, s->head.name->text);

    for (size_t i = 0; v != NULL && i < v->v.len; i++) {
        const struct ingress *ing = v->v.items[i];
        char how[400];
        snprintf(how, sizeof(how), "to Service %s, host %s", s->head.name->text,
                 ing->rule_count > 0 && ing->rules[0].host != NULL ? ing->rules[0].host->text
                                                                   : "*");
        fn(ctx, "Ingress", ing->head.name->text, how);
    }
}

static void each_door(const struct exposure *e, door_fn *fn, void *ctx)
{
    const struct ns *ns = e->workload->ns;
    bool host_port = false, host_network = false;

    for (size_t i = 0; i < ns->services.len; i++) {
        const struct service *s = ns->services.items[i];
        if (!selects(s, e->workload)) {
            continue;
        }
        if (door_of(s) != NULL) {
            char how[200];
            snprintf(how, sizeof(how), "%s%s", door_of(s),
                     s->traffic_local ? ""
                                      : "; its clients' addresses may be rewritten on the way "
                                        "(externalTrafficPolicy Cluster), so that ipBlocks may "
                                        "not see them");
            fn(ctx, "Service", s->head.name->text, how);
        }
        each_ingress(e, s, fn, ctx);
    }
    for (size_t i = 0; i < e->workload->classes.len; i++) {
        host_port = host_port || e->workload->classes.items[i]->shape->has_host_port;
        host_network = host_network || e->workload->classes.items[i]->shape->host_network;
    }
    if (host_port) {
        fn(ctx, "hostPort", e->workload->name->text, "on the node's address, around every Ingress");
    }
    if (host_network) {
        fn(ctx, "hostNetwork", e->workload->name->text,
           "every port that it listens on, on the node's address");
    }
}

/* ---- printing ---- */

static void print_side(const struct exposure *e, bool incoming)
{
    const char *const columns[] = { incoming ? "FROM" : "TO", "ALLOWED", "NOT KNOWN", NULL };
    struct table *t = table_create(columns);
    const struct port_table *ports = reach_matrix_ports(e->matrix);
    size_t shown = 0;
    struct buf text;

    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < reach_matrix_count(e->matrix); i++) {
        struct matrix_answer a = incoming ? reach_matrix_at(e->matrix, i, e->peer)
                                          : reach_matrix_at(e->matrix, e->peer, i);
        if (a.allowed == PORTS_NONE && a.unknown == PORTS_NONE) {
            continue;
        }
        table_cell(t, reach_matrix_peer(e->matrix, i)->name, TABLE_PLAIN);
        buf_reset(&text);
        ports_text(ports, a.allowed, &text);
        table_cell(t, buf_text(&text), a.allowed == PORTS_ALL ? TABLE_RED : TABLE_PLAIN);
        buf_reset(&text);
        if (a.unknown != PORTS_NONE) {
            ports_text(ports, a.unknown, &text);
            buf_addf(&text, " (%s)", a.construct != NULL ? a.construct : "");
        }
        table_cell(t, buf_text(&text), TABLE_YELLOW);
        shown++;
    }
    if (shown > 0) {
        table_print(t, stdout, !e->cli->no_headers,
                    !e->cli->no_color && table_colour_wanted(stdout));
    } else {
        puts("nobody");
    }
    table_destroy(t);
    buf_deinit(&text);
}

static void print_door(void *ctx, const char *kind, const char *name, const char *how)
{
    unsigned *count = ctx;
    char clean[900];

    text_escape_control(clean, sizeof(clean), how, strlen(how)); /* holds a host */
    printf("  %s %s: %s\n", kind, name, clean);
    (*count)++;
}

static void print_text(const struct exposure *e)
{
    struct reach_answer in, out;
    char title[4 * MATRIX_NAME_MAX];
    unsigned doors = 0;

    reach_workload(e->in->memo, e->workload, DIRECTION_INGRESS, &in);
    reach_workload(e->in->memo, e->workload, DIRECTION_EGRESS, &out);
    text_escape_control(title, sizeof(title), reach_matrix_peer(e->matrix, e->peer)->name,
                        strlen(reach_matrix_peer(e->matrix, e->peer)->name));
    printf("%s: ingress %s, egress %s\n\nways in from outside the cluster:\n", title,
           reach_name(in.reach), reach_name(out.reach));
    each_door(e, print_door, &doors);
    printf("%s\nwho can reach it:\n", doors == 0 ? "  none seen\n" : "");
    print_side(e, true);
    printf("\nwhere it can go:\n");
    print_side(e, false);
    printf("\n%s\n", NOT_LOOKED_AT);
}

struct json_doors {
    struct buf *out;
    const char *comma;
};

static void json_door(void *ctx, const char *kind, const char *name, const char *how)
{
    struct json_doors *d = ctx;

    buf_addf(d->out, "%s{\"kind\": \"%s\", \"name\": ", d->comma, kind);
    buf_add_json(d->out, name);
    buf_adds(d->out, ", \"how\": ");
    buf_add_json(d->out, how);
    buf_adds(d->out, "}");
    d->comma = ", ";
}

static void json_side(const struct exposure *e, bool incoming, struct buf *out)
{
    const struct port_table *ports = reach_matrix_ports(e->matrix);
    const char *comma = "";

    for (size_t i = 0; i < reach_matrix_count(e->matrix); i++) {
        struct matrix_answer a = incoming ? reach_matrix_at(e->matrix, i, e->peer)
                                          : reach_matrix_at(e->matrix, e->peer, i);
        if (a.allowed == PORTS_NONE && a.unknown == PORTS_NONE) {
            continue;
        }
        buf_addf(out, "%s\n    {\"peer\": ", comma);
        buf_add_json(out, reach_matrix_peer(e->matrix, i)->name);
        buf_adds(out, ", \"allowed\": ");
        ports_json(ports, a.allowed, out);
        buf_addf(out, ", \"unknown\": %s, \"reasons\": [",
                 a.unknown != PORTS_NONE ? "true" : "false");
        if (a.construct != NULL) {
            buf_add_json(out, a.construct);
        }
        buf_adds(out, "]}");
        comma = ",";
    }
}

static void add_json(const struct exposure *e, struct buf *out)
{
    struct json_doors doors = { out, "" };
    struct reach_answer in, egress;

    reach_workload(e->in->memo, e->workload, DIRECTION_INGRESS, &in);
    reach_workload(e->in->memo, e->workload, DIRECTION_EGRESS, &egress);
    buf_adds(out, "{\"workload\": ");
    buf_add_json(out, reach_matrix_peer(e->matrix, e->peer)->name);
    buf_addf(out, ", \"ingress\": \"%s\", \"egress\": \"%s\",\n  \"doors\": [",
             reach_name(in.reach), reach_name(egress.reach));
    each_door(e, json_door, &doors);
    buf_adds(out, "],\n  \"from\": [");
    json_side(e, true, out);
    buf_adds(out, "],\n  \"to\": [");
    json_side(e, false, out);
    buf_adds(out, "],\n  \"not_looked_at\": ");
    buf_add_json(out, NOT_LOOKED_AT);
    buf_adds(out, "}");
}

/* ---- which workloads ---- */

static bool wanted(const struct cli *cli, const struct workload *w, const char *title,
                   const char *name)
{
    size_t ns_len = strlen(w->ns->name->text);

    if (cli->ns != NULL && strcmp(cli->ns, w->ns->name->text) != 0) {
        return false;
    }
    return name == NULL || strcmp(name, title) == 0 ||
           (strncmp(name, w->ns->name->text, ns_len) == 0 && name[ns_len] == '/' &&
            strcmp(name + ns_len + 1, w->name->text) == 0);
}

static bool is_path(const char *text)
{
    FILE *f = fopen(text, "r");

    if (f != NULL) {
        fclose(f);
    }
    return f != NULL || strcmp(text, "-") == 0;
}

static int print_all(const struct cli *cli, struct cli_input *in, const char *name)
{
    bool json = cli->json || (cli->output != NULL && strcmp(cli->output, "json") == 0);
    struct exposure e = { .cli = cli, .in = in };
    struct buf out;
    unsigned shown = 0;

    buf_init(&out, 1 << 30);
    e.matrix = reach_matrix_create(in->cluster, in->memo, NULL);
    for (size_t i = 0; i < reach_matrix_count(e.matrix); i++) {
        e.workload = reach_matrix_peer(e.matrix, i)->workload;
        e.peer = i;
        if (e.workload == NULL ||
            !wanted(cli, e.workload, reach_matrix_peer(e.matrix, i)->name, name)) {
            continue;
        }
        if (json) {
            buf_adds(&out, shown > 0 ? ",\n" : "[\n");
            add_json(&e, &out);
        } else {
            printf("%s", shown > 0 ? "\n----\n\n" : "");
            print_text(&e);
        }
        shown++;
    }
    if (json) {
        printf("%s%s", buf_text(&out), shown > 0 ? "\n]\n" : "[]\n");
    }
    reach_matrix_destroy(e.matrix);
    buf_deinit(&out);
    return shown == 0 && name != NULL ? cli_usage(cli, "'%s': there is no such workload", name) : 0;
}

int cmd_exposure(const struct cli *cli)
{
    struct cli_input in = { 0 };
    struct cli rest = *cli;
    const char *name = NULL;
    int status = 0;

    if (cli->output != NULL && strcmp(cli->output, "json") != 0 &&
        strcmp(cli->output, "table") != 0) {
        return cli_usage(cli, "-o '%s': must be table or json", cli->output);
    }
    if (cli->args.len > 0 && strchr(cli->args.items[0], '/') != NULL &&
        !is_path(cli->args.items[0])) {
        name = cli->args.items[0];
        rest.args.items++;
        rest.args.len--;
    }
    status = cli_input_open(&rest, &in);
    status = status != 0 ? status : cli_input_from(&rest, &in, true);
    if (status == 0) {
        status = print_all(cli, &in, name);
        status = cli_input_errors(&in) > 0 ? EXIT_USAGE : status;
    }
    cli_input_close(&in);
    return status;
}
