#include "rules/host.h"

#include <string.h>

#include "base/text.h"

bool host_is_wildcard(const char *host)
{
    return host != NULL && text_starts(host, "*.") && host[2] != '\0';
}

bool host_is_any(const char *host)
{
    return host == NULL || host[0] == '\0' || strcmp(host, "*") == 0;
}

bool host_same(const char *a, const char *b)
{
    return text_iequal(a, b);
}

bool host_covers(const char *tls_host, const char *host)
{
    const char *rest;

    if (host_is_any(host) || host_is_any(tls_host)) {
        return false;
    }
    if (host_same(tls_host, host)) {
        return true;
    }
    rest = strchr(host, '.');
    return host_is_wildcard(tls_host) && !host_is_wildcard(host) && rest != NULL && rest != host &&
           host_same(tls_host + 1, rest);
}
