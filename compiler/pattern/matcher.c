/* SPDX-License-Identifier: Apache-2.0 */
/* matcher.c - goes down the ladder of matcher.h, from what costs least.
 *
 * Words leave the patterns first; what is left becomes one automaton, or one set of positions, or
 * is taken pattern by pattern. Only a pattern that fits nowhere is refused.
 */
#include "compiler/pattern/matcher.h"

#include "compiler/pattern/literal.h"

enum { SCRATCH_BYTES_MAX = 64 * 1024 * 1024, QUOTE_MAX = 60 };

struct ladder {
    const Str *patterns;
    uint32_t count;
    enum automaton_syntax syntax;
    struct literal *literals; /* per pattern */
    bool *is_literal;
    bool *is_done;
    struct arena *mem;
    struct matchers *out;
    struct automaton_error *error;
};

static enum status fail_memory(struct ladder *ladder)
{
    *ladder->error = (struct automaton_error){ .text = "needs too much memory" };
    return ST_LIMIT;
}

static struct matcher *add(struct ladder *ladder, enum matcher_kind kind)
{
    struct matchers *out = ladder->out;
    struct matcher *items =
        array_grow(ladder->mem, out->items, &out->room, out->count, sizeof *items);
    if (!items)
        return NULL;
    out->items = items;
    items[out->count] = (struct matcher){ .kind = kind, .forbidden = B_TRIE_NO_BYTE };
    return &items[out->count++];
}

/* ------------------------------- literals ------------------------------- */

static enum status read_literals(struct ladder *ladder, struct arena *scratch)
{
    for (uint32_t i = 0; i < ladder->count; i++) {
        struct pattern_parser parser = { .text = ladder->patterns[i],
                                         .syntax = ladder->syntax,
                                         .mem = scratch,
                                         .error = ladder->error };
        ladder->error->pattern = i;
        struct pattern_node *tree = pattern_parse(&parser);
        if (!tree)
            return parser.status;
        ladder->is_literal[i] = literal_of(tree, ladder->mem, &ladder->literals[i]);
    }
    return ST_OK;
}

static bool is_plain(const struct ladder *ladder, uint32_t i)
{
    const struct literal *literal = &ladder->literals[i];
    return ladder->is_literal[i] && !literal->is_open_lo && !literal->is_open_hi;
}

static bool is_word(const struct ladder *ladder, uint32_t i, uint32_t forbidden)
{
    const struct literal *literal = &ladder->literals[i];
    return ladder->is_literal[i] && literal->is_open_lo && literal->is_open_hi &&
           literal->forbidden == forbidden;
}

static enum status add_texts(struct ladder *ladder, enum matcher_kind kind)
{
    struct matcher *matcher = add(ladder, kind);
    Str *texts = ARENA_NEW(ladder->mem, Str, ladder->count);
    if (!matcher || !texts)
        return fail_memory(ladder);
    for (uint32_t i = 0; i < ladder->count; i++)
        texts[i] = ladder->literals[i].text;
    matcher->texts = texts;
    matcher->text_count = ladder->count;
    return ST_OK;
}

/* One text whose open ends leave nothing out. */
static bool is_pure(const struct ladder *ladder, enum matcher_kind *kind)
{
    const struct literal *literal = &ladder->literals[0];
    if (ladder->count != 1 || !ladder->is_literal[0] || literal->forbidden != LITERAL_NO_BYTE)
        return false;
    *kind = literal->is_open_lo ? (literal->is_open_hi ? MATCHER_CONTAINS : MATCHER_ENDS)
                                : (literal->is_open_hi ? MATCHER_STARTS : MATCHER_EQUAL);
    return true;
}

static bool all_plain(const struct ladder *ladder)
{
    for (uint32_t i = 0; i < ladder->count; i++) {
        if (!is_plain(ladder, i))
            return false;
    }
    return ladder->count > 0;
}

/* --------------------------------- words -------------------------------- */

/* Two words or more whose runs leave out the same byte become one matcher. */
static enum status add_words(struct ladder *ladder, uint32_t forbidden)
{
    Str *words = ARENA_NEW(ladder->mem, Str, ladder->count);
    uint32_t count = 0;
    if (!words)
        return fail_memory(ladder);
    for (uint32_t i = 0; i < ladder->count; i++) {
        if (is_word(ladder, i, forbidden))
            words[count++] = ladder->literals[i].text;
    }
    if (count < 2)
        return ST_OK;
    struct matcher *matcher = add(ladder, MATCHER_WORDS);
    if (!matcher)
        return fail_memory(ladder);
    matcher->forbidden = forbidden;
    if (trie_build(words, count, ladder->mem, &matcher->trie) != ST_OK) {
        *ladder->error =
            (struct automaton_error){ .text = "needs more than 65,535 bytes of words" };
        return ST_LIMIT;
    }
    for (uint32_t i = 0; i < ladder->count; i++)
        ladder->is_done[i] |= is_word(ladder, i, forbidden);
    return ST_OK;
}
_Static_assert(B_TRIE_NODES_MAX == 65535, "the text says so");

