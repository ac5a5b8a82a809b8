/* The configuration file (CONTRACTS 3), shared by the daemon and `netaudit scan --config`. Flag >
 * environment variable > file > default: the callers lay flags over what this gives. A file is read
 * whole or not at all: the first error is a sentence with file:line:column. */
#ifndef NETAUDITD_FRONT_SETTINGS_H
#define NETAUDITD_FRONT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/vec.h"
#include "rules/ruleset.h"

#define SETTINGS_DEFAULT_FILE "/etc/netauditd/netauditd.yaml"

enum {
    SETTINGS_MAX_BYTES = 4 * 1024 * 1024,
    SETTINGS_MAX_NAMESPACES = 50 /* as many as an informer watches one by one */
};

#define SETTINGS_LISTEN_SENTENCE "must be an address and a port, such as 127.0.0.1:8844"

enum secrets_mode { SECRETS_NONE, SECRETS_METADATA, SECRETS_INSPECT };
enum listen_auth { LISTEN_AUTH_NONE, LISTEN_AUTH_KUBERNETES, LISTEN_AUTH_TOKEN_FILE };
enum reports_api { REPORTS_AUTO, REPORTS_OPENREPORTS, REPORTS_WGPOLICY, REPORTS_OFF };
enum notify_type { NOTIFY_ALERTMANAGER, NOTIFY_CLOUDEVENTS };

typedef VEC(const char *) text_vec;

struct notify_setting {
    const char *name, *url, *token_file, *hmac_secret_file;
    int type;         /* enum notify_type */
    int min_severity; /* enum severity */
    text_vec namespaces;
};

/* Every text is owned by `arena`; NULL = not set. */
struct settings {
    struct arena arena;
    const char *file; /* where it was read from; NULL: defaults only */

    const char *cluster_id, *kubeconfig, *context;
    text_vec namespaces;   /* empty: all */
    text_vec exec_plugins; /* programs that a kubeconfig may run, as written there; empty: any */

    int secrets; /* enum secrets_mode */

    const char *listen_address, *listen_unix, *listen_cert_file, *listen_key_file,
        *listen_client_ca_file, *listen_token_file;
    int listen_auth; /* enum listen_auth */

    const char *store_path;
    int64_t store_max_age_ms;
    int64_t store_max_bytes;

    int64_t watch_timeout_ms; /* a watch lives [T, 2T); 0: 5 minutes */
    int64_t watch_stale_after_ms;
    int64_t watch_discovery_ms;

    struct ruleset_settings ruleset; /* environments, rules, exemptions, audit-system-namespaces */

    int reports_api; /* enum reports_api */
    text_vec reports_results;
    int64_t reports_reconcile_ms;

    VEC(struct notify_setting) notify;

    int log_format; /* enum log_format */
    int log_level;  /* enum log_level */
};

/* Defaults only. */
void settings_init(struct settings *s);
void settings_deinit(struct settings *s);

/* The ruleset that these settings make; sentences begin with the file and, where known, the line.
 * Call once: the ruleset copies what it needs. */
int settings_ruleset(const struct settings *s, struct ruleset **out, struct error *err);

/* The next key, from *at (0 at first) on, whose change takes effect only after a restart; NULL when
 * there is none. */
const char *settings_restart_key(const struct settings *before, const struct settings *after,
                                 size_t *at);

/* Reads `path` over the defaults. Errors: NA_ENOENT, NA_EIO, NA_ELIMIT, NA_EINVAL with
 * "path:line:column: key: sentence". On failure *s holds defaults (and is still to be
 * deinitialised). Rule patterns and parameters are checked by settings_ruleset, which callers call
 * next. */
int settings_load(struct settings *s, const char *path, struct error *err);
/* The same from memory; `name` stands for the path in sentences. */
int settings_parse(struct settings *s, const char *name, const char *text, size_t len,
                   struct error *err);

bool settings_is_listen_address(const char *text);
/* Reads, or falls back: explicit path must exist; NULL path takes SETTINGS_DEFAULT_FILE if present,
 * else defaults. */
int settings_find(struct settings *s, const char *explicit_path, struct error *err);

/* The effective configuration as YAML that settings_parse reads back to the same. Nothing secret is
 * ever in it: secrets are files by name; credentials inside URLs are masked. */
int settings_print(const struct settings *s, struct buf *out);

#endif
