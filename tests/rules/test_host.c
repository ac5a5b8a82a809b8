#include "rules/host.h"
#include "tests/check.h"

static const struct {
    const char *fact, *tls, *host;
    bool covers;
} cases[] = {
    { "equal hosts cover each other", "shop.example", "shop.example", true },
    { "case does not count", "Shop.Example", "sHOP.eXAMPLE", true },
    { "another host is not covered", "shop.example", "api.example", false },
    { "a wildcard covers one more label", "*.a.b", "x.a.b", true },
    { "a wildcard covers one more label in any case", "*.A.b", "X.a.B", true },
    { "a wildcard never covers the bare domain", "*.a.b", "a.b", false },
    { "a wildcard never covers two labels", "*.a.b", "x.y.a.b", false },
    { "a wildcard rule host needs the same wildcard", "*.a.b", "*.a.b", true },
    { "a wider wildcard does not cover a wildcard", "*.b", "*.a.b", false },
    { "a host does not cover a wildcard", "x.a.b", "*.a.b", false },
    { "a suffix is not a label", "*.a.b", "xa.b", false },
    { "an empty left-most label is no label", "*.a.b", ".a.b", false },
    { "a star inside a label is no wildcard", "x*.a.b", "xy.a.b", false },
    { "a lone star covers nothing", "*", "a.b", false },
    { "an empty host covers nothing", "", "a.b", false },
    { "an absent host covers nothing", NULL, "a.b", false },
    { "an absent rule host is covered by nothing", "a.b", NULL, false },
    { "a wildcard without domain covers nothing", "*.", "x.", false },
    { "a single label is covered by itself", "localhost", "localhost", true },
};

TEST(a_tls_host_covers_what_its_certificate_would)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(cases[i].fact, host_covers(cases[i].tls, cases[i].host) == cases[i].covers);
    }
}

TEST(no_host_is_said_in_three_ways)
{
    CHECK("absent", host_is_any(NULL));
    CHECK("empty", host_is_any(""));
    CHECK("star", host_is_any("*"));
    CHECK("a wildcard names hosts", !host_is_any("*.a.b"));
    CHECK("a wildcard has a domain", host_is_wildcard("*.a.b"));
    CHECK("a star and a dot alone are no wildcard", !host_is_wildcard("*."));
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(a_tls_host_covers_what_its_certificate_would),
              cmocka_unit_test(no_host_is_said_in_three_ways));
}
