#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include "exchange.h"

static const struct {
    const char *name;
    enum action action;
    const char *params; /* space separated keys it may have */
} actions[ACT_COUNT] = {
    { "close", ACT_CLOSE, "frame_bytes" },
    { "rst", ACT_RST, "frame_bytes" },
    { "end", ACT_END, "frame_bytes" },
    { "half-open", ACT_HALF_OPEN, "frame_bytes" },
    { "stall", ACT_STALL, "ms frame_bytes" },
    { "drip", ACT_DRIP, "bytes_per_s frame_bytes" },
    { "delay", ACT_DELAY, "ms" },
    { "drop-event", ACT_DROP_EVENT, "" },
    { "duplicate", ACT_DUPLICATE, "times" },
    { "reorder", ACT_REORDER, "" },
    { "error-event", ACT_ERROR_EVENT, "code message reason end" },
    { "unknown-event", ACT_UNKNOWN_EVENT, "type" },
    { "raw-frame", ACT_RAW_FRAME, "data" },
    { "huge-frame", ACT_HUGE_FRAME, "bytes" },
    { "deep-frame", ACT_DEEP_FRAME, "depth" },
    { "bad-utf8", ACT_BAD_UTF8, "" },
    { "garbage", ACT_GARBAGE, "bytes" },
    { "bookmark", ACT_BOOKMARK, "rv initial_events_end" },
    { "http", ACT_HTTP,
      "status body reason message retry_after retry_after_seconds content_type headers" },
    { "body", ACT_BODY, "data content_type status" },
    { "table", ACT_TABLE, "" },
    { "empty-object", ACT_EMPTY_OBJECT, "" },
    { "truncate-list", ACT_TRUNCATE_LIST, "items frame_bytes" },
    { "short-list", ACT_SHORT_LIST, "items" },
    { "list-rv", ACT_LIST_RV, "value" },
    { "empty-page", ACT_EMPTY_PAGE, "" },
    { "limit-ignored", ACT_LIMIT_IGNORED, "" },
    { "stale", ACT_STALE, "lag" },
    { "content-type", ACT_CONTENT_TYPE, "value" },
    { "content-length", ACT_CONTENT_LENGTH, "delta" },
    { "gzip", ACT_GZIP, "" },
    { "gzip-bomb", ACT_GZIP_BOMB, "bytes" },
    { "no-bookmarks", ACT_NO_BOOKMARKS, "" },
    { "bookmark-storm", ACT_BOOKMARK_STORM, "interval_ms" },
    { "watch-timeout", ACT_WATCH_TIMEOUT, "ms" },
    { "watchlist-endless", ACT_WATCHLIST_ENDLESS, "" },
    { "watchlist-ignored", ACT_WATCHLIST_IGNORED, "" },
    { "watchlist-refused", ACT_WATCHLIST_REFUSED, "" },
    { "ignore-as", ACT_IGNORE_AS, "" },
    { "item-kinds", ACT_ITEM_KINDS, "" },
    { "shuffle", ACT_SHUFFLE, "" },
    { "date-skew", ACT_DATE_SKEW, "ms" },
};

bool fault_is_transport(enum action a)
{
    return a <= ACT_DELAY;
}

bool fault_is_frame(enum action a)
{
    return a > ACT_DELAY && a <= ACT_BOOKMARK;
}

void fault_unref(struct fault *t)
{
    if (t != NULL && --t->refs == 0) {
        free(t->id);
        cJSON_Delete(t->spec);
        free(t);
    }
}

static bool word_in(const char *words, const char *word)
{
    size_t n = strlen(word);
    const char *at = words;

    while ((at = strstr(at, word)) != NULL) {
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
        at += n;
    }
    return false;
}

static int parse_at(struct fault *t, const cJSON *at, uint64_t now, struct buf *why)
{
    static const struct {
        const char *key;
        enum fault_at at;
    } keys[] = { { "request", AT_REQUEST },
                 { "event", AT_EVENT },
                 { "byte", AT_BYTE },
                 { "after_ms", AT_ONCE } };
    const cJSON *one = at != NULL ? at->child : NULL;

    if (at == NULL) {
        return 0;
    }
    for (size_t i = 0; one != NULL && one->next == NULL && i < ARRAY_LEN(keys); i++) {
        uint64_t n;

        if (strcmp(one->string, keys[i].key) == 0 && jrv(at, keys[i].key, &n)) {
            t->at = keys[i].at;
            t->at_n = n;
            if (strcmp(one->string, "after_ms") == 0) {
                t->active_at = now + n;
                t->pending = n > 0;
            }
            return 0;
        }
    }
    buf_str(why, "at: one of request, event, byte, after_ms with a number");
    return -1;
}

static int parse_target(struct fault *t, struct buf *why)
{
    const char *kind = jstr(t->spec, "kind", "*");
    const char *verb = jstr(t->spec, "verb", "*");

    if (strcmp(kind, "*") != 0) {
        t->kind = kind_by_word(kind);
        if (t->kind == NULL) {
            buf_fmt(why, "kind: no kind '%s'", kind);
            return -1;
        }
    }
    t->verb = -1;
    if (strcmp(verb, "watchlist") == 0) {
        t->verb = VERB_WATCH;
        t->watchlist = true;
    } else if (strcmp(verb, "*") != 0) {
        t->verb = verb_by_name(verb);
        if (t->verb < 0) {
            buf_fmt(why, "verb: no verb '%s'", verb);
            return -1;
        }
    }
    t->ns = jstr(t->spec, "namespace", NULL);
    t->user_agent = jstr(t->spec, "user_agent", NULL);
    return 0;
}

