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
