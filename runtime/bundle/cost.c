/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - the worst case of a decision, from the code and the tables alone.
 *
 * A cost is fixed + per_byte * n, n being the bytes of the call: the name, the arguments'
 * JSON text, the caller's id and groups (a group counts a byte more). A value read from the call
 * has at most n bytes; joining adds sizes; every instruction touches each byte of its operands a
 * small, known number of times. Sums saturate far above the budget, so a hostile bundle can't
 * wrap them.
 */
#include "runtime/bundle/verify.h"
#include "runtime/domain/domain.h"

#include <stdlib.h>

#define COST_CEILING (UINT64_C(1) << 60)

enum {
    ROUTE_STEPS = 64,       /* dispatch but for what depends on the tables */
    ROUTE_TOUCHES = 8,      /* the name: hash and automaton; a URI: its characters, undone, its
                               parts; a key: found once and noted */
    NUMBER_TEXT_BYTES = 40, /* of a number that an instruction makes, at most */
    ARITHMETIC_TOUCHES = 4, /* a number: read, converted, the result written */
    NET_TOUCHES = 16,       /* bytes of an address */
    FIND_DEPTH = 64,        /* values lie in each other so deep at most */
    CLI_TOUCHES = 16,
    CLI_GROWTH = 32,
    CLOCK_BYTES = 64,
    COMPARE_TOUCHES = 3, /* a number: its digits found, zeros trimmed, compared; a string: one */
    SET_TOUCHES = 5,     /* a number: found, trimmed, canonical form written, read, hashed */
    ESCAPE_GROWTH = 6,   /* a byte written as \u00XX */
    WRITE_TOUCHES = 8,   /* a value: written as JSON, kept, compared with what is there */
    READ_TOUCHES = 8,    /* the rewritten arguments: put together and read again */
    TRIE_TOUCHES = 20,   /* a byte: two searches among up to 256 children, and whether it is text */
    NFA_TOUCHES = 2,     /* a word of a mask for a byte, besides those of unchained positions */
    NEEDLE_MAX = 256,    /* memmem compares up to so many bytes at one place; longer: linear */
};

/* What is the same for all lists, computed once. */
struct cost_tables {
    struct bundle_cost base;            /* routing and the check of the arguments' shape */
    struct bundle_cost *atoms;          /* per atom */
    struct bundle_cost *values, *sizes; /* per rewrite: to compute it and write it; as written */
    uint64_t *sets;                     /* per set: its heaviest run */
    uint8_t *seen;                      /* per atom: counted for the list in hand */
};

/* Of a list with an index: one step for each cursor, twice, to find the next rule. */
enum { MERGE_STEPS = 2 * (BUNDLE_INDEX_VALUES_MAX + 1) };

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return a > COST_CEILING - b ? COST_CEILING : a + b; /* both are at most the ceiling */
}

static uint64_t times_capped(uint64_t a, uint64_t factor)
{
    return factor && a > COST_CEILING / factor ? COST_CEILING : a * factor;
}

static void cost_add(struct bundle_cost *sum, struct bundle_cost more)
{
    sum->fixed = add_capped(sum->fixed, more.fixed);
    sum->per_byte = add_capped(sum->per_byte, more.per_byte);
}

static struct bundle_cost cost_sum(struct bundle_cost a, struct bundle_cost b)
{
    cost_add(&a, b);
    return a;
}

static struct bundle_cost cost_times(struct bundle_cost a, uint64_t factor)
{
    return (struct bundle_cost){ .fixed = times_capped(a.fixed, factor),
                                 .per_byte = times_capped(a.per_byte, factor) };
}

/* ------------------------------- tables --------------------------------- */

typedef struct b_text (*entry_text_fn)(const struct program *p, uint32_t entry);

static struct b_text name_text(const struct program *p, uint32_t entry)
{
    return p->names[entry - 1].name;
}

static struct b_text const_text(const struct program *p, uint32_t entry)
{
    return p->consts[entry - 1].text;
}

/* A search looks at the entries of one run of used slots at most, and compares only texts of the
 * sought one's length. The run that goes round the table's end is walked on from its start. */
static uint64_t heaviest_run(const struct program *p, const uint32_t *table, uint32_t slots,
                             entry_text_fn text)
{
    uint64_t heaviest = 0, run = 0;
    for (uint64_t i = 0; i < (uint64_t)slots * 2; i++) {
        uint32_t entry = table[i & (slots - 1)];
        run = entry ? add_capped(run, 1 + (uint64_t)text(p, entry).length) : 0;
        heaviest = run > heaviest ? run : heaviest;
    }
    return heaviest + 1; /* the empty slot that ends it */
}

