/* SPDX-License-Identifier: Apache-2.0 */
/* utf8_ranges.c - cuts a range of code points where its encoding is not a plain product.
 *
 * A run of code points is one sequence of byte ranges when all have one length and, at each byte
 * that varies, every byte behind it takes all 64 values. next() takes the longest such run from
 * the low end, so overlong forms and surrogates are never among what it makes.
 */
#include "compiler/pattern/utf8_ranges.h"

#include "runtime/base/attr.h"

enum { CONTINUATION_BITS = 6, CONTINUATION_MASK = 0x3F, CONTINUATION_MARK = 0x80 };

static const uint32_t length_last[UTF8_BYTES_MAX] = { 0x7F, 0x7FF, 0xFFFF, CODE_POINT_MAX };
static const uint8_t lead_mark[UTF8_BYTES_MAX] = { 0x00, 0xC0, 0xE0, 0xF0 };

void utf8_ranges_init(struct utf8_ranges *ranges, uint32_t lo, uint32_t hi)
{
    ENSURE(hi <= CODE_POINT_MAX);
    *ranges = (struct utf8_ranges){ .lo = lo, .hi = hi };
}

static unsigned length_of(uint32_t code)
{
    unsigned length = 1;
    while (code > length_last[length - 1])
        length++;
    return length;
}

static void encode(uint32_t code, unsigned length, uint8_t *bytes)
{
    for (unsigned i = length; i-- > 1; code >>= CONTINUATION_BITS)
        bytes[i] = (uint8_t)(CONTINUATION_MARK | (code & CONTINUATION_MASK));
    bytes[0] = (uint8_t)(lead_mark[length - 1] | code);
}

/* The end of the longest run from lo that is one sequence, given an end of the same length. */
static uint32_t product_end(uint32_t lo, uint32_t end, unsigned length)
{
    unsigned tail = 1;
    while (tail < length) {
        uint32_t mask = (1U << (CONTINUATION_BITS * tail)) - 1;
        tail++;
        if ((lo & ~mask) == (end & ~mask))
            continue;
        if ((lo & mask) != 0) {
            end = lo | mask;
            tail = 1; /* the shorter tails have to fit the new end too */
        } else if ((end & mask) != mask) {
            end = (end & ~mask) - 1;
            tail = 1;
        }
    }
    return end;
}

bool utf8_ranges_next(struct utf8_ranges *ranges, struct utf8_sequence *out)
{
    uint32_t lo = ranges->lo, end = ranges->hi;
    if (lo >= SURROGATE_LO && lo <= SURROGATE_HI)
        lo = SURROGATE_HI + 1;
    if (lo > end)
        return false;
    if (lo < SURROGATE_LO && end >= SURROGATE_LO)
        end = SURROGATE_LO - 1;
    unsigned length = length_of(lo);
    if (end > length_last[length - 1])
        end = length_last[length - 1];
    end = product_end(lo, end, length);
    out->count = (uint8_t)length;
    encode(lo, length, out->lo);
    encode(end, length, out->hi);
    ranges->lo = end + 1;
    return true;
}
