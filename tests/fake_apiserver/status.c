#include "status.h"

#include <string.h>

const char *status_reason(int code)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = { { 400, "BadRequest" },
                    { 401, "Unauthorized" },
                    { 403, "Forbidden" },
                    { 404, "NotFound" },
                    { 405, "MethodNotAllowed" },
                    { 406, "NotAcceptable" },
                    { 409, "Conflict" },
                    { 410, "Expired" },
                    { 413, "RequestEntityTooLarge" },
                    { 415, "UnsupportedMediaType" },
                    { 422, "Invalid" },
                    { 429, "TooManyRequests" },
                    { 500, "InternalError" },
                    { 503, "ServiceUnavailable" },
                    { 504, "Timeout" } };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code) {
            return reasons[i].reason;
        }
    }
    return "";
}

static void member(struct buf *out, const char *key, const char *value, bool *first)
{
    if (value != NULL && value[0] != '\0') {
        buf_fmt(out, "%s\"%s\":", *first ? "" : ",", key);
        buf_json(out, value);
        *first = false;
    }
}

void status_json(const struct status *s, struct buf *out)
{
    bool first = true;

    buf_str(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
    member(out, "continue", s->continue_token, &first);
    buf_str(out, s->code < 300 ? "},\"status\":\"Success\"" : "},\"status\":\"Failure\"");
    first = false;
    member(out, "message", s->message, &first);
    member(out, "reason", s->reason, &first);
    if (s->details || s->name != NULL || s->kind != NULL || s->causes != NULL ||
        s->retry_after_seconds > 0) {
        buf_str(out, ",\"details\":{");
        first = true;
        member(out, "name", s->name, &first);
        member(out, "group", s->group, &first);
        member(out, "kind", s->kind, &first);
        member(out, "uid", s->uid, &first);
        if (s->causes != NULL) {
            buf_fmt(out, "%s\"causes\":%s", first ? "" : ",", s->causes);
            first = false;
        }
        if (s->retry_after_seconds > 0) {
            buf_fmt(out, "%s\"retryAfterSeconds\":%d", first ? "" : ",", s->retry_after_seconds);
        }
        buf_str(out, "}");
    }
    if (s->code >= 300) {
        buf_fmt(out, ",\"code\":%d", s->code);
    }
    buf_str(out, "}");
}
