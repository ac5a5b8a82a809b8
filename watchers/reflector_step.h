/* What one list-watch does next: the state machine of KUBE_CLIENT 3 as a pure step function. Events
 * and time go in, one order comes out; no loop, no socket, no clock, no object ever passes through
 * it, so that every schedule of faults runs in virtual time. */
#ifndef NETAUDITD_WATCHERS_REFLECTOR_STEP_H
#define NETAUDITD_WATCHERS_REFLECTOR_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cluster/cluster.h"
#include "watchers/kube_status.h"

enum {
    REFLECTOR_RV_MAX = 63,       /* resourceVersion; longer ones are refused */
    REFLECTOR_TEXT_MAX = 256,    /* reasons, sentences */
    REFLECTOR_TOKEN_MAX = 16384, /* a continue token */
    REFLECTOR_PAGE_ITEMS = 500,  /* limit= of a paged list */
    REFLECTOR_MAX_PAGES = 20000, /* of one list: 10 million objects */
    REFLECTOR_BACKOFF_MS = 800,  /* first delay; doubles */
    REFLECTOR_BACKOFF_MAX_MS = 30000,
    REFLECTOR_BACKOFF_RESET_MS = 120000,   /* without a failure */
    REFLECTOR_RETRY_AFTER_MAX_MS = 300000, /* however long the server asks us to stay away */
    REFLECTOR_PROBE_MS = 60000,            /* +-10 s: forbidden and absent kinds */
    REFLECTOR_HEAD_MS = 70000, /* request sent to head of the answer; servers give up at 60 s */
    REFLECTOR_LIST_IDLE_MS = 60000,   /* without a byte */
    REFLECTOR_LIST_WALL_MS = 600000,  /* one page */
    REFLECTOR_STREAM_WARN_MS = 10000, /* streaming list without a byte */
    REFLECTOR_STREAM_IDLE_MS = 60000,
    REFLECTOR_WATCH_IDLE_MS = 150000,    /* bookmarks come about once a minute */
    REFLECTOR_WALL_MARGIN_MS = 5000,     /* beyond timeoutSeconds */
    REFLECTOR_SHORT_MS = 1000,           /* a watch that lived shorter brought nothing */
    REFLECTOR_SILENT_RELIST_MS = 300000, /* without one byte of a watch */
    REFLECTOR_FRUITLESS_MAX = 8,         /* watches in a row that failed without progress */
    REFLECTOR_PAGE_TRIES = 10,
    REFLECTOR_STREAM_TRIES = 3,     /* cut or failed streaming lists in a row before LIST */
    REFLECTOR_ABSENT_TRIES = 3,     /* 404 in a row before a synced kind counts as gone */
    REFLECTOR_STARTING_TRIES = 5,   /* 403 of a server that is starting, before it is believed */
    REFLECTOR_WARN_GAP_MS = 120000, /* between warnings of trouble that comes and goes; doubles */
    REFLECTOR_CALM_MS = 600000,     /* without trouble: the gap begins anew */
    REFLECTOR_STREAM_RETRY_MS = 24 * 3600 * 1000 /* refused streaming lists are tried again */
};

enum reflector_phase {
    REFLECTOR_IDLE,
    REFLECTOR_LISTING,   /* a page of a list is in flight */
    REFLECTOR_STREAMING, /* a streaming list before its end mark */
    REFLECTOR_WATCHING,  /* a watch is in flight, answered or not */
    REFLECTOR_WAITING,   /* back-off, then on with what is wanted */
    REFLECTOR_FORBIDDEN, /* 403; probed */
    REFLECTOR_ABSENT,    /* 404; probed */
    REFLECTOR_STOPPED,
    REFLECTOR_PHASE_COUNT
};
const char *reflector_phase_name(enum reflector_phase phase);

