/* The matrix against what it is short for: every pod of one workload asked about every pod of the
 * other, each by itself. And what its peers are. */
#include <stdlib.h>

#include "rules/reach_matrix.h"
#include "tests/rules/stage.h"

enum { PODS_MAX = 40, WORLDS = 150 };

/* ---- random worlds ---- */

static unsigned long dice;

static unsigned pick(unsigned n)
{
    dice = dice * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(dice >> 33) % n;
}

static const char *one_of(const char *const *list, unsigned n)
{
    return list[pick(n)];
}
#define ONE_OF(list) one_of((list), ARRAY_LEN(list))

static const char *const apps[] = { "a", "b", "c" };
static const char *const spaces[] = { "n0", "n1", "n2" };
static const char *const blocks[] = { "{\"cidr\":\"10.0.0.0/8\"}",
                                      "{\"cidr\":\"10.0.0.4/30\",\"except\":[\"10.0.0.5/32\"]}",
                                      "{\"cidr\":\"0.0.0.0/0\"}", "{\"cidr\":\"fd00::/64\"}",
                                      "{\"cidr\":\"192.0.2.0/24\"}" };
static const char *const ports[] = { "[{\"port\":80}]", "[{\"port\":\"http\"}]",
                                     "[{\"port\":8000,\"endPort\":9000},{\"protocol\":\"UDP\"}]",
                                     "[]" };
static const char *const shapes[] = {
    "{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":80}]}]}",
    "{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]}",
    "{\"containers\":[]}", "{\"hostNetwork\":true}"
};

static void add_peer(struct buf *b)
{
    switch (pick(5)) {
    case 0:
        buf_addf(b, "{\"podSelector\":{\"matchLabels\":{\"app\":\"%s\"}}}", ONE_OF(apps));
        break;
    case 1:
        buf_adds(b, "{\"namespaceSelector\":{}}");
        break;
    case 2:
        buf_addf(b,
                 "{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"%s\"}}"
                 ",\"podSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"NotIn\","
                 "\"values\":[\"%s\"]}]}}",
                 ONE_OF(spaces), ONE_OF(apps));
        break;
    default:
        buf_addf(b, "{\"ipBlock\":%s}", ONE_OF(blocks));
        break;
    }
}

static void add_rules(struct buf *b, const char *section, const char *peers)
{
    buf_addf(b, ",\"%s\":[", section);
    for (unsigned r = 0, n = pick(3); r < n; r++) {
        buf_addf(b, "%s{\"ports\":%s", r > 0 ? "," : "", ONE_OF(ports));
        buf_addf(b, ",\"%s\":[", peers);
        for (unsigned p = 0, k = pick(3); p < k; p++) {
            buf_adds(b, p > 0 ? "," : "");
            add_peer(b);
        }
        buf_adds(b, "]}");
    }
    buf_adds(b, "]");
}

static void put_policy(struct cluster *c, unsigned i)
{
    struct buf b;
    char name[16];

    buf_init(&b, 1 << 16);
    snprintf(name, sizeof(name), "p%u", i);
    buf_adds(&b, ",\"spec\":{\"podSelector\":{");
    if (pick(3) > 0) {
        buf_addf(&b, "\"matchLabels\":{\"app\":\"%s\"}", ONE_OF(apps));
    }
    buf_adds(&b, "},\"policyTypes\":[\"Ingress\",\"Egress\"]");
    add_rules(&b, "ingress", "from");
    add_rules(&b, "egress", "to");
    buf_adds(&b, "}");
    scene_put(c, KIND_NETWORK_POLICY, ONE_OF(spaces), name, "", buf_text(&b));
    buf_deinit(&b);
}

static void put_pod(struct cluster *c, unsigned i)
{
    char name[16], meta[512], body[1024], ips[128];
    unsigned kind = pick(6);

    snprintf(name, sizeof(name), "q%u", i);
    snprintf(meta, sizeof(meta),
             ",\"labels\":{\"app\":\"%s\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\","
             "\"kind\":\"StatefulSet\",\"name\":\"w%u\",\"uid\":\"u\",\"controller\":true}]",
             ONE_OF(apps), pick(6));
    if (kind == 1) {
        snprintf(ips, sizeof(ips), "[{\"ip\":\"10.0.0.%u\"},{\"ip\":\"fd00::%u\"}]", i, i);
    } else if (kind == 2) {
        snprintf(ips, sizeof(ips), "[{\"ip\":\"fd00:1::%u\"}]", i);
    } else {
        snprintf(ips, sizeof(ips), kind == 3 ? "[]" : "[{\"ip\":\"10.0.0.%u\"}]", i);
    }
    snprintf(body, sizeof(body), ",\"spec\":%s,\"status\":{\"podIPs\":%s}", ONE_OF(shapes), ips);
    scene_put(c, KIND_POD, ONE_OF(spaces), name, meta, body);
}

