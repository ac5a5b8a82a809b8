/* What rules have asked already, as long as the cluster does not change: the index of a namespace's
 * policies, which is what costs, and the answers about workloads and namespaces, which several
 * rules want. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

#include <uthash.h>

#include "rules/reach_private.h"
#include "rules/rule.h"

enum { INDEXES_MAX = 4096, ANSWERS_MAX = 8192 }; /* forgotten beyond: memory, not truth */

struct index_entry {
    const struct ns *ns;
    struct policy_index index;
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

struct reach_memo {
    struct reach_space space;
    struct index_entry *indexes;
    struct answer_entry *answers;
};

struct reach_memo *reach_memo_create(void)
{
    return xcalloc(1, sizeof(struct reach_memo));
}

static void forget_indexes(struct reach_memo *m)
{
    struct index_entry *e = m->indexes;

    HASH_CLEAR(hh, m->indexes); /* the table only; the entries stay linked */
    while (e != NULL) {
        struct index_entry *next = e->hh.next;
        policy_index_deinit(&e->index);
        free(e);
        e = next;
    }
}

static void forget_answers(struct reach_memo *m)
{
    struct answer_entry *e = m->answers;

    HASH_CLEAR(hh, m->answers);
    while (e != NULL) {
        struct answer_entry *next = e->hh.next;
        free(e);
        e = next;
    }
}

void reach_memo_forget(struct reach_memo *m)
{
    forget_indexes(m);
    forget_answers(m);
}

void reach_memo_destroy(struct reach_memo *m)
{
    if (m != NULL) {
        reach_memo_forget(m);
        reach_space_deinit(&m->space);
        free(m);
    }
}

static struct policy_index *index_of(struct reach_memo *m, const struct ns *ns)
{
    struct index_entry *e;

    HASH_FIND(hh, m->indexes, &ns, sizeof(ns), e);
    if (e != NULL) {
        return &e->index;
    }
    if (HASH_COUNT(m->indexes) >= INDEXES_MAX) {
        forget_indexes(m);
    }
    e = xcalloc(1, sizeof(*e));
    e->ns = ns;
    policy_index_init(&e->index, ns);
    HASH_ADD(hh, m->indexes, ns, sizeof(e->ns), e);
    return &e->index;
}

static bool recall(struct reach_memo *m, const void *about, enum direction d,
                   struct reach_answer *out)
{
    struct answer_key key;
    struct answer_entry *e;

    memset(&key, 0, sizeof(key)); /* the padding is hashed, too */
    key.about = about;
    key.direction = d;
    HASH_FIND(hh, m->answers, &key, sizeof(key), e);
    if (e != NULL) {
        *out = e->answer;
    }
    return e != NULL;
}

static void remember(struct reach_memo *m, const void *about, enum direction d,
                     const struct reach_answer *answer)
{
    if (HASH_COUNT(m->answers) >= ANSWERS_MAX) {
        forget_answers(m);
    }
    struct answer_entry *e = xcalloc(1, sizeof(*e));
    e->key.about = about;
    e->key.direction = d;
    e->answer = *answer;
    HASH_ADD(hh, m->answers, key, sizeof(e->key), e);
}

void reach_ask_class(const struct rule_input *in, const struct pod_class *pc, enum direction d,
                     struct reach_answer *out)
{
    struct reach_memo *m = in->memo;

    if (m == NULL) {
        reach_class(in->cluster, pc, d, out);
    } else {
        reach_class_in(&m->space, index_of(m, pc->ns), pc, d, out);
    }
}

void reach_ask_workload(const struct rule_input *in, const struct workload *w, enum direction d,
                        struct reach_answer *out)
{
    struct reach_memo *m = in->memo;

    if (m == NULL) {
        reach_workload(in->cluster, w, d, out);
    } else if (!recall(m, w, d, out)) {
        reach_workload_in(&m->space, index_of(m, w->ns), w, d, out);
        remember(m, w, d, out);
    }
}

void reach_ask_namespace(const struct rule_input *in, const struct ns *ns, enum direction d,
                         struct reach_answer *out)
{
    struct reach_memo *m = in->memo;

    if (m == NULL) {
        reach_namespace_default(in->cluster, ns, d, out);
    } else if (!recall(m, ns, d, out)) {
        reach_namespace_in(&m->space, index_of(m, ns), d, out);
        remember(m, ns, d, out);
    }
}
