/* The loop thread's side. Opening goes from the outside in: place and modes, lock, header, SQLite,
 * integrity, schema, what was remembered; only then does the connection go to the writer thread.
 * While the disk works, rows pass through to the writer. When too much waits for a disk that
 * refuses, everything from that row on is dropped, so that the file holds a true beginning of what
 * happened and one gap row, and never a mixture. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "store/db.h"
#include "store/load.h"
#include "store/lock.h"
#include "store/names.h"
#include "store/schema.h"
#include "store/sink.h"
#include "store/writer.h"

enum { BATCH_ROWS = 1000, BATCH_WAIT_MS = 2, WAITING_BYTES = 32 * 1024 * 1024, RECENT_CAUSES = 8 };

struct resume {
    char *resource, *version;
};

struct store {
    char *path;
    int lock_fd;
    struct db *db; /* until the writer has it */
    struct writer *writer;
    struct names *names;
    char *cluster_id;
    VEC(struct resume) resume;
    int64_t last_alive_ms;
    int64_t next_seq, next_cause, next_proof;
    size_t max_waiting_bytes;
    struct {
        uint64_t hash;
        int64_t id;
    } causes[RECENT_CAUSES];
    unsigned cause_turn;
    struct arena arena;
    enum {
        TAKING,
        DROPPING,
        LOST
    } filling; /* LOST: the disk writes again, life has to be made anew */
    int64_t dropping_since_ms;
    store_committed_fn *fn;
    void *fn_ctx;
};

/* ---- opening ---- */

static int check_integrity(struct db *db, struct error *err)
{
    char *verdict = NULL;
    int rc = db_get_text(db, "PRAGMA quick_check(1)", &verdict, err);

    if (rc == 0 && strcmp(verdict, "ok") != 0) {
        rc = error_set(err, NA_EIO, "%s", verdict);
    }
    free(verdict);
    return rc;
}

/* The sentence that says what to do. */
static int damaged(const struct store *s, struct error *err)
{
    struct error why = *err;

    return error_set(err, NA_EIO,
                     "database '%s' is damaged: %s; move it away together with its -wal and -shm "
                     "files (netauditd then "
                     "starts a new one), or put a backup in its place",
                     s->path, why.text);
}

static int open_file(struct store *s, struct error *err)
{
    enum db_trouble trouble = DB_TROUBLE_NONE;
    int rc = db_open(&s->db, s->path, DB_WRITE, &trouble, err);

    if (rc != 0) {
        return trouble == DB_TROUBLE_CORRUPT ? damaged(s, err)
                                             : error_wrap(err, rc, "open database '%s'", s->path);
    }
    rc = check_integrity(s->db, err);
    if (rc != 0) {
        trouble = db_trouble(s->db);
        return trouble == DB_TROUBLE_CORRUPT || trouble == DB_TROUBLE_NONE
                   ? damaged(s, err)
                   : error_wrap(err, rc, "check database '%s'", s->path);
    }
    rc = schema_apply(s->db, schema_text(), err);
    if (rc == NA_EINVAL || rc == NA_EMISMATCH) {
        struct error why = *err;
        return error_set(err, rc, "database '%s' %s", s->path, why.text);
    }
    if (rc != 0 && db_trouble(s->db) == DB_TROUBLE_CORRUPT) {
        return damaged(s, err);
    }
    return rc == 0 ? 0 : error_wrap(err, rc, "database '%s'", s->path);
}

static int load_resume(struct store *s, struct error *err)
{
    struct stmt *st;
    int rc = db_prepare(s->db, &st, "SELECT kind, resource_version FROM watch_state", err);

    if (rc != 0) {
        return rc;
    }
    while ((rc = stmt_step(st, err)) == 1) {
        vec_push(&s->resume,
                 ((struct resume){ xstrdup(stmt_text(st, 0)), xstrdup(stmt_text(st, 1)) }));
    }
    stmt_finalize(st);
    return rc;
}

static int load(struct store *s, struct error *err)
{
    struct pulse pulse;
    int rc = pulse_read(s->db, &pulse, err);

    if (rc != 0) {
        return rc;
    }
    s->last_alive_ms = pulse.alive_ms;
    s->next_seq = pulse.last_seq + 1;
    rc = db_get_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM cause_row", &s->next_cause, err);
    if (rc == 0) {
        rc = db_get_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM proved_row", &s->next_proof,
                        err);
    }
    if (rc == 0) {
        rc = db_get_text(s->db,
                         "SELECT coalesce((SELECT value FROM meta WHERE key = 'cluster_id'), '')",
                         &s->cluster_id, err);
    }
    if (rc == 0) {
        rc = load_resume(s, err);
    }
    return rc == 0 ? load_names(s->db, s->names, err) : rc;
}

