/* SPDX-License-Identifier: Apache-2.0 */
/* punycode.h - is what stands behind "xn--" a name at all (RFC 3492)? Private to runtime/domain. */
#ifndef RUNTIME_DOMAIN_PUNYCODE_H
#define RUNTIME_DOMAIN_PUNYCODE_H

#include "runtime/base/str.h"

/* Lower-case ASCII of at most 59 bytes that decodes to at least one code point beyond ASCII, all
 * of them certain (certain.h). What IDNA 2008 or UTS 46 forbid beyond that is not known here. Such
 * a text has one decoding and is the only encoding of it, so equal names are equal bytes. */
bool punycode_is_valid(Str text);

#endif
