#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "list.h"
#include "options.h"

enum stage { WATCH_INITIAL, WATCH_END_MARK, WATCH_LIVE, WATCH_OVER };

struct watch {
    struct exchange x;
    struct list_options opt;
    struct snapshot init;
    size_t init_at;
    uint64_t seq;     /* next event of the log to look at */
    uint64_t min_rv;  /* events up to here are not told */
    uint64_t sent_rv; /* of the last frame */
    uint64_t lag;     /* events held back: a stale replica */
    enum stage stage;
    bool metadata, end_mark, no_bookmarks, bookmark_due, told_near_end, endless, over;
    uint64_t deadline, next_bookmark, bookmark_every;
    struct object *held; /* by a reorder fault */
    const char *held_type;
    struct buf frame;
    uint64_t base; /* body offset where this fill began, less what `out` held then */
};

size_t watch_size(void)
{
    return sizeof(struct watch);
}

static void release(struct exchange *x)
{
    struct watch *w = (struct watch *)x;

    options_free(&w->opt);
    snapshot_free(&w->init);
    object_unref(w->held);
    buf_free(&w->frame);
}

static bool selected(const struct watch *w, const struct object *o)
{
    return o != NULL &&
           (w->x.route.ns[0] == '\0' || (strlen(w->x.route.ns) == o->ns_len &&
                                         strncmp(o->key, w->x.route.ns, o->ns_len) == 0)) &&
           selector_matches_labels(&w->opt.labels, o) && selector_matches_fields(&w->opt.fields, o);
}

enum verdict { SEND, DROP, HOLD, STOP, PAUSE };

static enum transport transport_for(enum action a)
{
    switch (a) {
    case ACT_CLOSE:
        return TRANSPORT_CLOSE;
    case ACT_RST:
        return TRANSPORT_RST;
    case ACT_END:
        return TRANSPORT_END;
    case ACT_HALF_OPEN:
        return TRANSPORT_HALF_OPEN;
    case ACT_DRIP:
        return TRANSPORT_DRIP;
    default:
        return TRANSPORT_STALL;
    }
}

/* One fault that is due at this point of the stream. `o` is the event's object, NULL for a bookmark
 * or for none. */
static enum verdict act(struct watch *w, struct fault *t, struct buf *out, const char *type,
                        const struct object *o, unsigned *copies)
{
    struct exchange *x = &w->x;

    fault_fire(t);
    if (fault_is_transport(t->action)) {
        uint64_t at = w->base + out->len + (uint64_t)jnum(t->spec, "frame_bytes", 0);
        uint64_t arg = (uint64_t)(t->action == ACT_DRIP ? jnum(t->spec, "bytes_per_s", 1)
                                                        : jnum(t->spec, "ms", 1000));

        http_fault(x->conn, transport_for(t->action), at, arg);
        return PAUSE;
    }
    switch (t->action) {
    case ACT_DROP_EVENT:
        return DROP;
    case ACT_DUPLICATE:
        *copies += (unsigned)jnum(t->spec, "times", 1);
        return SEND;
    case ACT_REORDER:
        return HOLD;
    default:
        frame_fault(out, t, x->route.kind, type, o, o != NULL ? o->rv : w->sent_rv, w->metadata,
                    fake_random(x->fake));
        return t->action == ACT_ERROR_EVENT && jbool(t->spec, "end", true) ? STOP : SEND;
    }
}

static bool due(const struct watch *w, const struct attached *a, bool event)
{
    const struct fault *t = a->fault;

    if (!fault_armed(w->x.fake, t)) {
        return false;
    }
    if (fault_is_transport(t->action)) {
        return t->at == AT_EVENT && event && w->x.events - a->base >= t->at_n;
    }
    if (!fault_is_frame(t->action)) {
        return false;
    }
    if (t->at == AT_EVENT) {
        return event && w->x.events - a->base >= t->at_n;
    }
    /* Frames that stand for themselves need no event to come with. */
    return event || t->action >= ACT_ERROR_EVENT;
}

static enum verdict consult(struct watch *w, struct buf *out, const char *type,
                            const struct object *o, bool event, unsigned *copies)
{
    enum verdict all = SEND;

    for (size_t i = 0; i < w->x.attached_count; i++) {
        if (due(w, &w->x.attached[i], event)) {
            enum verdict v = act(w, w->x.attached[i].fault, out, type, o, copies);

            if (v == STOP) {
                return STOP;
            }
            all = v > all ? v : all;
        }
    }
    return all;
}

