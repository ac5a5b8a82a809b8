/* A verdict meets what is known of its (rule, subject): one table says what then happens. What it
 * says is compared by hash with what the file holds, so that saying the same twice, or again after
 * a restart, writes nothing. Rows go to the store in the order of the transitions; the cause is
 * written once per write, before its first transition. */
#include "store/life.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "store/life_heap.h"
#include "store/life_table.h"
#include "store/sink.h"
#include "store/words.h"

enum {
    RESOLVED_MOST = 100000,     /* resolved findings that are remembered in memory */
    SETTLE_AFTER_MS = 60 * 1000 /* after a kind came back: its subjects have been judged by then */
};

struct life {
    struct store *store;
    struct life_table table;
    struct life_heap heap;
    struct arena arena; /* one call */
    struct life_counts counts;
    uint64_t resolved;        /* entries in that state */
    uint32_t sweep;           /* where forgetting resolved ones goes on */
    VEC(uint16_t) unreadable; /* by rule: how many of its kinds have an APIResource finding */
    bool reconciling;
    int64_t away_since_ms, settle_at_ms;
    uint64_t unsettled;    /* entries that nobody confirmed because their rule cannot be judged */
    int64_t live_since_ms; /* what becomes due later became so while we watched */
    life_event_fn *fn;
    void *fn_ctx;
};

/* ---- what a verdict wants, and what then happens ---- */

enum target { WANT_FINDING, WANT_SUPPRESSED, WANT_NOTHING, TARGET_COUNT };

enum action {
    NOTHING,
    START,
    SUPPRESS,
    KEEP_PENDING,
    FORGET,
    FORGET_AND_SUPPRESS,
    UPDATE,
    REOPEN,
    RESOLVE
};

static const uint8_t actions[LIFE_STATE_COUNT][TARGET_COUNT] = {
    /*                  fail, warn, error  exempt              pass, skip, off */
    [LIFE_NONE] = { START, SUPPRESS, NOTHING },
    [LIFE_PENDING] = { KEEP_PENDING, FORGET_AND_SUPPRESS, FORGET },
    [LIFE_OPEN] = { UPDATE, SUPPRESS, RESOLVE },
    [LIFE_SUPPRESSED] = { REOPEN, UPDATE, RESOLVE },
    [LIFE_RESOLVED] = { START, SUPPRESS, NOTHING },
};

static enum target target_of(const struct verdict *v)
{
    if (v->off || v->result == RESULT_PASS || v->result == RESULT_SKIP) {
        return WANT_NOTHING;
    }
    return v->suppressed ? WANT_SUPPRESSED : WANT_FINDING;
}

/* A verdict being worked on. */
struct say {
    struct life *l;
    const struct verdict *v; /* NULL: the subject is gone, or a grace time has ended */
    const struct cause *cause;
    int64_t now_ms;
    struct subject_ref subject; /* clean */
    uint32_t message_hash, rest_hash;
    struct row row; /* content, once `ready` */
    bool ready;
    uint32_t index;
    uint32_t rule;
};

static struct life_entry *entry(const struct say *s)
{
    return &s->l->table.entries[s->index];
}

/* ---- counting ---- */

static bool stands(int state)
{
    return state == LIFE_PENDING || state == LIFE_OPEN || state == LIFE_SUPPRESSED;
}

static uint16_t *unreadable_of(struct life *l, uint32_t rule)
{
    while (l->unreadable.len <= rule) {
        vec_push(&l->unreadable, 0);
    }
    return &l->unreadable.items[rule];
}

static void count(struct life *l, const struct life_entry *e, int by)
{
    uint64_t n = (uint64_t)(int64_t)by;

    l->counts.open += e->state == LIFE_OPEN ? n : 0;
    l->counts.suppressed += e->state == LIFE_SUPPRESSED ? n : 0;
    l->counts.pending += e->state == LIFE_PENDING ? n : 0;
    l->resolved += e->state == LIFE_RESOLVED ? n : 0;
    if (e->state == LIFE_OPEN) {
        l->counts.by_severity[e->severity] += n;
    }
    if (e->resource && stands(e->state)) {
        uint16_t *unreadable = unreadable_of(l, e->rule);
        *unreadable = (uint16_t)(*unreadable + by);
    }
}

