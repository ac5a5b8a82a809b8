/* A row is its kind, then each field of that kind: numbers as zigzag varints, texts with their
 * length and NUL, shared texts by number. Which kind has which fields stands in one table, so that
 * writing and reading cannot differ. */
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { CHUNK_BYTES = 32 * 1024, VARINT_MAX = 10 };

struct chunk {
    struct chunk *next;
    size_t len, cap;
    unsigned char data[];
};

enum field_type { NUMBER, REF, TEXT, FP };

/* Names of fields, for the masks below; the same order as `fields`. */
enum field {
    F_ID,
    F_SEQ,
    F_AT,
    F_FROM,
    F_TO,
    F_DUE,
    F_MANAGER_MS,
    F_CAUSE,
    F_RULE,
    F_STATE,
    F_RESULT,
    F_SEVERITY,
    F_ENVIRONMENT,
    F_REASON,
    F_VERB,
    F_FP,
    F_FP_REST,
    F_GROUP,
    F_VERSION,
    F_KIND,
    F_MESSAGE,
    F_REMEDIATION,
    F_OWNER,
    F_EXEMPTION,
    F_MANAGER,
    F_NS,
    F_NAME,
    F_UID,
    F_EVIDENCE,
    F_RESOURCE_VERSION,
    F_TEXT,
    F_TEXT2,
    F_TEXT3,
    FIELD_COUNT
};

#define AT(member) offsetof(struct row, member)
static const struct {
    size_t offset;
    enum field_type type;
} fields[FIELD_COUNT] = {
    [F_ID] = { AT(id), NUMBER },
    [F_SEQ] = { AT(seq), NUMBER },
    [F_AT] = { AT(at_ms), NUMBER },
    [F_FROM] = { AT(from_ms), NUMBER },
    [F_TO] = { AT(to_ms), NUMBER },
    [F_DUE] = { AT(due_ms), NUMBER },
    [F_MANAGER_MS] = { AT(manager_ms), NUMBER },
    [F_CAUSE] = { AT(cause), NUMBER },
    [F_RULE] = { AT(rule), NUMBER },
    [F_STATE] = { AT(state), NUMBER },
    [F_RESULT] = { AT(result), NUMBER },
    [F_SEVERITY] = { AT(severity), NUMBER },
    [F_ENVIRONMENT] = { AT(environment), NUMBER },
    [F_REASON] = { AT(reason), NUMBER },
    [F_VERB] = { AT(verb), NUMBER },
    [F_FP] = { AT(fp), FP },
    [F_FP_REST] = { AT(fp_rest), FP },
    [F_GROUP] = { AT(group), REF },
    [F_VERSION] = { AT(version), REF },
    [F_KIND] = { AT(object_kind), REF },
    [F_MESSAGE] = { AT(message), REF },
    [F_REMEDIATION] = { AT(remediation), REF },
    [F_OWNER] = { AT(owner), REF },
    [F_EXEMPTION] = { AT(exemption), REF },
    [F_MANAGER] = { AT(manager), REF },
    [F_NS] = { AT(ns), TEXT },
    [F_NAME] = { AT(name), TEXT },
    [F_UID] = { AT(uid), TEXT },
    [F_EVIDENCE] = { AT(evidence), TEXT },
    [F_RESOURCE_VERSION] = { AT(resource_version), TEXT },
    [F_TEXT] = { AT(text), TEXT },
    [F_TEXT2] = { AT(text2), TEXT },
    [F_TEXT3] = { AT(text3), TEXT },
};

#define F(name) (UINT64_C(1) << F_##name)
#define SUBJECT (F(GROUP) | F(KIND) | F(NS) | F(NAME))
#define CONTENT                                                                                    \
    (F(FP) | F(FP_REST) | F(RULE) | SUBJECT | F(VERSION) | F(UID) | F(RESULT) | F(SEVERITY) |      \
     F(ENVIRONMENT) | F(MESSAGE) | F(EVIDENCE) | F(REMEDIATION) | F(OWNER) | F(EXEMPTION) | F(AT))

