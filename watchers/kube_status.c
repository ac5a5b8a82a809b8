#include "watchers/kube_status.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"

#define TOO_LARGE_MESSAGE "Too large resource version"

static const char *text_of(const cJSON *obj, const char *key)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(obj, key);

    return cJSON_IsString(node) ? node->valuestring : "";
}

static bool causes_say_too_large(const cJSON *details)
{
    const cJSON *cause;

    cJSON_ArrayForEach(cause, cJSON_GetObjectItemCaseSensitive(details, "causes"))
    {
        if (strcmp(text_of(cause, "reason"), "ResourceVersionTooLarge") == 0 ||
            text_starts(text_of(cause, "message"), TOO_LARGE_MESSAGE)) {
            return true;
        }
    }
    return false;
}

static void read_tree(const cJSON *tree, struct kube_status *out)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(tree, "code");
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(tree, "details");
    const cJSON *retry = cJSON_GetObjectItemCaseSensitive(details, "retryAfterSeconds");
    const char *message = text_of(tree, "message");

    if (out->code == 0 && cJSON_IsNumber(code)) {
        out->code = code->valueint;
    }
    text_escape_control(out->reason, sizeof(out->reason), text_of(tree, "reason"),
                        strlen(text_of(tree, "reason")));
    text_escape_control(out->message, sizeof(out->message), message, strlen(message));
    if (cJSON_IsNumber(retry) && retry->valueint >= 0) {
        out->retry_after_s = retry->valueint;
    }
    out->too_large = causes_say_too_large(details) || strstr(message, TOO_LARGE_MESSAGE) != NULL;
}

void kube_status_parse(const char *text, size_t len, int http_code, struct kube_status *out)
{
    cJSON *tree = cJSON_ParseWithLength(text, len);

    memset(out, 0, sizeof(*out));
    out->code = http_code;
    out->retry_after_s = -1;
    if (cJSON_IsObject(tree)) {
        read_tree(tree, out);
    } else {
        while (len > 0 &&
               (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' ')) {
            len--;
        }
        text_escape_control(out->message, sizeof(out->message), text, len);
    }
    cJSON_Delete(tree);
    out->expired =
        out->code == 410 || strcmp(out->reason, "Expired") == 0 || strcmp(out->reason, "Gone") == 0;
}
