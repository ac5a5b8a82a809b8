/* Why one side says what it says of one port: the forms in order, each with the rule that speaks
 * first. */
#include "rules/lineup_private.h"

struct explaining {
    struct reach_book *book;
    const struct lineup_question *q;
    enum protocol protocol;
    uint16_t port;
    struct side_reason *out;
};

static enum verdict_word word_of(const struct form_rule *rule)
{
    return rule->action == FORM_ALLOW  ? SAYS_ALLOW
           : rule->action == FORM_DENY ? SAYS_DENY
                                       : SAYS_PASS;
}

/* What one rule says of the port. */
static enum verdict_word word_about(struct explaining *x, const struct policy_form *f,
                                    const struct form_rule *rule)
{
    const char *construct = NULL;
    struct rule_hit hit = rule_hits(x->book, f, rule, x->q, &construct);

    if (port_set_has(x->book->ports, hit.certain, x->protocol, x->port)) {
        return word_of(rule);
    }
    return port_set_has(x->book->ports, hit.possible, x->protocol, x->port) ? SAYS_MAYBE
                                                                            : SAYS_NOTHING;
}

/* Does a later rule say more than an earlier one? A certain word goes before a doubtful one; where
 * rules unite, a denial before an allowance. */
static bool says_more(const struct policy_form *f, enum verdict_word before, enum verdict_word word)
{
    return word != SAYS_NOTHING &&
           (before == SAYS_NOTHING || (before == SAYS_MAYBE && word != SAYS_MAYBE) ||
            (f->stage == STAGE_POLICY && before == SAYS_ALLOW && word == SAYS_DENY));
}

/* The rule of a form that speaks about the port. */
static struct side_step step_of(struct explaining *x, const struct policy_form *f)
{
    struct side_step step = { .form = f, .word = SAYS_NOTHING };

    if (f->unclear[x->q->direction] != NULL) {
        step.word = SAYS_MAYBE;
        return step;
    }
    for (uint32_t i = 0; i < f->rule_count[x->q->direction]; i++) {
        const struct form_rule *rule = &f->rules[x->q->direction][i];
        enum verdict_word word = word_about(x, f, rule);
        if (says_more(f, step.word, word)) {
            step.rule = rule;
            step.word = word;
        }
    }
    return step;
}

static bool in_stage(const struct side_step *s, enum form_stage stage)
{
    return s->form->stage == stage;
}

static struct side_step *find_word(struct side_reason *r, enum form_stage stage,
                                   enum verdict_word word)
{
    for (size_t i = 0; i < r->steps.len; i++) {
        if (in_stage(&r->steps.items[i], stage) && r->steps.items[i].word == word) {
            return &r->steps.items[i];
        }
    }
    return NULL;
}

/* The first of a tier that says something certain. */
static struct side_step *first_of_tier(struct side_reason *r, enum form_stage stage)
{
    for (size_t i = 0; i < r->steps.len; i++) {
        const enum verdict_word w = r->steps.items[i].word;
        if (in_stage(&r->steps.items[i], stage) && w != SAYS_NOTHING && w != SAYS_MAYBE) {
            return &r->steps.items[i];
        }
    }
    return NULL;
}

/* The step that decides what is certain; NULL: none. */
static struct side_step *deciding(struct explaining *x, bool isolates)
{
    struct side_reason *r = x->out;
    struct side_step *s = first_of_tier(r, STAGE_ADMIN);

    if (s != NULL && s->word != SAYS_PASS) {
        return s;
    }
    s = find_word(r, STAGE_POLICY, SAYS_DENY);
    if (s != NULL) {
        return s;
    }
    if (isolates) {
        return find_word(r, STAGE_POLICY, SAYS_ALLOW);
    }
    return first_of_tier(r, STAGE_BASELINE);
}

void lineup_explain(struct reach_book *b, const struct lineup *l, enum direction d,
                    const struct pod_class *own, const struct reach_peer *peer,
                    enum protocol protocol, uint16_t port, struct side_reason *out)
{
    struct match_peer m = { .book = b, .own = own, .peer = peer };
    const struct lineup_question q = lineup_question_of(d, &m);
    struct explaining x = { b, &q, protocol, port, out };
    const char *construct = NULL;

    memset(out, 0, sizeof(*out));
    if (l == NULL) {
        out->because = BECAUSE_HOST_NETWORK;
        return;
    }
    struct side_answer a = lineup_ask(b, l, d, own, peer, &construct);
    out->answer = port_set_has(b->ports, a.allowed, protocol, port)   ? SIDE_ALLOWED
                  : port_set_has(b->ports, a.unknown, protocol, port) ? SIDE_UNKNOWN
                                                                      : SIDE_DENIED;
    for (size_t i = 0; i < l->count; i++) {
        vec_push(&out->steps, step_of(&x, l->forms[i]));
    }
    struct side_step *s = deciding(&x, l->isolates);
    if (out->answer == SIDE_UNKNOWN) {
        out->because = BECAUSE_CONSTRUCT;
        out->construct = construct;
    } else if (s != NULL) {
        out->because = BECAUSE_RULE;
        s->deciding = true;
    } else if (l->isolates) {
        out->because = BECAUSE_NO_RULE;
    } else {
        out->because = l->count == 0 ? BECAUSE_NO_POLICY : BECAUSE_NOTHING_MATCHED;
    }
    if (out->answer == SIDE_DENIED && peer->kind == PEER_NODE) {
        out->answer = SIDE_UNKNOWN;
        out->because = BECAUSE_OWN_NODE;
    }
}
