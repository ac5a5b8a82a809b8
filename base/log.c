/* A line is built in one buffer and written with one write(2), so that lines of two threads never
 * mix. The journal gets its native datagram instead: KEY=value lines, with the length form for
 * values that hold a newline. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 16 * 1024, VALUE_MAX_BYTES = 4 * 1024 };

static enum log_format format = LOG_FORMAT_LOGFMT;
static enum log_level least = LOG_LEVEL_INFO;
static int journal_fd = -1;

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const int level_priority[] = { 7, 6, 4, 3 };

bool log_format_parse(const char *text, enum log_format *out)
{
    static const char *const names[] = { "auto", "logfmt", "json", "journald" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_format)i;
            return true;
        }
    }
    return false;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* systemd sets JOURNAL_STREAM to device:inode of the socket it gave us as stderr. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && (uintmax_t)st.st_dev == device &&
           (uintmax_t)st.st_ino == inode;
}

static int journal_open(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void log_setup(enum log_format wanted, enum log_level least_level)
{
    least = least_level;
    if (wanted == LOG_FORMAT_AUTO) {
        wanted = stderr_is_journal() ? LOG_FORMAT_JOURNALD : LOG_FORMAT_LOGFMT;
    }
    if (journal_fd >= 0) {
        close(journal_fd);
        journal_fd = -1;
    }
    if (wanted == LOG_FORMAT_JOURNALD) {
        journal_fd = journal_open();
        if (journal_fd < 0) {
            wanted = LOG_FORMAT_LOGFMT;
        }
    }
    format = wanted;
}

bool log_enabled(enum log_level level)
{
    return level >= least;
}

static void field_text(const struct log_field *f, char *out, size_t size)
{
    if (f->type == LOG_INT) {
        snprintf(out, size, "%" PRId64, f->number);
    } else if (f->type == LOG_FLOAT) {
        snprintf(out, size, "%.3f", f->real);
    } else {
        const char *text = f->text != NULL ? f->text : "";
        text_escape_control(out, size, text, strlen(text));
    }
}

/* Bare when nothing in it could be taken for structure, else in quotes. */
static void add_logfmt_value(struct buf *b, const char *value)
{
    if (*value != '\0' && strpbrk(value, " \"=\\") == NULL) {
        buf_adds(b, value);
        return;
    }
    buf_adds(b, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"') {
            buf_adds(b, "\\");
        }
        buf_add(b, value, 1);
    }
    buf_adds(b, "\"");
}

static void add_field(struct buf *b, const struct log_field *f)
{
    char value[VALUE_MAX_BYTES];

    field_text(f, value, sizeof(value));
    if (format == LOG_FORMAT_JSON) {
        buf_adds(b, ",");
        buf_add_json(b, f->key);
        buf_adds(b, ":");
        if (f->type == LOG_TEXT) {
            buf_add_json(b, value);
        } else {
            buf_adds(b, value);
        }
    } else {
        buf_addf(b, " %s=", f->key);
        add_logfmt_value(b, value);
    }
}

static void write_line(const struct buf *b)
{
    size_t done = 0;

    while (done < b->len) {
        ssize_t n = write(STDERR_FILENO, b->data + done, b->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* a full or closed pipe must not stop auditing */
        }
        done += (size_t)n;
    }
}

static void journal_line(enum log_level level, const char *module, const char *msg,
                         const struct log_field *fields)
{
    struct buf b;

    buf_init(&b, LINE_MAX_BYTES);
    buf_addf(&b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=netauditd\nNETAUDITD_MODULE=%s\nMESSAGE=",
             level_priority[level], module);
    buf_adds(&b, msg);
    for (const struct log_field *f = fields; f->type != LOG_END; f++) {
        add_field(&b, f);
    }
    buf_adds(&b, "\n");
    for (const struct log_field *f = fields; f->type != LOG_END; f++) {
        char value[VALUE_MAX_BYTES];
        field_text(f, value, sizeof(value));
        buf_adds(&b, "NETAUDITD_");
        for (const char *k = f->key; *k != '\0'; k++) {
            char c = *k >= 'a' && *k <= 'z' ? (char)(*k - 'a' + 'A') : *k == '-' ? '_' : *k;
            buf_add(&b, &c, 1);
        }
        buf_addf(&b, "=%s\n", value);
    }
    if (send(journal_fd, b.data, b.len, MSG_NOSIGNAL) < 0) {
        write_line(&b);
    }
    buf_deinit(&b);
}

void log_fields(enum log_level level, const char *module, const char *msg,
                const struct log_field *fields)
{
    char now[NA_TIME_TEXT_MAX], text[VALUE_MAX_BYTES];
    struct buf b;

    if (!log_enabled(level)) {
        return;
    }
    text_escape_control(text, sizeof(text), msg, strlen(msg));
    if (format == LOG_FORMAT_JOURNALD) {
        journal_line(level, module, text, fields);
        return;
    }
    time_format(clock_wall_ms(), true, now);
    buf_init(&b, LINE_MAX_BYTES);
    if (format == LOG_FORMAT_JSON) {
        buf_addf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"msg\":", now,
                 level_names[level], module);
        buf_add_json(&b, text);
    } else {
        buf_addf(&b, "time=%s level=%s module=%s msg=", now, level_names[level], module);
        add_logfmt_value(&b, text);
    }
    for (const struct log_field *f = fields; f->type != LOG_END; f++) {
        add_field(&b, f);
    }
    buf_adds(&b, format == LOG_FORMAT_JSON ? "}\n" : "\n");
    write_line(&b);
    buf_deinit(&b);
}
