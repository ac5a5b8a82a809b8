/* A cluster cache as text, for tests: sorted lines that say everything rules can see, so that two
 * caches with the same content give the same text whatever their history. */
#ifndef NETAUDITD_TESTS_CLUSTER_TEXT_H
#define NETAUDITD_TESTS_CLUSTER_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cluster/cluster_private.h"

struct lines {
    VEC(char *) v;
};

static inline void lines_add(struct lines *l, const struct buf *b)
{
    vec_push(&l->v, xstrdup(buf_text(b)));
}

static inline int lines_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts, joins and frees. The caller frees the text. */
static inline char *lines_take(struct lines *l)
{
    struct buf b;

    buf_init(&b, 64 << 20);
    if (l->v.len > 0) {
        qsort(l->v.items, l->v.len, sizeof(char *), lines_compare);
    }
    for (size_t i = 0; i < l->v.len; i++) {
        buf_addf(&b, "%s\n", l->v.items[i]);
        free(l->v.items[i]);
    }
    vec_free(&l->v);
    return buf_take(&b);
}

static inline void put_labels(struct buf *b, const struct label_set *s)
{
    buf_adds(b, "{");
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        buf_addf(b, "%s%s=%s", i > 0 ? "," : "", s->items[i].key->text, s->items[i].value->text);
    }
    buf_adds(b, "}");
}

static inline void put_shape(struct buf *b, const struct pod_shape *s)
{
    buf_addf(b, " sa=%s host=%d", s->service_account->text, s->host_network);
    for (uint32_t i = 0; i < s->port_count; i++) {
        buf_addf(b, " %s:%u/%s", str_text(s->ports[i].name), s->ports[i].port,
                 protocol_name(s->ports[i].protocol));
    }
}

static inline void put_class(struct buf *b, const struct pod_class *pc)
{
    const struct workload *w = pc->workload;

    buf_addf(b, "class %s %s/%s/%s ", pc->ns->name->text, w->group->text, w->kind->text,
             w->name->text);
    put_labels(b, pc->labels);
    put_labels(b, pc->annotations);
    put_shape(b, pc->shape);
}

static inline void put_workload(struct buf *b, const struct workload *w)
{
    buf_addf(b, "workload %s %s/%s/%s", w->ns->name->text, w->group->text, w->kind->text,
             w->name->text);
}

static inline void put_workload_state(struct buf *b, const struct workload *w)
{
    bool own_uid = w->object != NULL || strcmp(w->kind->text, "Pod") == 0;

    buf_addf(b, " v=%s uid=%s object=%d deleting=%d acme=%d ", w->version->text,
             own_uid ? str_text(w->uid) : "-", w->object != NULL, w->deleting, w->acme_solver);
    put_labels(b, w->pod_labels);
    put_labels(b, w->pod_annotations);
}

static inline void put_object(struct buf *b, const struct object *o)
{
    buf_addf(b, "object %s %s/%s uid=%s deleting=%d ", kind_table[o->kind].name, str_text(o->ns),
             o->name->text, str_text(o->uid), o->deleting);
    put_labels(b, o->labels);
    put_labels(b, o->annotations);
    if (o->kind == KIND_NETWORK_POLICY) {
        char text[512];

        selector_format(((const struct network_policy *)o)->pods, text, sizeof(text));
        buf_addf(b, " pods=%s rules=%u", text, ((const struct network_policy *)o)->ingress_count);
    } else if (o->kind == KIND_SERVICE) {
        char text[512];

        selector_format(((const struct service *)o)->selector, text, sizeof(text));
        buf_addf(b, " pods=%s", text);
    }
}

/* What the deltas tell of: namespaces, objects, workloads, classes. */
static inline void cluster_lines_told(const struct cluster *c, struct lines *l)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (uint32_t i = 0; i < cluster_ns_count(c); i++) {
        struct ns *ns = cluster_ns_at(c, i);

        buf_reset(&b);
        buf_addf(&b, "namespace %s", ns->name->text);
        lines_add(l, &b);
        for (size_t j = 0; j < ns->workloads.len; j++) {
            buf_reset(&b);
            put_workload(&b, ns->workloads.items[j]);
            put_workload_state(&b, ns->workloads.items[j]);
            lines_add(l, &b);
        }
        for (size_t j = 0; j < ns->classes.len; j++) {
            buf_reset(&b);
            put_class(&b, ns->classes.items[j]);
            buf_addf(&b, " some=%d template=%d", ns->classes.items[j]->pods > 0,
                     ns->classes.items[j]->is_template);
            lines_add(l, &b);
        }
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        TABLE_EACH(&c->objects[k], struct object, o)
        {
            buf_reset(&b);
            put_object(&b, o);
            lines_add(l, &b);
        }
    }
    buf_deinit(&b);
}