static bool matches(const struct fault *t, const struct exchange *x)
{
    return (t->kind == NULL || t->kind == x->route.kind) &&
           (t->verb < 0 || t->verb == (int)x->route.verb) &&
           (t->ns == NULL || strcmp(t->ns, x->route.ns) == 0) &&
           (t->user_agent == NULL ||
            strncmp(t->user_agent, x->req->user_agent, strlen(t->user_agent)) == 0) &&
           (!t->watchlist || strstr(x->req->query, "sendInitialEvents=") != NULL);
}

bool fault_armed(const struct fake *f, const struct fault *t)
{
    uint64_t now = fake_now(f);

    return !t->removed && !t->pending && (t->count == 0 || t->fired < t->count) &&
           (t->expires_at == 0 || now < t->expires_at);
}

void fault_fire(struct fault *t)
{
    t->fired++;
}

/* The streams that are open when a fault begins to act meet it too. */
static void meet_live(struct fake *f, struct fault *t)
{
    struct exchange *next;

    if (t->at == AT_REQUEST || !(fault_is_transport(t->action) || fault_is_frame(t->action))) {
        return;
    }
    for (struct exchange *x = f->exchanges; x != NULL; x = next) {
        next = x->next;
        if (x->started && matches(t, x)) {
            exchange_attach(x, t);
        }
    }
}

int fault_add(struct fake *f, const cJSON *spec, struct buf *why, const char **id)
{
    static const char *const common =
        "action id kind verb namespace user_agent at count duration_ms";
    const char *name = jstr(spec, "action", "");
    struct fault *t;
    const cJSON *member;
    struct fault **slot = &f->faults;
    size_t which = 0;
    uint64_t n;

    while (which < ACT_COUNT && strcmp(actions[which].name, name) != 0) {
        which++;
    }
    if (which == ACT_COUNT) {
        buf_fmt(why, "action: no action '%s'", name);
        return -1;
    }
    cJSON_ArrayForEach(member, spec)
    {
        if (!word_in(common, member->string) && !word_in(actions[which].params, member->string)) {
            buf_fmt(why, "%s: unknown key of action '%s'", member->string, name);
            return -1;
        }
    }
    t = xcalloc(1, sizeof(*t));
    t->refs = 1;
    t->spec = cJSON_Duplicate(spec, 1);
    t->action = actions[which].action;
    t->count = jrv(spec, "count", &n) ? n : 1;
    t->expires_at = jrv(spec, "duration_ms", &n) ? fake_now(f) + n : 0;
    if (parse_target(t, why) != 0 || parse_at(t, jget(spec, "at"), fake_now(f), why) != 0) {
        fault_unref(t);
        return -1;
    }
    if (jget(spec, "frame_bytes") != NULL && t->at == AT_ONCE && t->action != ACT_TRUNCATE_LIST) {
        t->at = AT_EVENT;
    }
    f->fault_serial++;
    if (jstr(spec, "id", NULL) != NULL) {
        t->id = xstrdup(jstr(spec, "id", ""));
        fault_remove(f, t->id);
    } else {
        struct buf b = { 0 };

        buf_fmt(&b, "f%llu", (unsigned long long)f->fault_serial);
        t->id = xstrdup(buf_cstr(&b));
        buf_free(&b);
    }
    while (*slot != NULL) {
        slot = &(*slot)->next;
    }
    *slot = t;
    *id = t->id;
    if (!t->pending) {
        meet_live(f, t);
    }
    return 0;
}

static void unlink_fault(struct fault **slot)
{
    struct fault *t = *slot;

    *slot = t->next;
    t->removed = true;
    t->next = NULL;
    fault_unref(t);
}

bool fault_remove(struct fake *f, const char *id)
{
    struct fault **slot = &f->faults;
    bool found = false;

    while (*slot != NULL) {
        if (id == NULL || strcmp((*slot)->id, id) == 0) {
            unlink_fault(slot);
            found = true;
        } else {
            slot = &(*slot)->next;
        }
    }
    return found;
}

void faults_deinit(struct fake *f)
{
    fault_remove(f, NULL);
}

void faults_json(struct fake *f, struct buf *out)
{
    buf_str(out, "{\"faults\":[");
    for (struct fault *t = f->faults; t != NULL; t = t->next) {
        cJSON *copy = cJSON_Duplicate(t->spec, 1);

        jset_str(copy, "id", t->id);
        jset(copy, "fired", cJSON_CreateNumber((double)t->fired));
        jset(copy, "armed", cJSON_CreateBool(fault_armed(f, t)));
        jprint(copy, out);
        buf_str(out, t->next != NULL ? "," : "");
        cJSON_Delete(copy);
    }
    buf_str(out, "]}");
}

void faults_tick(struct fake *f, uint64_t now)
{
    for (struct fault *t = f->faults; t != NULL; t = t->next) {
        if (t->pending && now >= t->active_at) {
            t->pending = false;
            meet_live(f, t);
        }
    }
}

void faults_meet(struct fake *f, struct exchange *x)
{
    for (struct fault *t = f->faults; t != NULL; t = t->next) {
        if (!fault_armed(f, t) || !matches(t, x)) {
            continue;
        }
        t->seen++;
        if (t->at != AT_REQUEST || t->seen >= t->at_n) {
            exchange_attach(x, t);
        }
    }
}
