/* What has been asked already, as long as the cluster does not change. Verdicts are remembered by
 * line-up, so that pods that the same policies select cost one, and by workload and namespace,
 * which several rules ask about. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

#include <uthash.h>

#include "rules/lineup_private.h"
#include "rules/reach_private.h"
#include "rules/rule.h"

enum { VERDICTS_MAX = 32768, ANSWERS_MAX = 8192 }; /* forgotten beyond: memory, not truth */

struct verdict_key {
    const struct lineup *lineup;
    const struct pod_shape *shape; /* NULL where no rule names a port */
    const struct ns *ns;           /* NULL where no rule compares namespaces */
    enum direction direction;
};
struct verdict_entry {
    struct verdict_key key;
    struct reach_answer answer;
    UT_hash_handle hh;
};

struct answer_key {
    const void *about;
    enum direction direction;
};
struct answer_entry {
    struct answer_key key;
    struct reach_answer answer;
    UT_hash_handle hh;
};

struct reach_memo *reach_memo_create(const struct cluster *c, const struct reach_options *options)
{
    struct reach_memo *m = xcalloc(1, sizeof(*m));

    m->cluster = c;
    arena_init(&m->verdict_arena);
    arena_init(&m->answer_arena);
    m->book = reach_book_create(c, options);
    return m;
}

struct reach_book *reach_memo_book(struct reach_memo *m)
{
    return m->book;
}

static void forget_verdicts(struct reach_memo *m)
{
    HASH_CLEAR(hh, m->verdicts); /* the table only; the entries are the arena's */
    arena_reset(&m->verdict_arena);
}

static void forget_answers(struct reach_memo *m)
{
    HASH_CLEAR(hh, m->answers); /* the table only; the entries are the arena's */
    arena_reset(&m->answer_arena);
}

void reach_memo_forget(struct reach_memo *m)
{
    forget_verdicts(m);
    forget_answers(m);
    reach_book_forget(m->book);
    m->families = 0;
}

void reach_memo_set_options(struct reach_memo *m, const struct reach_options *options)
{
    reach_memo_forget(m);
    reach_book_destroy(m->book);
    m->book = reach_book_create(m->cluster, options);
}

void reach_memo_destroy(struct reach_memo *m)
{
    if (m != NULL) {
        forget_verdicts(m);
        forget_answers(m);
        arena_deinit(&m->verdict_arena);
        arena_deinit(&m->answer_arena);
        reach_book_destroy(m->book);
        everyone_space_deinit(&m->space);
        label_cover_deinit(&m->cover);
        free(m);
    }
}

/* ---- by line-up ---- */

void reach_recall_verdict(struct reach_memo *m, const struct lineup *l, const struct ns *ns,
                          const struct pod_shape *shape, enum direction d, struct reach_answer *out)
{
    struct verdict_key key;
    struct verdict_entry *e;

    memset(&key, 0, sizeof(key)); /* the padding is hashed, too */
    key.lineup = l;
    key.shape = d == DIRECTION_INGRESS && lineup_names_ports(l) ? shape : NULL;
    key.ns = l->relative ? ns : NULL;
    key.direction = d;
    HASH_FIND(hh, m->verdicts, &key, sizeof(key), e);
    if (e == NULL) {
        if (HASH_COUNT(m->verdicts) >= VERDICTS_MAX) {
            forget_verdicts(m);
        }
        e = arena_alloc(&m->verdict_arena, sizeof(*e));
        memset(e, 0, sizeof(*e));
        e->key = key;
        reach_lineup_verdict(m, l, ns, shape, d, &e->answer);
        HASH_ADD(hh, m->verdicts, key, sizeof(e->key), e);
    }
    *out = e->answer;
}

/* ---- by workload and namespace ---- */

static struct answer_entry *recall(struct reach_memo *m, const void *about, enum direction d)
{
    struct answer_key key;
    struct answer_entry *e;

    memset(&key, 0, sizeof(key));
    key.about = about;
    key.direction = d;
    HASH_FIND(hh, m->answers, &key, sizeof(key), e);
    return e;
}

static void remember(struct reach_memo *m, const void *about, enum direction d,
                     const struct reach_answer *answer)
{
    if (HASH_COUNT(m->answers) >= ANSWERS_MAX) {
        forget_answers(m);
    }
    struct answer_entry *e = arena_alloc(&m->answer_arena, sizeof(*e));
    memset(e, 0, sizeof(*e));
    e->key.about = about;
    e->key.direction = d;
    e->answer = *answer;
    HASH_ADD(hh, m->answers, key, sizeof(e->key), e);
}

void reach_workload(struct reach_memo *m, const struct workload *w, enum direction d,
                    struct reach_answer *out)
{
    const struct answer_entry *e = recall(m, w, d);

    if (e != NULL) {
        *out = e->answer;
        return;
    }
    reach_workload_unremembered(m, w, d, out);
    remember(m, w, d, out);
}

void reach_namespace_default(struct reach_memo *m, const struct ns *ns, enum direction d,
                             struct reach_answer *out)
{
    const struct answer_entry *e = recall(m, ns, d);

    if (e != NULL) {
        *out = e->answer;
        return;
    }
    reach_namespace_unremembered(m, ns, d, out);
    remember(m, ns, d, out);
}

/* ---- for rules ---- */

void reach_ask_class(const struct rule_input *in, const struct pod_class *pc, enum direction d,
                     struct reach_answer *out)
{
    reach_class(in->memo, pc, d, out);
}

void reach_ask_workload(const struct rule_input *in, const struct workload *w, enum direction d,
                        struct reach_answer *out)
{
    reach_workload(in->memo, w, d, out);
}

void reach_ask_namespace(const struct rule_input *in, const struct ns *ns, enum direction d,
                         struct reach_answer *out)
{
    reach_namespace_default(in->memo, ns, d, out);
}

struct reach_book *reach_ask_book(const struct rule_input *in)
{
    return reach_memo_book(in->memo);
}

/* ---- address families ---- */

/* Where no pod has an address yet, IPv4: what a cluster has unless it was built otherwise. */
unsigned reach_families(struct reach_memo *m)
{
    if (m->families == 0) {
        m->families = cluster_pod_families(m->cluster);
        m->families = m->families != 0 ? m->families : FAMILY_IPV4_BIT;
    }
    return m->families;
}
