#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void options_free(struct list_options *o)
{
    free(o->continue_token);
    selector_free(&o->labels);
    selector_free(&o->fields);
    *o = (struct list_options){ 0 };
}

static void cause(struct buf *causes, struct buf *texts, size_t *n, const char *reason,
                  const char *field, const char *text)
{
    buf_fmt(causes, "%s{\"reason\":\"%s\",\"message\":", *n > 0 ? "," : "[", reason);
    buf_json(causes, text);
    buf_fmt(causes, ",\"field\":\"%s\"}", field);
    buf_fmt(texts, "%s%s: %s", *n > 0 ? ", " : "", field, text);
    (*n)++;
}

static void validate_list(const struct list_options *o, const char *rv, const char *match,
                          struct buf *causes, struct buf *texts, size_t *n)
{
    static const char *const field = "resourceVersionMatch";
    char text[256];

    if (match[0] != '\0') {
        if (rv[0] == '\0') {
            cause(
                causes, texts, n, "FieldValueForbidden", field,
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if (o->continue_token[0] != '\0') {
            cause(causes, texts, n, "FieldValueForbidden", field,
                  "Forbidden: resourceVersionMatch is forbidden when continue is provided");
        }
        if (!o->exact && !o->not_older) {
            snprintf(text, sizeof(text),
                     "Unsupported value: \"%.100s\": supported values: \"Exact\", "
                     "\"NotOlderThan\", \"\"",
                     match);
            cause(causes, texts, n, "FieldValueNotSupported", field, text);
        }
        if (o->exact && strcmp(rv, "0") == 0) {
            cause(
                causes, texts, n, "FieldValueForbidden", field,
                "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if (o->send_initial_set) {
        cause(causes, texts, n, "FieldValueForbidden", "sendInitialEvents",
              "Forbidden: sendInitialEvents is forbidden for list");
    }
}

static void validate_watch(const struct list_options *o, const char *match, bool gate,
                           struct buf *causes, struct buf *texts, size_t *n)
{
    static const char *const field = "resourceVersionMatch";
    char text[256];

    if (o->send_initial_set) {
        if (!o->not_older) {
            cause(causes, texts, n, "FieldValueForbidden", field,
                  "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
                  "NotOlderThan");
        }
        if (!gate) {
            cause(
                causes, texts, n, "FieldValueForbidden", "sendInitialEvents",
                "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature "
                "gate is enabled");
        }
    }
    if (match[0] != '\0') {
        if (!o->send_initial_set) {
            cause(causes, texts, n, "FieldValueForbidden", field,
                  "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents "
                  "is "
                  "provided");
        }
        if (!o->not_older) {
            snprintf(text, sizeof(text),
                     "Unsupported value: \"%.100s\": supported values: \"NotOlderThan\"", match);
            cause(causes, texts, n, "FieldValueNotSupported", field, text);
        }
        if (o->continue_token[0] != '\0') {
            cause(causes, texts, n, "FieldValueForbidden", field,
                  "Forbidden: resourceVersionMatch is forbidden when continue is provided");
        }
    }
}

static bool parse_bool_word(const char *s)
{
    /* The query decoder of apimachinery: "false" and "0" are false, any other word is true. */
    return s != NULL && strcmp(s, "false") != 0 && strcmp(s, "0") != 0;
}

static bool refuse_selector(struct exchange *x, char *why)
{
    exchange_error(x, 400, "%s", why);
    free(why);
    return false;
}

static bool parse_numbers(struct exchange *x, struct list_options *o, const char *rv,
                          const char *limit, const char *timeout)
{
    if (limit != NULL && limit[0] != '\0' && !parse_u64(limit, &o->limit)) {
        exchange_error(x, 400, "strconv.ParseInt: parsing \"%.100s\": invalid syntax", limit);
        return false;
    }
    if (timeout != NULL && timeout[0] != '\0') {
        if (!parse_u64(timeout, &o->timeout_s)) {
            exchange_error(x, 400, "strconv.ParseInt: parsing \"%.100s\": invalid syntax", timeout);
            return false;
        }
        o->timeout_set = true;
    }
    o->rv_set = rv[0] != '\0';
    if (o->rv_set && !parse_u64(rv, &o->rv)) {
        char text[400];

        snprintf(
            text, sizeof(text),
            "resourceVersion: Invalid value: \"%.100s\": strconv.ParseUint: parsing \"%.100s\": "
            "invalid syntax",
            rv, rv);
        exchange_status(x, &(struct status){ .code = 500, .message = text });
        return false;
    }
    return true;
}

static bool validate(struct exchange *x, struct list_options *o, const char *rv, const char *match)
{
    struct buf causes = { 0 };
    struct buf texts = { 0 };
    struct buf message = { 0 };
    bool refused = exchange_fault(x, ACT_WATCHLIST_REFUSED) != NULL;
    size_t n = 0;

    if (o->watch) {
        validate_watch(o, match, x->fake->settings.watch_list == WATCH_LIST_ON && !refused, &causes,
                       &texts, &n);
    } else {
        validate_list(o, rv, match, &causes, &texts, &n);
    }
    if (n > 0) {
        buf_str(&causes, "]");
        buf_fmt(&message,
                n > 1 ? "ListOptions.meta.k8s.io \"\" is invalid: [%s]"
                      : "ListOptions.meta.k8s.io \"\" is invalid: %s",
                buf_cstr(&texts));
        exchange_status(x, &(struct status){ .code = 422,
                                             .reason = "Invalid",
                                             .message = buf_cstr(&message),
                                             .group = "meta.k8s.io",
                                             .kind = "ListOptions",
                                             .causes = buf_cstr(&causes) });
    }
    buf_free(&causes);
    buf_free(&texts);
    buf_free(&message);
    return n == 0;
}

bool options_parse(struct exchange *x, struct list_options *o)
{
    const char *query = x->req->query;
    char *watch = http_query(query, "watch");
    char *rv = http_query(query, "resourceVersion");
    char *match = http_query(query, "resourceVersionMatch");
    char *limit = http_query(query, "limit");
    char *timeout = http_query(query, "timeoutSeconds");
    char *bookmarks = http_query(query, "allowWatchBookmarks");
    char *initial = http_query(query, "sendInitialEvents");
    char *labels = http_query(query, "labelSelector");
    char *fields = http_query(query, "fieldSelector");
    char *why = NULL;
    bool ok = false;

    *o = (struct list_options){ 0 };
    rv = rv != NULL ? rv : xstrdup("");
    match = match != NULL ? match : xstrdup("");
    o->continue_token = http_query(query, "continue");
    o->continue_token = o->continue_token != NULL ? o->continue_token : xstrdup("");
    o->watch = parse_bool_word(watch);
    o->bookmarks = parse_bool_word(bookmarks);
    if (x->fake->settings.watch_list == WATCH_LIST_IGNORE ||
        (initial != NULL && exchange_fault(x, ACT_WATCHLIST_IGNORED) != NULL)) {
        free(initial); /* a server that has never heard of it, nor of the match on watches */
        initial = NULL;
        match[o->watch ? 0 : strlen(match)] = '\0';
    }
    o->send_initial_set = initial != NULL;
    o->send_initial = parse_bool_word(initial);
    o->exact = strcmp(match, "Exact") == 0;
    o->not_older = strcmp(match, "NotOlderThan") == 0;
    if (!parse_numbers(x, o, rv, limit, timeout)) {
        goto out;
    }
    if (!validate(x, o, rv, match)) {
        goto out;
    }
    if (!o->watch && o->continue_token[0] != '\0' && o->rv_set && o->rv != 0) {
        exchange_error(x, 400, "specifying resource version is not allowed when using continue");
        goto out;
    }
    if (labels != NULL && !selector_parse_labels(labels, &o->labels, &why)) {
        ok = refuse_selector(x, why);
        goto out;
    }
    if (fields != NULL && !selector_parse_fields(fields, x->route.kind, &o->fields, &why)) {
        ok = refuse_selector(x, why);
        goto out;
    }
    ok = true;
out:
    free(watch);
    free(rv);
    free(match);
    free(limit);
    free(timeout);
    free(bookmarks);
    free(initial);
    free(labels);
    free(fields);
    if (!ok) {
        options_free(o);
    }
    return ok;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void token_write(struct buf *out, int64_t rv, const char *start)
{
    struct buf j = { 0 };
    unsigned bits = 0;
    uint32_t acc = 0;

    buf_fmt(&j, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":", (long long)rv);
    buf_json(&j, start);
    j.len--;
    buf_str(&j, "\\u0000\"}");
    for (size_t i = 0; i < j.len; i++) {
        acc = (acc << 8) | (unsigned char)j.data[i];
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            buf_add(out, &alphabet[(acc >> bits) & 63], 1);
        }
    }
    if (bits > 0) {
        buf_add(out, &alphabet[(acc << (6 - bits)) & 63], 1);
    }
    buf_free(&j);
}

bool token_read(const char *token, int64_t *rv, char **start)
{
    struct buf j = { 0 };
    uint32_t acc = 0;
    unsigned bits = 0;
    cJSON *t;
    bool ok = false;

    for (; *token != '\0' && *token != '='; token++) {
        const char *at = strchr(alphabet, *token);
        char byte;

        if (at == NULL) {
            buf_free(&j);
            return false;
        }
        acc = (acc << 6) | (uint32_t)(at - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            byte = (char)(acc >> bits);
            buf_add(&j, &byte, 1);
        }
    }
    /* cJSON would stop at the NUL that ends `start`: cut its escape off. */
    if (j.len > 8 && memcmp(j.data + j.len - 8, "\\u0000\"}", 8) == 0) {
        j.len -= 8;
        buf_str(&j, "\"}");
    }
    t = jparse(j.data, j.len);
    if (t != NULL && strcmp(jstr(t, "v", ""), "meta.k8s.io/v1") == 0 &&
        cJSON_IsNumber(jget(t, "rv")) && jstr(t, "start", NULL) != NULL) {
        *rv = (int64_t)jget(t, "rv")->valuedouble;
        *start = xstrdup(jstr(t, "start", ""));
        ok = true;
    }
    cJSON_Delete(t);
    buf_free(&j);
    return ok;
}

static bool range_acceptable(const char *range, size_t n, enum form_asked *form)
{
    char text[256];
    char *save = NULL;
    char *type, *param;
    char as[64] = "";
    bool meta_v1 = true;

    if (n >= sizeof(text)) {
        return false;
    }
    memcpy(text, range, n);
    text[n] = '\0';
    type = strtok_r(text, "; \t", &save);
    if (type == NULL || (strcasecmp(type, "application/json") != 0 && strcmp(type, "*/*") != 0 &&
                         strcasecmp(type, "application/*") != 0)) {
        return false;
    }
    while ((param = strtok_r(NULL, "; \t", &save)) != NULL) {
        if (strncmp(param, "as=", 3) == 0) {
            snprintf(as, sizeof(as), "%.60s", param + 3);
        } else if (strncmp(param, "g=", 2) == 0) {
            meta_v1 = meta_v1 && strcmp(param + 2, "meta.k8s.io") == 0;
        } else if (strncmp(param, "v=", 2) == 0) {
            meta_v1 = meta_v1 && strcmp(param + 2, "v1") == 0;
        }
    }
    if (as[0] == '\0') {
        *form = ASK_PLAIN;
        return true;
    }
    if (meta_v1 && strcmp(as, "PartialObjectMetadata") == 0) {
        *form = ASK_METADATA;
        return true;
    }
    if (meta_v1 && strcmp(as, "PartialObjectMetadataList") == 0) {
        *form = ASK_METADATA_LIST;
        return true;
    }
    return false;
}

bool accept_parse(struct exchange *x)
{
    const char *s = x->req->accept;

    x->asked = ASK_PLAIN;
    if (s[0] == '\0') {
        return true;
    }
    while (*s != '\0') {
        size_t n = strcspn(s, ",");

        if (range_acceptable(s, n, &x->asked)) {
            if (x->asked != ASK_PLAIN &&
                (x->fake->settings.ignore_as || exchange_fault(x, ACT_IGNORE_AS) != NULL)) {
                x->asked = ASK_PLAIN;
            }
            return true;
        }
        s += n;
        s += strspn(s, ", ");
    }
    exchange_error(
        x, 406,
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf");
    return false;
}