/* ---- the long way ---- */

struct pods {
    struct {
        const struct pod_class *pod_class;
        struct stage_end end;
    } items[PODS_MAX];
    size_t len;
};

static void take(void *ctx, const struct pod_view *p)
{
    struct pods *pods = ctx;
    struct stage_end *e = &pods->items[pods->len].end;

    memset(e, 0, sizeof(*e));
    pods->items[pods->len++].pod_class = p->pod_class;
    e->peer.kind = p->pod_class->shape->host_network ? PEER_NODE : PEER_POD;
    e->peer.pod_class = p->pod_class;
    e->peer.addresses = e->ranges;
    for (uint8_t i = 0; i < p->ip_count; i++) {
        stage_address(e, &p->ips[i]);
    }
}

static bool is_of(const struct pods *pods, size_t pod, const struct matrix_peer *p)
{
    return p->workload != NULL && pods->items[pod].pod_class->workload == p->workload;
}

static struct side_answer the_long_way(struct reach_book *b, const struct pods *pods,
                                       const struct matrix_peer *from, const struct matrix_peer *to)
{
    const struct reach_peer out_from = { PEER_OUTSIDE, NULL, &from->range, 1 };
    const struct reach_peer out_to = { PEER_OUTSIDE, NULL, &to->range, 1 };
    struct port_table *t = reach_book_ports(b);
    struct side_answer all = { PORTS_NONE, PORTS_NONE };

    for (size_t i = 0; i < (from->workload != NULL ? pods->len : 1); i++) {
        for (size_t k = 0; k < (to->workload != NULL ? pods->len : 1); k++) {
            if ((from->workload != NULL && !is_of(pods, i, from)) ||
                (to->workload != NULL && !is_of(pods, k, to))) {
                continue;
            }
            struct side_answer one =
                reach_pair(b, from->workload != NULL ? &pods->items[i].end.peer : &out_from,
                           to->workload != NULL ? &pods->items[k].end.peer : &out_to, NULL);
            all.allowed = port_set_or(t, all.allowed, one.allowed);
            all.unknown = port_set_or(t, all.unknown, one.unknown);
        }
    }
    all.unknown = port_set_minus(t, all.unknown, all.allowed);
    return all;
}

static unsigned compare(struct reach_book *b, const struct reach_matrix *x, const struct pods *pods)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < reach_matrix_count(x); i++) {
        for (size_t k = 0; k < reach_matrix_count(x); k++) {
            const struct matrix_peer *from = reach_matrix_peer(x, i), *to = reach_matrix_peer(x, k);
            if (i == k || (from->workload == NULL && to->workload == NULL)) {
                continue;
            }
            struct matrix_answer a = reach_matrix_at(x, i, k);
            struct side_answer want = the_long_way(b, pods, from, to);
            if (a.allowed != want.allowed || a.unknown != want.unknown ||
                (a.unknown != PORTS_NONE) != (a.construct != NULL)) {
                fprintf(stderr, "%s -> %s: %u/%u %s, want %u/%u\n", from->name, to->name, a.allowed,
                        a.unknown, a.construct != NULL ? a.construct : "", want.allowed,
                        want.unknown);
                wrong++;
            }
        }
    }
    return wrong;
}

static void try_world(unsigned long seed)
{
    struct cluster *c = scene_create();
    struct reach_memo *m;
    struct pods pods = { .len = 0 };

    dice = seed * 2654435761UL + 1;
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
        scene_put(c, KIND_NAMESPACE, NULL, spaces[i], "", "");
    }
    for (unsigned i = 0, n = 1 + pick(PODS_MAX - 1); i < n; i++) {
        put_pod(c, i);
    }
    for (unsigned i = 0, n = pick(8); i < n; i++) {
        put_policy(c, i);
    }
    cluster_each_pod(c, NULL, take, &pods);
    m = reach_memo_create(c, NULL);
    struct reach_matrix *x = reach_matrix_create(c, m, NULL);
    unsigned wrong = compare(reach_memo_book(m), x, &pods);
    if (wrong > 0) {
        fprintf(stderr, "seed %lu: %u pairs\n", seed, wrong);
    }
    CHECK_INT("a matrix says of every pair what asking pod by pod says", wrong, 0);
    reach_matrix_destroy(x);
    reach_memo_destroy(m);
    cluster_destroy(c);
}

