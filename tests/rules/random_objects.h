/* Random Kubernetes objects as JSON for the random test of the engine: few names and few values, so
 * that selectors, references and exemptions hit one another often. */
#ifndef NETAUDITD_TESTS_RANDOM_OBJECTS_H
#define NETAUDITD_TESTS_RANDOM_OBJECTS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "cluster/kind.h"

/* ---- chance ---- */

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static inline uint32_t chance_below(struct chance *c, uint32_t n)
{
    return (uint32_t)(chance_next(c) >> 33) % n;
}

static inline bool chance_percent(struct chance *c, uint32_t percent)
{
    return chance_below(c, 100) < percent;
}

#define ONE_OF(c, list) ((list)[chance_below((c), (uint32_t)ARRAY_LEN(list))])

/* ---- names ---- */

static const char *const some_namespaces[] = { "shop-prod", "test-ns", "kube-system", "team-a",
                                               "istio-system" };
static const char *const some_kinds_names[KIND_COUNT][3] = {
    [KIND_POD] = { "web-7d9f8c6b5-abcde", "db-0", "job-1" },
    [KIND_SERVICE] = { "web", "db", "kube-dns" },
    [KIND_INGRESS] = { "web", "private", "alb" },
    [KIND_INGRESS_CLASS] = { "nginx", "alb", "odd" },
    [KIND_NETWORK_POLICY] = { "deny", "allow", "odd" },
    [KIND_DEPLOYMENT] = { "web", "api", "idle" },
    [KIND_STATEFUL_SET] = { "db", "queue", "web" },
    [KIND_DAEMON_SET] = { "agent", "web", "db" },
    [KIND_CRON_JOB] = { "job", "clean", "web" },
    [KIND_SECRET] = { "tls-a", "tls-b", "tls-c" },
    [KIND_CLUSTER_NETWORK_POLICY] = { "admin", "base", "odd" },
    [KIND_ADMIN_NETWORK_POLICY] = { "admin", "second", "odd" },
    [KIND_BASELINE_ADMIN_NETWORK_POLICY] = { "default", "second", "odd" },
    [KIND_CILIUM_NETWORK_POLICY] = { "deny", "allow", "odd" },
    [KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY] = { "deny", "allow", "odd" },
    [KIND_PEER_AUTHENTICATION] = { "default", "web", "odd" },
};

/* ---- pieces ---- */

static inline void put_map(struct buf *b, struct chance *c, const char *key,
                           const char *const (*pairs)[2], size_t count, uint32_t percent)
{
    const char *between = "", *last = "";

    buf_addf(b, ",\"%s\":{", key);
    for (size_t i = 0; i < count; i++) {
        /* Values of one key stand together: at most one of them is taken. */
        if (strcmp(pairs[i][0], last) == 0 || !chance_percent(c, percent)) {
            continue;
        }
        buf_adds(b, between);
        buf_add_json(b, pairs[i][0]);
        buf_adds(b, ":");
        buf_add_json(b, pairs[i][1]);
        between = ",";
        last = pairs[i][0];
    }
    buf_adds(b, "}");
}

static const char *const pod_labels[][2] = {
    { "app", "web" },
    { "app", "db" },
    { "tier", "a" },
    { "tier", "b" },
    { "k8s-app", "kube-dns" },
    { "network-egress", "external" },
    { "network-policy.kubernetes.io/ingress", "unrestricted" },
};

static inline void put_selector(struct buf *b, struct chance *c)
{
    static const char *const selectors[] = {
        "{}",
        "{}",
        "{\"matchLabels\":{\"app\":\"web\"}}",
        "{\"matchLabels\":{\"app\":\"db\"}}",
        "{\"matchLabels\":{\"tier\":\"a\"}}",
        "{\"matchLabels\":{\"app\":\"web\",\"tier\":\"b\"}}",
        "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"web\","
        "\"db\"]}]"
        "}",
        "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"a\"]"
        "}]}",
        "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}]}",
        "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"DoesNotExist\"}]}",
        "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"DoesNotExist\"}]}",
        "{\"matchLabels\":{\"statefulset.kubernetes.io/pod-name\":\"db-0\"}}",
        "{\"matchLabels\":{\"pod-template-hash\":\"7d9f8c6b5\"}}",
        "{\"matchExpressions\":[{\"key\":\"pod-template-hash\",\"operator\":\"DoesNotExist\"}]}",
        "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Like\",\"values\":[\"w\"]}]"
        "}", /* malformed
              */
    };

    buf_adds(b, ONE_OF(c, selectors));
}

