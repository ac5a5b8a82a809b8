/* Strings, label sets and selectors: the small change of the cache. */
#include "tests/check.h"

#include "cluster/cidr.h"
#include "cluster/decode.h"
#include "cluster/selector.h"

#define NOT_IN_TIER_DB                                                                             \
    "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"db\"]}]}"
#define IN_TIER                                                                                    \
    "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\",\"values\":[\"db\",\"web\"]}]}"
#define EXISTS_TIER "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"Exists\"}]}"
#define NO_TIER     "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"DoesNotExist\"}]}"

static struct selector *parse(const char *json)
{
    cJSON *tree = cJSON_Parse(json);
    struct selector *s = NULL;
    struct error err = { .code = 0 };

    if (selector_from_tree(tree, FIELD(NULL, "podSelector"), &s, &err) != 0) {
        fprintf(stderr, "selector %s: %s\n", json, err.text);
    }
    cJSON_Delete(tree);
    return s;
}

/* "a=1,b=2" */
static struct label_set *labels_of(const char *text)
{
    struct label pairs[16];
    uint32_t n = 0;
    char copy[256], *save = NULL;
    struct label_set *set;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *part = strtok_r(copy, ",", &save); part != NULL; part = strtok_r(NULL, ",", &save)) {
        char *eq = strchr(part, '=');

        pairs[n].key = str_intern_n(part, (size_t)(eq - part));
        pairs[n++].value = str_intern(eq + 1);
    }
    set = label_set_intern(pairs, n);
    while (n-- > 0) {
        str_unref(pairs[n].key);
        str_unref(pairs[n].value);
    }
    return set;
}

static const struct {
    const char *fact, *selector, *labels;
    bool match;
} cases[] = {
    { "an absent selector selects nothing", "null", "app=web", false },
    { "an empty selector selects everything", "{}", "app=web", true },
    { "an empty selector selects what has no labels", "{}", "", true },
    { "matchLabels wants the pair", "{\"matchLabels\":{\"app\":\"web\"}}", "app=web", true },
    { "matchLabels does not take another value", "{\"matchLabels\":{\"app\":\"web\"}}", "app=db",
      false },
    { "matchLabels does not take an absent key", "{\"matchLabels\":{\"app\":\"web\"}}", "tier=web",
      false },
    { "requirements are all wanted", "{\"matchLabels\":{\"app\":\"web\",\"tier\":\"front\"}}",
      "app=web", false },
    { "an empty value is a value", "{\"matchLabels\":{\"app\":\"\"}}", "app=", true },
    { "an empty value is not an absent key", "{\"matchLabels\":{\"app\":\"\"}}", "x=y", false },
    { "keys are case-sensitive", "{\"matchLabels\":{\"App\":\"web\"}}", "app=web", false },
    { "In takes any of its values", IN_TIER, "tier=web", true },
    { "In takes no other", IN_TIER, "tier=cache", false },
    { "In wants the key", IN_TIER, "app=web", false },
    { "NotIn holds when the key is missing", NOT_IN_TIER_DB, "app=web", true },
    { "NotIn holds for another value", NOT_IN_TIER_DB, "tier=web", true },
    { "NotIn does not hold for the value", NOT_IN_TIER_DB, "tier=db", false },
    { "Exists wants the key", EXISTS_TIER, "tier=", true },
    { "Exists fails without it", EXISTS_TIER, "app=web", false },
    { "DoesNotExist fails with it", NO_TIER, "tier=db", false },
    { "DoesNotExist holds without it", NO_TIER, "app=web", true },
    { "an unknown operator matches nothing",
      "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"in\",\"values\":[\"db\"]}]}",
      "tier=db", false },
    { "In without values matches nothing",
      "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\"}]}", "tier=db", false },
    { "Exists with values matches nothing",
      "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"Exists\",\"values\":[\"db\"]}]}",
      "tier=db", false },
};

TEST(selector_matches_as_the_api_says)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector *s = parse(cases[i].selector);
        struct label_set *labels = labels_of(cases[i].labels);

        CHECK(cases[i].fact, selector_matches(s, labels) == cases[i].match);
        selector_destroy(s);
        label_set_unref(labels);
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

