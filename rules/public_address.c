/* The IANA special-purpose address registries as a table; the narrower entry comes first and
 * decides. */
#include "rules/public_address.h"

#include <stddef.h>

#include "base/vec.h"
#include "cluster/cidr.h"

static const struct {
    const char *block;
    bool global;
} ranges[] = {
    { "192.0.0.9/32", true },  /* Port Control Protocol anycast */
    { "192.0.0.10/32", true }, /* TURN anycast */
    { "192.0.0.0/24", false },   { "0.0.0.0/8", false },     { "10.0.0.0/8", false },
    { "100.64.0.0/10", false },  { "127.0.0.0/8", false },   { "169.254.0.0/16", false },
    { "172.16.0.0/12", false },  { "192.0.2.0/24", false },  { "192.88.99.0/24", false },
    { "192.168.0.0/16", false }, { "198.18.0.0/15", false }, { "198.51.100.0/24", false },
    { "203.0.113.0/24", false }, { "224.0.0.0/4", false },   { "240.0.0.0/4", false },
    { "0.0.0.0/0", true },       { "64:ff9b::/96", true },   { "2001:1::1/128", true },
    { "2001:1::2/128", true },   { "2001:1::3/128", true },  { "2001:3::/32", true },
    { "2001:4:112::/48", true }, { "2001:20::/28", true },   { "2001:30::/28", true },
    { "2001::/23", false },      { "2001:db8::/32", false }, { "2002::/16", false },
    { "3fff::/20", false },      { "2000::/3", true },
};

bool address_is_public(const char *text)
{
    struct cidr address, block;

    if (!ip_parse(text, &address)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (cidr_parse(ranges[i].block, &block) && cidr_contains(&block, &address)) {
            return ranges[i].global;
        }
    }
    return false;
}
