/* A SELECT put together from fixed pieces of SQL; every value from outside is bound to a `?`, never
 * pasted. */
#ifndef NETAUDITD_STORE_QUERY_H
#define NETAUDITD_STORE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "store/db.h"
#include "store/words.h"

struct query_param {
    char *text; /* ours; NULL: the number */
    int64_t number;
};
struct query {
    struct buf sql;
    VEC(struct query_param) params;
};

void query_init(struct query *q);
void query_deinit(struct query *q);

/* `sql` is a piece of ours; with each `?` in it goes one query_text or query_number, in their
 * order. */
void query_sql(struct query *q, const char *sql);
void query_text(struct query *q, const char *text, size_t len); /* copied */
void query_number(struct query *q, int64_t number);

/* What stands inside `IN (...)`: the parts of a comma-separated list, or NULL when it has none,
 * which matches nothing. NA_ELIMIT: more values than a query may have. */
int query_words(struct query *q, const char *list, struct error *err);

/* The same for words that the tables hold as codes. NA_EINVAL: a word that is none; the sentence
 * names those there are. */
struct query_codes {
    enum word_list words;
    const char *what; /* "severity" */
    struct error *err;
    unsigned seen; /* out: a bit per code */
};
int query_codes(struct query *q, const char *list, struct query_codes *codes);

/* The statement of what was put together, its values bound: they are the query's and must outlive
 * it. 0: *out is the caller's, to be given to stmt_finalize. Negative: *out is untouched. */
int query_prepare(const struct query *q, struct db *db, struct stmt **out, struct error *err);

#endif
