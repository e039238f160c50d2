/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - handling bytes that nobody may learn by timing or from freed memory. */
#ifndef RUNTIME_CRYPTO_SECRET_H
#define RUNTIME_CRYPTO_SECRET_H

#include "runtime/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* True when both hold the same count bytes. The time taken depends on count alone, so compare
 * hashes or other values of one public length. */
MUST_USE bool bytes_equal_ct(const void *a, const void *b, size_t count);

/* Overwrites count bytes; the compiler does not leave it out. */
void secret_wipe(void *bytes, size_t count);

/* A buffer for secrets: all of limit is allocated at once, since growing would leave copies behind.
 * False without memory. Closing wipes. */
MUST_USE bool secret_buf_open(struct buf *buf, size_t limit);
void secret_buf_close(struct buf *buf);

#endif
