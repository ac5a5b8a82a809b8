/* The compact table of life, its heap of grace times and the packed rows, against plain models. */
#include "store/life_heap.h"
#include "store/life_table.h"
#include "store/rows.h"
#include "tests/store/helpers.h"

static unsigned seed_of(void)
{
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : (unsigned)getpid();

    printf("# SEED=%u\n", seed);
    srandom(seed);
    return seed;
}

enum { KEYS = 3000, SUBJECTS = 97 };

static void key_of(unsigned n, uint8_t key[FP_BYTES])
{
    memset(key, 0, FP_BYTES);
    memcpy(key, &n, sizeof(n));
}

static bool in_chain(const struct life_table *t, uint64_t subject, uint32_t index)
{
    uint32_t i = life_table_of_subject(t, subject);

    while (i != 0 && i != index) {
        i = t->entries[i].next;
    }
    return i != 0;
}

TEST(the_table_equals_a_model_after_random_changes)
{
    static uint32_t model[KEYS];
    struct life_table t;
    uint8_t key[FP_BYTES];
    unsigned count = 0;

    seed_of();
    memset(model, 0, sizeof(model));
    life_table_init(&t);
    for (unsigned step = 0; step < 200000; step++) {
        /* Grows first, then shrinks, so that every slot is emptied again. */
        unsigned n = (unsigned)random() % KEYS, bias = step < 100000 ? 6 : 3;
        key_of(n, key);
        CHECK_INT("found where it is", life_table_find(&t, key), model[n]);
        if (model[n] == 0 && (unsigned)random() % 10 < bias) {
            model[n] = life_table_add(&t, key, n % SUBJECTS + 1);
            count++;
        } else if (model[n] != 0 && (unsigned)random() % 10 >= bias) {
            life_table_remove(&t, model[n]);
            model[n] = 0;
            count--;
        }
        if (check_failed > 0) {
            break;
        }
    }
    CHECK_INT("as many", t.count, count);
    for (unsigned n = 0; n < KEYS; n++) {
        key_of(n, key);
        CHECK_INT("in the end", life_table_find(&t, key), model[n]);
        CHECK("in the chain of its subject",
              model[n] == 0 || in_chain(&t, n % SUBJECTS + 1, model[n]));
    }
    for (unsigned n = 0; n < KEYS; n++) {
        if (model[n] != 0) {
            life_table_remove(&t, model[n]);
        }
    }
    CHECK("empty: no entry, no subject", t.count == 0 && t.subjects_count == 0);
    for (unsigned s = 0; s < SUBJECTS; s++) {
        CHECK_INT("no chain", life_table_of_subject(&t, s + 1), 0);
    }
    life_table_deinit(&t);
}

TEST(four_hundred_thousand_entries_are_small)
{
    struct life_table t;
    uint8_t key[FP_BYTES];

    life_table_init(&t);
    for (unsigned n = 0; n < 400000; n++) {
        key_of(n, key);
        life_table_add(&t, key, n / 15 + 1);
    }
    printf("# 400,000 entries of 26,667 subjects: %zu bytes, %.1f each\n", life_table_bytes(&t),
           (double)life_table_bytes(&t) / 400000);
    CHECK("at most 64 bytes each, tables and reserve included",
          life_table_bytes(&t) <= 400000 * 64);
    life_table_deinit(&t);
}

TEST(the_heap_gives_grace_times_in_order)
{
    struct life_table t;
    struct life_heap h = { 0 };
    uint8_t key[FP_BYTES];
    int64_t last = 0;
    unsigned left = 0;

    seed_of();
    life_table_init(&t);
    for (unsigned n = 1; n <= 2000; n++) {
        key_of(n, key);
        uint32_t index = life_table_add(&t, key, n);
        life_heap_add(&h, &t, index, 0, (int64_t)random() % 1000);
    }
    for (unsigned n = 1; n <= 2000; n++) {
        key_of(n, key);
        uint32_t index = life_table_find(&t, key);
        if (n % 3 == 0) {
            life_heap_remove(&h, &t, index);
            life_heap_remove(&h, &t, index); /* twice is fine */
        } else if (n % 3 == 1) {
            life_heap_of(&h, &t.entries[index])->due_ms = (int64_t)random() % 1000;
            life_heap_moved(&h, &t, index);
        }
    }
    for (const struct grace *g; (g = life_heap_first(&h)) != NULL; left++) {
        CHECK("in order", g->due_ms >= last);
        CHECK("an entry knows its place", t.entries[g->entry].pending == 1);
        last = g->due_ms;
        life_heap_remove(&h, &t, g->entry);
    }
    CHECK_INT("all that were left", left, 2000 - 666);
    vec_free(&h.graces);
    life_table_deinit(&t);
}

