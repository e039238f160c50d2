/* SPDX-License-Identifier: Apache-2.0 */
/* automaton.c - from patterns to the table that the runtime walks.
 *
 * Parse, nondeterministic automaton, subset construction, minimisation, and then one numbering
 * that depends on the language alone: states in breadth-first order, classes by their smallest
 * byte after columns that are equal have been joined. Same language, same bytes in the bundle.
 */
#include "compiler/pattern/automaton.h"

#include "compiler/pattern/dfa.h"

enum { SCRATCH_BYTES_MAX = 128 * 1024 * 1024 };

struct build {
    const Str *patterns;
    uint32_t count;
    bool is_union;
    struct arena scratch;
    struct nfa nfa;
    struct dfa dfa;
    uint32_t *block_of;   /* per state of dfa */
    uint32_t *state_of;   /* per state of the result: a state of dfa that stands for its block */
    uint32_t *number_of;  /* per block: 1 + its number in the result, 0 before it has one */
    uint32_t *accept_of;  /* per accept number of dfa: its number in the result, 0 if none yet */
    uint32_t state_count; /* of the result */
    uint8_t column[DFA_BYTES]; /* per class of the result: the class of dfa it stands for */
    uint32_t class_count;
    struct automaton_error *error;
};

static enum status fail(struct build *build, const char *text, uint32_t pattern)
{
    Str whole = pattern < build->count ? build->patterns[pattern] : STR("");
    *build->error =
        (struct automaton_error){ .text = text, .lo = 0, .hi = whole.n, .pattern = pattern };
    return ST_LIMIT;
}

static enum status fail_memory(struct build *build)
{
    return fail(build, "needs too much memory", 0);
}

/* Names what made the automaton large: the heaviest pattern, and its heaviest counted repeat. */
static enum status fail_size(struct build *build, const char *text)
{
    const struct pattern_node *repeat;
    struct arena mem; /* the scratch memory may be what ran out */
    arena_init(&mem, SCRATCH_BYTES_MAX);
    uint32_t pattern = dfa_blame(&build->nfa, &build->dfa, &mem, &repeat);
    arena_reset(&mem);
    (void)fail(build, text, pattern);
    if (repeat) {
        build->error->lo = repeat->lo;
        build->error->hi = repeat->hi;
    }
    return ST_LIMIT;
}

static enum status read_patterns(struct build *build, enum automaton_syntax syntax)
{
    nfa_init(&build->nfa, &build->scratch);
    build->nfa.is_union = build->is_union;
    for (uint32_t i = 0; i < build->count; i++) {
        struct pattern_parser parser = { .text = build->patterns[i],
                                         .syntax = syntax,
                                         .mem = &build->scratch,
                                         .error = build->error };
        build->error->pattern = i;
        struct pattern_node *tree = pattern_parse(&parser);
        if (!tree)
            return parser.status;
        if (!nfa_add(&build->nfa, tree))
            return fail(build, "needs too many states; narrow or shorten this", i);
    }
    return ST_OK;
}

static enum status minimise(struct build *build)
{
    const char *limit = dfa_build(&build->nfa, &build->scratch, &build->dfa);
    uint32_t blocks = 0;
    if (limit)
        return fail_size(build, limit);
    if (!dfa_minimise(&build->dfa, &build->scratch, &build->block_of, &blocks))
        return fail_memory(build);
    if (blocks > AUTOMATON_STATES_MAX)
        return fail_size(build, "needs more than 4,096 states; narrow or shorten this");
    _Static_assert(AUTOMATON_STATES_MAX == 4096, "the text says so");
    build->state_count = blocks;
    build->state_of = ARENA_NEW(&build->scratch, uint32_t, blocks);
    build->number_of = ARENA_NEW(&build->scratch, uint32_t, blocks);
    build->accept_of = ARENA_NEW(&build->scratch, uint32_t, (size_t)build->dfa.accept_count + 1);
    return build->state_of && build->number_of && build->accept_of ? ST_OK : fail_memory(build);
}

static void number_state(struct build *build, uint32_t state, uint32_t *count)
{
    uint32_t *number = &build->number_of[build->block_of[state]];
    if (*number)
        return;
    build->state_of[*count] = state;
    *number = ++*count;
}

/* Breadth first over classes in order; every block can be reached. */
static void number_states(struct build *build)
{
    const struct dfa *dfa = &build->dfa;
    uint32_t count = 0;
    number_state(build, 0, &count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t class = 0; class < dfa->class_count; class ++)
            number_state(build, dfa->next[(size_t)build->state_of[i] * dfa->class_count + class],
                         &count);
    }
    ENSURE(count == build->state_count);
}

