/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - the clock and the entropy source, the two things a test must be able to replace. */
#ifndef RUNTIME_BASE_WORLD_H
#define RUNTIME_BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct world {
    int64_t (*wall_ms)(void);                   /* milliseconds since 1970-01-01T00:00:00Z */
    int64_t (*mono_ms)(void);                   /* milliseconds, never backwards, any origin */
    void (*entropy)(void *bytes, size_t count); /* unpredictable bytes; aborts when it cannot */
};

/* Replaces the world for this process (tests); NULL restores the real one. Borrows. */
void world_set(const struct world *world);

int64_t world_wall_ms(void);
int64_t world_mono_ms(void);
void world_entropy(void *bytes, size_t count);

#endif