static inline void put_meta(struct buf *b, struct chance *c, enum kind kind, const char *ns,
                            const char *name, uint32_t uid, uint32_t rv)
{
    static const char *const common[][2] = { { "netauditd.io/owner", "team-web" },
                                             { "netauditd.io/owner", "team-db" },
                                             { "note", "x" } };
    static const char *const meshed[][2] = {
        { "linkerd.io/inject", "enabled" },
        { "config.linkerd.io/default-inbound-policy", "deny" },
    };

    buf_addf(b, "{\"apiVersion\":\"%s%s%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"",
             kind_table[kind].group, kind_table[kind].group[0] != '\0' ? "/" : "",
             kind_table[kind].version, kind_table[kind].name, name);
    if (ns != NULL) {
        buf_addf(b, ",\"namespace\":\"%s\"", ns);
    }
    buf_addf(b, ",\"uid\":\"00000000-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\"", uid, rv);
    buf_adds(b, ",\"creationTimestamp\":\"2026-11-01T00:00:00Z\"");
    if (chance_percent(c, 4)) {
        buf_adds(b, ",\"deletionTimestamp\":\"2026-11-02T00:00:00Z\"");
    }
    if (kind != KIND_INGRESS && kind != KIND_SERVICE && kind != KIND_NAMESPACE &&
        kind != KIND_SECRET && kind != KIND_INGRESS_CLASS) {
        if (chance_percent(c, 2)) { /* so few that Linkerd comes and goes */
            put_map(b, c, "annotations", meshed, ARRAY_LEN(meshed), 60);
        } else {
            put_map(b, c, "annotations", common, ARRAY_LEN(common), 10);
        }
    }
}

/* ---- one function a kind: fills metadata's rest and the body ---- */

static inline void put_namespace(struct buf *b, struct chance *c, const char *name)
{
    static const char *const labels[][2] = { { "environment", "production" },
                                             { "env", "dev" },
                                             { "netauditd.io/environment", "staging" },
                                             { "team", "a" },
                                             { "team", "b" },
                                             { "istio-injection", "enabled" },
                                             { "istio.io/dataplane-mode", "ambient" } };
    static const char *const annotations[][2] = {
        { "network-policy.kubernetes.io/default-deny", "true" },
        { "netauditd.io/owner", "team-ns" },
        { "config.linkerd.io/default-inbound-policy", "all-authenticated" },
        { "config.linkerd.io/default-inbound-policy", "audit" },
    };

    (void)name;
    put_map(b, c, "labels", labels, ARRAY_LEN(labels), 20);
    put_map(b, c, "annotations", annotations, ARRAY_LEN(annotations), 30);
    buf_adds(b, "}}");
}

static inline void put_ports(struct buf *b, struct chance *c)
{
    static const char *const ports[] = {
        "[]",
        "[{\"name\":\"http\",\"containerPort\":8080}]",
        "[{\"name\":\"http\",\"containerPort\":80,\"protocol\":\"UDP\"}]",
        "[{\"name\":\"metrics\",\"containerPort\":9090},{\"containerPort\":53,\"protocol\":\"UDP\"}"
        "]",
        "[{\"name\":\"dns\",\"containerPort\":5353,\"protocol\":\"UDP\"},{\"name\":\"dns-tcp\","
        "\"containerPort\":5353}]",
        "[{\"containerPort\":80,\"hostPort\":8000}]",
    };
    static const char *const names[] = { "c", "c", "c", "c", "c", "istio-proxy" };
    const char *name = chance_percent(c, 1) ? "linkerd-proxy" : ONE_OF(c, names);

    buf_addf(b, "{\"containers\":[{\"name\":\"%s\",\"image\":\"i\",\"ports\":%s}]%s%s}", name,
             ONE_OF(c, ports), chance_percent(c, 12) ? ",\"hostNetwork\":true" : "",
             chance_percent(c, 10) ? ",\"dnsPolicy\":\"Default\"" : "");
}

