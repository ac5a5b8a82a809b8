/* The ground floor: text, clock, hashes, arena, buffer, errors, files. */
#include "tests/check.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

static const struct {
    const char *fact, *text, *escaped;
} escapes[] = {
    { "plain text passes", "shop/web", "shop/web" },
    { "UTF-8 letters pass", "caf\xc3\xa9", "caf\xc3\xa9" },
    { "a terminal escape is shown", "a\x1b[31mb", "a\\x1b[31mb" },
    { "a newline is shown", "a\nb", "a\\x0ab" },
    { "a C1 control is shown", "a\xc2\x9b", "a\\xc2\\x9b" },
    { "a right-to-left override is shown", "\xe2\x80\xae", "\\xe2\\x80\\xae" },
    { "a stray byte is shown", "\xff", "\\xff" },
    { "an overlong form is shown", "\xc0\xaf", "\\xc0\\xaf" },
};

TEST(control_characters_are_escaped)
{
    char out[64];

    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        text_escape_control(out, sizeof(out), escapes[i].text, strlen(escapes[i].text));
        CHECK_STR(escapes[i].fact, out, escapes[i].escaped);
    }
}

TEST(escaping_cuts_at_whole_escapes)
{
    char out[6];

    size_t n = text_escape_control(out, sizeof(out), "ab\n", 3);
    CHECK_INT("the escape that does not fit is left out", n, 2);
    CHECK_STR("what fits stands", out, "ab");
}

static const struct {
    const char *pattern, *text;
    bool match;
} globs[] = {
    { "*", "", true },           { "*", "anything", true },  { "a*", "abc", true },
    { "a*c", "abbbc", true },    { "a*c", "abbbd", false },  { "?", "", false },
    { "?b", "ab", true },        { "", "", true },           { "", "x", false },
    { "*/b", "a/b", true },      { "a*b*c", "aXbYc", true }, { "a*b*c", "acb", false },
    { "shop-*", "shop", false }, { "**", "x", true },
};

TEST(globs_match_whole_texts)
{
    for (size_t i = 0; i < ARRAY_LEN(globs); i++) {
        CHECK(globs[i].pattern, text_glob(globs[i].pattern, globs[i].text) == globs[i].match);
    }
}

static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
} durations[] = {
    { "90s", 90000 },    { "5m", 300000 },
    { "24h", 86400000 }, { "7d", 604800000 },
    { "0", 0 },          { "1h30m", 5400000 },
    { "250ms", 250 },    { "", -1 },
    { "5", -1 },         { "m", -1 },
    { "5x", -1 },        { "-5m", -1 },
    { "5 m", -1 },       { "99999999999999d", -1 },
};

TEST(durations_parse_or_are_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        int64_t ms = -1;
        bool ok = duration_parse(durations[i].text, &ms);
        CHECK_INT(durations[i].text, ok ? ms : -1, durations[i].ms);
    }
}

TEST(durations_format_in_their_shortest_form)
{
    char out[NA_TIME_TEXT_MAX];

    duration_format(5400000, out);
    CHECK_STR("hours and minutes", out, "1h30m");
    duration_format(604800000, out);
    CHECK_STR("whole days", out, "7d");
    duration_format(0, out);
    CHECK_STR("nothing", out, "0");
}

static const struct {
    const char *text, *printed; /* NULL: refused */
} times[] = {
    { "2026-11-24T06:04:02Z", "2026-11-24T06:04:02.000Z" },
    { "2026-11-24T06:04:02.1239Z", "2026-11-24T06:04:02.123Z" },
    { "2026-11-24T08:04:02+02:00", "2026-11-24T06:04:02.000Z" },
    { "2026-11-01T12:00Z", "2026-11-01T12:00:00.000Z" },
    { "2026-11-01", "2026-11-01T00:00:00.000Z" },
    { "2024-02-29", "2024-02-29T00:00:00.000Z" },
    { "2026-02-29", NULL },
    { "2026-13-01", NULL },
    { "2026-11-24T06:04:02", NULL },
    { "2026-11-24T25:00:00Z", NULL },
    { "2026-11-24T06:04:02ZZ", NULL },
    { "yesterday", NULL },
    { "", NULL },
};

TEST(times_parse_or_are_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t ms;
        char out[NA_TIME_TEXT_MAX];
        bool ok = time_parse(times[i].text, &ms);
        if (ok) {
            time_format(ms, true, out);
        }
        CHECK_STR(times[i].text, ok ? out : NULL, times[i].printed);
    }
}

TEST(a_time_no_calendar_has_is_shown_as_a_dash)
{
    char out[NA_TIME_TEXT_MAX];

    time_format(INT64_MAX, true, out);
    CHECK_STR("far beyond year 9999", out, "-");
    time_format(-1, true, out);
    CHECK_STR("just before the epoch", out, "1969-12-31T23:59:59.999Z");
}

TEST(siphash_is_the_published_one)
{
    /* SipHash-1-3 of the bytes 00 01 .. 0e under the key 00 01 .. 0f: checked against OpenSSL's
     * EVP_MAC SIPHASH with c-rounds 1, d-rounds 3. */
    unsigned char in[15];

    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (unsigned char)i;
    }
    hash_set_key(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL);
    CHECK("one key gives one value", hash_bytes(in, 15) == hash_bytes(in, 15));
    CHECK("15 bytes", hash_bytes(in, 15) == 0xd320d86d2a519956ULL);
    CHECK("0 bytes", hash_bytes(in, 0) == 0xabac0158050fc4dcULL);
}

