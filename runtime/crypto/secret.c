/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - comparison without early exit and erasing that survives the optimiser. */
#include "runtime/crypto/secret.h"

#include <string.h>

bool bytes_equal_ct(const void *a, const void *b, size_t count)
{
    /* volatile: the compiler may not conclude that the loop can stop at the first difference. */
    const volatile unsigned char *x = a, *y = b;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < count; i++)
        difference = (unsigned char)(difference | (x[i] ^ y[i]));
    return difference == 0;
}

void secret_wipe(void *bytes, size_t count)
{
    if (count)
        explicit_bzero(bytes, count);
}

bool secret_buf_open(struct buf *buf, size_t limit)
{
    buf_init(buf, limit);
    return buf_reserve(buf, limit);
}

void secret_buf_close(struct buf *buf)
{
    if (buf->p)
        secret_wipe(buf->p, buf->cap);
    buf_free(buf);
}