/* Steps of a binary search. */
static uint32_t search_steps(uint32_t count)
{
    uint32_t steps = 0;
    for (; count; count >>= 1)
        steps++;
    return steps;
}

static struct bundle_cost base_cost(const struct program *p)
{
    uint32_t alias = 1, members = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_SERVERS]; i++)
        alias = p->servers[i].alias.length > alias ? p->servers[i].alias.length : alias;
    for (uint32_t i = 0; i < p->counts[SECTION_SHAPES]; i++)
        members = p->shapes[i].count > members ? p->shapes[i].count : members;
    /* The hash reads the alias, each probe or step compares it; twice, for the server of any. */
    uint64_t find_server = 2 * (1 + (uint64_t)search_steps(p->counts[SECTION_SERVERS])) * alias;
    uint64_t find_name = heaviest_run(p, p->dispatch, p->counts[SECTION_DISPATCH], name_text);
    return (struct bundle_cost){ .fixed = ROUTE_STEPS + find_server + find_name,
                                 .per_byte = ROUTE_TOUCHES + search_steps(members) };
}

/* -------------------------------- atoms --------------------------------- */

/* Inside a loop an instruction runs up to BUNDLE_ITERATIONS_MAX times, all loops of the atom
 * together. A size has a part that comes anew each time (`each`) and a total over all times: what
 * comes from the element of that very loop has, over all iterations, at most the list's bytes;
 * what comes from outside of it counts anew in each. */
struct size {
    struct bundle_cost total;
    uint64_t each;
    uint32_t level; /* of the loop it was made in; 0: none */
};

struct meter {
    const struct program *program;
    const uint64_t *sets;
    struct size registers[BUNDLE_REGISTERS];
    uint32_t ends[BUNDLE_LOOP_DEPTH_MAX]; /* of the loops that are open */
    uint8_t elements[BUNDLE_LOOP_DEPTH_MAX];
    uint32_t level;
    struct bundle_cost cost;
};

static uint64_t times_run(const struct meter *meter)
{
    return meter->level ? BUNDLE_ITERATIONS_MAX : 1;
}

/* The work of running something of that cost wherever the code is now. */
static struct bundle_cost all_times(const struct meter *meter, struct bundle_cost one)
{
    return cost_times(one, times_run(meter));
}

/* The size of a register, as seen where the code is now. */
static struct size size_of(const struct meter *meter, unsigned reg)
{
    struct size size = meter->registers[reg & 0xF];
    if (size.level != meter->level)
        size.total = cost_times(size.total, BUNDLE_ITERATIONS_MAX);
    size.level = meter->level;
    return size;
}

static struct size size_sum(struct size a, struct size b)
{
    cost_add(&a.total, b.total);
    a.each = add_capped(a.each, b.each);
    return a;
}

static struct size size_times(struct size a, uint64_t factor)
{
    a.total = cost_times(a.total, factor);
    a.each = times_capped(a.each, factor);
    return a;
}

/* What touching all of it costs, over all times. */
static struct bundle_cost touched(const struct meter *meter, struct size size)
{
    size.total.fixed = add_capped(size.total.fixed, times_capped(size.each, times_run(meter)));
    return size.total;
}

static struct bundle_cost search_cost(struct bundle_cost text, struct bundle_cost needle)
{
    bool is_short = needle.per_byte == 0 && needle.fixed < NEEDLE_MAX;
    return cost_times(text, is_short ? needle.fixed : (uint64_t)NEEDLE_MAX);
}

/* For each byte: every word of the masks, again for each unchained position, and whether it is
 * text. */
static uint64_t nfa_touches(const struct b_nfa *nfa)
{
    uint64_t words = ((uint64_t)nfa->positions + 63) / 64;
    return 1 + words * (NFA_TOUCHES + (uint64_t)nfa->unchained);
}