TEST(sha256_fields_do_not_run_together)
{
    uint8_t a[SHA256_BYTES], b[SHA256_BYTES];
    struct sha256 *h = sha256_create();

    sha256_field(h, "ab");
    sha256_field(h, "c");
    sha256_finish(h, a);
    h = sha256_create();
    sha256_field(h, "a");
    sha256_field(h, "bc");
    sha256_finish(h, b);
    CHECK("ab+c is not a+bc", memcmp(a, b, sizeof(a)) != 0);
    char hex[SHA256_HEX];
    h = sha256_create();
    sha256_update(h, "abc", 3);
    sha256_finish(h, a);
    hex_encode(a, sizeof(a), hex);
    CHECK_STR("FIPS 180-2 example", hex,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(a_buffer_says_no_at_its_ceiling_and_stays_whole)
{
    struct buf b;

    buf_init(&b, 8);
    CHECK_INT("fits", buf_adds(&b, "12345678"), 0);
    CHECK_INT("one more byte is refused", buf_adds(&b, "9"), NA_ELIMIT);
    CHECK_STR("what it held stands", buf_text(&b), "12345678");
    CHECK_INT("a JSON text that does not fit leaves nothing", buf_add_json(&b, "x"), NA_ELIMIT);
    CHECK_STR("still whole", buf_text(&b), "12345678");
    buf_deinit(&b);
}

TEST(json_texts_are_escaped)
{
    struct buf b;

    buf_init(&b, 1024);
    buf_add_json(&b, "a\"\\\n\x01\xc3\xa9\xff");
    CHECK_STR("quotes, controls and bad bytes", buf_text(&b),
              "\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\"");
    buf_deinit(&b);
}

TEST(errors_grow_a_sentence)
{
    struct error err = { 0 };

    error_set(&err, NA_EINVAL, "token '%s' is empty", "x\n");
    error_wrap(&err, NA_EINVAL, "service account");
    CHECK_STR("outer first, control characters shown", err.text,
              "service account: token 'x\\x0a' is empty");
    CHECK_INT("the code travels without an error too", error_set(NULL, NA_EIO, "x"), NA_EIO);
}

TEST(files_are_bounded)
{
    char path[] = "/tmp/netauditd-test-XXXXXX";
    int fd = mkstemp(path);
    char *text = NULL;
    size_t len = 0;
    struct error err = { 0 };

    REQUIRE("a temporary file", fd >= 0 && write(fd, "hello", 5) == 5);
    close(fd);
    CHECK_INT("read whole", file_read(path, 5, &text, &len, &err), 0);
    CHECK_STR("its text", text, "hello");
    free(text);
    text = NULL;
    CHECK_INT("larger than allowed", file_read(path, 4, &text, &len, &err), NA_ELIMIT);
    CHECK("outputs untouched", text == NULL);
    unlink(path);
    CHECK_INT("absent", file_read(path, 4, &text, &len, &err), NA_ENOENT);
    CHECK_INT("a directory", file_read("/tmp", 4, &text, &len, &err), NA_EIO);
}

TEST(the_arena_reuses_and_aligns)
{
    struct arena a;

    arena_init(&a);
    char *big = arena_alloc(&a, 200000);
    CHECK("zeroed", big[0] == 0 && big[199999] == 0);
    CHECK("aligned", ((uintptr_t)arena_alloc(&a, 3) & 15) == 0);
    CHECK_STR("long formats", arena_printf(&a, "%0300d", 7) + 295, "00007");
    arena_reset(&a);
    CHECK_INT("nothing handed out after a reset", a.used_bytes, 0);
    arena_deinit(&a);
}

TEST(the_nearest_word_is_near)
{
    static const char *const names[] = { "namespace", "name", "kind", NULL };

    CHECK_STR("a swap", text_nearest(names, "namsepace"), "namespace");
    CHECK_STR("one letter", text_nearest(names, "kinds"), "kind");
    CHECK_STR("a short word has few neighbours", text_nearest(names, "end"), NULL);
    CHECK_STR("nothing near", text_nearest(names, "selector"), NULL);
}

TEST(go_booleans)
{
    bool v = false;

    CHECK("T is true", text_parse_bool("T", &v) && v);
    CHECK("False is false", text_parse_bool("False", &v) && !v);
    CHECK("yes is neither", !text_parse_bool("yes", &v));
    CHECK("tRUE is neither", !text_parse_bool("tRUE", &v));
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(control_characters_are_escaped),
              cmocka_unit_test(escaping_cuts_at_whole_escapes),
              cmocka_unit_test(globs_match_whole_texts),
              cmocka_unit_test(durations_parse_or_are_refused),
              cmocka_unit_test(durations_format_in_their_shortest_form),
              cmocka_unit_test(times_parse_or_are_refused),
              cmocka_unit_test(a_time_no_calendar_has_is_shown_as_a_dash),
              cmocka_unit_test(siphash_is_the_published_one),
              cmocka_unit_test(sha256_fields_do_not_run_together),
              cmocka_unit_test(a_buffer_says_no_at_its_ceiling_and_stays_whole),
              cmocka_unit_test(json_texts_are_escaped), cmocka_unit_test(errors_grow_a_sentence),
              cmocka_unit_test(files_are_bounded), cmocka_unit_test(the_arena_reuses_and_aligns),
              cmocka_unit_test(the_nearest_word_is_near), cmocka_unit_test(go_booleans));
}
