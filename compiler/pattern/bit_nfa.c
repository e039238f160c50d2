/* SPDX-License-Identifier: Apache-2.0 */
/* bit_nfa.c - from the nondeterministic automaton to masks of positions.
 *
 * Positions are numbered in the order of the pattern's text, as the nfa is built from its end: so
 * most are followed by the next one alone, and a shift does their work.
 */
#include "compiler/pattern/bit_nfa.h"

#include "compiler/pattern/nfa.h"

enum {
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
    BYTES = 256,
    WORD_BITS = 64,
    MASK_FIRST = 0,
    MASK_LAST,
    MASK_CHAINED,
    MASK_CLASSES,
};

struct position {
    uint32_t target;                   /* the state behind the byte */
    uint64_t bytes[BYTES / WORD_BITS]; /* that it may be */
};

struct maker {
    struct nfa nfa;
    struct arena scratch;
    struct position positions[B_NFA_POSITIONS_MAX];
    uint32_t count;     /* of positions, also those past the room */
    uint32_t *first_of; /* per state of the nfa: its first position */
    uint32_t *end_of;   /* and behind its last */
    uint32_t *marks, mark, *stack;
    uint32_t words;
};

static void add_arc(struct maker *maker, uint32_t first, uint32_t target, struct nfa_arc arc)
{
    uint32_t at = first;
    while (at < maker->count && at < B_NFA_POSITIONS_MAX && maker->positions[at].target != target)
        at++;
    if (at == maker->count)
        maker->count++;
    if (at >= B_NFA_POSITIONS_MAX)
        return;
    struct position *position = &maker->positions[at];
    position->target = target;
    for (uint32_t byte = arc.lo; byte <= arc.hi; byte++)
        position->bytes[byte / WORD_BITS] |= UINT64_C(1) << byte % WORD_BITS;
}

static void list_positions(struct maker *maker)
{
    const struct nfa *nfa = &maker->nfa;
    for (uint32_t i = nfa->state_count; i-- > 0;) {
        const struct nfa_state *state = &nfa->states[i];
        maker->first_of[i] = maker->count;
        const struct nfa_node *node = state->kind == NFA_STEP ? &nfa->nodes[state->node] : NULL;
        for (uint32_t k = 0; node && k < node->arc_count; k++) {
            struct nfa_arc arc = nfa->arcs[node->first_arc + k];
            uint32_t target = arc.to == NFA_ARC_END ? state->out : state->base + arc.to;
            add_arc(maker, maker->first_of[i], target, arc);
        }
        maker->end_of[i] = maker->count;
    }
}