/* The size of what an instruction leaves in its register. */
static struct size value_size(const struct meter *meter, const struct b_insn *in)
{
    const struct program *p = meter->program;
    struct size first = size_of(meter, in->b & 0xF), second = size_of(meter, in->b >> 8);
    struct size made = { .each = NUMBER_TEXT_BYTES, .level = meter->level };
    switch (in->op) {
    case OP_FIELD:
        made.each = 0;
        made.total.per_byte = times_run(meter);
        break;
    case OP_CONST: made.each = p->consts[in->c].text.length; break;
    case OP_ELSE:
    case OP_CONCAT: return size_sum(first, second);
    case OP_LOWER:
    case OP_TRIM:
    case OP_NUMBER:
    case OP_MEMBER:
    case OP_ELEMENT:
    case OP_KEYS: return first;
    case OP_FIND: return size_times(first, FIND_DEPTH); /* once for each it lies in */
    case OP_DECODE:
        made.each = DOMAIN_RESULT_FIXED;
        return size_sum(size_times(first, domain_table[in->c].growth), made);
    case OP_CLI:
        made.each = DOMAIN_RESULT_FIXED;
        return size_sum(size_times(first, CLI_GROWTH), made);
    case OP_CLOCK: made.each = CLOCK_BYTES; break;
    default: break;
    }
    return made;
}

/* What the instruction itself does: one step, and the bytes of its operands. A list's elements are
 * all inside its text, and each is compared as far as the shorter side goes. */
static struct bundle_cost insn_cost(const struct meter *meter, const struct b_insn *in)
{
    const struct program *p = meter->program;
    struct bundle_cost cost = all_times(meter, (struct bundle_cost){ .fixed = 1 });
    struct bundle_cost first = touched(meter, size_of(meter, in->b & 0xF));
    struct bundle_cost second = touched(meter, size_of(meter, in->b >> 8));
    switch (op_table[in->op].operands) {
    case OPERANDS_D_SLOT: /* each step compares keys of one object, all inside the arguments */
        cost_add(&cost, all_times(meter, (struct bundle_cost){ .fixed = p->slots[in->c].count,
                                                               .per_byte = 1 }));
        break;
    case OPERANDS_D_RR:
        cost_add(&cost, cost_times(cost_sum(first, second), ARITHMETIC_TOUCHES));
        break;
    case OPERANDS_RR:
        cost_add(&cost, cost_times(cost_sum(first, second), COMPARE_TOUCHES));
        if (in->op == OP_CONTAINS || in->op == OP_HAS_TEXT)
            cost_add(&cost, search_cost(first, second));
        break;
    case OPERANDS_R_SET:
        cost_add(&cost, cost_times(first, SET_TOUCHES));
        cost_add(&cost, all_times(meter, (struct bundle_cost){ .fixed = meter->sets[in->c] }));
        if (in->op == OP_SUBSET) /* a search for each element, an element being at least a byte */
            cost_add(&cost, cost_times(first, meter->sets[in->c]));
        break;
    case OPERANDS_R_TRIE: cost_add(&cost, cost_times(first, TRIE_TOUCHES)); break;
    case OPERANDS_R_NFA: cost_add(&cost, cost_times(first, nfa_touches(&p->nfas[in->c]))); break;
    case OPERANDS_R_NETS:
        cost_add(&cost, all_times(meter, (struct bundle_cost){
                                             .fixed = NET_TOUCHES *
                                                      ((uint64_t)p->nets[in->c].count + 1) }));
        break;
    case OPERANDS_D_R_DOMAIN:
        cost_add(&cost, cost_times(first, domain_table[in->c].touches));
        cost_add(&cost, all_times(meter, (struct bundle_cost){ .fixed = DOMAIN_RESULT_FIXED }));
        break;
    case OPERANDS_D_R_SET:
        cost_add(&cost, cost_times(first, CLI_TOUCHES));
        cost_add(&cost, cost_times(first, p->sets[in->c].count));
        cost_add(&cost, all_times(meter, (struct bundle_cost){ .fixed = p->sets[in->c].slots }));
        break;
    case OPERANDS_D_ZONE:
        cost_add(&cost, all_times(meter, (struct bundle_cost){ .fixed = 64 }));
        break;
    case OPERANDS_D_R_STEP:
        cost_add(&cost, cost_times(first, in->op == OP_FIND ? FIND_DEPTH : 1));
        break;
    case OPERANDS_LOOP:
    case OPERANDS_D_R_NUMBER:
    case OPERANDS_D_R:
    case OPERANDS_R:
    case OPERANDS_R_DFA: cost_add(&cost, first); break;
    case OPERANDS_D:
    case OPERANDS_D_CONST:
    case OPERANDS_NONE:
    case OPERANDS_TEST:
    case OPERANDS_SKIP: break;
    }
    return cost;
}