static const uint64_t fields_of[ROW_KIND_COUNT] = {
    [ROW_TEXT] = F(ID) | F(TEXT),
    [ROW_RULE] = F(ID) | F(TEXT) | F(TEXT2) | F(TEXT3),
    [ROW_CAUSE] = F(ID) | F(VERB) | SUBJECT | F(VERSION) | F(UID) | F(RESOURCE_VERSION) |
                  F(MANAGER) | F(MANAGER_MS) | F(FROM) | F(TO),
    [ROW_FINDING] = CONTENT | F(STATE) | F(SEQ) | F(CAUSE),
    [ROW_RESOLVE] = F(FP) | F(SEQ) | F(AT) | F(REASON) | F(CAUSE),
    [ROW_PENDING] = CONTENT | F(DUE),
    [ROW_PENDING_END] = F(FP),
    [ROW_PENDING_OPEN] = F(FP) | F(SEQ) | F(AT),
    [ROW_PROVED] = F(ID) | F(FP) | F(RULE) | SUBJECT | F(FROM),
    [ROW_PROVED_END] = F(ID) | F(TO) | F(SEQ),
    [ROW_GAP] = F(TEXT) | F(FROM) | F(TO) | F(TEXT2),
    [ROW_META] = F(TEXT) | F(TEXT2),
};

static unsigned char *put_varint(unsigned char *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (unsigned char)v;
    return p;
}

static const unsigned char *get_varint(const unsigned char *p, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0;; shift += 7) {
        v |= (uint64_t)(*p & 0x7F) << shift;
        if ((*p++ & 0x80) == 0) {
            break;
        }
    }
    *out = v;
    return p;
}

/* 0 is NULL, else the length plus one, the bytes and a NUL. */
static unsigned char *put_text(unsigned char *p, const char *text)
{
    if (text == NULL) {
        return put_varint(p, 0);
    }
    size_t len = strlen(text);
    p = put_varint(p, (uint64_t)len + 1);
    memcpy(p, text, len + 1);
    return p + len + 1;
}

static const unsigned char *get_text(const unsigned char *p, const char **out)
{
    uint64_t len;

    p = get_varint(p, &len);
    *out = len == 0 ? NULL : (const char *)p;
    return p + len;
}

static const void *member(const struct row *row, enum field f)
{
    return (const char *)row + fields[f].offset;
}

static size_t text_bound(const char *text)
{
    return VARINT_MAX + (text != NULL ? strlen(text) + 1 : 0);
}

static size_t row_bound(const struct row *row)
{
    size_t bytes = 1;

    for (uint64_t mask = fields_of[row->kind]; mask != 0; mask &= mask - 1) {
        enum field f = (enum field)__builtin_ctzll(mask);
        switch (fields[f].type) {
        case NUMBER:
            bytes += VARINT_MAX;
            break;
        case FP:
            bytes += FP_BYTES;
            break;
        case TEXT:
            bytes += text_bound(*(const char *const *)member(row, f));
            break;
        case REF: {
            const struct name_ref *ref = member(row, f);
            bytes += VARINT_MAX + (ref->id == 0 ? text_bound(ref->text) : 0);
            break;
        }
        }
    }
    return bytes;
}

