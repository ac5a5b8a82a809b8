/* Running. A dirty subject is taken from the queue, the rules marked on it are judged, and what
 * differs from what was last said goes to the sink with the write that caused it. Subjects come in
 * the order in which they became dirty; one that has gone says so first, and is judged again when
 * there is another under its name. */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "rules/engine_private.h"
#include "rules/mesh.h"

struct engine *engine_create(const struct cluster *cluster, const struct ruleset *ruleset,
                             const char *cluster_id)
{
    struct engine *e = xcalloc(1, sizeof(*e));

    e->cluster = cluster;
    e->ruleset = ruleset;
    e->cluster_id = xstrdup(cluster_id);
    e->no_cause = cause_hold(NULL);
    judge_init(&e->judge, cluster, ruleset, e->cluster_id);
    depends_read(e);
    e->seeding = true;
    e->linkerd_users = linkerd_users(cluster);
    e->families = cluster_pod_families(cluster);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        kinds_note(e, (enum kind)k, e->no_cause);
    }
    e->kinds_dirty = true;
    return e;
}

void engine_destroy(struct engine *e)
{
    if (e == NULL) {
        return;
    }
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        for (size_t i = 0; i < e->by_kind[k].len; i++) {
            tracked_free(e->by_kind[k].items[i]);
        }
        vec_free(&e->by_kind[k]);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        cause_unref(e->kind_causes[k]);
    }
    vec_free(&e->lookers);
    vec_free(&e->wide);
    table_deinit(&e->subjects);
    vec_free(&e->heap);
    cause_unref(e->no_cause);
    judge_deinit(&e->judge);
    free(e->cluster_id);
    free(e);
}

void engine_set_ruleset(struct engine *e, const struct ruleset *ruleset)
{
    e->ruleset = ruleset;
    judge_set_ruleset(&e->judge, ruleset);
    e->kinds_dirty = true;
    mark_everything(e, e->no_cause);
}

/* ---- what was said ---- */

static uint64_t mix_text(uint64_t h, const char *text)
{
    return text == NULL ? hash_mix(h, 0) : hash_mix(h, hash_bytes(text, strlen(text)));
}

/* Of everything that may differ between two verdicts of one rule about one subject. Never 0. */
static uint64_t digest_of(const struct verdict *v)
{
    uint64_t flags = (uint64_t)v->off | (uint64_t)v->kind_unavailable << 1 |
                     (uint64_t)v->suppressed << 2 | (uint64_t)v->subject_deleting << 3 |
                     (uint64_t)v->result << 4 | (uint64_t)v->environment << 8 |
                     (uint64_t)v->line << 16;
    uint64_t h = hash_mix(flags, (uint64_t)v->grace_ms);

    h = hash_mix(h, (uint64_t)v->valid_until_ms);
    h = mix_text(h, v->subject.version);
    h = mix_text(h, v->subject.uid);
    h = mix_text(h, v->subkey);
    h = mix_text(h, v->exemption);
    h = mix_text(h, v->message);
    h = mix_text(h, v->evidence);
    h = mix_text(h, v->owner);
    h = mix_text(h, v->file);
    return h != 0 ? h : 1;
}

static void count_kinds(struct engine *e, uint8_t rule, struct said *said,
                        const struct judge_kinds *now)
{
    if (said->digest != 0 && said->unavailable != KIND_COUNT) {
        e->kinds_dirty |= --e->kinds[rule][said->unavailable].unavailable == 0;
    }
    if (said->digest != 0 && said->off != KIND_COUNT) {
        e->kinds[rule][said->off].off--;
    }
    said->unavailable = (uint8_t)now->unavailable;
    said->off = (uint8_t)now->off;
    if (now->unavailable != KIND_COUNT) {
        e->kinds_dirty |= e->kinds[rule][now->unavailable].unavailable++ == 0;
    }
    if (now->off != KIND_COUNT) {
        e->kinds[rule][now->off].off++;
    }
}

static void set_deadline(struct engine *e, struct tracked *t, uint32_t rule, int64_t at_ms)
{
    uint32_t n = e->lists[t->kind].count;
    int64_t soonest = 0;

    if (t->deadlines == NULL) {
        if (at_ms == 0) {
            return;
        }
        t->deadlines = xcalloc(n, sizeof(t->deadlines[0]));
    }
    t->deadlines[rule] = at_ms;
    for (uint32_t i = 0; i < n; i++) {
        if (t->deadlines[i] != 0 && (soonest == 0 || t->deadlines[i] < soonest)) {
            soonest = t->deadlines[i];
        }
    }
    if (soonest == 0) {
        free(t->deadlines);
        t->deadlines = NULL;
    }
    deadline_set(e, t, soonest);
}

