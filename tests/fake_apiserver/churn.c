#include "churn.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commit.h"
#include "generate.h"
#include "patch.h"
#include "selector.h"

#define LOG_MAX 200000
#define STEPS_TICK                                                                                 \
    5000 /* at most so many changes in one turn of the loop, that answers get their turn */

enum mode { MODE_TOUCH, MODE_REPLACE, MODE_PATCH };

struct record {
    uint64_t t_ns, rv, step;
    const struct kind *kind;
    enum event_type type;
    char *key;
};

struct churn {
    struct churn *next;
    char *id;
    const struct kind *kind;
    enum mode mode;
    cJSON *patches;
    char **keys;
    cJSON **gone; /* replace: what was deleted, to come back */
    size_t n;
    double rate;
    uint64_t started_ns, until_ns, done, late_max_ms;
    bool log, stamp, running;
};

static struct record *records; /* a ring of LOG_MAX */
static uint64_t record_first, record_next, serial;

uint64_t realtime_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void record(const struct churn *c, uint64_t t_ns, uint64_t rv, enum event_type type,
                   const char *key)
{
    struct record *r;

    if (!c->log) {
        return;
    }
    if (records == NULL) {
        records = xcalloc(LOG_MAX, sizeof(*records));
    }
    r = &records[record_next % LOG_MAX];
    if (record_next - record_first == LOG_MAX) {
        free(r->key);
        record_first++;
    }
    *r = (struct record){ t_ns, rv, c->done, c->kind, type, xstrdup(key) };
    record_next++;
}

static void set_stamp(cJSON *root, uint64_t ns)
{
    struct buf b = { 0 };

    buf_u64(&b, ns);
    jset_str(jobj(jobj(root, "metadata"), "annotations"), "fake.netauditd.io/at", buf_cstr(&b));
    buf_free(&b);
}

static void touch_tree(struct fake *f, struct churn *c, struct object *o, uint64_t now)
{
    cJSON *root = object_tree(o);
    struct writer w = { .defaults = false };
    struct buf b = { 0 };
    bool changed;

    if (c->mode == MODE_PATCH) {
        const cJSON *patch = cJSON_GetArrayItem(
            c->patches, (int)(c->done / c->n % (uint64_t)cJSON_GetArraySize(c->patches)));

        patch_merge(root, patch);
        w.defaults = true;
    } else {
        buf_u64(&b, c->done);
        jset_str(jobj(jobj(root, "metadata"), "annotations"), "fake.netauditd.io/touch",
                 buf_cstr(&b));
        buf_free(&b);
    }
    if (c->stamp) {
        set_stamp(root, now);
    }
    commit_update(f, o, root, &w, &changed);
    cJSON_Delete(root);
}

static void step_replace(struct fake *f, struct churn *c, size_t i, struct object *o)
{
    struct writer w = { .defaults = false };
    cJSON *meta;

    if (o != NULL) {
        cJSON_Delete(c->gone[i]);
        c->gone[i] = object_tree(o);
        store_delete(&f->store, o);
        record(c, realtime_ns(), f->store.rv, EVENT_DELETED, c->keys[i]);
        return;
    }
    if (c->gone[i] == NULL) {
        return;
    }
    meta = jget(c->gone[i], "metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "uid");
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "creationTimestamp");
    if (c->stamp) {
        set_stamp(c->gone[i], realtime_ns());
    }
    commit_create(f, c->kind, c->gone[i], &w);
    cJSON_Delete(c->gone[i]);
    c->gone[i] = NULL;
    record(c, realtime_ns(), f->store.rv, EVENT_ADDED, c->keys[i]);
}

/* A churn leaves nothing deleted behind. */
static void bring_back(struct fake *f, struct churn *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->gone[i] != NULL && store_find(&f->store, c->kind, c->keys[i]) == NULL) {
            step_replace(f, c, i, NULL);
        }
    }
}

static void step(struct fake *f, struct churn *c)
{
    size_t i = (size_t)(c->mode == MODE_REPLACE ? c->done / 2 % c->n : c->done % c->n);
    struct object *o = store_find(&f->store, c->kind, c->keys[i]);
    uint64_t now = realtime_ns();

    if (c->mode == MODE_REPLACE) {
        step_replace(f, c, i, o);
    } else if (o != NULL) {
        if (c->mode == MODE_TOUCH && o->render != NULL) {
            store_put(&f->store, object_touched(o, f->store.rv + 1, c->stamp ? now : 0));
        } else {
            touch_tree(f, c, o, now);
        }
        record(c, realtime_ns(), f->store.rv, EVENT_MODIFIED, c->keys[i]);
    }
    c->done++;
}

void churn_tick(struct fake *f)
{
    for (struct churn *c = f->churns; c != NULL; c = c->next) {
        uint64_t now = uv_hrtime();
        uint64_t end = c->until_ns > 0 && now > c->until_ns ? c->until_ns : now;
        uint64_t due = (uint64_t)((double)(end - c->started_ns) / 1e9 * c->rate);
        uint64_t late;

        if (!c->running) {
            continue;
        }
        for (unsigned i = 0; c->done < due && i < STEPS_TICK; i++) {
            step(f, c);
        }
        late = (uint64_t)((double)(due - c->done) * 1000.0 / c->rate);
        c->late_max_ms = late > c->late_max_ms ? late : c->late_max_ms;
        c->running = c->done < due || end == now;
        if (!c->running) {
            bring_back(f, c);
        }
    }
}

