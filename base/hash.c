#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "base/xalloc.h"

static uint64_t key0, key1;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    uint64_t keys[2] = { 0x6e65746175646974ULL, 0x686173682d6b6579ULL };

    /* Without entropy (very early boot) tables still work, only their key is known. */
    if (getrandom(keys, sizeof(keys), 0) < 0) {
        keys[0] ^= (uint64_t)(uintptr_t)&keys;
    }
    key0 = keys[0];
    key1 = keys[1];
}

void hash_set_key(uint64_t k0, uint64_t k1)
{
    pthread_once(&key_once, draw_key);
    key0 = k0;
    key1 = k1;
}

static inline uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

#define SIP_ROUND                                                                                  \
    do {                                                                                           \
        v0 += v1;                                                                                  \
        v1 = rotl(v1, 13) ^ v0;                                                                    \
        v0 = rotl(v0, 32);                                                                         \
        v2 += v3;                                                                                  \
        v3 = rotl(v3, 16) ^ v2;                                                                    \
        v0 += v3;                                                                                  \
        v3 = rotl(v3, 21) ^ v0;                                                                    \
        v2 += v1;                                                                                  \
        v1 = rotl(v1, 17) ^ v2;                                                                    \
        v2 = rotl(v2, 32);                                                                         \
    } while (0)

/* SipHash-1-3 (Aumasson, Bernstein 2012, with one compression and three finalisation rounds). */
uint64_t hash_bytes(const void *data, size_t len)
{
    pthread_once(&key_once, draw_key);
    const unsigned char *p = data;
    uint64_t v0 = key0 ^ 0x736f6d6570736575ULL, v1 = key1 ^ 0x646f72616e646f6dULL;
    uint64_t v2 = key0 ^ 0x6c7967656e657261ULL, v3 = key1 ^ 0x7465646279746573ULL;
    uint64_t last = (uint64_t)len << 56;
    size_t whole = len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m;
        memcpy(&m, p + i, 8);
        v3 ^= m;
        SIP_ROUND;
        v0 ^= m;
    }
    for (size_t i = whole; i < len; i++) {
        last |= (uint64_t)p[i] << (8 * (i - whole));
    }
    v3 ^= last;
    SIP_ROUND;
    v0 ^= last;
    v2 ^= 0xFF;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));

    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    return x;
}

struct sha256 {
    EVP_MD_CTX *ctx;
};

/* Looked up once: a digest by name costs OpenSSL more than the digest of a few names. */
static const EVP_MD *sha256_method;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void find_sha256(void)
{
    sha256_method = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct sha256 *sha256_create(void)
{
    struct sha256 *h = xcalloc(1, sizeof(*h));

    pthread_once(&sha256_once, find_sha256);
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || sha256_method == NULL ||
        EVP_DigestInit_ex(h->ctx, sha256_method, NULL) != 1) {
        abort(); /* SHA-256 is part of every OpenSSL; without it nothing can be identified */
    }
    return h;
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
    if (EVP_DigestUpdate(h->ctx, data, len) != 1) {
        abort();
    }
}

void sha256_field(struct sha256 *h, const char *text)
{
    if (text == NULL) {
        text = "";
    }
    sha256_update(h, text, strlen(text) + 1);
}

void sha256_finish(struct sha256 *h, uint8_t out[SHA256_BYTES])
{
    unsigned len = SHA256_BYTES;

    if (EVP_DigestFinal_ex(h->ctx, out, &len) != 1) {
        abort();
    }
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void hex_encode(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}
