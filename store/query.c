#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { SQL_MAX_BYTES = 64 * 1024, PARAMS_MAX = 500 };

void query_init(struct query *q)
{
    memset(q, 0, sizeof(*q));
    buf_init(&q->sql, SQL_MAX_BYTES);
}

void query_deinit(struct query *q)
{
    for (size_t i = 0; i < q->params.len; i++) {
        free(q->params.items[i].text);
    }
    vec_free(&q->params);
    buf_deinit(&q->sql);
}

void query_sql(struct query *q, const char *sql)
{
    (void)buf_adds(&q->sql, sql); /* bounded by PARAMS_MAX, far below the ceiling */
}

void query_text(struct query *q, const char *text, size_t len)
{
    vec_push(&q->params, ((struct query_param){ .text = xstrndup(text, len) }));
}

void query_number(struct query *q, int64_t number)
{
    vec_push(&q->params, ((struct query_param){ .number = number }));
}

/* Calls `add` for each part of a comma-separated list. */
static int each_part(struct query *q, const char *list,
                     int (*add)(struct query *q, const char *part, size_t len, void *ctx),
                     void *ctx, struct error *err)
{
    bool first = true;
    int rc = 0;

    for (const char *p = list; rc == 0; p++) {
        size_t len = strcspn(p, ",");
        if (q->params.len >= PARAMS_MAX) {
            return error_set(err, NA_ELIMIT, "more than %d values in the filters", PARAMS_MAX);
        }
        if (len > 0) {
            query_sql(q, first ? "" : ", ");
            rc = add(q, p, len, ctx);
            first = false;
        }
        p += len;
        if (*p == '\0') {
            break;
        }
    }
    if (rc == 0 && first) {
        query_sql(q, "NULL"); /* an empty list matches nothing */
    }
    return rc;
}

static int add_word(struct query *q, const char *part, size_t len, void *ctx)
{
    (void)ctx;
    query_sql(q, "?");
    query_text(q, part, len);
    return 0;
}

static int add_code(struct query *q, const char *part, size_t len, void *ctx)
{
    struct query_codes *list = ctx;
    int code = word_code(list->words, part, len);

    if (code < 0) {
        return error_set(list->err, NA_EINVAL, "'%.*s' is no %s; there are %s",
                         (int)(len < 60 ? len : 60), part, list->what, word_choices(list->words));
    }
    list->seen |= 1U << code;
    query_sql(q, "?");
    query_number(q, code);
    return 0;
}

int query_words(struct query *q, const char *list, struct error *err)
{
    return each_part(q, list, add_word, NULL, err);
}

int query_codes(struct query *q, const char *list, struct query_codes *codes)
{
    return each_part(q, list, add_code, codes, codes->err);
}

int query_prepare(const struct query *q, struct db *db, struct stmt **out, struct error *err)
{
    int rc = db_prepare(db, out, buf_text(&q->sql), err);

    for (size_t i = 0; rc == 0 && i < q->params.len; i++) {
        const struct query_param *p = &q->params.items[i];
        if (p->text != NULL) {
            stmt_bind_text(*out, (int)i + 1, p->text);
        } else {
            stmt_bind_int(*out, (int)i + 1, p->number);
        }
    }
    return rc;
}
