/* What is legal and still hardly meant, and shows only once every file has been read: two policies
 * of one kind, tier and priority. An implementation may apply either first, so where both match, no
 * one can say what holds. That both ever match is not proved: a warning. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/manifest_private.h"
#include "cluster/policy_object.h"

/* A policy's place in the order of its kind; `read` is when its file was. */
struct rank {
    const struct tiered_policy *p;
    size_t read;
};

static int compare_places(const struct tiered_policy *a, const struct tiered_policy *b)
{
    if (a->head.kind != b->head.kind) {
        return a->head.kind < b->head.kind ? -1 : 1;
    }
    if (a->tier != b->tier) {
        return a->tier < b->tier ? -1 : 1;
    }
    return a->priority < b->priority ? -1 : a->priority > b->priority;
}

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    int order = compare_places(x->p, y->p);

    return order != 0 ? order : x->read < y->read ? -1 : x->read > y->read;
}

static void complain_of_tie(struct manifest_loader *l, const struct tiered_policy *first,
                            const struct tiered_policy *p)
{
    const struct origin *origin = p->head.origin;
    char sentence[512];
    struct manifest_complaint c = { .warning = true,
                                    .file = origin->file->text,
                                    .line = origin_field_line(origin, "spec.priority"),
                                    .kind = kind_table[p->head.kind].name,
                                    .name = p->head.name->text,
                                    .field = "spec.priority",
                                    .sentence = sentence };

    snprintf(sentence, sizeof(sentence),
             "%d is the priority of %.253s too (%.128s:%u); where both apply, their order is not "
             "defined",
             p->priority, first->head.name->text, first->head.origin->file->text,
             origin_field_line(first->head.origin, "spec.priority"));
    manifest_complain(l, &c);
}

void manifest_find_ties(struct manifest_loader *l)
{
    struct rank *ranks = xcalloc(l->items.len + 1, sizeof(ranks[0]));
    size_t count = 0, first = 0;

    for (size_t i = 0; i < l->items.len; i++) {
        const struct object *obj = l->items.items[i]->obj;

        if (obj->kind == KIND_CLUSTER_NETWORK_POLICY || obj->kind == KIND_ADMIN_NETWORK_POLICY) {
            ranks[count++] = (struct rank){ (const struct tiered_policy *)obj, i };
        }
    }
    qsort(ranks, count, sizeof(ranks[0]), compare_ranks);
    for (size_t i = 1; i < count; i++) {
        if (compare_places(ranks[first].p, ranks[i].p) != 0) {
            first = i;
        } else {
            complain_of_tie(l, ranks[first].p, ranks[i].p);
        }
    }
    free(ranks);
}