static void random_text(char *out, size_t most)
{
    size_t len = (size_t)random() % most;

    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(1 + random() % 255);
    }
    out[len] = '\0';
}

static int64_t random_number(void)
{
    int64_t n = (int64_t)random() << 32 ^ random();

    return random() % 2 == 0 ? n >> random() % 63 : -(n >> random() % 63);
}

/* A row of which every field says something; texts live in `space`. */
static void random_row(struct row *row, char space[16][600])
{
    struct name_ref *refs[] = {
        &row->group,       &row->version, &row->object_kind, &row->message,
        &row->remediation, &row->owner,   &row->exemption,   &row->manager
    };
    const char **texts[] = {
        &row->ns,   &row->name,  &row->uid,  &row->evidence, &row->resource_version,
        &row->text, &row->text2, &row->text3
    };
    int64_t *numbers[] = { &row->id,          &row->seq,    &row->at_ms,      &row->from_ms,
                           &row->to_ms,       &row->due_ms, &row->manager_ms, &row->cause,
                           &row->rule,        &row->state,  &row->result,     &row->severity,
                           &row->environment, &row->reason, &row->verb };

    memset(row, 0, sizeof(*row));
    row->kind = (enum row_kind)(random() % ROW_KIND_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        *numbers[i] = random_number();
    }
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        random_text(space[i], 40);
        *refs[i] = random() % 2 == 0
                       ? (struct name_ref){ .id = (uint32_t)random() | 1 }
                       : (struct name_ref){ .text = random() % 4 == 0 ? NULL : space[i] };
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        random_text(space[8 + i], random() % 50 == 0 ? 599 : 60);
        *texts[i] = random() % 8 == 0 ? NULL : space[8 + i];
    }
    for (size_t i = 0; i < FP_BYTES; i++) {
        row->fp[i] = (uint8_t)random();
        row->fp_rest[i] = (uint8_t)random();
    }
}

/* Encodes again: equal bytes are equal rows, whatever fields the kind has. A chunk is three words,
 * then its bytes. */
static bool same_row(const struct row *a, const struct row *b)
{
    struct rowq qa = { 0 }, qb = { 0 };
    struct row again;
    struct rowq_cursor c;
    size_t la = rowq_push(&qa, a), lb = rowq_push(&qb, b);
    bool same = a->kind == b->kind && la == lb;

    rowq_start(&qb, &c);
    same = same && rowq_next(&c, &again) && memcmp(again.fp, b->fp, FP_BYTES) == 0;
    same = same && memcmp((const char *)qa.head + 24, (const char *)qb.head + 24, la) == 0;
    rowq_free(&qa);
    rowq_free(&qb);
    return same;
}

TEST(rows_come_out_as_they_went_in)
{
    enum { ROWS = 20000 };
    struct rowq q = { 0 }, more = { 0 };
    struct rowq_cursor c;
    char space[16][600];
    struct row want, got;
    unsigned seed = seed_of(), taken = 0;
    size_t bytes = 0;

    srandom(seed);
    for (unsigned i = 0; i < ROWS; i++) {
        random_row(&want, space);
        bytes += rowq_push(i < ROWS / 2 ? &q : &more, &want);
    }
    rowq_splice(&q, &more);
    CHECK("spliced", q.rows == ROWS && q.bytes == bytes && more.rows == 0);
    srandom(seed);
    while (q.rows > 0) {
        unsigned batch = 1 + taken % 700;
        rowq_start(&q, &c);
        for (unsigned i = 0; i < batch && rowq_next(&c, &got); i++, taken++) {
            random_row(&want, space);
            CHECK("the same row", same_row(&want, &got));
        }
        rowq_consume(&q, &c);
    }
    CHECK_INT("all of them, once", taken, ROWS);
    CHECK("and no memory", q.head == NULL && q.bytes == 0);
}

int main(void)
{
    RUN_TESTS(cmocka_unit_test(the_table_equals_a_model_after_random_changes),
              cmocka_unit_test(four_hundred_thousand_entries_are_small),
              cmocka_unit_test(the_heap_gives_grace_times_in_order),
              cmocka_unit_test(rows_come_out_as_they_went_in));
}
