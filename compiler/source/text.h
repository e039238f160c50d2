/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - code points in and out of UTF-8 and the spelling of numbers, for the lexer and for what
 * is shown to a person. */
#ifndef COMPILER_SOURCE_TEXT_H
#define COMPILER_SOURCE_TEXT_H

#include "runtime/base/str.h"

enum { TEXT_CODE_POINT_MAX = 0x10FFFF, TEXT_INVALID = 0x7FFFFFFF, TEXT_UTF8_BYTES_MAX = 4 };

/* The code point at offset at, which must lie in s, and its length in bytes. A byte that begins no
 * well-formed sequence gives TEXT_INVALID and length 1. */
uint32_t text_decode(Str s, size_t at, size_t *length);

/* Writes code, a scalar value, as UTF-8; returns the bytes written, 1 to 4. */
size_t text_encode(uint32_t code, char out[TEXT_UTF8_BYTES_MAX]);

/* Controls that act on a terminal or hide what a text says: C0, DEL, C1 and the direction controls
 * (Unicode's Bidi_Control but the two marks and the Arabic letter mark). */
bool text_is_control(uint32_t code);
bool text_is_direction(uint32_t code);

/* Copies in to out with controls and invalid bytes spelled out (\u{1b}, \x{ff}); never splits one.
 * Returns the bytes written, at most cap. */
size_t text_visible(Str in, char *out, size_t cap);

/* Numbers as policies write them: JSON's grammar without an exponent; an underscore may stand
 * between two digits. */
bool text_is_number(Str raw);

/* For a number without underscores: true when a call's argument of this value passes as exact
 * (json.h, JSON_UNSAFE_NUMBER): integers up to the largest, decimals of at most so many digits. */
#define TEXT_LARGEST_INTEGER "9007199254740991"
enum { TEXT_SAFE_DIGITS = 15 };
bool text_is_exact(Str text);

#endif
