/* R1: after any sequence of events the verdicts that the engine has said equal those of a judgement
 * from scratch over the same cache, ruleset and time. Also: the same event twice changes nothing,
 * and the order in which independent objects came does not matter.
 *
 * A sequence is a list of operations, each with a seed of its own, so that a failing one can be
 * shortened by leaving operations out. R1_SEQUENCES=N and R1_SEED=S (that one sequence) choose;
 * LONG=1 runs five times as many. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "rules/engine.h"
#include "tests/check.h"
#include "tests/rules/random_objects.h"

#include <uthash.h>

enum {
    SEQUENCES = 2000,
    STEPS_MAX = 500,
    NAMES = 3,
    NAMESPACES = ARRAY_LEN(some_namespaces),
    RULESETS = 6,
    TEXT_MAX = 1 << 16
};
static const int64_t start_ms = 1800000000000;

enum op_kind {
    OP_PUT,
    OP_DELETE,
    OP_DUPLICATE,
    OP_RELIST,
    OP_KIND_STATE,
    OP_RULESET,
    OP_TIME,
    OP_KINDS
};
static const char *const op_names[] = { "put",        "delete",  "duplicate", "relist",
                                        "kind state", "ruleset", "time" };

struct op {
    enum op_kind kind;
    uint64_t seed;
};

/* What one (rule, subject) last said. */
struct line {
    char *key, *text;
    bool seen;
    UT_hash_handle hh;
};

struct slot { /* what the API server holds under one name */
    char *json;
    uint32_t uid;
};

struct run {
    struct cluster *cluster;
    struct engine *engine;
    struct slot slots[KIND_COUNT][NAMESPACES][NAMES];
    enum kind_state states[KIND_COUNT];
    uint32_t next_uid, next_rv;
    int64_t now_ms;
    int ruleset;
    struct line *said;
    uint32_t said_in_run;
    bool tell;     /* print the operations */
    bool permuted; /* compared with another cache of the same content */
    bool wrong;
    struct buf why;
};

static struct ruleset *rulesets[RULESETS];
/* How often each rule said pass, and fail or warn, over all sequences. */
static uint64_t passed[128], failed[128], suppressed, gone_count, off_count, kind_errors;
static uint64_t now_seed;

/* ---- verdicts as text ---- */

static void add_without_versions(struct buf *b, const char *evidence)
{
    static const char mark[] = ",\"resourceVersion\":\"";

    for (const char *at = evidence; *at != '\0';) {
        const char *next = strstr(at, mark);
        if (next == NULL) {
            buf_adds(b, at);
            return;
        }
        buf_add(b, at, (size_t)(next - at));
        at = strchr(next + strlen(mark), '"') + 1;
    }
}

static void verdict_key(const struct verdict *v, char *key, size_t size)
{
    snprintf(key, size, "%s/%s|%s|%s|%s|%s", v->policy, v->rule, v->subject.group, v->subject.kind,
             v->subject.ns, v->subject.name);
}

static void verdict_text(const struct verdict *v, struct buf *b)
{
    char hex[SHA256_HEX];

    buf_reset(b);
    hex_encode(v->fingerprint, SHA256_BYTES, hex);
    buf_addf(b, "%s %s env=%s%s%s%s grace=%lld until=%lld version=%s owner=%s key=%s %s %s\n  ",
             result_name(v->result), severity_name(v->severity), environment_name(v->environment),
             v->kind_unavailable ? " unavailable" : "", v->suppressed ? " suppressed" : "",
             v->subject_deleting ? " deleting" : "", (long long)v->grace_ms,
             (long long)v->valid_until_ms, v->subject.version, v->owner, v->subkey,
             v->exemption != NULL ? v->exemption : "-", hex);
    buf_addf(b, "%s\n  ", v->message);
    add_without_versions(b, v->evidence);
    buf_addf(b, "\n  uid=%s", v->subject.uid);
}

/* Which of two objects of one name and a workload's pods tells the uid hangs on history where their
 * owner references disagree, as they do here: between two caches it does not count. */
