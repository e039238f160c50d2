/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pattern.c - any bytes as patterns and texts.
 *
 * The first byte chooses the syntax; up to the first 0xFF come patterns, 0xFE between them; what
 * is left is a text. Every back end that takes the patterns must make tables that the verifier
 * takes, and say of the text what all others say: the automaton, the positions, whatever the
 * ladder of matchers chose, and the slow matcher that shares no code with them. The patterns' bytes
 * as words must be found where a plain search finds them.
 */
#include "fuzz/target.h"
#include "tests/unit/matcher_tables.h"
#include "tests/unit/slow_match.h"

#include <stdlib.h>

enum { PATTERNS_MAX = 4, MEMORY = 64 * 1024 * 1024, SLOW_BYTES_MAX = 200 };

struct input {
    enum automaton_syntax syntax;
    Str patterns[PATTERNS_MAX];
    uint32_t count;
    Str text;
    bool is_text; /* UTF-8, as all that the VM matches is */
};

/* ------------------------------- reading -------------------------------- */

/* A heap block of its own for each piece, so that a read past its end is seen. */
static Str exact_copy(char **block, const uint8_t *bytes, size_t n)
{
    *block = malloc(n ? n : 1);
    ENSURE(*block != NULL);
    if (n)
        memcpy(*block, bytes, n);
    return (Str){ .p = *block, .n = n };
}

static void split(const uint8_t *data, const uint8_t *end, struct input *in, char **blocks)
{
    bool is_last = false;
    in->syntax = (enum automaton_syntax)(*data++ % 3);
    for (in->count = 0; in->count < PATTERNS_MAX && !is_last; in->count++) {
        const uint8_t *at = data;
        while (at < end && *at < 0xFE)
            at++;
        in->patterns[in->count] = exact_copy(&blocks[in->count], data, (size_t)(at - data));
        is_last = at == end || *at == 0xFF;
        data = at == end ? end : at + 1;
    }
    in->text = exact_copy(&blocks[PATTERNS_MAX], data, (size_t)(end - data));
    in->is_text = utf8_is_valid(in->text);
}

/* ------------------------------- checking ------------------------------- */

/* What the runtime's verifier will ask of the table. */
static void check_table(const struct automaton *automaton)
{
    size_t cells = (size_t)automaton->state_count * automaton->class_count;
    ENSURE(automaton->state_count >= 1 && automaton->state_count <= AUTOMATON_STATES_MAX);
    ENSURE(automaton->class_count >= 1 && automaton->class_count <= 256);
    ENSURE(cells * sizeof(uint16_t) <= AUTOMATON_TABLE_BYTES_MAX);
    for (size_t i = 0; i < 256; i++)
        ENSURE(automaton->classes[i] < automaton->class_count);
    for (size_t i = 0; i < cells; i++)
        ENSURE(automaton->next[i] < automaton->state_count);
    for (size_t i = 0; i < automaton->state_count; i++)
        ENSURE(automaton->accept[i] <= automaton->accept_count);
}

/* Whether one of the patterns matches, if the slow matcher knows it of all. */
static enum slow_answer slow_any(const struct input *in)
{
    enum slow_answer any = SLOW_NO;
    for (uint32_t i = 0; i < in->count && any != SLOW_UNKNOWN; i++) {
        enum slow_answer answer = SLOW_UNKNOWN;
        if (in->patterns[i].n <= SLOW_BYTES_MAX)
            answer = slow_match(in->patterns[i], in->syntax, in->text);
        any = answer == SLOW_NO ? any : answer;
    }
    return any;
}

/* Each pattern by itself, as the accept sets have it. */
static void check_each(const struct automaton *automaton, const struct input *in, uint16_t accept)
{
    const uint64_t *set = automaton->accept_sets + (size_t)accept * automaton->accept_words;
    for (uint32_t i = 0; i < in->count; i++) {
        enum slow_answer want = SLOW_UNKNOWN;
        if (in->patterns[i].n <= SLOW_BYTES_MAX)
            want = slow_match(in->patterns[i], in->syntax, in->text);
        bool got = set[i / 64] >> i % 64 & 1;
        ENSURE(want == SLOW_UNKNOWN || got == (want == SLOW_YES));
    }
}