TEST(matrix_is_pod_by_pod)
{
    const char *text = getenv("SEED");

    if (text != NULL) {
        try_world(strtoul(text, NULL, 10));
        return;
    }
    for (unsigned long seed = 0; seed < WORLDS; seed++) {
        try_world(seed);
    }
}

/* ---- peers and parts ---- */

static size_t place_of(const struct reach_matrix *x, const char *name)
{
    for (size_t i = 0; i < reach_matrix_count(x); i++) {
        if (strcmp(reach_matrix_peer(x, i)->name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static const struct stage_policy block_of_one_pod[STAGE_POLICIES] = { NP(
    "{\"podSelector\":{\"matchLabels\":{\"app\":\"db\"}},\"ingress\":[{\"from\":[{\"ipBlock\":{"
    "\"cidr\":\"10.0.1.3/32\"}}]}]}") };

TEST(peers_of_a_matrix)
{
    static const struct {
        const char *fact, *name;
        bool there;
    } rows[] = {
        { "a bare pod is a workload of its own", "shop/web[Pod]", true },
        { "a pod on the host network is a peer", "shop/host[Pod]", true },
        { "a range ends before a border", "0.0.0.0-10.0.1.2[External]", true },
        { "a range begins after a border", "10.0.1.4-255.255.255.255[External]", true },
        { "a range of pods' addresses alone has nobody", "10.0.1.3-10.0.1.3[External]", false },
        { "a family that nobody cuts is one",
          "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External]", true },
    };
    struct cluster *c = stage_create(block_of_one_pod);
    struct reach_memo *m = reach_memo_create(c, NULL);
    struct reach_matrix *x = reach_matrix_create(c, m, NULL);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rows[i].fact, (place_of(x, rows[i].name) != SIZE_MAX) == rows[i].there);
    }
    struct matrix_answer a =
        reach_matrix_at(x, place_of(x, "lab/job[Pod]"), place_of(x, "shop/db[Pod]"));
    CHECK_INT("a block reaches the pod that has its address", a.allowed, PORTS_ALL);
    a = reach_matrix_at(x, place_of(x, "shop/web[Pod]"), place_of(x, "shop/db[Pod]"));
    CHECK_INT("and no other", a.allowed, PORTS_NONE);
    a = reach_matrix_at(x, place_of(x, "shop/web[Pod]"), place_of(x, "shop/web[Pod]"));
    CHECK_INT("nothing is said of a peer and itself", a.allowed, PORTS_NONE);
    reach_matrix_destroy(x);
    reach_memo_destroy(m);
    cluster_destroy(c);
}

TEST(part_of_a_matrix)
{
    struct cluster *c = stage_create(block_of_one_pod);
    struct reach_memo *m = reach_memo_create(c, NULL);
    struct reach_matrix *x = reach_matrix_create(c, m, NULL);
    struct reach_matrix *part = reach_matrix_create(c, m, NULL);
    unsigned wrong = 0;

    reach_matrix_only(part, "lab", NULL);
    for (size_t i = 0; i < reach_matrix_count(part); i++) {
        for (size_t k = 0; k < reach_matrix_count(part); k++) {
            const char *from = reach_matrix_peer(part, i)->name;
            const char *to = reach_matrix_peer(part, k)->name;
            bool in = strncmp(from, "lab/", 4) == 0 || strncmp(to, "lab/", 4) == 0;
            struct matrix_answer a = reach_matrix_at(x, place_of(x, from), place_of(x, to));
            struct matrix_answer b = reach_matrix_at(part, i, k);
            wrong += in ? a.allowed != b.allowed || a.unknown != b.unknown
                        : b.allowed != PORTS_NONE || b.unknown != PORTS_NONE;
        }
    }
    CHECK_INT("a part says the same of what has an end in the namespace, and nothing else", wrong,
              0);
    CHECK("whom the part is connected with is in it", place_of(part, "shop/db[Pod]") != SIZE_MAX);
    reach_matrix_only(part, "nowhere", NULL);
    CHECK_INT("of a namespace that is not there nothing is left", (int)reach_matrix_count(part), 0);
    reach_matrix_destroy(part);
    reach_matrix_destroy(x);
    reach_memo_destroy(m);
    cluster_destroy(c);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(matrix_is_pod_by_pod), cmocka_unit_test(peers_of_a_matrix),
              cmocka_unit_test(part_of_a_matrix));
}
