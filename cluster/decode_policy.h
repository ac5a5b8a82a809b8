/* Between the decoders of policies. */
#ifndef NETAUDITD_CLUSTER_DECODE_POLICY_H
#define NETAUDITD_CLUSTER_DECODE_POLICY_H

#include "cluster/decode.h"
#include "cluster/policy_object.h"

/* The first fault of a policy is the one that is told; `sentence` is taken. */
void malformed_note(struct str **malformed, struct str *sentence);
void malformed_note_selector(struct str **malformed, const struct selector *s);
/* An IANA service name: what a named port must look like. */
bool is_port_name(const char *text);
/* The canonical, masked form of a CIDR; the text itself, and a note at `at`, when it is none. */
struct str *decode_cidr(const char *text, const struct field *at, struct str **malformed);
/* Of what was read of an object, so that a change is seen. NULL nodes count. */
void decode_digest(const cJSON *const *nodes, size_t count, uint8_t out[POLICY_DIGEST_BYTES]);

#endif
