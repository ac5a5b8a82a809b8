/* The whole server: its truth, its settings, its two ports, and what is going on. One instance, one
 * loop, one thread. */
#ifndef FAKE_FAKE_H
#define FAKE_FAKE_H

#include <uv.h>

#include "http.h"
#include "store.h"
#include "tls.h"

enum watch_list_mode { WATCH_LIST_ON, WATCH_LIST_OFF, WATCH_LIST_IGNORE };

struct settings {
    enum watch_list_mode watch_list;
    uint64_t bookmark_interval_ms, request_timeout_ms, min_request_timeout_s, token_ttl_ms;
    char *git_version;
    bool ignore_as, not_ready, verbose;
};

struct token {
    char *secret, *user;
};

struct issued { /* continue tokens by the version they read at */
    uint64_t rv, at_ms;
};

#define ISSUED_MAX 1024

struct exchange;
struct fault;
struct request_log;
struct churn;

struct fake {
    uv_loop_t *loop;
    struct store store;
    struct http_server api, control;
    struct settings settings;
    struct tls_ca ca;
    char *ca_file;
    bool use_tls, pump_wanted, stopping;
    bool dirty[64]; /* kinds with events that watches have not been told of */
    struct token *tokens;
    size_t token_count;
    bool tokens_on; /* stays on when the last one is revoked */
    struct issued issued[ISSUED_MAX];
    size_t issued_count;
    struct exchange *exchanges; /* open ones */
    struct fault *faults;
    uint64_t fault_serial, random, node_port, cluster_ip, created;
    struct request_log *log;
    struct churn *churns;
    uint64_t events_sent, bookmarks_sent;
    uint64_t listen_again_at;
    uv_timer_t ticker;
    uv_prepare_t prepare;
};

uint64_t fake_now(const struct fake *f); /* ms, monotonic */
uint64_t fake_random(struct fake *f);    /* seeded: the same run draws the same numbers */
void fake_uuid(struct fake *f, char out[37]);
void fake_timestamp(char out[24]); /* now as 2026-11-24T06:00:00Z */
bool fake_add_token(struct fake *f, const char *text);
void fake_revoke_token(struct fake *f, const char *secret);
/* NULL when the secret is unknown. */
const char *fake_user_of(const struct fake *f, const char *secret);

#endif
