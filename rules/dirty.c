/* From deltas to marks. The own change of an object touches every rule about it (its labels exempt,
 * its annotations name an owner), and a Namespace's change every rule about everything in it
 * (environment). What else a change touches stands in the rows' `depends`, read once into masks.
 * The work here is that of finding the subjects: it follows what the change can touch, by the
 * cluster's indexes. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rules/dirty.h"

/* ---- causes ---- */

static const struct cause empty_cause = { .verb = CHANGE_UPDATE,
                                          .api_version = "",
                                          .kind = "",
                                          .ns = "",
                                          .name = "",
                                          .uid = "",
                                          .resource_version = "" };

static const char *put_text(char **at, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = *at;

    memcpy(copy, text, len);
    *at += len;
    return copy;
}

struct held_cause *cause_hold(const struct cause *c)
{
    const struct cause *from = c != NULL ? c : &empty_cause;
    const char *texts[] = { from->api_version, from->kind, from->ns,
                            from->name,        from->uid,  from->resource_version };
    size_t bytes = from->manager != NULL ? strlen(from->manager) + 1 : 0;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        bytes += strlen(texts[i]) + 1;
    }
    struct held_cause *h = xmalloc(sizeof(*h) + bytes);
    char *at = (char *)(h + 1);
    h->refs = 1;
    h->cause = *from;
    h->cause.api_version = put_text(&at, from->api_version);
    h->cause.kind = put_text(&at, from->kind);
    h->cause.ns = put_text(&at, from->ns);
    h->cause.name = put_text(&at, from->name);
    h->cause.uid = put_text(&at, from->uid);
    h->cause.resource_version = put_text(&at, from->resource_version);
    h->cause.manager = from->manager != NULL ? put_text(&at, from->manager) : NULL;
    return h;
}

struct held_cause *cause_ref(struct held_cause *c)
{
    c->refs++;
    return c;
}

void cause_unref(struct held_cause *c)
{
    if (c != NULL && --c->refs == 0) {
        free(c);
    }
}

/* ---- the queue and its marks ---- */

static void queue_add(struct engine *e, struct tracked *t)
{
    if (t->queued) {
        return;
    }
    t->queued = true;
    t->prev = e->last;
    t->next = NULL;
    if (e->last != NULL) {
        e->last->next = t;
    } else {
        e->first = t;
    }
    e->last = t;
}

void queue_remove(struct engine *e, struct tracked *t)
{
    if (!t->queued) {
        return;
    }
    t->queued = false;
    if (t->prev != NULL) {
        t->prev->next = t->next;
    } else {
        e->first = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    } else {
        e->last = t->prev;
    }
}

void marks_clear(struct tracked *t)
{
    struct mark *more = t->marks.next;

    while (more != NULL) {
        struct mark *next = more->next;
        cause_unref(more->cause);
        free(more);
        more = next;
    }
    cause_unref(t->marks.cause);
    memset(&t->marks, 0, sizeof(t->marks));
}

/* A later write takes the rule over: what it left is what will be judged. */
void mark(struct engine *e, struct tracked *t, uint64_t rules, struct held_cause *cause)
{
    struct mark *m = &t->marks;

    if (rules == 0) {
        return;
    }
    queue_add(e, t);
    if (m->rules != 0 && m->cause == cause) {
        m->rules |= rules;
        return;
    }
    if (m->next != NULL || (m->rules & ~rules) != 0) {
        struct mark *older = xmalloc(sizeof(*older));
        *older = *m;
        *m = (struct mark){ .next = older };
        for (struct mark **at = &m->next; *at != NULL;) {
            struct mark *o = *at;
            o->rules &= ~rules;
            if (o->rules == 0) {
                *at = o->next;
                cause_unref(o->cause);
                free(o);
            } else {
                at = &o->next;
            }
        }
    } else {
        cause_unref(m->cause);
    }
    m->rules = rules;
    m->cause = cause_ref(cause);
}

void mark_everything(struct engine *e, struct held_cause *cause)
{
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        for (size_t i = 0; i < e->by_kind[k].len; i++) {
            mark(e, e->by_kind[k].items[i], e->lists[k].all, cause);
        }
    }
}

/* ---- what the rows say ---- */

static void read_row(struct engine *e, const struct rule *r, enum subject_kind s, uint64_t bit)
{
    unsigned touched = r->needs | rule_own_kinds(r, s);

    for (const struct depend *d = r->depends; d != NULL && d->how != DEPEND_END; d++) {
        e->depends[d->kind][d->how][s] |= bit;
        touched |= BIT(d->kind);
    }
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (touched & BIT(k)) {
            e->on_kind[k][s] |= bit;
        }
    }
}

