#include "cluster/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { IP_TEXT_MAX = 46, MAPPED_BITS = 96 };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

/* One decimal number up to `max`, leading zeros allowed and told. */
static bool parse_number(const char **at, unsigned max, unsigned *out, bool *leading_zeros)
{
    const char *p = *at;
    unsigned value = 0;

    if (*p < '0' || *p > '9') {
        return false;
    }
    if (p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
        *leading_zeros = true;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value > max) {
            return false;
        }
    }
    *at = p;
    *out = value;
    return true;
}

static bool parse_ipv4(const char *text, uint8_t out[4], bool *leading_zeros)
{
    const char *p = text;

    for (int i = 0; i < 4; i++) {
        unsigned value;

        if ((i > 0 && *p++ != '.') || !parse_number(&p, 255, &value, leading_zeros)) {
            return false;
        }
        out[i] = (uint8_t)value;
    }
    return *p == '\0';
}

static void clear_host_bits(struct cidr *c)
{
    unsigned bytes = c->family == 4 ? 4 : 16;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned keep = c->bits >= 8 * (i + 1) ? 8 : c->bits <= 8 * i ? 0 : c->bits - 8 * i;
        uint8_t mask = (uint8_t)(0xFF00U >> keep);

        if ((c->addr[i] & (uint8_t)~mask) != 0) {
            c->host_bits = true;
            c->addr[i] = (uint8_t)(c->addr[i] & mask);
        }
    }
}

static bool parse_address(const char *text, struct cidr *c)
{
    if (strchr(text, ':') == NULL) {
        c->family = 4;
        c->bits = 32;
        return parse_ipv4(text, c->addr, &c->leading_zeros);
    }
    c->family = 6;
    c->bits = 128;
    return inet_pton(AF_INET6, text, c->addr) == 1;
}

static void unmap(struct cidr *c)
{
    if (c->family != 6 || memcmp(c->addr, mapped_prefix, sizeof(mapped_prefix)) != 0) {
        return;
    }
    c->mapped = true;
    if (c->bits >= MAPPED_BITS) {
        c->family = 4;
        c->bits = (uint8_t)(c->bits - MAPPED_BITS);
        memmove(c->addr, c->addr + 12, 4);
        memset(c->addr + 4, 0, 12);
    }
}

bool cidr_parse(const char *text, struct cidr *out)
{
    struct cidr c = { .family = 0 };
    const char *slash = strchr(text, '/');
    char ip[IP_TEXT_MAX];
    unsigned bits;

    if (slash == NULL || (size_t)(slash - text) >= sizeof(ip)) {
        return false;
    }
    memcpy(ip, text, (size_t)(slash - text));
    ip[slash - text] = '\0';
    slash++;
    if (!parse_address(ip, &c) || !parse_number(&slash, c.bits, &bits, &c.leading_zeros) ||
        *slash != '\0') {
        return false;
    }
    c.bits = (uint8_t)bits;
    unmap(&c);
    clear_host_bits(&c);
    *out = c;
    return true;
}

bool ip_parse(const char *text, struct cidr *out)
{
    struct cidr c = { .family = 0 };

    if (strlen(text) >= IP_TEXT_MAX || !parse_address(text, &c)) {
        return false;
    }
    unmap(&c);
    *out = c;
    return true;
}

void ip_format(const struct cidr *c, char out[CIDR_TEXT_MAX])
{
    if (inet_ntop(c->family == 4 ? AF_INET : AF_INET6, c->addr, out, CIDR_TEXT_MAX) == NULL) {
        out[0] = '\0';
    }
}

void cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX])
{
    size_t len;

    ip_format(c, out);
    len = strlen(out);
    snprintf(out + len, CIDR_TEXT_MAX - len, "/%u", c->bits);
}

bool cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
    struct cidr c = *inner;

    if (outer->family != inner->family || outer->bits > inner->bits) {
        return false;
    }
    c.bits = outer->bits;
    clear_host_bits(&c);
    return memcmp(c.addr, outer->addr, outer->family == 4 ? 4 : 16) == 0;
}
