/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 256 };

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){ .limit = limit };
}

void buf_free(struct buf *buf)
{
    free(buf->p);
    buf_init(buf, buf->limit);
}

void buf_clear(struct buf *buf)
{
    buf->n = 0;
    buf->is_full = false;
}

bool buf_reserve(struct buf *buf, size_t count)
{
    if (buf->is_full || count > buf->limit - buf->n) {
        buf->is_full = true;
        return false;
    }
    if (count <= buf->cap - buf->n)
        return true;
    size_t cap = buf->cap ? buf->cap : BUF_FIRST;
    while (cap < buf->n + count)
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
    char *p = realloc(buf->p, cap);
    if (!p) {
        buf->is_full = true;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

void buf_add(struct buf *buf, Str bytes)
{
    if (bytes.n == 0 || !buf_reserve(buf, bytes.n))
        return;
    memcpy(buf->p + buf->n, bytes.p, bytes.n);
    buf->n += bytes.n;
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, (Str){ .p = &c, .n = 1 });
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* vsnprintf writes a NUL behind the text: room for it, but it is not counted. */
    if (n >= 0 && buf_reserve(buf, (size_t)n + 1)) {
        (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    } else {
        buf->is_full = true;
    }
    va_end(again);
}

void buf_drop(struct buf *buf, size_t count)
{
    ENSURE(count <= buf->n);
    if (count && count < buf->n)
        memmove(buf->p, buf->p + count, buf->n - count);
    buf->n -= count;
}
