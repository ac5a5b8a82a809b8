/* Why a rule does not count for a subject: built in with the rule, by the kind of namespace, or
 * because somebody said so and gave a reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/vec.h"
#include "rules/label_query.h"
#include "rules/ruleset_private.h"

enum { REASON_MAX = 2000 };

static const char *const system_namespaces[] = { "kube-system", "kube-public", "kube-node-lease" };

/* RULES 2 to 6. */
static const char *const acme_policies[] = { "require-network-policy", "restrict-egress-traffic",
                                             "require-ingress-class", "require-ingress-tls",
                                             "restrict-service-types" };

/* ---- configured ---- */

static const char *or_any(struct exemption_list *list, const char *glob)
{
    if (glob == NULL || *glob == '\0' || strcmp(glob, "*") == 0) {
        return NULL;
    }
    return arena_strdup(&list->arena, glob);
}

static const char *say(struct exemption_list *list, const struct exemption *e)
{
    const char *owner = e->owner != NULL ? e->owner : "",
               *ticket = e->ticket != NULL ? e->ticket : "";
    char until[NA_TIME_TEXT_MAX] = "";

    if (e->expires_ms != 0) {
        time_format(e->expires_ms, false, until);
    }
    const char *parts[] = { owner, ticket, until };
    const char *said = arena_printf(&list->arena, "exemption: %.*s", REASON_MAX, e->reason);
    const char *between = " (";
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (*parts[i] != '\0') {
            said = arena_printf(&list->arena, "%s%s%s%.*s", said, between, i == 2 ? "until " : "",
                                REASON_MAX, parts[i]);
            between = ", ";
        }
    }
    return between[0] == ',' ? arena_printf(&list->arena, "%s)", said) : said;
}

static int place(const struct exemption *e, struct error *err, int rc)
{
    return e->line > 0 ? error_wrap(err, rc, "line %u, column %u: exemptions", e->line, e->column)
                       : error_wrap(err, rc, "exemptions");
}

bool rule_glob_matches(const char *glob, const struct rule *r)
{
    char id[256];

    if (strpbrk(glob, "*?") == NULL) {
        return rule_find(glob) == r;
    }
    snprintf(id, sizeof(id), "%s/%s", r->policy, r->rule);
    return text_glob(glob, id) || text_glob(glob, r->rule);
}

static bool matches_some_rule(const char *glob)
{
    for (size_t i = 0; i < rule_count(); i++) {
        if (rule_glob_matches(glob, rule_at(i))) {
            return true;
        }
    }
    return false;
}

static int read_exemption(struct exemption_list *list, const struct exemption *e,
                          struct exemption_row *row, struct error *err)
{
    int rc = 0;

    if (e->reason == NULL || *e->reason == '\0') {
        rc = error_set(err, NA_EINVAL, "an exemption needs a reason");
    } else {
        row->rule = or_any(list, e->rule);
        if (row->rule != NULL && !matches_some_rule(row->rule)) {
            rc = error_set(err, NA_EINVAL, "rule: '%s' matches no rule", row->rule);
        }
    }
    if (rc == 0 && e->selector != NULL && *e->selector != '\0') {
        rc = label_query_parse(e->selector, &row->selector, err);
    }
    if (rc != 0) {
        return place(e, err, rc);
    }
    row->ns = or_any(list, e->ns);
    row->kind = or_any(list, e->kind);
    row->name = or_any(list, e->name);
    row->expires_ms = e->expires_ms;
    row->said = say(list, e);
    return 0;
}

/* Once for all: which exemptions could be about which rule. */
static void index_by_rule(struct exemption_list *list)
{
    list->by_rule = xcalloc(rule_count() + 1, sizeof(list->by_rule[0]));
    for (size_t r = 0; r < rule_count(); r++) {
        uint32_t n = 0;
        uint32_t *places = arena_alloc(&list->arena, (list->count + 1) * sizeof(*places));
        for (size_t i = 0; i < list->count; i++) {
            if (list->rows[i].rule == NULL || rule_glob_matches(list->rows[i].rule, rule_at(r))) {
                places[n++] = (uint32_t)i;
            }
        }
        places[n] = (uint32_t)list->count;
        list->by_rule[r] = places;
    }
}

int exemption_list_fill(struct exemption_list *list, const struct exemption *items, size_t count,
                        struct error *err)
{
    int rc = 0;

