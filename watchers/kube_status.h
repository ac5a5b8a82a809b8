/* What a Kubernetes Status says: the body of a refused request, or the object of an ERROR event. */
#ifndef NETAUDITD_WATCHERS_KUBE_STATUS_H
#define NETAUDITD_WATCHERS_KUBE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KUBE_STATUS_MAX_BYTES = 64 * 1024 /* of a refusal's body that is read */ };

struct kube_status {
    int code;              /* of the HTTP answer, or of the Status in a stream; 0 unknown */
    char reason[64];       /* "Expired", "Forbidden", ...; "" unknown */
    char message[256];     /* printable, cut; "" unknown */
    int64_t retry_after_s; /* details.retryAfterSeconds; -1 none */
    bool expired;          /* 410, reason Expired or Gone: the version asked for is history */
    bool too_large;        /* the version asked for is in the future */
};

/* `http_code` is used where the text has no code (0 in a stream). A text that is no Status (plain,
 * HTML, protobuf, garbage) becomes the message as far as it is printable. Never fails. */
void kube_status_parse(const char *text, size_t len, int http_code, struct kube_status *out);

#endif
