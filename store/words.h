/* The numbers that stand for words in the file, and the words. Numbers are part of the file's
 * format: they never change, and the views of schema.sql spell them alike (a test compares). */
#ifndef NETAUDITD_STORE_WORDS_H
#define NETAUDITD_STORE_WORDS_H

#include <stdbool.h>

#include "rules/verdict.h"

enum finding_state { STATE_PENDING, STATE_OPEN, STATE_SUPPRESSED, STATE_RESOLVED, STATE_COUNT };
enum resolve_reason {
    REASON_NONE,
    REASON_FIXED,
    REASON_OBJECT_GONE,
    REASON_EXEMPTED,
    REASON_RULE_OFF,
    REASON_ENVIRONMENT_CHANGED,
    REASON_COUNT
};
enum { SEVERITY_COUNT = 5, RESULT_COUNT = 5 };

_Static_assert(RESULT_PASS == 0 && RESULT_FAIL == 1 && RESULT_WARN == 2 && RESULT_SKIP == 3 &&
                   RESULT_ERROR == 4,
               "results are stored by number");
_Static_assert(SEVERITY_INFO == 0 && SEVERITY_CRITICAL == 4, "severities are stored by number");
_Static_assert(ENV_PRODUCTION == 0 && ENV_STAGING == 1 && ENV_DEVELOPMENT == 2 && ENV_STANDARD == 3,
               "environments are stored by number");
_Static_assert(CHANGE_CREATE == 0 && CHANGE_UPDATE == 1 && CHANGE_DELETE == 2 &&
                   CHANGE_FOUND == 3 && CHANGE_GONE == 4,
               "verbs are stored by number");

enum word_list {
    WORDS_STATE,
    WORDS_REASON,
    WORDS_RESULT,
    WORDS_SEVERITY,
    WORDS_ENVIRONMENT,
    WORDS_VERB,
    WORDS_COUNT
};

/* "" for a number without a word. */
const char *word_of(enum word_list list, int64_t code);
/* -1 when `text` (of `len` bytes) is no word of the list. */
int word_code(enum word_list list, const char *text, size_t len);
/* "open, suppressed, ...": for sentences. */
const char *word_choices(enum word_list list);

#endif