static void set_state(struct life *l, uint32_t index, enum life_state state)
{
    struct life_entry *e = &l->table.entries[index];

    count(l, e, -1);
    e->state = (uint16_t)(state & 7);
    count(l, e, 1);
}

/* Forgets an entry that says nothing any more. */
static void drop_if_empty(struct life *l, uint32_t index)
{
    struct life_entry *e = &l->table.entries[index];

    if (e->state == LIFE_NONE && !e->proved) {
        life_table_remove(&l->table, index);
    }
}

/* One of the resolved ones is forgotten for each that comes beyond the ceiling: when it fails
 * again, the file still knows that it re-opens, only life's event does not say so. */
static void limit_resolved(struct life *l)
{
    while (l->resolved > RESOLVED_MOST) {
        l->sweep = l->sweep + 1 < l->table.len ? l->sweep + 1 : 1;
        struct life_entry *e = &l->table.entries[l->sweep];
        if (e->used && e->state == LIFE_RESOLVED) {
            set_state(l, l->sweep, LIFE_NONE);
            e->was_open = 0;
            drop_if_empty(l, l->sweep);
        }
    }
}

/* ---- content ---- */

static uint32_t hash_text(uint32_t h, const char *text)
{
    return (uint32_t)hash_mix(h, text == NULL ? 1 : hash_bytes(text, strlen(text)));
}

static uint32_t rest_hash(const char *version, const char *uid, const char *evidence,
                          const char *remediation, const char *owner, const char *exemption)
{
    uint32_t h = hash_text(0, version);

    h = hash_text(h, uid);
    h = hash_text(h, evidence);
    h = hash_text(h, remediation);
    h = hash_text(h, owner);
    return hash_text(h, exemption);
}

static struct subject_ref clean_subject(struct arena *a, const struct subject_ref *r)
{
    return (struct subject_ref){ store_clean(a, r->group), store_clean(a, r->version),
                                 store_clean(a, r->kind),  store_clean(a, r->ns),
                                 store_clean(a, r->name),  store_clean(a, r->uid) };
}

static uint64_t subject_hash(const struct subject_ref *r)
{
    uint64_t h = hash_bytes(r->group, strlen(r->group));

    h = hash_mix(h, hash_bytes(r->kind, strlen(r->kind)));
    h = hash_mix(h, hash_bytes(r->ns, strlen(r->ns)));
    return hash_mix(h, hash_bytes(r->name, strlen(r->name)));
}

static unsigned clamp(int value, int count)
{
    return value < 0 ? 0U : value >= count ? (unsigned)count - 1 : (unsigned)value;
}

/* Cleans and hashes what the verdict says; shared texts get their numbers only when a row is
 * written. */
static void prepare(struct say *s)
{
    const struct verdict *v = s->v;
    struct arena *a = &s->l->arena;

    if (s->ready) {
        return;
    }
    s->ready = true;
    s->row = (struct row){ .rule = s->rule,
                           .result = clamp((int)v->result, RESULT_COUNT),
                           .severity = clamp((int)v->severity, SEVERITY_COUNT),
                           .environment = clamp((int)v->environment, ENV_COUNT),
                           .at_ms = s->now_ms,
                           .ns = s->subject.ns,
                           .name = s->subject.name,
                           .uid = s->subject.uid,
                           .evidence = store_clean_json(a, v->evidence) };
    memcpy(s->row.fp, v->fingerprint, FP_BYTES);
    memcpy(s->row.fp_rest, v->fingerprint + FP_BYTES, FP_BYTES);
    s->row.message.text = store_clean(a, v->message);
    s->row.remediation.text = store_clean(a, v->remediation);
    s->row.owner.text = store_clean(a, v->owner);
    s->row.exemption.text = v->exemption != NULL ? store_clean(a, v->exemption) : NULL;
    s->message_hash = hash_text(0, s->row.message.text);
    s->rest_hash = rest_hash(s->subject.version, s->row.uid, s->row.evidence,
                             s->row.remediation.text, s->row.owner.text, s->row.exemption.text);
}

