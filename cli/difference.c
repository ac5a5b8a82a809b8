#include "cli/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "front/reach_print.h"
#include "front/table.h"
#include "rules/engine.h"

enum change { ADDED, REMOVED, CHANGED, CHANGE_COUNT };

struct path {
    size_t before_from, before_to, after_from, after_to; /* SIZE_MAX: no such peer there */
};

struct difference {
    const struct cli *cli;
    struct reach_matrix *before, *after;
    VEC(struct path) paths[CHANGE_COUNT];
    struct finding_list opened, resolved, changed;
};

/* ---- paths ---- */

struct named {
    const char *name;
    size_t index;
};
struct name_vec {
    VEC(struct named) v;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void list_names(const struct reach_matrix *x, struct name_vec *out)
{
    for (size_t i = 0; i < reach_matrix_count(x); i++) {
        vec_push(&out->v, ((struct named){ reach_matrix_peer(x, i)->name, i }));
    }
    if (out->v.len > 1) {
        qsort(out->v.items, out->v.len, sizeof(out->v.items[0]), by_name);
    }
}

static size_t place_of(const struct name_vec *names, const char *name)
{
    const struct named key = { name, 0 };
    const struct named *found = names->v.len > 0 ? bsearch(&key, names->v.items, names->v.len,
                                                           sizeof(names->v.items[0]), by_name)
                                                 : NULL;

    return found != NULL ? found->index : SIZE_MAX;
}

static struct matrix_answer at(const struct reach_matrix *x, size_t from, size_t to)
{
    const struct matrix_answer none = { .allowed = PORTS_NONE };

    return from == SIZE_MAX || to == SIZE_MAX ? none : reach_matrix_at(x, from, to);
}

static bool is_something(const struct matrix_answer *a)
{
    return a->allowed != PORTS_NONE || a->unknown != PORTS_NONE;
}

/* Port sets are numbers of their own tables. */
static bool same_ports(const struct difference *d, port_set before, port_set after)
{
    for (int p = 0; p < PORT_PROTOCOLS; p++) {
        struct port_ranges a =
            port_set_ranges(reach_matrix_ports(d->before), before, (enum protocol)p);
        struct port_ranges b =
            port_set_ranges(reach_matrix_ports(d->after), after, (enum protocol)p);
        if (a.count != b.count ||
            (a.count > 0 && memcmp(a.items, b.items, a.count * sizeof(a.items[0])) != 0)) {
            return false;
        }
    }
    return true;
}

static void compare_path(struct difference *d, const struct path *p)
{
    struct matrix_answer before = at(d->before, p->before_from, p->before_to);
    struct matrix_answer after = at(d->after, p->after_from, p->after_to);

    if (is_something(&before) && !is_something(&after)) {
        vec_push(&d->paths[REMOVED], *p);
    } else if (!is_something(&before) && is_something(&after)) {
        vec_push(&d->paths[ADDED], *p);
    } else if (is_something(&before) && (!same_ports(d, before.allowed, after.allowed) ||
                                         !same_ports(d, before.unknown, after.unknown))) {
        vec_push(&d->paths[CHANGED], *p);
    }
}

static void compare_paths(struct difference *d)
{
    struct name_vec before = { 0 }, after = { 0 };
    VEC(struct path) peers = { 0 }; /* from and to the same: one peer in both */

    list_names(d->before, &before);
    list_names(d->after, &after);
    for (size_t i = 0; i < before.v.len; i++) {
        size_t there = place_of(&after, before.v.items[i].name);
        vec_push(&peers, ((struct path){ before.v.items[i].index, 0, there, 0 }));
    }
    for (size_t i = 0; i < after.v.len; i++) {
        if (place_of(&before, after.v.items[i].name) == SIZE_MAX) {
            vec_push(&peers, ((struct path){ SIZE_MAX, 0, after.v.items[i].index, 0 }));
        }
    }
    for (size_t i = 0; i < peers.len; i++) {
        for (size_t k = 0; k < peers.len; k++) {
            compare_path(d, &(struct path){ peers.items[i].before_from, peers.items[k].before_from,
                                            peers.items[i].after_from, peers.items[k].after_from });
        }
    }
    vec_free(&before.v);
    vec_free(&after.v);
    vec_free(&peers);
}

/* ---- findings ---- */

static void take_verdict(void *ctx, const struct verdict *v)
{
    bool bad = v->result == RESULT_FAIL || v->result == RESULT_WARN || v->result == RESULT_ERROR;

    if (bad && !v->suppressed) {
        finding_list_add_verdict(ctx, v);
    }
}

static int by_fingerprint(const void *a, const void *b)
{
    return strcmp((*(const struct finding_row *const *)a)->fingerprint,
                  (*(const struct finding_row *const *)b)->fingerprint);
}

struct row_vec {
    VEC(struct finding_row *) v;
};

static void index_rows(struct finding_list *list, struct row_vec *out)
{
    for (size_t i = 0; i < list->rows.len; i++) {
        vec_push(&out->v, &list->rows.items[i]);
    }
    if (out->v.len > 1) {
        qsort(out->v.items, out->v.len, sizeof(out->v.items[0]), by_fingerprint);
    }
}

static struct finding_row *row_of(const struct row_vec *rows, struct finding_row *like)
{
    struct finding_row **found = rows->v.len > 0 ? bsearch(&like, rows->v.items, rows->v.len,
                                                           sizeof(rows->v.items[0]), by_fingerprint)
                                                 : NULL;

