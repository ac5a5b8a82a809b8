/* The wanted paths are a tree of steps. The text is walked along it: a member that no step names is
 * jumped over, one that a whole path names is copied as it stands, and only in between are keys
 * looked at. The walk recurses along the paths of our own table, never along the depth of the
 * input. */
#include "cluster/projection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "cluster/json_scan.h"

/* The build clears every local; not this one, which is only read where it was written. */
#define SCRATCH __attribute__((uninitialized))

enum { KEY_MAX = 320 }; /* the longest annotation key is 253 + 1 + 63 bytes */

struct node {
    char *key;
    size_t key_len;
    bool prefix; /* the key is what a key must start with */
    bool keep;   /* whole subtree, less what `drop` children say */
    bool drop;
    bool element; /* the "[]" of its parent, not a member */
    VEC(struct node *) children;
};

struct projection {
    struct node root;
};

/* One application: where we are and what is to be said. */
struct walk {
    const char *at, *end;
    struct buf *out;
    struct error *err;
};

/* ---- the table ------------------------------------------------------------------------------ */

static void bad_path(const char *path)
{
    fprintf(stderr, "projection: malformed path '%s'\n", path);
    abort();
}

static struct node *child_of(struct node *n, const char *key, size_t len, bool prefix, bool element)
{
    struct node *child;

    for (size_t i = 0; i < n->children.len; i++) {
        child = n->children.items[i];
        if (child->element == element && child->prefix == prefix && child->key_len == len &&
            memcmp(child->key, key, len) == 0) {
            return child;
        }
    }
    child = xcalloc(1, sizeof(*child));
    child->key = xstrndup(key, len);
    child->key_len = len;
    child->prefix = prefix;
    child->element = element;
    vec_push(&n->children, child);
    return child;
}

static void add_path(struct projection *p, const char *path)
{
    const char *at = path[0] == '-' ? path + 1 : path;
    struct node *n = &p->root;

    while (*at != '\0') {
        char key[KEY_MAX];
        size_t len = 0;
        bool list = false, prefix = false;

        while (*at != '\0' && *at != '.' && len < sizeof(key)) {
            if (*at == '[' && at[1] == ']') {
                list = true;
                at += 2;
                break;
            }
            if (*at == '*' && at[1] == '\0') {
                prefix = true;
                at++;
                break;
            }
            at += *at == '\\' ? 1 : 0;
            key[len++] = *at++;
        }
        if (len == 0 || (*at != '.' && *at != '\0') || (*at == '.' && at[1] == '\0')) {
            bad_path(path);
        }
        at += *at == '.' ? 1 : 0;
        n = child_of(n, key, len, prefix, false);
        if (list) {
            n = child_of(n, "", 0, false, true);
        }
    }
    if (n == &p->root) {
        bad_path(path);
    }
    *(path[0] == '-' ? &n->drop : &n->keep) = true;
}

/* What lies inside a kept subtree is kept, unless it is dropped. */
static void spread_keep(struct node *n)
{
    for (size_t i = 0; i < n->children.len; i++) {
        struct node *child = n->children.items[i];

        child->keep = child->keep || (n->keep && !child->drop);
        spread_keep(child);
    }
}

struct projection *projection_create(const char *const *paths)
{
    struct projection *p = xcalloc(1, sizeof(*p));

    for (; *paths != NULL; paths++) {
        add_path(p, *paths);
    }
    spread_keep(&p->root);
    return p;
}

static void free_children(struct node *n)
{
    for (size_t i = 0; i < n->children.len; i++) {
        free_children(n->children.items[i]);
        free(n->children.items[i]->key);
        free(n->children.items[i]);
    }
    vec_free(&n->children);
}

void projection_destroy(struct projection *p)
{
    if (p != NULL) {
        free_children(&p->root);
        free(p);
    }
}

/* ---- the walk ------------------------------------------------------------------------------- */

static int malformed(struct walk *w)
{
    return error_set(w->err, NA_EINVAL, "is not a well-formed JSON object");
}