void depends_read(struct engine *e)
{
    if (rule_count() > RULES_MAX) {
        abort();
    }
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule *r = rule_at(i);
        for (int s = 0; s < SUBJECT_KIND_COUNT; s++) {
            struct rule_list *list = &e->lists[s];
            if (!(r->subjects & BIT(s))) {
                continue;
            }
            if (list->count == RULES_PER_SUBJECT_MAX) {
                abort(); /* too many rules about one kind of subject */
            }
            uint64_t bit = (uint64_t)1 << list->count;
            list->rules[list->count] = r;
            list->index[list->count++] = (uint8_t)i;
            list->all |= bit;
            read_row(e, r, (enum subject_kind)s, bit);
        }
    }
}

/* ---- finding the subjects ---- */

static struct held_cause *cause_of(struct change *c)
{
    if (c->cause == NULL) {
        c->cause = cause_hold(c->from);
    }
    return c->cause;
}

void mark_one(struct change *c, struct tracked *t, uint64_t rules)
{
    if (t != NULL && rules != 0) {
        mark(c->e, t, rules, cause_of(c));
    }
}

void mark_named(struct change *c, enum kind own, const struct str *ns, const struct str *name,
                uint64_t rules)
{
    mark_one(c, tracked_find(c->e, own, ns, name), rules);
}

void mark_kind(struct change *c, enum subject_kind s, uint64_t rules)
{
    for (size_t i = 0; rules != 0 && i < c->e->by_kind[s].len; i++) {
        mark_one(c, c->e->by_kind[s].items[i], rules);
    }
}

void mark_in_namespace(struct change *c, const struct ns *ns, enum subject_kind s, uint64_t rules)
{
    if (rules == 0) {
        return;
    }
    switch (s) {
    case SUBJECT_NAMESPACE:
        mark_named(c, KIND_NAMESPACE, ns->name, ns->name, rules);
        return;
    case SUBJECT_WORKLOAD:
        for (size_t i = 0; i < ns->workloads.len; i++) {
            mark_one(c, tracked_of_workload(c->e, ns->workloads.items[i]), rules);
        }
        return;
    case SUBJECT_SERVICE:
        for (size_t i = 0; i < ns->services.len; i++) {
            mark_named(c, KIND_SERVICE, ns->name, ns->services.items[i]->head.name, rules);
        }
        return;
    case SUBJECT_INGRESS:
        for (size_t i = 0; i < ns->ingresses.len; i++) {
            mark_named(c, KIND_INGRESS, ns->name, ns->ingresses.items[i]->head.name, rules);
        }
        return;
    case SUBJECT_POLICY:
        mark_policies_in(c, ns, rules);
        return;
    case SUBJECT_KIND_COUNT:
        return;
    }
}

/* Where a row says something that has no narrower meaning here: too much is judged rather than too
 * little. */
static void mark_widely(struct change *c, const struct ns *ns, enum subject_kind s, uint64_t rules)
{
    if (ns != NULL) {
        mark_in_namespace(c, ns, s, rules);
    } else {
        mark_kind(c, s, rules);
    }
}

static bool selects_class(const struct selector *s, const struct pod_class *pc)
{
    return s != NULL && (s->malformed != NULL || selector_matches(s, pc->labels));
}

static bool selects_workload(const struct selector *a, const struct selector *b,
                             const struct workload *w)
{
    for (size_t i = 0; i < w->classes.len; i++) {
        if (selects_class(a, w->classes.items[i]) || selects_class(b, w->classes.items[i])) {
            return true;
        }
    }
    return w->classes.len == 0; /* known by its labels alone: rare enough to be taken in */
}

/* Workloads that one of the two selectors (an object's before and after) selects. */
static void mark_selected(struct change *c, const struct ns *ns, const struct selector *a,
                          const struct selector *b, uint64_t rules)
{
    for (size_t i = 0; rules != 0 && i < ns->workloads.len; i++) {
        if (selects_workload(a, b, ns->workloads.items[i])) {
            mark_one(c, tracked_of_workload(c->e, ns->workloads.items[i]), rules);
        }
    }
}

static const struct selector *selector_of(const struct object *obj)
{
    if (obj == NULL) {
        return NULL;
    }
    return obj->kind == KIND_SERVICE ? ((const struct service *)obj)->selector
                                     : ((const struct network_policy *)obj)->pods;
}

