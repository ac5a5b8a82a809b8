/* The compact pod: a name, a uid, a version, and a spec shared with its siblings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "cluster/cidr.h"
#include "cluster/cluster_private.h"

enum { UUID_TEXT = 36, RV_DIGITS_MAX = 18, IP_BYTES_MAX = 4 * 17 };

struct pod_name {
    const char *text;
    size_t len;
};

uint32_t pod_hash(const void *item)
{
    const struct pod *pod = item;

    return (uint32_t)hash_bytes(pod->name, pod->name_len);
}

static bool same_name(const void *item, const void *key)
{
    const struct pod *pod = item;
    const struct pod_name *name = key;

    return pod->name_len == name->len && memcmp(pod->name, name->text, name->len) == 0;
}

struct pod *pod_find(const struct ns_entry *e, const char *name, size_t len)
{
    struct pod_name key = { name, len };

    return table_find(&e->pods, (uint32_t)hash_bytes(name, len), &key, same_name);
}

/* ---- uid and version ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Only what pod_uid writes back to the letter. */
static bool parse_uuid(const char *text, uint8_t out[16])
{
    size_t n = 0;

    if (strlen(text) != UUID_TEXT) {
        return false;
    }
    for (size_t i = 0; i < UUID_TEXT;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i++] != '-') {
                return false;
            }
            continue;
        }
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

static struct str *uid_str(const struct pod *pod)
{
    struct str *s;

    memcpy(&s, pod->uid, sizeof(s));
    return (pod->flags & POD_UID_BINARY) == 0 ? s : NULL;
}

static void set_uid(struct pod *pod, struct str *uid)
{
    memset(pod->uid, 0, sizeof(pod->uid));
    if (uid != NULL && parse_uuid(uid->text, pod->uid)) {
        pod->flags |= POD_UID_BINARY;
        return;
    }
    memset(pod->uid, 0, sizeof(pod->uid));
    str_ref(uid);
    memcpy(pod->uid, &uid, sizeof(uid)); /* NULL is all zeroes */
}

const char *pod_uid(const struct pod *pod, char out[POD_UID_TEXT])
{
    const struct str *s = uid_str(pod);
    const uint8_t *u = pod->uid;

    if ((pod->flags & POD_UID_BINARY) == 0) {
        return s != NULL ? s->text : NULL;
    }
    snprintf(out, POD_UID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
             u[15]);
    return out;
}

static struct str *rv_str(const struct pod *pod)
{
    return (pod->flags & POD_RV_NUMBER) == 0 ? (struct str *)(uintptr_t)pod->rv : NULL;
}

static void set_rv(struct pod *pod, struct str *rv)
{
    long long number;

    /* No leading zero: what comes back must be what was sent. */
    if (rv != NULL && rv->len <= RV_DIGITS_MAX && rv->text[0] >= '1' && rv->text[0] <= '9' &&
        text_to_int(rv->text, 1, INT64_MAX, &number)) {
        pod->rv = (uint64_t)number;
        pod->flags |= POD_RV_NUMBER;
    } else {
        pod->rv = (uint64_t)(uintptr_t)str_ref(rv);
    }
}

const char *pod_rv(const struct pod *pod, char out[POD_RV_TEXT])
{
    if ((pod->flags & POD_RV_NUMBER) == 0) {
        return rv_str(pod) != NULL ? rv_str(pod)->text : NULL;
    }
    snprintf(out, POD_RV_TEXT, "%llu", (unsigned long long)pod->rv);
    return out;
}

bool pod_same_uid(const struct pod *a, const struct pod *b)
{
    return ((a->flags ^ b->flags) & POD_UID_BINARY) == 0 &&
           memcmp(a->uid, b->uid, sizeof(a->uid)) == 0;
}