    memset(list, 0, sizeof(*list));
    arena_init(&list->arena);
    list->rows = xcalloc(count + 1, sizeof(list->rows[0]));
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = read_exemption(list, &items[i], &list->rows[i], err);
        list->count++;
    }
    if (rc != 0) {
        exemption_list_deinit(list);
        return rc;
    }
    index_by_rule(list);
    return 0;
}

void exemption_list_deinit(struct exemption_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        selector_destroy(list->rows[i].selector);
    }
    free(list->rows);
    free(list->by_rule);
    arena_deinit(&list->arena);
    memset(list, 0, sizeof(*list));
}

static bool glob_or_any(const char *glob, const char *text)
{
    return glob == NULL || text_glob(glob, text);
}

/* The row that matches and lasts longest, or NULL. */
static const struct exemption_row *find_row(const struct exemption_list *list, size_t rule,
                                            const struct subject *s, int64_t now_ms)
{
    const struct exemption_row *best = NULL;
    struct subject_ref ref;

    if (list->count == 0) {
        return NULL;
    }
    subject_ref_of(s, &ref);
    for (const uint32_t *i = list->by_rule[rule]; *i < list->count; i++) {
        const struct exemption_row *row = &list->rows[*i];
        if ((row->expires_ms != 0 && row->expires_ms <= now_ms) ||
            !glob_or_any(row->ns, subject_namespace(s)) || !glob_or_any(row->kind, ref.kind) ||
            !glob_or_any(row->name, ref.name) ||
            (row->selector != NULL && !selector_matches(row->selector, subject_labels(s)))) {
            continue;
        }
        if (row->expires_ms == 0) {
            return row;
        }
        if (best == NULL || row->expires_ms > best->expires_ms) {
            best = row;
        }
    }
    return best;
}

/* ---- built in ---- */

static bool is_acme_solver(const struct subject *s)
{
    static const char key[] = "acme.cert-manager.io/http01-solver";

    switch (s->kind) {
    case SUBJECT_WORKLOAD:
        return s->workload->acme_solver;
    case SUBJECT_SERVICE:
        return s->service->head.acme_owned && label_set_has(s->service->head.labels, key, "true");
    case SUBJECT_INGRESS:
        return s->ingress->head.acme_owned && label_set_has(s->ingress->head.labels, key, "true");
    case SUBJECT_POLICY:
    case SUBJECT_NAMESPACE:
    case SUBJECT_KIND_COUNT:
        break;
    }
    return false;
}

static bool acme_counts(const struct rule *r)
{
    for (size_t i = 0; i < ARRAY_LEN(acme_policies); i++) {
        if (strcmp(acme_policies[i], r->policy) == 0) {
            return true;
        }
    }
    return false;
}

static const char *built_in(const struct ruleset *rs, const struct rule *r, const struct subject *s,
                            struct arena *arena)
{
    const char *ns = subject_namespace(s);

    for (size_t i = 0; !rs->audit_system_namespaces && i < ARRAY_LEN(system_namespaces); i++) {
        if (strcmp(system_namespaces[i], ns) == 0) {
            return arena_printf(arena, "built in: namespace %s is a system namespace", ns);
        }
    }
    for (const char *const *n = r->exempt_namespaces; n != NULL && *n != NULL; n++) {
        if (strcmp(*n, ns) == 0) {
            return arena_printf(arena, "built in: namespace %s is exempt from this rule", ns);
        }
    }
    for (const struct label_pair *l = r->exempt_labels; l != NULL && l->key != NULL; l++) {
        if (label_set_has(subject_labels(s), l->key, l->value)) {
            return arena_printf(arena, "built in: label %s: %s", l->key, l->value);
        }
    }
    return is_acme_solver(s) && acme_counts(r) ? "built in: ACME challenge" : NULL;
}

const char *ruleset_exempt(const struct ruleset *rs, const struct rule *r, const struct subject *s,
                           int64_t now_ms, struct arena *arena, int64_t *until_ms)
{
    *until_ms = 0;
    const char *why = built_in(rs, r, s, arena);
    if (why != NULL || (rs->configured.count == 0 && rs->from_api.count == 0)) {
        return why;
    }
    size_t rule = rule_index(r);
    const struct exemption_row *row = find_row(&rs->configured, rule, s, now_ms);
    if (row == NULL || row->expires_ms != 0) {
        const struct exemption_row *api = find_row(&rs->from_api, rule, s, now_ms);
        if (api != NULL &&
            (row == NULL || api->expires_ms == 0 || api->expires_ms > row->expires_ms)) {
            row = api;
        }
    }
    if (row == NULL) {
        return NULL;
    }
    *until_ms = row->expires_ms;
    return row->said;
}
