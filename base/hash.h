/* Hashes: a keyed one for tables whose keys tenants choose, and SHA-256 for fingerprints. */
#ifndef NETAUDITD_BASE_HASH_H
#define NETAUDITD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 under a key drawn once per process from the kernel (fixed by hash_set_key in tests).
 */
uint64_t hash_bytes(const void *data, size_t len);
uint64_t hash_mix(uint64_t a, uint64_t b);
void hash_set_key(uint64_t k0, uint64_t k1);

/* uthash over the keyed hash: define before including uthash.h, or include this header first. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
    do {                                                                                           \
        (hashv) = (unsigned)hash_bytes((keyptr), (keylen));                                        \
    } while (0)

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256;
struct sha256 *sha256_create(void);
void sha256_update(struct sha256 *h, const void *data, size_t len);
/* Adds the text and one NUL, so that two adjacent fields cannot be read as one. NULL counts as "".
 */
void sha256_field(struct sha256 *h, const char *text);
/* Finishes and frees `h`. */
void sha256_finish(struct sha256 *h, uint8_t out[SHA256_BYTES]);
void hex_encode(const uint8_t *data, size_t len, char *out /* 2 * len + 1 */);

#endif
