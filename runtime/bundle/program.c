/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - questions to a program that need no verdict: names, hashes, tables, automata. The
 * verifier asks them too, after it has proved the ranges that they rely on. */
#include "runtime/bundle/program.h"

#include "runtime/bundle/verify.h"

#include <stdlib.h>
#include <xxhash.h>

const struct op_info op_table[OP_COUNT] = {
#define OP(name, kind, operands, doc) [OP_##name] = { #name, OP_##kind, OPERANDS_##operands, doc },
#include "runtime/bundle/opcodes.def"
#undef OP
};

const struct slot_root_info slot_root_table[B_SLOT_ROOT_COUNT] = {
#define ROOT(NAME, text, steps, varies) [B_SLOT_##NAME] = { text, steps, varies },
#include "runtime/bundle/slot_root.def"
#undef ROOT
};

const uint32_t section_element_bytes[SECTION_COUNT] = {
#define SECTION(NAME, name, type, doc) [SECTION_##NAME] = sizeof(type),
#include "runtime/bundle/section.def"
#undef SECTION
};

const char *const section_names[SECTION_COUNT] = {
#define SECTION(NAME, name, type, doc) [SECTION_##NAME] = #name,
#include "runtime/bundle/section.def"
#undef SECTION
};

Str program_name(const struct program *program)
{
    return program_text(program, program->meta->name);
}

uint64_t bundle_name_hash(uint32_t route, Str name)
{
    return XXH3_64bits_withSeed(name.p, name.n, route);
}

uint64_t bundle_const_hash(enum b_const_type type, bool truth, Str text)
{
    return XXH3_64bits_withSeed(text.p, text.n, (uint64_t)type * 2 + truth);
}

static uint32_t find_server(const struct program *program, Str alias)
{
    uint32_t lo = 0, hi = program->counts[SECTION_SERVERS];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(program_text(program, program->servers[mid].alias), alias);
        if (order == 0)
            return mid;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return B_NONE;
}

uint32_t program_server(const struct program *program, Str alias)
{
    uint32_t server = find_server(program, alias);
    return server != B_NONE ? server : find_server(program, STR(""));
}

uint32_t program_known(const struct program *program, uint32_t route, Str name)
{
    uint32_t mask = program->counts[SECTION_DISPATCH] - 1; /* a power of two, with an empty slot */
    for (uint64_t at = bundle_name_hash(route, name);; at++) {
        uint32_t entry = program->dispatch[at & mask];
        if (entry == 0)
            return B_NONE;
        const struct b_name *known = &program->names[entry - 1];
        if (known->route == route && str_eq(program_text(program, known->name), name))
            return entry - 1;
    }
}

const struct b_pin *program_pin(const struct program *program, Str alias, Str name)
{
    uint32_t server = program_server(program, alias);
    uint32_t tool =
        server == B_NONE ? B_NONE : program_known(program, program_route(server, KIND_TOOL), name);
    uint32_t pin = tool == B_NONE ? B_NONE : program->names[tool].pin;
    return pin == B_NONE ? NULL : &program->pins[pin];
}

bool program_set_find(const struct program *program, uint32_t set, enum b_const_type type,
                      bool truth, Str text)
{
    const struct b_set *s = &program->sets[set];
    for (uint64_t at = bundle_const_hash(type, truth, text);; at++) {
        uint32_t entry = program->set_table[s->first + (at & (s->slots - 1))];
        if (entry == 0)
            return false; /* the verifier proved that an empty slot exists */
        const struct b_const *c = &program->consts[entry - 1];
        if (c->type == (uint32_t)type && c->truth == (uint32_t)truth &&
            str_eq(program_text(program, c->text), text))
            return true;
    }
}

bool program_set_has(const struct program *program, uint32_t set, uint32_t constant)
{
    const struct b_const *c = &program->consts[constant];
    return program_set_find(program, set, (enum b_const_type)c->type, c->truth != 0,
                            program_text(program, c->text));
}

struct program *program_share(struct program *program)
{
    (void)__atomic_add_fetch(&program->references, 1, __ATOMIC_RELAXED);
    return program;
}

void program_release(struct program *program)
{
    if (!program || __atomic_sub_fetch(&program->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is ours, and constant for readers only */
    free((void *)(uintptr_t)program->bytes.p);
    free(program);
}

uint32_t program_index_find(const struct program *program, uint32_t index, Str text)
{
    const struct b_index *x = &program->indexes[index];
    const struct b_index_entry *table = program->index_table + x->first;
    uint64_t at = bundle_const_hash(B_CONST_STRING, false, text);
    for (;; at++) {
        const struct b_index_entry *entry = &table[at & (x->slots - 1)];
        if (!entry->constant)
            return B_NONE;
        if (str_eq(program_text(program, program->consts[entry->constant - 1].text), text))
            return entry->list;
    }
}
