/* Findings on paper. JSON and YAML are written from one table of fields, in the order of CONTRACTS
 * 2 and 6; YAML takes JSON's own texts where a plain one could be read as something else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "front/finding.h"
#include "front/table.h"
#include "front/tree.h"

enum { ROW_MAX_BYTES = 16 * 1024 * 1024, SHORT_ID = 12 };

bool output_parse(const char *text, enum output_format *out)
{
    static const char *const names[] = { "table", "wide", "json", "yaml" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum output_format)i;
            return true;
        }
    }
    return false;
}

enum field_type {
    FIELD_TEXT,
    FIELD_JSON,
    FIELD_LINE,
    FIELD_TIME,
    FIELD_COUNT,
    FIELD_NEW,
    FIELD_RESOURCE
};
enum field_use { USE_ALWAYS, USE_FILES, USE_STORED, USE_BASELINE, USE_IF_SET };

static const struct field {
    const char *name;
    enum field_type type;
    enum field_use use;
    size_t offset;
} fields[] = {
#define AT(member) offsetof(struct finding_row, member)
    { "policy", FIELD_TEXT, USE_ALWAYS, AT(policy) },
    { "rule", FIELD_TEXT, USE_ALWAYS, AT(rule) },
    { "kind", FIELD_TEXT, USE_ALWAYS, AT(kind) },
    { "namespace", FIELD_TEXT, USE_ALWAYS, AT(ns) },
    { "name", FIELD_TEXT, USE_ALWAYS, AT(name) },
    { "result", FIELD_TEXT, USE_ALWAYS, AT(result) },
    { "severity", FIELD_TEXT, USE_ALWAYS, AT(severity) },
    { "category", FIELD_TEXT, USE_ALWAYS, AT(category) },
    { "environment", FIELD_TEXT, USE_ALWAYS, AT(environment) },
    { "message", FIELD_TEXT, USE_ALWAYS, AT(message) },
    { "evidence", FIELD_JSON, USE_ALWAYS, AT(evidence) },
    { "remediation", FIELD_TEXT, USE_ALWAYS, AT(remediation) },
    { "fingerprint", FIELD_TEXT, USE_ALWAYS, AT(fingerprint) },
    { "file", FIELD_TEXT, USE_FILES, AT(file) },
    { "line", FIELD_LINE, USE_FILES, AT(line) },
    { "exemption", FIELD_TEXT, USE_IF_SET, AT(exemption) },
    { "new", FIELD_NEW, USE_BASELINE, AT(is_new) },
    { "id", FIELD_TEXT, USE_STORED, AT(fingerprint) },
    { "state", FIELD_TEXT, USE_STORED, AT(state) },
    { "resolved_reason", FIELD_TEXT, USE_IF_SET, AT(resolved_reason) },
    { "first_opened", FIELD_TIME, USE_STORED, AT(first_opened_ms) },
    { "opened", FIELD_TIME, USE_STORED, AT(opened_ms) },
    { "resolved", FIELD_TIME, USE_STORED, AT(resolved_ms) },
    { "reopened", FIELD_COUNT, USE_STORED, AT(reopened) },
    { "judged_at", FIELD_TIME, USE_STORED, AT(judged_ms) },
    { "owner", FIELD_TEXT, USE_STORED, AT(owner) },
    { "resource", FIELD_RESOURCE, USE_STORED, 0 },
#undef AT
};

static const char *text_at(const struct finding_row *row, const struct field *f)
{
    return *(char *const *)(const void *)((const char *)row + f->offset);
}

static bool is_used(const struct finding_row *row, const struct field *f)
{
    switch (f->use) {
    case USE_FILES:
        return !row->stored;
    case USE_STORED:
        return row->stored;
    case USE_BASELINE:
        return row->has_baseline;
    case USE_IF_SET:
        return text_at(row, f) != NULL && text_at(row, f)[0] != '\0';
    case USE_ALWAYS:
        break;
    }
    return true;
}

static void add_text(struct buf *b, const char *text, bool yaml)
{
    if (text == NULL) {
        buf_adds(b, "null");
    } else if (yaml && yaml_is_plain(text)) {
        buf_adds(b, text);
    } else {
        buf_add_json(b, text);
    }
}

static void add_resource(struct buf *b, const struct finding_row *row)
{
    const struct {
        const char *name, *text;
    } parts[] = { { "apiVersion", row->api_version },
                  { "kind", row->kind },
                  { "namespace", row->ns },
                  { "name", row->name },
                  { "uid", row->uid } };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_addf(b, "%s\"%s\": ", i == 0 ? "{" : ", ", parts[i].name);
        add_text(b, parts[i].text != NULL ? parts[i].text : "", false);
    }
    buf_adds(b, "}");
}

static void add_value(struct buf *b, const struct finding_row *row, const struct field *f,
                      bool yaml)
{
    const void *at = (const char *)row + f->offset;
    char when[NA_TIME_TEXT_MAX];

    switch (f->type) {
    case FIELD_TEXT:
        add_text(b, text_at(row, f), yaml);
        break;
    case FIELD_JSON:
        buf_adds(b, text_at(row, f) != NULL && text_at(row, f)[0] != '\0' ? text_at(row, f) : "{}");
        break;
    case FIELD_LINE:
        if (row->line == 0) {
            buf_adds(b, "null");
        } else {
            buf_addf(b, "%" PRIu32, row->line);
        }
        break;
    case FIELD_TIME:
        if (*(const int64_t *)at == 0) {
            buf_adds(b, "null");
        } else {
            time_format(*(const int64_t *)at, true, when);
            buf_add_json(b, when);
        }
        break;
    case FIELD_COUNT:
        buf_addf(b, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_NEW:
        buf_adds(b, row->is_new ? "true" : "false");
        break;
    case FIELD_RESOURCE:
        add_resource(b, row);
        break;
    }
}

static void print_tree(const struct finding_list *list, FILE *out, bool yaml)
{
    struct buf b;

    buf_init(&b, ROW_MAX_BYTES);
    fputs(yaml ? (list->rows.len == 0 ? "[]\n" : "") : "[", out);
    for (size_t i = 0; i < list->rows.len; i++) {
        const char *lead = yaml ? "- " : i == 0 ? "\n  {" : ",\n  {";
        buf_reset(&b);
        for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
            if (!is_used(&list->rows.items[i], &fields[k])) {
                continue;
            }
            buf_addf(&b, yaml ? "%s%s: " : "%s\"%s\": ", lead, fields[k].name);
            add_value(&b, &list->rows.items[i], &fields[k], yaml);
            buf_adds(&b, yaml ? "\n" : "");
            lead = yaml ? "  " : ", ";
        }
        fputs(buf_text(&b), out);
        fputs(yaml ? "" : "}", out);
    }
    fputs(yaml ? "" : list->rows.len > 0 ? "\n]\n" : "]\n", out);
    buf_deinit(&b);
}

static enum table_style severity_style(const char *severity)
{
    return strcmp(severity, "critical") == 0 || strcmp(severity, "high") == 0 ? TABLE_RED
           : strcmp(severity, "medium") == 0                                  ? TABLE_YELLOW
                                                                              : TABLE_PLAIN;
}

static enum table_style result_style(const char *result)
{
    return strcmp(result, "fail") == 0 || strcmp(result, "error") == 0 ? TABLE_RED
           : strcmp(result, "warn") == 0                               ? TABLE_YELLOW
           : strcmp(result, "pass") == 0                               ? TABLE_GREEN
                                                                       : TABLE_DIM;
}

/* One unit, as kubectl's AGE: 45s, 12m, 5h, 9d. */
static void age_text(int64_t ms, char out[NA_TIME_TEXT_MAX])
{
    static const struct {
        int64_t least_ms, unit_ms;
        char letter;
    } steps[] = { { 172800000, 86400000, 'd' },
                  { 7200000, 3600000, 'h' },
                  { 120000, 60000, 'm' },
                  { 0, 1000, 's' } };
    size_t i = 0;

    ms = ms > 0 ? ms : 0;
    while (ms < steps[i].least_ms) {
        i++;
    }
    snprintf(out, NA_TIME_TEXT_MAX, "%lld%c", (long long)(ms / steps[i].unit_ms), steps[i].letter);
}