static void name_texts(struct say *s)
{
    struct store *store = s->l->store;

    s->row.group = store_text(store, s->subject.group);
    s->row.version = store_text(store, s->subject.version);
    s->row.object_kind = store_text(store, s->subject.kind);
    s->row.message = store_text(store, s->row.message.text);
    s->row.remediation = store_text(store, s->row.remediation.text);
    s->row.owner = store_text(store, s->row.owner.text);
    if (s->row.exemption.text != NULL) {
        s->row.exemption = store_text(store, s->row.exemption.text);
    }
}

/* What the entry knows of the file from now on. */
static void remember(struct say *s)
{
    struct life_entry *e = entry(s);

    count(s->l, e, -1);
    e->result = (uint16_t)(s->row.result & 7);
    e->severity = (uint16_t)(s->row.severity & 7);
    e->environment = (uint16_t)(s->row.environment & 3);
    e->message_hash = s->message_hash;
    e->rest_hash = s->rest_hash;
    count(s->l, e, 1);
}

/* The entry of the verdict, made when it is new. */
static void need_entry(struct say *s)
{
    if (s->index == 0) {
        s->index = life_table_add(&s->l->table, s->v->fingerprint, subject_hash(&s->subject));
        struct life_entry *e = entry(s);
        e->rule = (uint16_t)s->rule;
        e->seen = 1;
        e->resource = strcmp(s->subject.kind, "APIResource") == 0;
    }
}

/* ---- the actions ---- */

static int64_t cause_of(const struct say *s)
{
    const struct life *l = s->l;
    struct cause c;

    if (s->cause == NULL) {
        return 0;
    }
    c = *s->cause;
    if (l->reconciling && l->away_since_ms > 0 && c.from_ms == 0 &&
        (c.verb == CHANGE_FOUND || c.verb == CHANGE_GONE)) {
        c.from_ms = l->away_since_ms;
        c.to_ms = s->now_ms;
    }
    return store_cause(l->store, &c);
}

static void tell(const struct say *s, int64_t seq, enum finding_state state,
                 enum resolve_reason reason, bool reopened)
{
    struct life_event e = { .seq = seq,
                            .to_state = word_of(WORDS_STATE, state),
                            .reason = word_of(WORDS_REASON, reason),
                            .reopened = reopened,
                            .verdict = s->v };

    if (s->l->fn != NULL) {
        s->l->fn(s->l->fn_ctx, &e);
    }
}

static void become(struct say *s, enum finding_state state, bool transition)
{
    struct life *l = s->l;
    struct life_entry *e = entry(s);
    bool opens = state == STATE_OPEN && e->state != LIFE_OPEN, reopened = opens && e->was_open;

    name_texts(s);
    s->row.kind = ROW_FINDING;
    s->row.state = state;
    s->row.cause = transition ? cause_of(s) : 0;
    s->row.seq = transition ? store_new_seq(l->store) : 0;
    bool put = store_put(l->store, &s->row);

    remember(s);
    set_state(l, s->index, state == STATE_OPEN ? LIFE_OPEN : LIFE_SUPPRESSED);
    e->was_open |= opens;
    if (transition) {
        l->counts.opened_total += opens && !reopened;
        l->counts.reopened_total += reopened;
        l->counts.changed_total += !opens;
        if (put) {
            tell(s, s->row.seq, state, REASON_NONE, reopened);
        }
    }
}

static void update(struct say *s)
{
    struct life_entry *e = entry(s);
    enum finding_state state = e->state == LIFE_OPEN ? STATE_OPEN : STATE_SUPPRESSED;

    prepare(s);
    bool transition = e->result != s->row.result || e->severity != s->row.severity ||
                      e->environment != s->row.environment || e->message_hash != s->message_hash;
    if (transition || e->rest_hash != s->rest_hash) {
        become(s, state, transition);
    }
}

static void forget_pending(struct life *l, uint32_t index)
{
    struct life_entry *e = &l->table.entries[index];
    struct row row = { .kind = ROW_PENDING_END };

    memcpy(row.fp, e->key, FP_BYTES);
    store_put(l->store, &row);
    life_heap_remove(&l->heap, &l->table, index);
    set_state(l, index, e->was_open ? LIFE_RESOLVED : LIFE_NONE);
}

