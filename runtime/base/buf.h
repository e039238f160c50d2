/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - growable bytes with a cap that is given at creation.
 *
 * Appending past the cap (or without memory) adds nothing and makes the buffer "full": it
 * stays full until buf_clear, so a chain of appends is checked once, at its end.
 */
#ifndef RUNTIME_BASE_BUF_H
#define RUNTIME_BASE_BUF_H

#include "runtime/base/str.h"

struct buf {
    char *p;       /* owned; NULL until the first byte */
    size_t n, cap; /* bytes held, bytes allocated */
    size_t limit;  /* n never exceeds it */
    bool is_full;  /* an append was refused since the last clear */
};

void buf_init(struct buf *buf, size_t limit);
void buf_free(struct buf *buf);

/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);

void buf_add(struct buf *buf, Str bytes);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Removes the first count bytes, which must be there. */
void buf_drop(struct buf *buf, size_t count);

/* Room for at least count more bytes at p + n, or false (and full). Add to n what you wrote. */
MUST_USE bool buf_reserve(struct buf *buf, size_t count);

static inline Str buf_str(const struct buf *buf)
{
    return (Str){ .p = buf->p, .n = buf->n };
}

#endif
