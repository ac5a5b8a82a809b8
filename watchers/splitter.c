/* A watch body is frame, white space, frame... A list body is one object of which four members
 * matter; they may come in any order:
 *
 *   {"kind":"PodList","apiVersion":"v1","metadata":{...},"items":[{...},{...}]}
 *
 * Both are walked by one small state machine. Where a value ends is json_end's business; a value is
 * handed on from the piece itself when it lies in it whole, else from `carry`, which holds at most
 * one value. A value over the ceiling is passed over without being held. */
#include "watchers/splitter.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/xalloc.h"
#include "cluster/projection.h"

enum place {
    IN_STREAM,   /* watch: before a frame */
    IN_FRAME,    /* watch */
    BEFORE_LIST, /* before '{' */
    BEFORE_KEY,  /* in the list object: a key, or '}' when it is empty */
    IN_KEY,
    BEFORE_COLON,
    BEFORE_VALUE,
    IN_MEMBER,    /* a member's value other than items */
    AFTER_MEMBER, /* ',' or '}' */
    BEFORE_ITEM,  /* in items: an item, or ']' when it is empty */
    IN_ITEM,
    AFTER_ITEM, /* ',' or ']' */
    AFTER_LIST  /* white space only */
};

enum member { MEMBER_OTHER, MEMBER_KIND, MEMBER_API_VERSION, MEMBER_METADATA, MEMBER_ITEMS };

struct splitter {
    struct splitter_sink sink;
    bool wipe;
    size_t max_value_bytes;
    enum place place;
    enum member member;
    bool after_comma; /* a key or item must follow */
    bool in_value;    /* the value at `place` has begun */
    struct json_end end;
    uint64_t value_bytes; /* of the value at `place`, so far */
    bool skipping;        /* it is over the ceiling, or nobody's */
    struct buf carry;     /* what earlier pieces brought of it */
    char *kind, *api_version, *resource_version, *continue_token;
    bool metadata_seen, items_seen;
    uint64_t items;
};

struct splitter *splitter_create(const struct splitter_sink *sink, size_t max_value_bytes,
                                 bool wipe)
{
    struct splitter *s = xcalloc(1, sizeof(*s));

    s->sink = *sink;
    s->wipe = wipe;
    s->max_value_bytes = max_value_bytes > 0 ? max_value_bytes : SPLITTER_MAX_VALUE_BYTES;
    buf_init(&s->carry, s->max_value_bytes > SPLITTER_MAX_METADATA_BYTES
                            ? s->max_value_bytes
                            : SPLITTER_MAX_METADATA_BYTES);
    return s;
}

static void empty_carry(struct splitter *s)
{
    enum { KEEP_BYTES = 256 * 1024 };

    if (s->wipe && s->carry.data != NULL) {
        explicit_bzero(s->carry.data, s->carry.cap);
    }
    if (s->carry.cap > KEEP_BYTES || s->wipe) {
        buf_deinit(&s->carry); /* one huge object must not cost us its size for ever */
    } else {
        buf_reset(&s->carry);
    }
}

static void forget_list(struct splitter *s)
{
    free(s->kind);
    free(s->api_version);
    free(s->resource_version);
    free(s->continue_token);
    s->kind = s->api_version = s->resource_version = s->continue_token = NULL;
    s->metadata_seen = s->items_seen = false;
    s->items = 0;
}

void splitter_destroy(struct splitter *s)
{
    if (s != NULL) {
        empty_carry(s);
        buf_deinit(&s->carry);
        forget_list(s);
        free(s);
    }
}

void splitter_begin(struct splitter *s, enum splitter_mode mode)
{
    empty_carry(s);
    forget_list(s);
    s->place = mode == SPLITTER_WATCH ? IN_STREAM : BEFORE_LIST;
    s->after_comma = false;
    s->in_value = false;
}

static int garbled(struct error *err, const char *what)
{
    return error_set(err, NA_EINVAL, "the answer is no JSON list: %s", what);
}

/* ---- whole values ---- */

/* `text` is a complete JSON string or object; *out is untouched when it is not a string. */
static void keep_word(char **out, const cJSON *node)
{
    if (cJSON_IsString(node)) {
        free(*out);
        *out = xstrdup(node->valuestring);
    }
}

