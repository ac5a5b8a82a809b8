/* One line an event, for the person on call: time, level, module, then key=value (STYLE 10). Three
 * forms: logfmt, JSON, the journal's native fields. Lines go to stderr whole (one write). Values
 * are escaped here, callers pass raw text. Never pass a token or Secret content. Thread-safe. */
#ifndef NETAUDITD_BASE_LOG_H
#define NETAUDITD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON, LOG_FORMAT_JOURNALD };

/* AUTO: the journal's fields when JOURNAL_STREAM names our stderr, else logfmt. */
void log_setup(enum log_format format, enum log_level least);
bool log_format_parse(const char *text, enum log_format *out);
bool log_level_parse(const char *text, enum log_level *out);
bool log_enabled(enum log_level level);

enum log_field_type { LOG_END, LOG_TEXT, LOG_INT, LOG_FLOAT };
struct log_field {
    const char *key;
    enum log_field_type type;
    const char *text;
    int64_t number;
    double real;
};
#define KV_TEXT(k, v)  ((struct log_field){ .key = (k), .type = LOG_TEXT, .text = (v) })
#define KV_INT(k, v)   ((struct log_field){ .key = (k), .type = LOG_INT, .number = (int64_t)(v) })
#define KV_FLOAT(k, v) ((struct log_field){ .key = (k), .type = LOG_FLOAT, .real = (v) })

/* log_event(LOG_LEVEL_INFO, "watchers", "synced", KV_TEXT("resource", "pods"), KV_INT("objects",
 * n)); prints  time=... level=info module=watchers msg=synced resource=pods objects=12 */
#ifdef __cppcheck__ /* which cannot read __VA_OPT__ */
#define log_event(level, module, msg, ...) ((void)(level))
#else
#define log_event(level, module, msg, ...)                                                         \
    log_fields((level), (module), (msg),                                                           \
               (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .type = LOG_END } })
#endif
void log_fields(enum log_level level, const char *module, const char *msg,
                const struct log_field *fields);

#endif
