#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "commit.h"

struct item {
    cJSON *root;
    const struct kind *kind;
};

struct batch {
    struct item *items;
    size_t n;
};

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        cJSON_Delete(b->items[i].root);
    }
    free(b->items);
}

static int add_item(struct batch *b, cJSON *root, struct buf *why)
{
    const char *kind = jstr(root, "kind", "");
    const char *version = jstr(root, "apiVersion", "");
    const struct kind *k = kind_by_object(version, kind);

    b->items = xrealloc(b->items, (b->n + 1) * sizeof(*b->items));
    b->items[b->n++] = (struct item){ root, k };
    if (!cJSON_IsObject(root)) {
        buf_fmt(why, "object %zu: not a JSON object", b->n);
        return -1;
    }
    if (k == NULL) {
        buf_fmt(why, "object %zu: no kind '%s' in '%s' (register it by POST /kinds)", b->n, kind,
                version);
        return -1;
    }
    if (jstr(jget(root, "metadata"), "name", "")[0] == '\0') {
        buf_fmt(why, "object %zu (%s): no metadata.name", b->n, kind);
        return -1;
    }
    return 0;
}

/* Takes the tree over, whatever happens. */
static int add_document(struct batch *b, cJSON *doc, struct buf *why)
{
    const char *kind = jstr(doc, "kind", "");
    size_t len = strlen(kind);
    cJSON *items = cJSON_IsArray(doc) ? doc : NULL;
    const char *api = jstr(doc, "apiVersion", "");
    char *item_kind = NULL;
    cJSON *one;
    int rc = 0;

    if (items == NULL && cJSON_IsArray(jget(doc, "items")) && len >= 4 &&
        strcmp(kind + len - 4, "List") == 0) {
        items = jget(doc, "items");
        item_kind = xstrndup(kind, len - 4);
    }
    if (items == NULL) {
        return add_item(b, doc, why);
    }
    while (rc == 0 && (one = cJSON_DetachItemFromArray(items, 0)) != NULL) {
        if (item_kind != NULL && item_kind[0] != '\0' && cJSON_IsObject(one)) {
            jdefault_str(one, "kind", item_kind);
            jdefault_str(one, "apiVersion", api);
        }
        rc = add_item(b, one, why);
    }
    free(item_kind);
    cJSON_Delete(doc);
    return rc;
}

static int parse_all(struct batch *b, const char *text, size_t n, struct buf *why)
{
    const char *end = text + n;
    size_t document = 0;

    for (;;) {
        const char *stop = NULL;
        cJSON *doc;

        while (text < end && strchr(" \t\r\n", *text) != NULL && *text != '\0') {
            text++;
        }
        if (text == end) {
            return 0;
        }
        document++;
        doc = cJSON_ParseWithLengthOpts(text, (size_t)(end - text), &stop, 0);
        if (doc == NULL) {
            buf_fmt(why, "JSON document %zu: syntax error %zu bytes before the end", document,
                    (size_t)(end - (stop != NULL ? stop : text)));
            return -1;
        }
        if (add_document(b, doc, why) != 0) {
            return -1;
        }
        text = stop;
    }
}

static void apply(struct fake *f, struct item *it, bool defaults, struct loaded *out)
{
    struct writer w = { .defaults = defaults };
    struct buf key = { 0 };
    struct object *old;

    if (it->kind->namespaced) {
        jdefault_str(jobj(it->root, "metadata"), "namespace", "default");
        commit_namespace(f, jstr(jget(it->root, "metadata"), "namespace", ""));
    }
    key_of(it->kind, it->root, &key);
    old = store_find(&f->store, it->kind, buf_cstr(&key));
    if (old == NULL) {
        commit_create(f, it->kind, it->root, &w);
        out->created++;
    } else {
        bool changed;

        commit_update(f, old, it->root, &w, &changed);
        out->updated += changed;
        out->unchanged += !changed;
    }
    buf_free(&key);
}

static bool in_batch(const struct batch *b, const struct object *o)
{
    for (size_t i = 0; i < b->n; i++) {
        struct buf key = { 0 };
        bool same;

        if (b->items[i].kind != o->kind) {
            continue;
        }
        key_of(o->kind, b->items[i].root, &key);
        same = strcmp(buf_cstr(&key), o->key) == 0;
        buf_free(&key);
        if (same) {
            return true;
        }
    }
    return false;
}

static void delete_others(struct fake *f, const struct batch *b, struct loaded *out)
{
    for (size_t k = 0; k < kind_count(); k++) {
        struct kind_log *log = store_log(&f->store, kind_at(k));
        bool named = false;

        for (size_t i = 0; i < b->n; i++) {
            named = named || b->items[i].kind == kind_at(k);
        }
        for (size_t i = log->count; named && i > 0; i--) {
            if (i <= log->count && !in_batch(b, log->items[i - 1])) {
                commit_delete(f, log->items[i - 1]);
                out->deleted++;
            }
        }
    }
}

/* Cluster-scoped kinds first: what they decide (namespaces, default classes) is then there for the
 * others. */
static bool goes_first(const struct item *it)
{
    return !it->kind->namespaced;
}

int load(struct fake *f, const char *text, size_t n, bool defaults, bool replace,
         struct loaded *out, struct buf *why)
{
    struct batch b = { 0 };
    int rc = parse_all(&b, text, n, why);

    *out = (struct loaded){ 0 };
    if (rc == 0) {
        if (replace) {
            delete_others(f, &b, out);
        }
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < b.n; i++) {
                if (goes_first(&b.items[i]) == (pass == 0)) {
                    apply(f, &b.items[i], defaults, out);
                }
            }
        }
    }
    batch_free(&b);
    return rc;
}

struct dump {
    struct body_source src;
    struct snapshot snaps[64];
    size_t kinds, at_kind, at;
    uint64_t rv;
    bool begun, any;
};

static enum body_state dump_fill(struct body_source *src, struct buf *out, size_t want)
{
    struct dump *d = (struct dump *)src;
    size_t start = out->len;

    if (!d->begun) {
        d->begun = true;
        buf_fmt(
            out,
            "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"%llu\"},"
            "\"items\":[",
            (unsigned long long)d->rv);
    }
    while (d->at_kind < d->kinds && out->len - start < want) {
        struct snapshot *s = &d->snaps[d->at_kind];

        if (d->at == s->n) {
            d->at_kind++;
            d->at = 0;
            continue;
        }
        buf_str(out, d->any ? ",\n" : "\n");
        object_append(s->objs[d->at++], FORM_OBJECT, out);
        d->any = true;
    }
    if (d->at_kind < d->kinds) {
        return BODY_MORE;
    }
    buf_str(out, "\n]}\n");
    return BODY_END;
}

static void dump_closed(struct body_source *src, enum body_end how)
{
    struct dump *d = (struct dump *)src;

    (void)how;
    for (size_t i = 0; i < d->kinds; i++) {
        snapshot_free(&d->snaps[i]);
    }
    free(d);
}

struct body_source *dump_source(struct fake *f, const struct kind *kind, const char *ns)
{
    struct dump *d = xcalloc(1, sizeof(*d));

    d->src = (struct body_source){ dump_fill, dump_closed };
    d->rv = f->store.rv;
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);

        if (kind == NULL || kind == k) {
            store_snapshot(&f->store, k, k->namespaced ? ns : NULL, f->store.rv,
                           &d->snaps[d->kinds++]);
        }
    }
    return &d->src;
}
