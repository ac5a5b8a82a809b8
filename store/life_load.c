/* A start: what the file remembers becomes the table again. */
#include "store/life_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

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

    vec_push(&in->subjects, ((struct loaded_subject){ id, life_subject_hash(subject),
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
    life_set_state(in->l, index, LIFE_NONE);
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
    e->message_hash = life_hash_text(0, f->message);
    e->rest_hash =
        life_rest_hash(f->version, f->uid, f->evidence, f->remediation, f->owner, f->exemption);
    life_set_state(l, index, states[f->state]);
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
        life_set_proof(&l->table.entries[index], p->id);
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
    int rc = store_load(store, &loader, LIFE_RESOLVED_MOST, err);
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
