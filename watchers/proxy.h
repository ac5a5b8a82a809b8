/* Which proxy a request takes: the kubeconfig's proxy-url, else what the environment says, as
 * kubectl reads it (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in either case; never for loopback). */
#ifndef NETAUDITD_WATCHERS_PROXY_H
#define NETAUDITD_WATCHERS_PROXY_H

#include <stdbool.h>

#include "base/error.h"

/* 0 when `url` is a proxy that we can speak to: http, https, socks5 or socks5h with a host. */
int proxy_check(const char *url, struct error *err);
/* Host of a URL without brackets, cut to `size`; false when it has none. *port is 0 when not given.
 */
bool url_host(const char *url, char *host, unsigned size, unsigned *port);
/* The host is loopback: localhost, 127.0.0.0/8, ::1. */
bool host_is_loopback(const char *host);
/* Matches by NO_PROXY's rules: "*", host or domain suffix (with or without leading dot), address,
 * CIDR, each with an optional :port. */
bool no_proxy_matches(const char *list, const char *host, unsigned port);
/* The environment's proxy for `url`; NULL: none. Valid as long as the environment. */
const char *proxy_from_environment(const char *url);

#endif
