/* The inside of a ruleset: between rules/ruleset.c, rules/environment.c and rules/exempt.c. */
#ifndef NETAUDITD_RULES_RULESET_PRIVATE_H
#define NETAUDITD_RULES_RULESET_PRIVATE_H

#include "base/arena.h"
#include "rules/params.h"
#include "rules/ruleset.h"

struct exemption_row {                   /* an exemption, ready for use */
    const char *rule, *ns, *kind, *name; /* globs; NULL: any */
    struct selector *selector;           /* NULL: any */
    const char *said;                    /* "exemption: <reason> (...)" */
    int64_t expires_ms;
};

struct exemption_list {
    struct arena arena; /* of the texts */
    struct exemption_row *rows;
    size_t count;
    /* For each rule of the catalogue the rows whose rule glob matches it: places in `rows`, ended
     * by `count`. */
    uint32_t **by_rule;
};

struct rule_config {
    uint8_t levels[ENV_COUNT];
    struct rule_params *params;
};

struct ruleset {
    struct arena arena;
    const char *const *environment_labels; /* NULL-terminated */
    const char *const *words[ENV_STANDARD];
    bool audit_system_namespaces;
    struct reach_options reach;
    int force_environment;
    struct rule_config *rules; /* by index in the catalogue */
    struct exemption_list configured, from_api;
};

/* ---- environment.c ---- */
void environment_configure(struct ruleset *rs, const struct ruleset_settings *settings);

/* ---- exempt.c ---- */
/* Fills an empty list. NA_EINVAL: the list holds nothing, the sentence names the exemption. */
int exemption_list_fill(struct exemption_list *list, const struct exemption *items, size_t count,
                        struct error *err);
void exemption_list_deinit(struct exemption_list *list);
/* The glob as it matches "policy/rule", the bare rule name or an alias. */
bool rule_glob_matches(const char *glob, const struct rule *r);

#endif
