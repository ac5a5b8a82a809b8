#include "watchers/http_head.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* The value when `line` is the header `name`, white space trimmed, in `out`. */
static bool header_value(const char *line, size_t len, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);

    if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':') {
        return false;
    }
    line += name_len + 1;
    len -= name_len + 1;
    while (len > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ' ||
                       line[len - 1] == '\t')) {
        len--;
    }
    len = len < size ? len : size - 1;
    memcpy(out, line, len);
    out[len] = '\0';
    return true;
}

/* RFC 9111: code, agent, quoted text. Only the text is kept. */
static void warning_text(const char *value, char out[HTTP_WARNING_MAX])
{
    const char *from = strchr(value, '"');
    const char *to = from != NULL ? strrchr(from + 1, '"') : NULL;

    if (from != NULL && to == NULL) {
        to = value + strlen(value);
    }
    from = from != NULL ? from + 1 : value;
    to = to != NULL ? to : value + strlen(value);
    text_escape_control(out, HTTP_WARNING_MAX, from, (size_t)(to - from));
}

void http_head_begin(struct http_request *req)
{
    req->http_status = 0;
    req->answer_type[0] = '\0';
    req->retry_after_s = -1;
    req->flow_schema_empty = false;
}

bool http_head_line(struct http_request *req, const char *line, size_t len,
                    char warning[HTTP_WARNING_MAX])
{
    char value[HTTP_WARNING_MAX];
    long long seconds;

    if (header_value(line, len, "content-type", value, sizeof(value))) {
        value[strcspn(value, "; \t")] = '\0';
        snprintf(req->answer_type, sizeof(req->answer_type), "%s", value);
    } else if (header_value(line, len, "retry-after", value, sizeof(value))) {
        if (text_to_int(value, 0, INT32_MAX, &seconds)) {
            req->retry_after_s = seconds;
        }
    } else if (header_value(line, len, "x-kubernetes-pf-flowschema-uid", value, sizeof(value))) {
        req->flow_schema_empty = value[0] == '\0';
    } else if (header_value(line, len, "warning", value, sizeof(value))) {
        warning_text(value, warning);
        return true;
    }
    return false;
}
