/* The list of all rules, sorted by id. It is put together once, at the first question; after that
 * it never changes, so that a rule's index is good for the life of the process. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "rules/checks.h"

enum { RULES_MAX = 128, ALIASES_MAX = 8 };

static const struct rule *sorted[RULES_MAX];
static size_t sorted_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Other names that are accepted wherever an id is given; the rule is reported under its own. */
static const struct {
    const char *alias, *policy, *rule;
} aliases[] = {
    { "restrict-egress-traffic/block-external-ips", "restrict-service-types",
      "block-service-externalips" },
};
_Static_assert(ARRAY_LEN(aliases) <= ALIASES_MAX, "aliases are few");

static int by_id(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int c = strcmp(x->policy, y->policy);

    return c != 0 ? c : strcmp(x->rule, y->rule);
}

static void sort_rules(void)
{
    const struct {
        const struct rule *rules;
        size_t count;
    } lists[] = {
        { network_policy_rules, network_policy_rule_count },
        { ingress_class_rules, ingress_class_rule_count },
        { ingress_route_rules, ingress_route_rule_count },
        { ingress_tls_rules, ingress_tls_rule_count },
        { service_rules, service_rule_count },
        { service_target_rules, service_target_rule_count },
        { egress_rules, egress_rule_count },
        { policy_health_rules, policy_health_rule_count },
        { policy_dns_rules, policy_dns_rule_count },
        { zero_trust_rules, zero_trust_rule_count },
    };

    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l].count; i++) {
            if (sorted_count == RULES_MAX) {
                abort();
            }
            sorted[sorted_count++] = &lists[l].rules[i];
        }
    }
    qsort(sorted, sorted_count, sizeof(sorted[0]), by_id);
}

size_t rule_count(void)
{
    pthread_once(&once, sort_rules);
    return sorted_count;
}

const struct rule *rule_at(size_t i)
{
    pthread_once(&once, sort_rules);
    return i < sorted_count ? sorted[i] : NULL;
}

size_t rule_index(const struct rule *r)
{
    size_t count = rule_count();
    const struct rule *const *found = bsearch(&r, sorted, count, sizeof(sorted[0]), by_id);

    if (found == NULL) {
        abort(); /* not a row of the catalogue */
    }
    return (size_t)(found - sorted);
}

unsigned rule_own_kinds(const struct rule *r, enum subject_kind s)
{
    static const unsigned kinds[SUBJECT_KIND_COUNT] = {
        [SUBJECT_NAMESPACE] = BIT(KIND_NAMESPACE), [SUBJECT_WORKLOAD] = BIT(KIND_POD),
        [SUBJECT_SERVICE] = BIT(KIND_SERVICE),     [SUBJECT_INGRESS] = BIT(KIND_INGRESS),
        [SUBJECT_POLICY] = POLICY_KINDS,
    };

    if ((r->subjects & BIT(s)) == 0) {
        return 0;
    }
    return s == SUBJECT_POLICY && r->policy_kinds != 0 ? r->policy_kinds : kinds[s];
}

bool rule_is_about(const struct rule *r, enum subject_kind s, enum kind own)
{
    return (rule_own_kinds(r, s) & BIT(own)) != 0;
}

static const struct rule *find_pair(const char *policy, size_t policy_len, const char *rule)
{
    size_t count = rule_count();

    for (size_t i = 0; i < count; i++) {
        if (strncmp(sorted[i]->policy, policy, policy_len) == 0 &&
            sorted[i]->policy[policy_len] == '\0' && strcmp(sorted[i]->rule, rule) == 0) {
            return sorted[i];
        }
    }
    return NULL;
}

static const struct rule *find_bare(const char *name)
{
    const struct rule *found = NULL;
    size_t count = rule_count();

    for (size_t i = 0; i < count; i++) {
        if (strcmp(sorted[i]->rule, name) == 0) {
            if (found != NULL) {
                return NULL; /* not unique */
            }
            found = sorted[i];
        }
    }
    return found;
}

const struct rule *rule_find(const char *id)
{
    const char *slash = strchr(id, '/');

    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcmp(aliases[i].alias, id) == 0 ||
            (slash == NULL && strcmp(strchr(aliases[i].alias, '/') + 1, id) == 0)) {
            return find_pair(aliases[i].policy, strlen(aliases[i].policy), aliases[i].rule);
        }
    }
    return slash != NULL ? find_pair(id, (size_t)(slash - id), slash + 1) : find_bare(id);
}
