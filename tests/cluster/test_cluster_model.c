/* The cache under random histories: events, relists, duplicates, stale and misdirected events over
 * all kinds. After every step it must equal a cache built from nothing out of the objects that
 * exist, and a mirror that knows only the deltas must equal it too. SEED=N replays, SEQUENCES=N
 * asks for more. */
#include "tests/check.h"

#include <time.h>

#include "tests/cluster/cluster_text.h"

static uint64_t random_state;

static uint32_t roll(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* ---- what exists --------------------------------------------------------------------------------
 */

enum { NAMES = 4, NAMESPACES = 3, STEPS_MAX = 120 };

struct known { /* one object that exists at the server */
    bool exists;
    unsigned uid;
    char *json;
    unsigned rv;
};

static struct known world[KIND_COUNT][NAMESPACES][NAMES];
static unsigned next_rv, next_uid;
static bool offline; /* also kinds that are only in files */

static const char *ns_name(unsigned ns)
{
    static const char *const names[] = { "alpha", "beta", "gamma" };

    return names[ns];
}

static void put_random_labels(struct buf *b, enum kind kind, unsigned n)
{
    static const char *const values[] = { "x", "y", "z" };

    buf_addf(b, "{\"app\":\"%s\"", values[roll(3)]);
    if (kind != KIND_POD) {
        buf_adds(b, "}");
        return;
    }
    if (roll(2) == 0) {
        buf_addf(b, ",\"pod-template-hash\":\"h%u\"", roll(2));
    }
    if (roll(3) == 0) {
        buf_addf(b, ",\"statefulset.kubernetes.io/pod-name\":\"n%u\"", roll(8) == 0 ? 9 : n);
    }
    if (roll(3) == 0) {
        buf_addf(b, ",\"controller-revision-hash\":\"r%u\"", roll(2));
    }
    if (roll(6) == 0) {
        buf_adds(b, ",\"acme.cert-manager.io/http01-solver\":\"true\"");
    }
    buf_adds(b, "}");
}

static void put_random_owner(struct buf *b)
{
    static const char *const owners[] = {
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"ReplicaSet\",\"name\":\"n0-h0\",\"uid\":\"o1\",\"controller\":true}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"ReplicaSet\",\"name\":\"n0-h1\",\"uid\":\"o2\",\"controller\":true}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"ReplicaSet\",\"name\":\"n1\",\"uid\":\"o3\",\"controller\":true}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"StatefulSet\",\"name\":\"n0\",\"uid\":\"o4\",\"controller\":true}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"DaemonSet\",\"name\":\"n1\",\"uid\":\"o5\",\"controller\":true}",
        "{\"apiVersion\":\"batch/"
        "v1\",\"kind\":\"Job\",\"name\":\"n2-29889360\",\"uid\":\"o6\",\"controller\":true}",
        "{\"apiVersion\":\"batch/"
        "v1\",\"kind\":\"Job\",\"name\":\"n0\",\"uid\":\"o7\",\"controller\":true}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"node\",\"uid\":\"o8\",\"controller\":"
        "true}",
        "{\"apiVersion\":\"acme.cert-manager.io/"
        "v1\",\"kind\":\"Challenge\",\"name\":\"n0\",\"uid\":\"o9\","
        "\"controller\":true}",
    };

    if (roll(4) > 0) {
        buf_addf(b, ",\"ownerReferences\":[%s]", owners[roll(ARRAY_LEN(owners))]);
    }
}

static void put_random_selector(struct buf *b)
{
    static const char *const selectors[] = {
        "{}",
        "{\"matchLabels\":{\"app\":\"x\"}}",
        "{\"matchLabels\":{\"pod-template-hash\":\"h0\"}}",
        "{\"matchLabels\":{\"statefulset.kubernetes.io/pod-name\":\"n0\"}}",
        "{\"matchExpressions\":[{\"key\":\"controller-revision-hash\",\"operator\":\"Exists\"}]}",
    };

    buf_adds(b, selectors[roll(4) > 0 ? roll(2) : roll(ARRAY_LEN(selectors))]);
}

static void put_template(struct buf *b)
{
    buf_adds(b, "\"template\":{\"metadata\":{\"labels\":");
    put_random_labels(b, KIND_DEPLOYMENT, 0);
    buf_addf(b, "%s},\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":%u}]}]}}",
             roll(4) == 0 ? ",\"annotations\":{\"netauditd.io/owner\":\"t\"}" : "", 80 + roll(2));
}

