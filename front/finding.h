/* A finding as people and programs see it (CONTRACTS 2 and 6), whether it was judged from files or
 * read from the store. */
#ifndef NETAUDITD_FRONT_FINDING_H
#define NETAUDITD_FRONT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/vec.h"
#include "rules/verdict.h"
#include "store/reader.h"

/* Texts are owned by the row (finding_list); NULL prints as null, "" as "". */
struct finding_row {
    char *policy, *rule, *kind, *ns, *name, *result, *severity, *category, *environment, *message,
        *evidence /* JSON object text */, *remediation, *fingerprint;
    char *file; /* files only */
    uint32_t line;
    char *exemption; /* why it is suppressed or skipped; NULL */
    char *owner;
    /* With a baseline: is it new against it? */
    bool has_baseline, is_new;
    /* Stored findings only. */
    bool stored;
    char *state, *resolved_reason, *api_version, *uid;
    int64_t first_opened_ms, opened_ms, resolved_ms, judged_ms, reopened;
};

struct finding_list {
    VEC(struct finding_row) rows;
};

/* Copies one verdict: a suppressed one shows as skip with its exemption. */
void finding_list_add_verdict(struct finding_list *list, const struct verdict *v);
void finding_list_add_stored(struct finding_list *list, const struct stored_finding *f);
void finding_list_add_copy(struct finding_list *list, const struct finding_row *row);
/* By namespace, kind, name, policy, rule, file, line. */
void finding_list_sort(struct finding_list *list);
void finding_list_deinit(struct finding_list *list);

enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML };
/* "table", "wide", "json", "yaml". */
bool output_parse(const char *text, enum output_format *out);

struct print_options {
    enum output_format format;
    bool headers, colour;
    int64_t now_ms; /* for ages */
};
/* The bare array of CONTRACTS 2, or a table. 0, or NA_EIO when `out` could not be written. */
int finding_list_print(const struct finding_list *list, FILE *out, const struct print_options *o);

#endif
