#ifndef VIGIL_COPENSSL_H
#define VIGIL_COPENSSL_H
/* OpenSSL's calls for HMAC look the hash up and allocate for every message. The older ones for SHA-256 alone keep its state;
   they are deprecated because they always take libcrypto's own SHA-256, whatever providers are configured. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
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
    done = done && SHA256_Init(&prepared->outer) && SHA256_Update(&prepared->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

/// Nothing of the key is left in memory.
static inline void vc_hmac_forget(vc_hmac_key *prepared) { OPENSSL_cleanse(prepared, sizeof *prepared); }

/// The code of a message into `digest` (32 bytes), of nothing where the pointer is NULL. 1 on success.
static inline int vc_hmac(const vc_hmac_key *key, const uint8_t *bytes, size_t count, uint8_t *digest) {
    SHA256_CTX inner = key->inner, outer = key->outer;
    const int done = (bytes == NULL || SHA256_Update(&inner, bytes, count)) && SHA256_Final(digest, &inner)
        && SHA256_Update(&outer, digest, SHA256_DIGEST_LENGTH) && SHA256_Final(digest, &outer);
    OPENSSL_cleanse(&inner, sizeof inner);
    OPENSSL_cleanse(&outer, sizeof outer);
    return done;
}
#endif
