/* Times and durations. Wall time is milliseconds since the epoch UTC (int64_t), monotonic time is
 * milliseconds of CLOCK_BOOTTIME (goes on while the machine is suspended). Code below daemon/ takes
 * time as a parameter. */
#ifndef NETAUDITD_BASE_CLOCK_H
#define NETAUDITD_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NA_TIME_TEXT_MAX = 32 }; /* "2026-11-24T06:04:02.123Z" and its NUL */

int64_t clock_wall_ms(void);
uint64_t clock_mono_ms(void);

/* RFC 3339 with seconds, or with milliseconds when `with_ms`. `ms` outside year 0..9999 gives "-".
 */
void time_format(int64_t ms, bool with_ms, char out[NA_TIME_TEXT_MAX]);
/* Accepts RFC 3339 with any offset and fraction, seconds optional ("2026-11-01T12:00Z"), and a bare
 * date (midnight UTC). */
bool time_parse(const char *text, int64_t *out_ms);

/* "90s", "5m", "24h", "7d", "1h30m", "250ms", "0". At most 100 years. */
bool duration_parse(const char *text, int64_t *out_ms);
/* The shortest of those forms: "5m", "1h30m", "7d". */
void duration_format(int64_t ms, char out[NA_TIME_TEXT_MAX]);

#endif