static bool same_text(const struct run *r, const char *a, const char *b)
{
    const char *a_end = strstr(a, "\n  uid="), *b_end = strstr(b, "\n  uid=");

    if (!r->permuted) {
        return strcmp(a, b) == 0;
    }
    return a_end - a == b_end - b && strncmp(a, b, (size_t)(a_end - a)) == 0;
}

static void forget_line(struct run *r, struct line *l)
{
    HASH_DEL(r->said, l);
    free(l->key);
    free(l->text);
    free(l);
}

static struct line *find_line(struct run *r, const char *key)
{
    struct line *l;

    HASH_FIND_STR(r->said, key, l);
    return l;
}

static bool is_resource(const struct verdict *v)
{
    return strcmp(v->subject.kind, "APIResource") == 0;
}

static void on_verdict(void *ctx, const struct verdict *v, const struct cause *cause)
{
    struct run *r = ctx;
    char key[512];
    struct buf text;

    (void)cause;
    r->said_in_run++;
    verdict_key(v, key, sizeof(key));
    struct line *l = find_line(r, key);
    if (v->off || (is_resource(v) && v->result == RESULT_PASS)) {
        off_count += v->off ? 1 : 0;
        if (l != NULL) {
            forget_line(r, l);
        }
        return;
    }
    kind_errors += is_resource(v) ? 1 : 0;
    buf_init(&text, TEXT_MAX);
    verdict_text(v, &text);
    if (l == NULL) {
        l = xcalloc(1, sizeof(*l));
        l->key = xstrdup(key);
        HASH_ADD_KEYPTR(hh, r->said, l->key, strlen(l->key), l);
    } else if (strcmp(l->text, text.data) == 0 && strstr(v->evidence, "resourceVersion") == NULL) {
        r->wrong = true;
        buf_addf(&r->why, "said twice the same: %s\n  %s\n", key, text.data);
    }
    free(l->text);
    l->text = buf_take(&text);
}

static void on_gone(void *ctx, const struct subject_ref *s, const struct cause *cause)
{
    struct run *r = ctx;
    char suffix[512];
    struct line *l, *next;

    r->said_in_run++;
    gone_count++;
    if (cause->verb == CHANGE_DELETE && cause->name[0] == '\0') {
        r->wrong = true;
        buf_addf(&r->why, "%s %s/%s went by a deletion of nothing\n", s->kind, s->ns, s->name);
    }
    snprintf(suffix, sizeof(suffix), "|%s|%s|%s|%s", s->group, s->kind, s->ns, s->name);
    HASH_ITER(hh, r->said, l, next)
    {
        if (strcmp(strchr(l->key, '|'), suffix) == 0) {
            forget_line(r, l);
        }
    }
}

static void compare_one(void *ctx, const struct verdict *v)
{
    struct run *r = ctx;
    char key[512];
    struct buf text;

    verdict_key(v, key, sizeof(key));
    buf_init(&text, TEXT_MAX);
    verdict_text(v, &text);
    struct line *l = find_line(r, key);
    if (l == NULL) {
        r->wrong = true;
        buf_addf(&r->why, "never said: %s\n  %s\n", key, text.data);
    } else {
        l->seen = true;
        if (!same_text(r, l->text, text.data)) {
            r->wrong = true;
            buf_addf(&r->why, "%s\n said    %s\n scratch %s\n", key, l->text, text.data);
        }
    }
    if (!is_resource(v)) {
        size_t rule = rule_index(rule_find(v->rule));
        suppressed += v->suppressed ? 1 : 0;
        passed[rule] += v->result == RESULT_PASS ? 1 : 0;
        failed[rule] += v->result == RESULT_FAIL || v->result == RESULT_WARN ? 1 : 0;
    }
    buf_deinit(&text);
}

static void compare_with(struct run *r, const struct cluster *cluster)
{
    engine_judge_all(cluster, rulesets[r->ruleset], "cluster-1", r->now_ms, compare_one, r);
    for (struct line *l = r->said; l != NULL; l = l->hh.next) {
        if (!l->seen) {
            r->wrong = true;
            buf_addf(&r->why, "still said, no longer true: %s\n  %s\n", l->key, l->text);
        }
        l->seen = false;
    }
}

