/* Which fields a manifest may have, and of which type: what a server with strict field validation
 * refuses before it validates. Names are case-sensitive. Room-internal, used by manifests. */
#ifndef NETAUDITD_CLUSTER_SCHEMA_H
#define NETAUDITD_CLUSTER_SCHEMA_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "cluster/tree.h"

/* A type: its name, and its fields as "name:type", type being str (left out), bool, i32, i64,
 * float, time, quantity, intstr, bytes, any, or another type's name, with [] (list of) or {} (map
 * of) before it. The last row is NULL. */
struct kube_schema_row {
    const char *type, *fields;
};
extern const struct kube_schema_row kube_schema_rows[]; /* schema_table.c */

/* `node` is what is wrong, `at` its path, `sentence` what is wrong with it; valid during the call.
 */
typedef void kube_schema_fault_fn(void *ctx, const cJSON *node, const struct field *at,
                                  const char *sentence);

/* Checks a whole object against type `type` ("Pod"), which must be in the table. */
void kube_schema_check(const char *type, const cJSON *tree, kube_schema_fault_fn *fault, void *ctx);

#endif