static unsigned char *encode(unsigned char *p, const struct row *row)
{
    *p++ = (unsigned char)row->kind;
    for (uint64_t mask = fields_of[row->kind]; mask != 0; mask &= mask - 1) {
        enum field f = (enum field)__builtin_ctzll(mask);
        switch (fields[f].type) {
        case NUMBER: {
            int64_t v = *(const int64_t *)member(row, f);
            /* cppcheck-suppress shiftTooManyBitsSigned ; the sign, as gcc and clang define it */
            p = put_varint(p, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
            break;
        }
        case FP:
            memcpy(p, member(row, f), FP_BYTES);
            p += FP_BYTES;
            break;
        case TEXT:
            p = put_text(p, *(const char *const *)member(row, f));
            break;
        case REF: {
            const struct name_ref *ref = member(row, f);
            p = put_varint(p, ref->id);
            if (ref->id == 0) {
                p = put_text(p, ref->text);
            }
            break;
        }
        }
    }
    return p;
}

static const unsigned char *decode(const unsigned char *p, struct row *row)
{
    memset(row, 0, sizeof(*row));
    row->kind = (enum row_kind) * p++;
    for (uint64_t mask = fields_of[row->kind]; mask != 0; mask &= mask - 1) {
        enum field f = (enum field)__builtin_ctzll(mask);
        void *to = (char *)row + fields[f].offset;
        uint64_t v;
        switch (fields[f].type) {
        case NUMBER:
            p = get_varint(p, &v);
            *(int64_t *)to = (int64_t)(v >> 1 ^ (0 - (v & 1)));
            break;
        case FP:
            memcpy(to, p, FP_BYTES);
            p += FP_BYTES;
            break;
        case TEXT:
            p = get_text(p, to);
            break;
        case REF: {
            struct name_ref *ref = to;
            p = get_varint(p, &v);
            ref->id = (uint32_t)v;
            if (ref->id == 0) {
                p = get_text(p, &ref->text);
            }
            break;
        }
        }
    }
    return p;
}

size_t rowq_push(struct rowq *q, const struct row *row)
{
    size_t bound = row_bound(row);

    if (q->tail == NULL || q->tail->cap - q->tail->len < bound) {
        size_t cap = bound > CHUNK_BYTES ? bound : CHUNK_BYTES;
        struct chunk *chunk = xmalloc(sizeof(*chunk) + cap);
        chunk->next = NULL;
        chunk->len = 0;
        chunk->cap = cap;
        if (q->tail != NULL) {
            q->tail->next = chunk;
        } else {
            q->head = chunk;
            q->read = 0;
        }
        q->tail = chunk;
    }
    unsigned char *start = q->tail->data + q->tail->len;
    size_t bytes = (size_t)(encode(start, row) - start);
    q->tail->len += bytes;
    q->rows++;
    q->bytes += bytes;
    return bytes;
}

void rowq_splice(struct rowq *to, struct rowq *from)
{
    if (from->head == NULL) {
        return;
    }
    if (to->tail == NULL) {
        to->head = from->head;
        to->read = from->read;
    } else {
        to->tail->next = from->head;
    }
    to->tail = from->tail;
    to->rows += from->rows;
    to->bytes += from->bytes;
    memset(from, 0, sizeof(*from));
}

void rowq_start(const struct rowq *q, struct rowq_cursor *c)
{
    *c = (struct rowq_cursor){ .chunk = q->head, .offset = q->read };
}

bool rowq_next(struct rowq_cursor *c, struct row *out)
{
    while (c->chunk != NULL && c->offset == c->chunk->len && c->chunk->next != NULL) {
        c->chunk = c->chunk->next;
        c->offset = 0;
    }
    if (c->chunk == NULL || c->offset == c->chunk->len) {
        return false;
    }
    const unsigned char *start = c->chunk->data + c->offset;
    size_t bytes = (size_t)(decode(start, out) - start);
    c->offset += bytes;
    c->rows++;
    c->bytes += bytes;
    return true;
}

void rowq_consume(struct rowq *q, const struct rowq_cursor *c)
{
    while (q->head != c->chunk) {
        struct chunk *next = q->head->next;
        free(q->head);
        q->head = next;
    }
    q->read = c->offset;
    q->rows -= c->rows;
    q->bytes -= c->bytes;
    if (q->rows == 0) {
        rowq_free(q);
    }
}

void rowq_free(struct rowq *q)
{
    while (q->head != NULL) {
        struct chunk *next = q->head->next;
        free(q->head);
        q->head = next;
    }
    memset(q, 0, sizeof(*q));
}
