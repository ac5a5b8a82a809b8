/* The head of an answer, line by line as curl hands it over: what of it a struct http_request
 * keeps. */
#ifndef NETAUDITD_WATCHERS_HTTP_HEAD_H
#define NETAUDITD_WATCHERS_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "watchers/http_client.h"

enum { HTTP_WARNING_MAX = 512 };

/* A status line: nothing is known yet, also after 100 Continue. */
void http_head_begin(struct http_request *req);

/* One header. `line` needs no NUL; a value longer than HTTP_WARNING_MAX is cut, one that makes no
 * sense is taken as absent. True: it is a Warning, whose text is in `warning`, control characters
 * escaped. */
bool http_head_line(struct http_request *req, const char *line, size_t len,
                    char warning[HTTP_WARNING_MAX]);

#endif
