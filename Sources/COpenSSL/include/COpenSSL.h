#ifndef VIGIL_COPENSSL_H
#define VIGIL_COPENSSL_H
/* HMAC's own calls look the hash up and allocate for every message; these keep its state, and are called deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// SHA-256 of `count` bytes into `digest` (32 bytes). 1 on success.
static inline int vc_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL);
}

/// The states of the two hashes of HMAC-SHA-256 (RFC 2104) behind the key's blocks.
typedef struct { SHA256_CTX inner, outer; } vc_hmac_key;

/// 1 on success.
static inline int vc_hmac_prepare(vc_hmac_key *prepared, const uint8_t *key, size_t count) {
    uint8_t block[SHA256_CBLOCK] = {0};
    if (count > sizeof block) {
        if (vc_sha256(key, count, block) != 1) return 0;
    } else if (count > 0) {
        memcpy(block, key, count);
    }
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    int done = SHA256_Init(&prepared->inner) && SHA256_Update(&prepared->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5C;
    return done && SHA256_Init(&prepared->outer) && SHA256_Update(&prepared->outer, block, sizeof block);
}

/// The code of a message into `digest` (32 bytes), of nothing where the pointer is NULL. 1 on success.
static inline int vc_hmac(const vc_hmac_key *key, const uint8_t *bytes, size_t count, uint8_t *digest) {
    SHA256_CTX inner = key->inner, outer = key->outer;
    return (bytes == NULL || SHA256_Update(&inner, bytes, count)) && SHA256_Final(digest, &inner)
        && SHA256_Update(&outer, digest, SHA256_DIGEST_LENGTH) && SHA256_Final(digest, &outer);
}
#endif
