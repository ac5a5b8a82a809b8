#include "cluster/selector.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text_out {
    char *text;
    size_t size, len;
    bool cut;
};

static const struct str *get_from_set(void *ctx, const struct str *key)
{
    return label_set_get(ctx, key);
}

static bool requirement_holds(const struct selector_requirement *r, const struct str *value)
{
    bool in = false;

    if (r->op == SELECTOR_EXISTS || r->op == SELECTOR_DOES_NOT_EXIST) {
        return (value != NULL) == (r->op == SELECTOR_EXISTS);
    }
    for (uint32_t i = 0; i < r->value_count && !in; i++) {
        in = r->values[i] == value;
    }
    return in == (r->op == SELECTOR_IN);
}

bool selector_matches_get(const struct selector *s,
                          const struct str *(*get)(void *ctx, const struct str *key), void *ctx)
{
    if (s == NULL || s->malformed != NULL) {
        return false;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (!requirement_holds(&s->requirements[i], get(ctx, s->requirements[i].key))) {
            return false;
        }
    }
    return true;
}

bool selector_matches(const struct selector *s, const struct label_set *labels)
{
    return selector_matches_get(s, get_from_set, (void *)(uintptr_t)labels);
}

static bool requirement_equal(const struct selector_requirement *a,
                              const struct selector_requirement *b)
{
    if (a->op != b->op || a->key != b->key || a->value_count != b->value_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->value_count; i++) {
        if (a->values[i] != b->values[i]) {
            return false;
        }
    }
    return true;
}

bool selector_equal(const struct selector *a, const struct selector *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (a->count != b->count || a->malformed != b->malformed) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!requirement_equal(&a->requirements[i], &b->requirements[i])) {
            return false;
        }
    }
    return true;
}

static void out_add(struct text_out *o, const char *text)
{
    size_t len = strlen(text), room = o->size - o->len - 1;

    if (len > room) {
        len = room;
        o->cut = true;
    }
    memcpy(o->text + o->len, text, len);
    o->len += len;
    o->text[o->len] = '\0';
}

static void out_requirement(struct text_out *o, const struct selector_requirement *r)
{
    if (r->op == SELECTOR_DOES_NOT_EXIST) {
        out_add(o, "!");
    }
    out_add(o, str_text(r->key));
    if (r->op == SELECTOR_EXISTS || r->op == SELECTOR_DOES_NOT_EXIST) {
        return;
    }
    if (r->op == SELECTOR_IN && r->value_count == 1) {
        out_add(o, "=");
        out_add(o, str_text(r->values[0]));
        return;
    }
    out_add(o, r->op == SELECTOR_IN ? " in (" : " notin (");
    for (uint32_t i = 0; i < r->value_count && !o->cut; i++) {
        out_add(o, i > 0 ? "," : "");
        out_add(o, str_text(r->values[i]));
    }
    out_add(o, ")");
}

void selector_format(const struct selector *s, char *out, size_t size)
{
    struct text_out o = { .text = out, .size = size };

    if (size == 0) {
        return;
    }
    out[0] = '\0';
    if (s == NULL) {
        out_add(&o, "<none>");
    } else if (s->count == 0) {
        out_add(&o, "<all>");
    }
    for (uint32_t i = 0; s != NULL && i < s->count && !o.cut; i++) {
        out_add(&o, i > 0 ? "," : "");
        out_requirement(&o, &s->requirements[i]);
    }
    if (o.cut && size > 3) {
        size_t at = o.len >= 3 ? o.len - 3 : 0;

        while (at > 0 && ((unsigned char)out[at] & 0xC0) == 0x80) {
            at--; /* never through the middle of a character */
        }
        memcpy(out + at, "...", 4);
    }
}

void selector_destroy(struct selector *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        str_unref(s->requirements[i].key);
        for (uint32_t j = 0; j < s->requirements[i].value_count; j++) {
            str_unref(s->requirements[i].values[j]);
        }
        free(s->requirements[i].values);
    }
    free(s->requirements);
    str_unref(s->malformed);
    free(s);
}
