/* Certificates and keys as PEM texts, from files or from memory, read again as they rotate. What is
 * in the texts is the TLS backend's to judge; here only whole and half are told apart. */
#ifndef NETAUDITD_WATCHERS_PEM_H
#define NETAUDITD_WATCHERS_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "watchers/credentials.h"

enum {
    PEM_MAX_BYTES = 4 * 1024 * 1024, /* one file: CA bundles are large */
    PEM_REREAD_MS = 5 * 60 * 1000,
    PEM_RETRY_MS = 10 * 1000 /* after a read that failed */
};

/* Data beats path; both NULL: not given. */
struct pem_source {
    char *path, *data;
    size_t len;
};
void pem_source_deinit(struct pem_source *s);

/* `what` ("CERTIFICATE", "PRIVATE KEY") begins, ends, and every block that begins ends. */
bool pem_is_whole(const char *text, size_t len, const char *what);

/* A rotating set. */
struct pem_set {
    char *ca, *cert, *key;
    size_t ca_len, cert_len, key_len;
};
struct pem_files {
    struct pem_source ca, cert, key;
    struct pem_set now, before; /* `before`: what worked until the last change */
    bool has_before;
    bool failing; /* told once */
    uint64_t next_ms;
};
void pem_files_deinit(struct pem_files *f);
/* First read; the sources must have been filled. */
int pem_files_load(struct pem_files *f, uint64_t now_ms, struct error *err);
/* Reads again when it is time. True when `now` has changed; what cannot be read or is not whole
 * changes nothing and is tried again soon. */
bool pem_files_refresh(struct pem_files *f, uint64_t now_ms);
/* `now` was refused: back to `before`. False when there is none. */
bool pem_files_revert(struct pem_files *f, uint64_t now_ms);

#endif
