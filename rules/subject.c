/* What the kinds of subjects have in common. */
#include <stddef.h>

#include "rules/rule.h"

const struct object *subject_object(const struct subject *s)
{
    switch (s->kind) {
    case SUBJECT_NAMESPACE:
        return s->ns->object != NULL ? &s->ns->object->head : NULL;
    case SUBJECT_WORKLOAD:
        return s->workload->object != NULL ? &s->workload->object->head : NULL;
    case SUBJECT_SERVICE:
        return &s->service->head;
    case SUBJECT_INGRESS:
        return &s->ingress->head;
    case SUBJECT_POLICY:
        return s->policy;
    case SUBJECT_KIND_COUNT:
        break;
    }
    return NULL;
}

enum kind subject_own_kind(const struct subject *s)
{
    switch (s->kind) {
    case SUBJECT_NAMESPACE:
        return KIND_NAMESPACE;
    case SUBJECT_SERVICE:
        return KIND_SERVICE;
    case SUBJECT_INGRESS:
        return KIND_INGRESS;
    case SUBJECT_POLICY:
        return s->policy->kind;
    case SUBJECT_WORKLOAD:
    case SUBJECT_KIND_COUNT:
        break;
    }
    return KIND_POD;
}

const char *subject_namespace(const struct subject *s)
{
    return s->ns != NULL ? s->ns->name->text : "";
}

const struct label_set *subject_labels(const struct subject *s)
{
    if (s->kind == SUBJECT_WORKLOAD) {
        return s->workload->pod_labels;
    }
    const struct object *obj = subject_object(s);
    return obj != NULL ? obj->labels : NULL;
}

const struct label_set *subject_annotations(const struct subject *s)
{
    if (s->kind == SUBJECT_WORKLOAD) {
        return s->workload->pod_annotations;
    }
    const struct object *obj = subject_object(s);
    return obj != NULL ? obj->annotations : NULL;
}

const struct origin *subject_origin(const struct subject *s)
{
    if (s->kind == SUBJECT_WORKLOAD) {
        return s->workload->origin;
    }
    const struct object *obj = subject_object(s);
    return obj != NULL ? obj->origin : NULL;
}

void subject_ref_of(const struct subject *s, struct subject_ref *out)
{
    if (s->kind == SUBJECT_WORKLOAD) {
        const struct workload *w = s->workload;
        *out = (struct subject_ref){ .group = str_text(w->group),
                                     .version = str_text(w->version),
                                     .kind = str_text(w->kind),
                                     .ns = str_text(w->ns->name),
                                     .name = str_text(w->name),
                                     .uid = str_text(w->uid) };
        return;
    }
    const struct kind_row *row = &kind_table[subject_own_kind(s)];
    const struct object *obj = subject_object(s);
    *out = (struct subject_ref){ .group = row->group,
                                 .version = row->version,
                                 .kind = row->name,
                                 .ns = s->kind == SUBJECT_NAMESPACE ? "" : subject_namespace(s),
                                 .name = s->kind == SUBJECT_NAMESPACE ? str_text(s->ns->name)
                                                                      : str_text(obj->name),
                                 .uid = obj != NULL ? str_text(obj->uid) : "" };
}