static const struct {
    const char *selector, *sentence;
} malformed[] = {
    { "{\"matchLabels\":{\"a b\":\"x\"}}", "podSelector.matchLabels: a key is not a label key" },
    { "{\"matchLabels\":{\"a\":\"x y\"}}",
      "podSelector.matchLabels.a: the value is not a label value" },
    { "{\"matchLabels\":{\"Example.com/a\":\"x\"}}",
      "podSelector.matchLabels: a key is not a label key" },
    { "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"},{\"key\":\"\",\"operator\":"
      "\"Exists\"}]}",
      "podSelector.matchExpressions[1].key: is not a label key" },
    { "{\"matchExpressions\":[{\"key\":\"a\"}]}",
      "podSelector.matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist" },
    { "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[]}]}",
      "podSelector.matchExpressions[0].values: must not be empty with In and NotIn" },
    { "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\",\"values\":[\"b\"]}]}",
      "podSelector.matchExpressions[0].values: must be empty with Exists and DoesNotExist" },
};

TEST(a_broken_selector_says_where)
{
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct selector *s = parse(malformed[i].selector);

        REQUIRE("it is kept", s != NULL);
        CHECK_STR("the first fault is named", str_text(s->malformed), malformed[i].sentence);
        selector_destroy(s);
    }
}

TEST(selectors_read_as_kubectl_writes_them)
{
    static const struct {
        const char *selector, *text;
        size_t size;
    } rows[] = {
        { "null", "<none>", 64 },
        { "{}", "<all>", 64 },
        { "{\"matchLabels\":{\"b\":\"2\",\"a\":\"1\"}}", "a=1,b=2", 64 },
        { IN_TIER, "tier in (db,web)", 64 },
        { NOT_IN_TIER_DB, "tier notin (db)", 64 },
        { "{\"matchLabels\":{\"app\":\"x\"},\"matchExpressions\":[{\"key\":\"tier\",\"operator\":"
          "\"DoesNotExist\"},{\"key\":\"env\",\"operator\":\"Exists\"}]}",
          "app=x,env,!tier", 64 },
        { IN_TIER, "tier in...", 11 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct selector *s = parse(rows[i].selector);
        char out[64];

        selector_format(s, out, rows[i].size);
        CHECK_STR(rows[i].selector, out, rows[i].text);
        selector_destroy(s);
    }
}

TEST(two_spellings_of_one_selector_are_equal)
{
    struct selector *a =
        parse("{\"matchExpressions\":[{\"key\":\"t\",\"operator\":\"In\",\"values\":"
              "[\"b\",\"a\",\"b\"]},{\"key\":\"a\",\"operator\":\"Exists\"}]}");
    struct selector *b = parse("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"},"
                               "{\"key\":\"t\",\"operator\":\"In\",\"values\":[\"a\",\"b\"]}]}");
    struct selector *c = parse("{\"matchLabels\":{\"t\":\"a\"}}");

    CHECK("order and repetition do not count", selector_equal(a, b));
    CHECK("another selector differs", !selector_equal(a, c));
    CHECK("an absent one is not an empty one",
          !selector_equal(NULL, c) && selector_equal(NULL, NULL));
    selector_destroy(a);
    selector_destroy(b);
    selector_destroy(c);
}

TEST(label_sets_are_one_object_per_content)
{
    struct label_set *a = labels_of("b=2,a=1"), *b = labels_of("a=1,b=2"), *c = labels_of("a=1");
    struct label_set *twice = labels_of("a=0,a=1"), *empty = labels_of("");

    CHECK("order does not count", a == b);
    CHECK("of a key twice the last wins", twice == c);
    CHECK("another content is another set", a != c);
    CHECK("the empty set is a set", empty != NULL && empty->count == 0);
    CHECK_STR("keys are sorted", a->items[0].key->text, "a");
    CHECK("lookups", label_set_has(a, "b", "2") && !label_set_has(a, "b", "1") &&
                         label_set_text(c, "b") == NULL && label_set_text(NULL, "b") == NULL);
    label_set_unref(a);
    label_set_unref(b);
    label_set_unref(c);
    label_set_unref(twice);
    label_set_unref(empty);
    CHECK_INT("all is given back", str_table_count(), 0);
}

