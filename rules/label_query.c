#include "rules/label_query.h"

#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"

enum { WORD_MAX = 317 /* prefix of 253, slash, name of 63 */ };

struct query {
    const char *text, *at;
    VEC(struct selector_requirement) requirements;
    struct error *err;
};

static void skip_space(struct query *q)
{
    q->at += strspn(q->at, " \t");
}

static bool take(struct query *q, const char *token)
{
    size_t len = strlen(token);

    skip_space(q);
    if (strncmp(q->at, token, len) != 0) {
        return false;
    }
    q->at += len;
    return true;
}

/* A word of the characters that keys and values are made of; its length. */
static size_t word_length(struct query *q)
{
    skip_space(q);
    return strspn(q->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/");
}

static int complain(struct query *q, const char *expected)
{
    skip_space(q);
    if (*q->at == '\0') {
        return error_set(q->err, NA_EINVAL, "selector '%s': %s expected at its end", q->text,
                         expected);
    }
    return error_set(q->err, NA_EINVAL, "selector '%s': %s expected at '%.40s'", q->text, expected,
                     q->at);
}

static void add_value(struct selector_requirement *r, const char *text, size_t len)
{
    r->values = xrealloc(r->values, (r->value_count + 1) * sizeof(r->values[0]));
    r->values[r->value_count++] = str_intern_n(text, len);
}

static int read_values(struct query *q, struct selector_requirement *r)
{
    if (!take(q, "(")) {
        return complain(q, "'('");
    }
    do {
        size_t len = word_length(q); /* the empty value is one, too */
        add_value(r, q->at, len);
        q->at += len;
    } while (take(q, ","));
    return take(q, ")") ? 0 : complain(q, "',' or ')'");
}

static bool take_word(struct query *q, const char *word)
{
    size_t len = word_length(q);

    if (len != strlen(word) || strncmp(q->at, word, len) != 0) {
        return false;
    }
    q->at += len;
    return true;
}

static int read_operator(struct query *q, struct selector_requirement *r)
{
    if (take_word(q, "in")) {
        r->op = SELECTOR_IN;
        return read_values(q, r);
    }
    if (take_word(q, "notin")) {
        r->op = SELECTOR_NOT_IN;
        return read_values(q, r);
    }
    if (take(q, "!=")) {
        r->op = SELECTOR_NOT_IN;
    } else if (take(q, "==") || take(q, "=")) {
        r->op = SELECTOR_IN;
    } else {
        r->op = SELECTOR_EXISTS;
        return 0;
    }
    size_t len = word_length(q);
    add_value(r, q->at, len);
    q->at += len;
    return 0;
}

static int read_requirement(struct query *q)
{
    struct selector_requirement r = { .op = SELECTOR_DOES_NOT_EXIST };
    bool absent = take(q, "!");
    size_t len = word_length(q);

    if (len == 0 || len > WORD_MAX) {
        return complain(q, "a label key");
    }
    r.key = str_intern_n(q->at, len);
    q->at += len;
    int rc = absent ? 0 : read_operator(q, &r);
    vec_push(&q->requirements, r); /* also when wrong: freed with the rest */
    return rc;
}

int label_query_parse(const char *text, struct selector **out, struct error *err)
{
    struct query q = { .text = text, .at = text, .err = err };
    int rc = 0;

    skip_space(&q);
    if (*q.at != '\0') {
        do {
            rc = read_requirement(&q);
        } while (rc == 0 && take(&q, ","));
        skip_space(&q);
        if (rc == 0 && *q.at != '\0') {
            rc = complain(&q, "',' or an operator");
        }
    }
    struct selector *s = xcalloc(1, sizeof(*s));
    s->requirements = q.requirements.items;
    s->count = (uint32_t)q.requirements.len;
    if (rc != 0) {
        selector_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}
