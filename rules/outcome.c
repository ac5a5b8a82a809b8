#include "rules/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_PATH_MAX = 1024 };

struct evidence_item {
    struct evidence_item *next;
    const char *key; /* NULL: an object */
    const char *value;
    const char *kind, *ns, *name, *resource_version;
};

void outcome_init(struct outcome *out, struct arena *arena)
{
    *out = (struct outcome){
        .result = RESULT_ERROR, .message = "the rule said nothing", .subkey = "", .arena = arena
    };
}

static void say(struct outcome *out, enum result result, const char *message)
{
    out->result = result;
    out->message = message;
    out->kind_unavailable = false;
    out->kind_off = false;
}

void finding_pass(struct outcome *out)
{
    say(out, RESULT_PASS, "");
}

void finding_pass_because(struct outcome *out, const char *why)
{
    say(out, RESULT_PASS, why);
}

void finding_fail(struct outcome *out, const char *message)
{
    say(out, RESULT_FAIL, message);
}

void finding_warn(struct outcome *out, const char *message)
{
    say(out, RESULT_WARN, message);
}

void finding_skip(struct outcome *out, const char *why)
{
    say(out, RESULT_SKIP, why);
}

void finding_error(struct outcome *out, const char *why)
{
    say(out, RESULT_ERROR, why);
}

void finding_field(struct outcome *out, const char *field_path_fmt, ...)
{
    char text[FIELD_PATH_MAX];
    va_list ap;

    va_start(ap, field_path_fmt);
    vsnprintf(text, sizeof(text), field_path_fmt, ap);
    va_end(ap);
    out->field = arena_strdup(out->arena, text);
}

void finding_grace(struct outcome *out, int64_t grace_ms)
{
    out->grace_ms = grace_ms;
}

void finding_valid_until(struct outcome *out, int64_t at_ms)
{
    if (out->valid_until_ms == 0 || at_ms < out->valid_until_ms) {
        out->valid_until_ms = at_ms;
    }
}

/* ---- evidence ---- */

/* Outsiders choose these texts: each is cut, so that the whole stays bounded. */
static const char *cut(struct arena *arena, const char *text)
{
    size_t len = strnlen(text, EVIDENCE_MAX_TEXT + 1);

    if (len <= EVIDENCE_MAX_TEXT) {
        return arena_strndup(arena, text, len);
    }
    len = EVIDENCE_MAX_TEXT;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
        len--; /* never through the middle of a character */
    }
    return arena_printf(arena, "%.*s...", (int)len, text);
}

/* NULL when there are enough: it is only counted then. */
static struct evidence_item *add_item(struct outcome *out)
{
    if (out->evidence_count++ >= EVIDENCE_MAX_ITEMS) {
        return NULL;
    }
    struct evidence_item *item = arena_alloc(out->arena, sizeof(*item));
    if (out->evidence_last != NULL) {
        out->evidence_last->next = item;
    } else {
        out->evidence = item;
    }
    out->evidence_last = item;
    return item;
}

void evidence_object(struct outcome *out, const char *kind, const struct object *obj)
{
    struct evidence_item *item = add_item(out);

    if (item == NULL) {
        return;
    }
    item->kind = kind;
    item->ns = obj->ns != NULL ? cut(out->arena, obj->ns->text) : NULL;
    item->name = cut(out->arena, str_text(obj->name));
    if (obj->resource_version != NULL) {
        item->resource_version = cut(out->arena, obj->resource_version->text);
    }
}

void evidence_value(struct outcome *out, const char *key, const char *fmt, ...)
{
    struct evidence_item *item = add_item(out);
    char text[EVIDENCE_MAX_TEXT + 8]; /* longer than what is kept, so that a cut is seen */
    va_list ap;

    if (item == NULL) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    item->key = key;
    item->value = cut(out->arena, text);
}

static void add_member(struct buf *json, const char *key, const char *value)
{
    buf_adds(json, ",\"");
    buf_adds(json, key);
    buf_adds(json, "\":");
    buf_add_json(json, value);
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int by_identity(const void *a, const void *b)
{
    const struct evidence_item *x = *(const struct evidence_item *const *)a;
    const struct evidence_item *y = *(const struct evidence_item *const *)b;
    int c = compare_texts(x->kind, y->kind);

    c = c != 0 ? c : compare_texts(x->ns, y->ns);
    return c != 0 ? c : compare_texts(x->name, y->name);
}

/* Sorted, each once: in which order the cache holds them is nobody's business. */
static void add_objects(const struct outcome *out, struct buf *json)
{
    const struct evidence_item *items[EVIDENCE_MAX_ITEMS];
    size_t n = 0;

    for (const struct evidence_item *i = out->evidence; i != NULL; i = i->next) {
        if (i->key == NULL) {
            items[n++] = i;
        }
    }
    if (n == 0) {
        return;
    }
    qsort(items, n, sizeof(items[0]), by_identity);
    buf_adds(json, "\"objects\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && by_identity(&items[i - 1], &items[i]) == 0) {
            continue;
        }
        buf_adds(json, i > 0 ? ",{\"kind\":" : "{\"kind\":");
        buf_add_json(json, items[i]->kind);
        if (items[i]->ns != NULL) {
            add_member(json, "namespace", items[i]->ns);
        }
        add_member(json, "name", items[i]->name);
        if (items[i]->resource_version != NULL) {
            add_member(json, "resourceVersion", items[i]->resource_version);
        }
        buf_adds(json, "}");
    }
    buf_adds(json, "]");
}

