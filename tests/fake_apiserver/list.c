#include "list.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "options.h"

#define GZIP_FROM_BYTES (128u * 1024)
#define BLOCK           (64u * 1024)

enum stage { LIST_HEAD, LIST_ITEMS, LIST_TAIL, LIST_DONE };

struct list {
    struct exchange x;
    struct list_options opt;
    bool opt_ready;
    struct snapshot snap;
    size_t at, end; /* of snap: what this answer holds */
    size_t first;
    enum stage stage;
    enum object_form form;
    struct buf head, tail;
    size_t cut_bytes; /* of the item behind the last one, when cut_item */
    bool cut, cut_item, gzip;
    uint64_t bomb_left, deadline, wait_until;
    z_stream z;
    struct buf block; /* clear bytes on their way into z */
};

size_t list_size(void)
{
    return sizeof(struct list);
}

static void release(struct exchange *x)
{
    struct list *l = (struct list *)x;

    if (l->opt_ready) {
        options_free(&l->opt);
    }
    if (l->gzip) {
        deflateEnd(&l->z);
    }
    snapshot_free(&l->snap);
    buf_free(&l->head);
    buf_free(&l->tail);
    buf_free(&l->block);
}

uint64_t stale_rv(struct fake *f, const struct kind *kind, uint64_t lag)
{
    struct kind_log *log = store_log(&f->store, kind);

    if (log->next - log->first <= lag) {
        return log->floor_rv;
    }
    return store_event(log, log->next - lag)->rv - 1;
}

static enum body_state fill_clear(struct list *l, struct buf *out, size_t want)
{
    size_t start = out->len;

    if (l->stage == LIST_HEAD) {
        buf_add(out, l->head.data, l->head.len);
        l->stage = LIST_ITEMS;
    }
    while (l->bomb_left > 0 && out->len - start < want) {
        size_t n = l->bomb_left < BLOCK ? (size_t)l->bomb_left : BLOCK;

        memset(buf_reserve(out, n), ' ', n);
        out->len += n;
        l->bomb_left -= n;
    }
    while (l->stage == LIST_ITEMS && l->at < l->end && out->len - start < want) {
        if (l->at > l->first) {
            buf_add(out, ",", 1);
        }
        object_append(l->snap.objs[l->at++], l->form, out);
    }
    if (l->stage == LIST_ITEMS && l->at == l->end && l->bomb_left == 0) {
        l->stage = LIST_DONE;
        if (!l->cut) {
            buf_add(out, l->tail.data, l->tail.len);
        } else if (l->cut_item && l->end < l->snap.n) {
            size_t before;

            buf_str(out, l->at > l->first ? "," : "");
            before = out->len;
            object_append(l->snap.objs[l->end], l->form, out);
            if (out->len - before > l->cut_bytes) {
                out->len = before + l->cut_bytes;
            }
        }
    }
    return l->stage == LIST_DONE ? BODY_END : BODY_MORE;
}

static enum body_state list_fill(struct body_source *src, struct buf *out, size_t want)
{
    struct list *l = (struct list *)src;
    enum body_state state;
    size_t start = out->len;
    int rc;

    if (!l->gzip) {
        return fill_clear(l, out, want);
    }
    do {
        l->block.len = 0;
        state = fill_clear(l, &l->block, BLOCK);
        l->z.next_in = (Bytef *)l->block.data;
        l->z.avail_in = (uInt)l->block.len;
        do {
            l->z.next_out = (Bytef *)buf_reserve(out, BLOCK);
            l->z.avail_out = BLOCK;
            rc = deflate(&l->z, state == BODY_END ? Z_FINISH : Z_NO_FLUSH);
            out->len += BLOCK - l->z.avail_out;
        } while (l->z.avail_out == 0 && rc != Z_STREAM_END);
    } while (state == BODY_MORE && out->len - start < want);
    return state;
}

static void tick(struct exchange *x, uint64_t now)
{
    struct list *l = (struct list *)x;

    if (!x->started) {
        if (now >= l->wait_until || l->opt.rv <= x->fake->store.rv) {
            x->tick = NULL;
            list_start(x);
        }
    } else if (now >= l->deadline) {
        x->tick = NULL;
        http_kill(x->conn, TRANSPORT_CLOSE, END_FAULT);
    }
}

