/* scan: manifests become a cluster of their own, every rule judges every subject from scratch, what
 * is wrong is printed. A malformed object is a line on stderr and exit status 2; the rest is still
 * judged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/baseline.h"
#include "cli/input.h"
#include "rules/engine.h"
#include "rules/label_query.h"

struct scan {
    const struct cli *cli;
    struct cli_input in;
    struct selector *selector; /* NULL: every subject */
    struct finding_list list;
    struct print_options print;
    struct fail_on fail_on;
    unsigned suppressed;
};

static const struct label_set *labels_of(const struct scan *s, const struct subject_ref *ref)
{
    const struct kind_row *row = kind_find_group(ref->group, ref->kind);
    const struct object *object =
        row != NULL ? cluster_find(s->in.cluster, row->kind, ref->ns, ref->name) : NULL;

    if (object != NULL) {
        return object->labels;
    }
    const struct workload *w =
        cluster_workload(s->in.cluster, ref->ns, ref->group, ref->kind, ref->name);
    return w != NULL ? w->pod_labels : NULL;
}

static bool wanted(const struct scan *s, const struct verdict *v)
{
    const char *ns = s->cli->ns;
    bool bad = v->result == RESULT_FAIL || v->result == RESULT_WARN || v->result == RESULT_ERROR;

    if (!s->cli->all && (!bad || v->suppressed)) {
        return false;
    }
    if (ns != NULL && strcmp(v->subject.ns, ns) != 0 &&
        !(strcmp(v->subject.kind, "Namespace") == 0 && strcmp(v->subject.name, ns) == 0)) {
        return false;
    }
    return s->selector == NULL || selector_matches(s->selector, labels_of(s, &v->subject));
}

static void take_verdict(void *ctx, const struct verdict *v)
{
    struct scan *s = ctx;

    s->suppressed += v->suppressed ? 1 : 0;
    if (wanted(s, v)) {
        finding_list_add_verdict(&s->list, v);
    }
}

static const char *plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const struct scan *s)
{
    const struct manifest_counts *counts = manifest_counts(s->in.loader);
    unsigned by_result[RESULT_ERROR + 1] = { 0 };

    for (size_t i = 0; i < s->list.rows.len; i++) {
        enum result r = RESULT_PASS;
        result_parse(s->list.rows.items[i].result, &r);
        by_result[r]++;
    }
    fprintf(stderr, "%u object%s in %u file%s: %u fail, %u warn, %u error", counts->objects,
            plural(counts->objects), counts->files, plural(counts->files), by_result[RESULT_FAIL],
            by_result[RESULT_WARN], by_result[RESULT_ERROR]);
    if (s->cli->all) {
        fprintf(stderr, ", %u pass, %u skip", by_result[RESULT_PASS], by_result[RESULT_SKIP]);
    }
    if (s->suppressed > 0) {
        fprintf(stderr, "; %u exempt", s->suppressed);
    }
    if (counts->skipped_objects > 0) {
        fprintf(stderr, "; %u object%s of other kinds skipped", counts->skipped_objects,
                plural(counts->skipped_objects));
    }
    if (counts->errors > 0) {
        fprintf(stderr, "; %u input error%s", counts->errors, plural(counts->errors));
    }
    fputc('\n', stderr);
}

/* Options, configuration, selector: everything that can be refused before a file is read. */
static int prepare(struct scan *s)
{
    const struct cli *cli = s->cli;
    struct error err = { 0 };

    if (cli->args.len == 0) {
        return cli_usage(cli,
                         "what is to be judged? name files, directories, or - for standard input");
    }
    if (cli->ns != NULL && cli->all_namespaces) {
        return cli_usage(cli, "-n and -A exclude each other");
    }
    int status = cli_print_options_of(cli, &s->print);
    status = status != 0 ? status : cli_fail_on(cli, &s->fail_on);
    if (status != 0) {
        return status;
    }
    if (cli->selector != NULL && label_query_parse(cli->selector, &s->selector, &err) != 0) {
        return cli_usage(cli, "-l '%s': %s", cli->selector, err.text);
    }
    return cli_input_open(cli, &s->in);
}

static int judge(struct scan *s)
{
    struct error err = { 0 };

    cli_input_read(&s->in, s->cli->args.items, s->cli->args.len, s->cli->complete);
    engine_judge_all(s->in.cluster, s->in.ruleset, "", clock_wall_ms(), take_verdict, s);
    finding_list_sort(&s->list);
    if (s->cli->baseline != NULL && baseline_mark(&s->list, s->cli->baseline, &err) != 0) {
        return cli_fail(s->cli, EXIT_USAGE, &err);
    }
    if (finding_list_print(&s->list, stdout, &s->print) != 0) {
        return cli_usage(s->cli, "cannot write to standard output");
    }
    if (s->print.format == OUTPUT_TABLE || s->print.format == OUTPUT_WIDE) {
        print_summary(s);
    }
    return cli_input_errors(&s->in) > 0 ? EXIT_USAGE : cli_status_of(&s->list, &s->fail_on);
}

int cmd_scan(const struct cli *cli)
{
    struct scan s = { .cli = cli };

    int status = prepare(&s);
    if (status == 0) {
        status = judge(&s);
    }
    finding_list_deinit(&s.list);
    selector_destroy(s.selector);
    cli_input_close(&s.in);
    return status;
}