static inline void put_template(struct buf *b, struct chance *c)
{
    buf_adds(b, "{\"metadata\":{\"x\":0");
    put_map(b, c, "labels", pod_labels, ARRAY_LEN(pod_labels), 30);
    buf_adds(b, "},\"spec\":");
    put_ports(b, c);
    buf_adds(b, "}");
}

static inline void put_workload_body(struct buf *b, struct chance *c, enum kind kind)
{
    put_map(b, c, "labels", pod_labels, 2, 30);
    buf_adds(b, "},\"spec\":{");
    if (chance_percent(c, 95)) {
        buf_adds(b, kind == KIND_CRON_JOB ? "\"jobTemplate\":{\"spec\":{\"template\":"
                                          : "\"template\":");
        put_template(b, c);
        buf_adds(b, kind == KIND_CRON_JOB ? "}}" : "");
    }
    buf_adds(b, "}}");
}

static inline void put_pod_body(struct buf *b, struct chance *c, const char *name)
{
    static const char *const owners[] = {
        "",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"ReplicaSet\",\"name\":\"web-7d9f8c6b5\",\"uid\":\"r\",\"controller\":"
        "true}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"StatefulSet\",\"name\":\"db\",\"uid\":\"s\",\"controller\":true}",
        "{\"apiVersion\":\"batch/"
        "v1\",\"kind\":\"Job\",\"name\":\"job-29700000\",\"uid\":\"j\",\"controller\":true}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"node-1\",\"uid\":\"n\",\"controller\":"
        "true}",
        "{\"apiVersion\":\"acme.cert-manager.io/"
        "v1\",\"kind\":\"Challenge\",\"name\":\"c\",\"uid\":\"a\",\"controller\":true}",
        "{\"apiVersion\":\"example.com/"
        "v1\",\"kind\":\"Robot\",\"name\":\"r\",\"uid\":\"o\",\"controller\":true}",
    };
    const char *owner = ONE_OF(c, owners);
    const char *per_pod[][2] = { { "pod-template-hash", "7d9f8c6b5" },
                                 { "statefulset.kubernetes.io/pod-name", name },
                                 { "acme.cert-manager.io/http01-solver", "true" },
                                 { "app", "web" },
                                 { "app", "db" },
                                 { "k8s-app", "kube-dns" },
                                 { "sidecar.istio.io/inject", "true" },
                                 { "tier", "a" },
                                 { "tier", "b" } };

    put_map(b, c, "labels", (const char *const(*)[2])per_pod, ARRAY_LEN(per_pod), 35);
    buf_addf(b, ",\"ownerReferences\":[%s]},\"spec\":", owner);
    put_ports(b, c);
    buf_addf(b, ",\"status\":{\"phase\":\"%s\",\"podIPs\":[",
             chance_percent(c, 12) ? "Succeeded" : "Running");
    if (chance_percent(c, 80)) {
        buf_addf(b, "{\"ip\":\"10.%u.%u.%u\"}", chance_below(c, 2), chance_below(c, 2),
                 chance_below(c, 4));
    }
    if (chance_percent(c, 4)) {
        buf_addf(b, "%s{\"ip\":\"fd00::%u\"}", b->data[b->len - 1] == '[' ? "" : ",",
                 chance_below(c, 4));
    }
    buf_adds(b, "]}}");
}