static inline void lines_pods(const struct cluster *c, const struct ns_entry *e, struct lines *l)
{
    struct buf b;

    (void)c;
    buf_init(&b, 1 << 20);
    TABLE_EACH(&e->pods, struct pod, pod)
    {
        char uid[POD_UID_TEXT], rv[POD_RV_TEXT];

        buf_reset(&b);
        buf_addf(&b, "pod %s/%s uid=%s rv=%s flags=%u ips=%u ", e->pub.name->text, pod->name,
                 pod_uid(pod, uid), pod_rv(pod, rv), pod->flags, pod->ip_bytes);
        put_labels(&b, pod->spec->labels);
        if (pod->spec->cls != NULL && (pod->flags & POD_FINISHED) == 0) {
            put_class(&b, &pod->spec->cls->pub);
        }
        lines_add(l, &b);
    }
    buf_deinit(&b);
}

static inline void lines_refs(const struct cluster *c, const struct ns *ns, struct lines *l)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 4; i++) {
        char name[16];
        const struct ingress_vec *v;

        snprintf(name, sizeof(name), "n%d", i);
        v = cluster_ingresses_of_service(c, ns->name->text, name);
        for (size_t j = 0; v != NULL && j < v->v.len; j++) {
            buf_reset(&b);
            buf_addf(&b, "reference service %s/%s by %s", ns->name->text, name,
                     v->v.items[j]->head.name->text);
            lines_add(l, &b);
        }
        v = cluster_ingresses_of_class(c, name);
        for (size_t j = 0; v != NULL && j < v->v.len; j++) {
            buf_reset(&b);
            buf_addf(&b, "reference class %s by %s/%s", name, v->v.items[j]->head.ns->text,
                     v->v.items[j]->head.name->text);
            lines_add(l, &b);
        }
        v = cluster_ingresses_of_secret(c, ns->name->text, name);
        for (size_t j = 0; v != NULL && j < v->v.len; j++) {
            buf_reset(&b);
            buf_addf(&b, "reference secret %s/%s by %s", ns->name->text, name,
                     v->v.items[j]->head.name->text);
            lines_add(l, &b);
        }
    }
    buf_deinit(&b);
}

/* Everything, indexes and counts included. */
static inline char *cluster_text(const struct cluster *c)
{
    struct lines l = { .v = { .items = NULL } };
    struct buf b;

    buf_init(&b, 1 << 20);
    cluster_lines_told(c, &l);
    for (uint32_t i = 0; i < cluster_ns_count(c); i++) {
        struct ns *ns = cluster_ns_at(c, i);

        buf_reset(&b);
        buf_addf(&b,
                 "counts %s object=%d policies=%zu services=%zu ingresses=%zu secrets=%zu "
                 "workloads=%zu classes=%zu",
                 ns->name->text, ns->object != NULL, ns->policies.len, ns->services.len,
                 ns->ingresses.len, ns->secrets.len, ns->workloads.len, ns->classes.len);
        lines_add(&l, &b);
        for (size_t j = 0; j < ns->classes.len; j++) {
            buf_reset(&b);
            put_class(&b, ns->classes.items[j]);
            buf_addf(&b, " pods=%u", ns->classes.items[j]->pods);
            lines_add(&l, &b);
        }
        for (size_t j = 0; j < ns->workloads.len; j++) {
            const struct workload *w = ns->workloads.items[j];

            buf_reset(&b);
            put_workload(&b, w);
            buf_addf(&b, " pods=%u classes=%zu rv=%s template=%d", w->pods, w->classes.len,
                     str_text(w->resource_version), w->template_class != NULL);
            lines_add(&l, &b);
        }
        lines_pods(c, (const struct ns_entry *)ns, &l);
        lines_refs(c, ns, &l);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        buf_reset(&b);
        buf_addf(&b, "kind %s objects=%llu", kind_table[k].name,
                 (unsigned long long)cluster_kind(c, (enum kind)k)->objects);
        lines_add(&l, &b);
        TABLE_EACH(&c->objects[k], struct object, o)
        {
            buf_reset(&b);
            buf_addf(&b, "version %s %s/%s %s", kind_table[k].name, str_text(o->ns), o->name->text,
                     str_text(o->resource_version));
            lines_add(&l, &b);
        }
    }
    buf_deinit(&b);
    return lines_take(&l);
}

#endif