static void put_pending(struct say *s, int64_t due_ms)
{
    name_texts(s);
    s->row.kind = ROW_PENDING;
    s->row.due_ms = due_ms;
    store_put(s->l->store, &s->row);
    remember(s);
}

static void open_now(struct say *s)
{
    prepare(s);
    become(s, STATE_OPEN, true);
}

static void start(struct say *s)
{
    if (s->v->subject_deleting) {
        return;
    }
    need_entry(s);
    if (s->v->grace_ms <= 0) {
        open_now(s);
        return;
    }
    prepare(s);
    put_pending(s, s->now_ms + s->v->grace_ms);
    set_state(s->l, s->index, LIFE_PENDING);
    life_heap_add(&s->l->heap, &s->l->table, s->index, s->now_ms, s->row.due_ms);
}

/* The grace time counts from the first failing verdict; neither a clock that was set back nor
 * another grace time in the configuration makes it longer than it is. */
static void keep_pending(struct say *s)
{
    struct life *l = s->l;
    struct life_entry *e = entry(s);
    struct grace *g = life_heap_of(&l->heap, e);
    int64_t due_ms = g->first_seen_ms + s->v->grace_ms;

    if (s->v->subject_deleting) {
        forget_pending(l, s->index);
        return;
    }
    if (due_ms > s->now_ms + s->v->grace_ms) {
        due_ms = s->now_ms + s->v->grace_ms;
    }
    prepare(s);
    bool same = e->result == s->row.result && e->severity == s->row.severity &&
                e->environment == s->row.environment && e->message_hash == s->message_hash &&
                e->rest_hash == s->rest_hash && g->due_ms == due_ms;
    if (!same) {
        g->due_ms = due_ms;
        put_pending(s, due_ms);
        life_heap_moved(&l->heap, &l->table, s->index);
    }
}

static void suppress(struct say *s)
{
    if (s->v->subject_deleting && (s->index == 0 || !stands(entry(s)->state))) {
        return;
    }
    need_entry(s);
    prepare(s);
    become(s, STATE_SUPPRESSED, true);
}

static void resolve(struct say *s, enum resolve_reason reason)
{
    struct life *l = s->l;
    struct life_entry *e = entry(s);
    struct row row = { .kind = ROW_RESOLVE, .at_ms = s->now_ms, .reason = reason };

    memcpy(row.fp, e->key, FP_BYTES);
    row.cause = cause_of(s);
    row.seq = store_new_seq(l->store);
    bool put = store_put(l->store, &row);
    set_state(l, s->index, LIFE_RESOLVED);
    l->counts.resolved_total++;
    if (put) {
        tell(s, row.seq, STATE_RESOLVED, reason, false);
    }
}

static enum resolve_reason reason_of(const struct say *s)
{
    const struct verdict *v = s->v;

    if (v->off) {
        return v->environment != entry(s)->environment ? REASON_ENVIRONMENT_CHANGED
                                                       : REASON_RULE_OFF;
    }
    return v->result == RESULT_SKIP && v->exemption != NULL ? REASON_EXEMPTED : REASON_FIXED;
}

static void act(struct say *s, enum action action)
{
    switch (action) {
    case NOTHING:
        break;
    case START:
        start(s);
        break;
    case SUPPRESS:
        suppress(s);
        break;
    case KEEP_PENDING:
        keep_pending(s);
        break;
    case FORGET:
        forget_pending(s->l, s->index);
        break;
    case FORGET_AND_SUPPRESS:
        forget_pending(s->l, s->index);
        suppress(s);
        break;
    case UPDATE:
        update(s);
        break;
    case REOPEN:
        if (!s->v->subject_deleting) {
            open_now(s);
        }
        break;
    case RESOLVE:
        resolve(s, reason_of(s));
        break;
    }
}

/* ---- proofs ---- */

static bool proves(const struct verdict *v)
{
    return !v->off && !v->suppressed && v->result == RESULT_PASS && v->exemption == NULL;
}

