/* A bearer token in a file that somebody rotates (kubelet does, at 80 % of its life). */
#ifndef NETAUDITD_WATCHERS_TOKEN_FILE_H
#define NETAUDITD_WATCHERS_TOKEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    TOKEN_MAX_BYTES = 48 * 1024, /* servers refuse larger headers anyway */
    TOKEN_REREAD_MS = 50 * 1000  /* once a minute, with ten seconds of leeway */
};

struct token_file {
    char *path;
    char *token; /* NULL: never read */
    uint64_t read_ms;
    bool failing; /* told once */
};

/* Nothing is read yet. `token` (may be NULL) is used until the file has been. */
void token_file_init(struct token_file *f, const char *path, const char *token);
void token_file_deinit(struct token_file *f);
/* The token, read again when it is time (or `now` is true). A file that is missing, empty or no
 * token keeps the last one, with a log line. NULL with *err when there never was one. The text is
 * valid until the next call. *changed is set when it is another than before. */
const char *token_file_get(struct token_file *f, uint64_t now_ms, bool now, bool *changed,
                           struct error *err);
/* Takes white space off the ends; false when nothing or more than one printable word is left. */
bool token_trim(char *text);

#endif