/* ---- running ---- */

static uint64_t ticks;
static uint64_t slow_clock(void)
{
    return ticks += 10;
}

static struct engine_sink sink_of(struct run *r)
{
    return (struct engine_sink){ .ctx = r, .verdict = on_verdict, .gone = on_gone };
}

static void settle(struct run *r)
{
    const struct engine_sink sink = sink_of(r);

    r->said_in_run = 0;
    if (!engine_run(r->engine, r->now_ms, 0, NULL, &sink) || !engine_idle(r->engine)) {
        r->wrong = true;
        buf_adds(&r->why, "a run without limit left something\n");
    }
    compare_with(r, r->cluster);
}

static void forward(void *ctx, const struct delta *d)
{
    engine_note(((struct run *)ctx)->engine, d);
}

static struct object *decode(struct run *r, enum kind kind, const char *json)
{
    struct object *obj = NULL;
    struct error err = { 0 };

    if (object_decode(kind, json, strlen(json), &obj, &err) != 0) {
        r->wrong = true;
        buf_addf(&r->why, "the test's own object: %s: %s\n", err.text, json);
    }
    return obj;
}

static bool namespaced(enum kind kind)
{
    return kind_table[kind].namespaced;
}

static const char *slot_name(enum kind kind, uint32_t ns, uint32_t name)
{
    return kind == KIND_NAMESPACE ? some_namespaces[ns] : some_kinds_names[kind][name];
}

static enum kind random_kind(struct chance *c)
{
    static const enum kind kinds[] = { KIND_NAMESPACE,
                                       KIND_POD,
                                       KIND_POD,
                                       KIND_SERVICE,
                                       KIND_INGRESS,
                                       KIND_INGRESS_CLASS,
                                       KIND_NETWORK_POLICY,
                                       KIND_NETWORK_POLICY,
                                       KIND_DEPLOYMENT,
                                       KIND_STATEFUL_SET,
                                       KIND_DAEMON_SET,
                                       KIND_CRON_JOB,
                                       KIND_SECRET,
                                       KIND_CLUSTER_NETWORK_POLICY,
                                       KIND_ADMIN_NETWORK_POLICY,
                                       KIND_BASELINE_ADMIN_NETWORK_POLICY,
                                       KIND_CILIUM_NETWORK_POLICY,
                                       KIND_CILIUM_CLUSTERWIDE_NETWORK_POLICY,
                                       KIND_PEER_AUTHENTICATION };

    return ONE_OF(c, kinds);
}

static struct slot *random_slot(struct run *r, struct chance *c, enum kind kind, uint32_t *ns,
                                uint32_t *name)
{
    *ns = namespaced(kind) || kind == KIND_NAMESPACE ? chance_below(c, NAMESPACES) : 0;
    *name = kind == KIND_NAMESPACE ? 0 : chance_below(c, NAMES);
    return &r->slots[kind][*ns][*name];
}

/* Another content for the slot, as a client's write would leave it on the server. */
static void write_slot(struct run *r, struct chance *c, enum kind kind, uint32_t ns, uint32_t name)
{
    struct slot *s = &r->slots[kind][ns][name];
    struct buf b;

    if (s->json == NULL || chance_percent(c, 10)) {
        s->uid = ++r->next_uid; /* also: deleted and created again */
    }
    buf_init(&b, TEXT_MAX);
    random_object(&b, c, kind, namespaced(kind) ? some_namespaces[ns] : NULL,
                  slot_name(kind, ns, name), s->uid, ++r->next_rv);
    free(s->json);
    s->json = buf_take(&b);
}

static void erase_slot(struct slot *s)
{
    free(s->json);
    s->json = NULL;
}

static void set_state(struct run *r, enum kind kind, enum kind_state state)
{
    r->states[kind] = state;
    cluster_set_kind_state(r->cluster, kind, state, state == KIND_STATE_FORBIDDEN ? "403" : "",
                           r->now_ms);
}

