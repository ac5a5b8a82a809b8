/* Between the decoders of Cilium's policies. */
#ifndef NETAUDITD_CLUSTER_DECODE_CILIUM_H
#define NETAUDITD_CLUSTER_DECODE_CILIUM_H

#include "cluster/decode_policy.h"

struct cilium {
    struct cilium_policy *p;
    const char *ns; /* of a CiliumNetworkPolicy; NULL for the clusterwide kind */
};

void cilium_note(struct cilium *c, const struct field *at, const char *sentence);
/* Names the construct, unless another has been named. */
void cilium_unmodelled(struct str **out, const char *construct);
bool cilium_entity_parse(const char *text, enum cilium_entity *out);

enum cilium_whose { CILIUM_OF_SUBJECT, CILIUM_OF_PEER };
/* An EndpointSelector, split by whose labels it reads (policy_object.h). */
int decode_cilium_endpoints(struct cilium *c, const cJSON *node, const struct field *at,
                            enum cilium_whose whose, struct cilium_endpoints *out,
                            struct error *err);

#endif