bool pod_is_older(const struct pod *fresh, const struct pod *old)
{
    char a[POD_RV_TEXT], b[POD_RV_TEXT];
    const char *fresh_rv, *old_rv;

    if ((fresh->flags & old->flags & POD_RV_NUMBER) != 0) {
        return fresh->rv < old->rv;
    }
    fresh_rv = pod_rv(fresh, a);
    old_rv = pod_rv(old, b);
    return fresh_rv != NULL && old_rv != NULL && version_compare(fresh_rv, old_rv) < 0;
}

bool pod_same(const struct pod *a, const struct pod *b)
{
    const uint16_t told = POD_FINISHED | POD_DELETING | POD_HAS_NAME_LABEL | POD_HAS_INDEX_LABEL;

    return a->spec == b->spec && pod_same_uid(a, b) && ((a->flags ^ b->flags) & told) == 0 &&
           a->ip_bytes == b->ip_bytes && a->name_len == b->name_len &&
           memcmp(a->name, b->name, (size_t)a->name_len + 1 + a->ip_bytes) == 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static uint8_t pack_ips(const struct pod_object *obj, uint8_t out[IP_BYTES_MAX])
{
    uint8_t used = 0;

    for (uint32_t i = 0; i < obj->ip_count; i++) {
        struct cidr ip;
        uint8_t bytes;

        if (!ip_parse(obj->ips[i]->text, &ip)) {
            continue; /* no address, matches no ipBlock */
        }
        bytes = ip.family == 4 ? 4 : 16;
        out[used++] = ip.family;
        memcpy(out + used, ip.addr, bytes);
        used = (uint8_t)(used + bytes);
    }
    return used;
}

struct pod *pod_create(struct cluster *c, const struct pod_object *obj, uint16_t mask)
{
    uint8_t ips[IP_BYTES_MAX];
    uint8_t ip_bytes = pack_ips(obj, ips);
    size_t len = obj->head.name->len;
    struct pod *pod = xcalloc(1, offsetof(struct pod, name) + len + 1 + ip_bytes);

    pod->name_len = (uint32_t)len;
    memcpy(pod->name, obj->head.name->text, len + 1);
    pod->ip_bytes = ip_bytes;
    memcpy(pod->name + len + 1, ips, ip_bytes);
    pod->flags =
        (uint16_t)((obj->finished ? POD_FINISHED : 0) | (obj->head.deleting ? POD_DELETING : 0));
    set_uid(pod, obj->head.uid);
    set_rv(pod, obj->head.resource_version);
    pod->spec = spec_intern(c, obj, mask & PER_POD_DERIVABLE, &pod->flags);
    return pod;
}

void pod_free(struct cluster *c, struct pod *pod)
{
    if (pod == NULL) {
        return;
    }
    spec_unref(c, pod->spec);
    str_unref(uid_str(pod));
    str_unref(rv_str(pod));
    free(pod);
}

static struct workload *bare_workload(const struct pod *pod)
{
    return spec_is_bare(pod->spec) && pod->spec->cls != NULL ? pod->spec->cls->pub.workload : NULL;
}

static void note_bare(const struct pod *pod)
{
    struct workload *w = bare_workload(pod);
    char text[POD_RV_TEXT];
    const char *rv;

    if (w == NULL || w->object != NULL) {
        return;
    }
    rv = pod_rv(pod, text);
    str_unref(w->resource_version);
    w->resource_version = rv != NULL ? str_intern(rv) : NULL;
    w->deleting = (pod->flags & POD_DELETING) != 0;
}

void pod_note_version(struct pod *old, struct pod *fresh)
{
    uint64_t rv = old->rv;
    uint16_t form = old->flags & POD_RV_NUMBER;

    old->rv = fresh->rv;
    old->flags = (uint16_t)((old->flags & ~POD_RV_NUMBER) | (fresh->flags & POD_RV_NUMBER));
    fresh->rv = rv;
    fresh->flags = (uint16_t)((fresh->flags & ~POD_RV_NUMBER) | form);
    if ((old->flags & POD_FINISHED) == 0) {
        note_bare(old);
    }
}

static struct class_entry *class_of_spec(struct cluster *c, struct ns_entry *e,
                                         const struct pod_spec *spec)
{
    struct identity id;
    struct workload_entry *w;
    struct class_entry *cls;
    struct label_set *labels = ns_visible_labels(c, e, spec->labels);

    owner_of_spec(c, spec, &id);
    w = workload_get(c, e, &id);
    cls = class_get(c, e, w, labels, spec->annotations, spec->shape);
    if (id.uid != NULL && w->pub.object == NULL && w->pub.uid != id.uid) {
        touch_workload(c, w, true);
        str_unref(w->pub.uid);
        w->pub.uid = str_ref(id.uid);
    }
    if (w->pub.object == NULL && w->pub.origin == NULL) {
        w->pub.origin = spec->origin; /* in files: findings about a bare pod point at it */
    }
    identity_deinit(&id);
    label_set_unref(labels);
    return cls;
}

void pod_attach(struct cluster *c, struct ns_entry *e, struct pod *pod)
{
    uint16_t has = (uint16_t)(((pod->flags & POD_HAS_NAME_LABEL) != 0 ? BIT(PER_POD_NAME) : 0) |
                              ((pod->flags & POD_HAS_INDEX_LABEL) != 0 ? BIT(PER_POD_INDEX) : 0));
    struct pod_spec *spec = pod->spec;
    struct workload_entry *w;

    if (spec->explicit_keys != (e->mask & has)) {
        pod->spec = spec_with_keys(c, pod, e->mask & has);
        spec_unref(c, spec);
        spec = pod->spec;
    }
    if ((pod->flags & POD_FINISHED) != 0) {
        return;
    }
    if (spec->live++ == 0) {
        spec->cls = class_of_spec(c, e, spec);
    }
    w = (struct workload_entry *)spec->cls->pub.workload;
    if (spec->cls->pub.pods == 0) {
        touch_class(c, spec->cls, true);
    }
    if (w->pub.pods == 0 || spec_is_bare(spec)) {
        touch_workload(c, w, true);
    }
    spec->cls->pub.pods++;
    w->pub.pods++;
    addresses_count(c, pod, 1);
    note_bare(pod);
}

void pod_detach(struct cluster *c, struct ns_entry *e, struct pod *pod)
{
    struct pod_spec *spec = pod->spec;
    struct workload_entry *w;

    touch_ns(c, e, true);
    if ((pod->flags & POD_FINISHED) != 0) {
        return;
    }
    w = (struct workload_entry *)spec->cls->pub.workload;
    if (spec->cls->pub.pods == 1) {
        touch_class(c, spec->cls, true);
    }
    if (w->pub.pods == 1) {
        touch_workload(c, w, true);
    }
    spec->cls->pub.pods--;
    w->pub.pods--;
    addresses_count(c, pod, -1);
    if (--spec->live == 0) {
        spec->cls = NULL;
    }
}

void pod_put(struct cluster *c, struct ns_entry *e, struct pod *old, struct pod *fresh)
{
    bool recreated = old != NULL && !pod_same_uid(old, fresh);

    c->txn.note.pod = fresh;
    if (old == NULL) {
        table_add(&e->pods, fresh, pod_hash);
        c->kinds[KIND_POD].objects++;
        pod_attach(c, e, fresh);
        return;
    }
    pod_detach(c, e, old);
    table_swap(&e->pods, old, fresh, pod_hash);
    fresh->generation = old->generation;
    vec_push(&c->txn.dead_pods, old);
    pod_attach(c, e, fresh);
    if (recreated && bare_workload(fresh) != NULL) {
        touch_workload(c, (struct workload_entry *)bare_workload(fresh), true)->recreated = true;
    }
}

void pod_drop(struct cluster *c, struct ns_entry *e, struct pod *old)
{
    pod_detach(c, e, old);
    table_remove(&e->pods, old, pod_hash);
    c->kinds[KIND_POD].objects--;
    vec_push(&c->txn.dead_pods, old);
}