static bool seen_before(const struct outcome *out, const struct evidence_item *item)
{
    const struct evidence_item *i = out->evidence;

    while (i != item && (i->key == NULL || strcmp(i->key, item->key) != 0)) {
        i = i->next;
    }
    return i != item;
}

/* One value stands alone, several of one key become a list. */
static void add_values(const struct evidence_item *first, struct buf *json)
{
    uint32_t n = 0;

    for (const struct evidence_item *i = first; i != NULL; i = i->next) {
        n += i->key != NULL && strcmp(i->key, first->key) == 0 ? 1 : 0;
    }
    buf_add_json(json, first->key);
    buf_adds(json, n > 1 ? ":[" : ":");
    const char *between = "";
    for (const struct evidence_item *i = first; i != NULL; i = i->next) {
        if (i->key != NULL && strcmp(i->key, first->key) == 0) {
            buf_adds(json, between);
            buf_add_json(json, i->value);
            between = ",";
        }
    }
    buf_adds(json, n > 1 ? "]" : "");
}

void outcome_evidence(const struct outcome *out, struct buf *json)
{
    buf_adds(json, "{");
    add_objects(out, json);
    for (const struct evidence_item *i = out->evidence; i != NULL; i = i->next) {
        if (i->key != NULL && !seen_before(out, i)) {
            buf_adds(json, json->len > 1 ? "," : "");
            add_values(i, json);
        }
    }
    if (out->evidence_count > EVIDENCE_MAX_ITEMS) {
        buf_addf(json, ",\"more\":%u", out->evidence_count - EVIDENCE_MAX_ITEMS);
    }
    buf_adds(json, "}");
}

/* ---- kinds that a rule relies on ---- */

static bool any_workload_in_input(const struct cluster *c)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        if (kind_table[k].workload && cluster_kind_in_input(c, (enum kind)k)) {
            return true;
        }
    }
    return cluster_kind_in_input(c, KIND_POD);
}

/* CONTRACTS 2: the absence of these says nothing about the cluster, only about the input. */
static bool missing_from_input(const struct cluster *c, enum kind kind)
{
    switch (kind) {
    case KIND_POD:
        return !any_workload_in_input(c);
    case KIND_SECRET:
    case KIND_INGRESS_CLASS:
    case KIND_SERVICE:
        return !cluster_kind_in_input(c, kind);
    default:
        return false;
    }
}

/* Forbidden, stale or not yet synced on a live cluster. */
static bool kind_unavailable(const struct cluster *c, enum kind kind)
{
    if (cluster_offline(c)) {
        return false;
    }
    switch (cluster_kind(c, kind)->state) {
    case KIND_STATE_PENDING:
    case KIND_STATE_FORBIDDEN:
    case KIND_STATE_STALE:
        return true;
    case KIND_STATE_SYNCED:
    case KIND_STATE_ABSENT:
    case KIND_STATE_OFF:
        break;
    }
    return false;
}

static const char *name_trouble(struct arena *arena, const char *before, enum kind kind,
                                const char *after)
{
    char resource[64];

    kind_resource_name(&kind_table[kind], resource);
    return arena_printf(arena, "%s%s%s", before, resource, after);
}

const char *kind_trouble(const struct cluster *c, enum kind kind, bool *unavailable,
                         struct arena *arena)
{
    *unavailable = false;
    if (cluster_offline(c)) {
        if (!missing_from_input(c, kind)) {
            return NULL;
        }
        return kind == KIND_POD
                   ? "not in the input: no workload at all"
                   : arena_printf(arena, "not in the input: no %s at all", kind_table[kind].name);
    }
    *unavailable = kind_unavailable(c, kind);
    switch (cluster_kind(c, kind)->state) {
    case KIND_STATE_PENDING:
        return name_trouble(arena, "cannot be judged: ", kind, " have not been listed yet");
    case KIND_STATE_FORBIDDEN:
        return name_trouble(arena, "cannot be judged: ", kind, " may not be read");
    case KIND_STATE_STALE:
        return name_trouble(arena, "cannot be judged: what is known of ", kind, " is stale");
    case KIND_STATE_OFF:
        if (kind_table[kind].watch == KIND_WATCH_SERVED) {
            return NULL; /* nobody asks for it: as where it is not served */
        }
        return kind == KIND_SECRET ? "not judged: Secrets are not watched; secrets: metadata would"
                                   : name_trouble(arena, "not judged: ", kind, " are not watched");
    case KIND_STATE_SYNCED:
    case KIND_STATE_ABSENT:
        break;
    }
    return NULL;
}

bool rule_relies_on(const struct rule_input *in, struct outcome *out, enum kind kind)
{
    bool unavailable;
    const char *why = kind_trouble(in->cluster, kind, &unavailable, in->arena);

    if (why == NULL) {
        return true;
    }
    if (unavailable) {
        finding_error(out, why);
        out->kind_unavailable = true;
    } else {
        finding_skip(out, why);
        out->kind_off = !cluster_offline(in->cluster);
    }
    out->kind = kind;
    return false;
}
