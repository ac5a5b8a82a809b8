/* Settings become a ruleset: patterns are laid over the catalogue's rows, what nobody set stays as
 * the row says. Patterns with a wildcard come first, in their order; those that name one rule come
 * after them and win. */
#include "rules/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "rules/ruleset_private.h"

static bool has_wildcard(const char *pattern)
{
    return strpbrk(pattern, "*?") != NULL;
}

static bool pattern_matches(const char *pattern, const struct rule *r)
{
    return rule_glob_matches(pattern, r);
}

static int place(const struct rule_setting *set, struct error *err, int rc)
{
    return set->line > 0 ? error_wrap(err, rc, "line %u, column %u: rules", set->line, set->column)
                         : error_wrap(err, rc, "rules");
}

/* The id nearest to what was written; NULL when none is near. */
static const char *nearest_id(const char *pattern, struct arena *arena)
{
    const char *slash = strrchr(pattern, '/');
    const char *bare = slash != NULL ? slash + 1 : pattern;
    size_t best = 4;
    const struct rule *found = NULL;

    for (size_t i = 0; i < rule_count(); i++) {
        size_t d = text_distance(bare, rule_at(i)->rule);
        if (d < best) {
            best = d;
            found = rule_at(i);
        }
    }
    return found != NULL ? arena_printf(arena, "%s/%s", found->policy, found->rule) : NULL;
}

static int no_such_rule(struct ruleset *rs, const struct rule_setting *set, struct error *err)
{
    const char *near = nearest_id(set->pattern, &rs->arena);

    if (near != NULL) {
        error_set(err, NA_EINVAL, "'%s' matches no rule (did you mean %s?)", set->pattern, near);
    } else {
        error_set(err, NA_EINVAL, "'%s' matches no rule", set->pattern);
    }
    return place(set, err, NA_EINVAL);
}

/* "did you mean" among the parameters of all rules that the pattern matches. */
static const char *nearest_param(const struct rule_setting *set, const char *name)
{
    size_t best = 4;
    const char *found = NULL;

    for (size_t i = 0; i < rule_count(); i++) {
        const struct param *rows = rule_at(i)->params;
        if (!pattern_matches(set->pattern, rule_at(i))) {
            continue;
        }
        for (; rows != NULL && rows->type != PARAM_END; rows++) {
            size_t d = text_distance(name, rows->name);
            if (d < best) {
                best = d;
                found = rows->name;
            }
        }
    }
    return found;
}

static int no_such_param(const struct rule_setting *set, const char *name, struct error *err)
{
    const char *near = nearest_param(set, name);

    if (near != NULL) {
        error_set(err, NA_EINVAL, "'%s': no parameter '%s' (did you mean %s?)", set->pattern, name,
                  near);
    } else {
        error_set(err, NA_EINVAL, "'%s': no parameter '%s'", set->pattern, name);
    }
    return place(set, err, NA_EINVAL);
}

static int set_params(struct ruleset *rs, const struct rule_setting *set, struct error *err)
{
    for (size_t p = 0; p < set->params.len; p++) {
        const struct label_pair *given = &set->params.items[p];
        bool known = false;
        for (size_t i = 0; i < rule_count(); i++) {
            const struct rule *r = rule_at(i);
            int at = param_place(r->params, given->key);
            if (at < 0 || !pattern_matches(set->pattern, r)) {
                continue;
            }
            known = true;
            int rc = param_read(&rs->rules[i].params->values[at], &r->params[at], given->value,
                                &rs->arena, err);
            if (rc != 0) {
                error_wrap(err, rc, "'%s': parameter %s", set->pattern, given->key);
                return place(set, err, rc);
            }
        }
        if (!known) {
            return no_such_param(set, given->key, err);
        }
    }
    return 0;
}

static int apply_setting(struct ruleset *rs, const struct rule_setting *set, struct error *err)
{
    bool any = false;

    for (size_t i = 0; i < rule_count(); i++) {
        if (!pattern_matches(set->pattern, rule_at(i))) {
            continue;
        }
        any = true;
        for (int e = 0; e < ENV_COUNT; e++) {
            if (set->levels[e] >= 0) {
                rs->rules[i].levels[e] = (uint8_t)set->levels[e];
            }
        }
    }
    return any ? set_params(rs, set, err) : no_such_rule(rs, set, err);
}

static int apply_settings(struct ruleset *rs, const struct ruleset_settings *settings,
                          struct error *err)
{
    for (int wildcard = 1; wildcard >= 0; wildcard--) {
        for (size_t i = 0; i < settings->rules.len; i++) {
            const struct rule_setting *set = &settings->rules.items[i];
            if (has_wildcard(set->pattern) != (wildcard == 1)) {
                continue;
            }
            int rc = apply_setting(rs, set, err);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return 0;
}

static struct reach_options reach_options_of(const struct ruleset_settings *s)
{
    struct reach_options o = { .ipblock_matches = (enum ipblock_matches)s->ipblock_matches,
                               .cilium_policy = (enum cilium_policy_mode)s->cilium_policy };

    for (size_t i = 0; i < s->enforced_families.len; i++) {
        for (int f = 0; f < FAMILY_COUNT; f++) {
            if (strcmp(s->enforced_families.items[i], policy_family_name((enum policy_family)f)) ==
                0) {
                o.families |= BIT(f);
            }
        }
    }
    return o;
}

int ruleset_create(struct ruleset **out, const struct ruleset_settings *settings, struct error *err)
{
    struct ruleset *rs = xcalloc(1, sizeof(*rs));
    int rc;

    arena_init(&rs->arena);
    arena_init(&rs->configured.arena);
    arena_init(&rs->from_api.arena);
    rs->rules = arena_alloc(&rs->arena, (rule_count() + 1) * sizeof(rs->rules[0]));
    for (size_t i = 0; i < rule_count(); i++) {
        memcpy(rs->rules[i].levels, rule_at(i)->levels, sizeof(rs->rules[i].levels));
        rs->rules[i].params = params_initial(rule_at(i), &rs->arena);
    }
    environment_configure(rs, settings);
    if (settings != NULL) {
        rs->audit_system_namespaces = settings->audit_system_namespaces;
        rs->reach = reach_options_of(settings);
        rc = apply_settings(rs, settings, err);
        if (rc == 0) {
            rc = exemption_list_fill(&rs->configured, settings->exemptions.items,
                                     settings->exemptions.len, err);
        }
        if (rc != 0) {
            goto fail;
        }
    }
    *out = rs;
    return 0;
fail:
    ruleset_destroy(rs);
    return rc;
}

void ruleset_destroy(struct ruleset *rs)
{
    if (rs == NULL) {
        return;
    }
    exemption_list_deinit(&rs->configured);
    exemption_list_deinit(&rs->from_api);
    arena_deinit(&rs->arena);
    free(rs);
}

const struct reach_options *ruleset_reach_options(const struct ruleset *rs)
{
    return &rs->reach;
}

enum level ruleset_level(const struct ruleset *rs, const struct rule *r, enum environment e)
{
    return (enum level)rs->rules[rule_index(r)].levels[e];
}

const struct rule_params *ruleset_params(const struct ruleset *rs, const struct rule *r)
{
    return rs->rules[rule_index(r)].params;
}

int ruleset_set_api_exemptions(struct ruleset *rs, const struct exemption *items, size_t count,
                               struct error *err)
{
    struct exemption_list fresh;
    int rc = exemption_list_fill(&fresh, items, count, err);

    if (rc != 0) {
        return rc;
    }
    exemption_list_deinit(&rs->from_api);
    rs->from_api = fresh;
    return 0;
}
