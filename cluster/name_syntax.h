/* What Kubernetes lets be a name, a label or a host. Room-internal, for manifests. */
#ifndef NETAUDITD_CLUSTER_NAME_SYNTAX_H
#define NETAUDITD_CLUSTER_NAME_SYNTAX_H

#include <stdbool.h>

bool name_is_dns_label(const char *text);     /* RFC 1123: at most 63 of [-a-z0-9] */
bool name_is_dns_subdomain(const char *text); /* labels with dots, at most 253 */
bool name_is_wildcard_host(const char *text); /* "*." and a subdomain */
bool name_is_port(const char *text);          /* IANA service name: at most 15, with a letter */
bool name_is_label_key(const char *text);     /* [prefix/]name */
bool name_is_label_value(const char *text);   /* empty is one */

#endif
