/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pattern.c - any bytes as patterns and texts.
 *
 * The first byte chooses the syntax; up to the first 0xFF come patterns, 0xFE between them; what
 * is left is a text. Every automaton that is built must be well-formed, and agree with the slow
 * matcher on that text.
 */
#include "compiler/pattern/automaton.h"
#include "fuzz/target.h"
#include "tests/unit/slow_match.h"

#include <stdlib.h>

enum { PATTERNS_MAX = 4, MEMORY = 64 * 1024 * 1024, SLOW_BYTES_MAX = 200 };

/* A heap block of its own for each piece, so that a read past its end is seen. */
static Str exact_copy(char **block, const uint8_t *bytes, size_t n)
{
    *block = malloc(n ? n : 1);
    ENSURE(*block != NULL);
    if (n)
        memcpy(*block, bytes, n);
    return (Str){ .p = *block, .n = n };
}

static uint32_t split_patterns(const uint8_t **data, const uint8_t *end, Str *patterns,
                               char **blocks)
{
    uint32_t count = 0;
    while (count < PATTERNS_MAX) {
        const uint8_t *at = *data;
        while (at < end && *at < 0xFE)
            at++;
        patterns[count] = exact_copy(&blocks[count], *data, (size_t)(at - *data));
        count++;
        bool is_last = at == end || *at == 0xFF;
        *data = at == end ? end : at + 1;
        if (is_last)
            break;
    }
    return count;
}

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

static void check_text(const struct automaton *automaton, const Str *patterns, uint32_t count,
                       enum automaton_syntax syntax, Str text)
{
    uint16_t accept = automaton_run(automaton, text);
    const uint64_t *set = automaton->accept_sets + (size_t)accept * automaton->accept_words;
    ENSURE(accept == 0 || utf8_is_valid(text));
    for (uint32_t i = 0; i < count; i++) {
        if (patterns[i].n > SLOW_BYTES_MAX)
            continue;
        enum slow_answer want = slow_match(patterns[i], syntax, text);
        bool got = set[i / 64] >> i % 64 & 1;
        ENSURE(want == SLOW_UNKNOWN || got == (want == SLOW_YES));
    }
}

static void check_error(const struct automaton_error *error, const Str *patterns, uint32_t count)
{
    ENSURE(error->text != NULL && error->pattern < count);
    ENSURE(error->lo <= error->hi && error->hi <= patterns[error->pattern].n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *at = data + 1, *end = data + size;
    enum automaton_syntax syntax = (enum automaton_syntax)(data[0] % 3);
    Str patterns[PATTERNS_MAX];
    char *blocks[PATTERNS_MAX + 1] = { NULL };
    struct arena mem;
    struct automaton automaton;
    struct automaton_error error;
    uint32_t count = split_patterns(&at, end, patterns, blocks);
    Str text = exact_copy(&blocks[count], at, (size_t)(end - at));
    arena_init(&mem, MEMORY);
    if (automaton_build(patterns, count, syntax, &mem, &automaton, &error) == ST_OK) {
        check_table(&automaton);
        check_text(&automaton, patterns, count, syntax, text);
    } else {
        check_error(&error, patterns, count);
    }
    arena_reset(&mem);
    for (size_t i = 0; i < COUNT(blocks); i++)
        free(blocks[i]);
    return 0;
}