static void add_stored_cells(struct table *t, const struct finding_row *r,
                             const struct print_options *o)
{
    char age[NA_TIME_TEXT_MAX];

    age_text(o->now_ms - (r->opened_ms > 0 ? r->opened_ms : r->judged_ms), age);
    table_cell(t, r->state, strcmp(r->state, "open") == 0 ? TABLE_PLAIN : TABLE_DIM);
    table_cell(t, age, TABLE_PLAIN);
    table_cellf(t, TABLE_DIM, "%.*s", SHORT_ID, r->fingerprint);
    if (o->format == OUTPUT_WIDE) {
        char opened[NA_TIME_TEXT_MAX] = "-";
        if (r->opened_ms > 0) {
            time_format(r->opened_ms, false, opened);
        }
        table_cell(t, r->environment, TABLE_PLAIN);
        table_cell(t, r->owner, TABLE_PLAIN);
        table_cell(t, opened, TABLE_PLAIN);
        table_cell(t, r->message, TABLE_PLAIN);
    }
}

static void add_file_cells(struct table *t, const struct finding_row *r,
                           const struct print_options *o)
{
    if (o->format == OUTPUT_WIDE) {
        table_cell(t, r->environment, TABLE_PLAIN);
        table_cell(t, r->exemption != NULL ? r->exemption : r->message, TABLE_PLAIN);
    }
    if (r->file != NULL) {
        table_cellf(t, TABLE_DIM, "%s:%" PRIu32, r->file, r->line);
    } else {
        table_cell(t, "-", TABLE_DIM);
    }
}