void refuse_too_large(struct exchange *x, uint64_t rv)
{
    struct buf b = { 0 };

    buf_fmt(&b, "Timeout: Too large resource version: %llu, current: %llu", (unsigned long long)rv,
            (unsigned long long)x->fake->store.rv);
    exchange_status(x, &(struct status){ .code = 504,
                                         .reason = "Timeout",
                                         .message = buf_cstr(&b),
                                         .causes = "[{\"reason\":\"ResourceVersionTooLarge\","
                                                   "\"message\":\"Too large resource version\"}]",
                                         .retry_after_seconds = 1 });
    buf_free(&b);
}

static bool token_alive(struct fake *f, uint64_t rv)
{
    uint64_t now = fake_now(f);

    for (size_t i = 0; i < f->issued_count; i++) {
        if (f->issued[i].rv == rv) {
            return now - f->issued[i].at_ms < f->settings.token_ttl_ms;
        }
    }
    return false;
}

static void note_issued(struct fake *f, uint64_t rv)
{
    size_t n = f->issued_count;

    if (token_alive(f, rv)) {
        return;
    }
    if (n == ISSUED_MAX) {
        memmove(f->issued, f->issued + 1, (n - 1) * sizeof(f->issued[0]));
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        if (f->issued[i].rv == rv) {
            f->issued[i].at_ms = fake_now(f);
            return;
        }
    }
    f->issued[n] = (struct issued){ rv, fake_now(f) };
    f->issued_count = n + 1;
}

static void refuse_expired_token(struct exchange *x, const char *start)
{
    struct buf token = { 0 };

    token_write(&token, -1, start);
    exchange_status(
        x, &(struct status){
               .code = 410,
               .reason = "Expired",
               .message = "The provided continue parameter is too old to display a consistent list "
                          "result. You can start a new list without the continue parameter, or use "
                          "the continue token in this response to retrieve the remainder of the "
                          "results. Continuing with the provided token results in an inconsistent "
                          "list - objects that were created, modified, or deleted between the time "
                          "the first chunk was returned and now may show up in the list.",
               .continue_token = buf_cstr(&token) });
    buf_free(&token);
}

/* Which version to read at. False: answered, or waiting. *start: key (without namespace) to begin
 * at, or NULL. */
static bool choose_rv(struct list *l, uint64_t *rv, char **start, bool *exact)
{
    struct exchange *x = &l->x;
    struct fake *f = x->fake;
    struct fault *stale = exchange_fault(x, ACT_STALE);
    uint64_t current = f->store.rv;
    int64_t token_rv;

    if (stale != NULL) {
        current = stale_rv(f, x->route.kind, (uint64_t)jnum(stale->spec, "lag", 10));
    }
    *rv = current;
    *exact = false;
    if (l->opt.continue_token[0] != '\0') {
        if (!token_read(l->opt.continue_token, &token_rv, start)) {
            exchange_error(x, 400, "continue key is not valid: illegal base64 data or version");
            return false;
        }
        if (token_rv < 0) {
            return true;
        }
        *rv = (uint64_t)token_rv;
        *exact = true;
        if (*rv > f->store.rv || *rv < f->store.compacted_rv || !token_alive(f, *rv)) {
            refuse_expired_token(x, *start);
            return false;
        }
        return true;
    }
    if (!l->opt.rv_set || l->opt.rv == 0) {
        return true;
    }
    *exact = l->opt.exact || (l->opt.limit > 0 && !l->opt.not_older);
    if (l->opt.rv > current) {
        if (*exact || l->wait_until > 0 || stale != NULL) {
            refuse_too_large(x, l->opt.rv);
            return false;
        }
        l->wait_until = fake_now(f) + TOO_LARGE_WAIT_MS;
        x->tick = tick;
        http_hold(x->conn, &x->src);
        return false;
    }
    if (*exact) {
        *rv = l->opt.rv;
        if (*rv < f->store.compacted_rv) {
            exchange_error(x, 410, "The resourceVersion for the provided list is too old.");
            return false;
        }
    }
    return true;
}

static void filter(struct list *l)
{
    size_t kept = 0;

    if (l->opt.labels.n == 0 && l->opt.fields.n == 0) {
        return;
    }
    for (size_t i = 0; i < l->snap.n; i++) {
        struct object *o = l->snap.objs[i];

        if (selector_matches_labels(&l->opt.labels, o) &&
            selector_matches_fields(&l->opt.fields, o)) {
            l->snap.objs[kept++] = o;
        } else {
            object_unref(o);
        }
    }
    l->snap.n = kept;
}

static size_t find_start(const struct list *l, const char *start)
{
    size_t skip = l->x.route.ns[0] != '\0' ? strlen(l->x.route.ns) + 1 : 0;
    size_t i = 0;

    /* The token names the last key served; the page begins behind it. */
    while (i < l->snap.n && strcmp(l->snap.objs[i]->key + skip, start) <= 0) {
        i++;
    }
    return i;
}

