/* The API port: who asks, what for, and to whom the request goes. */
#ifndef FAKE_API_H
#define FAKE_API_H

#include "fake.h"

/* The handler of the API server; ctx is the struct fake. */
void api_request(struct http_conn *c, const struct http_request *req, void *ctx);

#endif
