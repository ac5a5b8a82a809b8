/* client.authentication.k8s.io: a credential from a program that the kubeconfig names. The program
 * runs without a shell, one at a time, at most 60 s, when a credential is needed and there is none
 * that is valid. Loop thread only. */
#ifndef NETAUDITD_WATCHERS_EXEC_PLUGIN_H
#define NETAUDITD_WATCHERS_EXEC_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/error.h"
#include "watchers/kubeconfig.h"

enum {
    EXEC_TIMEOUT_MS = 60000,
    EXEC_MAX_OUTPUT_BYTES = 1024 * 1024,
    EXEC_RETRY_MIN_MS = 1000, /* after a run that failed; doubles */
    EXEC_RETRY_MAX_MS = 30000,
    EXEC_REFUSED_GAP_MS = 10000 /* between runs because of 401 */
};

struct exec_plugin;

/* Takes `config`. `timeout_ms` 0: EXEC_TIMEOUT_MS. `on_ready` is called from the loop whenever a
 * run has ended. Runs nothing yet. */
struct exec_plugin *exec_plugin_create(uv_loop_t *loop, struct exec_config *config,
                                       uint64_t timeout_ms, void (*on_ready)(void *ctx), void *ctx);
/* Kills what runs; memory follows when libuv has closed the handles. NULL is fine. */
void exec_plugin_destroy(struct exec_plugin *p);

struct exec_credential {
    char *token;        /* NULL: none */
    char *cert, *key;   /* PEM; both or none */
    int64_t expires_ms; /* wall time; 0: when refused */
    uint64_t serial;    /* another for every run whose outcome differs */
};
/* 0: *out (owned by the plugin, until the loop's next turn) is valid. NA_EBUSY: it runs. Else the
 * last run's failure, until it is time for another. */
int exec_plugin_get(struct exec_plugin *p, uint64_t now_ms, int64_t wall_ms,
                    const struct exec_credential **out, struct error *err);
/* The server refused the credential: the next get runs the program again, if the last run for that
 * reason was long enough ago. */
void exec_plugin_refused(struct exec_plugin *p, uint64_t now_ms);
/* Of the credential in hand; 0: none. */
uint64_t exec_plugin_serial(const struct exec_plugin *p);

/* An ExecCredential as printed. *out is untouched on failure, its texts are the caller's. */
int exec_credential_parse(const char *text, size_t len, const char *api_version,
                          struct exec_credential *out, struct error *err);
void exec_credential_deinit(struct exec_credential *c);

#endif