static inline void put_policy_rules(struct buf *b, struct chance *c, const char *section,
                                    const char *peers)
{
    static const char *const peer_lists[] = {
        "",
        "",
        "[]",
        "[{\"podSelector\":{}}]",
        "[{\"namespaceSelector\":{}}]",
        "[{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}}}]",
        "[{\"ipBlock\":{\"cidr\":\"0.0.0.0/0\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"0.0.0.0/1\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"128.0.0.0/1\",\"except\":[\"169.254.169.254/32\"]}}]",
        "[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"10.0.0.0/30\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"10.1.1.2/32\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"fd00::/126\"}}]",
        "[{\"ipBlock\":{\"cidr\":\"169.254.20.10/32\"}}]",
        "[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"a\"}}}]",
        "[{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/"
        "metadata.name\":\"kube-system\"}},"
        "\"podSelector\":{\"matchLabels\":{\"k8s-app\":\"kube-dns\"}}}]",
        "[{\"podSelector\":{\"matchLabels\":{\"tier\":\"b\"}}}]",
        "[{\"namespaceSelector\":{\"matchExpressions\":[{\"key\":\"team\",\"operator\":"
        "\"DoesNotExist\"}]}},"
        "{\"namespaceSelector\":{\"matchExpressions\":[{\"key\":\"team\",\"operator\":\"Exists\"}]}"
        "}]",
    };
    static const char *const port_lists[] = {
        "",
        "",
        "[]",
        "[{\"port\":80}]",
        "[{\"protocol\":\"UDP\",\"port\":53}]",
        "[{\"protocol\":\"UDP\",\"port\":\"dns\"}]",
        "[{\"protocol\":\"UDP\"}]",
        "[{\"port\":1,\"endPort\":8079}]",
        "[{\"port\":8081,\"endPort\":65535},{\"port\":\"http\"}]",
        "[{\"port\":99999}]" /* malformed */,
    };
    uint32_t n = chance_below(c, 4);

    if (chance_percent(c, 30)) {
        return;
    }
    buf_addf(b, ",\"%s\":[", section);
    for (uint32_t i = 0; i < n; i++) {
        const char *p = ONE_OF(c, peer_lists), *q = ONE_OF(c, port_lists);
        buf_addf(b, "%s{", i > 0 ? "," : "");
        if (*p != '\0') {
            buf_addf(b, "\"%s\":%s%s", peers, p, *q != '\0' ? "," : "");
        }
        if (*q != '\0') {
            buf_addf(b, "\"ports\":%s", q);
        }
        buf_adds(b, "}");
    }
    buf_adds(b, "]");
}

static inline void put_policy_body(struct buf *b, struct chance *c)
{
    static const char *const types[] = { "",
                                         "",
                                         ",\"policyTypes\":[\"Ingress\"]",
                                         ",\"policyTypes\":[\"Egress\"]",
                                         ",\"policyTypes\":[\"Ingress\",\"Egress\"]",
                                         ",\"policyTypes\":[\"Ingress\",\"Egress\"]",
                                         ",\"policyTypes\":[\"Odd\"]" };

    buf_adds(b, "},\"spec\":{\"podSelector\":");
    put_selector(b, c);
    buf_adds(b, ONE_OF(c, types));
    put_policy_rules(b, c, "ingress", "from");
    put_policy_rules(b, c, "egress", "to");
    buf_adds(b, "}}");
}

static inline void put_service_body(struct buf *b, struct chance *c)
{
    static const char *const labels[][2] = {
        { "loadbalancer-approved", "true" }, { "visibility", "private" },
        { "nodeport-exception", "true" },    { "external-dns-approved", "true" },
        { "external-ip-approved", "true" },  { "acme.cert-manager.io/http01-solver", "true" }
    };
    static const char *const annotations[][2] = {
        { "service.beta.kubernetes.io/aws-load-balancer-internal", "true" },
        { "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port", "80" },
        { "nginx.ingress.kubernetes.io/configuration-snippet", "x" },
        { "contact", "me" },
    };
    static const char *const types[] = {
        "",
        ",\"type\":\"ClusterIP\"",
        ",\"type\":\"NodePort\"",
        ",\"type\":\"LoadBalancer\"",
        ",\"type\":\"LoadBalancer\"",
        ",\"type\":\"ExternalName\",\"externalName\":\"x.example\""
    };
    static const char *const selectors[] = { "",
                                             ",\"selector\":{\"app\":\"web\"}",
                                             ",\"selector\":{\"app\":\"db\"}",
                                             ",\"selector\":{\"k8s-app\":\"kube-dns\"}",
                                             ",\"selector\":{\"tier\":\"a\"}",
                                             ",\"selector\":{\"app\":\"none\"}" };
    static const char *const ports[] = {
        "[{\"port\":80}]",
        "[{\"name\":\"http\",\"port\":80,\"targetPort\":\"http\"}]",
        "[{\"port\":80,\"nodePort\":30080}]",
        "[{\"port\":80,\"nodePort\":8080}]",
        "[{\"port\":53,\"protocol\":\"UDP\",\"targetPort\":\"metrics\"}]",
        "[{\"name\":\"dns\",\"port\":53,\"protocol\":\"UDP\",\"targetPort\":\"dns\"},"
        "{\"name\":\"m\",\"port\":9153}]",
    };

    put_map(b, c, "labels", labels, ARRAY_LEN(labels), 25);
    put_map(b, c, "annotations", annotations, ARRAY_LEN(annotations), 25);
    if (chance_percent(c, 10)) {
        buf_adds(b, ",\"ownerReferences\":[{\"apiVersion\":\"acme.cert-manager.io/"
                    "v1\",\"kind\":\"Challenge\","
                    "\"name\":\"c\",\"uid\":\"a\",\"controller\":true}]");
    }
    buf_addf(b, "},\"spec\":{\"ports\":%s%s%s%s%s}}", ONE_OF(c, ports), ONE_OF(c, types),
             ONE_OF(c, selectors),
             chance_percent(c, 20) ? ",\"externalIPs\":[\"203.0.113.7\"]" : "",
             chance_percent(c, 20) ? ",\"externalTrafficPolicy\":\"Local\"" : "");
}

