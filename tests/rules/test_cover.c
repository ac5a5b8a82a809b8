/* The two searches behind reach against slow ones: do selectors cover every label set, do blocks
 * cover everyone outside? */
#include "base/hash.h"
#include "cluster/cidr.h"
#include "rules/label_cover.h"
#include "rules/public_address.h"
#include "rules/world.h"
#include "tests/rules/random_objects.h"
#include "tests/check.h"

enum {
    KEYS = 3,
    VALUES = 2,
    CHOICES = VALUES + 2 /* absent, other */,
    SELECTORS = 4,
    ROUNDS = 20000
};

struct small { /* a label set over few keys: 0 absent, 1 other, 2.. a named value */
    int value[KEYS];
};

static bool holds(const struct selector_requirement *r, const struct small *s, struct str **keys,
                  struct str **values)
{
    int k = 0;

    while (keys[k] != r->key) {
        k++;
    }
    bool in = false;
    for (uint32_t i = 0; i < r->value_count; i++) {
        in = in || (s->value[k] >= 2 && values[s->value[k] - 2] == r->values[i]);
    }
    switch (r->op) {
    case SELECTOR_IN:
        return in;
    case SELECTOR_NOT_IN:
        return !in;
    case SELECTOR_EXISTS:
        return s->value[k] != 0;
    case SELECTOR_DOES_NOT_EXIST:
        break;
    }
    return s->value[k] == 0;
}

/* Every label set, one after another. */
static bool covered_by_trying(const struct selector *selectors, size_t count, struct str **keys,
                              struct str **values)
{
    for (int n = 0; n < CHOICES * CHOICES * CHOICES; n++) {
        const struct small s = { { n % CHOICES, n / CHOICES % CHOICES, n / CHOICES / CHOICES } };
        bool any = false;
        for (size_t i = 0; i < count && !any; i++) {
            any = true;
            for (uint32_t r = 0; r < selectors[i].count; r++) {
                any = any && holds(&selectors[i].requirements[r], &s, keys, values);
            }
        }
        if (!any) {
            return false;
        }
    }
    return true;
}

static void random_requirement(struct chance *c, struct selector_requirement *r, struct str **keys,
                               struct str **values)
{
    r->op = (enum selector_op)chance_below(c, 4);
    r->key = keys[chance_below(c, KEYS)];
    r->values = values + chance_below(c, VALUES);
    r->value_count = r->op == SELECTOR_EXISTS || r->op == SELECTOR_DOES_NOT_EXIST ? 0
                     : r->values == values ? 1 + chance_below(c, VALUES)
                                           : 1;
}

TEST(the_search_agrees_with_trying_every_label_set)
{
    struct str *keys[KEYS] = { str_intern("a"), str_intern("b"), str_intern("c") };
    struct str *values[VALUES] = { str_intern("x"), str_intern("y") };
    struct chance c = { 4711 };
    unsigned covered = 0, not_covered = 0;

    for (int round = 0; round < ROUNDS; round++) {
        struct selector_requirement requirements[SELECTORS][3];
        struct selector selectors[SELECTORS];
        size_t count = 1 + chance_below(&c, SELECTORS);
        struct label_cover cover = { 0 };
        for (size_t i = 0; i < count; i++) {
            /* Mostly one requirement, or hardly ever would everything be covered. */
            uint32_t n = chance_percent(&c, 70) ? 1 : chance_below(&c, 4);
            for (uint32_t r = 0; r < n; r++) {
                random_requirement(&c, &requirements[i][r], keys, values);
            }
            selectors[i] = (struct selector){ .requirements = requirements[i], .count = n };
            label_cover_begin(&cover);
            label_cover_and(&cover, LABELS_OF_POD, &selectors[i]);
        }
        bool want = covered_by_trying(selectors, count, keys, values);
        enum cover_answer got = label_cover_ask(&cover);
        CHECK("few requirements are never too hard", got != COVER_TOO_HARD);
        CHECK("the search finds what trying finds", (got == COVER_ALL) == want);
        covered += want ? 1U : 0U;
        not_covered += want ? 0U : 1U;
        label_cover_deinit(&cover);
    }
    CHECK("both answers occurred often", covered > ROUNDS / 20 && not_covered > ROUNDS / 20);
    for (int i = 0; i < KEYS; i++) {
        str_unref(keys[i]);
    }
    for (int i = 0; i < VALUES; i++) {
        str_unref(values[i]);
    }
}

TEST(no_selector_covers_nothing)
{
    struct label_cover cover = { 0 };

    CHECK("nobody is selected", label_cover_ask(&cover) == COVER_NOT_ALL);
    label_cover_begin(&cover);
    CHECK("an empty selector selects everybody", label_cover_ask(&cover) == COVER_ALL);
    label_cover_deinit(&cover);
}

