#include "rules/public_address.h"
#include "tests/check.h"

static const struct {
    const char *address;
    bool is_public;
} cases[] = {
    { "8.8.8.8", true },
    { "1.1.1.1", true },
    { "9.255.255.255", true },
    { "11.0.0.0", true },
    { "10.0.0.1", false },
    { "172.15.255.255", true },
    { "172.16.0.0", false },
    { "172.31.255.255", false },
    { "172.32.0.0", true },
    { "192.168.1.1", false },
    { "100.64.0.1", false },
    { "100.128.0.0", true },
    { "169.254.169.254", false },
    { "127.0.0.1", false },
    { "0.0.0.0", false },
    { "192.0.0.8", false },
    { "192.0.0.9", true },
    { "192.0.0.10", true },
    { "198.18.0.1", false },
    { "198.51.100.7", false },
    { "203.0.113.7", false },
    { "224.0.0.1", false },
    { "255.255.255.255", false },
    { "2600:1f18::1", true },
    { "2001:4860:4860::8888", true },
    { "2001:db8::1", false },
    { "2001::1", false },
    { "2001:20::1", true },
    { "2002::1", false },
    { "3fff::1", false },
    { "fd00::1", false },
    { "fe80::1", false },
    { "ff02::1", false },
    { "::1", false },
    { "::", false },
    { "64:ff9b::808:808", true },
    { "::ffff:10.0.0.1", false },
    { "", false },
    { "lb.example", false },
    { "1.2.3", false },
};

TEST(public_addresses_are_those_the_registries_leave)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(cases[i].address, address_is_public(cases[i].address) == cases[i].is_public);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(public_addresses_are_those_the_registries_leave));
}