static void put_frame(struct watch *w, struct buf *out, const char *type, const struct object *o,
                      const char *bookmark_rv, bool end)
{
    struct buf *to = w->x.pretty ? &w->frame : out;

    w->frame.len = 0;
    if (o != NULL) {
        frame_event(to, type, o, w->metadata);
        w->x.fake->events_sent++;
    } else {
        frame_bookmark(to, w->x.route.kind, bookmark_rv, w->metadata, end);
        w->x.fake->bookmarks_sent++;
    }
    if (w->x.pretty) {
        json_indent(to->data, to->len - 1, out);
        buf_add(out, "\n", 1);
    }
}

static enum verdict send_event(struct watch *w, struct buf *out, const char *type, struct object *o)
{
    unsigned copies = 1;
    enum verdict v = w->x.attached_count > 0 ? consult(w, out, type, o, true, &copies) : SEND;

    if (v == STOP) {
        return STOP;
    }
    w->x.events++;
    if (w->stage != WATCH_INITIAL) {
        w->sent_rv = o->rv;
    }
    if (v == HOLD && w->held == NULL) {
        w->held = object_ref(o);
        w->held_type = type;
        return SEND;
    }
    for (unsigned i = 0; v != DROP && i < copies; i++) {
        put_frame(w, out, type, o, NULL, false);
    }
    if (w->held != NULL) {
        put_frame(w, out, w->held_type, w->held, NULL, false);
        object_unref(w->held);
        w->held = NULL;
    }
    return v;
}

static enum verdict send_bookmark(struct watch *w, struct buf *out, uint64_t rv, bool end)
{
    struct buf number = { 0 };
    unsigned copies = 1;
    enum verdict v = consult(w, out, "BOOKMARK", NULL, true, &copies);

    if (v != STOP && v != DROP) {
        w->x.events++;
        w->sent_rv = rv;
        buf_u64(&number, rv);
        put_frame(w, out, NULL, NULL, buf_cstr(&number), end);
        buf_free(&number);
    }
    return v;
}

static enum verdict send_initial(struct watch *w, struct buf *out)
{
    enum verdict v = SEND;

    if (w->init_at < w->init.n) {
        struct object *o = w->init.objs[w->init_at];

        v = send_event(w, out, "ADDED", o);
        object_unref(o);
        w->init.objs[w->init_at++] = NULL;
    } else {
        w->stage = w->end_mark && !w->no_bookmarks && !w->endless ? WATCH_END_MARK : WATCH_LIVE;
        w->sent_rv = w->min_rv;
    }
    return v;
}

/* One event of the log; the selection may turn its type. */
static enum verdict send_logged(struct watch *w, struct buf *out, struct event *e)
{
    bool was = e->prev != NULL && selected(w, e->prev);
    bool is = e->type != EVENT_DELETED && selected(w, e->obj);
    enum verdict v;

    if (e->rv <= w->min_rv || (!was && !is)) {
        return SEND;
    }
    if (is) {
        return send_event(w, out, was ? "MODIFIED" : "ADDED", e->obj);
    }
    if (e->type == EVENT_DELETED) {
        return send_event(w, out, "DELETED", e->obj);
    }
    /* Out of the selection: the content from before under the version of the change. */
    struct object *gone = object_with_rv(e->prev, e->rv);

    v = send_event(w, out, "DELETED", gone);
    object_unref(gone);
    return v;
}

static uint64_t visible_end(const struct watch *w, const struct kind_log *log)
{
    uint64_t end = log->next - log->first > w->lag ? log->next - w->lag : log->first;

    return end > w->seq ? end : w->seq;
}

/* *waiting: nothing more to say for now. */
static enum verdict send_live(struct watch *w, struct buf *out, bool *waiting)
{
    struct fake *f = w->x.fake;
    struct kind_log *log = store_log(&f->store, w->x.route.kind);
    enum verdict v;