/* The result of a loop is a truth or a number, made at the level around it. */
static void close_loops(struct meter *meter, uint32_t at)
{
    while (meter->level && meter->ends[meter->level - 1] == at) {
        uint8_t result = meter->elements[--meter->level];
        meter->registers[result] =
            (struct size){ .each = NUMBER_TEXT_BYTES, .level = meter->level };
    }
}

/* The elements of a list have its bytes between them. */
static void open_loop(struct meter *meter, const struct b_insn *in, uint32_t at)
{
    struct bundle_cost list = touched(meter, size_of(meter, in->b & 0xF));
    meter->elements[meter->level] = in->a;
    meter->ends[meter->level++] = at + 1 + in->c;
    meter->registers[in->a] = (struct size){ .total = list, .level = meter->level };
}

static void run_meter(struct meter *meter, const struct b_insn *code, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct b_insn *in = &code[i];
        close_loops(meter, i);
        cost_add(&meter->cost, insn_cost(meter, in));
        if (op_table[in->op].kind == OP_LOOP)
            open_loop(meter, in, i);
        else
            meter->registers[in->a] = value_size(meter, in);
    }
}

static struct bundle_cost atom_cost(const struct program *p, const struct b_atom *atom,
                                    const uint64_t *sets)
{
    struct meter meter = { .program = p, .sets = sets };
    run_meter(&meter, p->code + atom->code, atom->code_count);
    return meter.cost;
}

/* A value is computed, written with its key, and its place compared with those of all others. */
static void rewrite_cost(const struct program *p, const struct b_rewrite *rewrite,
                         const uint64_t *sets, struct bundle_cost *value, struct bundle_cost *size)
{
    struct meter meter = { .program = p, .sets = sets };
    const struct b_slot *slot = &p->slots[rewrite->slot];
    const struct b_insn *code = p->code + rewrite->code;
    uint64_t place = slot->count;
    for (uint32_t i = 0; i < slot->count; i++)
        place += p->steps[slot->first + i].length;
    run_meter(&meter, code, rewrite->code_count);
    *size = touched(&meter, size_of(&meter, code[rewrite->code_count - 1].a & 0xF));
    size->fixed = add_capped(size->fixed, place + NUMBER_TEXT_BYTES);
    *size = cost_times(*size, ESCAPE_GROWTH);
    *value = cost_sum(meter.cost, cost_times(*size, WRITE_TOUCHES));
    value->fixed = add_capped(value->fixed, place * (BUNDLE_REWRITES_MAX + 1));
    value->per_byte = add_capped(value->per_byte, 1); /* the way to the place */
}

/* -------------------------------- lists --------------------------------- */

/* Counts the atoms that a rule tests, unless seen; with cost NULL it takes their marks away. */
static void rule_atoms(const struct program *p, const struct b_rule *rule,
                       const struct cost_tables *tables, struct bundle_cost *cost)
{
    for (uint32_t i = 0; i < rule->code_count; i++) {
        const struct b_insn *in = &p->code[rule->code + i];
        if (op_table[in->op].operands != OPERANDS_TEST)
            continue;
        if (cost && !tables->seen[in->c])
            cost_add(cost, tables->atoms[in->c]);
        tables->seen[in->c] = cost != NULL;
    }
}

/* With rules that set: what they set is computed and put into the arguments, which are read again
 * and judged a second time. They may have grown by what was set, so that a byte of the call stands
 * for more bytes of them. */
static struct bundle_cost judged_twice(const struct program *p, const struct b_list *all,
                                       const struct cost_tables *tables, struct bundle_cost once)
{
    struct bundle_cost grown = { .fixed = 2, .per_byte = 1 };
    for (uint32_t k = 0; k < all->count; k++) {
        const struct b_rule *rule = &p->rules[p->list_rules[all->first + k]];
        for (uint32_t i = rule->set_first; i < rule->set_first + rule->set_count; i++) {
            cost_add(&once, tables->values[i]);
            cost_add(&grown, tables->sizes[i]);
        }
    }
    struct bundle_cost second = { .fixed = times_capped(once.per_byte, grown.fixed),
                                  .per_byte = times_capped(once.per_byte, grown.per_byte) };
    second.fixed = add_capped(second.fixed, once.fixed);
    return cost_sum(cost_sum(once, second), cost_times(grown, READ_TOUCHES));
}

