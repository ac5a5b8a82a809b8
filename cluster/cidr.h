/* IP addresses and CIDR blocks as Kubernetes reads them: leniently for what a live API server has
 * already stored (the old parser took leading zeros and host bits), with flags for who must refuse
 * them in files. */
#ifndef NETAUDITD_CLUSTER_CIDR_H
#define NETAUDITD_CLUSTER_CIDR_H

#include <stdbool.h>
#include <stdint.h>

enum { CIDR_TEXT_MAX = 64 };

struct cidr {
    uint8_t family;   /* 4 or 6 */
    uint8_t bits;     /* prefix length */
    uint8_t addr[16]; /* network order, host bits already cleared; 4 bytes used for IPv4 */
    bool host_bits, leading_zeros, mapped; /* the text was not canonical: an error in files */
};

/* False when it is no CIDR at all; *out is then untouched. An IPv4-mapped block of 96 bits or more
 * becomes IPv4. */
bool cidr_parse(const char *text, struct cidr *out);
/* A bare address: a CIDR of all bits. */
bool ip_parse(const char *text, struct cidr *out);
void cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX]);
void ip_format(const struct cidr *c, char out[CIDR_TEXT_MAX]);
/* `inner` lies in `outer`; equal blocks do. */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);

#endif
