#include "rules/json_peek.h"

#include <ctype.h>
#include <string.h>

/* What may come next. After a value the brackets that are open say whether a comma, an end or
 * nothing follows. */
enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after [ */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* after { */
    EXPECT_NEXT,       /* after a value */
    EXPECT_NOTHING     /* after an error */
};

void json_peek_init(struct json_peek *j, const char *text)
{
    *j = (struct json_peek){ .at = text, .expect = EXPECT_VALUE };
}

static enum json_token bad(struct json_peek *j)
{
    j->expect = EXPECT_NOTHING;
    return JSON_BAD;
}

static void skip_space(struct json_peek *j)
{
    j->at += strspn(j->at, " \t\r\n");
}

static bool in_object(const struct json_peek *j)
{
    return j->depth > 0 && (j->objects >> (j->depth - 1) & 1U) != 0;
}

static enum json_token open_bracket(struct json_peek *j, bool object)
{
    if (j->depth == JSON_PEEK_DEPTH_MAX) {
        return bad(j);
    }
    j->objects &= ~(1U << j->depth);
    j->objects |= (object ? 1U : 0U) << j->depth;
    j->depth++;
    j->at++;
    j->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token close_bracket(struct json_peek *j)
{
    bool object = in_object(j);

    if (j->depth == 0 || *j->at != (object ? '}' : ']')) {
        return bad(j);
    }
    j->depth--;
    j->at++;
    j->expect = EXPECT_NEXT;
    return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

/* The text between quotes, cut when long. What is asked for is plain ASCII, so that a \u escape
 * only has to differ from it: it is kept as '?'. */
static bool read_quoted(struct json_peek *j)
{
    size_t len = 0;

    for (j->at++; *j->at != '"'; j->at++) {
        char c = *j->at;

        if ((unsigned char)c < 0x20) {
            return false; /* the end of the text as well */
        }
        if (c == '\\') {
            c = *++j->at;
            if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL) {
                return false;
            }
            c = strchr("\"\\/", c) != NULL ? c : '?';
        }
        if (len + 1 < sizeof(j->text)) {
            j->text[len++] = c;
        }
    }
    j->text[len] = '\0';
    j->at++;
    return true;
}

static enum json_token read_scalar(struct json_peek *j)
{
    size_t len = strcspn(j->at, " \t\r\n,:]}[{\"");

    if (len == 0 || len >= sizeof(j->text) ||
        (strchr("-tfn", *j->at) == NULL && !isdigit((unsigned char)*j->at))) {
        return bad(j);
    }
    memcpy(j->text, j->at, len);
    j->text[len] = '\0';
    j->at += len;
    j->expect = EXPECT_NEXT;
    return JSON_SCALAR;
}

static enum json_token read_value(struct json_peek *j)
{
    switch (*j->at) {
    case '{':
        return open_bracket(j, true);
    case '[':
        return open_bracket(j, false);
    case '"':
        j->expect = EXPECT_NEXT;
        return read_quoted(j) ? JSON_STRING : bad(j);
    default:
        return read_scalar(j);
    }
}

static enum json_token read_key(struct json_peek *j)
{
    if (*j->at != '"' || !read_quoted(j)) {
        return bad(j);
    }
    skip_space(j);
    if (*j->at != ':') {
        return bad(j);
    }
    j->at++;
    j->expect = EXPECT_VALUE;
    return JSON_KEY;
}

enum json_token json_peek_next(struct json_peek *j)
{
    if (j->expect == EXPECT_NOTHING) {
        return JSON_BAD;
    }
    skip_space(j);
    if (j->expect == EXPECT_NEXT) {
        if (j->depth == 0) {
            return *j->at == '\0' ? JSON_DONE : bad(j);
        }
        if (*j->at != ',') {
            return close_bracket(j);
        }
        j->at++;
        skip_space(j);
        j->expect = in_object(j) ? EXPECT_KEY : EXPECT_VALUE;
    }
    if ((j->expect == EXPECT_KEY_OR_END && *j->at == '}') ||
        (j->expect == EXPECT_VALUE_OR_END && *j->at == ']')) {
        return close_bracket(j);
    }
    return j->expect == EXPECT_KEY || j->expect == EXPECT_KEY_OR_END ? read_key(j) : read_value(j);
}