static bool pick(struct fake *f, struct churn *c, const cJSON *spec, struct buf *why)
{
    struct selector sel = { 0 };
    struct snapshot snap;
    const char *labels = jstr(spec, "labelSelector", "");
    uint64_t seed = (uint64_t)jnum(spec, "seed", 1);
    size_t want = (size_t)jnum(spec, "objects", 0);
    char *text = NULL;

    if (!selector_parse_labels(labels, &sel, &text)) {
        buf_fmt(why, "labelSelector: %s", text);
        free(text);
        return false;
    }
    store_snapshot(&f->store, c->kind, jstr(spec, "namespace", ""), f->store.rv, &snap);
    c->keys = xcalloc(snap.n, sizeof(*c->keys));
    for (size_t i = 0; i < snap.n; i++) {
        if (selector_matches_labels(&sel, snap.objs[i])) {
            c->keys[c->n++] = xstrdup(snap.objs[i]->key);
        }
    }
    snapshot_free(&snap);
    selector_free(&sel);
    for (size_t i = c->n; i > 1; i--) {
        size_t j = (size_t)(mix(seed + i) % i);
        char *t = c->keys[i - 1];

        c->keys[i - 1] = c->keys[j];
        c->keys[j] = t;
    }
    while (want > 0 && c->n > want) {
        free(c->keys[--c->n]);
    }
    c->gone = xcalloc(c->n, sizeof(*c->gone));
    if (c->n == 0) {
        buf_str(why, "no object matches");
    }
    return c->n > 0;
}

static void churn_free(struct churn *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->keys[i]);
        cJSON_Delete(c->gone[i]);
    }
    free(c->keys);
    free(c->gone);
    cJSON_Delete(c->patches);
    free(c->id);
    free(c);
}

int churn_start(struct fake *f, const cJSON *spec, struct buf *why, struct buf *id)
{
    const char *mode = jstr(spec, "mode", "touch");
    double seconds = jnum(spec, "seconds", 10);
    struct churn *c = xcalloc(1, sizeof(*c));

    c->kind = kind_by_word(jstr(spec, "kind", "pods"));
    c->rate = jnum(spec, "rate", 200);
    c->mode = strcmp(mode, "replace") == 0 ? MODE_REPLACE
              : strcmp(mode, "patch") == 0 ? MODE_PATCH
                                           : MODE_TOUCH;
    c->log = jbool(spec, "log", true);
    c->stamp = jbool(spec, "stamp", true);
    c->patches = cJSON_Duplicate(jget(spec, "patches"), 1);
    if (c->kind == NULL) {
        buf_fmt(why, "kind: no kind '%s'", jstr(spec, "kind", ""));
    } else if (!(c->rate > 0 && c->rate <= 1e7) || seconds < 0) {
        buf_str(why, "rate: a number of changes a second, above 0; seconds: at least 0");
    } else if (c->mode == MODE_TOUCH && strcmp(mode, "touch") != 0) {
        buf_fmt(why, "mode: touch, replace or patch, not '%s'", mode);
    } else if (c->mode == MODE_PATCH && (!cJSON_IsArray(c->patches) || c->patches->child == NULL)) {
        buf_str(why, "patches: an array of at least one merge patch");
    } else if (pick(f, c, spec, why)) {
        buf_fmt(id, "c%llu", (unsigned long long)++serial);
        c->id = xstrdup(buf_cstr(id));
        c->started_ns = uv_hrtime();
        c->until_ns = seconds > 0 ? c->started_ns + (uint64_t)(seconds * 1e9) : 0;
        c->running = true;
        c->next = f->churns;
        f->churns = c;
        return 0;
    }
    churn_free(c);
    return -1;
}

bool churn_stop(struct fake *f, const char *id)
{
    struct churn **slot = &f->churns;
    bool found = false;

    while (*slot != NULL) {
        struct churn *c = *slot;

        if (id == NULL || strcmp(c->id, id) == 0) {
            *slot = c->next;
            bring_back(f, c);
            churn_free(c);
            found = true;
        } else {
            slot = &c->next;
        }
    }
    return found;
}

void churn_json(struct fake *f, struct buf *out)
{
    buf_str(out, "{\"churns\":[");
    for (struct churn *c = f->churns; c != NULL; c = c->next) {
        buf_fmt(
            out,
            "{\"id\":\"%s\",\"running\":%s,\"done\":%llu,\"objects\":%zu,\"late_max_ms\":%llu}%s",
            c->id, c->running ? "true" : "false", (unsigned long long)c->done, c->n,
            (unsigned long long)c->late_max_ms, c->next != NULL ? "," : "");
    }
    buf_str(out, "]}");
}

void churn_log_lines(struct fake *f, struct buf *out)
{
    (void)f;
    for (uint64_t i = record_first; i < record_next; i++) {
        const struct record *r = &records[i % LOG_MAX];
        const char *slash = r->kind->namespaced ? strchr(r->key, '/') : NULL;
        size_t ns = slash != NULL ? (size_t)(slash - r->key) : 0;

        buf_fmt(
            out,
            "{\"t_ns\":%llu,\"rv\":\"%llu\",\"type\":\"%s\",\"kind\":\"%s\",\"namespace\":\"%.*s\","
            "\"name\":\"%s\",\"step\":%llu}\n",
            (unsigned long long)r->t_ns, (unsigned long long)r->rv, event_names[r->type],
            r->kind->resource, (int)ns, r->key, slash != NULL ? slash + 1 : r->key,
            (unsigned long long)r->step);
    }
}

void churn_deinit(struct fake *f)
{
    while (f->churns != NULL) {
        struct churn *c = f->churns;

        f->churns = c->next;
        churn_free(c);
    }
    for (uint64_t i = record_first; i < record_next; i++) {
        free(records[i % LOG_MAX].key);
    }
    free(records);
    records = NULL;
    record_first = record_next = 0;
}
