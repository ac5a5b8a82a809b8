/* What a consequence writes. Content is cleaned and hashed first and compared with what the file
 * holds; only a row that is written gives its texts their numbers. */
#include "store/life_private.h"

#include <string.h>

/* ---- content ---- */

uint32_t life_hash_text(uint32_t h, const char *text)
{
    return (uint32_t)hash_mix(h, text == NULL ? 1 : hash_bytes(text, strlen(text)));
}

uint32_t life_rest_hash(const char *version, const char *uid, const char *evidence,
                        const char *remediation, const char *owner, const char *exemption)
{
    uint32_t h = life_hash_text(0, version);

    h = life_hash_text(h, uid);
    h = life_hash_text(h, evidence);
    h = life_hash_text(h, remediation);
    h = life_hash_text(h, owner);
    return life_hash_text(h, exemption);
}

struct subject_ref life_clean_subject(struct arena *a, const struct subject_ref *r)
{
    return (struct subject_ref){ store_clean(a, r->group), store_clean(a, r->version),
                                 store_clean(a, r->kind),  store_clean(a, r->ns),
                                 store_clean(a, r->name),  store_clean(a, r->uid) };
}

uint64_t life_subject_hash(const struct subject_ref *r)
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
    s->row.remediation.text = store_clean_lines(a, v->remediation);
    s->row.owner.text = store_clean(a, v->owner);
    s->row.exemption.text = v->exemption != NULL ? store_clean(a, v->exemption) : NULL;
    s->message_hash = life_hash_text(0, s->row.message.text);
    s->rest_hash =
        life_rest_hash(s->subject.version, s->row.uid, s->row.evidence, s->row.remediation.text,
                       s->row.owner.text, s->row.exemption.text);
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
    struct life_entry *e = life_entry_of(s);

    life_count(s->l, e, -1);
    e->result = (uint16_t)(s->row.result & 7);
    e->severity = (uint16_t)(s->row.severity & 7);
    e->environment = (uint16_t)(s->row.environment & 3);
    e->message_hash = s->message_hash;
    e->rest_hash = s->rest_hash;
    life_count(s->l, e, 1);
}

/* The entry of the verdict, made when it is new. */
static void need_entry(struct say *s)
{
    if (s->index == 0) {
        s->index = life_table_add(&s->l->table, s->v->fingerprint, life_subject_hash(&s->subject));
        struct life_entry *e = life_entry_of(s);
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

void life_tell(const struct say *s, int64_t seq, enum finding_state state,
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
    struct life_entry *e = life_entry_of(s);
    bool opens = state == STATE_OPEN && e->state != LIFE_OPEN, reopened = opens && e->was_open;

    name_texts(s);
    s->row.kind = ROW_FINDING;
    s->row.state = state;
    s->row.cause = transition ? cause_of(s) : 0;
    s->row.seq = transition ? store_new_seq(l->store) : 0;
    bool put = store_put(l->store, &s->row);

    remember(s);
    life_set_state(l, s->index, state == STATE_OPEN ? LIFE_OPEN : LIFE_SUPPRESSED);
    e->was_open |= opens;
    if (transition) {
        l->counts.opened_total += opens && !reopened;
        l->counts.reopened_total += reopened;
        l->counts.changed_total += !opens;
        if (put) {
            life_tell(s, s->row.seq, state, REASON_NONE, reopened);
        }
    }
}

static void update(struct say *s)
{
    struct life_entry *e = life_entry_of(s);
    enum finding_state state = e->state == LIFE_OPEN ? STATE_OPEN : STATE_SUPPRESSED;

    prepare(s);
    bool transition = e->result != s->row.result || e->severity != s->row.severity ||
                      e->environment != s->row.environment || e->message_hash != s->message_hash;
    if (transition || e->rest_hash != s->rest_hash) {
        become(s, state, transition);
    }
}

void life_forget_pending(struct life *l, uint32_t index)
{
    struct life_entry *e = &l->table.entries[index];
    struct row row = { .kind = ROW_PENDING_END };

    memcpy(row.fp, e->key, FP_BYTES);
    store_put(l->store, &row);
    life_heap_remove(&l->heap, &l->table, index);
    life_set_state(l, index, e->was_open ? LIFE_RESOLVED : LIFE_NONE);
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
    life_set_state(s->l, s->index, LIFE_PENDING);
    life_heap_add(&s->l->heap, &s->l->table, s->index, s->now_ms, s->row.due_ms);
}

/* The grace time counts from the first failing verdict; neither a clock that was set back nor
 * another grace time in the configuration makes it longer than it is. */
static void keep_pending(struct say *s)
{
    struct life *l = s->l;
    struct life_entry *e = life_entry_of(s);
    struct grace *g = life_heap_of(&l->heap, e);
    int64_t due_ms = g->first_seen_ms + s->v->grace_ms;

    if (s->v->subject_deleting) {
        life_forget_pending(l, s->index);
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
    if (s->v->subject_deleting && (s->index == 0 || !life_stands(life_entry_of(s)->state))) {
        return;
    }
    need_entry(s);
    prepare(s);
    become(s, STATE_SUPPRESSED, true);
}

void life_resolve(struct say *s, enum resolve_reason reason)
{
    struct life *l = s->l;
    struct life_entry *e = life_entry_of(s);
    struct row row = { .kind = ROW_RESOLVE, .at_ms = s->now_ms, .reason = reason };

    memcpy(row.fp, e->key, FP_BYTES);
    row.cause = cause_of(s);
    row.seq = store_new_seq(l->store);
    bool put = store_put(l->store, &row);
    life_set_state(l, s->index, LIFE_RESOLVED);
    l->counts.resolved_total++;
    if (put) {
        life_tell(s, row.seq, STATE_RESOLVED, reason, false);
    }
}

static enum resolve_reason reason_of(const struct say *s)
{
    const struct verdict *v = s->v;

    if (v->off) {
        return v->environment != life_entry_of(s)->environment ? REASON_ENVIRONMENT_CHANGED
                                                               : REASON_RULE_OFF;
    }
    return v->result == RESULT_SKIP && v->exemption != NULL ? REASON_EXEMPTED : REASON_FIXED;
}

void life_act(struct say *s, enum action action)
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
        life_forget_pending(s->l, s->index);
        break;
    case FORGET_AND_SUPPRESS:
        life_forget_pending(s->l, s->index);
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
        life_resolve(s, reason_of(s));
        break;
    }
}

/* ---- proofs ---- */

void life_end_proof(struct say *s, int64_t away_since_ms)
{
    struct life_entry *e = life_entry_of(s);
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

void life_set_proof(struct life_entry *e, int64_t id)
{
    e->proved = 1;
    e->proof_low = (uint32_t)id;
    e->proof_high = (uint16_t)(id >> 32);
}

void life_begin_proof(struct say *s)
{
    struct row row = { .kind = ROW_PROVED,
                       .rule = s->rule,
                       .ns = s->subject.ns,
                       .name = s->subject.name,
                       .from_ms = s->now_ms };

    need_entry(s);
    row.id = store_new_proof(s->l->store);
    memcpy(row.fp, life_entry_of(s)->key, FP_BYTES);
    row.group = store_text(s->l->store, s->subject.group);
    row.object_kind = store_text(s->l->store, s->subject.kind);
    store_put(s->l->store, &row);
    life_set_proof(life_entry_of(s), row.id);
}