TEST(a_large_label_set_is_sorted_and_unique)
{
    enum { N = 1000 };
    static struct label pairs[2 * N];
    struct label_set *set;
    char text[32];
    bool sorted = true;

    for (int i = 0; i < 2 * N; i++) {
        snprintf(text, sizeof(text), "k%d", i * 7 % N);
        pairs[i].key = str_intern(text);
        snprintf(text, sizeof(text), "v%d", i);
        pairs[i].value = str_intern(text);
    }
    set = label_set_intern(pairs, 2 * N);
    CHECK_INT("every key once", set->count, N);
    for (uint32_t i = 1; i < set->count; i++) {
        sorted = sorted && strcmp(set->items[i - 1].key->text, set->items[i].key->text) < 0;
    }
    CHECK("in the order of bytes", sorted);
    CHECK_STR("the last value of a key", label_set_text(set, "k7"), "v1001");
    label_set_unref(set);
    for (int i = 0; i < 2 * N; i++) {
        str_unref(pairs[i].key);
        str_unref(pairs[i].value);
    }
}

TEST(cidrs_are_read_as_the_api_reads_them)
{
    static const struct {
        const char *text, *canonical;
        bool host_bits, leading_zeros, mapped;
    } rows[] = {
        { "10.0.0.0/8", "10.0.0.0/8", false, false, false },
        { "10.1.2.3/8", "10.0.0.0/8", true, false, false },
        { "0.0.0.0/0", "0.0.0.0/0", false, false, false },
        { "010.000.0.0/08", "10.0.0.0/8", false, true, false },
        { "2001:DB8::1/64", "2001:db8::/64", true, false, false },
        { "::ffff:10.0.0.0/104", "10.0.0.0/8", false, false, true },
        { "::/0", "::/0", false, false, false },
        { "192.168.1.1/32", "192.168.1.1/32", false, false, false },
        { "10.0.0.0", NULL, false, false, false },
        { "10.0.0.0/33", NULL, false, false, false },
        { "10.0.0/8", NULL, false, false, false },
        { "10.0.0.256/8", NULL, false, false, false },
        { "", NULL, false, false, false },
        { "10.0.0.0/8 ", NULL, false, false, false },
        { "::/129", NULL, false, false, false },
        { "fe80::1%eth0/64", NULL, false, false, false },
    };
    char out[CIDR_TEXT_MAX];
    struct cidr a, b;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool ok = cidr_parse(rows[i].text, &a);

        CHECK(rows[i].text, ok == (rows[i].canonical != NULL));
        if (ok && rows[i].canonical != NULL) {
            cidr_format(&a, out);
            CHECK_STR(rows[i].text, out, rows[i].canonical);
            CHECK(rows[i].text, a.host_bits == rows[i].host_bits && a.mapped == rows[i].mapped &&
                                    a.leading_zeros == rows[i].leading_zeros);
        }
    }
    CHECK("inside", cidr_parse("10.0.0.0/8", &a) && cidr_parse("10.2.0.0/16", &b) &&
                        cidr_contains(&a, &b) && !cidr_contains(&b, &a));
    CHECK("families do not mix", cidr_parse("::/0", &a) && !cidr_contains(&a, &b));
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(selector_matches_as_the_api_says),
              cmocka_unit_test(a_broken_selector_says_where),
              cmocka_unit_test(selectors_read_as_kubectl_writes_them),
              cmocka_unit_test(two_spellings_of_one_selector_are_equal),
              cmocka_unit_test(label_sets_are_one_object_per_content),
              cmocka_unit_test(a_large_label_set_is_sorted_and_unique),
              cmocka_unit_test(cidrs_are_read_as_the_api_reads_them));
}
