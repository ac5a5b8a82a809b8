/* Reading the store beside the daemon or without it: a read-only connection that never checkpoints.
 * Any thread, one reader each. Filters are bound, never pasted. */
#ifndef NETAUDITD_STORE_READER_H
#define NETAUDITD_STORE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct reader;

/* NA_ENOENT no such file; NA_EINVAL not a netauditd database; NA_EMISMATCH another schema; NA_EAUTH
 * may not be read; NA_EIO damaged, or a write-ahead log that cannot be read where it lies. */
int reader_open(struct reader **out, const char *path, struct error *err);
void reader_close(struct reader *r);

struct finding_filter { /* NULL or 0: no filter. Lists are comma-separated, `state` defaults to
                           "open" ("all" for any) */
    const char *ns, *kind, *name, *policy, *rule, *severity, *result, *state, *environment, *owner;
    const char *q; /* substring of message, rule, name */
    int64_t since_ms, until_ms;
    int64_t limit; /* 0: no limit */
};
/* Strings valid during the callback. */
struct stored_finding {
    const char *id; /* fingerprint, 64 hex */
    const char *policy, *rule, *category, *severity, *result, *state, *environment, *message,
        *evidence, *remediation, *owner, *exemption;
    const char *api_version, *kind, *ns, *name, *uid;
    int64_t first_opened_ms, opened_ms, resolved_ms, judged_ms; /* 0 = null */
    const char *resolved_reason;
    int64_t reopened;
};
/* Sorted by namespace, kind, name, policy, rule. The callback returns false to stop.
 * `namespace=shop` includes Namespace shop itself. */
int reader_findings(struct reader *r, const struct finding_filter *filter,
                    bool (*fn)(void *ctx, const struct stored_finding *f), void *ctx,
                    struct error *err);
/* By unique prefix of 6 or more hex digits; NA_ENOENT none, NA_EINVAL several. */
int reader_finding(struct reader *r, const char *prefix,
                   bool (*fn)(void *ctx, const struct stored_finding *f), void *ctx,
                   struct error *err);

struct stored_transition {
    int64_t seq, at_ms;
    const char *finding_id, *policy, *rule, *kind, *ns, *name;
    const char *to_state, *reason, *result, *severity;
    const char *cause_verb, *cause_kind, *cause_ns, *cause_name, *cause_resource_version,
        *cause_manager;
    int64_t cause_from_ms, cause_to_ms;
};
int reader_transitions(struct reader *r, const char *finding_id /* NULL all */, int64_t after_seq,
                       bool (*fn)(void *ctx, const struct stored_transition *t), void *ctx,
                       struct error *err);
/* The status row's JSON; free(). NA_ENOENT when the daemon has not written one yet. */
int reader_status(struct reader *r, char **out_json, struct error *err);

/* A consistent copy, while the daemon writes or without it, into a new file of mode 0600 (refused
 * when it exists). */
int reader_backup(struct reader *r, const char *to_path, struct error *err);

#endif
