/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - questions to a program that need no verdict: names, hashes, tables, automata. The
 * verifier asks them too, after it has proved the ranges that they rely on. */
#include "runtime/bundle/program.h"

#include "runtime/base/world.h"
#include "runtime/bundle/verify.h"

#include <stdlib.h>
#include <xxhash.h>

enum { SERVER_SLOTS_EACH = 8 }; /* in the table that finds them, so that probes are few */

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

static Str server_alias(const struct program *program, uint32_t server)
{
    return program_text(program, program->servers[server].alias);
}

static uint32_t search_server(const struct program *program, Str alias)
{
    uint32_t lo = 0, hi = program->counts[SECTION_SERVERS];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(server_alias(program, mid), alias);
        if (order == 0)
            return mid;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return B_NONE;
}

static uint64_t server_hash(const struct program *program, Str alias)
{
    return XXH3_64bits_withSeed(alias.p, alias.n, program->server_seed);
}

/* The first free slot for the alias, or B_NONE when the probes do not reach one. */
static uint32_t free_slot(const struct program *program, Str alias)
{
    uint64_t at = server_hash(program, alias);
    for (uint32_t i = 0; i < program->server_probes; i++) {
        uint32_t slot = (uint32_t)(at + i) & program->server_mask;
        if (!program->server_table[slot])
            return slot;
    }
    return B_NONE;
}

/* A search has no more probes than one by halves has steps, which is what the cost of a decision
 * counts. The seed is new for each program, so nobody can prepare longer ones; should they come
 * about, there is no table. */
bool program_index_servers(struct program *program)
{
    uint32_t count = program->counts[SECTION_SERVERS], slots = SERVER_SLOTS_EACH;
    while (slots / SERVER_SLOTS_EACH < count)
        slots *= 2;
    program->server_table = calloc(slots, sizeof *program->server_table);
    program->server_mask = slots - 1;
    if (!program->server_table)
        return false;
    for (uint32_t n = count; n; n >>= 1)
        program->server_probes++;
    world_entropy(&program->server_seed, sizeof program->server_seed);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = free_slot(program, server_alias(program, i));
        if (slot == B_NONE) {
            free(program->server_table);
            program->server_table = NULL;
            return true;
        }
        program->server_table[slot] = i + 1;
    }
    return true;
}

static uint32_t find_server(const struct program *program, Str alias)
{
    if (!program->server_table)
        return search_server(program, alias);
    uint64_t at = server_hash(program, alias);
    for (uint32_t i = 0; i < program->server_probes; i++) {
        uint32_t entry = program->server_table[(at + i) & program->server_mask];
        if (entry == 0)
            return B_NONE;
        if (str_eq(server_alias(program, entry - 1), alias))
            return entry - 1;
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
    free(program->server_table);
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
