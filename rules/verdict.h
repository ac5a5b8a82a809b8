/* What judging says, in the words that the store, the front and other programs use. Knows no
 * cluster type beside the cause, so that store/ and front/ may include it. */
#ifndef NETAUDITD_RULES_VERDICT_H
#define NETAUDITD_RULES_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "cluster/cause.h"

enum result { RESULT_PASS, RESULT_FAIL, RESULT_WARN, RESULT_SKIP, RESULT_ERROR };
enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
enum environment { ENV_PRODUCTION, ENV_STAGING, ENV_DEVELOPMENT, ENV_STANDARD, ENV_COUNT };

const char *result_name(enum result r);           /* "pass" ... */
const char *severity_name(enum severity s);       /* "info" ... "critical" */
const char *environment_name(enum environment e); /* "production" ... "standard" */
bool result_parse(const char *text, enum result *out);
bool severity_parse(const char *text, enum severity *out);
bool environment_parse(const char *text, enum environment *out);

/* The subject by name: group and version apart so that the identity leaves the version out. Strings
 * are never NULL; ns is "" when cluster-scoped, uid "" in files and for APIResource. */
struct subject_ref {
    const char *group, *version, *kind, *ns, *name, *uid;
};

/* Everything one judgement says about one (rule, subject). Strings are never NULL unless said;
 * valid during the call that passes it. */
struct verdict {
    const char *policy, *rule, *category;
    enum severity severity;
    struct subject_ref subject;
    const char *subkey; /* rule-defined part of the identity; "" */
    enum environment environment;
    enum result result; /* after levels; for a suppressed one the raw fail or warn */
    bool
        off; /* the rule's level is off here: nothing is judged, what is open resolves (rule-off) */
    bool kind_unavailable;   /* result error because a kind is forbidden, stale or not synced:
                                computed for answers,   never stored; what is open stays open */
    bool suppressed;         /* an exemption matches and the raw result is fail or warn */
    const char *exemption;   /* why it is suppressed or skipped by exemption; NULL otherwise */
    const char *message;     /* one sentence without numbers or names that change while the finding
                                stays open */
    const char *evidence;    /* JSON object text */
    const char *remediation; /* "" when none */
    const char *owner; /* annotation netauditd.io/owner on the subject, else on its namespace; "" */
    const char *file;  /* manifests: file and the deciding field's line; NULL and 0 live */
    uint32_t line;
    bool subject_deleting;  /* opens nothing new */
    int64_t grace_ms;       /* open only after it has held this long; 0 at once */
    int64_t valid_until_ms; /* judged again then; 0 for ever */
    uint8_t fingerprint[SHA256_BYTES];
};

/* SHA-256 over cluster id, policy/rule, subject (group, kind, ns, name) and subkey (DESIGN 6). */
void verdict_fingerprint(const char *cluster_id, const char *policy, const char *rule,
                         const struct subject_ref *subject, const char *subkey,
                         uint8_t out[SHA256_BYTES]);

#endif