/* ---- objects ---- */

static void on_related(struct change *c, const struct delta *d, enum subject_kind s, uint64_t rules)
{
    if (d->kind == KIND_INGRESS && s == SUBJECT_INGRESS) {
        mark_related_ingresses(c, d->before, rules);
        mark_related_ingresses(c, d->after, rules);
    } else {
        mark_kind(c, s, rules);
    }
}

static void on_selected(struct change *c, const struct delta *d, enum subject_kind s,
                        uint64_t rules)
{
    bool selects = d->kind == KIND_NETWORK_POLICY || d->kind == KIND_SERVICE;

    if (s == SUBJECT_POLICY && d->kind == KIND_NAMESPACE) {
        mark_policies_looking_at(c, d, rules);
        return;
    }

    if (s == SUBJECT_WORKLOAD && selects && d->ns != NULL) {
        mark_selected(c, d->ns, selector_of(d->before), selector_of(d->after), rules);
    } else {
        mark_widely(c, d->ns, s, rules);
    }
}

static void on_referenced(struct change *c, const struct delta *d, enum subject_kind s,
                          uint64_t rules)
{
    if (d->kind == KIND_INGRESS && s == SUBJECT_SERVICE) {
        mark_backends(c, d->before, rules);
        mark_backends(c, d->after, rules);
    } else if (s != SUBJECT_INGRESS || !mark_referring_ingresses(c, d, rules)) {
        mark_widely(c, d->ns, s, rules);
    }
}

static void on_depends(struct change *c, const struct delta *d)
{
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        enum subject_kind s = (enum subject_kind)k;
        const uint64_t(*masks)[SUBJECT_KIND_COUNT] =
            (const uint64_t(*)[SUBJECT_KIND_COUNT])c->e->depends[d->kind];
        if (masks[DEPEND_NAMESPACE][k] != 0) {
            mark_widely(c, d->ns, s, masks[DEPEND_NAMESPACE][k]);
        }
        if (masks[DEPEND_SELECTED][k] != 0) {
            on_selected(c, d, s, masks[DEPEND_SELECTED][k]);
        }
        if (masks[DEPEND_REFERENCED][k] != 0) {
            on_referenced(c, d, s, masks[DEPEND_REFERENCED][k]);
        }
        if (masks[DEPEND_RELATED][k] != 0) {
            on_related(c, d, s, masks[DEPEND_RELATED][k]);
        }
        mark_kind(c, s, masks[DEPEND_CLUSTER][k]);
        mark_by_place(c, d->ns, s, masks[DEPEND_DNS][k], masks[DEPEND_MESH][k]);
    }
}

static void subject_went(struct change *c, struct tracked *t)
{
    if (t == NULL) {
        return;
    }
    if (t->said == NULL) { /* nothing was ever said of it */
        untrack(c->e, t);
        return;
    }
    cause_unref(t->gone);
    t->gone = cause_ref(cause_of(c));
    mark(c->e, t, c->e->lists[t->kind].all, cause_of(c));
}

static void on_object(struct change *c, const struct delta *d)
{
    const struct object *obj = d->after != NULL ? d->after : d->before;
    enum subject_kind own = subject_of_kind(d->kind);

    if (own != SUBJECT_KIND_COUNT) {
        struct str *ns = own == SUBJECT_NAMESPACE ? obj->name : obj->ns;
        struct tracked *t = d->after == NULL ? tracked_find(c->e, d->kind, ns, obj->name)
                                             : track(c->e, d->kind, ns, obj->name);
        if (own == SUBJECT_POLICY && t != NULL) {
            policy_seen(c->e, t, d->after);
        }
        if (d->after == NULL) {
            subject_went(c, t);
        } else {
            mark_one(c, t, c->e->lists[own].all);
        }
    }
    if (d->kind == KIND_NAMESPACE) {
        mesh_note_namespace(c, d->before, d->after);
        const struct ns *ns = cluster_ns(c->e->cluster, obj->name->text);
        for (int k = 0; ns != NULL && k < SUBJECT_KIND_COUNT; k++) {
            if (k != SUBJECT_NAMESPACE) {
                mark_in_namespace(c, ns, (enum subject_kind)k, c->e->lists[k].all);
            }
        }
    }
    if (kind_table[d->kind].workload && d->kind != KIND_POD && d->after != NULL) {
        const struct workload *w =
            cluster_workload(c->e->cluster, str_text(obj->ns), kind_table[d->kind].group,
                             kind_table[d->kind].name, obj->name->text);
        if (w != NULL) {
            mark_one(c, tracked_of_workload(c->e, w), c->e->lists[SUBJECT_WORKLOAD].all);
        }
    }
    on_depends(c, d);
}