static int take_member(struct splitter *s, const char *text, size_t len, struct error *err)
{
    cJSON *tree;

    if (s->member == MEMBER_OTHER) {
        return 0;
    }
    tree = cJSON_ParseWithLength(text, len);
    if (tree == NULL) {
        return garbled(err, "a member of it is not well-formed");
    }
    if (s->member == MEMBER_KIND) {
        keep_word(&s->kind, tree);
    } else if (s->member == MEMBER_API_VERSION) {
        keep_word(&s->api_version, tree);
    } else if (s->member == MEMBER_METADATA && cJSON_IsObject(tree)) {
        s->metadata_seen = true;
        keep_word(&s->resource_version, cJSON_GetObjectItemCaseSensitive(tree, "resourceVersion"));
        keep_word(&s->continue_token, cJSON_GetObjectItemCaseSensitive(tree, "continue"));
    } else if (s->member == MEMBER_ITEMS && cJSON_IsNull(tree)) {
        s->items_seen = true; /* Go's nil slice */
    }
    cJSON_Delete(tree);
    return 0;
}

static int take_key(struct splitter *s, const char *text, size_t len)
{
    static const struct {
        const char *text;
        enum member member;
    } keys[] = { { "\"kind\"", MEMBER_KIND },
                 { "\"apiVersion\"", MEMBER_API_VERSION },
                 { "\"metadata\"", MEMBER_METADATA },
                 { "\"items\"", MEMBER_ITEMS } };

    s->member = MEMBER_OTHER;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strlen(keys[i].text) == len && memcmp(keys[i].text, text, len) == 0) {
            s->member = keys[i].member;
        }
    }
    s->place = BEFORE_COLON;
    return 0;
}

static int take_value(struct splitter *s, const char *text, size_t len, struct error *err)
{
    switch (s->place) {
    case IN_FRAME:
        s->place = IN_STREAM;
        return s->sink.value(s->sink.ctx, text, len, err);
    case IN_ITEM:
        s->items++;
        s->place = AFTER_ITEM;
        return s->sink.value(s->sink.ctx, text, len, err);
    case IN_KEY:
        return take_key(s, text, len);
    default:
        s->place = AFTER_MEMBER;
        return take_member(s, text, len, err);
    }
}

static int pass_over(struct splitter *s)
{
    bool counts = s->place == IN_FRAME || s->place == IN_ITEM;

    if (counts && s->sink.too_large != NULL) {
        s->sink.too_large(s->sink.ctx, s->value_bytes);
    }
    s->items += s->place == IN_ITEM ? 1 : 0;
    s->place = s->place == IN_FRAME  ? IN_STREAM
               : s->place == IN_ITEM ? AFTER_ITEM
               : s->place == IN_KEY  ? BEFORE_COLON
                                     : AFTER_MEMBER;
    return 0;
}

static size_t ceiling(const struct splitter *s)
{
    if (s->place == IN_FRAME || s->place == IN_ITEM) {
        return s->max_value_bytes;
    }
    return s->place == IN_MEMBER && s->member == MEMBER_METADATA ? SPLITTER_MAX_METADATA_BYTES
                                                                 : SPLITTER_MAX_WORD_BYTES;
}

/* ---- pieces ---- */

static void begin_value(struct splitter *s, enum place place)
{
    memset(&s->end, 0, sizeof(s->end));
    s->place = place;
    s->value_bytes = 0;
    s->in_value = true;
    s->skipping = place == IN_MEMBER && s->member == MEMBER_OTHER;
}

/* More of the value at `place`. *used is how many bytes belong to it. */
static int feed_value(struct splitter *s, const char *data, size_t len, size_t *used,
                      struct error *err)
{
    bool done;
    int rc = 0;

    *used = json_end_feed(&s->end, data, len, &done);
    s->value_bytes += *used;
    if (!s->skipping && s->value_bytes > ceiling(s)) {
        if (s->place == IN_MEMBER) {
            return error_set(err, NA_ELIMIT, "a list's metadata is larger than %zu bytes",
                             ceiling(s));
        }
        s->skipping = true;
        if (s->place == IN_KEY) {
            s->member = MEMBER_OTHER;
        }
        empty_carry(s);
    }
    if (!done) {
        return s->skipping ? 0 : buf_add(&s->carry, data, *used);
    }
    s->in_value = false;
    if (s->skipping) {
        return pass_over(s);
    }
    if (s->carry.len == 0) {
        return take_value(s, data, *used, err);
    }
    rc = buf_add(&s->carry, data, *used);
    if (rc != 0) {
        return error_set(err, rc, "no memory for a frame of %zu bytes", s->carry.len + *used);
    }
    rc = take_value(s, s->carry.data, s->carry.len, err);
    empty_carry(s);
    return rc;
}