static void set_bit(uint64_t *mask, uint32_t bit)
{
    mask[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
}

/* The positions that may come next from a state; true when a pattern may end there. */
static bool reach(struct maker *maker, uint32_t from, uint64_t *mask)
{
    uint32_t depth = 0;
    bool has_end = false;
    maker->mark++;
    maker->marks[from] = maker->mark;
    maker->stack[depth++] = from;
    while (depth > 0) {
        uint32_t at = maker->stack[--depth];
        const struct nfa_state *state = &maker->nfa.states[at];
        has_end |= state->kind == NFA_END;
        for (uint32_t k = maker->first_of[at]; k < maker->end_of[at]; k++)
            set_bit(mask, k);
        const uint32_t targets[2] = { state->out, state->base };
        for (size_t i = 0; i < COUNT(targets) && state->kind == NFA_FORK; i++) {
            if (maker->marks[targets[i]] == maker->mark)
                continue;
            maker->marks[targets[i]] = maker->mark;
            maker->stack[depth++] = targets[i];
        }
    }
    return has_end;
}

/* Bytes that the same positions consume are one class, numbered by its smallest byte. */
static void join_bytes(const struct maker *maker, uint64_t *by_class, struct bit_nfa *out)
{
    for (uint32_t byte = 0; byte < BYTES; byte++) {
        uint64_t *column = by_class + (size_t)out->head.class_count * maker->words;
        uint32_t class = 0;
        memset(column, 0, maker->words * sizeof *column);
        for (uint32_t k = 0; k < maker->count; k++) {
            if (maker->positions[k].bytes[byte / WORD_BITS] >> byte % WORD_BITS & 1)
                set_bit(column, k);
        }
        while (memcmp(by_class + (size_t) class * maker->words, column,
                      maker->words * sizeof *column) != 0)
            class ++; /* ends at the column itself */
        out->head.class_count += class == out->head.class_count;
        out->classes[byte] = (uint8_t) class;
    }
}

static bool is_next_only(const uint64_t *mask, uint32_t words, uint32_t position)
{
    uint64_t next[B_NFA_WORDS_MAX] = { 0 };
    if (position + 1 >= words * WORD_BITS)
        return false;
    set_bit(next, position + 1);
    return memcmp(mask, next, words * sizeof *mask) == 0;
}

static bool fill(struct maker *maker, struct arena *mem, struct bit_nfa *out)
{
    uint32_t words = maker->words;
    uint64_t *by_class = ARENA_NEW(&maker->scratch, uint64_t, (size_t)(BYTES + 1) * words);
    if (!by_class)
        return false;
    join_bytes(maker, by_class, out);
    out->head.positions = maker->count;
    size_t rows = (size_t)MASK_CLASSES + out->head.class_count + maker->count;
    out->mask_words = rows * words;
    out->masks = ARENA_NEW(mem, uint64_t, out->mask_words);
    if (!out->masks)
        return false;
    uint64_t *follow = out->masks + (size_t)(MASK_CLASSES + out->head.class_count) * words;
    memcpy(out->masks + (size_t)MASK_CLASSES * words, by_class,
           (size_t)out->head.class_count * words * sizeof *by_class);
    out->head.is_nullable = reach(maker, maker->nfa.start, out->masks + (size_t)MASK_FIRST * words);
    for (uint32_t k = 0; k < maker->count; k++) {
        uint64_t *mask = follow + (size_t)k * words;
        if (reach(maker, maker->positions[k].target, mask))
            set_bit(out->masks + (size_t)MASK_LAST * words, k);
        if (is_next_only(mask, words, k))
            set_bit(out->masks + (size_t)MASK_CHAINED * words, k);
        else
            out->head.unchained++;
    }
    return true;
}

static enum status read_patterns(struct maker *maker, const Str *patterns, uint32_t count,
                                 enum automaton_syntax syntax)
{
    nfa_init(&maker->nfa, &maker->scratch);
    maker->nfa.is_union = true;
    maker->nfa.is_loose = true;
    for (uint32_t i = 0; i < count; i++) {
        struct automaton_error error;
        struct pattern_parser parser = {
            .text = patterns[i], .syntax = syntax, .mem = &maker->scratch, .error = &error
        };
        struct pattern_node *tree = pattern_parse(&parser);
        if (!tree)
            return parser.status;
        if (!nfa_add(&maker->nfa, tree))
            return ST_LIMIT;
    }
    return ST_OK;
}

static enum status make(struct maker *maker, struct arena *mem, struct bit_nfa *out,
                        uint32_t *positions)
{
    size_t states = (size_t)maker->nfa.state_count + 1;
    maker->first_of = ARENA_NEW(&maker->scratch, uint32_t, states);
    maker->end_of = ARENA_NEW(&maker->scratch, uint32_t, states);
    maker->marks = ARENA_NEW(&maker->scratch, uint32_t, states);
    maker->stack = ARENA_NEW(&maker->scratch, uint32_t, states);
    if (!maker->first_of || !maker->end_of || !maker->marks || !maker->stack)
        return ST_LIMIT;
    list_positions(maker);
    *positions = maker->count;
    maker->words = (maker->count + WORD_BITS - 1) / WORD_BITS;
    if (maker->count == 0 || maker->count > B_NFA_POSITIONS_MAX)
        return ST_LIMIT;
    return fill(maker, mem, out) ? ST_OK : ST_LIMIT;
}

enum status bit_nfa_build(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                          struct arena *mem, struct bit_nfa *out, uint32_t *positions)
{
    struct arena scratch;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    *positions = UINT32_MAX;
    *out = (struct bit_nfa){ .masks = NULL };
    struct maker *maker = ARENA_NEW(&scratch, struct maker, 1);
    enum status status = ST_LIMIT;
    if (maker && count > 0) {
        arena_init(&maker->scratch, SCRATCH_BYTES_MAX);
        status = read_patterns(maker, patterns, count, syntax);
        if (status == ST_OK)
            status = make(maker, mem, out, positions);
        arena_reset(&maker->scratch);
    }
    arena_reset(&scratch);
    return status;
}
