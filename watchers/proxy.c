#include "watchers/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cluster/cidr.h"

enum { HOST_MAX = 256 };

bool url_host(const char *url, char *host, unsigned size, unsigned *port)
{
    const char *at = strstr(url, "://");
    const char *end, *user, *colon;
    long long number = 0;
    size_t len;

    at = at != NULL ? at + 3 : url;
    end = at + strcspn(at, "/?#");
    user = memrchr(at, '@', (size_t)(end - at));
    at = user != NULL ? user + 1 : at;
    if (*at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));

        if (close == NULL) {
            return false;
        }
        at++;
        len = (size_t)(close - at);
        colon = close[1] == ':' ? close + 1 : NULL;
    } else {
        colon = memchr(at, ':', (size_t)(end - at));
        len = (size_t)((colon != NULL ? colon : end) - at);
    }
    if (len == 0 || len >= size) {
        return false;
    }
    if (colon != NULL) {
        char text[8];

        snprintf(text, sizeof(text), "%.*s", (int)(end - colon - 1), colon + 1);
        if ((size_t)(end - colon - 1) >= sizeof(text) || !text_to_int(text, 1, 65535, &number)) {
            return false;
        }
    }
    memcpy(host, at, len);
    host[len] = '\0';
    *port = (unsigned)number;
    return true;
}

int proxy_check(const char *url, struct error *err)
{
    char host[HOST_MAX];
    unsigned port;

    if (!text_starts(url, "http://") && !text_starts(url, "https://") &&
        !text_starts(url, "socks5://") && !text_starts(url, "socks5h://")) {
        return error_set(err, NA_EINVAL,
                         "proxy-url must begin with http://, https:// or socks5://");
    }
    if (!url_host(url, host, sizeof(host), &port)) {
        return error_set(err, NA_EINVAL, "proxy-url names no host");
    }
    return 0;
}

bool host_is_loopback(const char *host)
{
    struct cidr ip;

    if (text_iequal(host, "localhost")) {
        return true;
    }
    if (!ip_parse(host, &ip)) {
        return false;
    }
    if (ip.family == 4) {
        return ip.addr[0] == 127;
    }
    for (unsigned i = 0; i < 15; i++) {
        if (ip.addr[i] != 0) {
            return false;
        }
    }
    return ip.addr[15] == 1;
}

/* One entry of NO_PROXY, already without its port. */
static bool entry_matches(const char *entry, const char *host)
{
    size_t host_len = strlen(host), len;
    struct cidr range, ip;

    if (strcmp(entry, "*") == 0 || text_iequal(entry, host)) {
        return true;
    }
    if (ip_parse(host, &ip)) {
        return strchr(entry, '/') != NULL && cidr_parse(entry, &range) &&
               cidr_contains(&range, &ip);
    }
    entry += entry[0] == '*' && entry[1] == '.' ? 1 : 0;
    if (entry[0] != '.') {
        len = strlen(entry);
        return len > 0 && host_len > len && host[host_len - len - 1] == '.' &&
               text_iequal(host + host_len - len, entry);
    }
    len = strlen(entry);
    return host_len > len && text_iequal(host + host_len - len, entry);
}

bool no_proxy_matches(const char *list, const char *host, unsigned port)
{
    while (*list != '\0') {
        char entry[HOST_MAX], *colon, *text = entry;
        size_t len = strcspn(list, ", ");
        long long entry_port = 0;

        if (len > 0 && len < sizeof(entry)) {
            memcpy(entry, list, len);
            entry[len] = '\0';
            colon = strrchr(entry, ':');
            if (entry[0] == '[') {
                char *close = strchr(entry, ']');

                if (close != NULL) {
                    *close = '\0';
                    text = entry + 1;
                    colon = close[1] == ':' ? close + 1 : NULL;
                }
            } else if (colon != NULL && strchr(entry, ':') != colon) {
                colon = NULL; /* an IPv6 address */
            }
            if (colon != NULL && text_to_int(colon + 1, 1, 65535, &entry_port)) {
                *colon = '\0';
            }
            if ((entry_port == 0 || (unsigned)entry_port == port) && entry_matches(text, host)) {
                return true;
            }
        }
        list += len;
        list += strspn(list, ", ");
    }
    return false;
}

static const char *environment(const char *upper, const char *lower)
{
    const char *value = getenv(upper);

    if (value == NULL || value[0] == '\0') {
        value = getenv(lower);
    }
    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *proxy_from_environment(const char *url)
{
    bool tls = text_starts(url, "https://");
    const char *proxy =
        tls ? environment("HTTPS_PROXY", "https_proxy") : environment("HTTP_PROXY", "http_proxy");
    const char *except = environment("NO_PROXY", "no_proxy");
    char host[HOST_MAX];
    unsigned port;

    if (proxy == NULL || !url_host(url, host, sizeof(host), &port) || host_is_loopback(host)) {
        return NULL;
    }
    if (port == 0) {
        port = tls ? 443 : 80;
    }
    return except != NULL && no_proxy_matches(except, host, port) ? NULL : proxy;
}