static int expect(struct splitter *s, char c, char want, enum place next, struct error *err)
{
    if (c != want) {
        return garbled(err, "it is not well-formed");
    }
    s->place = next;
    return 0;
}

/* One byte between values that is not white space. *value is set when it begins a value, which then
 * includes it. */
static int step(struct splitter *s, char c, bool *value, struct error *err)
{
    switch (s->place) {
    case IN_STREAM:
        if (c != '{') {
            return error_set(err, NA_EINVAL, "the stream holds something that is no watch event");
        }
        begin_value(s, IN_FRAME);
        *value = true;
        return 0;
    case BEFORE_LIST:
        if (c != '{') {
            return garbled(err, "it does not begin with '{'");
        }
        s->place = BEFORE_KEY;
        return 0;
    case BEFORE_KEY:
        if (c == '}' && !s->after_comma) {
            s->place = AFTER_LIST;
            return 0;
        }
        if (c != '"') {
            return garbled(err, "it is not well-formed");
        }
        s->after_comma = false;
        begin_value(s, IN_KEY);
        *value = true;
        return 0;
    case BEFORE_COLON:
        return expect(s, c, ':', BEFORE_VALUE, err);
    case BEFORE_VALUE:
        if (s->member == MEMBER_ITEMS && c == '[') {
            if (s->items_seen) {
                return garbled(err, "it has items twice");
            }
            s->items_seen = true;
            s->place = BEFORE_ITEM;
            return 0;
        }
        if (strchr(",:]}", c) != NULL) {
            return garbled(err, "it is not well-formed");
        }
        begin_value(s, IN_MEMBER);
        *value = true;
        return 0;
    case AFTER_MEMBER:
        s->after_comma = c == ',';
        return c == ',' ? expect(s, c, ',', BEFORE_KEY, err) : expect(s, c, '}', AFTER_LIST, err);
    case BEFORE_ITEM:
        if (c == ']' && !s->after_comma) {
            s->place = AFTER_MEMBER;
            return 0;
        }
        if (c != '{') {
            return garbled(err, "an item is no object");
        }
        s->after_comma = false;
        begin_value(s, IN_ITEM);
        *value = true;
        return 0;
    case AFTER_ITEM:
        s->after_comma = c == ',';
        return c == ',' ? expect(s, c, ',', BEFORE_ITEM, err)
                        : expect(s, c, ']', AFTER_MEMBER, err);
    default:
        return garbled(err, "something follows it");
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int splitter_feed(struct splitter *s, const char *data, size_t len, struct error *err)
{
    while (len > 0) {
        size_t used = 1;
        bool value = s->in_value;
        int rc = 0;

        if (!value && !is_space(*data)) {
            rc = step(s, *data, &value, err);
        }
        if (rc == 0 && value) {
            rc = feed_value(s, data, len, &used, err);
        }
        if (rc != 0) {
            return rc;
        }
        data += used;
        len -= used;
    }
    return 0;
}

/* ---- the end ---- */

int splitter_end_watch(const struct splitter *s, struct error *err)
{
    return s->in_value ? error_set(err, NA_EIO, "the stream ended within an event") : 0;
}

static const char *word(const char *text)
{
    return text != NULL ? text : "";
}

int splitter_end_list(struct splitter *s, struct list_end *out, struct error *err)
{
    const char *kind = word(s->kind);
    size_t len = strlen(kind);

    if (s->place != AFTER_LIST) {
        return error_set(err, NA_EIO, "the list was cut after %llu items",
                         (unsigned long long)s->items);
    }
    if (len < 5 || strcmp(kind + len - 4, "List") != 0) {
        return garbled(err, kind[0] == '\0' ? "it has no kind" : "its kind is not that of a list");
    }
    if (!s->metadata_seen || !s->items_seen) {
        return garbled(err, s->metadata_seen ? "it has no items" : "it has no metadata");
    }
    *out = (struct list_end){ .kind = kind,
                              .api_version = word(s->api_version),
                              .resource_version = word(s->resource_version),
                              .continue_token = word(s->continue_token),
                              .items = s->items };
    return 0;
}
