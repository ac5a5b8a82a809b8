/* Kinds that cannot be relied on. The rules that need one are judged again when its state changes,
 * and say error for each subject (never stored); what is stored is one error per (rule, kind),
 * while there is somebody whom it keeps from being judged, or while the rule cannot do without the
 * kind at all. */
#include "rules/engine_private.h"
#include "rules/outcome.h"

uint8_t kind_finding_state(const struct cluster *c, enum kind kind)
{
    enum kind_state state = cluster_kind(c, kind)->state;
    bool told = state == KIND_STATE_FORBIDDEN || state == KIND_STATE_STALE;

    return told && !cluster_offline(c) ? (uint8_t)(1 + state) : 0;
}

unsigned rule_hard_kinds(const struct rule *r)
{
    unsigned kinds = r->needs;

    for (int s = 0; s < SUBJECT_KIND_COUNT; s++) {
        kinds |= rule_own_kinds(r, (enum subject_kind)s);
    }
    return kinds;
}

bool rule_is_on(const struct ruleset *rs, const struct rule *r)
{
    for (int env = 0; env < ENV_COUNT; env++) {
        if (ruleset_level(rs, r, (enum environment)env) != LEVEL_OFF) {
            return true;
        }
    }
    return false;
}

/* Synced and absent are alike: what is known is all there is. But of a kind that comes and goes,
 * being served says by itself what is enforced. */
static uint8_t state_seen(const struct cluster *c, enum kind kind)
{
    enum kind_state state = cluster_kind(c, kind)->state;
    bool same = state == KIND_STATE_SYNCED ||
                (state == KIND_STATE_ABSENT && kind_table[kind].watch != KIND_WATCH_SERVED);

    return same ? 0 : (uint8_t)(1 + state);
}

void kinds_note(struct engine *e, enum kind kind, struct held_cause *cause)
{
    uint8_t state = state_seen(e->cluster, kind);

    if (state == e->states[kind]) {
        return;
    }
    e->states[kind] = state;
    e->kinds_dirty = true;
    cause_unref(e->kind_causes[kind]);
    e->kind_causes[kind] = cause_ref(cause);
    for (int s = 0; s < SUBJECT_KIND_COUNT; s++) {
        uint64_t rules = e->on_kind[kind][s];
        for (size_t i = 0; rules != 0 && i < e->by_kind[s].len; i++) {
            mark(e, e->by_kind[s].items[i], rules, cause);
        }
    }
}

void kinds_settle(struct engine *e, const struct engine_sink *sink)
{
    if (!e->kinds_dirty) {
        return;
    }
    e->kinds_dirty = false;
    for (size_t r = 0; r < rule_count(); r++) {
        const struct rule *rule = rule_at(r);
        bool on = rule_is_on(e->ruleset, rule);
        unsigned hard = rule_hard_kinds(rule);
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            struct kind_count *count = &e->kinds[r][k];
            bool hit = (on && (hard & BIT(k))) || count->unavailable > 0;
            uint8_t want = hit ? kind_finding_state(e->cluster, (enum kind)k) : 0;
            if (want == count->said) {
                continue;
            }
            struct held_cause *cause = e->kind_causes[k] != NULL ? e->kind_causes[k] : e->no_cause;
            struct verdict v;
            count->said = want;
            judge_kind(&e->judge, rule, (enum kind)k, want != 0, &v);
            judge_fingerprint(&e->judge, &v);
            sink->verdict(sink->ctx, &v, &cause->cause);
        }
    }
}

size_t engine_not_judged(const struct engine *e, struct rule_not_judged *out, size_t max)
{
    size_t n = 0;

    for (size_t r = 0; r < rule_count(); r++) {
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            bool off = cluster_kind(e->cluster, (enum kind)k)->state == KIND_STATE_OFF &&
                       kind_table[k].watch == KIND_WATCH_CONFIGURED;
            bool wants = (rule_at(r)->needs & BIT(k)) != 0 || e->kinds[r][k].off > 0;
            if (!off || !wants || !rule_is_on(e->ruleset, rule_at(r))) {
                continue;
            }
            if (n < max) {
                out[n] = (struct rule_not_judged){ .rule = rule_at(r),
                                                   .kind = (enum kind)k,
                                                   .setting = "secrets: metadata" };
            }
            n++;
        }
    }
    return n;
}