    if (w->seq < log->first) {
        w->x.end_word = "slow";
        w->stage = WATCH_OVER;
        return SEND;
    }
    if (w->seq < visible_end(w, log)) {
        return send_logged(w, out, store_event(log, w->seq++));
    }
    if (w->x.attached_count > 0) {
        const struct object *some = log->count > 0 ? log->items[0] : NULL;
        unsigned copies = 1;

        v = consult(w, out, "MODIFIED", some, false, &copies);
        if (v == STOP) {
            return v;
        }
    }
    if (w->bookmark_due && w->opt.bookmarks && !w->no_bookmarks &&
        (w->lag > 0 || f->store.rv >= w->min_rv)) {
        w->bookmark_due = false;
        return send_bookmark(
            w, out, w->lag > 0 || f->store.rv < w->sent_rv ? w->sent_rv : f->store.rv, false);
    }
    *waiting = true;
    return SEND;
}

static enum body_state watch_fill(struct body_source *src, struct buf *out, size_t want)
{
    struct watch *w = (struct watch *)src;
    size_t start = out->len;
    bool waiting = false;

    /* Inside a fill, out->len + base is the offset in the body. */
    w->base = http_offset(w->x.conn) - out->len;
    while (out->len - start < want && !waiting && w->stage != WATCH_OVER) {
        enum verdict v = SEND;

        if (w->over) {
            w->x.end_word = w->x.end_word != NULL ? w->x.end_word : "timeout";
            w->stage = WATCH_OVER;
        } else if (w->stage == WATCH_INITIAL) {
            v = send_initial(w, out);
        } else if (w->stage == WATCH_END_MARK) {
            w->stage = WATCH_LIVE;
            v = send_bookmark(w, out, w->min_rv, true);
        } else {
            v = send_live(w, out, &waiting);
        }
        if (v == STOP) {
            w->x.end_word = "fault";
            w->stage = WATCH_OVER;
        } else if (v == PAUSE) {
            return BODY_MORE; /* the fault lies at an offset that is now known to http_conn.c */
        }
    }
    if (w->stage == WATCH_OVER) {
        return BODY_END;
    }
    return waiting ? BODY_WAIT : BODY_MORE;
}

static void tick(struct exchange *x, uint64_t now)
{
    struct watch *w = (struct watch *)x;
    bool near_end = now + 2000 >= w->deadline && !w->told_near_end;

    if (now >= w->deadline) {
        w->over = true;
        http_kick(x->conn);
        return;
    }
    if (w->stage == WATCH_LIVE && (now >= w->next_bookmark || near_end)) {
        w->told_near_end = w->told_near_end || near_end;
        w->next_bookmark = now + w->bookmark_every;
        w->bookmark_due = true;
        http_kick(x->conn);
    }
}

void watch_end(struct exchange *x, const char *word)
{
    struct watch *w = (struct watch *)x;

    w->over = true;
    x->end_word = word;
    http_kick(x->conn);
}

static void filter_initial(struct watch *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->init.n; i++) {
        struct object *o = w->init.objs[i];

        if (selected(w, o)) {
            w->init.objs[kept++] = o;
        } else {
            object_unref(o);
        }
    }
    w->init.n = kept;
}

/* False: an ERROR frame will be all. */
static bool position(struct watch *w, struct buf *error)
{
    struct fake *f = w->x.fake;
    const struct kind *k = w->x.route.kind;
    struct kind_log *log = store_log(&f->store, k);
    uint64_t now_rv = w->lag > 0 ? stale_rv(f, k, w->lag) : f->store.rv;
    bool initial = w->opt.send_initial_set ? w->opt.send_initial : !w->opt.rv_set || w->opt.rv == 0;

    w->stage = WATCH_LIVE;
    if (initial && (!w->opt.rv_set || w->opt.rv <= now_rv)) {
        if (!store_snapshot(&f->store, k, w->x.route.ns, now_rv, &w->init)) {
            return false;
        }
        filter_initial(w);
        w->stage = WATCH_INITIAL;
        w->min_rv = now_rv;
        w->seq = log->ring_cap > 0 ? store_seek(log, now_rv) : log->next;
        /* An end mark needs bookmarks, and somebody who asked for a list: by parameter or by
         * version 0. */
        w->end_mark = w->opt.bookmarks && (w->opt.send_initial_set || w->opt.rv_set);
        return true;
    }
    w->min_rv = w->opt.rv_set && w->opt.rv > 0 ? w->opt.rv : now_rv;
    w->sent_rv = w->min_rv;
    if (w->min_rv < log->floor_rv) {
        struct buf b = { 0 };

        buf_fmt(&b, "too old resource version: %llu (%llu)", (unsigned long long)w->min_rv,
                (unsigned long long)log->floor_rv);
        frame_error(error, 410, "Expired", buf_cstr(&b));
        buf_free(&b);
        return false;
    }
    w->seq = log->ring_cap > 0 ? store_seek(log, w->min_rv) : log->next;
    return true;
}