/* ---- pods: workloads and their classes ---- */

/* Who selects this class. A policy may also name it as a peer, from any namespace. */
static void mark_selectors(struct change *c, const struct pod_class *pc)
{
    const uint64_t *rules = c->e->depends[KIND_POD][DEPEND_SELECTED];
    const struct ns *ns = pc->ns;

    mark_named(c, KIND_NAMESPACE, ns->name, ns->name, rules[SUBJECT_NAMESPACE]);
    for (size_t i = 0; rules[SUBJECT_SERVICE] != 0 && i < ns->services.len; i++) {
        const struct service *s = ns->services.items[i];
        if (selects_class(s->selector, pc)) {
            mark_named(c, KIND_SERVICE, ns->name, s->head.name, rules[SUBJECT_SERVICE]);
        }
    }
    mark_in_namespace(c, ns, SUBJECT_INGRESS, rules[SUBJECT_INGRESS]);
    mark_policies_of_class(c, pc, rules[SUBJECT_POLICY]);
}

static void on_pods(struct change *c, const struct ns *ns)
{
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        enum subject_kind s = (enum subject_kind)k;
        const uint64_t(*masks)[SUBJECT_KIND_COUNT] =
            (const uint64_t(*)[SUBJECT_KIND_COUNT])c->e->depends[KIND_POD];
        mark_in_namespace(c, ns, s, masks[DEPEND_NAMESPACE][k]);
        mark_kind(c, s, masks[DEPEND_CLUSTER][k]);
        mark_by_place(c, ns, s, masks[DEPEND_DNS][k], masks[DEPEND_MESH][k]);
    }
}

static void on_class(struct change *c, const struct delta *d)
{
    const struct workload *w = d->pod_class->workload;
    struct tracked *t = w != NULL ? tracked_of_workload(c->e, w) : NULL;

    mark_one(c, t, c->e->lists[SUBJECT_WORKLOAD].all);
    if (d->op != DELTA_MODIFIED) {
        mesh_note_class(c, d->pod_class, d->op == DELTA_ADDED ? 1 : -1);
    }
    mark_selectors(c, d->pod_class);
    /* With the first pod the template stops counting, with the last one gone it counts again. */
    if (w != NULL && w->template_class != NULL && w->template_class != d->pod_class) {
        mark_selectors(c, w->template_class);
    }
    on_pods(c, d->pod_class->ns);
}

static void on_workload(struct change *c, const struct delta *d)
{
    if (d->op == DELTA_DELETED) {
        subject_went(c, tracked_of_workload(c->e, d->workload));
    } else {
        mark_one(c, track_workload(c->e, d->workload), c->e->lists[SUBJECT_WORKLOAD].all);
        if (d->workload->template_class != NULL) {
            mark_selectors(c, d->workload->template_class);
        }
    }
    on_pods(c, d->workload->ns);
}

/* Which families of addresses are in use decides what an egress rule must cover, so that with the
 * first address of a family, or the last, everything is judged anew. */
static void on_addresses(struct change *c)
{
    unsigned families = cluster_pod_families(c->e->cluster);

    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        mark_kind(c, (enum subject_kind)k,
                  families != c->e->families ? c->e->lists[k].all
                                             : c->e->depends[KIND_POD][DEPEND_ADDRESSES][k]);
    }
    c->e->families = families;
}

void engine_note(struct engine *e, const struct delta *d)
{
    struct change c = { .e = e, .from = d->cause };

    e->changed = true;
    forget_places(e, d);
    switch (d->what) {
    case DELTA_OBJECT:
        on_object(&c, d);
        break;
    case DELTA_WORKLOAD:
        on_workload(&c, d);
        break;
    case DELTA_CLASS:
        on_class(&c, d);
        break;
    case DELTA_NAMESPACE:
        if (d->op == DELTA_DELETED) {
            e->seeded = 0; /* its place in the list is another's now; what is tracked stays so */
        }
        break; /* a Namespace is a subject by its object */
    case DELTA_KIND:
        kinds_note(e, d->kind, cause_of(&c));
        break;
    case DELTA_ADDRESSES:
        on_addresses(&c);
        break;
    }
    cause_unref(c.cause);
}
