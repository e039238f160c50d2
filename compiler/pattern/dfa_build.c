/* SPDX-License-Identifier: Apache-2.0 */
/* dfa_build.c - subset construction, in breadth-first order from the start.
 *
 * A subset is compared without being sorted: two of one size are equal when every item of the one
 * carries the mark that the other was just collected with. Every item looked at is a step, and
 * steps, states and memory are bounded here, so a hostile pattern costs a fixed time at most.
 */
#include "compiler/pattern/byte_classes.h"
#include "compiler/pattern/dfa.h"

static const char too_many_states[] =
    "needs more than 16,384 states while it is built; narrow or shorten this";
static const char too_many_steps[] = "takes too long to build; narrow or shorten this";
static const char out_of_memory[] = "needs too much memory; narrow or shorten this";
_Static_assert(DFA_SUBSETS_MAX == 16384, "the text says so");

/* Open addressing; a slot holds 1 + the index of an entry, 0 when free. At most half full. */
struct index {
    uint32_t *slots;
    uint32_t room; /* a power of two */
};

struct builder {
    const struct nfa *nfa;
    struct arena *mem;
    struct dfa *out;
    struct byte_classes bytes;
    struct index by_subset, by_accept;
    uint32_t state_room, next_room, accept_room, set_room;
    uint32_t *marks; /* per state of the nfa: the collection it was last seen in */
    uint32_t mark;
    uint32_t *stack; /* of states whose forks are still to be followed */
    uint32_t *items; /* of the collection */
    uint32_t item_count, item_hash;
    uint64_t *ended; /* the patterns that end in the collection */
    uint64_t steps;
    const char *failure;
};

static bool fail(struct builder *builder, const char *text)
{
    if (!builder->failure)
        builder->failure = text;
    return false;
}

static bool spend(struct builder *builder, uint64_t steps)
{
    builder->steps += steps;
    return builder->steps <= DFA_STEPS_MAX || fail(builder, too_many_steps);
}

/* Makes room for count + 1 entries; true in *moved when the entries have to be put in again. */
static bool index_reserve(struct arena *mem, struct index *index, uint32_t count, bool *moved)
{
    enum { FIRST = 32 };
    *moved = false;
    if (index->room > 0 && count + 1 <= index->room / 2)
        return true;
    uint32_t room = index->room ? index->room * 2 : FIRST;
    uint32_t *slots = ARENA_NEW(mem, uint32_t, room);
    if (!slots)
        return false;
    *index = (struct index){ .slots = slots, .room = room };
    *moved = true;
    return true;
}

static void index_put(struct index *index, uint32_t hash, uint32_t entry)
{
    uint32_t slot = hash & (index->room - 1);
    while (index->slots[slot])
        slot = (slot + 1) & (index->room - 1);
    index->slots[slot] = entry + 1;
}

static uint32_t scramble(uint32_t value)
{
    value = (value ^ value >> 16) * 0x7FEB352DU;
    value = (value ^ value >> 15) * 0x846CA68BU;
    return value ^ value >> 16;
}

static void begin_collection(struct builder *builder)
{
    builder->mark++;
    builder->item_count = 0;
    builder->item_hash = 0;
}

/* Adds a state of the nfa and all that its forks lead to. */
static void collect(struct builder *builder, uint32_t from)
{
    uint32_t depth = 0;
    if (builder->marks[from] == builder->mark)
        return;
    builder->marks[from] = builder->mark;
    builder->stack[depth++] = from;
    while (depth > 0) {
        uint32_t at = builder->stack[--depth];
        const struct nfa_state *state = &builder->nfa->states[at];
        builder->steps++;
        if (state->kind != NFA_FORK) {
            builder->items[builder->item_count++] = at;
            builder->item_hash += scramble(at + 1);
            continue;
        }
        const uint32_t targets[2] = { state->out, state->base };
        for (size_t i = 0; i < COUNT(targets); i++) {
            if (builder->marks[targets[i]] == builder->mark)
                continue;
            builder->marks[targets[i]] = builder->mark;
            builder->stack[depth++] = targets[i];
        }
    }
}

/* Collects what the items of a subset reach by one class of bytes. */
static bool collect_step(struct builder *builder, const struct dfa_subset *from, uint32_t class)
{
    const uint32_t *steps = builder->bytes.steps + builder->bytes.column[class];
    begin_collection(builder);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct nfa_state *state = &builder->nfa->states[from->items[i]];
        if (state->kind != NFA_STEP)
            continue;
        uint32_t step = steps[(size_t)state->node * builder->bytes.stride];
        if (step == BYTE_STEP_NONE)
            continue;
        collect(builder, step == BYTE_STEP_END ? state->out : state->base + step - 1);
    }
    return spend(builder, from->count);
}

