/* SPDX-License-Identifier: Apache-2.0 */
/* definitions.c - a hash table that grows with the list.
 *
 * The server chooses the names, so the hash is seeded. A tool that is listed twice with two
 * definitions is ambiguous for good: which of them a client would see is not ours to guess.
 */
#include "runtime/gateway/definitions.h"

#include "runtime/base/world.h"

#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 64, DIGEST_MEMORY_MAX = 64 << 20 };

struct definitions {
    struct definition **slots; /* owned; at most half full */
    struct definition **order; /* owned; as listed, room for half the slots */
    uint32_t mask, count;
    uint64_t seed;
    struct arena mem;     /* the definitions and their names */
    struct arena scratch; /* of digests */
};

bool tool_name_is_plain(Str name)
{
    if (!name.n || name.n > TOOL_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        if (!is_plain)
            return false;
    }
    return true;
}

struct definitions *definitions_new(void)
{
    struct definitions *definitions = calloc(1, sizeof *definitions);
    if (!definitions)
        return NULL;
    definitions->slots = calloc(FIRST_SLOTS, sizeof(struct definition *));
    definitions->order = calloc(FIRST_SLOTS / 2, sizeof(struct definition *));
    definitions->mask = FIRST_SLOTS - 1;
    world_entropy(&definitions->seed, sizeof definitions->seed);
    arena_init(&definitions->mem, DEFINITIONS_MEMORY_MAX);
    arena_init(&definitions->scratch, DIGEST_MEMORY_MAX);
    if (definitions->slots && definitions->order)
        return definitions;
    definitions_free(definitions);
    return NULL;
}

void definitions_free(struct definitions *definitions)
{
    if (!definitions)
        return;
    free(definitions->slots);
    free(definitions->order);
    arena_reset(&definitions->mem);
    arena_reset(&definitions->scratch);
    free(definitions);
}

/* The slot that has the name or would take it. */
static struct definition **slot_of(const struct definitions *definitions, Str name)
{
    uint64_t at = XXH3_64bits_withSeed(name.p, name.n, definitions->seed);
    for (;; at++) {
        struct definition **slot = &definitions->slots[at & definitions->mask];
        if (!*slot || str_eq((*slot)->name, name))
            return slot;
    }
}

static bool grow(struct definitions *definitions)
{
    size_t slots = ((size_t)definitions->mask + 1) * 2;
    struct definition **order =
        realloc(definitions->order, slots / 2 * sizeof(struct definition *));
    if (!order)
        return false;
    definitions->order = order;
    struct definition **table = calloc(slots, sizeof(struct definition *));
    if (!table)
        return false;
    free(definitions->slots);
    definitions->slots = table;
    definitions->mask = (uint32_t)(slots - 1);
    for (uint32_t i = 0; i < definitions->count; i++)
        *slot_of(definitions, order[i]->name) = order[i];
    return true;
}

static struct definition *add_new(struct definitions *definitions, struct definition **slot,
                                  Str name)
{
    struct definition *definition = ARENA_NEW(&definitions->mem, struct definition, 1);
    Str kept = arena_copy(&definitions->mem, name);
    if (!definition || kept.n != name.n)
        return NULL;
    definition->name = kept;
    *slot = definition;
    definitions->order[definitions->count++] = definition;
    return definition;
}

struct definition *definitions_add(struct definitions *definitions, const struct json_doc *doc,
                                   uint32_t tool, Str name, bool with_pin)
{
    struct pin pin = { .parts = { 0 } };
    if (definitions->count * 2 > definitions->mask && !grow(definitions))
        return NULL;
    bool has_pin = with_pin && pin_digest(doc, tool, &definitions->scratch, &pin);
    if (definitions->scratch.blocks)
        arena_rewind(&definitions->scratch);
    struct definition **slot = slot_of(definitions, name), *definition = *slot;
    if (definition) {
        definition->is_repeated = true;
        definition->is_ambiguous |=
            !has_pin || !definition->has_pin ||
            memcmp(definition->pin.digest, pin.digest, sizeof pin.digest) != 0;
        return definition;
    }
    definition = add_new(definitions, slot, name);
    if (!definition)
        return NULL;
    definition->has_pin = has_pin;
    if (has_pin)
        definition->pin = pin;
    return definition;
}

const struct definition *definitions_find(const struct definitions *definitions, Str name)
{
    return *slot_of(definitions, name);
}

const struct definition *definitions_next(const struct definitions *definitions, uint32_t *at)
{
    return *at < definitions->count ? definitions->order[(*at)++] : NULL;
}

struct standing definition_standing(const struct definition *definition, const struct b_pin *pin)
{
    struct standing standing = { .kind = STANDING_UNLISTED };
    if (!definition)
        return standing;
    standing.kind = STANDING_CHANGED;
    standing.live = &definition->pin;
    if (!definition->has_pin || definition->is_ambiguous)
        return standing;
    _Static_assert(sizeof definition->pin.digest == sizeof pin->digest, "one kind of digest");
    if (memcmp(definition->pin.digest, pin->digest, sizeof pin->digest) == 0)
        return (struct standing){ .kind = STANDING_ACCEPTED };
    for (uint32_t i = 0; i < PIN_PARTS; i++)
        if (definition->pin.parts[i] != pin->parts[i])
            standing.changed |= UINT32_C(1) << i;
    return standing;
}