static void put_spec(struct buf *b, enum kind kind)
{
    static const char *const service_selectors[] = {
        "{\"app\":\"x\"}", "{\"statefulset.kubernetes.io/pod-name\":\"n1\"}", "{}"
    };

    switch (kind) {
    case KIND_POD:
        buf_addf(b,
                 ",\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":%u}]}]%s},\"status\":{"
                 "\"phase\":"
                 "\"%s\",\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}%s]}",
                 80 + roll(2), roll(6) == 0 ? ",\"hostNetwork\":true" : "",
                 roll(5) == 0 ? "Succeeded" : "Running", roll(2), roll(2) * 128, roll(6),
                 roll(6) == 0 ? ",{\"ip\":\"fd00:0:0:5::1\"}" : "");
        break;
    case KIND_SERVICE:
        buf_addf(b, ",\"spec\":{\"selector\":%s}", service_selectors[roll(3)]);
        break;
    case KIND_INGRESS:
        buf_addf(b,
                 ",\"spec\":{\"ingressClassName\":\"n%u\",\"defaultBackend\":{\"service\":{"
                 "\"name\":\"n%u\"}},"
                 "\"rules\":[{\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"n%u\"}}}]}"
                 "}],\"tls\":[{"
                 "\"secretName\":\"n%u\"},{\"secretName\":\"n%u\"}]}",
                 roll(2), roll(3), roll(3), roll(2), roll(2));
        break;
    case KIND_NETWORK_POLICY:
        buf_adds(b, ",\"spec\":{\"podSelector\":");
        put_random_selector(b);
        if (roll(2) == 0) {
            buf_adds(b, roll(2) == 0 ? ",\"ingress\":[{\"from\":[{\"podSelector\":"
                                     : ",\"egress\":[{\"to\":[{\"podSelector\":");
            put_random_selector(b);
            buf_addf(b, "%s}]}]", roll(2) == 0 ? ",\"namespaceSelector\":{}" : "");
        }
        buf_adds(b, "}");
        break;
    case KIND_CLUSTER_NETWORK_POLICY:
    case KIND_ADMIN_NETWORK_POLICY:
    case KIND_BASELINE_ADMIN_NETWORK_POLICY:
        buf_adds(
            b,
            ",\"spec\":{\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"pods\":{\"podSelector\":");
        put_random_selector(b);
        buf_adds(b, "}},\"ingress\":[{\"action\":\"Deny\",\"from\":[{\"pods\":{\"podSelector\":");
        put_random_selector(b);
        buf_adds(b, "}}]}]}");
        break;
    case KIND_CILIUM_NETWORK_POLICY:
    case KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY:
        buf_adds(b, ",\"spec\":{\"endpointSelector\":");
        put_random_selector(b);
        buf_adds(b, ",\"egress\":[{\"toEndpoints\":[");
        put_random_selector(b);
        buf_adds(b, "]}]}");
        break;
    case KIND_CRON_JOB:
        buf_adds(b, ",\"spec\":{\"jobTemplate\":{\"spec\":{");
        put_template(b);
        buf_adds(b, "}}}");
        break;
    default:
        if (kind_table[kind].workload && roll(6) > 0) {
            buf_adds(b, ",\"spec\":{");
            put_template(b);
            buf_adds(b, "}");
        }
        break;
    }
}

static void put_middle_owner(struct buf *b, enum kind kind)
{
    if (kind == KIND_REPLICA_SET && roll(2) == 0) {
        buf_addf(b,
                 ",\"ownerReferences\":[{\"apiVersion\":\"apps/"
                 "v1\",\"kind\":\"Deployment\",\"name\":\"n%u\","
                 "\"controller\":true}]",
                 roll(2));
    } else if (kind == KIND_JOB && roll(2) == 0) {
        buf_addf(b,
                 ",\"ownerReferences\":[{\"apiVersion\":\"batch/"
                 "v1\",\"kind\":\"CronJob\",\"name\":\"n%u\","
                 "\"controller\":true}]",
                 roll(2));
    }
}

