#include "front/rule_print.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"
#include "front/table.h"

enum { PARAM_LINE_MAX_BYTES = 8192 };

static const char *const subject_names[SUBJECT_KIND_COUNT] = { "Namespace", "workload", "Service",
                                                               "Ingress", "policy of any kind" };

/* Rules about policies are about those of every kind, or of one. */
static const char *subject_name(const struct rule *r, int k)
{
    for (unsigned own = 0; k == SUBJECT_POLICY && own < KIND_COUNT; own++) {
        if (r->policy_kinds == BIT(own)) {
            return kind_table[own].name;
        }
    }
    return subject_names[k];
}

static const char *const level_names[] = { "off", "warn", "fail" };
static const char *const param_types[] = { "",     "int", "duration", "text",
                                           "list", "map", "range",    "bool" };

static void add_subjects(cJSON *list, const struct rule *r)
{
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        if ((r->subjects & BIT(k)) && k != SUBJECT_POLICY) {
            cJSON_AddItemToArray(list, cJSON_CreateString(subject_names[k]));
        }
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (rule_own_kinds(r, SUBJECT_POLICY) & BIT(k)) {
            cJSON_AddItemToArray(list, cJSON_CreateString(kind_table[k].name));
        }
    }
}

static void add_params(cJSON *list, const struct rule *r)
{
    for (const struct param *p = r->params; p != NULL && p->type != PARAM_END; p++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", p->name);
        cJSON_AddStringToObject(row, "type", param_types[p->type]);
        cJSON_AddStringToObject(row, "default", p->initial);
        cJSON_AddStringToObject(row, "about", p->about);
        cJSON_AddItemToArray(list, row);
    }
}

static void add_exemptions(cJSON *root, const struct rule *r)
{
    cJSON *exempt = cJSON_AddObjectToObject(root, "exempt");
    cJSON *namespaces = cJSON_AddArrayToObject(exempt, "namespaces");
    cJSON *labels = cJSON_AddObjectToObject(exempt, "labels");

    for (const char *const *ns = r->exempt_namespaces; ns != NULL && *ns != NULL; ns++) {
        cJSON_AddItemToArray(namespaces, cJSON_CreateString(*ns));
    }
    for (const struct label_pair *l = r->exempt_labels; l != NULL && l->key != NULL; l++) {
        cJSON_AddStringToObject(labels, l->key, l->value);
    }
}

cJSON *rule_tree(const struct rule *r)
{
    cJSON *root = cJSON_CreateObject();

    cJSON_AddStringToObject(root, "policy", r->policy);
    cJSON_AddStringToObject(root, "rule", r->rule);
    cJSON_AddStringToObject(root, "title", r->title);
    cJSON_AddStringToObject(root, "category", r->category);
    cJSON_AddStringToObject(root, "severity", severity_name(r->severity));
    add_subjects(cJSON_AddArrayToObject(root, "subjects"), r);
    cJSON *levels = cJSON_AddObjectToObject(root, "levels");
    for (int e = 0; e < ENV_COUNT; e++) {
        cJSON_AddStringToObject(levels, environment_name((enum environment)e),
                                level_names[r->levels[e]]);
    }
    add_params(cJSON_AddArrayToObject(root, "parameters"), r);
    add_exemptions(root, r);
    cJSON_AddStringToObject(root, "description", r->description);
    cJSON_AddStringToObject(root, "remediation", r->remediation);
    cJSON_AddStringToObject(root, "false_positives",
                            r->false_positives != NULL ? r->false_positives : "");
    cJSON *references = cJSON_AddArrayToObject(root, "references");
    for (const char *const *ref = r->references; ref != NULL && *ref != NULL; ref++) {
        cJSON_AddItemToArray(references, cJSON_CreateString(*ref));
    }
    return root;
}

cJSON *rule_catalogue_tree(void)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < rule_count(); i++) {
        cJSON_AddItemToArray(list, rule_tree(rule_at(i)));
    }
    return list;
}