static int too_deep(struct walk *w)
{
    return error_set(w->err, NA_ELIMIT, "is nested deeper than %d levels", (int)JSON_MAX_DEPTH);
}

static int put(struct walk *w, const char *data, size_t len)
{
    int rc = buf_add(w->out, data, len);

    return rc != 0 ? error_set(w->err, rc,
                               "is larger than %zu bytes even without what is not "
                               "audited",
                               w->out->max_bytes)
                   : 0;
}

static int put_text(struct walk *w, const char *text, size_t len)
{
    if (!json_is_utf8(text, len)) {
        return error_set(w->err, NA_EINVAL, "is not valid UTF-8");
    }
    return put(w, text, len);
}

static int skip_value(struct walk *w, unsigned depth)
{
    bool deep = false;
    const char *after = json_skip_value(w->at, w->end, JSON_MAX_DEPTH - depth, &deep);

    if (after == NULL) {
        return deep ? too_deep(w) : malformed(w);
    }
    w->at = after;
    return 0;
}

static int copy_value(struct walk *w, unsigned depth)
{
    const char *from = w->at;
    int rc = skip_value(w, depth);

    return rc != 0 ? rc : put_text(w, from, (size_t)(w->at - from));
}

static const struct node *element_of(const struct node *n)
{
    for (size_t i = 0; i < n->children.len; i++) {
        if (n->children.items[i]->element) {
            return n->children.items[i];
        }
    }
    return NULL;
}