static char *random_json(enum kind kind, unsigned ns, unsigned n, unsigned uid, unsigned rv)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    if (kind == KIND_NAMESPACE) {
        buf_addf(&b, "{\"metadata\":{\"name\":\"%s\"", ns_name(ns));
    } else if (kind_table[kind].namespaced) {
        buf_addf(&b, "{\"metadata\":{\"name\":\"n%u\",\"namespace\":\"%s\"", n, ns_name(ns));
    } else {
        buf_addf(&b, "{\"metadata\":{\"name\":\"n%u\"", n);
    }
    buf_addf(&b,
             ",\"uid\":\"%08x-0000-4000-8000-000000000000\",\"resourceVersion\":\"%u\",\"labels\":",
             uid, rv);
    put_random_labels(&b, kind, n);
    buf_addf(&b, ",\"creationTimestamp\":\"2026-10-30T00:00:0%uZ\"",
             kind == KIND_REPLICA_SET || kind == KIND_JOB ? roll(3) : 0);
    if (roll(6) == 0) {
        buf_adds(&b, ",\"deletionTimestamp\":\"2026-11-30T00:00:00Z\"");
    }
    if (kind == KIND_POD) {
        put_random_owner(&b);
    }
    put_middle_owner(&b, kind);
    buf_adds(&b, "}");
    put_spec(&b, kind);
    buf_adds(&b, "}");
    return buf_take(&b);
}

static struct object *decode(enum kind kind, const char *json)
{
    struct error err = { .code = 0 };
    struct object *obj = NULL;

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        fprintf(stderr, "%s\n%s\n", json, err.text);
        abort();
    }
    return obj;
}

/* One object per name is enough for cluster-scoped kinds. */
static bool legal(enum kind kind, unsigned ns, unsigned n)
{
    return (kind != KIND_NAMESPACE || n == 0) &&
           (kind == KIND_NAMESPACE || kind_table[kind].namespaced || ns == 0);
}

static enum kind random_kind(void)
{
    enum kind kind = roll(2) == 0 ? KIND_POD : (enum kind)roll(KIND_COUNT);

    return !offline && kind_table[kind].watch == KIND_WATCH_NEVER ? KIND_POD : kind;
}

static void set_known(struct known *k, char *json, unsigned uid, unsigned rv)
{
    free(k->json);
    *k = (struct known){ json != NULL, uid, json, rv };
}

static void forget_world(void)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        for (unsigned ns = 0; ns < NAMESPACES; ns++) {
            for (unsigned n = 0; n < NAMES; n++) {
                set_known(&world[kind][ns][n], NULL, 0, 0);
            }
        }
    }
    next_rv = 8; /* so that versions of one and of two digits meet */
    next_uid = 1;
}

/* ---- the mirror that listens
 * ----------------------------------------------------------------------- */

struct told { /* one thing that deltas spoke of */
    const void *identity;
    char *line; /* as it was when it was last spoken of */
};
static VEC(struct told) mirror;
static unsigned delta_faults;

static void tell(const void *identity, enum delta_op op, const struct buf *b)
{
    for (size_t i = 0; i < mirror.len; i++) {
        if (mirror.items[i].identity == identity) {
            free(mirror.items[i].line);
            if (op == DELTA_DELETED) {
                vec_remove_swap(&mirror, i);
            } else {
                delta_faults += op == DELTA_ADDED;
                mirror.items[i].line = xstrdup(buf_text(b));
            }
            return;
        }
    }
    delta_faults += op != DELTA_ADDED;
    if (op != DELTA_DELETED) {
        vec_push(&mirror, ((struct told){ identity, xstrdup(buf_text(b)) }));
    }
}

/* ---- where the pods' addresses lie ---- */

static void put_range(void *ctx, const struct cidr *range)
{
    char text[CIDR_TEXT_MAX];

    cidr_format(range, text);
    vec_push(&((struct lines *)ctx)->v, xstrdup(text));
}

static char *ranges_text(const struct cluster *c)
{
    struct lines l = { .v = { .items = NULL } };
    struct buf families;

    cluster_pod_ranges(c, put_range, &l);
    buf_init(&families, 64);
    buf_addf(&families, "families %u", cluster_pod_families(c));
    vec_push(&l.v, buf_take(&families));
    return lines_take(&l);
}

struct plain { /* the ranges, by looking at every pod */
    VEC(struct cidr) v;
    unsigned families;
};

static unsigned bit_of(const struct cidr *a, unsigned i)
{
    return (unsigned)a->addr[i / 8] >> (7 - i % 8) & 1U;
}