/* A change that was found later ends the proof where it was last seen to hold. */
static void end_proof(struct say *s, int64_t away_since_ms)
{
    struct life_entry *e = entry(s);
    const struct cause *c = s->cause;
    struct row row = { .kind = ROW_PROVED_END, .to_ms = s->now_ms };

    if (c != NULL && (c->verb == CHANGE_FOUND || c->verb == CHANGE_GONE)) {
        int64_t from_ms = c->from_ms > 0 ? c->from_ms : away_since_ms;
        row.to_ms = from_ms > 0 && from_ms < s->now_ms ? from_ms : s->now_ms;
    }
    row.id = (int64_t)e->proof_high << 32 | e->proof_low;
    row.seq = store_new_seq(s->l->store);
    store_put(s->l->store, &row);
    e->proved = 0;
}

static void set_proof(struct life_entry *e, int64_t id)
{
    e->proved = 1;
    e->proof_low = (uint32_t)id;
    e->proof_high = (uint16_t)(id >> 32);
}

static void begin_proof(struct say *s)
{
    struct row row = { .kind = ROW_PROVED,
                       .rule = s->rule,
                       .ns = s->subject.ns,
                       .name = s->subject.name,
                       .from_ms = s->now_ms };

    need_entry(s);
    row.id = store_new_proof(s->l->store);
    memcpy(row.fp, entry(s)->key, FP_BYTES);
    row.group = store_text(s->l->store, s->subject.group);
    row.object_kind = store_text(s->l->store, s->subject.kind);
    store_put(s->l->store, &row);
    set_proof(entry(s), row.id);
}

/* ---- calls ---- */

/* The last unreadable kind of a rule is back: what its verdicts do not confirm soon is gone. */
static void watch_return(struct life *l, const struct life_entry *e, int64_t now_ms)
{
    if (e->resource && !l->reconciling && l->unsettled > 0 && *unreadable_of(l, e->rule) == 0) {
        l->settle_at_ms = now_ms + SETTLE_AFTER_MS;
    }
}

void life_verdict(struct life *l, const struct verdict *v, const struct cause *cause,
                  int64_t now_ms)
{
    struct say s = { .l = l, .v = v, .cause = cause, .now_ms = now_ms };
    bool resource = strcmp(v->subject.kind, "APIResource") == 0;

    s.index = life_table_find(&l->table, v->fingerprint);
    if (s.index != 0) {
        entry(&s)->seen = 1;
    }
    if (v->kind_unavailable && !resource) {
        if (s.index != 0 &&
            entry(&s)->state == LIFE_PENDING) { /* what cannot be seen does not run its time out */
            forget_pending(l, s.index);
            drop_if_empty(l, s.index);
        }
        return;
    }
    enum action action = actions[s.index != 0 ? entry(&s)->state : LIFE_NONE][target_of(v)];
    bool proof = proves(v) && !resource;
    if (s.index == 0 && action == NOTHING && !proof) {
        return;
    }
    s.subject = clean_subject(&l->arena, &v->subject);
    s.rule = store_rule(l->store, store_clean(&l->arena, v->policy),
                        store_clean(&l->arena, v->rule), store_clean(&l->arena, v->category));
    act(&s, action);
    if (s.index != 0 && entry(&s)->proved && !proof) {
        end_proof(&s, l->reconciling ? l->away_since_ms : 0);
    } else if (proof && (s.index == 0 || !entry(&s)->proved)) {
        begin_proof(&s);
    }
    if (s.index != 0) {
        watch_return(l, entry(&s), now_ms);
        drop_if_empty(l, s.index);
    }
    limit_resolved(l);
    arena_reset(&l->arena);
}

/* Ends everything about one entry; it may be forgotten afterwards. */
static void gone(struct say *s, enum resolve_reason reason, int64_t away_since_ms)
{
    struct life *l = s->l;

    if (entry(s)->state == LIFE_PENDING) {
        forget_pending(l, s->index);
    } else if (stands(entry(s)->state)) {
        resolve(s, reason);
    }
    if (entry(s)->proved) {
        end_proof(s, away_since_ms);
    }
    drop_if_empty(l, s->index);
}

