/* Everything that life knows of one (rule, subject, subkey), in 48 bytes, found by fingerprint or
 * by subject. Hundreds of thousands of these exist in a large cluster, most of them saying
 * "proved". */
#ifndef NETAUDITD_STORE_LIFE_TABLE_H
#define NETAUDITD_STORE_LIFE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/rows.h"

enum life_state {
    LIFE_NONE, /* no finding: only a proof, or free */
    LIFE_PENDING,
    LIFE_OPEN,
    LIFE_SUPPRESSED,
    LIFE_RESOLVED, /* remembered so that it can re-open */
    LIFE_STATE_COUNT
};

struct life_entry {
    uint8_t key[FP_BYTES]; /* first half of the fingerprint */
    uint32_t next;         /* of the same subject, or of the free ones; 0 none */
    uint32_t subject;      /* in the table of subjects */
    uint32_t pending;      /* 1 + place in the heap of grace times; 0 none */
    uint32_t message_hash; /* of what the file holds, to see whether a verdict says something new */
    uint32_t rest_hash;
    uint32_t proof_low; /* number of the proof that goes on */
    uint16_t proof_high;
    uint16_t rule;
    uint16_t state : 3, result : 3, severity : 3, environment : 2;
    uint16_t was_open : 1; /* ever: the next opening is a re-opening */
    uint16_t proved : 1;   /* a proof goes on */
    uint16_t seen : 1;     /* said by a verdict since life_reconcile_begin */
    uint16_t resource : 1; /* subject kind APIResource */
    uint16_t used : 1;
};
_Static_assert(sizeof(struct life_entry) <= 48, "hundreds of thousands of these exist");

struct life_subject {
    uint64_t hash; /* keyed, of group, kind, namespace, name */
    uint32_t first, next_free;
};

/* Entries and subjects are named by their index, which stays while they live; 0 is none. */
struct life_table {
    struct life_entry *entries;
    struct life_subject *subjects;
    uint32_t *by_key, *by_subject;  /* open addressing, 0 empty */
    uint32_t len, cap, free, count; /* entries */
    uint32_t subjects_len, subjects_cap, subjects_free, subjects_count;
    uint32_t key_slots, subject_slots; /* powers of two */
};

void life_table_init(struct life_table *t);
void life_table_deinit(struct life_table *t);
uint32_t life_table_find(const struct life_table *t, const uint8_t key[FP_BYTES]);
/* The key must be new. Pointers to entries are invalid afterwards. */
uint32_t life_table_add(struct life_table *t, const uint8_t key[FP_BYTES], uint64_t subject_hash);
void life_table_remove(struct life_table *t, uint32_t index);
/* First entry of a subject; go on by ->next. */
uint32_t life_table_of_subject(const struct life_table *t, uint64_t subject_hash);
/* Bytes allocated. */
size_t life_table_bytes(const struct life_table *t);

#endif
