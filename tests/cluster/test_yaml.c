/* What a YAML or JSON text becomes, or why it does not: each row is a fact. */
#include "cluster/yaml.h"

#include "base/buf.h"
#include "tests/check.h"

/* Every document as compact JSON, one a line; an error as its sentence. */
static char *read_text(const char *text, size_t len)
{
    struct yaml_file file;
    struct error err = { 0 };
    struct buf out;
    uint32_t line = 0;
    int rc = yaml_parse(text, len, &yaml_limits_default, &file, &line, &err);

    buf_init(&out, 1 << 20);
    for (uint32_t i = 0; i < file.count; i++) {
        char *json = cJSON_PrintUnformatted(file.documents[i].root);
        buf_addf(&out, "%s%s", i > 0 ? "\n" : "", json);
        cJSON_free(json);
    }
    if (rc != 0) {
        buf_addf(&out, "%s! %s", file.count > 0 ? "\n" : "", err.text);
    }
    yaml_file_deinit(&file);
    return buf_take(&out);
}

struct row {
    const char *fact, *text, *want;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *got = read_text(rows[i].text, strlen(rows[i].text));
        CHECK_STR(rows[i].fact, got, rows[i].want);
        free(got);
    }
}

TEST(scalars_are_read_as_kubectl_reads_them)
{
    static const struct row rows[] = {
        { "words are booleans", "[true, yes, on, y, True, ON, false, no, off, n]",
          "[true,true,true,true,true,true,false,false,false,false]" },
        { "quoted words are text", "['true', \"no\", '~', \"80\"]",
          "[\"true\",\"no\",\"~\",\"80\"]" },
        { "nothing, ~ and null are null", "a:\nb: ~\nc: null\nd: Null",
          "{\"a\":null,\"b\":null,\"c\":null,\"d\":null}" },
        { "other capitals are text", "[tRUE, nULL, yEs]", "[\"tRUE\",\"nULL\",\"yEs\"]" },
        { "whole numbers have four bases", "[10, 0x1F, 0o17, 017, 0b101, -5, +7, 1_000]",
          "[10,31,15,15,5,-5,7,1000]" },
        { "an octal that is none is a decimal float", "[08, 09.5]", "[8,9.5]" },
        { "floats", "[1.5, .5, 1e3, -2.5E-1, 1.]", "[1.5,0.5,1000,-0.25,1]" },
        { "what only looks like a number is text", "[1.2.3, 10.0.0.0/8, 1e, 12:30:45, 0x, 1-2, 5m]",
          "[\"1.2.3\",\"10.0.0.0/8\",\"1e\",\"12:30:45\",\"0x\",\"1-2\",\"5m\"]" },
        { "dates are text", "[2001-01-01, 2001-12-14T21:59:43Z]",
          "[\"2001-01-01\",\"2001-12-14T21:59:43Z\"]" },
        { "block scalars are text", "a: |\n  1\n  2\nb: >\n  x\n  y\n",
          "{\"a\":\"1\\n2\\n\",\"b\":\"x y\\n\"}" },
        { "core tags decide", "[!!str 80, !!int \"80\", !!float 1, !!bool yes, !!null '', ! 80]",
          "[\"80\",80,1,true,null,\"80\"]" },
        { "a tag that the value does not bear", "a: !!int x",
          "! line 1, column 4: 'x' is no !!int" },
        { "other tags are refused", "a: !Ref x",
          "! line 1, column 4: tag '!Ref' is not one that Kubernetes reads" },
        { "so are tags of other collections", "a: !!set {x}",
          "! line 1, column 4: tag 'tag:yaml.org,2002:set' is not one that Kubernetes reads" },
        { "infinity has no place in JSON", "a: .inf",
          "! line 1, column 4: '.inf' has no place in JSON; quote it if it is a text" },
        { "keys become strings", "{80: a, on: b, 0x10: c, 1.50: d, 08: e}",
          "{\"80\":\"a\",\"true\":\"b\",\"16\":\"c\",\"1.5\":\"d\",\"8\":\"e\"}" },
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(structure_and_documents)
{
    static const struct row rows[] = {
        { "no text is no document", "", "" },
        { "comments alone are no document", "# hello\n\n", "" },
        { "empty documents are nothing", "---\n---\na: 1\n---\n# end\n", "{\"a\":1}" },
        { "several documents", "a: 1\n---\nb: 2\n--- {c: 3}\n...\n---\nd: 4\n",
          "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n{\"d\":4}" },
        { "directives belong to the document that follows", "%YAML 1.1\n# x\n---\na: 1\n",
          "{\"a\":1}" },
        { "a marker inside a block scalar that is indented is text", "a: |\n  ---\n  b\n",
          "{\"a\":\"---\\nb\\n\"}" },
        { "carriage returns are line ends", "a: 1\r\nb: 2\r\n---\r\nc: 3\r\n",
          "{\"a\":1,\"b\":2}\n{\"c\":3}" },
        { "a byte order mark is skipped",
          "\xEF\xBB\xBF"
          "a: 1",
          "{\"a\":1}" },
        { "the documents before a bad one are kept", "a: 1\n---\nb: [\n",
          "{\"a\":1}\n! line 4, column 1: did not find expected node content while parsing a flow "
          "node" },
        { "a duplicate key names both lines", "a: 1\nb: 2\na: 3\n",
          "! line 3, column 1: key 'a' is already set on line 1" },
        { "two spellings of one key are one key", "on: 1\ntrue: 2\n",
          "! line 2, column 1: key 'true' is already set on line 1" },
        { "tabs do not indent", "a:\n\tb: 1\n",
          "! line 2, column 1: found character that cannot start any token while scanning for the "
          "next token" },
        { "a mapping is no key", "? {a: b}\n: c\n",
          "! line 1, column 3: a key must be a single word or text, not a mapping" },
        { "a template's braces are no YAML for us", "name: {{ .Values.x }}\n",
          "! line 1, column 8: a key must be a single word or text, not a mapping" },
        { "no key", "~: 1\n", "! line 1, column 1: a key is empty or null" },
        { "a NUL is refused", "a: \"x\\0y\"\n",
          "! line 1, column 4: a string holds a NUL character" },
        { "invalid UTF-8 names its line", "a: 1\nb: \xFF\n",
          "! line 2, column 1: the line is not valid UTF-8" },
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(anchors_aliases_and_merge_keys)
{
    static const struct row rows[] = {
        { "an alias is a copy", "a: &x {k: [1, 2]}\nb: *x\n",
          "{\"a\":{\"k\":[1,2]},\"b\":{\"k\":[1,2]}}" },
        { "an anchor can be set again", "a: &x 1\nb: *x\nc: &x 2\nd: *x\n",
          "{\"a\":1,\"b\":1,\"c\":2,\"d\":2}" },
        { "scalars and keys can be anchored", "a: &x 7\n&k key: *x\nb: *k\n",
          "{\"a\":7,\"key\":7,\"b\":\"key\"}" },
        { "an alias can be a key", "a: &x k\n*x : 1\n", "{\"a\":\"k\",\"k\":1}" },
        { "merge: explicit keys win, before and after",
          "b: &b {x: 1, v: 2, z: 3}\nc:\n  x: 9\n  <<: *b\n  v: 8\n",
          "{\"b\":{\"x\":1,\"v\":2,\"z\":3},\"c\":{\"x\":9,\"v\":8,\"z\":3}}" },
        { "merge: the first of several sources wins",
          "- &a {x: 1}\n- &b {x: 2, v: 2}\n- <<: [*a, *b]\n",
          "[{\"x\":1},{\"x\":2,\"v\":2},{\"x\":1,\"v\":2}]" },
        { "merge: inline mappings and anchors inside them", "- <<: {x: &v 5}\n  x: 1\n- *v\n",
          "[{\"x\":1},5]" },
        { "merge: a quoted << is a key", "'<<': 1\n", "{\"<<\":1}" },
        { "merge: needs mappings", "<<: 1\n",
          "! line 1, column 5: a merge key '<<' needs a mapping" },
        { "an unknown alias", "a: *x\n", "! line 1, column 4: alias 'x' has no anchor before it" },
        { "an alias inside its anchor", "a: &x [1, *x]\n",
          "! line 1, column 11: alias 'x' stands inside its own anchor" },
        { "anchors end with their document", "a: &x 1\n---\nb: *x\n",
          "{\"a\":1}\n! line 3, column 4: alias 'x' has no anchor before it" },
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(json_is_read_as_json)
{
    static const struct row rows[] = {
        { "escapes and surrogate pairs",
          "{\"a\": \"\\/\\u0041\\ud83d\\ude00\\n\", \"b\":\"\\ud800\"}",
          "{\"a\":\"/A\xF0\x9F\x98\x80\\n\",\"b\":\"\xEF\xBF\xBD\"}" },
        { "tabs are white space", "{\n\t\"a\":\t1\n}", "{\"a\":1}" },
        { "values may follow one another", "{\"a\":1}\n{\"b\":2} {\"c\":3}",
          "{\"a\":1}\n{\"b\":2}\n{\"c\":3}" },
        { "behind a marker", "---\n{\"a\": 1}\n---\n[1]\n", "{\"a\":1}\n[1]" },
        { "a duplicate key", "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
          "! line 3, column 2: key 'a' is already set on line 1" },
        { "yes is no JSON word, so it is YAML", "{a: yes}", "{\"a\":true}" },
        { "JSON with a comma missing", "{\"a\": 1\n \"b\": 2}",
          "! line 2, column 2: found '\"' where ',' or '}' should be" },
        { "JSON that ends", "{\"a\": {\"b\": [1, 2",
          "! line 1, column 18: the text ends where ',' or ']' should be" },
        { "a bad second value is not tried as YAML", "{\"a\":1}\n{\"b\":x}",
          "{\"a\":1}\n! line 2, column 6: found 'x' where a value should be" },
        { "numbers", "[0, -1.5e2, 1E+2, 123456789012]", "[0,-150,100,123456789012]" },
        { "a number with a leading zero is YAML's", "[01]", "[1]" },
        { "control characters in strings", "{\"a\": \"x\ny\"}", "{\"a\":\"x y\"}" },
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(positions_are_those_of_keys_and_items)
{
    static const char text[] = "kind: X\nspec:\n  ports:\n  - port: 80\n  - {port: 81}\n";
    static const char json[] = "{\"kind\": \"X\",\n \"spec\": {\n  \"ports\": [1,\n   2]}}";
    struct yaml_file file;
    uint32_t line, column, error_line;

    REQUIRE("it parses",
            yaml_parse(text, strlen(text), &yaml_limits_default, &file, &error_line, NULL) == 0);
    const struct yaml_document *doc = &file.documents[0];
    const cJSON *ports = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(doc->root, "spec"), "ports");
    CHECK_INT("the document begins on line 1", doc->line, 1);
    yaml_position(doc, ports, &line, &column);
    CHECK_INT("a key's line", line, 3);
    CHECK_INT("a key's column", column, 3);
    yaml_position(doc, cJSON_GetArrayItem(ports, 1), &line, &column);
    CHECK_INT("an item's line", line, 5);
    CHECK_INT("an item's column", column, 5);
    yaml_position(doc, cJSON_GetArrayItem(ports, 0)->child, &line, &column);
    CHECK_INT("a key in an item", line, 4);
    yaml_position(doc, NULL, &line, &column);
    CHECK_INT("no node has no line", line, 0);
    yaml_file_deinit(&file);

    REQUIRE("JSON parses",
            yaml_parse(json, strlen(json), &yaml_limits_default, &file, &error_line, NULL) == 0);
    ports = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(file.documents[0].root, "spec"), "ports");
    yaml_position(&file.documents[0], cJSON_GetArrayItem(ports, 1), &line, &column);
    CHECK_INT("an item's line in JSON", line, 4);
    CHECK_INT("an item's column in JSON", column, 4);
    yaml_file_deinit(&file);
}

TEST(large_whole_numbers_keep_their_digits)
{
    static const char *const texts[] = {
        "[9007199254740993, 18446744073709551615, -9223372036854775808, 5]",
        "- 9007199254740993\n- 18446744073709551615\n- -9223372036854775808\n- 5\n"
    };
    static const char *const want[] = { "9007199254740993", "18446744073709551615",
                                        "-9223372036854775808" };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct yaml_file file;
        uint32_t line;

        REQUIRE("it parses", yaml_parse(texts[i], strlen(texts[i]), &yaml_limits_default, &file,
                                        &line, NULL) == 0);
        for (int k = 0; k < 3; k++) {
            CHECK_STR("digits", cJSON_GetArrayItem(file.documents[0].root, k)->valuestring,
                      want[k]);
        }
        CHECK("small ones do not",
              cJSON_GetArrayItem(file.documents[0].root, 3)->valuestring == NULL);
        yaml_file_deinit(&file);
    }
}

TEST(utf16_is_read)
{
    static const unsigned char little[] = { 0xFF, 0xFE, 'a',  0,    ':',  0,
                                            ' ',  0,    0x3D, 0xD8, 0x00, 0xDE };
    static const unsigned char big[] = { 0xFE, 0xFF, 0, 'a', 0, ':', 0, ' ', 0, '1' };
    static const unsigned char odd[] = { 0xFE, 0xFF, 0, 'a', 0 };
    static const unsigned char lone[] = { 0xFE, 0xFF, 0xD8, 0x3D, 0, 'a' };
    char *got = read_text((const char *)little, sizeof(little));

    CHECK_STR("little endian, with a surrogate pair", got, "{\"a\":\"\xF0\x9F\x98\x80\"}");
    free(got);
    got = read_text((const char *)big, sizeof(big));
    CHECK_STR("big endian", got, "{\"a\":1}");
    free(got);
    got = read_text((const char *)odd, sizeof(odd));
    CHECK_STR("half a character", got,
              "! line 1, column 1: the UTF-16 text ends in the middle of a character");
    free(got);
    got = read_text((const char *)lone, sizeof(lone));
    CHECK_STR("a lone surrogate", got, "! line 1, column 1: the text is not valid UTF-16");
    free(got);
}

static void check_refused(const char *fact, const char *text, int code, const char *sentence)
{
    struct yaml_file file;
    struct error err = { 0 };
    uint32_t line;

    CHECK_INT(fact, yaml_parse(text, strlen(text), &yaml_limits_default, &file, &line, &err), code);
    CHECK_STR(fact, err.text, sentence);
    yaml_file_deinit(&file);
}

TEST(growth_is_bounded)
{
    struct buf b;

    buf_init(&b, 64 << 20);
    buf_adds(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        buf_addf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                 i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    check_refused(
        "a billion laughs", buf_text(&b), NA_ELIMIT,
        "line 5, column 55: the aliases of the document expand to more than 8388608 bytes");

    buf_reset(&b);
    buf_adds(&b, "a: &a 1\nb: [");
    for (int i = 0; i < 1001; i++) {
        buf_adds(&b, "*a,\n ");
    }
    buf_adds(&b, "]");
    check_refused("many aliases", buf_text(&b), NA_ELIMIT,
                  "line 1002, column 2: the document has more than 1000 aliases");

    buf_reset(&b);
    for (int i = 0; i < 65; i++) {
        buf_adds(&b, "[");
    }
    check_refused("deep JSON", buf_text(&b), NA_ELIMIT,
                  "line 1, column 65: values are nested deeper than 64 levels");
    buf_reset(&b);
    for (int i = 0; i < 70; i++) {
        buf_adds(&b, "- ");
    }
    check_refused("deep YAML", buf_text(&b), NA_ELIMIT,
                  "line 1, column 129: values are nested deeper than 64 levels");

    buf_reset(&b);
    buf_adds(&b, "- &a");
    for (int i = 0; i < 40; i++) {
        buf_adds(&b, " [");
    }
    for (int i = 0; i < 40; i++) {
        buf_adds(&b, " ]");
    }
    buf_adds(&b, "\n- ");
    for (int i = 0; i < 40; i++) {
        buf_adds(&b, "[");
    }
    buf_adds(&b, "*a");
    for (int i = 0; i < 40; i++) {
        buf_adds(&b, "]");
    }
    check_refused("deep by alias", buf_text(&b), NA_ELIMIT,
                  "line 2, column 43: values are nested deeper than 64 levels");

    buf_reset(&b);
    buf_adds(&b, "{");
    for (int i = 0; i < 50000; i++) {
        buf_addf(&b, "\"k%d\": 1,\n", i);
    }
    buf_adds(&b, "\"k7\": 1}");
    check_refused("many keys, one twice", buf_text(&b), NA_EINVAL,
                  "line 50001, column 1: key 'k7' is already set on line 8");
    buf_deinit(&b);

    struct yaml_limits small = yaml_limits_default;
    struct yaml_file file;
    struct error err = { 0 };
    uint32_t line;
    small.max_nodes = 3;
    CHECK_INT("many values", yaml_parse("[1, 2, 3]", 9, &small, &file, &line, &err), NA_ELIMIT);
    CHECK_STR("many values", err.text, "line 1, column 8: the document has more than 3 values");
    yaml_file_deinit(&file);
    small.max_bytes = 4;
    CHECK_INT("a large text", yaml_parse("[1, 2]", 6, &small, &file, &line, &err), NA_ELIMIT);
    yaml_file_deinit(&file);
}

TEST(one_bad_document_does_not_hide_the_next)
{
    static const char text[] = "a: 1\n---\nb: [}\n---\nc: 3\n---\n{\"d\": x}\n---\ne: 5\n";
    static const int want[] = { 1, NA_EINVAL, 1, 1, 1, 0 };
    struct yaml_reader *r;
    struct error err = { 0 };

    REQUIRE("a reader",
            yaml_reader_create(&r, text, strlen(text), &yaml_limits_default, &err) == 0);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct yaml_document doc = { .root = NULL };
        uint32_t line = 0;
        int rc = yaml_reader_next(r, &doc, &line, &err);

        CHECK_INT("outcome", rc, want[i]);
        if (rc == NA_EINVAL) {
            CHECK_INT("the error's line", line, 3);
        }
        yaml_document_deinit(&doc);
    }
    yaml_reader_destroy(r);
}

/* ---- random texts: nothing to check but that sanitizers and limits stay silent ---- */

static uint64_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33);
}

static void read_quietly(const char *text, size_t len)
{
    struct yaml_file file;
    struct error err = { 0 };
    uint32_t line, column;

    yaml_parse(text, len, &yaml_limits_default, &file, &line, &err);
    for (uint32_t i = 0; i < file.count; i++) {
        char *json = cJSON_PrintUnformatted(file.documents[i].root);
        yaml_position(&file.documents[i], file.documents[i].root, &line, &column);
        CHECK("a root has a line", line > 0);
        cJSON_free(json);
    }
    yaml_file_deinit(&file);
}

TEST(any_bytes_are_read_or_refused)
{
    static const char *const seeds[] = {
        "apiVersion: v1\nkind: List\nitems:\n- &a {x: [1, 2, {y: z}], <<: {k: &b v}}\n- *a\n- <<: "
        "[*a]\n  t: *b\n",
        "{\"a\": [1, -2.5e3, \"\\ud83d\\ude00\\n\", true, null, {\"b\": {}}]}\n{\"c\": "
        "[]}\n---\nx: |\n  y\n",
        "%YAML 1.1\n---\n? a\n: !!str b\n...\n---\n'q': \"d\\x41\"\n--- # c\n- - - 1\n"
    };
    static const char bytes[] = "{}[]:,-?&*!|>'\"%@`#\n\r\t \\<~.0aZ\xEF\xBB\xBF\xFF\x85\x00";
    const char *seed = getenv("SEED"), *rounds = getenv("YAML_ROUNDS");
    int count = rounds != NULL ? atoi(rounds) : 20000;
    char text[512];

    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20240607;
    printf("# SEED=%llu\n", (unsigned long long)random_state);
    for (int i = 0; i < count; i++) {
        const char *base = seeds[next_random() % ARRAY_LEN(seeds)];
        size_t len = strlen(base);

        memcpy(text, base, len);
        if (i % 4 == 0) {
            len = next_random() % 64;
            for (size_t k = 0; k < len; k++) {
                text[k] = bytes[next_random() % (sizeof(bytes) - 1)];
            }
        }
        for (uint32_t edits = next_random() % 6; edits > 0 && len > 1; edits--) {
            size_t at = next_random() % len;
            switch (next_random() % 3) {
            case 0:
                text[at] = bytes[next_random() % (sizeof(bytes) - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, len - at - 1);
                len--;
                break;
            default:
                if (len < sizeof(text)) {
                    memmove(text + at + 1, text + at, len - at);
                    text[at] = bytes[next_random() % (sizeof(bytes) - 1)];
                    len++;
                }
            }
        }
        read_quietly(text, len);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(scalars_are_read_as_kubectl_reads_them),
              cmocka_unit_test(structure_and_documents),
              cmocka_unit_test(anchors_aliases_and_merge_keys),
              cmocka_unit_test(json_is_read_as_json),
              cmocka_unit_test(positions_are_those_of_keys_and_items),
              cmocka_unit_test(large_whole_numbers_keep_their_digits),
              cmocka_unit_test(utf16_is_read), cmocka_unit_test(growth_is_bounded),
              cmocka_unit_test(one_bad_document_does_not_hide_the_next),
              cmocka_unit_test(any_bytes_are_read_or_refused));
}
