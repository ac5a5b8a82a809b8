/* Errors travel as a code and grow a sentence on the way up (STYLE 5). Zero is success, negatives
 * are ours; codes of libuv, curl, SQLite and errno are translated where they enter. */
#ifndef NETAUDITD_BASE_ERROR_H
#define NETAUDITD_BASE_ERROR_H

#include <stdarg.h>

enum na_code {
    NA_OK = 0,
    NA_EINVAL = -1,    /* malformed input or wrong use */
    NA_ENOMEM = -2,    /* an allocation whose size outsiders control was refused */
    NA_EIO = -3,       /* read, write, sync or database error */
    NA_ENOENT = -4,    /* a file, key or object is absent */
    NA_ELIMIT = -5,    /* larger, deeper or more than we accept */
    NA_EAUTH = -6,     /* 401/403, credentials refused or unusable */
    NA_EUNREACH = -7,  /* cannot connect, TLS failure, name not resolved */
    NA_ETIMEOUT = -8,  /* a deadline passed */
    NA_ECANCELED = -9, /* the caller took it back */
    NA_EBUSY = -10,    /* locked by somebody else */
    NA_EMISMATCH = -11 /* a newer schema, another cluster, another version */
};

enum { NA_ERROR_MAX_BYTES = 1024 };

/* One sentence, always NUL-terminated, control characters of outside text already escaped.
 * Zero-initialise. */
struct error {
    int code;
    char text[NA_ERROR_MAX_BYTES];
};

/* Sets code and sentence, returns `code`. `err` may be NULL (only the code travels then). */
int error_set(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<fmt>: " before the sentence that `err` holds, sets and returns `code`. */
int error_wrap(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* error_set plus ": <strerror(errno_value)>"; the code is chosen from errno (ENOENT -> NA_ENOENT,
 * else NA_EIO ...). */
int error_errno(struct error *err, int errno_value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