/* ---- everyone outside ---- */

static bool covers(int family, const char *blocks, const char *except)
{
    struct world w = { 0 };
    char text[2048];
    struct str *holes[32];
    uint32_t n = 0;

    snprintf(text, sizeof(text), "%s", except != NULL ? except : "");
    for (char *t = strtok(text, " "); t != NULL; t = strtok(NULL, " ")) {
        holes[n++] = str_intern(t);
    }
    char list[2048];
    snprintf(list, sizeof(list), "%s", blocks);
    for (char *t = strtok(list, " "); t != NULL; t = strtok(NULL, " ")) {
        struct ip_block b = { .cidr = str_intern(t), .except = holes, .except_count = n };
        world_add(&w, &b);
        str_unref(b.cidr);
    }
    bool covered = world_covered(&w, family);
    for (uint32_t i = 0; i < n; i++) {
        str_unref(holes[i]);
    }
    world_deinit(&w);
    return covered;
}

TEST(everyone_outside)
{
    CHECK("no block is nobody", !covers(4, "", NULL));
    CHECK("all of IPv4", covers(4, "0.0.0.0/0", NULL));
    CHECK("is not all of IPv6", !covers(6, "0.0.0.0/0", NULL));
    CHECK("all of IPv6", covers(6, "::/0", NULL));
    CHECK("half of IPv6's unicast is not", !covers(6, "2000::/4", NULL));
    CHECK("the halves in any order", covers(4, "128.0.0.0/1 0.0.0.0/1", NULL));
    CHECK("overlapping blocks count once",
          !covers(4, "0.0.0.0/1 0.0.0.0/2 64.0.0.0/2 0.0.0.0/1", NULL));
    CHECK("quarters of which one is missing", !covers(4, "0.0.0.0/2 64.0.0.0/2 128.0.0.0/2", NULL));
    CHECK("holes where nobody public lives",
          covers(4, "0.0.0.0/0", "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 224.0.0.0/3"));
    CHECK("overlapping holes", covers(4, "0.0.0.0/0", "10.0.0.0/8 10.1.0.0/16 10.0.0.0/9"));
    CHECK("everything left out", !covers(4, "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1"));
    CHECK("the last address left out", covers(4, "0.0.0.0/0", "255.255.255.255/32"));
    CHECK("what is no CIDR adds nothing", !covers(4, "everything", NULL));
    CHECK("and leaves nothing out", covers(4, "0.0.0.0/0", "10.0.0.0 nothing"));
    CHECK("documentation and 6to4 ranges are nobody's",
          covers(6, "2000::/3", "2001:db8::/32 2002::/16"));
}

/* The same registry is known to another file: what one calls public, coverage of all must need. */
TEST(the_public_ranges_agree_with_those_for_single_addresses)
{
    struct chance c = { 99 };

    for (int i = 0; i < 20000; i++) {
        char text[64];
        struct cidr address;
        uint32_t r = (uint32_t)chance_next(&c);
        snprintf(text, sizeof(text), "%u.%u.%u.%u", r >> 24, r >> 16 & 255, r >> 8 & 255, r & 255);
        REQUIRE("an address", ip_parse(text, &address));
        if (i % 2 == 0) {
            /* near the borders of the known ranges */
            static const char *const near[] = {
                "9.255.255.255",   "10.0.0.0",        "10.255.255.255",  "11.0.0.0",
                "100.63.255.255",  "100.64.0.0",      "100.127.255.255", "100.128.0.0",
                "172.15.255.255",  "172.16.0.0",      "172.31.255.255",  "172.32.0.0",
                "192.167.255.255", "192.168.0.0",     "192.169.0.0",     "198.17.255.255",
                "198.18.0.0",      "198.19.255.255",  "198.20.0.0",      "223.255.255.255",
                "224.0.0.0",       "255.255.255.255", "0.255.255.255",   "1.0.0.0",
                "169.253.255.255", "169.254.0.0",     "192.0.0.255",     "192.0.1.0",
                "192.0.2.7",       "192.88.99.1",     "198.51.100.1",    "203.0.113.255",
                "203.0.114.0",     "2001:db8::1",     "2001:1ff::1",     "2001:200::1",
                "2002::1",         "2003::1",         "3fff:fff::1",     "3fff:1000::1",
                "fc00::1",         "fe80::1",         "4000::1",         "1fff::1",
                "64:ff9c::1"
            };
            snprintf(text, sizeof(text), "%s", ONE_OF(&c, near));
        }
        CHECK(text, address_is_public(text) == world_has(text));
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(the_search_agrees_with_trying_every_label_set),
              cmocka_unit_test(no_selector_covers_nothing), cmocka_unit_test(everyone_outside),
              cmocka_unit_test(the_public_ranges_agree_with_those_for_single_addresses));
}