/* --------------------------- automata, positions ------------------------ */

static bool starts_code_point(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Says both counts and quotes the part that is to blame. */
static enum status refuse(struct ladder *ladder, const Str *patterns, uint32_t positions)
{
    struct automaton_error *error = ladder->error;
    Str pattern = patterns[error->pattern];
    Str part = str_sub(pattern, error->lo, error->hi);
    size_t shown = part.n < QUOTE_MAX ? part.n : QUOTE_MAX;
    while (shown && shown < part.n && !starts_code_point(part.p[shown]))
        shown--;
    Str count =
        positions == UINT32_MAX ? STR("too many") : arena_printf(ladder->mem, "%u", positions);
    Str text = arena_printf(ladder->mem, "%s: '%.*s%s' (as positions: %.*s, of at most %d)",
                            error->text, (int)shown, part.p, shown < part.n ? "..." : "",
                            STR_ARG(count), B_NFA_POSITIONS_MAX);
    if (text.p)
        error->text = text.p;
    return ST_LIMIT;
}

static enum status add_automaton(struct ladder *ladder, const Str *patterns, uint32_t count)
{
    struct automaton dfa;
    struct bit_nfa nfa = { .masks = NULL };
    uint32_t positions;
    enum status status =
        automaton_build_union(patterns, count, ladder->syntax, ladder->mem, &dfa, ladder->error);
    enum matcher_kind kind = MATCHER_DFA;
    if (status == ST_LIMIT) {
        kind = MATCHER_NFA;
        status = bit_nfa_build(patterns, count, ladder->syntax, ladder->mem, &nfa, &positions);
        if (status == ST_LIMIT && count == 1)
            return refuse(ladder, patterns, positions);
    }
    if (status != ST_OK)
        return status;
    struct matcher *matcher = add(ladder, kind);
    if (!matcher)
        return fail_memory(ladder);
    if (kind == MATCHER_DFA)
        matcher->dfa = dfa;
    else
        matcher->nfa = nfa;
    return ST_OK;
}

static enum status add_rest(struct ladder *ladder)
{
    Str *rest = ARENA_NEW(ladder->mem, Str, ladder->count);
    uint32_t *from = ARENA_NEW(ladder->mem, uint32_t, ladder->count), count = 0;
    if (!rest || !from)
        return fail_memory(ladder);
    for (uint32_t i = 0; i < ladder->count; i++) {
        if (ladder->is_done[i])
            continue;
        from[count] = i;
        rest[count++] = ladder->patterns[i];
    }
    enum status status = count ? add_automaton(ladder, rest, count) : ST_OK;
    if (status != ST_LIMIT || count == 1)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        status = add_automaton(ladder, &rest[i], 1);
        ladder->error->pattern = from[i];
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status descend(struct ladder *ladder)
{
    static const uint32_t left_out[] = { B_TRIE_NO_BYTE, '/', '\n' };
    enum matcher_kind kind;
    if (is_pure(ladder, &kind))
        return add_texts(ladder, kind);
    if (all_plain(ladder))
        return add_texts(ladder, MATCHER_SET);
    for (size_t i = 0; i < COUNT(left_out); i++) {
        enum status status = add_words(ladder, left_out[i]);
        if (status != ST_OK)
            return status;
    }
    return add_rest(ladder);
}

enum status matchers_build(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                           struct arena *mem, struct matchers *out, struct automaton_error *error)
{
    struct ladder ladder = { .patterns = patterns,
                             .count = count,
                             .syntax = syntax,
                             .literals = ARENA_NEW(mem, struct literal, count),
                             .is_literal = ARENA_NEW(mem, bool, count),
                             .is_done = ARENA_NEW(mem, bool, count),
                             .mem = mem,
                             .out = out,
                             .error = error };
    struct arena scratch;
    *out = (struct matchers){ .count = 0 };
    *error = (struct automaton_error){ .text = NULL };
    if (!ladder.literals || !ladder.is_literal || !ladder.is_done)
        return fail_memory(&ladder);
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    enum status status = read_literals(&ladder, &scratch);
    arena_reset(&scratch);
    return status == ST_OK ? descend(&ladder) : status;
}
