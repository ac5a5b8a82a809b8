/* GET of one object and all writes of the API port. Each starts the answer. */
#ifndef FAKE_WRITE_H
#define FAKE_WRITE_H

#include "exchange.h"

void api_get(struct exchange *x);
void api_create(struct exchange *x);
void api_update(struct exchange *x);
void api_patch(struct exchange *x);
void api_delete(struct exchange *x);
void api_delete_collection(struct exchange *x);
/* Subresource scale of kinds with spec.replicas: GET, PUT and PATCH. */
void api_scale(struct exchange *x);
/* `pods "x" not found` and its like, with details. */
void api_not_found(struct exchange *x);
/* ingresses.networking.k8s.io; the caller frees it. */
char *qualified(const struct kind *k);

#endif
