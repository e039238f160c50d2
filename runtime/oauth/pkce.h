/* SPDX-License-Identifier: Apache-2.0 */
/* pkce.h - what a login flow has that nobody can guess: verifier, challenge, state.
 *
 * RFC 7636 with S256 only: the verifier is 256 random bits in base64url (43 characters), the
 * challenge the hash of those characters. A state is 256 random bits, single use; the store
 * knows it by its hash. The JWTs of private_key_jwt get their jti from the same source.
 */
#ifndef RUNTIME_OAUTH_PKCE_H
#define RUNTIME_OAUTH_PKCE_H

#include "runtime/base/str.h"

enum { OAUTH_RANDOM_CHARS = 43 }; /* of 32 bytes in base64url */

struct oauth_random {
    char text[OAUTH_RANDOM_CHARS + 1]; /* NUL-terminated; a secret: wipe after use */
};

void oauth_random_make(struct oauth_random *out);

static inline Str oauth_random_str(const struct oauth_random *random)
{
    return (Str){ .p = random->text, .n = OAUTH_RANDOM_CHARS };
}

/* BASE64URL(SHA256(verifier)), RFC 7636 section 4.2. */
void pkce_challenge(Str verifier, struct oauth_random *out);

#endif
