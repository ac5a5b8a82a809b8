#include "front/settings_table.h"

#include "front/settings.h"

static const char *const secrets_words[] = { "none", "metadata", "inspect", NULL };
static const char *const auth_words[] = { "none", "kubernetes", "token-file", NULL };
static const char *const reports_words[] = { "auto", "openreports", "wgpolicy", "off", NULL };
static const char *const result_words[] = { "fail", "warn", "error", "skip", "pass", NULL };
static const char *const format_words[] = { "auto", "logfmt", "json", "journald", NULL };
static const char *const log_level_words[] = { "debug", "info", "warn", "error", NULL };

static const char *const family_words[] = { "NetworkPolicy", "ClusterNetworkPolicy",
                                            "AdminNetworkPolicy", "Cilium", NULL };
static const char *const block_words[] = { "auto", "pods", "outside", NULL };
static const char *const cilium_words[] = { "default", "always", "never", NULL };

#define AT(member) offsetof(struct settings, member)

const struct settings_key settings_keys[] = {
    { "cluster.id", SETTINGS_TEXT, AT(cluster_id), NULL,
      "identity of the cluster; default: uid of Namespace kube-system", false },
    { "cluster.kubeconfig", SETTINGS_TEXT, AT(kubeconfig), NULL, "kubeconfig file", false },
    { "cluster.context", SETTINGS_TEXT, AT(context), NULL, "context of the kubeconfig", false },
    { "cluster.namespaces", SETTINGS_TEXTS, AT(namespaces), NULL, "namespaces to watch; empty: all",
      false },
    { "cluster.exec-plugins", SETTINGS_TEXTS, AT(exec_plugins), NULL,
      "programs that a kubeconfig may run for credentials, as written there; empty: any", false },
    { "secrets", SETTINGS_WORD, AT(secrets), secrets_words,
      "what is read of Secrets of type kubernetes.io/tls", false },
    { "listen.address", SETTINGS_TEXT, AT(listen_address), NULL, "address of the HTTP API", false },
    { "listen.unix", SETTINGS_TEXT, AT(listen_unix), NULL, "unix socket of the HTTP API", false },
    { "listen.cert-file", SETTINGS_TEXT, AT(listen_cert_file), NULL, "server certificate", false },
    { "listen.key-file", SETTINGS_TEXT, AT(listen_key_file), NULL, "its key", false },
    { "listen.client-ca-file", SETTINGS_TEXT, AT(listen_client_ca_file), NULL,
      "authority of client certificates", false },
    { "listen.auth", SETTINGS_WORD, AT(listen_auth), auth_words, "login of the HTTP API", false },
    { "listen.token-file", SETTINGS_TEXT, AT(listen_token_file), NULL, "static tokens", false },
    { "store.path", SETTINGS_TEXT, AT(store_path), NULL, "database file", false },
    { "store.max-age", SETTINGS_DURATION, AT(store_max_age_ms), NULL,
      "how long resolved findings and history are kept; 0: for ever", true },
    { "store.max-bytes", SETTINGS_BYTES, AT(store_max_bytes), NULL,
      "size that pruning keeps the database below; 0: no limit", true },
    { "watch.timeout", SETTINGS_DURATION, AT(watch_timeout_ms), NULL,
      "least length of one watch, at most twice that; 0: 5m", false },
    { "watch.stale-after", SETTINGS_DURATION, AT(watch_stale_after_ms), NULL,
      "silence after which a kind counts as stale", false },
    { "watch.discovery", SETTINGS_DURATION, AT(watch_discovery_ms), NULL,
      "time between two looks at which API groups are served", false },
    { "audit-system-namespaces", SETTINGS_BOOL, AT(ruleset.audit_system_namespaces), NULL,
      "judge kube-system, kube-public and kube-node-lease too", true },
    { "enforcement.families", SETTINGS_TEXTS, AT(ruleset.enforced_families), family_words,
      "families of policies that the network plugin enforces; empty: NetworkPolicy, and Cilium "
      "where "
      "it is served",
      true },
    { "enforcement.ipblock-matches", SETTINGS_WORD, AT(ruleset.ipblock_matches), block_words,
      "whether address blocks match pods' addresses too; auto: not where Cilium is served", true },
    { "enforcement.cilium-enable-policy", SETTINGS_WORD, AT(ruleset.cilium_policy), cilium_words,
      "Cilium's enable-policy", true },
    { "environments.labels", SETTINGS_TEXTS, AT(ruleset.environment_labels), NULL,
      "labels of a Namespace that name its environment, first present wins", true },
    { "environments.words.production", SETTINGS_TEXTS, AT(ruleset.words[ENV_PRODUCTION]), NULL,
      "words that mean production", true },
    { "environments.words.staging", SETTINGS_TEXTS, AT(ruleset.words[ENV_STAGING]), NULL,
      "words that mean staging", true },
    { "environments.words.development", SETTINGS_TEXTS, AT(ruleset.words[ENV_DEVELOPMENT]), NULL,
      "words that mean development", true },
    { "reports.api", SETTINGS_WORD, AT(reports_api), reports_words, "API of exported reports",
      false },
    { "reports.results", SETTINGS_TEXTS, AT(reports_results), result_words, "results exported",
      false },
    { "reports.reconcile", SETTINGS_DURATION, AT(reports_reconcile_ms), NULL,
      "time between full reconciliations", false },
    { "log.format", SETTINGS_WORD, AT(log_format), format_words, "form of log lines", true },
    { "log.level", SETTINGS_WORD, AT(log_level), log_level_words, "least level logged", true },
};
const size_t settings_key_count = sizeof(settings_keys) / sizeof(settings_keys[0]);

const struct settings_member settings_exemption_keys[] = {
    { "rule", offsetof(struct exemption, rule) },
    { "namespace", offsetof(struct exemption, ns) },
    { "kind", offsetof(struct exemption, kind) },
    { "name", offsetof(struct exemption, name) },
    { "selector", offsetof(struct exemption, selector) },
    { "reason", offsetof(struct exemption, reason) },
    { "owner", offsetof(struct exemption, owner) },
    { "ticket", offsetof(struct exemption, ticket) },
    { "expires", 0 },
    { NULL, 0 },
};
const char *const settings_exemption_names[] = { "rule",     "namespace", "kind",  "name",
                                                 "selector", "reason",    "owner", "ticket",
                                                 "expires",  NULL };

const struct settings_member settings_notify_keys[] = {
    { "name", offsetof(struct notify_setting, name) },
    { "url", offsetof(struct notify_setting, url) },
    { "token-file", offsetof(struct notify_setting, token_file) },
    { "hmac-secret-file", offsetof(struct notify_setting, hmac_secret_file) },
    { NULL, 0 },
};
const char *const settings_notify_names[] = {
    "name", "type", "url", "token-file", "hmac-secret-file", "min-severity", "namespaces", NULL
};
const char *const settings_notify_words[] = { "alertmanager", "cloudevents", NULL };
const char *const settings_level_words[] = { "off", "warn", "fail", NULL };
const char *const settings_result_defaults[] = { "fail", "warn", "error", NULL };
