#include "store/refs.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

enum { CACHE_SLOTS = 8192 };

/* Who was asked for lately. Full 16 bytes of the digest: tenants choose names, and two names with
 * the same 8 bytes can be made. */
struct slot {
    uint8_t digest[16];
    uint32_t group, kind;
    int64_t id; /* 0 empty */
};

struct refs {
    struct stmt *find, *insert, *use, *release, *remove, *subject_of_cause;
    struct stmt *cause_use, *cause_release, *cause_remove;
    struct slot *cache;
    bool stale; /* the cache may name a subject that is gone */
};

int refs_create(struct refs **out, struct db *db, struct error *err)
{
    struct refs *r = xcalloc(1, sizeof(*r));
    const struct {
        struct stmt **st;
        const char *sql;
    } wanted[] = {
        { &r->find, "SELECT id FROM subject WHERE key = ?1 AND kind = ?2 AND api_group = ?3 AND ns "
                    "= ?4 AND name = ?5" },
        { &r->insert, "INSERT INTO subject (key, kind, api_group, ns, name, uses) VALUES (?1, ?2, "
                      "?3, ?4, ?5, 1)" },
        { &r->use, "UPDATE subject SET uses = uses + 1 WHERE id = ?1" },
        { &r->release, "UPDATE subject SET uses = uses - 1 WHERE id = ?1" },
        { &r->remove, "DELETE FROM subject WHERE id = ?1 AND uses <= 0" },
        { &r->subject_of_cause, "SELECT subject FROM cause_row WHERE id = ?1 AND uses <= 0" },
        { &r->cause_use, "UPDATE cause_row SET uses = uses + 1 WHERE id = ?1" },
        { &r->cause_release, "UPDATE cause_row SET uses = uses - 1 WHERE id = ?1" },
        { &r->cause_remove, "DELETE FROM cause_row WHERE id = ?1" },
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        rc = db_prepare(db, wanted[i].st, wanted[i].sql, err);
    }
    if (rc != 0) {
        refs_destroy(r);
        return rc;
    }
    r->cache = xcalloc(CACHE_SLOTS, sizeof(*r->cache));
    *out = r;
    return 0;
}

void refs_destroy(struct refs *r)
{
    if (r == NULL) {
        return;
    }
    stmt_finalize(r->find);
    stmt_finalize(r->insert);
    stmt_finalize(r->use);
    stmt_finalize(r->release);
    stmt_finalize(r->remove);
    stmt_finalize(r->subject_of_cause);
    stmt_finalize(r->cause_use);
    stmt_finalize(r->cause_release);
    stmt_finalize(r->cause_remove);
    free(r->cache);
    free(r);
}

void refs_forget(struct refs *r)
{
    memset(r->cache, 0, CACHE_SLOTS * sizeof(*r->cache));
    r->stale = false;
}

static void digest_of(const char *ns, const char *name, uint8_t out[SHA256_BYTES])
{
    struct sha256 *h = sha256_create();

    sha256_field(h, ns);
    sha256_field(h, name);
    sha256_finish(h, out);
}

static int64_t key_of(const uint8_t digest[SHA256_BYTES])
{
    uint64_t key = 0;

    for (int i = 0; i < 8; i++) {
        key = key << 8 | digest[i];
    }
    return (int64_t)key;
}

void bind_ref(struct stmt *st, int index, const struct name_ref *ref)
{
    if (ref->id != 0) {
        stmt_bind_int(st, index, ref->id);
    } else {
        stmt_bind_text(st, index, ref->text);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower case and its dashes in place: what the views make of the blob again. */
static bool parse_uuid(const char *text, uint8_t out[16])
{
    if (strlen(text) != 36) {
        return false;
    }
    for (int i = 0, n = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return false;
            }
            continue;
        }
        int digit = hex_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        out[n / 2] = (uint8_t)(n % 2 == 0 ? digit << 4 : out[n / 2] | digit);
        n++;
    }
    return true;
}

void bind_uid(struct stmt *st, int index, const char *uid, uint8_t space[16])
{
    if (uid != NULL && parse_uuid(uid, space)) {
        stmt_bind_blob(st, index, space, 16);
    } else {
        stmt_bind_text(st, index, uid);
    }
}

