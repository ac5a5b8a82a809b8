#include "front/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static char *copy(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

void finding_list_add_verdict(struct finding_list *list, const struct verdict *v)
{
    char hex[SHA256_HEX];

    hex_encode(v->fingerprint, SHA256_BYTES, hex);
    struct finding_row row = {
        .policy = copy(v->policy),
        .rule = copy(v->rule),
        .kind = copy(v->subject.kind),
        .ns = copy(v->subject.ns),
        .name = copy(v->subject.name),
        .result = copy(result_name(v->suppressed ? RESULT_SKIP : v->result)),
        .severity = copy(severity_name(v->severity)),
        .category = copy(v->category),
        .environment = copy(environment_name(v->environment)),
        .message = copy(v->message),
        .evidence = copy(v->evidence),
        .remediation = copy(v->remediation),
        .fingerprint = copy(hex),
        .file = copy(v->file),
        .line = v->line,
        .exemption = copy(v->exemption),
        .owner = copy(v->owner),
    };
    vec_push(&list->rows, row);
}

void finding_list_add_copy(struct finding_list *list, const struct finding_row *from)
{
    struct finding_row row = *from;
    char **texts[] = { &row.policy,      &row.rule,     &row.kind,
                       &row.ns,          &row.name,     &row.result,
                       &row.severity,    &row.category, &row.environment,
                       &row.message,     &row.evidence, &row.remediation,
                       &row.fingerprint, &row.file,     &row.exemption,
                       &row.owner,       &row.state,    &row.resolved_reason,
                       &row.api_version, &row.uid };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i] = copy(*texts[i]);
    }
    vec_push(&list->rows, row);
}

void finding_list_add_stored(struct finding_list *list, const struct stored_finding *f)
{
    bool suppressed = strcmp(f->state, "suppressed") == 0;
    struct finding_row row = {
        .policy = copy(f->policy),
        .rule = copy(f->rule),
        .kind = copy(f->kind),
        .ns = copy(f->ns != NULL ? f->ns : ""),
        .name = copy(f->name),
        .result = copy(suppressed ? result_name(RESULT_SKIP) : f->result),
        .severity = copy(f->severity),
        .category = copy(f->category),
        .environment = copy(f->environment),
        .message = copy(f->message),
        .evidence = copy(f->evidence),
        .remediation = copy(f->remediation),
        .fingerprint = copy(f->id),
        .exemption = copy(f->exemption),
        .owner = copy(f->owner),
        .stored = true,
        .state = copy(f->state),
        .resolved_reason = copy(f->resolved_reason),
        .api_version = copy(f->api_version),
        .uid = copy(f->uid),
        .first_opened_ms = f->first_opened_ms,
        .opened_ms = f->opened_ms,
        .resolved_ms = f->resolved_ms,
        .judged_ms = f->judged_ms,
        .reopened = f->reopened,
    };
    vec_push(&list->rows, row);
}

static int by_place(const void *left, const void *right)
{
    const struct finding_row *a = left, *b = right;
    const char *const pairs[][2] = { { a->ns, b->ns },
                                     { a->kind, b->kind },
                                     { a->name, b->name },
                                     { a->policy, b->policy },
                                     { a->rule, b->rule } };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        int order = strcmp(pairs[i][0], pairs[i][1]);
        if (order != 0) {
            return order;
        }
    }
    return strcmp(a->fingerprint, b->fingerprint);
}

void finding_list_sort(struct finding_list *list)
{
    if (list->rows.len > 0) {
        qsort(list->rows.items, list->rows.len, sizeof(list->rows.items[0]), by_place);
    }
}

void finding_list_deinit(struct finding_list *list)
{
    for (size_t i = 0; i < list->rows.len; i++) {
        struct finding_row *r = &list->rows.items[i];
        char *const texts[] = { r->policy,      r->rule,     r->kind,
                                r->ns,          r->name,     r->result,
                                r->severity,    r->category, r->environment,
                                r->message,     r->evidence, r->remediation,
                                r->fingerprint, r->file,     r->exemption,
                                r->owner,       r->state,    r->resolved_reason,
                                r->api_version, r->uid };
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            free(texts[k]);
        }
    }
    vec_free(&list->rows);
}