/* A kind that comes and goes is served before it has objects; not always, so that most worlds have
 * few families. */
static bool let_serve(struct run *r, struct chance *c, enum kind kind)
{
    if (kind_table[kind].watch == KIND_WATCH_SERVED && r->states[kind] == KIND_STATE_ABSENT) {
        if (!chance_percent(c, 25)) {
            return false;
        }
        set_state(r, kind, KIND_STATE_SYNCED);
    }
    return true;
}

static void do_put(struct run *r, struct chance *c)
{
    enum kind kind = random_kind(c);
    uint32_t ns, name;
    struct slot *s = random_slot(r, c, kind, &ns, &name);

    if (!let_serve(r, c, kind)) {
        return;
    }
    write_slot(r, c, kind, ns, name);
    if (r->tell) {
        printf("#   %s\n", s->json);
    }
    struct object *obj = decode(r, kind, s->json);
    if (obj != NULL) {
        cluster_apply(r->cluster, obj, r->now_ms);
    }
}

static void do_delete(struct run *r, struct chance *c)
{
    enum kind kind = random_kind(c);
    uint32_t ns, name;
    struct slot *s = random_slot(r, c, kind, &ns, &name);

    if (s->json != NULL) {
        if (r->tell) {
            printf("#   %s %s/%s\n", kind_table[kind].name, some_namespaces[ns],
                   slot_name(kind, ns, name));
        }
        cluster_delete(r->cluster, decode(r, kind, s->json), r->now_ms);
        erase_slot(s);
    }
}

/* The same event again must wake nobody. */
static void do_duplicate(struct run *r, struct chance *c)
{
    enum kind kind = random_kind(c);
    uint32_t ns, name;
    struct slot *s = random_slot(r, c, kind, &ns, &name);
    bool idle = engine_idle(r->engine);

    if (s->json == NULL || !cluster_synced(r->cluster)) {
        return;
    }
    cluster_apply(r->cluster, decode(r, kind, s->json), r->now_ms);
    if (idle && !engine_idle(r->engine)) {
        r->wrong = true;
        buf_addf(&r->why, "an event delivered twice made somebody dirty: %s\n", s->json);
    }
}

/* Things change unseen, then a list of the kind arrives. */
static void do_relist(struct run *r, struct chance *c)
{
    enum kind kind = random_kind(c);
    uint32_t spaces = namespaced(kind) || kind == KIND_NAMESPACE ? NAMESPACES : 1;
    uint32_t names = kind == KIND_NAMESPACE ? 1 : NAMES;

    if (!let_serve(r, c, kind)) {
        return;
    }
    struct cluster_generation *g = cluster_replace_begin(r->cluster, kind, NULL);

    if (r->tell) {
        printf("#   %s\n", kind_table[kind].name);
    }
    for (uint32_t ns = 0; ns < spaces; ns++) {
        for (uint32_t name = 0; name < names; name++) {
            struct slot *s = &r->slots[kind][ns][name];
            if (chance_percent(c, 20)) {
                write_slot(r, c, kind, ns, name);
            } else if (chance_percent(c, 20)) {
                erase_slot(s);
            }
            if (s->json != NULL) {
                if (r->tell) {
                    printf("#     %s\n", s->json);
                }
                cluster_replace_add(g, decode(r, kind, s->json));
            }
        }
    }
    cluster_replace_commit(g, r->now_ms - 1000, r->now_ms);
}

static void do_kind_state(struct run *r, struct chance *c)
{
    static const enum kind_state states[] = { KIND_STATE_SYNCED, KIND_STATE_SYNCED,
                                              KIND_STATE_SYNCED, KIND_STATE_FORBIDDEN,
                                              KIND_STATE_STALE,  KIND_STATE_ABSENT };
    enum kind kind = random_kind(c);
    enum kind_state state = ONE_OF(c, states);

    if (kind == KIND_SECRET && chance_percent(c, 30)) {
        state = KIND_STATE_OFF;
    }
    if (r->tell) {
        printf("#   %s %s\n", kind_table[kind].name, kind_state_name(state));
    }
    set_state(r, kind, state);
    for (uint32_t ns = 0; state == KIND_STATE_ABSENT && ns < NAMESPACES; ns++) {
        for (uint32_t name = 0; name < NAMES; name++) {
            erase_slot(&r->slots[kind][ns][name]);
        }
    }
}

