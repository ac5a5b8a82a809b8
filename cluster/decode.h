/* From trees to typed objects. `object_from_tree` is what manifests use; the rest is between the
 * decoders. */
#ifndef NETAUDITD_CLUSTER_DECODE_H
#define NETAUDITD_CLUSTER_DECODE_H

#include <cjson/cJSON.h>

#include "base/error.h"
#include "cluster/object.h"
#include "cluster/tree.h"

/* Decodes one object of `kind` from its tree (borrowed). The kind is the caller's to know: kind and
 * apiVersion are not looked at. NA_EINVAL with "field.path: sentence" when it cannot be understood;
 * *out is then untouched. A policy that is well-formed JSON but breaks the API's rules (SEMANTICS
 * 2) decodes and says so in `malformed`. The namespace is as given: NULL when absent. */
int object_from_tree(enum kind kind, const cJSON *tree, struct object **out, struct error *err);

/* An empty object of `kind` with one reference-free head; every decoder fills it. */
struct object *object_create(enum kind kind);
/* Frees what a decoder added to the head; the head is object_destroy's. */
void object_free_body(struct object *obj);

/* A metav1.LabelSelector at `at`. NULL for a NULL node. Wrong types are errors, broken rules go to
 * `malformed`. */
int selector_from_tree(const cJSON *node, const struct field *at, struct selector **out,
                       struct error *err);
/* A plain map (Service): NULL when empty. */
struct selector *selector_from_labels(const struct label_set *labels);

/* The controller among metadata.ownerReferences. */
int decode_owner(const cJSON *metadata, const struct field *at, struct owner_ref *out,
                 struct error *err);
void owner_deinit(struct owner_ref *owner);

/* Kept annotations of a pod or template. */
bool pod_annotation_kept(const char *key);

/* Ports and the like of a pod spec (may be NULL: an empty shape). *out is one reference. */
int decode_pod_shape(const cJSON *spec, const struct field *at, struct pod_shape **out,
                     struct error *err);
struct pod_shape *pod_shape_ref(struct pod_shape *s);
void pod_shape_unref(struct pod_shape *s);
/* Takes the ports and strings of `s` in every case. */
struct pod_shape *pod_shape_intern(struct pod_shape *s);

/* By name, case-sensitively; PROTOCOL_OTHER when it is none of ours. NULL is TCP. */
enum protocol protocol_parse(const char *text);

/* One decoder a kind: fills the body from the whole tree. The head has been filled. */
int decode_pod(const cJSON *tree, struct object *obj, struct error *err);
int decode_workload(const cJSON *tree, struct object *obj, struct error *err);
int decode_service(const cJSON *tree, struct object *obj, struct error *err);
int decode_ingress(const cJSON *tree, struct object *obj, struct error *err);
int decode_ingress_class(const cJSON *tree, struct object *obj, struct error *err);
int decode_secret(const cJSON *tree, struct object *obj, struct error *err);
int decode_tiered_policy(const cJSON *tree, struct object *obj, struct error *err);
int decode_cilium_policy(const cJSON *tree, struct object *obj, struct error *err);
int decode_peer_authentication(const cJSON *tree, struct object *obj, struct error *err);
int decode_network_policy(const cJSON *tree, struct object *obj, struct error *err);

/* status.loadBalancer.ingress[].ip of Services and Ingresses. */
int decode_lb_ips(const cJSON *tree, struct str ***out, uint32_t *count, struct error *err);

#endif
