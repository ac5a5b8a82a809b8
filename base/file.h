/* Whole small files. */
#ifndef NETAUDITD_BASE_FILE_H
#define NETAUDITD_BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/* Reads all of `path`, at most `max_bytes` (more: NA_ELIMIT). *out is the caller's to free,
 * NUL-terminated beyond *len. Errors name the file; outputs stay untouched. Pipes and devices are
 * read too, directories refused. */
int file_read(const char *path, size_t max_bytes, char **out, size_t *len, struct error *err);

/* The same from an open descriptor, which stays open; `name` stands for it in sentences. */
int file_read_fd(int fd, const char *name, size_t max_bytes, char **out, size_t *len,
                 struct error *err);

#endif