    return found != NULL ? *found : NULL;
}

static void compare_findings(struct difference *d, const struct cli_input *before,
                             const struct cli_input *after)
{
    struct finding_list old = { 0 }, new = { 0 };
    struct row_vec old_rows = { 0 }, new_rows = { 0 };
    int64_t now_ms = clock_wall_ms();

    engine_judge_all(before->cluster, before->ruleset, "", now_ms, take_verdict, &old);
    engine_judge_all(after->cluster, after->ruleset, "", now_ms, take_verdict, &new);
    finding_list_sort(&old);
    finding_list_sort(&new);
    index_rows(&old, &old_rows);
    index_rows(&new, &new_rows);
    for (size_t i = 0; i < old.rows.len; i++) {
        if (row_of(&new_rows, &old.rows.items[i]) == NULL) {
            finding_list_add_copy(&d->resolved, &old.rows.items[i]);
        }
    }
    for (size_t i = 0; i < new.rows.len; i++) {
        struct finding_row *row = &new.rows.items[i], *was = row_of(&old_rows, row);
        if (was == NULL) {
            finding_list_add_copy(&d->opened, row);
        } else if (strcmp(was->result, row->result) != 0 ||
                   strcmp(was->severity, row->severity) != 0 ||
                   strcmp(was->message, row->message) != 0) {
            finding_list_add_copy(&d->changed, row);
        }
    }
    vec_free(&old_rows.v);
    vec_free(&new_rows.v);
    finding_list_deinit(&old);
    finding_list_deinit(&new);
}

/* ---- printing ---- */

static const char *name_of(const struct difference *d, size_t before, size_t after)
{
    return before != SIZE_MAX ? reach_matrix_peer(d->before, before)->name
                              : reach_matrix_peer(d->after, after)->name;
}

static void add_answer(const struct reach_matrix *x, const struct matrix_answer *a, struct buf *out)
{
    buf_adds(out, "{\"allowed\": ");
    ports_json(reach_matrix_ports(x), a->allowed, out);
    buf_addf(out, ", \"unknown\": %s}", a->unknown != PORTS_NONE ? "true" : "false");
}

static void add_path(const struct difference *d, const struct path *p, enum change change,
                     struct buf *out)
{
    struct matrix_answer before = at(d->before, p->before_from, p->before_to);
    struct matrix_answer after = at(d->after, p->after_from, p->after_to);

    buf_adds(out, "{\"from\": ");
    buf_add_json(out, name_of(d, p->before_from, p->after_from));
    buf_adds(out, ", \"to\": ");
    buf_add_json(out, name_of(d, p->before_to, p->after_to));
    if (change == CHANGED) {
        buf_adds(out, ", \"before\": ");
        add_answer(d->before, &before, out);
        buf_adds(out, ", \"after\": ");
        add_answer(d->after, &after, out);
    } else {
        const struct matrix_answer *a = change == ADDED ? &after : &before;
        buf_adds(out, ", \"allowed\": ");
        ports_json(reach_matrix_ports(change == ADDED ? d->after : d->before), a->allowed, out);
        buf_addf(out, ", \"unknown\": %s, \"reasons\": [",
                 a->unknown != PORTS_NONE ? "true" : "false");
        if (a->construct != NULL) {
            buf_add_json(out, a->construct);
        }
        buf_adds(out, "]");
    }
    buf_adds(out, "}");
}

static const char *const change_names[] = {
    [ADDED] = "added", [REMOVED] = "removed", [CHANGED] = "changed"
};

static void print_json(struct difference *d)
{
    const struct print_options o = { .format = OUTPUT_JSON };
    const struct {
        const char *name;
        const struct finding_list *list;
    } lists[] = { { "opened", &d->opened },
                  { "resolved", &d->resolved },
                  { "changed", &d->changed } };
    struct buf out;

    buf_init(&out, 1 << 30);
    buf_adds(&out, "{\"connections\": {");
    for (int c = 0; c < CHANGE_COUNT; c++) {
        buf_addf(&out, "%s\"%s\": [", c > 0 ? ", " : "", change_names[c]);
        for (size_t i = 0; i < d->paths[c].len; i++) {
            buf_adds(&out, i > 0 ? ",\n  " : "\n  ");
            add_path(d, &d->paths[c].items[i], (enum change)c, &out);
        }
        buf_adds(&out, "]");
    }
    buf_adds(&out, "},\n \"findings\": {");
    fputs(buf_text(&out), stdout);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        printf("%s\"%s\": ", i > 0 ? ", " : "", lists[i].name);
        finding_list_print(lists[i].list, stdout, &o);
    }
    puts("}}");
    buf_deinit(&out);
}

