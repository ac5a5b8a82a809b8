#include "frames.h"

#include <stdlib.h>
#include <string.h>

void frame_event(struct buf *out, const char *type, const struct object *o, bool metadata)
{
    buf_str(out, "{\"type\":\"");
    buf_str(out, type);
    buf_str(out, "\",\"object\":");
    object_append(o, metadata ? FORM_METADATA : FORM_OBJECT, out);
    buf_add(out, "}\n", 2);
}

void frame_bookmark(struct buf *out, const struct kind *k, const char *rv, bool metadata, bool end)
{
    buf_str(out, "{\"type\":\"BOOKMARK\",\"object\":{");
    buf_str(out, metadata ? "\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
                          : k->head);
    buf_str(out, "\"metadata\":{\"resourceVersion\":");
    buf_json(out, rv);
    if (end) {
        buf_str(out, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
    }
    buf_str(out, "}");
    buf_str(out, metadata ? "" : k->zero);
    buf_str(out, "}}\n");
}

void frame_error(struct buf *out, int code, const char *reason, const char *message)
{
    buf_str(out, "{\"type\":\"ERROR\",\"object\":");
    status_json(&(struct status){ .code = code, .reason = reason, .message = message }, out);
    buf_str(out, "}\n");
}

/* The event itself with one more member in its metadata, before all others. `pad` is JSON. */
static void padded(struct buf *out, const struct kind *k, const char *type, const struct object *o,
                   uint64_t rv, bool metadata, const struct buf *pad)
{
    static const char mark[] = "\"metadata\":{";
    struct buf frame = { 0 };
    struct buf number = { 0 };
    char *at;
    size_t before;

    buf_u64(&number, rv);
    if (o != NULL) {
        frame_event(&frame, type, o, metadata);
    } else {
        frame_bookmark(&frame, k, buf_cstr(&number), metadata, false);
    }
    at = memmem(frame.data, frame.len, mark, sizeof(mark) - 1);
    before = (size_t)(at - frame.data) + sizeof(mark) - 1;
    buf_add(out, frame.data, before);
    buf_str(out, "\"fakePadding\":");
    buf_add(out, pad->data, pad->len);
    buf_str(out, ",");
    buf_add(out, frame.data + before, frame.len - before);
    buf_free(&frame);
    buf_free(&number);
}

static void fill_bytes(struct buf *b, char c, size_t n)
{
    memset(buf_reserve(b, n), c, n);
    b->len += n;
}

void frame_fault(struct buf *out, const struct fault *t, const struct kind *k, const char *type,
                 const struct object *o, uint64_t rv, bool metadata, uint64_t random)
{
    const cJSON *s = t->spec;
    struct buf pad = { 0 };
    int code = (int)jnum(s, "code", 410);
    size_t n;

    switch (t->action) {
    case ACT_ERROR_EVENT:
        frame_error(
            out, code, jstr(s, "reason", status_reason(code)),
            jstr(s, "message", code == 410 ? "too old resource version: 1 (2)" : "injected"));
        break;
    case ACT_UNKNOWN_EVENT:
        if (o != NULL) {
            frame_event(out, jstr(s, "type", "FOO"), o, metadata);
        } else {
            buf_fmt(out, "{\"type\":\"%s\",\"object\":{}}\n", jstr(s, "type", "FOO"));
        }
        break;
    case ACT_RAW_FRAME:
        buf_str(out, jstr(s, "data", ""));
        buf_str(out, "\n");
        break;
    case ACT_HUGE_FRAME:
        buf_str(&pad, "\"");
        fill_bytes(&pad, 'x', (size_t)jnum(s, "bytes", 16.0 * 1024 * 1024));
        buf_str(&pad, "\"");
        padded(out, k, type, o, rv, metadata, &pad);
        break;
    case ACT_DEEP_FRAME:
        n = (size_t)jnum(s, "depth", 100000);
        fill_bytes(&pad, '[', n);
        fill_bytes(&pad, ']', n);
        padded(out, k, type, o, rv, metadata, &pad);
        break;
    case ACT_BAD_UTF8:
        buf_str(&pad, "\"\xc3\x28\xff\"");
        padded(out, k, type, o, rv, metadata, &pad);
        break;
    case ACT_GARBAGE:
        n = (size_t)jnum(s, "bytes", 64);
        for (size_t i = 0; i < n; i++) {
            char c = (char)(33 + (random >> (i % 57)) % 89);

            buf_add(out, i == 0 ? "!" : &c, 1);
        }
        buf_str(out, "\n");
        break;
    case ACT_BOOKMARK: {
        const cJSON *v = jget(s, "rv");
        struct buf number = { 0 };
        uint64_t given;

        if (cJSON_IsString(v)) {
            buf_str(&number, v->valuestring);
        } else {
            buf_u64(&number, jrv(s, "rv", &given) ? given : rv);
        }
        frame_bookmark(out, k, buf_cstr(&number), metadata, jbool(s, "initial_events_end", false));
        buf_free(&number);
        break;
    }
    default:
        break;
    }
    buf_free(&pad);
}