/* The state of the collection, if there is one already. */
static bool find_state(struct builder *builder, uint32_t *state)
{
    const struct index *index = &builder->by_subset;
    if (index->room == 0)
        return false;
    uint32_t mask = index->room - 1;
    for (uint32_t slot = builder->item_hash & mask; index->slots[slot]; slot = (slot + 1) & mask) {
        uint32_t entry = index->slots[slot] - 1;
        const struct dfa_subset *subset = &builder->out->subsets[entry];
        if (subset->hash != builder->item_hash || subset->count != builder->item_count)
            continue;
        uint32_t same = 0;
        while (same < subset->count && builder->marks[subset->items[same]] == builder->mark)
            same++;
        builder->steps += same;
        if (same == subset->count) {
            *state = entry;
            return true;
        }
    }
    return false;
}

static uint32_t hash_words(const uint64_t *words, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ words[i]) * 0x9E3779B97F4A7C15U + 1;
    return (uint32_t)(hash >> 32);
}

static bool add_accept_set(struct builder *builder, uint32_t hash)
{
    struct dfa *out = builder->out;
    size_t bytes = out->accept_words * sizeof(uint64_t);
    bool moved;
    uint64_t *sets = array_grow(builder->mem, out->accept_sets, &builder->set_room,
                                out->accept_count + 1, bytes);
    if (!sets || !index_reserve(builder->mem, &builder->by_accept, out->accept_count + 1, &moved))
        return fail(builder, out_of_memory);
    out->accept_sets = sets;
    for (uint32_t i = 1; moved && i <= out->accept_count; i++)
        index_put(&builder->by_accept,
                  hash_words(sets + (size_t)i * out->accept_words, out->accept_words), i);
    out->accept_count++;
    memcpy(sets + (size_t)out->accept_count * out->accept_words, builder->ended, bytes);
    index_put(&builder->by_accept, hash, out->accept_count);
    return true;
}

/* The number of the set of patterns that end in the collection, a new one if need be. */
static bool accept_of(struct builder *builder, uint32_t *accept)
{
    const struct nfa *nfa = builder->nfa;
    uint32_t words = builder->out->accept_words;
    bool has_end = false;
    memset(builder->ended, 0, words * sizeof(uint64_t));
    for (uint32_t i = 0; i < builder->item_count; i++) {
        const struct nfa_state *state = &nfa->states[builder->items[i]];
        if (state->kind != NFA_END)
            continue;
        has_end = true;
        uint32_t pattern = nfa->is_union ? 0 : state->pattern;
        builder->ended[pattern / 64] |= UINT64_C(1) << pattern % 64;
    }
    *accept = 0;
    if (!has_end)
        return true;
    const struct index *index = &builder->by_accept;
    uint32_t hash = hash_words(builder->ended, words), mask = index->room - 1;
    for (uint32_t slot = hash & mask; index->room && index->slots[slot]; slot = (slot + 1) & mask) {
        *accept = index->slots[slot] - 1;
        const uint64_t *set = builder->out->accept_sets + (size_t)*accept * words;
        builder->steps += words;
        if (memcmp(set, builder->ended, words * sizeof(uint64_t)) == 0)
            return true;
    }
    *accept = builder->out->accept_count + 1;
    return add_accept_set(builder, hash);
}

static bool grow_states(struct builder *builder)
{
    struct dfa *out = builder->out;
    uint32_t count = out->state_count;
    struct dfa_subset *subsets =
        array_grow(builder->mem, out->subsets, &builder->state_room, count, sizeof *subsets);
    uint32_t *accept =
        array_grow(builder->mem, out->accept, &builder->accept_room, count, sizeof *accept);
    uint16_t *next = array_grow(builder->mem, out->next, &builder->next_room, count,
                                out->class_count * sizeof *next);
    if (subsets)
        out->subsets = subsets;
    if (!subsets || !accept || !next)
        return fail(builder, out_of_memory);
    out->accept = accept;
    out->next = next;
    return true;
}

static bool add_state(struct builder *builder, uint32_t *state)
{
    struct dfa *out = builder->out;
    bool moved;
    if (out->state_count >= DFA_SUBSETS_MAX)
        return fail(builder, too_many_states);
    if (!grow_states(builder) || !accept_of(builder, &out->accept[out->state_count]))
        return false;
    uint32_t *items = ARENA_NEW(builder->mem, uint32_t, builder->item_count);
    if (!items || !index_reserve(builder->mem, &builder->by_subset, out->state_count, &moved))
        return fail(builder, out_of_memory);
    for (uint32_t i = 0; moved && i < out->state_count; i++)
        index_put(&builder->by_subset, out->subsets[i].hash, i);
    memcpy(items, builder->items, builder->item_count * sizeof *items);
    out->subsets[out->state_count] = (struct dfa_subset){ .items = items,
                                                          .count = builder->item_count,
                                                          .hash = builder->item_hash };
    index_put(&builder->by_subset, builder->item_hash, out->state_count);
    *state = out->state_count++;
    return true;
}