static void write_ends(struct list *l, uint64_t rv, const char *token, size_t remaining, bool count)
{
    const struct kind *k = l->x.route.kind;
    bool meta = l->x.asked == ASK_METADATA_LIST;
    struct fault *t = exchange_fault(&l->x, ACT_LIST_RV);
    struct buf m = { 0 };

    if (k->crd && !meta) {
        buf_str(&m, "\"continue\":");
        buf_json(&m, token);
        if (count) {
            buf_fmt(&m, ",\"remainingItemCount\":%zu", remaining);
        }
        if (t == NULL || jstr(t->spec, "value", NULL) != NULL) {
            buf_str(&m, ",\"resourceVersion\":\"");
            t != NULL ? buf_str(&m, jstr(t->spec, "value", "")) : buf_u64(&m, rv);
            buf_str(&m, "\"");
        }
        buf_fmt(&l->head, "{\"apiVersion\":\"%s\",\"items\":[", k->api_version);
        buf_fmt(&l->tail, "],\"kind\":\"%sList\",\"metadata\":{%s}}\n", k->name, buf_cstr(&m));
    } else {
        if (t == NULL || jstr(t->spec, "value", NULL) != NULL) {
            buf_str(&m, "\"resourceVersion\":\"");
            t != NULL ? buf_str(&m, jstr(t->spec, "value", "")) : buf_u64(&m, rv);
            buf_str(&m, "\"");
        }
        if (token != NULL) {
            buf_str(&m, m.len > 0 ? ",\"continue\":" : "\"continue\":");
            buf_json(&m, token);
            if (count) {
                buf_fmt(&m, ",\"remainingItemCount\":%zu", remaining);
            }
        }
        buf_fmt(&l->head,
                "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{%s},\"items\":[",
                meta ? "PartialObjectMetadata" : k->name, meta ? "meta.k8s.io/v1" : k->api_version,
                buf_cstr(&m));
        buf_str(&l->tail, "]}\n");
    }
    buf_free(&m);
}

void snapshot_shuffle(struct fake *f, struct snapshot *s)
{
    for (size_t i = s->n; i > 1; i--) {
        size_t j = (size_t)(fake_random(f) % i);
        struct object *o = s->objs[i - 1];

        s->objs[i - 1] = s->objs[j];
        s->objs[j] = o;
    }
}

static void apply_faults(struct list *l, bool *gzip)
{
    struct exchange *x = &l->x;
    size_t n = l->end - l->first;
    struct fault *t;

    if ((t = exchange_fault(x, ACT_TRUNCATE_LIST)) != NULL) {
        double items = jnum(t->spec, "items", (double)(n / 2));

        l->end = l->first + (items < (double)n ? (size_t)items : n);
        l->cut = true;
        l->cut_item = jget(t->spec, "frame_bytes") != NULL;
        l->cut_bytes = (size_t)jnum(t->spec, "frame_bytes", 0);
    }
    if (exchange_fault(x, ACT_ITEM_KINDS) != NULL && l->form == FORM_ITEM) {
        l->form = FORM_OBJECT;
    }
    if (exchange_fault(x, ACT_GZIP) != NULL) {
        *gzip = true;
    }
    if ((t = exchange_fault(x, ACT_GZIP_BOMB)) != NULL) {
        l->bomb_left = (uint64_t)jnum(t->spec, "bytes", 1024.0 * 1024 * 1024);
        *gzip = true;
    }
}

static bool worth_gzip(const struct list *l)
{
    struct buf one = { 0 };
    bool worth;

    if (strstr(l->x.req->accept_encoding, "gzip") == NULL || l->end == l->first) {
        return false;
    }
    object_append(l->snap.objs[l->first], l->form, &one);
    worth = one.len * (l->end - l->first) > GZIP_FROM_BYTES;
    buf_free(&one);
    return worth;
}

