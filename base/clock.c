#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void time_format(int64_t ms, bool with_ms, char out[NA_TIME_TEXT_MAX])
{
    int64_t rest = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999) {
        snprintf(out, NA_TIME_TEXT_MAX, "-");
        return;
    }
    size_t n = strftime(out, NA_TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    if (with_ms) {
        snprintf(out + n, NA_TIME_TEXT_MAX - n, ".%03dZ", (int)rest);
    } else {
        snprintf(out + n, NA_TIME_TEXT_MAX - n, "Z");
    }
}

/* Reads exactly `n` digits. */
static bool digits(const char **text, int n, int *out)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)(*text)[i])) {
            return false;
        }
        value = value * 10 + ((*text)[i] - '0');
    }
    *text += n;
    *out = value;
    return true;
}

static bool literal(const char **text, char c)
{
    if (**text != c) {
        return false;
    }
    (*text)++;
    return true;
}

/* ".123456789": the milliseconds of it, further digits cut. */
static bool fraction(const char **text, int *ms)
{
    int scale = 100;

    *ms = 0;
    if (!literal(text, '.')) {
        return true;
    }
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    for (; isdigit((unsigned char)**text); (*text)++) {
        *ms += (**text - '0') * scale;
        scale /= 10;
    }
    return true;
}

static bool zone(const char **text, int64_t *offset_ms)
{
    int sign = **text == '-' ? -1 : 1, hours, minutes;

    *offset_ms = 0;
    if (literal(text, 'Z') || literal(text, 'z')) {
        return true;
    }
    if (!literal(text, '+') && !literal(text, '-')) {
        return false;
    }
    if (!digits(text, 2, &hours) || !literal(text, ':') || !digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59) {
        return false;
    }
    *offset_ms = (int64_t)sign * (hours * 60 + minutes) * 60000;
    return true;
}

static bool day_exists(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (month < 1 || month > 12 || day < 1) {
        return false;
    }
    return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool time_parse(const char *text, int64_t *out_ms)
{
    int year, month, day, hour = 0, minute = 0, second = 0, ms = 0;
    int64_t offset_ms = 0;

    if (!digits(&text, 4, &year) || !literal(&text, '-') || !digits(&text, 2, &month) ||
        !literal(&text, '-') || !digits(&text, 2, &day) || !day_exists(year, month, day)) {
        return false;
    }
    if (*text != '\0') {
        if ((*text != 'T' && *text != 't' && *text != ' ') || (text++, !digits(&text, 2, &hour)) ||
            !literal(&text, ':') || !digits(&text, 2, &minute) || hour > 23 || minute > 59) {
            return false;
        }
        if (literal(&text, ':') && (!digits(&text, 2, &second) || second > 60)) {
            return false;
        }
        if (!fraction(&text, &ms) || !zone(&text, &offset_ms) || *text != '\0') {
            return false;
        }
    }
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };
    *out_ms = (int64_t)timegm(&tm) * 1000 + ms - offset_ms;
    return true;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

static int64_t unit_ms(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0) {
            return units[i].ms;
        }
    }
    return 0;
}

bool duration_parse(const char *text, int64_t *out_ms)
{
    const int64_t most = (int64_t)36525 * 86400000;
    int64_t total = 0;

    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return true;
    }
    if (*text == '\0') {
        return false;
    }
    while (*text != '\0') {
        int64_t value = 0;
        size_t n = 0;

        for (; n < 15 && isdigit((unsigned char)text[n]); n++) {
            value = value * 10 + (text[n] - '0');
        }
        if (n == 0 || n == 15) {
            return false;
        }
        text += n;
        n = 0;
        while (isalpha((unsigned char)text[n])) {
            n++;
        }
        int64_t unit = unit_ms(text, n);
        if (unit == 0 || value > most / unit || total > most - value * unit) {
            return false;
        }
        total += value * unit;
        text += n;
    }
    *out_ms = total;
    return true;
}

void duration_format(int64_t ms, char out[NA_TIME_TEXT_MAX])
{
    size_t used = 0;

    if (ms <= 0) {
        snprintf(out, NA_TIME_TEXT_MAX, "0");
        return;
    }
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && used < NA_TIME_TEXT_MAX - 1; i++) {
        if (ms >= units[i].ms) {
            int n = snprintf(out + used, NA_TIME_TEXT_MAX - used, "%lld%s",
                             (long long)(ms / units[i].ms), units[i].name);
            used += n > 0 ? (size_t)n : 0;
            ms %= units[i].ms;
        }
    }
}