/* Why the machine moved: each has a counter, and is the reason in the log. */
enum reflector_edge {
    EDGE_NONE,
    EDGE_START,
    EDGE_RESUMED, /* the wait is over, or a probe begins */
    EDGE_PAGE,    /* next page of a list */
    EDGE_LISTED,
    EDGE_STREAMED,       /* end mark of a streaming list */
    EDGE_ENDED,          /* the server ended a watch, as it does every few minutes */
    EDGE_SHORT,          /* the same at once, with nothing in it */
    EDGE_CUT,            /* connection lost within an answer */
    EDGE_GARBLED,        /* an answer that cannot be read */
    EDGE_SILENT,         /* no byte for too long */
    EDGE_OVERDUE,        /* lives longer than the server promised */
    EDGE_UNREACHABLE,    /* no connection */
    EDGE_THROTTLED,      /* 429 */
    EDGE_SERVER_ERROR,   /* 5xx */
    EDGE_REFUSED,        /* other HTTP status */
    EDGE_UNAUTHORIZED,   /* 401, or no usable credential */
    EDGE_FORBIDDEN,      /* 403 */
    EDGE_ABSENT,         /* 404 */
    EDGE_EXPIRED,        /* 410 */
    EDGE_TOO_LARGE,      /* a version of the future */
    EDGE_PAGE_EXPIRED,   /* 410 within a paged list */
    EDGE_BAD_LIST,       /* a list without a usable version */
    EDGE_STREAM_REFUSED, /* streaming list not served: LIST from now on */
    EDGE_STREAM_STUCK,   /* streaming list without end: LIST from now on */
    EDGE_FRUITLESS,      /* too many failed watches in a row: relist */
    EDGE_DOUBT,          /* nothing heard for too long: relist */
    EDGE_STOP,
    EDGE_COUNT
};
const char *reflector_edge_name(enum reflector_edge edge);

enum reflector_event_type {
    RE_START,
    RE_STOP,
    RE_TIMER,  /* wake_ms has come; harmless when it has not */
    RE_PROBE,  /* what is absent may have come: asked for at once; harmless when it is not absent */
    RE_ANSWER, /* head of a 200 with JSON */
    RE_BYTES,  /* part of a body */
    RE_LIST_END,    /* a page is complete: resource_version, continue_token */
    RE_EVENT,       /* ADDED, MODIFIED or DELETED was dealt with: resource_version ("": unknown) */
    RE_BOOKMARK,    /* resource_version, initial_events_end */
    RE_ERROR_EVENT, /* status; of an ERROR event */
    RE_REFUSED,     /* status; the answer's HTTP status is no 200; its body was read */
    RE_END,         /* the body of a watch has ended as it should */
    RE_FAILED       /* code, text: no answer, cut, unreadable */
};

struct reflector_event {
    enum reflector_event_type type;
    uint64_t now_ms; /* monotonic */
    const char *resource_version, *continue_token;
    bool initial_events_end;
    const struct kube_status *status;
    bool flow_schema_empty; /* RE_REFUSED: the server has not finished starting */
    int code; /* RE_FAILED: NA_EUNREACH, NA_EAUTH, NA_EIO and NA_ETIMEOUT (cut), else garbled */
    const char *text;
};

enum reflector_send { SEND_NONE, SEND_LIST, SEND_STREAM, SEND_WATCH };

/* To be carried out from top to bottom. */
struct reflector_order {
    bool abort_request;    /* take back what is in flight */
    bool abort_generation; /* drop the shadow generation */
    bool swap;             /* it is complete: make it the cache */
    bool swap_empty;       /* the kind is not served any more: make nothing the cache */
    bool refresh_credentials;
    bool state_changed; /* to machine.state, because of machine.reason */
    bool begin_generation;
    enum reflector_send send; /* what: reflector_request */
    uint64_t wake_ms;         /* send RE_TIMER then; UINT64_MAX: never */
    enum reflector_edge edge;
    /* For the log (KUBE_CLIENT D11): the first failure warns, repeats are for debugging, and the
     * recovery of what was warned of is told once. */
    bool failed, warn, recovered;
    uint64_t outage_ms; /* with `recovered` */
};