static inline void put_ingress_body(struct buf *b, struct chance *c)
{
    static const char *const labels[][2] = { { "visibility", "private" },
                                             { "acme.cert-manager.io/http01-solver", "true" },
                                             { "cert-manager.io/issuer", "manual" } };
    static const char *const annotations[][2] = {
        { "kubernetes.io/ingress.class", "nginx" },
        { "kubernetes.io/ingress.class", "odd" },
        { "nginx.ingress.kubernetes.io/ssl-redirect", "false" },
        { "nginx.ingress.kubernetes.io/server-snippet", "x" },
        { "alb.ingress.kubernetes.io/group.name", "g" },
        { "alb.ingress.kubernetes.io/scheme", "internet-facing" },
        { "alb.ingress.kubernetes.io/ssl-redirect", "443" },
        { "alb.ingress.kubernetes.io/listen-ports", "[{\"HTTP\":80},{\"HTTPS\":443}]" },
        { "cert-manager.io/cluster-issuer", "le" },
    };
    static const char *const classes[] = { "",
                                           "",
                                           ",\"ingressClassName\":\"nginx\"",
                                           ",\"ingressClassName\":\"nginx\"",
                                           ",\"ingressClassName\":\"alb\"",
                                           ",\"ingressClassName\":\"odd\"",
                                           ",\"ingressClassName\":\"gone\"" };
    static const char *const tls[] = {
        "",
        "",
        ",\"tls\":[{\"hosts\":[\"a.example.com\"],\"secretName\":\"tls-a\"}]",
        ",\"tls\":[{\"hosts\":[\"*.example.com\"],\"secretName\":\"tls-b\"}]",
        ",\"tls\":[{\"hosts\":[\"b.example.com\"]}]",
        ",\"tls\":[{\"secretName\":\"tls-c\"}]",
    };
    static const char *const rules[] = {
        "\"defaultBackend\":{\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}",
        "\"rules\":[{\"host\":\"a.example.com\",\"http\":{\"paths\":[{\"path\":\"/"
        "\",\"backend\":{\"service\":"
        "{\"name\":\"web\",\"port\":{\"number\":80}}}}]}}]",
        "\"rules\":[{\"host\":\"b.example.com\",\"http\":{\"paths\":[{\"backend\":{\"service\":"
        "{\"name\":\"db\",\"port\":{\"name\":\"http\"}}}}]}}]",
        "\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"gone\",\"port\":{"
        "\"number\":1}}}}]}}]",
        "\"rules\":[{\"host\":\"a.example.com\"},{\"host\":\"b.example.com\"}]",
    };

    put_map(b, c, "labels", labels, ARRAY_LEN(labels), 20);
    put_map(b, c, "annotations", annotations, ARRAY_LEN(annotations), 14);
    if (chance_percent(c, 10)) {
        buf_adds(b, ",\"ownerReferences\":[{\"apiVersion\":\"acme.cert-manager.io/"
                    "v1\",\"kind\":\"Challenge\","
                    "\"name\":\"c\",\"uid\":\"a\",\"controller\":true}]");
    }
    buf_addf(b, "},\"spec\":{%s%s%s}}", ONE_OF(c, rules), ONE_OF(c, classes), ONE_OF(c, tls));
}

