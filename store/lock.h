/* Who may use a database file, and whether the place is safe: before SQLite ever sees it. */
#ifndef NETAUDITD_STORE_LOCK_H
#define NETAUDITD_STORE_LOCK_H

#include "base/error.h"

/* Resolves the directory of `path` (made with mode 0700 when only its last step is missing), which
 * must belong to this user or root and not be writable by group or others. *out (free()): directory
 * without links plus file name. */
int place_resolve(const char *path, char **out, struct error *err);
/* The database itself: a regular file of this user, no symbolic link, no permission for group or
 * others, ours by its header. Absent: created empty, mode 0600. Must be called while SQLite has the
 * file not open in this process: closing any descriptor of a file drops the process's POSIX locks
 * on it. */
int place_prepare(const char *path, struct error *err);

/* <path>.lock, exclusively, for as long as the returned descriptor is open. NA_EBUSY names the
 * holder's pid. */
int lock_take(const char *path, int *out_fd, struct error *err);
void lock_release(int fd); /* -1 is fine */

#endif
