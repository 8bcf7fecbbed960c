#ifndef VIGIL_COPENSSL_H
#define VIGIL_COPENSSL_H
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>
#include <stdint.h>

/// SHA-256 of `count` bytes into `digest` (32 bytes). 1 on success.
static inline int vc_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL);
}

/// HMAC-SHA-256 (RFC 2104) into `digest` (32 bytes), of nothing where a pointer is NULL. 1 on success.
static inline int vc_hmac_sha256(const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, void *digest) {
    static const uint8_t none = 0;
    return HMAC(EVP_sha256(), key ? key : &none, (int)key_count, bytes ? bytes : &none, count, digest, NULL) != NULL;
}
#endif
