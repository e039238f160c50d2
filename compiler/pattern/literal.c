/* SPDX-License-Identifier: Apache-2.0 */
/* literal.c - sees that a pattern is a text with open ends, so that no automaton is needed. */
#include "compiler/pattern/literal.h"

/* The runs at the ends must leave out the same byte, or they are two different questions. */
static bool read_run(const struct pattern_node *node, uint32_t *forbidden)
{
    if (node->kind != PATTERN_REPEAT || node->min != 0 || node->max != PATTERN_UNBOUNDED ||
        node->last->kind != PATTERN_SET)
        return false;
    const struct code_set *set = &node->last->set;
    const struct code_range *ranges = set->ranges;
    if (set->count == 0 || ranges[0].lo != 0 || ranges[set->count - 1].hi != CODE_POINT_MAX)
        return false;
    *forbidden = LITERAL_NO_BYTE;
    if (set->count == 1)
        return true;
    *forbidden = ranges[0].hi + 1;
    return set->count == 2 && *forbidden < 0x80 && ranges[1].lo == *forbidden + 1;
}

static bool read_code(const struct pattern_node *node, uint32_t *code)
{
    if (node->kind != PATTERN_SET || node->set.count != 1 ||
        node->set.ranges[0].lo != node->set.ranges[0].hi)
        return false;
    *code = node->set.ranges[0].lo;
    return true;
}

/* The bytes of one code point: a range of one has one sequence. */
static size_t encode(uint32_t code, char *to)
{
    struct utf8_ranges ranges;
    struct utf8_sequence sequence;
    utf8_ranges_init(&ranges, code, code);
    if (!utf8_ranges_next(&ranges, &sequence))
        return 0;
    for (size_t i = 0; i < sequence.count; i++)
        to[i] = (char)sequence.lo[i];
    return sequence.count;
}

/* The children of a concatenation in order, or the node itself. */
static const struct pattern_node **list_pieces(const struct pattern_node *tree, struct arena *mem,
                                               uint32_t *count)
{
    bool is_row = tree->kind == PATTERN_CONCAT;
    *count = !is_row && tree->kind != PATTERN_EMPTY;
    for (const struct pattern_node *node = tree->last; is_row && node; node = node->prev)
        ++*count;
    const struct pattern_node **pieces =
        ARENA_NEW(mem, const struct pattern_node *, (size_t)*count + 1);
    uint32_t at = *count;
    if (!pieces)
        return NULL;
    if (!is_row)
        pieces[0] = tree;
    for (const struct pattern_node *node = tree->last; is_row && node; node = node->prev)
        pieces[--at] = node;
    return pieces;
}

static bool read_ends(const struct pattern_node *const *pieces, uint32_t *from, uint32_t *to,
                      struct literal *out)
{
    uint32_t lo = LITERAL_NO_BYTE, hi = LITERAL_NO_BYTE;
    out->is_open_lo = *from < *to && read_run(pieces[*from], &lo);
    *from += out->is_open_lo;
    out->is_open_hi = *from < *to && read_run(pieces[*to - 1], &hi);
    *to -= out->is_open_hi;
    if (out->is_open_lo && *from == *to && !out->is_open_hi) { /* one run is both ends */
        out->is_open_hi = true;
        hi = lo;
    }
    out->forbidden = out->is_open_lo ? lo : hi;
    return !out->is_open_lo || !out->is_open_hi || lo == hi;
}

bool literal_of(const struct pattern_node *tree, struct arena *mem, struct literal *out)
{
    uint32_t from = 0, to;
    const struct pattern_node **pieces = list_pieces(tree, mem, &to);
    *out = (struct literal){ .forbidden = LITERAL_NO_BYTE };
    if (!pieces || !read_ends(pieces, &from, &to, out))
        return false;
    char *text = ARENA_NEW(mem, char, (size_t)(to - from) * UTF8_BYTES_MAX + 1);
    size_t n = 0;
    for (; text && from < to; from++) {
        uint32_t code;
        if (!read_code(pieces[from], &code) || code == out->forbidden)
            return false;
        n += encode(code, text + n);
    }
    out->text = (Str){ .p = text, .n = n };
    return text != NULL;
}