static void print_table(const struct finding_list *list, FILE *out, const struct print_options *o)
{
    static const char *const files[] = { "NAMESPACE", "KIND", "NAME", "SEVERITY",
                                         "RESULT",    "RULE", "FILE", NULL };
    static const char *const files_wide[] = { "NAMESPACE", "KIND", "NAME",        "SEVERITY",
                                              "RESULT",    "RULE", "ENVIRONMENT", "MESSAGE",
                                              "FILE",      NULL };
    static const char *const stored[] = { "NAMESPACE", "KIND",  "NAME", "SEVERITY", "RESULT",
                                          "RULE",      "STATE", "AGE",  "ID",       NULL };
    static const char *const stored_wide[] = { "NAMESPACE", "KIND",        "NAME",  "SEVERITY",
                                               "RESULT",    "RULE",        "STATE", "AGE",
                                               "ID",        "ENVIRONMENT", "OWNER", "OPENED",
                                               "MESSAGE",   NULL };
    bool wide = o->format == OUTPUT_WIDE,
         from_store = list->rows.len > 0 && list->rows.items[0].stored;
    struct table *t =
        table_create(from_store ? (wide ? stored_wide : stored) : (wide ? files_wide : files));

    for (size_t i = 0; i < list->rows.len; i++) {
        const struct finding_row *r = &list->rows.items[i];
        bool known = r->has_baseline && !r->is_new;
        table_cell(t, r->ns[0] != '\0' ? r->ns : "-", TABLE_PLAIN);
        table_cell(t, r->kind, TABLE_PLAIN);
        table_cell(t, r->name, TABLE_PLAIN);
        table_cell(t, r->severity, known ? TABLE_DIM : severity_style(r->severity));
        table_cellf(t, known ? TABLE_DIM : result_style(r->result), "%s%s", r->result,
                    known ? " (baseline)" : "");
        table_cellf(t, TABLE_PLAIN, "%s/%s", r->policy, r->rule);
        if (from_store) {
            add_stored_cells(t, r, o);
        } else {
            add_file_cells(t, r, o);
        }
    }
    if (list->rows.len > 0) {
        table_print(t, out, o->headers, o->colour);
    }
    table_destroy(t);
}

int finding_list_print(const struct finding_list *list, FILE *out, const struct print_options *o)
{
    if (o->format == OUTPUT_JSON || o->format == OUTPUT_YAML) {
        print_tree(list, out, o->format == OUTPUT_YAML);
    } else {
        print_table(list, out, o);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : NA_EIO;
}