static void answer_cell(struct table *t, const struct reach_matrix *x,
                        const struct matrix_answer *a)
{
    struct buf text;

    buf_init(&text, 1 << 16);
    ports_text(reach_matrix_ports(x), a->allowed, &text);
    if (a->unknown != PORTS_NONE) {
        buf_adds(&text, ", not known ");
        ports_text(reach_matrix_ports(x), a->unknown, &text);
    }
    table_cell(t, buf_text(&text), TABLE_PLAIN);
    buf_deinit(&text);
}

static void print_tables(struct difference *d, bool colour)
{
    static const char *const columns[] = { "PATH", "FROM", "TO", "BEFORE", "AFTER", NULL };
    static const enum table_style styles[] = {
        [ADDED] = TABLE_RED, [REMOVED] = TABLE_GREEN, [CHANGED] = TABLE_YELLOW
    };
    const struct print_options o = { .format = OUTPUT_TABLE,
                                     .headers = !d->cli->no_headers,
                                     .colour = colour };
    struct table *t = table_create(columns);

    for (int c = 0; c < CHANGE_COUNT; c++) {
        for (size_t i = 0; i < d->paths[c].len; i++) {
            const struct path *p = &d->paths[c].items[i];
            struct matrix_answer before = at(d->before, p->before_from, p->before_to);
            struct matrix_answer after = at(d->after, p->after_from, p->after_to);
            table_cell(t, change_names[c], styles[c]);
            table_cell(t, name_of(d, p->before_from, p->after_from), TABLE_PLAIN);
            table_cell(t, name_of(d, p->before_to, p->after_to), TABLE_PLAIN);
            answer_cell(t, d->before, &before);
            answer_cell(t, d->after, &after);
        }
    }
    if (d->paths[ADDED].len + d->paths[REMOVED].len + d->paths[CHANGED].len > 0) {
        table_print(t, stdout, !d->cli->no_headers, colour);
    }
    table_destroy(t);
    const struct {
        const char *title;
        const struct finding_list *list;
    } lists[] = { { "findings that open", &d->opened },
                  { "findings that are resolved", &d->resolved },
                  { "findings that change", &d->changed } };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (lists[i].list->rows.len > 0) {
            printf("\n%s:\n", lists[i].title);
            finding_list_print(lists[i].list, stdout, &o);
        }
    }
    fflush(stdout);
    fprintf(stderr,
            "paths: %zu added, %zu removed, %zu changed; findings: %zu opened, %zu resolved, %zu "
            "changed\n",
            d->paths[ADDED].len, d->paths[REMOVED].len, d->paths[CHANGED].len, d->opened.rows.len,
            d->resolved.rows.len, d->changed.rows.len);
}

int cli_print_difference(const struct cli *cli, const struct cli_input *before,
                         const struct cli_input *after)
{
    struct difference d = { .cli = cli };
    const char *form = cli->json ? "json" : cli->output != NULL ? cli->output : "table";
    bool json = strcmp(form, "json") == 0, differ;

    if (!json && strcmp(form, "table") != 0) {
        return cli_usage(cli, "-o '%s': must be table or json", form);
    }
    struct reach_matrix *first = reach_matrix_create(after->cluster, after->memo, NULL);
    d.before = reach_matrix_create(before->cluster, before->memo, reach_matrix_world(first));
    d.after = reach_matrix_create(after->cluster, after->memo, reach_matrix_world(d.before));
    compare_paths(&d);
    compare_findings(&d, before, after);
    if (json) {
        print_json(&d);
    } else {
        print_tables(&d, !cli->no_color && table_colour_wanted(stdout));
    }
    differ = d.opened.rows.len + d.resolved.rows.len + d.changed.rows.len > 0;
    for (int c = 0; c < CHANGE_COUNT; c++) {
        differ = differ || d.paths[c].len > 0;
        vec_free(&d.paths[c]);
    }
    finding_list_deinit(&d.opened);
    finding_list_deinit(&d.resolved);
    finding_list_deinit(&d.changed);
    reach_matrix_destroy(d.after);
    reach_matrix_destroy(d.before);
    reach_matrix_destroy(first);
    return differ ? EXIT_FINDINGS : EXIT_CLEAN;
}
