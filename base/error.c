#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int set_v(struct error *err, int code, const char *fmt, va_list ap)
{
    char raw[NA_ERROR_MAX_BYTES];

    if (err == NULL) {
        return code;
    }
    vsnprintf(raw, sizeof(raw), fmt, ap);
    err->code = code;
    text_escape_control(err->text, sizeof(err->text), raw, strlen(raw));
    return code;
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_v(err, code, fmt, ap);
    va_end(ap);
    return code;
}

int error_wrap(struct error *err, int code, const char *fmt, ...)
{
    struct error outer = { 0 };
    va_list ap;

    if (err == NULL) {
        return code;
    }
    va_start(ap, fmt);
    set_v(&outer, code, fmt, ap);
    va_end(ap);
    size_t used = strlen(outer.text);
    snprintf(outer.text + used, sizeof(outer.text) - used, "%s%s", err->text[0] != '\0' ? ": " : "",
             err->text);
    *err = outer;
    return code;
}

static int code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
        return NA_ENOENT;
    case ENOMEM:
        return NA_ENOMEM;
    case EACCES:
    case EPERM:
        return NA_EAUTH;
    case EAGAIN:
    case EBUSY:
        return NA_EBUSY;
    case ETIMEDOUT:
        return NA_ETIMEOUT;
    case EFBIG:
    case ENAMETOOLONG:
    case E2BIG:
        return NA_ELIMIT;
    default:
        return NA_EIO;
    }
}

int error_errno(struct error *err, int errno_value, const char *fmt, ...)
{
    int code = code_of_errno(errno_value);
    va_list ap;

    if (err == NULL) {
        return code;
    }
    va_start(ap, fmt);
    set_v(err, code, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errno_value));
    return code;
}
