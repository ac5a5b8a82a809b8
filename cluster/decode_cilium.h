/* Between the decoders of Cilium's policies. */
#ifndef NETAUDITD_CLUSTER_DECODE_CILIUM_H
#define NETAUDITD_CLUSTER_DECODE_CILIUM_H

#include "cluster/decode_policy.h"

struct cilium {
    struct cilium_policy *p;
    const char *ns; /* of a CiliumNetworkPolicy; NULL for the clusterwide kind */
    bool of_hosts;  /* the rule being read has a nodeSelector */
    bool ingress;   /* the section being read is of ingress */
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

/* Parts that are read for their faults only (decode_cilium_l7.c): the matchName and matchPattern of
 * a list, one item of toPorts, the list of icmps. */
void cilium_check_names(struct cilium *c, const cJSON *list, const struct field *at);
void cilium_check_layer7(struct cilium *c, const cJSON *item, const struct field *at);
void cilium_check_icmps(struct cilium *c, const cJSON *list, const struct field *list_at);

#endif
