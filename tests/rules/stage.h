/* A small cluster of files for tests of what policies mean: namespaces shop and lab, a few pods,
 * the policies of a row; and the answer for one pair and port. */
#ifndef NETAUDITD_TESTS_STAGE_H
#define NETAUDITD_TESTS_STAGE_H

#include "cluster/cidr.h"
#include "rules/lineup.h"
#include "tests/rules/scene.h"

enum { STAGE_POLICIES = 4 };
struct stage_policy {
    enum kind kind;
    const char *body; /* ",\"spec\":{...}" */
};
/* Namespaced ones are in shop; `s` is the spec as JSON. */
#define NP(s)                                                                                      \
    {                                                                                              \
        KIND_NETWORK_POLICY, ",\"spec\":" s                                                        \
    }
#define CNP(s)                                                                                     \
    {                                                                                              \
        KIND_CLUSTER_NETWORK_POLICY, ",\"spec\":" s                                                \
    }
#define ANP(s)                                                                                     \
    {                                                                                              \
        KIND_ADMIN_NETWORK_POLICY, ",\"spec\":" s                                                  \
    }
#define BANP(s)                                                                                    \
    {                                                                                              \
        KIND_BASELINE_ADMIN_NETWORK_POLICY, ",\"spec\":" s                                         \
    }
#define CIL(s)                                                                                     \
    {                                                                                              \
        KIND_CILIUM_NETWORK_POLICY, ",\"spec\":" s                                                 \
    }
#define CCIL(s)                                                                                    \
    {                                                                                              \
        KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY, ",\"spec\":" s                                     \
    }

struct stage_row {
    const char *fact;
    struct stage_policy policies[STAGE_POLICIES];
    const char *from, *to; /* a pod, or an address outside */
    enum protocol protocol;
    uint16_t port;
    const char *want; /* allowed, denied, unknown */
};

static const struct {
    const char *ns, *name, *labels, *spec, *status;
} stage_pods[] = {
    { "shop", "web", "{\"app\":\"web\",\"statefulset.kubernetes.io/pod-name\":\"web\"}",
      "{\"serviceAccountName\":\"front\",\"containers\":[{\"ports\":[{\"name\":\"http\","
      "\"containerPort\":8080}]}]}",
      "{\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]}" },
    { "shop", "db", "{\"app\":\"db\"}",
      "{\"initContainers\":[{\"restartPolicy\":\"Always\",\"ports\":[{\"name\":\"metrics\","
      "\"containerPort\":9100}]},{\"ports\":[{\"name\":\"once\",\"containerPort\":7}]}],"
      "\"containers\":[{\"ports\":[{\"name\":\"sql\",\"containerPort\":5432},{\"name\":\"http\","
      "\"protocol\":\"UDP\",\"containerPort\":80}]}]}",
      "{\"podIPs\":[{\"ip\":\"10.0.0.2\"},{\"ip\":\"fd00::2\"}]}" },
    { "shop", "new", "{\"app\":\"new\"}", "{}", "{}" },
    { "lab", "job", "{\"app\":\"job\"}", "{}", "{\"podIPs\":[{\"ip\":\"10.0.1.3\"}]}" },
    { "shop", "host", "{\"app\":\"web\"}", "{\"hostNetwork\":true}",
      "{\"podIPs\":[{\"ip\":\"192.0.2.9\"}]}" },
};

static inline void stage_pod(struct cluster *c, size_t i)
{
    char meta[256], body[1024];

    snprintf(meta, sizeof(meta), ",\"labels\":%s", stage_pods[i].labels);
    snprintf(body, sizeof(body), ",\"spec\":%s,\"status\":%s", stage_pods[i].spec,
             stage_pods[i].status);
    scene_put(c, KIND_POD, stage_pods[i].ns, stage_pods[i].name, meta, body);
}

