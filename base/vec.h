/* Growing arrays: `VEC(struct thing *) things;` zero-initialised, then vec_push(&things, x). The
 * elements are things.items[0 .. things.len - 1]. Growth cannot fail (xrealloc). */
#ifndef NETAUDITD_BASE_VEC_H
#define NETAUDITD_BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t len, cap;                                                                           \
    }

#define vec_reserve(v, want)                                                                       \
    do {                                                                                           \
        if ((v)->cap < (want)) {                                                                   \
            (v)->cap = (want);                                                                     \
            (v)->items = xrealloc((v)->items, (v)->cap * sizeof((v)->items[0]));                   \
        }                                                                                          \
    } while (0)

#define vec_push(v, x)                                                                             \
    do {                                                                                           \
        if ((v)->len == (v)->cap) {                                                                \
            vec_reserve((v), (v)->cap > 0 ? (v)->cap + (v)->cap / 2 + 1 : 4);                      \
        }                                                                                          \
        (v)->items[(v)->len++] = (x);                                                              \
    } while (0)

/* Order is not kept: the last element takes the place. */
#define vec_remove_swap(v, i) ((v)->items[(i)] = (v)->items[--(v)->len])

#define vec_free(v)                                                                                \
    do {                                                                                           \
        free((v)->items);                                                                          \
        memset((v), 0, sizeof(*(v)));                                                              \
    } while (0)

#endif
