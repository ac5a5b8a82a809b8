#include "tls.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

/* A certificate with a random serial, valid from an hour ago for `days` (negative: it ended
 * yesterday). */
static X509 *make_cert(EVP_PKEY *key, const char *cn, X509 *issuer, long days)
{
    X509 *cert = X509_new();
    unsigned char serial[9];
    BIGNUM *bn;
    X509_NAME *name;

    if (cert == NULL || RAND_bytes(serial, sizeof(serial)) != 1) {
        X509_free(cert);
        return NULL;
    }
    serial[0] = 1;
    bn = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
    BN_free(bn);
    X509_set_version(cert, 2);
    X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? -10L * 86400 : -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), days < 0 ? -86400L : days * 86400);
    X509_set_pubkey(cert, key);
    name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : name);
    return cert;
}

bool tls_ca_init(struct tls_ca *ca)
{
    ca->key = EVP_EC_gen("P-256");
    ca->cert = ca->key != NULL ? make_cert(ca->key, "fake-apiserver-ca", NULL, 3650) : NULL;
    return ca->cert != NULL &&
           add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash") &&
           X509_sign(ca->cert, ca->key, EVP_sha256()) > 0;
}

void tls_ca_deinit(struct tls_ca *ca)
{
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    *ca = (struct tls_ca){ 0 };
}

static void bio_to_buf(BIO *bio, struct buf *out)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);

    buf_add(out, data, (size_t)n);
    BIO_free(bio);
}

static void cert_pem(X509 *cert, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, cert);
    bio_to_buf(bio, out);
}

void tls_ca_pem(const struct tls_ca *ca, struct buf *out)
{
    cert_pem(ca->cert, out);
}

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1; /* as the real server: a bad certificate is a 401, not a broken handshake */
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char mine[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, mine, sizeof(mine) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static X509 *make_leaf(const struct tls_ca *ca, EVP_PKEY *key, enum tls_leaf leaf, const char *host)
{
    X509 *cert = make_cert(key, "kube-apiserver", ca->cert, leaf == LEAF_EXPIRED ? -1 : 365);
    struct buf names = { 0 };
    bool ip = strspn(host, "0123456789.") == strlen(host) || strchr(host, ':') != NULL;

    if (leaf == LEAF_WRONG_NAME) {
        buf_str(&names, "DNS:wrong.example.com");
    } else {
        buf_fmt(&names,
                "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
                "IP:127.0.0.1,IP:::1,%s:%s",
                ip ? "IP" : "DNS", host);
    }
    if (cert != NULL && (!add_extension(cert, ca->cert, NID_subject_alt_name, buf_cstr(&names)) ||
                         !add_extension(cert, ca->cert, NID_ext_key_usage, "serverAuth") ||
                         X509_sign(cert, ca->key, EVP_sha256()) <= 0)) {
        X509_free(cert);
        cert = NULL;
    }
    buf_free(&names);
    return cert;
}

SSL_CTX *tls_server(const struct tls_ca *ca, enum tls_leaf leaf, const char *host)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key != NULL ? make_leaf(ca, key, leaf, host) : NULL;
    bool ok = ctx != NULL && cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, key) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    if (!ok) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    /* The cheapest strong cipher first: the bytes are a benchmark's, the server must not be the
     * slow side. */
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                  "TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"fake", 4);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca->cert);
    SSL_CTX_add_client_CA(ctx, ca->cert);
    return ctx;
}

bool tls_client_pem(const struct tls_ca *ca, const char *cn, struct buf *cert_out,
                    struct buf *key_out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key != NULL ? make_cert(key, cn, ca->cert, 365) : NULL;
    bool ok = cert != NULL && add_extension(cert, ca->cert, NID_ext_key_usage, "clientAuth") &&
              X509_sign(cert, ca->key, EVP_sha256()) > 0;

    if (ok) {
        BIO *bio = BIO_new(BIO_s_mem());

        cert_pem(cert, cert_out);
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
        bio_to_buf(bio, key_out);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

static long wire_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static int wire_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO *tls_wire_bio(int (*write)(BIO *, const char *, int), void *data)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
        BIO_meth_set_write(method, write);
        BIO_meth_set_ctrl(method, wire_ctrl);
        BIO_meth_set_create(method, wire_create);
    }
    bio = BIO_new(method);
    BIO_set_data(bio, data);
    return bio;
}