static void apply(struct run *r, const struct op *op)
{
    static void (*const doers[])(struct run *, struct chance *) = {
        [OP_PUT] = do_put,       [OP_DELETE] = do_delete,         [OP_DUPLICATE] = do_duplicate,
        [OP_RELIST] = do_relist, [OP_KIND_STATE] = do_kind_state,
    };
    struct chance c = { op->seed };

    if (r->tell) {
        printf("# %s (seed %llu)\n", op_names[op->kind], (unsigned long long)op->seed);
    }
    if (op->kind == OP_TIME) {
        r->now_ms += (int64_t)chance_below(&c, 60 * 60 * 1000);
    } else if (op->kind == OP_RULESET) {
        r->ruleset = (int)chance_below(&c, RULESETS);
        engine_set_ruleset(r->engine, rulesets[r->ruleset]);
    } else {
        doers[op->kind](r, &c);
    }
    if (chance_percent(&c, 15)) {
        const struct engine_sink sink =
            sink_of(r); /* an interrupted slice; the next event comes between */
        engine_run(r->engine, r->now_ms, 1 + chance_below(&c, 30), slow_clock, &sink);
    } else {
        settle(r);
    }
}

/* ---- sequences ---- */

static void start(struct run *r, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->why, 1 << 20);
    r->now_ms = start_ms;
    r->next_rv = 100;
    r->cluster = cluster_create();
    r->engine = engine_create(r->cluster, rulesets[0], "cluster-1");
    cluster_on_delta(r->cluster, forward, r);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (kind_table[k].watch == KIND_WATCH_REQUIRED ||
            kind_table[k].watch == KIND_WATCH_OPTIONAL || (k == KIND_SECRET && seed % 2 == 0)) {
            set_state(r, (enum kind)k, KIND_STATE_SYNCED);
        } else if (kind_table[k].watch == KIND_WATCH_SERVED) {
            set_state(r, (enum kind)k, KIND_STATE_ABSENT);
        } else {
            r->states[k] = KIND_STATE_OFF;
        }
    }
}

/* The same objects, come in another order into another cache, are judged alike. */
static void permute(struct run *r, uint64_t seed)
{
    struct chance c = { seed };
    VEC(struct object *) objects = { 0 };
    struct cluster *other = cluster_create();

    for (unsigned k = 0; k < KIND_COUNT; k++) {
        for (uint32_t i = 0; i < NAMESPACES * NAMES; i++) {
            const char *json = r->slots[k][i / NAMES][i % NAMES].json;
            struct object *obj = json != NULL ? decode(r, (enum kind)k, json) : NULL;
            if (obj != NULL) {
                vec_push(&objects, obj);
            }
        }
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        cluster_set_kind_state(other, (enum kind)k, r->states[k],
                               r->states[k] == KIND_STATE_FORBIDDEN ? "403" : "", r->now_ms);
    }
    while (objects.len > 0) {
        size_t i = chance_below(&c, (uint32_t)objects.len);
        cluster_apply(other, objects.items[i], r->now_ms);
        vec_remove_swap(&objects, i);
    }
    vec_free(&objects);
    r->permuted = true;
    compare_with(r, other);
    cluster_destroy(other);
}

/* True when it holds. *why is the caller's to free, NULL when it holds. `till` gets the failing
 * step. */