void life_gone(struct life *l, const struct subject_ref *subject, const struct cause *cause,
               int64_t now_ms)
{
    struct say s = { .l = l, .cause = cause, .now_ms = now_ms };
    struct subject_ref clean = clean_subject(&l->arena, subject);
    uint32_t index = life_table_of_subject(&l->table, subject_hash(&clean)), next;

    for (; index != 0; index = next) {
        next = l->table.entries[index].next;
        s.index = index;
        l->table.entries[index].seen = 1;
        gone(&s, REASON_OBJECT_GONE, l->reconciling ? l->away_since_ms : 0);
    }
    limit_resolved(l);
    arena_reset(&l->arena);
}

void life_reconcile_begin(struct life *l)
{
    for (uint32_t i = 1; i < l->table.len; i++) {
        l->table.entries[i].seen = 0;
    }
    l->reconciling = true;
}

static bool nobody_confirmed(const struct life_entry *e)
{
    return e->used && !e->seen && (stands(e->state) || e->proved);
}

/* Resolves what nobody confirmed. What belongs to a rule with an unreadable kind waits until it can
 * be judged; a grace time that nobody can see run does not. */
static void settle(struct life *l, int64_t now_ms)
{
    struct cause away = { .verb = CHANGE_GONE,
                          .api_version = "",
                          .kind = "",
                          .ns = "",
                          .name = "",
                          .uid = "",
                          .resource_version = "",
                          .from_ms = l->away_since_ms,
                          .to_ms = now_ms };
    struct say s = { .l = l, .cause = &away, .now_ms = now_ms };

    for (uint32_t i = 1; i < l->table.len; i++) { /* first which kinds are readable now */
        if (nobody_confirmed(&l->table.entries[i]) && l->table.entries[i].resource) {
            s.index = i;
            gone(&s, REASON_FIXED, l->away_since_ms);
        }
    }
    l->unsettled = 0;
    for (uint32_t i = 1; i < l->table.len; i++) {
        struct life_entry *e = &l->table.entries[i];
        if (!nobody_confirmed(e)) {
            continue;
        }
        s.index = i;
        if (*unreadable_of(l, e->rule) == 0) {
            gone(&s, REASON_OBJECT_GONE, l->away_since_ms);
        } else {
            l->unsettled++;
            if (e->state == LIFE_PENDING) {
                forget_pending(l, i);
                drop_if_empty(l, i);
            }
        }
    }
    limit_resolved(l);
}

void life_reconcile_end(struct life *l, int64_t away_since_ms, int64_t now_ms)
{
    l->away_since_ms = away_since_ms;
    settle(l, now_ms);
    l->reconciling = false;
    l->live_since_ms = now_ms;
}

int64_t life_next_deadline(const struct life *l)
{
    const struct grace *g = life_heap_first(&l->heap);
    int64_t at_ms = l->settle_at_ms;

    if (l->reconciling) {
        return 0; /* nothing opens before it is confirmed; life_reconcile_end is followed by
                     life_tick */
    }
    return g != NULL && (at_ms == 0 || g->due_ms < at_ms) ? g->due_ms : at_ms;
}

/* What became due while we watched opened then; what became due while nobody did opens now. */
static void grace_ended(struct life *l, const struct grace *g, int64_t now_ms)
{
    struct say s = { .l = l, .now_ms = now_ms, .index = g->entry };
    struct life_entry *e = entry(&s);
    struct row row = { .kind = ROW_PENDING_OPEN,
                       .at_ms = l->live_since_ms > 0 && g->due_ms >= l->live_since_ms ? g->due_ms
                                                                                      : now_ms };
    bool reopened = e->was_open;

    memcpy(row.fp, e->key, FP_BYTES);
    row.seq = store_new_seq(l->store);
    bool put = store_put(l->store, &row);
    life_heap_remove(&l->heap, &l->table, s.index);
    set_state(l, s.index, LIFE_OPEN);
    e->was_open = 1;
    l->counts.opened_total += !reopened;
    l->counts.reopened_total += reopened;
    if (put) {
        tell(&s, row.seq, STATE_OPEN, REASON_NONE, reopened);
    }
}

void life_tick(struct life *l, int64_t now_ms)
{
    const struct grace *g;

    if (l->reconciling) {
        return;
    }
    while ((g = life_heap_first(&l->heap)) != NULL && g->due_ms <= now_ms) {
        grace_ended(l, g, now_ms);
    }
    if (l->settle_at_ms != 0 && now_ms >= l->settle_at_ms) {
        l->settle_at_ms = 0;
        settle(l, now_ms);
    }
}

