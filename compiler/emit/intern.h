/* SPDX-License-Identifier: Apache-2.0 */
/* intern.h - byte strings to small numbers, each once: what makes equal things share an index. */
#ifndef COMPILER_EMIT_INTERN_H
#define COMPILER_EMIT_INTERN_H

#include "runtime/base/arena.h"

struct intern_entry {
    Str key;
    uint64_t hash;
    uint32_t value;
    bool is_used;
};

struct intern {
    struct arena *mem; /* keys are copied into it */
    struct intern_entry *entries;
    uint32_t capacity, count;
};

void intern_init(struct intern *intern, struct arena *mem);

/* The value of key, or NULL when it has none. Valid until the next intern_put. */
uint32_t *intern_get(const struct intern *intern, Str key);

/* Gives key a value it does not have yet. False: no memory. */
MUST_USE bool intern_put(struct intern *intern, Str key, uint32_t value);

#endif
