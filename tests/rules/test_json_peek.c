#include "rules/json_peek.h"
#include "tests/check.h"

/* Every token as one letter, ending with '.' for the end and '!' for what is not JSON. */
static const char *tokens(const char *text)
{
    static char out[64];
    static const char letters[] = "{}[]ksn.!";
    struct json_peek j;
    size_t len = 0;

    json_peek_init(&j, text);
    for (enum json_token t = JSON_OBJECT; t < JSON_DONE && len + 1 < sizeof(out);) {
        t = json_peek_next(&j);
        out[len++] = letters[t];
    }
    out[len] = '\0';
    return out;
}

static const struct {
    const char *fact, *text, *tokens;
} cases[] = {
    { "an object with a string", "{\"a\":\"b\"}", "{ks}." },
    { "two members", "{\"a\": 1, \"b\": true}", "{knkn}." },
    { "an empty object", " { } ", "{}." },
    { "an empty list", "[]", "[]." },
    { "a list of objects", "[{\"HTTP\":80},{\"HTTPS\":443}]", "[{kn}{kn}]." },
    { "nesting", "{\"a\":{\"b\":[null]}}", "{k{k[n]}}." },
    { "escapes in strings", "\"a\\\"b\\u0041\"", "s." },
    { "a bare scalar", "-1.5e3", "n." },
    { "nothing", "", "!" },
    { "no value after a colon", "{\"a\":}", "{k!" },
    { "a comma before the end", "[1,]", "[n!" },
    { "a comma before the end of an object", "{\"a\":1,}", "{kn!" },
    { "a missing comma", "[1 2]", "[n!" },
    { "a missing colon", "{\"a\" 1}", "{!" },
    { "an unquoted key", "{a:1}", "{!" },
    { "the wrong bracket", "[1}", "[n!" },
    { "the end comes too early", "{\"a\":[1", "{k[n!" },
    { "an unclosed string", "\"abc", "!" },
    { "a backslash at the end", "\"abc\\", "!" },
    { "an unknown escape", "\"\\x\"", "!" },
    { "a control character in a string", "\"a\nb\"", "!" },
    { "something after the value", "{} x", "{}!" },
    { "a word that is no scalar", "yes", "!" },
    { "too deep", "[[[[[[[[[[[[[[[[[", "[[[[[[[[[[[[[[[[!" },
};

TEST(text_becomes_tokens)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_STR(cases[i].fact, tokens(cases[i].text), cases[i].tokens);
    }
}

TEST(keys_and_values_keep_their_text)
{
    struct json_peek j;

    json_peek_init(&j, "{\"Type\":\"re\\\"dir\\/ect\",\"n\":443}");
    CHECK("opens", json_peek_next(&j) == JSON_OBJECT);
    CHECK_INT("one bracket is open", j.depth, 1);
    CHECK("a key", json_peek_next(&j) == JSON_KEY);
    CHECK_STR("the key's text", j.text, "Type");
    CHECK("a string", json_peek_next(&j) == JSON_STRING);
    CHECK_STR("escapes are undone", j.text, "re\"dir/ect");
    CHECK("a key again", json_peek_next(&j) == JSON_KEY);
    CHECK("a number", json_peek_next(&j) == JSON_SCALAR);
    CHECK_STR("as written", j.text, "443");
    CHECK("closes", json_peek_next(&j) == JSON_OBJECT_END);
    CHECK("done", json_peek_next(&j) == JSON_DONE);
    CHECK("stays done", json_peek_next(&j) == JSON_DONE);
}

TEST(a_long_string_is_cut_and_an_error_stays)
{
    char text[256];
    struct json_peek j;

    memset(text, 'x', sizeof(text) - 1);
    text[0] = text[sizeof(text) - 2] = '"';
    text[sizeof(text) - 1] = '\0';
    json_peek_init(&j, text);
    CHECK("a string", json_peek_next(&j) == JSON_STRING);
    CHECK_INT("cut", strlen(j.text), JSON_PEEK_TEXT_MAX - 1);
    json_peek_init(&j, "]");
    CHECK("bad", json_peek_next(&j) == JSON_BAD);
    CHECK("stays bad", json_peek_next(&j) == JSON_BAD);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(text_becomes_tokens),
              cmocka_unit_test(keys_and_values_keep_their_text),
              cmocka_unit_test(a_long_string_is_cut_and_an_error_stays));
}
