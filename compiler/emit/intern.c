/* SPDX-License-Identifier: Apache-2.0 */
/* intern.c - a hash table that only grows. Its order must not reach a bundle: who walks it sorts.
 */
#include "compiler/emit/intern.h"

#include <xxhash.h>

enum { INTERN_FIRST = 64 };

void intern_init(struct intern *intern, struct arena *mem)
{
    *intern = (struct intern){ .mem = mem };
}

static struct intern_entry *find(const struct intern *intern, Str key, uint64_t hash)
{
    uint32_t mask = intern->capacity - 1;
    for (uint64_t at = hash;; at++) {
        struct intern_entry *entry = &intern->entries[at & mask];
        if (!entry->is_used || (entry->hash == hash && str_eq(entry->key, key)))
            return entry;
    }
}

static bool grow(struct intern *intern)
{
    struct intern bigger = *intern;
    bigger.capacity = intern->capacity ? intern->capacity * 2 : INTERN_FIRST;
    bigger.entries = ARENA_NEW(intern->mem, struct intern_entry, bigger.capacity);
    if (!bigger.entries)
        return false;
    for (uint32_t i = 0; i < intern->capacity; i++) {
        if (intern->entries[i].is_used)
            *find(&bigger, intern->entries[i].key, intern->entries[i].hash) = intern->entries[i];
    }
    *intern = bigger;
    return true;
}

uint32_t *intern_get(const struct intern *intern, Str key)
{
    if (!intern->count)
        return NULL;
    struct intern_entry *entry = find(intern, key, XXH3_64bits(key.p, key.n));
    return entry->is_used ? &entry->value : NULL;
}

bool intern_put(struct intern *intern, Str key, uint32_t value)
{
    if (intern->count * 2 >= intern->capacity && !grow(intern))
        return false;
    uint64_t hash = XXH3_64bits(key.p, key.n);
    struct intern_entry *entry = find(intern, key, hash);
    ENSURE(!entry->is_used);
    Str copy = arena_copy(intern->mem, key);
    if (!copy.p)
        return false;
    *entry = (struct intern_entry){ .key = copy, .hash = hash, .value = value, .is_used = true };
    intern->count++;
    return true;
}