static void committed(void *ctx, int64_t last_seq, uint32_t rows, uint64_t commit_us);

static int start_writer(struct store *s, uv_loop_t *loop, const struct store_options *o,
                        struct error *err)
{
    struct writer_options options = {
        .path = s->path,
        .batch_rows = o->batch_rows != 0 ? o->batch_rows : BATCH_ROWS,
        .batch_wait_ms = o->batch_wait_ms != 0 ? o->batch_wait_ms : BATCH_WAIT_MS,
        .max_waiting_bytes = s->max_waiting_bytes,
        .limits = { .max_age_ms = o->max_age_ms, .max_bytes = o->max_bytes },
    };
    struct db *db = s->db;

    s->db = NULL;
    return writer_start(&s->writer, loop, db, &options, committed, s, err);
}

static void store_free(struct store *s)
{
    db_close(s->db);
    names_destroy(s->names);
    lock_release(s->lock_fd);
    for (size_t i = 0; i < s->resume.len; i++) {
        free(s->resume.items[i].resource);
        free(s->resume.items[i].version);
    }
    vec_free(&s->resume);
    arena_deinit(&s->arena);
    free(s->cluster_id);
    free(s->path);
    free(s);
}

int store_open(struct store **out, uv_loop_t *loop, const struct store_options *options,
               struct error *err)
{
    struct store *s = xcalloc(1, sizeof(*s));
    int rc;

