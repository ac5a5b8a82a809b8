/* Building request URLs: path and query, every value encoded. */
#ifndef NETAUDITD_WATCHERS_URL_H
#define NETAUDITD_WATCHERS_URL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { URL_MAX_BYTES = 128 * 1024 /* a continue token can be long */ };

/* One path segment or query value: everything but RFC 3986's unreserved characters becomes %XX. */
int url_add_encoded(struct buf *url, const char *text);
/* "?key=value", or "&key=value" when the buffer has a query already. `key` is ours and plain. */
int url_add_query(struct buf *url, const char *key, const char *value);
int url_add_query_int(struct buf *url, const char *key, int64_t value);

/* "<server>/api/v1/namespaces/shop/pods" or "<server>/apis/apps/v1/deployments"; `ns` NULL: all. */
int url_add_resource(struct buf *url, const char *server, const char *group, const char *version,
                     const char *ns, const char *plural);

#endif
