/* kubectl's typed commands (`create namespace`, `create deployment`, ...) send protobuf and nothing
 * else. This reads as much of it as those commands write; answers stay JSON, which they accept. */
#ifndef FAKE_PROTOBUF_H
#define FAKE_PROTOBUF_H

#include "json.h"
#include "kinds.h"

/* The object in the bytes of a `k8s\0` envelope, NULL when it is malformed or its kind is none of
 * the known. */
cJSON *protobuf_object(const char *data, size_t n, const struct kind *k);

#endif
