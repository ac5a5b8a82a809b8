/* Status bodies as apimachinery writes them. */
#ifndef FAKE_STATUS_H
#define FAKE_STATUS_H

#include "kinds.h"
#include "buf.h"

struct status {
    int code;
    const char *reason, *message;
    bool details;                                   /* write them even when empty */
    const char *name, *group, *kind, *uid, *causes; /* causes: JSON array */
    const char *continue_token;
    int retry_after_seconds;
};

/* Without a newline. */
void status_json(const struct status *s, struct buf *out);
/* The usual reason for a code. */
const char *status_reason(int code);

#endif
