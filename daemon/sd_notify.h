/* The service manager's notification socket (sd_notify(3), its documented datagram protocol).
 * Silent without NOTIFY_SOCKET. */
#ifndef NETAUDITD_DAEMON_SD_NOTIFY_H
#define NETAUDITD_DAEMON_SD_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STATUS=...", several separated by newlines. Failures are ignored: nobody can be told.
 */
void sd_notify_send(const char *state);
/* "RELOADING=1" with the monotonic time that Type=notify-reload wants. */
void sd_notify_reloading(void);
/* How often WATCHDOG=1 is due, in ms (half of what the manager asked); 0: no watchdog. */
uint64_t sd_notify_watchdog_ms(void);

#endif