/* -1: no step names this key. */
static int find_child(const struct node *n, const char *key, size_t len)
{
    for (size_t i = 0; i < n->children.len; i++) {
        const struct node *c = n->children.items[i];

        if ((c->prefix ? len >= c->key_len : len == c->key_len) && !c->element &&
            memcmp(c->key, key, c->key_len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* A key comes again: takes the member that we wrote for it out of the object that begins at `start`
 * of the output. That text is ours and well-formed, so the scan cannot fail. */
static void forget_member(struct walk *w, size_t start, const char *key, size_t len)
{
    const char *base = w->out->data, *end = base + w->out->len;
    const char *at = base + start;

    while (at < end) {
        const char *member = at, *name = at + 1;
        bool unused = false;

        at = json_skip_string(name, end, &unused);
        if (at == NULL) {
            return;
        }
        if ((size_t)(at - 1 - name) == len && memcmp(name, key, len) == 0) {
            at = json_skip_value(at + 1, end, JSON_MAX_DEPTH, &unused);
            if (at == NULL) {
                return;
            }
            if (at < end) { /* its comma goes with it */
                at++;
            } else if (member > base + start) {
                member--;
            }
            memmove(w->out->data + (member - base), at, (size_t)(end - at));
            w->out->len -= (size_t)(at - member);
            w->out->data[w->out->len] = '\0';
            return;
        }
        at = json_skip_value(at + 1, end, JSON_MAX_DEPTH, &unused);
        if (at == NULL || at == end) {
            return;
        }
        at++;
    }
}

static int walk_object(struct walk *w, const struct node *n, unsigned depth);

/* The value at w->at as `n` wants it. `depth` containers are open around it. */
static int walk_value(struct walk *w, const struct node *n, unsigned depth)
{
    const struct node *element;
    bool first = true;
    int rc;

    if (n->children.len == 0 || (*w->at != '{' && *w->at != '[')) {
        return copy_value(w, depth);
    }
    if (depth >= JSON_MAX_DEPTH) {
        return too_deep(w);
    }
    element = element_of(n);
    if ((*w->at == '[') != (element != NULL)) {
        if (n->keep) {
            return copy_value(w, depth);
        }
        rc = put(w, *w->at == '[' ? "[]" : "{}", 2);
        return rc != 0 ? rc : skip_value(w, depth);
    }
    if (*w->at == '{') {
        return walk_object(w, n, depth);
    }
    rc = put(w, "[", 1);
    w->at = json_space(w->at + 1, w->end);
    while (rc == 0 && (w->at == w->end || *w->at != ']')) {
        if (!first) {
            if (w->at == w->end || *w->at != ',') {
                return malformed(w);
            }
            w->at = json_space(w->at + 1, w->end);
            rc = put(w, ",", 1);
        }
        if (rc == 0) {
            rc = w->at < w->end ? walk_value(w, element, depth + 1) : malformed(w);
        }
        first = false;
        w->at = json_space(w->at, w->end);
    }
    if (rc != 0) {
        return rc;
    }
    w->at++;
    return put(w, "]", 1);
}

/* One member of an object; w->at is at its key. `start` is where the object's members begin in the
 * output. */
static int walk_member(struct walk *w, const struct node *n, unsigned depth, size_t start,
                       uint64_t *seen)
{
    const char *raw = w->at, *key = w->at + 1, *raw_end;
    char plain[KEY_MAX] SCRATCH;
    bool escapes = false;
    size_t len;
    int which, rc;

    if (w->at == w->end || *w->at != '"') {
        return malformed(w);
    }
    raw_end = json_skip_string(key, w->end, &escapes);
    if (raw_end == NULL) {
        return malformed(w);
    }
    len = (size_t)(raw_end - 1 - key);
    if (escapes) {
        len = json_unescape(key, raw_end - 1, plain, sizeof(plain));
        key = plain;
    }
    w->at = json_space(raw_end, w->end);
    if (w->at == w->end || *w->at != ':') {
        return malformed(w);
    }
    w->at = json_space(w->at + 1, w->end);
    if (w->at == w->end) {
        return malformed(w);
    }
    which = find_child(n, key, len);
    if (which >= 0 ? n->children.items[which]->drop : !n->keep) {
        return skip_value(w, depth + 1);
    }
    if (which >= 0 && which < 64 && !n->children.items[which]->prefix) {
        if ((*seen >> which & 1) != 0) {
            forget_member(w, start, key, len);
        }
        *seen |= (uint64_t)1 << which;
    }
    rc = w->out->len > start ? put(w, ",", 1) : 0;
    if (rc == 0 && which >= 0 && !n->children.items[which]->prefix) {
        /* the plain spelling, so that the same key is found again above */
        if ((rc = put(w, "\"", 1)) == 0 && (rc = put(w, key, len)) == 0) {
            rc = put(w, "\":", 2);
        }
    } else if (rc == 0 && (rc = put_text(w, raw, (size_t)(raw_end - raw))) == 0) {
        rc = put(w, ":", 1);
    }
    if (rc != 0) {
        return rc;
    }
    return which >= 0 ? walk_value(w, n->children.items[which], depth + 1)
                      : copy_value(w, depth + 1);
}

static int walk_object(struct walk *w, const struct node *n, unsigned depth)
{
    uint64_t seen = 0;
    bool first = true;
    size_t start;
    int rc = put(w, "{", 1);

    start = w->out->len;
    w->at = json_space(w->at + 1, w->end);
    while (rc == 0 && (w->at == w->end || *w->at != '}')) {
        if (!first) {
            if (w->at == w->end || *w->at != ',') {
                return malformed(w);
            }
            w->at = json_space(w->at + 1, w->end);
        }
        rc = walk_member(w, n, depth, start, &seen);
        first = false;
        w->at = json_space(w->at, w->end);
    }
    if (rc != 0) {
        return rc;
    }
    w->at++;
    return put(w, "}", 1);
}

int projection_apply(const struct projection *p, const char *json, size_t len, struct buf *out,
                     struct error *err)
{
    struct walk w = { .at = json, .end = json + len, .out = out, .err = err };
    size_t before = out->len;
    int rc;

    w.at = json_space(w.at, w.end);
    if (w.at == w.end || *w.at != '{') {
        rc = malformed(&w);
    } else {
        rc = walk_object(&w, &p->root, 0);
    }
    if (rc == 0 && json_space(w.at, w.end) != w.end) {
        rc = malformed(&w);
    }
    if (rc != 0) {
        out->len = before;
        if (out->data != NULL) {
            out->data[before] = '\0';
        }
    }
    return rc;
}
