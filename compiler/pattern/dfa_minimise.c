/* SPDX-License-Identifier: Apache-2.0 */
/* dfa_minimise.c - Hopcroft's partition refinement.
 *
 * States begin in blocks by what they accept. A block taken off the list splits every block of
 * which a part only leads into it; of the two halves the smaller is listed, so each state is
 * looked at O(log n) times per class. Which number a block gets means nothing: the caller
 * renumbers.
 */
#include "compiler/pattern/dfa.h"

/* elems holds the states grouped by block; within a block the marked ones come first. */
struct partition {
    uint32_t *elems, *place; /* place[elems[i]] == i */
    uint32_t *block_of;      /* per state */
    uint32_t *first, *size, *marked;
    uint32_t blocks;
    uint32_t *touched; /* blocks with marked states */
    uint32_t touched_count;
    uint32_t *pending; /* blocks that may still split others, each at most once */
    uint32_t pending_count;
};

/* For each class and state, which states lead there: sources[start[class * n + state] ...]. */
struct inverse {
    uint32_t *start, *sources;
};

static bool inverse_build(const struct dfa *dfa, struct arena *mem, struct inverse *out)
{
    size_t n = dfa->state_count, k = dfa->class_count;
    uint32_t *start = ARENA_NEW(mem, uint32_t, n * k + 2);
    uint32_t *sources = ARENA_NEW(mem, uint32_t, n * k);
    if (!start || !sources)
        return false;
    /* Counted two places on, so that filling moves each start to where it belongs. */
    for (size_t state = 0; state < n; state++) {
        for (size_t class = 0; class < k; class ++)
            start[class * n + dfa->next[state * k + class] + 2]++;
    }
    for (size_t i = 2; i < n * k + 2; i++)
        start[i] += start[i - 1];
    for (size_t state = 0; state < n; state++) {
        for (size_t class = 0; class < k; class ++)
            sources[start[class * n + dfa->next[state * k + class] + 1]++] = (uint32_t)state;
    }
    *out = (struct inverse){ .start = start, .sources = sources };
    return true;
}

static bool partition_alloc(struct partition *partition, struct arena *mem, size_t n)
{
    uint32_t **arrays[] = { &partition->elems,  &partition->place,  &partition->first,
                            &partition->size,   &partition->marked, &partition->touched,
                            &partition->pending };
    for (size_t i = 0; i < COUNT(arrays); i++) {
        *arrays[i] = ARENA_NEW(mem, uint32_t, n);
        if (!*arrays[i])
            return false;
    }
    return true;
}

/* Blocks by accept number: a counting sort, whose empty blocks are left out. */
static bool partition_begin(struct partition *partition, const struct dfa *dfa, struct arena *mem)
{
    uint32_t n = dfa->state_count;
    uint32_t *block_of_accept = ARENA_NEW(mem, uint32_t, (size_t)dfa->accept_count + 1);
    if (!block_of_accept || !partition_alloc(partition, mem, n))
        return false;
    for (uint32_t state = 0; state < n; state++) {
        uint32_t *block = &block_of_accept[dfa->accept[state]];
        if (*block == 0)
            *block = ++partition->blocks;
        partition->block_of[state] = *block - 1;
        partition->size[*block - 1]++;
    }
    for (uint32_t block = 1; block < partition->blocks; block++)
        partition->first[block] = partition->first[block - 1] + partition->size[block - 1];
    for (uint32_t state = 0; state < n; state++) {
        uint32_t block = partition->block_of[state];
        uint32_t at = partition->first[block] + partition->marked[block]++;
        partition->elems[at] = state;
        partition->place[state] = at;
    }
    for (uint32_t block = 0; block < partition->blocks; block++) {
        partition->marked[block] = 0;
        partition->pending[partition->pending_count++] = block;
    }
    return true;
}

static void mark(struct partition *partition, uint32_t state)
{
    uint32_t block = partition->block_of[state];
    uint32_t at = partition->place[state], to = partition->first[block] + partition->marked[block];
    if (at < to)
        return;
    uint32_t other = partition->elems[to];
    partition->elems[to] = state;
    partition->place[state] = to;
    partition->elems[at] = other;
    partition->place[other] = at;
    if (partition->marked[block]++ == 0)
        partition->touched[partition->touched_count++] = block;
}

/* The smaller part of the block becomes a block of its own. Listing that one is enough: either the
 * larger part is listed already, under the old number, or both were dealt with as one. */
static void split(struct partition *partition, uint32_t block)
{
    uint32_t marked = partition->marked[block], rest = partition->size[block] - marked;
    partition->marked[block] = 0;
    if (rest == 0)
        return;
    uint32_t made = partition->blocks++;
    bool takes_marked = marked <= rest;
    partition->size[made] = takes_marked ? marked : rest;
    partition->size[block] = takes_marked ? rest : marked;
    partition->first[made] = partition->first[block] + (takes_marked ? 0 : marked);
    partition->first[block] += takes_marked ? marked : 0;
    for (uint32_t i = 0; i < partition->size[made]; i++)
        partition->block_of[partition->elems[partition->first[made] + i]] = made;
    partition->pending[partition->pending_count++] = made;
}

static void refine(struct partition *partition, const struct dfa *dfa,
                   const struct inverse *inverse, const uint32_t *splitter, uint32_t count)
{
    for (size_t class = 0; class < dfa->class_count; class ++) {
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t *range = inverse->start + class * dfa->state_count + splitter[i];
            for (uint32_t j = range[0]; j < range[1]; j++)
                mark(partition, inverse->sources[j]);
        }
        while (partition->touched_count > 0)
            split(partition, partition->touched[--partition->touched_count]);
    }
}

bool dfa_minimise(const struct dfa *dfa, struct arena *mem, uint32_t **block_of,
                  uint32_t *block_count)
{
    struct partition partition = { .block_of = ARENA_NEW(mem, uint32_t, dfa->state_count) };
    struct inverse inverse;
    /* A copy, for the block's own states may move while it splits others. */
    uint32_t *splitter = ARENA_NEW(mem, uint32_t, dfa->state_count);
    if (!partition.block_of || !splitter || !inverse_build(dfa, mem, &inverse) ||
        !partition_begin(&partition, dfa, mem))
        return false;
    while (partition.pending_count > 0) {
        uint32_t block = partition.pending[--partition.pending_count];
        uint32_t count = partition.size[block];
        memcpy(splitter, partition.elems + partition.first[block], count * sizeof *splitter);
        refine(&partition, dfa, &inverse, splitter, count);
    }
    *block_of = partition.block_of;
    *block_count = partition.blocks;
    return true;
}
