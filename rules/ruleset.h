/* The rules as configured: environments and their words, levels, parameters, exemptions. Immutable
 * once created, so that a bad reload leaves the old one in place. */
#ifndef NETAUDITD_RULES_RULESET_H
#define NETAUDITD_RULES_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "rules/lineup.h"
#include "rules/rule.h"

/* As read from the file: front/settings.c fills it; strings are owned by whoever fills it. */
struct rule_setting {    /* one entry under `rules:` */
    const char *pattern; /* "policy/rule", "policy/<star>" or any glob over ids; aliases accepted */
    int8_t levels[ENV_COUNT];      /* enum level, -1 not set */
    VEC(struct label_pair) params; /* name -> text form of rule.h's enum param_type */
    uint32_t line, column;         /* for sentences; 0 unknown */
};
struct exemption {
    const char *id; /* "" from configuration: made from its content */
    const char *rule, *ns, *kind,
        *name; /* globs; NULL or "" = any. `rule` matches "policy/rule" or the bare rule name */
    const char *selector;       /* label selector text as kubectl -l; NULL or "" = any */
    const char *reason;         /* required */
    const char *owner, *ticket; /* NULL = none */
    int64_t expires_ms;         /* 0 never; must be in RFC 3339 in the file */
    uint32_t line, column;
};
struct ruleset_settings {
    VEC(const char *) environment_labels;  /* empty: environment_default_labels */
    VEC(const char *) words[ENV_STANDARD]; /* empty: environment_default_words */
    bool audit_system_namespaces;
    VEC(const char *) enforced_families; /* names of policy_family_name; empty: by what is served */
    int ipblock_matches;                 /* enum ipblock_matches */
    int cilium_policy;                   /* enum cilium_policy_mode */
    VEC(struct rule_setting) rules;
    VEC(struct exemption) exemptions;
    int force_environment; /* --environment: enum environment, or -1 */
};

/* RULES 1. Lists end with NULL. */
extern const char *const environment_default_labels[];
extern const char *const *const environment_default_words[ENV_STANDARD];

struct ruleset;
/* 0, or NA_EINVAL with one sentence that names the setting (pattern, parameter, what would be
 * right; nearest known name). A pattern that matches no rule is an error. Copies what it needs.
 * NULL settings = defaults. */
int ruleset_create(struct ruleset **out, const struct ruleset_settings *settings,
                   struct error *err);
void ruleset_destroy(struct ruleset *rs);

/* `ns` NULL, of what is cluster-scoped: ENV_STANDARD unless one is forced. */
enum environment ruleset_environment(const struct ruleset *rs, const struct ns *ns);
enum level ruleset_level(const struct ruleset *rs, const struct rule *r, enum environment e);
const struct reach_options *ruleset_reach_options(const struct ruleset *rs);
const struct rule_params *ruleset_params(const struct ruleset *rs, const struct rule *r);
/* Replaces the exemptions that come from the API (the store hands them over through the daemon). */
int ruleset_set_api_exemptions(struct ruleset *rs, const struct exemption *items, size_t count,
                               struct error *err);

/* Why (rule, subject) is exempt now, or NULL: text in `arena`: "built in: namespace kube-system is
 * a system namespace", "exemption: <reason> (owner, ticket, until ...)". *until_ms is when that may
 * change (expiry), 0 never. */
const char *ruleset_exempt(const struct ruleset *rs, const struct rule *r, const struct subject *s,
                           int64_t now_ms, struct arena *arena, int64_t *until_ms);

#endif
