/* Is an address one that the whole Internet can route to? */
#ifndef NETAUDITD_RULES_PUBLIC_ADDRESS_H
#define NETAUDITD_RULES_PUBLIC_ADDRESS_H

#include <stdbool.h>

/* A globally routable unicast address: not in the IANA special-purpose ranges, not multicast. False
 * as well for text that is no address. */
bool address_is_public(const char *text);

#endif
