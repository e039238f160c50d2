/* SPDX-License-Identifier: Apache-2.0 */
/* encode.h - bytes as text: hexadecimal, base64 (RFC 4648, section 4) and base64url without
 * padding (section 5).
 *
 * Encoders write exactly the size the macros give, without a NUL. Decoders are strict: each
 * byte string has one accepted text. They refuse line ends, spaces, missing or extra padding,
 * unused bits that are not zero, and upper-case hexadecimal. On refusal nothing that `out`
 * points to may be relied upon and *n is untouched. Tables are indexed by the data, so
 * timing may tell about it: encode hashes and random values, compare with bytes_equal_ct.
 */
#ifndef RUNTIME_CRYPTO_ENCODE_H
#define RUNTIME_CRYPTO_ENCODE_H

#include "runtime/base/str.h"

#define HEX_SIZE(n)       ((n)*2)
#define BASE64_SIZE(n)    (((n) + 2) / 3 * 4)
#define BASE64URL_SIZE(n) ((n) / 3 * 4 + ((n) % 3 ? (n) % 3 + 1 : 0))

/* The most bytes that base64 text of n characters can stand for. */
#define BASE64_BYTES_MAX(n) ((n) / 4 * 3 + 3)

/* Writes HEX_SIZE(bytes.n) lower-case digits. */
void hex_encode(Str bytes, char *out);

/* Reads exactly count bytes from 2 * count lower-case digits. */
MUST_USE bool hex_decode(Str text, unsigned char *out, size_t count);

/* Writes BASE64_SIZE(bytes.n) characters. */
void base64_encode(Str bytes, char *out);

/* Reads padded base64 into out, which has room bytes; false also when they do not suffice. */
MUST_USE bool base64_decode(Str text, unsigned char *out, size_t room, size_t *n);

/* Writes BASE64URL_SIZE(bytes.n) characters. */
void base64url_encode(Str bytes, char *out);

/* Reads unpadded base64url into out, which has room bytes; false also when they do not suffice. */
MUST_USE bool base64url_decode(Str text, unsigned char *out, size_t room, size_t *n);

#endif