static inline struct cluster *stage_create(const struct stage_policy *policies)
{
    struct cluster *c = cluster_create();
    unsigned kinds = BIT(KIND_POD) | BIT(KIND_NAMESPACE);
    char name[16];

    scene_put(c, KIND_NAMESPACE, NULL, "shop", ",\"labels\":{\"team\":\"a\"}", "");
    scene_put(c, KIND_NAMESPACE, NULL, "lab", ",\"labels\":{\"team\":\"b\"}", "");
    for (size_t i = 0; i < ARRAY_LEN(stage_pods); i++) {
        stage_pod(c, i);
    }
    for (int i = 0; i < STAGE_POLICIES && policies[i].body != NULL; i++) {
        snprintf(name, sizeof(name), "p%d", i);
        scene_put(c, policies[i].kind, "shop",
                  policies[i].kind == KIND_BASELINE_ADMIN_NETWORK_POLICY ? "default" : name, "",
                  policies[i].body);
        kinds |= BIT(policies[i].kind);
    }
    cluster_set_offline(c, kinds, true);
    return c;
}

struct stage_end {
    struct address_range ranges[POD_IPS_MAX];
    struct reach_peer peer;
};

static inline void stage_address(struct stage_end *e, const struct cidr *ip)
{
    struct address_range *r = &e->ranges[e->peer.address_count++];

    r->family = ip->family;
    memcpy(r->lo, ip->addr, sizeof(r->lo));
    memcpy(r->hi, ip->addr, sizeof(r->hi));
}

struct stage_search {
    const char *name;
    struct pod_view pod; /* name NULL: not found */
};

static inline void stage_seek(void *ctx, const struct pod_view *pod)
{
    struct stage_search *s = ctx;

    s->pod = strcmp(pod->name, s->name) == 0 ? *pod : s->pod;
}

static inline void stage_end(const struct cluster *c, const char *word, struct stage_end *e)
{
    struct stage_search search = { .name = word };
    struct cidr ip;

    memset(e, 0, sizeof(*e));
    e->peer.addresses = e->ranges;
    if (ip_parse(word, &ip)) {
        e->peer.kind = PEER_OUTSIDE;
        stage_address(e, &ip);
        return;
    }
    cluster_each_pod(c, NULL, stage_seek, &search);
    if (search.pod.name == NULL) {
        fprintf(stderr, "no pod %s\n", word);
        abort();
    }
    const struct pod_view pod = search.pod;
    e->peer.kind = pod.pod_class->shape->host_network ? PEER_NODE : PEER_POD;
    e->peer.pod_class = pod.pod_class;
    for (uint8_t i = 0; i < pod.ip_count; i++) {
        stage_address(e, &pod.ips[i]);
    }
}

static inline const char *stage_word(struct reach_book *b, struct side_answer a,
                                     enum protocol protocol, uint16_t port)
{
    return port_set_has(reach_book_ports(b), a.allowed, protocol, port)   ? "allowed"
           : port_set_has(reach_book_ports(b), a.unknown, protocol, port) ? "unknown"
                                                                          : "denied";
}

static inline const char *stage_ask(const struct cluster *c, struct reach_book *b, const char *from,
                                    const char *to, enum protocol protocol, uint16_t port)
{
    struct stage_end f, t;
    const char *construct = NULL;

    stage_end(c, from, &f);
    stage_end(c, to, &t);
    struct side_answer a = reach_pair(b, &f.peer, &t.peer, &construct);
    CHECK("what is unknown is named, and nothing else is",
          (a.unknown != PORTS_NONE) == (construct != NULL));
    CHECK_INT("allowed and unknown are disjoint",
              port_set_and(reach_book_ports(b), a.allowed, a.unknown), PORTS_NONE);
    return stage_word(b, a, protocol, port);
}

static inline void stage_check(const struct stage_row *row, const struct reach_options *options)
{
    struct cluster *c = stage_create(row->policies);
    struct reach_book *b = reach_book_create(c, options);

    CHECK_STR(row->fact, stage_ask(c, b, row->from, row->to, row->protocol, row->port), row->want);
    reach_book_destroy(b);
    cluster_destroy(c);
}

#endif