static bool state_of_collection(struct builder *builder, uint32_t *state)
{
    return find_state(builder, state) || add_state(builder, state);
}

static bool expand(struct builder *builder)
{
    struct dfa *out = builder->out;
    uint32_t state;
    begin_collection(builder);
    if (builder->nfa->pattern_count > 0)
        collect(builder, builder->nfa->start);
    if (!state_of_collection(builder, &state))
        return false;
    for (uint32_t from = 0; from < out->state_count; from++) {
        for (uint32_t class = 0; class < out->class_count; class ++) {
            if (!collect_step(builder, &out->subsets[from], class) ||
                !state_of_collection(builder, &state))
                return false;
            out->next[(size_t)from * out->class_count + class] = (uint16_t)state;
        }
    }
    return true;
}

static bool prepare(struct builder *builder)
{
    const struct nfa *nfa = builder->nfa;
    struct dfa *out = builder->out;
    size_t states = (size_t)nfa->state_count + 1;
    if (!byte_classes_build(nfa, builder->mem, &builder->bytes))
        return fail(builder, out_of_memory);
    builder->marks = ARENA_NEW(builder->mem, uint32_t, states);
    builder->stack = ARENA_NEW(builder->mem, uint32_t, states);
    builder->items = ARENA_NEW(builder->mem, uint32_t, states);
    out->class_count = builder->bytes.count;
    memcpy(out->classes, builder->bytes.class_of, sizeof out->classes);
    bool is_one = nfa->is_union || nfa->pattern_count == 0;
    out->accept_words = is_one ? 1 : (nfa->pattern_count + 63) / 64;
    builder->ended = ARENA_NEW(builder->mem, uint64_t, out->accept_words);
    if (!builder->marks || !builder->stack || !builder->items || !builder->ended)
        return fail(builder, out_of_memory);
    builder->set_room = 1;
    out->accept_sets = ARENA_NEW(builder->mem, uint64_t, out->accept_words);
    return out->accept_sets || fail(builder, out_of_memory);
}

const char *dfa_build(const struct nfa *nfa, struct arena *mem, struct dfa *out)
{
    struct builder builder = { .nfa = nfa, .mem = mem, .out = out };
    *out = (struct dfa){ .state_count = 0 };
    if (prepare(&builder))
        (void)expand(&builder);
    return builder.failure;
}

/* In how many subsets each pattern and each counted repeat takes part. */
static void weigh(const struct nfa *nfa, const struct dfa *dfa, uint32_t *weights, uint32_t *last)
{
    for (uint32_t i = 0; i < dfa->state_count; i++) {
        for (uint32_t j = 0; j < dfa->subsets[i].count; j++) {
            const struct nfa_state *state = &nfa->states[dfa->subsets[i].items[j]];
            struct pattern_node *repeat = state->repeat;
            weights[state->pattern] += last[state->pattern] != i + 1;
            last[state->pattern] = i + 1;
            if (!repeat || repeat->last_weighed == i + 1)
                continue;
            repeat->weight++;
            repeat->last_weighed = i + 1;
        }
    }
}

uint32_t dfa_blame(const struct nfa *nfa, const struct dfa *dfa, struct arena *mem,
                   const struct pattern_node **repeat)
{
    uint32_t *weights = ARENA_NEW(mem, uint32_t, nfa->pattern_count);
    uint32_t *last = ARENA_NEW(mem, uint32_t, nfa->pattern_count);
    uint32_t heaviest = 0;
    *repeat = NULL;
    if (!weights || !last || nfa->pattern_count == 0)
        return 0;
    weigh(nfa, dfa, weights, last);
    for (uint32_t i = 1; i < nfa->pattern_count; i++) {
        if (weights[i] > weights[heaviest])
            heaviest = i;
    }
    for (uint32_t i = 0; i < nfa->state_count; i++) {
        const struct nfa_state *state = &nfa->states[i];
        if (state->pattern != heaviest || !state->repeat || state->repeat->weight == 0)
            continue;
        if (!*repeat || state->repeat->weight > (*repeat)->weight)
            *repeat = state->repeat;
    }
    return heaviest;
}