static bool run_sequence(const struct op *ops, size_t count, uint64_t seed, bool tell, char **why,
                         size_t *till)
{
    struct run r;
    struct line *l, *next;
    size_t i = 0;

    hash_set_key(seed, seed ^ 0x5bd1e995);
    start(&r, seed);
    r.tell = tell;
    for (; i < count && !r.wrong; i++) {
        apply(&r, &ops[i]);
    }
    if (!r.wrong) {
        settle(&r);
    }
    if (!r.wrong && seed % 4 == 0) {
        permute(&r, seed);
        if (r.wrong) {
            buf_adds(&r.why, "(the same objects in another order)\n");
        }
    }
    *till = i;
    *why = r.wrong ? xstrdup(buf_text(&r.why)) : NULL;
    engine_destroy(r.engine);
    cluster_on_delta(r.cluster, NULL, NULL);
    cluster_destroy(r.cluster);
    HASH_ITER(hh, r.said, l, next)
    {
        forget_line(&r, l);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        for (uint32_t s = 0; s < NAMESPACES * NAMES; s++) {
            erase_slot(&r.slots[k][s / NAMES][s % NAMES]);
        }
    }
    buf_deinit(&r.why);
    return *why == NULL;
}

static size_t make_ops(uint64_t seed, struct op *ops)
{
    static const enum op_kind kinds[] = { OP_PUT,    OP_PUT,       OP_PUT,        OP_PUT,
                                          OP_PUT,    OP_PUT,       OP_PUT,        OP_PUT,
                                          OP_PUT,    OP_DELETE,    OP_DELETE,     OP_RELIST,
                                          OP_RELIST, OP_DUPLICATE, OP_KIND_STATE, OP_RULESET,
                                          OP_TIME };
    struct chance c = { seed };
    size_t n = 10 + chance_below(&c, 50);

    if (chance_percent(&c, 2)) {
        n = 10 + chance_below(&c, STEPS_MAX - 10);
    }
    for (size_t i = 0; i < n; i++) {
        ops[i] = (struct op){ ONE_OF(&c, kinds), chance_next(&c) };
    }
    return n;
}

/* Leaves out runs of operations, large ones first, as long as it still fails. */
static size_t shrink(struct op *ops, size_t count, uint64_t seed)
{
    struct op fewer[STEPS_MAX];
    unsigned tries = 0;

    for (size_t chunk = count / 2; chunk > 0; chunk /= 2) {
        for (size_t at = 0; at + chunk <= count && tries < 3000; tries++) {
            char *why;
            size_t till;
            memcpy(fewer, ops, at * sizeof(ops[0]));
            memcpy(fewer + at, ops + at + chunk, (count - at - chunk) * sizeof(ops[0]));
            if (run_sequence(fewer, count - chunk, seed, false, &why, &till)) {
                at += chunk;
                continue;
            }
            free(why);
            count -= chunk;
            memcpy(ops, fewer, count * sizeof(ops[0]));
        }
    }
    return count;
}

static bool try_seed(uint64_t seed)
{
    struct op ops[STEPS_MAX];
    size_t count = make_ops(seed, ops), till;
    char *why;

    now_seed = seed;
    if (run_sequence(ops, count, seed, false, &why, &till)) {
        return true;
    }
    printf("# R1_SEED=%llu fails at step %zu of %zu\n", (unsigned long long)seed, till, count);
    free(why);
    count = shrink(ops, till, seed);
    printf("# shortened to %zu steps:\n", count);
    run_sequence(ops, count, seed, true, &why, &till);
    for (char *line = strtok(why, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        printf("# %s\n", line);
    }
    free(why);
    return false;
}

static void on_crash(int signum)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "# crashed: R1_SEED=%llu\n", (unsigned long long)now_seed);

    if (write(STDOUT_FILENO, text, (size_t)n) == n) {
        signal(signum, SIG_DFL);
    }
    raise(signum);
}

/* ---- rulesets ---- */

static void add_rule(struct ruleset_settings *s, const char *pattern, int p, int st, int d, int o)
{
    struct rule_setting set = { .pattern = pattern,
                                .levels = { (int8_t)p, (int8_t)st, (int8_t)d, (int8_t)o } };

    vec_push(&s->rules, set);
}

static void add_param(struct ruleset_settings *s, const char *name, const char *value)
{
    struct rule_setting *set = &s->rules.items[s->rules.len - 1];

    vec_push(&set->params, ((struct label_pair){ name, value }));
}