struct reflector_settings {
    uint64_t seed;             /* of its jitter */
    bool stream;               /* streaming lists may be tried */
    bool always_served;        /* by every API server: what answers 404 for it is none */
    uint64_t watch_timeout_ms; /* T: timeoutSeconds from [T, 2T) */
    uint64_t stale_after_ms;
    const char *known_version; /* of an earlier run: nothing older is read; NULL or "": none */
};

/* H6: why a list was begun after the first swap. */
enum reflector_relist { RELIST_EXPIRED, RELIST_TOO_LARGE, RELIST_OTHER, RELIST_REASONS };

enum reflector_from {
    FROM_CACHE /* "0" */,
    FROM_VERSION /* not older than ours */,
    FROM_LATEST /* "" */
};

struct reflector_machine {
    /* For others to read. */
    enum reflector_phase phase;
    enum kind_state state;                       /* PENDING, SYNCED, STALE, FORBIDDEN, ABSENT */
    char reason[REFLECTOR_TEXT_MAX];             /* of the state; "" when synced */
    char last_failure[REFLECTOR_TEXT_MAX];       /* "": none so far */
    char resource_version[REFLECTOR_RV_MAX + 1]; /* what the cache holds; "": nothing yet */
    uint64_t
        alive_ms; /* when the watch last brought a byte or was answered, or the cache swapped */
    uint64_t complete_ms; /* when the cache was last known to hold all: a swap, an event, a
                             bookmark, the end of a watch that brought some; 0 never */
    uint64_t edges[EDGE_COUNT];
    uint64_t sent[SEND_WATCH + 1];
    uint64_t relists; /* lists begun after the first swap */
    uint64_t relist_reasons[RELIST_REASONS];

    /* Its own. */
    struct reflector_settings settings;
    char known_version[REFLECTOR_RV_MAX + 1];
    uint64_t random;
    enum reflector_send want; /* the next request, or the one in flight */
    enum reflector_from from;
    bool synced;
    bool generation_open;
    bool answered;
    bool stream_warned;
    uint64_t sent_ms, answered_ms, byte_ms, until_ms;
    uint64_t timeout_s;
    uint64_t frames; /* of this request */
    /* lists */
    struct buf continue_token;
    uint32_t page;
    bool unpaged; /* after an expired token: in one piece */
    unsigned page_tries, list_failures;
    uint64_t last_list_ms;
    enum reflector_relist relist_reason; /* of the list that is wanted */
    uint64_t stream_off_until_ms;
    unsigned stream_failures;
    /* watches */
    unsigned fruitless;
    bool last_was_short;
    uint64_t heard_ms, silent_limit_ms; /* last byte of a watch, or swap; how long without */
    /* failures */
    uint64_t backoff_ms, last_failure_ms;
    unsigned too_large_tries, absent_tries, starting_tries;
    bool auth_retried;
    bool failing, warned;
    uint64_t failing_since_ms, last_episode_ms, last_warn_ms, warn_gap_ms;
};

void reflector_machine_init(struct reflector_machine *m, const struct reflector_settings *settings);
void reflector_machine_deinit(struct reflector_machine *m);

/* Never fails; an event that makes no sense in the phase changes nothing. */
void reflector_step(struct reflector_machine *m, const struct reflector_event *ev,
                    struct reflector_order *out);

/* The request that an order with `send` wants; valid until the next step. */
struct reflector_request {
    enum reflector_send send;
    const char *resource_version; /* NULL: parameter not sent */
    bool not_older_than;          /* resourceVersionMatch=NotOlderThan */
    uint32_t limit;               /* 0: not sent */
    const char *continue_token;   /* NULL: not sent */
    uint64_t timeout_s;           /* timeoutSeconds of watches and streaming lists; 0: not sent */
};
void reflector_request(const struct reflector_machine *m, struct reflector_request *out);

/* Which of two versions is newer (KUBE_CLIENT B12): -1, 0, 1 as numbers of any length; *comparable
 * is false, and the result 0 or 1 for same or other, when one is no number. */
int resource_version_compare(const char *a, const char *b, bool *comparable);

#endif
