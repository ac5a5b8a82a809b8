#include "selector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum op { OP_EXISTS, OP_ABSENT, OP_IN, OP_NOT_IN, OP_GREATER, OP_LESS };

struct requirement {
    enum op op;
    char *key;
    char *values; /* "a\0b\0\0" */
};

static const char *skip_space(const char *s)
{
    while (isspace((unsigned char)*s)) {
        s++;
    }
    return s;
}

static size_t word_len(const char *s)
{
    return strcspn(s, ",=!<>() \t");
}

static struct requirement *add_requirement(struct selector *out)
{
    out->reqs = xrealloc(out->reqs, (out->n + 1) * sizeof(*out->reqs));
    out->reqs[out->n] = (struct requirement){ 0 };
    return &out->reqs[out->n++];
}

static void add_value(struct buf *values, const char *s, size_t n)
{
    buf_add(values, s, n);
    buf_add(values, "", 1);
}

/* `in (a,b)`: s stands behind the operator. NULL when malformed. */
static const char *parse_set(const char *s, struct buf *values)
{
    s = skip_space(s);
    if (*s++ != '(') {
        return NULL;
    }
    for (;;) {
        size_t n;

        s = skip_space(s);
        n = word_len(s);
        add_value(values, s, n);
        s = skip_space(s + n);
        if (*s == ')') {
            return s + 1;
        }
        if (*s++ != ',') {
            return NULL;
        }
    }
}

static const char *parse_operator(const char *s, struct requirement *r, struct buf *values)
{
    size_t n;

    s = skip_space(s);
    if (*s == '\0' || *s == ',') {
        r->op = OP_EXISTS;
        return s;
    }
    if (strncmp(s, "in", 2) == 0 && strchr(" (\t", s[2]) != NULL && s[2] != '\0') {
        r->op = OP_IN;
        return parse_set(s + 2, values);
    }
    if (strncmp(s, "notin", 5) == 0 && strchr(" (\t", s[5]) != NULL && s[5] != '\0') {
        r->op = OP_NOT_IN;
        return parse_set(s + 5, values);
    }
    if (s[0] == '!' && s[1] == '=') {
        r->op = OP_NOT_IN;
        s += 2;
    } else if (s[0] == '=') {
        r->op = OP_IN;
        s += s[1] == '=' ? 2 : 1;
    } else if (s[0] == '>' || s[0] == '<') {
        r->op = s[0] == '>' ? OP_GREATER : OP_LESS;
        s++;
    } else {
        return NULL;
    }
    s = skip_space(s);
    n = word_len(s);
    add_value(values, s, n);
    return s + n;
}

static bool fail_parse(char **why, const char *text)
{
    struct buf b = { 0 };

    buf_fmt(&b, "unable to parse requirement: found '%s', expected: ',' or an operator", text);
    *why = xstrdup(buf_cstr(&b));
    buf_free(&b);
    return false;
}

static bool parse(const char *text, struct selector *out, char **why)
{
    const char *s = skip_space(text);

    *out = (struct selector){ 0 };
    while (*s != '\0') {
        struct requirement *r = add_requirement(out);
        struct buf values = { 0 };
        bool absent = *s == '!';
        size_t n;

        s = skip_space(s + absent);
        n = word_len(s);
        r->key = xstrndup(s, n);
        if (n == 0) {
            return fail_parse(why, s);
        }
        s += n;
        if (absent) {
            r->op = OP_ABSENT;
            s = skip_space(s);
        } else {
            s = parse_operator(s, r, &values);
        }
        buf_add(&values, "", 1);
        r->values = values.data;
        if (s == NULL) {
            return fail_parse(why, text);
        }
        s = skip_space(s);
        if (*s == ',') {
            s = skip_space(s + 1);
            if (*s == '\0') {
                return fail_parse(why, "");
            }
        } else if (*s != '\0') {
            return fail_parse(why, s);
        }
    }
    return true;
}

bool selector_parse_labels(const char *text, struct selector *out, char **why)
{
    if (parse(text, out, why)) {
        return true;
    }
    selector_free(out);
    return false;
}