    s->lock_fd = -1;
    s->names = names_create();
    s->max_waiting_bytes =
        options->max_waiting_bytes != 0 ? options->max_waiting_bytes : WAITING_BYTES;
    arena_init(&s->arena);
    rc = place_resolve(options->path, &s->path, err);
    if (rc == 0) {
        rc = lock_take(s->path, &s->lock_fd, err);
    }
    if (rc == 0) {
        rc = place_prepare(s->path, err);
    }
    if (rc == 0) {
        rc = open_file(s, err);
    }
    if (rc == 0) {
        rc = load(s, err);
    }
    if (rc == 0) {
        rc = start_writer(s, loop, options, err);
    }
    if (rc != 0) {
        store_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void store_on_committed(struct store *s, store_committed_fn *fn, void *ctx)
{
    s->fn = fn;
    s->fn_ctx = ctx;
}

int store_bind_cluster(struct store *s, const char *cluster_id, struct error *err)
{
    struct row row = { .kind = ROW_META, .text = "cluster_id", .text2 = cluster_id };

    if (cluster_id[0] == '\0') {
        return error_set(err, NA_EINVAL, "the cluster has no id");
    }
    if (s->cluster_id[0] != '\0') {
        return strcmp(s->cluster_id, cluster_id) == 0
                   ? 0
                   : error_set(err, NA_EMISMATCH,
                               "database '%s' belongs to cluster '%s', this is cluster '%s'; give "
                               "another path for this "
                               "cluster",
                               s->path, s->cluster_id, cluster_id);
    }
    free(s->cluster_id);
    s->cluster_id = xstrdup(cluster_id);
    writer_push(s->writer, &row, true);
    return 0;
}

const char *store_cluster_id(const struct store *s)
{
    return s->cluster_id;
}

const char *store_resume_version(const struct store *s, const char *resource)
{
    for (size_t i = 0; i < s->resume.len; i++) {
        if (strcmp(s->resume.items[i].resource, resource) == 0) {
            return s->resume.items[i].version;
        }
    }
    return NULL;
}

int64_t store_last_alive_ms(const struct store *s)
{
    return s->last_alive_ms;
}

/* ---- what goes in ---- */

void store_set_watch_state(struct store *s, const char *resource, const char *resource_version,
                           int64_t at_ms)
{
    if (s->filling ==
        TAKING) { /* else a restart would resume behind findings that are not stored */
        writer_watch_state(s->writer, resource, resource_version, at_ms);
    }
}

void store_add_gap(struct store *s, const char *resource, int64_t from_ms, int64_t to_ms,
                   const char *reason)
{
    struct row row = { .kind = ROW_GAP,
                       .text = store_clean(&s->arena, resource),
                       .text2 = store_clean(&s->arena, reason),
                       .from_ms = from_ms,
                       .to_ms = to_ms };

    writer_push(s->writer, &row, true);
    arena_reset(&s->arena);
}

void store_set_status(struct store *s, const char *json)
{
    writer_status(s->writer, json);
}

void store_set_retention(struct store *s, int64_t max_age_ms, uint64_t max_bytes)
{
    writer_set_limits(
        s->writer, &(struct retention_limits){ .max_age_ms = max_age_ms, .max_bytes = max_bytes });
}

void store_flush(struct store *s)
{
    writer_flush(s->writer);
}

void store_stats(const struct store *s, struct store_stats *out)
{
    writer_stats(s->writer, out);
}

bool store_congested(const struct store *s)
{
    return s->filling == TAKING && writer_waiting_bytes(s->writer) > s->max_waiting_bytes / 2;
}

bool store_lost_rows(const struct store *s)
{
    return s->filling == LOST;
}

/* All kinds: which of them changed meanwhile nobody can say. */
static void end_dropping(struct store *s)
{
    store_add_gap(s, "*", s->dropping_since_ms, clock_wall_ms(), "store full");
    s->filling = LOST;
}

static void committed(void *ctx, int64_t last_seq, uint32_t rows, uint64_t commit_us)
{
    struct store *s = ctx;

    if (s->filling == DROPPING && writer_drained(s->writer)) {
        end_dropping(s);
    }
    if (s->fn != NULL) {
        s->fn(s->fn_ctx, last_seq, rows, commit_us);
    }
}

bool store_put(struct store *s, const struct row *row)
{
    if (s->filling == TAKING && writer_push(s->writer, row, false)) {
        return true;
    }
    if (s->filling == TAKING) {
        s->filling = DROPPING;
        s->dropping_since_ms = clock_wall_ms();
        log_event(
            LOG_LEVEL_ERROR, "store", "dropping rows", KV_TEXT("path", s->path),
            KV_TEXT("error", "too many rows wait for the disk"),
            KV_TEXT("next", "a gap is recorded and everything judged again when the disk writes"));
    }
    return false;
}

int64_t store_new_seq(struct store *s)
{
    return s->next_seq++;
}

int64_t store_new_proof(struct store *s)
{
    return s->next_proof++;
}

struct name_ref store_text(struct store *s, const char *text)
{
    uint32_t id = names_find(s->names, text);

    if (id == 0) {
        id = names_next(s->names, text);
        if (id != 0) {
            struct row row = { .kind = ROW_TEXT, .id = id, .text = text };
            if (store_put(s, &row)) {
                names_add(s->names, id, text);
            } else {
                id = 0;
            }
        }
    }
    return (struct name_ref){ .id = id, .text = text };
}

uint32_t store_rule(struct store *s, const char *policy, const char *rule, const char *category)
{
    bool same;
    uint32_t id = names_find_rule(s->names, policy, rule, category, &same);

    if (id != 0 && same) {
        return id;
    }
    uint32_t wanted = id != 0 ? id : names_next_rule(s->names);
    struct row row = {
        .kind = ROW_RULE, .id = wanted, .text = policy, .text2 = rule, .text3 = category
    };
    if (wanted != 0 && store_put(s, &row)) {
        names_add_rule(s->names, wanted, policy, rule, category);
        return wanted;
    }
    return id;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    return hash_mix(h, text == NULL ? 1 : hash_bytes(text, strlen(text)));
}

static uint64_t cause_hash(const struct cause *c)
{
    uint64_t h = hash_mix(c->verb, (uint64_t)c->from_ms);

    h = hash_mix(h, (uint64_t)c->to_ms);
    h = hash_mix(h, (uint64_t)c->manager_ms);
    h = hash_text(h, c->api_version);
    h = hash_text(h, c->kind);
    h = hash_text(h, c->ns);
    h = hash_text(h, c->name);
    h = hash_text(h, c->uid);
    h = hash_text(h, c->resource_version);
    return hash_text(h, c->manager);
}

static bool present(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* apiVersion is "v1" or "group/v1". */
static void split_version(struct store *s, const char *api_version, struct row *row)
{
    const char *slash = strchr(api_version, '/');
    const char *group =
        slash == NULL ? "" : arena_strndup(&s->arena, api_version, (size_t)(slash - api_version));

    row->group = store_text(s, group);
    row->version = store_text(s, slash == NULL ? api_version : slash + 1);
}

static bool put_cause(struct store *s, int64_t id, const struct cause *c)
{
    bool moment = c->verb != CHANGE_FOUND && c->verb != CHANGE_GONE;
    struct row row = { .kind = ROW_CAUSE,
                       .id = id,
                       .verb = c->verb,
                       .from_ms = moment ? 0 : c->from_ms,
                       .to_ms = c->to_ms,
                       .manager_ms = c->manager_ms };

    if (present(c->kind)) {
        split_version(s, store_clean(&s->arena, c->api_version), &row);
        row.object_kind = store_text(s, store_clean(&s->arena, c->kind));
        row.ns = store_clean(&s->arena, c->ns);
        row.name = store_clean(&s->arena, c->name);
        row.uid = store_clean(&s->arena, c->uid);
        row.resource_version = store_clean(&s->arena, c->resource_version);
    }
    if (present(c->manager)) {
        row.manager = store_text(s, store_clean(&s->arena, c->manager));
    }
    bool put = store_put(s, &row);
    arena_reset(&s->arena);
    return put;
}

int64_t store_cause(struct store *s, const struct cause *c)
{
    if (c == NULL || (!present(c->kind) && c->verb != CHANGE_FOUND && c->verb != CHANGE_GONE)) {
        return 0;
    }
    uint64_t hash = cause_hash(c);
    for (size_t i = 0; i < RECENT_CAUSES; i++) {
        if (s->causes[i].id != 0 && s->causes[i].hash == hash) {
            return s->causes[i].id;
        }
    }
    int64_t id = s->next_cause++;
    if (!put_cause(s, id, c)) {
        return 0;
    }
    s->causes[s->cause_turn].hash = hash;
    s->causes[s->cause_turn].id = id;
    s->cause_turn = (s->cause_turn + 1) % RECENT_CAUSES;
    return id;
}

/* ---- text as it is stored ---- */

static bool is_plain(const char *text, size_t *len)
{
    size_t i = 0;

    while (text[i] >= 0x20 && text[i] < 0x7F) {
        i++;
    }
    *len = i;
    return text[i] == '\0';
}

const char *store_clean(struct arena *a, const char *text)
{
    size_t len;

    if (text == NULL) {
        return "";
    }
    if (is_plain(text, &len) && len <= ROW_TEXT_MAX_BYTES) {
        return text;
    }
    len += strlen(text + len);
    size_t size = len < ROW_TEXT_MAX_BYTES / 4 ? 4 * len + 1 : ROW_TEXT_MAX_BYTES + 1;
    char *clean = arena_alloc(a, size);
    text_escape_control(clean, size, text, len);
    return clean;
}

/* Each line is cleaned by itself; a text without anything to clean is returned as it is. */
const char *store_clean_lines(struct arena *a, const char *text)
{
    struct buf lines;
    bool same = true;

    if (text == NULL || strchr(text, '\n') == NULL) {
        return store_clean(a, text);
    }
    buf_init(&lines, ROW_TEXT_MAX_BYTES);
    for (const char *p = text;;) {
        size_t len = strcspn(p, "\n");
        const char *line = arena_strndup(a, p, len), *clean = store_clean(a, line);
        same = same && clean == line;
        if (buf_adds(&lines, clean) != 0 || p[len] == '\0' || buf_add(&lines, "\n", 1) != 0) {
            same = same && p[len] == '\0';
            break;
        }
        p += len + 1;
    }
    const char *out = same ? text : arena_strdup(a, buf_text(&lines));
    buf_deinit(&lines);
    return out;
}

static bool has_control(const char *text)
{
    while ((unsigned char)*text >= 0x20) {
        text++;
    }
    return *text != '\0';
}

/* In JSON they can only be white space between its parts. */
static const char *without_control(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_strndup(a, text, len);

    for (char *p = copy; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x20 ? ' ' : *p;
    }
    return copy;
}

const char *store_clean_json(struct arena *a, const char *json)
{
    size_t len = json == NULL ? 0 : strlen(json);

    if (len == 0) {
        return "{}";
    }
    if (len > ROW_TEXT_MAX_BYTES) {
        return "{\"cut\":\"evidence longer than 64 KiB\"}";
    }
    if (!text_is_utf8(json, len)) {
        return store_clean(a, json);
    }
    return has_control(json) ? without_control(a, json, len) : json;
}

/* ---- what comes back ---- */

int store_load(struct store *s, const struct store_loader *loader, uint32_t max_resolved,
               struct error *err)
{
    struct db *db;
    int rc = db_open(&db, s->path, DB_READ, NULL, err);

    if (rc == 0) {
        rc = load_life(db, s->names, loader, max_resolved, err);
        db_close(db);
    }
    if (rc != 0) {
        return error_wrap(err, rc, "read database '%s'", s->path);
    }
    s->filling = TAKING;
    return 0;
}

int store_close(struct store *s, uint64_t timeout_ms, struct error *err)
{
    if (s == NULL) {
        return 0;
    }
    if (s->filling == DROPPING) {
        end_dropping(s);
    }
    int rc = writer_stop(s->writer, timeout_ms, err);
    store_free(s);
    return rc;
}
