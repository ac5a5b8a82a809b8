/* The validation that an API server does after it has decoded an object, for the kinds that we
 * judge. Every fault is told, with its field and line; faults of type and unknown fields are
 * cluster/schema.h's and not told again here. Room-internal. */
#ifndef NETAUDITD_CLUSTER_MANIFEST_CHECK_H
#define NETAUDITD_CLUSTER_MANIFEST_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cluster/kind.h"
#include "cluster/tree.h"

/* Ports of one Service or container: they are compared each with each. */
enum { CHECK_PORTS_MAX = 1000 };

/* Of a port with a name beside nothing but blocks of addresses. */
#define CHECK_NAME_IN_BLOCKS                                                                       \
    "is a port name, and addresses outside the cluster have none: the rule reaches at most pods "  \
    "whose addresses lie in these blocks"

struct manifest_check;
typedef void manifest_fault_fn(void *ctx, bool warning, const cJSON *node, const char *field,
                               const char *sentence);

struct manifest_check {
    const struct kind_row *row;
    const cJSON *tree;
    manifest_fault_fn *fault;
    void *ctx;
    uint32_t errors;
};

/* Everything: schema, metadata, and the kind's own rules. */
void manifest_check_object(struct manifest_check *c);

/* `node` gives the line (NULL: the object's first), `at` the field. */
void check_error(struct manifest_check *c, const cJSON *node, const struct field *at,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void check_warning(struct manifest_check *c, const cJSON *node, const struct field *at,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* ---- pieces that kinds share ---- */

/* The member's text; NULL when absent, null, or no string. */
const char *check_text(const cJSON *obj, const char *key);
/* The member when it is a list (a mapping), else NULL. */
const cJSON *check_list(const cJSON *obj, const char *key);
const cJSON *check_mapping(const cJSON *obj, const char *key);
/* A label map: keys and values. */
void check_labels(struct manifest_check *c, const cJSON *obj, const struct field *obj_at,
                  const char *key);
/* A metav1.LabelSelector. */
void check_selector(struct manifest_check *c, const cJSON *node, const struct field *at);
void check_cidr(struct manifest_check *c, const cJSON *node, const struct field *at);
/* How the newer families read a block: as Go's netip does, which refuses leading zeros and lets
 * host bits pass. Here they are a warning, since nobody means them. */
enum check_block { CHECK_BLOCK_NETIP, CHECK_BLOCK_NETIP_NOT_MAPPED /* CEL's isCIDR */ };
void check_block(struct manifest_check *c, const cJSON *node, const struct field *at,
                 enum check_block reading);
/* The port number is in `[1, 65535]`; false when it was no number at all. */
bool check_port_number(struct manifest_check *c, const cJSON *node, const struct field *at);
/* "TCP, UDP or SCTP", case-sensitive; absent is fine. */
void check_protocol(struct manifest_check *c, const cJSON *obj, const struct field *at);
void check_port_name(struct manifest_check *c, const cJSON *node, const struct field *at);
/* The text is one of a NULL-terminated list; absent and empty are fine. */
void check_word(struct manifest_check *c, const cJSON *obj, const struct field *at, const char *key,
                const char *const *words);

void check_network_policy(struct manifest_check *c);
void check_tiered_policy(struct manifest_check *c);
void check_cilium_policy(struct manifest_check *c);
void check_peer_authentication(struct manifest_check *c);
void check_service(struct manifest_check *c);
void check_ingress(struct manifest_check *c);
void check_ingress_class(struct manifest_check *c);
void check_workload(struct manifest_check *c);
void check_pod(struct manifest_check *c);

#endif
