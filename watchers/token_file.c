#include "watchers/token_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

static void wipe(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void token_file_init(struct token_file *f, const char *path, const char *token)
{
    memset(f, 0, sizeof(*f));
    f->path = xstrdup(path);
    f->token = token != NULL ? xstrdup(token) : NULL;
}

void token_file_deinit(struct token_file *f)
{
    wipe(f->token);
    free(f->path);
    memset(f, 0, sizeof(*f));
}

bool token_trim(char *text)
{
    static const char space[] = " \t\r\n\v\f";
    size_t skip = strspn(text, space), len = strlen(text + skip);

    memmove(text, text + skip, len + 1);
    while (len > 0 && strchr(space, text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false; /* would break the header it goes into */
        }
    }
    return len > 0;
}

/* NULL, with the reason in `err`: there is no token to be had. */
static char *read_token(const struct token_file *f, struct error *err)
{
    char *text;
    size_t len;
    int rc = file_read(f->path, TOKEN_MAX_BYTES, &text, &len, err);

    if (rc != 0) {
        error_wrap(err, rc, "token file");
        return NULL;
    }
    if (strlen(text) != len || !token_trim(text)) {
        bool empty = text[0] == '\0';

        wipe(text);
        error_set(err, NA_EINVAL, "token file '%s' %s", f->path,
                  empty ? "is empty" : "holds no token");
        return NULL;
    }
    return text;
}

const char *token_file_get(struct token_file *f, uint64_t now_ms, bool now, bool *changed,
                           struct error *err)
{
    struct error why = { 0 };
    char *fresh;

    *changed = false;
    if (!now && f->read_ms != 0 && now_ms - f->read_ms < TOKEN_REREAD_MS) {
        return f->token;
    }
    fresh = read_token(f, &why);
    if (fresh == NULL) {
        if (f->token == NULL) {
            *err = why;
            return NULL;
        }
        log_event(f->failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "watchers", "token not read again",
                  KV_TEXT("error", why.text), KV_TEXT("next", "the one in use stays"));
        f->failing = true;
        f->read_ms = now_ms;
        return f->token;
    }
    f->failing = false;
    f->read_ms = now_ms;
    *changed = f->token == NULL || strcmp(f->token, fresh) != 0;
    wipe(f->token);
    f->token = fresh;
    return f->token;
}
