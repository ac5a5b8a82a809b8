/* A look into the JSON that some annotations hold (ALB listen-ports and actions), without a tree:
 * an iterative tokenizer over one text. Hostile text costs one pass and no memory. */
#ifndef NETAUDITD_RULES_JSON_PEEK_H
#define NETAUDITD_RULES_JSON_PEEK_H

#include <stdbool.h>
#include <stdint.h>

enum { JSON_PEEK_DEPTH_MAX = 16, JSON_PEEK_TEXT_MAX = 64 };

enum json_token {
    JSON_OBJECT,     /* { */
    JSON_OBJECT_END, /* } */
    JSON_ARRAY,      /* [ */
    JSON_ARRAY_END,  /* ] */
    JSON_KEY,        /* text: the key */
    JSON_STRING,     /* text: the value */
    JSON_SCALAR,     /* text: number, true, false or null, as written */
    JSON_DONE,       /* the value has ended and nothing follows */
    JSON_BAD         /* not JSON, deeper than 16 or a scalar longer than 63; stays so */
};

struct json_peek {
    const char *at;
    uint32_t objects; /* bit per depth: is it an object? */
    uint32_t depth;   /* open brackets; a key at depth 1 belongs to the outermost object */
    uint8_t expect;
    char text[JSON_PEEK_TEXT_MAX]; /* of the last key, string or scalar; a longer string is cut */
};

void json_peek_init(struct json_peek *j, const char *text);
enum json_token json_peek_next(struct json_peek *j);

#endif