static inline void put_ingress_class_body(struct buf *b, struct chance *c)
{
    static const char *const annotations[][2] = {
        { "ingressclass.kubernetes.io/is-default-class", "true" },
    };
    static const char *const controllers[] = { "k8s.io/ingress-nginx", "ingress.k8s.aws/alb",
                                               "example.com/odd", "traefik.io/ingress-controller" };

    put_map(b, c, "annotations", annotations, ARRAY_LEN(annotations), 40);
    buf_addf(b, "},\"spec\":{\"controller\":\"%s\"%s}}", ONE_OF(c, controllers),
             chance_percent(c, 20) ? ",\"parameters\":{\"kind\":\"P\",\"name\":\"p\"}" : "");
}

static inline void put_secret_body(struct buf *b, struct chance *c)
{
    static const char *const annotations[][2] = { { "cert-manager.io/certificate-name", "x" } };

    put_map(b, c, "annotations", annotations, ARRAY_LEN(annotations), 40);
    buf_adds(b, "}}");
}

/* ---- the other families ---- */

/* A list of up to three of the entries. */
static inline void put_some(struct buf *b, struct chance *c, const char *key,
                            const char *const *entries, size_t count)
{
    uint32_t n = chance_below(c, 4);

    buf_addf(b, ",\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++) {
        buf_addf(b, "%s%s", i > 0 ? "," : "", entries[chance_below(c, (uint32_t)count)]);
    }
    buf_adds(b, "]");
}

#define DNS_PODS                                                                                   \
    "{\"pods\":{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"kube-"   \
    "system\"}},\"podSelector\":{\"matchLabels\":{\"k8s-app\":\"kube-dns\"}}}}"

static inline void put_tiered_body(struct buf *b, struct chance *c, enum kind kind)
{
    static const char *const subjects[] = {
        "{\"namespaces\":{}}",
        "{\"namespaces\":{\"matchLabels\":{\"team\":\"a\"}}}",
        "{\"pods\":{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}}}}",
        "{\"pods\":{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"b\"}},\"podSelector\":{}}}",
    };
    static const char *const ingress[] = {
        "{\"action\":\"%s\",\"from\":[{\"namespaces\":{}}]}",
        "{\"action\":\"%s\",\"from\":[{\"namespaces\":{\"matchLabels\":{\"team\":\"a\"}}}]}",
        "{\"action\":\"%s\",\"from\":[{\"pods\":{\"namespaceSelector\":{},\"podSelector\":{"
        "\"matchLabels\":{\"app\":\"db\"}}}}]}",
    };
    static const char *const egress[] = {
        "{\"action\":\"%s\",\"to\":[{\"networks\":[\"0.0.0.0/0\",\"::/0\"]},{\"namespaces\":{}}]}",
        "{\"action\":\"%s\",\"to\":[{\"networks\":[\"10.0.0.0/30\"]}]}",
        "{\"action\":\"%s\",\"to\":[{\"namespaces\":{\"matchLabels\":{\"team\":\"b\"}}}]}",
        "{\"action\":\"%s\",\"to\":[" DNS_PODS "]}",
        "{\"action\":\"%s\",\"to\":[{\"nodes\":{}}]}",
    };
    static const char *const new_words[] = { "Accept", "Deny", "Deny", "Pass" };
    static const char *const old_words[] = { "Allow", "Deny", "Deny", "Allow" };
    const char *const *words = kind == KIND_CLUSTER_NETWORK_POLICY ? new_words : old_words;
    const char *tier = ",\"tier\":\"Admin\"";

    if (chance_percent(c, 50)) {
        tier = ",\"tier\":\"Baseline\"";
    }
    buf_addf(b, "},\"spec\":{\"subject\":%s", ONE_OF(c, subjects));
    if (kind != KIND_BASELINE_ADMIN_NETWORK_POLICY) {
        buf_addf(b, ",\"priority\":%u", chance_below(c, 3));
    }
    buf_adds(b, kind == KIND_CLUSTER_NETWORK_POLICY ? tier : "");
    for (int d = 0; d < 2; d++) {
        uint32_t n = chance_below(c, 3);
        buf_addf(b, ",\"%s\":[", d == 0 ? "ingress" : "egress");
        for (uint32_t i = 0; i < n; i++) {
            const char *form = d == 0 ? ONE_OF(c, ingress) : ONE_OF(c, egress);
            const char *at = strstr(form, "%s");
            buf_addf(b, "%s%.*s%s%s", i > 0 ? "," : "", (int)(at - form), form,
                     words[chance_below(c, 4)], at + 2);
        }
        buf_adds(b, "]");
    }
    buf_adds(b, "}}");
}

