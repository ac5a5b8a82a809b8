#include "store/life_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

enum { SLOTS_FIRST = 1024, GROW_FIRST = 256 };

void life_table_init(struct life_table *t)
{
    memset(t, 0, sizeof(*t));
    t->len = t->subjects_len = 1; /* 0 is none */
    t->key_slots = t->subject_slots = SLOTS_FIRST;
    t->by_key = xcalloc(t->key_slots, sizeof(*t->by_key));
    t->by_subject = xcalloc(t->subject_slots, sizeof(*t->by_subject));
}

void life_table_deinit(struct life_table *t)
{
    free(t->entries);
    free(t->subjects);
    free(t->by_key);
    free(t->by_subject);
    memset(t, 0, sizeof(*t));
}

static uint64_t key_hash(const uint8_t key[FP_BYTES])
{
    return hash_bytes(key, FP_BYTES);
}

/* Where the entry stands, or the empty slot where it would. */
static uint32_t key_slot(const struct life_table *t, const uint8_t key[FP_BYTES])
{
    uint32_t mask = t->key_slots - 1, i = (uint32_t)key_hash(key) & mask;

    while (t->by_key[i] != 0 && memcmp(t->entries[t->by_key[i]].key, key, FP_BYTES) != 0) {
        i = (i + 1) & mask;
    }
    return i;
}

static uint32_t subject_slot(const struct life_table *t, uint64_t hash)
{
    uint32_t mask = t->subject_slots - 1, i = (uint32_t)hash & mask;

    while (t->by_subject[i] != 0 && t->subjects[t->by_subject[i]].hash != hash) {
        i = (i + 1) & mask;
    }
    return i;
}

static void grow_keys(struct life_table *t)
{
    if (t->count * 4 < t->key_slots * 3) {
        return;
    }
    free(t->by_key);
    t->key_slots *= 2;
    t->by_key = xcalloc(t->key_slots, sizeof(*t->by_key));
    for (uint32_t i = 1; i < t->len; i++) {
        if (t->entries[i].used) {
            t->by_key[key_slot(t, t->entries[i].key)] = i;
        }
    }
}

static void grow_subjects(struct life_table *t)
{
    if (t->subjects_count * 4 < t->subject_slots * 3) {
        return;
    }
    free(t->by_subject);
    t->subject_slots *= 2;
    t->by_subject = xcalloc(t->subject_slots, sizeof(*t->by_subject));
    for (uint32_t i = 1; i < t->subjects_len; i++) {
        if (t->subjects[i].first != 0) {
            t->by_subject[subject_slot(t, t->subjects[i].hash)] = i;
        }
    }
}

uint32_t life_table_find(const struct life_table *t, const uint8_t key[FP_BYTES])
{
    return t->by_key[key_slot(t, key)];
}

static uint32_t next_cap(uint32_t cap)
{
    return cap + cap / 4 + GROW_FIRST;
}

static uint32_t new_entry(struct life_table *t)
{
    uint32_t index = t->free;

    if (index != 0) {
        t->free = t->entries[index].next;
        return index;
    }
    if (t->len >= t->cap) {
        t->cap = next_cap(t->cap);
        t->entries = xrealloc(t->entries, t->cap * sizeof(*t->entries));
    }
    return t->len++;
}

static uint32_t subject_of(struct life_table *t, uint64_t hash)
{
    uint32_t slot = subject_slot(t, hash), index = t->by_subject[slot];

    if (index != 0) {
        return index;
    }
    index = t->subjects_free;
    if (index != 0) {
        t->subjects_free = t->subjects[index].next_free;
    } else {
        if (t->subjects_len >= t->subjects_cap) {
            t->subjects_cap = next_cap(t->subjects_cap);
            t->subjects = xrealloc(t->subjects, t->subjects_cap * sizeof(*t->subjects));
        }
        index = t->subjects_len++;
    }
    t->subjects[index] = (struct life_subject){ .hash = hash };
    t->by_subject[slot] = index;
    t->subjects_count++;
    return index;
}

uint32_t life_table_add(struct life_table *t, const uint8_t key[FP_BYTES], uint64_t subject_hash)
{
    grow_keys(t);
    grow_subjects(t);
    uint32_t index = new_entry(t), subject = subject_of(t, subject_hash);
    struct life_entry *e = &t->entries[index];

    *e = (struct life_entry){ .subject = subject, .next = t->subjects[subject].first, .used = 1 };
    memcpy(e->key, key, FP_BYTES);
    t->by_key[key_slot(t, key)] = index;
    t->subjects[subject].first = index;
    t->count++;
    return index;
}

/* Moves later ones of the run into the hole, so that a search never stops early. */
static void close_key_hole(struct life_table *t, uint32_t hole)
{
    uint32_t mask = t->key_slots - 1;

    for (uint32_t i = (hole + 1) & mask; t->by_key[i] != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)key_hash(t->entries[t->by_key[i]].key) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->by_key[hole] = t->by_key[i];
            hole = i;
        }
    }
    t->by_key[hole] = 0;
}

static void close_subject_hole(struct life_table *t, uint32_t hole)
{
    uint32_t mask = t->subject_slots - 1;

    for (uint32_t i = (hole + 1) & mask; t->by_subject[i] != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)t->subjects[t->by_subject[i]].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->by_subject[hole] = t->by_subject[i];
            hole = i;
        }
    }
    t->by_subject[hole] = 0;
}

static void leave_subject(struct life_table *t, uint32_t index)
{
    uint32_t subject = t->entries[index].subject;
    uint32_t *link = &t->subjects[subject].first;

    while (*link != index) {
        link = &t->entries[*link].next;
    }
    *link = t->entries[index].next;
    if (t->subjects[subject].first == 0) {
        close_subject_hole(t, subject_slot(t, t->subjects[subject].hash));
        t->subjects[subject].next_free = t->subjects_free;
        t->subjects_free = subject;
        t->subjects_count--;
    }
}

void life_table_remove(struct life_table *t, uint32_t index)
{
    close_key_hole(t, key_slot(t, t->entries[index].key));
    leave_subject(t, index);
    t->entries[index] = (struct life_entry){ .next = t->free };
    t->free = index;
    t->count--;
}

uint32_t life_table_of_subject(const struct life_table *t, uint64_t subject_hash)
{
    uint32_t subject = t->by_subject[subject_slot(t, subject_hash)];

    return subject != 0 ? t->subjects[subject].first : 0;
}

size_t life_table_bytes(const struct life_table *t)
{
    return t->cap * sizeof(*t->entries) + t->subjects_cap * sizeof(*t->subjects) +
           ((size_t)t->key_slots + t->subject_slots) * sizeof(uint32_t);
}