/* The answers that there are must be one. SLOW_UNKNOWN: there was none before. */
static void agree(enum slow_answer *all, bool one)
{
    ENSURE(*all == SLOW_UNKNOWN || one == (*all == SLOW_YES));
    *all = one ? SLOW_YES : SLOW_NO;
}

static void check_automaton(const struct input *in, struct arena *mem, enum slow_answer *all)
{
    struct automaton automaton;
    struct automaton_error error;
    if (automaton_build(in->patterns, in->count, in->syntax, mem, &automaton, &error) != ST_OK) {
        ENSURE(error.text != NULL && error.pattern < in->count);
        ENSURE(error.lo <= error.hi && error.hi <= in->patterns[error.pattern].n);
        return;
    }
    check_table(&automaton);
    uint16_t accept = automaton_run(&automaton, in->text);
    ENSURE(accept == 0 || in->is_text);
    if (in->is_text)
        check_each(&automaton, in, accept);
    agree(all, accept != 0);
}

static void check_positions(const struct input *in, struct arena *mem, enum slow_answer *all)
{
    struct bit_nfa nfa;
    struct tables tables;
    uint32_t positions;
    if (bit_nfa_build(in->patterns, in->count, in->syntax, mem, &nfa, &positions) != ST_OK)
        return;
    ENSURE(tables_of_nfa(&tables, &nfa));
    bool matches = program_match_nfa(&tables.program, 0, in->text);
    ENSURE(in->is_text || !matches);
    agree(all, matches);
}

static void check_ladder(const struct input *in, struct arena *mem, enum slow_answer *all)
{
    struct matchers matchers;
    struct automaton_error error;
    enum status status =
        matchers_build(in->patterns, in->count, in->syntax, mem, &matchers, &error);
    if (status == ST_OK && in->is_text)
        agree(all, tables_match_any(&matchers, in->text));
    if (status != ST_OK)
        ENSURE(error.text != NULL && error.pattern < in->count);
}

static void check_words(const struct input *in, uint32_t forbidden, struct arena *mem)
{
    struct trie trie;
    struct tables tables;
    bool is_there = false;
    if (trie_build(in->patterns, in->count, mem, &trie) != ST_OK)
        return;
    ENSURE(tables_of_trie(&tables, &trie, forbidden));
    for (uint32_t i = 0; i < in->count; i++)
        is_there |= str_contains(in->text, in->patterns[i]);
    is_there &= in->is_text && (forbidden == B_TRIE_NO_BYTE || in->text.n == 0 ||
                                !memchr(in->text.p, (int)forbidden, in->text.n));
    ENSURE(program_match_words(&tables.program, 0, in->text) == is_there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *blocks[PATTERNS_MAX + 1] = { NULL };
    struct input in;
    struct arena mem;
    if (size == 0)
        return 0;
    split(data, data + size, &in, blocks);
    arena_init(&mem, MEMORY);
    enum slow_answer all = in.is_text ? SLOW_UNKNOWN : SLOW_NO;
    check_automaton(&in, &mem, &all);
    check_positions(&in, &mem, &all);
    check_ladder(&in, &mem, &all);
    if (all != SLOW_UNKNOWN && in.is_text) { /* so all the patterns can be read, as it needs */
        enum slow_answer slow = slow_any(&in);
        ENSURE(slow == SLOW_UNKNOWN || slow == all);
    }
    check_words(&in, B_TRIE_NO_BYTE, &mem);
    check_words(&in, '/', &mem);
    arena_reset(&mem);
    for (size_t i = 0; i < COUNT(blocks); i++)
        free(blocks[i]);
    return 0;
}
