#include "watchers/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int url_add_encoded(struct buf *url, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        char out[3] = { (char)*at };
        size_t len = 1;
        int rc;

        if (!unreserved(*at)) {
            out[0] = '%';
            out[1] = hex[*at >> 4];
            out[2] = hex[*at & 15];
            len = 3;
        }
        rc = buf_add(url, out, len);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int url_add_query(struct buf *url, const char *key, const char *value)
{
    bool first = memchr(buf_text(url), '?', url->len) == NULL;
    int rc = buf_addf(url, "%c%s=", first ? '?' : '&', key);

    return rc != 0 ? rc : url_add_encoded(url, value);
}

int url_add_query_int(struct buf *url, const char *key, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return url_add_query(url, key, text);
}

int url_add_resource(struct buf *url, const char *server, const char *group, const char *version,
                     const char *ns, const char *plural)
{
    int rc = group[0] == '\0' ? buf_addf(url, "%s/api/%s", server, version)
                              : buf_addf(url, "%s/apis/%s/%s", server, group, version);

    if (rc == 0 && ns != NULL) {
        rc = buf_adds(url, "/namespaces/");
        if (rc == 0) {
            rc = url_add_encoded(url, ns);
        }
    }
    return rc != 0 ? rc : buf_addf(url, "/%s", plural);
}