static inline void put_cilium_body(struct buf *b, struct chance *c)
{
    static const char *const subjects[] = {
        "{}",
        "{}",
        "{\"matchLabels\":{\"app\":\"web\"}}",
        "{\"matchLabels\":{\"k8s:tier\":\"a\"}}",
        "{\"matchExpressions\":[{\"key\":\"pod-template-hash\",\"operator\":\"DoesNotExist\"}]}",
    };
    static const char *const ingress[] = {
        "{}",
        "{\"fromEndpoints\":[{}]}",
        "{\"fromEndpoints\":[{\"matchLabels\":{\"app\":\"db\"}}]}",
        "{\"fromEndpoints\":[{\"matchLabels\":{\"k8s:io.kubernetes.pod.namespace\":\"team-a\"}}]}",
        "{\"fromEntities\":[\"world\"]}",
        "{\"fromEntities\":[\"all\"]}",
        "{\"fromEntities\":[\"world\"],\"toPorts\":[{\"ports\":[{\"port\":\"80\",\"protocol\":"
        "\"TCP\"}]}]}",
        "{\"fromCIDR\":[\"10.0.0.0/30\"]}",
    };
    static const char *const egress[] = {
        "{}",
        "{\"toEntities\":[\"cluster\"]}",
        "{\"toEntities\":[\"world\"],\"toPorts\":[{\"ports\":[{\"port\":\"53\",\"protocol\":"
        "\"UDP\"}]}]}",
        "{\"toEndpoints\":[{\"matchLabels\":{\"k8s:io.kubernetes.pod.namespace\":\"kube-system\","
        "\"k8s-app\":\"kube-dns\"}}],\"toPorts\":[{\"ports\":[{\"port\":\"53\",\"protocol\":"
        "\"UDP\"}]}]}",
        "{\"toCIDR\":[\"0.0.0.0/0\"]}",
        "{\"toFQDNs\":[{\"matchName\":\"example.com\"}]}",
    };

    buf_addf(b, "},\"spec\":{\"endpointSelector\":%s", ONE_OF(c, subjects));
    if (chance_percent(c, 60)) {
        put_some(b, c, "ingress", ingress, ARRAY_LEN(ingress));
    }
    if (chance_percent(c, 60)) {
        put_some(b, c, "egress", egress, ARRAY_LEN(egress));
    }
    if (chance_percent(c, 20)) {
        put_some(b, c, "egressDeny", egress + 1, 2);
    }
    buf_adds(b, chance_percent(c, 10) ? ",\"enableDefaultDeny\":{\"ingress\":false}}}" : "}}");
}

static inline void put_peer_authentication_body(struct buf *b, struct chance *c)
{
    static const char *const selectors[] = {
        "", "", ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}}",
        ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"portLevelMtls\":{\"8080\":{\"mode\":"
        "\"DISABLE\"}}"
    };
    static const char *const modes[] = { "STRICT", "STRICT", "PERMISSIVE", "UNSET" };

    buf_addf(b, "},\"spec\":{\"mtls\":{\"mode\":\"%s\"}%s}}", ONE_OF(c, modes),
             ONE_OF(c, selectors));
}

/* The object as JSON text, into an empty buffer. `ns` NULL for what has none. */
static inline void random_object(struct buf *b, struct chance *c, enum kind kind, const char *ns,
                                 const char *name, uint32_t uid, uint32_t rv)
{
    put_meta(b, c, kind, ns, name, uid, rv);
    switch (kind) {
    case KIND_NAMESPACE:
        put_namespace(b, c, name);
        break;
    case KIND_POD:
        put_pod_body(b, c, name);
        break;
    case KIND_SERVICE:
        put_service_body(b, c);
        break;
    case KIND_INGRESS:
        put_ingress_body(b, c);
        break;
    case KIND_INGRESS_CLASS:
        put_ingress_class_body(b, c);
        break;
    case KIND_NETWORK_POLICY:
        put_policy_body(b, c);
        break;
    case KIND_SECRET:
        put_secret_body(b, c);
        break;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        put_tiered_body(b, c, kind);
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        put_cilium_body(b, c);
        break;
    case KIND_PEER_AUTHENTICATION:
        put_peer_authentication_body(b, c);
        break;
    default:
        put_workload_body(b, c, kind);
        break;
    }
}

#endif
