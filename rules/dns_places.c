#include "rules/dns_places.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"

#include <uthash.h>

struct entry {
    const struct object *policy;
    struct dns_worst worst;
};

struct place {
    const struct ns *ns;
    VEC(struct entry) entries;
    UT_hash_handle hh;
};

struct dns_places {
    struct place *all;
};

struct dns_places *dns_places_create(void)
{
    return xcalloc(1, sizeof(struct dns_places));
}

static void place_free(struct place *place)
{
    vec_free(&place->entries);
    free(place);
}

void dns_places_destroy(struct dns_places *p)
{
    if (p != NULL) {
        dns_places_forget(p, NULL);
        free(p);
    }
}

static struct place *find(const struct dns_places *p, const struct ns *ns)
{
    struct place *place;

    HASH_FIND(hh, p->all, &ns, sizeof(ns), place);
    return place;
}

const struct dns_worst *dns_places_find(const struct dns_places *p, const struct object *policy,
                                        const struct ns *ns)
{
    const struct place *place = find(p, ns);

    for (size_t i = 0; place != NULL && i < place->entries.len; i++) {
        if (place->entries.items[i].policy == policy) {
            return &place->entries.items[i].worst;
        }
    }
    return NULL;
}

void dns_places_put(struct dns_places *p, const struct object *policy, const struct ns *ns,
                    const struct dns_worst *worst)
{
    struct place *place = find(p, ns);

    if (place == NULL) {
        place = xcalloc(1, sizeof(*place));
        place->ns = ns;
        HASH_ADD(hh, p->all, ns, sizeof(place->ns), place);
    }
    vec_push(&place->entries, ((struct entry){ policy, *worst }));
}

void dns_places_forget(struct dns_places *p, const struct ns *ns)
{
    struct place *place, *next;

    if (ns != NULL) {
        place = find(p, ns);
        if (place != NULL) {
            HASH_DEL(p->all, place);
            place_free(place);
        }
        return;
    }
    place = p->all;
    HASH_CLEAR(hh, p->all); /* the list of the items stays */
    for (; place != NULL; place = next) {
        next = place->hh.next;
        place_free(place);
    }
}