static void fold(struct plain *p, const struct cidr *a)
{
    unsigned group = a->family == 4 ? 16 : 48;

    for (size_t i = 0; i < p->v.len; i++) {
        struct cidr *r = &p->v.items[i];
        unsigned n = 0;
        while (r->family == a->family && n < r->bits && bit_of(r, n) == bit_of(a, n)) {
            n++;
        }
        if (n >= group) {
            for (unsigned b = n; b < (a->family == 4 ? 32U : 128U); b++) {
                r->addr[b / 8] &= (uint8_t) ~(1U << (7 - b % 8));
            }
            r->bits = (uint8_t)n;
            return;
        }
    }
    vec_push(&p->v, *a);
}

static void fold_pod(void *ctx, const struct pod_view *pod)
{
    struct plain *p = ctx;

    for (uint8_t i = 0; pod->pod_class != NULL && i < pod->ip_count; i++) {
        p->families |= pod->ips[i].family == 4 ? 1U : 2U;
        if (!pod->pod_class->shape->host_network) {
            fold(p, &pod->ips[i]);
        }
    }
}

static char *plain_text(const struct cluster *c)
{
    struct lines l = { .v = { .items = NULL } };
    struct plain p = { .families = 0 };
    struct buf families;

    cluster_each_pod(c, NULL, fold_pod, &p);
    for (size_t i = 0; i < p.v.len; i++) {
        put_range(&l, &p.v.items[i]);
    }
    vec_free(&p.v);
    buf_init(&families, 64);
    buf_addf(&families, "families %u", p.families);
    vec_push(&l.v, buf_take(&families));
    return lines_take(&l);
}

static const struct cluster *heard_of;
static char *told_ranges; /* as they were at the last delta about them */

static void listen(void *ctx, const struct delta *d)
{
    struct buf b;

    (void)ctx;
    buf_init(&b, 1 << 20);
    delta_faults += d->cause == NULL || d->cause->name == NULL || d->cause->uid == NULL;
    switch (d->what) {
    case DELTA_NAMESPACE:
        buf_addf(&b, "namespace %s", d->ns->name->text);
        tell(d->ns, d->op, &b);
        break;
    case DELTA_WORKLOAD:
        put_workload(&b, d->workload);
        put_workload_state(&b, d->workload);
        tell(d->workload, d->op, &b);
        break;
    case DELTA_CLASS:
        put_class(&b, d->pod_class);
        buf_addf(&b, " some=%d template=%d", d->pod_class->pods > 0, d->pod_class->is_template);
        tell(d->pod_class, d->op, &b);
        break;
    case DELTA_OBJECT:
        put_object(&b, d->after != NULL ? d->after : d->before);
        if (d->before != NULL && d->after != NULL) {
            tell(d->before, DELTA_DELETED, &b);
            tell(d->after, DELTA_ADDED, &b);
        } else {
            tell(d->after != NULL ? d->after : d->before, d->op, &b);
        }
        delta_faults += kind_table[d->kind].namespaced && d->ns == NULL;
        break;
    case DELTA_KIND:
        break;
    case DELTA_ADDRESSES:
        free(told_ranges);
        told_ranges = ranges_text(heard_of);
        break;
    }
    buf_deinit(&b);
}

static char *mirror_text(void)
{
    struct lines l = { .v = { .items = NULL } };

    for (size_t i = 0; i < mirror.len; i++) {
        vec_push(&l.v, xstrdup(mirror.items[i].line));
    }
    return lines_take(&l);
}

static void forget_mirror(void)
{
    for (size_t i = 0; i < mirror.len; i++) {
        free(mirror.items[i].line);
    }
    vec_free(&mirror);
    delta_faults = 0;
}

/* ---- steps
 * ------------------------------------------------------------------------------------------ */

static void step_write(struct cluster *c)
{
    enum kind kind = random_kind();
    unsigned ns = roll(NAMESPACES), n = roll(NAMES), uid, rv;
    struct known *k = &world[kind][ns][n];

    if (!legal(kind, ns, n)) {
        return;
    }
    uid = k->exists && roll(6) > 0 ? k->uid : next_uid++;
    rv = ++next_rv;
    set_known(k, random_json(kind, ns, n, uid, rv), uid, rv);
    cluster_apply(c, decode(kind, k->json), 1);
}

