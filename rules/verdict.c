#include "rules/verdict.h"

#include <string.h>

#include "base/vec.h"

static const char *const results[] = { [RESULT_PASS] = "pass",
                                       [RESULT_FAIL] = "fail",
                                       [RESULT_WARN] = "warn",
                                       [RESULT_SKIP] = "skip",
                                       [RESULT_ERROR] = "error" };
static const char *const severities[] = { [SEVERITY_INFO] = "info",
                                          [SEVERITY_LOW] = "low",
                                          [SEVERITY_MEDIUM] = "medium",
                                          [SEVERITY_HIGH] = "high",
                                          [SEVERITY_CRITICAL] = "critical" };
static const char *const environments[] = { [ENV_PRODUCTION] = "production",
                                            [ENV_STAGING] = "staging",
                                            [ENV_DEVELOPMENT] = "development",
                                            [ENV_STANDARD] = "standard" };

const char *result_name(enum result r)
{
    return results[r];
}

const char *severity_name(enum severity s)
{
    return severities[s];
}

const char *environment_name(enum environment e)
{
    return environments[e];
}

/* The place of `text` in `words`, `count` when it is none of them. */
static size_t word_place(const char *const *words, size_t count, const char *text)
{
    size_t i = 0;

    while (i < count && strcmp(words[i], text) != 0) {
        i++;
    }
    return i;
}

bool result_parse(const char *text, enum result *out)
{
    size_t i = word_place(results, ARRAY_LEN(results), text);

    if (i == ARRAY_LEN(results)) {
        return false;
    }
    *out = (enum result)i;
    return true;
}

bool severity_parse(const char *text, enum severity *out)
{
    size_t i = word_place(severities, ARRAY_LEN(severities), text);

    if (i == ARRAY_LEN(severities)) {
        return false;
    }
    *out = (enum severity)i;
    return true;
}

bool environment_parse(const char *text, enum environment *out)
{
    size_t i = word_place(environments, ARRAY_LEN(environments), text);

    if (i == ARRAY_LEN(environments)) {
        return false;
    }
    *out = (enum environment)i;
    return true;
}

void verdict_fingerprint(const char *cluster_id, const char *policy, const char *rule,
                         const struct subject_ref *subject, const char *subkey,
                         uint8_t out[SHA256_BYTES])
{
    struct sha256 *h = sha256_create();

    sha256_field(h, cluster_id);
    sha256_update(h, policy, strlen(policy));
    sha256_update(h, "/", 1);
    sha256_field(h, rule);
    sha256_field(h, subject->group);
    sha256_field(h, subject->kind);
    sha256_field(h, subject->ns);
    sha256_field(h, subject->name);
    sha256_field(h, subkey);
    sha256_finish(h, out);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_subject(const struct subject_ref *a, const struct subject_ref *b)
{
    return same_text(a->group, b->group) && same_text(a->version, b->version) &&
           same_text(a->kind, b->kind) && same_text(a->ns, b->ns) && same_text(a->name, b->name) &&
           same_text(a->uid, b->uid);
}

bool verdict_same(const struct verdict *a, const struct verdict *b)
{
    return same_text(a->policy, b->policy) && same_text(a->rule, b->rule) &&
           same_text(a->category, b->category) && a->severity == b->severity &&
           same_subject(&a->subject, &b->subject) && same_text(a->subkey, b->subkey) &&
           a->environment == b->environment && a->result == b->result && a->off == b->off &&
           a->kind_unavailable == b->kind_unavailable && a->suppressed == b->suppressed &&
           same_text(a->exemption, b->exemption) && same_text(a->message, b->message) &&
           same_text(a->evidence, b->evidence) && same_text(a->remediation, b->remediation) &&
           same_text(a->owner, b->owner) && same_text(a->file, b->file) && a->line == b->line &&
           a->subject_deleting == b->subject_deleting && a->grace_ms == b->grace_ms &&
           a->valid_until_ms == b->valid_until_ms &&
           memcmp(a->fingerprint, b->fingerprint, SHA256_BYTES) == 0;
}
