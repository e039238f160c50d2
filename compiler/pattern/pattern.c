/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c - the tree of a pattern, kept in normal form while it grows.
 *
 * The size of the expanded expression is added up here, node by node, so that (((a{99}){99}){99}
 * is refused before anything is expanded. The first failure stays; later ones are its echo.
 */
#include "compiler/pattern/pattern.h"

#include <stdlib.h>

static const char out_of_memory[] = "the pattern needs too much memory";

void *array_grow(struct arena *mem, void *items, uint32_t *capacity, uint32_t count, size_t size)
{
    enum { FIRST = 8 };
    if (count < *capacity)
        return items;
    uint32_t room = *capacity ? *capacity * 2 : FIRST;
    if (room <= *capacity)
        return NULL;
    void *moved = arena_alloc(mem, size, _Alignof(max_align_t), room);
    if (moved && count)
        memcpy(moved, items, size * count);
    if (moved)
        *capacity = room;
    return moved;
}

void *pattern_fail(struct pattern_parser *parser, enum status status, const char *text, size_t lo,
                   size_t hi)
{
    if (parser->status != ST_OK)
        return NULL;
    parser->status = status;
    parser->error->text = text;
    parser->error->lo = lo;
    parser->error->hi = hi < parser->text.n ? hi : parser->text.n;
    return NULL;
}

static void *fail_memory(struct pattern_parser *parser)
{
    return pattern_fail(parser, ST_LIMIT, out_of_memory, 0, parser->text.n);
}

bool pattern_accept(struct pattern_parser *parser, char c)
{
    if (parser->at >= parser->text.n || parser->text.p[parser->at] != c)
        return false;
    parser->at++;
    return true;
}

int pattern_peek(const struct pattern_parser *parser, size_t ahead)
{
    if (ahead >= parser->text.n - parser->at)
        return -1;
    return (unsigned char)parser->text.p[parser->at + ahead];
}

uint32_t pattern_next(struct pattern_parser *parser)
{
    ENSURE(parser->at < parser->text.n);
    const unsigned char *p = (const unsigned char *)parser->text.p + parser->at;
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    ENSURE(length <= parser->text.n - parser->at);
    uint32_t code = length == 1 ? p[0] : p[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3FU);
    parser->at += length;
    return code;
}

struct pattern_node *pattern_node_new(struct pattern_parser *parser, enum pattern_kind kind,
                                      size_t lo)
{
    struct pattern_node *node = ARENA_NEW(parser->mem, struct pattern_node, 1);
    if (!node)
        return fail_memory(parser);
    node->kind = kind;
    node->lo = lo;
    node->hi = parser->at;
    return node;
}

struct pattern_node *pattern_leaf(struct pattern_parser *parser, struct code_set set, size_t lo)
{
    code_set_normalise(&set);
    if (set.count == 0)
        return pattern_fail(parser, ST_INVALID, "no character is in this class", lo, parser->at);
    struct pattern_node *node = pattern_node_new(parser, PATTERN_SET, lo);
    if (!node)
        return NULL;
    node->set = set;
    node->positions = 1;
    return node;
}

static bool set_positions(struct pattern_parser *parser, struct pattern_node *node, uint64_t count)
{
    static const char text[] = "needs more than 4,096 positions once its repeats are expanded";
    _Static_assert(AUTOMATON_POSITIONS_MAX == 4096, "the text says so");
    if (count > AUTOMATON_POSITIONS_MAX) {
        (void)pattern_fail(parser, ST_LIMIT, text, node->lo, parser->at);
        return false;
    }
    node->positions = (uint32_t)count;
    return true;
}

struct pattern_node *pattern_repeat(struct pattern_parser *parser, struct pattern_node *child,
                                    uint32_t min, uint32_t max, size_t lo)
{
    if (child->kind == PATTERN_EMPTY || max == 0)
        return pattern_node_new(parser, PATTERN_EMPTY, lo);
    struct pattern_node *node = pattern_node_new(parser, PATTERN_REPEAT, lo);
    uint32_t copies = max != PATTERN_UNBOUNDED ? max : min > 0 ? min : 1;
    if (!node || !set_positions(parser, node, (uint64_t)child->positions * copies))
        return NULL;
    node->last = child;
    node->min = min;
    node->max = max;
    return node;
}

bool pattern_add(struct pattern_parser *parser, struct pattern_node *parent,
                 struct pattern_node *child)
{
    parent->hi = child->hi;
    if (child->kind == PATTERN_EMPTY) {
        parent->has_empty = true;
        return true;
    }
    if (!set_positions(parser, parent, (uint64_t)parent->positions + child->positions))
        return false;
    child->prev = parent->last;
    parent->last = child;
    return true;
}

struct pattern_node *pattern_close(struct pattern_parser *parser, struct pattern_node *parent)
{
    if (!parent->last)
        return pattern_node_new(parser, PATTERN_EMPTY, parent->lo);
    bool is_plain = parent->kind == PATTERN_CONCAT || !parent->has_empty;
    if (is_plain && !parent->last->prev)
        return parent->last;
    return parent;
}

bool code_set_add(struct pattern_parser *parser, struct code_set *set, uint32_t lo, uint32_t hi)
{
    struct code_range *ranges =
        array_grow(parser->mem, set->ranges, &set->capacity, set->count, sizeof *ranges);
    if (!ranges) {
        (void)fail_memory(parser);
        return false;
    }
    set->ranges = ranges;
    set->ranges[set->count++] = (struct code_range){ .lo = lo, .hi = hi };
    return true;
}

static int by_low_end(const void *left, const void *right)
{
    const struct code_range *a = left, *b = right;
    return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* Sorts and joins what touches. Surrogates stay in: utf8_ranges gives no bytes for them; but a
 * range of them alone goes, so that a set that matches nothing is seen to be empty. */
void code_set_normalise(struct code_set *set)
{
    if (set->count > 1)
        qsort(set->ranges, set->count, sizeof *set->ranges, by_low_end);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        struct code_range range = set->ranges[i];
        if (range.lo >= SURROGATE_LO && range.lo <= SURROGATE_HI)
            range.lo = SURROGATE_HI + 1;
        if (range.hi >= SURROGATE_LO && range.hi <= SURROGATE_HI)
            range.hi = SURROGATE_LO - 1;
        if (range.lo > range.hi)
            continue;
        struct code_range *last = kept ? &set->ranges[kept - 1] : NULL;
        if (last && range.lo <= last->hi + 1)
            last->hi = range.hi > last->hi ? range.hi : last->hi;
        else
            set->ranges[kept++] = range;
    }
    set->count = kept;
}

bool code_set_fold_ascii(struct pattern_parser *parser, struct code_set *set)
{
    uint32_t count = set->count;
    for (uint32_t i = 0; i < count; i++) {
        struct code_range range = set->ranges[i];
        for (uint32_t c = 'a'; c <= 'z'; c++) {
            uint32_t upper = c - ('a' - 'A');
            bool has_lower = range.lo <= c && c <= range.hi;
            bool has_upper = range.lo <= upper && upper <= range.hi;
            if (has_lower == has_upper)
                continue;
            uint32_t other = has_lower ? upper : c;
            if (!code_set_add(parser, set, other, other))
                return false;
        }
    }
    return true;
}

bool code_set_negate(struct pattern_parser *parser, struct code_set *set)
{
    struct code_set inverse = { .count = 0 };
    uint32_t next = 0;
    code_set_normalise(set);
    for (uint32_t i = 0; i < set->count; i++) {
        struct code_range range = set->ranges[i];
        if (range.lo > next && !code_set_add(parser, &inverse, next, range.lo - 1))
            return false;
        next = range.hi + 1;
    }
    if (next <= CODE_POINT_MAX && !code_set_add(parser, &inverse, next, CODE_POINT_MAX))
        return false;
    *set = inverse;
    return true;
}

bool code_set_remove(struct pattern_parser *parser, struct code_set *set, uint32_t code)
{
    return code_set_negate(parser, set) && code_set_add(parser, set, code, code) &&
           code_set_negate(parser, set);
}

/* Where the first sequence starts that is not well-formed UTF-8; the text is known to have one. */
static size_t first_malformed(Str text)
{
    size_t at = 0;
    while (at < text.n) {
        size_t length = 1;
        while (length <= UTF8_BYTES_MAX && length <= text.n - at &&
               !utf8_is_valid(str_sub(text, at, at + length)))
            length++;
        if (length > UTF8_BYTES_MAX || length > text.n - at)
            break;
        at += length;
    }
    return at;
}

struct pattern_node *pattern_parse(struct pattern_parser *parser)
{
    if (!utf8_is_valid(parser->text)) {
        size_t at = first_malformed(parser->text);
        return pattern_fail(parser, ST_INVALID, "the pattern is not valid UTF-8", at, at + 1);
    }
    return parser->syntax == AUTOMATON_REGEX ? pattern_parse_regex(parser)
                                             : pattern_parse_glob(parser);
}