static void subjects_text(const struct rule *r, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int k = 0; k < SUBJECT_KIND_COUNT && used < size; k++) {
        if (r->subjects & BIT(k)) {
            int n =
                snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", subject_name(r, k));
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static enum table_style severity_style(enum severity s)
{
    return s >= SEVERITY_HIGH ? TABLE_RED : s == SEVERITY_MEDIUM ? TABLE_YELLOW : TABLE_PLAIN;
}

void rule_catalogue_table(FILE *out, bool wide, bool headers, bool colour)
{
    static const char *const names[] = { "RULE", "SEVERITY", "PROD",    "STAGING",
                                         "DEV",  "OTHER",    "SUBJECT", NULL };
    static const char *const names_wide[] = { "RULE",  "SEVERITY", "PROD",     "STAGING", "DEV",
                                              "OTHER", "SUBJECT",  "CATEGORY", "TITLE",   NULL };
    struct table *t = table_create(wide ? names_wide : names);
    char subjects[128];

    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *r = rule_at(i);
        table_cellf(t, TABLE_PLAIN, "%s/%s", r->policy, r->rule);
        table_cell(t, severity_name(r->severity), severity_style(r->severity));
        for (int e = 0; e < ENV_COUNT; e++) {
            table_cell(t, level_names[r->levels[e]],
                       r->levels[e] == LEVEL_OFF ? TABLE_DIM : TABLE_PLAIN);
        }
        subjects_text(r, subjects, sizeof(subjects));
        table_cell(t, subjects, TABLE_PLAIN);
        if (wide) {
            table_cell(t, r->category, TABLE_PLAIN);
            table_cell(t, r->title, TABLE_PLAIN);
        }
    }
    table_print(t, out, headers, colour);
    table_destroy(t);
}

static void heading(FILE *out, const char *text, bool colour)
{
    fprintf(out, "\n%s%s%s\n", table_style_on(TABLE_BOLD, colour), text,
            table_style_off(TABLE_BOLD, colour));
}

/* Wraps at 100 characters; lines that begin with a blank (manifests) and empty lines stay as they
 * are. */
static void paragraph(FILE *out, const char *text)
{
    enum { WIDTH = 100 };

    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        size_t cut = line;
        if (line > WIDTH && text[0] != ' ') {
            cut = WIDTH;
            while (cut > 0 && text[cut] != ' ') {
                cut--;
            }
            cut = cut > 0 ? cut : line;
        }
        fprintf(out, "%s%.*s\n", cut > 0 ? "  " : "", (int)cut, text);
        text += cut;
        text += *text == '\n' || *text == ' ' ? 1 : 0;
    }
}

static void print_params(const struct rule *r, FILE *out, bool colour)
{
    if (r->params == NULL || r->params->type == PARAM_END) {
        return;
    }
    heading(out, "Parameters", colour);
    for (const struct param *p = r->params; p->type != PARAM_END; p++) {
        struct buf line;

        buf_init(&line, PARAM_LINE_MAX_BYTES);
        buf_addf(&line, "%s (%s, default ", p->name, param_types[p->type]);
        for (const char *at = p->initial; *at != '\0'; at++) {
            buf_addf(&line, *at == ',' ? "%c " : "%c", *at); /* so that a long list can wrap */
        }
        buf_addf(&line, "%s): %s", p->initial[0] != '\0' ? "" : "empty", p->about);
        paragraph(out, buf_text(&line));
        buf_deinit(&line);
    }
}

static void print_exempt(const struct rule *r, FILE *out, bool colour)
{
    bool any = (r->exempt_namespaces != NULL && *r->exempt_namespaces != NULL) ||
               (r->exempt_labels != NULL && r->exempt_labels->key != NULL);

    if (!any) {
        return;
    }
    heading(out, "Exempt", colour);
    for (const char *const *ns = r->exempt_namespaces; ns != NULL && *ns != NULL; ns++) {
        fprintf(out, "  namespace %s\n", *ns);
    }
    for (const struct label_pair *l = r->exempt_labels; l != NULL && l->key != NULL; l++) {
        fprintf(out, "  label %s: \"%s\"\n", l->key, l->value);
    }
}

void rule_page(const struct rule *r, FILE *out, bool colour)
{
    char subjects[128];

    subjects_text(r, subjects, sizeof(subjects));
    fprintf(out, "%s%s%s\n%s/%s\n\n", table_style_on(TABLE_BOLD, colour), r->title,
            table_style_off(TABLE_BOLD, colour), r->policy, r->rule);
    fprintf(out, "  Severity  %s%s%s\n  Category  %s\n  Subject   %s\n  Level     ",
            table_style_on(severity_style(r->severity), colour), severity_name(r->severity),
            table_style_off(severity_style(r->severity), colour), r->category, subjects);
    for (int e = 0; e < ENV_COUNT; e++) {
        fprintf(out, "%s%s %s", e > 0 ? ", " : "", environment_name((enum environment)e),
                level_names[r->levels[e]]);
    }
    fputc('\n', out);
    heading(out, "What it checks, and why", colour);
    paragraph(out, r->description);
    heading(out, "How to mend it", colour);
    paragraph(out, r->remediation);
    print_params(r, out, colour);
    print_exempt(r, out, colour);
    if (r->false_positives != NULL && r->false_positives[0] != '\0') {
        heading(out, "When it may be wrong", colour);
        paragraph(out, r->false_positives);
    }
    if (r->references != NULL && *r->references != NULL) {
        heading(out, "References", colour);
        for (const char *const *ref = r->references; *ref != NULL; ref++) {
            fprintf(out, "  %s\n", *ref);
        }
    }
}
