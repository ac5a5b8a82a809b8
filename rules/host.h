/* Host names of Ingresses (SEMANTICS 11): compared without case, a wildcard only as the whole
 * left-most label and for exactly one label. */
#ifndef NETAUDITD_RULES_HOST_H
#define NETAUDITD_RULES_HOST_H

#include <stdbool.h>

/* "*.shop.example": its first label is the whole wildcard and something follows. */
bool host_is_wildcard(const char *host);
/* Names no host at all: NULL, "" or "*". */
bool host_is_any(const char *host);
bool host_same(const char *a, const char *b);
/* Does TLS for `tls_host` serve a rule for `host`? Equal ones do; a wildcard serves every name that
 * has exactly one label in its place, never the bare domain and never another wildcard. */
bool host_covers(const char *tls_host, const char *host);

#endif
