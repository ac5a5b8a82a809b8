#include "cluster/name_syntax.h"

#include <string.h>

enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253, PORT_MAX = 15 };

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_dns_label(const char *text, size_t len)
{
    if (len == 0 || !is_lower_alnum(text[0]) || !is_lower_alnum(text[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_lower_alnum(text[i]) && text[i] != '-') {
            return false;
        }
    }
    return true;
}

bool name_is_dns_label(const char *text)
{
    size_t len = strlen(text);

    return len <= LABEL_MAX && is_dns_label(text, len);
}

static bool is_subdomain(const char *text, size_t len)
{
    size_t at = 0;

    if (len > SUBDOMAIN_MAX) {
        return false;
    }
    for (;;) {
        const char *dot = memchr(text + at, '.', len - at);
        size_t part = dot != NULL ? (size_t)(dot - text) - at : len - at;

        if (!is_dns_label(text + at, part)) {
            return false;
        }
        if (dot == NULL) {
            return true;
        }
        at += part + 1;
    }
}

bool name_is_dns_subdomain(const char *text)
{
    return is_subdomain(text, strlen(text));
}

bool name_is_wildcard_host(const char *text)
{
    return strncmp(text, "*.", 2) == 0 && strlen(text) <= SUBDOMAIN_MAX &&
           is_subdomain(text + 2, strlen(text + 2));
}

bool name_is_port(const char *text)
{
    size_t len = strlen(text);
    bool letter = false;

    if (len > PORT_MAX || !is_dns_label(text, len) || strstr(text, "--") != NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        letter = letter || (text[i] >= 'a' && text[i] <= 'z');
    }
    return letter;
}

static bool is_qualified(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > LABEL_MAX || !is_alnum(text[0]) || !is_alnum(text[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(text[i]) && strchr("-_.", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

bool name_is_label_key(const char *text)
{
    const char *slash = strchr(text, '/');

    if (slash == NULL) {
        return is_qualified(text);
    }
    return is_subdomain(text, (size_t)(slash - text)) && is_qualified(slash + 1);
}

bool name_is_label_value(const char *text)
{
    return text[0] == '\0' || is_qualified(text);
}
