/* Certificates made at start, and OpenSSL contexts out of them. */
#ifndef FAKE_TLS_H
#define FAKE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "buf.h"

struct tls_ca {
    EVP_PKEY *key;
    X509 *cert;
};

enum tls_leaf { LEAF_GOOD, LEAF_EXPIRED, LEAF_WRONG_NAME };

/* False when OpenSSL cannot (errors are on its queue). */
bool tls_ca_init(struct tls_ca *ca);
void tls_ca_deinit(struct tls_ca *ca);
void tls_ca_pem(const struct tls_ca *ca, struct buf *out);
/* A server context with a new leaf for `host` and the usual names. Clients may present certificates
 * of the CA. */
SSL_CTX *tls_server(const struct tls_ca *ca, enum tls_leaf leaf, const char *host);
/* A client certificate and its key as PEM. */
bool tls_client_pem(const struct tls_ca *ca, const char *cn, struct buf *cert, struct buf *key);
/* A BIO that hands what is written to it to `write(bio, ...)`, with `data` as its BIO data. */
BIO *tls_wire_bio(int (*write)(BIO *, const char *, int), void *data);

#endif