static void make_rulesets(void)
{
    for (int i = 0; i < RULESETS; i++) {
        struct ruleset_settings s = { .force_environment = -1,
                                      .audit_system_namespaces = i % 2 == 1 };
        struct error err = { 0 };
        if (i == 1 || i == 2) { /* everything on, so that nothing hides */
            add_rule(&s, "*", LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL, LEVEL_FAIL);
        }
        if (i == 2) {
            add_rule(&s, "restrict-service-types/require-external-service-annotation", -1, -1, -1,
                     -1);
            add_param(&s, "required-annotations", "contact");
            add_rule(&s, "require-ingress-class/validate-approved-ingressclass", -1, -1, -1, -1);
            add_param(&s, "approved-controllers", "k8s.io/ingress-nginx");
        }
        if (i == 3) {
            add_rule(&s, "require-network-policy/*", LEVEL_OFF, LEVEL_WARN, LEVEL_OFF, LEVEL_FAIL);
            add_rule(&s, "require-network-policy/check-namespace-has-networkpolicy", -1, -1, -1,
                     LEVEL_WARN);
            add_param(&s, "minimum-networkpolicies", "2");
        }
        if (i >= 4) {
            const struct exemption some[] = {
                { .ns = "test-*", .reason = "migration", .expires_ms = start_ms + 3600000 },
                { .rule = "require-ingress-*",
                  .kind = "Ingress",
                  .name = "w*",
                  .reason = "later",
                  .expires_ms = start_ms + 7200000,
                  .owner = "web",
                  .ticket = "T-1" },
                { .rule = "block-*", .selector = "app=web", .reason = "known" },
                { .rule = "workload-ingress-isolated",
                  .selector = "tier in (a,b)",
                  .reason = "legacy" },
            };
            for (size_t k = 0; k < ARRAY_LEN(some); k++) {
                vec_push(&s.exemptions, some[k]);
            }
        }
        for (int f = 0; i % 3 == 1 && f < FAMILY_COUNT; f++) {
            vec_push(&s.enforced_families, policy_family_name((enum policy_family)f));
        }
        REQUIRE("the ruleset is well-formed", ruleset_create(&rulesets[i], &s, &err) == 0);
        for (size_t k = 0; k < s.rules.len; k++) {
            vec_free(&s.rules.items[k].params);
        }
        vec_free(&s.rules);
        vec_free(&s.exemptions);
        vec_free(&s.enforced_families);
    }
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

TEST(incremental_verdicts_equal_those_from_scratch)
{
    const char *one = getenv("R1_SEED");
    uint64_t count = number_from("R1_SEQUENCES", getenv("LONG") != NULL  ? 5 * SEQUENCES
                                                 : getenv("SAN") != NULL ? SEQUENCES / 10
                                                                         : SEQUENCES);
    uint64_t first = number_from("R1_FIRST", 1);

    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    make_rulesets();
    if (one != NULL) {
        CHECK("the sequence holds", try_seed(strtoull(one, NULL, 10)));
        return;
    }
    unsigned wrong = 0;
    for (uint64_t seed = first; seed < first + count && wrong < 3; seed++) {
        wrong += try_seed(seed) ? 0U : 1U;
    }
    CHECK_INT("sequences that do not hold", wrong, 0);
    if (count < 100) {
        return;
    }
    for (size_t i = 0; i < rule_count(); i++) {
        char fact[256];
        snprintf(fact, sizeof(fact), "the sequences make %s/%s pass and fail (%llu, %llu)",
                 rule_at(i)->policy, rule_at(i)->rule, (unsigned long long)passed[i],
                 (unsigned long long)failed[i]);
        CHECK(fact, passed[i] > 0 && failed[i] > 0);
    }
    CHECK("the sequences suppress, end objects, switch rules off and lose kinds",
          suppressed > 0 && gone_count > 0 && off_count > 0 && kind_errors > 0);
    printf("# %llu sequences from seed %llu\n", (unsigned long long)count,
           (unsigned long long)first);
    for (int i = 0; i < RULESETS; i++) {
        ruleset_destroy(rulesets[i]);
    }
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(incremental_verdicts_equal_those_from_scratch));
}
