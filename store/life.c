/* A verdict meets what is known of its (rule, subject): one table says what then happens. What it
 * says is compared by hash with what the file holds, so that saying the same twice, or again after
 * a restart, writes nothing. Rows go to the store in the order of the transitions; the cause is
 * written once per write, before its first transition. */
#include "store/life_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_AFTER_MS = 60 * 1000 /* after a kind came back: its subjects have been judged by then */
};

/* ---- what a verdict wants, and what then happens ---- */

enum target { WANT_FINDING, WANT_SUPPRESSED, WANT_NOTHING, TARGET_COUNT };

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

/* ---- counting ---- */

bool life_stands(int state)
{
    return state == LIFE_PENDING || state == LIFE_OPEN || state == LIFE_SUPPRESSED;
}

uint16_t *life_unreadable_of(struct life *l, uint32_t rule)
{
    while (l->unreadable.len <= rule) {
        vec_push(&l->unreadable, 0);
    }
    return &l->unreadable.items[rule];
}

void life_count(struct life *l, const struct life_entry *e, int by)
{
    uint64_t n = (uint64_t)(int64_t)by;

    l->counts.open += e->state == LIFE_OPEN ? n : 0;
    l->counts.suppressed += e->state == LIFE_SUPPRESSED ? n : 0;
    l->counts.pending += e->state == LIFE_PENDING ? n : 0;
    l->resolved += e->state == LIFE_RESOLVED ? n : 0;
    if (e->state == LIFE_OPEN) {
        l->counts.by_severity[e->severity] += n;
    }
    if (e->resource && life_stands(e->state)) {
        uint16_t *unreadable = life_unreadable_of(l, e->rule);
        *unreadable = (uint16_t)(*unreadable + by);
    }
}

void life_set_state(struct life *l, uint32_t index, enum life_state state)
{
    struct life_entry *e = &l->table.entries[index];

    life_count(l, e, -1);
    e->state = (uint16_t)(state & 7);
    life_count(l, e, 1);
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
    while (l->resolved > LIFE_RESOLVED_MOST) {
        l->sweep = l->sweep + 1 < l->table.len ? l->sweep + 1 : 1;
        struct life_entry *e = &l->table.entries[l->sweep];
        if (e->used && e->state == LIFE_RESOLVED) {
            life_set_state(l, l->sweep, LIFE_NONE);
            e->was_open = 0;
            drop_if_empty(l, l->sweep);
        }
    }
}

/* ---- calls ---- */

static bool proves(const struct verdict *v)
{
    return !v->off && !v->suppressed && v->result == RESULT_PASS && v->exemption == NULL;
}

/* The last unreadable kind of a rule is back: what its verdicts do not confirm soon is gone. */
static void watch_return(struct life *l, const struct life_entry *e, int64_t now_ms)
{
    if (e->resource && !l->reconciling && l->unsettled > 0 &&
        *life_unreadable_of(l, e->rule) == 0) {
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
        life_entry_of(&s)->seen = 1;
    }
    if (v->kind_unavailable && !resource) {
        if (s.index != 0 && life_entry_of(&s)->state ==
                                LIFE_PENDING) { /* what cannot be seen does not run its time out */
            life_forget_pending(l, s.index);
            drop_if_empty(l, s.index);
        }
        return;
    }
    enum action action = actions[s.index != 0 ? life_entry_of(&s)->state : LIFE_NONE][target_of(v)];
    bool proof = proves(v) && !resource;
    if (s.index == 0 && action == NOTHING && !proof) {
        return;
    }
    s.subject = life_clean_subject(&l->arena, &v->subject);
    s.rule = store_rule(l->store, store_clean(&l->arena, v->policy),
                        store_clean(&l->arena, v->rule), store_clean(&l->arena, v->category));
    life_act(&s, action);
    if (s.index != 0 && life_entry_of(&s)->proved && !proof) {
        life_end_proof(&s, l->reconciling ? l->away_since_ms : 0);
    } else if (proof && (s.index == 0 || !life_entry_of(&s)->proved)) {
        life_begin_proof(&s);
    }
    if (s.index != 0) {
        watch_return(l, life_entry_of(&s), now_ms);
        drop_if_empty(l, s.index);
    }
    limit_resolved(l);
    arena_reset(&l->arena);
}

/* Ends everything about one entry; it may be forgotten afterwards. */
static void gone(struct say *s, enum resolve_reason reason, int64_t away_since_ms)
{
    struct life *l = s->l;

    if (life_entry_of(s)->state == LIFE_PENDING) {
        life_forget_pending(l, s->index);
    } else if (life_stands(life_entry_of(s)->state)) {
        life_resolve(s, reason);
    }
    if (life_entry_of(s)->proved) {
        life_end_proof(s, away_since_ms);
    }
    drop_if_empty(l, s->index);
}

void life_gone(struct life *l, const struct subject_ref *subject, const struct cause *cause,
               int64_t now_ms)
{
    struct say s = { .l = l, .cause = cause, .now_ms = now_ms };
    struct subject_ref clean = life_clean_subject(&l->arena, subject);
    uint32_t index = life_table_of_subject(&l->table, life_subject_hash(&clean)), next;

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
    return e->used && !e->seen && (life_stands(e->state) || e->proved);
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
        if (*life_unreadable_of(l, e->rule) == 0) {
            gone(&s, REASON_OBJECT_GONE, l->away_since_ms);
        } else {
            l->unsettled++;
            if (e->state == LIFE_PENDING) {
                life_forget_pending(l, i);
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
    struct life_entry *e = life_entry_of(&s);
    struct row row = { .kind = ROW_PENDING_OPEN,
                       .at_ms = l->live_since_ms > 0 && g->due_ms >= l->live_since_ms ? g->due_ms
                                                                                      : now_ms };
    bool reopened = e->was_open;

    memcpy(row.fp, e->key, FP_BYTES);
    row.seq = store_new_seq(l->store);
    bool put = store_put(l->store, &row);
    life_heap_remove(&l->heap, &l->table, s.index);
    life_set_state(l, s.index, LIFE_OPEN);
    e->was_open = 1;
    l->counts.opened_total += !reopened;
    l->counts.reopened_total += reopened;
    if (put) {
        life_tell(&s, row.seq, STATE_OPEN, REASON_NONE, reopened);
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