/* The number of the state that the i-th state of the result goes to by a class of dfa. */
static uint16_t target(const struct build *build, uint32_t i, uint32_t class)
{
    const struct dfa *dfa = &build->dfa;
    uint32_t to = dfa->next[(size_t)build->state_of[i] * dfa->class_count + class];
    return (uint16_t)(build->number_of[build->block_of[to]] - 1);
}

static bool same_column(const struct build *build, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < build->state_count; i++) {
        if (target(build, i, a) != target(build, i, b))
            return false;
    }
    return true;
}

/* Joins the classes that no state of the result tells apart. */
static void join_classes(struct build *build, struct automaton *out)
{
    uint8_t joined[DFA_BYTES] = { 0 };
    for (uint32_t class = 0; class < build->dfa.class_count; class ++) {
        uint32_t kept = 0;
        while (kept < build->class_count && !same_column(build, build->column[kept], class))
            kept++;
        if (kept == build->class_count)
            build->column[build->class_count++] = (uint8_t) class;
        joined[class] = (uint8_t)kept;
    }
    for (uint32_t byte = 0; byte < DFA_BYTES; byte++)
        out->classes[byte] = joined[build->dfa.classes[byte]];
}

/* Numbers the accept sets in the order of the states, and copies those that are in use. */
static bool write_accept(struct build *build, struct arena *mem, struct automaton *out)
{
    const struct dfa *dfa = &build->dfa;
    uint16_t *accept = ARENA_NEW(mem, uint16_t, build->state_count);
    if (!accept)
        return false;
    uint16_t count = 0;
    for (uint32_t i = 0; i < build->state_count; i++) {
        uint32_t old = dfa->accept[build->state_of[i]];
        if (old && !build->accept_of[old])
            build->accept_of[old] = ++count;
        accept[i] = (uint16_t)build->accept_of[old];
    }
    size_t words = dfa->accept_words;
    uint64_t *sets = ARENA_NEW(mem, uint64_t, (count + 1U) * words);
    if (!sets)
        return false;
    for (uint32_t old = 1; old <= dfa->accept_count; old++) {
        if (build->accept_of[old])
            memcpy(sets + build->accept_of[old] * words, dfa->accept_sets + old * words,
                   words * sizeof *sets);
    }
    out->accept = accept;
    out->accept_sets = sets;
    out->accept_count = count;
    out->accept_words = dfa->accept_words;
    return true;
}

static enum status write_table(struct build *build, struct arena *mem, struct automaton *out)
{
    number_states(build);
    join_classes(build, out);
    size_t cells = (size_t)build->state_count * build->class_count;
    if (cells * sizeof(uint16_t) > AUTOMATON_TABLE_BYTES_MAX)
        return fail_size(build, "needs a table of more than 256 KiB; narrow or shorten this");
    _Static_assert(AUTOMATON_TABLE_BYTES_MAX == 256 * 1024, "the text says so");
    uint16_t *next = ARENA_NEW(mem, uint16_t, cells);
    if (!next || !write_accept(build, mem, out))
        return fail_memory(build);
    for (uint32_t i = 0; i < build->state_count; i++) {
        for (uint32_t class = 0; class < build->class_count; class ++)
            next[i * build->class_count + class] = target(build, i, build->column[class]);
    }
    out->state_count = (uint16_t)build->state_count;
    out->class_count = (uint16_t)build->class_count;
    out->next = next;
    return ST_OK;
}

static enum status build_automaton(struct build *build, enum automaton_syntax syntax,
                                   struct arena *mem, struct automaton *out)
{
    struct automaton made = { .state_count = 0 };
    arena_init(&build->scratch, SCRATCH_BYTES_MAX);
    *build->error = (struct automaton_error){ .text = NULL };
    enum status status = read_patterns(build, syntax);
    if (status == ST_OK)
        status = minimise(build);
    if (status == ST_OK)
        status = write_table(build, mem, &made);
    arena_reset(&build->scratch);
    if (status == ST_OK)
        *out = made;
    return status;
}

enum status automaton_build(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                            struct arena *mem, struct automaton *out, struct automaton_error *error)
{
    struct build build = { .patterns = patterns, .count = count, .error = error };
    return build_automaton(&build, syntax, mem, out);
}

enum status automaton_build_union(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                                  struct arena *mem, struct automaton *out,
                                  struct automaton_error *error)
{
    struct build build = { .patterns = patterns, .count = count, .is_union = true, .error = error };
    return build_automaton(&build, syntax, mem, out);
}

uint16_t automaton_run(const struct automaton *automaton, Str text)
{
    size_t state = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t class = automaton->classes[(unsigned char)text.p[i]];
        state = automaton->next[state * automaton->class_count + class];
    }
    return automaton->accept[state];
}