static struct known *random_known(enum kind *kind, unsigned *ns, unsigned *n)
{
    for (int i = 0; i < 50; i++) {
        *kind = random_kind();
        *ns = roll(NAMESPACES);
        *n = roll(NAMES);
        if (world[*kind][*ns][*n].exists) {
            return &world[*kind][*ns][*n];
        }
    }
    return NULL;
}

/* An event that must change nothing: a duplicate, an older one, or the deletion of a predecessor.
 */
static void step_noise(struct cluster *c)
{
    enum kind kind;
    unsigned ns, n;
    struct known *k = random_known(&kind, &ns, &n);
    char *json;

    if (k == NULL) {
        return;
    }
    switch (roll(3)) {
    case 0:
        cluster_apply(c, decode(kind, k->json), 1);
        break;
    case 1:
        json = random_json(kind, ns, n, k->uid, k->rv - 1 - roll(5) % (k->rv - 1));
        cluster_apply(c, decode(kind, json), 1);
        free(json);
        break;
    default:
        json = random_json(kind, ns, n, next_uid++, k->rv - 1);
        cluster_delete(c, decode(kind, json), 1);
        free(json);
        break;
    }
}

static void step_delete(struct cluster *c)
{
    enum kind kind;
    unsigned ns, n;
    struct known *k = random_known(&kind, &ns, &n);

    if (k != NULL) {
        cluster_delete(c, decode(kind, k->json), 1);
        set_known(k, NULL, 0, 0);
    }
}

static uint64_t no_time(void)
{
    return 0;
}

/* What the watch tells between two slices: it is newer than the list. */
static void event_while_swapping(struct cluster_generation *g, enum kind kind, unsigned only)
{
    unsigned ns = only < NAMESPACES ? only : roll(NAMESPACES), n = roll(NAMES);
    struct known *k = &world[kind][ns][n];

    if (!legal(kind, ns, n)) {
        return;
    }
    if (k->exists && roll(3) == 0) {
        cluster_replace_delete(g, decode(kind, k->json));
        set_known(k, NULL, 0, 0);
        return;
    }
    unsigned uid = k->exists && roll(3) > 0 ? k->uid : next_uid++;
    next_rv++;
    set_known(k, random_json(kind, ns, n, uid, next_rv), uid, next_rv);
    cluster_replace_add(g, decode(kind, k->json));
}

/* `only`: the namespace of the list, or NAMESPACES. */
static void swap_in_slices(struct cluster *c, struct cluster_generation *g, enum kind kind,
                           unsigned only)
{
    while (!cluster_replace_step(g, 1, 2, 0, no_time)) {
        CHECK("it says so between two slices", cluster_swapping(c));
        for (unsigned events = roll(4); events > 0; events--) {
            event_while_swapping(g, kind, only);
        }
    }
}

/* While nobody watched, some objects of one kind changed; then the list is given, perhaps with
 * repetitions, deletions and old copies inside it, perhaps dropped half way. */
static void step_relist(struct cluster *c)
{
    enum kind kind = random_kind();
    bool scoped = kind_table[kind].namespaced && roll(3) == 0;
    unsigned only = roll(NAMESPACES);
    struct cluster_generation *g = cluster_replace_begin(c, kind, scoped ? ns_name(only) : NULL);
    struct cluster_generation *second = roll(6) == 0 ? cluster_replace_begin(c, kind, NULL) : NULL;

    if (roll(5) == 0) { /* it breaks off */
        for (unsigned n = 0; n < NAMES; n++) {
            char *json = random_json(kind, 0, n, next_uid++, ++next_rv);

            cluster_replace_add(g, decode(kind, json));
            free(json);
        }
        cluster_replace_abort(g);
        cluster_replace_abort(second);
        return;
    }
    for (unsigned ns = 0; ns < NAMESPACES; ns++) {
        for (unsigned n = 0; n < NAMES; n++) {
            struct known *k = &world[kind][ns][n];
            unsigned uid;

            if (!legal(kind, ns, n) || (scoped && ns != only)) {
                continue;
            }
            switch (roll(5)) {
            case 0: /* went, perhaps within the list */
                if (k->exists && roll(2) == 0) {
                    cluster_replace_add(g, decode(kind, k->json));
                    cluster_replace_delete(g, decode(kind, k->json));
                }
                set_known(k, NULL, 0, 0);
                break;
            case 1: /* came or changed */
                uid = k->exists && roll(3) > 0 ? k->uid : next_uid++;
                next_rv++;
                set_known(k, random_json(kind, ns, n, uid, next_rv), uid, next_rv);
                break;
            default:
                break;
            }
            if (k->exists && roll(5) == 0) { /* an older copy first */
                char *json = random_json(kind, ns, n, k->uid, 1 + roll(k->rv));

                cluster_replace_add(g, decode(kind, json));
                free(json);
            }
            if (k->exists) {
                cluster_replace_add(g, decode(kind, k->json));
            } else if (roll(4) == 0) { /* seen, then deleted within the list */
                char *json = random_json(kind, ns, n, next_uid++, ++next_rv);

                cluster_replace_add(g, decode(kind, json));
                cluster_replace_delete(g, decode(kind, json));
                free(json);
            }
        }
    }
    if (roll(2) == 0) {
        cluster_replace_commit(g, 1, 2);
    } else {
        swap_in_slices(c, g, kind, scoped ? only : NAMESPACES);
    }
    CHECK("nothing is left between two states", !cluster_swapping(c));
    cluster_replace_abort(second);
}

