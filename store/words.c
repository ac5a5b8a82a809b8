#include "store/words.h"

#include <string.h>

static const struct {
    const char *choices;
    const char *words[8];
} lists[WORDS_COUNT] = {
    [WORDS_STATE] = { "pending, open, suppressed, resolved",
                      { "pending", "open", "suppressed", "resolved" } },
    [WORDS_REASON] = { "fixed, object-gone, exempted, rule-off, environment-changed",
                       { "", "fixed", "object-gone", "exempted", "rule-off",
                         "environment-changed" } },
    [WORDS_RESULT] = { "pass, fail, warn, skip, error",
                       { "pass", "fail", "warn", "skip", "error" } },
    [WORDS_SEVERITY] = { "info, low, medium, high, critical",
                         { "info", "low", "medium", "high", "critical" } },
    [WORDS_ENVIRONMENT] = { "production, staging, development, standard",
                            { "production", "staging", "development", "standard" } },
    [WORDS_VERB] = { "create, update, delete, found, gone",
                     { "create", "update", "delete", "found", "gone" } },
};

const char *word_of(enum word_list list, int64_t code)
{
    return code >= 0 && code < 8 && lists[list].words[code] != NULL ? lists[list].words[code] : "";
}

int word_code(enum word_list list, const char *text, size_t len)
{
    for (int i = 0; i < 8 && lists[list].words[i] != NULL; i++) {
        const char *word = lists[list].words[i];
        if (strlen(word) == len && len > 0 && memcmp(word, text, len) == 0) {
            return i;
        }
    }
    return -1;
}

const char *word_choices(enum word_list list)
{
    return lists[list].choices;
}