static void serve(struct list *l, uint64_t rv, const char *start)
{
    struct exchange *x = &l->x;
    struct fault *t;
    struct buf token = { 0 };
    size_t page, remaining;
    bool more, gzip;
    uint64_t limit = l->opt.limit;

    filter(l);
    if (exchange_fault(x, ACT_SHUFFLE) != NULL) {
        snapshot_shuffle(x->fake, &l->snap);
    }
    l->first = start != NULL ? find_start(l, start) : 0;
    /* A read "at any version" comes from the watch cache, which knows no limit. */
    if ((l->opt.rv_set && l->opt.rv == 0 && start == NULL) ||
        exchange_fault(x, ACT_LIMIT_IGNORED) != NULL) {
        limit = 0;
    }
    remaining = l->snap.n - l->first;
    page = limit > 0 && limit < remaining ? (size_t)limit : remaining;
    if (limit > 0 && remaining > 0 && exchange_fault(x, ACT_EMPTY_PAGE) != NULL) {
        page = 0;
    }
    more = page < remaining;
    l->end = l->first + page;
    l->at = l->first;
    if ((t = exchange_fault(x, ACT_SHORT_LIST)) != NULL) {
        double items = jnum(t->spec, "items", (double)(page / 2));

        l->end = l->first + (items < (double)page ? (size_t)items : page);
        more = false;
    }
    if (more) {
        size_t skip = x->route.ns[0] != '\0' ? strlen(x->route.ns) + 1 : 0;
        const char *last = l->end > 0 ? l->snap.objs[l->end - 1]->key + skip : "";

        token_write(&token, (int64_t)rv, last);
        note_issued(x->fake, rv);
    }
    write_ends(l, rv, more ? buf_cstr(&token) : NULL, remaining - page,
               more && l->opt.labels.n == 0 && l->opt.fields.n == 0);
    buf_free(&token);
    l->form = x->asked == ASK_METADATA_LIST ? FORM_METADATA
              : x->route.kind->crd          ? FORM_OBJECT
                                            : FORM_ITEM;
    gzip = worth_gzip(l);
    apply_faults(l, &gzip);
    if (x->pretty) {
        struct buf whole = { 0 };

        while (fill_clear(l, &whole, BLOCK) == BODY_MORE) {
            ;
        }
        whole.len -= whole.len > 0 && whole.data[whole.len - 1] == '\n';
        exchange_reply(x, 200, "application/json", &whole);
        return;
    }
    if (gzip) {
        l->gzip = deflateInit2(&l->z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        exchange_header(x, "Content-Encoding: gzip\r\nVary: Accept-Encoding");
    }
    x->src.fill = list_fill;
    x->tick = tick;
    l->deadline = x->started_ms + x->fake->settings.request_timeout_ms;
    if ((t = exchange_fault(x, ACT_CONTENT_LENGTH)) != NULL) {
        struct buf whole = { 0 };
        double delta = jnum(t->spec, "delta", 10);

        while (list_fill(&x->src, &whole, BLOCK) == BODY_MORE) {
            ;
        }
        x->src.fill = exchange_fill_plain;
        x->out = whole;
        exchange_start(x, 200, "application/json", false, (uint64_t)((double)whole.len + delta));
        return;
    }
    exchange_start(x, 200, "application/json", true, 0);
}

static bool serve_oddity(struct exchange *x)
{
    struct buf b = { 0 };

    if (exchange_fault(x, ACT_TABLE) != NULL) {
        buf_fmt(&b,
                "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{"
                "\"resourceVersion\":\"%llu\"},\"columnDefinitions\":[{\"name\":\"Name\","
                "\"type\":\"string\",\"format\":\"name\",\"description\":\"\",\"priority\":0}],"
                "\"rows\":[]}",
                (unsigned long long)x->fake->store.rv);
    } else if (exchange_fault(x, ACT_EMPTY_OBJECT) != NULL) {
        buf_str(&b, "{}");
    } else {
        return false;
    }
    exchange_reply(x, 200, "application/json", &b);
    return true;
}

void list_start(struct exchange *x)
{
    struct list *l = (struct list *)x;
    uint64_t rv;
    bool exact;
    char *start = NULL;

    x->release = release;
    if (!l->opt_ready) {
        if (!accept_parse(x)) {
            return;
        }
        if (x->asked == ASK_METADATA) {
            exchange_error(
                x, 406, "you requested PartialObjectMetadata, but the requested object is a list");
            return;
        }
        if (!options_parse(x, &l->opt)) {
            return;
        }
        l->opt_ready = true;
        if (serve_oddity(x)) {
            return;
        }
    }
    if (!choose_rv(l, &rv, &start, &exact)) {
        free(start);
        return;
    }
    if (!store_snapshot(&x->fake->store, x->route.kind, x->route.ns, rv, &l->snap)) {
        if (start != NULL) {
            refuse_expired_token(x, start);
        } else {
            exchange_error(x, 410, "The resourceVersion for the provided list is too old.");
        }
    } else {
        serve(l, rv, start);
    }
    free(start);
}