static struct cluster *from_scratch(void)
{
    struct cluster *c = cluster_create();
    unsigned order[KIND_COUNT];

    for (unsigned i = 0; i < KIND_COUNT; i++) {
        unsigned j = roll(i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        enum kind kind = (enum kind)order[i];

        for (unsigned ns = 0; ns < NAMESPACES; ns++) {
            for (unsigned n = 0; n < NAMES; n++) {
                if (world[kind][ns][n].exists) {
                    cluster_apply(c, decode(kind, world[kind][ns][n].json), 1);
                }
            }
        }
    }
    return c;
}

static bool same_text(const char *what, char *got, char *want)
{
    bool same = strcmp(got, want) == 0;

    if (!same) {
        FILE *f = fopen("/dev/stderr", "w");

        if (f != NULL) {
            fprintf(f, "---- %s: got\n%s---- want\n%s", what, got, want);
            fclose(f);
        }
    }
    free(got);
    free(want);
    return same;
}

static bool run_sequence(uint64_t seed)
{
    struct cluster *c = cluster_create();
    unsigned steps;
    bool good = true;

    random_state = seed * 2654435761U + 1;
    steps = 10 + roll(STEPS_MAX);
    offline = roll(3) == 0;
    forget_world();
    forget_mirror();
    cluster_on_delta(c, listen, NULL);
    heard_of = c;
    told_ranges = ranges_text(c);
    for (unsigned i = 0; i < steps && good; i++) {
        struct lines l = { .v = { .items = NULL } };
        struct cluster *scratch;
        uint32_t what = roll(12);

        if (what < 6) {
            step_write(c);
        } else if (what < 8) {
            step_delete(c);
        } else if (what < 10) {
            step_noise(c);
        } else {
            step_relist(c);
        }
        scratch = from_scratch();
        good = same_text("cache against scratch", cluster_text(c), cluster_text(scratch));
        cluster_destroy(scratch);
        cluster_lines_told(c, &l);
        good = same_text("mirror against cache", mirror_text(), lines_take(&l)) && good;
        good = same_text("ranges against pods", ranges_text(c), plain_text(c)) && good;
        good = same_text("told ranges", xstrdup(told_ranges), ranges_text(c)) && good;
        good = good && delta_faults == 0;
        if (!good) {
            fprintf(stderr, "SEED=%llu, step %u, %u faulty deltas\n", (unsigned long long)seed, i,
                    delta_faults);
        }
    }
    cluster_destroy(c);
    free(told_ranges);
    forget_world();
    forget_mirror();
    return good;
}

TEST(any_history_gives_the_cache_of_what_exists_and_deltas_that_say_so)
{
    const char *given = getenv("SEED"), *count = getenv("SEQUENCES");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000;
    unsigned long n = given != NULL ? 1 : count != NULL ? strtoul(count, NULL, 10) : 200;

    printf("# SEED=%llu and the %lu after it\n", (unsigned long long)seed, n - 1);
    for (unsigned long i = 0; i < n; i++) {
        REQUIRE("the sequence holds", run_sequence(seed + i));
    }
    CHECK_INT("no string is left behind", str_table_count(), 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(any_history_gives_the_cache_of_what_exists_and_deltas_that_say_so));
}
