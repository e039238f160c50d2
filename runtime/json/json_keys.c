/* SPDX-License-Identifier: Apache-2.0 */
/* json_keys.c - does a key occur twice in one object?
 *
 * Readers disagree on which of two equal keys counts, so one that occurs twice is refused. Small
 * objects are compared pair by pair, which costs less than any table; larger ones go through
 * a hash table whose seed is drawn anew for each document, so nobody can prepare collisions.
 */
#include "runtime/base/world.h"
#include "runtime/json/json_internal.h"

#include <xxhash.h>

enum { PAIRWISE_MAX = 32 };

/* One bit of 64, another one for most pairs of different keys. */
static inline uint64_t key_bit(const struct json_node *member)
{
    uint32_t n = member->key_n;
    if (n == 0)
        return 1;
    uint32_t first = (unsigned char)member->key[0], last = (unsigned char)member->key[n - 1];
    return UINT64_C(1) << (((n << 16 ^ first << 8 ^ last) * 0x9e3779b1U) >> 26);
}

static bool occurs_before(const struct json_node *nodes, uint32_t object, uint32_t at)
{
    Str key = json_key(&nodes[at]);
    for (uint32_t i = object + 1; i < at; i = nodes[i].next) {
        if (str_eq(json_key(&nodes[i]), key))
            return true;
    }
    return false;
}

/* Members are compared only when their bits meet. */
static uint32_t pairwise_duplicate(const struct json_node *nodes, uint32_t object)
{
    uint64_t seen = 0;
    uint32_t end = nodes[object].next;
    for (uint32_t at = object + 1; at < end; at = nodes[at].next) {
        uint64_t bit = key_bit(&nodes[at]);
        if ((seen & bit) && occurs_before(nodes, object, at))
            return at;
        seen |= bit;
    }
    return 0;
}

/* Free slots for an object of count members, at most half of which will be used. */
static bool prepare_slots(struct json_scan *scan, uint32_t count, uint32_t *slots_n)
{
    uint32_t n = 4 * PAIRWISE_MAX;
    while (n / 2 < count) {
        if (n > UINT32_MAX / 2)
            return false;
        n *= 2;
    }
    if (scan->slots_n < n) {
        struct json_slot *slots =
            arena_alloc_raw(scan->arena, sizeof *slots, _Alignof(struct json_slot), n);
        if (!slots)
            return false;
        if (scan->slots_n == 0)
            world_entropy(&scan->seed, sizeof scan->seed);
        scan->slots = slots;
        scan->slots_n = n;
    }
    memset(scan->slots, 0, n * sizeof *scan->slots);
    *slots_n = n;
    return true;
}

static uint32_t hashed_duplicate(const struct json_scan *scan, uint32_t object, uint32_t slots_n)
{
    const struct json_node *nodes = scan->nodes;
    uint32_t mask = slots_n - 1;
    for (uint32_t at = object + 1; at < nodes[object].next; at = nodes[at].next) {
        Str key = json_key(&nodes[at]);
        uint32_t hash = (uint32_t)XXH3_64bits_withSeed(key.p, key.n, scan->seed);
        uint32_t slot = hash & mask;
        for (; scan->slots[slot].node; slot = (slot + 1) & mask) {
            const struct json_slot *used = &scan->slots[slot];
            if (used->hash == hash && str_eq(json_key(&nodes[used->node]), key))
                return at;
        }
        scan->slots[slot] = (struct json_slot){ .hash = hash, .node = at };
    }
    return 0;
}

enum json_error json_keys_check(struct json_scan *scan, uint32_t object, uint32_t *member)
{
    uint32_t count = scan->nodes[object].count, slots_n, duplicate;
    if (count <= PAIRWISE_MAX) {
        duplicate = pairwise_duplicate(scan->nodes, object);
    } else {
        if (!prepare_slots(scan, count, &slots_n))
            return JSON_ERR_NO_MEMORY;
        duplicate = hashed_duplicate(scan, object, slots_n);
    }
    if (!duplicate)
        return JSON_ERR_NONE;
    *member = duplicate;
    return JSON_ERR_DUPLICATE_KEY;
}
