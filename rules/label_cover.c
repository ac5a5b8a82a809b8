/* Mostly the blank label set (no labels, a namespace of an unheard-of name) escapes, which one look
 * shows. Where it does not (NotIn, DoesNotExist), a search goes through the conjunctions and makes
 * one requirement of each fail, trying for a key: absent, a value that nobody names, each value
 * that somebody names. That is complete, and its steps are bounded. */
#include "rules/label_cover.h"

#include <stdlib.h>
#include <string.h>

#define NAME_KEY "kubernetes.io/metadata.name"

enum { SEARCH_MAX_LITERALS = 2000, SEARCH_MAX_STEPS = 50000 };

/* Where the search stands in one conjunction. */
struct frame {
    size_t literal, candidate;
    bool assigned; /* the literal's variable got its value here */
};

struct search {
    const struct label_cover *cover;
    struct label_variable *variables; /* as many as literals at most */
    size_t variable_count;
    struct frame *frames;
    uint32_t steps;
};

void label_cover_reset(struct label_cover *c)
{
    c->literals.len = 0;
    c->clauses.len = 0;
}

void label_cover_deinit(struct label_cover *c)
{
    vec_free(&c->literals);
    vec_free(&c->clauses);
    memset(c, 0, sizeof(*c));
}

void label_cover_begin(struct label_cover *c)
{
    vec_push(&c->clauses, ((struct cover_clause){ .first = c->literals.len }));
}

static void add_literal(struct label_cover *c, const struct cover_literal *l)
{
    vec_push(&c->literals, *l);
    c->clauses.items[c->clauses.len - 1].count++;
}

void label_cover_and(struct label_cover *c, enum label_space space, const struct selector *s)
{
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        const struct selector_requirement *r = &s->requirements[i];
        add_literal(c, &(struct cover_literal){ .space = space,
                                                .op = r->op,
                                                .key = r->key,
                                                .values = r->values,
                                                .value_count = r->value_count });
    }
}

static bool literal_holds(const struct cover_literal *l, const struct label_value *v)
{
    return label_value_satisfies(v, l->op, l->values, l->value_count);
}

/* kubernetes.io/metadata.name, which every namespace has. */
static bool is_name_key(const struct cover_literal *l)
{
    return l->space == LABELS_OF_NAMESPACE && strcmp(l->key->text, NAME_KEY) == 0;
}

static bool blank_escapes(const struct label_cover *c, const struct cover_clause *clause)
{
    static const struct label_value absent = { LABEL_ABSENT, NULL }, other = { LABEL_OTHER, NULL };

    for (size_t i = clause->first; i < clause->first + clause->count; i++) {
        const struct cover_literal *l = &c->literals.items[i];
        if (!literal_holds(l, is_name_key(l) ? &other : &absent)) {
            return true;
        }
    }
    return false;
}

/* ---- the search ---- */

static void list_variables(struct search *s, struct label_cover *c)
{
    for (size_t i = 0; i < c->literals.len; i++) {
        struct cover_literal *l = &c->literals.items[i];
        size_t v = 0;
        while (v < s->variable_count &&
               (s->variables[v].space != l->space || s->variables[v].key != l->key)) {
            v++;
        }
        if (v == s->variable_count) {
            s->variables[s->variable_count++] = (struct label_variable){ .space = l->space,
                                                                         .key = l->key,
                                                                         .always = is_name_key(l) };
        }
        l->variable = (uint32_t)v;
        for (uint32_t n = 0; n < l->value_count; n++) {
            vec_push(&s->variables[v].named, l->values[n]);
        }
    }
}

/* Some requirement of the conjunction already fails. */
static bool already_fails(const struct search *s, const struct cover_clause *clause)
{
    for (size_t i = clause->first; i < clause->first + clause->count; i++) {
        const struct cover_literal *l = &s->cover->literals.items[i];
        const struct label_value *v = &s->variables[l->variable].value;
        if (v->state != LABEL_OPEN && !literal_holds(l, v)) {
            return true;
        }
    }
    return false;
}

/* Moves the frame on to the next way to make its conjunction fail; false when there is none left.
 */
static bool next_way(struct search *s, const struct cover_clause *clause, struct frame *f)
{
    for (; f->literal < clause->count; f->literal++, f->candidate = 0) {
        const struct cover_literal *l = &s->cover->literals.items[clause->first + f->literal];
        struct label_variable *v = &s->variables[l->variable];
        struct label_value value;
        if (v->value.state != LABEL_OPEN) {
            continue;
        }
        while (s->steps++ < SEARCH_MAX_STEPS &&
               label_variable_candidate(v, f->candidate++, &value)) {
            if (!literal_holds(l, &value)) {
                v->value = value;
                f->assigned = true;
                return true;
            }
        }
    }
    return false;
}

static void take_back(struct search *s, const struct cover_clause *clause, struct frame *f)
{
    const struct cover_literal *l = &s->cover->literals.items[clause->first + f->literal];

    s->variables[l->variable].value.state = LABEL_OPEN;
    f->assigned = false;
}

/* The search itself, without recursion: frame i belongs to conjunction i. */
static enum cover_answer find_escape(struct search *s)
{
    const struct label_cover *c = s->cover;
    size_t depth = 0;
    bool forward = true;

    while (depth < c->clauses.len) {
        const struct cover_clause *clause = &c->clauses.items[depth];
        struct frame *f = &s->frames[depth];
        bool found;
        if (forward) {
            *f = (struct frame){ 0, 0, false };
            s->steps += (uint32_t)clause->count;
            found = already_fails(s, clause);
            f->literal = found ? clause->count : 0; /* no choice was made here: nothing to retry */
        } else {
            found = false;
            if (f->assigned) {
                take_back(s, clause, f);
            }
        }
        if (!found) {
            found = next_way(s, clause, f);
        }
        if (s->steps >= SEARCH_MAX_STEPS) {
            return COVER_TOO_HARD;
        }
        forward = found;
        if (!found && depth == 0) {
            return COVER_ALL;
        }
        depth = found ? depth + 1 : depth - 1;
    }
    return COVER_NOT_ALL;
}

enum cover_answer label_cover_ask(struct label_cover *c)
{
    bool blank = true;

    for (size_t i = 0; i < c->clauses.len; i++) {
        if (c->clauses.items[i].count == 0) {
            return COVER_ALL;
        }
        blank = blank && blank_escapes(c, &c->clauses.items[i]);
    }
    if (blank) {
        return COVER_NOT_ALL; /* also when there are none at all */
    }
    if (c->literals.len > SEARCH_MAX_LITERALS) {
        return COVER_TOO_HARD;
    }
    struct search s = { .cover = c };
    s.variables = xcalloc(c->literals.len, sizeof(s.variables[0]));
    list_variables(&s, c);
    s.frames = xcalloc(c->clauses.len, sizeof(s.frames[0]));
    enum cover_answer answer = find_escape(&s);
    for (size_t i = 0; i < s.variable_count; i++) {
        label_variable_deinit(&s.variables[i]);
    }
    free(s.variables);
    free(s.frames);
    return answer;
}