void bind_number_text(struct stmt *st, int index, const char *text)
{
    long long value;

    if (text != NULL && ((text[0] >= '1' && text[0] <= '9') || strcmp(text, "0") == 0) &&
        text_to_int(text, 0, INT64_MAX, &value)) {
        stmt_bind_int(st, index, value);
    } else {
        stmt_bind_text(st, index, text);
    }
}

static void bind_subject(struct stmt *st, int64_t key, const struct row *row)
{
    stmt_bind_int(st, 1, key);
    bind_ref(st, 2, &row->object_kind);
    bind_ref(st, 3, &row->group);
    stmt_bind_text(st, 4, row->ns);
    stmt_bind_text(st, 5, row->name);
}

static int find_subject(struct refs *r, int64_t key, const struct row *row, int64_t *out_id,
                        struct error *err)
{
    bind_subject(r->find, key, row);
    int rc = stmt_step(r->find, err);
    if (rc < 0) {
        return rc;
    }
    *out_id = rc == 1 ? stmt_int(r->find, 0) : 0;
    stmt_reset(r->find);
    return 0;
}

int refs_subject(struct refs *r, const struct row *row, int64_t *out_id, struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    bool cacheable = row->object_kind.id != 0 && row->group.id != 0;
    int rc;

    if (r->stale) {
        refs_forget(r);
    }
    digest_of(row->ns, row->name, digest);
    int64_t key = key_of(digest);
    struct slot *slot = &r->cache[((uint64_t)key ^ row->object_kind.id) % CACHE_SLOTS];
    int64_t id = 0;

    if (cacheable && slot->id != 0 && slot->group == row->group.id &&
        slot->kind == row->object_kind.id &&
        memcmp(slot->digest, digest, sizeof(slot->digest)) == 0) {
        id = slot->id;
    } else {
        rc = find_subject(r, key, row, &id, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (id != 0) {
        stmt_bind_int(r->use, 1, id);
        rc = stmt_run(r->use, err);
    } else {
        bind_subject(r->insert, key, row);
        rc = stmt_run(r->insert, err);
        id = rc == 0 ? stmt_last_id(r->insert) : 0;
    }
    if (rc != 0) {
        return rc;
    }
    if (cacheable) {
        memcpy(slot->digest, digest, sizeof(slot->digest));
        slot->group = row->group.id;
        slot->kind = row->object_kind.id;
        slot->id = id;
    }
    *out_id = id;
    return 0;
}

int refs_subject_release(struct refs *r, int64_t id, struct error *err)
{
    stmt_bind_int(r->release, 1, id);
    int rc = stmt_run(r->release, err);
    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(r->remove, 1, id);
    rc = stmt_run(r->remove, err);
    if (rc == 0 && stmt_changes(r->remove) > 0) {
        r->stale = true; /* SQLite may give the number to another subject */
    }
    return rc;
}

int refs_cause_use(struct refs *r, int64_t id, bool *exists, struct error *err)
{
    stmt_bind_int(r->cause_use, 1, id);
    int rc = stmt_run(r->cause_use, err);
    *exists = rc == 0 && stmt_changes(r->cause_use) > 0;
    return rc;
}

int refs_cause_release(struct refs *r, int64_t id, struct error *err)
{
    int64_t subject = 0;

    stmt_bind_int(r->cause_release, 1, id);
    int rc = stmt_run(r->cause_release, err);
    if (rc != 0) {
        return rc;
    }
    stmt_bind_int(r->subject_of_cause, 1, id);
    rc = stmt_step(r->subject_of_cause, err);
    if (rc <= 0) {
        stmt_reset(r->subject_of_cause);
        return rc;
    }
    subject = stmt_int(r->subject_of_cause, 0);
    stmt_reset(r->subject_of_cause);
    stmt_bind_int(r->cause_remove, 1, id);
    rc = stmt_run(r->cause_remove, err);
    if (rc == 0 && subject != 0) {
        rc = refs_subject_release(r, subject, err);
    }
    return rc;
}
