/* A rotation is seen half-way now and then: a certificate that is new beside a key that is old, a
 * file without its end. Half files are not taken; a pair that does not match is found out by the
 * TLS backend, and then the pair before is used until the files have been read again. */
#include "watchers/pem.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ";

void pem_source_deinit(struct pem_source *s)
{
    if (s->data != NULL) {
        explicit_bzero(s->data, s->len);
    }
    free(s->path);
    free(s->data);
    memset(s, 0, sizeof(*s));
}

static void set_deinit(struct pem_set *s)
{
    if (s->key != NULL) {
        explicit_bzero(s->key, s->key_len);
    }
    free(s->ca);
    free(s->cert);
    free(s->key);
    memset(s, 0, sizeof(*s));
}

bool pem_is_whole(const char *text, size_t len, const char *what)
{
    const char *at = text, *end = text + len;
    bool found = false;

    while ((at = memmem(at, (size_t)(end - at), begin_mark, strlen(begin_mark))) != NULL) {
        const char *label = at + strlen(begin_mark);
        const char *label_end = memmem(label, (size_t)(end - label), "-----", 5);
        const char *close;
        size_t label_len;

        if (label_end == NULL) {
            return false;
        }
        label_len = (size_t)(label_end - label);
        close = memmem(label_end, (size_t)(end - label_end), end_mark, strlen(end_mark));
        if (close == NULL || (size_t)(end - close) < strlen(end_mark) + label_len + 5 ||
            memcmp(close + strlen(end_mark), label, label_len) != 0 ||
            memcmp(close + strlen(end_mark) + label_len, "-----", 5) != 0) {
            return false;
        }
        /* "PRIVATE KEY" is also "RSA PRIVATE KEY" and "EC PRIVATE KEY" */
        found = found || (label_len >= strlen(what) &&
                          memcmp(label_end - strlen(what), what, strlen(what)) == 0);
        at = close + strlen(end_mark) + label_len + 5;
    }
    return found;
}

static int read_source(const struct pem_source *s, const char *what, const char *name, char **out,
                       size_t *len, struct error *err)
{
    int rc = 0;

    *out = NULL;
    *len = 0;
    if (s->data != NULL) {
        *out = xmalloc(s->len + 1);
        memcpy(*out, s->data, s->len);
        (*out)[s->len] = '\0';
        *len = s->len;
    } else if (s->path != NULL) {
        rc = file_read(s->path, PEM_MAX_BYTES, out, len, err);
        if (rc != 0) {
            return error_wrap(err, rc, "%s", name);
        }
    } else {
        return 0;
    }
    if (!pem_is_whole(*out, *len, what)) {
        explicit_bzero(*out, *len);
        free(*out);
        *out = NULL;
        return s->data == NULL && s->path != NULL
                   ? error_set(err, NA_EINVAL, "%s '%s' holds no complete PEM %s", name, s->path,
                               what)
                   : error_set(err, NA_EINVAL, "%s holds no complete PEM %s", name, what);
    }
    return 0;
}

static int read_all(const struct pem_files *f, struct pem_set *out, struct error *err)
{
    int rc =
        read_source(&f->ca, "CERTIFICATE", "certificate authority", &out->ca, &out->ca_len, err);

    if (rc == 0) {
        rc = read_source(&f->cert, "CERTIFICATE", "client certificate", &out->cert, &out->cert_len,
                         err);
    }
    if (rc == 0) {
        rc = read_source(&f->key, "PRIVATE KEY", "client key", &out->key, &out->key_len, err);
    }
    if (rc != 0) {
        set_deinit(out);
    }
    return rc;
}

int pem_files_load(struct pem_files *f, uint64_t now_ms, struct error *err)
{
    f->next_ms = now_ms + PEM_REREAD_MS;
    return read_all(f, &f->now, err);
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return (a == NULL) == (b == NULL) && a_len == b_len && (a == NULL || memcmp(a, b, a_len) == 0);
}

static bool same_set(const struct pem_set *a, const struct pem_set *b)
{
    return same(a->ca, a->ca_len, b->ca, b->ca_len) &&
           same(a->cert, a->cert_len, b->cert, b->cert_len) &&
           same(a->key, a->key_len, b->key, b->key_len);
}

bool pem_files_refresh(struct pem_files *f, uint64_t now_ms)
{
    struct pem_set fresh = { 0 };
    struct error err = { 0 };

    if (now_ms < f->next_ms ||
        (f->ca.path == NULL && f->cert.path == NULL && f->key.path == NULL)) {
        return false;
    }
    if (read_all(f, &fresh, &err) != 0) {
        f->next_ms = now_ms + PEM_RETRY_MS;
        log_event(f->failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "watchers",
                  "certificates not read again", KV_TEXT("error", err.text),
                  KV_TEXT("next", "the ones in use stay"));
        f->failing = true;
        return false;
    }
    f->failing = false;
    f->next_ms = now_ms + PEM_REREAD_MS;
    if (same_set(&fresh, &f->now)) {
        set_deinit(&fresh);
        return false;
    }
    set_deinit(&f->before);
    f->before = f->now;
    f->has_before = true;
    f->now = fresh;
    log_event(LOG_LEVEL_INFO, "watchers", "certificates changed",
              KV_TEXT("next", "used by new connections"));
    return true;
}

bool pem_files_revert(struct pem_files *f, uint64_t now_ms)
{
    if (!f->has_before) {
        return false;
    }
    set_deinit(&f->now);
    f->now = f->before;
    memset(&f->before, 0, sizeof(f->before));
    f->has_before = false;
    f->next_ms = now_ms + PEM_RETRY_MS;
    log_event(LOG_LEVEL_WARN, "watchers", "certificates unusable",
              KV_TEXT("next", "the ones before are used, the files read again"));
    return true;
}

void pem_files_deinit(struct pem_files *f)
{
    pem_source_deinit(&f->ca);
    pem_source_deinit(&f->cert);
    pem_source_deinit(&f->key);
    set_deinit(&f->now);
    set_deinit(&f->before);
}
