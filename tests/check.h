/* Unit tests: a table and a sentence. TEST(name) defines one test, CHECK states one fact of it and
 * names it when it does not hold; RUN_TESTS in main runs them through cmocka, which prints TAP. A
 * test goes on after a failed CHECK, so that one run of a table shows every row that is wrong, and
 * fails at its end. */
#ifndef NETAUDITD_TESTS_CHECK_H
#define NETAUDITD_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef ARRAY_LEN
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#endif

static unsigned check_failed;

/* Leaves the test, counted as skipped, and says why. */
#define SKIP_BECAUSE(why)                                                                          \
    do {                                                                                           \
        printf("# skipped: %s\n", (why));                                                          \
        skip();                                                                                    \
    } while (0)

#define CHECK(fact, cond)                                                                          \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s   (%s)\n", __FILE__, __LINE__, (fact),       \
                    #cond);                                                                        \
            check_failed++;                                                                        \
        }                                                                                          \
    } while (0)

#define CHECK_STR(fact, got, want)                                                                 \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        if (got_ == NULL || want_ == NULL ? got_ != want_ : strcmp(got_, want_) != 0) {            \
            fprintf(stderr, "%s:%d: does not hold: %s\n    got  %s\n    want %s\n", __FILE__,      \
                    __LINE__, (fact), got_ == NULL ? "(null)" : got_,                              \
                    want_ == NULL ? "(null)" : want_);                                             \
            check_failed++;                                                                        \
        }                                                                                          \
    } while (0)

#define CHECK_INT(fact, got, want)                                                                 \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_) {                                                                       \
            fprintf(stderr, "%s:%d: does not hold: %s   (got %lld, want %lld)\n", __FILE__,        \
                    __LINE__, (fact), got_, want_);                                                \
            check_failed++;                                                                        \
        }                                                                                          \
    } while (0)

/* The rest of a test makes no sense when this does not hold. */
#define REQUIRE(fact, cond)                                                                        \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s   (%s)\n", __FILE__, __LINE__, (fact),       \
                    #cond);                                                                        \
            check_failed = 0;                                                                      \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

#define TEST(name)                                                                                 \
    static void name##_body(void);                                                                 \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        check_failed = 0;                                                                          \
        name##_body();                                                                             \
        if (check_failed > 0) {                                                                    \
            fail();                                                                                \
        }                                                                                          \
    }                                                                                              \
    static void name##_body(void)

/* RUN_TESTS(cmocka_unit_test(a), cmocka_unit_test(b)) is the body of main. */
#define RUN_TESTS(...)                                                                             \
    do {                                                                                           \
        const struct CMUnitTest tests_[] = { __VA_ARGS__ };                                        \
        if (getenv("CMOCKA_MESSAGE_OUTPUT") == NULL) {                                             \
            cmocka_set_message_output(CM_OUTPUT_TAP);                                              \
        }                                                                                          \
        return cmocka_run_group_tests(tests_, NULL, NULL) == 0 ? 0 : 1;                            \
    } while (0)

#endif