void life_counts(const struct life *l, struct life_counts *out)
{
    *out = l->counts;
}

void life_on_event(struct life *l, life_event_fn *fn, void *ctx)
{
    l->fn = fn;
    l->fn_ctx = ctx;
}

/* ---- start ---- */

struct loaded_subject {
    int64_t id;
    uint64_t hash;
    bool resource;
};
struct loading {
    struct life *l;
    VEC(struct loaded_subject) subjects; /* by growing id */
};

static void loaded_subject(void *ctx, int64_t id, const struct subject_ref *subject)
{
    struct loading *in = ctx;

    vec_push(&in->subjects, ((struct loaded_subject){ id, subject_hash(subject),
                                                      strcmp(subject->kind, "APIResource") == 0 }));
}

/* NULL: the file is damaged. */
static const struct loaded_subject *find_subject(const struct loading *in, int64_t id)
{
    size_t low = 0, high = in->subjects.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (in->subjects.items[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < in->subjects.len && in->subjects.items[low].id == id ? &in->subjects.items[low]
                                                                      : NULL;
}

static uint32_t loaded_entry(struct loading *in, const uint8_t *fp, int64_t subject, uint32_t rule)
{
    const struct loaded_subject *s = find_subject(in, subject);
    uint32_t index = s != NULL ? life_table_find(&in->l->table, fp) : 0;

    if (s == NULL) {
        return 0;
    }
    if (index == 0) {
        index = life_table_add(&in->l->table, fp, s->hash);
    }
    set_state(in->l, index, LIFE_NONE);
    struct life_entry *e = &in->l->table.entries[index];
    e->rule = (uint16_t)rule;
    e->seen = 1;
    e->resource = s->resource;
    return index;
}

static void loaded_finding(void *ctx, const struct loaded_finding *f)
{
    static const enum life_state states[STATE_COUNT] = { LIFE_PENDING, LIFE_OPEN, LIFE_SUPPRESSED,
                                                         LIFE_RESOLVED };
    struct loading *in = ctx;
    struct life *l = in->l;
    uint32_t index = loaded_entry(in, f->fp, f->subject, f->rule);

    if (index == 0) {
        return;
    }
    struct life_entry *e = &l->table.entries[index];
    e->result = (uint16_t)(f->result & 7);
    e->severity = (uint16_t)(f->severity & 7);
    e->environment = (uint16_t)(f->environment & 3);
    e->was_open |= f->was_open;
    e->message_hash = hash_text(0, f->message);
    e->rest_hash =
        rest_hash(f->version, f->uid, f->evidence, f->remediation, f->owner, f->exemption);
    set_state(l, index, states[f->state]);
    if (f->state == STATE_PENDING) {
        life_heap_add(&l->heap, &l->table, index, f->first_seen_ms, f->due_ms);
    }
}

static void loaded_proof(void *ctx, const struct loaded_proof *p)
{
    struct loading *in = ctx;
    struct life *l = in->l;
    uint32_t index = life_table_find(&l->table, p->fp);

    if (index == 0) {
        index = loaded_entry(in, p->fp, p->subject, p->rule);
    }
    if (index != 0) {
        set_proof(&l->table.entries[index], p->id);
    }
}

int life_create(struct life **out, struct store *store, struct error *err)
{
    struct life *l = xcalloc(1, sizeof(*l));
    struct loading in = { .l = l };
    struct store_loader loader = {
        .ctx = &in, .subject = loaded_subject, .finding = loaded_finding, .proof = loaded_proof
    };

    l->store = store;
    l->away_since_ms = store_last_alive_ms(store);
    life_table_init(&l->table);
    arena_init(&l->arena);
    int rc = store_load(store, &loader, RESOLVED_MOST, err);
    vec_free(&in.subjects);
    if (rc != 0) {
        life_destroy(l);
        return rc;
    }
    *out = l;
    return 0;
}

void life_destroy(struct life *l)
{
    if (l == NULL) {
        return;
    }
    life_table_deinit(&l->table);
    vec_free(&l->heap.graces);
    vec_free(&l->unreadable);
    arena_deinit(&l->arena);
    free(l);
}
