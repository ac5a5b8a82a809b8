/* The daemon: store, cache, engine, life and watches on one loop. */
#ifndef NETAUDITD_DAEMON_DAEMON_H
#define NETAUDITD_DAEMON_DAEMON_H

#include "base/error.h"
#include "daemon/options.h"
#include "front/settings.h"
#include "rules/ruleset.h"

struct daemon;

/* Takes `settings` and `ruleset` (also on failure). `options` is borrowed and read again on reload.
 * Opens the store and the credentials and starts watching: nothing is judged before the first sync.
 */
int daemon_create(struct daemon **out, const struct options *options, struct settings *settings,
                  struct ruleset *ruleset, struct error *err);
/* Until SIGTERM or SIGINT (0), or until it cannot go on (negative, with a sentence). What waits has
 * been committed when it returns 0. */
int daemon_run(struct daemon *d, struct error *err);
void daemon_destroy(struct daemon *d); /* NULL is fine */

#endif
