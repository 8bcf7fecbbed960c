#include "COpenSSL.h"
#include <pthread.h>
#include <string.h>

enum { BLOCK = 64, DIGEST = 32 };

static EVP_MD *fetched;
static void fetch(void) { fetched = EVP_MD_fetch(NULL, "SHA256", NULL); }

/// Written out, because looking the algorithm up, as HMAC() does for each message, takes ten times as long as the hashing.
int vc_hmac_sha256(const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, void *digest) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, fetch) != 0 || fetched == NULL) return 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL) return 0;
    uint8_t inner[BLOCK] = {0}, outer[BLOCK], middle[DIGEST];
    int done = 1;
    if (key_count > BLOCK) {
        done = EVP_Digest(key, key_count, inner, NULL, fetched, NULL);
    } else if (key_count > 0) {
        memcpy(inner, key, key_count);
    }
    for (int i = 0; i < BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5C;
        inner[i] ^= 0x36;
    }
    done = done && EVP_DigestInit_ex(context, fetched, NULL) && EVP_DigestUpdate(context, inner, BLOCK)
        && (count == 0 || EVP_DigestUpdate(context, bytes, count)) && EVP_DigestFinal_ex(context, middle, NULL)
        && EVP_DigestInit_ex(context, NULL, NULL) && EVP_DigestUpdate(context, outer, BLOCK)
        && EVP_DigestUpdate(context, middle, DIGEST) && EVP_DigestFinal_ex(context, digest, NULL);
    OPENSSL_cleanse(inner, BLOCK);
    OPENSSL_cleanse(outer, BLOCK);
    EVP_MD_CTX_free(context);
    return done;
}
