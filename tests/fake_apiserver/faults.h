/* What goes wrong on purpose: a table of faults, their matching to requests, and what is left of
 * each. How an action looks on the wire is known by those who write there: http_conn.c, list.c,
 * watch.c, api.c. */
#ifndef FAKE_FAULTS_H
#define FAKE_FAULTS_H

#include "fake.h"

enum action {
    /* transport, any response */
    ACT_CLOSE,
    ACT_RST,
    ACT_END,
    ACT_HALF_OPEN,
    ACT_STALL,
    ACT_DRIP,
    ACT_DELAY,
    /* frames of a watch */
    ACT_DROP_EVENT,
    ACT_DUPLICATE,
    ACT_REORDER,
    ACT_ERROR_EVENT,
    ACT_UNKNOWN_EVENT,
    ACT_RAW_FRAME,
    ACT_HUGE_FRAME,
    ACT_DEEP_FRAME,
    ACT_BAD_UTF8,
    ACT_GARBAGE,
    ACT_BOOKMARK,
    /* whole requests */
    ACT_HTTP,
    ACT_BODY,
    ACT_TABLE,
    ACT_EMPTY_OBJECT,
    ACT_TRUNCATE_LIST,
    ACT_SHORT_LIST,
    ACT_LIST_RV,
    ACT_EMPTY_PAGE,
    ACT_LIMIT_IGNORED,
    ACT_STALE,
    ACT_CONTENT_TYPE,
    ACT_CONTENT_LENGTH,
    ACT_GZIP,
    ACT_GZIP_BOMB,
    ACT_NO_BOOKMARKS,
    ACT_BOOKMARK_STORM,
    ACT_WATCH_TIMEOUT,
    ACT_WATCHLIST_ENDLESS,
    ACT_WATCHLIST_IGNORED,
    ACT_WATCHLIST_REFUSED,
    ACT_IGNORE_AS,
    ACT_ITEM_KINDS,
    ACT_SHUFFLE,
    ACT_DATE_SKEW,
    ACT_COUNT
};

enum fault_at { AT_ONCE, AT_REQUEST, AT_EVENT, AT_BYTE };

struct fault {
    struct fault *next;
    unsigned refs;
    char *id;
    cJSON *spec; /* as posted: parameters are read from it */
    enum action action;
    const struct kind *kind;     /* NULL: all */
    int verb;                    /* -1: all */
    bool watchlist;              /* streaming lists only */
    const char *ns, *user_agent; /* NULL: all; they live in spec */
    enum fault_at at;
    uint64_t at_n, count, fired, seen, active_at, expires_at;
    bool removed, pending; /* pending: waits for active_at */
};

struct exchange;

/* 0, or -1 with a sentence appended to why. */
int fault_add(struct fake *f, const cJSON *spec, struct buf *why, const char **id);
bool fault_remove(struct fake *f, const char *id); /* NULL: all */
void faults_json(struct fake *f, struct buf *out);
void faults_tick(struct fake *f, uint64_t now);
void faults_deinit(struct fake *f);
void fault_unref(struct fault *t);

bool fault_is_transport(enum action a);
bool fault_is_frame(enum action a);
/* May it fire now? */
bool fault_armed(const struct fake *f, const struct fault *t);
void fault_fire(struct fault *t);
/* A new request: attach what matches it. */
void faults_meet(struct fake *f, struct exchange *x);

#endif