/* The rule that a default denial names runs once more, whether it is in the list or not. */
static struct bundle_cost list_cost(const struct program *p, const struct b_list *list,
                                    const struct cost_tables *tables)
{
    struct bundle_cost cost = tables->base;
    bool is_rewriting = (list->flags & B_LIST_REWRITES) != 0;
    const struct b_rule *near = list->near == B_NONE ? NULL : &p->rules[list->near];
    uint32_t rule_steps = 0;
    if (list->index != B_NONE) { /* a search for each value, and at worst all rules */
        const struct b_index *index = &p->indexes[list->index];
        cost.fixed =
            add_capped(cost.fixed, (uint64_t)(BUNDLE_INDEX_VALUES_MAX + 1) * BUNDLE_RUN_MAX);
        cost.per_byte = add_capped(cost.per_byte, BUNDLE_RUN_MAX);
        list = &p->lists[index->all];
        rule_steps = MERGE_STEPS;
    }
    for (uint32_t k = 0; k < list->count; k++) {
        const struct b_rule *rule = &p->rules[p->list_rules[list->first + k]];
        cost.fixed = add_capped(cost.fixed, (uint64_t)rule->code_count + rule_steps);
        rule_atoms(p, rule, tables, &cost);
    }
    if (near) {
        cost.fixed = add_capped(cost.fixed, near->code_count);
        rule_atoms(p, near, tables, &cost);
        rule_atoms(p, near, tables, NULL);
    }
    for (uint32_t k = 0; k < list->count; k++)
        rule_atoms(p, &p->rules[p->list_rules[list->first + k]], tables, NULL);
    return is_rewriting ? judged_twice(p, list, tables, cost) : cost;
}

static void fill_tables(const struct program *p, struct cost_tables *tables)
{
    tables->base = base_cost(p);
    for (uint32_t i = 0; i < p->counts[SECTION_SETS]; i++)
        tables->sets[i] =
            heaviest_run(p, p->set_table + p->sets[i].first, p->sets[i].slots, const_text);
    for (uint32_t i = 0; i < p->counts[SECTION_ATOMS]; i++)
        tables->atoms[i] = atom_cost(p, &p->atoms[i], tables->sets);
    for (uint32_t i = 0; i < p->counts[SECTION_REWRITES]; i++)
        rewrite_cost(p, &p->rewrites[i], tables->sets, &tables->values[i], &tables->sizes[i]);
}

bool program_cost(const struct program *program, struct bundle_cost *out)
{
    size_t atoms = (size_t)program->counts[SECTION_ATOMS] + 1; /* calloc of 0 may give NULL */
    size_t rewrites = (size_t)program->counts[SECTION_REWRITES] + 1;
    struct cost_tables tables = {
        .atoms = calloc(atoms, sizeof *tables.atoms),
        .values = calloc(rewrites, sizeof *tables.values),
        .sizes = calloc(rewrites, sizeof *tables.sizes),
        .sets = calloc((size_t)program->counts[SECTION_SETS] + 1, sizeof *tables.sets),
        .seen = calloc(atoms, 1),
    };
    bool has_memory = tables.atoms && tables.values && tables.sizes && tables.sets && tables.seen;
    if (has_memory) {
        fill_tables(program, &tables);
        *out = tables.base;
    }
    for (uint32_t i = 0; i < program->counts[SECTION_LISTS] && has_memory; i++) {
        struct bundle_cost cost = list_cost(program, &program->lists[i], &tables);
        out->fixed = cost.fixed > out->fixed ? cost.fixed : out->fixed;
        out->per_byte = cost.per_byte > out->per_byte ? cost.per_byte : out->per_byte;
    }
    free(tables.atoms);
    free(tables.values);
    free(tables.sizes);
    free(tables.sets);
    free(tables.seen);
    return has_memory;
}

bool verify_cost(const struct program *program, struct bundle_error *error)
{
    struct bundle_cost cost;
    if (!program_cost(program, &cost))
        return verify_fail(error, "out of memory");
    if (cost.fixed != program->meta->cost_fixed || cost.per_byte != program->meta->cost_per_byte)
        return verify_fail(error, "the stored cost is not the cost of the code");
    if (cost.fixed > BUNDLE_COST_FIXED_MAX || cost.per_byte > BUNDLE_COST_PER_BYTE_MAX)
        return verify_fail(error, "the cost %llu + %llu a byte is over the budget",
                           (unsigned long long)cost.fixed, (unsigned long long)cost.per_byte);
    return true;
}