static void set_times(struct watch *w)
{
    struct fake *f = w->x.fake;
    uint64_t now = fake_now(f);
    uint64_t life = w->opt.timeout_s * 1000;
    struct fault *t;

    if (!w->opt.timeout_set || life == 0) {
        uint64_t min_ms = f->settings.min_request_timeout_s * 1000;

        life = min_ms + (min_ms > 0 ? fake_random(f) % min_ms : 0);
    }
    if ((t = exchange_fault(&w->x, ACT_WATCH_TIMEOUT)) != NULL) {
        life = (uint64_t)jnum(t->spec, "ms", 0);
        w->told_near_end = true;
        w->over = life == 0;
    }
    w->deadline = now + life;
    w->bookmark_every = f->settings.bookmark_interval_ms;
    if ((t = exchange_fault(&w->x, ACT_BOOKMARK_STORM)) != NULL) {
        w->bookmark_every = (uint64_t)jnum(t->spec, "interval_ms", 1);
    }
    w->next_bookmark = now + w->bookmark_every;
    w->no_bookmarks = exchange_fault(&w->x, ACT_NO_BOOKMARKS) != NULL;
    w->endless = exchange_fault(&w->x, ACT_WATCHLIST_ENDLESS) != NULL;
}

static void begin(struct watch *w)
{
    struct exchange *x = &w->x;

    set_times(w);
    x->tick = NULL;
    if (position(w, &x->out)) {
        if (exchange_fault(x, ACT_SHUFFLE) != NULL) {
            snapshot_shuffle(x->fake, &w->init);
        }
        x->live = true;
        x->src.fill = watch_fill;
        x->tick = tick;
    }
    exchange_start(x, 200, "application/json", true, 0);
}

/* A streaming list from the future waits as a list does; a plain watch would just be silent. */
static void wait_tick(struct exchange *x, uint64_t now)
{
    struct watch *w = (struct watch *)x;

    if (w->opt.rv <= x->fake->store.rv) {
        begin(w);
    } else if (now >= w->deadline) {
        x->tick = NULL;
        refuse_too_large(x, w->opt.rv);
    }
}

void watch_start(struct exchange *x)
{
    struct watch *w = (struct watch *)x;
    struct fault *t;

    x->release = release;
    if (!accept_parse(x) || !options_parse(x, &w->opt)) {
        return;
    }
    if (x->asked == ASK_METADATA_LIST) {
        /* The real server's trap: 200 and nothing. */
        exchange_start(x, 200, "application/json", true, 0);
        return;
    }
    w->metadata = x->asked == ASK_METADATA;
    if ((t = exchange_fault(x, ACT_STALE)) != NULL) {
        w->lag = (uint64_t)jnum(t->spec, "lag", 10);
    }
    if (w->opt.send_initial && w->opt.rv > x->fake->store.rv) {
        w->deadline = fake_now(x->fake) + TOO_LARGE_WAIT_MS;
        x->tick = wait_tick;
        http_hold(x->conn, &x->src);
        return;
    }
    begin(w);
}

void watch_json(struct exchange *x, struct buf *out)
{
    struct watch *w = (struct watch *)x;
    struct kind_log *log = store_log(&x->fake->store, x->route.kind);
    uint64_t lag = w->seq < log->next ? log->next - w->seq : 0;
    bool initial = w->stage == WATCH_INITIAL || w->stage == WATCH_END_MARK;

    if (http_unsent(x->conn) > 0 && lag == 0) {
        lag = 1; /* said, but not yet written */
    }
    buf_fmt(out,
            "{\"n\":%llu,\"kind\":\"%s\",\"namespace\":\"%s\",\"rv\":\"%llu\",\"lag\":%llu,"
            "\"initial\":%s,\"conn\":%llu,\"user_agent\":",
            (unsigned long long)x->log_n, x->route.kind->resource, x->route.ns,
            (unsigned long long)w->sent_rv, (unsigned long long)lag, initial ? "true" : "false",
            (unsigned long long)http_conn_id(x->conn));
    buf_json(out, x->req->user_agent);
    buf_str(out, "}");
}
