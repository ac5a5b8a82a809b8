/* Requests out of bytes. */
#ifndef FAKE_HTTP_PARSE_H
#define FAKE_HTTP_PARSE_H

#include "http.h"

#define HTTP_HEAD_MAX (64u * 1024)
#define HTTP_BODY_MAX (64u * 1024 * 1024)

struct parsed {
    struct http_request req; /* strings owned; body points into the buffer given */
    struct buf body;         /* of a chunked request */
    size_t consumed;
    bool keep_alive, head_seen, wants_continue, head_only;
};

/* 0: whole request in *out; 1: more bytes needed; an HTTP status: refuse with it. */
int http_parse(const char *data, size_t len, struct parsed *out);
void parsed_free(struct parsed *p);

#endif