/* Everything of the subject ends: what comes under its name is another. */
static void say_gone(struct engine *e, struct tracked *t, const struct engine_sink *sink)
{
    static const struct judge_kinds none = { KIND_COUNT, KIND_COUNT };
    struct subject_ref ref;

    if (t->said != NULL) {
        tracked_ref(t, &ref);
        sink->gone(sink->ctx, &ref, &t->gone->cause);
        for (uint32_t i = 0; i < e->lists[t->kind].count; i++) {
            if (t->said[i].digest != 0) {
                count_kinds(e, e->lists[t->kind].index[i], &t->said[i], &none);
            }
        }
        free(t->said);
        t->said = NULL;
    }
    free(t->deadlines);
    t->deadlines = NULL;
    deadline_set(e, t, 0);
    cause_unref(t->gone);
    t->gone = NULL;
}

static void keep_text(struct str **kept, const char *text)
{
    if (strcmp(str_text(*kept), text) != 0) {
        str_unref(*kept);
        *kept = str_intern(text);
    }
}

static void judge_marked(struct engine *e, struct tracked *t, uint32_t rule,
                         const struct cause *cause, const struct engine_sink *sink)
{
    const struct rule_list *list = &e->lists[t->kind];
    struct judge_kinds kinds;
    struct verdict v;

    judge_rule(&e->judge, list->rules[rule], &v, &kinds);
    if (t->said == NULL) {
        t->said = xcalloc(list->count, sizeof(t->said[0]));
    }
    struct said *said = &t->said[rule];
    uint64_t digest = digest_of(&v);
    count_kinds(e, list->index[rule], said, &kinds);
    set_deadline(e, t, rule, v.valid_until_ms);
    if (said->digest == digest) {
        return;
    }
    said->digest = digest;
    judge_fingerprint(&e->judge, &v);
    sink->verdict(sink->ctx, &v, cause);
}

static void judge_subject(struct engine *e, struct tracked *t, int64_t now_ms,
                          const struct engine_sink *sink)
{
    struct subject s;

    queue_remove(e, t);
    if (t->gone != NULL) {
        say_gone(e, t, sink);
    }
    if (!tracked_subject(e, t, &s)) {
        untrack(e, t);
        return;
    }
    judge_turn(&e->judge, &s, now_ms);
    keep_text(&t->uid, e->judge.ref.uid);
    if (t->kind == SUBJECT_WORKLOAD) {
        keep_text(&t->version, e->judge.ref.version);
    }
    for (const struct mark *m = &t->marks; m != NULL; m = m->next) {
        for (uint64_t rules = m->rules; rules != 0; rules &= rules - 1) {
            uint32_t rule = (uint32_t)__builtin_ctzll(rules);
            if (rule_is_about(e->lists[t->kind].rules[rule], t->kind, t->own)) {
                judge_marked(e, t, rule, &m->cause->cause, sink);
            }
        }
    }
    marks_clear(t);
}

/* What was true until now is to be judged again. */
static void mark_due(struct engine *e, int64_t now_ms)
{
    struct tracked *t;

    while ((t = deadline_first(e)) != NULL && t->deadline <= now_ms) {
        uint64_t due = 0;
        int64_t soonest = 0;
        for (uint32_t i = 0; i < e->lists[t->kind].count; i++) {
            int64_t at = t->deadlines[i];
            if (at != 0 && at <= now_ms) {
                due |= (uint64_t)1 << i;
                t->deadlines[i] = 0;
            } else if (at != 0 && (soonest == 0 || at < soonest)) {
                soonest = at;
            }
        }
        deadline_set(e, t, soonest);
        mark(e, t, due, e->no_cause);
    }
}

bool engine_run(struct engine *e, int64_t now_ms, uint64_t budget_us, uint64_t (*clock_us)(void),
                const struct engine_sink *sink)
{
    uint64_t start_us = budget_us > 0 ? clock_us() : 0;

    if (!cluster_synced(e->cluster) || cluster_swapping(e->cluster)) {
        return false;
    }
    if (e->changed) {
        judge_forget(&e->judge);
        e->changed = false;
    }
    e->judge.linkerd_in_use = e->linkerd_users > 0;
    e->judged = true;
    e->classes_changed = 0;
    mark_due(e, now_ms);
    while (e->seeding && track_some(e)) {
        if (budget_us > 0 && clock_us() - start_us >= budget_us) {
            return false;
        }
    }
    while (e->first != NULL) {
        judge_subject(e, e->first, now_ms, sink);
        if (budget_us > 0 && e->first != NULL && clock_us() - start_us >= budget_us) {
            return false;
        }
    }
    kinds_settle(e, sink);
    return true;
}

bool engine_idle(const struct engine *e)
{
    return e->first == NULL && !e->kinds_dirty && !e->seeding;
}

int64_t engine_next_deadline(const struct engine *e)
{
    const struct tracked *t = deadline_first(e);

    return t != NULL ? t->deadline : 0;
}
