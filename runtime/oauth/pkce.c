/* SPDX-License-Identifier: Apache-2.0 */
/* pkce.c - random text and the one-way step over it. */
#include "runtime/oauth/pkce.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"

enum { RANDOM_BYTES = SHA256_BYTES }; /* a challenge is as long as a verifier */
_Static_assert(BASE64URL_SIZE(RANDOM_BYTES) == OAUTH_RANDOM_CHARS, "32 bytes are 43 characters");

static void write_bytes(const unsigned char bytes[RANDOM_BYTES], struct oauth_random *out)
{
    base64url_encode((Str){ .p = (const char *)bytes, .n = RANDOM_BYTES }, out->text);
    out->text[OAUTH_RANDOM_CHARS] = '\0';
}

void oauth_random_make(struct oauth_random *out)
{
    unsigned char bytes[RANDOM_BYTES];
    world_entropy(bytes, sizeof bytes);
    write_bytes(bytes, out);
    secret_wipe(bytes, sizeof bytes);
}

void pkce_challenge(Str verifier, struct oauth_random *out)
{
    unsigned char hash[SHA256_BYTES];
    sha256(verifier, hash);
    write_bytes(hash, out);
}