static bool field_known(const struct kind *kind, const char *field)
{
    static const struct {
        const char *resource, *field;
    } known[] = {
        { "pods", "spec.nodeName" },
        { "pods", "spec.restartPolicy" },
        { "pods", "spec.schedulerName" },
        { "pods", "spec.serviceAccountName" },
        { "pods", "spec.hostNetwork" },
        { "pods", "status.phase" },
        { "pods", "status.podIP" },
        { "pods", "status.nominatedNodeName" },
        { "secrets", "type" },
        { "namespaces", "status.phase" },
        { "namespaces", "name" },
        { "services", "spec.clusterIP" },
        { "services", "spec.type" },
    };

    if (strcmp(field, "metadata.name") == 0) {
        return true;
    }
    if (strcmp(field, "metadata.namespace") == 0) {
        return kind->namespaced;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (kind->group[0] == '\0' && strcmp(known[i].resource, kind->resource) == 0 &&
            strcmp(known[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

bool selector_parse_fields(const char *text, const struct kind *kind, struct selector *out,
                           char **why)
{
    struct buf b = { 0 };

    if (!parse(text, out, why)) {
        selector_free(out);
        return false;
    }
    for (size_t i = 0; i < out->n; i++) {
        const struct requirement *r = &out->reqs[i];

        if (r->op != OP_IN && r->op != OP_NOT_IN) {
            buf_fmt(&b, "invalid field selector: \"%s\"; can't understand '%s'", text, r->key);
        } else if (!field_known(kind, r->key)) {
            buf_fmt(&b,
                    "Unable to find \"%s, Resource=%s\" that match label selector \"\", field "
                    "selector \"%s\": field label not supported: %s",
                    kind->group[0] != '\0' ? kind->api_version : "/v1", kind->resource, text,
                    r->key);
        }
        if (b.len > 0) {
            *why = xstrdup(buf_cstr(&b));
            buf_free(&b);
            selector_free(out);
            return false;
        }
    }
    return true;
}

void selector_free(struct selector *sel)
{
    for (size_t i = 0; i < sel->n; i++) {
        free(sel->reqs[i].key);
        free(sel->reqs[i].values);
    }
    free(sel->reqs);
    *sel = (struct selector){ 0 };
}

static bool has_value(const char *values, const char *v)
{
    /* A set may hold an empty word, so its end is known only by two NULs after at least one word.
     */
    do {
        if (strcmp(values, v) == 0) {
            return true;
        }
        values += strlen(values) + 1;
    } while (*values != '\0');
    return false;
}

static bool requirement_holds(const struct requirement *r, const char *have)
{
    switch (r->op) {
    case OP_EXISTS:
        return have != NULL;
    case OP_ABSENT:
        return have == NULL;
    case OP_IN:
        return have != NULL && has_value(r->values, have);
    case OP_NOT_IN:
        return have == NULL || !has_value(r->values, have);
    case OP_GREATER:
        return have != NULL && strtoll(have, NULL, 10) > strtoll(r->values, NULL, 10);
    case OP_LESS:
        return have != NULL && strtoll(have, NULL, 10) < strtoll(r->values, NULL, 10);
    }
    return false;
}

bool selector_matches_labels(const struct selector *sel, const struct object *o)
{
    for (size_t i = 0; i < sel->n; i++) {
        if (!requirement_holds(&sel->reqs[i], block_get(o->labels, sel->reqs[i].key))) {
            return false;
        }
    }
    return true;
}

bool selector_matches_fields(const struct selector *sel, const struct object *o)
{
    for (size_t i = 0; i < sel->n; i++) {
        const struct requirement *r = &sel->reqs[i];
        const char *have;
        char ns[256];

        if (strcmp(r->key, "metadata.name") == 0) {
            have = object_name(o);
        } else if (strcmp(r->key, "metadata.namespace") == 0) {
            size_t n = o->ns_len < sizeof(ns) - 1 ? o->ns_len : sizeof(ns) - 1;

            memcpy(ns, o->key, n);
            ns[n] = '\0';
            have = ns;
        } else {
            have = block_get(o->fields, r->key);
        }
        if (!requirement_holds(r, have != NULL ? have : "")) {
            return false;
        }
    }
    return true;
}
